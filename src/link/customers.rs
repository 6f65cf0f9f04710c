//! Who the desired customers are: contacts that own accounts, and groups of accounts that no contact owns.

use super::LinkError;
use super::claims::{Claims, OVERRIDE};
use super::decisions::Decisions;
use polars::prelude::*;

/// The desired customers and what each consists of.
#[derive(Debug, Clone)]
pub struct Customers {
    /// One row per desired customer: `customer` u32 (0, 1, …), `contact` u32 (`ord`; null for a group of accounts).
    pub list: DataFrame,
    /// One row per account that is part of a customer: `account` u32, `customer` u32, `rank` u8 (of the link rule).
    pub members: DataFrame,
    /// Accounts that no contact owns and whose e-mail group holds several external ids: `customer` u32, `account` u32,
    /// `email` str.
    pub mixed: DataFrame,
    /// Contacts that share an external id with another contact of their CRM: `contact` u32, `external_id` str, `crm` u32.
    pub shared_ids: DataFrame,
    /// Contacts that were merged into one another: `contact` u32, `group` u32.
    pub circles: DataFrame,
    /// Contacts whose external id an override leaves to another contact: `contact` u32.
    pub outdone: DataFrame,
}

/// Rank of an account that no contact owns.
pub const UNLINKED: u8 = 4;

/// Who the contacts are, for [`form`].
pub struct Persons<'a> {
    /// `ord`, `crm`, `external_id` of the contacts that stand.
    pub standing: &'a DataFrame,
    /// `ord`, `group`, `stands` of those whose survivor cannot be told.
    pub unclear: &'a DataFrame,
    /// `contact` of those that are known to a CRM that goes before.
    pub elsewhere: &'a DataFrame,
}

/// Forms the desired customers.
///
/// `accounts`: `ord`, `id`, `email`, `external_id`. With `without_account` every contact is a customer, else only those that
/// own, or contest, an account, or share an external id with such a one, or may be the same record as such a one.
pub fn form(
    accounts: &DataFrame,
    persons: &Persons<'_>,
    claims: &Claims,
    decisions: &Decisions,
    without_account: bool,
) -> Result<Customers, LinkError> {
    let contacts = persons.standing;
    let claimants = concat(
        [
            claims.owned.clone().lazy().select([col("contact")]),
            claims.contested.clone().lazy().select([col("contact")]),
        ],
        UnionArgs::default(),
    )?
    .unique(None, UniqueKeepStrategy::Any)
    .collect()?;

    let (shared, outdone) = decided(shared_external_ids(contacts)?, &claimants, decisions)?;
    let circles = circles(persons, &claimants, without_account)?;
    let shared_ids = if without_account {
        shared
    } else {
        // Only where at least one of those who share the id owns or contests an account.
        let involved = shared
            .clone()
            .lazy()
            .semi_join(claimants.clone().lazy(), col("contact"), col("contact"))
            .select([col("crm"), col("external_id")])
            .unique(None, UniqueKeepStrategy::Any);
        shared
            .lazy()
            .join(
                involved,
                [col("crm"), col("external_id")],
                [col("crm"), col("external_id")],
                JoinArgs::new(JoinType::Semi),
            )
            .collect()?
    };

    let contact_customers = if without_account {
        contacts
            .clone()
            .lazy()
            .select([col("ord").alias("contact")])
            .anti_join(persons.elsewhere.clone().lazy(), col("contact"), col("contact"))
            .anti_join(outdone.clone().lazy(), col("contact"), col("contact"))
    } else {
        let of = |frame: &DataFrame| frame.clone().lazy().select([col("contact")]);
        concat([claimants.lazy(), of(&shared_ids), of(&circles)], UnionArgs::default())?
            .unique(None, UniqueKeepStrategy::Any)
    }
    .sort(["contact"], SortMultipleOptions::default())
    .collect()?;

    let groups = group_unowned(accounts, claims, decisions)?;
    let group_keys = groups
        .clone()
        .lazy()
        .select([col("group")])
        .unique(None, UniqueKeepStrategy::Any)
        .sort(["group"], SortMultipleOptions::default())
        .with_row_index(
            "customer",
            Some(IdxSize::try_from(contact_customers.height()).map_err(|_| LinkError::TooMany)?),
        )
        .collect()?;
    let contact_customers = contact_customers.with_row_index("customer".into(), None)?;

    let owned = claims
        .owned
        .clone()
        .lazy()
        .inner_join(contact_customers.clone().lazy(), col("contact"), col("contact"))
        .select([col("account"), col("customer"), col("rank")]);
    let unowned = groups.lazy().inner_join(group_keys.clone().lazy(), col("group"), col("group"));
    let mixed = unowned
        .clone()
        .filter(col("mixed"))
        .select([col("customer"), col("account"), col("email")])
        .sort(["email", "customer", "account"], SortMultipleOptions::default())
        .collect()?;
    let rank = |rank: u8| lit(u32::from(rank)).cast(DataType::UInt8);
    let unowned = unowned.select([
        col("account"),
        col("customer"),
        when(col("by_override")).then(rank(OVERRIDE)).otherwise(rank(UNLINKED)).alias("rank"),
    ]);
    let members = concat([owned, unowned], UnionArgs::default())?.collect()?;
    let group_customers =
        group_keys.lazy().select([col("customer"), lit(NULL).cast(DataType::UInt32).alias("contact")]).collect()?;
    let list = contact_customers.select(["customer", "contact"])?.vstack(&group_customers)?;
    Ok(Customers { list, members, mixed, shared_ids, circles, outdone })
}

