//! From a key to an explanation: the exports first, then Tether's side, then the kept runs.

use super::explanation::{CustomerWorking, Explanation, FORMAT, Identity, KnownFrom, Runs};
use super::fields;
use super::gather::{GatherError, Known as Gathered, rounding};
use super::history::{self, Kept, Known};
use super::key::{FoundAs, Hits, Identities};
use super::links;
use super::planned::PlanRow;
use super::records::{Finder, Records};
use super::row::{is_number, pick, rows};
use super::tether::{self, Side};
use crate::app::Context;
use crate::app::exit::AppError;
use crate::billing::{self, Billed};
use crate::config::Settings;
use crate::link::{self, Linked, Sources};
use crate::load::{self, Loaded};
use crate::model::{Break, Email, Field, Instant};
use std::collections::BTreeSet;

/// So many customers are explained at a time; a key that means more is answered with the keys of the others.
const EXPLAINED: usize = 10;

/// Everything about `key`.
pub(super) fn ask(
    context: &Context<'_>,
    settings: &Settings,
    key: &str,
    as_of: Instant,
) -> Result<Explanation, AppError> {
    let mut notes = vec![];
    let (kept, count) = Kept::newest(&settings.run.state, &mut notes);
    let runs = Runs { kept: count as u64, read: kept.len() as u64 };
    let currency = settings.run.currency;
    let explanation = |found_as, notes, customers, customers_more| Explanation {
        format: FORMAT,
        as_of,
        currency,
        key: key.to_owned(),
        found_as,
        notes,
        runs,
        mrr_definition: billing::definition(&settings.mrr, &settings.fx, currency, settings.stripe.amount),
        customers,
        customers_more,
    };

    let today = match load::load(settings, &context.trials, &*context.monitor("explain")) {
        Ok(loaded) => Ok(Today::of(loaded, settings, as_of, &mut notes)?),
        Err(error) => Err(error),
    };
    if let Ok(today) = &today {
        let crms: Vec<&str> = settings.crms.iter().map(|crm| crm.name.as_str()).collect();
        let (found_as, hits) = today.identities.find(key, &crms, &today.sides)?;
        if !found_as.is_empty() {
            let (mut customers, mut known, more) = today.explain(&hits)?;
            if found_as.contains(&FoundAs::Email) && customers.len() == 1 {
                known[0].emails.extend(Email::parse(key).map(|email| email.as_str().to_owned()));
            }
            let told = history::history(&kept, &known, &mut notes);
            for (customer, history) in customers.iter_mut().zip(told) {
                customer.history = history;
            }
            return Ok(explanation(found_as, notes, customers, more));
        }
    }
    let (found_as, customers) = past(&kept, key, settings, &mut notes)?;
    if customers.is_empty() {
        return Err(match today {
            Ok(today) => today.identities.unknown(key, &today.loaded, kept.len())?,
            Err(error) => error.into(),
        });
    }
    match today {
        Ok(_) => notes.push("today's exports do not know it; it is told from the kept runs".to_owned()),
        Err(error) => {
            notes.push(format!("the exports could not be read, so that only the kept runs are told: {error}"))
        }
    }
    Ok(explanation(found_as, notes, customers, vec![]))
}

/// What a plan made now would know.
struct Today<'a> {
    loaded: Loaded,
    billed: Billed,
    linked: Linked,
    identities: Identities,
    sides: Vec<Side>,
    settings: &'a Settings,
    as_of: Instant,
}

impl<'a> Today<'a> {
    fn of(loaded: Loaded, settings: &'a Settings, as_of: Instant, notes: &mut Vec<String>) -> Result<Self, AppError> {
        let billed = billing::bill(&loaded.stripe, &settings.mrr, &settings.fx, settings.run.currency, as_of)
            .map_err(GatherError::from)?;
        let linked = link::link(Sources {
            files: &loaded.files,
            stripe: &loaded.stripe,
            contacts: &loaded.contacts,
            overrides: &loaded.overrides,
            billed: &billed,
            rejections: &loaded.rejections,
            settings,
        })
        .map_err(|error| AppError::Internal(Box::new(error)))?;
        let identities = Identities::new(&loaded, &linked)?;
        let sides = tether::sides(&loaded, &linked, settings, notes)?;
        Ok(Self { loaded, billed, linked, identities, sides, settings, as_of })
    }

    fn digits(&self) -> u8 {
        self.settings.run.currency.digits(&self.settings.mrr.currency_digits)
    }

