//! The kept runs of a state folder together: what each is still needed for, and which may go.

use super::files::sync_folder;
use super::folder::last_complete_of;
use super::{Manifest, RunFolder, RunStatus, RunsError};
use crate::model::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a kept run is still needed for, whatever its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It may have sent and has not ended: `resume` or the next `run` takes up what it proves.
    Unfinished,
    /// Its manifest cannot be read, or is missing beside a journal: nobody knows what it is.
    Unreadable,
    /// It is the end of the chain: the next run names it.
    ChainEnd,
    /// It is the newest that sent: who has been waiting for creation is told from it.
    Waiting,
    /// It is the newest complete one: guards compare with it.
    Guards,
    /// A run that stays stands before or behind it in the chain, which would be broken without it.
    Link,
}

impl Need {
    /// The need as JSON names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Unreadable => "unreadable",
            Self::ChainEnd => "chain_end",
            Self::Waiting => "waiting",
            Self::Guards => "guards",
            Self::Link => "link",
        }
    }

    /// Why the run stays, for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unfinished => "it has not ended: `resume` it, or let the next `run` close it",
            Self::Unreadable => "its manifest cannot be read: restore it, or remove the folder by hand",
            Self::ChainEnd => "it is the end of the chain: the next run names it",
            Self::Waiting => "the newest that sent: who has been waiting is counted from it",
            Self::Guards => "the newest complete run: guards compare with it",
            Self::Link => "the chain of the runs that stay goes through it",
        }
    }
}

/// One kept run.
#[derive(Debug)]
pub struct Shelved {
    /// Its folder.
    pub folder: RunFolder,
    /// Its manifest, where there is one that this version reads.
    pub manifest: Option<Manifest>,
    /// What is wrong with the manifest.
    pub problem: Option<String>,
    /// What the run is needed for by itself; never [`Need::Link`].
    pub need: Option<Need>,
}

impl Shelved {
    /// When it ended, else was started; `None`: its name tells no instant.
    fn age(&self) -> Option<Instant> {
        let told = self.manifest.as_ref().map(|manifest| manifest.finished_at.unwrap_or(manifest.started_at));
        told.or_else(|| self.folder.started_at())
    }

    fn is_run(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.mode.sends())
    }

    fn is_ended_run(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.mode.sends() && manifest.is_final())
    }

    fn names(&self) -> Option<&str> {
        self.manifest.as_ref()?.proof.previous.as_ref().map(|link| link.run_id.as_str())
    }
}

/// Every kept run of the state folder, oldest first.
pub fn shelf(state: &Path) -> Result<Vec<Shelved>, RunsError> {
    let chain_end = RunFolder::chain_end(state)?.map(|link| link.run_id);
    let mut shelf = Vec::new();
    for folder in RunFolder::list(state)? {
        let (manifest, problem) = match folder.read_manifest() {
            Ok(manifest) => (Some(manifest), None),
            Err(_) if !folder.manifest_path().exists() => (None, Some("it has no manifest".to_owned())),
            Err(error) => (None, Some(error.to_string())),
        };
        let need = intrinsic(&folder, manifest.as_ref(), chain_end.as_deref());
        shelf.push(Shelved { folder, manifest, problem, need });
    }
    let status = |shelved: &Shelved| shelved.manifest.as_ref().map(|manifest| manifest.status);
    // As `RunFolder::last_with` finds them.
    let newest = shelf.iter_mut().rfind(|shelved| status(shelved).is_some_and(RunStatus::may_have_sent));
    if let Some(newest) = newest {
        newest.need.get_or_insert(Need::Waiting);
    }
    let runs = shelf.iter().filter_map(|shelved| Some((shelved.folder.id(), shelved.manifest.as_ref()?)));
    let last = last_complete_of(runs).map(str::to_owned);
    if let Some(last) = shelf.iter_mut().find(|shelved| last.as_deref() == Some(shelved.folder.id())) {
        last.need.get_or_insert(Need::Guards);
    }
    Ok(shelf)
}

