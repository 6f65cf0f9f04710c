//! The consolidated table: what the filter of each product took of each source, what several took, what none did, and all.

use super::ReportError;
use super::amount::rational;
use crate::model::STRIPE_SUBSCRIPTIONS;
use crate::runs::{Exact, Manifest, Part, RunProduct, SourceTotals, of_one_filter};
use num_rational::BigRational;
use num_traits::Zero;

/// What the products' filters took.
#[derive(Debug, Clone)]
pub(super) struct Divided {
    /// The sources that filters speak of.
    pub sources: Vec<String>,
    /// One per filter, then what several took again, what none took, and all.
    pub lines: Vec<DividedLine>,
}

/// Some rows of every source.
#[derive(Debug, Clone)]
pub(super) struct DividedLine {
    /// The products, or what else it is.
    pub label: String,
    /// Their filter, or words in its place.
    pub filter: String,
    /// Whether it is one.
    pub is_filter: bool,
    /// Rows by source; what several took again is negative.
    pub rows: Vec<i128>,
    /// MRR of the subscriptions, each once, minor units.
    pub mrr: BigRational,
    /// Whether it is the sum of those above.
    pub is_total: bool,
}

/// What the filters took; `None`: no product has one. `shown`: the products with their filters as the report shows them, which
/// may be those of others by then, as far as can be seen.
pub(super) fn divided(manifest: &Manifest, shown: &[RunProduct]) -> Result<Option<Divided>, ReportError> {
    let parts = &manifest.division;
    if parts.is_empty() {
        return Ok(None);
    }
    let amount = |exact: Option<&Exact>| exact.map_or_else(|| Ok(BigRational::zero()), rational);
    let mut lines: Vec<DividedLine> = vec![];
    for group in of_one_filter(&manifest.products) {
        let product = &manifest.products[group[0]];
        let names: Vec<&str> = group.iter().map(|index| manifest.products[*index].name.as_str()).collect();
        let filter = shown[group[0]].filter.as_deref();
        let taken = |name: &str| product.taken.iter().find(|source| source.name == name);
        lines.push(DividedLine {
            label: names.join(", "),
            filter: filter.unwrap_or("every row").to_owned(),
            is_filter: filter.is_some(),
            rows: parts.iter().map(|part| taken(&part.name).map_or(0, |source| source.rows_read.into())).collect(),
            mrr: amount(taken(STRIPE_SUBSCRIPTIONS).and_then(|source: &SourceTotals| source.mrr_total.as_ref()))?,
            is_total: false,
        });
    }
    let mut further = |label: &str, filter: &str, part: fn(&crate::runs::Division) -> &Part, sign: i32| {
        let mrr = parts.iter().find(|one| one.name == STRIPE_SUBSCRIPTIONS).and_then(|one| part(one).mrr.as_ref());
        lines.push(DividedLine {
            label: label.to_owned(),
            filter: filter.to_owned(),
            is_filter: false,
            rows: parts.iter().map(|one| i128::from(sign) * i128::from(part(one).rows)).collect(),
            mrr: amount(mrr)? * BigRational::from_integer(sign.into()),
            is_total: false,
        });
        Ok::<(), ReportError>(())
    };
    further("counted again", "several filters take it: once too often above", |part| &part.again, -1)?;
    further("no product", "no filter takes it", |part| &part.none, 1)?;
    let rows = (0..parts.len()).map(|at| lines.iter().map(|line| line.rows[at]).sum()).collect();
    let mrr = lines.iter().map(|line| &line.mrr).sum();
    lines.push(DividedLine {
        label: "all".to_owned(),
        filter: String::new(),
        is_filter: false,
        rows,
        mrr,
        is_total: true,
    });
    Ok(Some(Divided { sources: parts.iter().map(|part| part.name.clone()).collect(), lines }))
}
