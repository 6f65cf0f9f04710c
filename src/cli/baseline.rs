//! The arguments of `baseline …`.

use super::examples::BASELINE_EXAMPLES;
use super::with_codes;
use crate::app::baseline::Options;
use clap::{Args, Subcommand};

/// `baseline …`
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineCommand {
    /// Make the baseline again from the journals of the kept runs, for one that was deleted or damaged
    ///
    /// Takes every reply of the kept runs, in the order of their chain, and says what it took and how the result differs from
    /// the present baseline. Ends with 8, and changes nothing, where runs are missing: whom only they knew would look unknown.
    /// Needs no export, key or network. Takes the lock.
    #[command(after_long_help = with_codes(BASELINE_EXAMPLES))]
    Rebuild(BaselineRebuildArgs),
}

/// `baseline rebuild`
#[derive(Debug, Clone, Args)]
pub struct BaselineRebuildArgs {
    /// Only say what it would come to
    #[arg(long)]
    pub dry_run: bool,
    /// Take what the kept runs know, though runs are missing or cannot be read
    #[arg(long)]
    pub allow_incomplete: bool,
}

impl From<BaselineRebuildArgs> for Options {
    fn from(args: BaselineRebuildArgs) -> Self {
        Self { dry_run: args.dry_run, allow_incomplete: args.allow_incomplete }
    }
}
