//! `rate = "auto"`: finds the rate that the server takes. Doubling until its first refusal; then, for each second that goes
//! well, a twentieth of the last rate that was refused on top, and three fifths of the rate after a refusal: additive
//! increase, multiplicative decrease, in steps that suit slow servers and fast ones.

use std::time::Duration;
use tokio::time::Instant;

/// Calls a second to begin with, when nothing was learned before.
const FIRST: f64 = 2.0;
/// Never slower: a server that takes less says how long to wait.
const SLOWEST: f64 = 0.1;
/// Never faster.
const FASTEST: f64 = 1000.0;
/// What goes well for so long lets the rate grow.
const STEP: Duration = Duration::from_secs(1);
/// How much of the refused rate each step after the first refusal adds.
const INCREASE: f64 = 0.05;
/// What a refusal leaves of the rate.
const DECREASE: f64 = 0.6;

/// Calls a second, of calls in a thousand seconds.
pub(super) fn per_second(millihertz: u64) -> f64 {
    Duration::from_millis(millihertz).as_secs_f64()
}

/// The rate of one key as it is being found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuner {
    per_second: f64,
    /// Since when nothing changed.
    since: Instant,
    /// Calls taken since then.
    taken: u32,
    /// The last rate that was refused.
    refused_at: Option<f64>,
    /// When it was lowered: what left before, or while the server still counts what left before, says nothing of the rate
    /// since.
    lowered: Option<Instant>,
}

impl Tuner {
    /// Begins `now` with what an earlier run learned, or carefully.
    pub(super) fn new(learned: Option<f64>, now: Instant) -> Self {
        let known = learned.filter(|rate| rate.is_finite());
        let per_second = known.unwrap_or(FIRST).clamp(SLOWEST, FASTEST);
        Self { per_second, since: now, taken: 0, refused_at: None, lowered: None }
    }

    /// Calls a second now.
    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }

    /// The last rate that the server refused, if it did.
    pub(super) fn refused_at(&self) -> Option<f64> {
        self.refused_at
    }

    /// A call got through. Says whether the rate changed.
    pub(super) fn taken(&mut self, now: Instant) -> bool {
        self.taken = self.taken.saturating_add(1);
        // Calls that were fewer than the rate allows say nothing of a higher one.
        let tried = f64::from(self.taken) >= self.per_second * STEP.as_secs_f64() * 0.8;
        if now < self.since + STEP || !tried || self.per_second >= FASTEST {
            return false;
        }
        let faster = self.refused_at.map_or(self.per_second * 2.0, |refused| self.per_second + refused * INCREASE);
        self.change(faster, now);
        true
    }

    /// The server refused, for the rate, a call that left at `left`. Calls that were under way together and met the same wall
    /// count once. Says whether the rate changed.
    pub(super) fn refused(&mut self, left: Instant, now: Instant) -> bool {
        if self.lowered.is_some_and(|lowered| left <= lowered + STEP) {
            return false;
        }
        self.refused_at = Some(self.per_second);
        self.change(self.per_second * DECREASE, now);
        self.lowered = Some(now);
        true
    }

    fn change(&mut self, per_second: f64, now: Instant) {
        *self = Self { per_second: per_second.clamp(SLOWEST, FASTEST), since: now, taken: 0, ..*self };
    }
}

#[cfg(test)]
mod tests {
    use super::Tuner;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn it_finds_a_servers_limit_and_stays_near_it() {
        for limit in [3.0, 10.0, 47.0, 200.0] {
            let start = Instant::now();
            let mut tuner = Tuner::new(None, start);
            let (mut calls, mut refused) = (0_u32, 0_u32);
            // Each second the server takes as many as its limit says and refuses the rest.
            for second in 1..=600 {
                let now = start + Duration::from_secs(second);
                let rate = tuner.per_second();
                for call in (0..1000_u32).take_while(|call| f64::from(*call) < rate) {
                    if f64::from(call) < limit {
                        calls += 1;
                        tuner.taken(now);
                    } else {
                        refused += 1;
                        tuner.refused(now, now);
                        break;
                    }
                }
            }
            let reached = f64::from(calls) / 600.0;
            assert!(reached > limit * 0.6, "{reached} of {limit} calls a second");
            assert!(f64::from(refused) < f64::from(calls) * 0.15, "{refused} of {calls} refused");
            assert!(tuner.refused_at().is_some_and(|at| at > limit * 0.5 && at < limit * 2.1), "{tuner:?}");
        }
    }

    #[test]
    fn what_met_the_same_wall_together_counts_once() {
        let start = Instant::now();
        let mut tuner = Tuner::new(Some(64.0), start);
        let left = |n| start + Duration::from_millis(n);
        let heard: Vec<bool> = (0..8)
            .map(|n| {
                // A late word of a call that got through changes nothing.
                tuner.taken(left(n + 9));
                tuner.refused(left(n), left(n + 10))
            })
            .collect();
        assert_eq!(heard.iter().filter(|changed| **changed).count(), 1);
        assert!((tuner.per_second() - 38.4).abs() < 1e-9);
    }

    #[test]
    fn a_few_calls_prove_no_higher_rate() {
        let start = Instant::now();
        let mut tuner = Tuner::new(Some(50.0), start);
        assert!((1..40).all(|second| !tuner.taken(start + Duration::from_secs(second))));
    }
}
