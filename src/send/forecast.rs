//! When sending will be done, in words for a person: before the first call, and while it goes on.

use crate::config::{KeyPace, Pace};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// What the rate says of `calls` calls that begin `now`: `4,000 calls, at least 6 min 40 s at the configured rate: done at
/// 06:12 UTC at the earliest`. A burst leaves at once. `begins`: calls a second that `rate = "auto"` begins with.
pub fn before(calls: usize, pace: KeyPace, begins: f64, now: DateTime<Utc>) -> String {
    let Pace::Fixed(rate) = pace.rate else {
        let took = f64::from(u32::try_from(calls).unwrap_or(u32::MAX)) / begins;
        let took = Duration::try_from_secs_f64(took).unwrap_or(Duration::MAX);
        let at = clock(now, took).map_or(String::new(), |at| format!(", and done at {at}"));
        return format!(
            "{calls} calls, as fast as the server takes them: {} at the {begins:.1} a second that it begins with{at}",
            words(took)
        );
    };
    let waiting = u32::try_from(calls).unwrap_or(u32::MAX).saturating_sub(pace.burst.get());
    let least = rate.per.saturating_mul(waiting) / rate.calls.get();
    let earliest = clock(now, least).map_or(String::new(), |at| format!(": done at {at} at the earliest"));
    format!("{calls} calls, at least {} at the configured rate{earliest}", words(least))
}

/// What the pace so far says of the rest. `products`: of each that still sends, how many of its rows are done, and how many
/// it has; each has a pace of its own, and the last decides. `None` while one of them has nothing done.
pub(super) fn during(
    products: impl IntoIterator<Item = (u64, u64)>,
    elapsed: Duration,
    now: DateTime<Utc>,
) -> Option<String> {
    let (mut all_done, mut all_rows, mut longest) = (0, 0, Duration::ZERO);
    for (done, rows) in products {
        let left = u128::from(rows.saturating_sub(done));
        if left > 0 {
            let millis = (left * elapsed.as_millis()).checked_div(u128::from(done))?;
            longest = longest.max(Duration::from_millis(u64::try_from(millis).ok()?));
        }
        (all_done, all_rows) = (all_done + done, all_rows + rows);
    }
    let at = clock(now, longest)?;
    let left = words(longest);
    (all_done > 0).then(|| format!("sending: {all_done} of {all_rows} rows; at this pace done at {at}, in {left}"))
}

/// The time of day, with the date where it is another day.
fn clock(now: DateTime<Utc>, wait: Duration) -> Option<String> {
    let at = now.checked_add_signed(chrono::TimeDelta::from_std(wait).ok()?)?;
    let pattern = if at.date_naive() == now.date_naive() { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    Some(at.format(pattern).to_string())
}

/// `90 s` → `1 min 30 s`.
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::{before, during};
    use crate::config::{KeyPace, Pace, Rate};
    use chrono::{DateTime, Utc};
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn now() -> DateTime<Utc> {
        "2026-11-01T23:55:00Z".parse().unwrap()
    }

    #[test]
    fn the_configured_rate_says_the_earliest_end() {
        let rate = Pace::Fixed(Rate { calls: NonZeroU32::new(600).unwrap(), per: Duration::from_mins(1) });
        let pace = KeyPace { rate, burst: NonZeroU32::MIN };
        for (calls, expected) in [
            (0, "0 calls, at least 0 s at the configured rate: done at 23:55 UTC at the earliest"),
            (1, "1 calls, at least 0 s at the configured rate: done at 23:55 UTC at the earliest"),
            (601, "601 calls, at least 1 min 0 s at the configured rate: done at 23:56 UTC at the earliest"),
            (
                40_000,
                "40000 calls, at least 1 h 6 min at the configured rate: done at 2026-11-02 01:01 UTC at the earliest",
            ),
        ] {
            assert_eq!(before(calls, pace, 2.0, now()), expected);
        }
        assert_eq!(
            before(240, KeyPace { rate: Pace::Auto, ..pace }, 2.0, now()),
            "240 calls, as fast as the server takes them: 2 min 0 s at the 2.0 a second that it begins with, and done at \
             23:57 UTC"
        );
    }

    #[test]
    fn the_pace_so_far_says_the_rest() {
        let minute = Duration::from_mins(1);
        for (products, expected) in [
            (&[(50, 100)][..], Some("sending: 50 of 100 rows; at this pace done at 23:56 UTC, in 1 min 0 s")),
            (&[(0, 100)], None),
            (&[(50, 100), (0, 100)], None),
            // The slower one decides, and one that is through delays nobody.
            (
                &[(1000, 1000), (10, 100), (90, 100)],
                Some("sending: 1100 of 1200 rows; at this pace done at 2026-11-02 00:04 UTC, in 9 min 0 s"),
            ),
            (&[(7, 7), (0, 0)], Some("sending: 7 of 7 rows; at this pace done at 23:55 UTC, in 0 s")),
        ] {
            assert_eq!(during(products.iter().copied(), minute, now()).as_deref(), expected, "{products:?}");
        }
    }
}
