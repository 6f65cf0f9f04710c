//! An explanation says how the sum came about that the computation found: never another one.

use super::{
    AS_OF, billed,
    builder::{Discount, Item, Sub, accounts, at, coupon, item, sub, tables},
    rates, usd,
};
use crate::{
    billing::{
        bill, exact,
        explain::{SubscriptionWorking, TakenOut, Verdict, agree, explain},
    },
    config::{CountedCoupons, MrrSettings, PausedCollection, UnknownCoupon},
    model::{Instant, Reason},
    runs::Exact,
    table::Discounts,
};
use num_rational::BigRational;
use polars::prelude::Column;
use proptest::prelude::*;

pub fn explained(subs: &[Sub], customers: &[&str], mrr: &MrrSettings) -> Vec<SubscriptionWorking> {
    explain(&tables(subs), customers, mrr, &rates(), usd(), Instant::parse(AS_OF).unwrap()).unwrap()
}

fn rational(exact: &Exact) -> BigRational {
    BigRational::new(exact.num.parse().unwrap(), exact.den.parse().unwrap())
}

/// A date around as-of, or none.
fn instants() -> impl Strategy<Value = Option<i64>> {
    prop::option::of((-40..40_i64).prop_map(|days| at(AS_OF) + days * 86_400_000))
}

fn discounts() -> impl Strategy<Value = Vec<Discount>> {
    // Mostly what leads to a sum: a problem hides every other step.
    let known = vec!["P20", "P12_5", "P100", "ONCE20", "REP20", "A5", "A50", "E5", "B20", "B_A50"];
    let coupons = prop_oneof![30 => prop::sample::select(known), 1 => Just("NOBODY")];
    let rarely = || instants().prop_flat_map(|at| prop_oneof![2 => Just(None), 1 => Just(at)]);
    let ids = prop::option::weighted(0.3, prop::sample::select(vec!["di_1", "di_2"]));
    let one = (ids, prop::option::weighted(0.97, coupons), rarely(), rarely())
        .prop_map(|(id, coupon, start, end)| Discount { id, coupon, start, end });
    prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(one, 1..3)]
}

fn items() -> impl Strategy<Value = Item> {
    let price = (0..1_000_000_i128, prop::sample::select(vec![1, 10, 1000_i128]), prop::option::of(0..60_i64));
    let known = prop::sample::select(vec!["day", "week", "month", "year"]);
    let interval = (prop_oneof![30 => known, 1 => Just("fortnight")], 1..5_i64);
    let kind = (
        prop_oneof![30 => prop::sample::select(vec!["usd", "eur", "jpy"]), 1 => Just("gbp")],
        prop::sample::select(vec!["prod_a", "prod_b"]),
        prop::sample::select(vec![Some("licensed"), None, Some("metered")]),
    );
    let mode = prop::sample::select(vec![None, None, Some("graduated"), Some("volume")]);
    let transform = prop::sample::select(vec![None, None, Some((7, "up")), Some((3, "down"))]);
    let tax = prop::sample::select(vec![vec![], vec![("19", true)], vec![("7.7", false)]]);
    (price, interval, kind, mode, transform, discounts(), tax).prop_map(
        |((amount, precision, quantity), (interval, count), kind, mode, transform, discounts, tax)| {
            item(0, interval).with(|i| {
                (i.amount, i.quantity, i.count) = (Some((amount, precision)), quantity, count);
                (i.currency, i.product, i.usage) = kind;
                (i.mode, i.transform, i.discounts, i.tax) = (mode, transform, discounts, tax);
                i.tiers = mode.map_or(vec![], |_| vec![(Some(10), 500, 0), (None, 300, 1000)]);
            })
        },
    )
}

