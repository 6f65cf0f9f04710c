//! What a key means: a Stripe customer, a subscription, an e-mail or an external id.

use crate::app::exit::AppError;
use crate::link::Linked;
use crate::load::Loaded;
use crate::model::Email;
use crate::table::beside;
use polars::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Identities that differ in more than one of this many characters are not alike.
const ALIKE: usize = 5;

/// As what a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundAs {
    /// The id of a Stripe customer.
    StripeCustomer,
    /// The id of a subscription.
    Subscription,
    /// An e-mail of a Stripe customer or a contact.
    Email,
    /// An external id of a Stripe customer or a contact.
    ExternalId,
    /// A customer's `key`, as reports have it.
    Key,
}

impl FoundAs {
    const ALL: [Self; 5] = [Self::StripeCustomer, Self::Subscription, Self::Email, Self::ExternalId, Self::Key];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StripeCustomer => "Stripe customer id",
            Self::Subscription => "subscription id",
            Self::Email => "e-mail",
            Self::ExternalId => "external id",
            Self::Key => "key of a customer",
        }
    }
}

/// Every row with what identifies it, and where it went.
pub(super) struct Identities {
    /// Stripe customers: the columns of their dispositions, `email`, `name`, `external_id`.
    pub accounts: DataFrame,
    /// Subscriptions: the columns of their dispositions, `stripe_customer`.
    pub subscriptions: DataFrame,
    /// Contacts: the columns of their dispositions, `email`, `emails`, `external_id`.
    contacts: DataFrame,
    /// Desired customers: `customer`, `key`, `email`, `external_id`.
    desired: DataFrame,
}

/// The rows that a key means.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// Ids of Stripe customers.
    pub stripe_ids: BTreeSet<String>,
    /// `ord`s of Stripe customers, also of guests.
    pub accounts: BTreeSet<u32>,
    /// Desired customers.
    pub customers: BTreeSet<u32>,
    /// File and line of contacts that are part of no desired customer.
    pub idle_contacts: Vec<(u32, u32)>,
}

impl Hits {
    fn is_empty(&self) -> bool {
        self.stripe_ids.is_empty() && self.accounts.is_empty() && self.customers.is_empty()
    }
}

impl Identities {
    pub fn new(loaded: &Loaded, linked: &Linked) -> PolarsResult<Self> {
        let accounts = loaded.stripe.accounts.frame().select(["email", "name", "external_id"])?;
        let subscriptions = loaded.stripe.subscriptions.lazy().select([col("customer").alias("stripe_customer")]);
        let contacts = loaded.contacts.frame().select(["email", "emails", "external_id"])?;
        Ok(Self {
            accounts: beside(&linked.accounts, accounts)?,
            subscriptions: beside(&linked.subscriptions, subscriptions.collect()?)?,
            contacts: beside(&linked.contacts, contacts)?,
            desired: linked.desired.select(["customer", "key", "email", "external_id"])?,
        })
    }

    /// What `key` means first, in the order of [`FoundAs`]; `None`: nothing that could have MRR.
    pub fn find(&self, key: &str) -> PolarsResult<(Option<FoundAs>, Hits)> {
        let mut idle = vec![];
        for found_as in FoundAs::ALL {
            let hits = self.hits(found_as, key)?;
            if !hits.is_empty() {
                return Ok((Some(found_as), hits));
            }
            idle.extend(hits.idle_contacts);
        }
        Ok((None, Hits { idle_contacts: idle, ..Hits::default() }))
    }

    fn hits(&self, found_as: FoundAs, key: &str) -> PolarsResult<Hits> {
        let mut hits = Hits::default();
        let is = |column: &str, text: &str| col(column).eq(lit(text.to_owned()));
        match found_as {
            FoundAs::StripeCustomer => {
                if rows(&self.accounts, is("id", key))?.height() > 0
                    || rows(&self.subscriptions, is("stripe_customer", key))?.height() > 0
                {
                    hits.stripe_ids.insert(key.to_owned());
                }
            }
            FoundAs::Subscription => {
                let found = rows(&self.subscriptions, is("id", key))?;
                hits.stripe_ids = found.column("stripe_customer")?.str()?.iter().flatten().map(str::to_owned).collect();
            }
            FoundAs::Email => {
                let Ok(email) = Email::parse(key) else { return Ok(hits) };
                let of_contact = col("emails").list().contains(lit(email.as_str().to_owned()), false);
                self.collect(&mut hits, &is("email", email.as_str()), &of_contact.or(is("email", email.as_str())))?;
            }
            FoundAs::ExternalId => self.collect(&mut hits, &is("external_id", key), &is("external_id", key))?,
            FoundAs::Key => hits.customers = numbers(&rows(&self.desired, is("key", key))?, "customer")?,
        }
        Ok(hits)
    }

