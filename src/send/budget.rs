//! How many requests may be made again: a tenth of those made first, so that a service in trouble is not buried.

use std::sync::{Mutex, PoisonError};

/// Requests made again per request made first, as one in so many.
const ONE_IN: u64 = 10;
/// So many are allowed before anything was earned: a short run may try again too.
const RESERVE: u64 = 20;

/// What one product may still try again. A 429 costs nothing: nothing was done, and the pause protects the service.
#[derive(Debug)]
pub(super) struct RetryBudget(Mutex<u64>);

impl RetryBudget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(RESERVE * ONE_IN))
    }

    /// A row was sent for the first time in this process.
    pub(super) fn earn(&self) {
        *self.tenths() += 1;
    }

    /// Whether one more request may be made again; if so, it is taken.
    pub(super) fn spend(&self) -> bool {
        let mut tenths = self.tenths();
        let left = tenths.checked_sub(ONE_IN);
        *tenths = left.unwrap_or(*tenths);
        left.is_some()
    }

    fn tenths(&self) -> std::sync::MutexGuard<'_, u64> {
        // A number: a panic elsewhere leaves it as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::RetryBudget;

    #[test]
    fn a_tenth_of_the_first_requests_and_the_reserve_may_be_made_again() {
        for (first, again) in [(0, 20), (9, 20), (10, 21), (1000, 120)] {
            let budget = RetryBudget::new();
            (0..first).for_each(|_| budget.earn());
            assert_eq!((0..10_000).filter(|_| budget.spend()).count(), again, "{first} first requests");
        }
    }
}
