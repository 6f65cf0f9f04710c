//! The report: what a reviewer signs, from a run's data alone.
//!
//! In: a run's manifest, plan, accounting, breaks and outcomes ([`RunData`]). Out: one typed [`ReportModel`], and its
//! renderings `summary.json`, `summary.md`, `customers.csv`, `changes.csv`, `accounting.csv` (each also `.jsonl`),
//! `report.xlsx` and `report.html` ([`write_report`], [`compare_report`]), plus a few lines for a terminal
//! ([`terminal_summary`]). Never: clocks, networks, decisions about what is sent; the same data give the same bytes.
//!
//! Two steps, since the exit code stands in the report and follows from it: build the model, ask it for its
//! [`Verdict`], decide, then write.

mod amount;
mod breaks;
mod bridge;
mod changes;
mod compare;
mod csv;
mod customers;
mod division;
mod files;
mod format;
mod gap;
mod html;
mod json;
mod json_lines;
mod markdown;
mod model;
mod needs;
mod outcomes;
mod redacted;
mod revealed;
mod rows;
mod tally;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod tieout;
mod unmatched;
mod verdict;
mod waiting;
mod words;
mod xlsx;

pub use amount::{decimal as plain_amount, fixed, group, grouped as amount};
pub use bridge::{Bridge, Movement};
pub use compare::{Compared, Difference, compare_report};
pub use files::{Written, write_formats, write_report};
pub use format::ReportFormat;
pub use gap::{Component, Gap};
pub use model::{ProductReport, ReportModel};
pub use outcomes::{Outcomes, RunData, SentRows};
pub use rows::{Change, CustomerRow, OutcomeTable};
pub use tally::Tally;
pub use terminal::terminal_summary;
pub use tieout::TieOut;
pub use verdict::{Ending, Verdict, meaning};
pub use waiting::{WaitingSince, read_waiting, waiting_after, write_waiting};
pub use words::refusal;

/// Why a report could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A frame could not be computed.
    #[error("the report's tables could not be computed: {0}")]
    Table(#[from] polars::prelude::PolarsError),
    /// A frame holds a word that its vocabulary does not know.
    #[error("the run's tables hold an unknown word: {0}")]
    Word(#[from] crate::model::UnknownWord),
    /// The manifest says that names are hashed, and with what is not at hand.
    #[error("the run's report is redacted, and its salt is not at hand")]
    Unsalted,
    /// An exact amount of the manifest is no fraction.
    #[error("the manifest's amount {num}/{den} is not a fraction with a positive denominator")]
    Fraction {
        /// The numerator's text.
        num: String,
        /// The denominator's text.
        den: String,
    },
    /// A file could not be written.
    #[error("failed to write `{}`: {source}; {}", path.display(), crate::runs::remedy(source))]
    Write {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file would not be what it must be; none was written.
    #[error("`{}` would not be the same again; nothing was written", path.display())]
    NotAccepted {
        /// The file.
        path: std::path::PathBuf,
    },
    /// A file of the report could not be read.
    #[error("failed to read `{}`: {source}; {}", path.display(), crate::runs::remedy(source))]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The page or the summary could not be rendered.
    #[error("{file} could not be rendered: {detail}")]
    Render {
        /// The file.
        file: &'static str,
        /// What went wrong.
        detail: String,
    },
}
