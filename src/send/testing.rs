//! A server, a clock and a monitor for tests of the dispatcher, all under tokio's paused time.

use super::key::ApiKey;
use super::{Call, Clock, IdType, Lane, Reply, SendContext, SendEnd, SendError, SendLimits, Transport, TransportError};
use crate::config::{KeyPace, KeySource, Pace, Rate};
use crate::journal::testing::{MemoryJournal, header};
use crate::journal::{Record, Resumed};
use crate::model::{Outcome, Prediction, RowOutcome, UpsertBody};
use crate::monitor::{Event, Monitor};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant as Moment;

pub(super) const KEY: &str = "tk_live_0123456789abcdef";

/// One request as the server saw it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) at: Duration,
    pub(super) lane: usize,
    pub(super) row: u32,
    /// Which request of this row, from 1.
    pub(super) nth: usize,
    pub(super) id_type: IdType,
    pub(super) body: Vec<u8>,
}

/// What the server does.
pub(super) enum Answer {
    Created,
    Updated,
    Status(u16),
    /// Status and `retry_after_seconds`.
    Wait(u16, u64),
    /// Status, `error` and `code`.
    Refuse(u16, &'static str, &'static str),
    Lost,
    NoConnection,
    Never,
}

type Script = Box<dyn Fn(&Seen) -> Answer + Send + Sync>;

pub(super) struct Server {
    script: Script,
    latency: Duration,
    start: Moment,
    log: Arc<Mutex<Vec<Seen>>>,
    under_way: Mutex<Vec<u32>>,
}

impl Transport for Server {
    async fn attempt(&self, lane: usize, id_type: IdType, body: &[u8]) -> Result<Reply, TransportError> {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        let id = json["external_id"].as_str().unwrap();
        let row = id.strip_prefix("u-").unwrap().parse().unwrap();
        let seen = {
            let mut log = self.log.lock().unwrap();
            let nth = log.iter().filter(|s| s.row == row && s.lane == lane).count() + 1;
            let seen = Seen { at: Moment::now() - self.start, lane, row, nth, id_type, body: body.to_vec() };
            log.push(seen.clone());
            let mut under_way = self.under_way.lock().unwrap();
            assert!(!under_way.contains(&row), "two requests for row {row} at once");
            under_way.push(row);
            seen
        };
        tokio::time::sleep(self.latency).await;
        let answer = (self.script)(&seen);
        if matches!(answer, Answer::Never) {
            std::future::pending::<()>().await;
        }
        self.under_way.lock().unwrap().retain(|r| *r != row);
        let reply = |status, body: serde_json::Value| {
            Ok(Reply { status, body: serde_json::to_vec(&body).unwrap(), ..Reply::default() })
        };
        let taken = |action: &str| serde_json::json!({"action": action, "customer": json, "health_score": 74});
        let lost = |left, text: &str| Err(TransportError { left, status: None, wait: None, text: text.into() });
        match answer {
            Answer::Created => reply(201, taken("created")),
            Answer::Updated => reply(200, taken("updated")),
            Answer::Status(status) => reply(status, serde_json::json!({})),
            Answer::Wait(status, seconds) => reply(status, serde_json::json!({"retry_after_seconds": seconds})),
            Answer::Refuse(status, error, code) => reply(status, serde_json::json!({"error": error, "code": code})),
            Answer::Lost | Answer::Never => lost(true, "connection reset"),
            Answer::NoConnection => lost(false, "connection refused"),
        }
    }
}

/// The wall clock that goes with tokio's paused one.
struct PausedClock {
    start: Moment,
    from: DateTime<Utc>,
}

impl Clock for PausedClock {
    fn now(&self) -> DateTime<Utc> {
        self.from + (Moment::now() - self.start)
    }
}

#[derive(Default)]
pub(super) struct Recording(Mutex<Vec<Event>>);

