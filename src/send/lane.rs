//! One product's calls: a feeder makes intents durable ahead, workers take them in order, each sees its row to the end.

use super::backoff::Backoff;
use super::budget::RetryBudget;
use super::dispatch::remember;
use super::pacing::Pacer;
use super::pacing_file::PacingMemory;
use super::row::{Next, Tries};
use super::{ApiKey, Call, Clock, LONGEST_WAIT, Scrubber, SendLimits, Transport, Verdict, classify};
use crate::journal::{Durable, JournalError, JournalSink, ProductStop, Record, Resumed};
use crate::model::{Instant, Outcome, Prediction, Reason, RowOutcome};
use crate::monitor::{Event, Monitor};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant as Moment;

/// So many transient failures in a row, over all rows, and the service is down.
const UNAVAILABLE_AFTER: usize = 10;
/// So many different customers among them, and it is not those customers that are the trouble.
const NO_LONGER_FEW: usize = 5;
/// A server's wait at least this long is written down for the next start.
const WORTH_REMEMBERING: Duration = Duration::from_secs(1);
/// So many rows that need no call may be on their way to the disk at once.
const FORESEEN_AHEAD: usize = 1024;
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

    fn now(&self) -> Instant {
        Instant::from_utc(self.clock.now())
    }

    /// Ends the whole run: the journal does not take any more.
    fn fail(&self, error: JournalError) {
        self.failure.send_if_modified(|known| known.is_none() && known.replace(error).is_none());
    }

    /// An outcome counts from here on, being durable.
    fn count(&self, outcome: Outcome) {
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

/// Transient failures since something was last decided.
#[derive(Debug, Default)]
struct Streak {
    failures: usize,
    rows: BTreeSet<u32>,
    /// Whether the service decided anything in this run.
    has_answered: bool,
}

impl Streak {
    /// Whether the service is down. Once it has answered, a few customers that fail at every try are no outage, or they would
    /// keep every later run from the rest. Fewer calls at a time than those few cannot tell the one from the other.
    fn means_unavailable(&self, in_flight: NonZeroU32) -> bool {
        let few = usize::try_from(in_flight.get()).map_or(NO_LONGER_FEW, |in_flight| in_flight.min(NO_LONGER_FEW));
        self.failures >= UNAVAILABLE_AFTER && (!self.has_answered || self.rows.len() >= few)
    }
}

fn lock(streak: &Mutex<Streak>) -> MutexGuard<'_, Streak> {
    streak.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One product under way.
pub(super) struct LaneRun {
    index: usize,
    pub(super) product: String,
    key: ApiKey,
    pacer: Arc<Pacer>,
    backoff: Backoff,
    retries: RetryBudget,
    stopped: watch::Sender<Option<ProductStop>>,
    /// Whether a row was left without an outcome.
    left_over: AtomicBool,
    /// Transient failures since something was last decided.
    streak: Mutex<Streak>,
    creation_disabled: AtomicBool,
}

impl LaneRun {
    pub(super) fn new(index: usize, product: String, key: ApiKey, pacer: Arc<Pacer>, backoff: Backoff) -> Self {
        Self {
            index,
            product,
            key,
            pacer,
            backoff,
            retries: RetryBudget::new(),
            stopped: watch::Sender::new(None),
            left_over: AtomicBool::new(false),
            streak: Mutex::default(),
            creation_disabled: AtomicBool::new(false),
        }
    }

    /// No further request of this product leaves. The first reason stands.
    pub(super) fn stop<T>(&self, shared: &Shared<T>, stop: ProductStop) {
        let why = format!("{}: {}", stop.reason, stop.detail);
        let first = self.stopped.send_if_modified(|known| known.is_none() && known.replace(stop).is_none());
        if first {
            shared.monitor.event(Event::ProductStopped { product: self.product.clone(), why });
        }
    }

    /// Why rows were left without an outcome, if any were.
    pub(super) fn ended_early(&self) -> Option<ProductStop> {
        self.left_over.load(Ordering::Acquire).then(|| {
            self.stopped.borrow().clone().unwrap_or_else(|| ProductStop {
                reason: Reason::Interrupted,
                detail: "calls under way were cut off".into(),
            })
        })
    }

    fn is_stopped(&self) -> bool {
        self.stopped.borrow().is_some()
    }

    fn leave(&self) {
        self.left_over.store(true, Ordering::Release);
    }

    /// Whether `call` need not be made, its refusal being known beforehand.
    fn refusal_foreseen<T>(&self, shared: &Shared<T>, call: &Call) -> bool {
        shared.limits.stop_after_creation_disabled
            && matches!(call.predicted, Prediction::Create | Prediction::CreationDisabled)
            && self.creation_disabled.load(Ordering::Acquire)
    }
}

/// Resolves when the lane stops.
async fn stopping(stopped: &mut watch::Receiver<Option<ProductStop>>) {
    // The sender lives as long as the lane: an error cannot be.
    let _ = stopped.wait_for(Option::is_some).await;
}

/// A call whose first intent was handed to the journal.
struct Item {
    call: Call,
    tries: Tries,
    durable: Durable,
    /// Given back when the request leaves: few intents may wait for their request.
    ahead: OwnedSemaphorePermit,
}

/// Sends all of `calls`, or until the lane stops.
pub(super) async fn run_lane<T: Transport>(
    shared: Arc<Shared<T>>,
    lane: Arc<LaneRun>,
    calls: Box<dyn Iterator<Item = Call> + Send>,
) {
    let (queue, items) = mpsc::unbounded_channel();
    let items = Arc::new(AsyncMutex::new(items));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..shared.limits.in_flight.get() {
        let worker = Worker { shared: Arc::clone(&shared), lane: Arc::clone(&lane), unconfirmed: None };
        workers.spawn(worker.work(Arc::clone(&items)));
    }
    let all = async {
        feed(&shared, &lane, calls, queue).await;
        while let Some(ended) = workers.join_next().await {
            if let Err(e) = ended
                && e.is_panic()
            {
                std::panic::resume_unwind(e.into_panic());
            }
        }
    };
    tokio::select! {
        biased;
        () = heed_pauses(&shared, &lane) => {}
        () = all => {}
    }
}

/// Looks at every pause of the key, whichever product met it; never resolves.
async fn heed_pauses<T>(shared: &Shared<T>, lane: &LaneRun) {
    let mut pauses = lane.pacer.pauses();
    loop {
        heed_pause(shared, lane);
        if pauses.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A pause that outlasts the run's deadline ends the lane now: waiting would change nothing.
fn heed_pause<T>(shared: &Shared<T>, lane: &LaneRun) {
    if let Some(until) = lane.pacer.paused_until().filter(|until| *until > shared.deadline) {
        let wait = (until - Moment::now()).as_secs();
        let detail = format!("the server asks to wait another {wait} s, which is beyond the run's deadline");
        lane.stop(shared, ProductStop { reason: Reason::Deadline, detail });
    }
}

/// The places of intents that wait for their request; how many there are follows the disk.
struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(0)), all: 0 }
    }
}

