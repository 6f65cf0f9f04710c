use super::{
    AS_OF,
    builder::{Item, Sub, Tier, at, coupon, item, sub},
    known_coupons, summary, summary_in, text,
};
use crate::{
    config::{MrrSettings, PausedCollection, Rounding},
    model::Currency,
};

pub type Options = fn(&mut MrrSettings);

/// What it is, the subscriptions of one customer, the options, and what is found: minor units of USD, or the reason.
pub type Case = (&'static str, Vec<Sub>, Options, Result<i64, &'static str>);

pub const DEFAULT: Options = |_| ();

pub fn one(amount: i128, interval: &'static str) -> Vec<Sub> {
    vec![sub(vec![item(amount, interval)])]
}

pub fn changed(amount: i128, interval: &'static str, change: impl FnOnce(&mut Item)) -> Vec<Sub> {
    vec![sub(vec![item(amount, interval).with(change)])]
}

pub fn monthly(change: impl FnOnce(&mut Sub)) -> Vec<Sub> {
    vec![sub(vec![item(9900, "month")]).with(change)]
}

pub fn with_coupons(amount: i128, interval: &'static str, quantity: i64, coupons: &[&'static str]) -> Vec<Sub> {
    let discounts = coupons.iter().map(|id| coupon(id)).collect();
    vec![sub(vec![item(amount, interval).with(|i| i.quantity = Some(quantity))]).with(|s| s.discounts = discounts)]
}

fn tiered(mode: &'static str, quantity: i64, tiers: Vec<Tier>) -> Vec<Sub> {
    changed(0, "month", |i| (i.amount, i.mode, i.quantity, i.tiers) = (None, Some(mode), Some(quantity), tiers))
}

