//! The pace of a key: its bucket, a server's wait, whose turn it is, and how the last run left all that.

use super::LONGEST_WAIT;
use super::bucket::Bucket;
use super::tuner::{Tuner, per_second};
use crate::config::{KeyPace, Pace};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The first wait after a 429 that names none; doubled with each further one.
const FIRST_UNNAMED: Duration = Duration::from_millis(200);
/// The longest of those.
const LONGEST_UNNAMED: Duration = Duration::from_mins(1);
/// Timers fire up to this much late; below it a bucket with room catches up by itself.
const TIMER_SLACK: Duration = Duration::from_millis(2);
/// Calls closer together than this would lose rate to late timers: the end of the wait is measured more finely.
const PRECISE_BELOW: Duration = Duration::from_millis(200);
/// What waking up by another thread may take; so long before the moment this one is back, and watches the clock.
const HANDOVER: Duration = Duration::from_micros(300);
/// The pace of just now is that of the last so long.
const MEASURED_OVER: Duration = Duration::from_millis(100);

/// How long before its request an intent is handed to the disk.
fn lead(sync: Duration) -> Duration {
    sync * 2 + Duration::from_millis(5)
}

/// The pace of one key, shared by every product that uses it.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Whose turn it is, first come first served.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Tells whoever listens that a pause was set.
    pauses: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    bucket: Arc<Bucket>,
    /// Where the rate is to be found.
    tuner: Option<Tuner>,
    paused_until: Option<Instant>,
    unnamed: u32,
    last_call: Option<Instant>,
    pace: Measured,
}

/// How fast calls really leave.
#[derive(Debug)]
struct Measured {
    since: Instant,
    calls: u32,
    /// Calls a second in the stretch before `since`.
    per_second: f64,
}

impl Measured {
    fn count(&mut self, now: Instant) {
        self.calls += 1;
        let took = now - self.since;
        if took >= MEASURED_OVER {
            *self = Self { since: now, calls: 0, per_second: f64::from(self.calls) / took.as_secs_f64() };
        }
    }
}

impl State {
    /// Goes on at the rate that the tuner came to.
    fn retune(&mut self) {
        if let Some(tuner) = &self.tuner {
            let bucket = bucket_of(*tuner);
            bucket.was_empty(self.last_call.map_or(Duration::ZERO, |at| at.elapsed()));
            self.bucket = Arc::new(bucket);
        }
    }
}

fn bucket_of(tuner: Tuner) -> Bucket {
    Bucket::new(Duration::from_secs_f64(1.0 / tuner.per_second()), NonZeroU32::MIN)
}

impl Pacer {
    /// A full bucket. `learned`: calls in a thousand seconds that an earlier run came to.
    pub(super) fn new(pace: KeyPace, learned: Option<u64>) -> Self {
        let (bucket, tuner) = match pace.rate {
            Pace::Fixed(rate) => (Bucket::of_rate(rate, pace.burst), None),
            Pace::Auto => {
                let tuner = Tuner::new(learned.map(per_second), Instant::now());
                (bucket_of(tuner), Some(tuner))
            }
        };
        let pace = Measured { since: Instant::now(), calls: 0, per_second: 0.0 };
        let state = State { bucket: Arc::new(bucket), tuner, paused_until: None, unnamed: 0, last_call: None, pace };
        Self { turn: tokio::sync::Mutex::default(), state: Mutex::new(state), pauses: watch::Sender::new(()) }
    }

    /// The bucket was empty `ago` before now. To be said once, before the first call.
    pub(super) fn was_empty(&self, ago: Duration) {
        self.state().bucket.was_empty(ago);
    }

    /// Waits until a call may leave, and counts it as left. Dropped while waiting, nothing is counted.
    pub(super) async fn permit(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let (ready, bucket) = {
                // Held over the question and its answer: a pause set meanwhile binds this call.
                let mut state = self.state();
                match state.paused_until.filter(|until| *until > now) {
                    Some(until) => (until, Arc::clone(&state.bucket)),
                    None => match state.bucket.take() {
                        Ok(()) => {
                            state.last_call = Some(now);
                            state.pace.count(now);
                            return;
                        }
                        Err(wait) => (now + wait, Arc::clone(&state.bucket)),
                    },
                }
            };
            sleep(&bucket, now, ready).await;
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

    /// Nothing leaves for `wait` from now; a longer pause in force stands. Says whether this one is longer.
    pub(super) fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        let mut state = self.state();
        let longer = state.paused_until.is_none_or(|known| known < until);
        if longer {
            state.paused_until = Some(until);
        }
        drop(state);
        self.pauses.send_replace(());
        longer
    }

    /// Changes whenever [`Self::pause`] was called.
    pub(super) fn pauses(&self) -> watch::Receiver<()> {
        self.pauses.subscribe()
    }

    /// A pause after a 429 that names no wait: longer each time, until a call gets through. Requests that were under
    /// way together and hit the same wall count once: `None` where a pause is in force.
    pub(super) fn pause_unnamed(&self) -> Option<Duration> {
        let mut state = self.state();
        let now = Instant::now();
        if state.paused_until.is_some_and(|until| until > now) {
            return None;
        }
        let wait = FIRST_UNNAMED.saturating_mul(1 << state.unnamed.min(16)).min(LONGEST_UNNAMED);
        state.unnamed += 1;
        state.paused_until = Some(now + wait);
        Some(wait)
    }

