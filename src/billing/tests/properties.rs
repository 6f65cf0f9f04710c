use super::{
    AS_OF, billed, billed_by_rows,
    builder::{Discount, Item, Sub, Tier, at, coupon, item, shuffled, sub, tables},
    rates, summary, usd,
};
use crate::{
    billing::{Billed, bill},
    config::{CountedCoupons, MrrSettings, PausedCollection, UnknownCoupon},
    model::Instant,
};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed};
use proptest::prelude::*;
use std::cmp::Ordering;

/// Prices of which half the quantity costs half: per unit, in any interval, precision and currency.
fn linear() -> impl Strategy<Value = Item> {
    let interval = prop::sample::select(vec!["day", "week", "month", "year"]);
    let currency = prop::sample::select(vec!["usd", "eur", "jpy"]);
    let precision = prop::sample::select(vec![1, 1, 1, 2, 3, 7, 8, 100]);
    (0..10_000_000_i128, precision, 0..50_i64, interval, 1..7_i64, currency).prop_map(
        |(amount, precision, quantity, interval, count, currency)| {
            item(0, interval).with(|i| {
                (i.amount, i.quantity, i.count, i.currency) =
                    (Some((amount, precision)), Some(quantity * 2), count, currency);
            })
        },
    )
}

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    let tier = (prop::option::weighted(0.7, 1..60_i64), 0..2000_i128, 0..2000_i128);
    prop::collection::vec(tier, 0..4)
}

/// Any item that a table can hold, most of them sound.
fn any_item() -> impl Strategy<Value = Item> {
    let mode = prop::option::weighted(0.3, prop::sample::select(vec!["volume", "graduated", "stepwise"]));
    let divisor = (0..12_i64, prop::sample::select(vec!["up", "down"]));
    let odd = prop::sample::select((0..40).collect::<Vec<u8>>());
    let fine = prop::sample::select(vec![1, 1, 1, 100, 10_i128.pow(13)]);
    let taxes = prop::collection::vec((prop::sample::select(vec!["19", "7.5", "0"]), prop::bool::ANY), 0..2);
    let discounts = prop::collection::vec(discount(), 0..2);
    (linear(), mode, tiers(), prop::option::weighted(0.2, divisor), odd, fine, (taxes, discounts)).prop_map(
        |(item, mode, tiers, transform, odd, fine, (tax, discounts))| {
            item.with(|i| {
                (i.mode, i.tiers, i.transform, i.tax) = (mode, tiers, transform, tax);
                i.discounts = if odd % 3 == 0 { discounts } else { vec![] };
                i.amount = i.amount.map(|(num, den)| (num, den * fine));
                match odd {
                    0 => i.amount = None,
                    1 => i.quantity = None,
                    2 => (i.quantity, i.required) = (None, true),
                    3 => i.interval = "fortnight",
                    4 => i.count = 0,
                    5 => i.currency = "gbp",
                    6 => i.quantity = Some(-1),
                    7 => i.amount = Some((-1, 1)),
                    8 => (i.amount, i.quantity) = (Some((10_i128.pow(30), 1)), Some(i64::MAX)),
                    9 => i.amount = Some((10_i128.pow(15), 1)),
                    10 => i.usage = Some("metered"),
                    11 => i.total = true,
                    12 => i.quantity = Some(0),
                    13 => (i.amount, i.quantity, i.interval) = (Some((10_i128.pow(15), 1)), Some(1), "day"),
                    14..20 => i.product = "prod_b",
                    _ => {}
                }
            })
        },
    )
}

fn discount() -> impl Strategy<Value = Discount> {
    let coupons = vec!["P20", "P50", "P12_5", "P100", "ONCE20", "REP20", "B20", "A5", "E5", "SPRING"];
    let ids = vec![None, Some("di_1"), Some("di_2")];
    let months = prop::option::of(-2..6_i64);
    let days = |months: Option<i64>| months.map(|months| at(AS_OF) - months * 30 * 86_400_000);
    (prop::sample::select(coupons), prop::sample::select(ids), months, prop::option::weighted(0.2, -3..3_i64), 0..12)
        .prop_map(move |(coupon, id, start, end, odd)| Discount {
            id,
            coupon: (odd > 0 || id.is_none()).then_some(coupon),
            start: days(start),
            end: days(end),
        })
}

