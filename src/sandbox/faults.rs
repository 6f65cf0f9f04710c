//! Faults on demand: which of a product's requests goes wrong, and how. Every choice follows from the product's request
//! counter alone, so that a rehearsal can be repeated.

use crate::model::Field;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use std::time::Duration;

/// The table of faults; each is absent by default. Where several fall on one request, the first in this order happens
/// alone; only `slow` joins any other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// After so many requests of a product its key is refused: 401.
    pub unauthorized_after: Option<u64>,
    /// A real limit: `"10/s"`, `"600/min"`, `"100/h"`. Calls above it are answered 429 with `retry_after_seconds`.
    pub limit: Option<Limit>,
    /// The connection is reset before anything was done.
    pub reset: Option<Every>,
    /// 429 without a real limit behind it; nothing was done.
    pub rate_limit: Option<RateLimitFault>,
    /// 5xx.
    pub server_error: Option<ServerErrorFault>,
    /// 200 or 201, but one field was quietly not taken.
    pub not_applied: Option<NotAppliedFault>,
    /// Carried out, then answered 200 with a body that nobody can read.
    pub garbage: Option<Every>,
    /// Carried out, then the connection is closed without a reply.
    pub lost_reply: Option<Every>,
    /// The request waits before anything is done.
    pub slow: Option<SlowFault>,
    /// What happens to requests about certain customers, by the e-mail that they carry (lower-case), before any other.
    pub customers: BTreeMap<String, CustomerFault>,
}

/// What happens to every request about one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerFault {
    /// The first request of each product is carried out, then the connection is closed without a reply.
    LostReplyOnce,
    /// 422 with a code of its own; nothing is done.
    Rejected,
    /// 500; nothing is done, but a client cannot know that.
    ServerError,
    /// 503; nothing is done.
    Unavailable,
}

/// The faults cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table of faults cannot be read: {0}")]
pub struct FaultsError(String);

/// Every n-th request of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Every {
    /// n, at least 1.
    pub every: NonZeroU64,
}

/// Every n-th request is answered 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitFault {
    /// n, at least 1.
    pub every: NonZeroU64,
    /// The wait it asks for, in seconds.
    pub wait_seconds: u64,
    /// Where the wait stands: default the body, as documented.
    #[serde(rename = "in", default)]
    pub place: WaitIn,
}

/// Where a 429 says how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitIn {
    /// `retry_after_seconds`.
    #[default]
    Body,
    /// `Retry-After`.
    Header,
}

/// Every n-th request is answered 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerErrorFault {
    /// n, at least 1.
    pub every: NonZeroU64,
    /// 500 to 599.
    #[serde(deserialize_with = "server_error_status")]
    pub status: NonZeroU16,
    /// Whether the upsert was carried out all the same: default no.
    #[serde(default)]
    pub applied: bool,
}

/// Every n-th request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowFault {
    /// n, at least 1.
    pub every: NonZeroU64,
    /// How long, in milliseconds.
    pub millis: u64,
}

/// Every n-th request is carried out as if one field had not been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotAppliedFault {
    /// n, at least 1.
    pub every: NonZeroU64,
    /// The field.
    pub field: Field,
}

/// So many calls per period, counted from the first call of each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls.
    pub calls: NonZeroU32,
    /// The period.
    pub per: Duration,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Unauthorized,
    Limited { wait_seconds: u64 },
    Reset,
    RateLimit(RateLimitFault),
    ServerError(ServerErrorFault),
    NotApplied(Field),
    Garbage,
    LostReply,
    Rejected,
}

impl Fault {
    /// The word in the log: the fault's key.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized_after",
            Self::Limited { .. } => "limit",
            Self::Reset => "reset",
            Self::RateLimit(_) => "rate_limit",
            Self::ServerError(_) => "server_error",
            Self::NotApplied(_) => "not_applied",
            Self::Garbage => "garbage",
            Self::LostReply => "lost_reply",
            Self::Rejected => "rejected",
        }
    }
}

/// One product's counter of requests and its place in the running period of the limit.
#[derive(Debug, Default)]
pub(super) struct FaultCounter {
    requests: u64,
    period: Option<(Duration, u32)>,
    /// E-mails whose first request lost its reply.
    lost_once: BTreeSet<String>,
}

impl Faults {
    /// Reads a file of faults.
    ///
    /// # Errors
    /// TOML that is broken, a key that nobody knows, a value out of range: with line and column.
    pub fn from_toml(text: &str) -> Result<Self, FaultsError> {
        toml::from_str(text).map_err(|error| FaultsError(error.to_string()))
    }

    /// What happens to a product's next request, and how long it waits first. `elapsed` is the time since the sandbox
    /// started; `email` the one the request carries, lower-case.
    pub(super) fn next(
        &self,
        counter: &mut FaultCounter,
        elapsed: Duration,
        email: Option<&str>,
    ) -> (Option<Fault>, Option<Duration>) {
        counter.requests += 1;
        let number = counter.requests;
        let due = |every: NonZeroU64| number.is_multiple_of(every.get());
        let slow = self.slow.filter(|slow| due(slow.every)).map(|slow| Duration::from_millis(slow.millis));
        let fault = self
            .unauthorized_after
            .filter(|after| number > *after)
            .map(|_| Fault::Unauthorized)
            .or_else(|| self.about_customer(&mut counter.lost_once, email?))
            .or_else(|| {
                let wait_seconds = self.limit?.wait_seconds(&mut counter.period, elapsed)?;
                Some(Fault::Limited { wait_seconds })
            })
            .or_else(|| self.reset.filter(|f| due(f.every)).map(|_| Fault::Reset))
            .or_else(|| self.rate_limit.filter(|f| due(f.every)).map(Fault::RateLimit))
            .or_else(|| self.server_error.filter(|f| due(f.every)).map(Fault::ServerError))
            .or_else(|| self.not_applied.filter(|f| due(f.every)).map(|f| Fault::NotApplied(f.field)))
            .or_else(|| self.garbage.filter(|f| due(f.every)).map(|_| Fault::Garbage))
            .or_else(|| self.lost_reply.filter(|f| due(f.every)).map(|_| Fault::LostReply));
        (fault, slow)
    }
}

