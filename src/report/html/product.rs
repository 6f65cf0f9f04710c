//! One product's figures: its outcomes, the bridge from opening to closing, the gap to Stripe.

use super::super::amount::{count, grouped, grouped_exact, signed};
use super::super::model::{ProductReport, ReportModel};
use super::waterfall::{self, Waterfall};
use crate::model::Outcome;

/// The whole width of a bar.
const WIDTH: u64 = 1000;
/// The least width of a bar that stands for something.
const VISIBLE: u64 = 4;

/// One product's part of the page.
pub(super) struct ProductPart<'a> {
    pub report: &'a ProductReport,
    /// What the two pictures are called in the page's own references.
    pub ids: [String; 2],
    pub outcomes: Vec<OutcomePart>,
    pub bridge: Waterfall,
    pub moved: String,
    pub bridge_residual: String,
    /// Customers whose opening nobody knows, and what they hold now.
    pub opening_unknown: Option<(String, String)>,
    pub gap: Waterfall,
    pub gap_total: String,
    pub gap_residual: String,
    /// Amounts in currencies without a rate.
    pub without_rate: Vec<String>,
}

/// One outcome's line.
pub(super) struct OutcomePart {
    pub outcome: Outcome,
    pub customers: String,
    pub before: String,
    pub desired: String,
    pub after: String,
    pub width: u64,
    pub person: bool,
}

/// How long a bar for `part` is beside the longest, `most`.
pub(super) fn bar(part: u64, most: u64) -> u64 {
    let long = u128::from(part) * u128::from(WIDTH) / u128::from(most.max(1));
    if part == 0 { 0 } else { u64::try_from(long).unwrap_or(WIDTH).clamp(VISIBLE, WIDTH) }
}

/// The part of `report`, the `number`th product.
pub(super) fn product_part<'a>(model: &'a ReportModel, number: usize, report: &'a ProductReport) -> ProductPart<'a> {
    let digits = model.manifest.currency_digits;
    let most = report.outcomes.values().map(|tally| tally.customers).max().unwrap_or_default();
    let bridge = &report.bridge;
    ProductPart {
        report,
        ids: [format!("bridge-{number}"), format!("gap-{number}")],
        outcomes: report
            .outcomes
            .iter()
            .filter(|(_, tally)| tally.customers > 0)
            .map(|(outcome, tally)| OutcomePart {
                outcome: *outcome,
                customers: count(tally.customers),
                before: grouped(tally.before, digits),
                desired: if *outcome == Outcome::Orphan { "–".to_owned() } else { grouped(tally.desired, digits) },
                after: grouped(tally.after, digits),
                width: bar(tally.customers, most),
                person: model.needs_a_person(*outcome),
            })
            .collect(),
        bridge: waterfall::bridge(bridge, digits),
        moved: signed(bridge.closing - bridge.opening, digits),
        bridge_residual: grouped(bridge.residual(), digits),
        opening_unknown: (bridge.opening_unknown > 0)
            .then(|| (count(bridge.opening_unknown), grouped(bridge.opening_unknown_mrr, digits))),
        gap: waterfall::gap(&report.gap, digits),
        gap_total: grouped_exact(&report.gap.gap(), digits),
        gap_residual: grouped_exact(&report.gap.residual(), digits),
        without_rate: report.gap.left_out(&model.manifest.configuration),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_bar_is_as_long_as_its_part_and_never_too_short_to_see() {
        for (part, most, expected) in [(0, 10, 0), (10, 10, 1000), (5, 10, 500), (1, 1_000_000, 4), (0, 0, 0)] {
            assert_eq!(super::bar(part, most), expected);
        }
    }
}
