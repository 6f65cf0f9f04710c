//! Whether a command speaks of names and addresses, and what replaces them where it does not.

use super::Context;
use super::errors::PrepareError;
use crate::config::Settings;
use crate::load::LoadError;
use crate::monitor::{Event, Monitor};
use crate::plan::OnlyError;
use crate::redact::{Kind, Quoted, Redactor, SALT_BYTES, Salt};
use crate::runs::{LockError, salt_of};
use std::cell::OnceCell;
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
}

impl Redaction {
    /// As the command line asks, with random bytes.
    pub fn new(asked: bool, fresh: [u8; SALT_BYTES]) -> Self {
        Self { asked, fresh, redactor: OnceCell::new() }
    }

    /// What is to be told to others, without names.
    pub fn told(&self, text: String) -> String {
        match self.redactor() {
            Some(redactor) => text.lines().map(|line| redactor.sentence(line, Quoted::Words) + "\n").collect(),
            None => text,
        }
    }

    fn redactor(&self) -> Option<&Redactor> {
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

    /// Why planning stopped, without what an export holds.
    pub(super) fn discreetly(&self, error: impl Into<PrepareError>) -> PrepareError {
        let error = error.into();
        let Some(redactor) = self.redaction.redactor() else { return error };
        match error {
            PrepareError::Load(error) => PrepareError::Load(hidden(redactor, error)),
            PrepareError::Only(OnlyError::Nobody(key)) => {
                PrepareError::Only(OnlyError::Nobody(redactor.id(&key).into_owned()))
            }
            PrepareError::Only(OnlyError::Several { key, customers }) => PrepareError::Only(OnlyError::Several {
                key: redactor.id(&key).into_owned(),
                customers: customers.iter().map(|key| redactor.id(key).into_owned()).collect(),
            }),
            error => error,
        }
    }
}

/// What stands before the headings of a file that was not recognised.
const HEADED: &str = " is headed ";

/// `error` without values out of its file; headings and places stay.
fn hidden(redactor: &Redactor, error: LoadError) -> LoadError {
    let quoted = |detail: String| redactor.quotation(&detail);
    match error {
        LoadError::UndecidedDates { file, line, heading, detail, source_name, contradicts } => {
            LoadError::UndecidedDates { file, line, heading, detail: quoted(detail), source_name, contradicts }
        }
        LoadError::Override { file, line, detail } => LoadError::Override { file, line, detail: quoted(detail) },
        // Of a file without headings the first row stands in their place.
        LoadError::Unrecognised { file, detail } => {
            let detail = match detail.split_once(HEADED) {
                Some((line, headings)) => format!("{line}{HEADED}{}", redactor.value(Kind::Text, headings)),
                None => quoted(detail),
            };
            LoadError::Unrecognised { file, detail }
        }
        LoadError::Broken { file, detail } => LoadError::Broken { file, detail: quoted(detail) },
        LoadError::Internal { file, detail } => LoadError::Internal { file, detail: quoted(detail) },
        // The heading nearest to the one that is missing may be a value, where a file has no headings.
        LoadError::MissingColumn { file, line, field, heading, advice } => {
            LoadError::MissingColumn { file, line, field, heading, advice: quoted(advice) }
        }
        LoadError::DuplicateHeading { file, line, heading, first, second } => {
            let heading = redactor.sentence(&heading, Quoted::Hidden);
            LoadError::DuplicateHeading { file, line, heading, first, second }
        }
        error @ (LoadError::BadPattern { .. }
        | LoadError::NoMatch { .. }
        | LoadError::Unreadable { .. }
        | LoadError::Changed { .. }
        | LoadError::Empty { .. }
        | LoadError::ContradictingDates { .. }
        | LoadError::WrongShape { .. }
        | LoadError::NoSubscriptions { .. }
        | LoadError::TooMuch { .. }
        | LoadError::Stopped { .. }) => error,
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