impl Faults {
    /// Whether a fault depends on the customer that a request is about.
    pub(super) fn name_customers(&self) -> bool {
        !self.customers.is_empty()
    }

    fn about_customer(&self, lost_once: &mut BTreeSet<String>, email: &str) -> Option<Fault> {
        let server_error =
            |status| Fault::ServerError(ServerErrorFault { every: NonZeroU64::MIN, status, applied: false });
        match self.customers.get(email)? {
            CustomerFault::LostReplyOnce => lost_once.insert(email.to_owned()).then_some(Fault::LostReply),
            CustomerFault::Rejected => Some(Fault::Rejected),
            CustomerFault::ServerError => NonZeroU16::new(500).map(server_error),
            CustomerFault::Unavailable => NonZeroU16::new(503).map(server_error),
        }
    }
}

impl Limit {
    /// Counts one call at `elapsed`; the seconds to wait, if it is above the limit.
    fn wait_seconds(self, period: &mut Option<(Duration, u32)>, elapsed: Duration) -> Option<u64> {
        let (began, calls) = match *period {
            Some((began, calls)) if elapsed.saturating_sub(began) < self.per => (began, calls),
            _ => (elapsed, 0),
        };
        if calls < self.calls.get() {
            *period = Some((began, calls + 1));
            return None;
        }
        let left = (began + self.per).saturating_sub(elapsed);
        Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }
}

impl std::str::FromStr for Limit {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || FaultsError(format!("limit `{text}` is not like `10/s`, `600/min` or `100/h`"));
        let (calls, unit) = text.split_once('/').ok_or_else(refuse)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "min" => 60,
            "h" => 3600,
            _ => return Err(refuse()),
        };
        Ok(Self { calls: calls.trim().parse().map_err(|_| refuse())?, per: Duration::from_secs(seconds) })
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn server_error_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU16, D::Error> {
    let status = NonZeroU16::deserialize(deserializer)?;
    if (500..=599).contains(&status.get()) {
        Ok(status)
    } else {
        Err(serde::de::Error::custom(format!("status {status} is not between 500 and 599")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultCounter, Faults};
    use std::time::Duration;

    #[test]
    fn a_customer_named_in_the_table_has_its_fault_and_nobody_else() {
        let faults = Faults::from_toml(
            "[customers]\n\"a@example.com\" = \"lost_reply_once\"\n\"b@example.com\" = \"rejected\"\n\"c@example.com\" = \"unavailable\"",
        )
        .unwrap();
        let mut counter = FaultCounter::default();
        let mut next = |email| faults.next(&mut counter, Duration::ZERO, email).0.map_or("-", Fault::as_str);
        assert_eq!(next(Some("a@example.com")), "lost_reply");
        assert_eq!(next(Some("a@example.com")), "-", "only once");
        assert_eq!(next(Some("b@example.com")), "rejected");
        assert_eq!(next(Some("b@example.com")), "rejected");
        assert_eq!(next(Some("c@example.com")), "server_error");
        assert_eq!(next(Some("d@example.com")), "-");
        assert_eq!(next(None), "-");
    }

    fn sequence(toml: &str, requests: usize) -> Vec<&'static str> {
        let faults = Faults::from_toml(toml).unwrap();
        let mut counter = FaultCounter::default();
        (0..requests).map(|_| faults.next(&mut counter, Duration::ZERO, None).0.map_or("-", Fault::as_str)).collect()
    }

    #[test]
    fn faults_fall_on_every_nth_request_and_the_first_of_the_table_wins() {
        assert_eq!(sequence("lost_reply = { every = 2 }\nreset = { every = 4 }", 4), ["-", "lost_reply", "-", "reset"]);
        assert_eq!(sequence("unauthorized_after = 1", 3), ["-", "unauthorized_after", "unauthorized_after"]);
        assert_eq!(sequence("limit = '2/s'", 3), ["-", "-", "limit"]);
        assert_eq!(sequence("", 2), ["-", "-"]);
    }

    #[test]
    fn a_limit_is_counted_from_the_first_call_of_its_period_and_names_the_wait() {
        let faults = Faults::from_toml("limit = '1/min'").unwrap();
        let mut counter = FaultCounter::default();
        let mut at = |millis| faults.next(&mut counter, Duration::from_millis(millis), None).0;
        assert_eq!(at(500), None);
        assert_eq!(at(1_000), Some(Fault::Limited { wait_seconds: 60 }));
        assert_eq!(at(60_499), Some(Fault::Limited { wait_seconds: 1 }));
        assert_eq!(at(60_500), None);
    }

    #[test]
    fn a_table_that_cannot_mean_anything_is_refused_and_the_culprit_named() {
        for (toml, culprit) in [
            ("lost = { every = 2 }", "lost"),
            ("reset = { every = 0 }", "every"),
            ("limit = '10/fortnight'", "10/fortnight"),
            ("server_error = { every = 1, status = 404 }", "404"),
            ("not_applied = { every = 1, field = 'mood' }", "mood"),
            ("rate_limit = { every = 1, wait_seconds = 1, in = 'thought' }", "thought"),
        ] {
            let error = Faults::from_toml(toml).unwrap_err().to_string();
            assert!(error.contains(culprit), "{toml}: {error}");
        }
    }
}
