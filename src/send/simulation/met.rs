//! What really occurred over many lives: an invariant that trouble never tried proves nothing.

use super::fault::Fault;
use super::life::Life;
use super::world::End;
use crate::journal::Record;
use crate::model::{Outcome, Reason};
use std::collections::BTreeMap;

/// How often each thing was met, by name.
#[derive(Debug, Default)]
pub(super) struct Met(BTreeMap<String, usize>);

const OUTCOMES: [Outcome; 7] = [
    Outcome::Created,
    Outcome::Updated,
    Outcome::Applied,
    Outcome::CreationDisabled,
    Outcome::Rejected,
    Outcome::Failed,
    Outcome::Unknown,
];
const STOPS: [Reason; 5] =
    [Reason::Auth, Reason::Configuration, Reason::Unavailable, Reason::Deadline, Reason::Interrupted];
const ENDS: [End; 4] = [End::Natural, End::Kill, End::PowerCut, End::Signal];
const OTHERS: [&str; 13] = [
    "a start after the first",
    "a second day",
    "records lost with the power",
    "an intent withdrawn",
    "a row not sent, its refusal being foreseen",
    "a row not tried again for want of budget",
    "a start while a wait was in force",
    "a call of the other key during a wait",
    "a product that went on while another was stopped",
    "two products on one key",
    "two products on two keys",
    "a rate to be found",
    "a rate to be found, resumed",
];

impl Met {
    fn add(&mut self, what: impl std::fmt::Display, times: usize) {
        *self.0.entry(what.to_string()).or_default() += times;
    }

    /// Adds one life.
    pub(super) fn take(&mut self, life: &Life) {
        let (log, asked) = (life.server.log(), life.server.asked());
        log.iter().filter_map(|seen| seen.fault).for_each(|fault| self.add(format!("{fault:?}"), 1));
        for journal in &life.journals {
            for outcome in crate::journal::outcomes(journal.iter().cloned().map(Ok)).map(Result::unwrap) {
                self.add(outcome.outcome, 1);
                let detail = outcome.detail.as_deref().unwrap_or_default();
                self.add(OTHERS[4], usize::from(!outcome.sent && outcome.outcome == Outcome::CreationDisabled));
                self.add(OTHERS[5], usize::from(detail.contains("a tenth of all")));
            }
            self.add(OTHERS[0], journal.iter().filter(|record| matches!(record, Record::Resumed { .. })).count());
            self.add(OTHERS[3], journal.iter().filter(|record| matches!(record, Record::Withdrawn { .. })).count());
        }
        for start in &life.starts {
            self.add(format!("{:?}", start.end), 1);
            self.add(OTHERS[2], start.records_lost);
            let in_force = asked.iter().any(|(_, heard, until)| *heard < start.from && start.from < *until);
            self.add(OTHERS[6], usize::from(in_force));
            if let Some(said) = &start.said {
                said.stopped.values().for_each(|stop| self.add(stop.reason, 1));
                let apart = life.world.products.iter().any(|product| !said.stopped.contains_key(product.name));
                self.add(
                    OTHERS[8],
                    usize::from(apart && said.stopped.values().any(|stop| stop.reason == Reason::Auth)),
                );
            }
        }
        let meanwhile = |seen: &&super::server::Seen| {
            asked.iter().any(|(key, heard, until)| *key != seen.key && *heard < seen.left && seen.left < *until)
        };
        self.add(OTHERS[7], log.iter().filter(meanwhile).count());
        self.add(OTHERS[1], usize::from(life.world.days > 1));
        if let [one, other] = life.world.products.as_slice() {
            self.add(if one.key == other.key { OTHERS[9] } else { OTHERS[10] }, 1);
        }
        if life.world.tunes() {
            self.add(OTHERS[11], 1);
            self.add(OTHERS[12], usize::from(life.starts.len() > life.journals.len()));
        }
    }

    /// What was met fewer than ten times.
    pub(super) fn missing(&self) -> Vec<String> {
        let faults = Fault::ALL.iter().map(|fault| format!("{fault:?}"));
        let words = OUTCOMES.iter().map(ToString::to_string).chain(STOPS.iter().map(ToString::to_string));
        let all = faults.chain(words).chain(ENDS.iter().map(|end| format!("{end:?}"))).chain(OTHERS.map(str::to_owned));
        all.filter(|what| self.0.get(what).is_none_or(|times| *times < 10)).collect()
    }
}
