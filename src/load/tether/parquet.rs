//! Existing customers as Parquet: one column per member of the vendor's customer object.

use super::{MEMBERS, RawExisting};
use crate::load::LoadError;
use crate::load::fault::Origin;
use crate::table::INSTANT;
use polars::io::SerReader;
use polars::prelude::*;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads the file's known columns; the `line` of a row is its number from 1.
pub(super) fn read(bytes: &[u8], origin: &Origin<'_>) -> Result<RawExisting, LoadError> {
    let broken = |detail: String| LoadError::Broken { file: origin.file.to_owned(), detail };
    // A damaged file must not take the run down: what the reader does not refuse by itself, it panics on.
    let frame = catch_unwind(AssertUnwindSafe(|| columns(bytes)))
        .map_err(|_| broken("damaged Parquet: the reader gave up; export it again".to_owned()))?
        .map_err(|error| broken(format!("damaged Parquet: {error}; export it again")))?;
    let Some(frame) = frame else {
        let detail = format!("none of its columns is a member of Tether's customer: {}", MEMBERS.join(", "));
        return Err(LoadError::Unrecognised { file: origin.file.to_owned(), detail });
    };
    let rows = frame.height();
    let build = || -> PolarsResult<DataFrame> {
        let mut columns = Vec::with_capacity(MEMBERS.len() + 1);
        for member in MEMBERS {
            columns.push(match frame.column(member) {
                Ok(column) => readable(column)?,
                Err(_) => Column::full_null(member.into(), rows, &DataType::String),
            });
        }
        let last = u32::try_from(rows).map_err(|_| polars_err!(ComputeError: "more than {} rows", u32::MAX))?;
        columns.push(UInt32Chunked::from_iter_values("line".into(), 1..=last).into_column());
        DataFrame::new(rows, columns)
    };
    let frame = build().map_err(|error| broken(format!("a column has a type that is not read: {error}")))?;
    Ok(RawExisting {
        frame,
        rejections: Vec::new(),
        breaks: Vec::new(),
        rows: rows as u64,
        shape: "existing Tether customers (Parquet)",
        encoding: None,
    })
}

fn columns(bytes: &[u8]) -> PolarsResult<Option<DataFrame>> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let schema = reader.schema()?;
    let known: Vec<String> =
        MEMBERS.iter().filter(|member| schema.contains(member)).map(|member| (*member).to_owned()).collect();
    if known.is_empty() {
        return Ok(None);
    }
    reader.with_columns(Some(known)).finish().map(Some)
}

/// Text, or an instant in the tables' type; everything else as the text that it prints as.
fn readable(column: &Column) -> PolarsResult<Column> {
    match column.dtype() {
        DataType::String => Ok(column.clone()),
        DataType::Datetime(..) => {
            let millis = column.cast(&INSTANT)?;
            let seconds = millis.datetime()?.physical().apply_values(|millis| millis - millis.rem_euclid(1000));
            seconds.into_column().cast(&INSTANT)
        }
        _ => column.strict_cast(&DataType::String),
    }
}
