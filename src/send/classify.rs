//! What a reply means: a table of statuses, then what the body says. Nothing is claimed that it does not say.

use super::compare::shows_another;
use super::wait::wait_in_body;
use super::{Reply, TransportError};
use crate::model::{Reason, TetherCustomer, UpsertBody};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// What an attempt means for its row.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Tether took it.
    Accepted {
        /// 201, as opposed to 200.
        created: bool,
        /// As Tether now shows it.
        customer: Box<TetherCustomer>,
        /// If it was there and a number.
        health_score: Option<serde_json::Number>,
    },
    /// Nobody matched and the product's creation gate is closed.
    CreationDisabled {
        /// The reply's `error`.
        detail: String,
    },
    /// Tether refused this row for good.
    Rejected {
        /// The reply's `code` and `error`.
        detail: String,
    },
    /// The server cannot do it, and says so: not worth another try.
    Failed {
        /// Why.
        detail: String,
    },
    /// A reply to somebody else's request: as a [`Verdict::Retry`] that is ambiguous, and its connection is not to be trusted.
    Mistaken {
        /// Why.
        detail: String,
    },
    /// No decision; another try may bring one.
    Retry {
        /// Whether this one may have taken effect.
        ambiguous: bool,
        /// Whether it uses up a try.
        counts_as_try: bool,
        /// How long the server says to wait.
        after: Option<Duration>,
        /// Why.
        detail: String,
    },
    /// The product must stop.
    Stop {
        /// `auth` or `configuration`.
        reason: Reason,
        /// Why.
        detail: String,
    },
}

/// What a status means before the body is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Created,
    Updated,
    Unreadable,
    Stop(Reason),
    RefusedRow,
    NothingDone,
    SlowDown,
    CannotDo,
    MayHaveHappened,
}

/// First hit wins; a status in no line is one that HTTP does not know, and says nothing that can be relied upon.
const MEANINGS: &[(std::ops::RangeInclusive<u16>, Meaning)] = &[
    (200..=200, Meaning::Updated),
    (201..=201, Meaning::Created),
    (202..=299, Meaning::Unreadable),
    (300..=399, Meaning::Stop(Reason::Configuration)),
    (401..=401, Meaning::Stop(Reason::Auth)),
    (403..=403, Meaning::Stop(Reason::Auth)),
    (404..=405, Meaning::Stop(Reason::Configuration)),
    (408..=408, Meaning::NothingDone),
    (425..=425, Meaning::NothingDone),
    (429..=429, Meaning::SlowDown),
    (400..=499, Meaning::RefusedRow),
    (501..=501, Meaning::CannotDo),
    (503..=503, Meaning::NothingDone),
    (500..=599, Meaning::MayHaveHappened),
];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Accepted<'a> {
    action: Option<String>,
    #[serde(borrow)]
    customer: Option<&'a RawValue>,
    health_score: Option<serde_json::Value>,
}

/// Of an error's body. Values of any type: a surprising one must not hide the others.
#[derive(Default)]
struct Refusal {
    error: serde_json::Value,
    code: serde_json::Value,
    retry_after_seconds: serde_json::Value,
}

fn meaning_of(status: u16) -> Option<Meaning> {
    MEANINGS.iter().find(|(statuses, _)| statuses.contains(&status)).map(|(_, meaning)| *meaning)
}

/// Why an acceptance is not believed.
const ANOTHER: &str = "the reply shows another customer, with neither the external id nor the e-mail that was sent";

/// What an attempt's result means for the row that `sent` it.
pub fn judge(result: Result<&Reply, &TransportError>, sent: &UpsertBody) -> Verdict {
    match classify(result) {
        Verdict::Accepted { customer, .. } if shows_another(sent, &customer) => {
            Verdict::Mistaken { detail: format!("{ANOTHER}: whether this one took effect is not known") }
        }
        verdict => verdict,
    }
}

