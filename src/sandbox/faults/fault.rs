//! What can go wrong with one request.

use crate::model::Field;
use std::time::Duration;

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Fault {
    /// A status of its own.
    Status {
        status: u16,
        /// `code` of the body; else what usually goes with the status.
        code: Option<Box<str>>,
        /// `Location`.
        location: Option<Box<str>>,
        /// The body repeats the request's key.
        echo_key: bool,
        /// Carried out all the same.
        applied: bool,
    },
    /// 429 or the like; nothing was done.
    TooMany(TooMany),
    /// 200 with a body that is no reply.
    Body { body: Body, applied: bool },
    /// No reply at all.
    NoReply { end: End, applied: bool },
    /// Carried out, and half of the reply.
    HalfReply,
    /// Carried out, and the reply tells something else.
    Altered(Alteration),
    /// Carried out as if this field had not been sent.
    NotApplied(Field),
    /// Somebody else changes this field of the customer just before the request is carried out.
    SecondWriter(Field),
    /// The connection is reset, nothing is done, and for so long nobody can connect.
    Refused(Duration),
}

/// How a connection ends without a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum End {
    /// Politely.
    Closed,
    /// By a reset.
    Reset,
    /// Not at all: the client waits until it gives up.
    Never,
}

/// A body that is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Body {
    /// The beginning of a page of HTML.
    Garbage,
    /// Nothing.
    Empty,
    /// More bytes than any client wants.
    Huge,
}

/// What a reply tells wrongly, or besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Alteration {
    /// `created` for `updated`, and the other way round.
    OtherAction,
    /// The `tether_id` of nobody.
    OtherCustomer,
    /// `mrr` as a text.
    MrrAsText,
    /// Members that the vendor's page does not know.
    UnknownField,
}

/// A 429, or another status that names a wait.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct TooMany {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) wait: Wait,
    pub(in crate::sandbox) place: Place,
    /// How far the clock of the reply's `Date` is ahead of the sandbox's.
    pub(in crate::sandbox) skew_seconds: i64,
}

/// The wait that a 429 names.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Wait {
    /// Seconds as they were written; fractions, negative ones and centuries too.
    Seconds { text: Box<str>, value: f64 },
    /// Any text, as it is.
    Verbatim(Box<str>),
}

/// Where a 429 names its wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sandbox) enum Place {
    /// `retry_after_seconds`, as documented.
    #[default]
    Body,
    /// `Retry-After` as seconds.
    Header,
    /// `Retry-After` as a date, against the reply's own `Date`.
    Date,
    /// `RateLimit-Reset`, seconds.
    RateLimitReset,
    /// `RateLimit`, `t` of its first item, seconds.
    RateLimit,
    /// `X-RateLimit-Reset`, seconds.
    XRateLimitReset,
    /// `X-RateLimit-Reset`, seconds since 1970, against the reply's own `Date`.
    XRateLimitResetEpoch,
    /// Nowhere.
    Nowhere,
}

impl Place {
    /// By the words of the file.
    pub(super) const WORDS: &'static [(&'static str, Self)] = &[
        ("body", Self::Body),
        ("header", Self::Header),
        ("date", Self::Date),
        ("ratelimit_reset", Self::RateLimitReset),
        ("ratelimit", Self::RateLimit),
        ("x_ratelimit_reset", Self::XRateLimitReset),
        ("x_ratelimit_reset_epoch", Self::XRateLimitResetEpoch),
        ("none", Self::Nowhere),
    ];
}

impl Fault {
    /// A call above a real limit.
    pub(super) fn limited(wait_seconds: u32, place: Place) -> Self {
        let wait = Wait::Seconds { text: wait_seconds.to_string().into(), value: wait_seconds.into() };
        Self::TooMany(TooMany { status: 429, wait, place, skew_seconds: 0 })
    }

    /// Whether the request is carried out.
    pub(in crate::sandbox) fn is_carried_out(&self) -> bool {
        match self {
            Self::Status { applied, .. } | Self::Body { applied, .. } | Self::NoReply { applied, .. } => *applied,
            Self::TooMany(_) | Self::Refused(_) => false,
            Self::HalfReply | Self::Altered(_) | Self::NotApplied(_) | Self::SecondWriter(_) => true,
        }
    }
}
