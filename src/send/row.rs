//! The tries of one row, and what may honestly be said of it after each.

use super::{Call, Verdict, compare};
use crate::journal::{History, ProductStop};
use crate::model::{Outcome, RowOutcome};
use std::time::Duration;

/// Why a row is not tried again although it has tries left.
const BUDGET_SPENT: &str = "not tried again: so many calls fail that a tenth of all was made again already";

/// What is known of one row's tries.
#[derive(Debug, Clone, Default)]
pub(super) struct Tries {
    /// Requests that left, or are about to.
    pub(super) attempts: u32,
    /// Transient failures in this process: a resumed row gets its tries anew.
    failures: u32,
    /// Whether a try may have taken effect without saying so.
    ambiguous: bool,
    /// Requests that left in earlier processes.
    before: u32,
    http_status: Option<u16>,
}

/// What comes next for a row.
#[derive(Debug)]
pub(super) enum Next {
    /// It has its outcome.
    Decided(Box<RowOutcome>),
    /// It has no try left after so many failures: its outcome, unless the whole service is down.
    GivenUp {
        /// What can be said of it.
        outcome: Box<RowOutcome>,
        /// Whether the last try was ambiguous.
        ambiguous: bool,
        /// Tries that failed.
        failures: u32,
    },
    /// Another try.
    Again {
        /// Whether this one was ambiguous.
        ambiguous: bool,
        /// Whether it used up a try: then a back-off comes before the next.
        failures: Option<u32>,
        /// What the server said to wait.
        after: Option<Duration>,
        /// Why.
        detail: String,
    },
    /// Its product stops, and the row waits for another start.
    Stop(ProductStop),
}

impl Tries {
    /// Goes on where an earlier process ended.
    pub(super) fn after(history: Option<&History>) -> Self {
        history.map_or_else(Self::default, |h| Self {
            attempts: h.attempts,
            failures: 0,
            ambiguous: h.may_have_taken_effect(),
            before: h.attempts,
            http_status: h.http_status,
        })
    }

    /// Takes in the verdict on the try that was just made; `status` is of its reply, if one came. `may_retry` is asked
    /// only where another try would use up one.
    pub(super) fn take(
        &mut self,
        call: &Call,
        status: Option<u16>,
        verdict: Verdict,
        max_tries: u32,
        may_retry: impl FnOnce() -> bool,
    ) -> Next {
        self.http_status = status.or(self.http_status);
        let outcome = match verdict {
            Verdict::Accepted { created, customer, health_score } => {
                let outcome = match (created, self.ambiguous) {
                    (true, _) => Outcome::Created,
                    (false, false) => Outcome::Updated,
                    (false, true) => Outcome::Applied,
                };
                let not_applied = compare(&call.body, &customer);
                let (customer, health_score) = (Some(*customer), health_score);
                RowOutcome { customer, health_score, not_applied, ..self.ended(call, outcome, None) }
            }
            Verdict::CreationDisabled { detail } => self.refused(call, Outcome::CreationDisabled, detail),
            Verdict::Rejected { detail } => self.refused(call, Outcome::Rejected, detail),
            Verdict::Failed { detail } => self.refused(call, Outcome::Failed, detail),
            Verdict::Stop { reason, detail } => return Next::Stop(ProductStop { reason, detail }),
            Verdict::Mistaken { detail } => {
                let verdict = Verdict::Retry { ambiguous: true, counts_as_try: true, after: None, detail };
                return self.take(call, status, verdict, max_tries, may_retry);
            }
            Verdict::Retry { ambiguous, counts_as_try, after, detail } => {
                self.ambiguous |= ambiguous;
                self.failures += u32::from(counts_as_try);
                let again = |failures| Next::Again { ambiguous, failures, after, detail: detail.clone() };
                if !counts_as_try {
                    return again(None);
                }
                let detail = if self.failures >= max_tries {
                    detail
                } else if may_retry() {
                    return again(Some(self.failures));
                } else {
                    format!("{detail}; {BUDGET_SPENT}")
                };
                let outcome = Box::new(self.refused(call, Outcome::Failed, detail));
                // An earlier process found no way through either: this is no outage of now.
                if self.before >= max_tries {
                    return Next::Decided(outcome);
                }
                return Next::GivenUp { outcome, ambiguous, failures: self.failures };
            }
        };
        Next::Decided(Box::new(outcome))
    }

    /// The row's end by a reply that says no. After an ambiguous try only `unknown` is honest: the earlier request may
    /// have been taken before this one was refused. A closed creation gate is the exception: it says that nobody
    /// matches, so that nothing was taken.
    fn refused(&self, call: &Call, outcome: Outcome, detail: String) -> RowOutcome {
        let keeps = !self.ambiguous || outcome == Outcome::CreationDisabled;
        self.ended(call, if keeps { outcome } else { Outcome::Unknown }, Some(detail))
    }

    fn ended(&self, call: &Call, outcome: Outcome, detail: Option<String>) -> RowOutcome {
        RowOutcome {
            row: call.row,
            outcome,
            reason: None,
            http_status: self.http_status,
            attempts: self.attempts,
            sent: self.attempts > 0,
            customer: None,
            health_score: None,
            not_applied: Vec::new(),
            detail,
        }
    }

    /// The row's end without a call: its product's creation gate is known to be closed.
    pub(super) fn foreseen(call: &Call) -> RowOutcome {
        let detail = "not sent: the product's creation gate answered CREATION_DISABLED earlier in this run".to_owned();
        Self::default().ended(call, Outcome::CreationDisabled, Some(detail))
    }
}
