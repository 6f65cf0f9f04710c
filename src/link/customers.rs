//! Who the desired customers are: contacts that own accounts, and groups of accounts that no contact owns.

use super::LinkError;
use super::claims::Claims;
use polars::prelude::*;

/// The desired customers and what each consists of.
#[derive(Debug, Clone)]
pub struct Customers {
    /// One row per desired customer: `customer` u32 (0, 1, …), `contact` u32 (`ord`; null for a group of accounts).
    pub list: DataFrame,
    /// One row per account that is part of a customer: `account` u32, `customer` u32, `rank` u8 (of the link rule; 3: none).
    pub members: DataFrame,
    /// Customers whose e-mail group holds several external ids: `customer` u32, `email` str.
    pub mixed: DataFrame,
    /// Contacts that share an external id with another contact of their CRM: `contact` u32, `external_id` str, `crm` u32.
    pub shared_ids: DataFrame,
}

/// Rank of an account that no contact owns.
pub const UNLINKED: u8 = 3;

/// Forms the desired customers.
///
/// `accounts`: `ord`, `id`, `email`, `external_id`; `contacts`: `ord`, `crm`, `external_id`. With `without_account` every
/// contact is a customer, else only those that own, or contest, an account, or share an external id with such a one.
pub fn form(
    accounts: &DataFrame,
    contacts: &DataFrame,
    claims: &Claims,
    without_account: bool,
) -> Result<Customers, LinkError> {
    let claimants = concat(
        [
            claims.owned.clone().lazy().select([col("contact")]),
            claims.contested.clone().lazy().select([col("contact")]),
        ],
        UnionArgs::default(),
    )?
    .unique(None, UniqueKeepStrategy::Any)
    .collect()?;

    let shared = shared_external_ids(contacts)?;
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
        contacts.clone().lazy().select([col("ord").alias("contact")])
    } else {
        concat([claimants.lazy(), shared_ids.clone().lazy().select([col("contact")])], UnionArgs::default())?
            .unique(None, UniqueKeepStrategy::Any)
    }
    .sort(["contact"], SortMultipleOptions::default())
    .collect()?;

    let groups = group_unowned(accounts, claims)?;
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
        .select([col("customer"), col("email")])
        .unique(None, UniqueKeepStrategy::Any)
        .sort(["email", "customer"], SortMultipleOptions::default())
        .collect()?;
    let unowned =
        unowned.select([col("account"), col("customer"), lit(u32::from(UNLINKED)).cast(DataType::UInt8).alias("rank")]);
    let members = concat([owned, unowned], UnionArgs::default())?.collect()?;
    let group_customers =
        group_keys.lazy().select([col("customer"), lit(NULL).cast(DataType::UInt32).alias("contact")]).collect()?;
    let list = contact_customers.select(["customer", "contact"])?.vstack(&group_customers)?;
    Ok(Customers { list, members, mixed, shared_ids })
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

/// Groups accounts that no contact claims: by metadata external id, then by e-mail.
///
/// Out: `account`, `email`, `group` str, `mixed` bool (several external ids stand in its e-mail group).
fn group_unowned(accounts: &DataFrame, claims: &Claims) -> Result<DataFrame, LinkError> {
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
    Ok(unowned
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
        .collect()?)
}
