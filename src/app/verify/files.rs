//! The files of a run's folder, held against what its manifest says of them.

use super::finding::{Check, State, Verification};
use crate::journal;
use crate::runs::{Fingerprint, Manifest, RunFolder, RunStatus, check_seal};
use std::path::{Path, PathBuf};

/// The manifest's name.
pub(super) const MANIFEST: &str = "manifest.json";

/// The journal's name.
const JOURNAL: &str = "journal.jsonl";

/// Files without which no plan stands.
const PLANNED: [&str; 3] = ["plan.parquet", "accounting.parquet", "breaks.json"];

/// Reads the manifest, if it is as it was sealed.
pub(super) fn manifest(folder: &RunFolder, proving: &mut Verification) -> Option<Manifest> {
    let path = folder.manifest_path();
    let bytes = match crate::runs::read_regular(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            proving.finding(MANIFEST, "the run's manifest", error.to_string());
            proving.check(Check::MANIFEST, State::Failed, "manifest.json cannot be read");
            return None;
        }
    };
    proving.manifest_sha256 = Some(Fingerprint::of_bytes(&bytes).sha256);
    if let Err((expected, found)) = check_seal(&bytes) {
        proving.finding(MANIFEST, expected, found);
        proving.check(Check::MANIFEST, State::Failed, "manifest.json is not as it was sealed");
        return None;
    }
    let manifest = match folder.parse_manifest(&bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            proving.finding(MANIFEST, "a manifest that this version reads", error.to_string());
            proving.check(Check::MANIFEST, State::Failed, "manifest.json cannot be read");
            return None;
        }
    };
    if folder.is_named_as_a_run() && folder.id() != manifest.run_id {
        proving.finding(MANIFEST, format!("run {}, as the folder is called", folder.id()), manifest.run_id.clone());
    }
    proving.run_id.clone_from(&manifest.run_id);
    (proving.mode, proving.status, proving.run_exit_code) =
        (Some(manifest.mode), Some(manifest.status), manifest.exit_code);
    proving.check(Check::MANIFEST, State::Proven, "manifest.json is as it was sealed");
    Some(manifest)
}

/// Holds every file that the manifest names against its hash. False: one that plan or journal consist of has changed.
pub(super) fn files(folder: &RunFolder, manifest: &Manifest, proving: &mut Verification) -> bool {
    let named = &manifest.proof.files;
    let before = proving.findings.len();
    let mut bytes = 0;
    let must = PLANNED.iter().chain((manifest.status == RunStatus::Complete).then_some(&JOURNAL));
    for name in must.filter(|name| !named.contains_key(**name)) {
        proving.finding(MANIFEST, format!("the hash of {name}"), "none");
    }
    for (name, expected) in named {
        match Fingerprint::of(&folder.path().join(name)) {
            Ok(found) if found == *expected => bytes += found.bytes,
            Ok(found) => proving.finding(name, expected.to_string(), found.to_string()),
            Err(error) => proving.finding(name, expected.to_string(), error.to_string()),
        }
    }
    let wrong = proving.findings.len() - before;
    if wrong == 0 {
        let detail = format!("all {} files are those that the manifest names, {bytes} bytes", named.len());
        proving.check(Check::FILES, State::Proven, detail);
    } else {
        let detail = format!("{wrong} of {} files are not those that the manifest names", named.len());
        proving.check(Check::FILES, State::Failed, detail);
    }
    for name in unnamed(folder.path(), manifest) {
        proving.notes.push(if name == JOURNAL {
            format!("{name} is not sealed while the run is not over: its checksums and sequence alone are proven")
        } else {
            format!("{name} is not named by the manifest: nothing vouches for it")
        });
    }
    !PLANNED.iter().chain(&[MANIFEST, JOURNAL]).any(|name| proving.names(name))
}

/// The files below `folder` that the manifest does not name, by their path in it.
fn unnamed(folder: &Path, manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        // What cannot be listed has been named as missing, or is nobody's.
        for entry in std::fs::read_dir(folder.join(&below)).into_iter().flatten().flatten() {
            let path = below.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
                continue;
            }
            let name = path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            if name != MANIFEST && !manifest.proof.files.contains_key(&name) {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// Reads the journal from its first line to its last. False: it cannot be believed.
pub(super) fn journal(folder: &RunFolder, manifest: &Manifest, proving: &mut Verification) -> bool {
    let path = folder.journal_path();
    if !path.exists() {
        let must = matches!(manifest.status, RunStatus::Sending | RunStatus::Incomplete | RunStatus::Complete);
        if !must {
            proving.check(Check::JOURNAL, State::Proven, "there is none: nothing was sent");
        } else if !proving.names(JOURNAL) {
            proving.finding(JOURNAL, "the journal of a run that sent", "no such file");
        }
        if must {
            proving.check(Check::JOURNAL, State::Failed, "it is missing: nobody knows what was sent");
        }
        return !must;
    }
    let before = proving.findings.len();
    match journal::load(&path) {
        Err(error) => {
            let said = error.to_string();
            match proving.findings.iter_mut().find(|finding| finding.file == JOURNAL) {
                Some(finding) => finding.detail = Some(said),
                None => proving.finding(JOURNAL, "records in sequence, each with its checksum", said),
            }
            proving.check(Check::JOURNAL, State::Failed, "it is damaged");
            false
        }
        Ok((proven, _, torn)) => {
            let header = &proven.header;
            if (&header.run_id, &header.plan_hash) != (&manifest.run_id, &manifest.plan_hash) {
                let of = |run: &str, plan: &str| format!("the journal of run {run}, plan {plan}");
                let expected = of(&manifest.run_id, &manifest.plan_hash);
                proving.finding(JOURNAL, expected, of(&header.run_id, &header.plan_hash));
            }
            if let Some(torn) = torn {
                proving.notes.push(format!(
                    "{JOURNAL} ends in {} bytes of a line {} that was never finished: nothing relied upon it",
                    torn.bytes, torn.line
                ));
            }
            let records = proven.records();
            let sound = proving.findings.len() == before && !proving.names(JOURNAL);
            let (state, detail) = if sound {
                (State::Proven, format!("{records} records in sequence, every checksum right"))
            } else {
                (State::Failed, format!("{records} records in sequence, but it is not the journal that was sealed"))
            };
            proving.check(Check::JOURNAL, state, detail);
            sound
        }
    }
}
