//! How a run ended, and its figures as its report has them.

use crate::model::{BreakKind, Instant, Outcome};
use crate::runs::{GuardFinding, RunFolder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// How a run ended: what every notice is made of.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What notices call the configuration.
    pub name: String,
    /// The run's id. Of a run that ended before it had a folder, the id that its log lines carry.
    pub run_id: String,
    /// `run`, `apply` or `resume`.
    pub command: &'static str,
    /// The process's exit code.
    pub exit_code: u8,
    /// What it means, in words.
    pub meaning: &'static str,
    /// When the command was started.
    pub started_at: Instant,
    /// When it ended.
    pub ended_at: Instant,
    /// What stopped it, in one line; `None`: it came to its end.
    pub error: Option<String>,
    /// What to do, where the cause says more than the exit code.
    pub todo: Option<&'static str>,
    /// What its report says; `None`: it ended without one.
    pub figures: Option<Figures>,
}

/// The part of a run's manifest and `summary.json` that notices tell. No customer is named in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The report's page.
    pub report: PathBuf,
    /// `run` or `apply`.
    pub mode: String,
    /// Where the run stands, as in the manifest.
    pub status: String,
    /// Whether only a part of the plan was asked for.
    pub limited: bool,
    /// The account's currency, in lower case.
    pub currency: String,
    /// Its digits after the point.
    pub currency_digits: u8,
    /// Customers that need a person.
    pub needs_a_person: u64,
    /// Each product, in the order of the configuration.
    pub products: Vec<ProductFigures>,
    /// Rows read of each source.
    pub sources: Vec<SourceFigures>,
    /// What the guards found.
    pub guards: Vec<GuardFinding>,
    /// What needs a person beside customers: how many breaks of each kind.
    pub breaks: BTreeMap<BreakKind, u64>,
}

/// One product's figures, minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFigures {
    /// Its name.
    pub name: String,
    /// Requests sent.
    pub calls: u64,
    /// Tether's MRR before and after the run.
    pub mrr: (i128, i128),
    /// Customers and what they are worth, by outcome; those of nobody are left out.
    pub outcomes: BTreeMap<Outcome, OutcomeFigures>,
}

/// Customers of one outcome, and their MRR in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeFigures {
    /// How many.
    pub customers: u64,
    /// Tether's before the run.
    pub before: i128,
    /// The sources'.
    pub desired: i128,
    /// Tether's after it.
    pub after: i128,
    /// Whether such customers need a person.
    pub needs_a_person: bool,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SourceFigures {
    /// Its name.
    pub name: String,
    /// Data rows, rejected ones included.
    pub rows_read: u64,
}

#[derive(Deserialize)]
struct Summary {
    mode: String,
    status: String,
    currency: String,
    currency_digits: u8,
    needs_a_person: u64,
    products: Vec<Product>,
    sources: Vec<SourceFigures>,
    guards: Vec<GuardFinding>,
    break_counts: BTreeMap<BreakKind, u64>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    calls: u64,
    outcomes: BTreeMap<Outcome, u64>,
    outcomes_mrr: BTreeMap<Outcome, Sums>,
    mrr_bridge: Bridge,
}

#[derive(Deserialize)]
struct Sums {
    before: i128,
    desired: i128,
    after: i128,
}

#[derive(Deserialize)]
struct Bridge {
    opening: i128,
    closing: i128,
}

impl Figures {
    /// What the report of the run in `folder` says, if it is the report of this end: written since `started_at`, of a run that
    /// ended with `exit_code`. An older one is of an earlier try.
    pub fn of(folder: &RunFolder, exit_code: u8, started_at: Instant) -> Option<Self> {
        let manifest = folder.read_manifest().ok()?;
        let is_of_this_end = manifest.exit_code == Some(exit_code) && manifest.finished_at >= Some(started_at);
        let file = File::open(folder.report_path().join("summary.json")).ok().filter(|_| is_of_this_end)?;
        let summary: Summary = serde_json::from_reader(BufReader::new(file)).ok()?;
        let page = folder.report_path().join("report.html");
        let product = |product: Product| {
            let held = product.outcomes.into_iter().filter(|(_, customers)| *customers > 0);
            let outcomes = held.map(|(outcome, customers)| {
                let sums = product.outcomes_mrr.get(&outcome);
                let of = |part: fn(&Sums) -> i128| sums.map_or(0, part);
                let (before, desired) = (of(|sums| sums.before), of(|sums| sums.desired));
                let after = of(|sums| sums.after);
                let needs_a_person = manifest.needs_a_person(outcome);
                (outcome, OutcomeFigures { customers, before, desired, after, needs_a_person })
            });
            let mrr = (product.mrr_bridge.opening, product.mrr_bridge.closing);
            ProductFigures { outcomes: outcomes.collect(), name: product.name, calls: product.calls, mrr }
        };
        Some(Self {
            // Without the detours that a configuration's relative paths take.
            report: std::fs::canonicalize(&page).unwrap_or(page),
            mode: summary.mode,
            status: summary.status,
            limited: manifest.selection.is_some(),
            currency: summary.currency,
            currency_digits: summary.currency_digits,
            needs_a_person: summary.needs_a_person,
            products: summary.products.into_iter().map(product).collect(),
            sources: summary.sources,
            guards: summary.guards,
            breaks: summary
                .break_counts
                .into_iter()
                .filter(|(kind, number)| kind.needs_a_person() && *number > 0)
                .collect(),
        })
    }

    /// The guards that refused the run.
    pub fn refused(&self) -> impl Iterator<Item = &GuardFinding> {
        self.guards.iter().filter(|guard| guard.refused)
    }
}

/// `text` without anything that is shaped like an e-mail address: notices leave the machine.
pub(super) fn without_addresses(text: &str) -> String {
    let is_of_a_word = |c: char| c.is_alphanumeric() || "@._%+-'".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len()));
        out.push_str(if word.contains('@') { "***" } else { word });
        let mut others = after.chars();
        // What ends a word is kept.
        out.extend(others.next());
        rest = others.as_str();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn no_address_leaves_in_an_error() {
        for (text, expected) in [
            ("no customer `ada@example.com`; name", "no customer `***`; name"),
            ("(a.b+c@example.com, E-1)", "(***, E-1)"),
            ("in/contacts.csv is empty", "in/contacts.csv is empty"),
            ("ünï@example.com", "***"),
            ("", ""),
        ] {
            assert_eq!(without_addresses(text), expected);
        }
    }
}
