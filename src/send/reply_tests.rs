//! From the bytes of a reply to what is said of its row: every line of the table of outcomes, for a row whose tries so far were
//! clean and for one with an ambiguous try.

use super::row::{Next, Tries};
use super::{Call, Reply, judge};
use crate::journal::History;
use crate::model::{Field, Money, Prediction, RowOutcome, UpsertBody};

fn call(predicted: Prediction) -> Call {
    let body = UpsertBody {
        email: Some("jane@example.com".into()),
        external_id: Some("u-1".into()),
        name: Some("Jane".into()),
        mrr: Some(Money::new(4900, 2)),
        auto_renew: Some(true),
        ..UpsertBody::default()
    };
    Call { row: 0, body, predicted }
}

/// What the last try that the row had makes of it; `ambiguous`: an earlier one was.
fn take(call: &Call, reply: &Reply, ambiguous: bool) -> Next {
    let history = History { ambiguous, ..History::default() };
    let mut tries = Tries::after(Some(&history));
    tries.attempts += 1;
    tries.take(call, Some(reply.status), judge(Ok(reply), &call.body), 1, || false)
}

/// The outcome, `pause` where the try does not count, or why the product stops.
fn said(next: &Next) -> String {
    match next {
        Next::Decided(outcome) | Next::GivenUp { outcome, .. } => outcome.outcome.to_string(),
        Next::Again { failures: None, .. } => "pause".into(),
        Next::Again { .. } => "again".into(),
        Next::Stop(stop) => format!("stop {}", stop.reason),
    }
}

const CUSTOMER: &str =
    r#"{"tether_id":"t-1","external_id":"u-1","email":"jane@example.com","name":"Jane","mrr":49,"auto_renew":true}"#;