fn any_sub() -> impl Strategy<Value = Sub> {
    let customer = prop::sample::select(vec!["cus_1", "cus_2", "cus_3"]);
    let status = prop::sample::select(vec!["active", "active", "past_due", "trialing", "canceled"]);
    let discounts = || prop::collection::vec(discount(), 0..3);
    let taxes = prop::collection::vec((prop::sample::select(vec!["19", "7.5"]), prop::bool::ANY), 0..2);
    let pause = prop::option::weighted(0.1, prop::sample::select(vec!["void", "keep_as_draft"]));
    let items = prop::collection::vec(any_item(), 0..4);
    (customer, status, items, discounts(), discounts(), taxes, (pause, 0..4)).prop_map(
        |(customer, status, items, discounts, of_customer, tax, (pause, some))| {
            sub(items).with(|s| {
                (s.customer, s.status, s.tax, s.pause) = (customer, status, tax, pause);
                s.discounts = if some == 0 { discounts } else { vec![] };
                s.customer_discounts = if some == 1 { of_customer } else { vec![] };
            })
        },
    )
}

fn settings() -> impl Strategy<Value = MrrSettings> {
    use CountedCoupons::{All, Forever, None, Recurring};
    let coupons = prop::sample::select(vec![Recurring, Recurring, All, Forever, None]);
    (coupons, prop::bool::ANY, prop::bool::ANY).prop_map(|(coupons, ignore, trialing)| MrrSettings {
        coupons,
        unknown_coupon: if ignore { UnknownCoupon::Ignore } else { UnknownCoupon::Invalid },
        count_trialing: trialing,
        pause_collection: if trialing { PausedCollection::All } else { PausedCollection::Void },
        ..MrrSettings::default()
    })
}

/// What the answer says of each subscription, by the order in which they were read: MRR in both currencies in lowest terms,
/// the problem, its sentence.
type Answer = (Option<Exact>, Option<Exact>, Option<String>, Option<String>);

type Exact = BigRational;

fn answers(billed: &Billed) -> Vec<Answer> {
    let frame = &billed.subscriptions;
    let exact = |column: &str| -> Vec<_> {
        let counts = frame.column(column).unwrap().i128().unwrap();
        counts.iter().map(|count| Some(Exact::new(count?.into(), billed.scale.into()))).collect()
    };
    let text = |column: &str| -> Vec<_> {
        frame.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
    };
    let (mrr, native) = (exact("mrr"), exact("mrr_native"));
    let (problems, details) = (text("problem"), text("problem_detail"));
    let amounts = mrr.into_iter().zip(native);
    amounts.zip(problems.into_iter().zip(details)).map(|((a, b), (c, d))| (a, b, c, d)).collect()
}

/// Whether two answers agree. A scale that cannot hold every denominator rounds to far less than this.
fn agree(left: &[Answer], right: &[Answer]) -> bool {
    let close = |a: &Option<Exact>, b: &Option<Exact>| match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    };
    let same = |(a, b): (&Answer, &Answer)| close(&a.0, &b.0) && close(&a.1, &b.1) && (&a.2, &a.3) == (&b.2, &b.3);
    left.len() == right.len() && left.iter().zip(right).all(same)
}

fn near(a: &Exact, b: &Exact) -> bool {
    (a - b).abs() * BigInt::from(1_000_000_000) <= Exact::one()
}

