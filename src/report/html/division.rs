//! Whose rows: what the filter of each product took of each source.

use super::super::amount::{grouped, grouped_exact};
use super::super::model::ReportModel;

/// The table.
pub(super) struct DivisionPart<'a> {
    pub sources: &'a [String],
    pub lines: Vec<DivisionLine<'a>>,
}

/// Some rows of every source.
pub(super) struct DivisionLine<'a> {
    pub label: &'a str,
    pub filter: &'a str,
    /// Whether `filter` is one, and not words about it.
    pub is_filter: bool,
    pub rows: Vec<String>,
    pub mrr: String,
    pub is_total: bool,
}

/// The table; `None`: no product has a filter.
pub(super) fn division(model: &ReportModel) -> Option<DivisionPart<'_>> {
    let divided = model.divided.as_ref()?;
    let digits = model.manifest.currency_digits;
    let lines = divided.lines.iter().map(|line| DivisionLine {
        label: &line.label,
        filter: &line.filter,
        is_filter: line.is_filter,
        rows: line.rows.iter().map(|rows| grouped(*rows, 0)).collect(),
        mrr: grouped_exact(&line.mrr, digits),
        is_total: line.is_total,
    });
    Some(DivisionPart { sources: &divided.sources, lines: lines.collect() })
}
