//! Parquet files as columns of text: the one reader of damaged and of sound ones.
//!
//! In: a file's bytes. Out: its headings, and wanted columns. Never: bytes that polars has not survived in a process of
//! their own ([`trial`]).

mod ending;
mod trial;
mod tried;

pub use trial::{ARGUMENT as TRIAL_ARGUMENT, Trials};
pub use tried::answer_trial;

use super::LoadError;
use super::columns::normalise;
use super::fault::{Faults, Origin};
use crate::model::{Reason, Rejection};
use crate::table::INSTANT;
use polars::io::SerReader;
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What every Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// What a file says of itself at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Footer {
    /// The names of the columns.
    pub headings: Vec<String>,
    /// Rows that it declares.
    pub rows: u64,
    /// Bytes that it declares for its columns, unpacked.
    unpacked: u64,
}

/// A column to read: its name in the result, and the heading it has in the file (`None`: a column of nulls).
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    name: String,
    heading: Option<String>,
}

/// Runs a reader of Parquet; what is wrong is told in words with what to do. What polars does not refuse, it panics on.
fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .map_err(|panic| {
            // The system's word for a thread that finds no room for its stack, or that is one too many.
            if panic.downcast_ref::<String>().is_some_and(|said| said.contains("could not spawn threads")) {
                "its reader could start no thread; raise [limits] parquet_memory, or the number of processes that this user \
                 may have"
                    .to_owned()
            } else {
                "damaged Parquet, or a type of column that is not read: the reader gave up; write its columns as text, \
                 whole numbers, decimals, instants and booleans"
                    .to_owned()
            }
        })?
        .map_err(|error| {
            let said = error.to_string();
            // Some of polars' codecs hand the allocator's refusal on as an error of the file.
            if said.contains("memory allocation failed") {
                return "damaged Parquet, or a file that unpacks to more memory than its reader may take; export it again, or \
                        raise [limits] parquet_memory if it is right"
                    .to_owned();
            }
            format!("damaged Parquet: {said}; export it again")
        })
}

/// The footer of the file that `bytes` end.
fn footer(bytes: &[u8]) -> Result<Footer, String> {
    guarded(|| {
        let mut reader = ParquetReader::new(Cursor::new(bytes));
        let headings = reader.schema()?.iter_names().map(ToString::to_string).collect();
        let metadata = reader.get_metadata()?;
        let sizes = metadata.row_groups.iter().map(|group| group.total_byte_size() as u64);
        Ok(Footer { headings, rows: metadata.num_rows as u64, unpacked: sizes.fold(0, u64::saturating_add) })
    })
}

/// The end of the file that holds its footer, as far as its length can be believed.
fn footer_bytes(bytes: &[u8]) -> &[u8] {
    const TAIL: usize = 8;
    let Some((_, tail)) = bytes.split_last_chunk::<TAIL>() else { return bytes };
    let [a, b, c, d, ..] = *tail;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    let start = length.checked_add(TAIL).and_then(|length| bytes.len().checked_sub(length)).unwrap_or(0);
    &bytes[start..]
}

/// The names of the columns, once the file's footer is known to be within the limits.
pub(super) fn headings(bytes: &[u8], origin: &Origin<'_>) -> Result<Vec<String>, LoadError> {
    described(bytes, origin).map(|footer| footer.headings)
}

/// What the footer of the file that `bytes` end says, once it is known to be within the limits.
pub(super) fn described(bytes: &[u8], origin: &Origin<'_>) -> Result<Footer, LoadError> {
    let limits = origin.reading.limits;
    let file = || origin.file.to_owned();
    let found = match origin.reading.trials {
        Trials::Process(program) => trial::ask(program, footer_bytes(bytes), None, limits, origin.file)?
            .ok_or_else(|| "its trial answered another question; start the run again".to_owned()),
        #[cfg(test)]
        Trials::Nowhere => footer(bytes),
    };
    let footer = found.map_err(|detail| LoadError::Broken { file: file(), detail })?;
    for (what, found, limit, key) in [
        ("columns", footer.headings.len() as u64, u64::from(limits.columns), "columns"),
        ("rows", footer.rows, u64::from(limits.rows), "rows"),
        ("bytes, unpacked", footer.unpacked, limits.file_bytes, "file_bytes"),
    ] {
        if found > limit {
            return Err(LoadError::TooMuch { file: file(), what, limit, key });
        }
    }
    Ok(footer)
}

