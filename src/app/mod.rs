//! One file per command, and how every end of a command becomes an exit code.
//!
//! In: what the command line asked for, and the world ([`Context`]): environment, clock, randomness, standard output. Out:
//! text on standard output and an exit code. Never: rules about customers, which stand in the rooms below.

pub mod apply;
pub mod baseline;
pub mod config_check;
pub mod config_init;
pub mod core_dumps;
pub mod exit;
pub mod explain;
pub mod night;
pub mod notices;
pub mod output;
pub mod plan;
pub mod report;
pub mod resume;
pub mod run;
pub mod runs;
pub mod sandbox;
pub mod signals;
pub mod verify;
mod waiting;
mod why;

mod calls;
mod context;
mod deliver;
mod embedded;
mod errors;
mod find;
mod finish;
mod prepare;
mod redaction;
mod stale;
#[cfg(test)]
mod tests;

pub use context::{Context, Voice};
pub use redaction::Redaction;
