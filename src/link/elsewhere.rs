//! Contacts that own no account, yet are no strangers: another CRM, or an override, speaks for what they claim.

use super::LinkError;
use super::claims::{Claimants, Claims, OVERRIDE, contact_keys, rules};
use polars::prelude::*;

/// Contacts without a claim of their own whose account, external id or address is another contact's: `contact`, `owner` u32
/// (`ord`s), `by_override` bool. The owner is a customer of another CRM, or one that an override chose.
///
/// `accounts`: `ord`, `id`, `email`, `external_id`; `standing`: `ord`, `crm`, `id`, `external_id`, `emails` of every CRM's contacts.
/// With `without_account` every contact is a customer of its own unless it is found here.
pub fn elsewhere(
    accounts: &DataFrame,
    claimants: &[Claimants],
    standing: &DataFrame,
    claims: &Claims,
    without_account: bool,
) -> Result<DataFrame, LinkError> {
    let given = claims.owned.clone().lazy().filter(col("rank").eq(lit(u32::from(OVERRIDE)))).collect()?;
    let mut found = nobody();
    let owners = concat(
        [
            claims.owned.clone().lazy().select([col("account"), col("contact"), col("rank")]),
            claims.contested.clone().lazy().select([
                col("account"),
                col("contact"),
                lit(u32::MAX).alias("rank").cast(DataType::UInt8),
            ]),
        ],
        UnionArgs::default(),
    )?
    .select([
        col("account"),
        col("contact").alias("owner"),
        col("rank").eq(lit(u32::from(OVERRIDE))).fill_null(lit(false)).alias("by_override"),
    ])
    .collect()?;
    for (index, crm) in (0_u32..).zip(claimants) {
        if claimants.len() == 1 && given.height() == 0 {
            continue;
        }
        let free = crm.keys.clone().lazy().anti_join(owners.clone().lazy(), col("contact"), col("owner")).collect()?;
        if free.height() == 0 {
            continue;
        }
        // Of several owners the one whose id comes first, wherever its row stands.
        let ids =
            standing.clone().lazy().select([col("ord"), col("crm").alias("first_crm"), col("id").alias("first_id")]);
        let owned = owners
            .clone()
            .lazy()
            .left_join(ids.clone(), col("owner"), col("ord"))
            .filter(col("first_crm").neq(lit(index)).or(col("by_override")));
        let mut parts = vec![];
        for (strength, (account_key, contact_key)) in (0_u32..).zip(rules()) {
            let keyed = accounts
                .clone()
                .lazy()
                .select([col("ord").alias("account"), col(account_key).alias("key")])
                .filter(col("key").is_not_null())
                .inner_join(owned.clone(), col("account"), col("account"))
                // Of one owner by several accounts the override speaks.
                .sort(
                    ["first_crm", "first_id", "by_override"],
                    SortMultipleOptions::default().with_order_descending_multi([false, false, true]),
                )
                .unique_stable(Some(by_name(["key"], true, false)), UniqueKeepStrategy::First);
            parts.push(contact_keys(&free, contact_key)?.inner_join(keyed, col("key"), col("key")).select([
                col("contact"),
                col("owner"),
                col("by_override"),
                lit(strength).alias("strength"),
            ]));
        }
        if index > 0 {
            parts.extend(same_person(&free, standing, &owners, &found, index, without_account)?);
        }
        let part = concat(parts, UnionArgs::default())?
            .left_join(ids, col("owner"), col("ord"))
            .sort(
                ["contact", "strength", "first_crm", "first_id", "by_override"],
                SortMultipleOptions::default().with_order_descending_multi([false, false, false, false, true]),
            )
            .unique_stable(Some(by_name(["contact"], true, false)), UniqueKeepStrategy::First)
            .select([col("contact"), col("owner"), col("by_override")])
            .collect()?;
        found.vstack_mut_owned(part)?;
    }
    Ok(found)
}

/// Contacts that share external id or address with a customer of a CRM that goes before, unless their external ids differ.
fn same_person(
    free: &DataFrame,
    standing: &DataFrame,
    owners: &DataFrame,
    found: &DataFrame,
    crm: u32,
    without_account: bool,
) -> Result<[LazyFrame; 2], LinkError> {
    let before = standing.clone().lazy().filter(col("crm").lt(lit(crm)));
    let customers = if without_account {
        before.anti_join(found.clone().lazy(), col("ord"), col("contact"))
    } else {
        before.semi_join(owners.clone().lazy(), col("ord"), col("owner"))
    }
    .select([col("ord").alias("contact"), col("external_id"), col("emails")])
    .collect()?;
    let ids = |frame: &DataFrame, name: &str| {
        frame
            .clone()
            .lazy()
            .select([col("contact"), col("external_id").alias(name)])
            .unique_stable(Some(by_name(["contact"], true, false)), UniqueKeepStrategy::First)
    };
    let select = |frame: LazyFrame, strength: u32| {
        frame.select([col("contact"), col("owner"), lit(false).alias("by_override"), lit(strength).alias("strength")])
    };
    let theirs = |key: &str| Ok::<_, LinkError>(contact_keys(&customers, key)?.rename(["contact"], ["owner"], true));
    let by_id = contact_keys(free, "external_id")?.inner_join(theirs("external_id")?, col("key"), col("key"));
    let by_email = contact_keys(free, "emails")?
        .inner_join(theirs("emails")?, col("key"), col("key"))
        .left_join(ids(free, "own_id"), col("contact"), col("contact"))
        .left_join(ids(&customers, "their_id"), col("owner"), col("contact"))
        .filter(col("own_id").neq(col("their_id")).fill_null(lit(false)).not());
    Ok([select(by_id, 10), select(by_email, 11)])
}

fn nobody() -> DataFrame {
    DataFrame::empty_with_schema(&Schema::from_iter([
        Field::new("contact".into(), DataType::UInt32),
        Field::new("owner".into(), DataType::UInt32),
        Field::new("by_override".into(), DataType::Boolean),
    ]))
}
