//! What stands first: what needs a person and how much it is worth, and each product at a glance.

use super::super::amount::{count, grouped, grouped_exact, signed};
use super::super::model::ReportModel;
use super::super::words;
use crate::model::{BreakKind, Outcome};

/// Something that a person has to do.
pub(super) struct Need {
    pub product: String,
    pub what: &'static str,
    /// The part of the page that lists it.
    pub link: String,
    pub count: String,
    pub mrr: String,
    pub todo: &'static str,
}

/// What concerns input rows, fields and decisions: the kind of break that lists it, what it is called, what to do.
const BESIDE_CUSTOMERS: [(BreakKind, &str, &str); 5] = [
    (
        BreakKind::NotApplied,
        "field not taken",
        "Tether's reply shows another value than was sent. Compare both, then correct the source or ask Tether.",
    ),
    (BreakKind::RejectedRow, "input row not read", "Correct the line in the export, or export again, then run again."),
    (BreakKind::TruncatedExport, "export perhaps cut off", "Export again: what is missing counts as nothing."),
    (BreakKind::EmptyExport, "export without a row", "Export again: what it should hold counts as missing."),
    (BreakKind::OverrideUnknown, "override of nobody", "Correct the line's ids, or remove it: it decides nothing."),
];

/// Customers first, by product and outcome; then rows, fields, files and overrides.
pub(super) fn needs(model: &ReportModel) -> Vec<Need> {
    let digits = model.manifest.currency_digits;
    let verdict = model.verdict();
    let mut needs: Vec<Need> = model
        .needing_a_person()
        .map(|(product, outcome, tally)| Need {
            product: product.name.clone(),
            what: outcome.as_str(),
            link: outcome.to_string(),
            count: count(tally.customers),
            mrr: grouped(tally.desired, digits),
            todo: words::meaning(outcome),
        })
        .collect();
    let counts = [
        verdict.not_applied,
        verdict.rejected_rows,
        verdict.truncated_exports,
        verdict.empty_exports,
        verdict.unknown_overrides,
    ];
    for ((kind, what, todo), number) in BESIDE_CUSTOMERS.into_iter().zip(counts) {
        if number > 0 {
            let link = format!("break-{kind}");
            needs.push(Need { product: String::new(), what, link, count: count(number), mrr: String::new(), todo });
        }
    }
    needs
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
    pub person_mrr: String,
    pub waiting: String,
    pub waiting_mrr: String,
}

/// Every product in a line.
pub(super) fn glances(model: &ReportModel) -> Vec<Glance> {
    let digits = model.manifest.currency_digits;
    let line = |product: &super::super::ProductReport| {
        let persons = || model.needing_a_person().filter(|(of, ..)| of.name == product.name).map(|(_, _, tally)| tally);
        let waiting = product.outcomes.get(&Outcome::CreationDisabled).copied().unwrap_or_default();
        Glance {
            product: product.name.clone(),
            opening: grouped(product.bridge.opening, digits),
            closing: grouped(product.bridge.closing, digits),
            moved: signed(product.bridge.closing - product.bridge.opening, digits),
            gap: grouped_exact(&product.gap.gap(), digits),
            unexplained: grouped_exact(&product.gap.residual(), digits),
            person: count(persons().map(|tally| tally.customers).sum()),
            person_mrr: grouped(persons().map(|tally| tally.desired).sum(), digits),
            waiting: count(waiting.customers),
            waiting_mrr: grouped(waiting.desired - waiting.after, digits),
        }
    };
    model.products.iter().map(line).collect()
}
