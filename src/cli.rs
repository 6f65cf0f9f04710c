//! The command line: types that clap fills, nothing else.

mod apply;
mod baseline;
mod discretion;
mod examples;
mod init;
mod misspelt;
mod pages;
mod sandbox;
#[cfg(test)]
mod tests;

pub use apply::ApplyArgs;
pub use baseline::{BaselineCommand, BaselineRebuildArgs};
pub use discretion::{DiscretionArgs, ResumeArgs};
pub use init::InitArgs;
pub use misspelt::Misspelt;
pub use pages::{completions, man};
pub use sandbox::{ProductFile, SandboxArgs, SandboxProduct};

use crate::app::exit::help_table;
use crate::app::plan::Options;
use crate::app::report::{ReportFormat, Wanted};
use crate::app::run::Wanted as RowsWanted;
use crate::app::runs::Keep;
use crate::config::schema::keys_of;
use crate::load::TRIAL_ARGUMENT;
use crate::model::Instant;
use crate::monitor::{LogFormat, LogLevel};
use apply::apply_help;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use examples::{
    COMPLETIONS_EXAMPLES, CONFIG_EXAMPLES, EXAMPLES, EXPLAIN_EXAMPLES, INIT_EXAMPLES, MAN_EXAMPLES, NOTIFY_EXAMPLES,
    PLAN_EXAMPLES, REPORT_EXAMPLES, RESUME_EXAMPLES, RUN_EXAMPLES, RUNS_EXAMPLES, SANDBOX_EXAMPLES, SCHEMA_EXAMPLES,
    VERIFY_EXAMPLES,
};
use std::ffi::OsString;
use std::path::PathBuf;

pub use crate::app::config_init::DEFAULT_CONFIG;

/// The environment variable that names the configuration when `--config` does not.
pub const CONFIG_VARIABLE: &str = "TETHER_RECON_CONFIG";

/// The guards that `--allow` may name: the keys of `[guards]`.
fn guards() -> PossibleValuesParser {
    keys_of("guards").into()
}

const ABOUT: &str = "Reconciles Stripe and CRM exports with the customers of a Tether account";

const LONG_ABOUT: &str = "\
Reconciles Stripe and CRM exports with the customers of a Tether account.

It links exports into one desired customer each, compares them with what Tether holds, sends what differs, and writes a \
report that a reviewer can sign: what was created, updated or refused, and why every other row was not sent.

