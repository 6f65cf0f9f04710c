//! What a finance person reads: one page per kind of subscription, over an export of the API.

#![expect(clippy::needless_pass_by_value, reason = "JSON values are made where they are handed over")]

use super::{Format, explain};
use crate::app::exit::AppError;
use crate::app::{Context, Voice};
use crate::monitor::{LogFormat, LogLevel};
use crate::send::Clock;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// 2026-11-01T00:00:00Z
const NOW: i64 = 1_793_491_200;
const DAY: i64 = 86_400;

const CONFIG: &str = r#"
[run]
state = "state"
currency = "usd"
[stripe]
files = "in/*"
external_id_metadata = "user_id"
[fx]
eur = { rate = "1.0842", date = "2026-10-31" }
[[product]]
name = "core"
key = { env = "TETHER_API_KEY" }
"#;

struct OneDay;

impl Clock for OneDay {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).unwrap()
    }
}

/// A Stripe customer.
fn customer(number: u32, email: &str) -> Value {
    let (id, external) = (format!("cus_{number}"), format!("NW-{number}"));
    json!({"id": id, "object": "customer", "name": format!("Customer {number}"), "email": email, "created": NOW - i64::from(number),
        "metadata": {"user_id": external}, "livemode": true})
}

/// A licensed item of a price.
fn item(id: &str, price: Value, quantity: Value) -> Value {
    let mut whole = json!({"id": format!("price_{id}"), "object": "price", "product": format!("prod_{id}"),
        "currency": "usd", "billing_scheme": "per_unit", "type": "recurring"});
    whole.as_object_mut().unwrap().extend(price.as_object().unwrap().clone());
    json!({"id": format!("si_{id}"), "object": "subscription_item", "price": whole, "quantity": quantity})
}

fn every(count: u32, interval: &str) -> Value {
    json!({"interval": interval, "interval_count": count, "usage_type": "licensed"})
}

/// A subscription of `cus_<number>`, active but for what `more` says.
fn subscription(number: u32, items: &[Value], more: Value) -> Value {
    let mut whole = json!({"id": format!("sub_{number}"), "object": "subscription", "customer": format!("cus_{number}"),
        "status": "active", "cancel_at_period_end": false, "created": NOW - 300 * DAY, "livemode": true,
        "current_period_end": NOW + 20 * DAY, "items": {"object": "list", "data": items, "has_more": false}});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whole
}

fn discount(id: &str, coupon: Value) -> Value {
    json!({"id": id, "object": "discount", "start": NOW - 30 * DAY, "end": null, "coupon": coupon})
}

fn coupon(id: &str, more: Value) -> Value {
    let mut whole = json!({"id": id, "object": "coupon", "duration": "forever", "valid": true});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whole
}

fn yearly(amount: u32) -> Value {
    item("plan", json!({"unit_amount": amount, "recurring": every(1, "year")}), json!(1))
}

