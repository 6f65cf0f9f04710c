//! What a key means: a Stripe customer, a subscription, an e-mail, an external id, a contact, one of Tether's customers.

use super::row::is_text;
use super::tether::Side;
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
/// Customers of one name that are listed.
const NAMED: usize = 5;

/// As what a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// The id of a contact, with its CRM's name before it or without.
    Contact,
    /// Tether's own id.
    TetherId,
}

impl FoundAs {
    const ALL: [Self; 7] = [
        Self::StripeCustomer,
        Self::Subscription,
        Self::Email,
        Self::ExternalId,
        Self::Key,
        Self::Contact,
        Self::TetherId,
    ];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StripeCustomer => "Stripe customer id",
            Self::Subscription => "subscription id",
            Self::Email => "e-mail",
            Self::ExternalId => "external id",
            Self::Key => "key of a customer",
            Self::Contact => "contact",
            Self::TetherId => "Tether id",
        }
    }
}

/// Every row with what identifies it, and where it went.
pub(super) struct Identities {
    /// Stripe customers: the columns of their dispositions, `email`, `name`, `external_id`, `created`.
    pub accounts: DataFrame,
    /// Subscriptions: the columns of their dispositions, `stripe_customer`.
    pub subscriptions: DataFrame,
    /// Contacts: the columns of their dispositions, `crm`, and what they say.
    pub contacts: DataFrame,
    /// Desired customers: `customer`, `key`, `email`, `external_id`, `name`, `company_name`.
    pub desired: DataFrame,
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
    /// `ord`s of contacts that are part of no desired customer.
    pub idle_contacts: BTreeSet<u32>,
    /// Keys of orphans: Tether's customers that no desired customer matched.
    pub orphans: BTreeSet<String>,
}

impl Hits {
    fn is_empty(&self) -> bool {
        self.stripe_ids.is_empty()
            && self.accounts.is_empty()
            && self.customers.is_empty()
            && self.idle_contacts.is_empty()
            && self.orphans.is_empty()
    }

    fn take(&mut self, more: Self) {
        self.stripe_ids.extend(more.stripe_ids);
        self.accounts.extend(more.accounts);
        self.customers.extend(more.customers);
        self.idle_contacts.extend(more.idle_contacts);
        self.orphans.extend(more.orphans);
    }
}

impl Identities {
    pub fn new(loaded: &Loaded, linked: &Linked) -> PolarsResult<Self> {
        let accounts = loaded.stripe.accounts.frame().select(["email", "name", "external_id", "created"])?;
        let subscriptions = loaded.stripe.subscriptions.lazy().select([col("customer").alias("stripe_customer")]);
        let contacts = loaded.contacts.frame().select([
            "email",
            "emails",
            "external_id",
            "stripe_customer_id",
            "name",
            "company_name",
            "last_activity",
        ])?;
        Ok(Self {
            accounts: beside(&linked.accounts, accounts)?,
            subscriptions: beside(&linked.subscriptions, subscriptions.collect()?)?,
            contacts: beside(&linked.contacts, contacts)?,
            desired: linked.desired.select(["customer", "key", "email", "external_id", "name", "company_name"])?,
        })
    }

    /// Everything that `key` means. `crms`: the CRMs' names, in the order of the configuration; `sides`: of each product.
    pub fn find(&self, key: &str, crms: &[&str], sides: &[Side]) -> PolarsResult<(Vec<FoundAs>, Hits)> {
        let mut all = Hits::default();
        let mut found = vec![];
        for found_as in FoundAs::ALL {
            let hits = self.hits(found_as, key, crms, sides)?;
            if !hits.is_empty() {
                found.push(found_as);
                all.take(hits);
            }
        }
        // A contact without an account is asked about only where nobody with one is meant.
        if !(all.stripe_ids.is_empty() && all.accounts.is_empty() && all.customers.is_empty()) {
            all.idle_contacts.clear();
        }
        Ok((found, all))
    }

