//! The kept runs that sent, in the order in which they followed each other, and what is missing between and before them.

use super::{Manifest, RunFolder, RunStatus, RunsError};
use std::collections::{BTreeMap, BTreeSet};

/// What the kept runs prove together.
#[derive(Debug, Default)]
pub struct Chain {
    /// Those with a journal, each after the one that it names, else in the order of their names.
    pub runs: Vec<(RunFolder, Manifest)>,
    /// What may have sent and tells nothing any more.
    pub missing: Vec<Missing>,
}

/// A run that may have sent and tells nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A kept run names it as the one before.
    NotKept {
        /// Its id.
        run_id: String,
        /// Who names it.
        named_by: String,
    },
    /// Its folder is there, and what it did cannot be told.
    Unreadable {
        /// Its id.
        run_id: String,
        /// Why.
        why: String,
    },
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotKept { run_id, named_by } => write!(f, "run {run_id}, which came before {named_by}, is not kept"),
            Self::Unreadable { run_id, why } => write!(f, "run {run_id} cannot be read: {why}"),
        }
    }
}

/// Reads the manifest of every kept run of the state folder.
pub fn chain(state: &std::path::Path) -> Result<Chain, RunsError> {
    let mut missing = vec![];
    let mut waiting: BTreeMap<String, (RunFolder, Manifest)> = BTreeMap::new();
    let folders = RunFolder::list(state)?;
    let kept: BTreeSet<&str> = folders.iter().map(RunFolder::id).collect();
    for folder in &folders {
        let run_id = folder.id().to_owned();
        let manifest = match folder.read_manifest() {
            Ok(manifest) => manifest,
            // A crash while a plan was being written leaves a folder in which nothing was sent.
            Err(_) if !folder.journal_path().exists() && !folder.manifest_path().exists() => continue,
            Err(error) => {
                missing.push(Missing::Unreadable { run_id, why: error.to_string() });
                continue;
            }
        };
        // A plan names what came before it, too.
        if let Some(link) = manifest.proof.previous.as_ref().filter(|link| !kept.contains(link.run_id.as_str())) {
            missing.push(Missing::NotKept { run_id: link.run_id.clone(), named_by: run_id.clone() });
        }
        if !manifest.mode.sends() {
            continue;
        }
        waiting.insert(run_id, (folder.clone(), manifest));
    }
    let mut runs = vec![];
    while let Some((id, _)) = waiting.first_key_value() {
        // Back to the first of those that stand before it and were not taken yet; each is taken once, so that this ends.
        let mut line = vec![];
        let mut next = Some(id.clone());
        while let Some(run) = next.take().and_then(|id| waiting.remove(&id)) {
            next = run.1.proof.previous.as_ref().map(|link| link.run_id.clone());
            line.push(run);
        }
        runs.extend(line.into_iter().rev());
    }
    runs.retain(|(folder, manifest)| {
        let told = folder.journal_path().exists();
        if !told && !matches!(manifest.status, RunStatus::Planned | RunStatus::Refused) {
            let why = "its journal is missing".to_owned();
            missing.push(Missing::Unreadable { run_id: folder.id().to_owned(), why });
        }
        told
    });
    Ok(Chain { runs, missing })
}

#[cfg(test)]
mod tests {
    use super::{Missing, chain};
    use crate::runs::folder::tests::manifest;
    use crate::runs::{Link, Manifest, Mode, RunFolder, RunStatus};
    use std::path::Path;

    /// A run of this day that names the one of `previous`, with a journal if it sent.
    fn add(state: &Path, day: u8, previous: Option<u8>, mode: Mode, status: RunStatus, journal: bool) -> RunFolder {
        let id = |day: u8| format!("202610{day:02}T060000Z-00{day:02}");
        let folder = RunFolder::create(state, &id(day)).unwrap();
        let mut manifest = Manifest { mode, ..manifest(folder.id(), status) };
        manifest.proof.previous = previous.map(|day| Link { run_id: id(day), manifest_sha256: String::new() });
        folder.write_manifest(&manifest).unwrap();
        if journal {
            std::fs::write(folder.journal_path(), "").unwrap();
        }
        folder
    }

    fn days(state: &Path) -> (Vec<String>, Vec<String>) {
        let chain = chain(state).unwrap();
        let days = chain.runs.iter().map(|(folder, _)| folder.id()[6..8].to_owned()).collect();
        (days, chain.missing.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn runs_come_in_the_order_of_their_links_whatever_the_clock_said() {
        use RunStatus::{Closed, Complete, Incomplete, Planned, Refused};
        let state = tempfile::tempdir().unwrap();
        for (day, previous, mode, status, journal) in [
            (20, None, Mode::Run, Complete, true),
            (10, Some(20), Mode::Run, Closed, true),
            (11, Some(10), Mode::Run, Refused, false),
            (5, Some(11), Mode::Apply, Complete, true),
            (12, Some(5), Mode::Plan, Planned, false),
            (21, Some(5), Mode::Run, Incomplete, true),
        ] {
            add(state.path(), day, previous, mode, status, journal);
        }
        // A crash while a plan was being written.
        RunFolder::create(state.path(), "20261007T060000Z-0007").unwrap();
        assert_eq!(days(state.path()), (["20", "10", "05", "21"].map(str::to_owned).to_vec(), vec![]));
    }

    #[test]
    fn what_is_gone_is_named() {
        let state = tempfile::tempdir().unwrap();
        add(state.path(), 3, Some(2), Mode::Run, RunStatus::Complete, true);
        add(state.path(), 4, Some(3), Mode::Run, RunStatus::Complete, false);
        let broken = add(state.path(), 5, Some(4), Mode::Run, RunStatus::Complete, true);
        std::fs::write(broken.manifest_path(), "{").unwrap();
        let found = chain(state.path()).unwrap();
        assert_eq!(found.runs.len(), 1);
        let gone =
            Missing::NotKept { run_id: "20261002T060000Z-0002".into(), named_by: "20261003T060000Z-0003".into() };
        assert_eq!(found.missing.len(), 3);
        assert!(found.missing.contains(&gone), "{:?}", found.missing);
        let (_, said) = days(state.path());
        assert!(said.iter().any(|said| said == "run 20261004T060000Z-0004 cannot be read: its journal is missing"));
        assert!(said.iter().any(|said| said.starts_with("run 20261005T060000Z-0005 cannot be read: failed to read")));
    }
}