    /// The customers that `hits` mean, by what each is known in earlier runs, and the keys of those that are too many.
    fn explain(&self, hits: &Hits) -> Result<(Vec<CustomerWorking>, Vec<Known>, Vec<String>), AppError> {
        let Self { loaded, linked, settings, .. } = self;
        let known = Gathered { loaded, linked, scale: self.billed.scale, settings, as_of: self.as_of };
        let mut found = known.customers(&self.identities, hits)?;
        let more: Vec<String> = found.iter().skip(EXPLAINED).map(|(_, customer)| name(customer)).collect();
        found.truncate(EXPLAINED);

        let (mut customers, mut identities) = (vec![], vec![]);
        for (number, customer) in found {
            let (customer, known) = self.complete(number, customer, &[])?;
            customers.push(customer);
            identities.push(known);
        }
        for contact in hits.idle_contacts.iter().take(EXPLAINED) {
            let empty = CustomerWorking::empty(KnownFrom::Exports, rounding(settings));
            let (customer, known) = self.complete(None, empty, &[*contact])?;
            customers.push(customer);
            identities.push(known);
        }
        for key in hits.orphans.iter().take(EXPLAINED) {
            let mut customer = CustomerWorking::empty(KnownFrom::Tether, rounding(settings));
            self.against_tether(key, &mut customer)?;
            let Some(row) = customer.tether.first() else { continue };
            customer.customer = Some(identity(&row.plan));
            identities.push(known_by(&customer));
            customers.push(customer);
        }
        Ok((customers, identities, more))
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
        customer.links = links::Sources { linked, customer: number, records: &records }.links()?;
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

/// What a customer that is too many is called.
fn name(customer: &CustomerWorking) -> String {
    let account = || customer.accounts.iter().find_map(|account| account.id.clone());
    customer.customer.as_ref().map(|customer| customer.key.clone()).or_else(account).unwrap_or_default()
}

fn identity(plan: &PlanRow) -> Identity {
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
fn known_by(customer: &CustomerWorking) -> Known {
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

/// The customers that only kept runs know, from the newest run that knows each.
fn past(
    kept: &[Kept],
    key: &str,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<(Vec<FoundAs>, Vec<CustomerWorking>), AppError> {
    let one = |text: &str| BTreeSet::from([text.to_owned()]);
    let bare = key.strip_prefix("tether:").unwrap_or(key);
    let email = Email::parse(key).map(|email| email.as_str().to_owned()).unwrap_or_default();
    let asked = [
        (FoundAs::StripeCustomer, Known { stripe_ids: one(key), ..Known::default() }),
        (FoundAs::Email, Known { emails: one(&email), ..Known::default() }),
        (FoundAs::ExternalId, Known { external_ids: one(key), ..Known::default() }),
        (FoundAs::Key, Known { keys: one(key), ..Known::default() }),
        (FoundAs::TetherId, Known { tether_ids: one(bare), ..Known::default() }),
    ];
    let questions: Vec<Known> = asked.iter().map(|(_, known)| known.clone()).collect();
    for run in kept {
        // What is wrong with a run is said when its history is told.
        let Ok(found) = run.rows(&questions) else { continue };
        let Some((_, first)) = found.first() else { continue };
        let is_found = |(found_as, known): &(FoundAs, Known)| known.is(first).then_some(*found_as);
        let found_as: Vec<FoundAs> = asked.iter().filter_map(is_found).collect();
        let mut keys = BTreeSet::new();
        let (mut customers, mut known) = (vec![], vec![]);
        for (_, plan) in &found {
            if !keys.insert(plan.key.clone()) || customers.len() == EXPLAINED {
                continue;
            }
            let mut customer = CustomerWorking::empty(KnownFrom::Runs, rounding(settings));
            customer.customer = Some(identity(plan));
            customer.sources = run.sources(&plan.key).unwrap_or_else(|error| {
                notes.push(format!("where its rows stood in run {} is not told: {error}", run.folder.id()));
                vec![]
            });
            let mut by = known_by(&customer);
            by.stripe_ids.extend(PlanRow::ids(plan.stripe_customer_ids.as_ref()).map(str::to_owned));
            by.tether_ids.extend(plan.tether_id.clone().filter(|_| plan.reason.is_none()));
            customers.push(customer);
            known.push(by);
        }
        let told = history::history(kept, &known, notes);
        for (customer, history) in customers.iter_mut().zip(told) {
            customer.history = history;
        }
        return Ok((found_as, customers));
    }
    Ok((vec![], vec![]))
}
