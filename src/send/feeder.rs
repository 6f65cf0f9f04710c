//! Makes intents durable ahead of their requests: no more of them than the disk's slowness asks for, since a crash makes
//! each look as if its request had left.

use super::conclude::Conclusions;
use super::lane::LaneRun;
use super::row::Tries;
use super::shared::Shared;
use super::{Call, Transport};
use crate::journal::{Durable, Record};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// A call whose first intent is durable.
pub(super) struct Item {
    pub(super) call: Call,
    pub(super) tries: Tries,
    /// Given back when the request leaves: few intents may wait for their request.
    pub(super) ahead: OwnedSemaphorePermit,
}

/// A call whose first intent is on its way to the disk.
struct Announced {
    item: Item,
    durable: Durable,
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

/// Hands the intent of the row's next request to the journal.
pub(super) fn announce<T>(shared: &Shared<T>, call: &Call, tries: &mut Tries) -> Durable {
    tries.attempts += 1;
    shared.journal.append(&Record::Intent { row: call.row, attempt: tries.attempts, at: shared.now() })
}

/// Announces all of `calls` and passes each on when its intent is durable, until the lane stops.
pub(super) async fn feed<T: Transport>(
    shared: &Shared<T>,
    lane: &LaneRun,
    calls: Box<dyn Iterator<Item = Call> + Send>,
    queue: async_channel::Sender<Item>,
    conclusions: Conclusions,
) {
    // Bounded by the places.
    let (announced, waiting) = mpsc::unbounded_channel();
    tokio::join!(announce_all(shared, lane, calls, announced, conclusions), pass_on(shared, lane, waiting, queue));
}

async fn announce_all<T: Transport>(
    shared: &Shared<T>,
    lane: &LaneRun,
    calls: Box<dyn Iterator<Item = Call> + Send>,
    announced: mpsc::UnboundedSender<Announced>,
    conclusions: Conclusions,
) {
    let mut stopped = lane.stopped();
    let mut places = Places::default();
    let mut calls = calls.filter(|call| !shared.resumed.decided.contains(call.row)).fuse();
    let mut next = calls.next();
    while let Some(call) = next.take_if(|_| !lane.is_stopped()) {
        let history = shared.resumed.undecided.get(&call.row);
        if history.is_none() && lane.refusal_foreseen(shared, &call) {
            conclusions.conclude(shared, Tries::foreseen(&call)).await;
            next = calls.next();
            continue;
        }
        let place = tokio::select! {
            biased;
            () = stopped.reached() => None,
            place = async {
                let sync = shared.journal.sync_time();
                places.allow(lane.pacer.ahead(sync, shared.limits.in_flight));
                lane.pacer.unpaused().await;
                let place = Arc::clone(&places.free).acquire_owned().await;
                lane.pacer.approach(sync).await;
                place.ok()
            } => place,
        };
        let Some(ahead) = place else {
            next = Some(call);
            break;
        };
        let mut tries = Tries::after(history);
        let durable = announce(shared, &call, &mut tries);
        // The other end is there until this one is dropped.
        let _ = announced.send(Announced { item: Item { call, tries, ahead }, durable });
        next = calls.next();
    }
    if next.is_some() {
        lane.leave();
    }
}

async fn pass_on<T: Transport>(
    shared: &Shared<T>,
    lane: &LaneRun,
    mut waiting: mpsc::UnboundedReceiver<Announced>,
    queue: async_channel::Sender<Item>,
) {
    while let Some(Announced { item, durable }) = waiting.recv().await {
        match durable.await {
            // The workers hear until this end is dropped.
            Ok(()) => drop(queue.send(item).await),
            Err(error) => {
                shared.fail(error);
                lane.leave();
            }
        }
    }
}
