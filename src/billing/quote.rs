//! Quotes: what an item costs per interval, before discounts and tax, as a column.
//!
//! A plain price is amount × quantity. Tiers and `transform_quantity` are no arithmetic of columns: each distinct price
//! list and quantity is priced once, by the rule for rows ([`tiers::price`]), and all items that share it take the answer.

use super::{
    distinct::Distinct,
    exact::{number, wide},
    item,
    lookup::Lookup,
    scale::MOST_MINOR,
    steps::Steps,
    tiers,
};
use crate::model::Reason;
use polars::prelude::*;

/// An amount with more digits after the point than this many minor units hold is left to rows.
pub(super) const FINEST: i128 = 1_000_000_000_000;

/// All that decides what [`tiers::price`] answers.
const KEYS: &[&str] = &[
    "tiered",
    "tiers",
    "tiers_mode",
    "quantity",
    "quantity_required",
    "divide_by",
    "divide_round",
    "amount_num",
    "amount_den",
    "amount_is_total",
];

/// Adds `price_num`, `price_den` (at least 1), `times` and `unpriced` (a [`Reason`], else null) to licensed `items`: each
/// costs `price_num / price_den × times` minor units per interval.
pub(super) fn quote(items: DataFrame, lookup: &Lookup<'_>) -> PolarsResult<DataFrame> {
    let lacks_quantity = col("quantity").is_null().and(col("quantity_required")).and(col("amount_is_total").not());
    let times = when(col("amount_is_total")).then(lit(1_i64)).otherwise(coalesce(&[col("quantity"), lit(1_i64)]));
    let zero = || lit(0).cast(DataType::Int128);
    let at_least_one = when(col("times").lt(lit(1_i64))).then(lit(1_i64)).otherwise(col("times"));
    let most = col("amount_den") * number(MOST_MINOR) / at_least_one.cast(DataType::Int128);
    let too_much = col("amount_num").gt(most).and(col("times").gt(lit(0_i64)));
    let reason = |reason: Reason| lit(reason.as_str());
    let unpriced = when(lacks_quantity)
        .then(reason(Reason::QuantityMissing))
        .when(col("times").lt(lit(0_i64)))
        .then(reason(Reason::AmountOutOfRange))
        .when(col("amount_num").is_null())
        .then(reason(Reason::BadNumber))
        .when(col("amount_num").lt(zero()).or(too_much))
        .then(reason(Reason::AmountOutOfRange))
        .otherwise(lit(NULL).cast(DataType::String));
    let quoted = items
        .lazy()
        .with_column(times.alias("times"))
        .with_columns([
            col("amount_num").alias("price_num"),
            col("amount_den").alias("price_den"),
            unpriced.alias("unpriced"),
        ])
        .collect()?;
    let special = quoted
        .clone()
        .lazy()
        .with_row_index("place", None)
        .filter(col("tiered").or(col("divide_by").is_not_null()))
        .collect()?;
    if special.height() == 0 { Ok(quoted) } else { overwrite(quoted, &special, lookup) }
}

/// Puts the answers of [`tiers::price`] on the items in `special`, each at its `place` in `items`.
fn overwrite(mut items: DataFrame, special: &DataFrame, lookup: &Lookup<'_>) -> PolarsResult<DataFrame> {
    let distinct = Distinct::new(special, KEYS)?;
    let firsts = UInt32Chunked::from_vec("first".into(), distinct.firsts).cast(&IDX_DTYPE)?;
    let firsts = special.take(firsts.idx()?)?;
    let quotes: Vec<Result<(i128, i128), Reason>> = item::items(&firsts)?
        .iter()
        .map(|item| {
            tiers::price(item, &lookup.tiers(item), &mut Steps::default())?.parts().ok_or(Reason::AmountOutOfRange)
        })
        .collect();
    let mut nums: Vec<Option<i128>> = items.column("price_num")?.i128()?.iter().collect();
    let mut dens: Vec<Option<i128>> = items.column("price_den")?.i128()?.iter().collect();
    let mut times: Vec<Option<i64>> = items.column("times")?.i64()?.iter().collect();
    let known = items.column("unpriced")?.str()?.clone();
    let mut unpriced: Vec<Option<&str>> = known.iter().collect();
    for (place, index) in special.column("place")?.idx()?.iter().zip(&distinct.of) {
        let Some(place) = place.map(|place| place as usize) else { continue };
        let quote = quotes[*index as usize];
        (nums[place], dens[place]) = quote.map_or((None, None), |(num, den)| (Some(num), Some(den)));
        (times[place], unpriced[place]) = (Some(1), quote.err().map(Reason::as_str));
    }
    items
        .with_column(wide("price_num", nums.into_iter()).into())?
        .with_column(wide("price_den", dens.into_iter()).into())?;
    items.with_column(Column::new("times".into(), times))?.with_column(Column::new("unpriced".into(), unpriced))?;
    Ok(items)
}
