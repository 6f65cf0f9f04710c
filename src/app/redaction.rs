//! Whether a command speaks of names and addresses, and what replaces them where it does not.

use super::Context;
use super::exit::AppError;
use crate::config::Settings;
use crate::load::LoadError;
use crate::monitor::{Event, Monitor};
use crate::plan::OnlyError;
use crate::redact::{Kind, Quoted, Redactor, SALT_BYTES, Salt};
use crate::runs::{LockError, salt_of};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the command line says of it, and the salt that a state folder gets that has none.
#[derive(Debug, Default)]
pub struct Redaction {
    /// `--redact`; `[run] redact` of the configuration says it too.
    pub asked: bool,
    /// Random bytes.
    pub fresh: [u8; SALT_BYTES],
    /// What log lines and errors pass through, once it is known that they must.
    redactor: OnceCell<Redactor>,
    /// What errors quote that is out of no file.
    ours: RefCell<BTreeSet<String>>,
}

impl Redaction {
    /// As the command line asks, with random bytes.
    pub fn new(asked: bool, fresh: [u8; SALT_BYTES]) -> Self {
        Self { asked, fresh, redactor: OnceCell::new(), ours: RefCell::default() }
    }

    /// What is to be told to others, without names.
    pub fn told(&self, text: String) -> String {
        match self.redactor() {
            Some(redactor) => {
                let redactor = redactor.clone().with_ours(self.ours.borrow().iter().cloned());
                text.lines().map(|line| redactor.sentence(line, Quoted::Words) + "\n").collect()
            }
            None => text,
        }
    }

    /// The first line of `error` as a notice tells it, which leaves the machine: never with what stands in a file.
    pub(super) fn noticed(&self, error: &AppError) -> String {
        let cut = if self.redactor().is_none() { hidden(&Redactor::cutting(), error) } else { None };
        let text = cut.unwrap_or_else(|| self.told(error.to_string()));
        text.lines().next().unwrap_or_default().to_owned()
    }

    pub(super) fn redactor(&self) -> Option<&Redactor> {
        // Before the salt could be read the hashes join nothing, and hide all the same.
        self.redactor
            .get()
            .or_else(|| self.asked.then(|| self.redactor.get_or_init(|| Redactor::new(&Salt::new(self.fresh)))))
    }
}

impl Context<'_> {
    /// The salt of the reports below the configured state folder, where they are to be redacted: by the command line, by the
    /// configuration, or since what goes on is `already`. From here on log lines and errors are redacted too.
    pub fn salt(&self, settings: &Settings, already: bool) -> Result<Option<Salt>, LockError> {
        if !(self.redaction.asked || settings.run.redact || already) {
            return Ok(None);
        }
        let salt = salt_of(&settings.run.state, &Salt::new(self.redaction.fresh))?;
        let sources = settings.crms.iter().map(|crm| crm.name.as_str());
        let _ = self.redaction.redactor.set(Redactor::new(&salt).with_sources(sources));
        Ok(Some(salt))
    }

    /// The voice of a run, without names where it must be.
    pub(super) fn discreet(&self, monitor: Arc<dyn Monitor>) -> Arc<dyn Monitor> {
        match self.redaction.redactor() {
            Some(redactor) => Arc::new(Discreet { monitor, redactor: redactor.clone() }),
            None => monitor,
        }
    }

    /// Why planning stopped, without what an export holds where that must not be told.
    pub(super) fn discreetly(&self, error: impl Into<AppError>) -> AppError {
        let error = error.into();
        let Some(redactor) = self.redaction.redactor() else { return error };
        self.redaction.ours.borrow_mut().extend(ours(&error).map(str::to_owned));
        match hidden(redactor, &error) {
            Some(text) => error.with_text(text),
            None => error,
        }
    }
}

/// The room's error in `error`, where it may hold what an export holds.
fn inner<E: std::error::Error + 'static>(error: &AppError) -> Option<&E> {
    match error {
        AppError::Input(error) | AppError::Usage(error) => error.downcast_ref(),
        _ => None,
    }
}

/// What `error` quotes of the program's or the configuration's.
fn ours(error: &AppError) -> impl Iterator<Item = &str> {
    let quoted = match inner(error) {
        Some(LoadError::MissingColumn { heading, .. }) => Some(heading),
        Some(LoadError::BadPattern { pattern, .. } | LoadError::NoMatch { pattern, .. }) => Some(pattern),
        Some(LoadError::UndecidedDates { source_name, .. } | LoadError::ContradictingDates { source_name, .. }) => {
            Some(source_name)
        }
        _ => None,
    };
    quoted.into_iter().map(String::as_str)
}

