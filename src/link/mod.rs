//! Contacts × billing accounts → desired customers.
//!
//! In: canonical tables, what a person decided (`overrides/`), and billed subscriptions. Out: [`Linked`]: one row per desired
//! customer with each field's provenance, where every input row went, and the breaks found on the way. Never: what Tether
//! holds, the network, files.

mod ambiguity;
mod breaks;
mod case;
mod claims;
mod crowds;
mod customers;
mod decisions;
mod dispositions;
mod elsewhere;
mod error;
mod fields;
mod merged;
mod overrides;
mod same_person;
mod standing;

pub use ambiguity::Candidates;
pub use claims::Claims;
pub use dispositions::Dispositions;
pub use error::LinkError;
pub use overrides::SOURCE as OVERRIDES;

use crate::billing::{self, Billed};
use crate::config::Settings;
use crate::filter::Taken;
use crate::model::{Break, Email, InputFile, OverrideUse, Rejection};
use crate::table::{Contacts, Overrides, StripeTables, beside, look_up};
use customers::Persons;
use polars::prelude::*;

/// What linking reads.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The files that the tables' `file` columns name.
    pub files: &'a [InputFile],
    /// Stripe's tables.
    pub stripe: &'a StripeTables,
    /// The CRMs' contacts.
    pub contacts: &'a Contacts,
    /// What a person decided about accounts and contacts.
    pub overrides: &'a Overrides,
    /// Every subscription's MRR and state.
    pub billed: &'a Billed,
    /// Rows that could not be read: a customer that lost a subscription so cannot be billed.
    pub rejections: &'a [Rejection],
    /// The configuration.
    pub settings: &'a Settings,
    /// The rows that the products' filter takes; `None`: all. The others are left out.
    pub taken: Option<&'a Taken>,
}

/// The desired customers, and where every row of the sources went.
#[derive(Debug, Clone)]
pub struct Linked {
    /// One row per desired customer: `customer` u32, `key`, `external_id`, `email`, `name`, `company_name`,
    /// `last_activity`, their `from_*`, `stripe_customer_ids`, `link_rule`, `mrr_exact` Int128 (1/scale minor units), `mrr`
    /// Int64, `subscription_status`, `auto_renew`, `period_end`, `subscriptions` u32, `problem`, `problem_detail`,
    /// `ambiguity`, `ambiguity_detail`, `contested`.
    pub desired: DataFrame,
    /// Where the Stripe customers went.
    pub accounts: Dispositions,
    /// Where the subscriptions went.
    pub subscriptions: Dispositions,
    /// `ord`, `disposition` of subscription rows that another row with the same id replaces.
    pub replaced_subscriptions: DataFrame,
    /// Where the contacts went, with `crm` u32.
    pub contacts: Dispositions,
    /// Where the overrides went.
    pub overrides: Dispositions,
    /// What became of each override.
    pub override_uses: Vec<OverrideUse>,
    /// Which contact has which account by which rule, and which accounts several claim.
    pub claims: Claims,
    /// Who cannot be told apart.
    pub candidates: Candidates,
    /// What a reviewer must see.
    pub breaks: Vec<Break>,
}

/// The path of a table's `file`.
fn path(files: &[InputFile], index: Option<u32>) -> &str {
    index.and_then(|index| files.get(index as usize)).map_or("?", |file| file.path.as_str())
}

/// Links the sources into desired customers.
pub fn link(sources: Sources<'_>) -> Result<Linked, LinkError> {
    let Sources { files, stripe, contacts, overrides, billed, rejections, settings, taken } = sources;
    let accounts = standing::accounts(stripe, files, settings, taken)?;
    let contacts = standing::contacts(contacts, files, settings, taken)?;
    let subscriptions = standing::subscriptions(stripe, files)?;

    let resolved = overrides::resolve(overrides, &accounts, &contacts)?;
    let (decisions, verdicts) = resolved.without_needless(&accounts.standing, &contacts)?;
    let claims = claims::claim(&accounts.standing, &contacts.claimants, &decisions)?;
    let everybody = settings.link.contacts_without_account;
    let elsewhere =
        elsewhere::elsewhere(&accounts.standing, &contacts.claimants, &contacts.standing, &claims, everybody)?;
    let persons = Persons { standing: &contacts.standing, unclear: &contacts.unclear, elsewhere: &elsewhere };
    let one_id = decisions.one_id_per_unit(&accounts.standing)?;
    let customers = customers::form(&one_id, &persons, &claims, &decisions, everybody)?;
    let fields = fields::desired_fields(&customers, &one_id, &contacts.standing, settings)?.collect()?;
    let ambiguous =
        ambiguity::ambiguities(&customers, &claims, &fields, &accounts.standing, &contacts.standing, files)?;

    let account_rows = dispositions::of_accounts(&accounts, &claims, &customers, &ambiguous.customers)?;
    let contact_rows = dispositions::of_contacts(&contacts, &claims, &customers, &elsewhere, &ambiguous.customers)?;
    let owners = dispositions::standing_accounts(&account_rows);
    let subscription_rows =
        dispositions::of_subscriptions(stripe, &subscriptions, owners.clone(), settings.stripe.test_mode, taken)?;

    let sums = billing::summarise(
        billed.subscriptions.clone().lazy().drop(by_name(["customer"], true, false)).inner_join(
            subscription_rows
                .clone()
                .lazy()
                .filter(col("customer").is_not_null())
                .select([col("ord"), col("customer")]),
            col("ord"),
            col("ord"),
        ),
        "customer",
        billed,
        settings.mrr.rounding,
    )?;
    let unreadable = unreadable_subscriptions(rejections, owners)?;
    let answers = verdicts.answer(&customers.members, files)?;
    let mut found = breaks::address_breaks(&claims, &accounts.standing, &contacts.standing, files)?;
    found.extend(case::id_case_breaks(&accounts.standing, &contacts.standing, files)?);
    found.extend(breaks::unattached(&subscription_rows, stripe, files)?);
    found.extend(
        [accounts.breaks, contacts.breaks, subscriptions.breaks, ambiguous.breaks, answers.breaks]
            .into_iter()
            .flatten(),
    );
    Ok(Linked {
        desired: complete(&fields, sums, unreadable, ambiguous.customers, settings)?,
        accounts: account_rows,
        subscriptions: subscription_rows,
        replaced_subscriptions: subscriptions.losers,
        contacts: contact_rows,
        overrides: answers.dispositions,
        override_uses: answers.uses,
        claims,
        candidates: ambiguous.candidates,
        breaks: found,
    })
}

