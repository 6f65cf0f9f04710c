//! Rows that turn out unreadable while their columns are read: one rejection each, and the rest of the frame.

use super::csv_check::{Checked, RowFault};
use super::parquet::Trials;
use crate::config::Limits;
use crate::model::{Break, BreakKind, Reason, Rejection};
use polars::prelude::*;
use std::collections::BTreeMap;

/// Where rows come from, as rejections name it.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub source: &'a str,
    pub file: &'a str,
    /// Index of the file, as tables hold it.
    pub index: u32,
    pub reading: Reading<'a>,
}

/// How files are read, whatever they hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub limits: &'a Limits,
    /// Where Parquet is tried first.
    pub trials: &'a Trials,
}

impl Origin<'_> {
    /// A rejection of the row on `line`.
    pub fn reject(&self, line: u64, reason: Reason, detail: String) -> Rejection {
        Rejection {
            source: self.source.to_owned(),
            file: self.file.to_owned(),
            line,
            id: None,
            customer: None,
            reason,
            detail,
        }
    }
}

/// The break of a file whose last row breaks off.
pub(super) fn truncated(source: &str, file: &str) -> Break {
    let detail = "the last row breaks off in the middle: the export was probably cut short; export it again";
    let mut found = Break::new(BreakKind::TruncatedExport, source, file, detail);
    found.file = Some(file.to_owned());
    found
}

/// `value` in quotes for a person, cut where it is long.
pub(super) fn quoted(value: &str) -> String {
    const SHOWN: usize = 60;
    if value.chars().count() <= SHOWN {
        return format!("`{value}`");
    }
    let start: String = value.chars().take(SHOWN).collect();
    format!("`{start}…`")
}

/// The rows found unreadable so far, by their place in the frame; the first thing found stands.
#[derive(Default)]
pub(super) struct Faults(BTreeMap<usize, (Reason, String)>);

impl Faults {
    /// Row `row` cannot be read.
    pub fn add(&mut self, row: usize, reason: Reason, detail: impl FnOnce() -> String) {
        self.0.entry(row).or_insert_with(|| (reason, detail()));
    }

    /// Row `row` cannot be read, since the column headed `heading` holds `value`.
    pub fn value(&mut self, row: usize, reason: Reason, heading: &str, value: &str) {
        self.add(row, reason, || format!("{heading}: {}", quoted(value)));
    }

    /// Without the rows of `other`.
    pub fn except(mut self, other: &Self) -> Self {
        self.0.retain(|row, _| !other.0.contains_key(row));
        self
    }

    /// Breaks for values that could not be read, of rows of `frame` (with `line` and `id`) that stand without them.
    pub fn breaks(self, frame: &DataFrame, origin: &Origin<'_>) -> PolarsResult<Vec<Break>> {
        let (lines, ids) = (frame.column("line")?.u32()?, frame.column("id")?.str()?);
        let breaks = self.0.into_iter().map(|(row, (_, detail))| {
            let detail = format!("{detail}; the row stands without it");
            Break::new(BreakKind::UnreadableValue, origin.source, ids.get(row).unwrap_or_default(), detail)
                .at(origin.file, lines.get(row).map_or(0, u64::from))
        });
        Ok(breaks.collect())
    }

    /// Takes the rows out of `frame` (which has `line`, and the id's and customer's columns as named).
    pub fn reject(
        self,
        frame: DataFrame,
        origin: &Origin<'_>,
        id: &str,
        customer: Option<&str>,
    ) -> PolarsResult<(DataFrame, Vec<Rejection>)> {
        if self.0.is_empty() {
            return Ok((frame, Vec::new()));
        }
        let lines = frame.column("line")?.u32()?.clone();
        let ids = frame.column(id)?.str()?.clone();
        let customers = customer.map(|name| frame.column(name)?.str().cloned()).transpose()?;
        let mut keep = vec![true; frame.height()];
        let mut rejections = Vec::with_capacity(self.0.len());
        for (row, (reason, detail)) in self.0 {
            keep[row] = false;
            rejections.push(Rejection {
                id: ids.get(row).map(str::to_owned),
                customer: customers.as_ref().and_then(|customers| customers.get(row)).map(str::to_owned),
                ..origin.reject(lines.get(row).map_or(0, u64::from), reason, detail)
            });
        }
        let frame = frame.filter(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &keep))?;
        Ok((frame, rejections))
    }
}

/// The rejections of a structural pass; `id` and `owner` are columns (from 0) to look into. What a row belongs to is known
/// by how its ids begin (`prefix`).
pub(super) fn structural(
    checked: &mut Checked<'_>,
    origin: &Origin<'_>,
    id: Option<usize>,
    owner: Option<usize>,
    prefix: &str,
) -> Vec<Rejection> {
    rejections(std::mem::take(&mut checked.faults), origin, id, owner, prefix)
}

/// The same for `faults` that were taken out of their structural pass.
pub(super) fn rejections(
    faults: Vec<RowFault>,
    origin: &Origin<'_>,
    id: Option<usize>,
    owner: Option<usize>,
    prefix: &str,
) -> Vec<Rejection> {
    faults
        .into_iter()
        .map(|RowFault { line, reason, detail, fields }| {
            let cell = |column: Option<usize>| {
                column.and_then(|column| fields.get(column)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
            };
            // In a row that lost or won a field the columns may have shifted: a Stripe id is known by its look.
            let looks_right = || fields.iter().map(|cell| cell.trim()).find(|cell| cell.starts_with(prefix));
            let named = cell(owner).filter(|cell| cell.starts_with(prefix));
            let customer = owner.and_then(|_| named.or_else(looks_right).or_else(|| cell(owner)));
            Rejection {
                id: cell(id).map(str::to_owned),
                customer: customer.map(str::to_owned),
                ..origin.reject(line, reason, detail)
            }
        })
        .collect()
}

/// The default limits, for tests of sound files.
#[cfg(test)]
pub(super) fn reading() -> Reading<'static> {
    static LIMITS: std::sync::LazyLock<Limits> = std::sync::LazyLock::new(Limits::default);
    Reading { limits: &LIMITS, trials: &Trials::Nowhere }
}
