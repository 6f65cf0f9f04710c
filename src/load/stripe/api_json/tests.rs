use super::{JsonContext, StripePart, read};
use crate::{
    config::{AmountMeaning, StripeSettings},
    model::Reason,
    table::StripeTables,
};
use polars::prelude::*;
use std::collections::BTreeMap;

fn settings() -> StripeSettings {
    StripeSettings {
        files: vec![],
        customers: vec![],
        subscriptions: vec![],
        external_id_metadata: Some("user_id".to_owned()),
        amount: AmountMeaning::Unit,
        test_mode: false,
        guests: false,
        encoding: None,
    }
}

fn try_read(text: &str) -> Result<StripePart, String> {
    read(
        text,
        &JsonContext { file: 7, path: "stripe.json", settings: &settings(), digits: &BTreeMap::new(), longest: 1000 },
    )
}

fn part(text: &str) -> StripePart {
    try_read(text).unwrap()
}

const CUSTOMER: &str = r#"{"id":"cus_1","object":"customer","email":" Ada@Example.com ","name":"Ada","created":1700000000,"livemode":true,"metadata":{"user_id":"u1","n":"2"}}"#;
const SUBSCRIPTION: &str = r#"{"id":"sub_1","object":"subscription","customer":"cus_1","status":"active","cancel_at_period_end":false,"created":1700000000,"current_period_end":1800000000,"livemode":true,"items":{"object":"list","data":[{"id":"si_1","quantity":3,"price":{"id":"price_1","product":"prod_1","currency":"usd","unit_amount":5000,"unit_amount_decimal":"5000","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}}]}}"#;

/// The rows without where they stood.
fn rows(tables: &StripeTables) -> Vec<DataFrame> {
    let bare = |frame: &DataFrame| {
        let place = ["line", "content", "event_created"].map(PlSmallStr::from);
        frame.drop_many(place)
    };
    vec![
        bare(tables.accounts.frame()),
        bare(tables.subscriptions.frame()),
        tables.items.frame().clone(),
        tables.tiers.frame().clone(),
        tables.discounts.frame().clone(),
        tables.coupons.frame().clone(),
    ]
}

fn same(left: &StripePart, right: &StripePart, name: &str) {
    for (left, right) in rows(&left.tables).iter().zip(&rows(&right.tables)) {
        assert!(left.equals_missing(right), "{name}: {left} {right}");
    }
}

fn column<'a>(frame: &'a DataFrame, name: &str) -> AnyValue<'a> {
    frame.column(name).unwrap().get(0).unwrap()
}

