//! Field by field: what differs between a desired customer and the one that Tether holds.

use super::DiffError;
use crate::config::ProductSettings;
use crate::model::{Field, Prediction};
use polars::prelude::*;

/// Every field with the column it is compared in, sorted by name, as `changed_fields` lists them.
const COMPARED: [(Field, &str); 9] = [
    (Field::AutoRenew, "auto_renew"),
    (Field::CompanyName, "company_name"),
    (Field::Email, "email"),
    (Field::ExternalId, "external_id"),
    (Field::LastActivity, "last_activity"),
    (Field::Mrr, "mrr"),
    (Field::Name, "name"),
    (Field::PeriodEnd, "period_end"),
    (Field::SubscriptionStatus, "subscription_status"),
];

/// Completes the rows of [`super::matching::match_existing`]: `predicted` becomes `unchanged` where nothing differs, and
/// `create` becomes `creation_disabled` where the gate is configured as closed; adds `changed_fields`, `held_back`,
/// `mrr_before`, `tether_id` and `before_*`, and `held_*`: what the holder shows.
///
/// A field counts when the desired value is present and differs; absent never erases; `last_activity` only moves forward.
pub fn compare_fields(matched: DataFrame, held: &DataFrame, product: &ProductSettings) -> Result<DataFrame, DiffError> {
    let mut rows = matched;
    rows.rechunk_mut();
    // The holders line up with the rows by position: a gather, where a join would hash a million keys again.
    let index = rows.column("holder")?.idx()?.clone();
    for name in [
        "tether_id",
        "external_id",
        "email",
        "name",
        "company_name",
        "mrr",
        "subscription_status",
        "auto_renew",
        "period_end",
        "last_activity",
        "stripe_customer_id",
    ] {
        let column = held.column(name)?.take(&index)?.with_name(format!("held_{name}").into());
        rows.with_column(column)?;
    }

    let is_held = col("holder").is_not_null();
    let differs = |field: Field, column: &str| {
        let (want, has) = (col(column), col(format!("held_{column}")));
        let news = if field == Field::LastActivity {
            has.clone().is_null().or(want.clone().gt(has))
        } else {
            want.clone().neq_missing(has)
        };
        want.is_not_null().and(news)
    };
    let is_news = col("predicted").is_in(
        lit(Series::new("".into(), [Prediction::Create.as_str(), Prediction::Unknown.as_str()])).implode(false),
        false,
    );
    let flags: Vec<Expr> = COMPARED
        .iter()
        .map(|(field, column)| {
            when(is_held.clone())
                .then(differs(*field, column))
                .otherwise(is_news.clone().and(col(*column).is_not_null()))
                .alias(format!("changed_{column}"))
        })
        .collect();
    let changed = |column: &str| col(format!("changed_{column}"));
    let names: Vec<Expr> = COMPARED
        .iter()
        .map(|(field, column)| when(changed(column)).then(lit(field.as_str())).otherwise(lit(NULL)))
        .collect();
    let any = COMPARED.iter().fold(lit(false), |any, (_, column)| any.or(changed(column)));
    let mut added = vec![
        when(any).then(concat_str(names, ";", true)).otherwise(lit(NULL)).alias("changed_fields"),
        when(is_held.clone().and(col("last_activity").lt(col("held_last_activity"))))
            .then(lit(Field::LastActivity.as_str()))
            .otherwise(lit(NULL))
            .alias("held_back"),
        col("held_mrr").alias("mrr_before"),
        col("held_tether_id").alias("tether_id"),
    ];
    for (_, column) in COMPARED.iter().filter(|(field, _)| *field != Field::Mrr) {
        added.push(
            when(is_held.clone().and(changed(column)))
                .then(col(format!("held_{column}")))
                .otherwise(lit(NULL))
                .alias(format!("before_{column}")),
        );
    }
    let gate_closed = product.creation == Some(false);
    let predicted = when(is_held.and(col("changed_fields").is_null()))
        .then(lit(Prediction::Unchanged.as_str()))
        .when(lit(gate_closed).and(col("predicted").eq(lit(Prediction::Create.as_str()))))
        .then(lit(Prediction::CreationDisabled.as_str()))
        .otherwise(col("predicted"))
        .alias("predicted");
    let dropped: Vec<String> = COMPARED.iter().map(|(_, column)| format!("changed_{column}")).collect();
    Ok(rows
        .lazy()
        .with_columns(flags)
        .with_columns(added)
        .with_column(predicted)
        .drop(by_name(dropped, true, false))
        .collect()?)
}
