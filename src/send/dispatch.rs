//! The run of all lanes: starts them, listens for the end (signal, deadline, failing journal), and closes the journal.

use super::backoff::Backoff;
use super::forecast;
use super::lane::{LaneRun, run_lane};
use super::pacing::Pacer;
use super::pacing_file::PacingMemory;
use super::shared::Shared;
use super::tuner::{Tuner, per_second};
use super::{ApiKey, Call, Clock, LONGEST_WAIT, Scrubber, Transport};
use crate::config::{KeyPace, KeySource, TetherSettings};
use crate::journal::{Closing, JournalError, JournalSink, ProductStop, Record, Resumed};
use crate::model::{Instant, Outcome, Reason};
use crate::monitor::{Event, Monitor};
use crate::runs::RunsError;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant as Moment, sleep_until};

/// How long calls under way may take to end after a stop.
const DRAIN: Duration = Duration::from_secs(30);

/// How often a log is told when the end is to be expected; a terminal sees it all the time.
const FORECAST_EVERY: Duration = Duration::from_mins(1);

const ASKED_TO_STOP: &str = "the run was asked to stop";

/// One product's calls.
pub struct Lane {
    /// The product's name.
    pub product: String,
    /// Its key.
    pub key: ApiKey,
    /// How fast calls with that key may leave. Lanes with the same key share one bucket, that of the first of them: they are
    /// to say the same.
    pub pace: KeyPace,
    /// Where the key stands, for who must replace it.
    pub key_source: KeySource,
    /// Its calls, most valuable first; read lazily, so that a million of them take no memory. Rows that `resumed` says
    /// are decided are passed over.
    pub calls: Box<dyn Iterator<Item = Call> + Send>,
    /// How many of them are to be sent, for the progress; `None`: not counted.
    pub rows: Option<u64>,
}

/// The limits of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimits {
    /// Concurrent calls per product.
    pub in_flight: NonZeroU32,
    /// From now on.
    pub deadline: Duration,
    /// Tries per row that may end in a transient failure.
    pub max_tries: NonZeroU32,
    /// Do not send rows foretold as creates after a product's first `CREATION_DISABLED`.
    pub stop_after_creation_disabled: bool,
}

impl From<&TetherSettings> for SendLimits {
    fn from(settings: &TetherSettings) -> Self {
        Self {
            in_flight: settings.in_flight,
            deadline: settings.deadline,
            max_tries: settings.max_tries,
            stop_after_creation_disabled: settings.stop_after_creation_disabled,
        }
    }
}

/// Everything that sending needs besides the calls.
pub struct SendContext<T> {
    /// Makes the attempts; its lanes are numbered as those given to [`send`].
    pub transport: T,
    /// The run's journal, its header written.
    pub journal: Arc<dyn JournalSink>,
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
    /// Told of pauses, retries, stops and progress (stage `sending`).
    pub monitor: Arc<dyn Monitor>,
    /// Becomes true when the run is to stop: calls under way get 30 s.
    pub stop: watch::Receiver<bool>,
    /// The limits.
    pub limits: SendLimits,
    /// Seed of the back-off's jitter.
    pub seed: u64,
    /// `<state>/pacing`: what the next start must know of each key's calls.
    pub pacing: PathBuf,
    /// What the journal proves already; default for a new run.
    pub resumed: Resumed,
}

/// How sending ended. The outcomes themselves are in the journal ([`crate::journal::outcomes`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendEnd {
    /// Whether every row has its outcome.
    pub complete: bool,
    /// Products that stopped before their end, with why; rows of theirs without an outcome wait for `resume`.
    pub stopped: BTreeMap<String, ProductStop>,
    /// Outcomes of this process, by kind.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Requests sent by this process.
    pub calls: u64,
}

impl SendEnd {
    /// Whether some product stopped for `reason`.
    pub fn stopped_for(&self, reason: Reason) -> bool {
        self.stopped.values().any(|stop| stop.reason == reason)
    }
}