#[test]
fn every_wrapping_gives_the_same_rows() {
    let lines = part(&format!("{CUSTOMER}\n{SUBSCRIPTION}\n"));
    assert_eq!((lines.customer_rows, lines.subscription_rows, lines.rejections.len()), (1, 1, 0));
    assert_eq!(column(lines.tables.accounts.frame(), "email"), AnyValue::String("ada@example.com"));
    assert_eq!(column(lines.tables.accounts.frame(), "external_id"), AnyValue::String("u1"));
    assert_eq!(column(lines.tables.subscriptions.frame(), "line"), AnyValue::UInt32(2));
    let event =
        |object: &str| format!(r#"{{"object":"event","created":1700000001,"type":"x","data":{{"object":{object}}}}}"#);
    for (name, text) in [
        ("list", format!(r#"{{"object":"list","has_more":false,"data":[{CUSTOMER},{SUBSCRIPTION}]}}"#)),
        (
            "one after the other",
            format!("{}\n{}", CUSTOMER.replace(",\"", ",\n\""), SUBSCRIPTION.replace(",\"", ",\n\"")),
        ),
        ("array", format!("[{CUSTOMER},\n{SUBSCRIPTION}]")),
        ("events", format!("{}\n{}", event(CUSTOMER), event(SUBSCRIPTION))),
        ("BOM and blank lines", format!("\u{feff}\n{CUSTOMER}\r\n\r\n{SUBSCRIPTION}")),
        ("other objects", format!("{CUSTOMER}\n{{\"object\":\"invoice\",\"id\":\"in_1\"}}\n{SUBSCRIPTION}")),
        ("expanded customer", format!("{CUSTOMER}\n{}", SUBSCRIPTION.replace("\"cus_1\"", CUSTOMER))),
        ("times as text", format!("{CUSTOMER}\n{}", SUBSCRIPTION.replace("1800000000", "\"2027-01-15T08:00:00Z\""))),
        (
            "plan instead of price",
            format!(
                "{CUSTOMER}\n{}",
                SUBSCRIPTION
                    .replace(r#""price":{"id":"price_1""#, r#""price":"price_1","plan":{"id":"price_1""#)
                    .replace(r#""unit_amount":5000,"unit_amount_decimal":"5000""#, r#""amount":5000"#)
                    .replace(
                        r#""recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}"#,
                        r#""interval":"month","interval_count":1,"usage_type":"licensed""#
                    )
            ),
        ),
    ] {
        let found = part(&text);
        assert!(found.rejections.is_empty(), "{name}: {:?}", found.rejections);
        same(&found, &lines, name);
    }
}

#[test]
fn whitespace_does_not_change_the_digest_and_content_does() {
    let digest = |text: &str| column(part(text).tables.subscriptions.frame(), "content").to_string();
    assert_eq!(digest(SUBSCRIPTION), digest(&SUBSCRIPTION.replace("\":", "\" : ")));
    assert_ne!(digest(SUBSCRIPTION), digest(&SUBSCRIPTION.replace("5000", "5001")));
    assert_ne!(digest(SUBSCRIPTION), digest(&SUBSCRIPTION.replace("price_1", "price 1")));
}

#[test]
fn discounts_of_every_version_are_read() {
    let coupon = r#"{"id":"P20","object":"coupon","percent_off":20.5,"duration":"forever","valid":false}"#;
    let full = r#"{"discount":null,"discounts":[{"id":"di_1","start":1700000000,"end":null,"source":{"type":"coupon","coupon":COUPON}}]"#;
    for (name, member, coupons) in [
        ("singular", r#"{"discount":{"id":"di_1","coupon":COUPON,"start":1700000000,"end":null}"#, 1),
        ("list", r#"{"discounts":[{"id":"di_1","coupon":COUPON,"start":1700000000}]"#, 1),
        ("source", full, 1),
        ("source, by id", &full.replace("COUPON", "\"P20\""), 0),
    ] {
        let text = SUBSCRIPTION.replacen('{', &format!("{},", member.replace("COUPON", coupon)), 1);
        let found = part(&text);
        assert!(found.rejections.is_empty(), "{name}: {:?}", found.rejections);
        // A coupon that stands there in full brings its worth along.
        let shown = if coupons == 1 { "P20\u{1f}20.5 %, forever" } else { "P20" };
        assert_eq!(column(found.tables.discounts.frame(), "coupon"), AnyValue::String(shown), "{name}");
        assert_eq!(column(found.tables.discounts.frame(), "id"), AnyValue::String("di_1"), "{name}");
        assert_eq!(found.tables.coupons.len(), coupons, "{name}");
        if coupons == 1 {
            assert_eq!(column(found.tables.coupons.frame(), "percent_off"), AnyValue::String("20.5"), "{name}");
        }
    }
    let by_id = part(&SUBSCRIPTION.replacen('{', r#"{"discounts":["di_1"],"#, 1));
    assert_eq!(column(by_id.tables.discounts.frame(), "coupon"), AnyValue::Null);
    let invoice =
        part(&SUBSCRIPTION.replacen('{', r#"{"discounts":[{"id":"di_1","invoice":"in_1","coupon":"P20"}],"#, 1));
    assert!(invoice.tables.discounts.is_empty());
    let apart = r#"{"object":"discount","id":"di_1","subscription":"sub_1","customer":"cus_1","coupon":"P20"}"#;
    let loose = part(&format!("{apart}\n{SUBSCRIPTION}"));
    assert_eq!(column(loose.related.discounts.frame(), "subscription"), AnyValue::String("sub_1"));
    assert_eq!(loose.other_rows.get("stripe_discounts"), Some(&1));
}

#[test]
fn tiers_and_transforms_are_read() {
    let tiered = SUBSCRIPTION.replace(
        r#""unit_amount":5000,"unit_amount_decimal":"5000""#,
        r#""unit_amount":null,"billing_scheme":"tiered","tiers_mode":"volume","transform_quantity":{"divide_by":10,"round":"up"},
           "tiers":[{"up_to":10,"unit_amount":500},{"up_to":"inf","unit_amount_decimal":"0.5","flat_amount":7}]"#,
    );
    let found = part(&tiered).tables;
    assert_eq!(found.tiers.frame().column("up_to").unwrap().i64().unwrap().to_vec(), [Some(10), None]);
    assert_eq!(found.tiers.frame().column("unit_den").unwrap().i128().unwrap().to_vec(), [Some(1), Some(10)]);
    assert_eq!(found.tiers.frame().column("flat_num").unwrap().i128().unwrap().to_vec(), [Some(0), Some(7)]);
    assert_eq!(column(found.items.frame(), "divide_by"), AnyValue::Int64(10));
    assert_eq!(column(found.items.frame(), "amount_num"), AnyValue::Null);
}

#[test]
fn currencies_sent_times_100_are_divided_by_what_their_digits_lack() {
    for (currency, digits, expected) in [("ugx", None, 100), ("isk", None, 1), ("isk", Some(0), 100), ("jpy", None, 1)]
    {
        let overrides: BTreeMap<_, _> =
            digits.map(|digits| (crate::model::Currency::parse(currency).unwrap(), digits)).into_iter().collect();
        let text = SUBSCRIPTION.replace("\"usd\"", &format!("\"{currency}\""));
        let settings = settings();
        let context = JsonContext { file: 0, path: "x", settings: &settings, digits: &overrides, longest: 1000 };
        let found = read(&text, &context).unwrap().tables;
        assert_eq!(column(found.items.frame(), "amount_den"), AnyValue::Int128(expected), "{currency} {digits:?}");
    }
}

#[test]
fn what_cannot_be_read_is_rejected_and_the_rest_is_kept() {
    for (name, bad, reason, id, customer) in [
        ("cut off", SUBSCRIPTION[..80].to_owned(), Reason::BadJson, Some("sub_1"), Some("cus_1")),
        ("cut off in the customer", SUBSCRIPTION[..55].to_owned(), Reason::BadJson, Some("sub_1"), None),
        (
            "cut off behind the customer in full",
            SUBSCRIPTION.replace("\"cus_1\"", CUSTOMER)[..300].to_owned(),
            Reason::BadJson,
            Some("sub_1"),
            Some("cus_1"),
        ),
        ("a customer cut off", CUSTOMER[..60].to_owned(), Reason::BadJson, Some("cus_1"), Some("cus_1")),
        (
            "an event cut off",
            format!(r#"{{"object":"event","data":{{"object":{}"#, &SUBSCRIPTION[..80]),
            Reason::BadJson,
            None,
            Some("cus_1"),
        ),
        (
            "an event without its time",
            format!(r#"{{"object":"event","data":{{"object":{SUBSCRIPTION}}}}}"#),
            Reason::BadInstant,
            None,
            Some("cus_1"),
        ),
        ("a number", "5".to_owned(), Reason::BadJson, None, None),
        ("no id", SUBSCRIPTION.replace("\"sub_1\"", "null"), Reason::MissingId, None, Some("cus_1")),
        ("no customer", SUBSCRIPTION.replace("\"cus_1\"", "null"), Reason::MissingId, Some("sub_1"), None),
        ("a time", SUBSCRIPTION.replace("1800000000", "\"soon\""), Reason::BadInstant, Some("sub_1"), Some("cus_1")),
        (
            "a boolean",
            SUBSCRIPTION.replace("end\":false", "end\":\"no\""),
            Reason::BadBoolean,
            Some("sub_1"),
            Some("cus_1"),
        ),
        (
            "a quantity",
            SUBSCRIPTION.replace("quantity\":3", "quantity\":3.5"),
            Reason::BadNumber,
            Some("sub_1"),
            Some("cus_1"),
        ),
        (
            "a quantity beyond 64 bits",
            SUBSCRIPTION.replace("quantity\":3", "quantity\":1000000000000000000000000000000"),
            Reason::AmountOutOfRange,
            Some("sub_1"),
            Some("cus_1"),
        ),
        ("not a number", SUBSCRIPTION.replace("\"5000\"", "\"NaN\""), Reason::BadNumber, Some("sub_1"), Some("cus_1")),
        ("overflow", SUBSCRIPTION.replace("\"5000\"", "1e400"), Reason::AmountOutOfRange, Some("sub_1"), Some("cus_1")),
        (
            "too much",
            SUBSCRIPTION.replace("\"5000\"", "1000000000000001"),
            Reason::AmountOutOfRange,
            Some("sub_1"),
            Some("cus_1"),
        ),
        (
            "below zero",
            SUBSCRIPTION.replace("\"5000\"", "\"-1\""),
            Reason::AmountOutOfRange,
            Some("sub_1"),
            Some("cus_1"),
        ),
        (
            "items of another type",
            SUBSCRIPTION.replace("\"data\":[", "\"data\":[7,"),
            Reason::BadJson,
            Some("sub_1"),
            Some("cus_1"),
        ),
    ] {
        let found = part(&format!("{CUSTOMER}\n{bad}\n{SUBSCRIPTION}\n"));
        let [rejection] = found.rejections.as_slice() else { panic!("{name}: {:?}", found.rejections) };
        assert_eq!(rejection.reason, reason, "{name}: {}", rejection.detail);
        assert_eq!(
            (rejection.line, rejection.id.as_deref(), rejection.customer.as_deref()),
            (2, id, customer),
            "{name}"
        );
        let read = (found.tables.accounts.len() + found.tables.subscriptions.len()) as u64;
        assert_eq!(found.customer_rows + found.subscription_rows, read + 1, "{name}");
        assert_eq!(found.tables.items.len(), 1, "{name}");
    }
}

#[test]
fn every_customer_in_a_list_that_is_cut_off_is_named() {
    let other = SUBSCRIPTION.replace("cus_1", "cus_2");
    let list = format!(r#"{{"object":"list","data":[{SUBSCRIPTION},{SUBSCRIPTION},{other},{{"#);
    let found = part(&format!("{CUSTOMER}\n{list}\n"));
    let named: Vec<_> = found.rejections.iter().map(|found| found.customer.as_deref()).collect();
    assert_eq!((named, found.subscription_rows), (vec![Some("cus_1"), Some("cus_2")], 2));
}

#[test]
fn deep_nesting_is_a_rejection_and_not_a_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(part(&format!("{CUSTOMER}\n{deep}")).rejections.len(), 1);
    let lists = format!("{}{CUSTOMER}{}", r#"{"object":"list","data":["#.repeat(50), "]}".repeat(50));
    assert_eq!(part(&lists).rejections.len(), 1);
    let member = CUSTOMER.replacen('{', &format!("{{\"junk\":{deep},"), 1);
    assert_eq!(part(&member).tables.accounts.len(), 1);
}

#[test]
fn stubs_deletions_and_pages_left_out_are_seen() {
    let stub = part(r#"{"id":"cus_1","object":"customer","deleted":true}"#);
    assert_eq!(column(stub.tables.accounts.frame(), "deleted"), AnyValue::Boolean(true));
    let event =
        part(&format!(r#"{{"object":"event","type":"customer.deleted","created":1,"data":{{"object":{CUSTOMER}}}}}"#));
    assert_eq!(column(event.tables.accounts.frame(), "deleted"), AnyValue::Boolean(true));
    let page = part(&format!(r#"{{"object":"list","has_more":true,"data":[{SUBSCRIPTION}]}}"#));
    assert_eq!(page.pages.iter().map(|page| page.more).collect::<Vec<_>>(), [Some(true)]);
    let items =
        part(&SUBSCRIPTION.replace(r#"{"object":"list","data":[{"id":"si"#, r#"{"has_more":true,"data":[{"id":"si"#));
    assert_eq!(items.breaks.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["sub_1"]);
}

#[test]
fn subscriptions_inside_a_customer_are_read_as_those_beside_it() {
    let inside = CUSTOMER.replace(
        r#""livemode":true"#,
        &format!(r#""livemode":true,"subscriptions":{{"object":"list","has_more":true,"data":[{SUBSCRIPTION}]}}"#),
    );
    let part = part(&inside);
    same(&part, &self::part(&format!("{CUSTOMER}\n{SUBSCRIPTION}")), "inside");
    assert_eq!((part.customer_rows, part.subscription_rows), (1, 1));
    assert_eq!(part.breaks.len(), 1, "the list goes on: {:?}", part.breaks);
    let no_list = self::part(&CUSTOMER.replacen('{', r#"{"subscriptions":{"data":7},"#, 1));
    let named: Vec<_> = no_list.rejections.iter().map(|found| found.customer.as_deref()).collect();
    assert_eq!(named, [Some("cus_1")], "it must not pass for a customer without subscriptions");
    let bad = self::part(&inside.replacen("1700000000", "\"once\"", 1));
    assert_eq!((bad.rejections.len(), bad.tables.subscriptions.len()), (1, 1), "{:?}", bad.rejections);
}

#[test]
fn what_holds_no_export_is_refused_and_never_taken_for_an_empty_one() {
    let error = try_read(r#"{"error":{"message":"Invalid API Key provided","type":"invalid_request_error"}}"#);
    assert!(error.unwrap_err().contains("holds no Stripe customers or subscriptions"));
    let invoices = part(r#"{"object":"list","data":[{"id":"in_1","object":"invoice"}]}"#);
    assert_eq!(invoices.other_objects, 1, "counted, for whoever expected customers or subscriptions");
    let without_status = SUBSCRIPTION.replace(r#""status":"active","#, r#""status":null,"#);
    let rejected = part(&without_status).rejections;
    assert_eq!(rejected[0].customer.as_deref(), Some("cus_1"), "its customer must not be billed without it");
}

#[test]
fn where_a_large_file_is_cut_changes_nothing() {
    let object = |n: usize| match n % 7 {
        0 => CUSTOMER.replace("cus_1", &format!("cus_{n}")),
        3 => "{cut".to_owned(),
        _ => SUBSCRIPTION.replace("sub_1", &format!("sub_{n}")).replace("cus_1", &format!("cus_{}", n / 7 * 7)),
    };
    let objects: Vec<String> = (0..200).map(object).collect();
    let lines = part(&objects.join("\n"));
    assert_eq!((lines.customer_rows, lines.subscription_rows), (29, 171));
    let ords = lines.tables.items.frame().column("subscription").unwrap().u32().unwrap().to_vec();
    assert_eq!(ords, (0..142).map(Some).collect::<Vec<_>>());
    let bad: Vec<u64> = lines.rejections.iter().map(|rejection| rejection.line).collect();
    assert_eq!(bad, (0..29).map(|n| n * 7 + 4).collect::<Vec<_>>());
    let ids = lines.tables.subscriptions.frame().column("id").unwrap().str().unwrap().iter().collect::<Vec<_>>();
    assert_eq!((ids[0], ids[141]), (Some("sub_1"), Some("sub_198")));
    let places = lines.tables.subscriptions.frame().column("line").unwrap().u32().unwrap().to_vec();
    assert_eq!((places[0], places[141]), (Some(2), Some(199)));

    let good: Vec<&str> = objects.iter().map(String::as_str).filter(|object| !object.ends_with("cut")).collect();
    for (name, text) in [
        ("a list", format!("{{\"object\":\"list\",\"data\":[{}]}}", good.join(",\n"))),
        (
            "an array of lists",
            format!("[{{\"data\":[{}]}},\n{{\"data\":[{}]}}]", good[..90].join(","), good[90..].join(",")),
        ),
        ("one after the other", good.join(" ")),
    ] {
        same(&part(&text), &lines, name);
    }
}

#[test]
fn a_file_that_is_no_json_is_refused_with_its_line() {
    let error = try_read("{\n \"object\": \"list\",\n oops\n}").unwrap_err();
    assert!(error.contains("line 3"), "{error}");
    let cut_off = try_read(&format!("[\n{CUSTOMER},\n{SUBSCRIPTION}\n")).unwrap_err();
    assert!(cut_off.contains("line 4") && cut_off.contains("stripe.json"), "{cut_off}");
    assert_eq!(part("").customer_rows, 0);
}

#[test]
#[ignore = "needs the shared exports beside the repository"]
fn public_fixtures_are_read_without_a_rejection() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/exports"));
    let mut objects = 0;
    for entry in std::fs::read_dir(folder.join("supabase_stripe-sync-engine")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let found = part(&std::fs::read_to_string(&path).unwrap());
            assert!(found.rejections.is_empty(), "{}: {:?}", path.display(), found.rejections);
            objects += found.customer_rows + found.subscription_rows;
        }
    }
    assert_eq!(objects, 5);
    let fixtures = std::fs::read_to_string(folder.join("stripe-openapi/fixtures3.json")).unwrap();
    let fixtures: serde_json::Value = serde_json::from_str(&fixtures).unwrap();
    for kind in ["customer", "subscription", "coupon", "discount"] {
        let found = part(&fixtures["resources"][kind].to_string());
        assert!(found.rejections.is_empty(), "{kind}: {:?}", found.rejections);
    }
}
