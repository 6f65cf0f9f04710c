//! The rows of each source that stand: neither repeated nor left out by a rule.

use super::claims::Claimants;
use super::{LinkError, merged};
use crate::config::Settings;
use crate::model::{Break, InputFile, Reason};
use crate::table::{self, Duplicates, StripeTables, duplicates};
use polars::prelude::*;

/// Stripe customers.
pub struct AccountRows {
    /// Every row, with `label` (the id, or how a guest is called).
    pub all: DataFrame,
    /// The rows that stand.
    pub standing: DataFrame,
    /// `ord`, `disposition` of rows that another row replaces.
    pub losers: DataFrame,
    /// `ord`, `reason` of rows that a rule leaves out.
    pub excluded: DataFrame,
    /// Rows that contradict one another.
    pub breaks: Vec<Break>,
}

/// Contacts of all CRMs.
pub struct ContactRows {
    /// Every row.
    pub all: DataFrame,
    /// The rows that stand, with `crm_name`.
    pub standing: DataFrame,
    /// What the contacts can claim accounts with, one table per CRM in order of precedence.
    pub claimants: Vec<Claimants>,
    /// `ord`, `survivor` u32: rows that were merged into another, which stands for them.
    pub merged: DataFrame,
    /// `ord`, `group` u32, `stands` bool: rows whose survivor cannot be told.
    pub unclear: DataFrame,
    /// `ord`, `disposition` of rows that another row of the same CRM replaces.
    pub losers: DataFrame,
    /// `ord`, `reason` of rows that a rule leaves out.
    pub excluded: DataFrame,
    /// Rows that contradict one another.
    pub breaks: Vec<Break>,
}

/// The Stripe customers that stand.
pub fn accounts(stripe: &StripeTables, files: &[InputFile], settings: &Settings) -> Result<AccountRows, LinkError> {
    let label = coalesce(&[col("id"), lit("guest:") + col("ord").cast(DataType::String)]).alias("label");
    let all = stripe.accounts.lazy().with_column(label).collect()?;
    let repeated =
        repeated(stripe.accounts.frame(), &["ord", "file", "line", "event_created"], "stripe_customers", files)?;
    let test_mode = col("livemode").eq(lit(false)).fill_null(lit(false)).and(lit(!settings.stripe.test_mode));
    let excluded = all
        .clone()
        .lazy()
        .select([
            col("ord"),
            when(col("deleted"))
                .then(lit(Reason::Deleted.as_str()))
                .when(test_mode)
                .then(lit(Reason::TestMode.as_str()))
                .when(col("id").is_null().and(lit(!settings.stripe.guests)))
                .then(lit(Reason::Guest.as_str()))
                .otherwise(lit(NULL))
                .alias("reason"),
        ])
        .filter(col("reason").is_not_null())
        .collect()?;
    let standing = without(all.clone().lazy(), &repeated.losers)
        .anti_join(excluded.clone().lazy(), col("ord"), col("ord"))
        .collect()?;
    Ok(AccountRows { all, standing, losers: repeated.losers, excluded, breaks: repeated.breaks })
}

/// The contacts that stand. Ids are compared inside one CRM only.
pub fn contacts(
    contacts: &table::Contacts,
    files: &[InputFile],
    settings: &Settings,
) -> Result<ContactRows, LinkError> {
    let nobody = contacts.lazy().limit(0).with_column(lit("").alias("crm_name")).collect()?;
    let nothing = merged::resolve(&nobody, "", files)?;
    let mut found = ContactRows {
        all: contacts.frame().clone(),
        standing: nobody,
        claimants: vec![],
        merged: nothing.passed,
        unclear: nothing.unclear,
        losers: DataFrame::empty_with_schema(&Schema::from_iter([
            Field::new("ord".into(), DataType::UInt32),
            Field::new("disposition".into(), DataType::String),
        ])),
        excluded: contacts
            .lazy()
            .filter(col("deleted"))
            .select([col("ord"), lit(Reason::Deleted.as_str()).alias("reason")])
            .collect()?,
        breaks: vec![],
    };
    for (index, crm) in (0_u32..).zip(&settings.crms) {
        let rows = contacts
            .lazy()
            .filter(col("crm").eq(lit(index)))
            .with_column(lit(crm.name.as_str()).alias("crm_name"))
            .collect()?;
        let repeated = repeated(&rows, &["ord", "file", "line", "crm", "crm_name"], &crm.name, files)?;
        let rows = without(rows.lazy(), &repeated.losers).collect()?;
        let merges = merged::resolve(&rows, &crm.name, files)?;
        // A record that is deleted in its CRM claims nothing.
        let standing = without(rows.clone().lazy(), &merges.passed).filter(col("deleted").not()).collect()?;
        let (standing, claimants) = merged::take_over(&rows, standing, &merges.passed)?;
        found.standing.vstack_mut(&standing)?;
        found.claimants.push(claimants);
        found.losers.vstack_mut(&repeated.losers)?;
        found.merged.vstack_mut(&merges.passed)?;
        found.unclear.vstack_mut(&merges.unclear)?;
        found.breaks.extend(repeated.breaks);
        found.breaks.extend(merges.breaks);
    }
    Ok(found)
}

/// The subscriptions that another row replaces.
pub fn subscriptions(stripe: &StripeTables, files: &[InputFile]) -> Result<Duplicates, LinkError> {
    repeated(stripe.subscriptions.frame(), &["ord", "file", "line", "event_created"], "stripe_subscriptions", files)
}

/// Finds repeated ids, comparing every column but `apart`.
fn repeated(rows: &DataFrame, apart: &[&str], source: &str, files: &[InputFile]) -> Result<Duplicates, LinkError> {
    let content: Vec<Expr> = rows
        .schema()
        .iter()
        .filter(|(name, _)| !apart.contains(&name.as_str()))
        .map(|(name, dtype)| match dtype {
            DataType::List(_) => col(name.clone()).list().join(lit(";"), true),
            _ => col(name.clone()),
        })
        .collect();
    Ok(duplicates(rows, &content, source, files)?)
}

fn without(rows: LazyFrame, losers: &DataFrame) -> LazyFrame {
    rows.anti_join(losers.clone().lazy(), col("ord"), col("ord"))
}
