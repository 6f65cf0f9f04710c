//! Telling whoever is not there how a run ended: webhooks, a dead man's switch, metrics.
//!
//! In: how a run ended ([`Ended`], with the figures of its report) and `[notify]`. Out: requests to the addresses that it
//! names, a file of metrics, and a memory of what was told, so that the same trouble is told once. Never: names or
//! addresses of customers; an address of a notice in any text; a failure that changes how the run ends.

mod address;
mod client;
mod ended;
mod json;
mod memory;
mod metrics;
mod notifier;
mod slack;
#[cfg(test)]
mod tests;
mod trouble;

pub use address::{Address, AddressError};
pub use ended::{Ended, Figures};
pub use notifier::{Notifier, Told};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A run ended otherwise than with 0.
    Trouble,
    /// A run ended with 0, after trouble that was told.
    Recovery,
    /// A run ended with 0, as before.
    Done,
    /// Nothing happened: somebody tries whether notices arrive.
    Test,
}