/// What an attempt's result means by itself.
fn classify(result: Result<&Reply, &TransportError>) -> Verdict {
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => {
            // What the status alone says stands even when the body was cut off.
            let meaning =
                error.status.map_or(Meaning::Unreadable, |status| meaning_of(status).unwrap_or(Meaning::Unreadable));
            let detail = error.text.clone();
            return match meaning {
                Meaning::Stop(reason) => Verdict::Stop { reason, detail },
                Meaning::CannotDo => Verdict::Failed { detail },
                Meaning::NothingDone | Meaning::SlowDown => Verdict::Retry {
                    ambiguous: false,
                    counts_as_try: meaning != Meaning::SlowDown,
                    after: error.wait,
                    detail,
                },
                Meaning::Created
                | Meaning::Updated
                | Meaning::Unreadable
                | Meaning::RefusedRow
                | Meaning::MayHaveHappened => {
                    Verdict::Retry { ambiguous: error.left, counts_as_try: true, after: error.wait, detail }
                }
            };
        }
    };
    let meaning = meaning_of(reply.status).unwrap_or(Meaning::Unreadable);
    match meaning {
        Meaning::Created => accepted(reply, true, "created"),
        Meaning::Updated => accepted(reply, false, "updated"),
        Meaning::Unreadable => unreadable(reply.status, "a status that this endpoint does not have"),
        Meaning::Stop(reason) => Verdict::Stop { reason, detail: refusal(reply).1 },
        Meaning::RefusedRow => {
            let (body, detail) = refusal(reply);
            if reply.status == 422 && body.code == "CREATION_DISABLED" {
                Verdict::CreationDisabled { detail }
            } else {
                Verdict::Rejected { detail }
            }
        }
        Meaning::CannotDo => Verdict::Failed { detail: refusal(reply).1 },
        Meaning::NothingDone | Meaning::SlowDown | Meaning::MayHaveHappened => {
            let (body, detail) = refusal(reply);
            Verdict::Retry {
                ambiguous: meaning == Meaning::MayHaveHappened,
                counts_as_try: meaning != Meaning::SlowDown,
                after: reply.wait.max(wait_in_body(&body.retry_after_seconds)),
                detail,
            }
        }
    }
}

fn accepted(reply: &Reply, created: bool, action: &str) -> Verdict {
    let body: Accepted = match object(&reply.body) {
        Ok(body) => body,
        Err(what) => return unreadable(reply.status, &format!("a body that cannot be read ({what})")),
    };
    if body.action.as_deref() != Some(action) {
        let shown = body.action.unwrap_or_default();
        return unreadable(reply.status, &format!("action `{}`, where `{action}` belongs", shorten(&shown)));
    }
    let customer = match body.customer.map(|raw| object::<TetherCustomer>(raw.get().as_bytes())) {
        Some(Ok(customer)) => Box::new(customer),
        Some(Err(what)) => return unreadable(reply.status, &format!("a customer that cannot be read ({what})")),
        None => return unreadable(reply.status, "no customer"),
    };
    let health_score = match body.health_score {
        Some(serde_json::Value::Number(number)) => Some(number),
        _ => None,
    };
    Verdict::Accepted { created, customer, health_score }
}

/// Reads a JSON object; an array, which would do for a struct's fields in order, is none.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    // RFC 8259 lets a reader pass over a byte order mark, and some servers write one.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err("no JSON object".into());
    }
    serde_json::from_slice(json).map_err(|e| e.to_string())
}

fn unreadable(status: u16, what: &str) -> Verdict {
    Verdict::Retry {
        ambiguous: true,
        counts_as_try: true,
        after: None,
        detail: format!("HTTP {status} with {what}: whether it took effect is not known"),
    }
}

/// An error's body as far as it can be read, and one line for a person. It claims nothing, so it is read leniently: a byte
/// that is no UTF-8 or a member written twice (the last counts) hides neither `code` nor the wait.
fn refusal(reply: &Reply) -> (Refusal, String) {
    let mut members: serde_json::Map<_, _> =
        object(String::from_utf8_lossy(&reply.body).as_bytes()).unwrap_or_default();
    let mut member = |name| members.remove(name).unwrap_or_default();
    let body =
        Refusal { error: member("error"), code: member("code"), retry_after_seconds: member("retry_after_seconds") };
    let mut detail = format!("HTTP {}", reply.status);
    for value in [&body.code, &body.error] {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            detail.push_str(if detail.contains(' ') && detail.len() > 8 { ": " } else { " " });
            detail.push_str(&shorten(text));
        }
    }
    (body, detail)
}

