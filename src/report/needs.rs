//! What needs a person: customers by product and outcome, then rows, fields, files and overrides. Every format lists it whole.

use super::model::ReportModel;
use super::tally::Tally;
use super::verdict::Verdict;
use super::words;
use crate::model::{BreakKind, Outcome};

/// Something that a person has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// The product; empty where it concerns what was read.
    pub product: String,
    pub of: Of,
    /// How many customers, fields, rows, files or lines.
    pub number: u64,
    /// What the customers are worth; `None` where it is about something else.
    pub worth: Option<Tally>,
    pub todo: &'static str,
}

/// What it is about, and so where it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Outcome(Outcome),
    Break(BreakKind, &'static str),
}

impl Of {
    /// In words.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.as_str(),
            Self::Break(_, what) => what,
        }
    }
}

/// How often something is so.
type Count = fn(&Verdict) -> u64;

/// What concerns input rows, fields and decisions: the kind of break that lists it, how often, what it is called, what to do.
const BESIDE_CUSTOMERS: [(BreakKind, Count, &str, &str); 6] = [
    (
        BreakKind::NotApplied,
        |verdict| verdict.not_applied,
        "field not taken",
        "Tether's reply shows another value than was sent. Compare both, then correct the source or ask Tether.",
    ),
    (
        BreakKind::RejectedRow,
        |verdict| verdict.rejected_rows,
        "input row not read",
        "Correct the line in the export, or export again, then run again.",
    ),
    (
        BreakKind::TruncatedExport,
        |verdict| verdict.truncated_exports,
        "export perhaps cut off",
        "Export again: what is missing counts as nothing.",
    ),
    (
        BreakKind::EmptyExport,
        |verdict| verdict.empty_exports,
        "export without a row",
        "Export again: what it should hold counts as missing.",
    ),
    (
        BreakKind::FilterTakesNothing,
        |verdict| verdict.filters_taking_nothing,
        "filter that takes nothing",
        "Correct the filter, or the source: every customer that the product holds counts as gone from it.",
    ),
    (
        BreakKind::OverrideUnknown,
        |verdict| verdict.unknown_overrides,
        "override of nobody",
        "Correct the line's ids, or remove it: it decides nothing.",
    ),
];

/// Customers first, by product and outcome; then fields, rows, files and overrides.
pub(super) fn needs(model: &ReportModel) -> Vec<Need> {
    let verdict = model.verdict();
    let of_customers = model.needing_a_person().map(|(product, outcome, tally)| Need {
        product: product.name.clone(),
        of: Of::Outcome(outcome),
        number: tally.customers,
        worth: Some(tally),
        todo: words::meaning(outcome),
    });
    let beside = BESIDE_CUSTOMERS.into_iter().map(|(kind, count, what, todo)| (kind, count(&verdict), what, todo));
    let beside = beside.filter(|(_, number, ..)| *number > 0).map(|(kind, number, what, todo)| Need {
        product: String::new(),
        of: Of::Break(kind, what),
        number,
        worth: None,
        todo,
    });
    of_customers.chain(beside).collect()
}

/// All customers that need a person, together.
pub(super) fn total(model: &ReportModel) -> Tally {
    let mut sum = Tally::default();
    model.needing_a_person().for_each(|(_, _, tally)| sum += tally);
    sum
}
