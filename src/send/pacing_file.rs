//! What the next start must know of a key's calls: `<state>/pacing/<fingerprint>.json`.

use crate::runs::{RunsError, create_private_dir, write_atomic};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What was last written of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct PacingMemory {
    /// Whether a run was under way: after a crash nobody knows when its last call left.
    pub(super) in_use: bool,
    /// When the last call left, milliseconds since 1970.
    pub(super) last_call_ms: Option<i64>,
    /// Until when the server told the key to wait, milliseconds since 1970.
    pub(super) wait_until_ms: Option<i64>,
    /// What `rate = "auto"` last came to, calls in a thousand seconds.
    #[serde(default)]
    pub(super) learned_millihertz: Option<u64>,
}

impl PacingMemory {
    /// What `folder` holds of the key; a file that cannot be read counts as a run under way.
    pub(super) fn load(folder: &Path, fingerprint: &str) -> Self {
        match std::fs::read(path(folder, fingerprint)) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or(Self { in_use: true, ..Self::default() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(_) => Self { in_use: true, ..Self::default() },
        }
    }

    /// Writes it, durably.
    pub(super) fn save(&self, folder: &Path, fingerprint: &str) -> Result<(), RunsError> {
        create_private_dir(folder)?;
        let json = serde_json::to_vec(self).unwrap_or_default();
        write_atomic(&path(folder, fingerprint), |file| file.write_all(&json))
    }

    /// When the bucket was empty for the last time, if a call left or may have: now, after a crash.
    pub(super) fn emptied(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.in_use {
            return Some(now);
        }
        // A clock that was put back since does not make the wait longer than a bucket's filling.
        self.last_call_ms.and_then(DateTime::from_timestamp_millis).map(|at| at.min(now))
    }
}

fn path(folder: &Path, fingerprint: &str) -> PathBuf {
    folder.join(format!("{fingerprint}.json"))
}