/// Sending could not go on. What was durable stands; `resume` goes on from it.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The journal could not be written: nothing more was sent.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state folder could not be written before the first call.
    #[error(transparent)]
    Runs(#[from] RunsError),
}

/// Sends every call of every lane that has no outcome yet, and returns when all have one or their lane has stopped.
/// Must run inside a tokio runtime; panics of a worker are passed on.
pub async fn send<T: Transport>(lanes: Vec<Lane>, context: SendContext<T>) -> Result<SendEnd, SendError> {
    let SendContext { transport, journal, clock, monitor, mut stop, limits, seed, pacing, resumed } = context;
    let deadline = Moment::now() + limits.deadline.min(LONGEST_WAIT * 365);
    let keys = open_keys(&lanes, &pacing, &resumed, clock.now())?;
    let rows: Option<u64> = lanes.iter().map(|lane| lane.rows).sum();
    let scrubber = Scrubber::new(lanes.iter().map(|lane| &lane.key));
    let (failure, mut failed) = watch::channel(None);
    let (drained, drain_over) = watch::channel(false);
    monitor.event(Event::StageStarted { stage: "sending", total: rows });
    let shared = Arc::new(Shared {
        transport,
        journal,
        clock,
        monitor,
        limits,
        deadline,
        scrubber,
        resumed,
        pacing,
        failure,
        drain_over,
        tally: std::sync::Mutex::default(),
    });

    let mut runs = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for (index, lane) in lanes.into_iter().enumerate() {
        let pacer = Arc::clone(&keys[lane.key.fingerprint()].0);
        let backoff = Backoff::new(seed.wrapping_add(index as u64));
        let run = Arc::new(LaneRun::new(index, &lane, pacer, backoff));
        // Asked to stop while it was still planning, a run sends nothing at all.
        if *stop.borrow() {
            run.stop(&shared, ProductStop { reason: Reason::Interrupted, detail: ASKED_TO_STOP.to_owned() });
        }
        runs.push(Arc::clone(&run));
        tasks.spawn(run_lane(Arc::clone(&shared), run, lane.calls));
    }

    let stop_all = |reason, detail: &str| {
        for run in &runs {
            run.stop(&shared, ProductStop { reason, detail: detail.to_owned() });
        }
        Moment::now() + DRAIN
    };
    let mut ending: Option<Moment> = None;
    let began = Moment::now();
    let mut next_forecast = began + FORECAST_EVERY;
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => break,
                Some(Err(e)) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
                Some(_) => {}
            },
            () = requested(&mut stop), if ending.is_none() => {
                ending = Some(stop_all(Reason::Interrupted, ASKED_TO_STOP));
            }
            () = sleep_until(deadline), if ending.is_none() => {
                ending = Some(stop_all(Reason::Deadline, "the run's deadline came"));
            }
            _ = failed.wait_for(Option::is_some), if !*drained.borrow() => {
                ending = Some(stop_all(Reason::Interrupted, "the journal could not be written"));
                // Nothing that a reply says could be recorded any more.
                drained.send_replace(true);
            }
            () = sleep_until(next_forecast), if ending.is_none() => {
                next_forecast += FORECAST_EVERY;
                let products = still_sending(&runs);
                if let Some(message) = forecast::during(products, began.elapsed(), shared.clock.now()) {
                    shared.monitor.event(Event::Note { message });
                }
            }
            () = sleep_until(ending.unwrap_or(deadline)), if ending.is_some_and(|_| !*drained.borrow()) => {
                drained.send_replace(true);
            }
        }
    }

    let now = shared.clock.now();
    for (fingerprint, (pacer, memory)) in &keys {
        if let Some(message) = pacer.learned_in_words() {
            let products = runs.iter().filter(|run| Arc::ptr_eq(&run.pacer, pacer)).map(|run| run.product.as_str());
            let products = products.collect::<Vec<_>>().join(", ");
            shared.monitor.event(Event::Note { message: format!("{products}: {message}") });
        }
        remember(&shared, fingerprint, pacer, *memory, false, now);
    }
    if let Some(error) = failed.borrow().clone() {
        return Err(error.into());
    }
    let stopped: BTreeMap<_, _> =
        runs.iter().filter_map(|run| Some((run.product.clone(), run.ended_early()?))).collect();
    let complete = stopped.is_empty();
    let closing = Closing { at: Instant::from_utc(now), complete, stopped: stopped.clone() };
    shared.journal.append(&Record::Closed(closing)).await?;
    let tally = std::mem::take(&mut *shared.tally());
    let result = format!("{} rows decided by {} calls", tally.outcomes.values().sum::<u64>(), tally.calls);
    shared.monitor.event(Event::StageFinished { stage: "sending", result });
    Ok(SendEnd { complete, stopped, outcomes: tally.outcomes, calls: tally.calls })
}