fn ten_then() -> Vec<Tier> {
    vec![(Some(10), 500, 0), (None, 300, 0)]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    vec![
        // The known answers of the definition.
        ("1200.00 a year", one(120_000, "year"), DEFAULT, Ok(10_000)),
        ("100.00 a year", one(10_000, "year"), DEFAULT, Ok(833)),
        ("three of them, rounded once", vec![one(10_000, "year"); 3].concat(), DEFAULT, Ok(2500)),
        ("10.00 a week", one(1000, "week"), DEFAULT, Ok(4333)),
        ("1.00 a day", one(100, "day"), DEFAULT, Ok(3042)),
        (
            "300.00 every 3 months × 2",
            changed(30_000, "month", |i| (i.count, i.quantity) = (3, Some(2))),
            DEFAULT,
            Ok(20_000),
        ),
        ("50.00 × 3, 20 % forever", with_coupons(5000, "month", 3, &["P20"]), DEFAULT, Ok(12_000)),
        ("the same, once", with_coupons(5000, "month", 3, &["ONCE20"]), DEFAULT, Ok(15_000)),
        ("600.00 a year, 120.00 off", with_coupons(60_000, "year", 1, &["A120"]), DEFAULT, Ok(4000)),
        ("20.00 a month, 50.00 off", with_coupons(2000, "month", 1, &["A50"]), DEFAULT, Ok(0)),
        ("trialing", monthly(|s| s.status = "trialing"), DEFAULT, Ok(0)),
        ("past due", monthly(|s| s.status = "past_due"), DEFAULT, Ok(9900)),
        ("graduated", tiered("graduated", 15, ten_then()), DEFAULT, Ok(6500)),
        ("volume", tiered("volume", 15, ten_then()), DEFAULT, Ok(4500)),
        (
            "÷10 up",
            changed(800, "month", |i| (i.quantity, i.transform) = (Some(25), Some((10, "up")))),
            DEFAULT,
            Ok(2400),
        ),
        // Intervals and quantities.
        ("2 years", changed(240_000, "year", |i| i.count = 2), DEFAULT, Ok(10_000)),
        ("4 weeks", changed(1000, "week", |i| i.count = 4), DEFAULT, Ok(1083)),
        ("week factor 4", one(1000, "week"), |m| m.week_factor = (4, 1), Ok(4000)),
        ("day factor 30", one(100, "day"), |m| m.day_factor = (30, 1), Ok(3000)),
        ("no quantity is 1", changed(9900, "month", |i| i.quantity = None), DEFAULT, Ok(9900)),
        ("quantity 0", changed(9900, "month", |i| i.quantity = Some(0)), DEFAULT, Ok(0)),
        (
            "blank quantity on a dashboard row",
            changed(9900, "month", |i| (i.quantity, i.required) = (None, true)),
            DEFAULT,
            Err("quantity_missing"),
        ),
        (
            "blank quantity of a total",
            changed(9900, "month", |i| (i.quantity, i.required, i.total) = (None, true, true)),
            DEFAULT,
            Ok(9900),
        ),
        (
            "a total already holds its quantity",
            changed(9900, "month", |i| (i.quantity, i.total) = (Some(3), true)),
            DEFAULT,
            Ok(9900),
        ),
        ("unknown interval", one(9900, "fortnight"), DEFAULT, Err("interval_unknown")),
        ("interval count 0", changed(9900, "month", |i| i.count = 0), DEFAULT, Err("interval_unknown")),
        (
            "metered",
            changed(9900, "fortnight", |i| (i.usage, i.amount, i.currency) = (Some("metered"), None, "xxx")),
            DEFAULT,
            Ok(0),
        ),
        ("two items", vec![sub(vec![item(1000, "month"), item(12_000, "year")])], DEFAULT, Ok(2000)),
        ("no items", vec![sub(vec![])], DEFAULT, Err("items_missing")),
        ("no amount", changed(0, "month", |i| i.amount = None), DEFAULT, Err("bad_number")),
        (
            "÷10 down",
            changed(800, "month", |i| (i.quantity, i.transform) = (Some(25), Some((10, "down")))),
            DEFAULT,
            Ok(1600),
        ),
        (
            "a third of a cent × 300",
            changed(0, "month", |i| (i.amount, i.quantity) = (Some((1, 3)), Some(300))),
            DEFAULT,
            Ok(100),
        ),
        (
            "÷10 up, exactly",
            changed(800, "month", |i| (i.quantity, i.transform) = (Some(20), Some((10, "up")))),
            DEFAULT,
            Ok(1600),
        ),
        (
            "÷10 up, one unit",
            changed(800, "month", |i| (i.quantity, i.transform) = (Some(1), Some((10, "up")))),
            DEFAULT,
            Ok(800),
        ),
        (
            "÷10 down, fewer than ten",
            changed(800, "month", |i| (i.quantity, i.transform) = (Some(9), Some((10, "down")))),
            DEFAULT,
            Ok(0),
        ),
        (
            "÷10 up, quantity 0",
            changed(800, "month", |i| (i.quantity, i.transform) = (Some(0), Some((10, "up")))),
            DEFAULT,
            Ok(0),
        ),
        (
            "flexible billing: a week, 3 months, a year together",
            // 10.00 × 52/12 + 60.00 / 3 + 120.00 / 12
            vec![sub(vec![item(1000, "week"), item(6000, "month").with(|i| i.count = 3), item(12_000, "year")])],
            DEFAULT,
            Ok(7333),
        ),
        (
            "metered beside licensed",
            vec![sub(vec![item(500, "month"), item(9900, "month").with(|i| i.usage = Some("metered"))])],
            DEFAULT,
            Ok(500),
        ),
        // Rounding.
        (
            "two halves are one, rounded once",
            vec![sub(vec![item(0, "month").with(|i| i.amount = Some((1, 2)))]); 2],
            DEFAULT,
            Ok(1),
        ),
        (
            "half up leaves less than a half",
            changed(0, "month", |i| i.amount = Some((249, 100))),
            |m| m.rounding = Rounding::HalfUp,
            Ok(2),
        ),
        ("half to even, down", changed(0, "month", |i| i.amount = Some((5, 2))), DEFAULT, Ok(2)),
        ("half to even, up", changed(0, "month", |i| i.amount = Some((7, 2))), DEFAULT, Ok(4)),
        ("half up", changed(0, "month", |i| i.amount = Some((5, 2))), |m| m.rounding = Rounding::HalfUp, Ok(3)),
        // Statuses.
        ("trialing counted", monthly(|s| s.status = "trialing"), |m| m.count_trialing = true, Ok(9900)),
        (
            "past due within grace",
            monthly(|s| (s.status, s.period_end) = ("past_due", Some(at("2026-10-28")))),
            |m| m.past_due_grace_days = Some(5),
            Ok(9900),
        ),
        (
            "past due as grace ends",
            monthly(|s| (s.status, s.period_end) = ("past_due", Some(at("2026-10-27")))),
            |m| m.past_due_grace_days = Some(5),
            Ok(0),
        ),
        ("unpaid", monthly(|s| s.status = "unpaid"), DEFAULT, Ok(0)),
        ("paused by its trial", monthly(|s| s.status = "paused"), DEFAULT, Ok(0)),
        ("incomplete", monthly(|s| s.status = "incomplete"), DEFAULT, Ok(0)),
        ("incomplete, expired", monthly(|s| s.status = "incomplete_expired"), DEFAULT, Ok(0)),
        (
            "past due, its period unknown, is within any grace",
            monthly(|s| s.status = "past_due"),
            |m| m.past_due_grace_days = Some(0),
            Ok(9900),
        ),
        ("canceled", monthly(|s| s.status = "canceled"), DEFAULT, Ok(0)),
        ("a status nobody knows", monthly(|s| s.status = "dormant"), DEFAULT, Ok(0)),
        ("paused, void", monthly(|s| s.pause = Some("void")), DEFAULT, Ok(0)),
        (
            "paused, void, resumes exactly now",
            monthly(|s| (s.pause, s.resumes_at) = (Some("void"), Some(at(AS_OF)))),
            DEFAULT,
            Ok(9900),
        ),
        (
            "paused, void, resumes later",
            monthly(|s| (s.pause, s.resumes_at) = (Some("void"), Some(at(AS_OF) + 1000))),
            DEFAULT,
            Ok(0),
        ),
        ("paused, uncollectible", monthly(|s| s.pause = Some("mark_uncollectible")), DEFAULT, Ok(9900)),
        (
            "all pauses taken out, resumes exactly now",
            monthly(|s| (s.pause, s.resumes_at) = (Some("keep_as_draft"), Some(at(AS_OF)))),
            |m| m.pause_collection = PausedCollection::All,
            Ok(9900),
        ),
        ("paused, draft", monthly(|s| s.pause = Some("keep_as_draft")), DEFAULT, Ok(9900)),
        (
            "paused, draft, all taken out",
            monthly(|s| s.pause = Some("keep_as_draft")),
            |m| m.pause_collection = PausedCollection::All,
            Ok(0),
        ),
        (
            "paused, void, none taken out",
            monthly(|s| s.pause = Some("void")),
            |m| m.pause_collection = PausedCollection::None,
            Ok(9900),
        ),
        (
            "cancels at a period end ahead",
            monthly(|s| (s.cancel_at_period_end, s.period_end) = (true, Some(at(AS_OF) + 1000))),
            DEFAULT,
            Ok(9900),
        ),
        (
            "cancels at a period end now",
            monthly(|s| (s.cancel_at_period_end, s.period_end) = (true, Some(at(AS_OF)))),
            DEFAULT,
            Ok(0),
        ),
        (
            "cancels at the end of an item's period, which is now",
            vec![
                sub(vec![item(9900, "month").with(|i| i.period_end = Some(at(AS_OF)))])
                    .with(|s| s.cancel_at_period_end = true),
            ],
            DEFAULT,
            Ok(0),
        ),
        ("ended now", monthly(|s| s.ended_at = Some(at(AS_OF))), DEFAULT, Ok(0)),
        ("cancel_at now", monthly(|s| s.cancel_at = Some(at(AS_OF))), DEFAULT, Ok(0)),
        ("cancel_at ahead", monthly(|s| s.cancel_at = Some(at(AS_OF) + 1000)), DEFAULT, Ok(9900)),
        (
            "dropped at the request",
            monthly(|s| (s.cancel_at, s.canceled_at) = (Some(at("2027-01-01")), Some(at("2026-10-01")))),
            |m| m.cancel_at_request = true,
            Ok(0),
        ),
        (
            "requested after as-of",
            monthly(|s| (s.cancel_at, s.canceled_at) = (Some(at("2027-01-01")), Some(at("2026-12-01")))),
            |m| m.cancel_at_request = true,
            Ok(9900),
        ),
        // Tiers.
        (
            "graduated, in reverse order",
            tiered("graduated", 15, vec![(None, 300, 0), (Some(10), 500, 0)]),
            DEFAULT,
            Ok(6500),
        ),
        (
            "graduated, flat prices",
            tiered("graduated", 15, vec![(Some(10), 0, 1000), (None, 100, 50)]),
            DEFAULT,
            Ok(1550),
        ),
        ("volume, flat price", tiered("volume", 10, vec![(Some(10), 100, 1000), (None, 50, 0)]), DEFAULT, Ok(2000)),
        (
            "graduated, flat prices of the tiers that are reached",
            // 10 × 5.00 + 2.00, then 1 × 3.00 + 1.00
            tiered("graduated", 11, vec![(None, 300, 100), (Some(20), 300, 100), (Some(10), 500, 200)]),
            DEFAULT,
            Ok(5600),
        ),
        ("graduated, at the end of a tier", tiered("graduated", 10, ten_then()), DEFAULT, Ok(5000)),
        ("volume, in reverse order", tiered("volume", 10, vec![(None, 300, 0), (Some(10), 500, 0)]), DEFAULT, Ok(5000)),
        ("a tier that stands twice", tiered("graduated", 15, [ten_then(), ten_then()].concat()), DEFAULT, Ok(6500)),
        (
            "tiers a year, 20 % off",
            tiered("volume", 40, ten_then())
                .into_iter()
                .map(|s| s.with(|s| (s.items[0].interval, s.discounts) = ("year", vec![coupon("P20")])))
                .collect(),
            DEFAULT,
            Ok(800),
        ),
        (
            "tiers of packs of ten",
            tiered("graduated", 115, ten_then())
                .into_iter()
                .map(|s| s.with(|s| s.items[0].transform = Some((10, "up"))))
                .collect(),
            DEFAULT,
            Ok(5600),
        ),
        ("graduated, quantity 0 with a flat price", tiered("graduated", 0, vec![(None, 5, 1000)]), DEFAULT, Ok(0)),
        ("tiers without a quantity are one unit", tiered("volume", 1, ten_then()), DEFAULT, Ok(500)),
        ("a mode nobody knows", tiered("stepwise", 1, ten_then()), DEFAULT, Err("tiers_missing")),
        ("tiered, quantity 0", tiered("volume", 0, vec![(Some(10), 100, 1000)]), DEFAULT, Ok(0)),
        ("tiers missing", tiered("volume", 5, vec![]), DEFAULT, Err("tiers_missing")),
        ("tiers end too early", tiered("graduated", 11, vec![(Some(10), 100, 0)]), DEFAULT, Err("tiers_missing")),
        (
            "tiers missing on what does not count",
            tiered("volume", 5, vec![]).into_iter().map(|s| s.with(|s| s.status = "canceled")).collect(),
            DEFAULT,
            Ok(0),
        ),
        // Tax.
        ("inclusive tax", monthly(|s| s.tax = vec![("10", true)]), DEFAULT, Ok(9000)),
        ("exclusive tax", monthly(|s| s.tax = vec![("10", false)]), DEFAULT, Ok(9900)),
        ("two inclusive rates add up", monthly(|s| s.tax = vec![("6", true), ("4", true)]), DEFAULT, Ok(9000)),
        (
            "after discounts",
            monthly(|s| (s.tax, s.discounts) = (vec![("10", true)], vec![coupon("P20")])),
            DEFAULT,
            Ok(7200),
        ),
        (
            "an item's rates replace the subscription's",
            vec![
                sub(vec![item(9900, "month").with(|i| i.tax = vec![("5", false)])])
                    .with(|s| s.tax = vec![("10", true)]),
            ],
            DEFAULT,
            Ok(9900),
        ),
        // Currencies.
        ("euros", changed(10_000, "month", |i| i.currency = "eur"), DEFAULT, Ok(10_842)),
        ("¥1000", changed(1000, "month", |i| i.currency = "jpy"), DEFAULT, Ok(660)),
        ("KWD 1.200 a year", changed(1200, "year", |i| i.currency = "kwd"), DEFAULT, Ok(32)),
        ("no rate", changed(1000, "month", |i| i.currency = "gbp"), DEFAULT, Err("currency_without_rate")),
        ("no rate for nothing", changed(0, "month", |i| i.currency = "gbp"), DEFAULT, Ok(0)),
        (
            "no rate, discounted",
            vec![
                sub(vec![item(9900, "month").with(|i| i.currency = "gbp")]).with(|s| s.discounts = vec![coupon("P20")]),
            ],
            DEFAULT,
            Err("currency_without_rate"),
        ),
        (
            "no rate on what does not count",
            vec![sub(vec![item(9900, "month").with(|i| i.currency = "gbp")]).with(|s| s.status = "trialing")],
            DEFAULT,
            Ok(0),
        ),
        (
            "no rate, all taken off",
            vec![
                sub(vec![item(9900, "month").with(|i| i.currency = "gbp")])
                    .with(|s| s.discounts = vec![coupon("P100")]),
            ],
            DEFAULT,
            Ok(0),
        ),
        (
            "euros and dollars, rounded once",
            // 0.05 × 1.0842 + 0.005 = 0.05921
            vec![
                sub(vec![item(5, "month").with(|i| i.currency = "eur")]),
                sub(vec![item(0, "month").with(|i| i.amount = Some((1, 2)))]),
            ],
            DEFAULT,
            Ok(6),
        ),
        ("ISK 1000, in hundredths", changed(100_000, "month", |i| i.currency = "isk"), DEFAULT, Ok(720)),
        (
            "ISK 1000, its digits overridden",
            changed(1000, "month", |i| i.currency = "isk"),
            |m| {
                m.currency_digits.insert(Currency::parse("isk").unwrap(), 0);
            },
            Ok(720),
        ),
        ("UGX 10000", changed(10_000, "month", |i| i.currency = "ugx"), DEFAULT, Ok(270)),
        // Out of range, and what a loader found.
        ("the largest price", one(1_000_000_000_000_000, "month"), DEFAULT, Ok(1_000_000_000_000_000)),
        ("one above it", one(1_000_000_000_000_001, "year"), DEFAULT, Err("amount_out_of_range")),
        ("the largest price a day", one(1_000_000_000_000_000, "day"), DEFAULT, Err("amount_out_of_range")),
        ("below zero units", changed(1, "month", |i| i.quantity = Some(-1)), DEFAULT, Err("amount_out_of_range")),
        (
            "more than 64 bits together",
            vec![one(1_000_000_000_000_000, "month").remove(0); 9300],
            DEFAULT,
            Err("amount_out_of_range"),
        ),
        (
            "tiers overflow",
            tiered("graduated", i64::MAX, vec![(None, i128::MAX, 0)]),
            DEFAULT,
            Err("amount_out_of_range"),
        ),
        (
            "overflow of amount × quantity",
            changed(i128::MAX, "month", |i| i.quantity = Some(i64::MAX)),
            DEFAULT,
            Err("amount_out_of_range"),
        ),
        ("below zero", one(-1, "month"), DEFAULT, Err("amount_out_of_range")),
        ("found while reading", monthly(|s| s.problem = Some("bad_number")), DEFAULT, Err("bad_number")),
        (
            "found while reading, not counted",
            monthly(|s| (s.problem, s.status) = (Some("bad_number"), "canceled")),
            DEFAULT,
            Ok(0),
        ),
        (
            "one problem spoils the customer",
            [one(9900, "month"), one(100, "fortnight")].concat(),
            DEFAULT,
            Err("interval_unknown"),
        ),
    ]
}

