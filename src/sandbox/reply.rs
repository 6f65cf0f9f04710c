//! Every reply that is not an accepted upsert: one table of status, code and text.

use super::customer::Customer;
use super::faults::{Alteration, Body, Place, TooMany, Wait};
use crate::model::{Field, Instant};
use axum::http::{HeaderName, HeaderValue, header};
use chrono::DateTime;
use serde::Serialize;
use serde_json::value::RawValue;

/// Why a request was not carried out, or why it was answered as if it had not been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnknownIdType,
    NotAnObject,
    NoIdentifier,
    Member { field: Field, expected: &'static str },
    EmailRequired,
    Taken { field: Field },
    CreationDisabled,
}

/// A reply, ready to leave.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// The vendor's error object; `field` and `retry_after_seconds` only where they say something.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<Box<RawValue>>,
}

/// The vendor's reply to an upsert that was carried out.
#[derive(Serialize)]
struct Accepted<'a> {
    action: &'static str,
    customer: &'a Customer,
    health_score: i32,
}

impl Reply {
    /// 201 or 200 with the customer as it now is.
    pub(super) fn accepted(created: bool, customer: &Customer) -> Self {
        let (status, action) = if created { (201, "created") } else { (200, "updated") };
        let accepted = Accepted { action, customer, health_score: customer.health_score() };
        Self { status, body: json(&accepted), headers: vec![] }
    }

