//! Who has been waiting for creation since earlier runs: what the newest run that sent left behind.

use super::errors::PrepareError;
use crate::journal;
use crate::monitor::{Event, Monitor};
use crate::plan::read_plan;
use crate::report::{read_waiting, waiting_after, write_waiting};
use crate::runs::{Manifest, RunFolder, RunStatus, RunsError, write_atomic};
use crate::table::Waiting;
use std::fs::File;
use std::path::Path;

/// Why a run's folder does not tell.
type Unread = Box<dyn std::error::Error>;

/// Who was waiting when the newest run of `state` that sent had ended; `None` when there is none, and when its folder
/// cannot be read any more: then the waiting is counted from the run that begins, and a warning says so.
pub fn left_waiting(state: &Path, monitor: &dyn Monitor) -> Result<Option<Waiting>, PrepareError> {
    let Some((folder, manifest)) = RunFolder::last_with(state, RunStatus::may_have_sent)? else { return Ok(None) };
    match after(&folder, &manifest) {
        Ok(waiting) => Ok(Some(waiting)),
        Err(error) => {
            let message = format!(
                "who has been waiting for creation is counted from this run on, since {} cannot be read: {error}",
                folder.path().display()
            );
            monitor.event(Event::Warning { message });
            Ok(None)
        }
    }
}

fn after(folder: &RunFolder, manifest: &Manifest) -> Result<Waiting, Unread> {
    let before = read(folder, manifest)?;
    is_as_written(&folder.plan_path(), Some(&manifest.plan_hash))?;
    let plan = read_plan(File::open(folder.plan_path())?)?;
    let answers = journal::outcomes(journal::read(&folder.journal_path())?)
        .map(|outcome| outcome.map(|outcome| (outcome.row, outcome.outcome)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(waiting_after(manifest, &plan, &answers, before.as_ref())?)
}

/// What a run's folder says about who was waiting when it began; `None`: nobody.
pub fn read(folder: &RunFolder, manifest: &Manifest) -> Result<Option<Waiting>, Unread> {
    let path = folder.waiting_path();
    if manifest.waiting_hash.is_none() && !path.exists() {
        return Ok(None);
    }
    is_as_written(&path, manifest.waiting_hash.as_deref())?;
    Ok(Some(read_waiting(File::open(path)?)?))
}

/// Before polars sees the file: a damaged one may end the process.
fn is_as_written(path: &Path, sha256: Option<&str>) -> Result<(), Unread> {
    if sha256 == Some(crate::load::sha256(path)?.as_str()) {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Err(format!("the SHA-256 of {name} is not the one that the manifest names").into())
}

/// Writes `waiting.parquet` into a run's folder, if anybody waits, and returns its SHA-256.
pub fn write(folder: &RunFolder, waiting: Option<&Waiting>) -> Result<Option<String>, RunsError> {
    let Some(waiting) = waiting.filter(|waiting| waiting.frame().height() > 0) else { return Ok(None) };
    let path = folder.waiting_path();
    write_atomic(&path, |file| write_waiting(waiting, file).map_err(std::io::Error::other))?;
    let sha256 = crate::load::sha256(&path).map_err(|error| RunsError::Io {
        doing: "read",
        path,
        source: std::io::Error::other(error),
    })?;
    Ok(Some(sha256))
}
