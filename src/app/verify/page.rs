//! A verification as a person reads it.

use super::finding::{State, Verification};
use crate::model::one_line;
use std::fmt::Write as _;

impl State {
    const fn words(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Failed => "FAILED",
            Self::NotProven => "not proven",
        }
    }
}

/// The page. Its first line says enough for a pager.
pub(super) fn page(proving: &Verification) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = compose(proving, &mut out);
    out
}

fn compose(proving: &Verification, out: &mut String) -> std::fmt::Result {
    let failed = proving.checks.iter().find(|check| check.state == State::Failed);
    match (proving.verified, proving.findings.first(), failed) {
        (true, ..) => writeln!(out, "VERIFIED: run {} is what it was when it was sealed", proving.run_id)?,
        (_, Some(first), _) => {
            let further = match proving.findings.len() {
                1 => String::new(),
                all => format!(", and {} more below", all - 1),
            };
            writeln!(out, "NOT VERIFIED: run {}: {} is not what it should be{further}", proving.run_id, first.file)?;
        }
        (_, None, Some(check)) => {
            writeln!(out, "NOT VERIFIED: run {}: {}: {}", proving.run_id, check.name, check.detail)?;
        }
        (_, None, None) => writeln!(out, "NOT VERIFIED: run {}", proving.run_id)?,
    }
    writeln!(out, "  {}", proving.folder)?;
    if let (Some(mode), Some(status)) = (proving.mode, proving.status) {
        let word = |value: serde_json::Result<serde_json::Value>| {
            value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let (mode, status) = (word(serde_json::to_value(mode)), word(serde_json::to_value(status)));
        let code = proving.run_exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
        writeln!(out, "  {mode}, {status}, {code}")?;
    }
    writeln!(out)?;
    for check in &proving.checks {
        writeln!(out, "  {:<9} {:<11} {}", check.name, check.state.words(), check.detail)?;
    }
    for finding in &proving.findings {
        writeln!(out, "\n{}", one_line(&finding.file))?;
        writeln!(out, "  expected  {}", one_line(&finding.expected))?;
        writeln!(out, "  found     {}", one_line(&finding.found))?;
        if let Some(detail) = &finding.detail {
            writeln!(out, "  {}", one_line(detail))?;
        }
    }
    if !proving.notes.is_empty() {
        writeln!(out)?;
    }
    for note in &proving.notes {
        writeln!(out, "note: {}", one_line(note))?;
    }
    if let Some(hash) = &proving.manifest_sha256 {
        let held = proving.held_by.as_ref().map(|run| format!(" (run {run} holds it)")).unwrap_or_default();
        writeln!(out, "\nSHA-256 of manifest.json, to be noted beside the signature{held}:\n{hash}")?;
    }
    Ok(())
}