    fn hits(&self, found_as: FoundAs, key: &str, crms: &[&str], sides: &[Side]) -> PolarsResult<Hits> {
        let mut hits = Hits::default();
        let is = |column: &str, text: &str| is_text(column, [text]);
        match found_as {
            FoundAs::StripeCustomer => {
                if rows(&self.accounts, is("id", key))?.height() > 0
                    || rows(&self.subscriptions, is("stripe_customer", key))?.height() > 0
                {
                    hits.stripe_ids.insert(key.to_owned());
                }
                self.orphans("stripe_customer_ids", key, sides, &mut hits)?;
            }
            FoundAs::Subscription => {
                let found = rows(&self.subscriptions, is("id", key))?;
                hits.stripe_ids = found.column("stripe_customer")?.str()?.iter().flatten().map(str::to_owned).collect();
            }
            FoundAs::Email => {
                let Ok(email) = Email::parse(key) else { return Ok(hits) };
                let email = email.as_str();
                let of_contact = col("emails").list().contains(lit(email.to_owned()), false);
                self.collect(&mut hits, &is("email", email), &of_contact.or(is("email", email)))?;
                self.orphans("email", email, sides, &mut hits)?;
            }
            FoundAs::ExternalId => {
                self.collect(&mut hits, &is("external_id", key), &is("external_id", key))?;
                self.orphans("external_id", key, sides, &mut hits)?;
            }
            FoundAs::Key => {
                hits.customers = numbers(&rows(&self.desired, is("key", key))?, "customer")?;
                self.orphans("key", key, sides, &mut hits)?;
            }
            FoundAs::Contact => {
                let of_crm = (0_u32..).zip(crms).filter_map(|(index, crm)| {
                    let id = key.strip_prefix(crm)?.strip_prefix(':')?;
                    Some(is("id", id).and(col("crm").eq(lit(index))))
                });
                let condition = of_crm.fold(is("id", key), Expr::or);
                self.contacts(&mut hits, condition)?;
            }
            FoundAs::TetherId => {
                let id = key.strip_prefix("tether:").unwrap_or(key);
                for side in sides {
                    let keys = side.with_tether_id(id)?;
                    let desired = rows(&self.desired, is_text("key", keys.iter().map(String::as_str)))?;
                    hits.customers.extend(numbers(&desired, "customer")?);
                }
                self.orphans("tether_id", id, sides, &mut hits)?;
            }
        }
        Ok(hits)
    }

    fn collect(&self, hits: &mut Hits, condition: &Expr, of_contact: &Expr) -> PolarsResult<()> {
        hits.accounts = numbers(&rows(&self.accounts, condition.clone())?, "ord")?;
        hits.customers = numbers(&rows(&self.desired, condition.clone())?, "customer")?;
        self.contacts(hits, of_contact.clone())
    }

    fn contacts(&self, hits: &mut Hits, condition: Expr) -> PolarsResult<()> {
        let contacts = rows(&self.contacts, condition)?;
        hits.customers.extend(numbers(&contacts, "customer")?);
        hits.idle_contacts = numbers(&rows(&contacts, col("customer").is_null())?, "ord")?;
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "reads as the other searches do")]
    fn orphans(&self, column: &str, text: &str, sides: &[Side], hits: &mut Hits) -> PolarsResult<()> {
        for side in sides {
            hits.orphans.extend(side.orphans(column, text)?);
        }
        Ok(())
    }

    /// Why nothing was found, and what may have been meant. `runs`: how many kept runs were searched as well.
    pub fn unknown(&self, key: &str, loaded: &Loaded, runs: usize) -> Result<AppError, AppError> {
        let rejected = loaded
            .rejections
            .iter()
            .find(|row| [&row.id, &row.customer].into_iter().flatten().any(|known| known == key));
        let why = if let Some(row) = rejected {
            format!("its row could not be read ({}:{}: {}: {})", row.file, row.line, row.reason, row.detail)
        } else if let Some(named) = self.named(key)? {
            format!("it is the name of {named}; names are no keys, since several may share one")
        } else if let Some((nearest, found_as)) = self.nearest(key)? {
            format!("did you mean the {} `{nearest}`?", found_as.words())
        } else {
            "nothing there looks like it".to_owned()
        };
        let searched = format!(
            "searched the ids, e-mails and external ids of {} Stripe customers, {} subscriptions and {} contacts, what Tether \
             holds, and {runs} kept runs",
            self.accounts.height(),
            self.subscriptions.height(),
            self.contacts.height()
        );
        Ok(AppError::Usage(format!("nobody is called `{key}`: {why}\n  {searched}").into()))
    }

    /// The keys of the customers whose name, or company's name, is `name`.
    fn named(&self, name: &str) -> PolarsResult<Option<String>> {
        let is =
            |column: &str| col(column).str().to_lowercase().eq(lit(name.trim().to_lowercase())).fill_null(lit(false));
        let found = rows(&self.desired, is("name").or(is("company_name")))?;
        let keys: Vec<String> =
            found.column("key")?.str()?.iter().flatten().take(NAMED).map(|key| format!("`{key}`")).collect();
        let more = found.height().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Ok((!keys.is_empty()).then(|| format!("{}{more}", keys.join(", "))))
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
            (&self.desired, "key", FoundAs::Key),
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
