//! Rows that could not be read, to the subscriptions that cannot be billed without them.

use super::super::related::Unreadable;
use crate::load::error::TableError;
use crate::table::{StripeTables, Subscriptions, beside, look_up};
use polars::prelude::*;

/// Gives each subscription a problem that lacks a row of its own, or a row of a price that it bills.
pub(super) fn mark(tables: &mut StripeTables, unreadable: &Unreadable) -> Result<(), TableError> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let of = |level: &str| {
        unreadable.lazy().filter(col("level").eq(lit(level))).select([col("id"), col("reason"), col("detail")])
    };
    let subscriptions = tables.subscriptions.lazy().select([col("ord"), col("id")]);
    let items = tables.items.lazy().select([col("subscription").alias("ord"), col("price")]);
    let found = concat(
        [
            subscriptions.inner_join(of("subscription"), col("id"), col("id")).select([
                col("ord"),
                col("reason"),
                col("detail"),
            ]),
            items.inner_join(of("price"), col("price"), col("id")).select([col("ord"), col("reason"), col("detail")]),
        ],
        UnionArgs::default(),
    )?
    .unique(None, UniqueKeepStrategy::Any)
    .sort(["ord", "detail"], SortMultipleOptions::default())
    .group_by([col("ord")])
    .agg([col("reason").min(), col("detail").str().join("; ", true)])
    .collect()?;
    let own = || col("problem").is_not_null();
    let marked = look_up(
        tables.subscriptions.lazy().select([col("ord"), col("problem"), col("problem_detail")]),
        found.lazy(),
        "ord",
        "ord",
    )
    .select([
        when(own()).then(col("problem")).otherwise(col("reason")).alias("problem"),
        when(own()).then(col("problem_detail")).otherwise(col("detail")).alias("problem_detail"),
    ])
    .collect()?;
    tables.subscriptions = Subscriptions::new(beside(tables.subscriptions.frame(), marked)?)?;
    Ok(())
}
