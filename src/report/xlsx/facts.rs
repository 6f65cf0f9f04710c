//! What has to be known before the first row is written: how long the tables are, and what of them a cell cannot hold.

use super::cells;
use crate::report::files::SLICE;
use crate::report::model::{ProductReport, ReportModel};
use crate::report::{ReportError, changes, unmatched};
use polars::prelude::*;

/// Rows of a table, and the most bytes that its texts take as XML.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What the summary says about the workbook itself, and what the sheets are laid out by.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Texts that are longer than a cell.
    pub(super) cut: u64,
    /// Customers with an amount of more digits than a number keeps.
    pub(super) wide: u64,
    /// Whether every sum of amounts can be proved with such numbers.
    pub(super) provable: bool,
    /// The changed fields.
    pub(super) changes: Extent,
    /// The lines of the accounting.
    pub(super) accounting: Extent,
    /// The breaks.
    pub(super) breaks: Extent,
    /// The most bytes that the texts of all customers take.
    pub(super) customers: u64,
    /// The records of one side without the other, in the columns of their table.
    pub(super) unmatched: DataFrame,
}

impl Facts {
    /// Reads them off the model.
    pub(super) fn of(model: &ReportModel) -> Result<Self, ReportError> {
        let mut facts = Self { unmatched: unmatched::unmatched(model)?, ..Self::default() };
        facts.customers = facts.texts_of(&model.customers)?;
        facts.accounting =
            Extent { rows: model.accounting.len() as u64, bytes: facts.texts_of(model.accounting.frame())? };
        for found in &model.breaks {
            for text in [&found.scope, &found.key, &found.detail]
                .into_iter()
                .chain(found.file.iter().chain(&found.field).chain(&found.before).chain(&found.after))
            {
                facts.breaks.bytes += facts.text(text);
            }
        }
        facts.breaks.rows = model.breaks.len() as u64;
        let digits = model.manifest.currency_digits;
        for offset in (0..model.customers.height()).step_by(SLICE) {
            let part = model.customers.slice(i64::try_from(offset).unwrap_or(i64::MAX), SLICE);
            let (lines, _) = changes::expand(&part, digits)?;
            facts.changes.rows += lines.height() as u64;
            // Its texts are the customers', which were counted; here only their length matters.
            let cut = facts.cut;
            facts.changes.bytes += facts.texts_of(&lines)?;
            facts.cut = cut;
        }
        let (wide, sums_fit) = amounts(&model.customers)?;
        facts.wide = wide;
        let stripe_fits =
            |product: &ProductReport| i128::try_from(product.gap.stripe.to_integer()).is_ok_and(cells::is_exact);
        facts.provable = sums_fit && model.products.iter().all(stripe_fits);
        Ok(facts)
    }

    /// The bytes of every text of `frame` as XML; counts those that no cell holds whole.
    fn texts_of(&mut self, frame: &DataFrame) -> PolarsResult<u64> {
        let mut bytes = 0;
        for column in frame.columns().iter().filter(|column| column.dtype() == &DataType::String) {
            bytes += column.str()?.iter().flatten().map(|text| self.text(text)).sum::<u64>();
        }
        Ok(bytes)
    }

    fn text(&mut self, text: &str) -> u64 {
        self.cut += u64::from(!cells::fits(text));
        let escaped = text.bytes().filter(|byte| matches!(byte, 0..0x20 | b'&' | b'<' | b'>' | b'_' | 0x7f | 0xef));
        // The longest escape has seven bytes for one.
        (text.len() + 6 * escaped.count()) as u64
    }
}

/// How many customers have an amount that no number holds, and whether the sums of the columns stay below that too.
fn amounts(customers: &DataFrame) -> PolarsResult<(u64, bool)> {
    let amounts = |name: &str| customers.column(name).and_then(|column| column.i64().cloned());
    let (before, desired, after) = (amounts("mrr_before")?, amounts("mrr_desired")?, amounts("mrr_after")?);
    let delta = customers.column("mrr_delta")?.i128()?;
    let (mut wide, mut sums) = (0, [0_i128; 4]);
    // Row by row: what counts is whether any of four amounts of one customer is too wide.
    for (((before, desired), after), delta) in before.iter().zip(desired.iter()).zip(after.iter()).zip(delta.iter()) {
        let all = [before.map(i128::from), desired.map(i128::from), after.map(i128::from), delta]
            .map(Option::unwrap_or_default);
        wide += u64::from(all.iter().any(|minor| !cells::is_exact(*minor)));
        for (sum, minor) in sums.iter_mut().zip(all) {
            *sum = sum.saturating_add(minor.saturating_abs());
        }
    }
    Ok((wide, sums.into_iter().all(cells::is_exact)))
}
