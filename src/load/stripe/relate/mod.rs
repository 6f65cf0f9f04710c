//! Rows that name by id what they belong to → the canonical tables, and where each of those rows went.
//!
//! In: the tables of all files, and the [`Related`] rows beside them. Out: [`Joined`]. Never: files, the rules of billing:
//! what a price costs or whether a discount counts is not asked here.
//!
//! A row that stands inside another (its `line` is null) helps to join and is not accounted for.

mod coupons;
mod discounts;
mod items;
mod metadata;
mod prices;
mod unreadable;

pub(super) use coupons::WORTH;
pub(super) use discounts::by_id;

use super::related::Related;
use crate::load::error::TableError;
use crate::load::settle::SettledRows;
use crate::model::{Break, Currency, InputFile};
use crate::table::StripeTables;
use std::collections::BTreeMap;

/// What came of the related rows.
pub(in crate::load) struct Joined {
    /// The tables, completed.
    pub tables: StripeTables,
    /// Where the related rows went.
    pub settled: SettledRows,
    /// Rows that contradict one another.
    pub breaks: Vec<Break>,
}

/// The source of subscription items, as reports name it.
pub(in crate::load) const ITEMS: &str = "stripe_subscription_items";
/// The source of prices.
pub(super) const PRICES: &str = "stripe_prices";
/// The source of plans.
pub(super) const PLANS: &str = "stripe_plans";
/// The source of price tiers.
pub(super) const TIERS: &str = "stripe_price_tiers";
/// The source of coupons.
pub(super) const COUPONS: &str = "stripe_coupons";
/// The source of discounts.
pub(super) const DISCOUNTS: &str = "stripe_discounts";
/// The source of customers' metadata.
pub(super) const METADATA: &str = "stripe_customers_metadata";

/// Joins `related` to `tables`. `digits`: the configuration's digits of currencies.
pub(in crate::load) fn relate(
    mut tables: StripeTables,
    related: Related,
    files: &[InputFile],
    digits: &BTreeMap<Currency, u8>,
) -> Result<Joined, TableError> {
    let mut settled = crate::load::settle::Settled::new(files, related.settled);
    let (discounts, several) = coupons::tell_apart(&mut tables, &related.discounts)?;
    items::attach(&mut tables, related.items.frame(), related.own_prices.frame(), &mut settled)?;
    unreadable::mark(&mut tables, &related.unreadable)?;
    prices::complete(&mut tables, related.prices.frame(), related.tiers.frame(), digits, &mut settled)?;
    discounts::attach(&mut tables, &discounts, &related.items, &related.lists, &mut settled)?;
    coupons::settle(&tables, &related.coupons, &several, &mut settled)?;
    metadata::fill(&mut tables, &related.metadata, &mut settled)?;
    let (settled, breaks) = settled.finish()?;
    Ok(Joined { tables, settled, breaks })
}
