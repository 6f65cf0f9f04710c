//! `resume`: finishes an interrupted run, in its own folder, with its own plan.

use super::Context;
use super::deliver::{self, Delivery};
use super::exit::{AppError, ExitCode, Next};
use super::report;
use super::signals;
use crate::config;
use crate::journal;
use crate::load;
use crate::monitor::Event;
use crate::runs::{Holder, RunFolder, StateLock};

/// Goes on with the newest interrupted run and returns what a person reads. Must be called inside a tokio runtime.
pub async fn resume(context: &Context<'_>) -> Result<(ExitCode, String), AppError> {
    let stop = signals::listen().map_err(|error| AppError::Internal(Box::new(error)))?;
    let settings = config::load(&context.config)?;
    context.configured(&settings);
    let holder = Holder::this("resume", context.now());
    let _lock = StateLock::acquire(&settings.run.state, &holder).map_err(|e| AppError::from(e).then(Next::Resume))?;
    let Some((folder, manifest)) = RunFolder::latest_resumable(&settings.run.state)? else {
        return Ok((ExitCode::Done, "nothing to resume: no run was interrupted\n".to_owned()));
    };
    let salt = context.salt(&settings, manifest.redacted)?;
    let monitor = context.monitor(folder.id());
    context.begun(folder.id());
    let keys = deliver::keys(context, &settings)?;
    for product in &manifest.products {
        if !settings.products.iter().any(|configured| configured.name == product.name) {
            return Err(AppError::Configuration(
                format!("run {} sends to the product `{}`, which is not configured", folder.id(), product.name).into(),
            ));
        }
    }
    load::unchanged(&manifest.inputs, &settings.base)?;
    if manifest.config_hash != settings.hash {
        let message = "the configuration changed since the run was planned; its plan is finished as it was".to_owned();
        monitor.event(Event::Warning { message });
    }
    let mut prepared = report::open(folder, manifest)?;
    // Whoever asks for it now is heard; a report that was to be redacted stays so.
    if let (None, Some(salt)) = (&prepared.salt, salt) {
        prepared.redact(salt)?;
    }
    let (resumed, good, torn) = journal::load(&prepared.folder.journal_path())?;
    if torn.is_some() {
        let message = "the journal's last line was torn; it is cut off, and its row is asked about again".to_owned();
        monitor.event(Event::Warning { message });
    }
    let delivery = Delivery { context, settings: &settings, keys, monitor, stop };
    delivery.carry_out(prepared, Some((resumed, good))).await
}