fn intrinsic(folder: &RunFolder, manifest: Option<&Manifest>, chain_end: Option<&str>) -> Option<Need> {
    // A crash while a plan was being written leaves a folder in which nothing was sent.
    let nothing_sent = !folder.journal_path().exists();
    match manifest {
        None if nothing_sent && !folder.manifest_path().exists() => None,
        None => Some(Need::Unreadable),
        Some(manifest) if !manifest.is_final() => {
            (manifest.status != RunStatus::Planned || !nothing_sent).then_some(Need::Unfinished)
        }
        Some(_) => (chain_end == Some(folder.id())).then_some(Need::ChainEnd),
    }
}

/// What becomes of each run of `shelf`, in its order, when those that ended before `before` go: `Err` says what one that is
/// old enough is needed for, `Ok(true)` that it goes, `Ok(false)` that it is too young.
///
/// What stays is a chain that `verify` still proves: of the runs that name each other the oldest go first, whatever the clock
/// said when they were made.
pub fn prunable(shelf: &[Shelved], before: Instant) -> Vec<Result<bool, Need>> {
    let mut decided: Vec<Result<bool, Need>> = shelf
        .iter()
        .map(|shelved| match (shelved.age(), shelved.need) {
            (Some(age), _) if age >= before => Ok(false),
            (_, Some(need)) => Err(need),
            (age, None) => Ok(age.is_some()),
        })
        .collect();
    // Each round keeps one more at least, so that this ends.
    while let Some(link) = broken(shelf, &decided) {
        decided[link] = Err(Need::Link);
    }
    decided
}

/// The first run that would go, and without which what stays is no whole chain.
fn broken(shelf: &[Shelved], decided: &[Result<bool, Need>]) -> Option<usize> {
    let place: BTreeMap<&str, usize> = shelf.iter().enumerate().map(|(at, one)| (one.folder.id(), at)).collect();
    let goes = |at: &usize| decided[*at] == Ok(true);
    let stays: BTreeSet<usize> = (0..shelf.len()).filter(|at| !goes(at)).collect();
    let oldest = stays.iter().copied().find(|at| shelf[*at].is_run());
    // As `verify` forgives a link that leads nowhere: to before the oldest run, or from it.
    let named = |at: usize| {
        let link = place.get(shelf[at].names()?).copied().filter(goes)?;
        (oldest.is_some_and(|oldest| oldest < link && oldest != at)).then_some(link)
    };
    // One that goes while what it names stays would make that an end of the chain.
    let naming = |at: usize| {
        let stays = place.get(shelf[at].names()?).is_some_and(|named| stays.contains(named));
        (stays && shelf[at].is_ended_run()).then_some(at)
    };
    stays.iter().copied().find_map(named).or_else(|| (0..shelf.len()).filter(goes).find_map(naming))
}

/// What a folder that is being removed is called, before the run's id.
const REMOVED: &str = ".removed-";

/// Removes a run's folder. Under its name it is there whole or not at all.
pub fn remove(folder: &RunFolder) -> Result<(), RunsError> {
    let Some(runs) = folder.path().parent() else { return Ok(()) };
    let aside = runs.join(format!("{REMOVED}{}", folder.id()));
    std::fs::rename(folder.path(), &aside).map_err(|e| RunsError::io("remove", folder.path(), e))?;
    sync_folder(runs)?;
    std::fs::remove_dir_all(&aside).map_err(|e| RunsError::io("remove", &aside, e))
}

