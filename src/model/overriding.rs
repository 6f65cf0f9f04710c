//! What a person decided once about two records, and what became of it.

use super::{OverrideDecision, OverrideState};
use serde::{Deserialize, Serialize};

/// One row of the overrides file, as the report shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideUse {
    /// The file, as [`super::InputFile::path`].
    pub file: String,
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// What it says.
    pub decision: OverrideDecision,
    /// The account: `cus_…`.
    pub account: String,
    /// The contact, `<crm>:<contact id>`, or another account.
    pub with: String,
    /// The person's own words.
    pub note: Option<String>,
    /// What became of it.
    pub state: OverrideState,
    /// One sentence for a person.
    pub detail: String,
}
