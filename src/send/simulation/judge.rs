//! What is held against every life: what its journals say against what the server did.

use super::fault::Fault;
use super::life::Life;
use super::server::{LONGEST_WAY, Seen};
use super::world::{KEYS, planned};
use crate::journal::{Record, Resumed};
use crate::model::{Outcome, Prediction, Reason, RowOutcome};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One thing that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// No row has two outcomes, and the journal does not contradict itself.
    OneOutcome,
    /// Every row of the plan has an outcome in the end.
    EveryRow,
    /// Nobody is created twice.
    SecondCreate,
    /// The server never saw more requests than are told.
    Attempts,
    /// No claim that the server's log contradicts.
    Claim,
    /// What is said to be in Tether is there as the plan says, and nothing else has changed.
    ServerEqualsPlan,
    /// Nobody is there whom no plan names.
    Spurious,
    /// No request leaves before its intent is durable.
    Announced,
    /// In any window at most rate × window + burst requests leave, over all starts and days.
    RateAsLeft,
    /// As the server sees it: what arrives in a window left in one that is longer by what the network may add.
    RateAsArrived,
    /// Nothing leaves while the server has asked to wait.
    Wait,
    /// Requests made again: a tenth of those made first, and twenty.
    Budget,
    /// A product stops for what its own key or its own calls met.
    StopOfAnother,
    /// Nothing leaves after a stop was asked for, and 30 s later all is over.
    AfterStop,
    /// Nothing leaves after the deadline.
    AfterDeadline,
    /// To a closed gate go no more creates than were under way, where so configured.
    Gate,
    /// No key is told.
    Secret,
    /// Nothing panics, and no row has two requests under way.
    NoPanic,
}

/// What is broken, and how.
pub(super) type Broken = (Rule, String);

/// The memory between two starts is kept in whole milliseconds.
const MEMORY: Duration = Duration::from_millis(2);
/// How long a sender may take to end after the calls under way did.
const ENDING: Duration = Duration::from_millis(200);

/// Everything that is broken in `life`.
pub(super) fn judge(life: &Life) -> Vec<Broken> {
    let log = life.server.log();
    let mut broken = Vec::new();
    for (day, journal) in (1..).zip(&life.journals) {
        outcomes(life, day, journal, &log, &mut broken);
    }
    holdings(life, &mut broken);
    if let Some(early) = log.iter().find(|seen| !seen.announced) {
        broken.push((Rule::Announced, format!("row {} left at {:?}", early.row, early.left)));
    }
    for key in 0..KEYS.len() {
        let own = || log.iter().filter(move |seen| seen.key == key);
        let left: Vec<Duration> = own().map(|seen| seen.left).collect();
        let mut arrived: Vec<Duration> = own().filter_map(|seen| seen.arrived).collect();
        arrived.sort();
        broken.extend(rate(life, key, &left, MEMORY).map(|what| (Rule::RateAsLeft, what)));
        let way = Duration::from_millis(LONGEST_WAY);
        broken.extend(rate(life, key, &arrived, way + MEMORY).map(|what| (Rule::RateAsArrived, what)));
    }
    for (key, heard, until) in life.server.asked() {
        // The memory of it is kept in whole milliseconds.
        let until = until.saturating_sub(Duration::from_millis(1));
        if let Some(early) = log.iter().find(|seen| seen.key == key && seen.left > heard && seen.left < until) {
            let what =
                format!("row {} left at {:?}, asked at {heard:?} to wait until {until:?}", early.row, early.left);
            broken.push((Rule::Wait, what));
        }
    }
    for (place, _) in life.starts.iter().enumerate() {
        start(life, place, &log, &mut broken);
    }
    let everything = format!("{} {}", serde_json::to_string(&life.journals).unwrap(), life.said);
    broken.extend(KEYS.iter().filter(|key| everything.contains(**key)).map(|_| (Rule::Secret, "a key is told".into())));
    broken
}

