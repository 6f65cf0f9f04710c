//! Joins that keep the left side's rows and their order, so that wide tables are never copied for the sake of one column.

use polars::prelude::*;

/// How a left join keeps the left side's order.
pub fn in_order() -> JoinArgs {
    JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) }
}

/// Left join in the left side's order. `right` must have each key at most once, or rows multiply.
pub fn look_up(left: LazyFrame, right: LazyFrame, left_on: &str, right_on: &str) -> LazyFrame {
    left.join(right, [col(left_on)], [col(right_on)], in_order())
}

/// Puts the columns of `found`, computed row by row in the order of `rows`, beside those of `rows`; a column of the same
/// name is replaced.
///
/// # Errors
/// The tables differ in height.
pub fn beside(rows: &DataFrame, found: DataFrame) -> PolarsResult<DataFrame> {
    let mut rows = rows.clone();
    for column in found.into_columns() {
        rows.with_column(column)?;
    }
    Ok(rows)
}
