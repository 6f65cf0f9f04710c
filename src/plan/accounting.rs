//! `accounting.csv` as a table: one row per input row, rejected ones included.

use super::PlanError;
use super::together::Together;
use crate::config::Settings;
use crate::link::{Dispositions, OVERRIDES};
use crate::load::SettledRows;
use crate::model::{Disposition, InputFile, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::table::Accounting;
use polars::prelude::*;

/// Puts the dispositions of every source together, in the order of the configuration, then of reading.
///
/// `existing`: one table per product, whose `customer` is a key already.
pub fn accounting(
    files: &[InputFile],
    rejected: &[Rejection],
    together: &Together,
    settled: &SettledRows,
    existing: &[Dispositions],
    settings: &Settings,
) -> Result<Accounting, PlanError> {
    let paths = Series::new("path".into(), files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>());
    let rows = |source: Expr, frame: LazyFrame, customer: Expr| {
        frame.select([
            source.alias("source"),
            lit(paths.clone()).gather(col("file"), true).alias("file"),
            col("line"),
            col("id"),
            col("disposition"),
            col("reason"),
            customer.alias("customer"),
        ])
    };
    // `customer` counts from 0 without a gap, so the keys line up with it by position.
    let key = || match &together.keys {
        Some(keys) => lit(keys.clone()).gather(col("customer"), true),
        None => col("customer"),
    };
    let mut parts = vec![
        rows(lit(STRIPE_CUSTOMERS), together.accounts.clone().lazy(), key()),
        rows(lit(STRIPE_SUBSCRIPTIONS), together.subscriptions.clone().lazy(), key()),
        rows(col("source"), settled.lazy(), lit(NULL).cast(DataType::String)),
    ];
    for (index, crm) in (0_u32..).zip(&settings.crms) {
        parts.push(rows(
            lit(crm.name.as_str()),
            together.contacts.clone().lazy().filter(col("crm").eq(lit(index))),
            key(),
        ));
    }
    parts.push(rows(lit(OVERRIDES), together.overrides.clone().lazy(), key()));
    for product in existing {
        parts.push(rows(lit("existing"), product.clone().lazy(), col("customer")));
    }
    parts.push(
        df!(
            "source" => rejected.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(),
            "file" => rejected.iter().map(|row| row.file.as_str()).collect::<Vec<_>>(),
            "line" => rejected.iter().map(|row| u32::try_from(row.line).ok()).collect::<Vec<_>>(),
            "id" => rejected.iter().map(|row| row.id.as_deref()).collect::<Vec<_>>(),
            "disposition" => rejected.iter().map(|_| Disposition::Rejected.as_str()).collect::<Vec<_>>(),
            "reason" => rejected.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>(),
            "customer" => rejected.iter().map(|_| None::<&str>).collect::<Vec<_>>(),
        )?
        .lazy(),
    );
    Ok(Accounting::new(concat(parts, UnionArgs::default())?.collect()?)?)
}
