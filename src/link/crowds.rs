//! Keys that very many accounts and very many contacts share, such as `noemail@example.com`: every one of those contacts claims
//! every one of those accounts, and to list the pairs would take the product of both. Each stands once instead.

use super::LinkError;
use crate::model::LinkRule;
use polars::prelude::*;

/// A key is crowded when more accounts than this and more contacts than this share it. So many contacts are not told apart
/// by what a person decides about pairs.
const CROWD: u32 = 50;

/// The accounts and contacts that crowded keys bring together.
pub struct Crowds {
    /// `key`, `accounts`, `contacts` u32: how many share it.
    keys: DataFrame,
    /// `account`, `key`
    accounts: DataFrame,
    /// `contact`, `key`
    contacts: DataFrame,
}

impl Crowds {
    /// Finds the crowded keys of one rule. `accounts`: `account`, `key`; `contacts`: `contact`, `key`; neither null.
    pub fn find(accounts: LazyFrame, contacts: LazyFrame) -> Result<Option<Self>, LinkError> {
        let many = |frame: LazyFrame, name: &str| {
            frame.group_by([col("key")]).agg([len().alias(name)]).filter(col(name).gt(lit(CROWD)))
        };
        let shared = many(accounts.clone(), "accounts").collect()?;
        if shared.height() == 0 {
            return Ok(None);
        }
        let contacts = contacts
            .semi_join(shared.clone().lazy(), col("key"), col("key"))
            .unique(None, UniqueKeepStrategy::Any)
            .collect()?;
        let keys =
            shared.lazy().inner_join(many(contacts.clone().lazy(), "contacts"), col("key"), col("key")).collect()?;
        if keys.height() == 0 {
            return Ok(None);
        }
        let of = |frame: LazyFrame| frame.semi_join(keys.clone().lazy(), col("key"), col("key"));
        Ok(Some(Self { accounts: of(accounts).collect()?, contacts: of(contacts.lazy()).collect()?, keys }))
    }

    /// What `accounts` (with `key`) holds beside the crowds.
    pub fn leave(&self, accounts: LazyFrame) -> LazyFrame {
        accounts.anti_join(self.keys.clone().lazy(), col("key"), col("key"))
    }

    /// Each account with one of the contacts, and each contact with one of the accounts: `account`, `contact`, `crowd` str,
    /// which says what brings them together.
    pub fn claims(&self, rule: LinkRule) -> Result<LazyFrame, LinkError> {
        let one = |frame: &DataFrame, name: &str| frame.clone().lazy().group_by([col("key")]).agg([col(name).min()]);
        let by_key = |left: LazyFrame, right: LazyFrame| left.inner_join(right, col("key"), col("key"));
        let accounts = by_key(self.accounts.clone().lazy(), one(&self.contacts, "contact"));
        let contacts = by_key(self.contacts.clone().lazy(), one(&self.accounts, "account"));
        let columns = || [col("account"), col("contact"), col("key")];
        let pairs = concat([accounts.select(columns()), contacts.select(columns())], UnionArgs::default())?;
        Ok(by_key(pairs.unique(None, UniqueKeepStrategy::Any), self.keys.clone().lazy()).select([
            col("account"),
            col("contact"),
            (col("accounts").cast(DataType::String)
                + lit(format!(" billing accounts are claimed by {rule} "))
                + col("key")
                + lit(" alike by ")
                + col("contacts").cast(DataType::String)
                + lit(" contacts, such as"))
            .alias("crowd"),
        ]))
    }
}
