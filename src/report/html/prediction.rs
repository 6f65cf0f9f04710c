//! Prediction against what happened: a matrix, and why each part of it is off its diagonal.

use super::super::amount::{count, grouped};
use super::super::breaks::miss;
use super::super::model::{ProductReport, ReportModel};
use super::super::words;
use super::customers::title;
use crate::model::{Outcome, Prediction};

/// Customers named for each miss.
const NAMED: usize = 3;

/// One product's matrix and what is off its diagonal.
pub(super) struct PredictionPart {
    pub product: String,
    pub outcomes: Vec<Outcome>,
    pub lines: Vec<(Prediction, Vec<Met>)>,
    pub misses: Vec<Miss>,
    pub foretold: String,
    pub came_true: String,
}

/// How many were foretold the one and ended as the other.
pub(super) struct Met {
    pub customers: String,
    /// `hit`, `miss`; empty for nobody, and where nothing was foretold.
    pub kind: &'static str,
}

/// Customers that did not end as foretold, and why.
pub(super) struct Miss {
    pub predicted: Prediction,
    pub outcome: Outcome,
    pub customers: String,
    pub mrr: String,
    pub cause: &'static str,
    pub why: &'static str,
    pub named: String,
}

/// Every product's part.
pub(super) fn predictions(model: &ReportModel) -> Vec<PredictionPart> {
    model.products.iter().map(|product| part(model, product)).collect()
}

fn part(model: &ReportModel, product: &ProductReport) -> PredictionPart {
    let met = |outcome: &Outcome| product.matrix.keys().any(|(_, met)| met == outcome);
    let outcomes: Vec<Outcome> = Outcome::ALL.iter().copied().filter(met).collect();
    let cell = |predicted: Prediction, outcome: Outcome| {
        let customers = product.matrix.get(&(predicted, outcome)).copied();
        let kind = match customers {
            None => "",
            Some(_) if came_true(predicted, outcome) => "hit",
            Some(_) if predicted == Prediction::Unknown || model.planned_only => "",
            Some(_) => "miss",
        };
        Met { customers: customers.map(count).unwrap_or_default(), kind }
    };
    let sum = |wanted: &dyn Fn(Prediction, Outcome) -> bool| -> u64 {
        product.matrix.iter().filter(|((p, o), _)| wanted(*p, *o)).map(|(_, customers)| customers).sum()
    };
    PredictionPart {
        product: product.name.clone(),
        lines: Prediction::ALL
            .iter()
            .filter(|predicted| product.matrix.keys().any(|(met, _)| met == *predicted))
            .map(|predicted| (*predicted, outcomes.iter().map(|outcome| cell(*predicted, *outcome)).collect()))
            .collect(),
        outcomes,
        misses: product
            .matrix
            .keys()
            .filter(|(p, o)| !model.planned_only && !came_true(*p, *o) && *p != Prediction::Unknown)
            .map(|(p, o)| explained(model, product, *p, *o))
            .collect(),
        foretold: count(sum(&|p, _| p != Prediction::Unknown)),
        came_true: count(sum(&came_true)),
    }
}

/// Whether the outcome is what was foretold.
fn came_true(predicted: Prediction, outcome: Outcome) -> bool {
    match predicted {
        Prediction::Create => outcome == Outcome::Created,
        Prediction::Update => outcome == Outcome::Updated,
        Prediction::Unknown => false,
        _ => predicted.as_str() == outcome.as_str(),
    }
}

fn explained(model: &ReportModel, product: &ProductReport, predicted: Prediction, outcome: Outcome) -> Miss {
    let rows = || {
        let table = model.tables.iter().find(|table| table.outcome == outcome);
        let rows = table.into_iter().flat_map(|table| &table.rows);
        rows.filter(|row| row.product == product.name && row.predicted == predicted.as_str())
    };
    let customers = product.matrix.get(&(predicted, outcome)).copied().unwrap_or_default();
    let mut named: Vec<&str> = rows().take(NAMED).map(title).collect();
    if customers > named.len() as u64 {
        named.push("…");
    }
    let mrr = model.crossed(&product.name, predicted, outcome).desired;
    Miss {
        predicted,
        outcome,
        customers: count(customers),
        mrr: grouped(mrr, model.manifest.currency_digits),
        cause: cause(predicted, outcome),
        why: miss(predicted, outcome, product.creation).unwrap_or_else(|| words::meaning(outcome)),
        named: named.join(", "),
    }
}

/// Why a prediction and an outcome part, in a few words.
const fn cause(predicted: Prediction, outcome: Outcome) -> &'static str {
    match (predicted, outcome) {
        (Prediction::Create, Outcome::CreationDisabled) => "gate closed",
        (Prediction::CreationDisabled, Outcome::Created) => "gate open",
        (Prediction::Create | Prediction::CreationDisabled, Outcome::Updated) => "stale export or second writer",
        (_, Outcome::Created | Outcome::CreationDisabled) => "gone from Tether since the export",
        (_, Outcome::Applied) => "ambiguous retry",
        (_, Outcome::Unknown) => "ambiguous, never answered",
        (_, Outcome::Failed) => "retries used up",
        (_, Outcome::Rejected) => "refused by Tether",
        (_, Outcome::NotAttempted) => "not reached",
        _ => "see the row",
    }
}