/// Contacts of one CRM that carry an external id which another contact of that CRM carries too.
fn shared_external_ids(contacts: &DataFrame) -> Result<DataFrame, LinkError> {
    Ok(contacts
        .clone()
        .lazy()
        .filter(col("external_id").is_not_null())
        .filter(col("external_id").is_duplicated())
        .filter(len().over([col("crm"), col("external_id")])?.gt(lit(1)))
        .select([col("ord").alias("contact"), col("external_id"), col("crm")])
        .collect()?)
}

/// Parts shared external ids (`contact`, `external_id`, `crm`) into those that stay ambiguous and the contacts that lose
/// theirs: where an override gave an account to the one contact that claims any, that one has the id.
fn decided(
    shared: DataFrame,
    claimants: &DataFrame,
    decisions: &Decisions,
) -> Result<(DataFrame, DataFrame), LinkError> {
    let nobody = shared.clone().lazy().select([col("contact")]).limit(0).collect()?;
    if decisions.linked.height() == 0 {
        return Ok((shared, nobody));
    }
    let chosen = decisions.linked.clone().lazy().select([col("contact"), lit(true).alias("chosen")]);
    let claimants = claimants.clone().lazy().with_column(lit(true).alias("claims"));
    let by_id = || [col("crm"), col("external_id")];
    let all = shared
        .lazy()
        .left_join(claimants, col("contact"), col("contact"))
        .left_join(chosen.unique(None, UniqueKeepStrategy::Any), col("contact"), col("contact"))
        .with_columns([col("claims").fill_null(lit(false)), col("chosen").fill_null(lit(false))])
        .with_columns([
            col("claims").sum().over(by_id())?.alias("claiming"),
            col("claims").and(col("chosen")).any(true).over(by_id())?.alias("settled"),
        ])
        .with_column(col("settled").and(col("claiming").eq(lit(1))).alias("settled"))
        .collect()?;
    let open = all.clone().lazy().filter(col("settled").not()).select([col("contact"), col("external_id"), col("crm")]);
    let outdone = all.lazy().filter(col("settled").and(col("claims").not())).select([col("contact")]);
    Ok((open.collect()?, outdone.collect()?))
}

/// The contacts that were merged into one another, where one of them owns or contests an account or every contact counts.
fn circles(persons: &Persons<'_>, claimants: &DataFrame, without_account: bool) -> Result<DataFrame, LinkError> {
    let all = persons
        .unclear
        .clone()
        .lazy()
        .filter(col("stands"))
        .select([col("ord").alias("contact"), col("group")])
        .semi_join(persons.standing.clone().lazy().select([col("ord")]), col("contact"), col("ord"))
        .collect()?;
    if without_account || all.height() == 0 {
        return Ok(all);
    }
    let involved = all.clone().lazy().semi_join(claimants.clone().lazy(), col("contact"), col("contact"));
    Ok(all.lazy().semi_join(involved, col("group"), col("group")).collect()?)
}

/// Groups accounts that no contact claims: by metadata external id, then by e-mail.
///
/// Out: `account`, `email`, `group` str, `mixed` bool (several external ids stand in its e-mail group), `by_override` bool.
pub fn group_unowned(accounts: &DataFrame, claims: &Claims, decisions: &Decisions) -> Result<DataFrame, LinkError> {
    let claimed = concat(
        [
            claims.owned.clone().lazy().select([col("account")]),
            claims.contested.clone().lazy().select([col("account")]),
        ],
        UnionArgs::default(),
    )?;
    let unowned = accounts
        .clone()
        .lazy()
        .select([col("ord").alias("account"), col("email"), col("external_id")])
        .anti_join(claimed, col("account"), col("account"))
        .collect()?;
    let in_email_group = unowned
        .clone()
        .lazy()
        .filter(col("email").is_not_null().and(col("external_id").is_not_null()))
        .group_by([col("email")])
        .agg([col("external_id").min().alias("group_id"), col("external_id").n_unique().gt(lit(1)).alias("mixed")]);
    let groups = unowned
        .lazy()
        .left_join(in_email_group, col("email"), col("email"))
        .with_column(col("mixed").fill_null(lit(false)))
        .select([
            col("account"),
            col("email"),
            col("mixed"),
            // The prefixes keep an id that looks like an e-mail apart from one.
            coalesce(&[
                lit("id:") + col("external_id"),
                when(col("mixed").not()).then(lit("id:") + col("group_id")).otherwise(lit(NULL)),
                lit("mail:") + col("email"),
                lit("account:") + col("account").cast(DataType::String),
            ])
            .alias("group"),
        ])
        .collect()?;
    decisions.regroup(groups)
}
