//! One person in several CRMs: the record of the CRM that goes before is the person's, and claims with what a later CRM knows
//! of them too.

use super::LinkError;
use super::claims::{Claimants, contact_keys};
use polars::prelude::*;

/// Adds to the claimants of each CRM, in order of precedence, what later CRMs know of the same persons. Gives the pairs:
/// `first`, `later` u32 (`contact`s).
pub fn lend(claimants: &mut [Claimants]) -> Result<DataFrame, LinkError> {
    let mut persons = DataFrame::empty_with_schema(&Schema::from_iter([
        Field::new("first".into(), DataType::UInt32),
        Field::new("later".into(), DataType::UInt32),
    ]));
    let own: Vec<DataFrame> = claimants.iter().map(|crm| crm.keys.clone()).collect();
    for (first, crm) in claimants.iter_mut().enumerate() {
        for later in own.iter().skip(first + 1) {
            let pairs = same_persons(&own[first], later)?;
            if pairs.height() == 0 {
                continue;
            }
            let theirs = later.get_column_names_owned().into_iter().map(|name| match name.as_str() {
                "contact" => col("first").alias("contact"),
                _ => col(name),
            });
            let lent = later
                .clone()
                .lazy()
                .inner_join(pairs.clone().lazy(), col("contact"), col("later"))
                .select(theirs.collect::<Vec<_>>());
            crm.keys.vstack_mut_owned(lent.collect()?)?;
            crm.repeat = true;
            persons.vstack_mut_owned(pairs)?;
        }
    }
    Ok(persons)
}

/// Pairs of records that are one person: they alone of their CRMs have an external id or an address, it is the same, and their
/// external ids do not differ. `first`, `later` u32 (`contact`s); a later record that might be several persons is none.
fn same_persons(first: &DataFrame, later: &DataFrame) -> Result<DataFrame, LinkError> {
    // An address that several share tells nobody apart.
    let alone = |frame: &DataFrame, key: &str, name: &str| -> Result<LazyFrame, LinkError> {
        let keys = contact_keys(frame, key)?.unique(None, UniqueKeepStrategy::Any);
        Ok(keys.filter(col("key").is_duplicated().not()).rename(["contact"], [name], true))
    };
    let pairs = |key: &str| -> Result<LazyFrame, LinkError> {
        Ok(alone(first, key, "first")?.inner_join(alone(later, key, "later")?, col("key"), col("key")))
    };
    let ids = |frame: &DataFrame, name: &str| {
        frame
            .clone()
            .lazy()
            .filter(col("external_id").is_not_null())
            .select([col("contact"), col("external_id").alias(name)])
            .unique_stable(Some(by_name(["contact"], true, false)), UniqueKeepStrategy::First)
    };
    Ok(concat([pairs("external_id")?, pairs("emails")?], UnionArgs::default())?
        .select([col("first"), col("later")])
        .unique(None, UniqueKeepStrategy::Any)
        .left_join(ids(first, "first_id"), col("first"), col("contact"))
        .left_join(ids(later, "later_id"), col("later"), col("contact"))
        .filter(col("first_id").neq(col("later_id")).fill_null(lit(false)).not())
        .filter(col("later").is_duplicated().not())
        .select([col("first"), col("later")])
        .collect()?)
}
