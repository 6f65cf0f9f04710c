//! A whole life: runs on one or two days, each killed, stopped or cut off from its power again and again, and resumed each
//! time from what the disk kept, until it ends.

use super::disk::Disk;
use super::fault::{Temper, Weather};
use super::flaw::Flaw;
use super::judge::Rule;
use super::server::Server;
use super::world::{End, World};
use crate::journal::testing::header;
use crate::journal::{JournalSink, Record, Resumed};
use crate::monitor::{Event, Monitor};
use crate::send::{Clock, SendContext, SendEnd, SendLimits};
use chrono::{DateTime, Utc};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant as Moment;

/// So many starts are enough for every day to end: the trouble grows less with each.
const STARTS: u32 = 60;

/// The wall clock that goes with tokio's paused one.
struct PausedClock(Moment);

impl Clock for PausedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000) + (Moment::now() - self.0)
    }
}

#[derive(Default)]
struct Said(Mutex<String>);

impl Monitor for Said {
    fn event(&self, event: Event) {
        writeln!(self.0.lock().unwrap(), "{event:?}").unwrap();
    }
}

/// One start of a run.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) day: u32,
    pub(super) end: End,
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// When it was asked to stop, if it still ran.
    pub(super) asked_to_stop: Option<Duration>,
    pub(super) deadline: Duration,
    /// What it said of itself, unless it died.
    pub(super) said: Option<SendEnd>,
    /// Records that the loss of power took.
    pub(super) records_lost: usize,
    /// Rows whose tries an earlier start began.
    pub(super) begun_before: Vec<u32>,
}

/// What a whole life came to.
pub(super) struct Life {
    pub(super) world: Arc<World>,
    pub(super) server: Server,
    pub(super) starts: Vec<Start>,
    /// The journal of each day.
    pub(super) journals: Vec<Vec<Record>>,
    pub(super) said: String,
}

struct Living<'a> {
    chance: SmallRng,
    world: Arc<World>,
    server: Server,
    clock: Arc<PausedClock>,
    said: Arc<Said>,
    state: &'a Path,
    starts: Vec<Start>,
    flaw: Option<Flaw>,
}

/// Lives through `seed` with a sender and a disk that have `flaw`. An error: a rule was broken so that nothing could go on.
pub(super) async fn live(seed: u64, flaw: Option<Flaw>, state: &Path) -> Result<Life, (Rule, String)> {
    let mut chance = SmallRng::seed_from_u64(seed);
    let world = Arc::new(World::of(&mut chance));
    let began = Moment::now();
    let temper = Temper::of(&mut chance);
    let server = Server::new(began, Arc::clone(&world), temper, chance.random(), flaw);
    let clock = Arc::new(PausedClock(began));
    let mut living =
        Living { chance, world: Arc::clone(&world), server, clock, said: Arc::default(), state, starts: vec![], flaw };
    let mut journals = Vec::new();
    for day in 1..=world.days {
        journals.push(living.day(day).await?);
        tokio::time::sleep(world.night).await;
    }
    let said = living.said.0.lock().unwrap().clone();
    Ok(Life { world, server: living.server, starts: living.starts, journals, said })
}

