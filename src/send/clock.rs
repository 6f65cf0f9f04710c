//! The wall clock, as a seam.

use chrono::{DateTime, Utc};

/// Tells the time of day. Durations are measured with tokio's clock, which tests can pause.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
