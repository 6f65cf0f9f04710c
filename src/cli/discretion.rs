//! Who is told names and addresses.

use super::Command;
use clap::Args;

impl Command {
    /// Whether names and addresses are to be left out, by the command line alone.
    pub const fn redacts(&self) -> bool {
        match self {
            Self::Run(args) => args.discretion.redact,
            Self::Plan(args) => args.discretion.redact,
            Self::Apply(args) => args.discretion.redact,
            Self::Resume(args) => args.discretion.redact,
            Self::Report(args) => args.discretion.redact,
            _ => false,
        }
    }
}

/// What is told of names and addresses.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct DiscretionArgs {
    /// Write hashes where names and e-mail addresses would stand: in the report, the log and errors [default: as configured]
    #[arg(long)]
    pub redact: bool,
}

/// `resume`
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// What is told of names and addresses.
    #[command(flatten)]
    pub discretion: DiscretionArgs,
}
