//! Run folders: `<state>/runs/<run id>/`, what stands in them, and how files appear there whole or not at all.
//!
//! In: what the rooms before produced. Out: files that a later command, or a person, can read. Never: rules.

mod chain;
mod files;
mod folder;
mod lock;
mod manifest;
mod proof;
mod remedy;
mod salt;
mod shelf;
mod watched;

pub use chain::{Chain, Missing, chain};
pub use files::{create_private_dir, open_regular, private_dir, read_regular, write_atomic, write_atomic_readable};
pub use folder::{RunFolder, run_id};
pub use lock::{Holder, LockError, StateLock};
pub use manifest::{
    Approval, Division, Exact, GuardFinding, MANIFEST_FORMAT, Manifest, Mix, Mode, Part, ProductTotals, RunProduct,
    RunStatus, SourceTotals, of_one_filter,
};
pub use proof::{Fingerprint, Hashing, Link, Proof, check_seal};
pub use remedy::{is_forbidden, remedy};
pub use salt::salt_of;
pub use shelf::{Need, Shelved, prunable, remove, remove_remains, shelf};
pub use watched::Watched;

use std::path::{Path, PathBuf};

/// A file or folder of the state could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The operating system refused.
    #[error("failed to {doing} `{}`: {source}; {}", path.display(), remedy(source))]
    Io {
        /// What was tried: `write`, `sync`, `create the folder`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `manifest.json` is not what this version can read.
    #[error("failed to read the manifest `{}`: {detail}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        detail: String,
    },
    /// A file that should hold a salt does not.
    #[error("`{}` is not a salt; restore it, or remove it, and every name has another hash from then on", path.display())]
    Salt {
        /// The file.
        path: PathBuf,
    },
    /// The run folder is already there.
    #[error("the run folder `{}` is already there; start again in a second", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// There is no such run.
    #[error("there is no run `{run}` under `{}`; the newest is {newest}", runs.display())]
    NoSuchRun {
        /// The id that was asked for.
        run: String,
        /// The folder of runs.
        runs: PathBuf,
        /// The newest run's id, or `none`.
        newest: String,
    },
}

impl RunsError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}