    fn collect(&self, hits: &mut Hits, condition: &Expr, of_contact: &Expr) -> PolarsResult<()> {
        hits.accounts = numbers(&rows(&self.accounts, condition.clone())?, "ord")?;
        hits.customers = numbers(&rows(&self.desired, condition.clone())?, "customer")?;
        let contacts = rows(&self.contacts, of_contact.clone())?;
        hits.customers.extend(numbers(&contacts, "customer")?);
        let idle = rows(&contacts, col("customer").is_null())?;
        let (files, lines) = (idle.column("file")?.u32()?, idle.column("line")?.u32()?);
        hits.idle_contacts = files.iter().flatten().zip(lines.iter().flatten()).collect();
        Ok(())
    }

    /// Why nothing was found, and what may have been meant.
    pub fn unknown(&self, key: &str, loaded: &Loaded, idle: &[(u32, u32)]) -> Result<AppError, AppError> {
        let rejected = loaded
            .rejections
            .iter()
            .find(|row| [&row.id, &row.customer].into_iter().flatten().any(|known| known == key));
        let why = if let Some(row) = rejected {
            format!("its row could not be read ({}:{}: {}: {})", row.file, row.line, row.reason, row.detail)
        } else if let Some((file, line)) = idle.first() {
            let file = loaded.files.get(*file as usize).map_or("?", |file| &file.path);
            format!("the contact in {file}:{line} has it, and owns no Stripe customer")
        } else if let Some((nearest, found_as)) = self.nearest(key)? {
            format!("did you mean the {} `{nearest}`?", found_as.words())
        } else {
            "nothing there looks like it".to_owned()
        };
        let searched = format!(
            "searched the ids, e-mails and external ids of {} Stripe customers, {} subscriptions and {} contacts",
            self.accounts.height(),
            self.subscriptions.height(),
            self.contacts.height()
        );
        Ok(AppError::Usage(format!("nobody with MRR is called `{key}`: {why}\n  {searched}").into()))
    }

    /// The identity that is spelled most like `key`.
    fn nearest(&self, key: &str) -> PolarsResult<Option<(String, FoundAs)>> {
        let key = key.trim().to_lowercase();
        let length = key.chars().count();
        let mut best: Option<(usize, String, FoundAs)> = None;
        for (frame, column, found_as) in [
            (&self.accounts, "id", FoundAs::StripeCustomer),
            (&self.subscriptions, "id", FoundAs::Subscription),
            (&self.desired, "email", FoundAs::Email),
            (&self.accounts, "email", FoundAs::Email),
            (&self.desired, "external_id", FoundAs::ExternalId),
        ] {
            // Once per wrong key, and only texts of about its length are compared.
            for known in frame.column(column)?.str()?.iter().flatten() {
                let most = best.as_ref().map_or(length / ALIKE, |(least, ..)| least.saturating_sub(1));
                if best.as_ref().is_some_and(|(least, ..)| *least == 0) || known.len().abs_diff(key.len()) > most {
                    continue;
                }
                let distance = strsim::osa_distance(&key, &known.to_lowercase());
                if distance <= most {
                    best = Some((distance, known.to_owned(), found_as));
                }
            }
        }
        Ok(best.map(|(_, nearest, found_as)| (nearest, found_as)))
    }
}

/// The rows that fit.
fn rows(frame: &DataFrame, condition: Expr) -> PolarsResult<DataFrame> {
    frame.clone().lazy().filter(condition).collect()
}

/// The numbers in a column.
pub(super) fn numbers(frame: &DataFrame, column: &str) -> PolarsResult<BTreeSet<u32>> {
    Ok(frame.column(column)?.u32()?.iter().flatten().collect())
}

/// Row numbers of a frame by the text in `column`; those without one are left out.
pub(super) fn by_text(frame: &DataFrame, column: &str) -> PolarsResult<BTreeMap<String, Vec<usize>>> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (row, text) in frame.column(column)?.str()?.iter().enumerate() {
        if let Some(text) = text {
            places.entry(text.to_owned()).or_default().push(row);
        }
    }
    Ok(places)
}
