//! `<state>/told.json`: what was told last, and when a run last succeeded.

use super::trouble::Trouble;
use crate::model::Instant;
use crate::runs::{RunsError, write_atomic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The format that this version writes.
const FORMAT: u32 = 1;

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    format: u32,
    /// When a run last ended with a code that counts as success.
    pub last_success: Option<Instant>,
    /// By webhook: `slack`, `webhook`. Each for itself, since one may be told and the other not.
    #[serde(default)]
    pub told: BTreeMap<String, Telling>,
}

/// What a webhook was told last, and how things stand since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Telling {
    /// When.
    pub at: Instant,
    /// Of which run.
    pub run_id: String,
    /// What stands since: nothing that it does not know of.
    pub stands: Trouble,
}

impl Default for Memory {
    fn default() -> Self {
        Self { format: FORMAT, last_success: None, told: BTreeMap::new() }
    }
}

impl Memory {
    fn path(state: &Path) -> PathBuf {
        state.join("told.json")
    }

    /// Nothing was told where there is no file. One that cannot be read is described, and forgotten: a notice too many is better
    /// than none.
    pub fn read(state: &Path) -> (Self, Option<String>) {
        let path = Self::path(state);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return (Self::default(), None);
            }
            Err(error) => return (Self::default(), Some(format!("failed to read `{}`: {error}", path.display()))),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(memory) if memory.format <= FORMAT => (memory, None),
            Ok(memory) => {
                let said = format!("`{}` is of format {}, written by a later version", path.display(), memory.format);
                (Self::default(), Some(said))
            }
            Err(error) => (Self::default(), Some(format!("`{}` is damaged ({error})", path.display()))),
        }
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, state: &Path) -> Result<(), RunsError> {
        write_atomic(&Self::path(state), |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::model::Instant;

    #[test]
    fn what_is_damaged_is_forgotten_with_a_word() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Memory::read(state.path()), (Memory::default(), None));
        let memory = Memory { last_success: Instant::parse("2026-11-01").ok(), ..Memory::default() };
        memory.write(state.path()).unwrap();
        assert_eq!(Memory::read(state.path()), (memory, None));
        for damage in ["", "{", r#"{"format": 99, "last_success": null}"#] {
            std::fs::write(state.path().join("told.json"), damage).unwrap();
            let (memory, said) = Memory::read(state.path());
            assert_eq!(memory, Memory::default());
            assert!(said.unwrap().contains("told.json"));
        }
    }
}
