//! The library's only voice: everything it has to tell while it works passes through [`Monitor`].
//!
//! In: events. Out: a progress bar, log lines, or silence, on standard error only: standard output is for results.
//! Never: results, decisions, secrets.

mod line;
mod log;
mod recording;
mod run_name;
mod terminal;

pub use log::{Log, LogFormat, LogLevel, init_logging, last_words};
pub use recording::Recording;
pub use run_name::RunName;
pub use terminal::Terminal;

use std::io::IsTerminal;
use std::time::Duration;

/// Something worth telling while a run is under way.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A stage of the work begins; `total` is the number of steps, where that is known.
    StageStarted {
        /// In words for a person: `reading exports`.
        stage: &'static str,
        /// Number of steps.
        total: Option<u64>,
    },
    /// The running stage has done so many steps in all.
    StageProgress {
        /// The stage.
        stage: &'static str,
        /// Steps done so far.
        done: u64,
    },
    /// A stage has ended.
    StageFinished {
        /// The stage.
        stage: &'static str,
        /// What came of it, in words: `1,000,000 rows`.
        result: String,
    },
    /// Every worker of a product waits.
    Paused {
        /// The product.
        product: String,
        /// How long.
        wait: Duration,
        /// Why, in words.
        why: String,
    },
    /// A try failed and will be repeated.
    Retrying {
        /// The product.
        product: String,
        /// Row of the plan.
        row: u32,
        /// Why, in words; secrets scrubbed.
        why: String,
    },
    /// A product stops before its end.
    ProductStopped {
        /// The product.
        product: String,
        /// Why, in words; secrets scrubbed.
        why: String,
    },
    /// Worth a person's attention, without stopping anything.
    Warning {
        /// One sentence.
        message: String,
    },
    /// Worth knowing.
    Note {
        /// One sentence.
        message: String,
    },
}

/// Where events go.
pub trait Monitor: Send + Sync {
    /// Takes one event; must not block for long and must not fail.
    fn event(&self, event: Event);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn event(&self, _event: Event) {}
}

/// The monitor of a command: a progress bar for a person at a terminal, else log lines that all carry `run`, the run's id.
pub fn choose(format: LogFormat, level: LogLevel, progress: bool, run: &str) -> Box<dyn Monitor> {
    if progress && format == LogFormat::Text && std::io::stderr().is_terminal() {
        Box::new(Terminal::new(level))
    } else {
        Box::new(Log::new(run))
    }
}
