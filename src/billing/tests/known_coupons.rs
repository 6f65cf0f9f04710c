use super::{
    AS_OF,
    builder::{Discount, Sub, at, coupon, item, sub},
    known_answers::{Case, DEFAULT, monthly, with_coupons},
    usd,
};
use crate::config::{CountedCoupons, DefinedCoupon, UnknownCoupon};

fn discounted(start: Option<&str>, end: Option<&str>, id: &'static str) -> Vec<Sub> {
    let discount = Discount { id: Some("di_1"), coupon: Some(id), start: start.map(at), end: end.map(at) };
    monthly(|s| s.discounts = vec![discount])
}

/// 100.00 a month with these coupons on the item.
fn on_item(coupons: &[&'static str]) -> Vec<Sub> {
    vec![sub(vec![item(10_000, "month").with(|i| i.discounts = coupons.iter().map(|id| coupon(id)).collect())])]
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub fn cases() -> Vec<Case> {
    vec![
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
        ("an item's percentage", on_item(&["P20"]), DEFAULT, Ok(8000)),
        ("an item's amount", on_item(&["A5"]), DEFAULT, Ok(9500)),
        ("an item's percentage before its amount", on_item(&["A5", "P20"]), DEFAULT, Ok(7500)),
        ("a subscription's amount, ÷ 12", with_coupons(120_000, "year", 1, &["A120"]), DEFAULT, Ok(9000)),
        ("a customer's amount", monthly(|s| s.customer_discounts = vec![coupon("A5")]), DEFAULT, Ok(9400)),
        (
            "an item's amount before the subscription's percentage and amount",
            // ((100.00 − 5.00) × 80 %) − 5.00
            on_item(&["A5"]).into_iter().map(|s| s.with(|s| s.discounts = vec![coupon("A5"), coupon("P20")])).collect(),
            DEFAULT,
            Ok(7100),
        ),
        (
            "a customer's gives way to an item's",
            on_item(&["P20"]).into_iter().map(|s| s.with(|s| s.customer_discounts = vec![coupon("P50")])).collect(),
            DEFAULT,
            Ok(8000),
        ),
        (
            "a customer's gives way to one that is in force though it does not count",
            monthly(|s| (s.discounts, s.customer_discounts) = (vec![coupon("ONCE20")], vec![coupon("P50")])),
            DEFAULT,
            Ok(9900),
        ),
        (
            "a customer's gives way to one on a metered item",
            vec![
                sub(vec![
                    item(10_000, "month"),
                    item(1, "month").with(|i| (i.usage, i.discounts) = (Some("metered"), vec![coupon("SPRING")])),
                ])
                .with(|s| s.customer_discounts = vec![coupon("P50")]),
            ],
            DEFAULT,
            Ok(10_000),
        ),
        (
            "a customer's does not give way to one that ended",
            discounted(None, Some(AS_OF), "P20")
                .into_iter()
                .map(|s| s.with(|s| s.customer_discounts = vec![coupon("P50")]))
                .collect(),
            DEFAULT,
            Ok(4950),
        ),
        (
            "a customer's that nothing defines gives way too",
            monthly(|s| (s.discounts, s.customer_discounts) = (vec![coupon("P20")], vec![coupon("SPRING")])),
            DEFAULT,
            Ok(7920),
        ),
        (
            "an amount for one product, ÷ the interval of that product's item",
            // 100.00 + 100.00 − 50.00 / 12
            vec![
                sub(vec![item(10_000, "month"), item(120_000, "year").with(|i| i.product = "prod_b")])
                    .with(|s| s.discounts = vec![coupon("B_A50")]),
            ],
            DEFAULT,
            Ok(19_583),
        ),
        (
            "an amount for one product is never taken from another",
            vec![
                sub(vec![item(10_000, "month"), item(1000, "month").with(|i| i.product = "prod_b")])
                    .with(|s| s.discounts = vec![coupon("B_A50")]),
            ],
            DEFAULT,
            Ok(10_000),
        ),
        ("begins exactly now", discounted(Some(AS_OF), None, "P20"), DEFAULT, Ok(7920)),
        ("begins later", discounted(Some("2026-11-01T00:00:01Z"), None, "P20"), DEFAULT, Ok(9900)),
        (
            "one discount on the item and on the subscription",
            on_item(&[])
                .into_iter()
                .map(|s| {
                    s.with(|s| {
                        let named = Discount { id: Some("di_1"), ..coupon("P20") };
                        (s.items[0].discounts, s.discounts) = (vec![named.clone()], vec![named]);
                    })
                })
                .collect(),
            DEFAULT,
            Ok(8000),
        ),
        (
            "one discount, of which another row knows the end",
            monthly(|s| {
                let named = Discount { id: Some("di_1"), ..coupon("REP20") };
                s.discounts = vec![Discount { end: Some(at(AS_OF)), ..named.clone() }, named];
            }),
            DEFAULT,
            Ok(9900),
        ),
        (
            "two discounts of one coupon",
            monthly(|s| {
                let named = |id| Discount { id: Some(id), ..coupon("P50") };
                s.discounts = vec![named("di_1"), named("di_2")];
            }),
            DEFAULT,
            Ok(2475),
        ),
        (
            "unknown on what does not count",
            monthly(|s| (s.status, s.discounts) = ("trialing", vec![coupon("SPRING")])),
            DEFAULT,
            Ok(0),
        ),
        (
            "unknown and ignored, the customer's does not give way",
            monthly(|s| (s.discounts, s.customer_discounts) = (vec![coupon("SPRING")], vec![coupon("P50")])),
            |m| m.unknown_coupon = UnknownCoupon::Ignore,
            Ok(4950),
        ),
        ("none counted", with_coupons(9900, "month", 1, &["P20"]), |m| m.coupons = CountedCoupons::None, Ok(9900)),
        ("forever only", with_coupons(9900, "month", 1, &["P20"]), |m| m.coupons = CountedCoupons::Forever, Ok(7920)),
    ]
}
