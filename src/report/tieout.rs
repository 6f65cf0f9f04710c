//! Control totals: everything that must be equal, held against each other.

use super::amount::{exact_decimal, rational};
use super::model::ProductReport;
use super::outcomes::AlignedOutcomes;
use super::{ReportError, tally::Cell};
use crate::model::{Disposition, Outcome};
use crate::runs::{Manifest, Part, of_one_filter};
use crate::table::Accounting;
use num_rational::BigRational;
use num_traits::Zero;
use polars::prelude::*;
use std::collections::BTreeMap;

/// Two figures that must be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TieOut {
    /// What is compared, in words.
    pub name: String,
    /// The source or product.
    pub scope: String,
    /// The one figure, as plain decimal text; money in minor units.
    pub expected: String,
    /// The other.
    pub found: String,
    /// `found − expected`; `0` where it ties.
    pub difference: String,
}

impl TieOut {
    fn counts(name: &str, scope: &str, expected: u64, found: u64) -> Self {
        Self {
            name: name.to_owned(),
            scope: scope.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
            difference: (i128::from(found) - i128::from(expected)).to_string(),
        }
    }

    fn amounts(name: &str, scope: &str, expected: &BigRational, found: &BigRational) -> Self {
        let difference = found - expected;
        // A difference too small for the decimal text is still one.
        let shown = exact_decimal(&difference);
        let hidden = !difference.is_zero() && shown.trim_matches(['0', '.', '-']).is_empty();
        Self {
            name: name.to_owned(),
            scope: scope.to_owned(),
            expected: exact_decimal(expected),
            found: exact_decimal(found),
            difference: if hidden { difference.to_string() } else { shown },
        }
    }

    /// Whether the two are equal.
    pub fn ties(&self) -> bool {
        self.difference == "0"
    }

    /// The difference in one sentence.
    pub fn sentence(&self) -> String {
        let Self { name, scope, expected, found, difference } = self;
        if self.ties() {
            format!("{scope}: {name} ({found})")
        } else {
            format!("{scope}: {name} does not tie: {expected} expected, {found} found, difference {difference}")
        }
    }
}

/// Every tie-out of a run.
pub(super) fn tie_outs(
    manifest: &Manifest,
    products: &[ProductReport],
    cells: &[Cell],
    accounting: &Accounting,
    outcomes: &AlignedOutcomes,
) -> Result<Vec<TieOut>, ReportError> {
    let mut all = Vec::new();
    let listed = listed_rows(accounting)?;
    for source in &manifest.sources {
        let scope = source.name.as_str();
        let disposed: u64 = source.dispositions.values().sum();
        all.push(TieOut::counts("rows read = sum over dispositions", scope, source.rows_read, disposed));
        for disposition in Disposition::ALL {
            let told = source.dispositions.get(disposition).copied().unwrap_or_default();
            let found = listed.get(&(scope.to_owned(), *disposition)).copied().unwrap_or_default();
            if told > 0 || found > 0 {
                all.push(TieOut::counts(&format!("rows {disposition} = lines of accounting.csv"), scope, told, found));
            }
        }
        if let Some(total) = &source.mrr_total {
            let parts = source.mrr.values().map(rational).collect::<Result<Vec<_>, _>>()?;
            let sum: BigRational = parts.into_iter().sum();
            all.push(TieOut::amounts("MRR of all rows = sum over dispositions", scope, &rational(total)?, &sum));
        }
    }
    all.extend(divided(manifest)?);
    for scope in
        listed.keys().map(|(source, _)| source).filter(|name| !manifest.sources.iter().any(|s| s.name == **name))
    {
        let rows = listed.iter().filter(|((source, _), _)| source == scope).map(|(_, rows)| rows).sum();
        let tie = TieOut::counts("rows of a source without control totals", scope, 0, rows);
        if !all.contains(&tie) {
            all.push(tie);
        }
    }

    for (product, planned) in products.iter().zip(&manifest.products) {
        let scope = product.name.as_str();
        let zero = BigRational::zero();
        let of_product = || cells.iter().filter(|cell| cell.product == scope);
        let desired: i128 =
            of_product().filter(|cell| cell.outcome != Outcome::Orphan).map(|cell| cell.tally.desired).sum();
        let rounded = super::amount::whole(planned.totals.desired_rounded.into());
        let found = super::amount::whole(desired);
        all.push(TieOut::amounts("desired MRR of the plan = sum over customers", scope, &rounded, &found));
        let residual = super::amount::whole(product.bridge.residual());
        all.push(TieOut::amounts("residual of the MRR bridge is 0", scope, &zero, &residual));
        all.push(TieOut::amounts("residual of the gap to Stripe is 0", scope, &zero, &product.gap.residual()));
        let unknown: u64 =
            of_product().filter(|cell| cell.outcome != Outcome::Orphan).map(|cell| cell.tally.unknown).sum();
        if unknown == 0 {
            let unpriced = product.gap.component("unpriced");
            all.push(TieOut::amounts("MRR without a customer of known MRR is 0", scope, &zero, &unpriced));
        }
    }
    let strangers: u64 = cells
        .iter()
        .filter(|cell| !products.iter().any(|product| product.name == cell.product))
        .map(|cell| cell.tally.customers)
        .sum();
    all.push(TieOut::counts("customers of products that the run does not name", "plan", 0, strangers));
    all.push(TieOut::counts("outcomes of rows that are not in the plan", "outcomes", 0, outcomes.without_plan));
    all.push(TieOut::counts("second outcomes of one row", "outcomes", 0, outcomes.repeated));
    let unasked =
        cells.iter().filter(|cell| !cell.predicted.is_sent() && cell.outcome.as_str() != cell.predicted.as_str());
    let unasked = unasked.map(|cell| cell.tally.customers).sum();
    all.push(TieOut::counts("outcomes of rows that were not to be sent", "outcomes", 0, unasked));
    Ok(all)
}

