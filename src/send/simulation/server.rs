//! A Tether that does what the documentation says, behind a network that does what it likes.

use super::disk::Disk;
use super::fault::{Fault, Temper, Weather};
use super::flaw::Flaw;
use super::world::{KEYS, World};
use crate::send::{IdType, Reply, Transport, TransportError};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant as Moment;

/// The longest way there, in milliseconds; the way back is as long.
pub(super) const LONGEST_WAY: u64 = 40;

/// One request, from the moment when it left.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) row: u32,
    pub(super) key: usize,
    /// Which start of all.
    pub(super) start: usize,
    pub(super) left: Duration,
    /// When it reached the server, if it did.
    pub(super) arrived: Option<Duration>,
    /// Its intent was durable when it left.
    pub(super) announced: bool,
    pub(super) fault: Option<Fault>,
    /// It had its effect.
    pub(super) taken: bool,
    /// Its effect was a new customer.
    pub(super) created: bool,
    /// When the sender heard that the creation gate is closed.
    pub(super) gate_heard: Option<Duration>,
}

struct State {
    temper: Temper,
    weather: Weather,
    chance: SmallRng,
    log: Vec<Seen>,
    customers: BTreeMap<String, Value>,
    under_way: BTreeSet<u32>,
    asked: Vec<(usize, Duration, Duration)>,
    /// Per key: the second that is running, and how many were taken in it.
    seconds: BTreeMap<usize, (u64, u32)>,
    /// Requests of each key in this start.
    of_start: [usize; KEYS.len()],
    start: usize,
    disk: Option<Arc<Disk>>,
}

/// The server; clones are the same one.
#[derive(Clone)]
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    world: Arc<World>,
    began: Moment,
    flaw: Option<Flaw>,
}

impl Server {
    /// One that knows the customers of odd rows.
    pub(super) fn new(began: Moment, world: Arc<World>, temper: Temper, seed: u64, flaw: Option<Flaw>) -> Self {
        let known = (0..100).filter(|row| row % 2 == 1).map(|row| (format!("u-{row}"), json!({"mrr": 1})));
        let state = State {
            temper,
            weather: Weather::default(),
            chance: SmallRng::seed_from_u64(seed),
            log: Vec::new(),
            customers: known.collect(),
            under_way: BTreeSet::new(),
            asked: Vec::new(),
            seconds: BTreeMap::new(),
            of_start: [0; KEYS.len()],
            start: 0,
            disk: None,
        };
        Self { state: Arc::new(Mutex::new(state)), world, began, flaw }
    }

    /// Another start begins: its intents must be on `disk`. What the last one had under way goes on without it.
    pub(super) fn next_start(&self, start: usize, disk: Arc<Disk>, weather: Weather) {
        let mut state = self.state();
        state.under_way.clear();
        state.of_start = [0; KEYS.len()];
        (state.start, state.disk, state.weather) = (start, Some(disk), weather);
    }

    pub(super) fn log(&self) -> Vec<Seen> {
        self.state().log.clone()
    }

    /// The waits that were asked for and heard: of which key, from when, until when.
    pub(super) fn asked(&self) -> Vec<(usize, Duration, Duration)> {
        self.state().asked.clone()
    }

