//! The arguments of `apply`.

use super::examples::APPLY_EXAMPLES;
use super::{DiscretionArgs, guards};
use crate::app::apply::Approved;
use crate::app::exit::help_table;
use crate::config::parse_duration;
use clap::Args;
use std::time::Duration;

/// `apply`
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The plan's id, `latest`, or the path of its folder
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The approved hash, as the plan's output and report show it (SHA-256)
    #[arg(long, value_name = "HASH")]
    pub approve: String,
    /// Who approved it: stands in the manifest and in the report
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub approved_by: Option<String>,
    /// Refuse a plan that is older: 90m, 24h, 7d
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    pub max_age: Duration,
    /// Let the plan pass this guard once; repeat for several
    #[arg(long, value_name = "GUARD", value_parser = guards())]
    pub allow: Vec<String>,
    /// What is told of names and addresses.
    #[command(flatten)]
    pub discretion: DiscretionArgs,
}

/// What stands below its help.
pub(super) fn apply_help() -> String {
    format!("{APPLY_EXAMPLES}\n{}", help_table())
}

/// A name as a report can show it.
fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err("write a name of at most 200 characters, without control characters".to_owned());
    }
    Ok(name.to_owned())
}

impl From<ApplyArgs> for Approved {
    fn from(args: ApplyArgs) -> Self {
        Self { run: args.run, hash: args.approve, by: args.approved_by, max_age: args.max_age, allow: args.allow }
    }
}