/// The outcomes of one day's plan.
fn outcomes(life: &Life, day: u32, journal: &[Record], log: &[Seen], broken: &mut Vec<Broken>) {
    let mut proven = Resumed::default();
    if let Some(error) = journal.iter().find_map(|record| proven.take(record).err()) {
        return broken.push((Rule::OneOutcome, format!("line {}: {error}", error.line)));
    }
    let mut by_row: BTreeMap<u32, RowOutcome> = BTreeMap::new();
    for outcome in crate::journal::outcomes(journal.iter().cloned().map(Ok)) {
        let outcome = outcome.unwrap();
        by_row.insert(outcome.row, outcome);
    }
    for row in 0..life.world.rows() {
        match by_row.get(&row) {
            None => broken.push((Rule::EveryRow, format!("row {row} has no outcome"))),
            Some(said) => {
                // Where no connection was had, nothing left.
                let of_row = |seen: &&Seen| {
                    seen.row == row && life.starts[seen.start].day == day && seen.fault != Some(Fault::Refused)
                };
                let seen: Vec<&Seen> = log.iter().filter(of_row).collect();
                broken.extend(row_broken(said, &seen).map(|(rule, what)| {
                    (rule, format!("row {row} is said to be {} on day {day}: {what}; {seen:#?}", said.outcome))
                }));
            }
        }
    }
}

fn row_broken(said: &RowOutcome, seen: &[&Seen]) -> Option<Broken> {
    let created = seen.iter().filter(|seen| seen.created).count();
    let taken = seen.iter().filter(|seen| seen.taken).count();
    if created > 1 {
        return Some((Rule::SecondCreate, "it was created twice".into()));
    }
    if u32::try_from(seen.len()).unwrap() > said.attempts {
        return Some((Rule::Attempts, format!("{} attempts, and {} left", said.attempts, seen.len())));
    }
    let what = match said.outcome {
        Outcome::Created if created != 1 => "it was never created",
        Outcome::Updated if created > 0 || taken != 1 => "it was created, or taken more or less than once",
        Outcome::Applied if taken == 0 => "it was never taken",
        Outcome::Created | Outcome::Updated | Outcome::Applied if !seen.last().is_some_and(|seen| seen.taken) => {
            "the last request was not taken"
        }
        Outcome::Rejected | Outcome::Failed | Outcome::CreationDisabled if taken > 0 => "it was taken",
        Outcome::NotAttempted => "the run is complete",
        // A row whose only request was cut off by a crash may never have left.
        _ if said.sent != (said.attempts > 0) || (said.sent == seen.is_empty() && said.outcome != Outcome::Unknown) => {
            "whether it was sent is not so"
        }
        _ if said.reason == Some(Reason::Auth) => "the run is complete",
        _ => return None,
    };
    Some((Rule::Claim, what.into()))
}

/// What the server holds in the end.
fn holdings(life: &Life, broken: &mut Vec<Broken>) {
    let customers = life.server.customers();
    let rows = life.world.rows();
    for (id, held) in &customers {
        let row = id.strip_prefix("u-").and_then(|row| row.parse::<u32>().ok());
        let untouched = held == &serde_json::json!({"mrr": 1});
        if row.is_none_or(|row| row >= rows && !untouched) {
            broken.push((Rule::Spurious, format!("{id}: {held}")));
        }
    }
    // The last claim of each row that says where it stands.
    for row in 0..rows {
        let mut expected: Option<Option<u32>> = Some(None);
        for (day, journal) in (1..).zip(&life.journals) {
            let said = crate::journal::outcomes(journal.iter().cloned().map(Ok));
            let outcome = said.map(Result::unwrap).find(|said| said.row == row).map(|said| said.outcome);
            match outcome {
                Some(Outcome::Created | Outcome::Updated | Outcome::Applied) => expected = Some(Some(day)),
                Some(Outcome::Unknown) => expected = None,
                _ => {}
            }
        }
        let held = customers.get(&format!("u-{row}"));
        let body = |day| serde_json::to_value(&planned(row, day).body).unwrap();
        let holds = match expected {
            None => true,
            Some(Some(day)) => held == Some(&body(day)),
            Some(None) => held.is_none_or(|held| held == &serde_json::json!({"mrr": 1})),
        };
        if !holds {
            let held = held.map(Value::to_string);
            broken.push((
                Rule::ServerEqualsPlan,
                format!("row {row}: {held:?} is held, {expected:?} is the day claimed"),
            ));
        }
    }
}

