//! What can be wrong with a journal.

use std::path::{Path, PathBuf};

/// The journal could not be written (exit 5) or must not be believed (exit 8). Cheap to clone: every waiter gets one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Writing or syncing failed. Nothing that was not durable before counts; the run stops.
    #[error("failed to write the journal{}: {detail}; free some space, then `resume`", in_file(path.as_ref()))]
    Write {
        /// The journal, where it is a file.
        path: Option<PathBuf>,
        /// Why.
        detail: String,
    },
    /// The file could not be read.
    #[error("failed to read the journal `{}`: {detail}", path.display())]
    Read {
        /// The journal.
        path: PathBuf,
        /// Why.
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

    pub(super) fn damaged(path: &Path, line: u64, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), line, detail: detail.into() }
    }
}

fn in_file(path: Option<&PathBuf>) -> String {
    path.map(|p| format!(" `{}`", p.display())).unwrap_or_default()
}
