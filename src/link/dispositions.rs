//! Where every input row of the sources went.

use super::LinkError;
use super::claims::Claims;
use super::customers::Customers;
use super::standing::{AccountRows, ContactRows};
use crate::model::{Disposition, Reason};
use crate::table::{Duplicates, StripeTables, beside, look_up};
use polars::prelude::*;

/// Dispositions of one source: `ord`, `file`, `line`, `id`, `disposition` str, `reason` str, `customer` u32 (of the desired
/// customer it became part of).
pub type Dispositions = DataFrame;

/// Where the Stripe customers went.
pub fn of_accounts(
    accounts: &AccountRows,
    claims: &Claims,
    customers: &Customers,
    ambiguous: &DataFrame,
) -> Result<Dispositions, LinkError> {
    let findings = Findings {
        losers: accounts.losers.clone(),
        excluded: accounts.excluded.clone().lazy(),
        contested: claims.contested.clone().lazy().select([col("account").alias("ord")]),
        members: customers.members.clone().lazy().select([col("account").alias("ord"), col("customer")]),
    };
    dispose(&accounts.all, findings, ambiguous, None)
}

/// Where the contacts went, with `crm` u32.
pub fn of_contacts(
    contacts: &ContactRows,
    claims: &Claims,
    customers: &Customers,
    ambiguous: &DataFrame,
) -> Result<Dispositions, LinkError> {
    let findings = Findings {
        losers: contacts.losers.clone(),
        excluded: contacts.excluded.clone().lazy(),
        contested: claims.contested.clone().lazy().select([col("contact").alias("ord")]),
        members: customers
            .list
            .clone()
            .lazy()
            .filter(col("contact").is_not_null())
            .select([col("contact").alias("ord"), col("customer")]),
    };
    let rows = dispose(&contacts.all, findings, ambiguous, Some(Reason::NoBillingAccount))?;
    Ok(beside(&rows, contacts.all.select(["crm"])?)?)
}

/// The accounts that a subscription can belong to: one row per id.
pub fn standing_accounts(accounts: &Dispositions) -> LazyFrame {
    let replaced = [Disposition::MergedDuplicate.as_str(), Disposition::Superseded.as_str()];
    accounts.clone().lazy().filter(
        col("id")
            .is_not_null()
            .and(col("disposition").is_in(lit(Series::new("".into(), replaced)).implode(false), false).not()),
    )
}

/// What the rules found about a source's rows, each frame keyed by `ord`.
struct Findings {
    /// `ord`, `disposition`: rows replaced by another with the same id.
    losers: DataFrame,
    /// `ord`, `reason`: rows left out.
    excluded: LazyFrame,
    /// `ord`: rows that several owners claim.
    contested: LazyFrame,
    /// `ord`, `customer`: rows that are part of a desired customer.
    members: LazyFrame,
}

/// Puts the findings about accounts or contacts together; a row that nothing was found about is `excluded` for
/// `otherwise`, if that is given. `ambiguous`: `customer`.
fn dispose(
    rows: &DataFrame,
    findings: Findings,
    ambiguous: &DataFrame,
    otherwise: Option<Reason>,
) -> Result<Dispositions, LinkError> {
    let contested = findings.contested.unique(None, UniqueKeepStrategy::Any).with_column(lit(true).alias("contested"));
    let left_out = match otherwise {
        Some(reason) => lit(reason.as_str()),
        None => lit(NULL).cast(DataType::String),
    };
    let lost = findings.losers.lazy().select([col("ord"), col("disposition").alias("lost")]);
    let excluded = findings.excluded.select([col("ord"), col("reason").alias("left_out")]);
    let members = findings.members.select([col("ord"), col("customer")]);
    let ambiguous = ambiguous.clone().lazy().select([col("customer"), lit(true).alias("ambiguous")]);
    let found = [lost, excluded, contested, members]
        .into_iter()
        .fold(rows.select(["ord"])?.lazy(), |rows, finding| look_up(rows, finding, "ord", "ord"));
    let found = look_up(found, ambiguous, "customer", "customer")
        .select([
            when(col("lost").is_not_null())
                .then(col("lost"))
                .when(col("left_out").is_not_null())
                .then(lit(Disposition::Excluded.as_str()))
                .when(col("contested").or(col("ambiguous")).fill_null(lit(false)))
                .then(lit(Disposition::Ambiguous.as_str()))
                .when(col("customer").is_not_null())
                .then(lit(Disposition::Contributed.as_str()))
                .otherwise(lit(Disposition::Excluded.as_str()))
                .alias("disposition"),
            when(col("lost").is_not_null())
                .then(lit(NULL).cast(DataType::String))
                .when(col("left_out").is_not_null())
                .then(col("left_out"))
                .when(col("contested").fill_null(lit(false)))
                .then(lit(Reason::AmbiguousAccount.as_str()))
                .when(col("customer").is_not_null())
                .then(lit(NULL).cast(DataType::String))
                .otherwise(left_out)
                .alias("reason"),
            when(col("lost").is_null().and(col("left_out").is_null()))
                .then(col("customer"))
                .otherwise(lit(NULL))
                .alias("customer"),
        ])
        .collect()?;
    Ok(beside(&rows.select(["ord", "file", "line", "id"])?, found)?)
}

/// A subscription goes where its standing account went, unless it is left out itself. `owners`: `id`, `disposition`,
/// `reason`, `customer` of the standing accounts.
pub fn of_subscriptions(
    stripe: &StripeTables,
    repeated: &Duplicates,
    owners: LazyFrame,
    take_test_mode: bool,
) -> Result<Dispositions, LinkError> {
    let test_mode = col("livemode").eq(lit(false)).fill_null(lit(false)).and(lit(!take_test_mode));
    let rows = stripe.subscriptions.frame().select(["ord", "file", "line", "id"])?;
    let lost = repeated.losers.clone().lazy().select([col("ord"), col("disposition").alias("lost")]);
    let owners = owners.select([
        col("id").alias("account_id"),
        col("disposition").alias("account_disposition"),
        col("reason").alias("account_reason"),
        col("customer"),
    ]);
    let narrow = stripe.subscriptions.lazy().select([
        col("ord"),
        col("customer").alias("account_id"),
        test_mode.alias("test_mode"),
    ]);
    let found = look_up(look_up(narrow, lost, "ord", "ord"), owners, "account_id", "account_id")
        .select([
            when(col("lost").is_not_null())
                .then(col("lost"))
                .when(col("test_mode"))
                .then(lit(Disposition::Excluded.as_str()))
                .when(col("account_disposition").is_null())
                .then(lit(Disposition::Unattached.as_str()))
                .otherwise(col("account_disposition"))
                .alias("disposition"),
            when(col("lost").is_not_null())
                .then(lit(NULL).cast(DataType::String))
                .when(col("test_mode"))
                .then(lit(Reason::TestMode.as_str()))
                .when(col("account_disposition").is_null())
                .then(lit(Reason::SubscriptionWithoutCustomer.as_str()))
                .otherwise(col("account_reason"))
                .alias("reason"),
            when(col("lost").is_null().and(col("test_mode").not()))
                .then(col("customer"))
                .otherwise(lit(NULL))
                .alias("customer"),
        ])
        .collect()?;
    Ok(beside(&rows, found)?)
}