impl Places {
    /// Lets there be `wanted` places; fewer than before as they come free.
    fn allow(&mut self, wanted: usize) {
        if wanted > self.all {
            self.free.add_permits(wanted - self.all);
            self.all = wanted;
        } else {
            self.all -= self.free.forget_permits(self.all - wanted);
        }
    }
}

async fn feed<T: Transport>(
    shared: &Shared<T>,
    lane: &LaneRun,
    calls: Box<dyn Iterator<Item = Call> + Send>,
    queue: mpsc::UnboundedSender<Item>,
) {
    let mut stopped = lane.stopped.subscribe();
    let mut places = Places::default();
    let mut calls = calls.filter(|call| !shared.resumed.decided.contains(call.row)).fuse();
    let mut foreseen = VecDeque::new();
    loop {
        let place = tokio::select! {
            biased;
            () = stopping(&mut stopped) => break,
            place = async {
                let sync = shared.journal.sync_time();
                places.allow(lane.pacer.ahead(sync, shared.limits.in_flight));
                lane.pacer.unpaused().await;
                let place = Arc::clone(&places.free).acquire_owned().await;
                lane.pacer.approach(sync).await;
                place
            } => place,
        };
        let (Ok(ahead), Some(call)) = (place, calls.next()) else { break };
        let history = shared.resumed.undecided.get(&call.row);
        if history.is_none() && lane.refusal_foreseen(shared, &call) {
            foreseen.push_back(conclude(shared, Tries::foreseen(&call)));
            if foreseen.len() > FORESEEN_AHEAD
                && let Some(oldest) = foreseen.pop_front()
            {
                oldest.confirm(shared).await;
            }
            continue;
        }
        let mut tries = Tries::after(history);
        let durable = announce(shared, &call, &mut tries);
        // The workers hear until this end is dropped.
        let _ = queue.send(Item { call, tries, durable, ahead });
    }
    // The workers end when the queue is empty and this end of it gone.
    drop(queue);
    for concluded in foreseen {
        concluded.confirm(shared).await;
    }
    if calls.next().is_some() {
        lane.leave();
    }
}

