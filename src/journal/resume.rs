//! What a journal's records prove, folded one by one: the pure heart of `resume` and of the report.

use super::{Closing, Header, Record, RowSet};
use crate::model::Instant;
use std::collections::{BTreeMap, HashMap};

/// What the records read so far prove.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resumed {
    /// What the journal belongs to.
    pub header: Header,
    /// Rows with an outcome: never sent again.
    pub decided: RowSet,
    /// Rows that were sent, or about to be, and have no outcome.
    pub undecided: HashMap<u32, History>,
    /// Until when the server told each key (by fingerprint) to wait.
    pub waits: BTreeMap<String, Instant>,
    /// How sending ended, if it did and nobody went on since.
    pub closed: Option<Closing>,
    records: u64,
}

/// What is known of the tries of a row that has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Requests that left, or may have.
    pub attempts: u32,
    /// Whether a finished try was ambiguous.
    pub ambiguous: bool,
    /// Whether there is an intent of which nothing more is known.
    pub open: bool,
    /// Status of the last reply that came.
    pub http_status: Option<u16>,
    /// What the last try said, for a person.
    pub detail: Option<String>,
}

impl History {
    /// Whether any try may have taken effect: an intent of which nothing more is known may.
    pub fn may_have_taken_effect(&self) -> bool {
        self.ambiguous || self.open
    }
}

/// A record that cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Contradiction {
    /// The record's line, from 1.
    pub line: u64,
    /// What does not fit.
    pub what: String,
}

impl Resumed {
    /// Adds what `record` says. An error leaves this as it was.
    pub fn take(&mut self, record: &Record) -> Result<(), Contradiction> {
        let first = self.records == 0;
        let refuse = |what: String| Err(Contradiction { line: self.records + 1, what });
        match record {
            Record::Header(header) if first => self.header = header.clone(),
            Record::Header(_) => return refuse("a second header".into()),
            _ if first => return refuse("the first record is not a header".into()),
            Record::Resumed { .. } => {
                self.closed = None;
                for history in self.undecided.values_mut() {
                    history.ambiguous |= history.open;
                    history.open = false;
                }
            }
            Record::Intent { row, attempt, .. } => {
                if self.decided.contains(*row) {
                    return refuse(format!("an intent for row {row}, which has its outcome"));
                }
                let before = self.undecided.get(row);
                if before.is_some_and(|h| h.open) {
                    return refuse(format!("a second intent for row {row} while one is open"));
                }
                let attempts = before.map_or(0, |h| h.attempts);
                if *attempt != attempts + 1 {
                    return refuse(format!("attempt {attempt} of row {row} after {attempts} attempts"));
                }
                let history = self.undecided.entry(*row).or_default();
                history.attempts = *attempt;
                history.open = true;
            }
            Record::Withdrawn { row } => match self.undecided.get_mut(row) {
                Some(history) if history.open => {
                    history.open = false;
                    history.attempts -= 1;
                    if history.attempts == 0 {
                        self.undecided.remove(row);
                    }
                }
                _ => return refuse(format!("row {row} has no open intent to withdraw")),
            },
            Record::Undecided { row, status, ambiguous, detail, .. } => match self.undecided.get_mut(row) {
                Some(history) if history.open => {
                    history.open = false;
                    history.ambiguous |= ambiguous;
                    history.http_status = status.or(history.http_status);
                    history.detail = Some(detail.clone());
                }
                _ => return refuse(format!("row {row} has no open intent for this reply")),
            },
            Record::Wait { key, until } => {
                let known = self.waits.entry(key.clone()).or_insert(*until);
                *known = (*known).max(*until);
            }
            Record::Outcome { outcome, .. } => {
                let row = outcome.row;
                if self.decided.contains(row) {
                    return refuse(format!("a second outcome for row {row}"));
                }
                if outcome.sent != self.undecided.contains_key(&row) {
                    return refuse(if outcome.sent {
                        format!("an outcome for row {row}, which no intent announced")
                    } else {
                        format!("row {row} is said not to have been sent, after an intent")
                    });
                }
                self.undecided.remove(&row);
                self.decided.insert(row);
            }
            Record::Closed(closing) => self.closed = Some(closing.clone()),
        }
        self.records += 1;
        Ok(())
    }

    /// How many records were taken: the number that the next line bears.
    pub fn records(&self) -> u64 {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{closed, header, intent, outcome, undecided};
    use super::{Record, Resumed};
    use crate::model::{Instant, Outcome};

    fn resumed_at() -> Record {
        Record::Resumed { at: Instant::from_epoch_seconds(0).unwrap(), tool_version: "0.1.0".into() }
    }

    fn fold(records: &[Record]) -> Result<Resumed, String> {
        let mut resumed = Resumed::default();
        for record in records {
            resumed.take(record).map_err(|c| format!("{}: {c}", c.line))?;
        }
        Ok(resumed)
    }

    #[test]
    fn records_that_cannot_follow_each_other_are_refused_with_their_line() {
        let withdrawn = Record::Withdrawn { row: 1 };
        for (records, expected) in [
            (vec![intent(1, 1)], "1: the first record is not a header"),
            (vec![header(), header()], "2: a second header"),
            (vec![header(), outcome(1, Outcome::Updated)], "2: an outcome for row 1, which no intent announced"),
            (vec![header(), intent(1, 1), intent(1, 2)], "3: a second intent for row 1 while one is open"),
            (vec![header(), intent(1, 2)], "2: attempt 2 of row 1 after 0 attempts"),
            (vec![header(), withdrawn], "2: row 1 has no open intent to withdraw"),
            (
                vec![header(), intent(1, 1), undecided(1, false), undecided(1, false)],
                "4: row 1 has no open intent for this reply",
            ),
            (
                vec![header(), intent(1, 1), outcome(1, Outcome::Updated), outcome(1, Outcome::Updated)],
                "4: a second outcome for row 1",
            ),
            (
                vec![header(), intent(1, 1), outcome(1, Outcome::Updated), intent(1, 2)],
                "4: an intent for row 1, which has its outcome",
            ),
        ] {
            assert_eq!(fold(&records), Err(expected.to_owned()));
        }
    }

    #[test]
    fn an_intent_without_more_may_have_taken_effect_and_a_withdrawn_one_leaves_nothing() {
        let open = fold(&[header(), intent(1, 1)]).unwrap();
        assert!(open.undecided[&1].may_have_taken_effect());
        let withdrawn = fold(&[header(), intent(1, 1), Record::Withdrawn { row: 1 }]).unwrap();
        assert!(withdrawn.undecided.is_empty());
        let refused = fold(&[header(), intent(1, 1), undecided(1, false)]).unwrap();
        assert!(!refused.undecided[&1].may_have_taken_effect());
        assert_eq!(refused.undecided[&1].attempts, 1);
        let again = fold(&[header(), intent(1, 1), resumed_at(), intent(1, 2), undecided(1, false)]).unwrap();
        assert!(again.undecided[&1].may_have_taken_effect(), "the crash made the first try ambiguous for good");
        assert_eq!(again.undecided[&1].attempts, 2);
    }

    #[test]
    fn going_on_reopens_a_closed_run() {
        assert!(fold(&[header(), closed(false)]).unwrap().closed.is_some());
        assert!(fold(&[header(), closed(false), resumed_at()]).unwrap().closed.is_none());
    }
}
