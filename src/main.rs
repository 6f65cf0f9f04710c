//! The binary: parse, run, exit code.

use clap::Parser;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tether_recon::app::exit::{AppError, ExitCode, Next};
use tether_recon::app::{
    Context, Redaction, Voice, apply, config_check, explain, night, notices, output, plan, report, resume, run, runs,
    sandbox, signals, verify,
};
use tether_recon::cli::{Cli, Command, ConfigCommand, NotifyCommand, RunsCommand, completions, man, wants_json};
use tether_recon::config::json_schema;
use tether_recon::load::{Trials, answer_trial};
use tether_recon::model::Instant;
use tether_recon::monitor::{LogFormat, LogLevel, RunName, init_logging, last_words};
use tether_recon::runs::run_id;
use tether_recon::send::{Clock as _, SystemClock};

/// Tables come and go by the gigabyte; mimalloc gives memory back sooner and faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return misspelt(&refusal),
    };
    let env = |name: &str| std::env::var_os(name);
    let level = cli.global.level(&cli.command);
    let voice = Voice { format: cli.global.log_format, level, progress: !cli.global.no_progress };
    let night = night::Night::default();
    init_logging(voice.format, voice.level, &night.run);
    let context = Context {
        config: cli.global.config_path(&env),
        env: &env,
        clock: Arc::new(SystemClock),
        random: rand::random(),
        voice,
        trials: Trials::Process(this_program()),
        night,
        redaction: Redaction::new(cli.command.redacts(), rand::random()),
    };
    if cli.command.has_a_run() {
        // Also what is said before the run begins is said of it.
        context.night.run.set(&context.run_id());
    }
    let outlives = signals::outlive_the_limit_on_file_sizes().map_err(|error| AppError::Internal(Box::new(error)));
    match outlives.and_then(|()| carry_out(cli.command, &context, &mut std::io::stdout())) {
        Ok(code) => code.into(),
        Err(error) => {
            last_words(voice.format, error.exit_code().code(), &context.redaction.told(error.render()));
            error.exit_code().into()
        }
    }
}

/// Says what is wrong with the command line, or shows the help: as a log line where it asks for those in JSON.
fn misspelt(refusal: &clap::Error) -> std::process::ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if !refusal.use_stderr() || !wants_json(&words) {
        refusal.exit();
    }
    let run = RunName::default();
    if Command::is_of_a_run(&words) {
        run.set(&run_id(Instant::from_utc(SystemClock.now()), rand::random()));
    }
    init_logging(LogFormat::Json, LogLevel::Error, &run);
    last_words(LogFormat::Json, ExitCode::Configuration.code(), &refusal.render().to_string());
    ExitCode::Configuration.into()
}

/// This program, to be started again. On Linux by the file that runs, whatever stands at its path by then: an update does
/// not wait for a run to end.
fn this_program() -> Result<PathBuf, String> {
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe().map_err(|error| error.to_string())
}

/// Writes what a command printed as it is.
fn print(out: &mut dyn Write, text: &[u8]) -> Result<ExitCode, AppError> {
    output::write_text(out, &String::from_utf8_lossy(text)).map(|()| ExitCode::Done)
}

fn carry_out(command: Command, context: &Context<'_>, out: &mut dyn Write) -> Result<ExitCode, AppError> {
    let runtime = || tokio::runtime::Runtime::new().map_err(|error| AppError::Internal(Box::new(error)));
    let has_report = matches!(command, Command::Run(_) | Command::Apply(_) | Command::Resume(_));
    let (code, text) = match command {
        Command::Run(args) => {
            let wanted = args.chosen.wanted();
            night::carry_out(context, &runtime()?, "run", run::run(context, args.as_of, &args.allow, &wanted))?
        }
        Command::Plan(args) => plan::plan(context, &args.into())?,
        Command::Apply(args) => {
            let approved = args.into();
            night::carry_out(context, &runtime()?, "apply", apply::apply(context, &approved))?
        }
        Command::Resume(_) => night::carry_out(context, &runtime()?, "resume", resume::resume(context))?,
        Command::Notify(NotifyCommand::Test) => runtime()?.block_on(notices::test(context))?,
        Command::Report(args) => report::report(context, &args.into())?,
        Command::Verify(args) => verify::verify(context, &args.run, args.json.into())?,
        Command::Explain(args) => explain::explain(context, &args.key, args.as_of, args.json.into())?,
        Command::Runs(RunsCommand::List(args)) => runs::list(context, args.json.into())?,
        Command::Runs(RunsCommand::Prune(args)) => runs::prune(context, args.keep, args.dry_run, args.json.into())?,
        Command::Sandbox(args) => return runtime()?.block_on(sandbox::sandbox(context, args.into(), out)),
        Command::Config(ConfigCommand::Schema) => {
            let schema = serde_json::to_vec_pretty(&json_schema());
            let mut schema = schema.map_err(|error| AppError::Internal(Box::new(error)))?;
            schema.push(b'\n');
            return print(out, &schema);
        }
        Command::Completions(args) => return print(out, &completions(args.shell)),
        Command::Man(args) => return print(out, &man(&args.command)?),
        Command::TryParquet => {
            answer_trial(std::io::stdin().lock(), out).map_err(|error| AppError::Internal(Box::new(error)))?;
            return Ok(ExitCode::Done);
        }
        Command::Config(ConfigCommand::Check) => return config_check::run(context, out),
    };
    match output::write_text(out, &text) {
        // What came of the run stands in its report: that nobody reads the summary must not change it.
        Err(error) if has_report => {
            last_words(context.voice.format, code.code(), &format!("warning: {}\n", error.then(Next::Report)));
        }
        written => written?,
    }
    Ok(code)
}
