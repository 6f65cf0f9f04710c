//! Of what the customers and the subscriptions are made up, beside the last completed run.

use super::{Figure, Look};
use crate::model::STRIPE_SUBSCRIPTIONS;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

const EARLIER_VERSION: &str = "the last completed run is of an earlier version, which did not count them";

type Counts = BTreeMap<String, u64>;

/// How far the share of a status moved, per product.
pub(super) fn statuses(look: &Look<'_>) -> Vec<Figure> {
    let Some(previous) = look.asked.previous else { return vec![Figure::first_run()] };
    let figure = |product: &str| {
        let Some(before) = &previous.mix else { return Figure::none(Some(product), EARLIER_VERSION) };
        match (look.asked.mix.and_then(|now| now.statuses.get(product)), before.statuses.get(product)) {
            (Some(now), Some(before)) => shift(look, product, "customers", now, before),
            (_, None) => Figure::none(Some(product), "the last completed run had no customer of it"),
            (None, Some(before)) => shift(look, product, "customers", &Counts::new(), before),
        }
    };
    look.asked.products.iter().map(|product| figure(&product.name)).collect()
}

/// How far the share of a currency among Stripe's subscriptions moved.
pub(super) fn currencies(look: &Look<'_>) -> Vec<Figure> {
    vec![with_currencies(look, |now, before| shift(look, STRIPE_SUBSCRIPTIONS, "subscriptions", now, before))]
}

/// Currencies of which the last completed run had no subscription.
pub(super) fn new_currencies(look: &Look<'_>) -> Vec<Figure> {
    vec![with_currencies(look, |now, before| {
        let new: Vec<String> = now
            .iter()
            .filter(|(code, _)| !before.contains_key(*code))
            .map(|(code, count)| format!("{} ({count})", code.to_uppercase()))
            .collect();
        let what = match new.as_slice() {
            [] => format!("{STRIPE_SUBSCRIPTIONS}: every currency was there in the last completed run"),
            new => format!("{STRIPE_SUBSCRIPTIONS}: the last completed run had no subscription in {}", new.join(", ")),
        };
        Figure::new(Some(STRIPE_SUBSCRIPTIONS), new.len() as u64, what)
    })]
}

fn with_currencies(look: &Look<'_>, compare: impl Fn(&Counts, &Counts) -> Figure) -> Figure {
    let Some(previous) = look.asked.previous else { return Figure::first_run() };
    match (look.asked.mix, &previous.mix) {
        (Some(now), Some(before)) if !before.currencies.is_empty() => compare(&now.currencies, &before.currencies),
        (_, None) => Figure::none(Some(STRIPE_SUBSCRIPTIONS), EARLIER_VERSION),
        _ => Figure::none(Some(STRIPE_SUBSCRIPTIONS), "the last completed run had no subscription"),
    }
}

/// The largest move of a share, in percentage points; a share of nothing is 0.
fn shift(look: &Look<'_>, scope: &str, of: &str, now: &Counts, before: &Counts) -> Figure {
    let (all, all_before): (u64, u64) = (now.values().sum(), before.values().sum());
    if all_before == 0 {
        return Figure::none(Some(scope), &format!("the last completed run had no {of}"));
    }
    let share = |counts: &Counts, word: &str, all: u64| match all {
        0 => Decimal::ZERO,
        _ => Decimal::from(counts.get(word).copied().unwrap_or_default()) * Decimal::ONE_HUNDRED / Decimal::from(all),
    };
    let words: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let moved = words.into_iter().map(|word| {
        let (share, share_before) = (share(now, word, all), share(before, word, all_before));
        // Over one denominator, so that two thirds less one sixth are just 50 points.
        let points = if all == 0 {
            share_before
        } else {
            let count = |counts: &Counts| Decimal::from(counts.get(word).copied().unwrap_or_default());
            let (all, all_before) = (Decimal::from(all), Decimal::from(all_before));
            (count(now) * all_before - count(before) * all).abs() * Decimal::ONE_HUNDRED / (all * all_before)
        };
        (points, word, share, share_before)
    });
    // Of several the first by its word, so that the same counts give the same sentence.
    let largest = moved.reduce(|largest, next| if next.0 > largest.0 { next } else { largest });
    let Some((points, word, share, share_before)) = largest else {
        return Figure::none(Some(scope), "nothing is there");
    };
    let [share, share_before] = [share, share_before].map(|share| share.round_dp(2).normalize());
    let what = format!(
        "{scope}: {word} is {share} % of {all} {of}, and was {share_before} % of {all_before} in the last completed run: \
         {} points",
        look.shown(points)
    );
    Figure::new(Some(scope), points, what)
}