/// Whether more than rate × window + burst lie in some window; a window is as much longer as `slack` says.
fn rate(life: &Life, key: usize, at: &[Duration], slack: Duration) -> Option<String> {
    let (rate, burst) = (life.world.ceiling(key), life.world.burst(key));
    for (n, from) in at.iter().enumerate() {
        for (m, to) in at.iter().enumerate().skip(n) {
            let count = f64::from(u32::try_from(m - n + 1).unwrap());
            if count > rate * (to.saturating_sub(*from) + slack).as_secs_f64() + burst + 1e-6 {
                return Some(format!("{count} calls from {from:?} to {to:?} at {rate} a second, burst {burst}"));
            }
        }
    }
    None
}

/// What must hold of each start by itself.
fn start(life: &Life, place: usize, log: &[Seen], broken: &mut Vec<Broken>) {
    let start = &life.starts[place];
    let own: Vec<&Seen> = log.iter().filter(|seen| seen.start == place).collect();
    if let Some(asked) = start.asked_to_stop {
        if let Some(late) = own.iter().find(|seen| seen.left > asked) {
            broken.push((Rule::AfterStop, format!("row {} left at {:?}, stop at {asked:?}", late.row, late.left)));
        }
        if start.until > asked + Duration::from_secs(30) + ENDING {
            broken.push((Rule::AfterStop, format!("it ended at {:?}, stop at {asked:?}", start.until)));
        }
    }
    if let Some(late) = own.iter().find(|seen| seen.left > start.deadline + Duration::from_millis(1)) {
        broken.push((Rule::AfterDeadline, format!("row {} left at {:?}: {start:?}", late.row, late.left)));
    }
    for product in &life.world.products {
        let own: Vec<&Seen> = own.iter().filter(|seen| product.rows.contains(&seen.row)).copied().collect();
        let mut first = std::collections::BTreeSet::new();
        let mut after: BTreeMap<u32, Option<Fault>> = BTreeMap::new();
        let mut again = 0;
        for seen in &own {
            let cost = after.insert(seen.row, seen.fault).is_some_and(|last| !last.is_some_and(Fault::costs_nothing));
            again += usize::from(!first.insert(seen.row) && cost);
        }
        if again > 20 + first.len() / 10 {
            broken.push((Rule::Budget, format!("{again} requests again for {} rows: {start:?}", first.len())));
        }
        if life.world.limits.stop_after_creation_disabled
            && let Some(heard) = own.iter().filter_map(|seen| seen.gate_heard).min()
        {
            let foreseen = |seen: &&&Seen| {
                seen.left > heard
                    && !start.begun_before.contains(&seen.row)
                    && planned(seen.row, 1).predicted == Prediction::Create
                    && !own.iter().any(|earlier| earlier.row == seen.row && earlier.left < seen.left)
            };
            let knocked = own.iter().filter(foreseen).count();
            if knocked >= life.world.limits.in_flight.get() as usize {
                broken.push((Rule::Gate, format!("{knocked} creates after {heard:?}: {start:?}")));
            }
        }
        let stop = start.said.as_ref().and_then(|said| said.stopped.get(product.name)).map(|stop| stop.reason);
        let met = |faults: &[Fault]| own.iter().filter(|seen| seen.fault.is_some_and(|f| faults.contains(&f))).count();
        let deserved = match stop {
            Some(Reason::Auth) => met(&[Fault::KeyRefused]) > 0,
            Some(Reason::Configuration) => met(&[Fault::NotFound]) > 0,
            Some(Reason::Unavailable) => own.iter().filter(|seen| seen.fault.is_some()).count() >= 10,
            Some(Reason::Interrupted) => start.asked_to_stop.is_some(),
            Some(Reason::Deadline) => {
                // The journal keeps it rounded up; a 429 that names no wait pauses for up to a minute all the same.
                let beyond = start.deadline.saturating_sub(Duration::from_secs(3));
                let asked = life.server.asked();
                start.until >= start.deadline
                    || asked.iter().any(|(key, _, until)| *key == product.key && *until > beyond)
                    || log.iter().any(|seen| {
                        let refused = seen.key == product.key && seen.fault.is_some_and(Fault::costs_nothing);
                        refused && seen.left < start.until && seen.left + Duration::from_mins(2) > start.deadline
                    })
            }
            Some(_) => false,
            None => true,
        };
        if !deserved {
            broken.push((Rule::StopOfAnother, format!("{} stopped as {stop:?}: {own:#?}", product.name)));
        }
    }
}
