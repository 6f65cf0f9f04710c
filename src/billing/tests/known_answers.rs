use super::{
    AS_OF,
    builder::{Discount, Item, Sub, at, coupon, item, sub},
    summary, text, usd,
};
use crate::config::{CountedCoupons, DefinedCoupon, MrrSettings, PausedCollection, Rounding, UnknownCoupon};

type Options = fn(&mut MrrSettings);
type Case = (&'static str, Vec<Sub>, Options, Result<i64, &'static str>);

const DEFAULT: Options = |_| ();

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

fn tiered(mode: &'static str, quantity: i64, tiers: Vec<(Option<i64>, i128, i128)>) -> Vec<Sub> {
    changed(0, "month", |i| (i.amount, i.mode, i.quantity, i.tiers) = (None, Some(mode), Some(quantity), tiers))
}

fn ten_then() -> Vec<(Option<i64>, i128, i128)> {
    vec![(Some(10), 500, 0), (None, 300, 0)]
}

fn discounted(start: Option<&str>, end: Option<&str>, id: &'static str) -> Vec<Sub> {
    let discount = Discount { id: Some("di_1"), coupon: Some(id), start: start.map(at), end: end.map(at) };
    monthly(|s| s.discounts = vec![discount])
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
        // Rounding.
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
        // Coupons.
        (
            "percentages compound before amounts",
            with_coupons(10_000, "month", 1, &["A5", "P20", "P50"]),
            DEFAULT,
            Ok(3500),
        ),
        ("12.5 %", with_coupons(10_000, "month", 1, &["P12_5"]), DEFAULT, Ok(8750)),
        ("100 %", with_coupons(10_000, "month", 1, &["P100"]), DEFAULT, Ok(0)),
        ("another currency's amount", with_coupons(10_000, "month", 1, &["E5"]), DEFAULT, Ok(10_000)),
        ("another product's coupon", with_coupons(10_000, "month", 1, &["B20"]), DEFAULT, Ok(10_000)),
        (
            "its own product's coupon",
            vec![
                sub(vec![item(10_000, "month"), item(5000, "month").with(|i| i.product = "prod_b")])
                    .with(|s| s.discounts = vec![coupon("B20")]),
            ],
            DEFAULT,
            Ok(14_000),
        ),
        (
            "an item's coupon stops at that item",
            vec![sub(vec![item(10_000, "month"), item(2000, "month").with(|i| i.discounts = vec![coupon("A50")])])],
            DEFAULT,
            Ok(10_000),
        ),
        (
            "item before subscription",
            vec![
                sub(vec![item(10_000, "month").with(|i| i.discounts = vec![coupon("A50")])])
                    .with(|s| s.discounts = vec![coupon("P50")]),
            ],
            DEFAULT,
            Ok(2500),
        ),
        ("a customer's coupon", monthly(|s| s.customer_discounts = vec![coupon("P50")]), DEFAULT, Ok(4950)),
        (
            "gives way to the subscription's own",
            monthly(|s| (s.discounts, s.customer_discounts) = (vec![coupon("P20")], vec![coupon("P50")])),
            DEFAULT,
            Ok(7920),
        ),
        (
            "a customer's amount from each subscription",
            [monthly(|s| s.customer_discounts = vec![coupon("A5")]), monthly(|_| ())].concat(),
            DEFAULT,
            Ok(18_800),
        ),
        (
            "mixed intervals: the shortest",
            vec![sub(vec![item(10_000, "month"), item(120_000, "year")]).with(|s| s.discounts = vec![coupon("A50")])],
            DEFAULT,
            Ok(15_000),
        ),
        (
            "spread pro rata, then taxed apart",
            vec![
                sub(vec![item(10_000, "month").with(|i| i.tax = vec![("100", true)]), item(10_000, "month")])
                    .with(|s| s.discounts = vec![coupon("A50")]),
            ],
            DEFAULT,
            Ok(11_250),
        ),
        (
            "one discount named twice",
            monthly(|s| {
                s.discounts = vec![
                    Discount { id: Some("di_1"), ..coupon("P20") },
                    Discount { id: Some("di_1"), ..coupon("P20") },
                ];
            }),
            DEFAULT,
            Ok(7920),
        ),
        (
            "id only, known from elsewhere",
            monthly(|s| {
                s.discounts = vec![
                    Discount { id: Some("di_1"), coupon: None, start: None, end: None },
                    Discount { id: Some("di_1"), ..coupon("P20") },
                ];
            }),
            DEFAULT,
            Ok(7920),
        ),
        (
            "id only",
            monthly(|s| s.discounts = vec![Discount { id: Some("di_1"), coupon: None, start: None, end: None }]),
            DEFAULT,
            Err("coupon_unknown"),
        ),
        ("unknown coupon", with_coupons(9900, "month", 1, &["SPRING"]), DEFAULT, Err("coupon_unknown")),
        (
            "unknown coupon ignored",
            with_coupons(9900, "month", 1, &["SPRING"]),
            |m| m.unknown_coupon = UnknownCoupon::Ignore,
            Ok(9900),
        ),
        (
            "unknown coupon where none count",
            with_coupons(9900, "month", 1, &["SPRING"]),
            |m| m.coupons = CountedCoupons::None,
            Ok(9900),
        ),
        ("unknown coupon, ended", discounted(None, Some(AS_OF), "SPRING"), DEFAULT, Ok(9900)),
        (
            "defined by the configuration",
            with_coupons(10_000, "month", 1, &["SPRING"]),
            |m| {
                let spring = DefinedCoupon {
                    percent_off: Some("10".parse().unwrap()),
                    amount_off: None,
                    duration: "forever".to_owned(),
                };
                m.defined_coupons.insert("SPRING".to_owned(), spring);
            },
            Ok(9000),
        ),
        (
            "amount defined in major units",
            with_coupons(10_000, "month", 1, &["SPRING"]),
            |m| {
                let spring = DefinedCoupon {
                    percent_off: None,
                    amount_off: Some(("10.50".parse().unwrap(), usd())),
                    duration: "forever".to_owned(),
                };
                m.defined_coupons.insert("SPRING".to_owned(), spring);
            },
            Ok(8950),
        ),
        ("once counted", with_coupons(9900, "month", 1, &["ONCE20"]), |m| m.coupons = CountedCoupons::All, Ok(7920)),
        (
            "repeating, forever only",
            with_coupons(9900, "month", 1, &["REP20"]),
            |m| m.coupons = CountedCoupons::Forever,
            Ok(9900),
        ),
        ("repeating, no end known", with_coupons(9900, "month", 1, &["REP20"]), DEFAULT, Ok(7920)),
        ("repeating, ends exactly now", discounted(None, Some(AS_OF), "REP20"), DEFAULT, Ok(9900)),
        ("repeating, ends later", discounted(None, Some("2026-11-01T00:00:01Z"), "REP20"), DEFAULT, Ok(7920)),
        ("repeating, begun 3 months ago", discounted(Some("2026-08-01"), None, "REP20"), DEFAULT, Ok(9900)),
        ("repeating, begun a day later", discounted(Some("2026-08-02"), None, "REP20"), DEFAULT, Ok(7920)),
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
        // Out of range, and what a loader found.
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
    for (name, subs, options, expected) in cases() {
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
