//! `summary.md`: what a person pastes into a chat or a pull request.

use super::ReportError;
use super::amount::{count, exact_decimal, grouped, grouped_exact, signed};
use super::model::{ProductReport, ReportModel};
use super::verdict::Ending;
use super::words;
use crate::model::Outcome;
use num_traits::Zero;
use std::fmt::Write as _;
use std::io::Write;

/// Writes `summary.md`.
pub(super) fn write(model: &ReportModel, ending: Ending, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut text = String::new();
    compose(model, ending, &mut text)
        .map_err(|error| ReportError::Render { file: "summary.md", detail: error.to_string() })?;
    out.write_all(text.as_bytes()).map_err(|source| ReportError::Write { path: "summary.md".into(), source })
}

fn compose(model: &ReportModel, ending: Ending, out: &mut String) -> std::fmt::Result {
    let manifest = &model.manifest;
    let currency = manifest.currency.as_str().to_uppercase();
    let (_, headline, sentence) = words::verdict(model, ending);
    writeln!(out, "# {headline}: {}\n", plain(&manifest.run_id))?;
    writeln!(out, "{}\n", plain(&sentence))?;
    writeln!(
        out,
        "As of {}, exit code {} ({}). All amounts are {currency} a month.\n",
        manifest.as_of,
        ending.exit_code,
        ending.meaning()
    )?;
    let needing: Vec<_> = model.needing_a_person().collect();
    if !needing.is_empty() {
        writeln!(
            out,
            "## What needs a person\n\n| product | outcome | customers | MRR | what to do |\n| --- | --- | ---: | ---: | --- |"
        )?;
        for (product, outcome, tally) in needing {
            writeln!(
                out,
                "| {} | {outcome} | {} | {} | {} |",
                plain(&product.name),
                count(tally.customers),
                grouped(tally.desired, manifest.currency_digits),
                words::meaning(outcome)
            )?;
        }
        writeln!(out)?;
    }
    for product in &model.products {
        compose_product(model, product, out)?;
    }
    writeln!(out, "## Sources\n\n| source | rows read | where they went |\n| --- | ---: | --- |")?;
    for source in &manifest.sources {
        let went: Vec<String> =
            source.dispositions.iter().map(|(word, rows)| format!("{word} {}", count(*rows))).collect();
        writeln!(out, "| {} | {} | {} |", plain(&source.name), count(source.rows_read), went.join(", "))?;
    }
    let tying = model.tie_outs.iter().filter(|tie| tie.ties()).count();
    writeln!(out, "\n{tying} of {} control totals tie.", model.tie_outs.len())?;
    for tie in model.tie_outs.iter().filter(|tie| !tie.ties()) {
        writeln!(out, "- {}", plain(&tie.sentence()))?;
    }
    for guard in &manifest.guards {
        writeln!(out, "- Guard {}: {}", plain(&guard.guard), plain(&guard.detail))?;
    }
    if !model.breaks.is_empty() {
        let kinds = model.breaks_by_kind();
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, all)| format!("{kind} {}", count(all.len() as u64))).collect();
        writeln!(out, "\nBreaks: {}.", kinds.join(", "))?;
    }
    Ok(())
}

fn compose_product(model: &ReportModel, product: &ProductReport, out: &mut String) -> std::fmt::Result {
    let digits = model.manifest.currency_digits;
    writeln!(
        out,
        "## Product {}\n\n| outcome | customers | MRR before | MRR desired | MRR after |",
        plain(&product.name)
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: |")?;
    for (outcome, tally) in product.outcomes.iter().filter(|(_, tally)| tally.customers > 0) {
        writeln!(
            out,
            "| {outcome} | {} | {} | {} | {} |",
            count(tally.customers),
            grouped(tally.before, digits),
            if *outcome == Outcome::Orphan { String::new() } else { grouped(tally.desired, digits) },
            grouped(tally.after, digits)
        )?;
    }
    if let Some(request) = words::creation_request(model, &product.name, " ") {
        writeln!(out, "\n> {}", plain(&request))?;
    }
    let bridge = &product.bridge;
    writeln!(out, "\n| MRR bridge | customers | MRR |\n| --- | ---: | ---: |")?;
    writeln!(out, "| opening | | {} |", grouped(bridge.opening, digits))?;
    for (movement, amount, customers) in bridge.steps() {
        writeln!(out, "| {} | {} | {} |", movement.as_str(), count(customers), signed(amount, digits))?;
    }
    writeln!(out, "| **closing** | | **{}** |", grouped(bridge.closing, digits))?;
    let gap = &product.gap;
    writeln!(out, "\n| gap to Stripe | customers | MRR |\n| --- | ---: | ---: |")?;
    writeln!(out, "| Stripe | | {} |", grouped_exact(&gap.stripe, digits))?;
    writeln!(out, "| Tether | | {} |", grouped(gap.tether, digits))?;
    writeln!(out, "| **gap** | | **{}** |", grouped_exact(&gap.gap(), digits))?;
    for part in gap.components.iter().filter(|part| !part.amount.is_zero()) {
        let customers = part.customers.map(count).unwrap_or_default();
        let amount = grouped_exact(&part.amount, digits);
        writeln!(out, "| {} | {customers} | {amount} |", words::component(part.name))?;
    }
    writeln!(out, "| residual | | {} |", grouped_exact(&gap.residual(), digits))?;
    for (currency, mrr) in &gap.without_rate {
        let code = currency.as_str().to_uppercase();
        writeln!(out, "\n{} minor units of {code} have no rate and are in no sum above.", exact_decimal(mrr))?;
    }
    writeln!(out)
}

/// Text that Markdown shows as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '|' | '<' | '>' | '[' | ']' | '#' | '&' | '!' | '@' => {
                out.push('\\');
                out.push(character);
            }
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}