    /// What it holds, by external id.
    pub(super) fn customers(&self) -> BTreeMap<String, Value> {
        self.state().customers.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn now(&self) -> Duration {
        Moment::now() - self.began
    }

    fn leave(&self, row: u32, key: usize) -> (Option<Fault>, usize, Duration, Duration) {
        let left = self.now();
        let mut state = self.state();
        let twice = !state.under_way.insert(row) && self.flaw != Some(Flaw::SendsTwice);
        assert!(!twice, "two requests for row {row} at once");
        let announced = state.disk.as_ref().is_some_and(|disk| disk.announced(row));
        state.of_start[key] += 1;
        let State { temper, weather, chance, .. } = &mut *state;
        let mut fault = temper.draw(*weather, chance);
        if state.weather.refused.is_some_and(|(of, from)| of == key && state.of_start[key] >= from) {
            fault = Some(Fault::KeyRefused);
        }
        let start = state.start;
        let seen = Seen {
            row,
            key,
            start,
            left,
            arrived: None,
            announced,
            fault,
            taken: false,
            created: false,
            gate_heard: None,
        };
        state.log.push(seen);
        let (there, back) = (state.chance.random_range(0..LONGEST_WAY), state.chance.random_range(0..LONGEST_WAY));
        (fault, state.log.len() - 1, Duration::from_millis(there), Duration::from_millis(back))
    }

    /// It reaches the server, whose own limit may be exceeded.
    fn arrive(&self, place: usize) -> Option<Fault> {
        let now = self.now();
        let mut state = self.state();
        let key = state.log[place].key;
        state.log[place].arrived = Some(now);
        if let Some(limit) = state.temper.limit {
            let (second, taken) = state.seconds.entry(key).or_default();
            if *second != now.as_secs() {
                (*second, *taken) = (now.as_secs(), 0);
            }
            *taken += 1;
            if *taken > limit {
                state.log[place].fault = Some(Fault::OverLimit);
            }
        }
        state.log[place].fault
    }

    /// The request has its effect. `None`: the creation gate is closed and nobody matches.
    fn take(&self, place: usize, body: &Value) -> Option<bool> {
        let mut state = self.state();
        let id = format!("u-{}", state.log[place].row);
        if self.flaw == Some(Flaw::IsUndone) {
            state.customers.remove(&id);
        }
        let known = state.customers.contains_key(&id);
        if !known && state.temper.gate_closed {
            return None;
        }
        state.customers.insert(id, body.clone());
        if self.flaw == Some(Flaw::Invents) {
            state.customers.insert("u-of-nobody".into(), body.clone());
        }
        state.log[place].taken = true;
        state.log[place].created = !known;
        Some(!known)
    }

    async fn answer(self, row: u32, key: usize, body: Value) -> Result<Reply, TransportError> {
        use Fault::{
            Accepted, Bad, Broken, Busy, Garbled, KeyRefused, LostAfter, LostBefore, MixedUp, Never, NotFound,
            OverLimit, Refused, Silence, TooMany,
        };
        let (fault, place, there, back) = self.leave(row, key);
        let lost = |left| Err(TransportError { left, status: None, wait: None, text: "lost".into() });
        let reply = |status, body: Value| Ok(Reply { status, body: body.to_string().into(), ..Reply::default() });
        if fault == Some(Refused) {
            return lost(false);
        }
        tokio::time::sleep(there).await;
        if fault == Some(LostBefore) {
            tokio::time::sleep(back).await;
            return lost(true);
        }
        let fault = self.arrive(place);
        let coin = self.state().chance.random_bool(0.5);
        let takes = match fault {
            None | Some(LostAfter | Silence | Garbled | MixedUp | Accepted) => true,
            Some(Broken) => coin,
            _ => false,
        };
        let effect = takes.then(|| self.take(place, &body)).flatten();
        let silence = if fault == Some(Silence) { Duration::from_secs(29) } else { Duration::ZERO };
        tokio::time::sleep(back + silence).await;
        let another = json!({"external_id": "u-of-another", "email": "another@example.com"});
        match (fault, effect) {
            (Some(LostBefore | LostAfter | Silence | Refused), _) => lost(true),
            (Some(TooMany | OverLimit), _) => Ok(self.too_many(coin)),
            (Some(Busy), _) => reply(503, json!({})),
            (Some(Broken), _) => reply(500, json!({})),
            (Some(Garbled), _) => reply(200, json!("yes")),
            (Some(MixedUp), _) => reply(200, json!({"action": "updated", "customer": another})),
            (Some(Accepted), _) => reply(202, json!({})),
            (Some(Never), _) => reply(501, json!({})),
            (Some(Bad), _) => reply(400, json!({"error": format!("no, {}", self.echoed(key)), "code": "BAD_REQUEST"})),
            (Some(NotFound), _) => reply(404, json!({})),
            (Some(KeyRefused), _) => reply(401, json!({"error": "Unauthorized", "code": "UNAUTHORIZED"})),
            (None, None) => {
                let heard = self.now();
                self.state().log[place].gate_heard = Some(heard);
                reply(422, json!({"error": "closed", "code": "CREATION_DISABLED"}))
            }
            (None, Some(true)) => reply(201, json!({"action": "created", "customer": body})),
            (None, Some(false)) => reply(200, json!({"action": "updated", "customer": body})),
        }
    }

    fn echoed(&self, key: usize) -> &'static str {
        KEYS[if self.flaw == Some(Flaw::TellsTheKey) { 1 - key } else { key }]
    }

    fn too_many(&self, names_a_wait: bool) -> Reply {
        let mut state = self.state();
        let longest = state.temper.longest_wait;
        let seconds = state.chance.random_range(1..=longest);
        let body = if names_a_wait { json!({"retry_after_seconds": seconds}) } else { json!({}) };
        Reply { status: 429, body: body.to_string().into(), ..Reply::default() }
    }

    /// The sender has the reply: from here on it knows of the wait.
    fn heard(&self, key: usize, reply: &mut Result<Reply, TransportError>) {
        let Ok(Reply { status: 429, body, .. }) = reply else { return };
        let named = serde_json::from_slice::<Value>(body).unwrap()["retry_after_seconds"].as_u64();
        let now = self.now();
        if let Some(seconds) = named {
            self.state().asked.push((key, now, now + Duration::from_secs(seconds)));
        }
        if self.flaw == Some(Flaw::DeafToWaits) {
            body.clear();
        }
    }

    async fn ask(&self, row: u32, key: usize, body: Value) -> Result<Reply, TransportError> {
        // A task of its own: what reached the server happens, whatever becomes of the sender.
        let mut reply = tokio::spawn(self.clone().answer(row, key, body)).await.unwrap();
        self.heard(key, &mut reply);
        self.state().under_way.remove(&row);
        reply
    }
}

impl Transport for Server {
    async fn attempt(&self, lane: usize, _: IdType, body: &[u8]) -> Result<Reply, TransportError> {
        let json: Value = serde_json::from_slice(body).unwrap();
        let row = json["external_id"].as_str().unwrap().strip_prefix("u-").unwrap().parse().unwrap();
        let key = self.world.products[lane].key;
        let mut reply = self.ask(row, key, json.clone()).await;
        match self.flaw {
            Some(Flaw::SendsTwice) => return self.ask(row, key, json).await,
            Some(Flaw::NeverGivesUp) => {
                for _ in 0..20 {
                    if reply.is_ok() {
                        break;
                    }
                    reply = self.ask(row, key, json.clone()).await;
                }
            }
            Some(Flaw::Credulous) if reply.is_err() => {
                let taken = json!({"action": "updated", "customer": json});
                return Ok(Reply { status: 200, body: taken.to_string().into(), ..Reply::default() });
            }
            Some(Flaw::MixesProducts) if key == 1 && self.state().weather.refused.is_some_and(|(of, _)| of == 0) => {
                return Ok(Reply { status: 401, ..Reply::default() });
            }
            _ => {}
        }
        reply
    }
}
