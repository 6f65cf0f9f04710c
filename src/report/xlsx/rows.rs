//! The rows of every table, in the order of the sheets, as pieces of XML.

use super::book::{Book, Part};
use super::cells::Rows;
use super::columns::{self, Kind, TABLES, Table, letters};
use super::facts::Facts;
use super::package::Piece;
use super::styles::Styles;
use crate::model::{Break, Field, Instant, Outcome};
use crate::report::bridge::movement;
use crate::report::files::SLICE;
use crate::report::model::ReportModel;
use crate::report::{ReportError, changes};
use polars::prelude::*;

/// How long a piece is at least, in bytes.
const PIECE: usize = 1 << 20;

/// Takes the pieces; an error of its own means that nobody wants more of them.
pub(super) type Send<'a> = &'a mut dyn FnMut(Piece) -> Result<(), Stopped>;

/// Whoever takes the pieces has failed: it has the reason.
#[derive(Debug)]
pub(super) struct Stopped;

/// Why no more rows come.
#[derive(Debug)]
pub(super) enum Fault {
    /// The rows could not be made.
    Report(ReportError),
    /// Nobody takes them.
    Stopped,
}

impl From<ReportError> for Fault {
    fn from(error: ReportError) -> Self {
        Self::Report(error)
    }
}

impl From<PolarsError> for Fault {
    fn from(error: PolarsError) -> Self {
        Self::Report(error.into())
    }
}

impl From<Stopped> for Fault {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// Makes the rows of every sheet of `book`.
pub(super) fn produce(
    model: &ReportModel,
    book: &Book,
    facts: &Facts,
    styles: &Styles,
    send: Send<'_>,
) -> Result<(), Fault> {
    let digits = model.manifest.currency_digits;
    for table in TABLES {
        let names: Vec<String> = (0..table.columns().len()).map(letters).collect();
        let mut parts = book.of_table(table);
        let mut sheets = Sheets { parts: &mut parts, rows: Rows::new(styles, &names, digits), left: 0, send };
        sheets.next()?;
        match table {
            Table::Customers(outcome) => {
                let chosen = customers(&model.customers, outcome)?;
                frame(&mut sheets, table.columns(), &chosen)?;
            }
            Table::Unmatched => frame(&mut sheets, table.columns(), &facts.unmatched)?,
            Table::Changes => each_slice(&model.customers, |part| {
                let (lines, _) = changes::expand(&part, digits)?;
                changed(&mut sheets, &lines)
            })?,
            Table::Accounting => frame(&mut sheets, table.columns(), model.accounting.frame())?,
            Table::Breaks => {
                for found in &model.breaks {
                    sheets.row(|row| a_break(row, found))?;
                }
            }
            Table::ControlTotals => {
                for tie in &model.tie_outs {
                    sheets.row(|row| {
                        row.text(0, &tie.scope);
                        row.text(1, &tie.name);
                        row.decimal(2, Kind::Number, &tie.expected);
                        row.decimal(3, Kind::Number, &tie.found);
                        row.decimal(4, Kind::Number, &tie.difference);
                        row.yes_no(5, tie.ties());
                    })?;
                }
            }
            Table::Inputs => {
                for input in &model.manifest.inputs {
                    sheets.row(|row| {
                        row.text(0, &input.source);
                        row.text(1, &input.path);
                        row.count(2, input.rows);
                        row.count(3, input.bytes);
                        row.text(4, &input.sha256);
                        row.text(5, &input.shape);
                        let read_as =
                            input.encoding.iter().cloned().chain(input.dialect.iter().map(ToString::to_string));
                        row.text(6, &read_as.collect::<Vec<_>>().join(", "));
                    })?;
                }
            }
        }
        sheets.finish()?;
    }
    Ok(())
}

/// The sheets of one table while their rows are made.
struct Sheets<'a, 'b> {
    parts: &'a mut dyn Iterator<Item = &'b Part>,
    rows: Rows<'a>,
    left: u32,
    send: Send<'a>,
}

impl Sheets<'_, '_> {
    fn next(&mut self) -> Result<(), Fault> {
        let part = self.parts.next().ok_or_else(|| miscounted("more"))?;
        self.flush()?;
        self.rows.restart();
        self.left = part.rows;
        Ok((self.send)(Piece::Sheet(part.bytes))?)
    }

