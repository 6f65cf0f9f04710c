//! Records and sinks for tests.

use super::{Closing, Durable, Header, JOURNAL_FORMAT, JournalError, JournalSink, ProductStop, Record, Resumed};
use crate::model::{Instant, Outcome, Reason, RowOutcome};
use std::collections::BTreeMap;
use std::sync::Mutex;

pub(crate) fn at() -> Instant {
    Instant::from_epoch_seconds(1_790_000_000).unwrap()
}

pub(crate) fn header_content() -> Header {
    Header {
        format: JOURNAL_FORMAT,
        run_id: "20261101T060000Z-9f3c".into(),
        plan_hash: "ab".into(),
        tool_version: "0.1.0".into(),
    }
}

pub(crate) fn header() -> Record {
    Record::Header(header_content())
}

pub(crate) fn intent(row: u32, attempt: u32) -> Record {
    Record::Intent { row, attempt, at: at() }
}

pub(crate) fn undecided(row: u32, ambiguous: bool) -> Record {
    let status = Some(if ambiguous { 500 } else { 503 });
    Record::Undecided { row, at: at(), status, ambiguous, detail: "a fault".into() }
}

pub(crate) fn outcome(row: u32, outcome: Outcome) -> Record {
    let outcome = RowOutcome {
        row,
        outcome,
        reason: None,
        http_status: Some(200),
        attempts: 1,
        sent: true,
        customer: None,
        health_score: None,
        not_applied: Vec::new(),
        detail: None,
    };
    Record::Outcome { at: at(), outcome: Box::new(outcome) }
}

pub(crate) fn closed(complete: bool) -> Record {
    let stop = ProductStop { reason: Reason::Auth, detail: "the key was refused".into() };
    let stopped = if complete { BTreeMap::new() } else { BTreeMap::from([("core".to_owned(), stop)]) };
    Record::Closed(Closing { at: at(), complete, stopped })
}

/// A journal in memory, at once durable, that checks what it is given and can be made to fail.
#[derive(Debug, Default)]
pub(crate) struct MemoryJournal {
    records: Mutex<Vec<Record>>,
    fails_after: Option<usize>,
}

impl MemoryJournal {
    /// One that goes on after `records`.
    pub(crate) fn after(records: Vec<Record>) -> Self {
        Self { records: Mutex::new(records), fails_after: None }
    }

    /// One whose disk is full after `records` records.
    pub(crate) fn failing_after(records: usize) -> Self {
        Self { records: Mutex::new(vec![header()]), fails_after: Some(records + 1) }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    /// Folds everything; panics where records contradict.
    pub(crate) fn proven(&self) -> Resumed {
        let mut resumed = Resumed::default();
        for record in self.records.lock().unwrap().iter() {
            resumed.take(record).unwrap();
        }
        resumed
    }
}

impl JournalSink for MemoryJournal {
    fn append(&self, record: &Record) -> Durable {
        let (done, durable) = Durable::pending();
        let mut records = self.records.lock().unwrap();
        let result = if self.fails_after.is_some_and(|limit| records.len() >= limit) {
            Err(JournalError::Write {
                doing: "write",
                path: None,
                detail: "No space left on device".into(),
                durable: None,
            })
        } else {
            records.push(record.clone());
            Ok(())
        };
        done.send(result).unwrap();
        durable
    }
}
