//! The summary's cells, line by line, and the checks among them.

use super::super::columns::{Table, letters};
use super::super::styles::Formats;
use super::super::{cells, text};
use crate::model::Instant;
use crate::report::amount::{decimal, fixed};
use num_bigint::BigInt;
use num_rational::BigRational;
use rust_xlsxwriter::{ConditionalFormatCell, ConditionalFormatCellRule, Format, Formula, Url, Worksheet, XlsxError};

/// How many characters fit on a line of the page.
const LINE: usize = 210;

/// The page while it is written from top to bottom.
pub(super) struct Page<'a> {
    sheet: &'a mut Worksheet,
    pub(super) formats: &'a Formats,
    pub(super) digits: u8,
    /// Whether sums of money fit into a number.
    pub(super) provable: bool,
    row: u32,
}

/// Cells that must be 0, and by how much they are not: counts in whole, amounts in minor units.
#[derive(Debug, Default)]
pub(super) struct Checks {
    cells: Vec<String>,
    /// The sum of what they are off by.
    off: i128,
}

/// The one cell over the checks of a block.
pub(super) struct Subtotal {
    address: String,
    off: i128,
}

impl<'a> Page<'a> {
    pub(super) fn new(sheet: &'a mut Worksheet, formats: &'a Formats, digits: u8, provable: bool) -> Self {
        Self { sheet, formats, digits, provable, row: 0 }
    }

    /// The current row, from 0.
    pub(super) fn row(&self) -> u32 {
        self.row
    }

    pub(super) fn next(&mut self) {
        self.row += 1;
    }

    pub(super) fn blank(&mut self) {
        self.row += 1;
    }

    /// The address of a cell of the current row: `B12`.
    pub(super) fn here(&self, column: u16) -> String {
        address(self.row, column)
    }