/// What was exported: one customer per kind of subscription.
fn export() -> Vec<Value> {
    let of = |number: u32| customer(number, &format!("c{number}@example.com"));
    let weekly =
        |quantity: u32| item("crew", json!({"unit_amount": 1000, "recurring": every(2, "week")}), json!(quantity));
    let tiers = json!([
        {"up_to": 10, "unit_amount": 500, "flat_amount": 2000},
        {"up_to": null, "unit_amount": 312, "unit_amount_decimal": "312.5", "flat_amount": null},
    ]);
    let tiered = json!({"unit_amount": null, "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers,
        "transform_quantity": {"divide_by": 10, "round": "up"}, "recurring": every(3, "month")});
    let euros = |amount: u32| json!({"currency": "eur", "unit_amount": amount, "recurring": every(1, "month")});
    let metered =
        json!({"unit_amount": 2, "recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"}});
    let taken = json!({"discounts": [
        discount("di_1", coupon("SPRING20", json!({"percent_off": 20.0}))),
        discount("di_2", coupon("WELCOME", json!({"percent_off": 50.0, "duration": "once"}))),
        discount("di_3", coupon("LOYAL", json!({"amount_off": 300, "currency": "usd"}))),
    ]});
    vec![
        of(1),
        subscription(1, &[yearly(10_000)], json!({})),
        of(2),
        subscription(2, &[weekly(3)], taken),
        of(3),
        subscription(3, &[item("seats", tiered, json!(143))], json!({})),
        of(4),
        subscription(4, &[yearly(118_800)], json!({"status": "trialing"})),
        of(5),
        subscription(
            5,
            &[yearly(118_800)],
            json!({"pause_collection": {"behavior": "void", "resumes_at": NOW + 40 * DAY}}),
        ),
        of(6),
        subscription(6, &[yearly(118_800)], json!({"cancel_at_period_end": true, "current_period_end": NOW - DAY})),
        of(7),
        subscription(7, &[yearly(118_800)], json!({"discounts": ["di_unexpanded"]})),
        of(8),
        subscription(
            8,
            &[
                item("a", json!({"unit_amount": 4900, "recurring": every(1, "month")}), json!(2)),
                item("b", euros(1999), json!(1)),
                item("c", metered, Value::Null),
            ],
            json!({"default_tax_rates": [{"id": "txr_1", "object": "tax_rate", "percentage": 19.0, "inclusive": true}]}),
        ),
        customer(9, "group@example.com"),
        subscription(9, &[yearly(10_000)], json!({})),
        json!({"id": "cus_10", "object": "customer", "email": "group@example.com", "created": NOW, "livemode": true}),
        subscription(10, &[yearly(10_000)], json!({})),
        of(11),
        subscription(
            11,
            &[item("x", json!({"unit_amount": 4900, "currency": "sek", "recurring": every(1, "month")}), json!(1))],
            json!({}),
        ),
    ]
}

fn explained(key: &str, format: Format) -> Result<String, AppError> {
    explained_of(&export(), key, format)
}

fn explained_of(export: &[Value], key: &str, format: Format) -> Result<String, AppError> {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("in")).unwrap();
    let lines: Vec<String> = export.iter().map(Value::to_string).collect();
    std::fs::write(site.path().join("in/export.jsonl"), lines.join("\n")).unwrap();
    std::fs::write(site.path().join("recon.toml"), CONFIG).unwrap();
    let context = Context {
        config: site.path().join("recon.toml"),
        env: &|_| None,
        clock: Arc::new(OneDay),
        random: 0,
        voice: Voice { format: LogFormat::Text, level: LogLevel::Error, progress: false },
        trials: crate::load::Trials::Nowhere,
        night: crate::app::night::Night::default(),
        redaction: crate::app::Redaction::default(),
    };
    let found = explain(&context, key, None, format).map(|(_, text)| text);
    let left: BTreeSet<_> = std::fs::read_dir(site.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["in", "recon.toml"].map(Into::into).into(), "nothing is written");
    found
}

