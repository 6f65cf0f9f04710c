//! What an event says, for the log and for the terminal alike.

use super::{Event, LogLevel};

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
            message: one_line(message),
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
                product: Some(one_line(product)),
                wait_seconds: Some(wait.as_secs_f64()),
                ..Self::new(Warn, "paused", &format!("{product}: waiting {:.1} s: {why}", wait.as_secs_f64()))
            },
            Event::Retrying { product, row, why } => Self {
                product: Some(one_line(product)),
                row: Some(*row),
                ..Self::new(Debug, "retrying", &format!("{product}: trying row {row} again: {why}"))
            },
            Event::ProductStopped { product, why } => Self {
                product: Some(one_line(product)),
                ..Self::new(Error, "product_stopped", &format!("{product}: stopped: {why}"))
            },
            Event::Warning { message } => Self::new(Warn, "warning", message),
            Event::Note { message } => Self::new(Info, "note", message),
        }
    }
}

/// Control characters, line breaks included, become spaces: a server's reply cannot draw on a terminal or forge a line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` without what a terminal would obey: control characters, of which line ends and tabs stay, and marks that turn the direction
/// of writing. A file's headings and values are anybody's.
pub fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    let obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(obeyed) { text.replace(obeyed, " ").into() } else { text.into() }
}
