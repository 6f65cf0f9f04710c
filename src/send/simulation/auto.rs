//! `rate = "auto"` against servers with a limit: over many rows the rate comes close to it, and few calls are refused.

use super::fault::Temper;
use super::server::Server;
use super::under_paused_time;
use super::world::{Product, World, planned};
use crate::config::{KeyPace, KeySource, Pace};
use crate::journal::Resumed;
use crate::journal::testing::{MemoryJournal, header};
use crate::send::testing::{KEY, Recording};
use crate::send::{ApiKey, Lane, SendContext, SendLimits, SystemClock};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use secrecy::SecretString;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant as Moment;

/// Sends `rows` rows; the share of `limit` that got through in the second half, and the share of calls that were refused.
async fn found(seed: u64, limit: u32, rows: u32, state: &Path) -> (f64, f64) {
    let mut chance = SmallRng::seed_from_u64(seed);
    let limits = SendLimits {
        in_flight: NonZeroU32::new(chance.random_range(4..17)).unwrap(),
        deadline: Duration::from_hours(20),
        max_tries: NonZeroU32::new(5).unwrap(),
        stop_after_creation_disabled: false,
    };
    let pace = KeyPace { rate: Pace::Auto, burst: NonZeroU32::MIN };
    let products = vec![Product { name: "core", key: 0, rows: 0..rows }];
    let world = Arc::new(World { products, limits, paces: [pace; 2], days: 1, night: Duration::ZERO });
    let server = Server::new(Moment::now(), world, Temper::limited(limit), chance.random(), None);
    let (_asked, stop) = watch::channel(false);
    let lane = Lane {
        product: "core".into(),
        key: ApiKey::new(&SecretString::from(KEY)).unwrap(),
        pace,
        rows: None,
        key_source: KeySource::Env("TETHER_KEY".into()),
        calls: Box::new((0..rows).map(|row| planned(row, 1))),
    };
    let context = SendContext {
        transport: server.clone(),
        journal: Arc::new(MemoryJournal::after(vec![header()])),
        clock: Arc::new(SystemClock),
        monitor: Arc::new(Recording::default()),
        stop,
        limits,
        seed: chance.random(),
        pacing: state.join("pacing"),
        resumed: Resumed::default(),
    };
    assert!(crate::send::send(vec![lane], context).await.unwrap().complete);
    let log = server.log();
    let count = |some: usize| f64::from(u32::try_from(some).unwrap());
    let second_half = &log[log.len() / 2..];
    let took = second_half[second_half.len() - 1].left.saturating_sub(second_half[0].left);
    let taken = second_half.iter().filter(|seen| seen.taken).count();
    let refused = log.iter().filter(|seen| !seen.taken).count();
    (count(taken) / took.as_secs_f64() / f64::from(limit), count(refused) / count(log.len()))
}

#[test]
fn the_rate_that_is_found_is_close_to_the_servers_limit_and_few_calls_are_refused() {
    for seed in 0..24 {
        let limit = [3, 8, 20, 60][usize::try_from(seed % 4).unwrap()];
        let (share, refused) = under_paused_time(async |state| found(seed, limit, limit * 120, state).await);
        assert!((0.6..=1.02).contains(&share), "seed {seed}: {share} of {limit} calls a second");
        assert!(refused < 0.15, "seed {seed}: {refused} of all calls at a limit of {limit} a second");
    }
}
