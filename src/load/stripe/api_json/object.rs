//! Stripe objects as the API writes them, of every version.

use super::value::Raw;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Declares an object of which only the members named here are looked at; all may be absent.
macro_rules! object {
    ($(#[$meta:meta])* $name:ident { $($member:ident,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Default, serde::Deserialize)]
        pub(super) struct $name<'a> {
            $( #[serde(borrow, default)] pub $member: Raw<'a>, )+
        }
    };
}

object! {
    /// An object of any kind that is looked at, so that one pass over its text both tells what it is and reads it.
    Found {
        object, id, created, deleted, livemode, metadata,
        data, has_more, url, r#type,
        email, name, subscriptions, discount, discounts,
        customer, status, currency, cancel_at_period_end, cancel_at, canceled_at, ended_at, current_period_end,
        pause_collection, items, default_tax_rates, plan, quantity,
    }
}
object! {
    /// `data` of an event.
    EventData { object, }
}
object! {
    /// A list inside another object.
    List { data, has_more, }
}
/// The items of a subscription.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct ItemList<'a> {
    #[serde(borrow, default)]
    pub data: Option<Vec<Item<'a>>>,
    #[serde(borrow, default)]
    pub has_more: Raw<'a>,
}
object! {
    Pause { behavior, resumes_at, }
}
object! {
    Item { id, subscription, price, plan, quantity, current_period_end, discount, discounts, tax_rates, deleted, }
}
object! {
    /// A price, or the plan that it was called before.
    Price {
        id, currency, unit_amount, unit_amount_decimal, amount, amount_decimal, product, recurring, interval,
        interval_count, usage_type, billing_scheme, tiers, tiers_mode, transform_quantity, transform_usage,
        currency_options, deleted,
    }
}
object! {
    /// What a price costs in one of its further currencies.
    CurrencyOption { unit_amount, unit_amount_decimal, tiers, }
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
    Coupon { id, percent_off, amount_off, currency, duration, duration_in_months, applies_to, deleted, }
}
object! {
    AppliesTo { products, }
}
/// The values of an object of no kind, in the order of the text.
#[derive(Debug)]
pub(super) struct Members<'a>(pub Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<IgnoredAny, &'de RawValue>()? {
                    values.push(value);
                }
                Ok(Members(values))
            }
        }
        deserializer.deserialize_map(Values)
    }
}
