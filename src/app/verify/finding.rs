//! What a verification comes to.

use crate::runs::{Mode, RunFolder, RunStatus};
use serde::Serialize;

/// The format of `verify --json` that this version writes.
const FORMAT: u32 = 1;

/// What a verification comes to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Verification {
    format: u32,
    /// The run, by its manifest; where that cannot be read, the folder's name.
    pub(super) run_id: String,
    /// Where its folder stands.
    pub(super) folder: String,
    /// As the manifest says.
    pub(super) mode: Option<Mode>,
    /// As the manifest says.
    pub(super) status: Option<RunStatus>,
    /// The code that the run ended with, as the manifest says.
    pub(super) run_exit_code: Option<u8>,
    /// SHA-256 of `manifest.json` as it stands there.
    pub(super) manifest_sha256: Option<String>,
    /// The later run that holds that hash; `None`: nobody does yet.
    pub(super) held_by: Option<String>,
    /// Whether no check failed.
    pub(super) verified: bool,
    /// Every check, in order.
    pub(super) checks: Vec<Check>,
    /// Every file that is not what it should be.
    pub(super) findings: Vec<Finding>,
    /// What a person should know all the same.
    pub(super) notes: Vec<String>,
}

/// One thing that was to be proven.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// What was to be proven.
    pub(super) name: &'static str,
    /// Whether it was.
    pub(super) state: State,
    /// In words.
    pub(super) detail: String,
}

impl Check {
    pub(super) const MANIFEST: &'static str = "manifest";
    pub(super) const FILES: &'static str = "files";
    pub(super) const JOURNAL: &'static str = "journal";
    pub(super) const PLAN: &'static str = "plan";
    pub(super) const TOTALS: &'static str = "totals";
    pub(super) const REPORT: &'static str = "report";
    pub(super) const CHAIN: &'static str = "chain";
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Proven,
    Failed,
    NotProven,
}

/// A file that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Its path in the run's folder; of another run, beside it.
    pub(super) file: String,
    /// What it should be.
    pub(super) expected: String,
    /// What it is.
    pub(super) found: String,
    /// Where in the file, or who says so.
    pub(super) detail: Option<String>,
}

impl Verification {
    /// Nothing is proven yet.
    pub(super) fn of(folder: &RunFolder) -> Self {
        Self {
            format: FORMAT,
            run_id: folder.id().to_owned(),
            folder: std::fs::canonicalize(folder.path())
                .unwrap_or_else(|_| folder.path().to_owned())
                .display()
                .to_string(),
            mode: None,
            status: None,
            run_exit_code: None,
            manifest_sha256: None,
            held_by: None,
            verified: false,
            checks: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Says how the check `name` ended.
    pub(super) fn check(&mut self, name: &'static str, state: State, detail: impl Into<String>) {
        self.checks.push(Check { name, state, detail: detail.into() });
    }

    /// Says of each of `checks` that it could not be made.
    pub(super) fn not_proven(&mut self, checks: &[&'static str], why: &str) {
        for check in checks {
            self.check(check, State::NotProven, why);
        }
    }

    /// Names a file that is not what it should be.
    pub(super) fn finding(&mut self, file: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) {
        self.findings.push(Finding { file: file.into(), expected: expected.into(), found: found.into(), detail: None });
    }

    /// Whether `file` has been named.
    pub(super) fn names(&self, file: &str) -> bool {
        self.findings.iter().any(|finding| finding.file == file)
    }
}
