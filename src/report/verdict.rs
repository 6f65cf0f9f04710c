//! What the model says about the run as a whole, for the caller to decide the exit code by.

use crate::model::Reason;
use crate::runs::RunStatus;
use std::collections::BTreeSet;

/// What the run came to, before an exit code is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The first total that does not tie, in words; `None`: everything ties.
    pub difference: Option<String>,
    /// Rows that need a person: failed, unknown, rejected, conflict, invalid; creation disabled by configuration.
    pub needs_a_person: u64,
    /// The same, each customer once over all products.
    pub persons: u64,
    /// Fields that Tether did not take (`not_applied` breaks): these need a person too.
    pub not_applied: u64,
    /// Input rows that could not be read: the source needs correcting.
    pub rejected_rows: u64,
    /// Exports that may be cut off: what they lack would count as 0.
    pub truncated_exports: u64,
    /// Sources without a row: what they should hold counts as missing.
    pub empty_exports: u64,
    /// Sources of which a product's filter takes no row: the product's customers there count as gone.
    pub filters_taking_nothing: u64,
    /// Overrides of records that are in no file: what a person decided is not heeded.
    pub unknown_overrides: u64,
    /// Why rows were not attempted, each reason once.
    pub stops: BTreeSet<Reason>,
}

impl Verdict {
    /// Whether every total ties.
    pub fn ties(&self) -> bool {
        self.difference.is_none()
    }

    /// Whether rows, fields or input rows need a person (exit 3).
    pub fn needs_a_person(&self) -> bool {
        self.needs_a_person > 0
            || self.not_applied > 0
            || self.rejected_rows > 0
            || self.truncated_exports > 0
            || self.empty_exports > 0
            || self.filters_taking_nothing > 0
            || self.unknown_overrides > 0
    }

    /// Whether a guard refused the run (exit 4).
    pub fn refused(&self) -> bool {
        self.stops.contains(&Reason::Guard)
    }

    /// Whether the run stopped before its end and can be resumed (exit 5).
    pub fn incomplete(&self) -> bool {
        [Reason::Unavailable, Reason::Deadline, Reason::Interrupted].iter().any(|stop| self.stops.contains(stop))
    }

    /// Whether a key was refused (exit 6).
    pub fn auth(&self) -> bool {
        self.stops.contains(&Reason::Auth)
    }

    /// Whether an address or method was wrong (exit 2).
    pub fn configuration(&self) -> bool {
        self.stops.contains(&Reason::Configuration)
    }
}

/// How the run ended, as the caller decided; shown by every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Where the run stands.
    pub status: RunStatus,
    /// The process's exit code.
    pub exit_code: u8,
}

impl Ending {
    /// What the exit code means, in words.
    pub fn meaning(self) -> &'static str {
        meaning(self.exit_code)
    }
}

/// What an exit code means, in words.
pub fn meaning(exit_code: u8) -> &'static str {
    match exit_code {
        0 => "done; nothing needs a person",
        1 => "internal error, or a total that does not tie",
        2 => "wrong address or configuration",
        3 => "done; some rows need a person",
        4 => "a guard refused; nothing was sent",
        5 => "incomplete and resumable",
        6 => "credentials refused or missing",
        7 => "another run holds the lock",
        8 => "an input was refused",
        10 => "there are changes to send",
        _ => "unknown",
    }
}
