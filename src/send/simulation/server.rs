//! A Tether that does what the documentation says, behind a network that does what it likes.

use super::disk::Disk;
use crate::send::{IdType, Reply, Transport, TransportError};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant as Moment;

/// One request as it reached the server.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) row: u32,
    pub(super) at: Duration,
    /// Its intent was durable when it came.
    pub(super) announced: bool,
    /// It had its effect.
    pub(super) taken: bool,
    /// Its effect was a new customer.
    pub(super) created: bool,
}

/// How the world treats one life: chances in a thousand.
#[derive(Debug, Clone)]
pub(super) struct Temper {
    faults: [(Fault, u32); 10],
    gate_closed: bool,
    longest_wait: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// No connection.
    Refused,
    /// Lost on its way there.
    LostBefore,
    /// Taken, and its reply lost.
    LostAfter,
    /// 429, naming a wait or not.
    TooMany,
    /// 503.
    Busy,
    /// 500, whether it was taken or not.
    Broken,
    /// Taken, and the reply cannot be read.
    Garbled,
    /// 202.
    Accepted,
    /// 501.
    Never,
    /// 400 for this request.
    Bad,
}

impl Temper {
    pub(super) fn of(chance: &mut SmallRng) -> Self {
        use Fault::{Accepted, Bad, Broken, Busy, Garbled, LostAfter, LostBefore, Never, Refused, TooMany};
        let trouble = if chance.random_bool(0.2) { 0 } else { chance.random_range(1..120) };
        let all = [Refused, LostBefore, LostAfter, TooMany, Busy, Broken, Garbled, Accepted, Never, Bad];
        let faults = all.map(|fault| (fault, if trouble == 0 { 0 } else { chance.random_range(0..trouble) }));
        Self { faults, gate_closed: chance.random_bool(0.3), longest_wait: chance.random_range(1..20) }
    }
}

struct State {
    temper: Temper,
    calm: f64,
    chance: SmallRng,
    log: Vec<Seen>,
    customers: BTreeSet<u32>,
    under_way: BTreeSet<u32>,
    asked: Vec<(Duration, Duration)>,
    disk: Option<Arc<Disk>>,
}

/// The server; clones are the same one.
#[derive(Clone)]
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    start: Moment,
}

impl Server {
    /// One that knows the customers of odd rows.
    pub(super) fn new(start: Moment, temper: Temper, seed: u64) -> Self {
        let state = State {
            temper,
            calm: 0.0,
            chance: SmallRng::seed_from_u64(seed),
            log: Vec::new(),
            customers: (0..100).filter(|row| row % 2 == 1).collect(),
            under_way: BTreeSet::new(),
            asked: Vec::new(),
            disk: None,
        };
        Self { state: Arc::new(Mutex::new(state)), start }
    }

    /// From now on the intents must be on `disk`.
    pub(super) fn watch(&self, disk: Arc<Disk>) {
        self.state.lock().unwrap().disk = Some(disk);
    }

    /// Faults grow rarer: at 1 there are none.
    pub(super) fn calm(&self, calm: f64) {
        self.state.lock().unwrap().calm = calm.min(1.0);
    }

    /// The client is gone: what it had under way goes on without it.
    pub(super) fn forget_connections(&self) {
        self.state.lock().unwrap().under_way.clear();
    }

    pub(super) fn log(&self) -> Vec<Seen> {
        self.state.lock().unwrap().log.clone()
    }

    /// The waits that were asked for and heard: from when, until when.
    pub(super) fn asked(&self) -> Vec<(Duration, Duration)> {
        self.state.lock().unwrap().asked.clone()
    }

    fn arrive(&self, row: u32) -> (Option<Fault>, usize, Duration, Duration) {
        let mut state = self.state.lock().unwrap();
        assert!(state.under_way.insert(row), "two requests for row {row} at once");
        let announced = state.disk.as_ref().is_some_and(|disk| disk.announced(row));
        let draw = f64::from(state.chance.random_range(0..1000_u32));
        let calm = state.calm;
        let mut upto = 0.0;
        let fault = state.temper.faults.iter().find(|(_, chances)| {
            upto += f64::from(*chances) * (1.0 - calm);
            draw < upto
        });
        let fault = fault.map(|(fault, _)| *fault);
        let seen = Seen { row, at: Moment::now() - self.start, announced, taken: false, created: false };
        state.log.push(seen);
        let (there, back) = (state.chance.random_range(0..40), state.chance.random_range(0..40));
        (fault, state.log.len() - 1, Duration::from_millis(there), Duration::from_millis(back))
    }

