//! What an event says, for the log and for the terminal alike.

use super::{Event, LogLevel};
use crate::model::one_line;

/// An event as one line. Text of servers and files is made safe for a terminal: one line, no control characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// How important it is.
    pub(super) level: LogLevel,
    /// The kind of event, for machines: `paused`.
    pub(super) event: &'static str,
    /// For people.
    pub(super) message: String,
    pub(super) stage: Option<&'static str>,
    pub(super) product: Option<String>,
    pub(super) row: Option<u32>,
    pub(super) done: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) wait_seconds: Option<f64>,
}

impl Line {
    fn new(level: LogLevel, event: &'static str, message: &str) -> Self {
        Self {
            level,
            event,
            message: one_line(message).into_owned(),
            stage: None,
            product: None,
            row: None,
            done: None,
            total: None,
            wait_seconds: None,
        }
    }

    pub(super) fn of(event: &Event) -> Self {
        use LogLevel::{Debug, Error, Info, Warn};
        match event {
            Event::StageStarted { stage, total } => {
                Self { stage: Some(stage), total: *total, ..Self::new(Info, "stage_started", stage) }
            }
            Event::StageProgress { stage, done } => Self {
                stage: Some(stage),
                done: Some(*done),
                ..Self::new(Debug, "stage_progress", &format!("{stage}: {done} done"))
            },
            Event::StageFinished { stage, result } => {
                Self { stage: Some(stage), ..Self::new(Info, "stage_finished", &format!("{stage}: {result}")) }
            }
            Event::Paused { product, wait, why } => Self {
                product: Some(one_line(product).into_owned()),
                wait_seconds: Some(wait.as_secs_f64()),
                ..Self::new(Warn, "paused", &format!("{product}: waiting {:.1} s: {why}", wait.as_secs_f64()))
            },
            Event::Retrying { product, row, why } => Self {
                product: Some(one_line(product).into_owned()),
                row: Some(*row),
                ..Self::new(Debug, "retrying", &format!("{product}: trying row {row} again: {why}"))
            },
            Event::ProductStopped { product, why } => Self {
                product: Some(one_line(product).into_owned()),
                ..Self::new(Error, "product_stopped", &format!("{product}: stopped: {why}"))
            },
            Event::Warning { message } => Self::new(Warn, "warning", message),
            Event::Note { message } => Self::new(Info, "note", message),
        }
    }
}
