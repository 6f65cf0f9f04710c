//! The kinds of faults: a table of their words, their own keys, and how those are read.

use super::limit::Limit;
use super::options::Options;
use super::{Alteration, Body, End, Fault, Place, TooMany, Wait, What};
use std::time::Duration;

/// A kind of fault.
pub(super) struct Kind {
    /// Its word in the file and in the log.
    pub(super) name: &'static str,
    /// The keys that it has besides those of all faults.
    pub(super) keys: &'static [&'static str],
    /// Reads them; `None`: a problem was noted.
    pub(super) read: fn(&mut Options<'_, '_, '_>) -> Option<What>,
}

/// For how long nobody can connect, unless the file says.
const REFUSED: Duration = Duration::from_millis(200);

/// All kinds.
pub(super) const KINDS: &[Kind] = &[
    Kind { name: "refused", keys: &["millis"], read: refused },
    Kind { name: "reset", keys: &["applied"], read: |options| no_reply(options, End::Reset, false) },
    Kind { name: "lost_reply", keys: &["applied"], read: |options| no_reply(options, End::Closed, true) },
    Kind { name: "no_reply", keys: &["applied"], read: |options| no_reply(options, End::Never, true) },
    Kind { name: "half_reply", keys: &[], read: |_| fault(Fault::HalfReply) },
    Kind { name: "garbage", keys: &["applied"], read: |options| body(options, Body::Garbage) },
    Kind { name: "empty", keys: &["applied"], read: |options| body(options, Body::Empty) },
    Kind { name: "huge_reply", keys: &["applied"], read: |options| body(options, Body::Huge) },
    Kind { name: "slow", keys: &["millis"], read: slow },
    Kind { name: "status", keys: &["status", "code", "location", "applied"], read: status },
    Kind { name: "server_error", keys: &["status", "applied"], read: server_error },
    Kind { name: "echo_key", keys: &["status"], read: echo_key },
    Kind { name: "rate_limit", keys: &["wait_seconds", "value", "in", "skew_seconds", "status"], read: rate_limit },
    Kind { name: "limit", keys: &["rate", "in"], read: limit },
    Kind { name: "not_applied", keys: &["field"], read: |options| fault(Fault::NotApplied(options.field()?)) },
    Kind { name: "second_writer", keys: &["field"], read: |options| fault(Fault::SecondWriter(options.field()?)) },
    Kind { name: "other_action", keys: &[], read: |_| fault(Fault::Altered(Alteration::OtherAction)) },
    Kind { name: "other_customer", keys: &[], read: |_| fault(Fault::Altered(Alteration::OtherCustomer)) },
    Kind { name: "mrr_as_text", keys: &[], read: |_| fault(Fault::Altered(Alteration::MrrAsText)) },
    Kind { name: "unknown_field", keys: &[], read: |_| fault(Fault::Altered(Alteration::UnknownField)) },
];

/// The words of all kinds.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a reader that may have failed before")]
fn fault(fault: Fault) -> Option<What> {
    Some(What::Fault(fault))
}

fn refused(options: &mut Options<'_, '_, '_>) -> Option<What> {
    fault(Fault::Refused(options.millis("millis").unwrap_or(REFUSED)))
}

fn no_reply(options: &mut Options<'_, '_, '_>, end: End, applied: bool) -> Option<What> {
    fault(Fault::NoReply { end, applied: options.flag("applied").unwrap_or(applied) })
}

fn body(options: &mut Options<'_, '_, '_>, body: Body) -> Option<What> {
    fault(Fault::Body { body, applied: options.flag("applied").unwrap_or(true) })
}

fn slow(options: &mut Options<'_, '_, '_>) -> Option<What> {
    if !options.has("millis") {
        options.missing("millis", "how long, in milliseconds, such as 500");
    }
    options.millis("millis").map(What::Slow)
}

fn status(options: &mut Options<'_, '_, '_>) -> Option<What> {
    if !options.has("status") {
        options.missing("status", "a whole number from 200 to 599");
    }
    let (status, code) = (options.whole("status", 200..=599), options.text("code"));
    let (location, applied) = (options.text("location"), options.flag("applied").unwrap_or(false));
    fault(Fault::Status { status: u16::try_from(status?).ok()?, code, location, echo_key: false, applied })
}

fn server_error(options: &mut Options<'_, '_, '_>) -> Option<What> {
    let status = options.whole("status", 500..=599).unwrap_or(500);
    let applied = options.flag("applied").unwrap_or(false);
    fault(Fault::Status { status: u16::try_from(status).ok()?, code: None, location: None, echo_key: false, applied })
}

fn echo_key(options: &mut Options<'_, '_, '_>) -> Option<What> {
    let status = options.whole("status", 400..=599).unwrap_or(400);
    let status = u16::try_from(status).ok()?;
    fault(Fault::Status { status, code: None, location: None, echo_key: true, applied: false })
}

fn rate_limit(options: &mut Options<'_, '_, '_>) -> Option<What> {
    let place = options.word("in", Place::WORDS).unwrap_or_default();
    let status = options.whole("status", 400..=599).unwrap_or(429);
    let skew_seconds = options.whole("skew_seconds", -1_000_000_000..=1_000_000_000).unwrap_or(0);
    let value = options.text("value").map(Wait::Verbatim);
    let seconds = options.number("wait_seconds").map(|(text, value)| Wait::Seconds { text, value });
    if !options.has("value") && !options.has("wait_seconds") && place != Place::Nowhere {
        options.missing("wait_seconds", "how long, in seconds, such as 1.5; or `value`, a text; or `in = \"none\"`");
    }
    let nothing = (place == Place::Nowhere).then(|| Wait::Verbatim("".into()));
    let status = u16::try_from(status).ok()?;
    fault(Fault::TooMany(TooMany { status, wait: value.or(seconds).or(nothing)?, place, skew_seconds }))
}

fn limit(options: &mut Options<'_, '_, '_>) -> Option<What> {
    if !options.has("rate") {
        options.missing("rate", &format!("a limit {}", Limit::ALLOWED));
    }
    let place = options.word("in", Place::WORDS).unwrap_or_default();
    Some(What::Limit(options.parsed("rate", Limit::ALLOWED, Limit::parse)?, place))
}
