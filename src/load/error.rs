//! Why loading cannot go on. A bad row is a `Rejection`; these are about a whole file or pattern.

use crate::table::SchemaError;
use polars::prelude::PolarsError;

/// An input was refused: what, where, and what to do. Exit code 8; 5 where the reading was stopped.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A pattern of the configuration is no glob.
    #[error("{key}: `{pattern}` is not a file pattern: {message}; correct it in the configuration")]
    BadPattern {
        /// The configuration key.
        key: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// A pattern of the configuration matches no file.
    #[error("{key}: `{pattern}` matches no file; put the export there, or correct the pattern in the configuration")]
    NoMatch {
        /// The configuration key.
        key: String,
        /// The pattern.
        pattern: String,
    },
    /// A file cannot be opened or read.
    #[error("cannot read {file}: {source}; check that it exists and that this user may read it")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not the one that the run was planned from.
    #[error("{file} has changed since the run was planned; put the old file back to resume, or start a new `run`")]
    Changed {
        /// The file.
        file: String,
    },
    /// A file without anything in it: an export that failed.
    #[error("{file} is empty, not even a heading line; export it again")]
    Empty {
        /// The file.
        file: String,
    },
    /// Two columns with one heading: which one is meant cannot be known.
    #[error(
        "{file}, line {line}: columns {first} and {second} are both headed `{heading}`; rename or remove one of them"
    )]
    DuplicateHeading {
        /// The file.
        file: String,
        /// The heading's line.
        line: u64,
        /// The heading, as the second column has it.
        heading: String,
        /// The one column, from 1.
        first: usize,
        /// The other column, from 1.
        second: usize,
    },
    /// Numeric dates whose order of day and month nothing tells: a guess would move customers' activity by months.
    #[error("{file}, line {line}: {heading}: {detail} under the CRM `{source_name}`")]
    UndecidedDates {
        /// The file.
        file: String,
        /// The line of the value.
        line: u64,
        /// The column's heading.
        heading: String,
        /// The value, why it cannot be told, and what to state.
        detail: String,
        /// The CRM.
        source_name: String,
        /// The file's values contradict one another; else they only prove nothing.
        contradicts: bool,
    },
    /// Two files of one CRM prove different orders of day and month.
    #[error(
        "{file} has the {order}, {other} the {others}: files of one CRM are written in one order; correct one, or make them \
         two [[crm]] with dates = \"us\" and \"eu\" instead of `{source_name}`"
    )]
    ContradictingDates {
        /// The one file.
        file: String,
        /// Its order.
        order: &'static str,
        /// The other file.
        other: String,
        /// The other's order.
        others: &'static str,
        /// The CRM.
        source_name: String,
    },
    /// A column that must be there is not.
    #[error("{file}, line {line}: no column `{heading}` for {field}; {advice}")]
    MissingColumn {
        /// The file.
        file: String,
        /// The heading's line.
        line: u64,
        /// The field that the column would give.
        field: String,
        /// The heading that was looked for.
        heading: String,
        /// The nearest heading of the file, and what to do.
        advice: String,
    },
    /// A file of one kind stands where another kind is configured.
    #[error("{file}: {key} expects {expected}, but this file was recognised as {found}; correct {key}")]
    WrongShape {
        /// The file.
        file: String,
        /// The configuration key.
        key: String,
        /// What belongs there.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Items of subscriptions, and none of the subscriptions: their customers would seem to pay nothing.
    #[error(
        "{file} holds {items} items of subscriptions, but no file holds a subscription; export the table of subscriptions \
         too, and name it under [stripe]"
    )]
    NoSubscriptions {
        /// The first file with items.
        file: String,
        /// Items in all files.
        items: u64,
    },
    /// A decision that cannot be read, or that another one contradicts: it must not be skipped in silence.
    #[error("{file}, line {line}: {detail}")]
    Override {
        /// The file.
        file: String,
        /// The row's line.
        line: u64,
        /// What is wrong, and what to do.
        detail: String,
    },
    /// The content is nothing that is known.
    #[error("{file} was not recognised: {detail}")]
    Unrecognised {
        /// The file.
        file: String,
        /// What was found, and what to do.
        detail: String,
    },
    /// The file holds more than a limit allows.
    #[error(
        "{file} holds more than {limit} {what}, the limit; check that it is the right file, and raise [limits] {key} if it is"
    )]
    TooMuch {
        /// The file.
        file: String,
        /// Of what.
        what: &'static str,
        /// How many it may hold.
        limit: u64,
        /// The key under `[limits]`.
        key: &'static str,
    },
    /// The file as a whole cannot be read in its format.
    #[error("{file} cannot be read: {detail}")]
    Broken {
        /// The file.
        file: String,
        /// What is wrong and where, and what to do.
        detail: String,
    },
    /// Somebody stopped what was reading the file: the run is over, and nothing is known of the file.
    #[error(
        "{file} was not read: its reader was stopped from outside ({signal}); start the run again, which begins anew"
    )]
    Stopped {
        /// The file.
        file: String,
        /// The signal's name.
        signal: &'static str,
    },
    /// Reader and structural pass disagree even on a canonical copy, or a table came out wrong: a bug of this program.
    #[error("{file}: {detail}; this is a bug of tether-recon, please report it")]
    Internal {
        /// The file.
        file: String,
        /// What happened.
        detail: String,
    },
}

impl LoadError {
    /// A polars or schema error while handling `file`: never the data's fault, since the data was checked before.
    pub(super) fn internal(file: &str, error: impl std::fmt::Display) -> Self {
        Self::Internal { file: file.to_owned(), detail: error.to_string() }
    }
}

/// What the column rules can fail with before a file's name is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error(transparent)]
    Polars(#[from] PolarsError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
}
