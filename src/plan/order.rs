//! The order of sending: largest absolute change of MRR first, then by key.

use super::PlanError;
use crate::model::{Prediction, Selection};
use crate::table::{PlanRows, is_selected};
use polars::prelude::*;

/// How many rows of a plan are to be sent, of those that are selected.
pub fn rows_to_send(rows: &PlanRows, selection: Option<&Selection>) -> PolarsResult<usize> {
    Ok(rows
        .lazy()
        .filter(is_sent().and(is_selected(selection)))
        .select([len()])
        .collect()?
        .column("len")?
        .cast(&DataType::UInt64)?
        .u64()?
        .get(0)
        .map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX)))
}

/// Whether a row is sent.
fn is_sent() -> Expr {
    let sent: Vec<&str> = Prediction::ALL.iter().filter(|word| word.is_sent()).map(|word| word.as_str()).collect();
    col("predicted").is_in(lit(Series::new("".into(), sent)).implode(false), false)
}

/// Sorts and numbers the rows: what is sent first, in the order of sending, then the rest by key and product.
pub fn number(rows: LazyFrame) -> Result<PlanRows, PlanError> {
    let change = (col("mrr").fill_null(lit(0_i64)) - col("mrr_before").fill_null(lit(0_i64))).abs();
    let sorted = rows
        .with_columns([
            is_sent().not().alias("after"),
            when(is_sent()).then(change).otherwise(lit(0_i64)).alias("impact"),
        ])
        .sort(
            ["after", "impact", "key", "product"],
            SortMultipleOptions::default().with_order_descending_multi([false, true, false, false]),
        )
        .drop(by_name(["after", "impact", "row"], true, false))
        .with_row_index("row", None)
        .collect()?;
    Ok(PlanRows::new(sorted)?)
}
