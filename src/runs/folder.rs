//! One run's folder: its name, the files in it, and how the runs of a state folder are found.

use super::files::{create_new_private_dir, sync_folder};
use super::proof::{Fingerprint, Link, sealed};
use super::{MANIFEST_FORMAT, Manifest, RunStatus, RunsError, create_private_dir, write_atomic};
use crate::model::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// `<state>/runs/<run id>/`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
    id: String,
}

/// The id of a run started at `at`: `20261101T060000Z-9f3c`. Ids sort by their start; `random` tells apart two runs of
/// one second.
pub fn run_id(at: Instant, random: u16) -> String {
    let stamp: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{stamp}-{random:04x}")
}

/// Whether `name` is shaped as [`run_id`] shapes it; other folders under `runs/` are no runs.
pub(super) fn is_run_id(name: &str) -> bool {
    let bytes = name.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.len() == 21
        && digits(0..8)
        && bytes[8] == b'T'
        && digits(9..15)
        && &bytes[15..17] == b"Z-"
        && bytes[17..].iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl RunFolder {
    /// Makes the folder of a new run, and `report/` in it. Refuses an id that is taken.
    pub fn create(state: &Path, run_id: &str) -> Result<Self, RunsError> {
        let runs = state.join("runs");
        create_private_dir(&runs)?;
        let path = runs.join(run_id);
        // By the system, which sees two that begin in one moment.
        create_new_private_dir(&path)?;
        create_new_private_dir(&path.join("report"))?;
        sync_folder(&path)?;
        sync_folder(&runs)?;
        Ok(Self { path, id: run_id.to_owned() })
    }

    /// The folder of the run with this id; an error names the newest when there is none.
    pub fn open(state: &Path, run_id: &str) -> Result<Self, RunsError> {
        let runs = state.join("runs");
        let path = runs.join(run_id);
        // The id comes from the command line: it must not lead out of the folder.
        if is_run_id(run_id) && path.is_dir() {
            return Ok(Self { path, id: run_id.to_owned() });
        }
        let newest = Self::list(state)?.pop().map_or_else(|| "none".to_owned(), |f| format!("`{}`", f.id));
        Err(RunsError::NoSuchRun { run: run_id.to_owned(), runs, newest })
    }

    /// The run whose folder is `path`, wherever it was copied to and whatever it is called there.
    pub fn at(path: &Path) -> Self {
        let id = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self { path: path.to_owned(), id }
    }

    /// What a run that begins now names as the one before it: the newest `run` or `apply` that has ended for good and that no other
    /// one names. Plans are no part of the chain, so that they may be deleted at any time.
    pub fn chain_end(state: &Path) -> Result<Option<Link>, RunsError> {
        let mut ended = Vec::new();
        let mut named = BTreeSet::new();
        for folder in Self::list(state)? {
            // What cannot be read cannot be named: `verify` says what is wrong with it.
            let Ok(manifest) = folder.read_manifest() else { continue };
            if manifest.mode.sends() && manifest.is_final() {
                named.extend(manifest.proof.previous.map(|link| link.run_id));
                ended.push(folder);
            }
        }
        let Some(folder) = ended.into_iter().rfind(|folder| !named.contains(folder.id())) else { return Ok(None) };
        let path = folder.manifest_path();
        let manifest = Fingerprint::of(&path).map_err(|e| RunsError::io("read", &path, e))?;
        Ok(Some(Link { run_id: folder.id, manifest_sha256: manifest.sha256 }))
    }

    /// Every run of the state folder, oldest first.
    pub fn list(state: &Path) -> Result<Vec<Self>, RunsError> {
        Self::list_in(&state.join("runs"))
    }

    /// Every run whose folder stands in `runs`, oldest first.
    pub fn list_in(runs: &Path) -> Result<Vec<Self>, RunsError> {
        let entries = match std::fs::read_dir(runs) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(RunsError::io("list", runs, e)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| RunsError::io("list", runs, e))?;
            if let Some(id) = entry.file_name().to_str().filter(|name| is_run_id(name)) {
                found.push(Self { path: entry.path(), id: id.to_owned() });
            }
        }
        found.sort_by_cached_key(|run| (run.second().to_owned(), run.planned_at(), run.id.clone()));
        Ok(found)
    }

    /// The part of its id that says when it began.
    fn second(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// When its plan was written, as the disk says; only to tell apart runs that began in one second.
    fn planned_at(&self) -> Option<std::time::SystemTime> {
        std::fs::metadata(self.plan_path()).and_then(|plan| plan.modified()).ok()
    }

    /// The newest run that may have sent and has not ended: what `resume` continues.
    pub fn latest_resumable(state: &Path) -> Result<Option<(Self, Manifest)>, RunsError> {
        Self::last_with(state, |status| matches!(status, RunStatus::Sending | RunStatus::Incomplete))
    }

    /// The newest run in which every row has its outcome: by its name, then by the chain, which also tells apart two runs of
    /// one second.
    pub fn last_complete(state: &Path) -> Result<Option<(Self, Manifest)>, RunsError> {
        let mut runs: Vec<(Self, Manifest)> = vec![];
        for folder in Self::list(state)?.into_iter().rev().filter(|folder| folder.manifest_path().exists()) {
            match folder.read_manifest() {
                Ok(manifest) => runs.push((folder, manifest)),
                // What is older than a complete run, and cannot be read, follows nothing: `verify` says what is wrong with it.
                Err(_) if runs.iter().any(|(_, manifest)| manifest.status == RunStatus::Complete) => {}
                Err(error) => return Err(error),
            }
        }
        runs.reverse();
        let last = last_complete_of(runs.iter().map(|(folder, manifest)| (folder.id(), manifest))).map(str::to_owned);
        Ok(runs.into_iter().find(|(folder, _)| Some(folder.id()) == last.as_deref()))
    }

    /// The newest run whose manifest satisfies `wanted`. A folder without a manifest never got to sending: a crash came
    /// while it was made.
    pub fn last_with(state: &Path, wanted: impl Fn(RunStatus) -> bool) -> Result<Option<(Self, Manifest)>, RunsError> {
        for folder in Self::list(state)?.into_iter().rev() {
            if !folder.manifest_path().exists() {
                continue;
            }
            let manifest = folder.read_manifest()?;
            if wanted(manifest.status) {
                return Ok(Some((folder, manifest)));
            }
        }
        Ok(None)
    }

    /// The run's id, the folder's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the folder bears a run's id; a copy may be called anything.
    pub fn is_named_as_a_run(&self) -> bool {
        is_run_id(&self.id)
    }

    /// When the run was started, by its id; `None`: the folder bears no run's id.
    pub fn started_at(&self) -> Option<Instant> {
        let part = |range: std::ops::Range<usize>| self.id.get(range).filter(|_| self.is_named_as_a_run());
        let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
        let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
        Instant::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
    }

    /// Bytes of all files below the folder, as far as they can be looked at.
    pub fn bytes(&self) -> u64 {
        let mut folders = vec![self.path.clone()];
        let mut bytes = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(found) if found.is_dir() => folders.push(entry.path()),
                    Ok(found) => bytes += found.len(),
                    Err(_) => {}
                }
            }
        }
        bytes
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `manifest.json`
    pub fn manifest_path(&self) -> PathBuf {
        self.path.join("manifest.json")
    }

    /// `plan.parquet`
    pub fn plan_path(&self) -> PathBuf {
        self.path.join("plan.parquet")
    }

    /// `accounting.parquet`
    pub fn accounting_path(&self) -> PathBuf {
        self.path.join("accounting.parquet")
    }

    /// `breaks.json`
    pub fn breaks_path(&self) -> PathBuf {
        self.path.join("breaks.json")
    }

    /// `waiting.parquet`; absent when nobody was waiting
    pub fn waiting_path(&self) -> PathBuf {
        self.path.join("waiting.parquet")
    }

    /// `journal.jsonl`
    pub fn journal_path(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// `report/`
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report")
    }

    /// Reads `manifest.json`; a newer format than this version writes is refused.
    pub fn read_manifest(&self) -> Result<Manifest, RunsError> {
        let path = self.manifest_path();
        let bytes = super::read_regular(&path).map_err(|e| RunsError::io("read", &path, e))?;
        self.parse_manifest(&bytes)
    }

    /// The manifest that `bytes`, read from its file, hold.
    pub fn parse_manifest(&self, bytes: &[u8]) -> Result<Manifest, RunsError> {
        let path = self.manifest_path();
        let refuse = |detail: String| RunsError::Manifest { path: path.clone(), detail };
        // The format is looked at first: a later one need not fit the struct.
        let value: serde_json::Value = serde_json::from_slice(bytes)
            .map_err(|e| refuse(format!("{e}; it was changed by hand or damaged, restore it from a backup")))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(MANIFEST_FORMAT) => Err(refuse(format!(
                "its format is {format}, this version reads up to {MANIFEST_FORMAT}; use the version that wrote it"
            ))),
            _ => serde_json::from_value(value)
                .map_err(|e| refuse(format!("{e}; it was changed by hand or damaged, restore it from a backup"))),
        }
    }

    /// Writes `manifest.json` with its seal, whole or not at all.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), RunsError> {
        write_atomic(&self.manifest_path(), |file| file.write_all(&sealed(manifest)?))
    }
}

