//! Whom of Tether's customers the rows that are not sent might be: every candidate is listed, and its MRR stands on exactly
//! one row.

use super::DiffError;
use crate::model::{Prediction, Reason};
use crate::table::{beside, look_up};
use polars::prelude::*;

/// One row per pair of a desired customer that is not sent (conflict, invalid) and an existing customer it might be:
/// `customer` u32, `key`, `holder` u32, `by` str (`external_id` or `email`), `tether_id`, `held_external_id`, `held_email`,
/// `mrr` Int64, `is_free` bool (no clean match has that customer, and this is the first pair that names it).
pub fn candidates(matched: &DataFrame, held: &DataFrame) -> Result<DataFrame, DiffError> {
    let unsent = matched
        .clone()
        .lazy()
        .filter(
            col("predicted")
                .eq(lit(Prediction::Conflict.as_str()))
                .or(col("predicted").eq(lit(Prediction::Invalid.as_str()))),
        )
        .select([col("customer"), col("key"), col("external_id"), col("email")]);
    let pairs = |by: &'static str| {
        unsent
            .clone()
            .filter(col(by).is_not_null())
            .select([col("customer"), col("key"), col(by).alias("by_value")])
            .inner_join(
                held.clone().lazy().filter(col(by).is_not_null()).select([
                    col(by).alias("by_value"),
                    col("holder"),
                    col("tether_id"),
                    col("external_id").alias("held_external_id"),
                    col("email").alias("held_email"),
                    col("mrr"),
                ]),
                col("by_value"),
                col("by_value"),
            )
            .with_column(lit(by).alias("by"))
            .select([
                col("customer"),
                col("key"),
                col("holder"),
                col("by"),
                col("tether_id"),
                col("held_external_id"),
                col("held_email"),
                col("mrr"),
            ])
    };
    let clean =
        matched.clone().lazy().filter(col("holder").is_not_null()).select([col("holder"), lit(true).alias("clean")]);
    Ok(concat([pairs("external_id"), pairs("email")], UnionArgs::default())?
        .left_join(clean, col("holder"), col("holder"))
        .sort(
            ["key", "by", "tether_id", "holder"],
            SortMultipleOptions::default()
                .with_order_descending_multi([false, true, false, false])
                .with_nulls_last(true)
                .with_maintain_order(true),
        )
        .with_column(col("clean").is_null().and(col("holder").is_first_distinct()).alias("is_free"))
        .drop(by_name(["clean"], true, false))
        .collect()?)
}

/// Adds `detail` to every row, and to the rows of `candidates` whom they might be (`tether_id`) and what those hold
/// (`mrr_before`).
pub fn describe(matched: &DataFrame, candidates: &DataFrame) -> Result<DataFrame, DiffError> {
    let named = (lit("Tether's ")
        + coalesce(&[col("tether_id"), lit("customer")])
        + lit(" (external id ")
        + col("held_external_id").fill_null(lit("none"))
        + lit(", e-mail ")
        + col("held_email").fill_null(lit("none"))
        + lit(") has the ")
        + when(col("by").eq(lit("email"))).then(lit("e-mail")).otherwise(lit("external id")))
    .alias("candidate");
    let per_customer = candidates
        .clone()
        .lazy()
        .with_column(named)
        .group_by_stable([col("customer")])
        .agg([
            col("tether_id").drop_nulls().unique().sort(SortOptions::default()).alias("candidate_ids"),
            // A sum over nothing is 0, yet a customer without MRR holds none.
            when(col("mrr").filter(col("is_free")).count().gt(lit(0)))
                .then(col("mrr").filter(col("is_free")).sum())
                .otherwise(lit(NULL))
                .alias("candidate_mrr"),
            col("candidate").head(Some(12)).alias("candidates"),
        ])
        .with_columns([
            col("candidate_ids").list().join(lit(";"), true),
            col("candidates").list().join(lit("; "), true),
        ]);
    let advice = [
        (Reason::IdentityConflict, "merge the two in Tether, or correct the e-mail or external id at the source"),
        (Reason::ExternalIdMismatch, "correct the external id on one side, or allow [link] relink_external_id"),
        (Reason::AmbiguousExisting, "merge them in Tether"),
        (Reason::EmailRequiredToCreate, "nobody in Tether matches and there is no e-mail to create the customer with"),
    ]
    .into_iter()
    .fold(lit(NULL).cast(DataType::String), |otherwise, (reason, text)| {
        when(col("reason").eq(lit(reason.as_str()))).then(lit(text)).otherwise(otherwise)
    });
    let reasons = concat_str(
        [
            when(col("reason").eq_missing(col("problem"))).then(col("problem_detail")).otherwise(lit(NULL)),
            when(col("reason").eq_missing(col("ambiguity"))).then(col("ambiguity_detail")).otherwise(lit(NULL)),
            when(col("ambiguity").is_null()).then(col("candidates")).otherwise(lit(NULL)),
            advice,
        ],
        "; ",
        true,
    );
    let narrow = matched.select([
        "customer",
        "reason",
        "problem",
        "problem_detail",
        "ambiguity",
        "ambiguity_detail",
        "tether_id",
        "mrr_before",
    ])?;
    let found = look_up(narrow.lazy(), per_customer, "customer", "customer")
        .with_columns([
            when(col("reason").is_not_null()).then(reasons).otherwise(lit(NULL)).alias("detail"),
            coalesce(&[col("tether_id"), col("candidate_ids")]).alias("tether_id"),
            coalesce(&[col("mrr_before"), col("candidate_mrr")]).alias("mrr_before"),
            lit(0_u32).alias("row"),
        ])
        .select([
            when(col("detail").eq(lit(""))).then(lit(NULL)).otherwise(col("detail")).alias("detail"),
            col("tether_id"),
            col("mrr_before"),
            col("row"),
        ])
        .collect()?;
    Ok(beside(matched, found)?)
}
