//! A customer's MRR as text: its Stripe customers and their subscriptions, and the one rounding.

use super::explanation::{AccountWorking, CustomerWorking, PlacedSubscription};
use super::item;
use super::lines::Page;
use crate::billing::explain::{Amount, SubscriptionWorking};
use crate::model::{Disposition, Reason};

/// How the customer's MRR comes about.
pub(super) fn mrr(customer: &CustomerWorking, page: &mut Page<'_>) {
    for account in &customer.accounts {
        one_account(account, page);
    }
    if customer.customer.is_some() {
        page.blank();
        totals(customer, page);
    }
}

/// The customer's sum, and the one rounding.
fn totals(customer: &CustomerWorking, page: &mut Page<'_>) {
    match customer.accounts.as_slice() {
        [] if customer.conflict.is_some() => page.say(0, "No Stripe customer of its own."),
        [] => page.say(0, "No Stripe customer: its MRR is 0."),
        [_] => {}
        several => {
            for account in several {
                let id = account.id.as_deref().unwrap_or("guest");
                match &account.exact {
                    Some(exact) => page.amount(0, &format!("Stripe customer {id}"), exact),
                    None => page.say(0, &format!("Stripe customer {id}: not known")),
                }
            }
            page.rule();
        }
    }
    if customer.accounts.len() > 1 {
        page.say(0, "Its Stripe customers are added up exactly, and rounded once together.");
    }
    if let Some(exact) = &customer.exact {
        page.amount(0, "MRR of the customer, exact", exact);
    }
    if let Some(mrr) = &customer.mrr {
        let sendable = customer.problem.is_none() && customer.conflict.is_none();
        let sent = if sendable { "Sent as MRR" } else { "Would be sent as MRR" };
        let how = match (customer.exact.as_ref() == Some(mrr), customer.rounding) {
            (true, _) => "nothing to round",
            (false, "half_up") => "rounded once, half up",
            (false, _) => "rounded once, half to even",
        };
        page.amount(0, &format!("{sent}: {how}"), mrr);
    }
    if let Some(problem) = &customer.problem {
        page.say(0, &format!("INVALID ({}): nothing is sent for this customer until this is mended:", problem.reason));
        page.say(2, &problem.detail);
    }
    if let Some(conflict) = &customer.conflict {
        page.say(
            0,
            &format!("CONFLICT ({}): nothing is sent for this customer; see what was linked.", conflict.reason),
        );
    }
}

fn one_account(account: &AccountWorking, page: &mut Page<'_>) {
    page.blank();
    let id = account.id.as_deref().unwrap_or("without an id (guest)");
    page.say(0, &format!("Stripe customer {id}"));
    let known: Vec<&str> = [account.name.as_deref(), account.email.as_deref()].into_iter().flatten().collect();
    if !known.is_empty() {
        page.say(2, &known.join(" · "));
    }
    let place = account.place.as_ref().map_or("in no customers file".to_owned(), |place| page.place(place));
    page.say(2, &format!("{place}{}", went(account)));
    for row in &account.replaced {
        let how = if row.disposition == Disposition::Superseded {
            "differs; this one is newer, or was read later"
        } else {
            "says the same"
        };
        page.say(2, &format!("{} has the same id and {how}", page.place(&row.place)));
    }
    for row in &account.rejected {
        let at = page.place(&row.place);
        page.say(2, &format!("{at} is about it and could not be read ({}): {}", row.reason, row.detail));
    }
    if account.subscriptions.is_empty() {
        let none = if account.exact.is_some() {
            "No subscription: its MRR is 0."
        } else {
            "No subscription that could be read."
        };
        page.say(2, none);
    }
    for subscription in &account.subscriptions {
        page.blank();
        one_subscription(subscription, page);
    }
    if account.subscriptions.iter().filter(|subscription| subscription.stands).count() > 1
        && let Some(exact) = &account.exact
    {
        page.blank();
        page.rule();
        page.amount(2, "Sum of its subscriptions", exact);
    }
}

/// Where a Stripe customer's row went, if not into a customer.
fn went(account: &AccountWorking) -> String {
    let why = match (account.disposition, account.reason) {
        (Disposition::Contributed, _) => return String::new(),
        (_, Some(Reason::Deleted)) => "it was deleted in Stripe",
        (_, Some(Reason::TestMode)) => "it is of Stripe's test mode",
        (_, Some(Reason::Guest)) => "it is a guest, without an id",
        (_, Some(Reason::SubscriptionWithoutCustomer)) => {
            "only subscriptions name it; what they bring stands in the totals as unattached"
        }
        (Disposition::Ambiguous, _) => "it is ambiguous whose it is",
        (disposition, _) => return format!(": {disposition}"),
    };
    format!(": {why}")
}

fn one_subscription(placed: &PlacedSubscription, page: &mut Page<'_>) {
    let SubscriptionWorking { id, status, items, discounts, sums, working, mrr, problem, counted, why, .. } =
        &placed.working;
    page.say(2, &format!("Subscription {id} · {status} · {}", page.place(&placed.place)));
    match (placed.stands, placed.disposition) {
        (true, _) if *counted => page.say(4, &format!("Counted: {why}.")),
        (true, _) => page.say(4, &format!("Not counted: {why}.")),
        (false, Disposition::Superseded) => {
            page.say(4, "Not counted: another row with its id differs, and is newer, or was read later.");
        }
        (false, Disposition::MergedDuplicate) => {
            page.say(4, "Not counted again: another row with its id says the same.");
        }
        (false, _) => page.say(4, "Not counted: it is of Stripe's test mode."),
    }
    for one in items {
        item::lines(one, items.len(), discounts, page);
    }
    for discount in discounts.iter().filter(|discount| discount.taken.is_empty()) {
        let words = item::not_applied(discount, page);
        page.say(4, &words);
    }
    for sum in sums {
        let code = &sum.monthly.currency;
        let several = sums.len() > 1 || items.len() > 1;
        if several && (sums.len() > 1 || sum.rate.is_some()) {
            page.amount(4, &format!("Sum of the items in {code}"), &sum.monthly);
        }
        match (&sum.rate, &sum.converted) {
            (Some(rate), Some(converted)) => {
                let day = &rate.date.to_string()[..10];
                let label = format!("× {} {} per {code} (rate of {day})", rate.rate, converted.currency);
                page.amount(4, &label, converted);
            }
            (_, None) => page.say(4, &format!("No rate from {code} is configured.")),
            (None, Some(_)) => {}
        }
    }
    let counts = *counted && placed.stands;
    if let (true, Some(problem)) = (placed.stands, problem) {
        page.say(4, &format!("Not known ({}): what to do stands at the end.", problem.reason));
        return;
    }
    page.rule();
    match (counts, working, mrr) {
        (true, _, Some(mrr)) => page.amount(4, "MRR of the subscription", mrr),
        (false, Some(working), _) if !is_zero(working) => {
            page.amount(4, "What it would bring a month", working);
            page.amount(4, "MRR of the subscription: not counted", &zero(working));
        }
        (_, _, Some(mrr)) => page.amount(4, "MRR of the subscription", &zero(mrr)),
        (_, _, None) => {}
    }
}

fn is_zero(amount: &Amount) -> bool {
    amount.minor.num == "0"
}

fn zero(like: &Amount) -> Amount {
    let minor = crate::runs::Exact { num: "0".to_owned(), den: "1".to_owned() };
    Amount { currency: like.currency.clone(), minor }
}