    pub(super) fn text(&mut self, column: u16, words: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, column, text::plain(words), format)?;
        Ok(())
    }

    /// A line of text over the whole width; a long one takes as many lines as it needs.
    pub(super) fn line(&mut self, words: &str, format: &Format) -> Result<(), XlsxError> {
        let words = text::plain(words);
        let lines = words.chars().count().div_ceil(LINE);
        if lines > 1 {
            let wrapped = format.clone().set_text_wrap();
            self.sheet.merge_range(self.row, 0, self.row, super::WIDTH - 1, &words, &wrapped)?;
            // No row is higher than 409 points.
            self.sheet.set_row_height(self.row, u32::try_from(lines * 16).unwrap_or(u32::MAX).min(400))?;
        } else {
            self.sheet.write_string_with_format(self.row, 0, words, format)?;
        }
        self.row += 1;
        Ok(())
    }

    /// A label and a text.
    pub(super) fn pair(&mut self, label: &str, value: &str) -> Result<(), XlsxError> {
        let formats = self.formats;
        self.text(0, label, &formats.label)?;
        self.text(1, value, &formats.text)?;
        self.next();
        Ok(())
    }

    /// The heading of a block, ruled over `width` columns.
    pub(super) fn section(&mut self, title: &str, width: u16) -> Result<(), XlsxError> {
        let formats = self.formats;
        self.text(0, title, &formats.section)?;
        for column in 1..width {
            self.sheet.write_blank(self.row, column, &formats.section)?;
        }
        self.next();
        Ok(())
    }

    /// The headings of a table; those of the columns `right` stand over numbers.
    pub(super) fn headings(&mut self, names: &[&str], right: std::ops::Range<usize>) -> Result<(), XlsxError> {
        let formats = self.formats;
        for (at, name) in names.iter().enumerate() {
            let format = match at {
                _ if right.contains(&at) => &formats.heading_right,
                0 => &formats.heading,
                _ => &formats.heading_beside,
            };
            self.text(u16::try_from(at).unwrap_or(u16::MAX), name, format)?;
        }
        self.next();
        Ok(())
    }

    /// A link to a table's first sheet.
    pub(super) fn link(&mut self, column: u16, words: &str, table: Table) -> Result<(), XlsxError> {
        let url = Url::new(format!("internal:'{}'!A1", table.name())).set_text(words);
        let format = if column == 0 { &self.formats.link } else { &self.formats.link_beside };
        self.sheet.write_url_with_format(self.row, column, url, format)?;
        Ok(())
    }

    pub(super) fn instant(&mut self, column: u16, instant: Instant) -> Result<(), XlsxError> {
        let formats = self.formats;
        match cells::serial(instant.epoch_millis()) {
            Some(serial) => {
                self.sheet.write_number_with_format(self.row, column, serial, &formats.instant)?;
                Ok(())
            }
            None => self.text(column, &instant.to_string(), &formats.text),
        }
    }

    /// A plain decimal as a number, where a number keeps its digits.
    pub(super) fn number(&mut self, column: u16, plain: impl AsRef<str>, format: &Format) -> Result<(), XlsxError> {
        let plain = plain.as_ref();
        match plain.parse::<f64>() {
            Ok(number) if cells::is_number(plain) => {
                self.sheet.write_number_with_format(self.row, column, number, format)?;
            }
            _ => {
                self.sheet.write_string_with_format(self.row, column, plain, format)?;
            }
        }
        Ok(())
    }

    /// Minor units as a number.
    pub(super) fn money(&mut self, column: u16, minor: i128, format: &Format) -> Result<(), XlsxError> {
        self.number(column, decimal(minor, self.digits), format)
    }

    /// A formula and what it comes to.
    pub(super) fn formula(
        &mut self,
        column: u16,
        formula: &str,
        result: impl Into<String>,
        format: &Format,
    ) -> Result<(), XlsxError> {
        let formula = Formula::new(format!("={formula}")).set_result(result);
        self.sheet.write_formula_with_format(self.row, column, formula, format)?;
        Ok(())
    }

    /// As [`Page::formula`], in minor units.
    pub(super) fn sum(&mut self, column: u16, formula: &str, minor: i128, format: &Format) -> Result<(), XlsxError> {
        self.formula(column, formula, decimal(minor, self.digits), format)
    }

    /// A cell that must be 0 and is `off`, a plain decimal of whole or minor units as `digits` say.
    fn zero(&mut self, column: u16, formula: &str, off: i128, digits: u8) -> Result<(), XlsxError> {
        let formats = self.formats;
        let formula = format!("ROUND({formula},{digits})");
        self.formula(column, &formula, decimal(off, digits), &formats.check)?;
        self.sheet.add_conditional_format(self.row, column, self.row, column, &wrong(formats))?;
        Ok(())
    }

    /// A count that must be 0.
    pub(super) fn zero_count(
        &mut self,
        column: u16,
        formula: &str,
        off: i128,
        checks: &mut Checks,
    ) -> Result<(), XlsxError> {
        checks.cells.push(self.here(column));
        checks.off += off.abs() * 10_i128.pow(self.digits.into());
        self.zero(column, formula, off, 0)
    }

    /// An amount that must be 0; left empty where sums of money are too wide for a number.
    pub(super) fn zero_money(
        &mut self,
        column: u16,
        formula: &str,
        off: i128,
        checks: &mut Checks,
    ) -> Result<(), XlsxError> {
        if !self.provable {
            return Ok(());
        }
        checks.cells.push(self.here(column));
        checks.off += off.abs();
        self.zero(column, formula, off, self.digits)
    }

    /// Writes at `row`, and goes on where the page stood.
    pub(super) fn at<T>(&mut self, row: u32, write: impl FnOnce(&mut Self) -> T) -> T {
        let below = std::mem::replace(&mut self.row, row);
        let written = write(self);
        self.row = below;
        written
    }

    /// A fraction of minor units in major units, with four digits more than the currency has where it needs them and a
    /// number keeps them.
    pub(super) fn exact_text(&self, minor: &BigRational) -> String {
        let major = minor / BigRational::from_integer(BigInt::from(10).pow(self.digits.into()));
        let whole = major.to_integer().to_string().trim_start_matches('-').len();
        let least = usize::from(self.digits);
        let places = 15_usize.saturating_sub(whole).clamp(least, least + 4);
        let text = fixed(&major, places);
        let shortest = text.len() - (places - least);
        let kept = text.trim_end_matches('0').len().max(shortest);
        text[..kept].trim_end_matches('.').to_owned()
    }

    /// Such a fraction as a number.
    pub(super) fn exact(&mut self, column: u16, minor: &BigRational) -> Result<(), XlsxError> {
        let formats = self.formats;
        self.number(column, self.exact_text(minor), &formats.exact)
    }

    /// One cell over all of `checks`, in the current row.
    pub(super) fn subtotal(&mut self, column: u16, checks: &Checks) -> Result<Subtotal, XlsxError> {
        let terms: Vec<String> = checks.cells.iter().map(|cell| format!("ABS({cell})")).collect();
        let formula = if terms.is_empty() { "0".to_owned() } else { terms.join("+") };
        self.zero(column, &formula, checks.off, self.digits)?;
        Ok(Subtotal { address: self.here(column), off: checks.off })
    }

    /// The cell over the checks of every block, at `row`, and beside it what it means.
    pub(super) fn master(&mut self, row: u32, subtotals: &[Subtotal]) -> Result<(), XlsxError> {
        let formats = self.formats;
        let terms: Vec<_> = subtotals.iter().map(|subtotal| format!("ABS({})", subtotal.address)).collect();
        let off: i128 = subtotals.iter().map(|subtotal| subtotal.off.abs()).sum();
        let [fine, bad] = ["every check is 0", "a check is not 0: do not sign before you know why"];
        let said = if off == 0 { fine } else { bad };
        self.at(row, |page| {
            page.zero(1, &terms.join("+"), off, page.digits)?;
            let cell = page.here(1);
            page.formula(2, &format!("IF({cell}=0,\"{fine}\",\"{bad}\")"), said, &formats.beside)
        })
    }
}

/// The address of a cell: `B12`.
pub(super) fn address(row: u32, column: u16) -> String {
    format!("{}{}", letters(column.into()), row + 1)
}

fn wrong(formats: &Formats) -> ConditionalFormatCell {
    ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::NotEqualTo(0)).set_format(&formats.wrong)
}
