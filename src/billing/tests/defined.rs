//! The definition in words states every option in force.

use super::{rates, usd};
use crate::{
    billing::definition,
    config::{
        AmountMeaning, CountedCoupons, DefinedCoupon, Fx, MrrSettings, PausedCollection, Rounding, UnknownCoupon,
        schema::keys_of,
    },
};
use std::collections::BTreeSet;

/// The key of the configuration, what is set, what is then said, and what is said by default.
type Case = (&'static str, fn(&mut MrrSettings), &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "count_trialing",
        |m| m.count_trialing = true,
        "The statuses active, past_due and trialing count",
        "The statuses active and past_due count; all others, trialing included, count 0.",
    ),
    (
        "past_due_grace_days",
        |m| m.past_due_grace_days = Some(7),
        "past_due (until 7 days after the period's end) count",
        "active and past_due count",
    ),
    (
        "pause_collection",
        |m| m.pause_collection = PausedCollection::All,
        "A subscription whose collection is paused counts 0.",
        "counts 0 where the behaviour is void; others count, and are listed.",
    ),
    (
        "pause_collection",
        |m| m.pause_collection = PausedCollection::None,
        "A subscription whose collection is paused counts, and is listed.",
        "counts 0 where the behaviour is void",
    ),
    (
        "cancel_at_request",
        |m| m.cancel_at_request = true,
        "stops counting when that is asked for.",
        "counts until that end.",
    ),
    (
        "coupons",
        |m| m.coupons = CountedCoupons::All,
        "All coupons in force are deducted, once-only ones included.",
        "Coupons that last forever, and repeating ones not yet expired, are deducted; once-only ones are not.",
    ),
    (
        "count_coupons",
        |m| m.coupons = CountedCoupons::Forever,
        "Only coupons that last forever are deducted.",
        "Coupons that last forever, and repeating ones not yet expired",
    ),
    ("coupons", |m| m.coupons = CountedCoupons::None, "No coupons are deducted.", "A customer's coupon gives way"),
    (
        "coupons",
        |m| {
            let coupon = |percent: Option<&str>, amount: Option<&str>, duration: &str| DefinedCoupon {
                percent_off: percent.map(|percent| percent.parse().unwrap()),
                amount_off: amount.map(|amount| (amount.parse().unwrap(), usd())),
                duration: duration.to_owned(),
            };
            m.defined_coupons = [
                ("FIVER".to_owned(), coupon(None, Some("5.00"), "repeating")),
                ("SPRING20".to_owned(), coupon(Some("20"), None, "forever")),
            ]
            .into();
        },
        "the configuration defines coupon FIVER (5.00 usd off, repeating), coupon SPRING20 (20 % off, forever).",
        "",
    ),
    (
        "unknown_coupon",
        |m| m.unknown_coupon = UnknownCoupon::Ignore,
        "holds only the id, is ignored.",
        "holds only the id, makes its customer invalid.",
    ),
    ("week_factor", |m| m.week_factor = (4, 1), "per week 4/1, per day 365/12", "per week 52/12, per day 365/12"),
    ("day_factor", |m| m.day_factor = (30, 1), "per week 52/12, per day 30/1", "1/12 a month"),
    ("rounding", |m| m.rounding = Rounding::HalfUp, "ties upwards.", "ties to the even neighbour."),
    (
        "no_subscription_status",
        |m| m.no_subscription_status = Some("canceled".to_owned()),
        "and has the status `canceled`.",
        "and has no status.",
    ),
    (
        "currency_digits",
        |m| m.currency_digits = [(usd(), 3)].into(),
        "but for these: usd has 3.",
        "that Stripe's table gives their currency.",
    ),
];

fn said(mrr: &MrrSettings) -> String {
    definition(mrr, &rates(), usd(), AmountMeaning::Unit).join("\n")
}

#[test]
fn every_option_of_mrr_is_stated_as_it_is_in_force() {
    let default = said(&MrrSettings::default());
    for (key, set, now, before) in CASES {
        let mut mrr = MrrSettings::default();
        set(&mut mrr);
        let said = said(&mrr);
        assert!(said.contains(now), "{key}: `{now}` is not in\n{said}");
        assert!(!default.contains(now), "{key}: `{now}` is said by default");
        assert!(default.contains(before), "{key}: `{before}` is not in\n{default}");
    }
    let stated: BTreeSet<&str> = CASES.iter().map(|(key, ..)| *key).collect();
    let keys: BTreeSet<&str> = keys_of("mrr").collect();
    assert_eq!(stated, keys, "each key of [mrr] has a case");
}

#[test]
fn currencies_rates_and_what_amount_means_are_stated() {
    let mrr = MrrSettings::default();
    for (fx, amount, parts) in [
        (
            rates(),
            AmountMeaning::Total,
            ["MRR is in usd", "1 eur = 1.0842 usd (2026-10-31)", "already holds the quantity"],
        ),
        (Fx::default(), AmountMeaning::Unit, ["Only usd is counted", "Amount is per unit", "(quantity_missing)"]),
    ] {
        let said = definition(&mrr, &fx, usd(), amount).join("\n");
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in\n{said}");
        }
    }
}

#[test]
fn the_defaults_that_a_reviewer_asks_about_are_stated_in_short_sentences() {
    // A sentence that lists rates is as long as their list.
    let mut fx = rates();
    fx.rates.retain(|code, _| code.as_str() == "eur");
    let sentences = definition(&MrrSettings::default(), &fx, usd(), AmountMeaning::Unit);
    let said = sentences.join("\n");
    for part in [
        "rounded once per customer",
        "exactly at the run's clock is over",
        "each divided by its interval count",
        "transform_quantity and tiers (volume and graduated)",
        "without a quantity counts 1, a quantity of 0 is 0",
        "metered prices count 0",
        "level by level (item, subscription, customer), in each percentages before amounts",
        "the products they are for and in their own currency, never below 0",
        "gives way on a subscription with a live discount of its own",
        "An amount off is per billing period, the shortest where items differ",
        "even if its coupon was deleted or is no longer valid",
        "those of single invoices never count",
        "Inclusive tax is taken out after discounts",
        "an item's own rates replace the subscription's",
        "Exclusive tax is ignored",
        "one without a rate makes its customer invalid",
        "makes its customer invalid, never 0; one that does not count never does",
        "the newest event stands, else the row that was read last",
        "of active, past_due, trialing, unpaid, paused, incomplete, canceled, incomplete_expired",
        "the earliest end still ahead of a live one, else with the latest of any",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    for sentence in &sentences {
        assert!(sentence.ends_with('.') && sentence.chars().count() <= 280, "{sentence}");
    }
}