/// Rows done, and rows in all, of each product that did not stop; nothing where they are not counted.
fn still_sending(runs: &[Arc<LaneRun>]) -> impl Iterator<Item = (u64, u64)> {
    runs.iter().filter(|run| !run.is_stopped()).filter_map(|run| Some((run.done.load(Ordering::Relaxed), run.rows?)))
}

/// Calls a second that `rate = "auto"` begins with for `key`, as the pacing folder remembers it.
pub fn begins_with(pacing: &Path, key: &ApiKey) -> f64 {
    let learned = PacingMemory::load(pacing, key.fingerprint()).learned_millihertz;
    Tuner::new(learned.map(per_second), Moment::now()).per_second()
}

type Keys = BTreeMap<String, (Arc<Pacer>, PacingMemory)>;

/// One pace per key, its bucket as the last run left it and every wait that still binds in force; marks each as in use.
fn open_keys(lanes: &[Lane], folder: &Path, resumed: &Resumed, now: DateTime<Utc>) -> Result<Keys, RunsError> {
    let mut keys = Keys::new();
    for lane in lanes {
        let fingerprint = lane.key.fingerprint();
        if keys.contains_key(fingerprint) {
            continue;
        }
        let mut memory = PacingMemory::load(folder, fingerprint);
        let pacer = Pacer::new(lane.pace, memory.learned_millihertz);
        if let Some(emptied) = memory.emptied(now) {
            pacer.was_empty((now - emptied).to_std().unwrap_or_default());
            // Should this start make no call at all, the next one must still know.
            memory.last_call_ms = Some(emptied.timestamp_millis());
        }
        let in_journal = resumed.waits.get(fingerprint).map(|until| until.epoch_millis());
        memory.wait_until_ms = memory.wait_until_ms.max(in_journal);
        let wait = memory.wait_until_ms.map(|until| until - now.timestamp_millis());
        if let Some(wait) = wait.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis)
            && wait <= LONGEST_WAIT
        {
            pacer.pause(wait);
        }
        memory.in_use = true;
        memory.save(folder, fingerprint)?;
        keys.insert(fingerprint.to_owned(), (Arc::new(pacer), memory));
    }
    Ok(keys)
}

/// Writes what the next start must know of a key. A failure is told and changes nothing: the file then still says that
/// a run is under way, which the next start takes for the worst.
pub(super) fn remember<T>(
    shared: &Shared<T>,
    fingerprint: &str,
    pacer: &Pacer,
    before: PacingMemory,
    in_use: bool,
    now: DateTime<Utc>,
) {
    let moment = Moment::now();
    let millis = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    let last_call_ms = pacer.last_call().map(|at| now.timestamp_millis() - millis(moment - at)).or(before.last_call_ms);
    let wait_until_ms = pacer.paused_until().map(|until| now.timestamp_millis() + millis(until - moment));
    let learned_millihertz = pacer.learned().or(before.learned_millihertz);
    let memory = PacingMemory { in_use, last_call_ms, wait_until_ms, learned_millihertz };
    if let Err(e) = memory.save(&shared.pacing, fingerprint) {
        shared.monitor.event(Event::Warning { message: format!("{e}; the next start will pace itself cautiously") });
    }
}

/// Resolves when a stop is asked for; never, when nobody can ask any more.
async fn requested(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}
