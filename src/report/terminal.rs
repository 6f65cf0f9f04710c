//! The summary that a run ends with on a terminal: plain text, aligned, readable without colour.

use super::amount::{count, grouped, grouped_exact};
use super::model::{ProductReport, ReportModel};
use super::tally::Tally;
use super::verdict::Ending;
use super::words;
use crate::model::{Outcome, Prediction, one_line};
use std::fmt::Write;
use std::path::Path;

/// What a person reads when the run ends; `report` is the path of `report.html`.
pub fn terminal_summary(model: &ReportModel, ending: Ending, report: &Path) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = compose(model, ending, report, &mut out);
    out
}

/// Of a run what happened, of a plan what would: word, customers, MRR.
fn lines(model: &ReportModel, product: &ProductReport) -> Vec<(&'static str, u64, i128)> {
    let line = |word: &'static str, is_held: bool, tally: &Tally| {
        (tally.customers > 0).then_some((word, tally.customers, if is_held { tally.after } else { tally.desired }))
    };
    if model.planned_only {
        let predicted = product.predicted.iter();
        return predicted.filter_map(|(word, tally)| line(word.as_str(), *word == Prediction::Orphan, tally)).collect();
    }
    let is_held = |outcome: Outcome| outcome == Outcome::Orphan || outcome.is_in_tether();
    product.outcomes.iter().filter_map(|(word, tally)| line(word.as_str(), is_held(*word), tally)).collect()
}

fn compose(model: &ReportModel, ending: Ending, report: &Path, out: &mut String) -> std::fmt::Result {
    let manifest = &model.manifest;
    let digits = manifest.currency_digits;
    let currency = manifest.currency.as_str().to_uppercase();
    let (_, headline, sentence) = words::verdict(model, ending);
    // What a pager shows of a run that must not wait.
    if let Some(refusal) = words::refusal(&manifest.guards) {
        writeln!(out, "{}\n", one_line(&refusal))?;
    }
    writeln!(out, "run {}   as of {}", one_line(&manifest.run_id), manifest.as_of)?;
    for product in &model.products {
        writeln!(out, "\n{:<20}{:>12}{:>18}", one_line(&product.name), "customers", format!("MRR {currency}"))?;
        for (word, customers, mrr) in lines(model, product) {
            writeln!(out, "  {word:<18}{:>12}{:>18}", count(customers), grouped(mrr, digits))?;
        }
        let bridge = &product.bridge;
        let moved = format!("{} → {}", grouped(bridge.opening, digits), grouped(bridge.closing, digits));
        writeln!(out, "  {:<18}{moved:>30}", if model.planned_only { "Tether would hold" } else { "Tether's MRR" })?;
        let gap = grouped_exact(&product.gap.gap(), digits);
        let residual = grouped_exact(&product.gap.residual(), digits);
        writeln!(out, "  {:<18}{gap:>30}   unexplained {residual}", "gap to Stripe")?;
    }
    let needing: Vec<_> = model.needing_a_person().collect();
    if !needing.is_empty() {
        writeln!(out, "\nneeds a person")?;
        for (product, outcome, tally) in needing {
            let what = format!("{} {outcome}", one_line(&product.name));
            writeln!(out, "  {what:<18}{:>12}{:>18}", count(tally.customers), grouped(tally.desired, digits))?;
        }
    }
    writeln!(out, "\n{headline}: {}", one_line(&sentence))?;
    writeln!(out, "exit {}: {}", ending.exit_code, ending.meaning())?;
    if let Some(command) = words::approve(model) {
        writeln!(out, "approve it: {}", one_line(&command))?;
    }
    writeln!(out, "report: {}", report.display())
}