fn subs() -> impl Strategy<Value = Sub> {
    let statuses = vec!["active", "active", "active", "past_due", "trialing", "unpaid", "canceled", "odd"];
    let pauses = prop::sample::select(vec![None, None, Some("void"), Some("keep_as_draft")]);
    (
        prop::collection::vec(items(), 0..4),
        (prop::sample::select(statuses), prop::sample::select(vec!["cus_1", "cus_2"])),
        (prop::bool::weighted(0.2), instants(), instants(), prop::option::weighted(0.1, Just(at(AS_OF)))),
        (pauses, instants()),
        (discounts(), discounts()),
    )
        .prop_map(
            |(items, (status, customer), (at_end, cancel_at, period_end, ended_at), pause, (own, of_customer))| {
                sub(items).with(|s| {
                    (s.status, s.customer) = (status, customer);
                    (s.cancel_at_period_end, s.period_end, s.ended_at) = (at_end, period_end, ended_at);
                    s.cancel_at = cancel_at.filter(|_| at_end);
                    (s.pause, s.resumes_at) = pause;
                    (s.discounts, s.customer_discounts) = (own, of_customer);
                })
            },
        )
}

fn options() -> impl Strategy<Value = MrrSettings> {
    let pauses = vec![PausedCollection::Void, PausedCollection::All, PausedCollection::None];
    let coupons = vec![CountedCoupons::Recurring, CountedCoupons::All, CountedCoupons::Forever, CountedCoupons::None];
    (
        (any::<bool>(), any::<bool>(), prop::option::of(0..30_u32)),
        prop::sample::select(pauses),
        prop::sample::select(coupons),
        prop::sample::select(vec![UnknownCoupon::Invalid, UnknownCoupon::Ignore]),
    )
        .prop_map(|((trialing, at_request, grace), pause, coupons, unknown)| MrrSettings {
            count_trialing: trialing,
            cancel_at_request: at_request,
            past_due_grace_days: grace,
            pause_collection: pause,
            coupons,
            unknown_coupon: unknown,
            ..MrrSettings::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_explained_sum_is_the_computed_one(subs in prop::collection::vec(subs(), 1..5), mrr in options()) {
        let billed = billed(&subs, &mrr);
        let sums = billed.subscriptions.column("mrr").unwrap().i128().unwrap().clone();
        let problems = billed.subscriptions.column("problem").unwrap().str().unwrap().clone();
        let counted = billed.subscriptions.column("counted").unwrap().bool().unwrap().clone();
        for customer in ["cus_1", "cus_2"] {
            for working in explained(&subs, &[customer], &mrr) {
                let row = working.ord as usize;
                let id = &working.id;
                prop_assert_eq!(&working.customer, customer);
                prop_assert_eq!(counted.get(row), Some(working.counted), "{}", id);
                prop_assert_eq!(working.taken_out.is_none(), working.counted, "{}", id);
                let mrr = sums.get(row).map(|sum| exact(sum, billed.scale));
                let found = working.mrr.as_ref().map(|mrr| &mrr.minor);
                prop_assert_eq!(found.is_some(), mrr.is_some(), "{}", id);
                prop_assert!(found.zip(mrr.as_ref()).is_none_or(|(one, other)| agree(one, other)), "{}", id);
                let problem = working.problem.as_ref().map(|problem| problem.reason.as_str());
                prop_assert_eq!(problem, problems.get(row), "{}", id);
                parts_lead_to_the_sum(&working);
            }
        }
    }
}

/// Every amount on the way adds up.
fn parts_lead_to_the_sum(working: &SubscriptionWorking) {
    let zero = || BigRational::from_integer(0.into());
    for item in working.items.iter().filter(|item| !item.metered) {
        let (Some(monthly), Some(mrr)) = (&item.monthly, &item.mrr) else { continue };
        let per_period = rational(&item.per_period.as_ref().unwrap().minor);
        assert_eq!(per_period * rational(item.monthly_factor.as_ref().unwrap()), rational(&monthly.minor));
        let taken = working.discounts.iter().flat_map(|discount| &discount.taken);
        let taken =
            taken.filter(|taken| taken.item == item.number).fold(zero(), |sum, t| sum + rational(&t.amount.minor));
        let tax = item.tax.as_ref().map_or(zero(), |tax| rational(&tax.taken.minor));
        assert_eq!(rational(&monthly.minor) - taken - tax, rational(&mrr.minor), "{}", working.id);
        if !item.tiers.is_empty() {
            let tiers = item.tiers.iter().fold(zero(), |sum, tier| sum + rational(&tier.cost.minor));
            assert_eq!(tiers, rational(&item.per_period.as_ref().unwrap().minor), "{}", working.id);
        }
    }
    for sum in &working.sums {
        let items = working.items.iter().filter(|item| !item.metered);
        let items = items.filter(|item| item.currency.as_deref() == Some(&sum.monthly.currency));
        let total = items.filter_map(|item| item.mrr.as_ref()).fold(zero(), |sum, mrr| sum + rational(&mrr.minor));
        assert_eq!(total, rational(&sum.monthly.minor), "{}", working.id);
    }
    if let Some(whole) = &working.working {
        let converted = working.sums.iter().filter_map(|sum| sum.converted.as_ref());
        assert_eq!(converted.fold(zero(), |sum, part| sum + rational(&part.minor)), rational(&whole.minor));
    }
}

/// Name, rule, part of the sentence, and what is changed, given as-of and a day ahead of it.
type Case = (&'static str, Option<TakenOut>, &'static str, fn(&mut Sub, Option<i64>, Option<i64>));

#[test]
fn the_first_rule_that_takes_a_subscription_out_is_its_reason() {
    let at_as_of = Some(at(AS_OF));
    let ahead = Some(at(AS_OF) + 20 * 86_400_000);
    let cases: &[Case] = &[
        ("active", None, "it is active", |_, _, _| ()),
        ("trial", Some(TakenOut::Trial), "it is in its trial", |s, _, _| s.status = "trialing"),
        ("unpaid", Some(TakenOut::Status), "its status is unpaid; only active and past_due count", |s, _, _| {
            s.status = "unpaid";
        }),
        ("canceled", Some(TakenOut::Status), "its status is canceled since 2026-11-01; only", |s, now, _| {
            (s.status, s.ended_at) = ("canceled", now);
        }),
        ("ended", Some(TakenOut::Ended), "it ended on 2026-11-01", |s, now, _| s.ended_at = now),
        ("cancel_at", Some(TakenOut::CanceledAt), "it was set to cancel on 2026-11-01", |s, now, _| s.cancel_at = now),
        ("period", Some(TakenOut::PeriodEnded), "end of its period, which ended on 2026-11-01", |s, now, _| {
            (s.cancel_at_period_end, s.period_end) = (true, now);
        }),
        ("to end", None, "it is active; it is set to cancel on 2026-11-21, and counts until then", |s, _, ahead| {
            (s.cancel_at_period_end, s.period_end) = (true, ahead);
        }),
        ("void", Some(TakenOut::Paused), "paused (void) with no end set, and such a pause counts 0", |s, _, _| {
            s.pause = Some("void");
        }),
        ("draft", None, "paused (keep_as_draft) until 2026-11-21, and it counts", |s, _, ahead| {
            (s.pause, s.resumes_at) = (Some("keep_as_draft"), ahead);
        }),
        ("resumed", None, "it is active; its pause ended on 2026-11-01", |s, now, _| {
            (s.pause, s.resumes_at) = (Some("void"), now);
        }),
    ];
    for (name, rule, why, change) in cases {
        let given = sub(vec![item(9900, "month")]).with(|s| change(s, at_as_of, ahead));
        let found = explained(&[given], &["cus_1"], &MrrSettings::default()).remove(0);
        assert_eq!(found.taken_out, *rule, "{name}");
        assert!(found.why.contains(why), "{name}: {}", found.why);
    }
    let strict = MrrSettings { cancel_at_request: true, past_due_grace_days: Some(7), ..MrrSettings::default() };
    let asked = sub(vec![]).with(|s| (s.cancel_at_period_end, s.period_end) = (true, ahead));
    let late = sub(vec![]).with(|s| (s.status, s.period_end) = ("past_due", Some(at("2026-10-25"))));
    let found = explained(&[asked, late], &["cus_1"], &strict);
    assert_eq!((found[0].taken_out, found[1].taken_out), (Some(TakenOut::CancelAsked), Some(TakenOut::GraceOver)));
    assert!(found[1].why.contains("ended on 2026-10-25, 7 days or more ago"), "{}", found[1].why);
    for (place, rule) in TakenOut::ALL.into_iter().enumerate() {
        assert_eq!(rule as usize, place, "the column holds the place in `ALL`");
    }
}

#[test]
fn every_discount_that_is_seen_says_what_becomes_of_it() {
    let dated =
        |id, start: Option<&str>, end: Option<&str>| Discount { start: start.map(at), end: end.map(at), ..coupon(id) };
    let with = |discounts: Vec<Discount>| sub(vec![item(9900, "month")]).with(|s| s.discounts = discounts);
    let named = |id| Discount { id: Some(id), ..coupon("P20") };
    let cases = [
        ("in force", with(vec![coupon("P20")]), vec![Verdict::Applies], "in force"),
        (
            "later",
            with(vec![dated("P20", Some("2026-11-02"), None)]),
            vec![Verdict::NotBegun],
            "it begins on 2026-11-02",
        ),
        ("over", with(vec![dated("P20", None, Some("2026-11-01"))]), vec![Verdict::Ended], "it ended on 2026-11-01"),
        (
            "months",
            with(vec![dated("REP20", Some("2026-08-01"), None)]),
            vec![Verdict::Ended],
            "it ended on 2026-11-01",
        ),
        ("once", with(vec![coupon("ONCE20")]), vec![Verdict::NotCounted], "does not recur"),
        ("twice", with(vec![named("di_1"), named("di_1")]), vec![Verdict::Applies, Verdict::Repeated], "counts once"),
        ("other product", with(vec![coupon("B20")]), vec![Verdict::OtherProducts], "applies only to prod_b"),
        ("euros", with(vec![coupon("E5")]), vec![Verdict::OtherCurrency], "another currency"),
        (
            "customer's",
            with(vec![coupon("P20")]).with(|s| s.customer_discounts = vec![coupon("P50")]),
            vec![Verdict::Applies, Verdict::GivesWay],
            "gives way",
        ),
        ("unknown", with(vec![coupon("SPRING")]), vec![Verdict::Unknown], "nothing defines it"),
    ];
    for (name, given, verdicts, why) in cases {
        let found = explained(&[given], &["cus_1"], &MrrSettings::default()).remove(0);
        let got: Vec<_> = found.discounts.iter().map(|discount| discount.verdict).collect();
        assert_eq!(got, verdicts, "{name}");
        let last = &found.discounts.last().unwrap().why;
        assert!(last.contains(why), "{name}: {last}");
        let unknown = found.problem.map(|problem| problem.reason);
        assert_eq!(unknown, (name == "unknown").then_some(Reason::CouponUnknown), "{name}");
    }
    let ignored = MrrSettings { unknown_coupon: UnknownCoupon::Ignore, ..MrrSettings::default() };
    assert_eq!(
        explained(&[with(vec![coupon("SPRING")])], &["cus_1"], &ignored)[0].discounts[0].verdict,
        Verdict::Ignored
    );
    let none = MrrSettings { coupons: CountedCoupons::None, ..MrrSettings::default() };
    assert_eq!(
        explained(&[with(vec![coupon("SPRING")])], &["cus_1"], &none)[0].discounts[0].verdict,
        Verdict::NotCounted
    );
}

#[test]
fn two_sums_are_one_only_where_no_rounding_could_tell_them_apart() {
    let exact = |num: &str, den: &str| Exact { num: num.to_owned(), den: den.to_owned() };
    for (one, other, same) in [
        (exact("25", "3"), exact("25", "3"), true),
        (exact("25", "3"), exact("8333333333333", "1000000000000"), true),
        (exact("25", "3"), exact("8333", "1000"), false),
        (exact("-1", "1"), exact("1", "1"), false),
    ] {
        assert_eq!(agree(&one, &other), same, "{one:?} {other:?}");
    }
}

#[test]
fn of_a_customer_read_twice_only_the_row_that_stands_has_discounts() {
    let with = |coupons: &[&'static str]| {
        let discounts = coupons.iter().map(|id| coupon(id)).collect();
        vec![sub(vec![item(10_000, "month")]).with(|s| s.customer_discounts = discounts)]
    };
    let (early, late) = (Some(at("2026-10-01")), Some(at("2026-10-02")));
    // Rows of cus_1 in the order of reading, which of them shows which coupon, and what is sent.
    let cases = [
        ("an older file", [None, None], vec![("P20", 0)], 10_000),
        ("a newer file", [None, None], vec![("P20", 1)], 8000),
        ("both files", [None, None], vec![("P20", 0), ("P50", 1)], 5000),
        ("an earlier event, read later", [late, early], vec![("P20", 1)], 10_000),
        ("a later event, read first", [late, early], vec![("P20", 0)], 8000),
        ("a file after an event", [early, None], vec![("P20", 1)], 10_000),
    ];
    for (name, events, discounts, expected) in cases {
        let coupons: Vec<&'static str> = discounts.iter().map(|(coupon, _)| *coupon).collect();
        let mut tables = tables(&with(&coupons));
        tables.accounts = accounts(&events.map(|event| ("cus_1", event)));
        let mut frame = tables.discounts.frame().clone();
        let owners: Vec<u32> = discounts.iter().map(|(_, owner)| *owner).collect();
        frame.with_column(Column::new("owner".into(), owners)).unwrap();
        tables.discounts = Discounts::new(frame).unwrap();
        let (mrr, as_of) = (MrrSettings::default(), Instant::parse(AS_OF).unwrap());
        let billed = bill(&tables, &mrr, &rates(), usd(), as_of).unwrap();
        let sum = billed.subscriptions.column("mrr").unwrap().i128().unwrap().get(0);
        assert_eq!(sum, Some(expected * billed.scale), "{name}");
        let found = explain(&tables, &["cus_1"], &mrr, &rates(), usd(), as_of).unwrap().remove(0);
        assert_eq!(found.mrr.unwrap().minor, exact(expected, 1), "{name}");
    }
}

#[test]
fn a_discount_stays_on_its_item_where_another_cannot_be_priced() {
    let plain = |coupon_of: Option<&'static str>| {
        item(10_000, "month").with(|i| i.discounts = coupon_of.into_iter().map(coupon).collect())
    };
    let odd = |coupon_of| plain(coupon_of).with(|i| i.interval = "fortnight");
    let metered = plain(None).with(|i| i.usage = Some("metered"));
    // Items, coupons of the subscription, and of the one discount: the item that carries it, what it takes off, its verdict.
    let cases = [
        ("B of A, B, C", vec![odd(None), plain(Some("P20")), plain(None)], None, Some(2), vec![2], Verdict::Applies),
        ("B of A, B", vec![odd(None), plain(Some("P20"))], None, Some(2), vec![2], Verdict::Applies),
        ("A of A, B", vec![odd(Some("P20")), plain(None)], None, Some(1), vec![], Verdict::Unpriced),
        (
            "A's product",
            vec![odd(None).with(|i| i.product = "prod_b"), plain(None)],
            Some("B20"),
            None,
            vec![],
            Verdict::Unpriced,
        ),
        ("nobody's product", vec![odd(None), plain(None)], Some("B20"), None, vec![], Verdict::OtherProducts),
        ("the rest", vec![odd(None), plain(None)], Some("P20"), None, vec![2], Verdict::Applies),
        ("metered only", vec![metered], Some("P20"), None, vec![], Verdict::Metered),
    ];
    for (name, items, own, carrier, taken, verdict) in cases {
        let given = sub(items).with(|s| s.discounts = own.into_iter().map(coupon).collect());
        let found = explained(&[given], &["cus_1"], &MrrSettings::default()).remove(0);
        let [discount] = found.discounts.as_slice() else { panic!("{name}") };
        assert_eq!(discount.item, carrier, "{name}");
        assert_eq!(discount.taken.iter().map(|taken| taken.item).collect::<Vec<_>>(), taken, "{name}");
        assert_eq!(discount.verdict, verdict, "{name}: {}", discount.why);
        assert!(!discount.why.ends_with(' '), "{name}: {}", discount.why);
    }
}
