//! Customers that only kept runs know: their export rows are gone, or cannot be read.

use super::explanation::{CustomerWorking, KnownFrom};
use super::gather::rounding;
use super::history::{Kept, Known};
use super::key::FoundAs;
use super::planned::PlanRow;
use super::today::{EXPLAINED, Meant, identity, known_by};
use crate::config::Settings;
use crate::model::Email;
use std::collections::BTreeSet;

/// The customers that only kept runs know, from the newest run that knows each.
pub(super) fn past(kept: &[Kept], key: &str, settings: &Settings, notes: &mut Vec<String>) -> (Vec<FoundAs>, Meant) {
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
        let mut meant = Meant::default();
        for (_, plan) in &found {
            if !keys.insert(plan.key.clone()) || meant.customers.len() == EXPLAINED {
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
            meant.push((customer, by));
        }
        return (found_as, meant.tell(kept, notes));
    }
    (vec![], Meant::default())
}
