//! What all lanes of a run share, and what they count together.

use super::{Clock, Scrubber, SendLimits};
use crate::journal::{JournalError, JournalSink, Resumed};
use crate::model::{Instant, Outcome};
use crate::monitor::{Event, Monitor};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant as Moment;

/// Between two reports of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What all lanes share.
pub(super) struct Shared<T> {
    pub(super) transport: T,
    pub(super) journal: Arc<dyn JournalSink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) monitor: Arc<dyn Monitor>,
    pub(super) limits: SendLimits,
    pub(super) deadline: Moment,
    pub(super) scrubber: Scrubber,
    pub(super) resumed: Resumed,
    pub(super) pacing: PathBuf,
    pub(super) failure: watch::Sender<Option<JournalError>>,
    pub(super) drain_over: watch::Receiver<bool>,
    pub(super) tally: Mutex<Tally>,
}

/// What was done so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) outcomes: BTreeMap<Outcome, u64>,
    pub(super) calls: u64,
    pub(super) done: u64,
    told: Option<Moment>,
}

impl<T> Shared<T> {
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        // Counters: a panic elsewhere leaves them as good as before.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_utc(self.clock.now())
    }

    /// Ends the whole run: the journal does not take any more.
    pub(super) fn fail(&self, error: JournalError) {
        self.failure.send_if_modified(|known| known.is_none() && known.replace(error).is_none());
    }

    /// An outcome counts from here on, being durable.
    pub(super) fn count(&self, outcome: Outcome) {
        let done = {
            let mut tally = self.tally();
            *tally.outcomes.entry(outcome).or_default() += 1;
            tally.done += 1;
            let now = Moment::now();
            if tally.told.is_some_and(|told| now - told < PROGRESS_EVERY) {
                return;
            }
            tally.told = Some(now);
            tally.done
        };
        self.monitor.event(Event::StageProgress { stage: "sending", done });
    }
}