impl Monitor for Recording {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// One run to be made.
pub(super) struct Setup {
    /// Product, key and rows of each lane.
    pub(super) lanes: Vec<(&'static str, &'static str, std::ops::Range<u32>)>,
    /// The pace of each lane, in order; the last holds for the rest.
    pub(super) paces: Vec<KeyPace>,
    pub(super) limits: SendLimits,
    pub(super) latency: Duration,
    pub(super) predicted: Prediction,
    pub(super) journal: MemoryJournal,
    /// Seconds after which the run is asked to stop.
    pub(super) stop_after: Option<u64>,
    pub(super) seed: u64,
    /// Seconds between the epoch of these tests and the start.
    pub(super) starts_at: i64,
}

/// What came of it.
pub(super) struct Ran {
    pub(super) end: Result<SendEnd, SendError>,
    pub(super) records: Vec<Record>,
    pub(super) log: Vec<Seen>,
    pub(super) events: Vec<Event>,
    pub(super) took: Duration,
}

impl Setup {
    pub(super) fn rows(rows: u32) -> Self {
        let one = NonZeroU32::MIN;
        Self {
            lanes: vec![("core", KEY, 0..rows)],
            paces: vec![KeyPace {
                rate: Pace::Fixed(Rate { calls: NonZeroU32::new(100).unwrap(), per: Duration::from_secs(1) }),
                burst: one,
            }],
            limits: SendLimits {
                in_flight: NonZeroU32::new(4).unwrap(),
                deadline: Duration::from_hours(2),
                max_tries: NonZeroU32::new(5).unwrap(),
                stop_after_creation_disabled: false,
            },
            latency: Duration::from_millis(20),
            predicted: Prediction::Update,
            journal: MemoryJournal::after(vec![header()]),
            stop_after: None,
            seed: 7,
            starts_at: 0,
        }
    }

    pub(super) async fn run(self, script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Ran {
        let state = tempfile::tempdir().unwrap();
        self.run_in(state.path(), script).await
    }

    /// Runs with the state folder at `state`. Goes on where the journal ends, if it holds more than its header.
    pub(super) async fn run_in(self, state: &Path, script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Ran {
        let start = Moment::now();
        let log = Arc::new(Mutex::new(Vec::new()));
        let transport = Server {
            script: Box::new(script),
            latency: self.latency,
            start,
            log: Arc::clone(&log),
            under_way: Mutex::default(),
        };
        let resumed: Resumed = self.journal.proven();
        let journal = Arc::new(self.journal);
        if resumed.records() > 1 {
            let at = crate::journal::testing::at();
            drop(crate::journal::JournalSink::append(&*journal, &Record::Resumed { at, tool_version: "0".into() }));
        }
        let monitor = Arc::new(Recording::default());
        let (asked, stop) = watch::channel(false);
        let from = DateTime::from_timestamp(1_790_000_000 + self.starts_at, 0).unwrap();
        let context = SendContext {
            transport,
            journal: journal.clone(),
            clock: Arc::new(PausedClock { start, from }),
            monitor: monitor.clone(),
            stop,
            limits: self.limits,
            seed: self.seed,
            pacing: state.join("pacing"),
            resumed,
        };
        let predicted = self.predicted;
        let last = *self.paces.last().unwrap();
        let paces = self.paces.into_iter().chain(std::iter::repeat(last));
        let lanes = self.lanes.into_iter().zip(paces).map(|((product, key, rows), pace)| Lane {
            product: product.into(),
            key: ApiKey::new(&SecretString::from(key)).unwrap(),
            pace,
            key_source: KeySource::Env("TETHER_KEY".into()),
            rows: Some(rows.len() as u64),
            calls: Box::new(rows.map(move |row| call(row, predicted))),
        });
        let sending = tokio::spawn(super::send(lanes.collect(), context));
        if let Some(seconds) = self.stop_after {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            asked.send_replace(true);
        }
        let end = sending.await.unwrap();
        let took = Moment::now() - start;
        let log = log.lock().unwrap().clone();
        let events = monitor.0.lock().unwrap().clone();
        Ran { end, records: journal.records(), log, events, took }
    }
}

pub(super) fn call(row: u32, predicted: Prediction) -> Call {
    let body = UpsertBody {
        email: Some(format!("{row}@example.com")),
        external_id: Some(format!("u-{row}")),
        ..UpsertBody::default()
    };
    Call { row, body, predicted }
}

impl Ran {
    /// What became of each row that the journal names, in the order of rows.
    pub(super) fn rows(&self) -> Vec<RowOutcome> {
        let mut rows: Vec<_> =
            crate::journal::outcomes(self.records.iter().cloned().map(Ok)).map(|o| o.unwrap()).collect();
        rows.sort_by_key(|o| o.row);
        rows
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        self.rows().iter().map(|o| o.outcome).collect()
    }

    /// Everything that leaves the program, as text.
    pub(super) fn everything_said(&self) -> String {
        format!("{:?} {} {:?}", self.end, serde_json::to_string(&self.records).unwrap(), self.events)
    }
}
