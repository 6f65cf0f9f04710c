//! Which sheets the workbook has: tables longer than a sheet go on in further ones.

use super::columns::{TABLES, Table, letters};
use super::facts::{Extent, Facts};
use crate::report::model::ReportModel;

/// The rows of a sheet, its heading included.
pub(super) const SHEET_ROWS: u32 = 1_048_576;

/// One sheet of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// What stands on it.
    pub(super) table: Table,
    /// Its name: the table's, from the second on with its number.
    pub(super) name: String,
    /// Its rows, the heading not counted.
    pub(super) rows: u32,
    /// The most bytes that they can have as XML.
    pub(super) bytes: u64,
}

/// What the XML of a row and of a cell has beside the values.
const ROW_BYTES: u64 = 32;
const CELL_BYTES: u64 = 72;

/// The sheets of a workbook behind the summary, in their order.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// Every sheet; a table without rows has one too, so that a workbook has the same sheets every night.
    pub(super) parts: Vec<Part>,
}

impl Book {
    /// The sheets that `model` needs where each holds `sheet_rows` rows, its heading included.
    pub(super) fn of(model: &ReportModel, facts: &Facts, sheet_rows: u32) -> Self {
        let room = u64::from(sheet_rows.clamp(2, SHEET_ROWS)) - 1;
        let mut parts = Vec::new();
        for table in TABLES {
            let texts = facts.customers;
            let Extent { rows, bytes } = match table {
                Table::Customers(outcome) => {
                    let of_outcome = model.cells.iter().filter(|cell| cell.outcome == outcome);
                    Extent { rows: of_outcome.map(|cell| cell.tally.customers).sum(), bytes: texts }
                }
                Table::Unmatched => {
                    Extent { rows: facts.unmatched.height() as u64, bytes: texts + facts.accounting.bytes }
                }
                Table::Changes => facts.changes,
                Table::Accounting => facts.accounting,
                Table::Breaks => facts.breaks,
                Table::ControlTotals => Extent { rows: model.tie_outs.len() as u64, bytes: 0 },
                Table::Inputs => Extent { rows: model.manifest.inputs.len() as u64, bytes: 0 },
            };
            let row_bytes = ROW_BYTES + CELL_BYTES * table.columns().len() as u64;
            for number in 0..rows.div_ceil(room).max(1) {
                let name = match number {
                    0 => table.name().to_owned(),
                    _ => format!("{} ({})", table.name(), number + 1),
                };
                let rows = u32::try_from(room.min(rows - number * room)).unwrap_or(u32::MAX);
                parts.push(Part { table, name, rows, bytes: bytes + row_bytes * u64::from(rows) });
            }
        }
        Self { parts }
    }

    /// The sheets of one table.
    pub(super) fn of_table(&self, table: Table) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.table == table)
    }

    /// How many rows a table has.
    pub(super) fn rows(&self, table: Table) -> u64 {
        self.of_table(table).map(|part| u64::from(part.rows)).sum()
    }

    /// A sum of one term per sheet of a table: `term` makes it from the sheet's columns.
    fn terms(&self, table: Table, term: impl Fn(&dyn Fn(&str) -> String) -> String) -> String {
        let terms: Vec<String> = self.of_table(table).map(|part| term(&|column| part.range(column))).collect();
        terms.join("+")
    }

    /// How many rows of a table meet every condition: column, and a cell's address or a word in quotes.
    pub(super) fn count_if(&self, table: Table, conditions: &[(&str, &str)]) -> String {
        self.terms(table, |range| format!("COUNTIFS({})", criteria(range, conditions)))
    }

    /// The sum of a column over the rows that meet every condition.
    pub(super) fn sum_if(&self, table: Table, column: &str, conditions: &[(&str, &str)]) -> String {
        self.terms(table, |range| format!("SUMIFS({},{})", range(column), criteria(range, conditions)))
    }

    /// How many cells of a column hold something.
    pub(super) fn count(&self, table: Table, column: &str) -> String {
        self.terms(table, |range| format!("COUNTA({})", range(column)))
    }
}

fn criteria(range: &dyn Fn(&str) -> String, conditions: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        conditions.iter().map(|(column, criterion)| format!("{},{criterion}", range(column))).collect();
    pairs.join(",")
}

impl Part {
    /// The last line that holds a row; the first below the heading where there is none.
    pub(super) const fn last_line(&self) -> u32 {
        if self.rows == 0 { 2 } else { self.rows + 1 }
    }

    /// A column of it as a formula names it: `'updated (2)'!$G$2:$G$900`.
    fn range(&self, column: &str) -> String {
        let letters = self.table.letters(column);
        format!("'{}'!${letters}$2:${letters}${}", self.name, self.last_line())
    }

    /// All of it as a worksheet says its extent: `A1:AB900`.
    pub(super) fn extent(&self) -> String {
        format!("A1:{}{}", letters(self.table.columns().len() - 1), self.rows + 1)
    }
}
