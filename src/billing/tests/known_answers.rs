use super::{
    super::{definition, summarise},
    AS_OF, billed,
    builder::{Discount, Item, Sub, at, coupon, item, sub},
    rates, summary, text, usd,
};
use crate::config::{
    AmountMeaning, CountedCoupons, DefinedCoupon, MrrSettings, PausedCollection, Rounding, UnknownCoupon,
};
use crate::table::INSTANT;
use polars::prelude::{DataType, IntoLazy};

type Options = fn(&mut MrrSettings);
type Case = (&'static str, Vec<Sub>, Options, Result<i64, &'static str>);

const DEFAULT: Options = |_| ();

fn one(amount: i128, interval: &'static str) -> Vec<Sub> {
    vec![sub(vec![item(amount, interval)])]
}

fn changed(amount: i128, interval: &'static str, change: impl FnOnce(&mut Item)) -> Vec<Sub> {
    vec![sub(vec![item(amount, interval).with(change)])]
}

fn monthly(change: impl FnOnce(&mut Sub)) -> Vec<Sub> {
    vec![sub(vec![item(9900, "month")]).with(change)]
}

fn with_coupons(amount: i128, interval: &'static str, quantity: i64, coupons: &[&'static str]) -> Vec<Sub> {
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
                s.discounts =
                    vec![Discount { id: Some("di_1"), ..coupon("P20") }, Discount { id: Some("di_1"), ..coupon("P20") }]
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
                ]
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

#[test]
fn an_amount_without_a_rate_stays_known_in_its_own_currency() {
    let billed = billed(&changed(10_000, "year", |i| i.currency = "gbp"), &MrrSettings::default());
    let native = billed.subscriptions.column("mrr_native").unwrap().i128().unwrap().get(0).unwrap();
    let exact = super::super::exact(native, billed.scale);
    assert_eq!((exact.num.as_str(), exact.den.as_str()), ("2500", "3"));
    assert_eq!(text(&billed.subscriptions, "currency"), Some("gbp"));
}

#[test]
fn a_customer_shows_its_highest_status_its_renewal_and_its_next_period_end() {
    let ahead = |days: i64| Some(at(AS_OF) + days * 86_400_000);
    let canceled = monthly(|s| (s.status, s.ended_at, s.period_end) = ("canceled", ahead(-3), ahead(40)));
    let trialing = monthly(|s| (s.status, s.cancel_at, s.period_end) = ("trialing", ahead(20), ahead(20)));
    let active = vec![sub(vec![
        item(1, "month").with(|i| i.period_end = ahead(9)),
        item(1, "year").with(|i| i.period_end = ahead(5)),
    ])];
    let odd = monthly(|s| (s.status, s.period_end) = ("dormant", ahead(0)));
    for (name, subs, status, renews, end) in [
        ("all", [canceled.clone(), trialing.clone(), active].concat(), "active", true, ahead(5)),
        ("set to cancel", [canceled.clone(), trialing].concat(), "trialing", false, ahead(20)),
        ("ended", canceled.clone(), "canceled", false, ahead(-3)),
        ("undocumented", odd.clone(), "dormant", false, ahead(0)),
        ("undocumented below documented", [odd, canceled].concat(), "canceled", false, ahead(0)),
    ] {
        let summary = summary(&subs, &MrrSettings::default());
        assert_eq!(text(&summary, "subscription_status"), Some(status), "{name}");
        assert_eq!(summary.column("auto_renew").unwrap().bool().unwrap().get(0), Some(renews), "{name}");
        let shown = summary.column("period_end").unwrap();
        assert_eq!(shown.dtype(), &INSTANT, "{name}");
        assert_eq!(shown.cast(&DataType::Int64).unwrap().i64().unwrap().get(0), end, "{name}");
    }
}

#[test]
fn odd_statuses_and_pauses_that_count_are_breaks() {
    let subs = [
        monthly(|s| s.status = "dormant"),
        monthly(|s| s.pause = Some("keep_as_draft")),
        monthly(|s| s.pause = Some("void")),
    ];
    let found = billed(&subs.concat(), &MrrSettings::default()).breaks;
    let found: Vec<_> = found.iter().map(|b| (b.kind.as_str(), b.key.as_str())).collect();
    assert_eq!(found, [("status_unknown", "sub_0"), ("paused_collection", "sub_1")]);
}

#[test]
fn a_coupon_problem_names_the_ids_and_what_to_do() {
    let unnamed = monthly(|s| s.discounts = vec![Discount { id: Some("di_9"), coupon: None, start: None, end: None }]);
    let both = summary(&[with_coupons(9900, "month", 1, &["SPRING"]), unnamed].concat(), &MrrSettings::default());
    let detail = text(&both, "problem_detail").unwrap();
    for part in ["SPRING", "[mrr.coupons]", "di_9", "expand[]=data.discounts"] {
        assert!(detail.contains(part), "{part} in {detail}");
    }
}

#[test]
fn the_definition_names_every_option_that_is_set() {
    let mut mrr = MrrSettings {
        past_due_grace_days: Some(7),
        no_subscription_status: Some("none".to_owned()),
        ..MrrSettings::default()
    };
    mrr.currency_digits.insert(usd(), 3);
    let said = definition(&mrr, &rates(), usd(), AmountMeaning::Total).join("\n");
    for part in
        ["7 days", "52/12", "even neighbour", "1 eur = 1.0842 usd (2026-10-31)", "`none`", "usd has 3", "already holds"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn no_rows_and_any_rows_have_the_documented_columns() {
    let canceled = monthly(|s| s.status = "canceled");
    let wrong = one(9900, "fortnight");
    for subs in [vec![], canceled, wrong, with_coupons(9900, "month", 1, &["P20", "SPRING"]), one(9900, "month")] {
        let billed = billed(&subs, &MrrSettings::default());
        assert_eq!(billed.subscriptions.height(), subs.len());
        for (column, dtype) in [
            ("ord", DataType::UInt32),
            ("customer", DataType::String),
            ("mrr", DataType::Int128),
            ("mrr_native", DataType::Int128),
            ("currency", DataType::String),
            ("counted", DataType::Boolean),
            ("status", DataType::String),
            ("rank", DataType::UInt8),
            ("live", DataType::Boolean),
            ("renews", DataType::Boolean),
            ("period_end_ahead", INSTANT),
            ("last_end", INSTANT),
            ("problem", DataType::String),
            ("problem_detail", DataType::String),
        ] {
            assert_eq!(billed.subscriptions.column(column).unwrap().dtype(), &dtype, "{column}");
        }
        let rounding = Rounding::HalfEven;
        let summary = summarise(billed.subscriptions.lazy(), "customer", billed.scale, rounding).collect().unwrap();
        for (column, dtype) in [
            ("mrr_exact", DataType::Int128),
            ("mrr", DataType::Int64),
            ("subscription_status", DataType::String),
            ("auto_renew", DataType::Boolean),
            ("period_end", INSTANT),
            ("problem", DataType::String),
            ("problem_detail", DataType::String),
            ("subscriptions", DataType::UInt32),
        ] {
            assert_eq!(summary.column(column).unwrap().dtype(), &dtype, "{column}");
        }
    }
}

#[test]
fn amounts_that_are_no_whole_cents_sum_up_exactly() {
    let billed = billed(&vec![one(10_000, "year").remove(0); 3000], &MrrSettings::default());
    let sum = billed.subscriptions.column("mrr").unwrap().i128().unwrap().iter().flatten().sum::<i128>();
    let exact = super::super::exact(sum, billed.scale);
    assert_eq!((exact.num.as_str(), exact.den.as_str()), ("2500000", "1"));
}
