//! Which run is meant: an id, `latest`, or the path of a folder that was copied elsewhere.

use super::Context;
use super::exit::AppError;
use crate::config;
use crate::runs::{RunFolder, RunsError};
use std::path::Path;

/// The folder of `run`. Only ids and `latest` need the configuration, which names the state folder.
///
/// # Errors
/// [`AppError::Usage`] when there is no such run; those of the configuration.
pub fn find(context: &Context<'_>, run: &str) -> Result<RunFolder, AppError> {
    if run == "latest" {
        let state = config::load(&context.config)?.run.state;
        // A folder without a manifest is what a crash left while the plan was being written.
        let mut runs = RunFolder::list(&state)?.into_iter();
        return runs.rfind(|folder| folder.manifest_path().exists()).ok_or_else(|| {
            AppError::Usage(format!("{} holds no run yet; start one with `run`", state.display()).into())
        });
    }
    let path = Path::new(run);
    if path.components().count() != 1 || path.join("manifest.json").exists() {
        // The folder's own name and its neighbours are wanted, also of `.` and of a link.
        let folder = std::fs::canonicalize(path).ok().filter(|folder| folder.is_dir()).ok_or_else(|| {
            AppError::Usage(format!("there is no folder `{run}`; name a run's id, `latest`, or its folder").into())
        })?;
        return Ok(RunFolder::at(&folder));
    }
    let state = config::load(&context.config)?.run.state;
    RunFolder::open(&state, run).map_err(|error| match error {
        error @ RunsError::NoSuchRun { .. } => AppError::Usage(Box::new(error)),
        error => error.into(),
    })
}