Start with `config init` in the folder of your exports, then `config check`, then `plan`, which sends nothing; `run` is what a scheduler calls. Results go to standard \
output, talk to standard error.";

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(name = "tether-recon", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = with_codes(EXAMPLES),
    subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What stands below the help of a command whose exit code tells what to do.
fn with_codes(examples: &str) -> String {
    format!("{examples}\n{}", help_table())
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// The configuration [default: `$TETHER_RECON_CONFIG`, else `tether-recon.toml` in this folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How log lines look on standard error: text for people, json for a log collector
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// The least important log lines to show [default: info; of `explain` warn]
    #[arg(long, global = true, value_name = "LEVEL", conflicts_with_all = ["verbose", "quiet"])]
    pub log_level: Option<LogLevel>,
    /// Show more: -v for every retry, -vv for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show less: -q for warnings and errors, -qq for errors only
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// Show no progress bar, even on a terminal
    #[arg(long, global = true)]
    pub no_progress: bool,
}

impl GlobalArgs {
    /// The configuration's path: `--config`, else [`CONFIG_VARIABLE`] if `env` knows it, else [`DEFAULT_CONFIG`].
    pub fn config_path(&self, env: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
        let named = || env(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.config.clone().or_else(named).unwrap_or_else(|| DEFAULT_CONFIG.into())
    }

    /// The level that `--log-level`, `-v` and `-q` ask for together; without any of them it is `command`'s own.
    pub fn level(&self, command: &Command) -> LogLevel {
        self.log_level.unwrap_or(match (self.verbose, self.quiet) {
            // Its page is what was asked for: that files were read is no news beside it.
            (0, 0) if matches!(command, Command::Explain(_)) => LogLevel::Warn,
            (0, 0) => LogLevel::Info,
            (0, 1) => LogLevel::Warn,
            (0, _) => LogLevel::Error,
            (1, _) => LogLevel::Debug,
            _ => LogLevel::Trace,
        })
    }
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Plan, guard, send, report: what a scheduler calls
    ///
    /// Takes the lock, plans, lets the guards judge the plan, sends what differs at the configured rate, and writes the
    /// report into the run's folder. A run that a deadline, an outage or a signal cut short ends with 5 and is finished
    /// by `resume`.
    #[command(after_long_help = with_codes(RUN_EXAMPLES))]
    Run(RunArgs),
    /// Plan and report without sending: no network, no change to the baseline
    ///
    /// The same files, configuration, baseline and --as-of give the same plan, byte for byte.
    #[command(after_long_help = with_codes(PLAN_EXAMPLES))]
    Plan(PlanArgs),
    /// Send a plan that was reviewed, exactly, approved by its hash
    ///
    /// Sends what the plan in RUN says, from a run folder of its own that names the plan, its hash and who approved; the
    /// plan's folder stays as it is. Refuses with 8, naming what changed, when an input, a setting or the baseline is not
    /// what was planned with, when the plan is older than --max-age, and when it was applied already; with 2 when HASH is
    /// not the plan's. The guards are asked again.
    #[command(after_long_help = apply_help())]
    Apply(ApplyArgs),
    /// Finish the newest interrupted run
    ///
    /// Goes on in that run's folder with its own plan, from what its journal proves. With nothing to resume it says so and
    /// ends with 0. Inputs that changed in between are refused with 8: plan anew with `run`.
    #[command(after_long_help = with_codes(RESUME_EXAMPLES))]
    Resume(ResumeArgs),
    /// Write the report again from a run's files
    ///
    /// Needs no export, key or network, only the run's folder. The same bytes, as often as it is asked. Ends with 0 once
    /// the report is written, whatever the run ended with.
    #[command(after_long_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Prove a run's hashes, sums and tie-outs again from its files alone
    ///
    /// Needs no export, key, network or state, only the run's folder, wherever it was copied to. Holds every file against
    /// the hash that the manifest names, computes every total again from plan, accounting and journal, makes the report
    /// again and compares it byte for byte, and walks the chain of the runs that are kept beside it. Ends with 8 and names
    /// the file where anything was changed; with 1 where a total does not tie.
    #[command(after_long_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Everything about one customer: sources, links, MRR step by step, Tether, every call of the kept runs
    ///
    /// Who it is, where each value came from (file and line) and what lost against it, which links were made and refused and
    /// why, how the MRR comes about, what Tether holds and what a run would do, and what happened in each kept run. Reads the
    /// exports that the configuration names, the baseline and the kept runs, and writes nothing: no network, no lock. Where the
    /// exports cannot be read it tells what the kept runs know. Ends with 2 when nobody is called KEY.
    #[command(after_long_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// A local Tether: the documented endpoint, in full, with faults on demand
    ///
    /// Listens on this machine until it is interrupted. The products, their keys and their creation gates are those that
    /// --product names; without one, the configuration's.
    #[command(after_long_help = SANDBOX_EXAMPLES)]
    Sandbox(SandboxArgs),
    /// The kept runs: list them, remove old ones
    #[command(subcommand)]
    Runs(RunsCommand),
    /// What Tether's replies showed: make it again from the kept runs
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Notices of how a run ended: try them
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// The configuration: make one, check it, describe it to an editor
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completions of a shell
    #[command(after_long_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print a manual page: of the program, or of one command
    #[command(after_long_help = MAN_EXAMPLES)]
    Man(ManArgs),
    /// Read one Parquet file for another process of this program
    #[command(name = TRIAL_ARGUMENT, hide = true)]
    TryParquet,
}

impl Command {
    /// Whether it makes or continues a run, whose id its log lines carry.
    pub const fn has_a_run(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Plan(_) | Self::Apply(_) | Self::Resume(_))
    }
}

/// `run`
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Fix the clock of the run: 2026-11-01 (its first second, in UTC) or 2026-11-01T06:30:00Z [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Instant>,
    /// Let the run pass this guard once; repeat for several
    #[arg(long, value_name = "GUARD", value_parser = guards())]
    pub allow: Vec<String>,
    /// What of the plan is sent.
    #[command(flatten)]
    pub chosen: ChosenArgs,
    /// What is told of names and addresses.
    #[command(flatten)]
    pub discretion: DiscretionArgs,
}

/// What of a plan is sent: of `run` and of `plan`.
#[derive(Debug, Clone, Args)]
pub struct ChosenArgs {
    /// Send only the N customers with the largest change of MRR, over all products; the rest is left to a later run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Send only this customer: a Stripe customer's id, an e-mail, an external id, a Tether id, or a `key` of the report
    #[arg(long, value_name = "KEY", conflicts_with = "limit")]
    pub only: Option<String>,
}

impl ChosenArgs {
    /// Which rows of the plan are asked for.
    pub fn wanted(&self) -> RowsWanted {
        match (self.limit, &self.only) {
            (Some(most), _) => RowsWanted::Limit(most),
            (None, Some(key)) => RowsWanted::Only(key.clone()),
            (None, None) => RowsWanted::All,
        }
    }
}

/// `plan`
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Fix the clock of the plan: 2026-11-01 (its first second, in UTC) or 2026-11-01T06:30:00Z [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Instant>,
    /// End with 10 instead of 0 or 3 when there are changes to send
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Let the plan, and what applies it, pass this guard once; repeat for several
    #[arg(long, value_name = "GUARD", value_parser = guards())]
    pub allow: Vec<String>,
    /// What of it is to be sent.
    #[command(flatten)]
    pub chosen: ChosenArgs,
    /// What is told of names and addresses.
    #[command(flatten)]
    pub discretion: DiscretionArgs,
}

/// `report`
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The run's id, `latest`, or the path of its folder, wherever that was copied to
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Only these formats, separated by commas [default: all]
    #[arg(long, value_name = "FORMATS", value_delimiter = ',')]
    pub format: Vec<ReportFormat>,
    /// Write into this folder, which is made if it is not there [default: the run's own]
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// What is told of names and addresses.
    #[command(flatten)]
    pub discretion: DiscretionArgs,
}

