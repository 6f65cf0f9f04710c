//! What a seed decides before the first start: products, keys, rows, limits, and how the run is cut short.

use super::flaw::Flaw;
use crate::config::{KeyPace, KeySource, Pace, Rate};
use crate::model::{Money, Prediction};
use crate::send::testing::{KEY, call};
use crate::send::{ApiKey, Call, Lane, SendLimits};
use rand::Rng;
use rand::rngs::SmallRng;
use secrecy::SecretString;
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

/// The keys of all products.
pub(super) const KEYS: [&str; 2] = [KEY, "tk_live_another_key_9876543210"];

/// One product: its key's place in [`KEYS`], its rows of the plan.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) name: &'static str,
    pub(super) key: usize,
    pub(super) rows: Range<u32>,
}

/// The decisions of a seed.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) products: Vec<Product>,
    /// As configured; the deadline is another for each start.
    pub(super) limits: SendLimits,
    /// The pace of each of [`KEYS`].
    pub(super) paces: [KeyPace; 2],
    /// Runs, one after the other, each with a plan and a journal of its own, over one state folder.
    pub(super) days: u32,
    /// Between two of them.
    pub(super) night: Duration,
}

/// How one start of a run is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// By itself.
    Natural,
    /// The process dies; what it wrote stays.
    Kill,
    /// The machine dies; only what was synced, and perhaps the beginning of what was not, stays.
    PowerCut,
    /// It is asked to stop.
    Signal,
}

impl World {
    pub(super) fn of(chance: &mut SmallRng) -> Self {
        let nz = |n: u32| NonZeroU32::new(n).unwrap();
        let paces = [(); 2].map(|()| {
            let rate = Rate { calls: nz(chance.random_range(2..200)), per: Duration::from_secs(1) };
            let rate = if chance.random_bool(0.25) { Pace::Auto } else { Pace::Fixed(rate) };
            KeyPace { rate, burst: nz(chance.random_range(1..6)) }
        });
        let limits = SendLimits {
            in_flight: nz(chance.random_range(1..9)),
            deadline: Duration::from_hours(20),
            max_tries: nz(chance.random_range(1..6)),
            stop_after_creation_disabled: chance.random_bool(0.4),
        };
        let rows = if chance.random_bool(0.12) { chance.random_range(40..80) } else { chance.random_range(1..14) };
        let two = |second_key| {
            vec![
                Product { name: "core", key: 0, rows: 0..rows / 2 },
                Product { name: "lite", key: second_key, rows: rows / 2..rows },
            ]
        };
        let products = match chance.random_range(0..3) {
            0 => vec![Product { name: "core", key: 0, rows: 0..rows }],
            1 => two(0),
            _ => two(1),
        };
        let days = 1 + u32::from(chance.random_bool(0.2));
        let night = Duration::from_millis([500, 3000, 40_000_000][chance.random_range(0..3)]);
        Self { products, limits, paces, days, night }
    }

    pub(super) fn rows(&self) -> u32 {
        self.products.iter().map(|product| product.rows.end).max().unwrap_or_default()
    }

    /// Calls a second that the key may not exceed.
    pub(super) fn ceiling(&self, key: usize) -> f64 {
        match self.paces[key].rate {
            Pace::Fixed(rate) => f64::from(rate.calls.get()) / rate.per.as_secs_f64(),
            Pace::Auto => 1000.0,
        }
    }

    /// Calls that may leave at once with the key.
    pub(super) fn burst(&self, key: usize) -> f64 {
        if self.paces[key].rate == Pace::Auto { 1.0 } else { f64::from(self.paces[key].burst.get()) }
    }

    /// Whether some product's rate is to be found.
    pub(super) fn tunes(&self) -> bool {
        self.products.iter().any(|product| self.paces[product.key].rate == Pace::Auto)
    }

    /// How long sending takes, roughly.
    pub(super) fn work(&self) -> Duration {
        let pace = |key: usize| if self.paces[key].rate == Pace::Auto { 4.0 } else { self.ceiling(key) };
        let slowest = self.products.iter().map(|product| pace(product.key)).fold(f64::MAX, f64::min);
        Duration::from_secs_f64(f64::from(self.rows()) / slowest + 0.06)
    }

    /// What the sender takes for the pace of the key.
    fn taken_for(&self, key: usize, flaw: Option<Flaw>) -> KeyPace {
        match (flaw, self.paces[key]) {
            (Some(Flaw::TooFast), KeyPace { rate: Pace::Fixed(Rate { calls, per }), burst }) => {
                let calls = calls.saturating_mul(NonZeroU32::new(2).unwrap());
                KeyPace { rate: Pace::Fixed(Rate { calls, per }), burst }
            }
            (_, pace) => pace,
        }
    }

    /// The lanes of a start on `day`, as a sender with `flaw` is given them.
    pub(super) fn lanes(&self, day: u32, flaw: Option<Flaw>) -> Vec<Lane> {
        let lane = |product: &Product| Lane {
            product: product.name.into(),
            key: ApiKey::new(&SecretString::from(KEYS[product.key])).unwrap(),
            pace: self.taken_for(product.key, flaw),
            key_source: KeySource::Env("TETHER_KEY".into()),
            rows: Some(product.rows.len() as u64),
            calls: Box::new(
                product
                    .rows
                    .clone()
                    .filter(move |row| flaw != Some(Flaw::LosesARow) || *row != 3)
                    .map(move |row| planned(row, if flaw == Some(Flaw::SendsYesterdays) { 1 } else { day })),
            ),
        };
        self.products.iter().map(lane).collect()
    }
}

/// What the plan of `day` says of `row`.
pub(super) fn planned(row: u32, day: u32) -> Call {
    let predicted = [Prediction::Create, Prediction::Update, Prediction::Unknown, Prediction::Update];
    let mut call = call(row, predicted[row as usize % predicted.len()]);
    call.body.mrr = Some(Money::new(i64::from(row * 100 + day), 2));
    call
}
