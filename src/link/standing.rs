//! The rows of each source that stand: neither repeated nor left out by a rule.

use super::claims::Claimants;
use super::{LinkError, merged, same_person};
use crate::config::Settings;
use crate::filter::Taken;
use crate::model::{Break, InputFile, Reason, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS, hex};
use crate::table::{self, Duplicates, StripeTables, duplicates};
use polars::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

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
    /// `first`, `later` u32 (`ord`s): records of different CRMs that are one person.
    pub same_persons: DataFrame,
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

/// The Stripe customers that stand, of those that are `taken`.
pub fn accounts(
    stripe: &StripeTables,
    files: &[InputFile],
    settings: &Settings,
    taken: Option<&Taken>,
) -> Result<AccountRows, LinkError> {
    let all = labelled(stripe.accounts.frame())?;
    let repeated =
        repeated(stripe.accounts.frame(), &["ord", "file", "line", "event_created"], STRIPE_CUSTOMERS, files)?;
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
    let (standing, excluded) = share(standing, excluded, taken.map(|taken| &taken.accounts))?;
    Ok(AccountRows { all, standing, losers: repeated.losers, excluded, breaks: repeated.breaks })
}

/// The rows of `standing` that are `taken`, and `excluded` with the others.
fn share(
    standing: DataFrame,
    excluded: DataFrame,
    taken: Option<&DataFrame>,
) -> Result<(DataFrame, DataFrame), LinkError> {
    let Some(taken) = taken else { return Ok((standing, excluded)) };
    let others = standing
        .clone()
        .lazy()
        .anti_join(taken.clone().lazy(), col("ord"), col("ord"))
        .select([col("ord"), lit(Reason::NoProduct.as_str()).alias("reason")])
        .collect()?;
    // In the order of the rows, whatever was left out.
    let kept = standing.lazy().anti_join(others.clone().lazy(), col("ord"), col("ord")).collect()?;
    Ok((kept, excluded.vstack(&others)?))
}

/// Adds `label`: the id; of a guest, who has none, what its row says. Its place would give it another name, and its customer
/// another key, when the rows come in another order; equal rows are counted, and which is which makes no difference.
fn labelled(accounts: &DataFrame) -> PolarsResult<DataFrame> {
    // The time of the event that carried it is none of its own.
    let said: Vec<Expr> = content(accounts, &["ord", "file", "line", "event_created"])
        .into_iter()
        .map(|part| part.cast(DataType::String).fill_null(lit("\u{0}")))
        .collect();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let guests = accounts
        .clone()
        .lazy()
        .filter(col("id").is_null())
        .select([col("ord"), concat_str(said, "\u{1}", false).alias("content")])
        .collect()?;
    // Nearly every export is without.
    if guests.height() == 0 {
        return accounts.clone().lazy().with_column(col("id").alias("label")).collect();
    }
    // Row by row, since a hash that stays the same with the next version of polars is none of its own.
    let (ords, contents) = (guests.column("ord")?.u32()?, guests.column("content")?.str()?);
    let labels = contents.iter().map(|content| {
        let digest = hex(&Sha256::digest(content.unwrap_or_default())[..8]);
        let count = seen.entry(digest.clone()).or_default();
        *count += 1;
        if *count == 1 { format!("guest:{digest}") } else { format!("guest:{digest}:{count}") }
    });
    let labels = StringChunked::from_iter_values("guest".into(), labels);
    let guests = DataFrame::new(guests.height(), vec![ords.clone().into_column(), labels.into_column()])?;
    table::look_up(accounts.clone().lazy(), guests.lazy(), "ord", "ord")
        .with_column(coalesce(&[col("id"), col("guest")]).alias("label"))
        .drop(cols(["guest"]))
        .collect()
}

/// The contacts that stand, of those that are `taken`: a record that was merged goes with its survivor. Ids are compared inside one CRM only.
pub fn contacts(
    contacts: &table::Contacts,
    files: &[InputFile],
    settings: &Settings,
    taken: Option<&Taken>,
) -> Result<ContactRows, LinkError> {
    let nobody = contacts.lazy().limit(0).with_column(lit("").alias("crm_name")).collect()?;
    let nothing = merged::resolve(&nobody, "", files)?;
    let mut found = ContactRows {
        all: contacts.frame().clone(),
        standing: nobody,
        claimants: vec![],
        same_persons: DataFrame::empty(),
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
        let (standing, excluded) = share(standing, found.excluded, taken.map(|taken| &taken.contacts))?;
        found.excluded = excluded;
        let (standing, claimants) = merged::take_over(&rows, standing, &merges.passed)?;
        found.standing.vstack_mut(&standing)?;
        found.claimants.push(claimants);
        found.losers.vstack_mut(&repeated.losers)?;
        found.merged.vstack_mut(&merges.passed)?;
        found.unclear.vstack_mut(&merges.unclear)?;
        found.breaks.extend(repeated.breaks);
        found.breaks.extend(merges.breaks);
    }
    found.same_persons = same_person::lend(&mut found.claimants)?;
    Ok(found)
}

/// The subscriptions that another row replaces.
pub fn subscriptions(stripe: &StripeTables, files: &[InputFile]) -> Result<Duplicates, LinkError> {
    repeated(stripe.subscriptions.frame(), &["ord", "file", "line", "event_created"], STRIPE_SUBSCRIPTIONS, files)
}

/// Finds repeated ids, comparing every column but `apart`.
fn repeated(rows: &DataFrame, apart: &[&str], source: &str, files: &[InputFile]) -> Result<Duplicates, LinkError> {
    Ok(duplicates(rows, &content(rows, apart), source, files)?)
}

/// What the rows say: every column but `apart`.
fn content(rows: &DataFrame, apart: &[&str]) -> Vec<Expr> {
    let said = rows.schema().iter().filter(|(name, _)| !apart.contains(&name.as_str()));
    said.map(|(name, dtype)| match dtype {
        DataType::List(_) => col(name.clone()).list().join(lit(";"), true),
        _ => col(name.clone()),
    })
    .collect()
}

fn without(rows: LazyFrame, losers: &DataFrame) -> LazyFrame {
    rows.anti_join(losers.clone().lazy(), col("ord"), col("ord"))
}
