//! What linking did that a reviewer must see.

use super::LinkError;
use super::claims::Claims;
use super::dispositions::Dispositions;
use super::path;
use crate::model::{Break, BreakKind, Disposition, InputFile, STRIPE_SUBSCRIPTIONS};
use crate::table::StripeTables;
use polars::prelude::*;

/// Contact and account were linked although an address or an external id differs.
///
/// `accounts`: `ord`, `label`, `file`, `line`, `email`, `external_id`; `contacts`: `ord`, `crm_name`, `id`, `email`,
/// `emails`, `external_id`.
pub fn address_breaks(
    claims: &Claims,
    accounts: &DataFrame,
    contacts: &DataFrame,
    files: &[InputFile],
) -> Result<Vec<Break>, LinkError> {
    let linked = claims
        .owned
        .clone()
        .lazy()
        .inner_join(
            accounts.clone().lazy().select([
                col("ord"),
                col("label"),
                col("file"),
                col("line"),
                col("email").alias("stripe_email"),
                col("external_id").alias("metadata_id"),
            ]),
            col("account"),
            col("ord"),
        )
        .inner_join(
            contacts.clone().lazy().select([
                col("ord").alias("contact"),
                (col("crm_name") + lit(":") + col("id")).alias("contact_key"),
                col("crm_name"),
                col("email"),
                col("emails"),
                col("external_id"),
            ]),
            col("contact"),
            col("contact"),
        )
        .filter(
            col("stripe_email").neq(col("email")).or(col("metadata_id").neq(col("external_id"))).fill_null(lit(false)),
        )
        .with_columns([
            // `emails` holds every address; only rows whose first one differs come so far.
            col("stripe_email")
                .is_not_null()
                .and(col("email").is_not_null())
                .and(col("emails").list().contains(col("stripe_email"), false).not())
                .fill_null(lit(false))
                .alias("email_differs"),
            col("metadata_id").neq(col("external_id")).fill_null(lit(false)).alias("id_differs"),
        ])
        .filter(col("email_differs").or(col("id_differs")))
        .sort(["label"], SortMultipleOptions::default())
        .collect()?;
    let text = |name: &str| -> Result<StringChunked, LinkError> { Ok(linked.column(name)?.str()?.clone()) };
    let (label, contact, crm) = (text("label")?, text("contact_key")?, text("crm_name")?);
    let (stripe_email, email) = (text("stripe_email")?, text("email")?);
    let (metadata_id, external_id, rule) = (text("metadata_id")?, text("external_id")?, text("rule")?);
    let (email_differs, id_differs) = (linked.column("email_differs")?.bool()?, linked.column("id_differs")?.bool()?);
    let (file, line) = (linked.column("file")?.u32()?, linked.column("line")?.u32()?);
    let mut breaks = vec![];
    // Rows, because each becomes one message.
    for row in 0..linked.height() {
        let mut add = |kind, field: &str, before: Option<&str>, after: Option<&str>, what: &str| {
            let account = label.get(row).unwrap_or_default();
            let detail = format!(
                "{account} and {} were linked by {} while their {what} differ",
                contact.get(row).unwrap_or_default(),
                rule.get(row).unwrap_or_default(),
            );
            let mut found = Break::new(kind, crm.get(row).unwrap_or_default(), account, detail)
                .at(path(files, file.get(row)), u64::from(line.get(row).unwrap_or_default()));
            found.field = Some(field.to_owned());
            found.before = before.map(str::to_owned);
            found.after = after.map(str::to_owned);
            breaks.push(found);
        };
        if email_differs.get(row) == Some(true) {
            add(BreakKind::EmailDiffers, "email", stripe_email.get(row), email.get(row), "addresses");
        }
        if id_differs.get(row) == Some(true) {
            add(
                BreakKind::ExternalIdDiffers,
                "external_id",
                metadata_id.get(row),
                external_id.get(row),
                "external ids",
            );
        }
    }
    Ok(breaks)
}

/// One break per subscription whose customer is in no file.
pub fn unattached(
    subscriptions: &Dispositions,
    stripe: &StripeTables,
    files: &[InputFile],
) -> Result<Vec<Break>, LinkError> {
    let rows = subscriptions
        .clone()
        .lazy()
        .filter(col("disposition").eq(lit(Disposition::Unattached.as_str())))
        .inner_join(
            stripe.subscriptions.lazy().select([col("ord"), col("customer").alias("account_id")]),
            col("ord"),
            col("ord"),
        )
        .sort(["ord"], SortMultipleOptions::default())
        .collect()?;
    let (id, account) = (rows.column("id")?.str()?, rows.column("account_id")?.str()?);
    let (file, line) = (rows.column("file")?.u32()?, rows.column("line")?.u32()?);
    Ok((0..rows.height())
        .map(|row| {
            let detail = format!(
                "customer {} of this subscription is in no customers file; its MRR stands as unattached",
                account.get(row).unwrap_or_default()
            );
            Break::new(
                BreakKind::SubscriptionWithoutCustomer,
                STRIPE_SUBSCRIPTIONS,
                id.get(row).unwrap_or_default(),
                detail,
            )
            .at(path(files, file.get(row)), u64::from(line.get(row).unwrap_or_default()))
        })
        .collect())
}
