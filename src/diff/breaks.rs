//! Where Tether contradicts the sources in a way that no update mends.

use super::DiffError;
use crate::model::{Break, BreakKind, InputFile, MatchRule, SubscriptionStatus};
use polars::prelude::*;

/// Breaks of the cleanly matched rows of one product: another Stripe customer (`stripe_id_differs`), a live status without any
/// subscription (`live_without_subscription`), a later last activity (`last_activity_behind`), an external id whose e-mail and
/// name are both another's (`identity_suspect`).
pub fn breaks(matched: &DataFrame, product: &str) -> Result<Vec<Break>, DiffError> {
    let live: Vec<&str> =
        SubscriptionStatus::ALL.iter().filter(|status| status.is_live()).map(|status| status.as_str()).collect();
    let bracketed = |inner: Expr| lit(";") + inner + lit(";");
    let instant = |name: &str| col(name).dt().to_string("%Y-%m-%dT%H:%M:%SZ").alias(name);
    let rows = matched
        .clone()
        .lazy()
        .filter(col("holder").is_not_null())
        .select([
            col("key"),
            col("stripe_customer_ids"),
            col("held_stripe_customer_id"),
            col("held_subscription_status"),
            instant("last_activity"),
            instant("held_last_activity"),
            col("held_email"),
            col("email"),
            col("match_rule")
                .eq(lit(MatchRule::ExternalId.as_str()))
                .and(col("email").neq(col("held_email")))
                .and(col("name").neq(col("held_name")))
                .fill_null(lit(false))
                .alias("suspect"),
            col("held_back").is_not_null().alias("behind"),
            bracketed(col("stripe_customer_ids"))
                .str()
                .contains_literal(bracketed(col("held_stripe_customer_id")))
                .not()
                .fill_null(lit(false))
                .alias("stripe_differs"),
            col("subscriptions")
                .eq(lit(0_u32))
                .and(col("subscription_status").is_null())
                .and(col("held_subscription_status").is_in(lit(Series::new("".into(), live)).implode(false), false))
                .fill_null(lit(false))
                .alias("live"),
        ])
        .filter(col("stripe_differs").or(col("live")).or(col("behind")).or(col("suspect")))
        .sort(["key"], SortMultipleOptions::default())
        .collect()?;
    let (key, ids) = (rows.column("key")?.str()?, rows.column("stripe_customer_ids")?.str()?);
    let (stripe, status) =
        (rows.column("held_stripe_customer_id")?.str()?, rows.column("held_subscription_status")?.str()?);
    let (differs, live) = (rows.column("stripe_differs")?.bool()?, rows.column("live")?.bool()?);
    let (seen, held_seen) = (rows.column("last_activity")?.str()?, rows.column("held_last_activity")?.str()?);
    let behind = rows.column("behind")?.bool()?;
    let suspect = rows.column("suspect")?.bool()?;
    let (email, held_email) = (rows.column("email")?.str()?, rows.column("held_email")?.str()?);
    let mut found = vec![];
    // Rows, because each becomes one message.
    for row in 0..rows.height() {
        let key = key.get(row).unwrap_or_default();
        let mut add = |kind, field: &str, before: Option<&str>, after: Option<&str>, detail: &str| {
            let mut item = Break::new(kind, product, key, detail);
            item.field = Some(field.to_owned());
            item.before = before.map(str::to_owned);
            item.after = after.map(str::to_owned);
            found.push(item);
        };
        if differs.get(row) == Some(true) {
            add(
                BreakKind::StripeIdDiffers,
                "stripe_customer_id",
                stripe.get(row),
                ids.get(row),
                "Tether shows another Stripe customer than the sources; the API does not let this job change it",
            );
        }
        if suspect.get(row) == Some(true) {
            add(
                BreakKind::IdentitySuspect,
                "email",
                held_email.get(row),
                email.get(row),
                "matched by external id while e-mail and name both differ; the update changes both: if the id was given to \
                 somebody else, keep it back and correct it at the source",
            );
        }
        if behind.get(row) == Some(true) {
            add(
                BreakKind::LastActivityBehind,
                "last_activity",
                held_seen.get(row),
                seen.get(row),
                "Tether's last activity is later than the sources'; it is left as it is",
            );
        }
        if live.get(row) == Some(true) {
            add(
                BreakKind::LiveWithoutSubscription,
                "subscription_status",
                status.get(row),
                None,
                "Tether shows a live status, the sources hold no subscription at all; the status is left as it is",
            );
        }
    }
    Ok(found)
}

/// Desired external ids that match nobody's, but for their case.
pub fn case_differs(
    matched: &DataFrame,
    held: &DataFrame,
    product: &str,
    files: &[InputFile],
) -> Result<Vec<Break>, DiffError> {
    let lower = |name: &str| col(name).str().to_lowercase().alias("lower");
    let alone = matched
        .clone()
        .lazy()
        .filter(col("by_id").is_null().and(col("external_id").is_not_null()))
        .select([col("key"), col("external_id"), lower("external_id")])
        .collect()?;
    if alone.height() == 0 || held.height() == 0 {
        return Ok(vec![]);
    }
    let rows = alone
        .lazy()
        .inner_join(
            held.clone().lazy().filter(col("external_id").is_not_null()).select([
                col("external_id").alias("held_id"),
                lower("external_id"),
                col("file"),
                col("line"),
            ]),
            col("lower"),
            col("lower"),
        )
        .sort(["key", "held_id"], SortMultipleOptions::default())
        .collect()?;
    let text = |name: &str| rows.column(name).and_then(Column::str);
    let (key, id, held_id) = (text("key")?, text("external_id")?, text("held_id")?);
    let (file, line) = (rows.column("file")?.u32()?, rows.column("line")?.u32()?);
    // Rows, because each becomes one message.
    Ok((0..rows.height())
        .map(|row| {
            let detail = "the desired external id and Tether's differ in nothing but case; they are different ids: correct the \
                          wrong spelling at its source";
            let mut found = Break::new(BreakKind::IdCaseDiffers, product, key.get(row).unwrap_or_default(), detail);
            if let Some(path) = file.get(row).and_then(|index| files.get(index as usize)) {
                found = found.at(path.path.as_str(), line.get(row).unwrap_or_default().into());
            }
            found.field = Some("external_id".to_owned());
            found.before = held_id.get(row).map(str::to_owned);
            found.after = id.get(row).map(str::to_owned);
            found
        })
        .collect())
}
