//! The parts of several files → one table each, with `ord`s that are unique over all of them.

use super::error::TableError;
use super::stripe::related::{DiscountLists, OwnPrices, Related};
use crate::table::{Accounts, Coupons, Discounts, Items, StripeTables, Subscriptions, TaxRates, Tiers};
use polars::prelude::*;
use std::collections::HashMap;

/// The rows numbered from 0 in a new column `ord`.
pub(super) fn ordered(mut frame: DataFrame) -> PolarsResult<DataFrame> {
    let rows = u32::try_from(frame.height())
        .map_err(|_| polars_err!(ComputeError: "more than {} rows in one file", u32::MAX))?;
    frame.with_column(UInt32Chunked::from_iter_values("ord".into(), 0..rows).into_column())?;
    Ok(frame)
}

/// `frame` with `offset` added to the numbers in `columns`.
fn shifted(mut frame: DataFrame, columns: &[&str], offset: usize) -> PolarsResult<DataFrame> {
    if offset == 0 || frame.height() == 0 {
        return Ok(frame);
    }
    let too_many = || polars_err!(ComputeError: "more than {} rows in all files of a source", u32::MAX);
    let offset = u32::try_from(offset).map_err(|_| too_many())?;
    for name in columns {
        let numbers = frame.column(name)?.u32()?.clone();
        if numbers.max().is_some_and(|most| most.checked_add(offset).is_none()) {
            return Err(too_many());
        }
        frame.with_column((numbers + offset).into_column())?;
    }
    Ok(frame)
}

/// The frames below one another, in one chunk per column; columns of nothing but nulls take no room.
pub(super) fn stacked(frames: Vec<DataFrame>, empty: DataFrame) -> PolarsResult<DataFrame> {
    let mut stack: Option<DataFrame> = None;
    for frame in frames.into_iter().filter(|frame| frame.height() > 0) {
        match &mut stack {
            None => stack = Some(frame),
            Some(stack) => {
                stack.vstack_mut(&frame)?;
            }
        }
    }
    let Some(frame) = stack else { return Ok(empty) };
    let rows = frame.height();
    let columns = frame
        .into_columns()
        .into_iter()
        .map(|column| {
            if column.null_count() == rows {
                Column::full_null(column.name().clone(), rows, column.dtype())
            } else {
                column.rechunk()
            }
        })
        .collect();
    DataFrame::new(rows, columns)
}

/// Overrides of several files, renumbered in their order.
pub(super) fn overrides(frames: Vec<DataFrame>) -> Result<crate::table::Overrides, TableError> {
    let frames = renumbered(frames)?;
    Ok(crate::table::Overrides::new(stacked(frames, crate::table::Overrides::empty().into_frame())?)?)
}

/// Existing customers of one product's files, renumbered in their order.
pub(super) fn existing(frames: Vec<DataFrame>) -> Result<crate::table::Existing, TableError> {
    let frames = renumbered(frames)?;
    Ok(crate::table::Existing::new(stacked(frames, crate::table::Existing::empty().into_frame())?)?)
}

/// `ord` counted on over the frames.
pub(super) fn renumbered(frames: Vec<DataFrame>) -> PolarsResult<Vec<DataFrame>> {
    let mut offset = 0;
    frames
        .into_iter()
        .map(|frame| {
            let rows = frame.height();
            let frame = shifted(frame, &["ord"], offset)?;
            offset += rows;
            Ok(frame)
        })
        .collect()
}

/// How far each kind of `ord` has been given away.
#[derive(Clone, Copy, Default)]
struct Offsets {
    accounts: usize,
    subscriptions: usize,
    items: usize,
    tier_lists: usize,
}

/// `owner` of discounts and tax rates counts within the table that `level` names.
fn owned(frame: DataFrame, offsets: Offsets) -> PolarsResult<DataFrame> {
    if frame.height() == 0 {
        return Ok(frame);
    }
    let mut stack = Vec::new();
    for (level, offset) in
        [("item", offsets.items), ("subscription", offsets.subscriptions), ("customer", offsets.accounts)]
    {
        let of_level: BooleanChunked =
            frame.column("level")?.str()?.iter().map(|known| Some(known == Some(level))).collect();
        stack.push(shifted(frame.filter(&of_level)?, &["owner"], offset)?);
    }
    stacked(stack, frame.clear())
}

/// How many tier lists there are: they are numbered from 0.
fn tier_lists(tiers: &Tiers) -> PolarsResult<usize> {
    Ok(tiers.frame().column("tiers")?.u32()?.max().map_or(0, |last| last as usize + 1))
}

