//! What is known of an input file, and of a row in it that could not be read.

use super::{Instant, Reason};
use serde::{Deserialize, Serialize};

/// The source of Stripe's customers, as reports name it.
pub const STRIPE_CUSTOMERS: &str = "stripe_customers";

/// The source of Stripe's subscriptions, which carries the MRR.
pub const STRIPE_SUBSCRIPTIONS: &str = "stripe_subscriptions";

/// One input file as the manifest records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// The source it belongs to: `stripe_customers`, `stripe_subscriptions`, a CRM's name or `existing`.
    pub source: String,
    /// The path as configured, relative to the configuration's folder where it lies below it.
    pub path: String,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Data rows, rejected ones included.
    pub rows: u64,
    /// What the content was recognised as, in words: `Stripe dashboard customers (CSV)`.
    pub shape: String,
    /// The text encoding in words, where the file is text: `UTF-8`, `UTF-16LE`, `windows-1252`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub encoding: Option<String>,
    /// How its rows are written, where it is CSV or holds dates in need of a rule.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dialect: Option<Dialect>,
    /// When the file was last written; stands in for `updated_at` where existing customers carry none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub modified: Option<Instant>,
}

/// How the rows of a text are written, as it was recognised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dialect {
    /// What separates columns: `comma`, `semicolon`, `tab`, `pipe`, or the character itself.
    pub separator: String,
    /// What ends lines: `LF`, `CRLF`, `CR` or `mixed`.
    pub line_ends: String,
    /// The line of the headings, from 1.
    pub heading_line: u64,
    /// Lines behind the rows that were cut: totals and notices of a report.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub footer_lines: u64,
    /// The order of numeric dates and how it is known: `month first (its values prove it)`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dates: Option<String>,
    /// Where times without an offset are of, if not UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
    /// Whatever else is unusual, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.separator, self.line_ends)?;
        if self.heading_line > 1 {
            write!(f, ", headings on line {}", self.heading_line)?;
        }
        if self.footer_lines > 0 {
            write!(f, ", {} footer lines cut", self.footer_lines)?;
        }
        for words in self.dates.iter().chain(&self.time_zone).chain(&self.notes) {
            write!(f, ", {words}")?;
        }
        Ok(())
    }
}

/// An input row that could not be read. It is counted, listed and never dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The source, as in [`InputFile::source`].
    pub source: String,
    /// The file, as in [`InputFile::path`].
    pub file: String,
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The row's id, if that much was readable.
    pub id: Option<String>,
    /// The Stripe customer it belongs to, if that much was readable: that customer's MRR cannot be trusted.
    pub customer: Option<String>,
    /// Why.
    pub reason: Reason,
    /// What was found and where: column and value, for a person.
    pub detail: String,
}
