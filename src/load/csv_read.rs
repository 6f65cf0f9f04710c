//! Checked CSV text → the wanted columns as normalised text, read by polars.

use super::LoadError;
use super::columns::{map, normalise};
use super::csv_body::write_row;
use super::csv_check::{Checked, NotCsv, check};
use super::fault::Origin;
use super::headings::{cut, folded};
use super::text::Decoded;
use polars::io::SerReader;
use polars::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::Cursor;

/// A file's text as a checked table.
pub(super) fn open<'t>(
    decoded: &'t Decoded<'_>,
    origin: &Origin<'_>,
    recognise: &dyn Fn(&[String]) -> bool,
) -> Result<Checked<'t>, LoadError> {
    let limits = origin.reading.limits;
    let file = origin.file.to_owned();
    let broken = |detail: String| LoadError::Broken { file: origin.file.to_owned(), detail };
    let too_much = |file, what, limit, key| LoadError::TooMuch { file, what, limit, key };
    check(&decoded.text, decoded.lossy, limits, recognise).map_err(|error| match error {
        NotCsv::Empty => LoadError::Empty { file },
        NotCsv::TooManyColumns => too_much(file, "columns", limits.columns.into(), "columns"),
        NotCsv::TooManyRows => too_much(file, "rows", limits.rows.into(), "rows"),
        NotCsv::RowsAbove { line, headings } => broken(format!(
            "line {line} looks like a row, and the headings stand below it on line {headings}; put the headings first"
        )),
        NotCsv::OpenHeading { line } => broken(format!(
            "line {line}: a quote in the headings is not closed before the rows begin; correct the headings, or export it again"
        )),
        NotCsv::LongHeading => too_much(file, "bytes in one heading", limits.field_bytes, "field_bytes"),
    })
}