/// Where our own words go on behind what was quoted of an overrides file.
const GOES_ON: &[&str] =
    &[" is neither `link`", " is neither `<crm>", " is no Stripe customer's id", " names no contact;"];

/// What stands before the headings of a file that was not recognised, and behind them.
const HEADED: [&str; 2] = [" is headed ", "; expected are "];

/// What stands before the heading that a file has in place of a missing one, and behind it.
const NEAREST: [&str; 2] = ["the nearest heading is ", "; "];

/// The words of `error` without values out of a file, where it may hold any; headings that are expected and places stay.
fn hidden(redactor: &Redactor, error: &AppError) -> Option<String> {
    if let Some(error) = inner::<OnlyError>(error) {
        return Some(nobody(redactor, error).to_string());
    }
    let error: &LoadError = inner(error)?;
    let (part, hidden) = match error {
        LoadError::Override { detail, .. } => (detail, redactor.quotation_until(detail, GOES_ON)),
        // Of a file without headings the first row stands in their place.
        LoadError::Unrecognised { detail, .. } => (detail, between(redactor, detail, HEADED)),
        // The heading nearest to the one that is missing may be a value, where a file has no headings.
        LoadError::MissingColumn { advice, .. } => (advice, between(redactor, advice, NEAREST)),
        LoadError::DuplicateHeading { heading, .. } => (heading, redactor.sentence(heading, Quoted::Hidden)),
        LoadError::UndecidedDates { detail, .. }
        | LoadError::Broken { detail, .. }
        | LoadError::Internal { detail, .. } => (detail, redactor.quotation(detail)),
        LoadError::BadPattern { .. }
        | LoadError::NoMatch { .. }
        | LoadError::Unreadable { .. }
        | LoadError::Changed { .. }
        | LoadError::Empty { .. }
        | LoadError::ContradictingDates { .. }
        | LoadError::WrongShape { .. }
        | LoadError::NoSubscriptions { .. }
        | LoadError::TooMuch { .. }
        | LoadError::Stopped { .. } => return None,
    };
    // Behind what the program says itself: the last place is the part's, unless words of ours repeat it.
    let said = error.to_string();
    let at = said.rfind(part.as_str())?;
    Some(format!("{}{hidden}{}", &said[..at], &said[at + part.len()..]))
}

/// `text` without what stands between two phrases of ours; without any quotation where they do not stand in it.
fn between(redactor: &Redactor, text: &str, [before, behind]: [&str; 2]) -> String {
    let Some((begin, rest)) = text.split_once(before) else { return redactor.quotation(text) };
    let (value, end) = rest.rfind(behind).map_or((rest, ""), |at| rest.split_at(at));
    format!("{begin}{before}{}{end}", redactor.value(Kind::Text, value))
}

fn nobody(redactor: &Redactor, error: &OnlyError) -> OnlyError {
    match error {
        OnlyError::Nobody(key) => OnlyError::Nobody(redactor.id(key).into_owned()),
        OnlyError::Several { key, customers } => OnlyError::Several {
            key: redactor.id(key).into_owned(),
            customers: customers.iter().map(|key| redactor.id(key).into_owned()).collect(),
        },
    }
}

/// Passes events on without names.
struct Discreet {
    monitor: Arc<dyn Monitor>,
    redactor: Redactor,
}

impl Monitor for Discreet {
    fn event(&self, event: Event) {
        let sentence = |text: String| self.redactor.sentence(&text, Quoted::Words);
        // Of these the words are a server's.
        let reply = |text: String| self.redactor.reply(&text);
        self.monitor.event(match event {
            Event::StageStarted { .. } | Event::StageProgress { .. } => event,
            Event::StageFinished { stage, result } => Event::StageFinished { stage, result: sentence(result) },
            Event::Paused { product, wait, why } => Event::Paused { product, wait, why: reply(why) },
            Event::Retrying { product, row, why } => Event::Retrying { product, row, why: reply(why) },
            Event::ProductStopped { product, why } => Event::ProductStopped { product, why: reply(why) },
            Event::Warning { message } => Event::Warning { message: sentence(message) },
            Event::Note { message } => Event::Note { message: sentence(message) },
        });
    }
}
