//! `plan`: the same as `run` without sending. No network, no change to the baseline, nothing written but its own run folder.

use super::exit::{AppError, ExitCode};
use super::prepare::{Request, Wanted, prepare};
use super::{Context, finish};
use crate::config;
use crate::model::Instant;
use crate::plan::rows_to_send;
use crate::runs::Mode;

/// What a plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The plan's clock; `None`: now.
    pub as_of: Option<Instant>,
    /// Whether changes to send have an exit code of their own.
    pub detailed_exitcode: bool,
    /// Guards that are overridden this once.
    pub allow: Vec<String>,
    /// Which of the plan's rows are to be sent.
    pub wanted: Wanted,
}

impl Default for Options {
    fn default() -> Self {
        Self { as_of: None, detailed_exitcode: false, allow: vec![], wanted: Wanted::All }
    }
}

/// Plans, reports what a run would do, and returns what a person reads.
pub fn plan(context: &Context<'_>, options: &Options) -> Result<(ExitCode, String), AppError> {
    let settings = config::load(&context.config)?;
    let started_at = context.now();
    let run_id = context.run_id();
    let salt = context.salt(&settings, false)?;
    let monitor = context.monitor(&run_id);
    let request = Request {
        run_id,
        mode: Mode::Plan,
        as_of: options.as_of.unwrap_or(started_at),
        started_at,
        allow: &options.allow,
        wanted: &options.wanted,
        trials: &context.trials,
        salt,
    };
    let prepared = prepare(&settings, request, &*monitor).map_err(|error| context.discreetly(error))?;
    let changes = rows_to_send(&prepared.rows, prepared.manifest.selection.as_ref())?;
    let (code, summary) = finish::finish(prepared, context.now())?;
    let would_send = matches!(code, ExitCode::Done | ExitCode::NeedsAPerson) && changes > 0;
    Ok((if options.detailed_exitcode && would_send { ExitCode::Changes } else { code }, summary))
}
