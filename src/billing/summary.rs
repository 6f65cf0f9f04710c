//! What a group of subscriptions (a customer's) shows together.

use super::{exact::number, status};
use crate::{config::Rounding, model::Reason};
use polars::prelude::*;

/// Aggregates billed subscriptions per `by`, a column that the caller joined on; rows without one are left out.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | *by* | as given | the group |
/// | `mrr_exact` | `Int128` | sum in 1/scale minor units; null with any problem |
/// | `mrr` | `Int64` | the same, rounded once to whole minor units; null with any problem |
/// | `subscription_status` | `String` | the highest in precedence |
/// | `auto_renew` | `Boolean` | whether any subscription renews |
/// | `period_end` | instant | the earliest period end ahead, else the latest end |
/// | `problem` | `String` | the first [`Reason`] in alphabetical order |
/// | `problem_detail` | `String` | all that was found, sorted, each once, joined by `; ` |
/// | `subscriptions` | `UInt32` | rows in the group |
pub fn summarise(billed: LazyFrame, by: &str, scale: i128, rounding: Rounding) -> LazyFrame {
    let billed = billed.filter(col(by).is_not_null());
    let details = billed
        .clone()
        .filter(col("problem_detail").is_not_null())
        .select([col(by), col("problem_detail")])
        .unique(None, UniqueKeepStrategy::Any)
        .group_by([col(by)])
        .agg([col("problem_detail").sort(SortOptions::default()).str().join("; ", true)]);
    let undocumented = when(col("rank").eq(lit(status::UNKNOWN_RANK))).then(col("status")).otherwise(lit(NULL));
    let fits = col("mrr_exact").lt_eq(number(i128::from(i64::MAX).saturating_mul(scale))).fill_null(true);
    billed
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
        ])
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
