//! What a plan made now would know, and the customers that a key means in it.

use super::explanation::{CustomerWorking, Identity, KnownFrom};
use super::fields;
use super::gather::{GatherError, Known as Gathered, rounding};
use super::history::{self, Kept, Known};
use super::key::{Hits, Identities};
use super::links;
use super::planned::PlanRow;
use super::records::{Finder, Records};
use super::row::{is_number, pick, rows};
use super::tether::{self, Side};
use crate::app::exit::AppError;
use crate::billing::explain::Problem;
use crate::billing::{self, Billed};
use crate::config::Settings;
use crate::filter;
use crate::link::{self, Linked, Sources};
use crate::load::Loaded;
use crate::model::{Break, Field, Instant};
use std::collections::BTreeSet;
use std::rc::Rc;

/// So many customers are explained at a time; a key that means more is answered with the keys of the others.
pub(super) const EXPLAINED: usize = 10;

/// The customers that a key means.
#[derive(Default)]
pub(super) struct Meant {
    pub customers: Vec<CustomerWorking>,
    /// By what each is known in earlier runs.
    pub known: Vec<Known>,
    /// The keys of those that are too many.
    pub more: Vec<String>,
}

impl Meant {
    pub fn push(&mut self, (customer, known): (CustomerWorking, Known)) {
        self.customers.push(customer);
        self.known.push(known);
    }

    /// Takes in what the next filter's products know; a record that is part of a customer elsewhere, or was told already, is
    /// not told again as part of none.
    pub fn take(&mut self, more: Self) {
        let mut told: BTreeSet<String> = self.customers.iter().flat_map(records).collect();
        let (of_somebody, rest): (Vec<_>, Vec<_>) =
            more.customers.into_iter().zip(more.known).partition(|(customer, _)| is_told(customer));
        let theirs: BTreeSet<String> = of_somebody.iter().flat_map(|(customer, _)| records(customer)).collect();
        let kept: Vec<bool> = self
            .customers
            .iter()
            .map(|customer| is_told(customer) || records(customer).is_empty() || !records(customer).is_subset(&theirs))
            .collect();
        let own = std::mem::take(&mut self.customers).into_iter().zip(std::mem::take(&mut self.known));
        let own: Vec<_> = own.zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one).collect();
        own.into_iter().chain(of_somebody).for_each(|one| self.push(one));
        told.extend(theirs);
        for one in rest {
            if !records(&one.0).is_subset(&told) {
                self.push(one);
            }
        }
        self.more.extend(more.more);
        self.more.sort();
        self.more.dedup();
    }

    /// Tells what happened to each of them.
    pub fn tell(mut self, kept: &[Kept], notes: &mut Vec<String>) -> Self {
        let told = history::history(kept, &self.known, notes);
        for (customer, history) in self.customers.iter_mut().zip(told) {
            customer.history = history;
        }
        self
    }
}

/// What a plan made now would know, for the products of one filter.
pub(super) struct Today<'a> {
    pub loaded: Rc<Loaded>,
    billed: Rc<Billed>,
    linked: Linked,
    pub identities: Identities,
    pub sides: Vec<Side>,
    settings: &'a Settings,
    as_of: Instant,
}

