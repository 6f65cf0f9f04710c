//! What lets a run's folder be proved again later: the hash of every file in it, the run before, and the manifest's own seal.

use super::salt::SALT;
use super::{Manifest, RunsError, open_regular};
use crate::model::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

/// The files that stand when a plan was made. Later ones come and go with every `resume`.
const PLANNED: [&str; 5] = ["plan.parquet", "accounting.parquet", "breaks.json", WAITING, SALT];

/// The one of them that is only there when somebody waits; [`SALT`] is when the report is redacted.
const WAITING: &str = "waiting.parquet";

/// What stands before the seal's digits, and behind them.
const SEAL: (&[u8], &[u8]) = (b"  \"seal\": \"", b"\"\n}\n");

/// What a manifest says so that its folder can be proved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proof {
    /// The newest `run` that had ended when this one was planned; `None`: there was none.
    pub previous: Option<Link>,
    /// Every other file of the folder, by its path in it, as it was when the manifest was written. Not the journal while
    /// it grows, nor a report that is older than the journal.
    pub files: BTreeMap<String, Fingerprint>,
    /// The version of tether-recon that wrote the report: another one may write other bytes. `None`: there is no report.
    pub reported_by: Option<String>,
    /// How many lines of the journal the report goes by, where a disk failed and the others may not have been durable.
    pub journal_lines: Option<u64>,
}

/// One run as another one names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its id.
    pub run_id: String,
    /// SHA-256 of its `manifest.json`, which holds the hashes of all its other files.
    pub manifest_sha256: String,
}

/// A file's content in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Their number.
    pub bytes: u64,
}

impl Fingerprint {
    /// That of bytes at hand.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { sha256: hex(&Sha256::digest(bytes)), bytes: bytes.len() as u64 }
    }

    /// Reads the file at `path`, piece by piece.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut nowhere = Hashing::new(io::sink());
        io::copy(&mut open_regular(path)?, &mut nowhere)?;
        Ok(nowhere.finish().1)
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SHA-256 {} ({} bytes)", self.sha256, self.bytes)
    }
}

impl Proof {
    /// Takes in the files at these paths below `folder`.
    pub fn add(&mut self, folder: &Path, names: &[&str]) -> Result<(), RunsError> {
        for name in names {
            let path = folder.join(name);
            let fingerprint = Fingerprint::of(&path).map_err(|e| RunsError::io("read", &path, e))?;
            self.files.insert((*name).to_owned(), fingerprint);
        }
        Ok(())
    }

    /// Takes in the files that a plan leaves in `folder`.
    pub fn add_planned(&mut self, folder: &Path) -> Result<(), RunsError> {
        let there =
            PLANNED.iter().copied().filter(|name| ![WAITING, SALT].contains(name) || folder.join(name).exists());
        self.add(folder, &there.collect::<Vec<_>>())
    }

    /// Forgets what the next call makes untrue: journal and report.
    pub fn reopen(&mut self) {
        self.files.retain(|name, _| PLANNED.contains(&name.as_str()));
        (self.reported_by, self.journal_lines) = (None, None);
    }
}

/// `manifest` as its file holds it. The seal stands last: the SHA-256 of every line before its own.
pub(super) fn sealed(manifest: &Manifest) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(manifest)?;
    // The object's end, `\n}`, makes room for one more member.
    bytes.truncate(bytes.len().saturating_sub(2));
    bytes.extend_from_slice(b",\n");
    let seal = hex(&Sha256::digest(&bytes));
    for part in [SEAL.0, seal.as_bytes(), SEAL.1] {
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Holds a manifest's bytes against their seal.
///
/// # Errors
/// What the seal should be, by the lines before it, and what stands in its place.
pub fn check_seal(bytes: &[u8]) -> Result<(), (String, String)> {
    let before = bytes.strip_suffix(b"}\n").and_then(|rest| rest.strip_suffix(b"\n")).unwrap_or(bytes);
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (lines, end) = bytes.split_at(start);
    let seal = hex(&Sha256::digest(lines));
    if end == [SEAL.0, seal.as_bytes(), SEAL.1].concat() {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(end);
    Err((format!("seal {seal}"), shown.trim().trim_end_matches('}').trim().chars().take(90).collect()))
}

/// Hashes what is written on its way to somewhere else.
#[derive(Debug)]
pub struct Hashing<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    /// Nothing has been written yet.
    pub fn new(inner: W) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    /// What was written to, and the fingerprint of what was written.
    pub fn finish(self) -> (W, Fingerprint) {
        (self.inner, Fingerprint { sha256: hex(&self.digest.finalize()), bytes: self.bytes })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, Proof, check_seal, sealed};
    use crate::runs::folder::tests::manifest;
    use crate::runs::{Manifest, RunStatus};

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_every_changed_byte_breaks_its_seal() {
        let manifest = manifest("20261101T060007Z-009f", RunStatus::Complete);
        let bytes = sealed(&manifest).unwrap();
        assert_eq!(check_seal(&bytes), Ok(()));
        assert_eq!(serde_json::from_slice::<Manifest>(&bytes).unwrap(), manifest);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(check_seal(&damaged).is_err(), "byte {at}");
        }
        for cut in 0..bytes.len() {
            assert!(check_seal(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(check_seal(&[&bytes[..], b"\n"].concat()).is_err());
    }

    #[test]
    fn a_run_that_goes_on_forgets_its_report_and_its_journal_but_not_its_plan() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("report")).unwrap();
        let mut proof = Proof { reported_by: Some("0.1.0".into()), journal_lines: Some(3), ..Proof::default() };
        let names = ["plan.parquet", "accounting.parquet", "breaks.json", "journal.jsonl", "report/summary.md"];
        for name in names {
            std::fs::write(folder.path().join(name), "abc").unwrap();
        }
        proof.add(folder.path(), &names).unwrap();
        proof.reopen();
        let mut planned = Proof::default();
        planned.add_planned(folder.path()).unwrap();
        assert_eq!(proof, planned);
        assert_eq!(
            proof.files["breaks.json"],
            Fingerprint { sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(), bytes: 3 }
        );
    }
}
