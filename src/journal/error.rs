//! What can be wrong with a journal.

use crate::runs::{RunsError, remedy};
use std::io;
use std::path::{Path, PathBuf};

/// The journal could not be written (exit 5) or must not be believed (exit 8). Cheap to clone: every waiter gets one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Writing or syncing failed. Nothing that was not durable before counts; the run stops.
    #[error("failed to {doing} the journal{}: {detail}", in_file(path.as_ref()))]
    Write {
        /// What was tried: `write`, `sync`.
        doing: &'static str,
        /// The journal, where it is a file.
        path: Option<PathBuf>,
        /// Why, and what to do.
        detail: String,
        /// How many lines are durable for certain, where any may not be: what stands behind them in the file may never
        /// have reached the disk, and no later sync of this process would tell.
        durable: Option<u64>,
    },
    /// The file could not be read.
    #[error("failed to read the journal `{}`: {detail}", path.display())]
    Read {
        /// The journal.
        path: PathBuf,
        /// Why, and what to do.
        detail: String,
    },
    /// The journal is damaged: what it says of the run cannot be trusted.
    #[error(
        "the journal `{}` is damaged at line {line}: {detail}; restore it from a backup, or start a new `run` after \
         removing the run's folder",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What does not fit.
        detail: String,
    },
}

impl JournalError {
    /// Whether the journal must not be believed, as opposed to: could not be written.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::Write { .. })
    }

    pub(super) fn write(doing: &'static str, path: Option<&Path>, source: &io::Error, durable: Option<u64>) -> Self {
        let detail = format!("{source}; {}", remedy(source));
        Self::Write { doing, path: path.map(Path::to_owned), detail, durable }
    }

    pub(super) fn read(path: &Path, source: &io::Error) -> Self {
        Self::Read { path: path.to_owned(), detail: format!("{source}; {}", remedy(source)) }
    }

    pub(super) fn damaged(path: &Path, line: u64, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), line, detail: detail.into() }
    }
}

/// Making the file failed.
impl From<RunsError> for JournalError {
    fn from(error: RunsError) -> Self {
        Self::Write { doing: "make", path: None, detail: error.to_string(), durable: None }
    }
}

fn in_file(path: Option<&PathBuf>) -> String {
    path.map(|p| format!(" `{}`", p.display())).unwrap_or_default()
}
