//! Which rows of the plan a run was asked to send, as a condition over them.

use crate::model::Selection;
use polars::prelude::*;

/// Whether a row of the plan is chosen, by its column `row`; without a selection every row is.
pub fn is_selected(selection: Option<&Selection>) -> Expr {
    match selection {
        None => lit(true),
        Some(Selection::Limit(most)) => col("row").cast(DataType::UInt64).lt(lit(*most)),
        Some(Selection::Only { rows, .. }) => rows.iter().fold(lit(false), |any, row| any.or(col("row").eq(lit(*row)))),
    }
}