/// Of runs in the order of their names the id of the last that is complete: the last by name, or one that the chain puts after it.
pub(super) fn last_complete_of<'a>(runs: impl Iterator<Item = (&'a str, &'a Manifest)> + Clone) -> Option<&'a str> {
    let ended = runs.filter(|(_, manifest)| manifest.mode.sends() && manifest.is_final());
    let is_complete = |manifest: &Manifest| manifest.status == RunStatus::Complete;
    let mut last = ended.clone().filter(|(_, manifest)| is_complete(manifest)).last()?.0;
    let mut after: BTreeMap<&str, (&str, &Manifest)> = BTreeMap::new();
    for (id, manifest) in ended {
        if let Some(link) = &manifest.proof.previous {
            after.insert(&link.run_id, (id, manifest));
        }
    }
    let mut id = last;
    // Each step uses up a link, so that this ends.
    while let Some((next, manifest)) = after.remove(id) {
        id = next;
        if is_complete(manifest) {
            last = next;
        }
    }
    Some(last)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{RunFolder, run_id};
    use crate::model::{Currency, Instant};
    use crate::runs::{MANIFEST_FORMAT, Manifest, Mode, Proof, RunStatus};

    pub fn manifest(id: &str, status: RunStatus) -> Manifest {
        let at = Instant::parse("2026-11-01").unwrap();
        Manifest {
            division: vec![],
            format: MANIFEST_FORMAT,
            run_id: id.to_owned(),
            tool_version: "0.1.0".into(),
            mode: Mode::Run,
            status,
            exit_code: None,
            as_of: at,
            started_at: at,
            finished_at: None,
            config_hash: String::new(),
            configuration: serde_json::Value::Null,
            plan_hash: String::new(),
            baseline_hash: String::new(),
            selection: None,
            approval: None,
            waiting_hash: None,
            currency: Currency::parse("usd").unwrap(),
            currency_digits: 2,
            mrr_definition: Vec::new(),
            products: Vec::new(),
            inputs: Vec::new(),
            sources: Vec::new(),
            mix: None,
            overrides: Vec::new(),
            guards: Vec::new(),
            exit_on_creation_disabled: false,
            redacted: false,
            proof: Proof::default(),
        }
    }

    #[test]
    fn runs_are_found_by_their_status_newest_first_and_listed_oldest_first() {
        let state = tempfile::tempdir().unwrap();
        assert!(RunFolder::list(state.path()).unwrap().is_empty());
        let statuses = [
            RunStatus::Complete,
            RunStatus::Sending,
            RunStatus::Complete,
            RunStatus::Incomplete,
            RunStatus::Closed,
            RunStatus::Planned,
        ];
        let mut ids = Vec::new();
        for (n, status) in (0_u16..).zip(statuses) {
            let at = Instant::from_epoch_seconds(1_790_000_000 + i64::from(n)).unwrap();
            let id = run_id(at, 0xffff - n);
            let folder = RunFolder::create(state.path(), &id).unwrap();
            folder.write_manifest(&manifest(&id, status)).unwrap();
            ids.push(id);
        }
        std::fs::create_dir(state.path().join("runs/notes")).unwrap();
        // A run that died before its manifest was written.
        RunFolder::create(state.path(), "20300101T000000Z-0000").unwrap();

        let listed: Vec<String> =
            RunFolder::list(state.path()).unwrap().iter().map(|folder| folder.id().to_owned()).collect();
        assert_eq!(listed[..6], ids[..]);
        assert_eq!(RunFolder::latest_resumable(state.path()).unwrap().unwrap().1.run_id, ids[3]);
        assert_eq!(RunFolder::last_complete(state.path()).unwrap().unwrap().1.run_id, ids[2]);
    }

    #[test]
    fn of_two_runs_of_one_second_the_later_plan_is_the_newer() {
        let state = tempfile::tempdir().unwrap();
        let plan = |id: &str, written: u64| {
            let folder = RunFolder::create(state.path(), id).unwrap();
            let file = std::fs::File::create(folder.plan_path()).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(written)).unwrap();
        };
        plan("20261101T060000Z-ffff", 10);
        plan("20261101T060000Z-0000", 20);
        plan("20261101T055959Z-7777", 30);
        let listed: Vec<String> = RunFolder::list(state.path()).unwrap().into_iter().map(|run| run.id).collect();
        assert_eq!(listed, ["20261101T055959Z-7777", "20261101T060000Z-ffff", "20261101T060000Z-0000"]);
    }

    #[test]
    fn a_run_names_the_newest_that_ended_and_that_nobody_names_yet_but_never_a_plan() {
        let state = tempfile::tempdir().unwrap();
        let end = || RunFolder::chain_end(state.path()).unwrap();
        assert_eq!(end(), None);
        let add = |id: &str, mode: Mode, status: RunStatus| {
            let folder = RunFolder::create(state.path(), id).unwrap();
            let mut manifest = Manifest { mode, ..manifest(id, status) };
            manifest.proof.previous = end();
            folder.write_manifest(&manifest).unwrap();
            manifest.proof.previous.map(|link| link.run_id)
        };
        assert_eq!(add("20261101T060000Z-0001", Mode::Run, RunStatus::Complete), None);
        let first = Some("20261101T060000Z-0001".to_owned());
        assert_eq!(add("20261102T060000Z-0002", Mode::Plan, RunStatus::Planned), first);
        assert_eq!(add("20261103T060000Z-0003", Mode::Run, RunStatus::Incomplete), first);
        // The clock was set back: this one came later all the same.
        assert_eq!(add("20261030T060000Z-0004", Mode::Run, RunStatus::Refused), first);
        assert_eq!(end().unwrap().run_id, "20261030T060000Z-0004");
    }

    #[test]
    fn an_id_names_its_start_and_a_wrong_one_is_answered_with_the_newest() {
        assert_eq!(run_id(Instant::parse("2026-11-01T06:00:07Z").unwrap(), 0x9f), "20261101T060007Z-009f");
        let state = tempfile::tempdir().unwrap();
        RunFolder::create(state.path(), "20261101T060007Z-009f").unwrap();
        assert!(RunFolder::create(state.path(), "20261101T060007Z-009f").is_err());
        for wrong in ["20261101T060007Z-00a0", "../..", ""] {
            let error = RunFolder::open(state.path(), wrong).unwrap_err().to_string();
            assert!(error.contains("`20261101T060007Z-009f`"), "{error}");
        }
        assert!(RunFolder::open(state.path(), "20261101T060007Z-009f").is_ok());
    }

    #[test]
    fn a_manifest_of_a_later_format_is_refused_by_name() {
        let state = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(state.path(), "20261101T060007Z-009f").unwrap();
        std::fs::write(folder.manifest_path(), r#"{"format": 99}"#).unwrap();
        let error = folder.read_manifest().unwrap_err().to_string();
        assert!(error.contains("manifest.json") && error.contains("99"), "{error}");
    }
}