    /// A call got through.
    pub(super) fn got_through(&self) {
        let mut state = self.state();
        state.unnamed = 0;
        if state.tuner.as_mut().is_some_and(|tuner| tuner.taken(Instant::now())) {
            state.retune();
        }
    }

    /// The server said of a call that left at `left` that it was asked too often.
    pub(super) fn too_fast(&self, left: Instant) {
        let mut state = self.state();
        if state.tuner.as_mut().is_some_and(|tuner| tuner.refused(left, Instant::now())) {
            state.retune();
        }
    }

    /// Where the rate is being found: calls in a thousand seconds now.
    pub(super) fn learned(&self) -> Option<u64> {
        let per_second = self.state().tuner?.per_second();
        u64::try_from(Duration::try_from_secs_f64(per_second).ok()?.as_millis()).ok()
    }

    /// The same in words, with the lowest rate that was refused.
    pub(super) fn learned_in_words(&self) -> Option<String> {
        let tuner = self.state().tuner?;
        let refused = tuner.refused_at().map_or("no rate was refused".to_owned(), |at| format!("{at:.1} were refused"));
        Some(format!(
            "rate \"auto\": {:.1} calls a second in the end, {refused}; the next run begins there",
            tuner.per_second()
        ))
    }

    /// When the last call left.
    pub(super) fn last_call(&self) -> Option<Instant> {
        self.state().last_call
    }

    /// How many intents may be durable ahead of their requests: as many as may leave while one is being written, so that
    /// nobody waits for the disk and a crash makes few rows look as if they had been sent. `sync`: how long that takes.
    pub(super) fn ahead(&self, sync: Duration, in_flight: NonZeroU32) -> usize {
        let (interval, per_second) = {
            let state = self.state();
            (state.bucket.interval, state.pace.per_second)
        };
        let allowed = lead(sync).as_nanos() / interval.as_nanos().max(1) + 1;
        // Where no limit binds: what leaves at the pace of just now, and half as much again, so that it can grow.
        let possible = Duration::from_secs(1).div_f64(per_second.max(1.0) * 1.5);
        let possible = (lead(sync).as_nanos() / possible.as_nanos().max(1)).max(u128::from(in_flight.get()) * 2);
        usize::try_from(allowed.min(possible)).unwrap_or(usize::MAX)
    }

    /// Waits until the next call can leave so soon that its intent must be on its way to the disk now.
    pub(super) async fn approach(&self, sync: Duration) {
        // Of a burst, or of calls close together, nobody knows when the next may leave.
        let (bucket, last) = {
            let state = self.state();
            (Arc::clone(&state.bucket), state.last_call)
        };
        if bucket.burst.get() > 1 || bucket.interval < lead(sync) {
            return;
        }
        if let Some(last) = last {
            sleep_until(last + bucket.interval.saturating_sub(lead(sync))).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until `ready`; where calls are close together, more finely than timers do.
async fn sleep(bucket: &Bucket, now: Instant, ready: Instant) {
    let precise = bucket.interval < PRECISE_BELOW && bucket.tolerance() < TIMER_SLACK;
    if !precise {
        return sleep_until(ready).await;
    }
    if let Some(early) = ready.checked_sub(TIMER_SLACK).filter(|early| *early > now) {
        return sleep_until(early).await;
    }
    tokio::task::yield_now().await;
    // A paused clock only moves when everybody sleeps.
    if Instant::now() == now {
        return sleep_until(ready).await;
    }
    // A thread of its own wakes within a fraction of a millisecond, where tokio's timers have whole ones.
    if let Some(rest) = ready.saturating_duration_since(Instant::now()).checked_sub(HANDOVER) {
        // It cannot panic; were it refused, the last stretch is only longer.
        let _ = tokio::task::spawn_blocking(move || std::thread::sleep(rest)).await;
    }
    while Instant::now() < ready {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::Pacer;
    use crate::config::{KeyPace, Pace, Rate};
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn pacer(calls: u32, per: u64, burst: u32) -> Pacer {
        let rate = Rate { calls: NonZeroU32::new(calls).unwrap(), per: Duration::from_secs(per) };
        Pacer::new(KeyPace { rate: Pace::Fixed(rate), burst: NonZeroU32::new(burst).unwrap() }, None)
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_rate_times_window_plus_burst_and_nothing_is_wasted() {
        let cases = [(10, 1, 1), (10, 1, 5), (600, 60, 3), (100, 1, 1), (500, 1, 1), (7, 3, 2), (1000, 1, 20)];
        for (calls, per, burst) in cases {
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
            assert!(*took < least * 1.02 + 0.002, "{calls}/{per}s burst {burst}: {took} s, {least} would do");
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
    async fn the_longest_burst_at_the_slowest_rate_is_no_overflow() {
        let pacer = pacer(1, 86_400, u32::MAX);
        pacer.was_empty(Duration::MAX);
        let start = Instant::now();
        pacer.permit().await;
        assert_eq!(Instant::now(), start);
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
            waits.push(pacer.pause_unnamed().unwrap().as_millis());
            assert_eq!(pacer.pause_unnamed(), None, "the same wall");
            pacer.unpaused().await;
        }
        pacer.got_through();
        waits.push(pacer.pause_unnamed().unwrap().as_millis());
        assert_eq!(waits, [200, 400, 800, 200]);
    }
}
