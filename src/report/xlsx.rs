//! `report.xlsx`: the workbook that an accountant checks. A summary whose check cells are formulas over the other sheets,
//! and the tables they are computed from.
//!
//! The workbook without its rows (headings, formats, filters, print setup, the summary) is made by a library in memory;
//! the tables' rows, of which there may be millions, are written straight into the archive, one thread making them and
//! one pressing them, so that neither memory nor the disk holds them twice.

mod book;
mod cells;
mod columns;
mod facts;
mod package;
mod rows;
mod skeleton;
mod styles;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use super::ReportError;
use super::model::ReportModel;
use super::verdict::Ending;
use book::{Book, SHEET_ROWS};
use facts::Facts;
use package::{Piece, Skeleton};
use rows::{Fault, Stopped};
use std::io::Write;
use std::sync::mpsc::sync_channel;

/// The file's name.
const NAME: &str = "report.xlsx";

/// Pieces on their way from the thread that makes them: each is about a megabyte.
const UNDER_WAY: usize = 4;

/// Writes `report.xlsx`.
pub(super) fn write(model: &ReportModel, ending: Ending, out: &mut dyn Write) -> Result<(), ReportError> {
    write_sheets(model, ending, out, SHEET_ROWS)
}

/// As [`write()`], with sheets of at most `sheet_rows` rows, the heading included.
fn write_sheets(model: &ReportModel, ending: Ending, out: &mut dyn Write, sheet_rows: u32) -> Result<(), ReportError> {
    let facts = Facts::of(model)?;
    let book = Book::of(model, &facts, sheet_rows);
    let file = skeleton::build(model, ending, &book, &facts)
        .map_err(|error| ReportError::Render { file: NAME, detail: error.to_string() })?;
    let skeleton = Skeleton::open(file, &book)?;
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Piece>(UNDER_WAY);
        let (book, facts, styles) = (&book, &facts, &skeleton.styles);
        let maker = scope.spawn(move || {
            rows::produce(model, book, facts, styles, &mut |piece| sender.send(piece).map_err(|_| Stopped))
        });
        let written = package::write(out, &skeleton, receiver);
        match maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            Err(Fault::Report(error)) => Err(error),
            Ok(()) | Err(Fault::Stopped) => written,
        }
    })
}
