//! A real limit: so many calls per period.

use std::num::NonZeroU32;
use std::time::Duration;

/// So many calls per period, counted from the first call of each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    calls: NonZeroU32,
    per: Duration,
}

/// A period under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    began: Duration,
    calls: u32,
}

impl Limit {
    /// What a limit looks like.
    pub(super) const ALLOWED: &'static str = "like \"10/s\", \"600/min\" or \"100/h\"";

    /// Reads `10/s`, `600/min`, `100/h`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (calls, unit) = text.split_once('/')?;
        let seconds = match unit.trim() {
            "s" => 1,
            "min" => 60,
            "h" => 3600,
            _ => return None,
        };
        Some(Self { calls: calls.trim().parse().ok()?, per: Duration::from_secs(seconds) })
    }

    /// Counts one call at `elapsed`; the whole seconds to wait, if it is above the limit.
    pub(super) fn wait_seconds(self, period: &mut Option<Period>, elapsed: Duration) -> Option<u32> {
        let running = period.filter(|period| elapsed.saturating_sub(period.began) < self.per);
        let Period { began, calls } = running.unwrap_or(Period { began: elapsed, calls: 0 });
        if calls < self.calls.get() {
            *period = Some(Period { began, calls: calls + 1 });
            return None;
        }
        let left = (began + self.per).saturating_sub(elapsed);
        // No period is longer than an hour.
        u32::try_from(left.as_secs() + u64::from(left.subsec_nanos() > 0)).ok()
    }
}
