//! What stands first: what needs a person and how much it is worth, and each product at a glance.

use super::super::amount::{count, grouped, grouped_exact, signed};
use super::super::model::ReportModel;
use super::super::needs::{self, Of};
use super::super::tally::Tally;
use super::super::words;
use crate::model::Outcome;

/// Something that a person has to do.
pub(super) struct Need {
    pub product: String,
    pub what: &'static str,
    /// The part of the page that lists it.
    pub link: String,
    pub count: String,
    pub worth: Worth,
    pub todo: &'static str,
}

/// What customers are worth, where it is about customers: else nothing.
#[derive(Default)]
pub(super) struct Worth {
    /// What Tether holds.
    pub held: String,
    /// What the sources say.
    pub desired: String,
    /// Of how many customers they do not say it.
    pub unknown: String,
}

impl Worth {
    pub fn of(tally: Tally, digits: u8) -> Self {
        Self {
            held: grouped(tally.after, digits),
            desired: grouped(tally.desired, digits),
            unknown: if tally.unknown == 0 { "–".to_owned() } else { count(tally.unknown) },
        }
    }
}

/// Customers first, by product and outcome; then rows, fields, files and overrides.
pub(super) fn needs(model: &ReportModel) -> Vec<Need> {
    let digits = model.manifest.currency_digits;
    let line = |need: needs::Need| Need {
        product: need.product,
        what: need.of.what(),
        link: match need.of {
            Of::Outcome(outcome) => outcome.to_string(),
            Of::Break(kind, _) => format!("break-{kind}"),
        },
        count: count(need.number),
        worth: need.worth.map(|tally| Worth::of(tally, digits)).unwrap_or_default(),
        todo: need.todo,
    };
    needs::needs(model).into_iter().map(line).collect()
}

/// All customers that need a person: how many, and what they are worth.
pub(super) fn needing(model: &ReportModel) -> (String, Worth) {
    let all = needs::total(model);
    (count(all.customers), Worth::of(all, model.manifest.currency_digits))
}

/// One product in a line.
pub(super) struct Glance {
    pub product: String,
    pub opening: String,
    pub closing: String,
    pub moved: String,
    pub gap: String,
    pub unexplained: String,
    pub person: String,
    /// What Tether holds of them, and what the sources say.
    pub person_mrr: String,
    pub waiting: String,
    pub waiting_mrr: String,
}

/// Every product in a line.
pub(super) fn glances(model: &ReportModel) -> Vec<Glance> {
    let digits = model.manifest.currency_digits;
    let line = |product: &super::super::ProductReport| {
        let mut persons = Tally::default();
        let own = model.needing_a_person().filter(|(of, ..)| of.name == product.name).map(|(_, _, tally)| tally);
        own.for_each(|tally| persons += tally);
        let waiting = product.outcomes.get(&Outcome::CreationDisabled).copied().unwrap_or_default();
        Glance {
            product: product.name.clone(),
            opening: grouped(product.bridge.opening, digits),
            closing: grouped(product.bridge.closing, digits),
            moved: signed(product.bridge.closing - product.bridge.opening, digits),
            gap: grouped_exact(&product.gap.gap(), digits),
            unexplained: grouped_exact(&product.gap.residual(), digits),
            person: count(persons.customers),
            person_mrr: words::worth(&persons, digits),
            waiting: count(waiting.customers),
            waiting_mrr: grouped(waiting.desired - waiting.after, digits),
        }
    };
    model.products.iter().map(line).collect()
}
