//! Exports of Stripe's API in every shape that its versions and tools give them: the same data, the same MRR.

mod versions;
mod wrappings;

use serde_json::{Value, json};
use tether_recon::{
    billing, config,
    load::{Loaded, Trials, load},
    model::Instant,
    monitor::Silent,
};

/// What an export comes to.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// `id status MRR` (exact minor units, or why there is none) per subscription.
    subscriptions: Vec<String>,
    /// `id e-mail` per customer, `deleted` for a deleted one's stub.
    customers: Vec<String>,
    /// Kind and key.
    breaks: Vec<String>,
}

fn loaded(files: &[(&str, Vec<u8>)]) -> Result<(Loaded, config::Settings), String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let text = "[run]\nstate = \"state\"\ncurrency = \"usd\"\n[stripe]\nfiles = \"*\"\n[tether]\nurl = \"sandbox\"\n\
        [[product]]\nname = \"core\"\nkey = { env = \"TETHER_API_KEY\" }\n";
    let settings = config::parse(text, folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let loaded = load(&settings, &Trials::Process(Ok(env!("CARGO_BIN_EXE_tether-recon").into())), &Silent)
        .map_err(|error| error.to_string())?;
    Ok((loaded, settings))
}

fn seen(files: &[(&str, Vec<u8>)]) -> Seen {
    let (loaded, settings) = loaded(files).unwrap_or_else(|error| panic!("{error}"));
    let as_of = Instant::parse("2026-11-01").unwrap();
    let billed = billing::bill(&loaded.stripe, &settings.mrr, &settings.fx, settings.run.currency, as_of).unwrap();
    let text = |frame: &polars::prelude::DataFrame, column: &str, row: usize| {
        frame.column(column).unwrap().str().unwrap().get(row).map(str::to_owned)
    };
    let subscriptions = &billed.subscriptions;
    let ids = loaded.stripe.subscriptions.frame();
    let amounts = subscriptions.column("mrr").unwrap().i128().unwrap();
    let mrr = |row| match amounts.get(row) {
        Some(amount) if amount % billed.scale == 0 => (amount / billed.scale).to_string(),
        Some(amount) => format!("{amount}/{}", billed.scale),
        None => text(subscriptions, "problem", row).unwrap(),
    };
    let accounts = loaded.stripe.accounts.frame();
    let deleted = accounts.column("deleted").unwrap().bool().unwrap();
    let mail = |row| match deleted.get(row) {
        Some(true) => "deleted".to_owned(),
        _ => text(accounts, "email", row).unwrap_or_default(),
    };
    Seen {
        subscriptions: (0..subscriptions.height())
            .map(|row| {
                let status = text(subscriptions, "status", row).unwrap();
                format!("{} {status} {}", text(ids, "id", row).unwrap(), mrr(row))
            })
            .collect(),
        customers: (0..accounts.height())
            .map(|row| format!("{} {}", text(accounts, "id", row).unwrap(), mail(row)))
            .collect(),
        breaks: loaded.breaks.iter().map(|found| format!("{} {}", found.kind, found.key)).collect(),
    }
}

fn customer(id: &str) -> Value {
    json!({"id": id, "object": "customer", "email": format!("{id}@example.com"), "name": "Ada", "created": 1_700_000_000,
        "livemode": true, "metadata": {}})
}

fn coupon() -> Value {
    json!({"id": "P20", "object": "coupon", "percent_off": 20.0, "amount_off": null, "currency": null,
        "duration": "forever", "duration_in_months": null, "valid": true})
}

fn price() -> Value {
    json!({"id": "price_1", "object": "price", "active": true, "billing_scheme": "per_unit", "currency": "usd",
        "product": "prod_1", "tiers_mode": null, "transform_quantity": null, "type": "recurring", "unit_amount": 5000,
        "unit_amount_decimal": "5000",
        "recurring": {"interval": "month", "interval_count": 1, "trial_period_days": null, "usage_type": "licensed"}})
}

fn plan() -> Value {
    json!({"id": "price_1", "object": "plan", "active": true, "billing_scheme": "per_unit", "currency": "usd",
        "product": "prod_1", "tiers_mode": null, "transform_usage": null, "amount": 5000, "amount_decimal": "5000",
        "interval": "month", "interval_count": 1, "trial_period_days": null, "usage_type": "licensed"})
}

fn tiers() -> Value {
    json!([{"up_to": 2, "unit_amount": 5000, "unit_amount_decimal": "5000", "flat_amount": null},
        {"up_to": null, "unit_amount": 2000, "unit_amount_decimal": "2000", "flat_amount": null}])
}

fn discount(coupon: Value) -> Value {
    let mut discount = json!({"id": "di_1", "object": "discount", "customer": "cus_1", "subscription": "sub_1",
        "start": 1_700_000_000, "end": null});
    discount["coupon"] = coupon;
    discount
}

/// Three at 50.00 a month.
fn subscription(id: &str) -> Value {
    json!({"id": id, "object": "subscription", "customer": "cus_1", "status": "active", "currency": "usd",
        "cancel_at_period_end": false, "created": 1_700_000_000, "livemode": true, "billing_mode": {"type": "flexible"},
        "schedule": null, "trial_end": null, "pause_collection": null, "discounts": [], "metadata": {},
        "items": {"object": "list", "has_more": false, "total_count": 1, "url": "/v1/subscription_items", "data": [
            {"id": format!("si_{id}"), "object": "subscription_item", "quantity": 3, "subscription": id, "price": price(),
             "plan": plan(), "discounts": [], "current_period_end": 1_800_000_000, "tax_rates": []}]}})
}

/// `object` with the values at these JSON pointers set; [`GONE`] takes a member out.
fn with<const N: usize>(mut object: Value, changes: [(&str, Value); N]) -> Value {
    for (pointer, value) in changes {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = object.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value == GONE {
            parent.shift_remove(member).unwrap();
        } else {
            parent.insert(member.to_owned(), value);
        }
    }
    object
}

const GONE: &str = "(gone)";

const ITEM: &str = "/items/data/0";

fn item(changes: &[(&str, Value)]) -> Value {
    let mut object = subscription("sub_1");
    for (member, value) in changes {
        object = with(object, [(&format!("{ITEM}/{member}"), value.clone())]);
    }
    object
}

fn lines(objects: &[Value]) -> Vec<u8> {
    objects.iter().flat_map(|object| format!("{object}\n").into_bytes()).collect()
}

fn list(objects: &[Value], more: Option<bool>) -> Value {
    let mut list = json!({"object": "list", "url": "/v1/x", "data": objects});
    if let Some(more) = more {
        list["has_more"] = json!(more);
    }
    list
}

fn event(kind: &str, created: u64, object: &Value) -> Value {
    json!({"id": format!("evt_{created}"), "object": "event", "api_version": "2020-03-02", "type": kind,
        "created": created, "data": {"object": object, "previous_attributes": {"status": "incomplete"}}})
}
