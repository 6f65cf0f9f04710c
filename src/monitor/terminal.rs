//! A progress bar for a person at a terminal, on standard error.

use super::line::Line;
use super::{Event, LogLevel, Monitor};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const COUNTED: &str = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";
const UNCOUNTED: &str = "{spinner} {msg} {elapsed}";

/// Shows the running stage as a bar (hidden where standard error is no terminal) and everything else as plain lines.
#[derive(Debug)]
pub struct Terminal<W = std::io::Stderr> {
    level: LogLevel,
    hidden: bool,
    screen: Mutex<Screen<W>>,
}

#[derive(Debug)]
struct Screen<W> {
    out: W,
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// Lines of `level` and above, on standard error.
    pub fn new(level: LogLevel) -> Self {
        Self { level, hidden: false, screen: Mutex::new(Screen { out: std::io::stderr(), bar: None }) }
    }
}

impl<W: Write + Send> Terminal<W> {
    fn start(&self, screen: &mut Screen<W>, stage: &'static str, total: Option<u64>) {
        let target = if self.hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(total, target).with_message(stage);
        // A template that cannot be read would leave the plain default, which is good enough.
        if let Ok(style) = ProgressStyle::with_template(if total.is_some() { COUNTED } else { UNCOUNTED }) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        if let Some(before) = screen.bar.replace(bar) {
            before.finish_and_clear();
        }
    }
}

impl<W: Write + Send> Monitor for Terminal<W> {
    fn event(&self, event: Event) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        match &event {
            Event::StageStarted { stage, total } => return self.start(&mut screen, stage, *total),
            Event::StageProgress { done, .. } => {
                if let Some(bar) = &screen.bar {
                    bar.set_position(*done);
                }
                return;
            }
            Event::StageFinished { .. } => {
                if let Some(bar) = screen.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        let line = Line::of(&event);
        if line.level > self.level {
            return;
        }
        let mark = match line.level {
            LogLevel::Error => "error: ",
            LogLevel::Warn => "warning: ",
            LogLevel::Info | LogLevel::Debug | LogLevel::Trace => "",
        };
        let Screen { out, bar } = &mut *screen;
        // Nobody is left to be told when standard error cannot be written to.
        let mut write = || drop(writeln!(out, "{mark}{}", line.message));
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Screen, Terminal};
    use crate::monitor::{Event, LogLevel, Monitor};
    use std::sync::Mutex;

    fn check(level: LogLevel, expected: &str) {
        let terminal = Terminal { level, hidden: true, screen: Mutex::new(Screen { out: Vec::new(), bar: None }) };
        let (product, why) = ("core".to_owned(), "503\nbusy".to_owned());
        for event in [
            Event::StageStarted { stage: "sending", total: Some(2) },
            Event::StageProgress { stage: "sending", done: 1 },
            Event::Retrying { product: product.clone(), row: 3, why: why.clone() },
            Event::Warning { message: "a row was left out".to_owned() },
            Event::ProductStopped { product, why },
            Event::StageFinished { stage: "sending", result: "2 calls".to_owned() },
            Event::Note { message: "done".to_owned() },
        ] {
            terminal.event(event);
        }
        let out = terminal.screen.into_inner().unwrap().out;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn lines_are_shown_from_the_level_that_was_asked_for() {
        let loud = "warning: a row was left out\nerror: core: stopped: 503 busy\n";
        check(LogLevel::Warn, loud);
        check(LogLevel::Info, &format!("{loud}sending: 2 calls\ndone\n"));
        check(LogLevel::Debug, &format!("core: trying row 3 again: 503 busy\n{loud}sending: 2 calls\ndone\n"));
    }
}
