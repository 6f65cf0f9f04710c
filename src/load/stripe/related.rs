//! Rows that name by id what they belong to: the tables of a warehouse, and API objects that stand on their own.
//!
//! A reader puts them here as it finds them; [`super::relate`] joins them once all files were read. `line` is null for
//! what stands inside another row: it is no row of its own, and is not accounted for.

use crate::load::error::TableError;
use crate::load::settle::SettledRows;
use crate::table::{INSTANT, SchemaError, table};
use polars::prelude::*;

table! {
    /// Subscription items that name their subscription and their price.
    RelatedItems {
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// when the event was that carries it; null: none does
        "event_created": INSTANT,
        /// `si_…`
        "id": DataType::String,
        /// the subscription's id; never null
        "subscription": DataType::String,
        /// the price's or plan's id
        "price": DataType::String,
        /// null: the shape gives none
        "quantity": DataType::Int64,
        /// end of the item's period
        "current_period_end": INSTANT,
        /// ids of its discounts, joined by `,`; null: the shape does not list them, the empty text: it has none
        "discounts": DataType::String,
        /// never null
        "deleted": DataType::Boolean,
    }
}

table! {
    /// Prices, and plans as they were called before.
    RelatedPrices {
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// when the event was that carries it; null: none does
        "event_created": INSTANT,
        /// the price's or plan's id; never null
        "id": DataType::String,
        /// a plan: a price with the same id says more, and goes before it; never null
        "plan": DataType::Boolean,
        /// the product's id
        "product": DataType::String,
        /// lower-case ISO code
        "currency": DataType::String,
        /// unit amount in minor units: the numerator; null: none (tiered)
        "amount_num": DataType::Int128,
        /// its denominator, at least 1; never null
        "amount_den": DataType::Int128,
        /// `day`, `week`, `month`, `year`, as read; null: it does not recur
        "interval": DataType::String,
        /// at least 1; never null
        "interval_count": DataType::Int64,
        /// `licensed`, `metered`
        "usage_type": DataType::String,
        /// never null
        "tiered": DataType::Boolean,
        /// `graduated`, `volume`
        "tiers_mode": DataType::String,
        /// `transform_quantity.divide_by`
        "divide_by": DataType::Int64,
        /// `transform_quantity.round`
        "divide_round": DataType::String,
    }
}

table! {
    /// Tiers that name their price.
    RelatedTiers {
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// the price's id; never null
        "price": DataType::String,
        /// last unit of the tier; null: no end
        "up_to": DataType::Int64,
        /// price per unit in units of its price's currency as sent: numerator; never null
        "unit_num": DataType::Int128,
        /// denominator, at least 1
        "unit_den": DataType::Int128,
        /// flat price, likewise
        "flat_num": DataType::Int128,
        /// denominator, at least 1
        "flat_den": DataType::Int128,
    }
}

table! {
    /// Discounts that name what they are on.
    RelatedDiscounts {
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// when the event was that carries it; null: none does
        "event_created": INSTANT,
        /// `di_…`
        "id": DataType::String,
        /// the coupon's id
        "coupon": DataType::String,
        /// when it began
        "start": INSTANT,
        /// when it ends
        "end": INSTANT,
        /// the customer's id
        "customer": DataType::String,
        /// the subscription's id
        "subscription": DataType::String,
        /// the subscription item's id
        "subscription_item": DataType::String,
        /// a [`crate::model::Reason`] for which it never counts: deleted, or of a single invoice
        "left_out": DataType::String,
    }
}

table! {
    /// Coupons as rows of their own; what they say stands in the canonical table of coupons.
    RelatedCoupons {
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// when the event was that carries it; null: none does
        "event_created": INSTANT,
        /// the coupon's id; never null
        "id": DataType::String,
        /// everything in the row that could matter, to tell a repeated row from one that differs
        "content": DataType::String,
    }
}

table! {
    /// Your own ids of customers, from a table of metadata.
    RelatedMetadata {
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// the customer's id; never null
        "customer": DataType::String,
        /// your own id
        "value": DataType::String,
    }
}

table! {
    /// The price that stands on a subscription itself, for one whose items are in no file.
    OwnPrices {
        /// the subscription's `ord`
        "subscription": DataType::UInt32,
        /// the price's or plan's id; never null
        "price": DataType::String,
        /// null: the shape gives none
        "quantity": DataType::Int64,
    }
}

table! {
    /// Subscriptions and customers whose row shows the discounts that they have: another that names them is over.
    DiscountLists {
        /// `subscription`, `customer`
        "level": DataType::String,
        /// the subscription's or the account's `ord`
        "owner": DataType::UInt32,
    }
}

table! {
    /// Rows that could not be read, and without which what they belong to cannot be billed.
    Unreadable {
        /// `subscription`, `price`
        "level": DataType::String,
        /// the subscription's or the price's id; never null
        "id": DataType::String,
        /// a [`crate::model::Reason`]
        "reason": DataType::String,
        /// file, line and what was found
        "detail": DataType::String,
    }
}

/// All that a file, or all files, hold of such rows.
#[derive(Debug, Clone)]
pub struct Related {
    /// Subscription items.
    pub items: RelatedItems,
    /// Prices and plans.
    pub prices: RelatedPrices,
    /// Tiers.
    pub tiers: RelatedTiers,
    /// Discounts.
    pub discounts: RelatedDiscounts,
    /// Coupons.
    pub coupons: RelatedCoupons,
    /// Metadata.
    pub metadata: RelatedMetadata,
    /// Prices on subscriptions.
    pub own_prices: OwnPrices,
    /// Owners that list their discounts.
    pub lists: DiscountLists,
    /// Rows that could not be read, by what they belong to.
    pub unreadable: Unreadable,
    /// Rows that are done with.
    pub settled: SettledRows,
}

macro_rules! each {
    ($macro:ident) => {
        $macro!(
            items: RelatedItems,
            prices: RelatedPrices,
            tiers: RelatedTiers,
            discounts: RelatedDiscounts,
            coupons: RelatedCoupons,
            metadata: RelatedMetadata,
            own_prices: OwnPrices,
            lists: DiscountLists,
            unreadable: Unreadable,
            settled: SettledRows,
        )
    };
}

impl Related {
    /// No rows at all.
    pub fn empty() -> Self {
        macro_rules! build {
            ($($member:ident: $table:ident,)+) => { Self { $( $member: $table::empty(), )+ } };
        }
        each!(build)
    }

    /// The rows of several files below one another.
    pub(in crate::load) fn stacked(parts: Vec<Self>) -> Result<Self, TableError> {
        macro_rules! stack {
            ($($member:ident: $table:ident,)+) => {{
                $( let mut $member = Vec::with_capacity(parts.len()); )+
                for part in parts {
                    $( $member.push(part.$member.into_frame()); )+
                }
                Self {
                    $( $member: $table::new(crate::load::assemble::stacked($member, $table::empty().into_frame())?)?, )+
                }
            }};
        }
        Ok(each!(stack))
    }
}
