//! `run`: plan, guard, send, report. What cron calls.

use super::Context;
use super::deliver::{self, Delivery};
use super::exit::{AppError, ExitCode, Next};
use super::finish;
pub use super::prepare::Wanted;
use super::prepare::{Request, prepare};
use super::report;
use super::signals;
use super::why::Stops;
use crate::config::{self, Settings};
use crate::model::Instant;
use crate::monitor::{Event, Monitor};
use crate::runs::{Holder, Mode, RunFolder, RunStatus, StateLock};

/// Carries out a run and returns what a person reads. Must be called inside a tokio runtime.
pub async fn run(
    context: &Context<'_>,
    as_of: Option<Instant>,
    allow: &[String],
    wanted: &Wanted,
) -> Result<(ExitCode, String), AppError> {
    let stop = signals::listen().map_err(|error| AppError::Internal(Box::new(error)))?;
    let settings = config::load(&context.config)?;
    context.configured(&settings);
    let started_at = context.now();
    let run_id = context.run_id();
    let salt = context.salt(&settings, false)?;
    let monitor = context.monitor(&run_id);
    let nothing_sent = |error: AppError| error.then(Next::Run);
    let holder = Holder::this("run", started_at);
    let _lock = StateLock::acquire(&settings.run.state, &holder).map_err(AppError::from).map_err(nothing_sent)?;
    context.begun(&run_id);
    let keys = deliver::keys(context, &settings)?;
    close_interrupted(context, &settings, &*monitor).map_err(nothing_sent)?;

    let request = Request {
        run_id,
        mode: Mode::Run,
        as_of: as_of.unwrap_or(started_at),
        started_at,
        allow,
        wanted,
        trials: &context.trials,
        salt,
    };
    let prepared = prepare(&settings, request, &*monitor);
    let prepared = prepared.map_err(|error| context.discreetly(error)).map_err(nothing_sent)?;
    if prepared.manifest.status == RunStatus::Refused {
        return context.finish(&settings, prepared, &Stops::new()).map_err(nothing_sent);
    }
    let delivery = Delivery { context, settings: &settings, keys, monitor, stop };
    delivery.carry_out(prepared, None).await
}

/// Takes what earlier, interrupted runs proved into the baseline and closes them: this run plans anew.
fn close_interrupted(context: &Context<'_>, settings: &Settings, monitor: &dyn Monitor) -> Result<(), AppError> {
    while let Some((folder, manifest)) = RunFolder::latest_resumable(&settings.run.state)? {
        let mut earlier = report::open(folder, manifest)?;
        deliver::learn(settings, &earlier.folder, &earlier.manifest, &earlier.rows, context.now())?;
        earlier.manifest.status = RunStatus::Closed;
        finish::add_journal(&earlier.folder, &mut earlier.manifest)?;
        earlier.folder.write_manifest(&earlier.manifest)?;
        monitor.event(Event::Warning {
            message: format!(
                "run {} had been interrupted; what it proves is in the baseline, and this run plans anew",
                earlier.folder.id()
            ),
        });
    }
    Ok(())
}
