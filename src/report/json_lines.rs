//! JSON Lines: the CSV files' rows for programs, every value as what it is and every text as it was.

use super::ReportError;
use super::files::SLICE;
use super::text::push_instant;
use polars::prelude::*;
use std::io::Write;

/// Columns that hold a list, joined by `;`.
const LISTS: [&str; 3] = ["stripe_customer_ids", "changed_fields", "held_back"];

/// The column that holds Tether's number as it wrote it.
const NUMBER: &str = "health_score";

/// How much text is made before it is written.
const PIECE: usize = 1 << 20;

/// Writes what `shape` makes of `frame`, one object per row. What is absent is left out.
pub(super) fn write(
    frame: &DataFrame,
    out: &mut dyn Write,
    shape: impl Fn(&DataFrame) -> PolarsResult<DataFrame>,
) -> Result<(), ReportError> {
    let failed = |error: std::io::Error| ReportError::from(PolarsError::from(error));
    let mut text = Vec::with_capacity(PIECE + (1 << 16));
    let mut offset = 0;
    while offset < frame.height() {
        let part = shape(&frame.slice(i64::try_from(offset).unwrap_or(i64::MAX), SLICE))?;
        let members = part.columns().iter().map(Member::of).collect::<PolarsResult<Vec<_>>>()?;
        // Row by row, since lines are: polars' own writer is a feature that nothing else needs.
        for row in 0..part.height() {
            let start = text.len();
            for member in &members {
                member.push(row, start, &mut text);
            }
            text.extend_from_slice(if text.len() == start { b"{}\n" } else { b"}\n" });
            if text.len() >= PIECE {
                out.write_all(&text).map_err(failed)?;
                text.clear();
            }
        }
        offset += SLICE;
    }
    out.write_all(&text).map_err(failed)
}

/// One column as a member of the objects.
struct Member {
    /// `"name":`
    name: Vec<u8>,
    values: Values,
}

enum Values {
    Text(StringChunked),
    List(StringChunked),
    Number(StringChunked),
    Whole(Int64Chunked),
    Wide(Int128Chunked),
    Instant(Int64Chunked),
    YesNo(BooleanChunked),
}

impl Member {
    fn of(column: &Column) -> PolarsResult<Self> {
        // One chunk: a row is found without a search.
        let column = column.rechunk();
        let values = match column.dtype() {
            DataType::String if LISTS.contains(&column.name().as_str()) => Values::List(column.str()?.clone()),
            DataType::String if column.name() == NUMBER => Values::Number(column.str()?.clone()),
            DataType::String => Values::Text(column.str()?.clone()),
            DataType::Boolean => Values::YesNo(column.bool()?.clone()),
            DataType::Datetime(..) => Values::Instant(column.to_physical_repr().i64()?.clone()),
            DataType::Int128 => Values::Wide(column.i128()?.clone()),
            _ => Values::Whole(column.strict_cast(&DataType::Int64)?.i64()?.clone()),
        };
        Ok(Self { name: format!("\"{}\":", column.name()).into_bytes(), values })
    }

    /// Appends the member of `row`, unless it is absent; the object begins at `start`.
    fn push(&self, row: usize, start: usize, out: &mut Vec<u8>) {
        let begin = |out: &mut Vec<u8>| {
            out.push(if out.len() == start { b'{' } else { b',' });
            out.extend_from_slice(&self.name);
        };
        match &self.values {
            Values::Text(texts) => {
                if let Some(text) = texts.get(row) {
                    begin(out);
                    push_text(text, out);
                }
            }
            Values::Number(numbers) => {
                if let Some(number) = numbers.get(row) {
                    begin(out);
                    out.extend_from_slice(number.as_bytes());
                }
            }
            Values::List(lists) => {
                if let Some(list) = lists.get(row) {
                    begin(out);
                    let mut next = b'[';
                    for text in list.split(';').filter(|text| !text.is_empty()) {
                        out.push(next);
                        push_text(text, out);
                        next = b',';
                    }
                    out.extend_from_slice(if next == b'[' { b"[]" } else { b"]" });
                }
            }
            Values::Whole(numbers) => {
                if let Some(number) = numbers.get(row) {
                    begin(out);
                    push_number(number, out);
                }
            }
            Values::Wide(numbers) => {
                if let Some(number) = numbers.get(row) {
                    begin(out);
                    push_number(number, out);
                }
            }
            Values::Instant(instants) => {
                if let Some(millis) = instants.get(row) {
                    begin(out);
                    let mut text = String::new();
                    push_instant(millis, &mut text);
                    push_text(&text, out);
                }
            }
            Values::YesNo(values) => {
                if let Some(yes) = values.get(row) {
                    begin(out);
                    out.extend_from_slice(if yes { b"true" } else { b"false" });
                }
            }
        }
    }
}

fn push_number(number: impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{number}");
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    // A text can always be written as JSON, and memory takes it.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::write;
    use polars::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn every_value_is_what_it_is_and_what_is_absent_is_left_out() {
        let frame = DataFrame::new_infer_height(vec![
            Column::new("email".into(), [Some("=1+1\n\"\u{1}\u{2028}"), None, Some("")]),
            Column::new("changed_fields".into(), [Some("email;mrr"), None, Some("")]),
            Column::new("mrr_before".into(), [Some(-120_000_i64), None, Some(0)]),
            Column::new("mrr_delta".into(), [Some(i128::MAX), None, Some(0)]),
            Column::new("health_score".into(), [Some("74.50"), None, Some("0")]),
            Column::new("attempts".into(), [Some(3_u32), None, Some(0)]),
            Column::new("sent".into(), [Some(true), None, Some(false)]),
            Column::new("period_end".into(), [Some(1_796_083_200_000_i64), None, None])
                .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
                .unwrap(),
        ])
        .unwrap();
        let mut out = Vec::new();
        write(&frame, &mut out, |part| Ok(part.clone())).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("170141183460469231731687303715884105727"), "{text}");
        let text = text.replace("170141183460469231731687303715884105727", "1");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines,
            [
                json!({
                    "email": "=1+1\n\"\u{1}\u{2028}", "changed_fields": ["email", "mrr"], "mrr_before": -120_000,
                    "mrr_delta": 1, "health_score": 74.5, "attempts": 3, "sent": true, "period_end": "2026-12-01T00:00:00Z"
                }),
                json!({}),
                json!({ "email": "", "changed_fields": [], "mrr_before": 0, "mrr_delta": 0, "health_score": 0, "attempts": 0, "sent": false }),
            ]
        );
    }

    #[test]
    fn without_a_row_there_is_no_line() {
        let frame = DataFrame::new_infer_height(vec![Column::new("a".into(), Vec::<i64>::new())]).unwrap();
        let mut out = Vec::new();
        write(&frame, &mut out, |part| Ok(part.clone())).unwrap();
        assert!(out.is_empty());
    }
}
