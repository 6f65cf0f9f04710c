//! Sources: every row read, and where it went, in rows and in money.

use super::super::amount::{count, grouped_exact, rational};
use super::super::model::ReportModel;
use super::product::bar;
use crate::runs::Exact;

/// One source.
pub(super) struct SourcePart<'a> {
    pub name: &'a str,
    pub rows: String,
    pub mrr: String,
    pub lines: Vec<SourceLine>,
}

/// Rows of one disposition.
pub(super) struct SourceLine {
    pub disposition: String,
    pub rows: String,
    pub mrr: String,
    pub width: u64,
    /// Whether these rows are in what was compared with Tether.
    pub counts: bool,
}

/// Every source in the order of the manifest.
pub(super) fn sources(model: &ReportModel) -> Vec<SourcePart<'_>> {
    use crate::model::Disposition;
    let digits = model.manifest.currency_digits;
    let money = |exact: &Exact| rational(exact).map(|mrr| grouped_exact(&mrr, digits)).unwrap_or_default();
    let part = |source: &'_ crate::runs::SourceTotals| -> Vec<SourceLine> {
        source
            .dispositions
            .iter()
            .map(|(word, rows)| SourceLine {
                disposition: word.to_string(),
                rows: count(*rows),
                mrr: source.mrr.get(word).map(money).unwrap_or_default(),
                width: bar(*rows, source.rows_read),
                counts: *word == Disposition::Contributed,
            })
            .collect()
    };
    model
        .manifest
        .sources
        .iter()
        .map(|source| SourcePart {
            name: &source.name,
            rows: count(source.rows_read),
            mrr: source.mrr_total.as_ref().map(money).unwrap_or_default(),
            lines: part(source),
        })
        .collect()
}
