//! How long to wait before another try: exponential, full jitter.
//!
//! Arithmetic of our own: the waits of the `backon` crate belong to a loop that retries a closure, and here the journal, the
//! pacing and the stop of the product stand between two tries; its jitter also only adds to a wait, whereas full jitter
//! spreads rows that failed together over all of it.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Random waits from a seed.
#[derive(Debug)]
pub(super) struct Backoff(Mutex<SmallRng>);

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }

    /// After the `failures`th failure (from 1): anything from nothing to half a second doubled each time, at most 30 s.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
        // A panic elsewhere leaves a random generator as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(Duration::ZERO..=ceiling)
    }
}
