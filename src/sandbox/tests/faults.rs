//! Each fault as a client meets it.

use super::{KEY, call, customer, export, settings, start, upsert};
use crate::sandbox::{Call, Sandbox};

const JANE: &str = r#"{"email":"jane@example.com","name":"Jane"}"#;

async fn twice_healthy_then(faults: &str) -> (Sandbox, super::Answer) {
    let sandbox = start(settings(false, faults), vec![customer(None, "jane@example.com")]).await;
    for _ in 0..2 {
        assert_eq!(upsert(&sandbox, "email", r#"{"email":"jane@example.com","mrr":7}"#).await.0, 200);
    }
    let answer = call(&sandbox, "POST /api/v1/customers", &[("Authorization", KEY)], JANE).await;
    (sandbox, answer)
}

#[tokio::test]
async fn a_fault_answers_as_it_should_and_does_what_it_should() {
    // status (None: no reply at all), what the reply must hold, whether the name was taken
    for (faults, status, holds, applied) in [
        ("rate_limit = { every = 3, wait_seconds = 2 }", Some(429), "\"retry_after_seconds\":2}", false),
        ("rate_limit = { every = 3, wait_seconds = 0.05 }", Some(429), "\"retry_after_seconds\":0.05}", false),
        ("rate_limit = { every = 3, value = 'soon' }", Some(429), "\"retry_after_seconds\":\"soon\"}", false),
        ("rate_limit = { every = 3, wait_seconds = 2, in = 'header' }", Some(429), "retry-after: 2\r\n", false),
        ("rate_limit = { every = 3, wait_seconds = -5, in = 'header' }", Some(429), "retry-after: -5\r\n", false),
        ("rate_limit = { every = 3, value = 'soon', in = 'header' }", Some(429), "retry-after: soon\r\n", false),
        (
            "rate_limit = { every = 3, wait_seconds = 90, in = 'date' }",
            Some(429),
            "date: sun, 01 nov 2026 08:00:00 gmt\r\nretry-after: sun, 01 nov 2026 08:01:30 gmt",
            false,
        ),
        (
            "rate_limit = { every = 3, wait_seconds = 90, in = 'date', skew_seconds = -3600 }",
            Some(429),
            "date: sun, 01 nov 2026 07:00:00 gmt\r\nretry-after: sun, 01 nov 2026 07:01:30 gmt",
            false,
        ),
        (
            "rate_limit = { every = 3, wait_seconds = 4, in = 'ratelimit_reset' }",
            Some(429),
            "ratelimit-reset: 4",
            false,
        ),
        ("rate_limit = { every = 3, wait_seconds = 4, in = 'ratelimit' }", Some(429), "\"default\";r=0;t=4", false),
        (
            "rate_limit = { every = 3, wait_seconds = 4, in = 'x_ratelimit_reset' }",
            Some(429),
            "x-ratelimit-reset: 4\r\n",
            false,
        ),
        (
            "rate_limit = { every = 3, wait_seconds = 4, in = 'x_ratelimit_reset_epoch' }",
            Some(429),
            "x-ratelimit-reset: 1793520004\r\n",
            false,
        ),
        ("rate_limit = { every = 3, in = 'none' }", Some(429), "\"RATE_LIMITED\"}", false),
        ("limit = '2/h'", Some(429), "\"retry_after_seconds\":3600", false),
        ("server_error = { every = 3, status = 503 }", Some(503), "error", false),
        ("server_error = { every = 3, status = 500, applied = true }", Some(500), "error", true),
        ("status = { every = 3, status = 404 }", Some(404), "NOT_FOUND", false),
        ("status = { every = 3, status = 307, location = '/v2' }", Some(307), "location: /v2\r\n", false),
        ("status = { every = 3, status = 422, code = 'NO_SEATS' }", Some(422), "\"code\":\"NO_SEATS\"", false),
        ("status = { every = 3, status = 202, applied = true }", Some(202), "", true),
        ("echo_key = { every = 3 }", Some(400), KEY, false),
        ("garbage = { every = 3 }", Some(200), "<html>", true),
        ("garbage = { every = 3, applied = false }", Some(200), "<html>", false),
        ("empty = { every = 3 }", Some(200), "content-length: 0", true),
        ("huge_reply = { every = 3 }", Some(200), "content-length: 2097152", true),
        ("rate_limit = { every = 3, wait_seconds = 2, status = 503 }", Some(503), "\"retry_after_seconds\":2}", false),
        ("half_reply = { every = 3 }", Some(200), "{\"action\":\"updated\"", true),
        ("lost_reply = { every = 3 }", None, "Ok(0) after \"\"", true),
        ("lost_reply = { every = 3, applied = false }", None, "Ok(0) after \"\"", false),
        ("reset = { every = 3 }", None, "ConnectionReset", false),
        ("reset = { every = 3, applied = true }", None, "ConnectionReset", true),
        ("refused = { every = 3, millis = 1 }", None, "ConnectionReset", false),
        ("unauthorized_after = 2", Some(401), "UNAUTHORIZED", false),
        ("not_applied = { every = 3, field = 'name' }", Some(200), "\"name\":null", false),
        ("second_writer = { every = 3, field = 'company_name' }", Some(200), "\"company_name\":\"Somebody", true),
        ("second_writer = { every = 3, field = 'name' }", Some(200), "\"name\":\"Jane\"", true),
        ("other_action = { every = 3 }", Some(200), "{\"action\":\"created\"", true),
        ("other_customer = { every = 3 }", Some(200), "\"tether_id\":\"00000000-", true),
        ("mrr_as_text = { every = 3 }", Some(200), "\"mrr\":\"7\"", true),
        ("unknown_field = { every = 3 }", Some(200), "{\"api_version\":3,", true),
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

#[tokio::test]
async fn half_a_reply_names_more_bytes_than_it_has() {
    let (_sandbox, answer) = twice_healthy_then("half_reply = { from = 3 }").await;
    let (_, head, body) = answer.unwrap();
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), promised.parse::<usize>().unwrap() / 2);
}

#[tokio::test]
async fn while_the_door_is_shut_nobody_connects_and_afterwards_everybody_does() {
    let (sandbox, _) = twice_healthy_then("refused = { from = 3, times = 1, millis = 300 }").await;
    let refused = tokio::net::TcpStream::connect(sandbox.address()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    // Nobody sleeps here: the test asks until somebody opens.
    while tokio::net::TcpStream::connect(sandbox.address()).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(upsert(&sandbox, "email", JANE).await.0, 200);
}

#[tokio::test]
async fn a_reply_that_never_comes_was_carried_out_and_the_client_waits_in_vain() {
    let sandbox = start(settings(true, "no_reply = {}"), vec![]).await;
    let headers = [("Authorization", KEY)];
    let never = call(&sandbox, "POST /api/v1/customers", &headers, JANE);
    tokio::pin!(never);
    while sandbox.calls_total() == 0 {
        tokio::select! {
            biased;
            answer = &mut never => panic!("{answer:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(export(&sandbox).len(), 1);
    assert_eq!(sandbox.calls()[0].status, None);
}

#[tokio::test]
async fn a_fault_for_a_product_that_is_not_there_is_refused() {
    let settings = settings(true, "\nreset = { product = 'acadmy' }");
    let nobody: Vec<(String, Vec<crate::model::TetherCustomer>)> = vec![];
    let refused = Sandbox::start("127.0.0.1:0".parse().unwrap(), settings, nobody).await.err().unwrap().to_string();
    assert!(refused.ends_with("line 2 of the faults is about `acadmy`, and there is only core, side"), "{refused}");
}
