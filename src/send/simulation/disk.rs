//! A disk that takes its time, and loses what was not synced when the power goes.

use super::flaw::Flaw;
use crate::journal::{Durable, JournalSink, Record};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A journal on such a disk.
pub(super) struct Disk {
    state: Arc<Mutex<State>>,
    flaw: Option<Flaw>,
}

struct State {
    written: Vec<Record>,
    /// So many of them survive a loss of power.
    synced: usize,
    chance: SmallRng,
}

impl Disk {
    /// One that holds `records`.
    pub(super) fn new(records: Vec<Record>, seed: u64, flaw: Option<Flaw>) -> Arc<Self> {
        let state = State { synced: records.len(), written: records, chance: SmallRng::seed_from_u64(seed) };
        Arc::new(Self { state: Arc::new(Mutex::new(state)), flaw })
    }

    /// What a process that died leaves behind.
    pub(super) fn written(&self) -> Vec<Record> {
        self.state.lock().unwrap().written.clone()
    }

    /// What the machine that died leaves behind: all that was synced, and as much as chance has it of the rest. A line
    /// that is not whole is cut off when it is read.
    pub(super) fn after_power_cut(&self) -> Vec<Record> {
        let mut state = self.state.lock().unwrap();
        let (synced, written) = (state.synced, state.written.len());
        let kept = state.chance.random_range(synced..=written);
        state.written[..kept].to_vec()
    }

    /// Whether the last thing that is durable of `row` is an intent.
    pub(super) fn announced(&self, row: u32) -> bool {
        let state = self.state.lock().unwrap();
        let of_row = state.written[..state.synced].iter().rev().find_map(|record| match record {
            Record::Intent { row: of, .. } if *of == row => Some(true),
            Record::Withdrawn { row: of } | Record::Undecided { row: of, .. } if *of == row => Some(false),
            _ => None,
        });
        of_row == Some(true)
    }
}

impl JournalSink for Disk {
    fn append(&self, record: &Record) -> Durable {
        let (done, durable) = Durable::pending();
        let mut state = self.state.lock().unwrap();
        state.written.push(record.clone());
        if self.flaw == Some(Flaw::WritesTwice) && matches!(record, Record::Outcome { .. }) {
            state.written.push(record.clone());
        }
        let (upto, wait) = (state.written.len(), state.chance.random_range(0..8_000_u64));
        drop(state);
        let state = Arc::clone(&self.state);
        let honest = self.flaw != Some(Flaw::OnlySaysItSynced);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_micros(wait)).await;
            if honest {
                // A sync covers everything that was written before.
                let mut state = state.lock().unwrap();
                state.synced = state.synced.max(upto);
            }
            let _ = done.send(Ok(()));
        });
        durable
    }
}
