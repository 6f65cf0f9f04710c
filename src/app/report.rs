//! `report RUN`: writes a run's report again from the files in its folder. The same bytes, as often as it is asked.

use super::Context;
use super::exit::{AppError, ExitCode};
use super::finish;
use super::prepare::Prepared;
use crate::config::{self, Settings};
use crate::journal::{self, Record};
use crate::plan::{read_accounting, read_plan};
use crate::report::Ending;
use crate::runs::{Manifest, RunFolder, RunStatus};
use std::fs::File;
use std::path::Path;

/// Writes the report of `run` (an id, or `latest`) again and returns what a person reads.
pub fn report(context: &Context<'_>, run: &str) -> Result<(ExitCode, String), AppError> {
    let settings = config::load(&context.config)?;
    let folder = find(&settings, run)?;
    let manifest = folder.read_manifest()?;
    let exit_code = manifest.exit_code;
    let status = manifest.status;
    let prepared = open(folder, manifest)?;
    let model = finish::model(&prepared, None)?;
    // A run that was killed has no exit code: what it left is what an interrupted run leaves.
    let exit_code = exit_code.unwrap_or(ExitCode::Incomplete.code());
    let summary = finish::write(&prepared.folder, &model, Ending { status, exit_code })?;
    Ok((ExitCode::Done, summary))
}

fn find(settings: &Settings, run: &str) -> Result<RunFolder, AppError> {
    if run != "latest" {
        return Ok(RunFolder::open(&settings.run.state, run)?);
    }
    // A folder without a manifest is what a crash left while the plan was being written.
    let mut runs = RunFolder::list(&settings.run.state)?.into_iter();
    runs.rfind(|folder| folder.manifest_path().exists()).ok_or_else(|| {
        AppError::Usage(format!("{} holds no run yet; start one with `run`", settings.run.state.display()).into())
    })
}

/// Reads what a run's folder holds, refusing a plan that is not the one its manifest names, another run's journal, and a
/// run that sent and has lost its journal: nobody could say any more what it did.
pub fn open(folder: RunFolder, manifest: Manifest) -> Result<Prepared, AppError> {
    let input = |path: &Path, error: &dyn std::fmt::Display| {
        AppError::Input(format!("{}: {error}; the run's folder is damaged", path.display()).into())
    };
    let file = |path: &Path| File::open(path).map_err(|error| input(path, &error));
    let plan = folder.plan_path();
    let found = crate::load::sha256(&plan).map_err(|error| input(&plan, &error))?;
    if found != manifest.plan_hash {
        return Err(input(&plan, &"its SHA-256 is not the one that the manifest names"));
    }
    let path = folder.journal_path();
    if path.exists() {
        if let Some(Record::Header(header)) = journal::read(&path)?.next().transpose()?
            && (header.run_id != manifest.run_id || header.plan_hash != manifest.plan_hash)
        {
            return Err(input(&path, &"it is the journal of another run"));
        }
    } else if matches!(manifest.status, RunStatus::Sending | RunStatus::Incomplete | RunStatus::Complete) {
        let lost =
            "it is missing, so that nobody knows what was sent; restore it, or remove the run's folder to plan anew";
        return Err(input(&path, &lost));
    }
    let rows = read_plan(file(&plan)?).map_err(|error| input(&plan, &error))?;
    let path = folder.accounting_path();
    let accounting = read_accounting(file(&path)?).map_err(|error| input(&path, &error))?;
    let path = folder.breaks_path();
    let breaks =
        serde_json::from_reader(std::io::BufReader::new(file(&path)?)).map_err(|error| input(&path, &error))?;
    let path = folder.waiting_path();
    let waiting = super::waiting::read(&folder, &manifest).map_err(|error| input(&path, &error))?;
    Ok(Prepared { folder, manifest, rows, accounting, breaks, waiting, existing: vec![] })
}
