//! `runs prune`: removes runs and plans that are old enough, and says what it removed and what it kept.

use super::listed::Listed;
use super::{FORMAT, counted, days_before, or_dash, table};
use crate::app::Context;
use crate::app::config_check::size;
use crate::app::exit::{AppError, ExitCode};
use crate::app::explain::Format;
use crate::app::output::json;
use crate::config;
use crate::model::Instant;
use crate::runs::{Holder, Need, Shelved, StateLock, prunable, remove, remove_remains, shelf};
use serde::Serialize;
use std::str::FromStr;

/// How long runs are kept, in whole days: `90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep(u32);

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A plan takes no lock: one that is being made is younger than a day.
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| *days > 0);
        days.map(Self).ok_or_else(|| "write it as days, at least one: 90d".to_owned())
    }
}

#[derive(Serialize)]
struct Pruned {
    format: u32,
    dry_run: bool,
    before: Instant,
    bytes: u64,
    removed: Vec<Listed>,
    kept: Vec<KeptFor>,
}

#[derive(Serialize)]
struct KeptFor {
    run_id: String,
    needed_for: &'static str,
    #[serde(skip)]
    words: &'static str,
}

/// Removes what is older than `keep` and needed for nothing; with `dry_run` only says so, and takes no lock.
///
/// # Errors
/// [`AppError::Lock`] when a run holds the lock; those of the configuration and the disk. What was removed until then is gone.
pub fn prune(context: &Context<'_>, keep: Keep, dry_run: bool, format: Format) -> Result<(ExitCode, String), AppError> {
    let state = config::load(&context.config)?.run.state;
    let now = context.now();
    let before = days_before(now, keep.0)
        .ok_or_else(|| AppError::Usage(format!("{} days ago there was no calendar yet", keep.0).into()))?;
    let _lock = if dry_run {
        None
    } else {
        let lock = StateLock::acquire(&state, &Holder::this("runs prune", now))?;
        remove_remains(&state)?;
        Some(lock)
    };
    let shelf = shelf(&state)?;
    let mut pruned = Pruned { format: FORMAT, dry_run, before, bytes: 0, removed: vec![], kept: vec![] };
    // The oldest first: what a failing disk leaves is a chain that begins later.
    for (shelved, decided) in shelf.iter().zip(prunable(&shelf, before)) {
        match decided {
            Ok(false) => {}
            Ok(true) => pruned.take(shelved)?,
            Err(need) => pruned.keep(shelved, need),
        }
    }
    let text = match format {
        Format::Json => json(&pruned)?,
        Format::Text => pruned.page(keep),
    };
    Ok((ExitCode::Done, text))
}

impl Pruned {
    fn take(&mut self, shelved: &Shelved) -> Result<(), AppError> {
        let run = Listed::of(shelved);
        if !self.dry_run {
            remove(&shelved.folder)?;
        }
        self.bytes += run.bytes;
        self.removed.push(run);
        Ok(())
    }

    fn keep(&mut self, shelved: &Shelved, need: Need) {
        let run_id = shelved.folder.id().to_owned();
        self.kept.push(KeptFor { run_id, needed_for: need.as_str(), words: need.words() });
    }

    fn page(&self, keep: Keep) -> String {
        let done = if self.dry_run { "would remove" } else { "removed" };
        let mut out = match self.removed.len() {
            0 => format!("nothing to remove: no run or plan that may go is older than {} days\n", keep.0),
            count => {
                let (all, bytes) = (counted(count), size(self.bytes));
                format!("{done} {all} that ended before {}, {bytes}\n", self.before)
            }
        };
        let rows: Vec<[String; 4]> = self
            .removed
            .iter()
            .map(|run| {
                let (mode, status) = (or_dash(run.mode), or_dash(run.status));
                [format!("  {}", run.run_id), mode, status, size(run.bytes)]
            })
            .collect();
        if !rows.is_empty() {
            out += &table(["  run", "mode", "status", "size"], &[3], &rows);
        }
        if !self.kept.is_empty() {
            out += "kept, though as old:\n";
        }
        for kept in &self.kept {
            out.extend(["  ", kept.run_id.as_str(), "  ", kept.words, "\n"]);
        }
        out
    }
}
