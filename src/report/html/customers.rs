//! The customers shown by name, one table per outcome, and the lowest health scores.

use super::super::amount::{count, decimal, grouped, signed};
use super::super::model::ReportModel;
use super::super::rows::{Change, CustomerRow, OutcomeTable};
use super::super::tally::Tally;
use super::super::words;
use super::decision::day;
use super::product::bar;
use crate::model::Outcome;

/// One outcome's table.
pub(super) struct TablePart<'a> {
    pub outcome: Outcome,
    pub heading: &'static str,
    pub meaning: &'static str,
    pub customers: String,
    pub shown: usize,
    pub all_shown: bool,
    /// What moved, or what is not in Tether.
    pub mrr: String,
    /// Whether its customers wait for creation.
    pub waits: bool,
    pub reasons: Vec<(String, String)>,
    pub rows: Vec<RowPart<'a>>,
}

/// One customer's line.
pub(super) struct RowPart<'a> {
    pub row: &'a CustomerRow,
    pub title: &'a str,
    pub before: Amount,
    pub desired: Amount,
    pub after: Amount,
    /// Changes without those of MRR, which stand in their own columns.
    pub changes: Vec<&'a Change>,
    /// The day it was first refused, while it waits for creation.
    pub since: String,
    /// How long the bar for its MRR is, where the table has one.
    pub width: u64,
}

/// An amount for the eye, and as a number to sort by.
pub(super) struct Amount {
    pub shown: String,
    pub sort: String,
}

impl Amount {
    pub fn of(minor: Option<i64>, digits: u8) -> Self {
        Self {
            shown: minor.map_or_else(|| "–".to_owned(), |minor| grouped(minor.into(), digits)),
            sort: minor.map(|minor| decimal(minor.into(), digits)).unwrap_or_default(),
        }
    }
}

/// The tables in the order of the page.
pub(super) fn tables(model: &ReportModel) -> Vec<TablePart<'_>> {
    model.tables.iter().map(|table| table_part(model, table)).collect()
}

fn table_part<'a>(model: &'a ReportModel, table: &'a OutcomeTable) -> TablePart<'a> {
    let digits = model.manifest.currency_digits;
    let moved = matches!(table.outcome, Outcome::Created | Outcome::Updated | Outcome::Applied);
    let mut reasons: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    let mut all = Tally::default();
    for product in &model.products {
        all += product.outcomes.get(&table.outcome).copied().unwrap_or_default();
        for ((outcome, reason), tally) in &product.reasons {
            if let Some(reason) = reason.filter(|_| *outcome == table.outcome) {
                *reasons.entry(reason.to_string()).or_default() += tally.customers;
            }
        }
    }
    TablePart {
        outcome: table.outcome,
        heading: words::heading(table.outcome),
        meaning: words::meaning(table.outcome),
        customers: count(table.customers),
        shown: table.rows.len(),
        all_shown: table.rows.len() as u64 == table.customers,
        mrr: match table.outcome {
            _ if moved => format!("MRR {}", signed(table.mrr, digits)),
            Outcome::Orphan => format!("MRR {}", grouped(table.mrr, digits)),
            _ => words::missing(&all, digits),
        },
        waits: table.outcome == Outcome::CreationDisabled,
        reasons: reasons.into_iter().map(|(reason, customers)| (reason, count(customers))).collect(),
        rows: table.rows.iter().map(|row| row_part(row, digits)).collect(),
    }
}

/// Customers with a health score, lowest first, each with a bar for the MRR at stake.
pub(super) fn health(model: &ReportModel) -> Vec<RowPart<'_>> {
    let digits = model.manifest.currency_digits;
    let held = |row: &CustomerRow| u64::try_from(row.mrr_after.unwrap_or_default()).unwrap_or_default();
    let most = model.health.iter().map(held).max().unwrap_or_default();
    model.health.iter().map(|row| RowPart { width: bar(held(row), most), ..row_part(row, digits) }).collect()
}

fn row_part(row: &CustomerRow, digits: u8) -> RowPart<'_> {
    RowPart {
        row,
        title: title(row),
        before: Amount::of(row.mrr_before, digits),
        desired: Amount::of(row.mrr_desired, digits),
        after: Amount::of(row.mrr_after, digits),
        changes: row.changes.iter().filter(|change| change.field != "mrr").collect(),
        since: row.waiting_since.map(day).unwrap_or_default(),
        width: 0,
    }
}

/// What a person calls the customer.
pub(super) fn title(row: &CustomerRow) -> &str {
    let names = [&row.company_name, &row.name, &row.email, &row.external_id];
    names.into_iter().flatten().next().map_or(row.key.as_str(), String::as_str)
}
