//! How a run ends: the model is built from what the journal proves, the exit code follows from it, the report is written.

use super::deliver;
use super::exit::{AppError, ExitCode};
use super::prepare::Prepared;
use crate::journal;
use crate::model::{Instant, Reason};
use crate::report::{Ending, Outcomes, ReportModel, RunData, SentRows, Verdict, terminal_summary, write_report};
use crate::runs::{Manifest, Mode, RunFolder, RunStatus, RunsError};
use std::collections::BTreeMap;
use std::path::Path;

/// The outcomes that the folder's journal proves, by its first `certain` lines where the others may not be durable.
fn outcomes(prepared: &Prepared, certain: Option<u64>) -> Result<Outcomes, AppError> {
    let Prepared { folder, manifest, .. } = prepared;
    if manifest.mode == Mode::Plan {
        return Ok(Outcomes::NotSent(Reason::PlanOnly));
    }
    if manifest.status == RunStatus::Refused {
        return Ok(Outcomes::NotSent(Reason::Guard));
    }
    let mut rows = SentRows::new(manifest.currency_digits);
    let mut stopped = BTreeMap::new();
    // Only of a run that has not begun to send is there none: without it, what was sent would be called not attempted.
    if manifest.status != RunStatus::Planned || folder.journal_path().exists() {
        let certain = certain.or(manifest.proof.journal_lines);
        let lines = certain.and_then(|lines| usize::try_from(lines).ok()).unwrap_or(usize::MAX);
        let mut records = journal::outcomes(journal::read(&folder.journal_path())?.take(lines));
        let mut undecided = vec![];
        while let Some(outcome) = records.next() {
            let outcome = outcome?;
            if records.is_undecided() {
                undecided.push(outcome);
            } else {
                rows.push(outcome);
            }
        }
        if let Some(closing) = records.closed() {
            for product in &manifest.products {
                stopped.insert(product.name.clone(), closing.reason(&product.name));
            }
        }
        // Few: no more than were under way when their product stopped.
        if !undecided.is_empty() {
            let product_of = deliver::products_by_row(&prepared.rows, manifest)?;
            for mut outcome in undecided {
                let product = product_of.get(outcome.row as usize).copied().flatten();
                let name = product.and_then(|place| manifest.products.get(place)).map(|product| &product.name);
                let reason = name.and_then(|name| stopped.get(name)).copied();
                outcome.reason = Some(reason.unwrap_or(Reason::Interrupted));
                rows.push(outcome);
            }
        }
    }
    Ok(Outcomes::Sent { rows, stopped })
}

/// Builds the model, decides how the run ends, writes manifest and report, and returns what a person reads.
pub fn finish(mut prepared: Prepared, at: Instant) -> Result<(ExitCode, String), AppError> {
    let model = model(&prepared, None)?;
    let verdict = model.verdict();
    let status = match prepared.manifest.status {
        RunStatus::Refused => RunStatus::Refused,
        _ if prepared.manifest.mode == Mode::Plan => RunStatus::Planned,
        _ if verdict.stops.is_empty() => RunStatus::Complete,
        _ => RunStatus::Incomplete,
    };
    let code = exit_code(&verdict);
    prepared.manifest.status = status;
    prepared.manifest.exit_code = Some(code.code());
    prepared.manifest.finished_at = Some(at);
    let summary = write(&mut prepared, &model)?;
    // Last, so that a manifest that says how the run ended has its report beside it.
    prepared.folder.write_manifest(&prepared.manifest)?;
    Ok((code, summary))
}

/// Writes the report of a run that could not go on: resumable, whatever the journal proves already, by its first `certain`
/// lines where a sync failed.
pub fn cut_short(mut prepared: Prepared, at: Instant, code: ExitCode, certain: Option<u64>) -> Result<(), AppError> {
    let model = model(&prepared, certain)?;
    prepared.manifest.status = RunStatus::Incomplete;
    prepared.manifest.exit_code = Some(code.code());
    prepared.manifest.finished_at = Some(at);
    prepared.manifest.proof.journal_lines = certain;
    write(&mut prepared, &model)?;
    Ok(prepared.folder.write_manifest(&prepared.manifest)?)
}

/// The report's model from what the run's folder holds; `certain` as for [`cut_short`].
pub fn model(prepared: &Prepared, certain: Option<u64>) -> Result<ReportModel, AppError> {
    Ok(ReportModel::build(RunData {
        manifest: &prepared.manifest,
        plan: &prepared.rows,
        accounting: &prepared.accounting,
        breaks: &prepared.breaks,
        outcomes: outcomes(prepared, certain)?,
        waiting: prepared.waiting.as_ref(),
        salt: prepared.salt.as_ref(),
    })?)
}

/// Writes every format, takes the report's and the journal's fingerprints into the manifest, and returns the summary for a
/// terminal.
fn write(prepared: &mut Prepared, model: &ReportModel) -> Result<String, AppError> {
    let ending = ending(&prepared.manifest);
    let Prepared { folder, manifest, .. } = prepared;
    let written = write_report(&folder.report_path(), model, ending)?;
    manifest.proof.files.extend(written.into_iter().map(|(name, print)| (format!("report/{name}"), print)));
    manifest.proof.reported_by = Some(VERSION.to_owned());
    add_journal(folder, manifest)?;
    Ok(summary(&folder.report_path(), model, ending))
}

/// The version of tether-recon that writes reports here.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Takes the journal's fingerprint into the manifest, where there is a journal.
pub fn add_journal(folder: &RunFolder, manifest: &mut Manifest) -> Result<(), RunsError> {
    let names: &[&str] = if folder.journal_path().exists() { &["journal.jsonl"] } else { &[] };
    manifest.proof.add(folder.path(), names)
}

/// How the run's report says that it ended.
pub fn ending(manifest: &Manifest) -> Ending {
    Ending {
        // The report of a run that a later one closed is that of its interruption.
        status: if manifest.status == RunStatus::Closed { RunStatus::Incomplete } else { manifest.status },
        // A run that was killed has no exit code: what it left is what an interrupted run leaves.
        exit_code: manifest.exit_code.unwrap_or(ExitCode::Incomplete.code()),
    }
}

/// The summary for a terminal of the report in `folder`; it ends with the page's path, or the folder's where there is none.
pub fn summary(folder: &Path, model: &ReportModel, ending: Ending) -> String {
    let page = folder.join("report.html");
    let shown = if page.exists() { &page } else { folder };
    // Without the detours that a configuration's relative paths take.
    terminal_summary(model, ending, &std::fs::canonicalize(shown).unwrap_or(page))
}

/// The worst of what happened, by how soon somebody must act.
pub fn exit_code(verdict: &Verdict) -> ExitCode {
    if !verdict.ties() {
        ExitCode::Internal
    } else if verdict.refused() {
        ExitCode::GuardRefused
    } else if verdict.auth() {
        ExitCode::Credentials
    } else if verdict.configuration() {
        ExitCode::Configuration
    } else if verdict.incomplete() {
        ExitCode::Incomplete
    } else if verdict.needs_a_person() {
        ExitCode::NeedsAPerson
    } else {
        ExitCode::Done
    }
}
