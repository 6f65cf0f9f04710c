//! The token bucket of a key: in any window never more than rate × window + burst calls.
//!
//! A bucket of our own, not a library's: it must be filled as the last run left it, follow a pausable clock, and grant
//! in the order of asking while a server's wait can still arrive.

use super::LONGEST_WAIT;
use crate::config::Rate;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The first wait after a 429 that names none; doubled with each further one.
const FIRST_UNNAMED: Duration = Duration::from_millis(200);
/// The longest of those.
const LONGEST_UNNAMED: Duration = Duration::from_mins(1);
/// Timers fire up to this much late; below it a bucket with room catches up by itself.
const TIMER_SLACK: Duration = Duration::from_millis(2);
/// Calls closer together than this would lose rate to late timers: the rest of the wait is spent yielding.
const PRECISE_BELOW: Duration = Duration::from_millis(50);

/// The pace of one key, shared by every product that uses it.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Between two calls at full rate, rounded up.
    interval: Duration,
    /// How far ahead of its schedule a burst may be.
    tolerance: Duration,
    precise: bool,
    /// Whose turn it is, first come first served.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Tells whoever listens that a pause was set.
    pauses: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    /// When the schedule has room for the next call without drawing on the burst.
    next: Option<Instant>,
    paused_until: Option<Instant>,
    unnamed: u32,
    last_call: Option<Instant>,
}

impl Pacer {
    /// A full bucket.
    pub(super) fn new(rate: Rate, burst: NonZeroU32) -> Self {
        let calls = u128::from(rate.calls.get());
        let nanos = rate.per.as_nanos().div_ceil(calls);
        let interval = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let tolerance = interval.saturating_mul(burst.get() - 1);
        let precise = interval < PRECISE_BELOW && tolerance < TIMER_SLACK;
        let (turn, state, pauses) = (tokio::sync::Mutex::default(), Mutex::default(), watch::Sender::new(()));
        Self { interval, tolerance, precise, turn, state, pauses }
    }

    /// The bucket was empty `ago` before now.
    pub(super) fn was_empty(&self, ago: Duration) {
        let filled = self.interval.saturating_add(self.tolerance);
        self.state().next = Instant::now().checked_add(filled.saturating_sub(ago));
    }

