//! What a journal says became of each row, for the report and the baseline.

use super::{Closing, JournalError, Record, Resumed};
use crate::model::{Outcome, RowOutcome};

/// An iterator over what became of the rows that a journal names. See [`outcomes`].
#[derive(Debug)]
pub struct Outcomes<I> {
    records: I,
    proven: Resumed,
    undecided: Option<std::vec::IntoIter<RowOutcome>>,
}

/// Every outcome of `records` in the order of their becoming known; then, in the order of rows, those that were sent and
/// have none: `unknown` if a try may have taken effect, else `not_attempted` with `sent`. Their `reason` is absent: it is
/// their product's ([`Closing::reason`]). Rows that no record names were never sent, for the same reason.
pub fn outcomes<I: Iterator<Item = Result<Record, JournalError>>>(records: I) -> Outcomes<I> {
    Outcomes { records, proven: Resumed::default(), undecided: None }
}

impl<I> Outcomes<I> {
    /// Whether the row that came last has no outcome in the journal: it is its product's stop that left it so.
    pub fn is_undecided(&self) -> bool {
        self.undecided.is_some()
    }

    /// How sending ended; known when the iterator is exhausted. `None`: it was killed.
    pub fn closed(&self) -> Option<&Closing> {
        self.proven.closed.as_ref()
    }
}

impl<I: Iterator<Item = Result<Record, JournalError>>> Iterator for Outcomes<I> {
    type Item = Result<RowOutcome, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.undecided.is_none() {
            for record in self.records.by_ref() {
                let record = match record {
                    Ok(record) => record,
                    Err(error) => return Some(Err(error)),
                };
                // A reader has refused what contradicts; records from elsewhere are taken at their word.
                let _ = self.proven.take(&record);
                if let Record::Outcome { outcome, .. } = record {
                    return Some(Ok(*outcome));
                }
            }
            let mut rest: Vec<RowOutcome> = std::mem::take(&mut self.proven.undecided)
                .into_iter()
                .map(|(row, history)| RowOutcome {
                    row,
                    outcome: if history.may_have_taken_effect() { Outcome::Unknown } else { Outcome::NotAttempted },
                    reason: None,
                    http_status: history.http_status,
                    attempts: history.attempts,
                    sent: true,
                    customer: None,
                    health_score: None,
                    not_applied: Vec::new(),
                    detail: history.detail,
                })
                .collect();
            rest.sort_unstable_by_key(|o| o.row);
            self.undecided = Some(rest.into_iter());
        }
        self.undecided.as_mut().and_then(Iterator::next).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{closed, header, intent, outcome, undecided};
    use super::outcomes;
    use crate::model::{Outcome, Reason};

    #[test]
    fn rows_without_an_outcome_are_unknown_only_if_a_try_may_have_taken_effect() {
        let records = [
            header(),
            intent(5, 1),
            intent(1, 1),
            outcome(1, Outcome::Updated),
            intent(3, 1),
            undecided(3, false),
            intent(2, 1),
            undecided(2, true),
            intent(2, 2),
            undecided(2, false),
            closed(false),
        ];
        let mut all = outcomes(records.into_iter().map(Ok));
        let found: Vec<_> = all.by_ref().map(|o| o.unwrap()).map(|o| (o.row, o.outcome, o.sent, o.attempts)).collect();
        assert_eq!(
            found,
            [
                (1, Outcome::Updated, true, 1),
                (2, Outcome::Unknown, true, 2),
                (3, Outcome::NotAttempted, true, 1),
                (5, Outcome::Unknown, true, 1),
            ]
        );
        let closing = all.closed().unwrap();
        assert_eq!(closing.reason("core"), Reason::Auth);
        assert_eq!(closing.reason("other"), Reason::Interrupted);
    }
}
