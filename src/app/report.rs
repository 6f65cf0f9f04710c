//! `report RUN`: writes a run's report again from the files in its folder. The same bytes, as often as it is asked.

use super::Context;
use super::exit::{AppError, ExitCode};
use super::find::find;
use super::finish::{self, VERSION};
use super::prepare::Prepared;
use crate::journal::{self, Record};
use crate::plan::{read_accounting, read_plan};
use crate::redact::Salt;
use crate::report::{ReportError, ReportModel, write_formats};
use crate::runs::{Fingerprint, Manifest, RunFolder, RunStatus, create_private_dir, salt_of};
use std::fs::File;
use std::path::{Path, PathBuf};

pub use crate::report::ReportFormat;

/// What of a run's report is written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// An id, `latest`, or the path of a run's folder.
    pub run: String,
    /// Only these formats; all, where there is none.
    pub formats: Vec<ReportFormat>,
    /// Where to, if not into the run's own folder.
    pub output: Option<PathBuf>,
}

/// Writes what is wanted again and returns what a person reads.
pub fn report(context: &Context<'_>, wanted: &Wanted) -> Result<(ExitCode, String), AppError> {
    let folder = find(context, &wanted.run)?;
    let manifest = folder.read_manifest()?;
    let in_place = match &wanted.output {
        None => true,
        Some(output) => is_own_report(&folder, output)?,
    };
    let mut prepared = open(folder, manifest)?;
    if context.redaction.asked && prepared.salt.is_none() {
        if in_place {
            let said = "the run's own report holds names, and its manifest the hashes of its bytes; write the redacted one \
                        elsewhere, with `--output FOLDER`";
            return Err(AppError::Usage(said.into()));
        }
        prepared.salt = Some(neighbours_salt(context, &prepared.folder)?);
    }
    let model = finish::model(&prepared, None)?;
    let ending = finish::ending(&prepared.manifest);
    let target = wanted.output.clone().unwrap_or_else(|| prepared.folder.report_path());
    if !in_place {
        create_private_dir(&target)?;
    }
    let formats = if wanted.formats.is_empty() { ReportFormat::ALL } else { &wanted.formats };
    let proof = &prepared.manifest.proof;
    // The manifest, and by it every later run, holds the hashes of the bytes that stand there.
    let is_the_same = |file: &str, found: &Fingerprint| {
        proof.files.get(&format!("report/{file}")).is_none_or(|named| !in_place || named == found)
    };
    write_formats(&target, &model, ending, formats, &is_the_same).map_err(|error| match error {
        error @ ReportError::NotAccepted { .. } => {
            let wrote = proof.reported_by.as_deref().unwrap_or("another version");
            let said = format!(
                "{error}: the manifest holds the hash of what version {wrote} wrote, and this is version {VERSION}; let it \
                 write elsewhere, with `--output FOLDER`"
            );
            AppError::Usage(said.into())
        }
        error => error.into(),
    })?;
    Ok((ExitCode::Done, finish::summary(&target, &model, ending)))
}

/// The salt of the state folder that `folder` stands in, so that its hashes are those of other nights; a copy that stands
/// elsewhere gets one that joins nothing.
fn neighbours_salt(context: &Context<'_>, folder: &RunFolder) -> Result<Salt, AppError> {
    let fresh = Salt::new(context.redaction.fresh);
    let runs = folder.path().parent().filter(|parent| parent.ends_with("runs") && folder.is_named_as_a_run());
    Ok(match runs.and_then(Path::parent) {
        Some(state) => salt_of(state, &fresh)?,
        None => fresh,
    })
}

/// Whether `output` is the place of the run's own report; an error, where it is that of another run, whose manifest holds
/// the hashes of what stands there.
fn is_own_report(folder: &RunFolder, output: &Path) -> Result<bool, AppError> {
    let Some(parent) = output.canonicalize().ok().and_then(|output| output.parent().map(Path::to_owned)) else {
        return Ok(false);
    };
    if folder.path().canonicalize().is_ok_and(|own| own == parent) {
        return Ok(true);
    }
    if parent.join("manifest.json").exists() {
        let said = format!("`{}` is in the folder of another run, which would not verify any more", output.display());
        return Err(AppError::Usage(said.into()));
    }
    Ok(false)
}

/// The report's model of the run in `folder`.
pub fn model_of(folder: RunFolder, manifest: Manifest) -> Result<(Prepared, ReportModel), AppError> {
    let prepared = open(folder, manifest)?;
    let model = finish::model(&prepared, None)?;
    Ok((prepared, model))
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
    for path in [folder.accounting_path(), folder.breaks_path()] {
        let named = path.file_name().and_then(|name| manifest.proof.files.get(name.to_str()?));
        let found = Fingerprint::of(&path).map_err(|error| input(&path, &error))?;
        if named.is_some_and(|named| *named != found) {
            return Err(input(&path, &"its SHA-256 is not the one that the manifest names"));
        }
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
    let path = folder.path().join(RunFolder::salt_name());
    let salt = manifest.redacted.then(|| folder.read_salt().map_err(|error| input(&path, &error))).transpose()?;
    Ok(Prepared { folder, manifest, rows, accounting, breaks, waiting, salt, existing: vec![] })
}
