//! One file per command, and how every end of a command becomes an exit code.
//!
//! In: the validated configuration and what the command line asked for. Out: text on standard output and an exit code.
//! Never: rules about customers, which stand in the rooms below.

pub mod config_check;
pub mod exit;
pub mod output;
