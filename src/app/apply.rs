//! `apply RUN`: sends a plan that somebody reviewed and approved by its hash, exactly as it stands, or refuses.
//!
//! The plan's folder stays as it is. The sending is a run of its own, whose manifest names that folder, its manifest's hash
//! and who approved, so that both can be verified by themselves.

use super::Context;
use super::deliver::{self, Delivery};
use super::exit::{AppError, ExitCode, Next};
use super::prepare::{Prepared, announce};
use super::why::Stops;
use super::{find, finish, report, signals, stale, waiting};
use crate::config::{self, Settings, TetherUrl};
use crate::load;
use crate::model::Instant;
use crate::monitor::{Event, Monitor};
use crate::plan;
use crate::redact::Salt;
use crate::runs::{
    Approval, Fingerprint, GuardFinding, Holder, Link, Manifest, Mode, Proof, RunFolder, RunStatus, StateLock,
    check_seal, read_regular, write_atomic,
};
use rust_decimal::Decimal;
use std::fs::File;
use std::time::Duration;

/// What is to be applied, and on whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The plan: an id, `latest`, or the path of its folder.
    pub run: String,
    /// The hash that was approved, as the plan's output and report show it.
    pub hash: String,
    /// Who approved it.
    pub by: Option<String>,
    /// How old the plan may be.
    pub max_age: Duration,
    /// Guards that are overridden this once.
    pub allow: Vec<String>,
}

/// Applies a plan and returns what a person reads. Must be called inside a tokio runtime.
///
/// # Errors
/// [`AppError::Usage`] for what is no plan, or a hash that is not its own; [`AppError::Input`] for a plan that is damaged,
/// stale, too old or applied already.
pub async fn apply(context: &Context<'_>, approved: &Approved) -> Result<(ExitCode, String), AppError> {
    let stop = signals::listen().map_err(|error| AppError::Internal(Box::new(error)))?;
    let settings = config::load(&context.config)?;
    context.configured(&settings);
    let started_at = context.now();
    let run_id = context.run_id();
    let nothing_sent = |error: AppError| error.then(Next::Again);
    let (planned, link) = read(context, approved)?;
    let salt = context.salt(&settings, planned.manifest.redacted)?;
    let monitor = context.monitor(&run_id);
    let holder = Holder::this("apply", started_at);
    let _lock = StateLock::acquire(&settings.run.state, &holder).map_err(AppError::from).map_err(nothing_sent)?;
    context.begun(&run_id);
    let keys = deliver::keys(context, &settings)?;
    is_next(&settings, &planned.manifest)?;
    let mut changes: Vec<String> =
        stale::too_old(&planned.manifest, approved.max_age, started_at).into_iter().collect();
    changes.extend(stale::changed(&planned.manifest, &settings)?);
    if !changes.is_empty() {
        return Err(stale::refuse(&planned.manifest, &changes));
    }
    // The same files for the same patterns: also what was added since is found by reading as a run does.
    let loaded = load::load(&settings, &context.trials, &*monitor).map_err(|error| context.discreetly(error))?;
    let changes = stale::changed_files(&planned.manifest.inputs, &loaded.files);
    if !changes.is_empty() {
        return Err(stale::refuse(&planned.manifest, &changes));
    }
    let existing = if settings.tether.url == TetherUrl::Sandbox { loaded.existing } else { vec![] };
    let begun = Begun { run_id, started_at, link, salt, existing };
    let prepared = begin(&settings, planned, begun, approved, &*monitor).map_err(nothing_sent)?;
    if prepared.manifest.status == RunStatus::Refused {
        return context.finish(&settings, prepared, &Stops::new()).map_err(nothing_sent);
    }
    let delivery = Delivery { context, settings: &settings, keys, monitor, stop };
    delivery.carry_out(prepared, None).await
}

/// The plan, if it is one, is as it was written, and is the one that was approved.
fn read(context: &Context<'_>, approved: &Approved) -> Result<(Prepared, Link), AppError> {
    let folder = find::find(context, &approved.run)?;
    let path = folder.manifest_path();
    let damaged = |what: String| {
        AppError::Input(format!("{}: {what}; the plan cannot be trusted, `plan` again", folder.path().display()).into())
    };
    let bytes = read_regular(&path).map_err(|error| damaged(format!("manifest.json: {error}")))?;
    let manifest = folder.parse_manifest(&bytes)?;
    if manifest.mode != Mode::Plan {
        let said = format!("{} is no plan: only what `plan` made can be applied", manifest.run_id);
        return Err(AppError::Usage(said.into()));
    }
    if !approved.hash.trim().eq_ignore_ascii_case(&manifest.approval_hash()) {
        let said = format!(
            "the approved hash is not that of plan {}; compare it with the one that the plan's report shows",
            manifest.run_id
        );
        return Err(AppError::Usage(said.into()));
    }
    check_seal(&bytes).map_err(|_| damaged("manifest.json is not as it was sealed".to_owned()))?;
    // The report too: it is what was reviewed.
    for (name, named) in &manifest.proof.files {
        let found = Fingerprint::of(&folder.path().join(name)).map_err(|error| damaged(format!("{name}: {error}")))?;
        if found != *named {
            return Err(damaged(format!("{name} is not what the manifest names")));
        }
    }
    let manifest_sha256 = Fingerprint::of_bytes(&bytes).sha256;
    let link = Link { run_id: manifest.run_id.clone(), manifest_sha256 };
    Ok((report::open(folder, manifest)?, link))
}

