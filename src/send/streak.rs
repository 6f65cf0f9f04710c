//! Transient failures in a row: when are they an outage?

use crate::model::RowOutcome;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// So many transient failures in a row, over all rows, and the service is down.
pub(super) const UNAVAILABLE_AFTER: usize = 10;
/// So many different customers among them, and it is not those customers that are the trouble.
const NO_LONGER_FEW: usize = 5;

/// Transient failures since something was last decided.
#[derive(Debug, Default)]
pub(super) struct Streak {
    failures: usize,
    /// Failures of each row.
    rows: BTreeMap<u32, u32>,
    /// Rows without a try left, that were never answered: in an outage it is not theirs, and they wait for `resume`.
    given_up: Vec<RowOutcome>,
}

impl Streak {
    /// A call about `row` failed and may succeed later.
    pub(super) fn failed(&mut self, row: u32) {
        self.failures += 1;
        *self.rows.entry(row).or_default() += 1;
    }

    /// The service decided something: no outage. Returns the outcomes of rows that ran out of tries meanwhile.
    #[must_use]
    pub(super) fn answered(&mut self) -> Vec<RowOutcome> {
        self.failures = 0;
        self.rows.clear();
        self.take_given_up()
    }

    /// A row has no try left after `failures` of them. Its outcome comes back when the service was answering meanwhile;
    /// else it is kept until it is known whether this is an outage.
    pub(super) fn give_up(&mut self, outcome: RowOutcome, failures: u32) -> Option<RowOutcome> {
        if self.rows.get(&outcome.row).is_some_and(|of_it| *of_it >= failures) {
            self.given_up.push(outcome);
            return None;
        }
        Some(outcome)
    }

    /// The outcomes that were kept.
    pub(super) fn take_given_up(&mut self) -> Vec<RowOutcome> {
        std::mem::take(&mut self.given_up)
    }

    /// Whether the service is down. A few customers that fail at every try are no outage, or they would keep every later run
    /// from the rest. Fewer calls at a time than those few cannot tell the one from the other.
    pub(super) fn means_unavailable(&self, in_flight: NonZeroU32) -> bool {
        let few = usize::try_from(in_flight.get()).map_or(NO_LONGER_FEW, |in_flight| in_flight.min(NO_LONGER_FEW));
        self.failures >= UNAVAILABLE_AFTER && self.rows.len() >= few
    }
}