    /// The same, but telling something else than what was done.
    pub(super) fn altered(created: bool, customer: &Customer, alteration: Alteration) -> Self {
        let mut customer = customer.clone();
        let told_created = created ^ (alteration == Alteration::OtherAction);
        match alteration {
            Alteration::OtherCustomer => customer.tether_id = "00000000-0000-4000-8000-000000000000".into(),
            Alteration::MrrAsText => {
                customer.mrr = customer.mrr.and_then(|mrr| RawValue::from_string(format!("\"{}\"", mrr.get())).ok());
            }
            Alteration::OtherAction | Alteration::UnknownField => {}
        }
        let mut reply = Self { status: if created { 201 } else { 200 }, ..Self::accepted(told_created, &customer) };
        if alteration == Alteration::UnknownField {
            let body = String::from_utf8_lossy(&reply.body);
            let body = body.replacen('{', r#"{"api_version":3,"#, 1);
            let body = body.replacen(r#""customer":{"#, r#""customer":{"segment":{"name":"smb","tags":[]},"#, 1);
            reply.body = body.into_bytes();
        }
        reply
    }

    /// 200 with a body that is no reply.
    pub(super) fn unreadable(body: Body) -> Self {
        let body = match body {
            Body::Garbage => b"<html><body>upstream con".to_vec(),
            Body::Empty => vec![],
            Body::Huge => vec![b' '; HUGE],
        };
        Self { status: 200, body, headers: vec![] }
    }

    /// A status of the script's; `echoed`: what the request said of its key.
    pub(super) fn status(status: u16, code: Option<&str>, location: Option<&str>, echoed: Option<&str>) -> Self {
        let (usual, error) = said_with(status);
        let text = echoed.map(|key| format!("{error} The request said: Authorization: {key}"));
        let error = ErrorBody {
            error: text.as_deref().unwrap_or(error),
            code: code.unwrap_or(usual),
            field: None,
            retry_after_seconds: None,
        };
        let location = location.and_then(|text| HeaderValue::from_str(text).ok());
        Self {
            status,
            body: json(&error),
            headers: location.into_iter().map(|text| (header::LOCATION, text)).collect(),
        }
    }

    /// A status that names a wait, at `now` by the sandbox's clock.
    pub(super) fn too_many(too_many: &TooMany, now: Instant) -> Self {
        let TooMany { status, wait, place, skew_seconds } = too_many;
        let now = now.epoch_seconds() + skew_seconds;
        // As instants waits are whole seconds: at least as long as asked, and within what a calendar can show.
        let then = |seconds: f64| now + format!("{:.0}", seconds.ceil().clamp(-1e11, 1e11)).parse::<i64>().unwrap_or(0);
        let plain = || match wait {
            Wait::Seconds { text, .. } | Wait::Verbatim(text) => text.to_string(),
        };
        let until = |show: &dyn Fn(i64) -> String| match wait {
            Wait::Seconds { value, .. } => show(then(*value)),
            Wait::Verbatim(text) => text.to_string(),
        };
        let named: &[(&'static str, String)] = &match place {
            Place::Body | Place::Nowhere => vec![],
            Place::Header => vec![("retry-after", plain())],
            Place::Date => vec![("date", http_date(now)), ("retry-after", until(&http_date))],
            Place::RateLimitReset => vec![("ratelimit-remaining", "0".to_owned()), ("ratelimit-reset", plain())],
            Place::RateLimit => vec![("ratelimit", format!("\"default\";r=0;t={}", plain()))],
            Place::XRateLimitReset => vec![("x-ratelimit-reset", plain())],
            Place::XRateLimitResetEpoch => {
                vec![("date", http_date(now)), ("x-ratelimit-reset", until(&|then| then.to_string()))]
            }
        };
        let header = |(name, value): &(&'static str, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        };
        let in_body = match wait {
            _ if *place != Place::Body => None,
            Wait::Seconds { text, .. } => RawValue::from_string(text.to_string()).ok(),
            Wait::Verbatim(text) => serde_json::value::to_raw_value(text).ok(),
        };
        let (code, error) = said_with(*status);
        let body = json(&ErrorBody { error, code, field: None, retry_after_seconds: in_body });
        Self { status: *status, body, headers: named.iter().filter_map(header).collect() }
    }
}

/// Bytes of a huge reply.
const HUGE: usize = 2 << 20;

/// Code and text that usually go with a status.
const STATUSES: &[(u16, &str, &str)] = &[
    (301, "MOVED", "Moved permanently"),
    (302, "MOVED", "Found elsewhere"),
    (307, "MOVED", "Moved for now"),
    (308, "MOVED", "Moved permanently"),
    (400, "VALIDATION_ERROR", "The request is not valid."),
    (401, "UNAUTHORIZED", "Unauthorized"),
    (403, "FORBIDDEN", "Forbidden"),
    (404, "NOT_FOUND", "Not found"),
    (405, "METHOD_NOT_ALLOWED", "Method not allowed"),
    (408, "REQUEST_TIMEOUT", "The request took too long to arrive."),
    (413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB."),
    (422, "CUSTOMER_ARCHIVED", "This customer is archived and cannot be changed."),
    (425, "TOO_EARLY", "Too early"),
    (429, "RATE_LIMITED", "Rate limit exceeded. Try again later."),
    (501, "NOT_IMPLEMENTED", "Not implemented"),
];
/// Of every other.
const FURTHER_STATUS: (&str, &str) = ("INTERNAL_ERROR", "Something went wrong.");

fn said_with(status: u16) -> (&'static str, &'static str) {
    let known = STATUSES.iter().find(|(known, ..)| *known == status);
    known.map_or(FURTHER_STATUS, |(_, code, error)| (*code, *error))
}

/// An instant as headers show it; years that they cannot show end at the edges of what they can.
fn http_date(epoch_seconds: i64) -> String {
    let shown = epoch_seconds.clamp(0, 253_402_300_799);
    let time = DateTime::from_timestamp(shown, 0).unwrap_or_default();
    httpdate::fmt_http_date(time.into())
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let text;
        let (status, code, error) = match &refusal {
            Refusal::Unauthorized => (401, "UNAUTHORIZED", "Unauthorized"),
            Refusal::NotFound => (404, "NOT_FOUND", "Not found"),
            Refusal::MethodNotAllowed => (405, "METHOD_NOT_ALLOWED", "Method not allowed"),
            Refusal::TooLarge => (413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB."),
            Refusal::UnknownIdType => (400, "INVALID_ID_TYPE", "X-Customer-Id-Type must be \"email\" or \"external\"."),
            Refusal::NotAnObject => (400, "INVALID_JSON", "The body must be a JSON object."),
            Refusal::NoIdentifier => {
                (400, "VALIDATION_ERROR", "At least one of \"email\" or \"external_id\" is required.")
            }
            Refusal::Member { field, expected } => {
                text = format!("\"{field}\" must be {expected}.");
                (400, "VALIDATION_ERROR", text.as_str())
            }
            Refusal::EmailRequired => (400, "VALIDATION_ERROR", "\"email\" is required when creating a customer."),
            Refusal::Taken { field } => {
                text = format!("Another customer of this product has this \"{field}\".");
                (409, "CONFLICT", text.as_str())
            }
            Refusal::CreationDisabled => (
                422,
                "CREATION_DISABLED",
                "Customer not found and customer creation via API is disabled for this product. Enable it in Settings → \
                 Products → [product] → API.",
            ),
        };
        let field = match &refusal {
            Refusal::Member { field, .. } | Refusal::Taken { field } => Some(field.as_str()),
            Refusal::EmailRequired => Some(Field::Email.as_str()),
            _ => None,
        };
        let body = json(&ErrorBody { error, code, field, retry_after_seconds: None });
        Self { status, body, headers: vec![] }
    }
}

/// Text, numbers and options always have a JSON form.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
