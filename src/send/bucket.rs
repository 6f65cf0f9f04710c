//! The token bucket of one rate: in any window never more than rate × window + burst calls.
//!
//! The bucket is governor's, on tokio's clock. governor's own waiting is not used: it follows no pausable clock, and a
//! server's wait must be able to arrive meanwhile.

use crate::config::Rate;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::Instant;

/// No bucket takes longer to fill: governor counts nanoseconds in 64 bits.
const LONGEST_FILLING: Duration = Duration::from_hours(24 * 365 * 50);

/// governor's clock: the time since the bucket was made, on tokio's clock, which tests can pause.
#[derive(Debug)]
struct BucketClock {
    start: Instant,
    /// How long before the start the bucket was empty: set once it was emptied, and counted from then on.
    ahead: OnceLock<Duration>,
}

impl governor::clock::Clock for BucketClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed() + self.ahead.get().copied().unwrap_or_default()
    }
}

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, BucketClock, NoOpMiddleware<Duration>>,
    /// Between two calls at full rate, rounded up.
    pub(super) interval: Duration,
    /// Calls that may leave at once.
    pub(super) burst: NonZeroU32,
}

impl Bucket {
    /// A full bucket of `rate`.
    pub(super) fn of_rate(rate: Rate, burst: NonZeroU32) -> Self {
        let nanos = rate.per.as_nanos().div_ceil(u128::from(rate.calls.get()));
        Self::new(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)), burst)
    }

    /// A full bucket that gains a call every `interval`.
    #[expect(clippy::expect_used, reason = "governor refuses a period of nothing alone, and this one is a nanosecond")]
    pub(super) fn new(interval: Duration, burst: NonZeroU32) -> Self {
        let interval = interval.clamp(Duration::from_nanos(1), LONGEST_FILLING);
        let most = u32::try_from(LONGEST_FILLING.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
        let burst = NonZeroU32::new(most).map_or(burst, |most| most.min(burst));
        let quota = Quota::with_period(interval).expect("an interval is at least a nanosecond").allow_burst(burst);
        let clock = BucketClock { start: Instant::now(), ahead: OnceLock::new() };
        Self { limiter: RateLimiter::direct_with_clock(quota, clock), interval, burst }
    }

    /// The bucket was empty `ago` before now. To be said once, before the first call.
    pub(super) fn was_empty(&self, ago: Duration) {
        // A new bucket is full, so that its burst can be taken out; then its clock is put forward.
        let _ = self.limiter.check_n(self.burst);
        let _ = self.limiter.clock().ahead.set(ago.min(LONGEST_FILLING));
    }

    /// Takes one call out, or says how long until there is one.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(self.limiter.clock().now()))
    }

    /// How much may have gathered beyond one call.
    pub(super) fn tolerance(&self) -> Duration {
        self.interval.saturating_mul(self.burst.get() - 1)
    }
}