    /// Waits until a call may leave, and counts it as left. Dropped while waiting, nothing is counted.
    pub(super) async fn permit(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let ready = {
                let mut state = self.state();
                let next = state.next.unwrap_or(now);
                let scheduled = next.checked_sub(self.tolerance).unwrap_or(now);
                let ready = state.paused_until.map_or(scheduled, |until| until.max(scheduled));
                if ready <= now {
                    state.next = Some(next.max(now) + self.interval);
                    state.last_call = Some(now);
                    return;
                }
                ready
            };
            self.sleep(now, ready).await;
        }
    }

    /// Waits until no pause is in force.
    pub(super) async fn unpaused(&self) {
        while let Some(until) = self.paused_until() {
            sleep_until(until).await;
        }
    }

    /// Until when the key is paused, if it is.
    pub(super) fn paused_until(&self) -> Option<Instant> {
        self.state().paused_until.filter(|until| *until > Instant::now())
    }

    /// Nothing leaves for `wait` from now; a longer pause in force stands.
    pub(super) fn pause(&self, wait: Duration) -> Instant {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        let mut state = self.state();
        let until = state.paused_until.map_or(until, |known| known.max(until));
        state.paused_until = Some(until);
        drop(state);
        self.pauses.send_replace(());
        until
    }

    /// Changes whenever [`Self::pause`] was called.
    pub(super) fn pauses(&self) -> watch::Receiver<()> {
        self.pauses.subscribe()
    }

    /// A pause after a 429 that names no wait: longer each time, until a call gets through. Requests that were under
    /// way together and hit the same wall count once.
    pub(super) fn pause_unnamed(&self) -> Duration {
        let mut state = self.state();
        let now = Instant::now();
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            return until - now;
        }
        let wait = FIRST_UNNAMED.saturating_mul(1 << state.unnamed.min(16)).min(LONGEST_UNNAMED);
        state.unnamed += 1;
        state.paused_until = Some(now + wait);
        wait
    }

    /// A call got through.
    pub(super) fn got_through(&self) {
        self.state().unnamed = 0;
    }

    /// When the last call left.
    pub(super) fn last_call(&self) -> Option<Instant> {
        self.state().last_call
    }

    /// How many intents may be durable ahead of their requests: a quarter of a second's worth, so that a crash makes
    /// few rows look as if they had been sent.
    pub(super) fn ahead(&self, in_flight: NonZeroU32) -> usize {
        let quarter = Duration::from_millis(250).as_nanos() / self.interval.as_nanos().max(1);
        usize::try_from(quarter).unwrap_or(usize::MAX).clamp(1, in_flight.get() as usize * 2)
    }

    async fn sleep(&self, now: Instant, ready: Instant) {
        if !self.precise {
            return sleep_until(ready).await;
        }
        if let Some(early) = ready.checked_sub(TIMER_SLACK).filter(|early| *early > now) {
            return sleep_until(early).await;
        }
        tokio::task::yield_now().await;
        // A paused clock only moves when everybody sleeps.
        if Instant::now() == now {
            sleep_until(ready).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Pacer;
    use crate::config::Rate;
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn pacer(calls: u32, per: u64, burst: u32) -> Pacer {
        let rate = Rate { calls: NonZeroU32::new(calls).unwrap(), per: Duration::from_secs(per) };
        Pacer::new(rate, NonZeroU32::new(burst).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_rate_times_window_plus_burst_and_nothing_is_wasted() {
        for (calls, per, burst) in [(10, 1, 1), (10, 1, 5), (600, 60, 3), (100, 1, 1), (7, 3, 2), (1000, 1, 20)] {
            let pacer = Arc::new(pacer(calls, per, burst));
            let start = Instant::now();
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let pacer = Arc::clone(&pacer);
                tasks.spawn(async move {
                    let mut times = Vec::new();
                    for _ in 0..25 {
                        pacer.permit().await;
                        times.push((Instant::now() - start).as_secs_f64());
                    }
                    times
                });
            }
            let mut times: Vec<f64> = tasks.join_all().await.concat();
            times.sort_by(f64::total_cmp);
            let rate = f64::from(calls) / Duration::from_secs(per).as_secs_f64();
            for (n, from) in times.iter().enumerate() {
                for (m, to) in times.iter().enumerate().skip(n) {
                    let count = u32::try_from(m - n + 1).unwrap();
                    let most = rate * (to - from) + f64::from(burst);
                    assert!(f64::from(count) <= most + 1e-6, "{count} calls from {from} to {to}");
                }
            }
            let least = (200.0 - f64::from(burst)) / rate;
            let took = times.last().unwrap();
            assert!(*took < least * 1.12 + 0.002, "{calls}/{per}s burst {burst}: {took} s, {least} would do");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_that_was_just_emptied_gives_the_next_call_one_interval_later() {
        for (burst, ago, expected) in [(1, 0, 100), (5, 0, 100), (1, 40, 60), (1, 500, 0), (5, 100, 0)] {
            let pacer = pacer(10, 1, burst);
            pacer.was_empty(Duration::from_millis(ago));
            let start = Instant::now();
            pacer.permit().await;
            assert_eq!((Instant::now() - start).as_millis(), expected, "burst {burst}, {ago} ms ago");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_binds_whoever_waits_already_and_unnamed_ones_grow_until_a_call_gets_through() {
        let pacer = Arc::new(pacer(1, 1, 1));
        pacer.permit().await;
        let start = Instant::now();
        let waiting = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.permit().await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        pacer.pause(Duration::from_mins(1));
        pacer.pause(Duration::from_secs(5));
        waiting.await.unwrap();
        assert_eq!((Instant::now() - start).as_millis(), 60_500);

        let mut waits = Vec::new();
        for _ in 0..3 {
            waits.push(pacer.pause_unnamed().as_millis());
            assert_eq!(pacer.pause_unnamed().as_millis(), waits[waits.len() - 1], "the same wall");
            pacer.unpaused().await;
        }
        pacer.got_through();
        waits.push(pacer.pause_unnamed().as_millis());
        assert_eq!(waits, [200, 400, 800, 200]);
    }
}
