//! How long a server says to wait: the longest of everything it names, nonsense ignored.

use chrono::{DateTime, Utc};
use std::time::Duration;

/// A longer wait than this is nonsense and ignored.
pub const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// From this number on, a reset is an instant (seconds since 1970), not a number of seconds; 1000 times as much: millis.
const EPOCH_SECONDS: f64 = 1e9;

/// The headers that name a wait.
pub const WAIT_HEADERS: [&str; 6] = [
    "retry-after",
    "ratelimit",
    "ratelimit-reset",
    "x-ratelimit-reset",
    "ratelimit-remaining",
    "x-ratelimit-remaining",
];

/// The only one of them that a reply other than a 429 means to be heeded: many servers tell with every reply when their
/// counters begin anew.
const WITH_ANY_STATUS: &str = "retry-after";

/// The longest wait that a reply with `status` and `headers` (pairs of lower-case name and value; others are ignored) names.
/// Instants are taken against the reply's own `date`, so that a clock that is wrong here does no harm; without one against
/// `now`.
pub fn named_wait(
    status: u16,
    headers: &[(&str, &str)],
    date: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Duration> {
    let against = date.unwrap_or(now);
    let has_left = |remaining: &str| {
        let mut left = headers.iter().filter(|(name, _)| *name == remaining).filter_map(|(_, value)| seconds(value));
        left.next().is_some_and(|left| left > 0.0)
    };
    let heeded = headers.iter().filter(|(name, _)| status == 429 || *name == WITH_ANY_STATUS);
    let waits = heeded.filter_map(|(name, value)| match *name {
        "retry-after" => seconds(value).or_else(|| until(value, against)),
        "ratelimit" => rate_limit(value),
        "ratelimit-reset" if !has_left("ratelimit-remaining") => reset(value, against),
        "x-ratelimit-reset" if !has_left("x-ratelimit-remaining") => reset(value, against),
        _ => None,
    });
    waits.filter_map(sensible).max()
}

/// The wait that a body's `retry_after_seconds` names.
pub fn wait_in_body(value: &serde_json::Value) -> Option<Duration> {
    value.as_f64().or_else(|| value.as_str().and_then(seconds)).and_then(sensible)
}

/// A number of seconds as a duration, unless it is nonsense: not a number, not positive, beyond [`LONGEST_WAIT`].
fn sensible(seconds: f64) -> Option<Duration> {
    (seconds > 0.0 && seconds <= LONGEST_WAIT.as_secs_f64()).then(|| Duration::from_secs_f64(seconds))
}

fn seconds(value: &str) -> Option<f64> {
    value.trim().parse().ok()
}

fn until(value: &str, against: DateTime<Utc>) -> Option<f64> {
    let until = DateTime::<Utc>::from(httpdate::parse_http_date(value.trim()).ok()?);
    Some((until - against).as_seconds_f64())
}

/// `RateLimit-Reset` is seconds; `X-RateLimit-Reset` is either, and so both are read as either.
fn reset(value: &str, against: DateTime<Utc>) -> Option<f64> {
    let number = seconds(value)?;
    let now = against.timestamp_micros().to_string().parse::<f64>().ok()? / 1e6;
    if number >= EPOCH_SECONDS * 1000.0 {
        Some(number / 1000.0 - now)
    } else if number >= EPOCH_SECONDS {
        Some(number - now)
    } else {
        Some(number)
    }
}

/// `RateLimit` holds a list of limits, `"burst";r=0;t=30`, or, in older drafts, `remaining=0, reset=30`. A limit that has
/// something left asks for no wait.
fn rate_limit(value: &str) -> Option<f64> {
    // The older form is one limit, its members set apart by commas.
    let (limits, members) = if value.contains("reset=") { (';', ',') } else { (',', ';') };
    let waits = value.split(limits).filter_map(|limit| {
        let member = |name: &str| limit.split(members).find_map(|m| seconds(m.trim().strip_prefix(name)?));
        let is_used_up = member("r=").or_else(|| member("remaining=")).is_none_or(|left| left <= 0.0);
        member("t=").or_else(|| member("reset=")).filter(|_| is_used_up)
    });
    waits.filter(|wait| sensible(*wait).is_some()).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::{named_wait, wait_in_body};
    use chrono::{DateTime, TimeZone, Utc};
    use std::time::Duration;

    fn at(seconds: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_longest_sensible_wait_counts() {
        let date = httpdate::fmt_http_date(at(90).into());
        for (headers, expected) in [
            (vec![], None),
            (vec![("retry-after", "7")], Some(7.0)),
            (vec![("retry-after", " 0.5 ")], Some(0.5)),
            (vec![("retry-after", "7"), ("ratelimit-reset", "9")], Some(9.0)),
            (vec![("retry-after", "7"), ("retry-after", "30")], Some(30.0)),
            (vec![("retry-after", date.as_str())], Some(90.0)),
            (vec![("ratelimit", "\"default\";r=0;t=9")], Some(9.0)),
            (vec![("ratelimit", "\"burst\"; r=0; t=2, \"day\"; r=40; t=3600, \"hour\"; r=0; t=8")], Some(8.0)),
            (vec![("ratelimit", "limit=10, remaining=0, reset=7")], Some(7.0)),
            (vec![("ratelimit", "\"default\";r=0;t=soon, \"hour\";r=0;t=999999999")], None),
            (vec![("x-ratelimit-reset", "12")], Some(12.0)),
            (vec![("x-ratelimit-reset", "1790000040")], Some(40.0)),
            (vec![("x-ratelimit-reset", "1790000040500")], Some(40.5)),
            (vec![("x-ratelimit-reset", "1789999999")], None),
            (vec![("retry-after", "-5")], None),
            (vec![("retry-after", "NaN")], None),
            (vec![("retry-after", "inf")], None),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "86401")], None),
            (vec![("retry-after", "86400")], Some(86400.0)),
            (vec![("retry-after", "999999999"), ("ratelimit-reset", "3")], Some(3.0)),
            (vec![("content-length", "3")], None),
        ] {
            let wait = named_wait(429, &headers, Some(at(0)), at(5000)).map(|d| d.as_secs_f64());
            assert_eq!(wait, expected, "{headers:?}");
        }
    }

    #[test]
    fn a_counter_that_begins_anew_is_no_wait_unless_the_call_was_refused_for_it() {
        let reset = ("x-ratelimit-reset", "3000");
        for (status, headers, expected) in [
            (429, vec![("x-ratelimit-remaining", "4990"), reset], None),
            (429, vec![("x-ratelimit-remaining", "0"), reset], Some(3000)),
            (500, vec![reset], None),
            (503, vec![reset, ("retry-after", "5")], Some(5)),
            (429, vec![("ratelimit", "limit=10, remaining=5, reset=7")], None),
        ] {
            assert_eq!(named_wait(status, &headers, None, at(0)), expected.map(Duration::from_secs), "{headers:?}");
        }
    }

    #[test]
    fn an_instant_is_taken_against_the_replys_own_date_and_else_against_now() {
        let date = httpdate::fmt_http_date(at(90).into());
        for (own, now, expected) in [(Some(at(60)), at(0), 30), (None, at(80), 10)] {
            assert_eq!(
                named_wait(429, &[("retry-after", date.as_str())], own, now),
                Some(Duration::from_secs(expected))
            );
        }
    }

    #[test]
    fn a_body_names_a_wait_as_a_number_or_as_text() {
        for (json, expected) in
            [("3540", Some(3540)), ("\"60\"", Some(60)), ("-1", None), ("null", None), ("1e9", None)]
        {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(wait_in_body(&value), expected.map(Duration::from_secs), "{json}");
        }
    }
}
