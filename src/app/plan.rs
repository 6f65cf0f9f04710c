//! `plan`: the same as `run` without sending. No network, no change to the baseline, nothing written but its own run folder.

use super::exit::{AppError, ExitCode};
use super::prepare::{Request, Wanted, prepare};
use super::{Context, finish};
use crate::config;
use crate::model::Instant;
use crate::plan::rows_to_send;
use crate::runs::Mode;

/// Plans, reports what a run would do, and returns what a person reads.
pub fn plan(
    context: &Context<'_>,
    as_of: Option<Instant>,
    detailed_exitcode: bool,
) -> Result<(ExitCode, String), AppError> {
    let settings = config::load(&context.config)?;
    let started_at = context.now();
    let run_id = context.run_id();
    let monitor = context.monitor(&run_id);
    let request = Request {
        run_id,
        mode: Mode::Plan,
        as_of: as_of.unwrap_or(started_at),
        started_at,
        allow: &[],
        wanted: &Wanted::All,
        trials: &context.trials,
    };
    let prepared = prepare(&settings, request, &*monitor)?;
    let changes = rows_to_send(&prepared.rows, None)?;
    let (code, summary) = finish::finish(prepared, context.now())?;
    let would_send = matches!(code, ExitCode::Done | ExitCode::NeedsAPerson) && changes > 0;
    Ok((if detailed_exitcode && would_send { ExitCode::Changes } else { code }, summary))
}
