//! Control totals: counts and sums that must tie out.

use super::PlanError;
use super::together::Together;
use crate::billing::{self, Billed};
use crate::config::Settings;
use crate::link::{Dispositions, OVERRIDES};
use crate::load::SettledRows;
use crate::model::{Currency, Disposition, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::runs::{Exact, ProductTotals, SourceTotals};
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

/// Where the rows of every source went.
pub struct Went<'a> {
    /// Sources and CRMs, and where their rows went.
    pub together: &'a Together,
    /// Rows of Stripe's other tables.
    pub settled: &'a SettledRows,
    /// The existing customers', one table per product.
    pub existing: &'a [Dispositions],
    /// Rows that could not be read.
    pub rejected: &'a [Rejection],
}

/// Control totals of every source, `rows_read` as the readers counted them, in the order of the configuration.
pub fn source_totals(
    rows_read: &BTreeMap<String, u64>,
    sums: Sums,
    went: &Went<'_>,
    settings: &Settings,
) -> Result<Vec<SourceTotals>, PlanError> {
    let mut dispositions: BTreeMap<&str, BTreeMap<Disposition, u64>> = BTreeMap::new();
    let contacts = &went.together.contacts;
    let mut parts = vec![
        (STRIPE_CUSTOMERS, went.together.accounts.clone().lazy()),
        (STRIPE_SUBSCRIPTIONS, went.together.subscriptions.clone().lazy()),
    ];
    for (index, crm) in (0_u32..).zip(&settings.crms) {
        parts.push((&crm.name, contacts.clone().lazy().filter(col("crm").eq(lit(index)))));
    }
    parts.push((OVERRIDES, went.together.overrides.clone().lazy()));
    parts.extend(went.existing.iter().map(|product| ("existing", product.clone().lazy())));
    for (source, rows) in parts {
        let of_source = dispositions.entry(source).or_default();
        for (disposition, count) in counted(rows)? {
            *of_source.entry(disposition).or_default() += count;
        }
    }
    let settled = went
        .settled
        .lazy()
        .group_by([col("source"), col("disposition")])
        .agg([len().cast(DataType::UInt64).alias("rows")]);
    let settled = settled.collect()?;
    let (source, word, count) =
        (settled.column("source")?.str()?, settled.column("disposition")?.str()?, settled.column("rows")?.u64()?);
    for row in 0..settled.height() {
        let disposition = word.get(row).unwrap_or_default().parse()?;
        let of_source = dispositions.entry(source.get(row).unwrap_or_default()).or_default();
        *of_source.entry(disposition).or_default() += count.get(row).unwrap_or_default();
    }
    for row in went.rejected {
        *dispositions.entry(&row.source).or_default().entry(Disposition::Rejected).or_default() += 1;
    }
    let crms = || settings.crms.iter().map(|crm| crm.name.as_str());
    let overrides = rows_read.contains_key(OVERRIDES).then_some(OVERRIDES);
    let main: Vec<&str> = [STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS]
        .into_iter()
        .chain(crms())
        .chain(overrides)
        .chain(["existing"])
        .collect();
    let (stripe, others) = main.split_at(2);
    let tables = rows_read.keys().map(String::as_str).filter(|name| !main.contains(name));
    let names = stripe.iter().copied().chain(tables).chain(others.iter().copied());
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
    if let Some(subscriptions) = totals.iter_mut().find(|source| source.name == STRIPE_SUBSCRIPTIONS) {
        subscriptions.mrr = sums.by_disposition;
        subscriptions.mrr_total = Some(sums.total);
        subscriptions.mrr_without_rate = sums.without_rate;
    }
    Ok(totals)
}

/// Rows by disposition.
pub fn counted(rows: LazyFrame) -> Result<BTreeMap<Disposition, u64>, PlanError> {
    let counts = rows.group_by([col("disposition")]).agg([len().cast(DataType::UInt64).alias("rows")]).collect()?;
    let (word, count) = (counts.column("disposition")?.str()?, counts.column("rows")?.u64()?);
    (0..counts.height())
        .map(|row| Ok((word.get(row).unwrap_or_default().parse()?, count.get(row).unwrap_or_default())))
        .collect()
}

/// Sums of the subscriptions' MRR.
pub struct Sums {
    /// Of all of them, each once.
    pub total: Exact,
    /// By where they went.
    pub by_disposition: BTreeMap<Disposition, Exact>,
    /// Of those in currencies without a rate, in their own minor units.
    pub without_rate: BTreeMap<Currency, BTreeMap<Disposition, Exact>>,
}

impl Sums {
    /// Adds up what was billed, by where the `subscriptions` went; `replaced`: the rows that another one replaces.
    pub fn of(billed: &Billed, subscriptions: LazyFrame, replaced: &DataFrame) -> Result<Self, PlanError> {
        // A row that another one replaces is the same subscription again: its MRR stands once.
        let rows = billed
            .subscriptions
            .clone()
            .lazy()
            .select([col("ord"), col("mrr"), col("mrr_native"), col("currency")])
            .anti_join(replaced.clone().lazy(), col("ord"), col("ord"))
            .collect()?;
        // The total is taken before any disposition is known, so that the two sums prove one another.
        let total = rows.column("mrr")?.i128()?.sum().unwrap_or(0);
        let rows = rows.lazy();
        let with = rows.inner_join(subscriptions.select([col("ord"), col("disposition")]), col("ord"), col("ord"));
        let with = with.collect()?.lazy();
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
