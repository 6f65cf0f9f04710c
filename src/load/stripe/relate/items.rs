//! Subscription items to their subscriptions.

use super::ITEMS;
use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::load::ordered;
use crate::load::settle::{Settled, dispositions, marked};
use crate::model::{Disposition, Reason};
use crate::table::{INSTANT, Items, StripeTables, look_up};
use polars::prelude::*;

/// Gives each subscription that has none of its own the items that name it; where nothing does, the one price that stands
/// on the subscription itself. What their prices cost is filled in later.
pub(super) fn attach(
    tables: &mut StripeTables,
    items: &DataFrame,
    own_prices: &DataFrame,
    settled: &mut Settled<'_>,
) -> Result<(), TableError> {
    if items.height() == 0 && own_prices.height() == 0 {
        return Ok(());
    }
    let rows = ordered(items.clone())?;
    let content = ["subscription", "price", "quantity", "current_period_end", "discounts", "deleted"];
    let standing = settled.standing(ITEMS, &rows, &content)?;
    let subscriptions = tables.subscriptions.lazy().select([col("ord").alias("owner"), col("id").alias("owner_id")]);
    let own = marked(tables.items.lazy(), "subscription", "own");
    let open = look_up(subscriptions.clone(), own, "owner", "subscription").filter(col("own").is_null());
    let open = open.select([col("owner"), col("owner_id")]);

    let known = marked(subscriptions.select([col("owner_id").alias("subscription")]), "subscription", "known");
    let taken = marked(open.clone().select([col("owner_id").alias("subscription")]), "subscription", "open");
    let ends = look_up(
        look_up(standing.clone().lazy(), known, "subscription", "subscription"),
        taken,
        "subscription",
        "subscription",
    )
    .with_columns(dispositions(&[
        (col("deleted"), Disposition::Excluded, Some(Reason::Deleted)),
        (col("known").is_null(), Disposition::Unattached, Some(Reason::OwnerMissing)),
        // The subscription came with its items: these repeat them.
        (col("open").is_null(), Disposition::MergedDuplicate, None),
    ]));
    settled.add(ITEMS, ends)?;

    let attached = standing
        .lazy()
        .filter(col("deleted").not())
        .inner_join(open.clone(), col("subscription"), col("owner_id"))
        .select([
            col("owner").alias("subscription"),
            col("id"),
            col("price"),
            col("quantity"),
            col("current_period_end"),
        ])
        .collect()?;
    let with_items = marked(attached.clone().lazy(), "subscription", "has");
    let alone = look_up(
        own_prices.clone().lazy().semi_join(open, col("subscription"), col("owner")),
        with_items,
        "subscription",
        "subscription",
    )
    .filter(col("has").is_null())
    .select([
        col("subscription"),
        lit(NULL).cast(DataType::String).alias("id"),
        col("price"),
        col("quantity"),
        lit(NULL).cast(INSTANT).alias("current_period_end"),
    ])
    .collect()?;
    let more = concat([attached.lazy(), alone.lazy()], UnionArgs::default())?
        .sort(["subscription", "id", "price"], SortMultipleOptions::default().with_maintain_order(true))
        .collect()?;
    append(tables, more)
}

/// The items below those that stand, with everything else that an item has still open.
fn append(tables: &mut StripeTables, more: DataFrame) -> Result<(), TableError> {
    let first = u32::try_from(tables.items.len()).unwrap_or(u32::MAX);
    let mut more = more;
    let height = more.height();
    more.with_column(UInt32Chunked::from_iter_values("ord".into(), (first..).take(height)).into_column())?;
    for (column, dtype) in Items::schema() {
        if more.column(column).is_ok() {
            continue;
        }
        more.with_column(match column {
            "amount_den" => Column::new_scalar(column.into(), Scalar::new(dtype, AnyValue::Int128(1)), height),
            "interval_count" => Column::new_scalar(column.into(), Scalar::from(1_i64), height),
            "amount_is_total" | "quantity_required" | "tiered" => {
                Column::new_scalar(column.into(), Scalar::from(false), height)
            }
            _ => Column::full_null(column.into(), height, &dtype),
        })?;
    }
    let more = Items::new(more)?.into_frame();
    let items = std::mem::replace(&mut tables.items, Items::empty()).into_frame();
    tables.items = Items::new(stacked(vec![items, more], Items::empty().into_frame())?)?;
    Ok(())
}
