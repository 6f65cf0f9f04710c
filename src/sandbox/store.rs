//! One product's customers, and what an upsert does to them.

use super::customer::Customer;
use super::reply::Refusal;
use super::request::{IdType, Upsert};
use crate::model::{Field, Instant};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The customers of one product, found by e-mail and by external id. Customers are never removed.
#[derive(Debug, Default)]
pub(super) struct Store {
    customers: Vec<Customer>,
    by_email: HashMap<Box<str>, usize>,
    by_external_id: HashMap<Box<str>, usize>,
}

/// What an upsert depends on besides its body.
pub(super) struct Context<'a> {
    pub(super) product: &'a str,
    pub(super) creation: bool,
    pub(super) id_type: IdType,
    pub(super) hidden: Option<Field>,
    pub(super) now: Instant,
}

impl Store {
    /// Adds a customer as it is; of several with one address or one external id the first is the one found.
    pub(super) fn insert(&mut self, customer: Customer) {
        let index = self.customers.len();
        if let Some(email) = &customer.email {
            self.by_email.entry(email.clone()).or_insert(index);
        }
        if let Some(external_id) = &customer.external_id {
            self.by_external_id.entry(external_id.clone()).or_insert(index);
        }
        self.customers.push(customer);
    }

    /// Every customer, the oldest first.
    pub(super) fn customers(&self) -> &[Customer] {
        &self.customers
    }

    /// The id that the next customer of `product` gets: a UUID that follows from the product and its size, so that a
    /// rehearsal can be repeated to the byte.
    pub(super) fn next_tether_id(&self, product: &str) -> String {
        let digest = Sha256::new().chain_update(product).chain_update(self.customers.len().to_be_bytes()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// Creates or updates; tells whether it created, and the customer as it now is. A refusal changes nothing. The field
    /// that the context hides is looked at but not taken (the e-mail of a new customer always is).
    pub(super) fn upsert(&mut self, context: &Context<'_>, upsert: Upsert) -> Result<(bool, &Customer), Refusal> {
        let Context { product, creation, id_type, hidden, now } = *context;
        let (found, by_email, by_external_id) = self.find(id_type, &upsert);
        let Some(index) = found else {
            if !creation {
                return Err(Refusal::CreationDisabled);
            }
            if upsert.email.is_none() {
                return Err(Refusal::EmailRequired);
            }
            if by_external_id.is_some() {
                return Err(Refusal::Taken { field: Field::ExternalId });
            }
            let upsert = without(upsert, hidden.filter(|field| *field != Field::Email));
            let mut customer = Customer {
                tether_id: self.next_tether_id(product).into(),
                created_at: Some(now),
                updated_at: Some(now),
                ..Customer::default()
            };
            apply(&mut customer, upsert);
            self.insert(customer);
            return Ok((true, &self.customers[self.customers.len() - 1]));
        };
        if by_email.is_some_and(|owner| owner != index) {
            return Err(Refusal::Taken { field: Field::Email });
        }
        if by_external_id.is_some_and(|owner| owner != index) {
            return Err(Refusal::Taken { field: Field::ExternalId });
        }
        Ok((false, self.change(index, without(upsert, hidden), now)))
    }

    /// Somebody else changes one field of the customer that `upsert` is about, if there is one.
    pub(super) fn second_writer(&mut self, context: &Context<'_>, upsert: &Upsert, field: Field) {
        if let Some(index) = self.find(context.id_type, upsert).0 {
            self.change(index, Upsert::of_somebody_else(field, index), context.now);
        }
    }

    /// The customer that an upsert is about; who has its e-mail; who has its external id.
    fn find(&self, id_type: IdType, upsert: &Upsert) -> (Option<usize>, Option<usize>, Option<usize>) {
        let by_email = upsert.email.as_ref().and_then(|email| self.by_email.get(email)).copied();
        let by_external_id = upsert.external_id.as_ref().and_then(|id| self.by_external_id.get(id)).copied();
        let found = match id_type {
            IdType::Email => by_email,
            IdType::External => by_external_id.or(by_email),
        };
        (found, by_email, by_external_id)
    }

    /// Sets what is present in `upsert`, which was checked.
    fn change(&mut self, index: usize, upsert: Upsert, now: Instant) -> &Customer {
        let customer = &mut self.customers[index];
        if let Some(email) = &upsert.email {
            reindex(&mut self.by_email, customer.email.as_deref(), email, index);
        }
        if let Some(external_id) = &upsert.external_id {
            reindex(&mut self.by_external_id, customer.external_id.as_deref(), external_id, index);
        }
        apply(customer, upsert);
        customer.updated_at = Some(now);
        customer
    }
}

fn without(upsert: Upsert, hidden: Option<Field>) -> Upsert {
    match hidden {
        Some(field) => upsert.without(field),
        None => upsert,
    }
}

/// Lets `new` find the customer at `index`, and `old` no longer.
fn reindex(by: &mut HashMap<Box<str>, usize>, old: Option<&str>, new: &str, index: usize) {
    if old == Some(new) {
        return;
    }
    if let Some(old) = old
        && by.get(old) == Some(&index)
    {
        by.remove(old);
    }
    by.insert(new.into(), index);
}

/// Sets every member that is present.
fn apply(customer: &mut Customer, upsert: Upsert) {
    fn set<T>(to: &mut Option<T>, value: Option<T>) {
        if value.is_some() {
            *to = value;
        }
    }
    set(&mut customer.email, upsert.email);
    set(&mut customer.external_id, upsert.external_id);
    set(&mut customer.name, upsert.name);
    set(&mut customer.company_name, upsert.company_name);
    set(&mut customer.mrr, upsert.mrr);
    set(&mut customer.subscription_status, upsert.subscription_status);
    set(&mut customer.auto_renew, upsert.auto_renew);
    set(&mut customer.period_end, upsert.period_end);
    set(&mut customer.last_activity, upsert.last_activity);
}
