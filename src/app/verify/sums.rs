//! The sums, computed again from plan, accounting and journal, and the report made again from them.

use super::finding::{Check, Finding, State, Verification};
use crate::app::finish::{self, VERSION};
use crate::app::report::model_of;
use crate::report::{Compared, Ending, ReportModel, compare_report};
use crate::runs::{Manifest, RunFolder, RunStatus};
use crate::table::PlanRows;
use polars::prelude::*;
use std::path::Path;

/// Computes the run again and holds its report against what comes out.
pub(super) fn sums(folder: RunFolder, manifest: Manifest, proving: &mut Verification) {
    let report = folder.report_path();
    let (prepared, model) = match model_of(folder, manifest) {
        Ok(made) => made,
        Err(error) => {
            proving.finding("plan.parquet", "a plan, accounting and breaks that can be read", error.to_string());
            return proving
                .not_proven(&[Check::PLAN, Check::TOTALS, Check::REPORT], "the run cannot be computed again");
        }
    };
    match numbering(&prepared.rows) {
        Ok(None) => {
            let rows = prepared.rows.len();
            proving.check(Check::PLAN, State::Proven, format!("{rows} rows, numbered without a gap, every key once"));
        }
        Ok(Some(wrong)) => {
            proving.finding("plan.parquet", "rows numbered from 0 without a gap, every key once", wrong);
            proving.check(Check::PLAN, State::Failed, "its rows are not those of a plan");
        }
        Err(error) => proving.check(Check::PLAN, State::Failed, error.to_string()),
    }
    totals(&prepared.manifest, &model, proving);
    let ending = finish::ending(&prepared.manifest);
    made_again(&report, &prepared.manifest, &model, ending, proving);
}

/// What is wrong with the plan's numbers and keys: without one of each there is no one outcome per row.
fn numbering(rows: &PlanRows) -> PolarsResult<Option<String>> {
    let frame = rows.frame();
    let numbers = frame.column("row")?.u32()?;
    if let Some(at) = numbers.iter().enumerate().position(|(at, row)| row.map(|row| row as usize) != Some(at)) {
        return Ok(Some(format!("row {at} bears another number")));
    }
    let keys = rows.lazy().select([col("product"), col("key")]).unique(None, UniqueKeepStrategy::Any).collect()?;
    let twice = rows.len() - keys.height();
    Ok((twice > 0).then(|| format!("{twice} keys stand twice in one product")))
}

/// Every control total again: rows and money over dispositions, outcomes, bridge and gap; and the exit code they lead to.
fn totals(manifest: &Manifest, model: &ReportModel, proving: &mut Verification) {
    let not: Vec<_> = model.tie_outs.iter().filter(|tie| !tie.ties()).collect();
    let all = model.tie_outs.len();
    if let Some(first) = not.first() {
        let detail = format!("{} of {all} do not tie; the first: {}", not.len(), first.sentence());
        proving.check(Check::TOTALS, State::Failed, detail);
    } else {
        let detail = format!("all {all} tie again: rows, money, one outcome each, bridge and gap without a residual");
        proving.check(Check::TOTALS, State::Proven, detail);
    }
    // A run that a disk or a lost server ended has the code of that end, which its files do not hold.
    let is_decided = matches!(manifest.status, RunStatus::Complete | RunStatus::Refused | RunStatus::Planned);
    let code = finish::exit_code(&model.verdict()).code();
    if let Some(said) = manifest.exit_code.filter(|said| is_decided && *said != code) {
        proving.finding(super::files::MANIFEST, format!("exit code {code}, by plan and journal"), format!("{said}"));
    }
}

/// Makes every file of the report again.
fn made_again(report: &Path, manifest: &Manifest, model: &ReportModel, ending: Ending, proving: &mut Verification) {
    let Some(version) = &manifest.proof.reported_by else {
        return proving.check(Check::REPORT, State::Proven, "there is none: the run was ended from outside");
    };
    if version != VERSION {
        let why = format!("version {version} wrote it, this is {VERSION}: its hashes are proven, its making is not");
        return proving.not_proven(&[Check::REPORT], &why);
    }
    let in_folder = |file: &str| format!("report/{file}");
    let wanted = |file: &str| manifest.proof.files.contains_key(&in_folder(file)) && report.join(file).is_file();
    let compared = match compare_report(report, model, ending, wanted) {
        Ok(compared) => compared,
        Err(error) => return proving.check(Check::REPORT, State::Failed, error.to_string()),
    };
    let all = compared.len();
    let differing: Vec<&Compared> = compared.iter().filter(|one| one.difference.is_some()).collect();
    for Compared { file, difference } in &differing {
        let Some(difference) = difference else { continue };
        let detail = format!(
            "line {}, behind {} bytes that are right: `{}` where `{}` is expected",
            difference.line, difference.offset, difference.found, difference.expected
        );
        let file = in_folder(file);
        match proving.findings.iter_mut().find(|finding| finding.file == file) {
            Some(finding) => finding.detail = Some(detail),
            None => proving.findings.push(Finding {
                file,
                expected: "what plan, accounting and journal give".to_owned(),
                found: "something else".to_owned(),
                detail: Some(detail),
            }),
        }
    }
    if differing.is_empty() {
        proving.check(Check::REPORT, State::Proven, format!("{all} files made again, byte for byte the same"));
    } else {
        let detail = format!("{} of {all} files are not what plan, accounting and journal give", differing.len());
        proving.check(Check::REPORT, State::Failed, detail);
    }
}