/// Reads the columns `wanted` (name in the result, column of the file from 0; `None`: a column of nulls): instants as
/// instants, everything else as text that is trimmed, NFC and never empty. Adds `line` (the row's number from 1) and `file`.
/// Rows with a longer field than the limit are taken out; `id` and `owner` name them.
pub(super) fn read(
    bytes: &[u8],
    headings: &[String],
    wanted: &[(&'static str, Option<usize>)],
    (id, owner): (&str, Option<&str>),
    origin: &Origin<'_>,
) -> Result<(DataFrame, Vec<Rejection>), LoadError> {
    let named: Vec<Wanted> = wanted
        .iter()
        .map(|(name, column)| Wanted {
            name: (*name).to_owned(),
            heading: column.and_then(|column| headings.get(column)).cloned(),
        })
        .collect();
    let broken = |detail: String| LoadError::Broken { file: origin.file.to_owned(), detail };
    match origin.reading.trials {
        Trials::Process(program) => {
            trial::ask(program, bytes, Some(named.clone()), origin.reading.limits, origin.file)?;
        }
        #[cfg(test)]
        Trials::Nowhere => {}
    }
    let frame = frame(bytes, &named).map_err(broken)?;
    let index = origin.index;
    let take_out = |mut frame: DataFrame| -> PolarsResult<(DataFrame, Vec<Rejection>)> {
        let rows = frame.height();
        frame.with_column(Column::new_scalar("file".into(), Scalar::from(index), rows))?;
        let faults = too_long(&frame, &named, origin.reading.limits.field_bytes)?;
        let owner = owner.filter(|owner| frame.column(owner).is_ok_and(|column| column.str().is_ok()));
        faults.reject(frame, origin, id, owner)
    };
    take_out(frame).map_err(|error| LoadError::internal(origin.file, error))
}

/// The rows that hold text of more than `most` bytes.
fn too_long(frame: &DataFrame, wanted: &[Wanted], most: u64) -> PolarsResult<Faults> {
    let mut faults = Faults::default();
    for Wanted { name, heading } in wanted {
        let (Some(heading), Ok(text)) = (heading, frame.column(name)?.str()) else { continue };
        let longer = |text: &str| text.len() as u64 > most;
        for (row, text) in text.iter().enumerate().filter_map(|(row, text)| Some((row, text.filter(|t| longer(t))?))) {
            faults.add(row, Reason::FieldTooLong, || {
                let length = text.len();
                format!("{heading} holds {length} bytes, more than the {most} of [limits] field_bytes")
            });
        }
    }
    Ok(faults)
}

/// The columns `wanted` and `line`.
fn frame(bytes: &[u8], wanted: &[Wanted]) -> Result<DataFrame, String> {
    let mut names: Vec<String> = wanted.iter().filter_map(|column| column.heading.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let frame = guarded(|| ParquetReader::new(Cursor::new(bytes)).with_columns(Some(names)).finish())?;
    let rows = frame.height();
    let build = || -> PolarsResult<DataFrame> {
        let mut columns = Vec::with_capacity(wanted.len() + 2);
        for Wanted { name, heading } in wanted {
            columns.push(match heading {
                Some(heading) => readable(frame.column(heading)?)
                    .map_err(|error| {
                        let dtype = frame.column(heading).map(|column| column.dtype().to_string()).unwrap_or_default();
                        let advice = "write it as text, a number, an instant or a boolean";
                        polars_err!(ComputeError: "column `{heading}` is of the type {dtype}, which is not read ({error}); {advice}")
                    })?
                    .with_name(name.as_str().into()),
                None => Column::full_null(name.as_str().into(), rows, &DataType::String),
            });
        }
        let last = u32::try_from(rows).map_err(|_| polars_err!(ComputeError: "more than {} rows", u32::MAX))?;
        columns.push(UInt32Chunked::from_iter_values("line".into(), 1..=last).into_column());
        DataFrame::new(rows, columns)
    };
    guarded(build)
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
