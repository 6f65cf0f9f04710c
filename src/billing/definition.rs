//! The definition of MRR in force, in words, for the report: every option, and every default that a reviewer asks about.

use crate::{
    config::{
        AmountMeaning, CountedCoupons, DefinedCoupon, Fx, FxRate, MrrSettings, PausedCollection, Rounding,
        UnknownCoupon,
    },
    model::{Currency, SubscriptionStatus},
};

/// One sentence per element: the definition of MRR in force with every option.
pub fn definition(mrr: &MrrSettings, fx: &Fx, currency: Currency, amount: AmountMeaning) -> Vec<String> {
    // Every option by name, so that one which is not stated does not compile.
    let MrrSettings {
        count_trialing,
        past_due_grace_days,
        pause_collection,
        cancel_at_request,
        coupons,
        unknown_coupon,
        week_factor,
        day_factor,
        rounding,
        no_subscription_status,
        currency_digits,
        defined_coupons,
    } = mrr;
    let mut sentences = vec![
        format!(
            "MRR is in {currency}: all subscriptions of all of a customer's Stripe customers added up exactly, and rounded \
             once per customer to the minor unit, {}.",
            match rounding {
                Rounding::HalfEven => "ties to the even neighbour",
                Rounding::HalfUp => "ties upwards",
            }
        ),
        statuses(*count_trialing, *past_due_grace_days),
        match pause_collection {
            PausedCollection::Void => {
                "A subscription whose collection is paused counts 0 where the behaviour is void; others count, and are listed."
            }
            PausedCollection::All => "A subscription whose collection is paused counts 0.",
            PausedCollection::None => "A subscription whose collection is paused counts, and is listed.",
        }
        .to_owned(),
        if *cancel_at_request {
            "A subscription that is set to cancel stops counting when that is asked for."
        } else {
            "A subscription that is set to cancel counts until that end."
        }
        .to_owned(),
        "What ends exactly at the run's clock is over: cancellations, pauses, periods and coupons.".to_owned(),
        format!(
            "A price per year counts 1/12 a month, per week {}/{}, per day {}/{}, each divided by its interval count.",
            week_factor.0, week_factor.1, day_factor.0, day_factor.1
        ),
        "A price is unit amount × quantity, after transform_quantity and tiers (volume and graduated); a licensed item \
         without a quantity counts 1, a quantity of 0 is 0, and metered prices count 0."
            .to_owned(),
        match amount {
            AmountMeaning::Unit => {
                "In dashboard files, Amount is per unit; a blank quantity makes the customer invalid (quantity_missing)."
            }
            AmountMeaning::Total => "In dashboard files, Amount already holds the quantity.",
        }
        .to_owned(),
    ];
    sentences.extend(of_coupons(*coupons, *unknown_coupon));
    if *coupons != CountedCoupons::None && !defined_coupons.is_empty() {
        let defined: Vec<String> = defined_coupons.iter().map(|(id, coupon)| in_words(id, coupon)).collect();
        sentences.push(format!("Where no export does, the configuration defines {}.", defined.join(", ")));
    }
    sentences.push(
        "Inclusive tax is taken out after discounts, where the export holds its rate; an item's own rates replace the \
         subscription's. Exclusive tax is ignored."
            .to_owned(),
    );
    sentences.push(conversion(fx, currency));
    sentences.push(if currency_digits.is_empty() {
        "Amounts have the digits after the point that Stripe's table gives their currency.".to_owned()
    } else {
        let digits: Vec<String> = currency_digits.iter().map(|(code, digits)| format!("{code} has {digits}")).collect();
        format!("Digits after the point are those of Stripe's table, but for these: {}.", digits.join(", "))
    });
    sentences.push(
        "A subscription that counts, and whose items, tiers, amount or interval are missing or absurd, makes its customer \
         invalid, never 0; one that does not count never does."
            .to_owned(),
    );
    sentences.push("Of several rows with one id the newest event stands, else the row that was read last.".to_owned());
    sentences.push(match no_subscription_status {
        None => "A customer without any subscription has MRR 0, does not renew, and has no status.".to_owned(),
        Some(status) => {
            format!("A customer without any subscription has MRR 0, does not renew, and has the status `{status}`.")
        }
    });
    let order: Vec<&str> = SubscriptionStatus::ALL.iter().map(|status| status.as_str()).collect();
    sentences
        .push(format!("A customer's status is the first that any of its subscriptions has, of {}.", order.join(", ")));
    sentences.push(
        "A customer renews where a live subscription (active, trialing, past_due) is not set to cancel; its period ends \
         with the earliest end still ahead of a live one, else with the latest of any."
            .to_owned(),
    );
    sentences
}

/// Which coupons are deducted, in which order, and what becomes of those that nothing defines.
fn of_coupons(coupons: CountedCoupons, unknown: UnknownCoupon) -> Vec<String> {
    let counted = match coupons {
        CountedCoupons::None => return vec!["No coupons are deducted.".to_owned()],
        CountedCoupons::Recurring => {
            "Coupons that last forever, and repeating ones not yet expired, are deducted; once-only ones are not."
        }
        CountedCoupons::All => "All coupons in force are deducted, once-only ones included.",
        CountedCoupons::Forever => "Only coupons that last forever are deducted.",
    };
    let unknown = match unknown {
        UnknownCoupon::Invalid => {
            "A coupon that nothing defines, or a discount of which the export holds only the id, makes its customer invalid."
        }
        UnknownCoupon::Ignore => {
            "A coupon that nothing defines, or a discount of which the export holds only the id, is ignored."
        }
    };
    [
        counted,
        "Coupons apply level by level (item, subscription, customer), in each percentages before amounts, to the products \
         they are for and in their own currency, never below 0.",
        "A customer's coupon gives way on a subscription with a live discount of its own.",
        "An amount off is per billing period, the shortest where items differ, and spread over the items pro rata.",
        "A discount counts while it lasts, even if its coupon was deleted or is no longer valid; one that several tables \
         name counts once, and those of single invoices never count.",
        unknown,
    ]
    .map(str::to_owned)
    .into()
}

fn in_words(id: &str, coupon: &DefinedCoupon) -> String {
    let off = match (&coupon.percent_off, &coupon.amount_off) {
        (Some(percent), _) => format!("{percent} %"),
        (None, Some((amount, currency))) => format!("{amount} {currency}"),
        (None, None) => "nothing".to_owned(),
    };
    format!("coupon {id} ({off} off, {})", coupon.duration)
}

fn conversion(fx: &Fx, currency: Currency) -> String {
    let rate = |(code, FxRate { rate, date }): (&Currency, &FxRate)| {
        format!("1 {code} = {rate} {currency} ({})", &date.to_string()[..10])
    };
    if fx.rates.is_empty() {
        return format!(
            "Only {currency} is counted: any other currency makes its customer invalid, as no rate is configured."
        );
    }
    format!(
        "Other currencies are converted at dated rates: {}; one without a rate makes its customer invalid.",
        fx.rates.iter().map(rate).collect::<Vec<_>>().join(", ")
    )
}

fn statuses(count_trialing: bool, past_due_grace_days: Option<u32>) -> String {
    let past_due = match past_due_grace_days {
        None => "past_due".to_owned(),
        Some(days) => format!("past_due (until {days} days after the period's end)"),
    };
    if count_trialing {
        format!("The statuses active, {past_due} and trialing count; all others count 0.")
    } else {
        format!("The statuses active and {past_due} count; all others, trialing included, count 0.")
    }
}
