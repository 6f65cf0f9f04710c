//! Each fault as a client meets it.

use super::{KEY, call, customer, export, settings, start, upsert};
use crate::sandbox::{Call, Sandbox};

const JANE: &str = r#"{"email":"jane@example.com","name":"Jane"}"#;

async fn twice_healthy_then(faults: &str) -> (Sandbox, super::Answer) {
    let sandbox = start(settings(false, faults), vec![customer(None, "jane@example.com")]).await;
    for _ in 0..2 {
        assert_eq!(upsert(&sandbox, "email", r#"{"email":"jane@example.com"}"#).await.0, 200);
    }
    let answer = call(&sandbox, "POST /api/v1/customers", &[("Authorization", KEY)], JANE).await;
    (sandbox, answer)
}

#[tokio::test]
async fn a_fault_answers_as_it_should_and_does_what_it_should() {
    // status (None: no reply at all), what the reply must hold, whether the name was taken
    for (faults, status, holds, applied) in [
        ("rate_limit = { every = 3, wait_seconds = 2 }", Some(429), "\"retry_after_seconds\":2", false),
        ("rate_limit = { every = 3, wait_seconds = 2, in = 'header' }", Some(429), "retry-after: 2", false),
        ("limit = '2/h'", Some(429), "\"retry_after_seconds\":3600", false),
        ("server_error = { every = 3, status = 503 }", Some(503), "error", false),
        ("server_error = { every = 3, status = 500, applied = true }", Some(500), "error", true),
        ("garbage = { every = 3 }", Some(200), "<html>", true),
        ("lost_reply = { every = 3 }", None, "Ok(0) after \"\"", true),
        ("reset = { every = 3 }", None, "ConnectionReset", false),
        ("unauthorized_after = 2", Some(401), "UNAUTHORIZED", false),
        ("not_applied = { every = 3, field = 'name' }", Some(200), "\"name\":null", false),
        ("slow = { every = 3, millis = 1 }", Some(200), "\"name\":\"Jane\"", true),
    ] {
        let (sandbox, answer) = twice_healthy_then(faults).await;
        let (found, text) = match answer {
            Ok((status, head, body)) => (Some(status), head + &body),
            Err(end) => (None, end),
        };
        assert_eq!(found, status, "{faults}: {text}");
        assert!(text.contains(holds), "{faults}: {text}");
        assert_eq!(export(&sandbox)[0]["name"] == "Jane", applied, "{faults}");
    }
}

#[tokio::test]
async fn a_customer_that_is_created_keeps_its_address_even_when_the_address_is_not_applied() {
    let sandbox = start(settings(true, "not_applied = { every = 1, field = 'email' }"), vec![]).await;
    assert_eq!(upsert(&sandbox, "email", JANE).await.0, 201);
    assert_eq!(export(&sandbox)[0]["email"], "jane@example.com");
}

#[tokio::test]
async fn the_log_tells_what_was_really_done_whatever_the_reply_said() {
    let sandbox = start(settings(true, "lost_reply = { every = 2 }\nreset = { every = 3 }"), vec![]).await;
    let headers = [("Authorization", KEY), ("X-Customer-Id-Type", "external")];
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        let body = format!(r#"{{"email":"{email}"}}"#);
        let _ = call(&sandbox, "POST /api/v1/customers", &headers, &body).await;
    }
    let _ = call(&sandbox, "GET /", &[], "").await;
    let seen: Vec<_> = sandbox
        .calls()
        .iter()
        .map(|call: &Call| (call.number, call.product.as_deref().is_some(), call.status, call.action, call.fault))
        .collect();
    assert_eq!(
        seen,
        [
            (1, true, Some(201), Some("created"), None),
            (2, true, None, Some("created"), Some("lost_reply")),
            (3, true, None, None, Some("reset")),
            (4, false, Some(404), None, None),
        ]
    );
    assert_eq!(sandbox.calls_total(), 4);
    assert_eq!(
        (sandbox.calls()[1].id_type, &sandbox.calls()[1].body[..]),
        (Some("external"), &b"{\"email\":\"b@example.com\"}"[..])
    );
}