#[test]
fn every_known_answer_holds() {
    for (name, subs, options, expected) in cases().into_iter().chain(known_coupons::cases()) {
        let mut mrr = MrrSettings::default();
        options(&mut mrr);
        let summary = summary(&subs, &mrr);
        let found = summary.column("mrr").unwrap().i64().unwrap().get(0);
        match expected {
            Ok(minor) => {
                assert_eq!((found, text(&summary, "problem")), (Some(minor), None), "{name}: {summary}");
            }
            Err(reason) => {
                assert_eq!((found, text(&summary, "problem")), (None, Some(reason)), "{name}: {summary}");
                assert!(text(&summary, "problem_detail").is_some_and(|detail| !detail.is_empty()), "{name}");
            }
        }
    }
}

#[test]
fn accounts_in_other_currencies_are_rounded_to_their_own_minor_units() {
    for (name, currency, amount, interval, expected) in [
        ("¥1200 a year", "jpy", 1200, "year", 100),
        ("¥100 a week", "jpy", 100, "week", 433),
        ("KWD 1.200 a year", "kwd", 1200, "year", 100),
        ("KWD 0.100 a year", "kwd", 100, "year", 8),
        ("UGX 100000 a year", "ugx", 100_000, "year", 8333),
        ("ISK 1000.00 a year", "isk", 100_000, "year", 8333),
    ] {
        let summary = summary_in(currency, &changed(amount, interval, |i| i.currency = currency));
        assert_eq!(summary.column("mrr").unwrap().i64().unwrap().get(0), Some(expected), "{name}");
    }
}
