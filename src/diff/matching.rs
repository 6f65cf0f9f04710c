//! Whom of Tether's customers each desired customer is: external id first, then e-mail, as the API looks them up.

use super::DiffError;
use crate::config::LinkSettings;
use crate::model::{MatchRule, Prediction, Reason};
use crate::table::{beside, look_up};
use polars::prelude::*;

/// Adds to `desired`: `by_id` and `by_email` (u32, the `holder` that carries the external id, the e-mail), `holder` (the one
/// it is compared with; null unless the match is clean), `match_rule`, `predicted` (`update` standing for update or
/// unchanged, until the fields are compared) and `reason`.
///
/// `held`: the existing customers with `holder` u32, 0, 1, …
pub fn match_existing(
    desired: &DataFrame,
    held: &DataFrame,
    known: bool,
    link: LinkSettings,
) -> Result<DataFrame, DiffError> {
    let keys = desired.select(["external_id", "email", "problem", "ambiguity"])?.lazy();
    let keys = look_up(keys, carriers(held, "external_id", "by_id"), "external_id", "external_id");
    let rows = look_up(keys, carriers(held, "email", "by_email"), "email", "email").collect()?;
    // All whom another desired customer is, or may be, by external id; `gives_up`: and will leave its e-mail.
    let taken = desired
        .select(["external_id", "email"])?
        .lazy()
        .filter(col("external_id").is_not_null())
        .inner_join(
            held.clone().lazy().select([
                col("external_id"),
                col("email").alias("held_email"),
                col("holder").alias("by_email"),
            ]),
            col("external_id"),
            col("external_id"),
        )
        .group_by([col("by_email")])
        .agg([
            col("email").is_not_null().and(col("held_email").neq_missing(col("email"))).any(true).alias("gives_up"),
            lit(true).first().alias("taken"),
        ]);
    let carries_id = held
        .clone()
        .lazy()
        .select([col("holder").alias("by_email"), col("external_id").is_not_null().alias("carries_id")]);

    let has_id = col("external_id").is_not_null();
    let by_id = col("by_id").is_not_null();
    let only_email = by_id.clone().not().and(col("by_email").is_not_null());
    let flag = |name: &str| col(name).fill_null(lit(false));
    let when_text = |reason: Reason| lit(reason.as_str());
    let nobody = col("by_id").is_null().and(col("by_email").is_null());
    // Order matters: `invalid` goes before `conflict`, the sources' ambiguity before Tether's.
    let unaddressable = if known { nobody.clone() } else { has_id.clone().not() }.and(col("email").is_null());
    let invalid = when(col("problem").is_not_null())
        .then(col("problem"))
        .when(unaddressable)
        .then(when_text(Reason::EmailRequiredToCreate))
        .otherwise(lit(NULL));
    let conflict = when(col("ambiguity").is_not_null())
        .then(col("ambiguity"))
        .when(by_id.clone().and(flag("by_id_several")).or(only_email.clone().and(flag("by_email_several"))))
        .then(when_text(Reason::AmbiguousExisting))
        // Where several carry the e-mail, one of them at least is somebody else.
        .when(
            by_id
                .clone()
                .and(col("by_email").is_not_null())
                .and(col("by_id").neq(col("by_email")).or(flag("by_email_several"))),
        )
        .then(when_text(Reason::IdentityConflict))
        .when(only_email.clone().and(flag("taken")).and(flag("gives_up").or(has_id.clone().not())))
        .then(when_text(Reason::IdentityConflict))
        .when(
            only_email
                .clone()
                .and(has_id.clone())
                .and(flag("carries_id"))
                .and(flag("taken").or(lit(!link.relink_external_id))),
        )
        .then(when_text(Reason::ExternalIdMismatch))
        .otherwise(lit(NULL));
    let missing = if known { Prediction::Create } else { Prediction::Unknown };
    let rows = look_up(look_up(rows.lazy(), taken, "by_email", "by_email"), carries_id, "by_email", "by_email");
    let found = rows
        .with_columns([invalid.alias("invalid"), conflict.alias("conflict")])
        .with_columns([
            when(col("invalid").is_not_null())
                .then(lit(Prediction::Invalid.as_str()))
                .when(col("conflict").is_not_null())
                .then(lit(Prediction::Conflict.as_str()))
                .when(nobody)
                .then(lit(missing.as_str()))
                .otherwise(lit(Prediction::Update.as_str()))
                .alias("predicted"),
            coalesce(&[col("invalid"), col("conflict")]).alias("reason"),
            when(by_id)
                .then(lit(MatchRule::ExternalId.as_str()))
                .when(only_email.clone().and(has_id))
                .then(lit(MatchRule::EmailFallback.as_str()))
                .when(only_email)
                .then(lit(MatchRule::Email.as_str()))
                .otherwise(lit(MatchRule::None.as_str()))
                .alias("match_rule"),
        ])
        .with_column(
            when(col("predicted").eq(lit(Prediction::Update.as_str())))
                .then(coalesce(&[col("by_id"), col("by_email")]))
                .otherwise(lit(NULL))
                .alias("holder"),
        )
        .select([col("by_id"), col("by_email"), col("predicted"), col("reason"), col("match_rule"), col("holder")])
        .collect()?;
    Ok(beside(desired, found)?)
}

/// `key`, `name` (a holder that carries it), `name_several`: each key once, so that a join never multiplies rows.
fn carriers(held: &DataFrame, key: &str, name: &str) -> LazyFrame {
    held.clone()
        .lazy()
        .filter(col(key).is_not_null())
        .select([col(key), col("holder").alias(name), col(key).is_duplicated().alias(format!("{name}_several"))])
        .unique_stable(Some(by_name([key], true, false)), UniqueKeepStrategy::First)
}
