//! One product's calls: a feeder makes intents durable ahead, workers take them in order, each sees its row to its outcome,
//! and what was concluded counts once it is durable.

use super::backoff::Backoff;
use super::budget::RetryBudget;
use super::conclude::{Conclusions, conclusions};
use super::dispatch::remember;
use super::feeder::{Item, announce, feed};
use super::pacing::Pacer;
use super::pacing_file::PacingMemory;
use super::row::{Next, Tries};
use super::shared::Shared;
use super::streak::{Streak, UNAVAILABLE_AFTER};
use super::{ApiKey, Call, LONGEST_WAIT, Lane, Transport, Verdict, judge};
use crate::config::KeySource;
use crate::journal::{Durable, ProductStop, Record};
use crate::model::{Instant, Prediction, Reason};
use crate::monitor::Event;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant as Moment;

/// A wait at least this long is written down for the next start.
const WORTH_REMEMBERING: Duration = Duration::from_secs(1);

/// One product under way.
pub(super) struct LaneRun {
    index: usize,
    pub(super) product: String,
    key: ApiKey,
    key_source: KeySource,
    pub(super) pacer: Arc<Pacer>,
    backoff: Backoff,
    retries: RetryBudget,
    stopped: watch::Sender<Option<ProductStop>>,
    /// Whether a row was left without an outcome.
    left_over: AtomicBool,
    /// Transient failures since something was last decided.
    streak: Mutex<Streak>,
    creation_disabled: AtomicBool,
    /// How many rows it has, where they are counted.
    pub(super) rows: Option<u64>,
    /// Rows that have a durable outcome.
    pub(super) done: AtomicU64,
}

