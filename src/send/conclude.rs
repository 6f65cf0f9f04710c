//! Outcomes on their way to the disk: one counts when it is durable, and nobody who sends waits for that.

use super::shared::Shared;
use crate::journal::{Durable, Record};
use crate::model::{Outcome, RowOutcome};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// So many outcomes may be on their way to the disk at once.
const ON_THEIR_WAY: usize = 1024;

/// An outcome on its way to the disk.
struct Concluded {
    durable: Durable,
    outcome: Outcome,
}

/// Where a lane's outcomes go.
#[derive(Clone)]
pub(super) struct Conclusions(mpsc::Sender<Concluded>);

/// Counts the outcomes of a lane.
pub(super) struct Confirmations(mpsc::Receiver<Concluded>);

/// Both ends of a lane's outcomes.
pub(super) fn conclusions() -> (Conclusions, Confirmations) {
    let (sender, receiver) = mpsc::channel(ON_THEIR_WAY);
    (Conclusions(sender), Confirmations(receiver))
}

impl Conclusions {
    /// Hands a row's outcome to the journal. Waits only where very many are on their way before it.
    pub(super) async fn conclude<T>(&self, shared: &Shared<T>, outcome: RowOutcome) {
        let kind = outcome.outcome;
        let durable = shared.journal.append(&Record::Outcome { at: shared.now(), outcome: Box::new(outcome) });
        // The other end is there until this one is dropped.
        let _ = self.0.send(Concluded { durable, outcome: kind }).await;
    }
}

impl Confirmations {
    /// Counts each outcome once it is durable, for all lanes and in `done` for this one, until no more can come.
    pub(super) async fn confirm_all<T>(mut self, shared: &Shared<T>, done: &AtomicU64) {
        while let Some(Concluded { durable, outcome }) = self.0.recv().await {
            match durable.await {
                Ok(()) => {
                    done.fetch_add(1, Ordering::Relaxed);
                    shared.count(outcome);
                }
                Err(error) => shared.fail(error),
            }
        }
    }
}