    /// The request has its effect. `None`: the creation gate is closed and nobody matches.
    fn take(&self, place: usize) -> Option<bool> {
        let mut state = self.state.lock().unwrap();
        let row = state.log[place].row;
        let known = state.customers.contains(&row);
        if !known && state.temper.gate_closed {
            return None;
        }
        state.customers.insert(row);
        state.log[place].taken = true;
        state.log[place].created = !known;
        Some(!known)
    }

    async fn answer(self, row: u32, body: serde_json::Value) -> Result<Reply, TransportError> {
        use Fault::{Accepted, Bad, Broken, Busy, Garbled, LostAfter, LostBefore, Never, Refused, TooMany};
        let (fault, place, there, back) = self.arrive(row);
        let lost = |ambiguous| Err(TransportError { ambiguous, status: None, text: "lost".into() });
        let reply =
            |status, body: serde_json::Value| Ok(Reply { status, body: body.to_string().into(), ..Reply::default() });
        if fault == Some(Refused) {
            return lost(false);
        }
        tokio::time::sleep(there).await;
        let coin = self.state.lock().unwrap().chance.random_bool(0.5);
        let takes = match fault {
            None | Some(LostAfter | Garbled | Accepted) => true,
            Some(Broken) => coin,
            _ => false,
        };
        let effect = takes.then(|| self.take(place)).flatten();
        tokio::time::sleep(back).await;
        match (fault, effect) {
            (Some(LostBefore | LostAfter | Refused), _) => lost(true),
            (Some(TooMany), _) => Ok(self.too_many(coin)),
            (Some(Busy), _) => reply(503, serde_json::json!({})),
            (Some(Broken), _) => reply(500, serde_json::json!({})),
            (Some(Garbled), _) => reply(200, serde_json::json!("yes")),
            (Some(Accepted), _) => reply(202, serde_json::json!({})),
            (Some(Never), _) => reply(501, serde_json::json!({})),
            (Some(Bad), _) => reply(400, serde_json::json!({"error": "no", "code": "BAD_REQUEST"})),
            (None, None) => reply(422, serde_json::json!({"error": "closed", "code": "CREATION_DISABLED"})),
            (None, Some(true)) => reply(201, serde_json::json!({"action": "created", "customer": body})),
            (None, Some(false)) => reply(200, serde_json::json!({"action": "updated", "customer": body})),
        }
    }

    fn too_many(&self, names_a_wait: bool) -> Reply {
        let mut state = self.state.lock().unwrap();
        let longest = state.temper.longest_wait;
        let seconds = state.chance.random_range(1..=longest);
        let body =
            if names_a_wait { serde_json::json!({"retry_after_seconds": seconds}) } else { serde_json::json!({}) };
        Reply { status: 429, body: body.to_string().into(), ..Reply::default() }
    }

    /// The client has the reply: from here on it knows of the wait.
    fn heard(&self, reply: &Result<Reply, TransportError>) {
        let Ok(Reply { status: 429, body, .. }) = reply else { return };
        let named = serde_json::from_slice::<serde_json::Value>(body).unwrap()["retry_after_seconds"].as_u64();
        let now = Moment::now() - self.start;
        if let Some(seconds) = named {
            self.state.lock().unwrap().asked.push((now, now + Duration::from_secs(seconds)));
        }
    }
}

impl Transport for Server {
    async fn attempt(&self, _: usize, _: IdType, body: &[u8]) -> Result<Reply, TransportError> {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        let row = json["external_id"].as_str().unwrap().strip_prefix("u-").unwrap().parse().unwrap();
        // A task of its own: what reached the server happens, whatever becomes of the client.
        let reply = tokio::spawn(self.clone().answer(row, json)).await.unwrap();
        self.heard(&reply);
        self.state.lock().unwrap().under_way.remove(&row);
        reply
    }
}