/// What the products' filters take against what there is.
fn divided(manifest: &Manifest) -> Result<Vec<TieOut>, ReportError> {
    let mut all = vec![];
    for (product, taken) in manifest.products.iter().flat_map(|product| product.taken.iter().map(move |t| (product, t)))
    {
        let scope = format!("{}: {}", product.name, taken.name);
        let disposed: u64 = taken.dispositions.values().sum();
        all.push(TieOut::counts("rows taken = sum over dispositions", &scope, taken.rows_read, disposed));
        if let Some(total) = &taken.mrr_total {
            let sum: BigRational = taken.mrr.values().map(rational).sum::<Result<_, _>>()?;
            all.push(TieOut::amounts("MRR taken = sum over dispositions", &scope, &rational(total)?, &sum));
        }
    }
    let groups = of_one_filter(&manifest.products);
    for part in &manifest.division {
        let scope = part.name.as_str();
        let source = manifest.sources.iter().find(|source| source.name == scope);
        let rejected = source.and_then(|source| source.dispositions.get(&Disposition::Rejected)).copied();
        let read = source.map_or(0, |source| source.rows_read) - rejected.unwrap_or(0);
        let shared = part.none.rows + part.one.rows + part.several.rows;
        all.push(TieOut::counts("rows that can be read = taken by none, one or several products", scope, read, shared));
        let taken = || {
            groups
                .iter()
                .filter_map(|group| manifest.products[group[0]].taken.iter().find(|source| source.name == scope))
        };
        let rows = taken().map(|source| source.rows_read).sum();
        let expected = part.one.rows + part.several.rows + part.again.rows;
        all.push(TieOut::counts(
            "rows of all products = rows taken, those of several each time",
            scope,
            expected,
            rows,
        ));
        let Some(total) = source.and_then(|source| source.mrr_total.as_ref()) else { continue };
        let amount = |part: &Part| part.mrr.as_ref().map_or_else(|| Ok(BigRational::zero()), rational);
        let (one, several) = (amount(&part.one)?, amount(&part.several)?);
        let shared = amount(&part.none)? + &one + &several;
        let name = "MRR of all rows = taken by none, one or several products";
        all.push(TieOut::amounts(name, scope, &rational(total)?, &shared));
        let sum = taken().filter_map(|source| source.mrr_total.as_ref()).map(rational).sum::<Result<_, _>>()?;
        let name = "MRR of all products = MRR taken, that of several each time";
        all.push(TieOut::amounts(name, scope, &(one + several + amount(&part.again)?), &sum));
    }
    Ok(all)
}

/// Lines of the accounting by source and disposition.
fn listed_rows(accounting: &Accounting) -> Result<BTreeMap<(String, Disposition), u64>, ReportError> {
    let frame = accounting
        .lazy()
        .group_by([col("source"), col("disposition")])
        .agg([len().cast(DataType::UInt64).alias("rows")])
        .collect()?;
    let (source, disposition) = (frame.column("source")?.str()?, frame.column("disposition")?.str()?);
    let rows = frame.column("rows")?.u64()?;
    (0..frame.height())
        .map(|at| {
            let source = source.get(at).unwrap_or_default().to_owned();
            let disposition = disposition.get(at).unwrap_or_default().parse()?;
            Ok(((source, disposition), rows.get(at).unwrap_or_default()))
        })
        .collect()
}
