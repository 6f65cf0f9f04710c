//! One subscription as every version of the API shows it, and objects that stand beside it.

use super::{
    GONE, ITEM, coupon, customer, discount, event, item, lines, list, plan, price, seen, subscription, tiers, with,
};
use serde_json::{Value, json};

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_version_of_a_subscription_has_its_mrr() {
    let p20 = || discount(coupon());
    let by_source = |coupon| {
        with(
            discount(json!(null)),
            [("/coupon", json!(GONE)), ("/source", json!({"type": "coupon", "coupon": coupon}))],
        )
    };
    let tiered = |tiers: Value| {
        with(
            price(),
            [
                ("/billing_scheme", json!("tiered")),
                ("/tiers_mode", json!("graduated")),
                ("/unit_amount", json!(null)),
                ("/unit_amount_decimal", json!(null)),
                ("/tiers", tiers),
            ],
        )
    };
    let euros = |options: Value| with(price(), [("/currency", json!("eur")), ("/currency_options", options)]);
    let old = || with(subscription("sub_1"), [("/items", json!(GONE)), ("/plan", plan()), ("/quantity", json!(3))]);
    for (name, object, mrr) in [
        ("as it is", subscription("sub_1"), "15000"),
        (
            "period on the subscription",
            with(item(&[("current_period_end", json!(GONE))]), [("/current_period_end", json!(1_800_000_000))]),
            "15000",
        ),
        ("plan only", item(&[("price", json!(GONE))]), "15000"),
        ("price only", item(&[("plan", json!(GONE))]), "15000"),
        ("price by id, plan in full", item(&[("price", json!("price_1"))]), "15000"),
        (
            "price deleted, plan in full",
            item(&[("price", json!({"id": "price_1", "object": "price", "deleted": true}))]),
            "15000",
        ),
        ("plan by id, price in full", item(&[("plan", json!("price_1"))]), "15000"),
        ("neither in full", item(&[("price", json!("price_1")), ("plan", json!(null))]), "price_missing"),
        ("before items", old(), "15000"),
        ("before items, with an empty list", with(old(), [("/items", json!({"object": "list", "data": []}))]), "15000"),
        (
            "items as an array",
            with(subscription("sub_1"), [("/items", json!([subscription("sub_1")["items"]["data"][0]]))]),
            "15000",
        ),
        ("no quantity", item(&[("quantity", json!(GONE))]), "5000"),
        (
            "quantity on the subscription only",
            with(item(&[("quantity", json!(GONE))]), [("/quantity", json!(3))]),
            "15000",
        ),
        ("a deleted item", item(&[("deleted", json!(true))]), "items_missing"),
        (
            "metered",
            item(&[("price", with(price(), [("/recurring/usage_type", json!("metered"))])), ("quantity", json!(GONE))]),
            "0",
        ),
        (
            "decimal only",
            item(&[("price", with(price(), [("/unit_amount", json!(null)), ("/unit_amount_decimal", json!("0.5"))]))]),
            "15/10",
        ),
        ("interval in capitals", item(&[("price", with(price(), [("/recurring/interval", json!("Month"))]))]), "15000"),
        ("tiers expanded", item(&[("price", tiered(tiers()))]), "12000"),
        (
            "tiers on the plan",
            item(&[("price", tiered(json!(null))), ("plan", with(plan(), [("/tiers", tiers())]))]),
            "12000",
        ),
        ("tiers not expanded", item(&[("price", tiered(json!(null)))]), "tiers_missing"),
        (
            "a further currency expanded",
            item(&[("price", euros(json!({"usd": {"unit_amount": 7000, "unit_amount_decimal": "7000"}})))]),
            "21000",
        ),
        ("a further currency not expanded", item(&[("price", euros(json!(null)))]), "price_missing"),
        (
            "options beside the currency billed",
            item(&[("price", with(price(), [("/currency_options", json!({"eur": {"unit_amount": 1}}))]))]),
            "15000",
        ),
        ("one discount", with(subscription("sub_1"), [("/discount", p20())]), "12000"),
        ("discounts", with(subscription("sub_1"), [("/discounts", json!([p20()]))]), "12000"),
        (
            "discounts by id beside the last one in full",
            with(subscription("sub_1"), [("/discounts", json!(["di_1"])), ("/discount", p20())]),
            "12000",
        ),
        (
            "discounts in full beside the last one",
            with(subscription("sub_1"), [("/discounts", json!([p20()])), ("/discount", p20())]),
            "12000",
        ),
        ("discounts by id", with(subscription("sub_1"), [("/discounts", json!(["di_1"]))]), "coupon_unknown"),
        (
            "the source of a discount",
            with(subscription("sub_1"), [("/discounts", json!([by_source(coupon())]))]),
            "12000",
        ),
        (
            "the source of a discount by id",
            with(subscription("sub_1"), [("/discounts", json!([by_source(json!("P20"))]))]),
            "coupon_unknown",
        ),
        ("on the item", item(&[("discounts", json!([p20()]))]), "12000"),
        (
            "a coupon no longer valid",
            with(
                subscription("sub_1"),
                [("/discount", discount(with(coupon(), [("/valid", json!(false)), ("/deleted", json!(true))])))],
            ),
            "12000",
        ),
        (
            "a coupon for products, not expanded",
            with(
                subscription("sub_1"),
                [("/discount", discount(with(coupon(), [("/applies_to", json!({"products": ["prod_2"]}))])))],
            ),
            "15000",
        ),
        (
            "of an invoice",
            with(subscription("sub_1"), [("/discounts", json!([with(p20(), [("/invoice", json!("in_1"))])]))]),
            "15000",
        ),
        (
            "paused for good",
            with(subscription("sub_1"), [("/pause_collection", json!({"behavior": "void", "resumes_at": null}))]),
            "0",
        ),
        (
            "ended",
            with(subscription("sub_1"), [("/status", json!("canceled")), ("/ended_at", json!(1_750_000_000))]),
            "0",
        ),
    ] {
        let status = object["status"].as_str().unwrap().to_owned();
        let seen = seen(&[("s.json", object.to_string().into_bytes())]);
        assert_eq!(seen.subscriptions, [format!("sub_1 {status} {mrr}")], "{name}: {:?}", seen.breaks);
    }
    let mut mixed = subscription("sub_1");
    let mut yearly = mixed.pointer(ITEM).unwrap().clone();
    yearly["price"]["recurring"]["interval"] = json!("year");
    yearly["id"] = json!("si_2");
    mixed["items"]["data"].as_array_mut().unwrap().push(yearly);
    assert_eq!(seen(&[("s.json", mixed.to_string().into_bytes())]).subscriptions, ["sub_1 active 16250"]);
}

