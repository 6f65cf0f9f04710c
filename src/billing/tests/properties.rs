use super::{
    billed,
    builder::{Item, Sub, coupon, item, sub},
    summary,
};
use crate::config::MrrSettings;
use proptest::prelude::*;

fn items() -> impl Strategy<Value = Item> {
    let interval = prop::sample::select(vec!["day", "week", "month", "year"]);
    let currency = prop::sample::select(vec!["usd", "eur", "jpy"]);
    (0..10_000_000_i128, 1..1000_i128, 0..50_i64, interval, 1..7_i64, currency).prop_map(
        |(amount, precision, quantity, interval, count, currency)| {
            item(0, interval).with(|i| {
                (i.amount, i.quantity, i.count, i.currency) =
                    (Some((amount, precision)), Some(quantity * 2), count, currency);
            })
        },
    )
}

fn subs() -> impl Strategy<Value = Sub> {
    let coupons = prop::collection::vec(prop::sample::select(vec!["P20", "P12_5", "A5", "E5", "B20"]), 0..3);
    (prop::collection::vec(items(), 1..4), coupons, prop::bool::ANY).prop_map(|(items, coupons, taxed)| {
        sub(items).with(|s| {
            s.discounts = coupons.into_iter().map(coupon).collect();
            s.tax = if taxed { vec![("19", true)] } else { vec![] };
        })
    })
}

/// The exact total in lowest terms, and whether all amounts are known.
fn total(subs: &[Sub]) -> Option<(i128, i128)> {
    let billed = billed(subs, &MrrSettings::default());
    let amounts = billed.subscriptions.column("mrr").unwrap().i128().unwrap().clone();
    assert!(amounts.iter().flatten().all(|amount| amount >= 0));
    if amounts.iter().any(|amount| amount.is_none()) {
        return None;
    }
    let total = num_rational::Ratio::new(amounts.iter().flatten().sum::<i128>(), billed.scale);
    Some((*total.numer(), *total.denom()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_rows_changes_nothing(subs in prop::collection::vec(subs(), 1..8)) {
        let reversed: Vec<Sub> = subs.iter().rev().cloned().map(|s| s.with(|s| s.items.reverse())).collect();
        // Items are told apart by their ids, which the builder numbers by position: amounts that are spread may differ
        // in the order of equal shares only, so the rounded sums agree.
        let (there, back) = (summary(&subs, &MrrSettings::default()), summary(&reversed, &MrrSettings::default()));
        prop_assert_eq!(there.column("mrr").unwrap(), back.column("mrr").unwrap());
    }

    #[test]
    fn two_subscriptions_of_half_the_quantity_are_one(items in prop::collection::vec(items(), 1..4)) {
        let half = |i: Item| i.with(|i| i.quantity = i.quantity.map(|q| q / 2));
        let halves = sub(items.iter().cloned().map(half).collect());
        prop_assert_eq!(total(&[sub(items)]), total(&[halves.clone(), halves]));
    }

    #[test]
    fn the_total_is_the_sum_of_its_parts(subs in prop::collection::vec(subs(), 1..6)) {
        let parts: Vec<_> = subs.iter().map(|s| total(std::slice::from_ref(s))).collect();
        if let (Some(parts), Some(whole)) = (parts.into_iter().collect::<Option<Vec<_>>>(), total(&subs)) {
            let sum = parts.into_iter().fold(num_rational::Ratio::from_integer(0_i128), |sum, (n, d)| sum + num_rational::Ratio::new(n, d));
            prop_assert_eq!((*sum.numer(), *sum.denom()), whole);
        }
    }

    #[test]
    fn no_amount_wraps(amount in 0..i128::MAX, quantity in 0..i64::MAX, copies in 1..5_usize) {
        let huge = sub(vec![item(amount, "month").with(|i| i.quantity = Some(quantity))]);
        let found = total(&vec![huge; copies]);
        let fits = amount.checked_mul(i128::from(quantity)).filter(|product| *product <= 1_000_000_000_000_000);
        prop_assert_eq!(found, fits.map(|product| (product * copies as i128, 1)));
    }
}