#[test]
fn every_kind_of_subscription_reads_like_the_working_of_an_accountant() {
    for (name, key) in [
        ("a_plain_year", "cus_1"),
        ("two_weeks_with_coupons", "NW-2"),
        ("graduated_tiers_with_transform", "sub_3"),
        ("a_trial", "c4@example.com"),
        ("a_pause", "cus_5"),
        ("past_its_end", "cus_6"),
        ("an_unknown_coupon", "cus_7"),
        ("two_currencies_metered_and_tax", "cus_8"),
        ("two_accounts_of_one_email", "Group@example.com"),
        ("no_rate", "cus_11"),
    ] {
        let text = explained(key, Format::Text).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn an_unknown_key_names_what_was_searched_and_what_may_have_been_meant() {
    for (key, said) in [
        ("cus_12", "did you mean the Stripe customer id `cus_1`?"),
        ("c4@exampl.com", "did you mean the e-mail `c4@example.com`?"),
        ("nobody", "nothing there looks like it"),
    ] {
        let error = explained(key, Format::Text).unwrap_err();
        assert_eq!(error.exit_code().code(), 2, "{key}");
        let text = error.to_string();
        assert!(text.contains(said) && text.contains("11 Stripe customers, 11 subscriptions and 0 contacts"), "{text}");
    }
}

/// The names of an object's members, of those inside it too, by the path to the object.
fn members(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                found.insert(format!("{path}{name}"));
                members(inner, &format!("{path}{name}."), found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| members(inner, path, found)),
        _ => {}
    }
}

#[test]
fn the_page_of_formats_describes_every_member_of_an_explanation() {
    let mut found = BTreeSet::new();
    for key in ["cus_2", "cus_3", "cus_7", "cus_8", "group@example.com"] {
        let json: Value = serde_json::from_str(&explained(key, Format::Json).unwrap()).unwrap();
        members(&json, "", &mut found);
    }
    // Amounts and fractions have the same members everywhere.
    let amounts = ["num", "den", "currency"].map(|part| format!(".{part}"));
    found.retain(|name| name.ends_with(".items.currency") || !amounts.iter().any(|part| name.ends_with(part)));
    // Of these the exports alone say too little: they are looked at after a run.
    let of_runs =
        ["fields", "links", "tether", "breaks", "sources", "history"].map(|part| format!("customers.{part}."));
    found.retain(|name| !of_runs.iter().any(|part| name.starts_with(part)));
    for (heading, prefix) in [
        ("Explained items", "customers.accounts.subscriptions.items."),
        ("Explained discounts", "customers.accounts.subscriptions.discounts."),
        ("Explained subscriptions", "customers.accounts.subscriptions."),
        ("Explained Stripe customers", "customers.accounts."),
        ("Explained customers", "customers."),
        ("`explain --json`", ""),
    ] {
        let (here, elsewhere) = found.into_iter().partition(|name: &String| name.starts_with(prefix));
        found = elsewhere;
        let here: BTreeSet<&str> = here.iter().map(|name: &String| &name[prefix.len()..]).collect();
        let described = crate::model::format_page::words_under(heading);
        let described: BTreeSet<&str> = described.iter().flat_map(|cell| cell.split("`, `")).collect();
        assert_eq!(described, here, "{heading}");
    }
}

#[test]
fn json_holds_exact_amounts_and_the_one_rounding() {
    let json: Value = serde_json::from_str(&explained("group@example.com", Format::Json).unwrap()).unwrap();
    let customer = &json["customers"][0];
    assert_eq!(customer["exact"], json!({"currency": "usd", "num": "5000", "den": "3"}));
    assert_eq!(customer["mrr"], json!({"currency": "usd", "num": "1667", "den": "1"}));
    assert_eq!(customer["accounts"].as_array().unwrap().len(), 2);
    assert_eq!((&json["found_as"], &json["currency"]), (&json!(["email"]), &json!("usd")));
}

#[test]
fn what_an_earlier_event_showed_takes_nothing_off_though_it_is_read_last() {
    let event = |kind: &str, created: i64, object: Value| {
        json!({"id": format!("evt_{created}"), "object": "event", "type": kind, "created": created,
            "data": {"object": object}})
    };
    let off = || discount("di_1", coupon("P20", json!({"percent_off": 20})));
    let with = |mut whole: Value, discount: Value| {
        whole["discount"] = discount;
        whole
    };
    let customer = || customer(1, "c1@example.com");
    let plan = || subscription(1, &[yearly(120_000)], json!({}));
    for (name, export) in [
        (
            "customer",
            [
                event("customer.updated", NOW - 200, with(customer(), Value::Null)),
                event("customer.updated", NOW - 300, with(customer(), off())),
                plan(),
            ],
        ),
        (
            "subscription",
            [
                customer(),
                event("customer.subscription.updated", NOW - 200, with(plan(), Value::Null)),
                event("customer.subscription.updated", NOW - 300, with(plan(), off())),
            ],
        ),
    ] {
        let found: Value = serde_json::from_str(&explained_of(&export, "cus_1", Format::Json).unwrap()).unwrap();
        assert_eq!(found["customers"][0]["mrr"]["num"], "10000", "{name}: {found}");
    }
}
