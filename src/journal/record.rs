//! What a line of the journal can say.

use crate::model::{Instant, Reason, RowOutcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format of `journal.jsonl` that this version writes.
pub const JOURNAL_FORMAT: u32 = 1;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The first line.
    Header(Header),
    /// Another process goes on from here.
    Resumed {
        /// When.
        at: Instant,
        /// Its version.
        tool_version: String,
    },
    /// A request is about to leave.
    Intent {
        /// Row of the plan.
        row: u32,
        /// Which request of this row, from 1.
        attempt: u32,
        /// When the intent was made.
        at: Instant,
    },
    /// The request of the row's open intent never left.
    Withdrawn {
        /// Row of the plan.
        row: u32,
    },
    /// The request of the row's open intent decided nothing.
    Undecided {
        /// Row of the plan.
        row: u32,
        /// When.
        at: Instant,
        /// Status of the reply, if one came.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        status: Option<u16>,
        /// Whether it may have taken effect all the same.
        ambiguous: bool,
        /// Why, for a person; secrets scrubbed.
        detail: String,
    },
    /// The server told a key to wait.
    Wait {
        /// The key's fingerprint.
        key: String,
        /// Until when, rounded up to the second.
        until: Instant,
    },
    /// What became of a row; final.
    Outcome {
        /// When.
        at: Instant,
        /// It.
        outcome: Box<RowOutcome>,
    },
    /// The run ended here.
    Closed(Closing),
}

/// What a journal belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Header {
    /// [`JOURNAL_FORMAT`] of the writer.
    pub format: u32,
    /// The run.
    pub run_id: String,
    /// SHA-256 of the plan's rows.
    pub plan_hash: String,
    /// Version of tether-recon that began it.
    pub tool_version: String,
}

/// How sending ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: Instant,
    /// Whether every row to be sent has its outcome.
    pub complete: bool,
    /// Products that stopped before their end, by name, with why.
    pub stopped: BTreeMap<String, ProductStop>,
}

impl Closing {
    /// Why rows of `product` without an outcome were not sent.
    pub fn reason(&self, product: &str) -> Reason {
        self.stopped.get(product).map_or(Reason::Interrupted, |stop| stop.reason)
    }
}

/// Why a product stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductStop {
    /// One of `auth`, `configuration`, `unavailable`, `deadline`, `interrupted`.
    pub reason: Reason,
    /// One sentence for a person; secrets scrubbed.
    pub detail: String,
}
