//! A night: a command that sends is carried out to its end, and whoever is not there is told how it ended.
//!
//! Told is every end from the moment at which the configuration could be read, a fault of the program included. Nobody is
//! told of a command that found nothing to do, of a slip on the command line, nor of a start that met another run: that
//! one tells its own end, and where it never ends the dead man's switch hears nothing.

use super::Context;
use super::exit::{AppError, ExitCode};
use super::why::Why;
use crate::config::Settings;
use crate::model::Instant;
use crate::monitor::RunName;
use crate::notify::{Ended, Figures, Notifier};
use crate::report::meaning;
use crate::runs::RunFolder;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// What is known so far of the run that a command carries out.
#[derive(Clone, Default)]
pub struct Night {
    /// The run that log lines are of.
    pub run: RunName,
    fresh: Arc<OnceLock<String>>,
    telling: Arc<Mutex<Option<Telling>>>,
    why: Arc<OnceLock<Why>>,
}

/// Who is to be told, and how far the command has come.
struct Telling {
    notifier: Arc<Notifier>,
    name: String,
    state: PathBuf,
    /// Whether the lock was had, and with it something to tell.
    begun: bool,
    start: Option<JoinHandle<()>>,
}

impl Night {
    pub(super) fn fresh_id(&self, make: impl FnOnce() -> String) -> String {
        self.fresh.get_or_init(make).clone()
    }

    /// Why the run ends as it does, although its report is written.
    pub(super) fn because(&self, why: Why) {
        // There is one end, and the first cause is its cause.
        let _ = self.why.set(why);
    }

    /// What is said last on standard error of a run that ended with `code` after its report was written; `None`: it came to
    /// its end.
    pub fn last_words(&self, code: ExitCode) -> Option<String> {
        self.why.get().map(|why| format!("error: exit {}: {}\n", code.code(), why.said))
    }

    fn telling(&self) -> std::sync::MutexGuard<'_, Option<Telling>> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context<'_> {
    /// The configuration has been read: from here on ends are told.
    pub fn configured(&self, settings: &Settings) {
        let Some(notifier) = Notifier::new(&settings.notify, self.env) else { return };
        *self.night.telling() = Some(Telling {
            notifier: Arc::new(notifier),
            name: name(settings, &self.config),
            state: settings.run.state.clone(),
            begun: false,
            start: None,
        });
    }

    /// The lock is had, and the run `id` under way. Must be called inside a tokio runtime.
    pub fn begun(&self, id: &str) {
        let monitor = self.monitor(id);
        if let Some(telling) = &mut *self.night.telling() {
            telling.begun = true;
            let (notifier, id) = (telling.notifier.clone(), id.to_owned());
            // Beside the run, which does not wait for it.
            telling.start = Some(tokio::spawn(async move { notifier.begun(&id, &*monitor).await }));
        }
    }
}

/// What notices call a configuration.
pub(super) fn name(settings: &Settings, config: &Path) -> String {
    let stem = || config.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    settings.notify.name.clone().or_else(stem).unwrap_or_default()
}

/// Carries out `work`, tells how it ended, and returns what it came to.
pub fn carry_out(
    context: &Context<'_>,
    runtime: &Runtime,
    command: &'static str,
    work: impl Future<Output = Result<(ExitCode, String), AppError>>,
) -> Result<(ExitCode, String), AppError> {
    let started_at = context.now();
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
    let result = ended.unwrap_or_else(|fault| Err(of_a_fault(&*fault)));
    runtime.block_on(tell(context, command, started_at, &result));
    result
}

/// What a panic becomes: the exit code of a fault, and a first line like any other's.
fn of_a_fault(fault: &(dyn Any + Send)) -> AppError {
    let said = fault.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| fault.downcast_ref::<String>().cloned()).unwrap_or_else(|| "nothing".to_owned());
    AppError::Internal(format!("a fault of the program; keep the run's folder and report it ({said})").into())
}

async fn tell(
    context: &Context<'_>,
    command: &'static str,
    started_at: Instant,
    result: &Result<(ExitCode, String), AppError>,
) {
    let Some(telling) = context.night.telling().take() else { return };
    let is_nothing = matches!(result, Ok(_) | Err(AppError::Usage(_) | AppError::Lock(_)));
    if is_nothing && !telling.begun {
        return;
    }
    if let Some(start) = telling.start {
        // Whether it arrived or not: an end must not overtake its beginning.
        let _ = start.await;
    }
    let run_id = context.night.run.get().unwrap_or_else(|| context.run_id());
    let (code, error) = match result {
        Ok((code, _)) => (*code, context.night.why.get().map(|why| why.told.clone())),
        Err(error) => (error.exit_code(), Some(context.redaction.noticed(error))),
    };
    let exit_code = code.code();
    let folder = RunFolder::at(&telling.state.join("runs").join(&run_id));
    let ended = Ended {
        name: telling.name,
        command,
        exit_code,
        meaning: meaning(exit_code),
        started_at,
        ended_at: context.now(),
        error,
        todo: context.night.why.get().and_then(|why| why.todo),
        figures: Figures::of(&folder, exit_code, started_at),
        run_id,
    };
    let monitor = context.monitor(&ended.run_id);
    telling.notifier.ended(&ended, &telling.state, &*monitor).await;
}

#[cfg(test)]
mod tests {
    use super::carry_out;
    use crate::app::exit::{AppError, ExitCode};
    use crate::app::tests::{context, site};
    use crate::config;
    use std::path::Path;

    /// The metrics after `work` of a run over `site`, which may have been configured and have begun.
    fn metrics_after(
        site: &Path,
        begun: bool,
        work: impl FnOnce() -> Result<(ExitCode, String), AppError>,
    ) -> (Result<ExitCode, u8>, String) {
        let context = context(site);
        let settings = config::load(&context.config).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let result = carry_out(&context, &runtime, "run", async {
            context.configured(&settings);
            if begun {
                context.begun(&context.run_id());
            }
            work()
        });
        let result = result.map(|(code, _)| code).map_err(|error| error.exit_code().code());
        (result, std::fs::read_to_string(site.join("recon.prom")).unwrap_or_default())
    }

    #[test]
    fn a_fault_of_the_program_is_told_like_any_other_end_and_ends_with_1() {
        let site = site();
        let mut text = std::fs::read_to_string(site.path().join("tether-recon.toml")).unwrap();
        text += "[notify]\nmetrics = \"recon.prom\"\n";
        std::fs::write(site.path().join("tether-recon.toml"), text).unwrap();
        // Who did nothing, or slipped, or met another run has nothing to tell.
        for quiet in [
            || Ok((ExitCode::Done, String::new())),
            || Err(AppError::Usage("no such run".into())),
            || Err(AppError::Lock("process 7".into())),
        ] {
            assert_eq!(metrics_after(site.path(), false, quiet).1, "");
        }
        let (code, metrics) = metrics_after(site.path(), true, || panic!("a sum that cannot be"));
        assert_eq!(code, Err(1));
        assert!(metrics.contains("last_run_exit_code{config=\"tether-recon\"} 1\n"), "{metrics}");
        let (_, metrics) = metrics_after(site.path(), true, || Err(AppError::Usage("nobody is called so".into())));
        assert!(
            metrics.contains("last_run_exit_code{config=\"tether-recon\"} 2\n"),
            "what began has an end: {metrics}"
        );
    }
}
