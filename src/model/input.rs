//! What is known of an input file, and of a row in it that could not be read.

use super::{Instant, Reason};
use serde::{Deserialize, Serialize};

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
    /// When the file was last written; stands in for `updated_at` where existing customers carry none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub modified: Option<Instant>,
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
