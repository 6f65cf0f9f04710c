//! Where every input row of the sources went.

use super::LinkError;
use super::claims::Claims;
use super::customers::Customers;
use super::standing::{AccountRows, ContactRows};
use crate::filter::Taken;
use crate::model::{Disposition, Reason};
use crate::table::{Duplicates, StripeTables, beside, look_up};
use polars::prelude::*;

/// Dispositions of one source: `ord`, `file`, `line`, `id`, `disposition` str, `reason` str, `customer` u32 (of the desired
/// customer it became part of; of a record that was merged, or that another contact speaks for, the other's).
pub type Dispositions = DataFrame;

const EXCLUDED: &str = Disposition::Excluded.as_str();

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
        merged: None,
    };
    dispose(&accounts.all, findings, ambiguous, None)
}

/// Where the contacts went, with `crm` u32.
pub fn of_contacts(
    contacts: &ContactRows,
    claims: &Claims,
    customers: &Customers,
    elsewhere: &DataFrame,
    ambiguous: &DataFrame,
) -> Result<Dispositions, LinkError> {
    let of_contact = |contact: &str, customer: &str| {
        let list = customers.list.clone().lazy().filter(col("contact").is_not_null());
        list.select([col("contact").alias(contact), col("customer").alias(customer)])
    };
    let by_override = |is: Expr| {
        when(is)
            .then(lit(Reason::DecidedByOverride.as_str()))
            .otherwise(lit(Reason::OwnedByOtherCrm.as_str()))
            .alias("spoken_for")
    };
    let outdone = customers.outdone.clone().lazy().anti_join(elsewhere.clone().lazy(), col("contact"), col("contact"));
    let spoken_for = concat(
        [
            elsewhere.clone().lazy().left_join(of_contact("owner", "spokesman"), col("owner"), col("owner")).select([
                col("contact").alias("ord"),
                by_override(col("by_override")),
                col("spokesman"),
            ]),
            outdone.select([
                col("contact").alias("ord"),
                by_override(lit(true)),
                lit(NULL).cast(DataType::UInt32).alias("spokesman"),
            ]),
        ],
        UnionArgs::default(),
    )?;
    let heirs = contacts
        .merged
        .clone()
        .lazy()
        .anti_join(contacts.unclear.clone().lazy(), col("ord"), col("ord"))
        .left_join(of_contact("survivor", "heir"), col("survivor"), col("survivor"))
        .select([col("ord"), col("heir"), lit(true).alias("is_merged")]);
    let findings = Findings {
        losers: contacts.losers.clone(),
        excluded: contacts.excluded.clone().lazy(),
        contested: claims.contested.clone().lazy().select([col("contact").alias("ord")]),
        members: of_contact("ord", "customer"),
        merged: Some(Merged {
            heirs,
            unclear: contacts.unclear.clone().lazy().select([col("ord"), lit(true).alias("unclear")]),
            spoken_for,
        }),
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
    /// What only contacts have.
    merged: Option<Merged>,
}

/// What the rules found about contacts alone.
struct Merged {
    /// `ord`, `heir` (the survivor's customer), `is_merged`: rows that another one stands for.
    heirs: LazyFrame,
    /// `ord`, `unclear`: rows whose survivor cannot be told.
    unclear: LazyFrame,
    /// `ord`, `spoken_for` (a reason), `spokesman` (a customer): rows that claim nothing, since another contact goes before.
    spoken_for: LazyFrame,
}

impl Merged {
    /// The same columns, of accounts.
    fn none() -> Self {
        let none = |columns: &[(&str, DataType)]| {
            let fields = columns.iter().map(|(name, dtype)| Field::new((*name).into(), dtype.clone()));
            DataFrame::empty_with_schema(&fields.collect::<Schema>()).lazy()
        };
        let ord = ("ord", DataType::UInt32);
        Self {
            heirs: none(&[ord.clone(), ("heir", DataType::UInt32), ("is_merged", DataType::Boolean)]),
            unclear: none(&[ord.clone(), ("unclear", DataType::Boolean)]),
            spoken_for: none(&[ord, ("spoken_for", DataType::String), ("spokesman", DataType::UInt32)]),
        }
    }
}

/// Puts the findings about accounts or contacts together; a row that nothing was found about is `excluded` for
/// `otherwise`, if that is given. `ambiguous`: `customer`, `ambiguity`.
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
    let ambiguous =
        ambiguous.clone().lazy().select([col("customer"), lit(true).alias("ambiguous"), col("ambiguity").alias("why")]);
    let Merged { heirs, unclear, spoken_for } = findings.merged.unwrap_or_else(Merged::none);
    let found = [lost, excluded, contested, members, heirs, unclear, spoken_for]
        .into_iter()
        .fold(rows.select(["ord"])?.lazy(), |rows, finding| look_up(rows, finding, "ord", "ord"));
    let found = look_up(found, ambiguous, "customer", "customer")
        .with_columns([
            col("lost").is_not_null().alias("is_lost"),
            col("is_merged").fill_null(lit(false)),
            col("left_out").is_not_null().alias("is_left_out"),
            col("unclear").fill_null(lit(false)),
            col("contested").fill_null(lit(false)),
            col("ambiguous").fill_null(lit(false)),
        ])
        .select([
            when(col("is_lost"))
                .then(col("lost"))
                .when(col("is_merged"))
                .then(lit(Disposition::Superseded.as_str()))
                .when(col("is_left_out"))
                .then(lit(Disposition::Excluded.as_str()))
                .when(col("unclear").or(col("contested")).or(col("ambiguous")))
                .then(lit(Disposition::Ambiguous.as_str()))
                .when(col("customer").is_not_null())
                .then(lit(Disposition::Contributed.as_str()))
                .otherwise(lit(Disposition::Excluded.as_str()))
                .alias("disposition"),
            when(col("is_lost"))
                .then(lit(NULL).cast(DataType::String))
                .when(col("is_merged"))
                .then(lit(Reason::MergedRecord.as_str()))
                .when(col("is_left_out"))
                .then(col("left_out"))
                .when(col("unclear"))
                .then(lit(Reason::AmbiguousMerge.as_str()))
                .when(col("contested"))
                .then(lit(Reason::AmbiguousAccount.as_str()))
                .when(col("customer").is_not_null())
                .then(col("why"))
                .otherwise(coalesce(&[col("spoken_for"), left_out]))
                .alias("reason"),
            when(col("is_lost").or(col("is_left_out").and(col("is_merged").not())))
                .then(lit(NULL))
                .when(col("is_merged"))
                .then(col("heir"))
                .otherwise(coalesce(&[col("customer"), col("spokesman")]))
                .alias("customer"),
        ])
        .collect()?;
    Ok(beside(&rows.select(["ord", "file", "line", "id"])?, found)?)
}

