//! `runs list`: every kept run in one line.

use super::listed::Listed;
use super::{FORMAT, counted, table};
use crate::app::Context;
use crate::app::config_check::size;
use crate::app::exit::{AppError, ExitCode};
use crate::app::explain::Format;
use crate::app::output::json;
use crate::config;
use crate::runs::shelf;
use serde::Serialize;

#[derive(Serialize)]
struct Listing {
    format: u32,
    state: String,
    runs: Vec<Listed>,
}

/// Every kept run, oldest first, as a person or a program reads it.
///
/// # Errors
/// Those of the configuration, which names the state folder, and of its disk. A run that cannot be read is listed so.
pub fn list(context: &Context<'_>, format: Format) -> Result<(ExitCode, String), AppError> {
    let state = config::load(&context.config)?.run.state;
    let runs: Vec<Listed> = shelf(&state)?.iter().map(Listed::of).collect();
    let text = match format {
        Format::Json => json(&Listing { format: FORMAT, state: state.display().to_string(), runs })?,
        Format::Text if runs.is_empty() => {
            format!("{} holds no run yet; start one with `run` or `plan`\n", state.display())
        }
        Format::Text => {
            let rows: Vec<_> = runs.iter().map(Listed::cells).collect();
            let bytes = size(runs.iter().map(|run| run.bytes).sum());
            let all = counted(runs.len());
            table(Listed::HEADINGS, &Listed::FIGURES, &rows) + &format!("\n{all} in {}, {bytes}\n", state.display())
        }
    };
    Ok((ExitCode::Done, text))
}
