//! From a command line to its command: which one it asks for, and what of that goes to standard output.
//!
//! In: typed arguments, the world as [`Context`]. Out: an exit code; what was printed. Never: a rule, or anything that a command
//! does.

use crate::app::exit::{AppError, ExitCode, Next};
use crate::app::{
    Context, apply, baseline, config_check, config_init, explain, night, notices, output, plan, report, resume, run,
    runs, sandbox, verify,
};
use crate::cli::{
    BaselineCommand, Command, ConfigCommand, InitArgs, Misspelt, NotifyCommand, RunsCommand, completions, man,
};
use crate::config::json_schema;
use crate::load::answer_trial;
use crate::model::Instant;
use crate::monitor::{LogFormat, LogLevel, RunName, init_logging, last_words};
use crate::runs::run_id;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};

/// Says what is wrong with the command line, or shows the help: as a log line where it asks for those in JSON.
///
/// `words`: what was typed behind the program's name; `now` and `random` name the run that was asked for.
pub fn misspelt(words: impl Iterator<Item = OsString>, refusal: &clap::Error, now: Instant, random: u16) -> ExitCode {
    let words = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let misspelt = Misspelt::new(words, refusal);
    if !refusal.use_stderr() || !(misspelt.wants_json() || misspelt.holds_a_key()) {
        refusal.exit();
    }
    let run = RunName::default();
    if misspelt.is_of_a_run() {
        run.set(&run_id(now, random));
    }
    let format = if misspelt.wants_json() { LogFormat::Json } else { LogFormat::Text };
    init_logging(format, LogLevel::Error, &run);
    last_words(format, ExitCode::Configuration.code(), &misspelt.said());
    ExitCode::Configuration
}

/// Carries out `command`; what it prints goes to `out`.
pub fn carry_out(command: Command, context: &Context<'_>, out: &mut dyn Write) -> Result<ExitCode, AppError> {
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
        Command::Baseline(BaselineCommand::Rebuild(args)) => baseline::rebuild(context, args.into())?,
        Command::Sandbox(args) => return runtime()?.block_on(sandbox::sandbox(context, args.into(), out)),
        Command::Config(ConfigCommand::Schema) => (ExitCode::Done, output::json(&json_schema())?),
        Command::Completions(args) => return print(out, &completions(args.shell)),
        Command::Man(args) => return print(out, &man(&args.command)?),
        Command::TryParquet => {
            answer_trial(std::io::stdin().lock(), out).map_err(|error| AppError::Internal(Box::new(error)))?;
            return Ok(ExitCode::Done);
        }
        Command::Config(ConfigCommand::Init(args)) => return init(args, context, out),
        Command::Config(ConfigCommand::Check) => return config_check::run(context, out),
    };
    match output::write_text(out, &text) {
        // What came of the run stands in its report: that nobody reads the summary must not change it.
        Err(error) if has_report => {
            last_words(context.voice.format, code.code(), &format!("warning: {}\n", error.then(Next::Report)));
        }
        written => written?,
    }
    // After all that notices and reports had to say: whoever mails the last line mails why.
    if let Some(why) = context.night.last_words(code) {
        last_words(context.voice.format, code.code(), &why);
    }
    Ok(code)
}

/// Writes what a command printed as it is.
fn print(out: &mut dyn Write, text: &[u8]) -> Result<ExitCode, AppError> {
    output::write_text(out, &String::from_utf8_lossy(text)).map(|()| ExitCode::Done)
}

/// Questions go to a person at a terminal only.
fn init(args: InitArgs, context: &Context<'_>, out: &mut dyn Write) -> Result<ExitCode, AppError> {
    let (stdin, mut talk) = (std::io::stdin(), std::io::stderr());
    let asks = !args.yes && stdin.is_terminal() && talk.is_terminal();
    let (mut answers, mut questions) = (stdin.lock(), std::io::stderr());
    let mut dialogue = config_init::Dialogue { answers: &mut answers, questions: &mut questions };
    config_init::init(context, &args.into(), asks.then_some(&mut dialogue), out, &mut talk)
}
