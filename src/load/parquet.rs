//! Parquet files as columns of text: the one reader of damaged and of sound ones.

use super::LoadError;
use super::columns::normalise;
use crate::table::INSTANT;
use polars::io::SerReader;
use polars::prelude::*;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What every Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// Runs a reader of Parquet. A damaged file must not take the run down: what polars does not refuse, it panics on.
fn guarded<T>(file: &str, read: impl FnOnce() -> PolarsResult<T>) -> Result<T, LoadError> {
    let broken = |detail: String| LoadError::Broken { file: file.to_owned(), detail };
    catch_unwind(AssertUnwindSafe(read))
        .map_err(|_| {
            let advice = "write its columns as text, whole numbers, decimals, instants and booleans";
            broken(format!("damaged Parquet, or a type of column that is not read: the reader gave up; {advice}"))
        })?
        .map_err(|error| broken(format!("damaged Parquet: {error}; export it again")))
}

/// The names of the columns.
pub(super) fn headings(bytes: &[u8], file: &str) -> Result<Vec<String>, LoadError> {
    guarded(file, || {
        let schema = ParquetReader::new(Cursor::new(bytes)).schema()?;
        Ok(schema.iter_names().map(ToString::to_string).collect())
    })
}

/// Reads the columns `wanted` (name in the result, column of the file from 0; `None`: a column of nulls): instants as
/// instants, everything else as text that is trimmed, NFC and never empty. Adds `line` (the row's number from 1) and `file`.
pub(super) fn read(
    bytes: &[u8],
    headings: &[String],
    wanted: &[(&'static str, Option<usize>)],
    file: &str,
    index: u32,
) -> Result<DataFrame, LoadError> {
    let mut names: Vec<String> = wanted.iter().filter_map(|(_, column)| headings.get((*column)?).cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let frame = guarded(file, || ParquetReader::new(Cursor::new(bytes)).with_columns(Some(names)).finish())?;
    let rows = frame.height();
    let build = || -> PolarsResult<DataFrame> {
        let mut columns = Vec::with_capacity(wanted.len() + 2);
        for (name, column) in wanted {
            let found = column.and_then(|column| headings.get(column));
            columns.push(match found {
                Some(heading) => readable(frame.column(heading)?)
                    .map_err(|error| {
                        let dtype = frame.column(heading).map(|column| column.dtype().to_string()).unwrap_or_default();
                        let advice = "write it as text, a number, an instant or a boolean";
                        polars_err!(ComputeError: "column `{heading}` is of the type {dtype}, which is not read ({error}); {advice}")
                    })?
                    .with_name((*name).into()),
                None => Column::full_null((*name).into(), rows, &DataType::String),
            });
        }
        let last = u32::try_from(rows).map_err(|_| polars_err!(ComputeError: "more than {} rows", u32::MAX))?;
        columns.push(UInt32Chunked::from_iter_values("line".into(), 1..=last).into_column());
        columns.push(Column::new_scalar("file".into(), Scalar::from(index), rows));
        DataFrame::new(rows, columns)
    };
    build().map_err(|error| LoadError::Broken { file: file.to_owned(), detail: error.to_string() })
}

/// An instant in the tables' type, whole seconds; everything else as the text that it prints as.
fn readable(column: &Column) -> PolarsResult<Column> {
    match column.dtype() {
        DataType::Datetime(..) | DataType::Date => {
            let millis = column.cast(&INSTANT)?;
            let seconds = millis.datetime()?.physical().apply_values(|millis| millis - millis.rem_euclid(1000));
            seconds.into_column().cast(&INSTANT)
        }
        // A list of ids, as text files write it.
        DataType::List(inner) if **inner == DataType::String => {
            let joined =
                column.clone().into_frame().lazy().select([col(column.name().clone()).list().join(lit(","), true)]);
            Ok(joined.collect()?.columns()[0].clone())
        }
        DataType::String => Ok(normalise(column.str()?).into_column()),
        _ => Ok(normalise(column.strict_cast(&DataType::String)?.str()?).into_column()),
    }
}
