//! `customers.csv`: one row per desired customer and orphan, the plan beside what came of it.

use super::outcomes::{AlignedOutcomes, Outcomes, SentRows};
use super::redacted::Redacted;
use super::revealed::{REVEALED, exchange};
use super::{ReportError, text};
use crate::model::{Outcome, Prediction, Reason, Selection};
use crate::table::{PlanRows, is_selected};
use polars::prelude::*;
use std::collections::BTreeMap;

/// The columns of `customers.csv`, in order.
pub(super) const COLUMNS: [&str; 28] = [
    "product",
    "outcome",
    "reason",
    "predicted",
    "link_rule",
    "match_rule",
    "external_id",
    "email",
    "name",
    "company_name",
    "stripe_customer_ids",
    "tether_id",
    "subscription_status",
    "auto_renew",
    "period_end",
    "last_activity",
    "mrr_before",
    "mrr_desired",
    "mrr_after",
    "mrr_delta",
    "changed_fields",
    "http_status",
    "attempts",
    "sent",
    "health_score",
    "detail",
    "key",
    "held_back",
];

/// The plan with its outcomes: [`COLUMNS`], [`REVEALED`] and the plan's `row`, `before_*` and `from_*`; money in minor units.
pub(super) fn assemble(
    plan: &PlanRows,
    outcomes: Outcomes,
    selection: Option<&Selection>,
    redacted: &Redacted,
) -> Result<(DataFrame, AlignedOutcomes), ReportError> {
    let (rows, stopped, not_sent) = match outcomes {
        Outcomes::Sent { rows, stopped } => (rows, stopped, None),
        Outcomes::NotSent(reason) => (SentRows::new(0), BTreeMap::new(), Some(reason)),
    };
    let aligned = rows.align(plan.frame().column("row")?)?;
    let frame = redacted.sentences(exchange(&plan.frame().hstack(aligned.frame.columns())?)?)?;

    let is_sent = any_of("predicted", Prediction::ALL.iter().filter(|p| p.is_sent()).map(|p| p.as_str()));
    let answered = col("reply_outcome").is_not_null();
    let accepted = any_of("reply_outcome", [Outcome::Created, Outcome::Updated, Outcome::Applied].map(Outcome::as_str));
    // What a person left out was not stopped by what stopped the rest. A guard refuses all.
    let selection = selection.filter(|_| not_sent != Some(Reason::Guard));
    let would_hold =
        any_of("predicted", [Prediction::Create, Prediction::Update, Prediction::Unknown].map(Prediction::as_str))
            .and(lit(not_sent == Some(Reason::PlanOnly)))
            .and(is_selected(selection));

    let stop =
        stopped.iter().fold(lit(not_sent.unwrap_or(Reason::Interrupted).as_str()), |other, (product, reason)| {
            when(col("product").eq(lit(product.as_str()))).then(lit(reason.as_str())).otherwise(other)
        });
    let left = is_selected(selection).not();
    let stop = when(left).then(lit(Reason::Limit.as_str())).otherwise(stop);
    let both_details = concat_str([col("reply_detail"), col("detail")], "; ", true);
    let frame = frame
        .lazy()
        .with_columns([
            when(answered.clone())
                .then(col("reply_outcome"))
                .when(is_sent.clone())
                .then(lit(Outcome::NotAttempted.as_str()))
                .otherwise(col("predicted"))
                .alias("outcome"),
            when(is_sent.and(answered.not()))
                .then(stop)
                .otherwise(coalesce(&[col("reply_reason"), col("reason")]))
                .alias("reason"),
            // The reply's word for Tether's MRR; a field that it does not show at all is no longer there.
            when(accepted.clone().and(col("mrr_lost")))
                .then(lit(NULL).cast(DataType::Int64))
                .when(accepted)
                .then(coalesce(&[col("mrr_shown"), col("mrr"), col("mrr_before")]))
                .when(would_hold)
                .then(coalesce(&[col("mrr"), col("mrr_before")]))
                .otherwise(col("mrr_before"))
                .alias("mrr_after"),
            coalesce(&[col("reply_tether_id"), col("tether_id")]).alias("tether_id"),
            when(col("reply_detail").is_null()).then(col("detail")).otherwise(both_details).alias("detail"),
            col("reply_attempts").fill_null(lit(0_u32)).alias("attempts"),
            col("reply_sent").fill_null(lit(false)).alias("sent"),
            col("mrr").alias("mrr_desired"),
        ])
        .with_columns([(minor("mrr_after") - minor("mrr_before")).alias("mrr_delta")])
        .collect()?;
    let kept = COLUMNS.iter().copied().chain([REVEALED]).chain(
        PlanRows::schema()
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| *name == "row" || name.starts_with("before_") || name.starts_with("from_")),
    );
    Ok((frame.select(kept)?, AlignedOutcomes { frame: DataFrame::empty(), ..aligned }))
}

/// A money column as a 128-bit number, null as 0: sums of it cannot overflow.
pub(super) fn minor(column: &str) -> Expr {
    col(column).fill_null(lit(0_i64)).cast(DataType::Int128)
}

/// How many customers ended with an outcome that `asks`, each counted once over all products.
pub(super) fn persons(customers: &DataFrame, asks: impl Fn(Outcome) -> bool) -> PolarsResult<u64> {
    let asking = Outcome::ALL.iter().copied().filter(|outcome| asks(*outcome)).map(Outcome::as_str);
    let once = col("key").n_unique().cast(DataType::UInt64);
    let counted = customers.clone().lazy().filter(any_of("outcome", asking)).select([once]).collect()?;
    Ok(counted.column("key")?.u64()?.get(0).unwrap_or(0))
}

fn any_of<'a>(column: &str, words: impl IntoIterator<Item = &'a str>) -> Expr {
    words.into_iter().fold(lit(false), |any, word| any.or(col(column).eq(lit(word)).fill_null(lit(false))))
}

/// The rows of `customers.jsonl`: money in minor units.
pub(super) fn rows(rows: &DataFrame) -> PolarsResult<DataFrame> {
    rows.select(COLUMNS)
}

/// The rows as they stand in `customers.csv`: text, money in major units.
pub(super) fn csv_rows(rows: &DataFrame, digits: u8) -> PolarsResult<DataFrame> {
    text::frame_as_text(&rows.select(COLUMNS)?, digits)
}

#[cfg(test)]
mod tests {
    use super::COLUMNS;
    use crate::model::format_page::words_under;

    #[test]
    fn the_page_of_formats_describes_every_column_in_order() {
        assert_eq!(words_under("`customers.csv`"), COLUMNS);
    }
}
