//! The definition of MRR in force, in words, for the report.

use crate::{
    config::{AmountMeaning, CountedCoupons, Fx, MrrSettings, PausedCollection, Rounding, UnknownCoupon},
    model::Currency,
};

/// One sentence per element: the definition of MRR in force with every option.
pub fn definition(mrr: &MrrSettings, fx: &Fx, currency: Currency, amount: AmountMeaning) -> Vec<String> {
    let (week, day) = (mrr.week_factor, mrr.day_factor);
    let mut sentences = vec![
        format!(
            "MRR is in {currency}, computed exactly and rounded once per customer to its minor unit, {}.",
            match mrr.rounding {
                Rounding::HalfEven => "ties to the even neighbour",
                Rounding::HalfUp => "ties upwards",
            }
        ),
        format!(
            "A price per year counts 1/12 a month, per week {}/{}, per day {}/{}, each divided by its interval count.",
            week.0, week.1, day.0, day.1
        ),
        "It is unit amount × quantity, after transform_quantity and tiers; metered prices count 0.".to_owned(),
        match amount {
            AmountMeaning::Unit => "In dashboard files, Amount is per unit.".to_owned(),
            AmountMeaning::Total => "In dashboard files, Amount already holds the quantity.".to_owned(),
        },
        statuses(mrr),
        match mrr.pause_collection {
            PausedCollection::Void => "Paused collection counts 0 where its behaviour is void; others count.",
            PausedCollection::All => "Paused collection counts 0.",
            PausedCollection::None => "Paused collection counts as if it were not paused.",
        }
        .to_owned(),
        if mrr.cancel_at_request {
            "A subscription stops counting when its cancellation is asked for."
        } else {
            "A subscription that is set to cancel counts until that end."
        }
        .to_owned(),
        match mrr.coupons {
            CountedCoupons::Recurring => "Coupons that last forever, and repeating ones not yet expired, are deducted.",
            CountedCoupons::All => "All coupons in force are deducted, once-only ones included.",
            CountedCoupons::Forever => "Only coupons that last forever are deducted.",
            CountedCoupons::None => "No coupons are deducted.",
        }
        .to_owned(),
    ];
    if mrr.coupons != CountedCoupons::None {
        sentences.push(
            "Coupons apply level by level (item, subscription, customer), percentages before amounts, never below 0; a \
             customer's coupon gives way to a subscription's own."
                .to_owned(),
        );
        sentences.push(match mrr.unknown_coupon {
            UnknownCoupon::Invalid => "A coupon that nothing defines makes its customer invalid.".to_owned(),
            UnknownCoupon::Ignore => "A coupon that nothing defines is ignored.".to_owned(),
        });
        if !mrr.defined_coupons.is_empty() {
            let ids: Vec<&str> = mrr.defined_coupons.keys().map(String::as_str).collect();
            sentences.push(format!("The configuration defines the coupons {}.", ids.join(", ")));
        }
    }
    sentences.push("Inclusive tax is taken out after discounts; exclusive tax is ignored.".to_owned());
    sentences.push(if fx.rates.is_empty() {
        format!("Only {currency} is counted: no rate to another currency is configured.")
    } else {
        let rate = |(code, rate): (&Currency, &crate::config::FxRate)| {
            format!("1 {code} = {} {currency} ({})", rate.rate, &rate.date.to_string()[..10])
        };
        format!("Other currencies are converted: {}.", fx.rates.iter().map(rate).collect::<Vec<_>>().join(", "))
    });
    if !mrr.currency_digits.is_empty() {
        let digits: Vec<String> =
            mrr.currency_digits.iter().map(|(code, digits)| format!("{code} has {digits}")).collect();
        sentences.push(format!("Digits after the point that differ from the table: {}.", digits.join(", ")));
    }
    sentences.push(match &mrr.no_subscription_status {
        None => "A customer without any subscription has MRR 0 and no status.".to_owned(),
        Some(status) => format!("A customer without any subscription has MRR 0 and the status `{status}`."),
    });
    sentences
}

fn statuses(mrr: &MrrSettings) -> String {
    let past_due = match mrr.past_due_grace_days {
        None => "past_due".to_owned(),
        Some(days) => format!("past_due (until {days} days after the period's end)"),
    };
    if mrr.count_trialing {
        format!("The statuses active, {past_due} and trialing count; all others count 0.")
    } else {
        format!("The statuses active and {past_due} count; all others, trialing included, count 0.")
    }
}