    fn row(&mut self, write: impl FnOnce(&mut Rows<'_>)) -> Result<(), Fault> {
        if self.left == 0 {
            self.next()?;
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| miscounted("more"))?;
        self.rows.begin();
        write(&mut self.rows);
        self.rows.end();
        if self.rows.xml.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Fault> {
        if self.rows.xml.is_empty() {
            return Ok(());
        }
        let xml = std::mem::replace(&mut self.rows.xml, Vec::with_capacity(PIECE + PIECE / 4));
        Ok((self.send)(Piece::Rows(xml))?)
    }

    fn finish(mut self) -> Result<(), Fault> {
        if self.left > 0 || self.parts.next().is_some() {
            return Err(miscounted("fewer"));
        }
        self.flush()
    }
}

fn miscounted(than: &str) -> Fault {
    let detail = format!("a table has {than} rows than were counted");
    Fault::Report(ReportError::Render { file: super::NAME, detail })
}

/// The customers of one outcome, with how their MRR moved.
fn customers(customers: &DataFrame, outcome: Outcome) -> PolarsResult<DataFrame> {
    let of_outcome = customers.clone().lazy().filter(col("outcome").eq(lit(outcome.as_str())));
    of_outcome.with_columns([movement().alias("movement")]).collect()
}

/// Calls `each` with one slice of the frame after the other.
fn each_slice(frame: &DataFrame, mut each: impl FnMut(DataFrame) -> Result<(), Fault>) -> Result<(), Fault> {
    for offset in (0..frame.height()).step_by(SLICE) {
        each(frame.slice(i64::try_from(offset).unwrap_or(i64::MAX), SLICE))?;
    }
    Ok(())
}

/// A column's values while a frame's rows are made.
enum Values<'a> {
    Text(&'a StringChunked),
    Number(&'a StringChunked),
    Minor(&'a Int64Chunked),
    Wide(&'a Int128Chunked),
    Count(&'a UInt32Chunked),
    Millis(&'a Int64Chunked),
    YesNo(&'a BooleanChunked),
}

impl<'a> Values<'a> {
    fn of(column: &'a Column, kind: Kind) -> PolarsResult<Self> {
        Ok(match (kind, column.dtype()) {
            (Kind::Money, DataType::Int128) => Self::Wide(column.i128()?),
            (Kind::Money, _) => Self::Minor(column.i64()?),
            (Kind::Count, _) => Self::Count(column.u32()?),
            (Kind::Instant, _) => Self::Millis(column.datetime()?.physical()),
            (Kind::YesNo, _) => Self::YesNo(column.bool()?),
            (Kind::Number, _) => Self::Number(column.str()?),
            (Kind::Text, _) => Self::Text(column.str()?),
        })
    }

    /// Writes the value of row `at`, if it has one.
    fn write(&self, row: &mut Rows<'_>, column: usize, at: usize) {
        match self {
            Self::Text(values) => values.get(at).into_iter().for_each(|text| row.text(column, text)),
            Self::Number(values) => {
                values.get(at).into_iter().for_each(|text| row.decimal(column, Kind::Number, text));
            }
            Self::Minor(values) => values.get(at).into_iter().for_each(|minor| row.money(column, minor.into())),
            Self::Wide(values) => values.get(at).into_iter().for_each(|minor| row.money(column, minor)),
            Self::Count(values) => values.get(at).into_iter().for_each(|count| row.count(column, count.into())),
            Self::Millis(values) => values.get(at).into_iter().for_each(|millis| row.instant(column, millis)),
            Self::YesNo(values) => values.get(at).into_iter().for_each(|yes| row.yes_no(column, yes)),
        }
    }
}

/// The rows of a frame that has the table's columns by their names.
fn frame(sheets: &mut Sheets<'_, '_>, columns: &[columns::Column], frame: &DataFrame) -> Result<(), Fault> {
    let frame = frame.select(columns.iter().map(|(name, ..)| *name))?;
    each_slice(&frame, |mut part| {
        part.align_chunks_par();
        let values = part
            .columns()
            .iter()
            .zip(columns)
            .map(|(column, (.., kind))| Values::of(column, *kind))
            .collect::<PolarsResult<Vec<_>>>()?;
        // Row by row: a worksheet is written so.
        for at in 0..part.height() {
            sheets.row(|row| values.iter().enumerate().for_each(|(column, values)| values.write(row, column, at)))?;
        }
        Ok(())
    })
}

/// Changed fields: each side as what its field is.
fn changed(sheets: &mut Sheets<'_, '_>, lines: &DataFrame) -> Result<(), Fault> {
    let columns = Table::Changes.columns();
    let texts = columns.iter().map(|(name, ..)| lines.column(name)?.str()).collect::<PolarsResult<Vec<_>>>()?;
    let place = |name: &str| columns.iter().position(|(column, ..)| *column == name).unwrap_or_default();
    let (field, sides) = (place("field"), [place("before"), place("after")]);
    for at in 0..lines.height() {
        let typed = texts[field].get(at).and_then(|word| word.parse::<Field>().ok());
        sheets.row(|row| {
            for (column, values) in texts.iter().enumerate() {
                let Some(text) = values.get(at) else { continue };
                match typed.filter(|_| sides.contains(&column)) {
                    Some(field) => side(row, column, field, text),
                    None => row.text(column, text),
                }
            }
        })?;
    }
    Ok(())
}

/// One side of a changed field.
fn side(row: &mut Rows<'_>, column: usize, field: Field, text: &str) {
    match field {
        Field::Mrr => row.decimal(column, Kind::Money, text),
        Field::PeriodEnd | Field::LastActivity => match text.parse::<Instant>() {
            Ok(instant) => row.instant(column, instant.epoch_millis()),
            Err(_) => row.text(column, text),
        },
        Field::AutoRenew if matches!(text, "true" | "false") => row.yes_no(column, text == "true"),
        _ => row.text(column, text),
    }
}

fn a_break(row: &mut Rows<'_>, found: &Break) {
    row.text(0, found.kind.as_str());
    row.text(1, &found.scope);
    row.text(2, &found.key);
    for (column, text) in [(3, &found.field), (4, &found.before), (5, &found.after), (7, &found.file)] {
        if let Some(text) = text {
            row.text(column, text);
        }
    }
    row.text(6, &found.detail);
    if let Some(line) = found.line {
        row.count(8, line);
    }
}