fn body(action: &str, customer: &str) -> Vec<u8> {
    format!(r#"{{"action":"{action}","customer":{customer},"health_score":74}}"#).into_bytes()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_status_and_body_ends_as_the_table_of_outcomes_says() {
    let (created, updated) = (body("created", CUSTOMER), body("updated", CUSTOMER));
    let error = |code: &str| format!(r#"{{"error":"no","code":"{code}"}}"#).into_bytes();
    let text = |text: &str| text.as_bytes().to_vec();
    let empty = Vec::new;
    let marked = [b"\xef\xbb\xbf".as_slice(), &updated].concat();
    let trailed = [updated.as_slice(), b" and more"].concat();
    let cut = updated[..updated.len() - 1].to_vec();
    let latin1 = body("updated", &CUSTOMER.replace("Jane", "J@ne")).into_iter();
    let latin1 = latin1.map(|byte| if byte == b'@' { 0xe4 } else { byte }).collect::<Vec<u8>>();
    let closed_in_latin1 = b"{\"error\":\"d\xe9sactiv\xe9\",\"code\":\"CREATION_DISABLED\"}".to_vec();
    let twice = text(r#"{"action":"created","action":"updated","customer":{}}"#);
    let field_twice = body("updated", r#"{"external_id":"u-1","mrr":49,"mrr":50}"#);
    let unknown_twice = body("updated", &CUSTOMER.replace("\"name\"", "\"tags\":[{}],\"tags\":1,\"name\""));
    let utf16 = updated.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<u8>>();
    for (status, body, clean, ambiguous) in [
        // Tether's word, whole.
        (201, created.clone(), "created", "created"),
        (200, updated.clone(), "updated", "applied"),
        (200, marked, "updated", "applied"),
        (200, unknown_twice, "updated", "applied"),
        (200, [b"\r\n ".as_slice(), &updated, b"\n"].concat(), "updated", "applied"),
        (200, text(&format!(r#"{{"action":"updated","customer":{CUSTOMER}}}"#)), "updated", "applied"),
        (
            200,
            text(&format!(r#"{{"action":"updated","customer":{CUSTOMER},"health_score":"n/a"}}"#)),
            "updated",
            "applied",
        ),
        // A reply that contradicts itself or cannot be read.
        (201, updated.clone(), "unknown", "unknown"),
        (200, created.clone(), "unknown", "unknown"),
        (200, text(&format!(r#"{{"customer":{CUSTOMER}}}"#)), "unknown", "unknown"),
        (200, text(&format!(r#"{{"action":"Updated","customer":{CUSTOMER}}}"#)), "unknown", "unknown"),
        (200, text(&format!(r#"{{"action":true,"customer":{CUSTOMER}}}"#)), "unknown", "unknown"),
        (200, text(r#"{"action":"updated"}"#), "unknown", "unknown"),
        (200, body("updated", "null"), "unknown", "unknown"),
        (200, body("updated", "[]"), "unknown", "unknown"),
        (200, body("updated", "\"u-1\""), "unknown", "unknown"),
        (200, empty(), "unknown", "unknown"),
        (200, text("{}"), "unknown", "unknown"),
        (200, text("<html>busy</html>"), "unknown", "unknown"),
        (200, error("RATE_LIMITED"), "unknown", "unknown"),
        (200, trailed, "unknown", "unknown"),
        (200, cut, "unknown", "unknown"),
        (200, latin1, "unknown", "unknown"),
        (200, utf16, "unknown", "unknown"),
        (200, twice, "unknown", "unknown"),
        (200, field_twice, "unknown", "unknown"),
        (202, updated.clone(), "unknown", "unknown"),
        (202, created.clone(), "unknown", "unknown"),
        (204, empty(), "unknown", "unknown"),
        (207, updated.clone(), "unknown", "unknown"),
        (299, created.clone(), "unknown", "unknown"),
        (100, updated.clone(), "unknown", "unknown"),
        (600, updated.clone(), "unknown", "unknown"),
        // The address or the key is wrong.
        (300, empty(), "stop configuration", "stop configuration"),
        (304, empty(), "stop configuration", "stop configuration"),
        (308, updated.clone(), "stop configuration", "stop configuration"),
        (404, error("CREATION_DISABLED"), "stop configuration", "stop configuration"),
        (405, empty(), "stop configuration", "stop configuration"),
        (401, error("UNAUTHORIZED"), "stop auth", "stop auth"),
        (403, text("<html>"), "stop auth", "stop auth"),
        // The closed gate: nobody matches, so that an earlier try took nothing.
        (422, error("CREATION_DISABLED"), "creation_disabled", "creation_disabled"),
        (422, closed_in_latin1, "creation_disabled", "creation_disabled"),
        (
            422,
            text(r#"{"code":"CREATION_DISABLED","code":"CREATION_DISABLED","error":[1]}"#),
            "creation_disabled",
            "creation_disabled",
        ),
        // Another 4xx about this row.
        (422, error("INVALID"), "rejected", "unknown"),
        (422, error("creation_disabled"), "rejected", "unknown"),
        (422, text(r#"{"error":"CREATION_DISABLED"}"#), "rejected", "unknown"),
        (422, text(r#"["CREATION_DISABLED"]"#), "rejected", "unknown"),
        (422, empty(), "rejected", "unknown"),
        (400, error("CREATION_DISABLED"), "rejected", "unknown"),
        (402, empty(), "rejected", "unknown"),
        (409, updated.clone(), "rejected", "unknown"),
        (410, empty(), "rejected", "unknown"),
        (413, text("<html>"), "rejected", "unknown"),
        (451, empty(), "rejected", "unknown"),
        (499, empty(), "rejected", "unknown"),
        // Nothing was done.
        (408, empty(), "failed", "unknown"),
        (425, empty(), "failed", "unknown"),
        (429, error("RATE_LIMITED"), "pause", "pause"),
        (501, empty(), "failed", "unknown"),
        (503, updated.clone(), "failed", "unknown"),
        // It may have been done.
        (500, error("INTERNAL"), "unknown", "unknown"),
        (502, text("<html>"), "unknown", "unknown"),
        (504, updated.clone(), "unknown", "unknown"),
        (505, empty(), "unknown", "unknown"),
        (599, empty(), "unknown", "unknown"),
    ] {
        // What the plan foretold plays no part: the report holds it against what happened.
        for predicted in [Prediction::Create, Prediction::Update, Prediction::Unknown, Prediction::CreationDisabled] {
            let reply = Reply { status, body: body.clone(), ..Reply::default() };
            let shown = String::from_utf8_lossy(&body);
            assert_eq!(said(&take(&call(predicted), &reply, false)), clean, "{status} {shown}");
            assert_eq!(
                said(&take(&call(predicted), &reply, true)),
                ambiguous,
                "{status} {shown} after an ambiguous try"
            );
        }
    }
}

fn decided(customer: &str) -> RowOutcome {
    let reply = Reply { status: 200, body: body("updated", customer), ..Reply::default() };
    let Next::Decided(outcome) = take(&call(Prediction::Update), &reply, false) else { panic!("{customer}") };
    *outcome
}

#[test]
fn a_member_of_another_type_is_read_for_what_it_says_and_is_that_fields_trouble_alone() {
    for (from, to, field, shown) in [
        ("\"mrr\":49", "\"mrr\":\"49.00\"", None, None),
        ("\"mrr\":49", "\"mrr\":\"49\"", None, None),
        ("\"mrr\":49", "\"mrr\":\" 49.0 \"", None, None),
        ("\"mrr\":49", "\"mrr\":49.0", None, None),
        ("\"mrr\":49", "\"mrr\":4.9e1", None, None),
        ("\"mrr\":49", "\"mrr\":\"4.9E+1\"", None, None),
        ("\"mrr\":49", "\"mrr\":\"50.00\"", Some(Field::Mrr), Some("50.00")),
        ("\"mrr\":49", "\"mrr\":4900", Some(Field::Mrr), Some("4900")),
        ("\"mrr\":49", "\"mrr\":\"49,00\"", Some(Field::Mrr), Some("49,00")),
        ("\"mrr\":49", "\"mrr\":\"$49\"", Some(Field::Mrr), Some("$49")),
        ("\"mrr\":49", "\"mrr\":\"\"", Some(Field::Mrr), Some("")),
        ("\"mrr\":49", "\"mrr\":true", Some(Field::Mrr), Some("true")),
        ("\"mrr\":49", "\"mrr\":{\"amount\":49}", Some(Field::Mrr), Some("{\"amount\":49}")),
        ("\"mrr\":49", "\"mrr\":null", Some(Field::Mrr), None),
        ("\"mrr\":49,", "", Some(Field::Mrr), None),
        ("\"auto_renew\":true", "\"auto_renew\":\"true\"", None, None),
        ("\"auto_renew\":true", "\"auto_renew\":\"False\"", Some(Field::AutoRenew), Some("false")),
        ("\"auto_renew\":true", "\"auto_renew\":1", Some(Field::AutoRenew), None),
        ("\"name\":\"Jane\"", "\"name\":7", Some(Field::Name), Some("7")),
        ("\"name\":\"Jane\"", "\"name\":[\"Jane\"]", Some(Field::Name), Some("[\"Jane\"]")),
        ("\"tether_id\":\"t-1\"", "\"tether_id\":17", None, None),
        ("\"u-1\"", "\"u-2\"", Some(Field::ExternalId), Some("u-2")),
        ("\"jane@example.com\"", "\"june@example.com\"", Some(Field::Email), Some("june@example.com")),
        ("\"jane@example.com\"", "\"JANE@example.com\"", None, None),
    ] {
        let outcome = decided(&CUSTOMER.replace(from, to));
        assert_eq!(outcome.outcome.to_string(), "updated", "{to}");
        let missed: Vec<_> = outcome.not_applied.iter().map(|miss| (miss.field, miss.shown.as_deref())).collect();
        assert_eq!(missed, field.map(|field| (field, shown)).into_iter().collect::<Vec<_>>(), "{to}");
    }
    assert_eq!(decided("{}").not_applied.len(), 5, "an empty customer shows nothing of what was sent");
}

/// Two replies that a proxy mixed up must not make one row's claim of the other's customer.
#[test]
fn a_reply_that_shows_another_customer_says_nothing_of_this_one() {
    let another = r#"{"external_id":"u-2","email":"bob@example.com","name":"Jane","mrr":49,"auto_renew":true}"#;
    for action in ["updated", "created"] {
        let status = if action == "updated" { 200 } else { 201 };
        let reply = Reply { status, body: body(action, another), ..Reply::default() };
        let Next::GivenUp { outcome, .. } = take(&call(Prediction::Update), &reply, false) else { panic!() };
        assert_eq!(outcome.outcome.to_string(), "unknown");
        assert_eq!(outcome.customer, None, "the baseline learns nothing from it");
        assert!(outcome.detail.unwrap().contains("another customer"));
    }
    // One identifier that fits is enough: the other is a field that was not taken.
    for (external_id, email) in
        [("\"u-1\"", "\"bob@example.com\""), ("\"u-2\"", "\"jane@example.com\""), ("null", "null")]
    {
        let outcome = decided(&format!(r#"{{"external_id":{external_id},"email":{email}}}"#));
        assert_eq!(outcome.outcome.to_string(), "updated");
    }
    let half_shown = body("updated", r#"{"external_id":null,"email":"bob@example.com","mrr":49}"#);
    let reply = Reply { status: 200, body: half_shown, ..Reply::default() };
    assert!(matches!(take(&call(Prediction::Update), &reply, false), Next::GivenUp { .. }));
    let mut by_email = call(Prediction::Update);
    by_email.body.external_id = None;
    let reply = Reply { status: 200, body: body("updated", another), ..Reply::default() };
    assert!(matches!(take(&by_email, &reply, false), Next::GivenUp { outcome, .. } if outcome.customer.is_none()));
}
