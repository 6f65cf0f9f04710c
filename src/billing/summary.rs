//! What a group of subscriptions (a customer's) shows together.

use super::{Billed, exact::number, status};
use crate::{config::Rounding, model::Reason};
use polars::prelude::*;

/// Aggregates `rows`, those of `billed` that count here, per `by`, a column that the caller joined on; rows without one are
/// left out.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | *by* | as given | the group |
/// | `mrr_exact` | `Int128` | sum in 1/scale minor units; null with any problem |
/// | `mrr` | `Int64` | the exact sum, also of what the scale cannot hold, rounded once to whole minor units; null likewise |
/// | `subscription_status` | `String` | the highest in precedence |
/// | `auto_renew` | `Boolean` | whether any subscription renews |
/// | `period_end` | instant | the earliest period end ahead, else the latest end |
/// | `problem` | `String` | the first [`Reason`] in alphabetical order |
/// | `problem_detail` | `String` | all that was found, sorted, each once, joined by `; ` |
/// | `subscriptions` | `UInt32` | rows in the group |
pub fn summarise(rows: LazyFrame, by: &str, billed: &Billed, rounding: Rounding) -> PolarsResult<LazyFrame> {
    let scale = billed.scale;
    let rows = rows.filter(col(by).is_not_null());
    let details = rows
        .clone()
        .filter(col("problem_detail").is_not_null())
        .select([col(by), col("problem_detail")])
        .unique(None, UniqueKeepStrategy::Any)
        .group_by([col(by)])
        .agg([col("problem_detail").sort(SortOptions::default()).str().join("; ", true)]);
    let undocumented = when(col("rank").eq(lit(status::UNKNOWN_RANK))).then(col("status")).otherwise(lit(NULL));
    let fits = col("mrr_exact").lt_eq(number(i128::from(i64::MAX).saturating_mul(scale))).fill_null(true);
    let summary = rows
        .clone()
        .group_by([col(by)])
        .agg([
            col("mrr").sum().alias("mrr_exact"),
            col("rank").min(),
            undocumented.min().alias("undocumented"),
            col("renews").any(true).alias("auto_renew"),
            col("period_end_ahead").min(),
            col("last_end").max(),
            col("problem").min(),
            len().cast(DataType::UInt32).alias("subscriptions"),
        ])
        .with_column(
            when(col("problem").is_null().and(fits.not()))
                .then(lit(Reason::AmountOutOfRange.as_str()))
                .otherwise(col("problem"))
                .alias("problem"),
        )
        .with_column(when(col("problem").is_null()).then(col("mrr_exact")).otherwise(lit(NULL)).alias("mrr_exact"))
        .left_join(details, col(by), col(by))
        .select([
            col(by),
            col("mrr_exact"),
            rounded(col("mrr_exact"), scale, rounding).cast(DataType::Int64).alias("mrr"),
            coalesce(&[status::word("rank"), col("undocumented")]).alias("subscription_status"),
            col("auto_renew"),
            coalesce(&[col("period_end_ahead"), col("last_end")]).alias("period_end"),
            col("problem"),
            when(col("problem").is_not_null().and(col("problem_detail").is_null()))
                .then(lit("its subscriptions together bring more a month than 64 bits hold"))
                .otherwise(col("problem_detail"))
                .alias("problem_detail"),
            col("subscriptions"),
        ]);
    if billed.rests.is_empty() {
        return Ok(summary);
    }
    billed.rests.round_anew(summary.collect()?, rows, by, scale, rounding)
}

/// `exact / scale` as a whole number; amounts are never below 0.
fn rounded(exact: Expr, scale: i128, rounding: Rounding) -> Expr {
    let whole = exact.clone() / number(scale);
    let twice_rest = (exact - whole.clone() * number(scale)) * number(2);
    let odd = (whole.clone() % number(2)).eq(number(1));
    let tie_goes_up = match rounding {
        Rounding::HalfUp => lit(true),
        Rounding::HalfEven => odd,
    };
    let up = twice_rest.clone().gt(number(scale)).or(twice_rest.eq(number(scale)).and(tie_goes_up));
    whole + up.cast(DataType::Int128)
}
