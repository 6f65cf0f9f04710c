//! Stripe objects as the API writes them, of every version.

use super::value::Raw;
use serde::Deserialize;

/// Declares an object of which only the members named here are looked at; all may be absent.
macro_rules! object {
    ($(#[$meta:meta])* $name:ident { $($member:ident,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Deserialize)]
        pub(super) struct $name<'a> {
            $( #[serde(borrow, default)] pub $member: Raw<'a>, )+
        }
    };
}

object! {
    /// What tells objects apart, lists and events included.
    Envelope { object, id, customer, data, has_more, created, r#type, }
}
object! {
    /// `data` of an event.
    EventData { object, }
}
object! {
    /// A list, of items or at the top.
    List { data, has_more, }
}
object! {
    /// What a customer may hold besides itself.
    Embedding { subscriptions, }
}
object! {
    Customer { id, email, name, created, deleted, livemode, metadata, discount, discounts, }
}
object! {
    Subscription {
        id, customer, status, cancel_at_period_end, cancel_at, canceled_at, ended_at, created, current_period_end,
        pause_collection, livemode, items, discount, discounts, default_tax_rates, plan, quantity,
    }
}
object! {
    Pause { behavior, resumes_at, }
}
object! {
    Item { id, price, plan, quantity, current_period_end, discount, discounts, tax_rates, }
}
object! {
    /// A price, or the plan that it was called before.
    Price {
        currency, unit_amount, unit_amount_decimal, amount, amount_decimal, product, recurring, interval,
        interval_count, usage_type, billing_scheme, tiers, tiers_mode, transform_quantity, transform_usage,
    }
}
object! {
    Recurring { interval, interval_count, usage_type, }
}
object! {
    Tier { up_to, unit_amount, unit_amount_decimal, amount, flat_amount, flat_amount_decimal, }
}
object! {
    Transform { divide_by, round, }
}
object! {
    TaxRate { percentage, inclusive, }
}
object! {
    Discount {
        id, coupon, source, start, end, customer, subscription, subscription_item, invoice, invoice_item, deleted,
    }
}
object! {
    Source { coupon, }
}
object! {
    Coupon { id, percent_off, amount_off, currency, duration, duration_in_months, applies_to, }
}
object! {
    AppliesTo { products, }
}
