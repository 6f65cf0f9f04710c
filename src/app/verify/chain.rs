//! The chain of runs: each names the one before it and the hash of that one's manifest, which holds all its other hashes.

use super::files::MANIFEST;
use super::finding::{Check, State, Verification};
use crate::runs::{Fingerprint, Link, Manifest, RunFolder, check_seal};
use std::collections::BTreeMap;

/// A run that is kept beside the one that is proven.
struct Kept {
    id: String,
    manifest: Manifest,
    sha256: String,
}

/// Walks the links of all runs that are kept beside `folder`, oldest first, and names the first that does not hold.
pub(super) fn chain(folder: &RunFolder, proving: &mut Verification) {
    let before = proving.findings.len();
    let (kept, broken) = kept(folder, proving);
    let by_id: BTreeMap<&str, &Kept> = kept.iter().map(|kept| (kept.id.as_str(), kept)).collect();
    let named_by = |link: &Link| by_id.get(link.run_id.as_str()).copied();
    // The oldest `run` that is kept: what came before it may have been pruned.
    let oldest = kept.iter().find(|kept| kept.manifest.mode.sends()).map(|kept| kept.id.as_str());
    if let Some(own) = by_id.get(proving.run_id.as_str()) {
        applied(&own.manifest, &by_id, &broken, proving);
    }
    let mut holding = 0;
    let mut missing = None;
    for later in &kept {
        let Some(link) = &later.manifest.proof.previous else { continue };
        let file = || format!("{}/{MANIFEST}", link.run_id);
        let said_by = format!("run {} names it", later.id);
        let wrong = match named_by(link) {
            Some(earlier) if earlier.sha256 == link.manifest_sha256 => {
                holding += 1;
                if later.manifest.mode.sends() && earlier.id == proving.run_id {
                    proving.held_by = Some(later.id.clone());
                }
                continue;
            }
            // Named above, with what is wrong with it.
            None if broken.contains(&link.run_id) => continue,
            Some(earlier) => format!("SHA-256 {}", earlier.sha256),
            None if oldest.is_none_or(|oldest| *link.run_id < *oldest || oldest == later.id) => {
                missing.get_or_insert(link);
                continue;
            }
            None => "no such run, though older ones are kept".to_owned(),
        };
        proving.finding(file(), format!("SHA-256 {}", link.manifest_sha256), wrong);
        if let Some(finding) = proving.findings.last_mut() {
            finding.detail = Some(said_by);
        }
        break;
    }
    if let Some(link) = missing {
        proving.notes.push(format!(
            "run {}, which the oldest kept run names, is not here: what came before is not proven (its manifest's SHA-256 is {})",
            link.run_id, link.manifest_sha256
        ));
    }
    if proving.held_by.is_none() && proving.manifest_sha256.is_some() {
        proving.notes.push(
            "no later run holds the manifest's hash: only a hash that was noted elsewhere proves that manifest and files were not replaced together"
                .to_owned(),
        );
    }
    let runs = kept.len();
    let (state, detail) = if proving.findings.len() > before {
        (State::Failed, format!("the first broken link is named below; {holding} links before it hold"))
    } else if holding == 0 {
        (State::NotProven, format!("{runs} kept here, and none names another of them"))
    } else {
        (State::Proven, format!("{runs} kept here, links that hold from one to the one before: {holding}"))
    };
    proving.check(Check::CHAIN, state, detail);
}

/// Holds the plan that a run applied against what the run says of it. It may have gone: the run holds a copy.
fn applied(manifest: &Manifest, kept: &BTreeMap<&str, &Kept>, broken: &[String], proving: &mut Verification) {
    let Some(approval) = &manifest.approval else { return };
    let link = &approval.plan;
    match kept.get(link.run_id.as_str()) {
        Some(plan) if plan.sha256 == link.manifest_sha256 && plan.manifest.plan_hash == manifest.plan_hash => {
            proving.notes.push(format!("plan {}, which it applied, is kept and is the one that was approved", plan.id));
        }
        Some(plan) => {
            let found = format!("SHA-256 {}", plan.sha256);
            proving.finding(format!("{}/{MANIFEST}", link.run_id), format!("SHA-256 {}", link.manifest_sha256), found);
            if let Some(finding) = proving.findings.last_mut() {
                finding.detail = Some(format!("run {} applied it", manifest.run_id));
            }
        }
        None if broken.contains(&link.run_id) => {}
        None => proving.notes.push(format!("plan {}, which it applied, is not here: its copy is proven", link.run_id)),
    }
}

/// The runs beside `folder`, itself included, oldest first; and the ids of those whose manifest is not as it was sealed,
/// which are named as findings.
fn kept(folder: &RunFolder, proving: &mut Verification) -> (Vec<Kept>, Vec<String>) {
    let mut folders = match folder.path().parent().map(RunFolder::list_in) {
        Some(Ok(folders)) => folders,
        Some(Err(_)) | None => Vec::new(),
    };
    // A folder that was renamed is no run to who lists them.
    if !folders.iter().any(|beside| beside.path() == folder.path()) {
        folders.push(folder.clone());
    }
    let (mut kept, mut broken) = (Vec::new(), Vec::new());
    for beside in folders.into_iter().filter(|beside| beside.manifest_path().exists()) {
        let own = beside.path() == folder.path();
        let path = beside.manifest_path();
        let sealed = crate::runs::read_regular(&path).map_err(|error| ("a manifest".to_owned(), error.to_string()));
        let sealed = sealed.and_then(|bytes| check_seal(&bytes));
        let read = sealed.and_then(|()| {
            let unread = |error: String| ("a manifest that this version reads".to_owned(), error);
            let manifest = beside.read_manifest().map_err(|error| unread(error.to_string()))?;
            let sha256 = Fingerprint::of(&path).map_err(|error| unread(error.to_string()))?.sha256;
            Ok((manifest, sha256))
        });
        match read {
            Ok((manifest, sha256)) => kept.push(Kept { id: manifest.run_id.clone(), manifest, sha256 }),
            Err((expected, found)) => {
                broken.push(beside.id().to_owned());
                if !own {
                    proving.finding(format!("{}/{MANIFEST}", beside.id()), expected, found);
                }
            }
        }
    }
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    (kept, broken)
}
