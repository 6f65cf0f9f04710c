//! Structured log lines on standard error, through `tracing`.

use super::line::Line;
use super::run_name::{RunName, Stamped};
use super::{Event, Monitor};
use crate::model::{harmless, one_line};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One line for a person
    Text,
    /// One JSON object per line
    Json,
}

/// How important a log line has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum LogLevel {
    /// What stopped the command
    Error,
    /// And what deserves attention
    Warn,
    /// And what is going on
    Info,
    /// And every retry
    Debug,
    /// Everything
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Sends log lines to standard error from here on; those of JSON that name no run are of `run`. Only the first call of a
/// process counts.
pub fn init_logging(format: LogFormat, level: LogLevel, run: &RunName) {
    // A second call finds a subscriber in place, which is what it wanted.
    let _ = tracing::subscriber::set_global_default(subscriber(format, level, run, std::io::stderr));
    if format == LogFormat::Json {
        // Else a fault of the program would be the one thing that is told in another way.
        std::panic::set_hook(Box::new(|fault| {
            tracing::error!(event = "panicked", "{}", one_line(&fault.to_string()));
        }));
    }
}

/// Says on standard error why a command ended: one log line where log lines are JSON, else `text`, without what a terminal would obey.
pub fn last_words(format: LogFormat, exit_code: u8, text: &str) {
    use std::io::Write;
    match format {
        LogFormat::Json => tracing::error!(event = "failed", exit_code, "{}", text.trim_end()),
        // Nobody may be listening on standard error either; the exit code says it all the same.
        LogFormat::Text => drop(std::io::stderr().write_all(harmless(text).as_bytes())),
    }
}

/// Lines of this library at `level`; of other libraries warnings at most, since their finer lines may hold headers of
/// requests, and with them a key.
fn subscriber<W>(format: LogFormat, level: LogLevel, run: &RunName, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let others = LevelFilter::from(level.min(LogLevel::Warn));
    let filter = Targets::new().with_target("tether_recon", LevelFilter::from(level)).with_default(others);
    // A line of text begins with what happened, and is told apart from others by who reads it.
    let run = if format == LogFormat::Json { run.clone() } else { RunName::default() };
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(Stamped { inner: writer, run })
        .with_target(false)
        .with_ansi(false);
    // Its complaint about a standard error that takes nothing would go to standard error, and end the process.
    let layer = layer.log_internal_errors(false);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    Registry::default().with(layer.with_filter(filter))
}

/// Events as log lines that all carry the run's id.
#[derive(Debug, Clone)]
pub struct Log {
    run: String,
}

impl Log {
    /// A log whose lines carry `run`, the run's id.
    pub fn new(run: &str) -> Self {
        Self { run: run.to_owned() }
    }
}

impl Monitor for Log {
    fn event(&self, event: Event) {
        let line = Line::of(&event);
        // The level of a tracing event is part of its type.
        macro_rules! emit {
            ($level:ident) => {
                tracing::$level!(
                    run = self.run.as_str(),
                    event = line.event,
                    stage = line.stage,
                    product = line.product.as_deref(),
                    row = line.row,
                    done = line.done,
                    total = line.total,
                    wait_seconds = line.wait_seconds,
                    "{}",
                    line.message
                )
            };
        }
        match line.level {
            LogLevel::Error => emit!(error),
            LogLevel::Warn => emit!(warn),
            LogLevel::Info => emit!(info),
            LogLevel::Debug => emit!(debug),
            LogLevel::Trace => emit!(trace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Log, LogFormat, LogLevel, RunName, last_words, subscriber};
    use crate::monitor::{Event, Monitor};
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The log lines of `events`.
    fn lines(format: LogFormat, level: LogLevel, events: &[Event]) -> Vec<String> {
        let out = Shared::default();
        let writer = out.clone();
        let run = RunName::default();
        run.set("2026-11-01T00-00-00Z-a1b2");
        tracing::subscriber::with_default(subscriber(format, level, &run, move || writer.clone()), || {
            let log = Log::new("2026-11-01T00-00-00Z-a1b2");
            for event in events {
                log.event(event.clone());
            }
            tracing::info!(target: "hyper", "Authorization: Bearer tk_live_1234");
            if format == LogFormat::Json {
                last_words(format, 8, "in/contacts.csv is empty\n");
            }
            tracing::warn!(target: "rustls", "odd");
        });
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn events() -> Vec<Event> {
        let (product, why) = ("core".to_owned(), "429\n\u{1b}[2Jslow down".to_owned());
        vec![
            Event::StageStarted { stage: "reading exports", total: Some(3) },
            Event::Paused { product: product.clone(), wait: Duration::from_millis(1500), why: why.clone() },
            Event::Retrying { product, row: 7, why },
        ]
    }

    #[test]
    fn every_json_line_carries_the_run_and_what_happened() {
        let lines = lines(LogFormat::Json, LogLevel::Debug, &events());
        let read: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.len(), 5);
        assert_eq!((&read[3]["event"], &read[4]["message"]), (&"failed".into(), &"odd".into()));
        assert!(read.iter().all(|line| line["run"] == "2026-11-01T00-00-00Z-a1b2"));
        assert_eq!(read[0]["total"], 3);
        assert!(read[0].get("product").is_none(), "what an event does not have is absent");
        assert_eq!((&read[1]["level"], &read[1]["event"]), (&"WARN".into(), &"paused".into()));
        assert_eq!((&read[1]["product"], &read[1]["wait_seconds"]), (&"core".into(), &1.5.into()));
        assert_eq!(read[2]["row"], 7);
    }

    #[test]
    fn a_text_line_stays_one_line_whatever_a_server_says() {
        let lines = lines(LogFormat::Text, LogLevel::Info, &events());
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].contains("core: waiting 1.5 s") && !lines[1].contains('\u{1b}'), "{lines:?}");
        assert!(lines[..2].iter().all(|line| line.contains("2026-11-01T00-00-00Z-a1b2")));
    }

    #[test]
    fn finer_lines_of_other_libraries_are_never_shown() {
        let lines = lines(LogFormat::Text, LogLevel::Trace, &[]);
        assert_eq!(lines.len(), 1, "only the warning: {lines:?}");
    }
}