/// Puts MRR, status and problems beside the fields.
fn complete(
    fields: &DataFrame,
    sums: LazyFrame,
    unreadable: LazyFrame,
    ambiguous: DataFrame,
    settings: &Settings,
) -> Result<DataFrame, LinkError> {
    let status = match &settings.mrr.no_subscription_status {
        Some(status) => lit(status.as_str()),
        None => lit(NULL).cast(DataType::String),
    };
    let narrow = fields.select(["customer", "email", "email_problem"])?.lazy();
    let narrow = look_up(look_up(narrow, sums, "customer", "customer"), unreadable, "customer", "customer");
    let found = look_up(narrow, ambiguous.lazy(), "customer", "customer")
        .with_columns([
            col("contested").fill_null(lit(false)),
            col("subscriptions").is_null().alias("none"),
            col("subscriptions").fill_null(lit(0_u32)),
            coalesce(&[col("unreadable"), col("problem"), col("email_problem")]).alias("problem"),
            coalesce(&[
                col("unreadable_detail"),
                col("problem_detail"),
                when(col("email_problem").is_not_null().and(col("email").str().contains(lit(Email::INVISIBLE), true)))
                    .then(
                        lit("the e-mail `")
                            + col("email")
                            + lit("` holds a character that nobody sees (a zero-width space or the like); type it anew at its source"),
                    )
                    .when(col("email_problem").is_not_null())
                    .then(lit("the e-mail `") + col("email") + lit("` is not an address"))
                    .otherwise(lit(NULL)),
            ])
            .alias("problem_detail"),
            // Whether the sum itself can be known: an unreadable e-mail does not touch it.
            coalesce(&[col("unreadable"), col("problem")])
                .is_null()
                .and(col("contested").fill_null(lit(false)).not())
                .alias("priced"),
        ])
        .with_columns([
            when(col("none").and(col("priced")))
                .then(lit(0_i64))
                .when(col("priced"))
                .then(col("mrr"))
                .otherwise(lit(NULL))
                .alias("mrr"),
            when(col("none").and(col("priced")))
                .then(lit(0_i64).cast(DataType::Int128))
                .when(col("priced"))
                .then(col("mrr_exact"))
                .otherwise(lit(NULL))
                .alias("mrr_exact"),
            when(col("none")).then(status).otherwise(col("subscription_status")).alias("subscription_status"),
            when(col("none")).then(lit(false)).otherwise(col("auto_renew")).alias("auto_renew"),
        ])
        .select([
            col("mrr_exact"),
            col("mrr"),
            col("subscription_status"),
            col("auto_renew"),
            col("period_end"),
            col("subscriptions"),
            col("problem"),
            col("problem_detail"),
            col("ambiguity"),
            col("ambiguity_detail"),
            col("contested"),
        ])
        .collect()?;
    Ok(beside(&fields.drop_many(["email_problem", "several_ids", "metadata_ids", "contact"]), found)?)
}

/// `customer`, `unreadable`, `unreadable_detail`: customers of whom a subscription row was rejected.
fn unreadable_subscriptions(rejections: &[Rejection], accounts: LazyFrame) -> Result<LazyFrame, LinkError> {
    let of_customers: Vec<&Rejection> = rejections.iter().filter(|row| row.customer.is_some()).collect();
    let rejected = df!(
        "id" => of_customers.iter().map(|row| row.customer.as_deref()).collect::<Vec<_>>(),
        "unreadable" => of_customers.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>(),
        "unreadable_detail" => of_customers
            .iter()
            .map(|row| format!("{}:{}: {}", row.file, row.line, row.detail))
            .collect::<Vec<_>>(),
    )?;
    Ok(rejected
        .lazy()
        .inner_join(accounts.select([col("id"), col("customer")]), col("id"), col("id"))
        .filter(col("customer").is_not_null())
        .sort(["customer", "unreadable", "unreadable_detail"], SortMultipleOptions::default())
        .group_by_stable([col("customer")])
        .agg([col("unreadable").first(), col("unreadable_detail")])
        .with_column(col("unreadable_detail").list().join(lit("; "), true)))
}