/// Hands the intent of the row's next request to the journal.
fn announce<T>(shared: &Shared<T>, call: &Call, tries: &mut Tries) -> Durable {
    tries.attempts += 1;
    shared.journal.append(&Record::Intent { row: call.row, attempt: tries.attempts, at: shared.now() })
}

/// An outcome on its way to the disk; it counts when confirmed.
struct Concluded {
    durable: Durable,
    outcome: Outcome,
}

fn conclude<T>(shared: &Shared<T>, outcome: RowOutcome) -> Concluded {
    let kind = outcome.outcome;
    let durable = shared.journal.append(&Record::Outcome { at: shared.now(), outcome: Box::new(outcome) });
    Concluded { durable, outcome: kind }
}

impl Concluded {
    async fn confirm<T>(self, shared: &Shared<T>) {
        match self.durable.await {
            Ok(()) => shared.count(self.outcome),
            Err(error) => shared.fail(error),
        }
    }
}

/// Takes calls one after the other and sees each to its end.
struct Worker<T> {
    shared: Arc<Shared<T>>,
    lane: Arc<LaneRun>,
    /// The last row's outcome, on its way to the disk while the next request is on its way to the server.
    unconfirmed: Option<Concluded>,
}

impl<T: Transport> Worker<T> {
    async fn work(mut self, items: Arc<AsyncMutex<mpsc::UnboundedReceiver<Item>>>) {
        loop {
            let item = items.lock().await.recv().await;
            let Some(item) = item else { break };
            self.see_through(item).await;
        }
        self.confirm().await;
    }

    async fn confirm(&mut self) {
        if let Some(concluded) = self.unconfirmed.take() {
            concluded.confirm(&self.shared).await;
        }
    }

