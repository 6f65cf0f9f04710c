//! The binary: parse, run, exit code.

use clap::Parser;
use std::path::PathBuf;
use std::sync::Arc;
use tether_recon::app::exit::AppError;
use tether_recon::app::{Context, Redaction, Voice, core_dumps, night, signals};
use tether_recon::cli::Cli;
use tether_recon::commands::{carry_out, misspelt};
use tether_recon::load::Trials;
use tether_recon::model::Instant;
use tether_recon::monitor::{init_logging, last_words};
use tether_recon::send::{Clock as _, SystemClock};

/// Tables come and go by the gigabyte; mimalloc gives memory back sooner and faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            let words = std::env::args_os().skip(1);
            return misspelt(words, &refusal, Instant::from_utc(SystemClock.now()), rand::random()).into();
        }
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
    if let Err(error) = core_dumps::forbid() {
        // No reason to leave the work undone.
        let said =
            format!("warning: core dumps cannot be forbidden ({error}), and would hold keys; forbid them outside\n");
        last_words(voice.format, 0, &said);
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

/// This program, to be started again. On Linux by the file that runs, whatever stands at its path by then: an update does
/// not wait for a run to end.
fn this_program() -> Result<PathBuf, String> {
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe().map_err(|error| error.to_string())
}
