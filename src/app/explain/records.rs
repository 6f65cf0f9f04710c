//! The contacts and Stripe customers that have to do with one customer: its own, and those that share a key with them.

use super::explanation::Line;
use super::key::Identities;
use super::row::{Row, is_number, is_text, pick, rows};
use crate::config::Settings;
use crate::model::{Disposition, InputFile, Reason};
use polars::prelude::*;
use std::collections::BTreeSet;

/// Of a key that very many share so many are looked at.
const MOST: IdxSize = 2_000;

/// A contact as its CRM's export shows it.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub ord: u32,
    /// `hubspot:7`
    pub key: String,
    pub crm: String,
    pub place: Option<Line>,
    pub disposition: Disposition,
    pub reason: Option<Reason>,
    pub customer: Option<u32>,
    pub email: Option<String>,
    pub emails: Vec<String>,
    pub external_id: Option<String>,
    pub stripe_customer_id: Option<String>,
    pub name: Option<String>,
    pub company_name: Option<String>,
    pub last_activity: Option<String>,
}

/// A Stripe customer as its export shows it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub ord: u32,
    pub id: Option<String>,
    /// The id, or `guest`.
    pub label: String,
    pub place: Option<Line>,
    pub disposition: Disposition,
    pub reason: Option<Reason>,
    pub customer: Option<u32>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub external_id: Option<String>,
}

/// The records that have to do with one customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    /// Part of it, or spoken for by it.
    pub contacts: Vec<Contact>,
    /// Part of it, the oldest first.
    pub accounts: Vec<Account>,
    /// Neither, yet sharing a key with one of its accounts.
    pub other_contacts: Vec<Contact>,
    /// The same.
    pub other_accounts: Vec<Account>,
}

/// Finds records in the tables of a run.
#[derive(Clone, Copy)]
pub(super) struct Finder<'a> {
    pub identities: &'a Identities,
    pub settings: &'a Settings,
    pub files: &'a [InputFile],
}

impl Finder<'_> {
    /// The records of the customer `customer`, or of the Stripe customers and contacts (`ord`s) that are part of none.
    pub fn records(&self, customer: Option<u32>, accounts: &[u32], contacts: &[u32]) -> Result<Records, RecordError> {
        let is_own = |ords: &[u32]| match customer {
            Some(customer) => is_number("customer", [customer]).or(is_number("ord", ords.iter().copied())),
            None => is_number("ord", ords.iter().copied()),
        };
        let stands = || col("disposition").neq(lit(Disposition::MergedDuplicate.as_str())).and(replaced().not());
        let own_contacts = self.contacts(is_own(contacts).and(stands()))?;
        let own_accounts = self.accounts(is_own(accounts).and(stands()))?;

        let ids = own_accounts.iter().filter_map(|account| account.id.as_deref());
        let external = own_accounts.iter().filter_map(|account| account.external_id.as_deref());
        let emails: BTreeSet<&str> = own_accounts.iter().filter_map(|account| account.email.as_deref()).collect();
        let by_email = self.with_email(&emails)?;
        let named = is_text("stripe_customer_id", ids).or(is_text("external_id", external));
        let shares = named.or(is_number("ord", by_email));
        let others = shares.and(is_own(contacts).not()).and(stands());
        let other_contacts = self.contacts(others)?;

        let ids = own_contacts.iter().filter_map(|contact| contact.stripe_customer_id.as_deref());
        let external = own_contacts.iter().filter_map(|contact| contact.external_id.as_deref());
        let emails = own_contacts.iter().flat_map(|contact| &contact.emails).map(String::as_str);
        let shares = is_text("id", ids).or(is_text("external_id", external)).or(is_text("email", emails));
        let other_accounts = self.accounts(shares.and(is_own(accounts).not()).and(stands()))?;
        Ok(Records { contacts: own_contacts, accounts: own_accounts, other_contacts, other_accounts })
    }

    /// `ord`s of the contacts that have one of `emails`.
    fn with_email(&self, emails: &BTreeSet<&str>) -> PolarsResult<Vec<u32>> {
        if emails.is_empty() {
            return Ok(vec![]);
        }
        let keep = ExplodeOptions { empty_as_null: true, keep_nulls: true };
        let each = self.identities.contacts.clone().lazy().select([col("ord"), col("emails")]);
        let found = each
            .explode(by_name(["emails"], true, false), keep)
            .filter(is_text("emails", emails.iter().copied()))
            .limit(MOST)
            .collect()?;
        Ok(found.column("ord")?.u32()?.iter().flatten().collect())
    }

    fn contacts(&self, condition: Expr) -> Result<Vec<Contact>, RecordError> {
        let found = pick(&self.identities.contacts, condition)?.head(Some(MOST as usize));
        rows(&found).map(|row| self.contact(row)).collect()
    }

    fn contact(&self, row: Row<'_>) -> Result<Contact, RecordError> {
        let crm = row.number("crm")?.and_then(|crm| self.settings.crms.get(crm as usize));
        let crm = crm.map_or("?", |crm| &crm.name).to_owned();
        Ok(Contact {
            ord: row.number("ord")?.unwrap_or_default(),
            key: format!("{crm}:{}", row.word("id")?),
            crm,
            place: row.place(self.files)?,
            disposition: row.word("disposition")?.parse()?,
            reason: row.text("reason")?.as_deref().map(str::parse).transpose()?,
            customer: row.number("customer")?,
            email: row.text("email")?,
            emails: row.texts("emails")?,
            external_id: row.text("external_id")?,
            stripe_customer_id: row.text("stripe_customer_id")?,
            name: row.text("name")?,
            company_name: row.text("company_name")?,
            last_activity: row.shown("last_activity", 0)?,
        })
    }

    fn accounts(&self, condition: Expr) -> Result<Vec<Account>, RecordError> {
        let oldest = SortMultipleOptions::default().with_nulls_last(true).with_maintain_order(true);
        let found =
            self.identities.accounts.clone().lazy().filter(condition).sort(["created", "id"], oldest).limit(MOST);
        rows(&found.collect()?).map(|row| self.account(row)).collect()
    }

    fn account(&self, row: Row<'_>) -> Result<Account, RecordError> {
        let id = row.text("id")?;
        Ok(Account {
            ord: row.number("ord")?.unwrap_or_default(),
            label: id.clone().unwrap_or_else(|| "guest".to_owned()),
            id,
            place: row.place(self.files)?,
            disposition: row.word("disposition")?.parse()?,
            reason: row.text("reason")?.as_deref().map(str::parse).transpose()?,
            customer: row.number("customer")?,
            email: row.text("email")?,
            name: row.text("name")?,
            external_id: row.text("external_id")?,
        })
    }
}

/// Rows that a later row with the same id replaces; a record that was merged into another has a reason.
fn replaced() -> Expr {
    col("disposition").eq(lit(Disposition::Superseded.as_str())).and(col("reason").is_null())
}

/// A record cannot be read back: a bug, not bad data.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A query failed.
    #[error("failed to look up the customer's records: {0}")]
    Polars(#[from] PolarsError),
    /// A column holds a word that is none.
    #[error(transparent)]
    Word(#[from] crate::model::UnknownWord),
}

impl From<RecordError> for crate::app::exit::AppError {
    fn from(error: RecordError) -> Self {
        Self::Internal(Box::new(error))
    }
}
