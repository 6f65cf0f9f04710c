//! Columns as text: money with the currency's digits, instants as ISO 8601 with `Z`, yes and no as `true` and `false`.

use super::amount::push_decimal;
use chrono::{DateTime, Datelike, Timelike};
use polars::prelude::*;
use std::fmt::Write;

/// Any column as text, by its type; money is told apart from counts by the caller (`money`).
pub(super) fn as_text(column: &Column, digits: u8) -> PolarsResult<Column> {
    let name = column.name().clone();
    let text = match column.dtype() {
        DataType::Datetime(TimeUnit::Milliseconds, _) => {
            column.to_physical_repr().i64()?.apply_into_string_amortized(push_instant)
        }
        DataType::Boolean => column
            .bool()?
            .iter()
            .map(|value| value.map(|yes| if yes { "true" } else { "false" }))
            .collect::<StringChunked>(),
        DataType::Int64 => column.i64()?.apply_into_string_amortized(|v, out| push_decimal(v.into(), digits, out)),
        DataType::Int128 => column.i128()?.apply_into_string_amortized(|v, out| push_decimal(v, digits, out)),
        _ => return Ok(column.clone()),
    };
    Ok(text.with_name(name).into_column())
}

/// Every money (64 and 128 bit), instant and boolean column of `frame` as text. Counts are 32 bit in these tables.
pub(super) fn frame_as_text(frame: &DataFrame, digits: u8) -> PolarsResult<DataFrame> {
    let columns = frame.columns().iter().map(|column| as_text(column, digits)).collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), columns)
}

/// Milliseconds since 1970 as `2026-11-01T00:00:00Z`.
pub(super) fn instant(millis: i64) -> String {
    let mut text = String::new();
    push_instant(millis, &mut text);
    text
}

/// As [`instant`], appended. Written by hand: a format string costs four times as much, and
/// a report holds millions.
pub(super) fn push_instant(millis: i64, out: &mut String) {
    let Some(time) = DateTime::from_timestamp_millis(millis) else { return };
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
}
