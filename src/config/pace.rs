//! How fast calls may leave: `rate` and `burst`, under `[tether]` and under a `[[product]]` that has its own.

use serde::Serialize;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// `rate`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Pace {
    /// As configured.
    Fixed(Rate),
    /// `"auto"`: as the server takes it.
    Auto,
}

/// A number of calls per period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Calls.
    pub calls: NonZeroU32,
    /// The period they are spread over.
    pub per: Duration,
}

/// How fast the calls with one key may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPace {
    /// Calls per time.
    pub rate: Pace,
    /// In any window never more than rate × window + burst calls. `"auto"` sends one at a time, and heeds none.
    pub burst: NonZeroU32,
}

impl KeyPace {
    /// Whether calls leave in the same way: `"10/s"` is `"600/min"`.
    pub fn is_that_of(self, other: Self) -> bool {
        match (self.rate, other.rate) {
            (Pace::Auto, Pace::Auto) => true,
            (Pace::Fixed(one), Pace::Fixed(two)) => {
                let share = |calls: NonZeroU32, per: Duration| u128::from(calls.get()) * per.as_nanos();
                share(one.calls, two.per) == share(two.calls, one.per) && self.burst == other.burst
            }
            _ => false,
        }
    }
}

/// As the configuration writes it: `rate = "10/s", burst = 1`.
impl fmt::Display for KeyPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pace::Fixed(Rate { calls, per }) = self.rate else { return f.write_str("rate = \"auto\"") };
        let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
        match units.iter().find(|(seconds, _)| per == Duration::from_secs(*seconds)) {
            Some((_, unit)) => write!(f, "rate = \"{calls}/{unit}\", burst = {}", self.burst),
            None => write!(f, "{calls} calls in {} ms, burst = {}", per.as_millis(), self.burst),
        }
    }
}

/// What is wrong with two products that have the same key and not the same pace: their calls fill one bucket.
pub fn two_paces_of_one_key((one, here): (&str, KeyPace), (other, there): (&str, KeyPace)) -> String {
    format!(
        "`{one}` and `{other}` have the same key, and a key has one pace: `{one}` has {here}, `{other}` has {there}; give \
         both the same rate and burst, or each its own key"
    )
}

#[cfg(test)]
mod tests {
    use super::{KeyPace, Pace, Rate};
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn pace(calls: u32, seconds: u64, burst: u32) -> KeyPace {
        let calls = NonZeroU32::new(calls).unwrap();
        let rate = Pace::Fixed(Rate { calls, per: Duration::from_secs(seconds) });
        KeyPace { rate, burst: NonZeroU32::new(burst).unwrap() }
    }

    #[test]
    fn the_same_pace_in_other_words_is_the_same() {
        let auto = |burst| KeyPace { rate: Pace::Auto, ..pace(1, 1, burst) };
        for (one, two, same) in [
            (pace(10, 1, 1), pace(10, 1, 1), true),
            (pace(10, 1, 1), pace(600, 60, 1), true),
            (pace(1_000_000, 86_400, 1), pace(1_000_000, 86_400, 1), true),
            (pace(10, 1, 1), pace(10, 60, 1), false),
            (pace(10, 1, 1), pace(10, 1, 2), false),
            (auto(1), auto(9), true),
            (auto(1), pace(10, 1, 1), false),
        ] {
            assert_eq!(one.is_that_of(two), same, "{one} and {two}");
            assert_eq!(two.is_that_of(one), same, "{two} and {one}");
        }
        assert_eq!(pace(600, 60, 2).to_string(), "rate = \"600/min\", burst = 2");
        assert_eq!(auto(2).to_string(), "rate = \"auto\"");
    }
}