impl Living<'_> {
    fn now(&self) -> Duration {
        Moment::now() - self.clock.0
    }

    /// One run, from its plan to its last outcome.
    async fn day(&mut self, day: u32) -> Result<Vec<Record>, (Rule, String)> {
        let mut records = vec![header()];
        for nth in 0..STARTS {
            let complete = self.start(day, nth, &mut records).await?;
            if complete {
                return Ok(records);
            }
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(0..3000))).await;
        }
        Err((Rule::EveryRow, format!("not complete after {STARTS} starts")))
    }

    fn weather(&mut self, nth: u32) -> Weather {
        let calm = (f64::from(nth) / f64::from(STARTS / 2)).min(1.0);
        let trouble = 0.15 * (1.0 - calm);
        Weather {
            calm,
            dying: self.chance.random_bool(trouble).then(|| [500, 950][self.chance.random_range(0..2)]),
            refused: self
                .chance
                .random_bool(trouble)
                .then(|| (self.chance.random_range(0..2), self.chance.random_range(1..5))),
        }
    }

    fn end(&mut self, nth: u32) -> End {
        match self.chance.random_range(0..STARTS) {
            n if n < nth || n % 4 == 0 => End::Natural,
            n if n % 4 == 1 => End::Kill,
            n if n % 4 == 2 => End::PowerCut,
            _ => End::Signal,
        }
    }

    /// One start; says whether the run is complete.
    async fn start(&mut self, day: u32, nth: u32, records: &mut Vec<Record>) -> Result<bool, (Rule, String)> {
        let mut resumed = Resumed::default();
        for record in records.iter() {
            resumed.take(record).map_err(|error| (Rule::OneOutcome, format!("line {}: {error}", error.line)))?;
        }
        if self.flaw == Some(Flaw::ForgetsThePace) {
            resumed.waits.clear();
        }
        let disk = Disk::new(records.clone(), self.chance.random(), self.flaw);
        let weather = self.weather(nth);
        self.server.next_start(self.starts.len(), disk.clone(), weather);
        if nth > 0 {
            let at = crate::model::Instant::from_utc(self.clock.now());
            drop(disk.append(&Record::Resumed { at, tool_version: "0".into() }));
        }
        let end = self.end(nth);
        let deadline = if nth < STARTS / 2 && self.chance.random_bool(0.1) {
            self.world.work().mul_f64(self.chance.random_range(0.0..2.0))
        } else {
            Duration::from_hours(20)
        };
        let from = self.now();
        let begun_before = resumed.undecided.keys().copied().collect();
        let (asked, stop) = watch::channel(false);
        let context = SendContext {
            transport: self.server.clone(),
            journal: disk.clone() as Arc<dyn JournalSink>,
            clock: self.clock.clone(),
            monitor: self.said.clone(),
            stop,
            limits: self.limits(deadline),
            seed: self.chance.random(),
            pacing: self.pacing(),
            resumed,
        };
        let mut sending = tokio::spawn(crate::send::send(self.world.lanes(day, self.flaw), context));
        let works = self.world.work().mul_f64(1.0 / f64::from(nth.min(3) + 1));
        let after = self.chance.random_range(Duration::ZERO..works);
        let mut asked_to_stop = None;
        let said: Option<SendEnd> = tokio::select! {
            ended = &mut sending => Some(ended.unwrap().unwrap()),
            () = tokio::time::sleep(after), if end != End::Natural => {
                if end == End::Signal {
                    asked_to_stop = Some(self.now());
                    asked.send_replace(self.flaw != Some(Flaw::IgnoresTheStop));
                    Some(sending.await.unwrap().unwrap())
                } else {
                    sending.abort();
                    // Nothing of it goes on: its tasks die with their set, and what was on the way is lost.
                    let _ = sending.await;
                    None
                }
            }
        };
        *records = if end == End::PowerCut && said.is_none() { disk.after_power_cut() } else { disk.written() };
        let complete = said.as_ref().is_some_and(|said| said.complete);
        self.starts.push(Start {
            day,
            end,
            from,
            until: self.now(),
            asked_to_stop,
            deadline: from + deadline,
            said,
            records_lost: disk.written().len() - records.len(),
            begun_before,
        });
        Ok(complete)
    }

    /// As the sender takes them.
    fn limits(&self, deadline: Duration) -> SendLimits {
        let mut limits = SendLimits { deadline, ..self.world.limits };
        match self.flaw {
            Some(Flaw::IgnoresTheDeadline) => limits.deadline = Duration::from_hours(20),
            Some(Flaw::KnocksOn) => limits.stop_after_creation_disabled = false,
            _ => {}
        }
        limits
    }

    fn pacing(&self) -> std::path::PathBuf {
        let forgotten = self.flaw == Some(Flaw::ForgetsThePace);
        self.state.join(if forgotten { format!("pacing-{}", self.starts.len()) } else { "pacing".into() })
    }
}
