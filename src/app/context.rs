//! The world as a command sees it: read once, in `main`, and passed on.

use super::Redaction;
use super::night::Night;
use crate::load::Trials;
use crate::model::Instant;
use crate::monitor::{self, LogFormat, LogLevel, Monitor};
use crate::runs;
use crate::send::Clock;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

/// How a command speaks while it works.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    /// Text or JSON.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
    /// Whether a progress bar may be shown.
    pub progress: bool,
}

/// The world as a command sees it.
pub struct Context<'a> {
    /// The configuration file.
    pub config: PathBuf,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Random bits: for the run's id and the jitter of retries.
    pub random: u64,
    /// How to speak.
    pub voice: Voice,
    /// Where Parquet is tried before it is read.
    pub trials: Trials,
    /// What is known so far of the run that the command carries out.
    pub night: Night,
    /// Whether names and addresses are told.
    pub redaction: Redaction,
}

impl Context<'_> {
    /// Now, to the second.
    pub fn now(&self) -> Instant {
        Instant::from_utc(self.clock.now())
    }

    /// The id of the run that this process begins: the same whenever it is asked for.
    pub fn run_id(&self) -> String {
        // The low bits are as random as all.
        self.night.fresh_id(|| runs::run_id(self.now(), (self.random & 0xffff) as u16))
    }

    /// The voice of the run `id`, of which every log line is from here on.
    pub fn monitor(&self, id: &str) -> Arc<dyn Monitor> {
        self.night.run.set(id);
        self.discreet(Arc::from(monitor::choose(self.voice.format, self.voice.level, self.voice.progress, id)))
    }
}
