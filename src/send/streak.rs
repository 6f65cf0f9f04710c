//! Transient failures in a row: when are they an outage?

use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// So many transient failures in a row, over all rows, and the service is down.
pub(super) const UNAVAILABLE_AFTER: usize = 10;
/// So many different customers among them, and it is not those customers that are the trouble.
const NO_LONGER_FEW: usize = 5;

/// Transient failures since something was last decided.
#[derive(Debug, Default)]
pub(super) struct Streak {
    failures: usize,
    rows: BTreeSet<u32>,
    /// Whether the service decided anything in this run.
    has_answered: bool,
}

impl Streak {
    /// A call about `row` failed and may succeed later.
    pub(super) fn failed(&mut self, row: u32) {
        self.failures += 1;
        self.rows.insert(row);
    }

    /// The service decided something.
    pub(super) fn answered(&mut self) {
        self.has_answered = true;
        self.failures = 0;
        self.rows.clear();
    }

    /// Whether the service is down. Once it has answered, a few customers that fail at every try are no outage, or they would
    /// keep every later run from the rest. Fewer calls at a time than those few cannot tell the one from the other.
    pub(super) fn means_unavailable(&self, in_flight: NonZeroU32) -> bool {
        let few = usize::try_from(in_flight.get()).map_or(NO_LONGER_FEW, |in_flight| in_flight.min(NO_LONGER_FEW));
        self.failures >= UNAVAILABLE_AFTER && (!self.has_answered || self.rows.len() >= few)
    }
}
