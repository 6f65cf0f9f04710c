//! What `run` and `plan` share: load, plan, judge, and write down what is to be done before anything is.

use super::errors::PrepareError;
use super::waiting;
use crate::baseline::{Baseline, BaselineError};
use crate::config::{Settings, TetherUrl};
use crate::load;
use crate::model::{Break, Instant, Selection};
use crate::monitor::{Event, Monitor};
use crate::plan;
use crate::redact::Salt;
use crate::runs::{
    GuardFinding, MANIFEST_FORMAT, Manifest, Mode, Proof, RunFolder, RunStatus, RunsError, write_atomic,
};
use crate::table::{Accounting, Existing, PlanRows, Waiting};

/// A plan that stands in its run's folder.
pub struct Prepared {
    /// The folder.
    pub folder: RunFolder,
    /// Its manifest; the status is `planned`, or `refused` when a guard refused.
    pub manifest: Manifest,
    /// The plan.
    pub rows: PlanRows,
    /// Where every input row went.
    pub accounting: Accounting,
    /// What a reviewer must see, found so far.
    pub breaks: Vec<Break>,
    /// Who was waiting for creation when the run began.
    pub waiting: Option<Waiting>,
    /// With what the report is redacted; `None`: it is not.
    pub salt: Option<Salt>,
    /// What each product's export holds: what the embedded sandbox begins with. Empty for a real Tether.
    pub existing: Vec<Option<Existing>>,
}

impl Prepared {
    /// Has the report redacted from now on.
    pub fn redact(&mut self, salt: Salt) -> Result<(), RunsError> {
        self.folder.write_salt(&salt)?;
        self.manifest.proof.add(self.folder.path(), &[RunFolder::salt_name()])?;
        self.manifest.redacted = true;
        self.salt = Some(salt);
        Ok(())
    }
}

/// Which rows of a plan a run is asked to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All that are to be.
    All,
    /// The largest so many.
    Limit(u64),
    /// The customer of this key.
    Only(String),
}

/// What a plan is asked for.
pub struct Request<'a> {
    /// The run's id.
    pub run_id: String,
    /// Which command asks.
    pub mode: Mode,
    /// The run's clock.
    pub as_of: Instant,
    /// When the command was started.
    pub started_at: Instant,
    /// Guards that are overridden this once.
    pub allow: &'a [String],
    /// Which of the plan's rows are asked for.
    pub wanted: &'a Wanted,
    /// Where Parquet is tried before it is read.
    pub trials: &'a load::Trials,
    /// With what the report is redacted.
    pub salt: Option<Salt>,
}