    /// Makes requests for one row until it has an outcome or the lane stops.
    async fn see_through(&mut self, item: Item) {
        let Item { call, mut tries, durable, ahead } = item;
        let mut ahead = Some(ahead);
        let mut first = true;
        let (shared, lane) = (Arc::clone(&self.shared), Arc::clone(&self.lane));
        let mut stopped = lane.stopped.subscribe();
        let mut drain_over = shared.drain_over.clone();
        let mut durable = Some(durable);
        let body = serde_json::to_vec(&call.body).unwrap_or_default();
        loop {
            if let Some(durable) = durable.take()
                && let Err(error) = durable.await
            {
                shared.fail(error);
                return lane.leave();
            }
            if tries.attempts == 1 && lane.refusal_foreseen(&shared, &call) {
                drop(shared.journal.append(&Record::Withdrawn { row: call.row }));
                return conclude(&shared, Tries::foreseen(&call)).confirm(&shared).await;
            }
            tokio::select! {
                biased;
                () = stopping(&mut stopped) => {
                    drop(shared.journal.append(&Record::Withdrawn { row: call.row }));
                    return lane.leave();
                }
                () = lane.pacer.permit() => drop(ahead.take()),
            }
            shared.tally().calls += 1;
            if std::mem::take(&mut first) {
                lane.retries.earn();
            }
            let result = tokio::select! {
                biased;
                result = shared.transport.attempt(lane.index, call.id_type(), &body) => result,
                // Its intent stays open in the journal: nobody knows what became of it.
                _ = drain_over.wait_for(|over| *over) => return lane.leave(),
            };
            let status = result.as_ref().map_or_else(|e| e.status, |reply| Some(reply.status));
            let verdict = classify(result.as_ref());
            self.note(call.row, &verdict);
            match tries.take(&call, status, verdict, shared.limits.max_tries.get(), || lane.retries.spend()) {
                Next::Decided(mut outcome) => {
                    // The row before this one has had a round trip's time to become durable.
                    self.confirm().await;
                    shared.scrubber.scrub_outcome(&mut outcome);
                    self.unconfirmed = Some(conclude(&shared, *outcome));
                    return self.stop_if_unavailable();
                }
                Next::Stop(stop) => {
                    let detail = shared.scrubber.scrubbed(stop.detail);
                    self.undecided(&call, status, false, detail.clone());
                    lane.stop(&shared, ProductStop { reason: stop.reason, detail });
                    return lane.leave();
                }
                Next::Again { ambiguous, failures, after, detail } => {
                    let why = shared.scrubber.scrubbed(detail);
                    self.undecided(&call, status, ambiguous, why.clone());
                    self.pause(after, failures, &why);
                    self.stop_if_unavailable();
                    if !lane.is_stopped() && failures.is_some() {
                        shared.monitor.event(Event::Retrying { product: lane.product.clone(), row: call.row, why });
                    }
                    self.confirm().await;
                    let wait = failures.map_or(Duration::ZERO, |failures| lane.backoff.wait(failures));
                    tokio::select! {
                        biased;
                        () = stopping(&mut stopped) => return lane.leave(),
                        () = async { tokio::time::sleep(wait).await; lane.pacer.unpaused().await } => {}
                    }
                    durable = Some(announce(&shared, &call, &mut tries));
                }
            }
        }
    }

    /// Nobody waits for this record: were it lost, the try would count as ambiguous, which is safe.
    fn undecided(&self, call: &Call, status: Option<u16>, ambiguous: bool, detail: String) {
        let at = self.shared.now();
        drop(self.shared.journal.append(&Record::Undecided { row: call.row, at, status, ambiguous, detail }));
    }

    /// Keeps what one verdict means for the rows after it.
    fn note(&self, row: u32, verdict: &Verdict) {
        let lane = &self.lane;
        match verdict {
            Verdict::Retry { counts_as_try: true, .. } => {
                let mut streak = lock(&lane.streak);
                streak.failures += 1;
                streak.rows.insert(row);
                return;
            }
            Verdict::Retry { .. } => {
                lane.pacer.too_fast();
                return;
            }
            Verdict::CreationDisabled { .. } => lane.creation_disabled.store(true, Ordering::Release),
            _ => {}
        }
        *lock(&lane.streak) = Streak { has_answered: true, ..Streak::default() };
        lane.pacer.got_through();
    }

    fn stop_if_unavailable(&self) {
        if lock(&self.lane.streak).means_unavailable(self.shared.limits.in_flight) {
            let detail = format!("{UNAVAILABLE_AFTER} calls in a row failed; `resume` when the service is back");
            self.lane.stop(&self.shared, ProductStop { reason: Reason::Unavailable, detail });
        }
    }

    /// Makes every worker of the key wait as the server said, or, after a 429 that named nothing, as is usual.
    fn pause(&self, after: Option<Duration>, failures: Option<u32>, why: &str) {
        let (shared, lane) = (&self.shared, &self.lane);
        let wait = match (after, failures) {
            (Some(after), _) => {
                lane.pacer.pause(after);
                if after >= WORTH_REMEMBERING {
                    let now = shared.clock.now();
                    let until = now + after.min(LONGEST_WAIT) + Duration::from_secs(1);
                    let (key, until) = (lane.key.fingerprint().to_owned(), Instant::from_utc(until));
                    drop(shared.journal.append(&Record::Wait { key: key.clone(), until }));
                    remember(shared, &key, &lane.pacer, PacingMemory::default(), true, now);
                }
                after
            }
            (None, None) => lane.pacer.pause_unnamed(),
            (None, Some(_)) => return,
        };
        shared.monitor.event(Event::Paused { product: lane.product.clone(), wait, why: why.to_owned() });
    }
}
