//! One subscription item as a row, for what columns cannot price, and for sentences about those with a problem.

use crate::model::{Currency, Reason};
use polars::prelude::*;

/// An item as read; its texts are its table's.
#[expect(clippy::struct_excessive_bools, reason = "the columns of a table")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Item<'a> {
    pub ord: u32,
    pub subscription: u32,
    pub id: Option<&'a str>,
    pub price: Option<&'a str>,
    pub product: Option<&'a str>,
    pub currency: Option<&'a str>,
    pub amount: Option<(i128, i128)>,
    pub amount_is_total: bool,
    pub quantity: Option<i64>,
    pub quantity_required: bool,
    pub interval: Option<&'a str>,
    pub interval_count: i64,
    pub metered: bool,
    pub tiered: bool,
    pub tiers_mode: Option<&'a str>,
    /// Number of its tier list.
    pub tiers: Option<u32>,
    pub divide_by: Option<i64>,
    pub divide_round: Option<&'a str>,
}

/// Why an item cannot be priced.
pub(super) type Problem = (Reason, String);

/// The items of `frame`, row by row.
pub(super) fn items(frame: &DataFrame) -> PolarsResult<Vec<Item<'_>>> {
    let text = |column: &str| frame.column(column).and_then(Column::str);
    let flag = |column: &str| frame.column(column).and_then(Column::bool);
    let (ords, subscriptions) = (frame.column("ord")?.u32()?, frame.column("subscription")?.u32()?);
    let (ids, products, currencies) = (text("id")?, text("product")?, text("currency")?);
    // Only explanations name it: frames that are priced by columns may do without.
    let prices = frame.column("price").ok().map(Column::str).transpose()?;
    let (nums, dens) = (frame.column("amount_num")?.i128()?, frame.column("amount_den")?.i128()?);
    let (totals, required) = (flag("amount_is_total")?, flag("quantity_required")?);
    let (quantities, counts) = (frame.column("quantity")?.i64()?, frame.column("interval_count")?.i64()?);
    let (intervals, usages) = (text("interval")?, text("usage_type")?);
    let (tiered, modes) = (flag("tiered")?, text("tiers_mode")?);
    let lists = frame.column("tiers")?.u32()?;
    let (divisors, rounds) = (frame.column("divide_by")?.i64()?, text("divide_round")?);
    let rows = 0..frame.height();
    Ok(rows
        .map(|row| Item {
            ord: ords.get(row).unwrap_or(u32::MAX),
            subscription: subscriptions.get(row).unwrap_or(u32::MAX),
            id: ids.get(row),
            price: prices.and_then(|prices| prices.get(row)),
            product: products.get(row),
            currency: currencies.get(row),
            amount: nums.get(row).zip(dens.get(row)),
            amount_is_total: totals.get(row).unwrap_or(false),
            quantity: quantities.get(row),
            quantity_required: required.get(row).unwrap_or(false),
            interval: intervals.get(row),
            interval_count: counts.get(row).unwrap_or(0),
            metered: usages.get(row) == Some("metered"),
            tiered: tiered.get(row).unwrap_or(false),
            tiers_mode: modes.get(row),
            tiers: lists.get(row),
            divide_by: divisors.get(row),
            divide_round: rounds.get(row),
        })
        .collect())
}

impl Item<'_> {
    /// One sentence on `reason`: what was found on this item of `subscription`, and what to do.
    pub fn sentence(&self, reason: Reason, subscription: &str, account: Currency) -> String {
        let item = self.id.map_or(String::new(), |id| format!(", item {id}"));
        let here = format!("subscription {subscription}{item}");
        match reason {
            Reason::IntervalUnknown => {
                let interval = self.interval.unwrap_or("");
                format!("{here}: the interval `{} {interval}` is none of day, week, month, year", self.interval_count)
            }
            Reason::QuantityMissing => {
                format!("{here}: no quantity; if Amount is a total, set [stripe] amount = \"total\"")
            }
            Reason::CurrencyWithoutRate => match self.currency {
                Some(code) => format!(
                    "no rate from {code} to {account}: add {code} = {{ rate = \"…\", date = \"…\" }} under [fx]"
                ),
                None => format!("{here}: no currency"),
            },
            Reason::TiersMissing => format!(
                "{here}: the tiers of its price are not in the export, or do not reach its quantity; \
                 export them (price_tiers, or expand[]=data.items.data.price.tiers)"
            ),
            Reason::BadNumber => {
                format!("{here}: its price has no amount, or a transform_quantity that cannot be applied")
            }
            _ => format!("{here}: an amount or quantity is below zero or too large"),
        }
    }
}
