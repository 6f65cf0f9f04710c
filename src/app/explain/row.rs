//! One row of a frame, read by the names of its columns: an explanation is about a few rows.

use super::explanation::Line;
use crate::model::{InputFile, Instant, Money};
use polars::prelude::*;
use std::collections::BTreeSet;

/// One row of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    frame: &'a DataFrame,
    row: usize,
}

/// Every row of `frame`.
pub(super) fn rows(frame: &DataFrame) -> impl Iterator<Item = Row<'_>> {
    (0..frame.height()).map(move |row| Row { frame, row })
}

impl Row<'_> {
    /// A text.
    pub fn text(&self, column: &str) -> PolarsResult<Option<String>> {
        Ok(self.frame.column(column)?.str()?.get(self.row).map(str::to_owned))
    }

    /// A text that is never null.
    pub fn word(&self, column: &str) -> PolarsResult<String> {
        Ok(self.text(column)?.unwrap_or_default())
    }

    /// A number: an `ord`, a customer, a line.
    pub fn number(&self, column: &str) -> PolarsResult<Option<u32>> {
        Ok(self.frame.column(column)?.u32()?.get(self.row))
    }

    /// A list of texts.
    pub fn texts(&self, column: &str) -> PolarsResult<Vec<String>> {
        let list = self.frame.column(column)?.list()?.get_as_series(self.row);
        let Some(list) = list else { return Ok(vec![]) };
        Ok(list.str()?.iter().flatten().map(str::to_owned).collect())
    }

    /// Any value as `customers.csv` writes it; whole numbers of 64 bits are money.
    pub fn shown(&self, column: &str, digits: u8) -> PolarsResult<Option<String>> {
        Ok(match self.frame.column(column)?.get(self.row)? {
            AnyValue::String(text) => Some(text.to_owned()),
            AnyValue::StringOwned(text) => Some(text.to_string()),
            AnyValue::Boolean(yes) => Some(yes.to_string()),
            AnyValue::Int64(minor) => Some(Money::new(minor, digits).to_string()),
            AnyValue::Datetime(millis, ..) | AnyValue::DatetimeOwned(millis, ..) => {
                Instant::from_epoch_seconds(millis.div_euclid(1000)).map(|at| at.to_string())
            }
            _ => None,
        })
    }

    /// Where the row stands, by `file` and `line`.
    pub fn place(&self, files: &[InputFile]) -> PolarsResult<Option<Line>> {
        let file = self.number("file")?.and_then(|file| files.get(file as usize));
        let line = u64::from(self.number("line")?.unwrap_or_default());
        Ok(file.map(|file| Line { file: file.path.clone(), line }))
    }
}

/// Rows whose text in `column` is one of `texts`; a null is none of them.
pub(super) fn is_text<'t>(column: &str, texts: impl IntoIterator<Item = &'t str>) -> Expr {
    let texts: Vec<&str> = texts.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    col(column).is_in(lit(Series::new("".into(), texts)).implode(false), false).fill_null(lit(false))
}

/// Rows whose number in `column` is one of `numbers`.
pub(super) fn is_number(column: &str, numbers: impl IntoIterator<Item = u32>) -> Expr {
    let numbers: Vec<u32> = numbers.into_iter().collect();
    col(column).is_in(lit(Series::new("".into(), numbers)).implode(false), false).fill_null(lit(false))
}

/// The rows that fit.
pub(super) fn pick(frame: &DataFrame, condition: Expr) -> PolarsResult<DataFrame> {
    frame.clone().lazy().filter(condition).collect()
}