/// Refuses a file in which one of the `wanted` columns has a namesake: which of them is meant cannot be known.
fn refuse_namesakes(
    checked: &Checked<'_>,
    wanted: &[(&'static str, Option<usize>)],
    shown: &str,
) -> Result<(), LoadError> {
    let columns: BTreeSet<usize> = wanted.iter().filter_map(|(_, column)| *column).collect();
    let meant: HashMap<String, usize> =
        columns.into_iter().rev().map(|column| (folded(&checked.headings[column]), column)).collect();
    for (column, heading) in checked.headings.iter().enumerate().filter(|(_, heading)| !heading.is_empty()) {
        if let Some(&other) = meant.get(&folded(heading))
            && other != column
        {
            return Err(LoadError::DuplicateHeading {
                file: shown.to_owned(),
                line: checked.heading_line,
                heading: cut(&checked.headings[other.max(column)]),
                first: other.min(column) + 1,
                second: other.max(column) + 1,
            });
        }
    }
    Ok(())
}

/// Reads the columns `wanted` (name in the result, column of the file from 0; `None`: a column of nulls) as text that is
/// trimmed, NFC and never empty, and adds `line` and `file`.
pub(super) fn read(
    checked: &Checked<'_>,
    wanted: &[(&'static str, Option<usize>)],
    shown: &str,
    file: u32,
) -> Result<DataFrame, LoadError> {
    refuse_namesakes(checked, wanted, shown)?;
    let rows = checked.lines.len();
    let mut projection: Vec<usize> = wanted.iter().filter_map(|(_, column)| *column).collect();
    projection.sort_unstable();
    projection.dedup();
    let frame = match parse(&checked.body, checked, &projection) {
        Ok(frame) if frame.height() == rows => frame,
        // The dialects differ somewhere after all: every row is written anew in the one form that all readers share.
        _ => {
            let body = canonical(checked);
            let frame = parse(&body, checked, &projection).map_err(|error| LoadError::internal(shown, error))?;
            if frame.height() != rows {
                let detail = format!("the structural pass found {rows} rows, polars {}", frame.height());
                return Err(LoadError::internal(shown, detail));
            }
            frame
        }
    };
    let build = || -> PolarsResult<DataFrame> {
        let mut columns = Vec::with_capacity(wanted.len() + 2);
        for (name, column) in wanted {
            columns.push(match column {
                Some(index) => {
                    let text = frame.column(&index.to_string())?.str()?;
                    // One line end in all values, whatever ends the file's lines: else a name would change with its export.
                    let text = if checked.spans_lines { with_line_feeds(text) } else { text.clone() };
                    normalise(&text).with_name((*name).into()).into_column()
                }
                None => Column::full_null((*name).into(), rows, &DataType::String),
            });
        }
        columns.push(Column::new("line".into(), checked.lines.as_slice()));
        columns.push(Column::new_scalar("file".into(), Scalar::from(file), rows));
        DataFrame::new(rows, columns)
    };
    build().map_err(|error| LoadError::internal(shown, error))
}

fn with_line_feeds(text: &StringChunked) -> StringChunked {
    map(text, |value| {
        Some(match memchr::memchr(b'\r', value.as_bytes()) {
            Some(_) => Cow::Owned(value.replace("\r\n", "\n")),
            None => Cow::Borrowed(value),
        })
    })
}

/// Columns are named by their number: headings may be blank.
fn parse(body: &[u8], checked: &Checked<'_>, projection: &[usize]) -> PolarsResult<DataFrame> {
    let schema: Schema =
        (0..checked.headings.len()).map(|index| Field::new(index.to_string().into(), DataType::String)).collect();
    if body.is_empty() {
        return Ok(DataFrame::empty_with_schema(&schema));
    }
    CsvReadOptions::default()
        .with_has_header(false)
        .with_infer_schema_length(Some(0))
        .with_schema(Some(Arc::new(schema)))
        // polars needs one column at least.
        .with_projection(Some(Arc::new(if projection.is_empty() { vec![0] } else { projection.to_vec() })))
        .with_parse_options(CsvParseOptions::default().with_separator(checked.separator))
        .into_reader_with_file_handle(Cursor::new(body))
        .finish()
}

/// Every clean row, every field quoted. A loop over rows, since it only runs where the readers disagreed.
fn canonical(checked: &Checked<'_>) -> Vec<u8> {
    let mut body = Vec::with_capacity(checked.body.len() * 2);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(checked.separator)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(&*checked.body);
    let mut record = csv::ByteRecord::new();
    while matches!(reader.read_byte_record(&mut record), Ok(true)) {
        let fields: Vec<&[u8]> = record.iter().collect();
        body.extend(write_row(&fields, checked.separator));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::{canonical, parse, read};
    use crate::config::Limits;
    use crate::load::csv_check::check;
    use proptest::prelude::*;

    #[test]
    fn rows_written_anew_read_like_the_rows_themselves() {
        let text = "a,b\n1,\"x\ny\"\n2,\"say \"\"hi\"\"\"\n3,z\n";
        let checked = check(text, false, &Limits::default(), &|_| true).ok().unwrap();
        let (plain, anew) = (parse(&checked.body, &checked, &[0, 1]), parse(&canonical(&checked), &checked, &[0, 1]));
        assert!(plain.unwrap().equals_missing(&anew.unwrap()));
    }

    proptest! {
        #[test]
        fn polars_and_the_structural_pass_see_the_same_fields(rows in "[ab,;\"\r\n ]{0,60}") {
            let text = format!("h1,h2\n{rows}");
            let checked = check(&text, false, &Limits::default(), &|_| true).ok().unwrap();
            let frame = read(&checked, &[("h1", Some(0)), ("h2", Some(1))], "x.csv", 0).unwrap();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .terminator(csv::Terminator::Any(b'\n'))
                .from_reader(&*checked.body);
            let cell = |name: &str, row: usize| {
                frame.column(name).unwrap().str().unwrap().get(row).unwrap_or_default().to_owned()
            };
            let mut row = 0;
            for record in reader.records() {
                let record = record.unwrap();
                prop_assert_eq!(record.len(), checked.headings.len());
                prop_assert_eq!(cell("h1", row), record[0].trim().replace("\r\n", "\n"));
                prop_assert_eq!(cell("h2", row), record[1].trim().replace("\r\n", "\n"));
                row += 1;
            }
            prop_assert_eq!(row, frame.height());
        }
    }
}
