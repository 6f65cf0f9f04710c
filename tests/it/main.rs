//! The program as its users meet it: the real binary over files on disk, against a local Tether in another process. One
//! binary for all of it, since linking is what takes time; one module per promise.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by a panic")]

mod apply;
mod bad_input;
mod baseline;
mod browser;
mod config_schema;
mod dialects;
mod disks;
mod exit_codes;
mod explain;
mod explain_runs;
mod faults;
mod files;
mod guards;
mod hooks;
mod hostile;
mod init;
mod json_schema;
mod kills;
mod layers;
mod limit;
mod lock;
mod notices;
mod one_account;
mod plan;
mod products;
mod prometheus;
mod redact;
mod rehearsals;
mod report;
mod resume;
mod run;
mod sample_data;
mod scheduling;
mod secrets;
mod server;
mod shapes;
mod site;
mod verify;
