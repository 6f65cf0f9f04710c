//! The hash of what baselines say, whatever bytes their files are made of. Pure.

use super::BaselineError;
use crate::model::hex;
use crate::table::Existing;
use polars::prelude::*;
use sha2::{Digest, Sha256};

/// Columns that say where a row was read, not what Tether holds.
pub(super) const PLACE: [&str; 3] = ["ord", "file", "line"];

/// SHA-256, lower-case hexadecimal, over products and their rows, in the order given; a product without a baseline
/// counts as such, and differs from one whose baseline is empty.
pub fn hash<'a>(loaded: impl IntoIterator<Item = (&'a str, Option<&'a Existing>)>) -> Result<String, BaselineError> {
    let mut sink = Sink { digest: Sha256::new(), buffer: Vec::with_capacity(Sink::FULL + 4096) };
    for (product, rows) in loaded {
        sink.text(Some(product));
        let Some(rows) = rows else {
            sink.number(None);
            continue;
        };
        sink.number(i64::try_from(rows.len()).ok());
        for column in rows.frame().columns().iter().filter(|column| !PLACE.contains(&column.name().as_str())) {
            sink.text(Some(column.name()));
            match column.dtype() {
                DataType::String => column.str()?.iter().for_each(|value| sink.text(value)),
                DataType::Boolean => column.bool()?.iter().for_each(|value| sink.number(value.map(i64::from))),
                _ => column.cast(&DataType::Int64)?.i64()?.iter().for_each(|value| sink.number(value)),
            }
        }
    }
    Ok(sink.finish())
}

/// Values in an unambiguous form: a mark for presence, the length of a text, its bytes.
struct Sink {
    digest: Sha256,
    buffer: Vec<u8>,
}

impl Sink {
    const FULL: usize = 1 << 16;

    fn text(&mut self, value: Option<&str>) {
        self.number(value.map(|text| i64::try_from(text.len()).unwrap_or(i64::MAX)));
        self.buffer.extend_from_slice(value.unwrap_or_default().as_bytes());
    }

    fn number(&mut self, value: Option<i64>) {
        self.buffer.push(u8::from(value.is_some()));
        self.buffer.extend_from_slice(&value.unwrap_or_default().to_le_bytes());
        if self.buffer.len() >= Self::FULL {
            self.digest.update(&self.buffer);
            self.buffer.clear();
        }
    }

    fn finish(mut self) -> String {
        self.digest.update(&self.buffer);
        hex(&self.digest.finalize())
    }
}