/// Refuses a plan that was applied already, and one that an interrupted run stands before.
fn is_next(settings: &Settings, plan: &Manifest) -> Result<(), AppError> {
    for folder in RunFolder::list(&settings.run.state)? {
        let Ok(run) = folder.read_manifest() else { continue };
        let applies = run.approval.as_ref().is_some_and(|approval| approval.plan.run_id == plan.run_id);
        if applies && run.status.may_have_sent() && run.is_final() {
            let said = format!("plan {} was applied already, by run {}; `plan` again", plan.run_id, run.run_id);
            return Err(AppError::Input(said.into()));
        }
    }
    if let Some((folder, run)) = RunFolder::latest_resumable(&settings.run.state)? {
        if run.approval.is_some_and(|approval| approval.plan.run_id == plan.run_id) {
            let said = format!("run {}, which applies this plan, was interrupted; `resume` it", folder.id());
            return Err(AppError::Input(said.into()));
        }
        let said = format!(
            "run {} was interrupted, and what it did is not in the plan {}; `resume` it, then `plan` again",
            folder.id(),
            plan.run_id
        );
        return Err(AppError::Input(said.into()));
    }
    Ok(())
}

/// What the new run brings besides the plan.
struct Begun {
    run_id: String,
    started_at: Instant,
    link: Link,
    salt: Option<Salt>,
    existing: Vec<Option<crate::table::Existing>>,
}

/// A finding of the plan as it would be found when it is applied: exports whose age was let pass are the same ones, and older
/// by what the plan waited (and a second's part, for the figure's rounding).
fn waited(finding: &GuardFinding, planned_at: Instant, now: Instant) -> GuardFinding {
    let older = |figure: &String| {
        let waited = Decimal::from(now.epoch_seconds() - planned_at.epoch_seconds()) / Decimal::from(3600);
        let age = figure.parse::<Decimal>().ok()?.checked_add(waited + Decimal::new(1, 4))?;
        Some(age.to_string())
    };
    let figure = match (finding.unit.as_str(), &finding.figure) {
        ("hours", Some(figure)) => older(figure),
        (_, figure) => figure.clone(),
    };
    GuardFinding { figure, ..finding.clone() }
}

/// Copies the plan into a folder of its own, judged again by the guards, and names there what it came from.
fn begin(
    settings: &Settings,
    planned: Prepared,
    begun: Begun,
    approved: &Approved,
    monitor: &dyn Monitor,
) -> Result<Prepared, AppError> {
    let Prepared { folder: from, manifest: plan, rows, accounting, breaks, .. } = planned;
    let state = &settings.run.state;
    let previous = RunFolder::last_complete(state)?.map(|(_, manifest)| manifest);
    // What the plan was let pass stood in the report that was approved, and what it was refused for did so too.
    let let_pass: Vec<GuardFinding> =
        plan.guards.iter().map(|one| waited(one, plan.started_at, begun.started_at)).collect();
    let mut guards = plan::judge(plan::Asked {
        rows: &rows,
        selection: plan.selection.as_ref(),
        products: &plan.products,
        sources: &plan.sources,
        inputs: &plan.inputs,
        mix: plan.mix.as_ref(),
        settings,
        started_at: begun.started_at,
        previous: previous.as_ref(),
        allowed: &approved.allow,
        approved: &let_pass,
    })?;
    for refusing in plan.guards.iter().filter(|one| one.refused && !approved.allow.contains(&one.guard)) {
        match guards.iter_mut().find(|one| (&one.guard, &one.scope) == (&refusing.guard, &refusing.scope)) {
            Some(found) if !found.refused => *found = refusing.clone(),
            Some(_) => {}
            None => guards.push(refusing.clone()),
        }
    }
    let refused = announce(&guards, monitor);
    let waiting = waiting::left_waiting(state, monitor)?;
    let folder = RunFolder::create(state, &begun.run_id)?;
    for (source, copy) in [
        (from.plan_path(), folder.plan_path()),
        (from.accounting_path(), folder.accounting_path()),
        (from.breaks_path(), folder.breaks_path()),
    ] {
        write_atomic(&copy, |file| std::io::copy(&mut File::open(&source)?, file))?;
    }
    let waiting_hash = waiting::write(&folder, waiting.as_ref())?;
    if let Some(salt) = &begun.salt {
        folder.write_salt(salt)?;
    }
    let mut proof = Proof { previous: RunFolder::chain_end(state)?, ..Proof::default() };
    proof.add_planned(folder.path())?;
    if proof.files.get("plan.parquet").map(|copy| &copy.sha256) != Some(&plan.plan_hash) {
        let said = format!("{} changed while it was copied; start again", from.plan_path().display());
        return Err(AppError::Input(said.into()));
    }
    let manifest = Manifest {
        run_id: begun.run_id,
        tool_version: finish::VERSION.to_owned(),
        mode: Mode::Apply,
        status: if refused { RunStatus::Refused } else { RunStatus::Planned },
        exit_code: None,
        started_at: begun.started_at,
        finished_at: None,
        waiting_hash,
        guards,
        approval: Some(Approval { plan: begun.link, planned_at: plan.started_at, approved_by: approved.by.clone() }),
        redacted: begun.salt.is_some(),
        proof,
        ..plan
    };
    folder.write_manifest(&manifest)?;
    let who = manifest.approval.as_ref().and_then(|approval| approval.approved_by.as_deref()).unwrap_or("its hash");
    monitor.event(Event::Note { message: format!("applying plan {}, approved by {who}", from.id()) });
    Ok(Prepared { folder, manifest, rows, accounting, breaks, waiting, salt: begun.salt, existing: begun.existing })
}