/// A subscription goes where its standing account went, unless it is left out itself, or not `taken`. `owners`: `id`, `disposition`,
/// `reason`, `customer` of the standing accounts.
pub fn of_subscriptions(
    stripe: &StripeTables,
    repeated: &Duplicates,
    owners: LazyFrame,
    take_test_mode: bool,
    taken: Option<&Taken>,
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
    let narrow = match taken {
        Some(taken) => {
            let taken = taken.subscriptions.clone().lazy().with_column(lit(true).alias("taken"));
            look_up(narrow, taken, "ord", "ord").with_column(col("taken").fill_null(lit(false)))
        }
        None => narrow.with_column(lit(true).alias("taken")),
    };
    let found = look_up(look_up(narrow, lost, "ord", "ord"), owners, "account_id", "account_id")
        // What is left out anyway, or belongs to nobody, is so whatever the filter says.
        .with_column(col("taken").not().and(col("account_disposition").neq(lit(EXCLUDED))).alias("not_taken"))
        .select([
            when(col("lost").is_not_null())
                .then(col("lost"))
                .when(col("test_mode"))
                .then(lit(Disposition::Excluded.as_str()))
                .when(col("account_disposition").is_null())
                .then(lit(Disposition::Unattached.as_str()))
                .when(col("not_taken"))
                .then(lit(EXCLUDED))
                .otherwise(col("account_disposition"))
                .alias("disposition"),
            when(col("lost").is_not_null())
                .then(lit(NULL).cast(DataType::String))
                .when(col("test_mode"))
                .then(lit(Reason::TestMode.as_str()))
                .when(col("account_disposition").is_null())
                .then(lit(Reason::SubscriptionWithoutCustomer.as_str()))
                .when(col("not_taken"))
                .then(lit(Reason::NoProduct.as_str()))
                .otherwise(col("account_reason"))
                .alias("reason"),
            when(col("lost").is_null().and(col("test_mode").not()).and(col("not_taken").not().fill_null(lit(true))))
                .then(col("customer"))
                .otherwise(lit(NULL))
                .alias("customer"),
        ])
        .collect()?;
    Ok(beside(&rows, found)?)
}
