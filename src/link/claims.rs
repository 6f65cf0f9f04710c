//! Which contact owns which billing account: three rules in order, each on what the one before left.

use super::LinkError;
use crate::model::LinkRule;
use polars::prelude::*;

/// The rules in order: the rule, the account's column, the contacts' column.
const RULES: [(LinkRule, &str, &str); 3] = [
    (LinkRule::StripeCustomerId, "id", "stripe_customer_id"),
    (LinkRule::Metadata, "external_id", "external_id"),
    (LinkRule::Email, "email", "emails"),
];

/// Who claims what. Both frames: `account` u32 and `contact` u32 (`ord`s), `rule` str, `rank` u8 (0 the strongest).
#[derive(Debug, Clone)]
pub struct Claims {
    /// One row per account that exactly one contact claims.
    pub owned: DataFrame,
    /// One row per claim on an account that several contacts claim under the same rule: nobody wins.
    pub contested: DataFrame,
}

/// Lets the contacts of each CRM, in order of precedence, claim `accounts`.
///
/// `accounts`: `ord`, `id`, `email`, `external_id`, one row per account. Each of `contacts`: `ord`, `stripe_customer_id`,
/// `external_id`, `emails` (list), one row per contact. A null never matches.
pub fn claim(accounts: &DataFrame, contacts: &[DataFrame]) -> Result<Claims, LinkError> {
    let mut free = accounts.select(["ord", "id", "email", "external_id"])?;
    let mut owned = vec![];
    let mut contested = vec![];
    for crm in contacts {
        for (rank, (rule, account_key, contact_key)) in RULES.into_iter().enumerate() {
            let keys = contact_keys(crm, contact_key)?;
            let claims = free
                .clone()
                .lazy()
                .select([col("ord").alias("account"), col(account_key).alias("key")])
                .filter(col("key").is_not_null())
                .inner_join(keys, col("key"), col("key"))
                .select([
                    col("account"),
                    col("contact"),
                    lit(rule.as_str()).alias("rule"),
                    lit(u32::try_from(rank).unwrap_or(u32::MAX)).cast(DataType::UInt8).alias("rank"),
                    col("account").is_duplicated().alias("several"),
                ])
                .collect()?;
            if claims.height() == 0 {
                continue;
            }
            free = free.lazy().anti_join(claims.clone().lazy(), col("ord"), col("account")).collect()?;
            let several = claims.column("several")?.bool()?.clone();
            let claims = claims.drop("several")?;
            contested.push(claims.filter(&several)?);
            owned.push(claims.filter(&!several)?);
        }
    }
    Ok(Claims { owned: stack(owned)?, contested: stack(contested)? })
}

/// `contact`, `key`: every key a contact can claim with under a rule.
fn contact_keys(contacts: &DataFrame, key: &str) -> Result<LazyFrame, LinkError> {
    let keys = contacts.clone().lazy().select([col("ord").alias("contact"), col(key).alias("key")]);
    let keys = if matches!(contacts.column(key)?.dtype(), DataType::List(_)) {
        keys.explode(by_name(["key"], true, false), ExplodeOptions { empty_as_null: true, keep_nulls: true })
    } else {
        keys
    };
    Ok(keys.filter(col("key").is_not_null()))
}

fn stack(parts: Vec<DataFrame>) -> Result<DataFrame, LinkError> {
    let mut all = DataFrame::empty_with_schema(&Schema::from_iter([
        Field::new("account".into(), DataType::UInt32),
        Field::new("contact".into(), DataType::UInt32),
        Field::new("rule".into(), DataType::String),
        Field::new("rank".into(), DataType::UInt8),
    ]));
    for part in parts {
        all.vstack_mut_owned(part)?;
    }
    Ok(all)
}
