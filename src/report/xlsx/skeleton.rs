//! The workbook without the rows of its tables: sheets, headings, widths, filters, print setup, and the summary.

use super::book::{Book, Part};
use super::columns::{Kind, Table};
use super::facts::Facts;
use super::styles::{Formats, TAB_ATTENTION, TAB_EMPTY, TAB_PROOF};
use super::{summary, text};
use crate::report::model::ReportModel;
use crate::report::verdict::Ending;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, IgnoreError, Workbook, Worksheet, XlsxError};

/// The line of each table's sheet that holds one empty cell per kind, for [`super::styles::Styles`] to be read from.
const SAMPLE: u32 = 1;

/// The file of the workbook without the tables' rows.
pub(super) fn build(model: &ReportModel, ending: Ending, book: &Book, facts: &Facts) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new(model.manifest.currency_digits);
    let mut workbook = Workbook::new();
    // The run's own clock: the same run gives the same bytes.
    let created = ExcelDateTime::from_timestamp(model.manifest.started_at.epoch_seconds())
        .or_else(|_| ExcelDateTime::from_timestamp(0))?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title(format!("Reconciliation {}", text::plain(&model.manifest.run_id)))
            .set_subject("Stripe and CRM exports against Tether's customers")
            .set_author(format!("tether-recon {}", text::plain(&model.manifest.tool_version)))
            .set_creation_datetime(&created),
    );
    summary::write(workbook.add_worksheet(), &formats, model, ending, book, facts)?;
    for part in &book.parts {
        let colour = match part.table {
            _ if part.rows == 0 => Some(TAB_EMPTY),
            Table::Customers(outcome) if model.needs_a_person(outcome) => Some(TAB_ATTENTION),
            Table::Customers(_) => None,
            _ => Some(TAB_PROOF),
        };
        let sheet = table(workbook.add_worksheet(), part, &formats)?;
        if let Some(colour) = colour {
            sheet.set_tab_color(colour);
        }
        footer(sheet, &model.manifest.run_id);
    }
    workbook.save_to_buffer()
}

/// What stands below every printed page.
pub(super) fn footer(sheet: &mut Worksheet, run_id: &str) {
    // `&` begins a command in a footer; a size needs a blank before a text that begins with a digit.
    let run_id = text::plain(run_id).replace('&', "&&");
    sheet.set_footer(format!("&L&8 {run_id}&C&8 &A&R&8 &P / &N"));
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
}

fn table<'a>(sheet: &'a mut Worksheet, part: &Part, formats: &Formats) -> Result<&'a mut Worksheet, XlsxError> {
    let columns = part.table.columns();
    let last = u16::try_from(columns.len() - 1).unwrap_or(u16::MAX);
    sheet.set_name(&part.name)?;
    for (at, (name, width, kind)) in (0_u16..).zip(columns) {
        let right = matches!(kind, Kind::Money | Kind::Count | Kind::Number);
        let heading = if right { &formats.heading_right } else { &formats.heading_beside };
        sheet.write_string_with_format(0, at, *name, heading)?;
        // Room for the filter's button beside the heading.
        let needed = u8::try_from(name.len()).unwrap_or(u8::MAX).saturating_add(4);
        sheet.set_column_width(at, (*width).max(needed))?;
    }
    for (at, kind) in (0_u16..).zip(Kind::ALL) {
        sheet.write_blank(SAMPLE, at, formats.of(kind))?;
    }
    let bottom = part.last_line() - 1;
    sheet.set_freeze_panes(1, part.table.frozen())?;
    sheet.autofilter(0, 0, bottom, last)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_print_area(0, 0, bottom, u16::try_from(part.table.printed() - 1).unwrap_or(last))?;
    // An id of digits is text on purpose.
    sheet.ignore_error_range(1, 0, bottom, last, IgnoreError::NumberStoredAsText)?;
    Ok(sheet)
}