impl<'a> Today<'a> {
    /// One for every filter that differs.
    ///
    /// # Errors
    /// Billing, linking or comparing failed: a bug.
    pub fn of(
        loaded: Loaded,
        settings: &'a Settings,
        as_of: Instant,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Self>, AppError> {
        let billed = billing::bill(&loaded.stripe, &settings.mrr, &settings.fx, settings.run.currency, as_of)
            .map_err(GatherError::from)?;
        let shares = filter::shares(settings, &loaded.stripe, &loaded.contacts, &loaded.rejections)
            .map_err(|error| AppError::Internal(Box::new(error)))?;
        let (loaded, billed) = (Rc::new(loaded), Rc::new(billed));
        let mut all = vec![];
        for share in shares {
            let linked = link::link(Sources {
                files: &loaded.files,
                stripe: &loaded.stripe,
                contacts: &loaded.contacts,
                overrides: &loaded.overrides,
                billed: &billed,
                rejections: &loaded.rejections,
                settings,
                taken: share.taken.as_ref(),
            })
            .map_err(|error| AppError::Internal(Box::new(error)))?;
            let identities = Identities::new(&loaded, &linked)?;
            let sides = tether::sides(&loaded, &linked, settings, &share.products, notes)?;
            all.push(Self {
                loaded: Rc::clone(&loaded),
                billed: Rc::clone(&billed),
                linked,
                identities,
                sides,
                settings,
                as_of,
            });
        }
        Ok(all)
    }

    fn digits(&self) -> u8 {
        self.settings.digits()
    }

    /// The customers that `hits` mean.
    pub fn explain(&self, hits: &Hits) -> Result<Meant, AppError> {
        let Self { loaded, linked, settings, .. } = self;
        let known = Gathered { loaded, linked, scale: self.billed.scale, settings, as_of: self.as_of };
        let mut found = known.customers(&self.identities, hits)?;
        let more: Vec<String> = found.iter().skip(EXPLAINED).map(|(_, customer)| name(customer)).collect();
        found.truncate(EXPLAINED);

        let mut meant = Meant { more, ..Meant::default() };
        for (number, customer) in found {
            meant.push(self.complete(number, customer, &[])?);
        }
        for contact in hits.idle_contacts.iter().take(EXPLAINED) {
            let empty = CustomerWorking::empty(KnownFrom::Exports, rounding(settings));
            meant.push(self.complete(None, empty, &[*contact])?);
        }
        for key in hits.orphans.iter().take(EXPLAINED) {
            let mut customer = CustomerWorking::empty(KnownFrom::Tether, rounding(settings));
            self.against_tether(key, &mut customer)?;
            let Some(row) = customer.tether.first() else { continue };
            customer.customer = Some(identity(&row.plan));
            let known = known_by(&customer);
            meant.push((customer, known));
        }
        Ok(meant)
    }

    /// Adds fields, links, Tether's side and breaks.
    fn complete(
        &self,
        number: Option<u32>,
        mut customer: CustomerWorking,
        contacts: &[u32],
    ) -> Result<(CustomerWorking, Known), AppError> {
        let Self { identities, settings, loaded, linked, .. } = self;
        let finder = Finder { identities, settings, files: &loaded.files };
        let accounts = match number {
            Some(_) => vec![],
            None => self.ords_of(&customer)?,
        };
        let records = finder.records(number, &accounts, contacts)?;
        let sources = links::Sources { linked, customer: number, records: &records };
        customer.links = sources.links()?;
        let claimants = sources.claimants()?;
        if let (false, Some(first)) = (claimants.is_empty(), customer.links.candidates.first()) {
            let detail = format!("{} {}; {}", first.what, claimants.join(", "), first.advice);
            customer.conflict = Some(Problem { reason: first.reason, detail });
        }
        if number.is_some() {
            let desired = pick(&linked.desired, is_number("customer", number))?;
            if let Some(desired) = rows(&desired).next() {
                let sources = fields::Sources {
                    desired,
                    records: &records,
                    billed: &self.billed.subscriptions,
                    accounts: &customer.accounts,
                    settings,
                    digits: self.digits(),
                };
                customer.fields = sources.fields()?;
            }
        }
        if let Some(key) = customer.customer.as_ref().map(|customer| customer.key.clone()) {
            self.against_tether(&key, &mut customer)?;
        }
        customer.breaks = self.breaks(&customer, &records);
        let mut known = known_by(&customer);
        known.keys.extend(records.contacts.iter().map(|contact| contact.key.clone()));
        // What several claim has no row of its own: theirs tell what became of it.
        known.keys.extend(claimants);
        Ok((customer, known))
    }

    fn ords_of(&self, customer: &CustomerWorking) -> Result<Vec<u32>, AppError> {
        let places: BTreeSet<(&str, u64)> = customer
            .accounts
            .iter()
            .filter_map(|account| account.place.as_ref())
            .map(|place| (place.file.as_str(), place.line))
            .collect();
        let lines = places.iter().filter_map(|(_, line)| u32::try_from(*line).ok());
        let found = pick(&self.identities.accounts, is_number("line", lines))?;
        let mut ords = vec![];
        for row in rows(&found) {
            let place = row.place(&self.loaded.files)?;
            if place.is_some_and(|place| places.contains(&(place.file.as_str(), place.line))) {
                ords.extend(row.number("ord")?);
            }
        }
        Ok(ords)
    }

    fn against_tether(&self, key: &str, customer: &mut CustomerWorking) -> Result<(), AppError> {
        for side in &self.sides {
            customer.tether.extend(side.of(key, &self.loaded.files, self.digits())?);
        }
        Ok(())
    }

    /// The breaks that name the customer or one of its records.
    fn breaks(&self, customer: &CustomerWorking, records: &Records) -> Vec<Break> {
        let mut keys: BTreeSet<&str> = BTreeSet::new();
        keys.extend(customer.customer.iter().map(|customer| customer.key.as_str()));
        keys.extend(records.accounts.iter().filter_map(|account| account.id.as_deref()));
        let subscriptions = customer.accounts.iter().flat_map(|account| &account.subscriptions);
        keys.extend(subscriptions.map(|placed| placed.working.id.as_str()));
        // A contact's break has its bare id, and its CRM for a scope.
        let contact = |found: &Break| {
            let named = format!("{}:{}", found.scope, found.key);
            records.contacts.iter().any(|contact| contact.key == named || contact.key == found.key)
        };
        let all = self.loaded.breaks.iter().chain(&self.billed.breaks).chain(&self.linked.breaks);
        let all = all.chain(self.sides.iter().flat_map(|side| &side.breaks));
        all.filter(|found| keys.contains(found.key.as_str()) || contact(found)).cloned().collect()
    }
}

/// Whether it is a customer, or one that several claim.
fn is_told(customer: &CustomerWorking) -> bool {
    customer.customer.is_some() || customer.conflict.is_some()
}

/// The Stripe customers and contacts that it is made of.
fn records(customer: &CustomerWorking) -> BTreeSet<String> {
    let accounts = customer.accounts.iter().filter_map(|account| account.id.clone());
    accounts.chain(customer.links.contacts.iter().map(|contact| contact.key.clone())).collect()
}

/// What a customer that is too many is called.
fn name(customer: &CustomerWorking) -> String {
    let account = || customer.accounts.iter().find_map(|account| account.id.clone());
    customer.customer.as_ref().map(|customer| customer.key.clone()).or_else(account).unwrap_or_default()
}

pub(super) fn identity(plan: &PlanRow) -> Identity {
    let value = |field: Field| plan.desired.get(&field).cloned();
    Identity {
        key: plan.key.clone(),
        external_id: value(Field::ExternalId),
        email: value(Field::Email),
        name: value(Field::Name),
        company_name: value(Field::CompanyName),
    }
}

/// By what the customer is known in earlier runs.
pub(super) fn known_by(customer: &CustomerWorking) -> Known {
    let mut known = Known::default();
    if let Some(identity) = &customer.customer {
        known.keys.insert(identity.key.clone());
        // An id that several claim tells nobody apart.
        known.external_ids.extend(identity.external_id.clone().filter(|_| customer.conflict.is_none()));
    }
    known.stripe_ids.extend(customer.accounts.iter().filter_map(|account| account.id.clone()));
    for side in &customer.tether {
        // The candidates of a conflict are not who it is.
        let ids = side.plan.tether_id.clone().filter(|_| side.plan.reason.is_none());
        known.tether_ids.extend(ids);
    }
    known
}
