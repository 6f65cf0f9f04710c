//! What outlives the process: the state file, the log file, the export.

use super::{NOW, customer, export, product, settings, start, upsert};
use crate::model::TetherCustomer;
use crate::sandbox::{Sandbox, SandboxError};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn customers_survive_a_restart_and_a_seed_only_fills_a_sandbox_that_has_no_state_yet() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(true, "");
    settings.state_file = Some(folder.path().join("state.jsonl"));
    let sandbox = start(settings.clone(), vec![customer(Some("u1"), "jane@example.com")]).await;
    assert_eq!(upsert(&sandbox, "external", r#"{"external_id":"u1","mrr":12.30}"#).await.0, 200);
    assert_eq!(upsert(&sandbox, "email", r#"{"email":"new@example.com"}"#).await.0, 201);
    let before = export(&sandbox);
    sandbox.stop().await.unwrap();

    let again = start(settings, vec![customer(None, "late@example.com")]).await;
    assert_eq!(export(&again), before);
    assert_eq!(upsert(&again, "external", r#"{"external_id":"u1"}"#).await.0, 200);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["state.jsonl"], "a temporary file was left");
}

#[tokio::test]
async fn the_export_holds_every_documented_member_of_every_customer() {
    let sandbox = start(settings(true, ""), vec![customer(Some("u1"), "jane@example.com")]).await;
    let lines = export(&sandbox);
    let members = "tether_id external_id email name company_name stripe_customer_id mrr subscription_status auto_renew \
                   period_end last_activity created_at updated_at";
    let found: Vec<_> = lines[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(found.join(" "), members);
    let read: TetherCustomer = serde_json::from_value(lines[0].clone()).unwrap();
    assert_eq!(read, customer(Some("u1"), "jane@example.com"));
    assert!(matches!(sandbox.export("nobody", &mut Vec::new()), Err(SandboxError::Products(_))));
}

#[tokio::test]
async fn the_log_file_holds_one_json_object_per_call_and_never_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.jsonl");
    let mut settings = settings(true, "");
    settings.log_file = Some(path.clone());
    let sandbox = start(settings, vec![]).await;
    upsert(&sandbox, "email", "{\n\"email\": \"a@example.com\"}").await;
    upsert(&sandbox, "email", r#"{"email":"a@example.com","mrr":12.30}"#).await;
    sandbox.stop().await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains("key-of"), "{text}");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("elapsed_micros").unwrap();
    }
    let line = |number: u64, body: Value, status: u16, action: &str| {
        json!({"number": number, "at": NOW, "product": "core", "id_type": "email", "body": body, "status": status,
            "action": action, "fault": null})
    };
    assert_eq!(
        lines,
        [
            line(1, json!("{\n\"email\": \"a@example.com\"}"), 201, "created"),
            line(2, json!({"email": "a@example.com", "mrr": 12.30}), 200, "updated"),
        ]
    );
    assert!(text.contains("12.30"), "the body is logged as it came: {text}");
}

#[tokio::test]
async fn a_sandbox_that_cannot_be_what_was_asked_for_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.jsonl");
    std::fs::write(&damaged, "{\"product\":\"core\",\"customer\":{}}\n{\"product\":\"co").unwrap();
    let twice = vec![product("core", true), product("core", false)];
    let mut one_key = vec![product("core", true), product("side", false)];
    one_key[1].key = one_key[0].key.clone();
    let unreadable = TetherCustomer { period_end: Some("soon".to_owned()), ..customer(None, "a@example.com") };
    for (products, state_file, seed, expected) in [
        (twice, None, vec![], "two are named `core`"),
        (one_key, None, vec![], "have one key"),
        (vec![product("core", true)], Some(damaged), vec![], "line 2 of"),
        (vec![product("core", true)], None, vec![("core", unreadable)], "period_end: `soon`"),
        (vec![product("core", true)], None, vec![("side", customer(None, "a@example.com"))], "no product `side`"),
    ] {
        let settings = crate::sandbox::SandboxSettings { products, state_file, ..settings(true, "") };
        let seed: BTreeMap<_, _> = seed.into_iter().map(|(name, one)| (name.to_owned(), vec![one])).collect();
        let started = Sandbox::start("127.0.0.1:0".parse().unwrap(), settings, seed).await;
        let error = started.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
