//! The text of a notice for people: `{"text": …}`, as Slack and what imitates it takes it.

use super::ended::{Figures, OutcomeFigures, ProductFigures, without_addresses};
use super::{Ended, Notice};
use crate::model::{Outcome, is_obeyed};
use crate::report::{amount, group};
use std::fmt::Write;

/// What to do, by exit code; docs/OPERATIONS.md says more.
const TODO: &[(u8, &str)] = &[
    (1, "keep the run's folder and report the fault; trust no figure of this run"),
    (2, "correct what the message names; `config check` shows every problem"),
    (3, "open the report: it lists what needs a person, and what to do about each"),
    (4, "read the report; if the figures are right, run again with the flag that it names"),
    (5, "`resume`, or let the next `run` plan anew"),
    (6, "put the key in place as the message says, then start the same command again"),
    (8, "correct or export again what the message names, then `run`"),
];

/// How many products, guards and needs are named before the rest is only counted.
const MOST_LINES: usize = 8;

/// What Slack takes.
pub(super) fn body(notice: Notice, ended: &Ended) -> String {
    serde_json::json!({ "text": text(notice, ended) }).to_string()
}

fn text(notice: Notice, ended: &Ended) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = compose(notice, ended, &mut out);
    out.trim_end().to_owned()
}

fn compose(notice: Notice, ended: &Ended, out: &mut String) -> std::fmt::Result {
    let name = escaped(&ended.name);
    if notice == Notice::Test {
        return writeln!(out, "*{name}*: this is a test; notices of tether-recon arrive here.");
    }
    let recovered = if notice == Notice::Recovery { "recovered: " } else { "" };
    writeln!(out, "*{name}*: {recovered}{} (exit {})", ended.meaning, ended.exit_code)?;
    // Of guards each has its line below.
    let refused = ended.figures.as_ref().is_some_and(|figures| figures.refused().next().is_some());
    if let Some(error) = ended.error.as_ref().filter(|_| !refused) {
        writeln!(out, "> {}", escaped(&without_addresses(error)))?;
    }
    if let Some(figures) = &ended.figures {
        lines(out, figures.refused().map(|guard| format!("> {}", escaped(&without_addresses(&guard.detail)))))?;
        lines(out, figures.products.iter().map(|product| of_product(figures, product)))?;
        if figures.limited {
            writeln!(out, "Only a part of the plan was asked for.")?;
        }
        lines(out, needs(figures))?;
    }
    let of_the_code = || TODO.iter().find(|(code, _)| *code == ended.exit_code).map(|(_, todo)| *todo);
    if let Some(todo) = ended.todo.or_else(of_the_code) {
        writeln!(out, "To do: {todo}")?;
    }
    match &ended.figures {
        Some(figures) => writeln!(out, "Run {}, report {}", ended.run_id, escaped(&figures.report.to_string_lossy())),
        None => writeln!(out, "Run {}, without a report", ended.run_id),
    }
}

fn lines(out: &mut String, all: impl Iterator<Item = String>) -> std::fmt::Result {
    let mut left = 0;
    for (place, line) in all.enumerate() {
        if place < MOST_LINES {
            writeln!(out, "{line}")?;
        } else {
            left += 1;
        }
    }
    if left > 0 { writeln!(out, "… and {left} more") } else { Ok(()) }
}

fn of_product(figures: &Figures, product: &ProductFigures) -> String {
    let digits = figures.currency_digits;
    let outcome = |(outcome, of): (&Outcome, &OutcomeFigures)| {
        let is_held = *outcome == Outcome::Orphan || outcome.is_in_tether();
        let worth = if is_held { of.after } else { of.desired };
        format!("{} {outcome} {}", group(&of.customers.to_string()), amount(worth, digits))
    };
    let outcomes: Vec<String> = product.outcomes.iter().map(outcome).collect();
    let (before, after) = product.mrr;
    let (before, after) = (amount(before, digits), amount(after, digits));
    let currency = figures.currency.to_uppercase();
    format!("{}: {} · Tether's MRR {before} → {after} {currency}", escaped(&product.name), outcomes.join(" · "))
}

fn needs(figures: &Figures) -> impl Iterator<Item = String> {
    let customers = figures.products.iter().flat_map(|product| {
        let needing = product.outcomes.iter().filter(|(_, of)| of.needs_a_person);
        needing.map(|(outcome, of)| format!("{} {outcome} ({})", of.customers, escaped(&product.name)))
    });
    let beside = figures.breaks.iter().map(|(kind, number)| format!("{number} {kind}"));
    let all: Vec<String> = customers.chain(beside).collect();
    (!all.is_empty()).then(|| format!("Needs a person: {}", all.join(", "))).into_iter()
}

/// What Slack would take for a link or a mention is text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(is_obeyed, " ")
}