#[test]
fn objects_of_their_own_find_what_they_belong_to_in_any_file() {
    let bare_item = json!({"id": "si_1", "object": "subscription_item", "quantity": 3, "subscription": "sub_1", "price": "price_1"});
    let without_items = with(subscription("sub_1"), [("/items", json!(GONE))]);
    let tiered = |expanded: bool| {
        let tiers = if expanded { tiers() } else { json!(null) };
        with(
            price(),
            [
                ("/billing_scheme", json!("tiered")),
                ("/tiers_mode", json!("graduated")),
                ("/unit_amount", json!(null)),
                ("/unit_amount_decimal", json!(null)),
                ("/tiers", tiers),
            ],
        )
    };
    let listed = |coupon: Value| list(&[discount(coupon)], Some(false));
    for (name, subscriptions, others, mrr) in [
        (
            "a price's tiers",
            item(&[("price", tiered(false)), ("plan", json!(null))]),
            vec![list(&[tiered(true)], Some(false))],
            "12000",
        ),
        ("a price", item(&[("price", json!("price_1")), ("plan", json!(null))]), vec![price()], "15000"),
        ("a plan", item(&[("price", json!(GONE)), ("plan", json!("price_1"))]), vec![plan()], "15000"),
        ("an item and its price", without_items.clone(), vec![bare_item, price()], "15000"),
        ("an item in full", without_items, vec![subscription("sub_1")["items"]["data"][0].clone()], "15000"),
        ("a discount", subscription("sub_1"), vec![discount(coupon())], "12000"),
        (
            "a discount named by id",
            with(subscription("sub_1"), [("/discounts", json!(["di_1"]))]),
            vec![listed(coupon())],
            "12000",
        ),
        (
            "a coupon",
            with(subscription("sub_1"), [("/discounts", json!([discount(json!("P20"))]))]),
            vec![coupon()],
            "12000",
        ),
        (
            "a coupon, and its stub in a later file",
            with(subscription("sub_1"), [("/discounts", json!([discount(json!("P20"))]))]),
            vec![coupon(), json!({"id": "P20", "object": "coupon", "deleted": true})],
            "12000",
        ),
        (
            "a discount that was taken away",
            subscription("sub_1"),
            vec![
                event("customer.discount.deleted", 5, &discount(coupon())),
                event("customer.discount.created", 4, &discount(coupon())),
            ],
            "15000",
        ),
        (
            "a discount that was taken away, and says so",
            subscription("sub_1"),
            vec![
                event("customer.discount.deleted", 5, &with(discount(coupon()), [("/deleted", json!(true))])),
                event("customer.discount.created", 4, &discount(coupon())),
            ],
            "15000",
        ),
        (
            "a discount that came back",
            subscription("sub_1"),
            vec![
                event("customer.discount.deleted", 5, &discount(coupon())),
                event("customer.discount.created", 6, &discount(coupon())),
            ],
            "12000",
        ),
    ] {
        for subscriptions_first in [true, false] {
            let (ours, theirs) = if subscriptions_first { ("a", "b") } else { ("b", "a") };
            let files = [(ours, lines(&[customer("cus_1"), subscriptions.clone()])), (theirs, lines(&others))];
            let seen = seen(&files);
            assert_eq!(seen.subscriptions, [format!("sub_1 active {mrr}")], "{name}: {:?}", seen.breaks);
            assert!(seen.breaks.is_empty(), "{name}: {:?}", seen.breaks);
        }
    }
}

