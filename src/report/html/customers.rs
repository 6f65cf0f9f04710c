//! The customers shown by name, one table per outcome, and the lowest health scores.

use super::super::amount::{count, decimal, grouped, signed};
use super::super::model::ReportModel;
use super::super::rows::{CustomerRow, OutcomeTable};
use super::super::tally::Tally;
use super::super::words;
use super::decision::day;
use super::product::bar;
use crate::model::{Outcome, OverrideDecision};

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
    /// What stands beside the MRR in Tether.
    pub beside: Beside,
    /// Whether its customers wait for creation.
    pub waits: bool,
    pub reasons: Vec<(String, String)>,
    pub rows: Vec<RowPart<'a>>,
}

/// What a list shows beside the MRR in Tether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// How it moved, or would.
    Movement,
    /// What the sources say, and what that is beyond it.
    Sources,
    /// Nothing: no source holds them.
    Nothing,
}

impl TablePart<'_> {
    pub fn moves(&self) -> bool {
        self.beside == Beside::Movement
    }

    pub fn sourced(&self) -> bool {
        self.beside == Beside::Sources
    }
}

/// One customer's line.
pub(super) struct RowPart<'a> {
    pub row: &'a CustomerRow,
    pub title: &'a str,
    pub after: Amount,
    pub desired: Amount,
    /// What it moved by.
    pub moved: Amount,
    /// What the sources say beyond what Tether holds.
    pub missing: Amount,
    /// The one sentence, in pieces.
    pub detail: Vec<Piece<'a>>,
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

    /// What `to` has beyond `from`, with its sign; an amount that is not there counts as nothing, `–` where both are not.
    fn between(from: Option<i64>, to: Option<i64>, digits: u8) -> Self {
        if from.is_none() && to.is_none() {
            return Self::of(None, digits);
        }
        let minor = i128::from(to.unwrap_or_default()) - i128::from(from.unwrap_or_default());
        Self { shown: signed(minor, digits), sort: decimal(minor, digits) }
    }
}

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// What stood between backticks.
    Code(&'a str),
    /// Of that, what is a line for the overrides file.
    Line(&'a str),
}

/// A sentence at its backticks; where one has no partner, the sentence as it is.
fn pieces(sentence: &str) -> Vec<Piece<'_>> {
    if sentence.matches('`').count() % 2 == 1 {
        return vec![Piece::Words(sentence)];
    }
    let is_line = |text: &str| text.split_once(',').is_some_and(|(first, _)| first.parse::<OverrideDecision>().is_ok());
    let parts = sentence.split('`').enumerate().filter(|(_, text)| !text.is_empty());
    parts
        .map(|(number, text)| match number % 2 {
            0 => Piece::Words(text),
            _ if is_line(text) => Piece::Line(text),
            _ => Piece::Code(text),
        })
        .collect()
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
        meaning: if table.outcome == Outcome::Orphan {
            words::meaning_of_orphans(model.divided.is_some())
        } else {
            words::meaning(table.outcome)
        },
        customers: count(table.customers),
        shown: table.rows.len(),
        all_shown: table.rows.len() as u64 == table.customers,
        mrr: match table.outcome {
            _ if moved => format!("MRR {}", signed(table.mrr, digits)),
            Outcome::Orphan => format!("MRR {}", grouped(table.mrr, digits)),
            _ => words::missing(&all, digits),
        },
        beside: match table.outcome {
            Outcome::Orphan => Beside::Nothing,
            Outcome::NotAttempted if model.planned_only => Beside::Movement,
            _ if moved => Beside::Movement,
            _ => Beside::Sources,
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
        after: Amount::of(row.mrr_after, digits),
        desired: Amount::of(row.mrr_desired, digits),
        moved: Amount::between(row.mrr_before, row.mrr_after, digits),
        // An MRR that the sources do not tell is not known, rather than 0.
        missing: match row.mrr_desired {
            None => Amount::of(None, digits),
            desired => Amount::between(row.mrr_after, desired, digits),
        },
        detail: row.detail.as_deref().map(pieces).unwrap_or_default(),
        since: row.waiting_since.map(day).unwrap_or_default(),
        width: 0,
    }
}

/// What a person calls the customer.
pub(super) fn title(row: &CustomerRow) -> &str {
    let names = [&row.company_name, &row.name, &row.email, &row.external_id];
    names.into_iter().flatten().next().map_or(row.key.as_str(), String::as_str)
}

#[cfg(test)]
mod tests {
    use super::Piece::{Code, Line, Words};
    use super::{Amount, pieces};

    #[test]
    fn what_stands_between_backticks_is_code_and_an_override_line_can_be_copied() {
        let cases = [
            (
                "decide it, as by `link,cus_1,crm:7,`; or `no,line`",
                vec![Words("decide it, as by "), Line("link,cus_1,crm:7,"), Words("; or "), Code("no,line")],
            ),
            ("a ` without a partner", vec![Words("a ` without a partner")]),
            ("``", vec![]),
        ];
        for (sentence, expected) in cases {
            assert_eq!(pieces(sentence), expected);
        }
    }

    #[test]
    fn a_difference_has_a_sign_and_is_none_of_two_unknowns() {
        for (from, to, shown, sort) in [
            (Some(21_576), Some(24_828), "+32.52", "32.52"),
            (Some(500), None, "\u{2212}5.00", "-5.00"),
            (None, None, "–", ""),
        ] {
            let amount = Amount::between(from, to, 2);
            assert_eq!((amount.shown.as_str(), amount.sort.as_str()), (shown, sort));
        }
    }
}
