use super::{
    super::{exact, summarise},
    AS_OF, billed, billed_by_rows,
    builder::{Discount, at, item, sub},
    by_customer,
    known_answers::{changed, monthly, one, with_coupons},
    summary, text,
};
use crate::{
    config::{MrrSettings, Rounding},
    table::INSTANT,
};
use polars::prelude::{DataType, IntoLazy};

#[test]
fn an_amount_without_a_rate_stays_known_in_its_own_currency() {
    let billed = billed(&changed(10_000, "year", |i| i.currency = "gbp"), &MrrSettings::default());
    let native = billed.subscriptions.column("mrr_native").unwrap().i128().unwrap().get(0).unwrap();
    let shown = exact(native, billed.scale);
    assert_eq!((shown.num.as_str(), shown.den.as_str()), ("2500", "3"));
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
        let summary = summarise(billed.subscriptions.clone().lazy(), "customer", &billed, rounding).unwrap();
        let summary = summary.collect().unwrap();
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
    let shown = exact(sum, billed.scale);
    assert_eq!((shown.num.as_str(), shown.den.as_str()), ("2500000", "1"));
}

#[test]
fn a_tie_stays_one_where_no_common_denominator_fits() {
    // Customers who pay in so many rhythms that 128 bits hold no common denominator.
    let mut others = vec![];
    for days in (7..200).filter(|days| *days != 31 && (2..*days).all(|divisor| days % divisor != 0)) {
        let subscription = sub(vec![item(1000, "day").with(|i| i.count = days)]);
        others.extend(vec![subscription.with(|s| s.customer = "cus_2"); 40]);
    }
    for (yearly, rounding, cents) in [
        (6, Rounding::HalfEven, 2),
        (6, Rounding::HalfUp, 2),
        (18, Rounding::HalfEven, 2),
        (18, Rounding::HalfUp, 3),
        (17, Rounding::HalfUp, 2),
    ] {
        // A cent a month between them, and a few a year.
        let mut subs = vec![sub(vec![item(1, "month").with(|i| i.count = 31)]); 31];
        subs.extend(one(yearly, "year"));
        subs.extend(others.clone());
        let mrr = MrrSettings { rounding, ..MrrSettings::default() };
        for (path, billed) in [("columns", billed(&subs, &mrr)), ("rows", billed_by_rows(&subs, &mrr))] {
            assert_ne!(billed.scale % 31, 0, "the tie is among the amounts that are rounded");
            let found = by_customer(&billed, &mrr).column("mrr").unwrap().i64().unwrap().get(0);
            assert_eq!(found, Some(cents), "{path}: one cent and {yearly}/12, {rounding:?}");
        }
    }
}

#[test]
fn nothing_is_remembered_where_the_common_denominator_holds_every_amount() {
    let subs = [one(10_000, "year"), one(9900, "week"), one(9900, "month")].concat();
    assert!(billed(&subs, &MrrSettings::default()).rests.is_empty());
}