/// Removes what a crash left of folders that were being removed.
pub fn remove_remains(state: &Path) -> Result<(), RunsError> {
    let runs = state.join("runs");
    let entries = match std::fs::read_dir(&runs) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(RunsError::io("list", &runs, e)),
    };
    for entry in entries.flatten() {
        let is_run = |name: &str| name.strip_prefix(REMOVED).is_some_and(super::folder::is_run_id);
        if entry.file_name().to_str().is_some_and(is_run) {
            std::fs::remove_dir_all(entry.path()).map_err(|e| RunsError::io("remove", &entry.path(), e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Need, prunable, remove, remove_remains, shelf};
    use crate::model::Instant;
    use crate::runs::folder::tests::manifest;
    use crate::runs::{Manifest, Mode, RunFolder, RunStatus};
    use std::path::Path;

    /// A run of this day of October, named by its day, that names the end of the chain.
    fn add(state: &Path, day: u8, mode: Mode, status: RunStatus) -> RunFolder {
        let folder = RunFolder::create(state, &format!("202610{day:02}T060000Z-00{day:02}")).unwrap();
        let at = Instant::parse(&format!("2026-10-{day:02}T06:00:00Z")).unwrap();
        let mut manifest = Manifest { mode, started_at: at, ..manifest(folder.id(), status) };
        manifest.proof.previous = RunFolder::chain_end(state).unwrap();
        folder.write_manifest(&manifest).unwrap();
        folder
    }

    /// What becomes of each day's folder when those before `day` go.
    fn decided(state: &Path, day: u8) -> Vec<(u8, Result<bool, Need>)> {
        let shelf = shelf(state).unwrap();
        let before = Instant::parse(&format!("2026-10-{day:02}")).unwrap();
        let day = |id: &str| id[6..8].parse().unwrap();
        shelf.iter().map(|one| day(one.folder.id())).zip(prunable(&shelf, before)).collect()
    }

    #[test]
    fn the_old_go_but_never_what_is_unfinished_unreadable_or_the_next_run_looks_at() {
        use RunStatus::{Complete, Incomplete, Planned, Refused};
        let state = tempfile::tempdir().unwrap();
        for (day, mode, status) in [
            (1, Mode::Run, Complete),
            (2, Mode::Plan, Planned),
            (3, Mode::Run, Complete),
            (4, Mode::Run, Refused),
            (5, Mode::Plan, Planned),
        ] {
            add(state.path(), day, mode, status);
        }
        // Crashes while a plan was being written, and a manifest that is gone beside a journal.
        RunFolder::create(state.path(), "20261006T060000Z-0006").unwrap();
        let lost = RunFolder::create(state.path(), "20261007T060000Z-0007").unwrap();
        std::fs::write(lost.journal_path(), "").unwrap();
        let gone = Ok(true);
        let all = [
            (1, gone),
            (2, gone),
            (3, Err(Need::Waiting)),
            (4, Err(Need::ChainEnd)),
            (5, gone),
            (6, gone),
            (7, Err(Need::Unreadable)),
        ];
        assert_eq!(decided(state.path(), 30), all);
        assert_eq!(decided(state.path(), 2)[..2], [(1, gone), (2, Ok(false))]);

        // One that was interrupted holds back every later one that a kept run names, so that no link is missing.
        add(state.path(), 8, Mode::Run, Incomplete);
        add(state.path(), 9, Mode::Run, Complete);
        add(state.path(), 10, Mode::Run, Complete);
        let later = &decided(state.path(), 30)[7..];
        assert_eq!(later, [(8, Err(Need::Unfinished)), (9, Err(Need::Link)), (10, Err(Need::ChainEnd))]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_break_the_chain() {
        let state = tempfile::tempdir().unwrap();
        for day in [20, 10, 11] {
            add(state.path(), day, Mode::Run, RunStatus::Complete);
        }
        // 20 stays for its date: were 10 gone, which names it, it would be an end of the chain beside 11.
        let kept = [(10, Err(Need::Link)), (11, Err(Need::ChainEnd)), (20, Ok(false))];
        assert_eq!(decided(state.path(), 15), kept);
        assert_eq!(RunFolder::chain_end(state.path()).unwrap().unwrap().run_id, "20261011T060000Z-0011");
        // What the guards compare with is the last in the chain, also behind one that was refused.
        assert_eq!(RunFolder::last_complete(state.path()).unwrap().unwrap().0.id(), "20261011T060000Z-0011");
        add(state.path(), 12, Mode::Run, RunStatus::Refused);
        add(state.path(), 9, Mode::Run, RunStatus::Complete);
        assert_eq!(RunFolder::last_complete(state.path()).unwrap().unwrap().0.id(), "20261009T060000Z-0009");
    }

    #[test]
    fn what_is_removed_is_gone_at_once_and_what_a_crash_left_of_it_later() {
        let state = tempfile::tempdir().unwrap();
        let folder = add(state.path(), 1, Mode::Run, RunStatus::Complete);
        let runs = state.path().join("runs");
        std::fs::create_dir(runs.join(".removed-20261002T060000Z-0002")).unwrap();
        std::fs::create_dir(runs.join(".removed-notes")).unwrap();
        remove(&folder).unwrap();
        remove_remains(state.path()).unwrap();
        let left: Vec<_> = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".removed-notes"]);
        remove_remains(&state.path().join("nowhere")).unwrap();
    }
}
