//! Whom of Tether's customers the rows that are not sent might be: every candidate is listed, and its MRR stands on exactly
//! one row.

use super::DiffError;
use crate::model::{Break, BreakKind, InputFile, Prediction, Reason};
use crate::table::{beside, look_up};
use polars::prelude::*;

/// Candidates named in one message; more are counted there, and each has a break of its own.
const NAMED: usize = 12;

/// What a person can do.
const ADVICE: &[(Reason, &str)] = &[
    (Reason::IdentityConflict, "merge the two in Tether, or correct the e-mail or external id at the source"),
    (Reason::ExternalIdMismatch, "correct the external id on one side, or allow [link] relink_external_id"),
    (Reason::AmbiguousExisting, "merge them in Tether"),
    (Reason::EmailRequiredToCreate, "nobody in Tether matches and there is no e-mail to create the customer with"),
];

/// The same where only one of Tether's customers is in question, and another desired customer is that one.
const ADVICE_WHERE_TAKEN: &str =
    "one e-mail cannot stand on both: correct it at the source, or run again once the other customer has left it";

/// One row per pair of a desired customer that is not sent (conflict, invalid) and an existing customer it might be:
/// `customer` u32, `key`, `holder` u32, `by` str (`external_id`, also where it shares both, or `email`), `tether_id`, `held_external_id`, `held_email`,
/// `mrr` Int64, `file`, `line`, `candidate` str (how a message names it), `is_free` bool (no clean match has that customer, and this is the first pair that names it).
pub fn candidates(matched: &DataFrame, held: &DataFrame, files: &[InputFile]) -> Result<DataFrame, DiffError> {
    let paths = Series::new("path".into(), files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>());
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
                    col("file"),
                    col("line"),
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
                col("file"),
                col("line"),
            ])
    };
    let place = when(col("file").is_null())
        .then(lit("known by an earlier reply"))
        .otherwise(lit(paths).gather(col("file"), true) + lit(":") + col("line").cast(DataType::String));
    let named = lit("Tether's ")
        + coalesce(&[col("tether_id"), lit("customer")])
        + lit(" (external id ")
        + col("held_external_id").fill_null(lit("none"))
        + lit(", e-mail ")
        + col("held_email").fill_null(lit("none"))
        + lit(", ")
        + place
        + lit(") has the ")
        + when(col("both"))
            .then(lit("external id and the e-mail"))
            .when(col("by").eq(lit("email")))
            .then(lit("e-mail"))
            .otherwise(lit("external id"))
        + when(col("taker").neq(col("key")).fill_null(lit(false)))
            .then(lit(", and is ") + col("taker") + lit(" by external id"))
            .otherwise(lit(""));
    // Whom a customer of Tether is by external id: nobody else can have it, nor the e-mail that it gives up.
    let takers = matched
        .clone()
        .lazy()
        .filter(col("by_id").is_not_null())
        .group_by([col("by_id").alias("holder")])
        .agg([col("key").min().alias("taker")]);
    let clean =
        matched.clone().lazy().filter(col("holder").is_not_null()).select([col("holder"), lit(true).alias("clean")]);
    Ok(concat([pairs("external_id"), pairs("email")], UnionArgs::default())?
        .with_column(len().over([col("customer"), col("holder")])?.gt(lit(1_u32)).alias("both"))
        .filter(col("both").and(col("by").eq(lit("email"))).not())
        .left_join(clean, col("holder"), col("holder"))
        .left_join(takers, col("holder"), col("holder"))
        .sort(
            ["key", "by", "tether_id", "held_external_id", "held_email", "mrr", "holder"],
            SortMultipleOptions::default()
                .with_order_descending_multi([false, true, false, false, false, false, false])
                .with_nulls_last(true)
                .with_maintain_order(true),
        )
        .with_column(named.alias("candidate"))
        .with_column(col("clean").is_null().and(col("holder").is_first_distinct()).alias("is_free"))
        .drop(by_name(["clean", "taker", "both"], true, false))
        .collect()?)
}

/// One break per existing customer that a conflict with Tether's side might be about.
pub fn breaks(
    matched: &DataFrame,
    candidates: &DataFrame,
    product: &str,
    files: &[InputFile],
) -> Result<Vec<Break>, DiffError> {
    if candidates.height() == 0 {
        return Ok(vec![]);
    }
    let reasons = matched
        .clone()
        .lazy()
        .filter(col("predicted").eq(lit(Prediction::Conflict.as_str())).and(col("ambiguity").is_null()))
        .select([col("customer"), col("reason")]);
    let rows = candidates.clone().lazy().inner_join(reasons, col("customer"), col("customer"));
    let rows = rows.sort(["key", "by", "candidate"], SortMultipleOptions::default()).collect()?;
    let text = |name: &str| rows.column(name).and_then(Column::str);
    let (key, by, candidate, reason) = (text("key")?, text("by")?, text("candidate")?, text("reason")?);
    let (file, line) = (rows.column("file")?.u32()?, rows.column("line")?.u32()?);
    // Rows, because each becomes one message.
    Ok((0..rows.height())
        .map(|row| {
            let word = reason.get(row).unwrap_or_default();
            let advice = ADVICE.iter().find(|(reason, _)| reason.as_str() == word).map_or("", |(_, advice)| advice);
            let detail = format!("{}; {advice}", candidate.get(row).unwrap_or_default());
            let mut found = Break::new(BreakKind::Ambiguous, product, key.get(row).unwrap_or_default(), detail);
            if let Some(path) = file.get(row).and_then(|index| files.get(index as usize)) {
                found = found.at(path.path.as_str(), line.get(row).unwrap_or_default().into());
            }
            found.field = by.get(row).map(str::to_owned);
            found.after = Some(word.to_owned());
            found
        })
        .collect())
}

/// Adds `detail` to every row, and to the rows of `candidates` whom they might be (`tether_id`) and what those hold
/// (`mrr_before`).
pub fn describe(matched: &DataFrame, candidates: &DataFrame) -> Result<DataFrame, DiffError> {
    let per_customer = candidates
        .clone()
        .lazy()
        .group_by_stable([col("customer")])
        .agg([
            col("tether_id").drop_nulls().unique().sort(SortOptions::default()).alias("candidate_ids"),
            // A sum over nothing is 0, yet a customer without MRR holds none.
            when(col("mrr").filter(col("is_free")).count().gt(lit(0)))
                .then(col("mrr").filter(col("is_free")).sum())
                .otherwise(lit(NULL))
                .alias("candidate_mrr"),
            col("candidate").head(Some(NAMED)).alias("candidates"),
            len().alias("all"),
        ])
        .with_columns([
            col("candidate_ids").list().join(lit(";"), true),
            when(col("all").gt(lit(u32::try_from(NAMED).unwrap_or(u32::MAX))))
                .then(
                    col("candidates").list().join(lit("; "), true)
                        + lit("; and ")
                        + (col("all") - lit(u32::try_from(NAMED).unwrap_or(u32::MAX))).cast(DataType::String)
                        + lit(" more, all among the breaks"),
                )
                .otherwise(col("candidates").list().join(lit("; "), true))
                .alias("candidates"),
        ]);
    let advice = ADVICE.iter().fold(lit(NULL).cast(DataType::String), |otherwise, (reason, text)| {
        when(col("reason").eq(lit(reason.as_str()))).then(lit(*text)).otherwise(otherwise)
    });
    let advice = when(col("reason").eq(lit(Reason::IdentityConflict.as_str())).and(col("all").eq(lit(1_u32))))
        .then(lit(ADVICE_WHERE_TAKEN))
        .otherwise(advice);
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