impl LaneRun {
    pub(super) fn new(index: usize, lane: &Lane, pacer: Arc<Pacer>, backoff: Backoff) -> Self {
        Self {
            index,
            product: lane.product.clone(),
            key: lane.key.clone(),
            key_source: lane.key_source.clone(),
            pacer,
            backoff,
            retries: RetryBudget::new(),
            stopped: watch::Sender::new(None),
            left_over: AtomicBool::new(false),
            streak: Mutex::default(),
            creation_disabled: AtomicBool::new(false),
            rows: lane.rows,
            done: AtomicU64::new(0),
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

    /// What a person must know of a stop: of a key that was refused, where it stands.
    fn why_stopped(&self, detail: String, reason: Reason) -> String {
        if reason == Reason::Auth { format!("{detail}; the key is that of {}", self.key_source) } else { detail }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.borrow().is_some()
    }

    /// Tells when this lane stops.
    pub(super) fn stopped(&self) -> Stopped {
        Stopped(self.stopped.subscribe())
    }

    fn streak(&self) -> MutexGuard<'_, Streak> {
        // Every change leaves it whole: a panic elsewhere leaves it as good as before.
        self.streak.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row was left without an outcome.
    pub(super) fn leave(&self) {
        self.left_over.store(true, Ordering::Release);
    }

    /// All rows were tried: those that were given up and waited for a word of the service have their outcome, or wait for
    /// another start when the product stopped.
    async fn settle<T>(&self, shared: &Shared<T>, conclusions: Conclusions) {
        let given_up = self.streak().take_given_up();
        if self.is_stopped() && !given_up.is_empty() {
            return self.leave();
        }
        for outcome in given_up {
            conclusions.conclude(shared, outcome).await;
        }
    }

    /// Whether `call` need not be made, its refusal being known beforehand.
    pub(super) fn refusal_foreseen<T>(&self, shared: &Shared<T>, call: &Call) -> bool {
        shared.limits.stop_after_creation_disabled
            && matches!(call.predicted, Prediction::Create | Prediction::CreationDisabled)
            && self.creation_disabled.load(Ordering::Acquire)
    }
}

/// Tells when a lane stops.
pub(super) struct Stopped(watch::Receiver<Option<ProductStop>>);

impl Stopped {
    /// Resolves when the lane has stopped.
    pub(super) async fn reached(&mut self) {
        // The sender lives as long as the lane: an error cannot be.
        let _ = self.0.wait_for(Option::is_some).await;
    }
}

/// Sends all of `calls`, or until the lane stops.
pub(super) async fn run_lane<T: Transport>(
    shared: Arc<Shared<T>>,
    lane: Arc<LaneRun>,
    calls: Box<dyn Iterator<Item = Call> + Send>,
) {
    // Bounded by the places of intents that may wait.
    let (queue, items) = async_channel::unbounded();
    let (conclusions, confirmations) = conclusions();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..shared.limits.in_flight.get() {
        let worker = Worker { shared: Arc::clone(&shared), lane: Arc::clone(&lane), conclusions: conclusions.clone() };
        workers.spawn(worker.work(items.clone()));
    }
    let work = async {
        while let Some(ended) = workers.join_next().await {
            if let Err(e) = ended
                && e.is_panic()
            {
                std::panic::resume_unwind(e.into_panic());
            }
        }
    };
    let sending = async {
        tokio::join!(feed(&shared, &lane, calls, queue, conclusions.clone()), work);
        lane.settle(&shared, conclusions).await;
    };
    let all = async {
        tokio::join!(sending, confirmations.confirm_all(&shared, &lane.done));
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

/// What became of one request.
struct Attempt {
    left_at: Moment,
    /// Whether it began to leave.
    left: bool,
    /// Status of the reply, if one came.
    status: Option<u16>,
    verdict: Verdict,
}

/// Takes calls one after the other and sees each to its end.
struct Worker<T> {
    shared: Arc<Shared<T>>,
    lane: Arc<LaneRun>,
    conclusions: Conclusions,
}

impl<T: Transport> Worker<T> {
    async fn work(self, items: async_channel::Receiver<Item>) {
        while let Ok(item) = items.recv().await {
            self.see_through(item).await;
        }
    }

    /// Makes requests for one row until it has an outcome or the lane stops.
    async fn see_through(&self, item: Item) {
        let Item { call, mut tries, ahead } = item;
        let mut ahead = Some(ahead);
        let mut first = true;
        let (shared, lane) = (&*self.shared, &*self.lane);
        let mut stopped = lane.stopped();
        let mut durable: Option<Durable> = None;
        let body = serde_json::to_vec(&call.body).unwrap_or_default();
        loop {
            if let Some(durable) = durable.take()
                && let Err(error) = durable.await
            {
                shared.fail(error);
                return lane.leave();
            }
            if tries.attempts == 1 && lane.refusal_foreseen(shared, &call) {
                drop(shared.journal.append(&Record::Withdrawn { row: call.row }));
                return self.conclusions.conclude(shared, Tries::foreseen(&call)).await;
            }
            tokio::select! {
                biased;
                () = stopped.reached() => {
                    drop(shared.journal.append(&Record::Withdrawn { row: call.row }));
                    return lane.leave();
                }
                () = lane.pacer.permit() => drop(ahead.take()),
            }
            if std::mem::take(&mut first) {
                lane.retries.earn();
            }
            // Its intent stays open in the journal: nobody knows what became of it.
            let Some(Attempt { left_at, left, status, verdict }) = self.attempt(&call, &body).await else {
                return lane.leave();
            };
            if !left {
                drop(shared.journal.append(&Record::Withdrawn { row: call.row }));
                tries.attempts -= 1;
            }
            self.note(call.row, left_at, &verdict).await;
            match tries.take(&call, status, verdict, shared.limits.max_tries.get(), || lane.retries.spend()) {
                Next::Decided(mut outcome) => {
                    shared.scrubber.scrub_outcome(&mut outcome);
                    self.conclusions.conclude(shared, *outcome).await;
                    return;
                }
                Next::GivenUp { mut outcome, ambiguous, failures } => {
                    shared.scrubber.scrub_outcome(&mut outcome);
                    let why = outcome.detail.clone().unwrap_or_default();
                    let given_up = lane.streak().give_up(*outcome, failures);
                    match given_up {
                        Some(outcome) => self.conclusions.conclude(shared, outcome).await,
                        None if left => self.undecided(&call, status, ambiguous, why.clone()),
                        None => {}
                    }
                    return self.stop_if_unavailable(&why);
                }
                Next::Stop(stop) => {
                    let detail = lane.why_stopped(shared.scrubber.scrubbed(stop.detail), stop.reason);
                    self.undecided(&call, status, false, detail.clone());
                    lane.stop(shared, ProductStop { reason: stop.reason, detail });
                    return lane.leave();
                }
                Next::Again { ambiguous, failures, after, detail } => {
                    let why = shared.scrubber.scrubbed(detail);
                    if left {
                        self.undecided(&call, status, ambiguous, why.clone());
                    }
                    self.pause(after, failures, &why);
                    self.stop_if_unavailable(&why);
                    if !lane.is_stopped() && failures.is_some() {
                        shared.monitor.event(Event::Retrying { product: lane.product.clone(), row: call.row, why });
                    }
                    let wait = failures.map_or(Duration::ZERO, |failures| lane.backoff.wait(failures));
                    tokio::select! {
                        biased;
                        () = stopped.reached() => return lane.leave(),
                        () = async { tokio::time::sleep(wait).await; lane.pacer.unpaused().await } => {}
                    }
                    durable = Some(announce(shared, &call, &mut tries));
                }
            }
        }
    }

    /// Makes one request and hears what becomes of it; `None`: the time for that is over.
    async fn attempt(&self, call: &Call, body: &[u8]) -> Option<Attempt> {
        let shared = &*self.shared;
        let mut drain_over = shared.drain_over.clone();
        let left_at = Moment::now();
        let result = tokio::select! {
            biased;
            result = shared.transport.attempt(self.lane.index, call.id_type(), body) => Some(result),
            _ = drain_over.wait_for(|over| *over) => None,
        };
        let left = !matches!(&result, Some(Err(error)) if !error.left);
        if left {
            shared.tally().calls += 1;
        }
        let result = result?.map(|mut reply| {
            shared.scrubber.scrub_body(&mut reply.body);
            reply
        });
        let status = result.as_ref().map_or_else(|e| e.status, |reply| Some(reply.status));
        let verdict = judge(result.as_ref(), &call.body);
        if matches!(verdict, Verdict::Mistaken { .. }) {
            shared.transport.start_afresh();
        }
        Some(Attempt { left_at, left, status, verdict })
    }

    /// Nobody waits for this record: were it lost, the try would count as ambiguous, which is safe.
    fn undecided(&self, call: &Call, status: Option<u16>, ambiguous: bool, detail: String) {
        let at = self.shared.now();
        drop(self.shared.journal.append(&Record::Undecided { row: call.row, at, status, ambiguous, detail }));
    }

    /// Keeps what one verdict means for the rows after it.
    async fn note(&self, row: u32, left_at: Moment, verdict: &Verdict) {
        let lane = &self.lane;
        match verdict {
            Verdict::Retry { counts_as_try: true, .. } | Verdict::Mistaken { .. } => {
                lane.streak().failed(row);
                return;
            }
            Verdict::Retry { .. } => {
                lane.pacer.too_fast(left_at);
                return;
            }
            // It decides nothing about any row.
            Verdict::Stop { .. } => return,
            Verdict::CreationDisabled { .. } => lane.creation_disabled.store(true, Ordering::Release),
            _ => {}
        }
        lane.pacer.got_through();
        let given_up = lane.streak().answered();
        for outcome in given_up {
            self.conclusions.conclude(&self.shared, outcome).await;
        }
    }

    /// `why`: what the last call said.
    fn stop_if_unavailable(&self, why: &str) {
        if self.lane.streak().means_unavailable(self.shared.limits.in_flight) {
            let detail =
                format!("{UNAVAILABLE_AFTER} calls in a row failed, at last: {why}; `resume` when the service is back");
            self.lane.stop(&self.shared, ProductStop { reason: Reason::Unavailable, detail });
        }
    }

    /// Makes every worker of the key wait as the server said, or, after a 429 that named nothing, as is usual.
    fn pause(&self, after: Option<Duration>, failures: Option<u32>, why: &str) {
        let (shared, lane) = (&self.shared, &self.lane);
        // A longer pause that is in force was told already.
        let wait = match (after, failures) {
            (Some(after), _) => lane.pacer.pause(after).then_some(after),
            (None, None) => lane.pacer.pause_unnamed(),
            (None, Some(_)) => None,
        };
        let Some(wait) = wait else { return };
        if wait >= WORTH_REMEMBERING {
            let now = shared.clock.now();
            let until = now + wait.min(LONGEST_WAIT) + Duration::from_secs(1);
            let (key, until) = (lane.key.fingerprint().to_owned(), Instant::from_utc(until));
            drop(shared.journal.append(&Record::Wait { key: key.clone(), until }));
            remember(shared, &key, &lane.pacer, PacingMemory::default(), true, now);
        }
        shared.monitor.event(Event::Paused { product: lane.product.clone(), wait, why: why.to_owned() });
    }
}