/// At most 500 characters, without control characters: it goes into logs and cells.
fn shorten(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::{Verdict, classify};
    use crate::send::{Reply, TransportError};
    use std::time::Duration;

    const CREATED: &str = r#"{"action":"created","customer":{"email":"a@example.com"},"health_score":74}"#;
    const UPDATED: &str = r#"{"action":"updated","customer":{"email":"a@example.com"}}"#;

    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accepted { created: true, .. } => "created".into(),
            Verdict::Accepted { .. } => "updated".into(),
            Verdict::CreationDisabled { .. } => "creation_disabled".into(),
            Verdict::Rejected { .. } => "rejected".into(),
            Verdict::Failed { .. } => "failed".into(),
            Verdict::Mistaken { .. } => "mistaken".into(),
            Verdict::Retry { ambiguous, counts_as_try, .. } => match (ambiguous, counts_as_try) {
                (true, _) => "ambiguous".into(),
                (false, true) => "retry".into(),
                (false, false) => "pause".into(),
            },
            Verdict::Stop { reason, .. } => format!("stop {reason}"),
        }
    }

    #[test]
    fn every_status_means_what_the_table_says() {
        for (status, body, expected) in [
            (201, CREATED, "created"),
            (200, UPDATED, "updated"),
            (201, UPDATED, "ambiguous"),
            (200, CREATED, "ambiguous"),
            (200, "{}", "ambiguous"),
            (200, "", "ambiguous"),
            (200, r#"{"action":"updated"}"#, "ambiguous"),
            (200, r#"{"action":"updated","customer":null}"#, "ambiguous"),
            (200, r#"{"action":"updated","customer":[]}"#, "ambiguous"),
            (200, r#"["updated",{"email":"a@example.com"}]"#, "ambiguous"),
            (200, "<html>", "ambiguous"),
            (200, &UPDATED[..20], "ambiguous"),
            (200, r#"{"action":"updated","customer":{},"health_score":"n/a"}"#, "updated"),
            (202, CREATED, "ambiguous"),
            (204, "", "ambiguous"),
            (100, "", "ambiguous"),
            (600, "", "ambiguous"),
            (301, "", "stop configuration"),
            (307, "", "stop configuration"),
            (304, "", "stop configuration"),
            (400, "{}", "rejected"),
            (401, r#"{"error":"Unauthorized","code":"UNAUTHORIZED"}"#, "stop auth"),
            (403, "", "stop auth"),
            (404, "", "stop configuration"),
            (405, "", "stop configuration"),
            (408, "", "retry"),
            (409, "not json", "rejected"),
            (422, r#"{"error":"x","code":"CREATION_DISABLED"}"#, "creation_disabled"),
            (422, r#"{"error":"x","code":"OTHER"}"#, "rejected"),
            (422, r#"{"error":"CREATION_DISABLED"}"#, "rejected"),
            (400, r#"{"error":"x","code":"CREATION_DISABLED"}"#, "rejected"),
            (425, "", "retry"),
            (429, "", "pause"),
            (500, "", "ambiguous"),
            (501, "", "failed"),
            (502, "<html>", "ambiguous"),
            (503, "<html>", "retry"),
            (504, "", "ambiguous"),
            (599, "", "ambiguous"),
        ] {
            let reply = Reply { status, body: body.into(), ..Reply::default() };
            assert_eq!(word(&classify(Ok(&reply))), expected, "{status} {body}");
        }
    }

    #[test]
    fn without_a_reply_only_a_request_that_began_to_leave_is_ambiguous() {
        for (left, status, expected) in [
            (true, None, "ambiguous"),
            (false, None, "retry"),
            (true, Some(200), "ambiguous"),
            (true, Some(500), "ambiguous"),
            (true, Some(503), "retry"),
            (true, Some(422), "ambiguous"),
            (true, Some(401), "stop auth"),
            (true, Some(501), "failed"),
        ] {
            let error = TransportError { left, status, wait: None, text: "lost".into() };
            assert_eq!(word(&classify(Err(&error))), expected);
        }
    }

    #[test]
    fn the_longest_of_the_waits_in_body_and_headers_counts() {
        let body = r#"{"error":"Rate limit exceeded.","code":"RATE_LIMITED","retry_after_seconds":3540}"#;
        for (header, expected) in [(Some(10), 3540), (Some(4000), 4000), (None, 3540)] {
            let wait = header.map(Duration::from_secs);
            let reply = Reply { status: 429, body: body.into(), wait, date: None };
            let Verdict::Retry { after, detail, .. } = classify(Ok(&reply)) else { panic!() };
            assert_eq!(after, Some(Duration::from_secs(expected)));
            assert_eq!(detail, "HTTP 429 RATE_LIMITED: Rate limit exceeded.");
        }
    }
}