/// `verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The run's id, `latest`, or the path of its folder, wherever that was copied to
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Print JSON for programs (described in docs/FORMAT.md) instead of a page for people
    #[arg(long)]
    pub json: bool,
}

impl From<PlanArgs> for Options {
    fn from(args: PlanArgs) -> Self {
        let wanted = args.chosen.wanted();
        Self { as_of: args.as_of, detailed_exitcode: args.detailed_exitcode, allow: args.allow, wanted }
    }
}

impl From<ReportArgs> for Wanted {
    fn from(args: ReportArgs) -> Self {
        Self { run: args.run, formats: args.format, output: args.output }
    }
}

impl ValueEnum for ReportFormat {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

/// `explain`
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A Stripe customer's id, a subscription's, an e-mail, an external id, a contact (hubspot:7), a Tether id
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Fix the clock: 2026-11-01 (its first second, in UTC) or 2026-11-01T06:30:00Z [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Instant>,
    /// Print JSON for programs (described in docs/FORMAT.md) instead of a page for people
    #[arg(long)]
    pub json: bool,
}

/// `runs …`
#[derive(Debug, Clone, Subcommand)]
pub enum RunsCommand {
    /// Every kept run in one line: what it was, how it ended, what it came to, how much room it takes
    ///
    /// Reads manifests and summaries only, and takes no lock. A run that cannot be read is listed as that.
    #[command(after_long_help = RUNS_EXAMPLES)]
    List(RunsListArgs),
    /// Remove runs and plans that are old enough, and say which
    ///
    /// Never one that has not ended, nor what the next run looks at: the end of the chain, the newest that sent, the newest
    /// complete one. Of the runs that name each other the oldest go first, so that `verify` still proves what stays. The
    /// baseline is not touched. Takes the lock.
    #[command(after_long_help = RUNS_EXAMPLES)]
    Prune(RunsPruneArgs),
}

/// `runs list`
#[derive(Debug, Clone, Args)]
pub struct RunsListArgs {
    /// Print JSON for programs (described in docs/FORMAT.md) instead of a table for people
    #[arg(long)]
    pub json: bool,
}

/// `runs prune`
#[derive(Debug, Clone, Args)]
pub struct RunsPruneArgs {
    /// Keep what ended in the last so many days: 90d
    #[arg(long, value_name = "DAYS")]
    pub keep: Keep,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON for programs (described in docs/FORMAT.md) instead of a text for people
    #[arg(long)]
    pub json: bool,
}

/// `notify …`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum NotifyCommand {
    /// Tell everybody that `[notify]` names that this is a test
    ///
    /// Sends a text to slack and webhook, and to the dead man's switch that a run began and succeeded; that of failure is left
    /// alone. Says who was reached, by host. Ends with 5 where somebody was not reached, with 6 where an address is not there.
    #[command(after_long_help = with_codes(NOTIFY_EXAMPLES))]
    Test,
}

/// `config …`
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Look at a folder of exports and write a commented configuration for them
    ///
    /// Recognises each file below FOLDER by its content, asks a few questions on a terminal (Enter takes what was recognised),
    /// and writes a configuration that `config check` and `plan` work with at once. Keys are never asked for, only where they
    /// will stand. Ends with 2 when a configuration is there already, with 8 when no export of Stripe is.
    #[command(after_long_help = INIT_EXAMPLES)]
    Init(InitArgs),
    /// Report every problem of the configuration, or tell what a run would do
    ///
    /// Reads the beginning of every file (of Parquet the footer): what it is taken for, which columns a run reads, what a
    /// missing one costs. Needs no key and no network. Ends with 2 and every problem of the configuration, or with 8 and every
    /// file that a run would refuse.
    #[command(after_long_help = with_codes(CONFIG_EXAMPLES))]
    Check,
    /// Print the JSON Schema of the configuration, for editors
    ///
    /// An editor that knows TOML completes keys, explains them and marks what is misspelt, given the line
    /// `#:schema ./tether-recon.schema.json` at the top of the configuration. What values mean together only `config check` knows.
    #[command(after_long_help = SCHEMA_EXAMPLES)]
    Schema,
}

/// `completions`
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `man`
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The command: `run`, or two words such as `runs prune` [default: the whole program]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}
