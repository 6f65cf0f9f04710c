//! Which contact owns which billing account: what a person decided, then three rules in order, each on what the one before
//! left.

use super::LinkError;
use super::crowds::Crowds;
use super::decisions::Decisions;
use crate::model::LinkRule;
use polars::prelude::*;

/// The rules in order: the rule, the account's column, the contacts' column.
const RULES: [(LinkRule, &str, &str); 3] = [
    (LinkRule::StripeCustomerId, "id", "stripe_customer_id"),
    (LinkRule::Metadata, "external_id", "external_id"),
    (LinkRule::Email, "email", "emails"),
];

/// Rank of an account that an override gave; the rules follow from 1.
pub const OVERRIDE: u8 = 0;

/// What the contacts of one CRM claim with.
#[derive(Debug, Clone)]
pub struct Claimants {
    /// `contact` u32 (`ord`), `stripe_customer_id`, `external_id`, `emails` (list): one row per contact, and one per record
    /// that was merged into it.
    pub keys: DataFrame,
    /// A contact may stand in several rows.
    pub repeat: bool,
}

/// Who claims what. Both frames: `account` u32 and `contact` u32 (`ord`s), `rule` str, `rank` u8 (0 the strongest).
#[derive(Debug, Clone)]
pub struct Claims {
    /// One row per account that exactly one contact claims.
    pub owned: DataFrame,
    /// One row per claim on an account that several contacts claim under the same rule: nobody wins. `apart` bool: an
    /// override keeps it apart from another account that the same contact claims under the same rule. `crowd` str: null,
    /// or what brings very many of both together; then the row says of either that it is one of them, and no more.
    pub contested: DataFrame,
}

/// Lets the contacts claim `accounts`, rule by rule: what one CRM knows goes before what another one, whatever its precedence,
/// has by a weaker rule. Under one rule the CRMs come in order of precedence; of one person in several CRMs the first
/// record claims ([`super::same_person`]).
///
/// `accounts`: `ord`, `id`, `email`, `external_id`, one row per account. A null never matches.
pub fn claim(accounts: &DataFrame, contacts: &[Claimants], decisions: &Decisions) -> Result<Claims, LinkError> {
    let mut free = accounts.select(["ord", "id", "email", "external_id"])?;
    let mut owned = decisions.given()?;
    free = without(free, &owned)?;
    let mut contested = nothing()
        .lazy()
        .with_columns([lit(false).alias("apart"), lit(NULL).cast(DataType::String).alias("crowd")])
        .collect()?;
    for (rank, (rule, account_key, contact_key)) in (OVERRIDE + 1..).zip(RULES) {
        for crm in contacts {
            let keys = contact_keys(&crm.keys, contact_key)?;
            let named = |columns: Vec<Expr>| {
                let rule_of =
                    [lit(rule.as_str()).alias("rule"), lit(u32::from(rank)).cast(DataType::UInt8).alias("rank")];
                [vec![col("account"), col("contact")], rule_of.into(), columns].concat()
            };
            let mut keyed = free
                .clone()
                .lazy()
                .select([col("ord").alias("account"), col(account_key).alias("key")])
                .filter(col("key").is_not_null());
            // An account's own id is on no other account.
            if rule != LinkRule::StripeCustomerId
                && let Some(crowds) = Crowds::find(keyed.clone(), keys.clone())?
            {
                keyed = crowds.leave(keyed);
                let claims =
                    crowds.claims(rule)?.select(named(vec![lit(false).alias("apart"), col("crowd")])).collect()?;
                free = without(free, &claims)?;
                contested.vstack_mut_owned(claims)?;
            }
            let mut claims = keyed.inner_join(keys, col("key"), col("key")).select(named(vec![]));
            if crm.repeat {
                claims = claims.unique(Some(by_name(["account", "contact"], true, false)), UniqueKeepStrategy::Any);
            }
            let claims = if decisions.is_empty() {
                claims.with_columns([col("account").is_duplicated().alias("several"), lit(false).alias("apart")])
            } else {
                decisions.judge(claims, &owned)?
            }
            .collect()?;
            if claims.height() == 0 {
                continue;
            }
            free = without(free, &claims)?;
            let several = claims.column("several")?.bool()?.clone();
            let claims = claims.drop("several")?;
            let crowd = Column::full_null("crowd".into(), claims.height(), &DataType::String);
            contested.vstack_mut_owned(claims.hstack(&[crowd])?.filter(&several)?)?;
            owned.vstack_mut_owned(claims.filter(&!several)?.drop("apart")?)?;
        }
    }
    Ok(Claims { owned, contested })
}

/// The accounts that nobody of `claims` claims.
fn without(free: DataFrame, claims: &DataFrame) -> Result<DataFrame, LinkError> {
    if claims.height() == 0 {
        return Ok(free);
    }
    Ok(free.lazy().anti_join(claims.clone().lazy(), col("ord"), col("account")).collect()?)
}

/// `contact`, `key`: every key a contact can claim with under a rule.
pub fn contact_keys(contacts: &DataFrame, key: &str) -> Result<LazyFrame, LinkError> {
    let keys = contacts.clone().lazy().select([col("contact"), col(key).alias("key")]);
    let keys = if matches!(contacts.column(key)?.dtype(), DataType::List(_)) {
        keys.explode(by_name(["key"], true, false), ExplodeOptions { empty_as_null: true, keep_nulls: true })
    } else {
        keys
    };
    Ok(keys.filter(col("key").is_not_null()))
}

/// Every rule's columns of accounts and contacts, in order, for those who ask what a contact would claim.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.into_iter().map(|(_, account, contact)| (account, contact))
}

/// No claim.
pub fn nothing() -> DataFrame {
    DataFrame::empty_with_schema(&Schema::from_iter([
        Field::new("account".into(), DataType::UInt32),
        Field::new("contact".into(), DataType::UInt32),
        Field::new("rule".into(), DataType::String),
        Field::new("rank".into(), DataType::UInt8),
    ]))
}