/// The exact total in lowest terms, where all amounts are known.
fn total(subs: &[Sub]) -> Option<Exact> {
    let parts: Option<Vec<_>> = answers(&billed(subs, &MrrSettings::default())).into_iter().map(|a| a.0).collect();
    Some(parts?.into_iter().sum())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn columns_answer_what_rows_answer(subs in prop::collection::vec(any_sub(), 1..6), mrr in settings()) {
        let (columns, rows) = (answers(&billed(&subs, &mrr)), answers(&billed_by_rows(&subs, &mrr)));
        prop_assert!(agree(&columns, &rows), "{columns:#?} differ from {rows:#?}");
    }

    #[test]
    fn no_amount_is_below_zero_and_each_is_known_or_explained(subs in prop::collection::vec(any_sub(), 1..6), mrr in settings()) {
        for (amount, native, problem, detail) in answers(&billed(&subs, &mrr)) {
            prop_assert!(amount.as_ref().is_none_or(|amount| !amount.is_negative()));
            prop_assert!(native.is_none_or(|amount| !amount.is_negative()));
            prop_assert_eq!(amount.is_none(), problem.is_some());
            prop_assert_eq!(problem.is_some(), detail.is_some_and(|detail| !detail.is_empty()));
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(subs in prop::collection::vec(any_sub(), 1..6), mrr in settings(), seed in 0..u64::MAX) {
        let there = tables(&subs);
        let back = shuffled(&there, seed);
        let answer = |tables| {
            let billed = bill(tables, &mrr, &rates(), usd(), Instant::parse(AS_OF).unwrap()).unwrap();
            let ords: Vec<u32> = billed.subscriptions.column("ord").unwrap().u32().unwrap().iter().flatten().collect();
            let mut rows: Vec<_> = ords.into_iter().zip(answers(&billed)).collect();
            rows.sort_by_key(|row| row.0);
            rows.into_iter().map(|row| row.1).collect::<Vec<_>>()
        };
        let (there, back) = (answer(&there), answer(&back));
        prop_assert!(agree(&there, &back), "{there:#?} differ from {back:#?}");
    }

    #[test]
    fn two_subscriptions_of_half_the_quantity_are_one(items in prop::collection::vec(linear(), 1..4), coupons in prop::collection::vec(prop::sample::select(vec!["P20", "P12_5", "B20"]), 0..3), taxed in prop::bool::ANY) {
        let subscription = |items: Vec<Item>| sub(items).with(|s| {
            s.discounts = coupons.iter().map(|id| coupon(id)).collect();
            s.tax = if taxed { vec![("19", true)] } else { vec![] };
        });
        let half = |i: Item| i.with(|i| i.quantity = i.quantity.map(|q| q / 2));
        let halves = subscription(items.iter().cloned().map(half).collect());
        prop_assert_eq!(total(&[subscription(items)]), total(&[halves.clone(), halves]));
    }

    #[test]
    fn the_total_is_the_sum_of_its_parts(subs in prop::collection::vec(any_sub(), 1..6)) {
        // Apart from a customer's discounts and ids that several rows name, a subscription knows of no other.
        let alone = |s: &Sub| s.clone().with(|s| {
            s.customer_discounts.clear();
            s.discounts.iter_mut().chain(s.items.iter_mut().flat_map(|i| &mut i.discounts)).for_each(|d| {
                (d.id, d.coupon) = (None, d.coupon.or(Some("P20")));
            });
        });
        let subs: Vec<Sub> = subs.iter().map(alone).collect();
        let parts: Option<Vec<_>> = subs.iter().map(|s| total(std::slice::from_ref(s))).collect();
        let sum = parts.map(|parts| parts.into_iter().sum::<Exact>());
        let agrees = sum.as_ref().zip(total(&subs).as_ref()).is_none_or(|(sum, total)| near(sum, total));
        prop_assert!(agrees && sum.is_some() == total(&subs).is_some());
    }

    #[test]
    fn plain_prices_add_up_to_the_last_fraction(items in prop::collection::vec(linear(), 1..8)) {
        let subs: Vec<Sub> = items.into_iter().map(|item| sub(vec![item])).collect();
        let parts: Option<Vec<_>> = subs.iter().map(|s| total(std::slice::from_ref(s))).collect();
        prop_assert_eq!(parts.map(|parts| parts.into_iter().sum::<Exact>()), total(&subs));
    }

    #[test]
    fn a_customer_brings_what_its_subscriptions_bring_rounded_once(subs in prop::collection::vec(any_sub(), 1..6)) {
        let mrr = MrrSettings::default();
        let parts = answers(&billed(&subs, &mrr));
        let found = summary(&subs, &mrr);
        let (customers, sums) = (found.column("customer").unwrap().str().unwrap(), found.column("mrr").unwrap().i64().unwrap());
        for (customer, sum) in customers.iter().zip(sums.iter()) {
            let own = subs.iter().zip(&parts).filter(|(s, _)| Some(s.customer) == customer);
            let exact: Option<Vec<_>> = own.map(|(_, part)| part.0.clone()).collect();
            prop_assert_eq!(sum, exact.map(|own| half_even(&own.into_iter().sum())));
        }
    }

    #[test]
    fn no_amount_wraps(amount in 0..i128::MAX, quantity in 0..i64::MAX, copies in 1..5_usize) {
        let huge = sub(vec![item(amount, "month").with(|i| i.quantity = Some(quantity))]);
        let found = total(&vec![huge; copies]);
        let fits = amount.checked_mul(i128::from(quantity)).filter(|product| *product <= 1_000_000_000_000_000);
        prop_assert_eq!(found, fits.map(|product| Exact::from_integer((product * copies as i128).into())));
    }
}

fn half_even(exact: &Exact) -> i64 {
    let (whole, rest) = (exact.floor().to_integer(), exact.fract());
    let up = match rest.cmp(&Exact::new(1.into(), 2.into())) {
        Ordering::Less => false,
        Ordering::Equal => whole.is_odd(),
        Ordering::Greater => true,
    };
    i64::try_from(whole).unwrap() + i64::from(up)
}
