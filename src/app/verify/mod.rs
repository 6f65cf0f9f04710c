//! `verify RUN`: proves a run again from the files of its folder alone.
//!
//! In: a run's folder, wherever it was copied to, and the folders of other runs beside it. Out: what is proven, every
//! file that is not what it should be (what was expected, what was found), and the hash that a reviewer notes. Never:
//! exports, network, keys, the lock, the state beyond the runs' folders; a change to any file.

mod chain;
mod files;
mod finding;
mod page;
mod sums;
#[cfg(test)]
mod tests;

use super::Context;
use super::exit::{AppError, ExitCode};
use super::explain::Format;
use super::find::find;
use super::output::json;
use crate::runs::RunFolder;
use finding::{Check, State, Verification};

/// Proves `run` (an id, `latest`, or a folder's path) and returns what a person or a program reads.
///
/// # Errors
/// [`AppError::Usage`] when there is no such run. What is wrong with its files is the result, not an error: the exit code is
/// then [`ExitCode::Input`], or [`ExitCode::Internal`] where only a total does not tie.
pub fn verify(context: &Context<'_>, run: &str, format: Format) -> Result<(ExitCode, String), AppError> {
    let verification = prove(&find(context, run)?);
    let code = if !verification.findings.is_empty() {
        ExitCode::Input
    } else if verification.verified {
        ExitCode::Done
    } else {
        ExitCode::Internal
    };
    let text = match format {
        Format::Text => page::page(&verification),
        Format::Json => json(&verification)?,
    };
    Ok((code, text))
}

/// Everything that can be proven of the run in `folder`.
fn prove(folder: &RunFolder) -> Verification {
    let mut proving = Verification::of(folder);
    let manifest = files::manifest(folder, &mut proving);
    if let Some(manifest) = manifest {
        let sound = files::files(folder, &manifest, &mut proving);
        let sound = files::journal(folder, &manifest, &mut proving) && sound;
        if sound {
            sums::sums(folder.clone(), manifest, &mut proving);
        } else {
            let why = "a file that it rests on is not what it was";
            proving.not_proven(&[Check::PLAN, Check::TOTALS, Check::REPORT], why);
        }
    } else {
        let rest = [Check::FILES, Check::JOURNAL, Check::PLAN, Check::TOTALS, Check::REPORT];
        proving.not_proven(&rest, "without its manifest nobody knows what it should be");
    }
    chain::chain(folder, &mut proving);
    proving.verified = proving.findings.is_empty() && !proving.checks.iter().any(|check| check.state == State::Failed);
    proving
}