#[test]
fn the_latest_event_stands_in_whatever_file_and_order() {
    let without_items = with(subscription("sub_1"), [("/items", json!(GONE))]);
    let si = subscription("sub_1")["items"]["data"][0].clone();
    let bare_item = with(si.clone(), [("/price", json!("price_1")), ("/plan", json!(GONE))]);
    let of = |kind: &str, created: u64, object: &Value| event(kind, created, object);
    let gone = with(discount(coupon()), [("/deleted", json!(true))]);
    for (name, ours, earlier, later, mrr) in [
        (
            "a discount that was taken away",
            vec![subscription("sub_1")],
            of("customer.discount.created", 4, &discount(coupon())),
            of("customer.discount.deleted", 5, &gone),
            "15000",
        ),
        (
            "a discount that came back",
            vec![subscription("sub_1")],
            of("customer.discount.deleted", 4, &gone),
            of("customer.discount.created", 5, &discount(coupon())),
            "12000",
        ),
        (
            "a discount that ended",
            vec![subscription("sub_1")],
            of("customer.discount.created", 4, &discount(coupon())),
            of("customer.discount.updated", 5, &with(discount(coupon()), [("/end", json!(1_710_000_000))])),
            "15000",
        ),
        (
            "a price",
            vec![without_items.clone(), bare_item],
            of("price.created", 4, &with(price(), [("/unit_amount", json!(1)), ("/unit_amount_decimal", json!("1"))])),
            of("price.updated", 5, &price()),
            "15000",
        ),
        (
            "an item",
            vec![without_items],
            of("x", 4, &with(si.clone(), [("/quantity", json!(7))])),
            of("x", 5, &si),
            "15000",
        ),
    ] {
        for (first, second) in [(&earlier, &later), (&later, &earlier)] {
            let mut mine = vec![customer("cus_1")];
            mine.extend(ours.iter().cloned());
            let one = lines(&[first.clone(), second.clone()]);
            let split = vec![("1", lines(std::slice::from_ref(first))), ("2", lines(std::slice::from_ref(second)))];
            for (apart, mut files) in [(true, split), (false, vec![("1", one)])] {
                files.push(("s", lines(&mine)));
                let seen = seen(&files);
                assert_eq!(seen.subscriptions, [format!("sub_1 active {mrr}")], "{name}, apart: {apart}");
            }
        }
    }
}

#[test]
fn a_customer_inside_subscriptions_is_one_row_and_none_beside_its_own() {
    let inside = |id: &str, customer: Value| with(subscription(id), [("/customer", customer)]);
    let both = [inside("sub_1", customer("cus_1")), inside("sub_2", customer("cus_1"))];
    let stub = json!({"id": "cus_2", "object": "customer", "deleted": true});
    let alone = seen(&[("s.jsonl", lines(&both))]);
    assert_eq!((alone.customers, alone.breaks), (vec!["cus_1 cus_1@example.com".to_owned()], vec![]));
    let gone = seen(&[("s.jsonl", lines(&[both[0].clone(), inside("sub_3", stub)]))]);
    assert_eq!(gone.customers, ["cus_1 cus_1@example.com", "cus_2 deleted"]);
    let changed = with(customer("cus_1"), [("/email", json!("new@example.com"))]);
    for (own, theirs) in [("a", "b"), ("b", "a")] {
        let beside = seen(&[(own, lines(std::slice::from_ref(&changed))), (theirs, lines(&both))]);
        assert_eq!((beside.customers, beside.breaks), (vec!["cus_1 new@example.com".to_owned()], vec![]));
    }
    let discounted =
        with(customer("cus_1"), [("/discount", with(discount(coupon()), [("/subscription", json!(null))]))]);
    let seen = seen(&[("s.json", lines(&[inside("sub_1", discounted)]))]);
    assert_eq!(seen.subscriptions, ["sub_1 active 12000"], "a customer's discount counts from there too");
    let (loaded, _) = super::loaded(&[("s.jsonl", lines(&both))]).unwrap();
    assert_eq!(loaded.rows.get("stripe_customers"), Some(&1), "counted once");
    assert_eq!(loaded.files[0].rows, 3);
}

#[test]
fn the_latest_event_tells_what_a_deleted_thing_was() {
    let canceled = with(subscription("sub_1"), [("/status", json!("canceled")), ("/ended_at", json!(1_750_000_000))]);
    let seen = seen(&[(
        "e.jsonl",
        lines(&[
            event("customer.deleted", 9, &customer("cus_1")),
            event("customer.subscription.deleted", 8, &canceled),
        ]),
    )]);
    assert_eq!(
        (seen.customers, seen.subscriptions),
        (vec!["cus_1 deleted".to_owned()], vec!["sub_1 canceled 0".to_owned()])
    );
}
