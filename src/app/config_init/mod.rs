//! `config init`: looks at a folder of exports, recognises them by content, asks what they cannot say, and writes a commented
//! configuration that a run can work with at once.

mod columns;
mod page;
mod patterns;
mod proposal;
mod questions;
#[cfg(test)]
mod tests;
mod text;

pub use questions::Dialogue;

use super::Context;
use super::config_check::WouldBeRefused;
use super::exit::{AppError, ExitCode};
use super::output::write_text;
use crate::config;
use crate::load::{look, survey};
use crate::runs::{RunsError, write_atomic};
use proposal::Proposal;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The configuration when nothing names one, in the current folder.
pub const DEFAULT_CONFIG: &str = "tether-recon.toml";

/// What `config init` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The folder of exports; `None`: the current one.
    pub folder: Option<PathBuf>,
    /// Where the configuration goes, `-` for standard output; `None`: where every command looks for it.
    pub output: Option<PathBuf>,
    /// Replace a configuration that is there.
    pub force: bool,
}

/// Why no configuration was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder cannot be read.
    #[error("cannot look into {}: {source}; name the folder of your exports: `tether-recon config init FOLDER`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is a configuration already.
    #[error("{} is there already; --force replaces it, --output FILE writes elsewhere (- to standard output)", path.display())]
    Exists {
        /// The configuration.
        path: PathBuf,
    },
    /// Without Stripe's customers there is nothing to reconcile.
    #[error(
        "no Stripe customers or subscriptions were recognised in {}; export Customers and Subscriptions with all columns from \
         the Stripe dashboard into it, then `tether-recon config init` again", folder.display()
    )]
    NoStripe {
        /// The folder.
        folder: PathBuf,
    },
}

impl InitError {
    fn class(self) -> AppError {
        match self {
            Self::Folder { .. } | Self::Exists { .. } => AppError::Usage(Box::new(self)),
            Self::NoStripe { .. } => AppError::Input(Box::new(self)),
        }
    }
}

/// Surveys the folder, asks through `dialogue` if there is one, writes the configuration, and tells on `out` what was
/// recognised and what to type next; with the configuration itself on `out`, on `talk`.
///
/// # Errors
/// [`InitError`], with the table of what is in the folder on `out` where nothing was of use.
pub fn init(
    context: &Context<'_>,
    wanted: &Wanted,
    dialogue: Option<&mut Dialogue<'_>>,
    out: &mut dyn Write,
    talk: &mut dyn Write,
) -> Result<ExitCode, AppError> {
    let internal = |error: std::fmt::Error| AppError::Internal(Box::new(error));
    let to_output = wanted.output.as_deref() == Some(Path::new("-"));
    let target = wanted.output.clone().unwrap_or_else(|| context.config.clone());
    if !to_output && !wanted.force && target.exists() {
        return Err(InitError::Exists { path: target }.class());
    }
    let named = wanted.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    let unreadable = |source| InitError::Folder { folder: named.clone(), source }.class();
    let folder: PathBuf = std::path::absolute(&named).map_err(unreadable)?.components().collect();
    let beside =
        target.parent().filter(|parent| !to_output && !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let base: PathBuf = std::path::absolute(beside).map_err(unreadable)?.components().collect();

    let found = survey(&folder, &context.trials).map_err(unreadable)?;
    let table = page::table(&found, &folder).map_err(internal)?;
    let tell: &mut dyn Write = if to_output { talk } else { out };
    write_text(tell, &table)?;
    let mut proposal = Proposal::of(&found, &folder, &base);
    if proposal.customers.is_empty() && proposal.files.is_empty() {
        return Err(InitError::NoStripe { folder: named }.class());
    }
    let asked = dialogue.is_some();
    if let Some(dialogue) = dialogue {
        write_text(tell, "\n")?;
        questions::ask(&mut proposal, dialogue).map_err(AppError::disk)?;
    }
    let text = text::text(&proposal, &named.display().to_string()).map_err(internal)?;
    // What is written must be what a run can read: its own checks judge it before it is.
    let settings = config::parse(&text, &base).map_err(|errors| AppError::Internal(Box::new(errors)))?;
    let look = look(&settings, &context.trials);
    if to_output {
        write_text(out, &text)?;
    } else {
        write_atomic(&target, |file| file.write_all(text.as_bytes())).map_err(|error| match error {
            RunsError::Io { .. } => AppError::disk(error),
            other => other.into(),
        })?;
    }
    let tell: &mut dyn Write = if to_output { talk } else { out };
    let mut said = String::new();
    if !to_output {
        writeln!(said, "\nWritten: {}", target.display()).map_err(internal)?;
    }
    let mut open = page::left_open(&proposal, asked);
    if let Some(refused) = WouldBeRefused::of(&settings, &look) {
        open.insert(0, format!("a run would refuse what is there: {refused}"));
    }
    if !open.is_empty() {
        said.push_str("\nFor you to look at\n");
        for line in open {
            writeln!(said, "  - {line}").map_err(internal)?;
        }
    }
    if !to_output {
        let option =
            if target == Path::new(DEFAULT_CONFIG) { String::new() } else { format!(" --config {}", target.display()) };
        writeln!(said, "\nNext").map_err(internal)?;
        writeln!(said, "  tether-recon{option} config check    what a run would make of every file")
            .map_err(internal)?;
        writeln!(said, "  tether-recon{option} plan            what it would send; nothing is sent")
            .map_err(internal)?;
    }
    write_text(tell, &said)?;
    Ok(ExitCode::Done)
}