/// Reads the exports, plans, and writes plan, accounting, breaks and manifest into a new run folder.
pub fn prepare(settings: &Settings, request: Request<'_>, monitor: &dyn Monitor) -> Result<Prepared, PrepareError> {
    let loaded = load::load(settings, request.trials, monitor)?;
    monitor.event(Event::StageStarted { stage: "planning", total: None });
    let known = known(settings)?;
    let baseline_hash = crate::baseline::hash(
        settings.products.iter().map(|product| product.name.as_str()).zip(known.iter().map(Option::as_ref)),
    )?;
    let inputs = loaded.files.clone();
    let feeds_sandbox = request.mode == Mode::Run && settings.tether.url == TetherUrl::Sandbox;
    let existing = if feeds_sandbox { loaded.existing.clone() } else { vec![] };
    let planned = plan::build(loaded, known, settings, request.as_of)?;
    let previous = RunFolder::last_complete(&settings.run.state)?.map(|(_, manifest)| manifest);
    let selection = match request.wanted {
        Wanted::All => None,
        Wanted::Limit(most) => Some(Selection::Limit(*most)),
        Wanted::Only(key) => Some(plan::only(&planned.rows, key)??),
    };
    let guards = plan::judge(plan::Asked {
        rows: &planned.rows,
        selection: selection.as_ref(),
        products: &planned.products,
        sources: &planned.sources,
        inputs: &inputs,
        mix: Some(&planned.mix),
        settings,
        started_at: request.started_at,
        previous: previous.as_ref(),
        allowed: request.allow,
        approved: &[],
    })?;
    let refused = announce(&guards, monitor);
    let to_send = plan::rows_to_send(&planned.rows, selection.as_ref())?;
    monitor.event(Event::StageFinished {
        stage: "planning",
        result: format!("{} customers, {to_send} to send", planned.rows.len()),
    });

    monitor.event(Event::StageStarted { stage: "writing the plan", total: None });
    let waiting = waiting::left_waiting(&settings.run.state, monitor)?;
    let folder = RunFolder::create(&settings.run.state, &request.run_id)?;
    let plan_hash = write_tables(&folder, &planned.rows, &planned.accounting)?;
    write_atomic(&folder.breaks_path(), |file| {
        serde_json::to_writer(std::io::BufWriter::new(file), &planned.breaks).map_err(std::io::Error::other)
    })?;
    let waiting_hash = waiting::write(&folder, waiting.as_ref())?;
    if let Some(salt) = &request.salt {
        folder.write_salt(salt)?;
    }
    let mut proof = Proof { previous: RunFolder::chain_end(&settings.run.state)?, ..Proof::default() };
    proof.add_planned(folder.path())?;
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        run_id: request.run_id,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: request.mode,
        status: if refused { RunStatus::Refused } else { RunStatus::Planned },
        exit_code: None,
        as_of: request.as_of,
        started_at: request.started_at,
        finished_at: None,
        config_hash: settings.hash.clone(),
        // It was written a moment ago, so that it can be read.
        configuration: serde_json::from_str(&settings.portable).unwrap_or_default(),
        plan_hash,
        baseline_hash,
        selection,
        waiting_hash,
        currency: settings.run.currency,
        currency_digits: settings.digits(),
        mrr_definition: planned.mrr_definition,
        products: planned.products,
        inputs,
        sources: planned.sources,
        mix: Some(planned.mix),
        overrides: planned.overrides,
        division: planned.division,
        guards,
        approval: None,
        exit_on_creation_disabled: settings.run.exit_on_creation_disabled,
        redacted: request.salt.is_some(),
        proof,
    };
    folder.write_manifest(&manifest)?;
    monitor.event(Event::StageFinished { stage: "writing the plan", result: folder.id().to_owned() });
    Ok(Prepared {
        folder,
        manifest,
        rows: planned.rows,
        accounting: planned.accounting,
        breaks: planned.breaks,
        waiting,
        salt: request.salt,
        existing,
    })
}

/// Tells of each guard that refuses, or that was overridden; whether any refuses.
pub fn announce(guards: &[GuardFinding], monitor: &dyn Monitor) -> bool {
    for finding in guards.iter().filter(|finding| finding.refused || finding.overridden) {
        let message = format!("{} by {}: {}", finding.state(), finding.guard, finding.detail);
        monitor.event(Event::Warning { message });
    }
    guards.iter().any(|finding| finding.refused)
}

/// What the baseline knows of each product, in the order of the configuration.
pub fn known(settings: &Settings) -> Result<Vec<Option<Existing>>, BaselineError> {
    let baseline = Baseline::open(&settings.run.state);
    settings.products.iter().map(|product| baseline.load(&product.name)).collect()
}

/// Writes `plan.parquet` and `accounting.parquet` and returns the plan's hash. Side by side, because compressing either
/// keeps one core busy.
fn write_tables(folder: &RunFolder, rows: &PlanRows, accounting: &Accounting) -> Result<String, RunsError> {
    let io = std::io::Error::other::<plan::PlanError>;
    std::thread::scope(|scope| {
        let accounting = scope.spawn(|| {
            write_atomic(&folder.accounting_path(), |file| plan::write_accounting(accounting, file).map_err(io))
        });
        let plan_hash = write_atomic(&folder.plan_path(), |file| plan::write_plan(rows, file).map_err(io));
        accounting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        plan_hash
    })
}