/// The tables of all Stripe files, and the rows that are yet to be joined to them; parts in order of their files.
pub(super) fn stripe(parts: Vec<(StripeTables, Related)>) -> Result<(StripeTables, Related), TableError> {
    let mut offsets = Offsets::default();
    let mut frames: [Vec<DataFrame>; 7] = Default::default();
    let mut related_rows = Vec::with_capacity(parts.len());
    for (part, mut related) in parts {
        related.own_prices =
            OwnPrices::new(shifted(related.own_prices.into_frame(), &["subscription"], offsets.subscriptions)?)?;
        related.lists = DiscountLists::new(owned(related.lists.into_frame(), offsets)?)?;
        related_rows.push(related);
        let next = Offsets {
            accounts: offsets.accounts + part.accounts.len(),
            subscriptions: offsets.subscriptions + part.subscriptions.len(),
            items: offsets.items + part.items.len(),
            tier_lists: offsets.tier_lists + tier_lists(&part.tiers)?,
        };
        let items = shifted(part.items.into_frame(), &["ord"], offsets.items)?;
        let items = shifted(items, &["tiers"], offsets.tier_lists)?;
        let shifted_parts = [
            shifted(part.accounts.into_frame(), &["ord"], offsets.accounts)?,
            shifted(part.subscriptions.into_frame(), &["ord"], offsets.subscriptions)?,
            shifted(items, &["subscription"], offsets.subscriptions)?,
            shifted(part.tiers.into_frame(), &["tiers"], offsets.tier_lists)?,
            owned(part.discounts.into_frame(), offsets)?,
            part.coupons.into_frame(),
            owned(part.tax_rates.into_frame(), offsets)?,
        ];
        for (frames, frame) in frames.iter_mut().zip(shifted_parts) {
            frames.push(frame);
        }
        offsets = next;
    }
    let [accounts, subscriptions, items, tiers, discounts, coupons, tax_rates] = frames;
    let tables = StripeTables {
        accounts: Accounts::new(stacked(accounts, Accounts::empty().into_frame())?)?,
        subscriptions: Subscriptions::new(stacked(subscriptions, Subscriptions::empty().into_frame())?)?,
        items: Items::new(stacked(items, Items::empty().into_frame())?)?,
        tiers: Tiers::new(stacked(tiers, Tiers::empty().into_frame())?)?,
        discounts: Discounts::new(stacked(discounts, Discounts::empty().into_frame())?)?,
        coupons: Coupons::new(stacked(coupons, Coupons::empty().into_frame())?)?,
        tax_rates: TaxRates::new(stacked(tax_rates, TaxRates::empty().into_frame())?)?,
    };
    Ok((tables, Related::stacked(related_rows)?))
}

/// What a row that carries no content of its own (of a dashboard or a warehouse) says of a subscription, besides its id.
const SUBSCRIPTION_CONTENT: &[&str] = &[
    "customer",
    "status",
    "cancel_at_period_end",
    "cancel_at",
    "canceled_at",
    "ended_at",
    "created",
    "current_period_end",
    "pause_behavior",
    "pause_resumes_at",
    "livemode",
    "problem",
];
const ITEM_CONTENT: &[&str] = &[
    "id",
    "price",
    "product",
    "currency",
    "amount_num",
    "amount_den",
    "amount_is_total",
    "quantity",
    "interval",
    "interval_count",
    "usage_type",
    "tiers_mode",
    "current_period_end",
];

/// Fills `content` for ids that occur more than once and have none: everything in the row that could
/// matter. Ids that occur once have nothing to be told from, so that big files pay nothing.
pub(super) fn with_content(tables: &StripeTables) -> Result<Option<Subscriptions>, TableError> {
    let frame = tables.subscriptions.frame();
    let ids = frame.column("id")?.as_materialized_series();
    let contents = frame.column("content")?.str()?;
    if frame.height() == 0 || contents.null_count() == 0 || ids.n_unique()? == frame.height() {
        return Ok(None);
    }
    let text = |names: &[&str]| {
        names.iter().map(|name| col(*name).cast(DataType::String).fill_null(lit(""))).collect::<Vec<_>>()
    };
    let joined = |names: &[&str]| concat_str(text(names), "\u{1f}", false);
    let repeated = tables
        .subscriptions
        .lazy()
        .filter(col("id").is_duplicated().and(col("content").is_null()))
        .select([col("ord"), joined(SUBSCRIPTION_CONTENT).alias("subscription_content")]);
    let repeated_ords = repeated.clone().select([col("ord")]);
    let items = tables
        .items
        .lazy()
        .semi_join(repeated_ords.clone(), col("subscription"), col("ord"))
        .select([col("subscription"), joined(ITEM_CONTENT).alias("item_content")])
        .sort(["item_content"], SortMultipleOptions::default())
        .group_by([col("subscription")])
        .agg([col("item_content").str().join("\u{1e}", true)]);
    let rows = repeated
        .join(items, [col("ord")], [col("subscription")], JoinArgs::new(JoinType::Left))
        .select([col("ord"), joined(&["subscription_content", "item_content"]).alias("content")])
        .collect()?;
    // From here loops: they only see the repeated rows and their discounts.
    let mut found: HashMap<u32, String> = rows
        .column("ord")?
        .u32()?
        .iter()
        .zip(rows.column("content")?.str()?.iter())
        .filter_map(|(ord, content)| Some((ord?, content?.to_owned())))
        .collect();
    let discounts = tables
        .discounts
        .lazy()
        .filter(col("level").eq(lit("subscription")))
        .join(repeated_ords, [col("owner")], [col("ord")], JoinArgs::new(JoinType::Semi))
        .sort(["owner", "position"], SortMultipleOptions::default())
        .collect()?;
    for (owner, coupon) in discounts.column("owner")?.u32()?.iter().zip(discounts.column("coupon")?.str()?.iter()) {
        if let Some(content) = owner.and_then(|owner| found.get_mut(&owner)) {
            content.push('\u{1f}');
            content.push_str(coupon.unwrap_or_default());
        }
    }
    let filled: StringChunked = frame
        .column("ord")?
        .u32()?
        .iter()
        .zip(contents.iter())
        .map(|(ord, content)| content.or_else(|| ord.and_then(|ord| found.get(&ord)).map(String::as_str)))
        .collect();
    let mut frame = frame.clone();
    frame.with_column(filled.with_name("content".into()).into_column())?;
    Ok(Some(Subscriptions::new(frame)?))
}
