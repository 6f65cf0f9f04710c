//! Control totals: counts and sums that must tie out.

use super::PlanError;
use crate::billing::{self, Billed};
use crate::config::Settings;
use crate::link::Linked;
use crate::model::{Currency, Disposition};
use crate::runs::{Exact, ProductTotals, SourceTotals};
use crate::table::Accounting;
use polars::prelude::*;
use std::collections::BTreeMap;

/// Sums of the desired customers whose MRR can be known.
pub fn product_totals(desired: &DataFrame, scale: i128) -> Result<ProductTotals, PlanError> {
    let sums = desired
        .clone()
        .lazy()
        .select([
            col("mrr_exact").sum().alias("exact"),
            col("mrr_exact").filter(col("ambiguity").is_not_null()).sum().alias("ambiguous"),
            col("mrr").sum().alias("rounded"),
        ])
        .collect()?;
    let exact = |name: &str| -> Result<Exact, PlanError> {
        Ok(billing::exact(sums.column(name)?.i128()?.get(0).unwrap_or(0), scale))
    };
    Ok(ProductTotals {
        desired_exact: exact("exact")?,
        ambiguous_exact: exact("ambiguous")?,
        desired_rounded: sums.column("rounded")?.i64()?.get(0).unwrap_or(0),
    })
}

/// Control totals of every source, `rows_read` as the readers counted them, in the order of the configuration.
pub fn source_totals(
    rows_read: &BTreeMap<String, u64>,
    billed: &Billed,
    linked: &Linked,
    accounting: &Accounting,
    settings: &Settings,
) -> Result<Vec<SourceTotals>, PlanError> {
    let counts = accounting
        .lazy()
        .group_by([col("source"), col("disposition")])
        .agg([len().cast(DataType::UInt64).alias("rows")])
        .collect()?;
    let mut dispositions: BTreeMap<String, BTreeMap<Disposition, u64>> = BTreeMap::new();
    let (source, disposition, rows) =
        (counts.column("source")?.str()?, counts.column("disposition")?.str()?, counts.column("rows")?.u64()?);
    for row in 0..counts.height() {
        let disposition = disposition.get(row).unwrap_or_default().parse()?;
        dispositions
            .entry(source.get(row).unwrap_or_default().to_owned())
            .or_default()
            .insert(disposition, rows.get(row).unwrap_or_default());
    }
    let names = ["stripe_customers", "stripe_subscriptions"]
        .into_iter()
        .chain(settings.crms.iter().map(|crm| crm.name.as_str()))
        .chain(["existing"]);
    let mut totals: Vec<SourceTotals> = names
        .map(|name| SourceTotals {
            name: name.to_owned(),
            rows_read: rows_read.get(name).copied().unwrap_or_default(),
            dispositions: dispositions.remove(name).unwrap_or_default(),
            mrr: BTreeMap::new(),
            mrr_total: None,
            mrr_without_rate: BTreeMap::new(),
        })
        .collect();
    if let Some(subscriptions) = totals.iter_mut().find(|source| source.name == "stripe_subscriptions") {
        let sums = Sums::of(billed, linked)?;
        subscriptions.mrr = sums.by_disposition;
        subscriptions.mrr_total = Some(sums.total);
        subscriptions.mrr_without_rate = sums.without_rate;
    }
    Ok(totals)
}

/// Sums of the subscriptions' MRR.
struct Sums {
    total: Exact,
    by_disposition: BTreeMap<Disposition, Exact>,
    without_rate: BTreeMap<Currency, BTreeMap<Disposition, Exact>>,
}

impl Sums {
    fn of(billed: &Billed, linked: &Linked) -> Result<Self, PlanError> {
        // The total is taken before any disposition is known, so that the two sums prove one another.
        let total = billed.subscriptions.column("mrr")?.i128()?.sum().unwrap_or(0);
        let rows =
            billed.subscriptions.clone().lazy().select([col("ord"), col("mrr"), col("mrr_native"), col("currency")]);
        let with = rows.inner_join(
            linked.subscriptions.clone().lazy().select([col("ord"), col("disposition")]),
            col("ord"),
            col("ord"),
        );
        let by = with.clone().group_by([col("disposition")]).agg([col("mrr").sum()]).collect()?;
        let (word, sum) = (by.column("disposition")?.str()?, by.column("mrr")?.i128()?);
        let mut by_disposition = BTreeMap::new();
        for row in 0..by.height() {
            let disposition = word.get(row).unwrap_or_default().parse()?;
            by_disposition.insert(disposition, billing::exact(sum.get(row).unwrap_or(0), billed.scale));
        }
        let foreign = with
            .filter(col("mrr").is_null().and(col("mrr_native").is_not_null()))
            .group_by([col("currency"), col("disposition")])
            .agg([col("mrr_native").sum()])
            .collect()?;
        let (code, word, sum) = (
            foreign.column("currency")?.str()?,
            foreign.column("disposition")?.str()?,
            foreign.column("mrr_native")?.i128()?,
        );
        let mut without_rate: BTreeMap<Currency, BTreeMap<Disposition, Exact>> = BTreeMap::new();
        for row in 0..foreign.height() {
            let Ok(currency) = Currency::parse(code.get(row).unwrap_or_default()) else { continue };
            let disposition = word.get(row).unwrap_or_default().parse()?;
            without_rate
                .entry(currency)
                .or_default()
                .insert(disposition, billing::exact(sum.get(row).unwrap_or(0), billed.scale));
        }
        Ok(Self { total: billing::exact(total, billed.scale), by_disposition, without_rate })
    }
}
