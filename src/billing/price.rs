//! Ordinary subscriptions, whole columns at a time: licensed prices per unit, without discount, tiers or inclusive tax.
//!
//! Items fall into few combinations of currency, interval and precision. Each combination has one exact factor from
//! `amount × quantity` to MRR; once the scale is known the factor is a whole number, and MRR is a multiplication.

use super::{
    exact::Number,
    interval,
    item::items,
    rates::Rates,
    scale::{Denominators, MOST_MINOR},
};
use crate::{config::MrrSettings, model::Reason};
use polars::{frame::group_by::GroupsIndicator, prelude::*};
use std::collections::BTreeMap;

/// No item may have more `amount × quantity` than this, so that the sum over any number of items holds.
const MOST_UNITS: i128 = 10_i128.pow(28);

/// What one combination makes of `amount × quantity`.
struct Combination {
    /// To minor units a month in its own currency; `None`: no such interval.
    native: Option<Number>,
    /// To the account's currency; `None`: no rate.
    account: Option<Number>,
    rows: u64,
}

/// Ordinary items with `combination`, `units` (amount × quantity) and `problem`.
pub(super) struct Ordinary {
    items: DataFrame,
    combinations: Vec<Combination>,
}

impl Ordinary {
    /// Reads `items`: none of them metered, all of subscriptions that count.
    pub fn new(items: LazyFrame, mrr: &MrrSettings, rates: &Rates<'_>) -> PolarsResult<Self> {
        let mut items = items.collect()?;
        let (combinations, indices) = combinations(&items, mrr, rates)?;
        let limits = Int128Chunked::from_iter_values("limit".into(), combinations.iter().map(Combination::most_units));
        let known: BooleanChunked = combinations.iter().map(|combination| Some(combination.native.is_some())).collect();
        let indices = UInt32Chunked::from_vec("combination".into(), indices);
        let limits = limits.into_series().take(&indices.cast(&IDX_DTYPE)?.idx()?.clone())?;
        let known =
            known.into_series().with_name("interval_known".into()).take(&indices.cast(&IDX_DTYPE)?.idx()?.clone())?;
        items.with_column(indices.into_series().into())?.with_column(limits.into())?.with_column(known.into())?;
        let zero = || lit(0).cast(DataType::Int128);
        let quantity =
            || when(col("amount_is_total")).then(lit(1_i64)).otherwise(coalesce(&[col("quantity"), lit(1_i64)]));
        let lacks_quantity = col("quantity").is_null().and(col("quantity_required")).and(col("amount_is_total").not());
        let at_least_one = when(col("units_of").lt(lit(1_i64))).then(lit(1_i64)).otherwise(col("units_of"));
        let most_each = col("limit") / at_least_one.cast(DataType::Int128);
        let items = items
            .lazy()
            .with_column(quantity().alias("units_of"))
            .with_column(
                when(col("interval_known").not())
                    .then(lit(Reason::IntervalUnknown.as_str()))
                    .when(lacks_quantity)
                    .then(lit(Reason::QuantityMissing.as_str()))
                    .when(col("amount_num").is_null())
                    .then(lit(Reason::BadNumber.as_str()))
                    .when(
                        col("amount_num")
                            .lt(zero())
                            .or(col("units_of").lt(lit(0_i64)))
                            .or(col("amount_num").gt(most_each)),
                    )
                    .then(lit(Reason::AmountOutOfRange.as_str()))
                    .otherwise(lit(NULL))
                    .cast(DataType::String)
                    .alias("problem"),
            )
            .with_column(
                when(col("problem").is_null())
                    .then(col("amount_num") * col("units_of").cast(DataType::Int128))
                    .otherwise(zero())
                    .alias("units"),
            )
            .collect()?;
        Ok(Self { items, combinations })
    }

    /// Takes note of the amounts, for the scale.
    pub fn see(&self, denominators: &mut Denominators) -> PolarsResult<()> {
        let sums = self.items.clone().lazy().group_by([col("combination")]).agg([col("units").sum()]).collect()?;
        let (indices, sums) = (sums.column("combination")?.u32()?, sums.column("units")?.i128()?);
        for (index, units) in indices.iter().zip(sums.iter()) {
            let combination = index.and_then(|index| self.combinations.get(index as usize));
            let (Some(combination), Some(units)) = (combination, units) else { continue };
            for factor in [&combination.native, &combination.account].into_iter().flatten() {
                let sum = factor.mul(&Number::whole(units)).ceil().unwrap_or(i128::MAX);
                denominators.see(factor, combination.rows, sum);
            }
        }
        Ok(())
    }

    /// `subscription`, `native`, `account` (multiples of 1/scale), `problem`, `problem_detail`.
    pub fn priced(self, scale: i128, rates: &Rates<'_>, ids: LazyFrame) -> PolarsResult<DataFrame> {
        let count = |factor: &Option<Number>| factor.as_ref().and_then(|factor| factor.count(scale));
        let native = self.combinations.iter().map(|combination| count(&combination.native));
        let account = self.combinations.iter().map(|combination| count(&combination.account));
        let has_rate: BooleanChunked =
            self.combinations.iter().map(|combination| Some(combination.account.is_some())).collect();
        let indices = self.items.column("combination")?.cast(&IDX_DTYPE)?;
        let indices = indices.idx()?;
        let mut items = self.items;
        for series in [
            Int128Chunked::from_iter_options("to_native".into(), native).into_series(),
            Int128Chunked::from_iter_options("to_account".into(), account).into_series(),
            has_rate.into_series().with_name("rated".into()),
        ] {
            let column = series.take(indices)?;
            items.with_column(column.into())?;
        }
        let too_fine = col("to_native").is_null().or(col("rated").and(col("to_account").is_null()));
        // Nothing is nothing in every currency.
        let lacks_rate = col("rated").not().and(col("units").neq(lit(0).cast(DataType::Int128)));
        let items = items
            .lazy()
            .with_column(
                when(col("problem").is_not_null())
                    .then(col("problem"))
                    .when(too_fine)
                    .then(lit(Reason::AmountOutOfRange.as_str()))
                    .when(lacks_rate)
                    .then(lit(Reason::CurrencyWithoutRate.as_str()))
                    .otherwise(lit(NULL))
                    .alias("problem"),
            )
            .collect()?;
        let details = details(&items, rates, ids)?;
        items
            .lazy()
            .group_by([col("subscription")])
            .agg([
                (col("units") * col("to_native")).sum().alias("native"),
                (col("units") * col("to_account")).sum().alias("account"),
                col("problem").min(),
            ])
            .left_join(details.lazy(), col("subscription"), col("subscription"))
            .collect()
    }
}

impl Combination {
    /// The most `amount × quantity` that is not absurd in either currency.
    fn most_units(&self) -> i128 {
        [&self.native, &self.account]
            .into_iter()
            .flatten()
            .filter_map(|factor| Number::whole(MOST_MINOR).div(factor))
            .map(|most| most.floor_at_most(MOST_UNITS))
            .min()
            .unwrap_or(0)
    }
}

/// The combinations among `items`, and each item's index into them.
fn combinations(items: &DataFrame, mrr: &MrrSettings, rates: &Rates<'_>) -> PolarsResult<(Vec<Combination>, Vec<u32>)> {
    let mut indices = vec![0_u32; items.height()];
    let mut combinations = Vec::new();
    let (currencies, intervals) = (items.column("currency")?.str()?, items.column("interval")?.str()?);
    let (counts, denominators) = (items.column("interval_count")?.i64()?, items.column("amount_den")?.i128()?);
    let grouped = items.group_by(["currency", "interval", "interval_count", "amount_den"])?;
    for group in grouped.get_groups().iter() {
        let index = u32::try_from(combinations.len()).unwrap_or(u32::MAX);
        let first = group.first() as usize;
        match group {
            GroupsIndicator::Idx((_, rows)) => rows.iter().for_each(|&row| indices[row as usize] = index),
            GroupsIndicator::Slice([start, len]) => {
                indices[start as usize..(start + len) as usize].fill(index);
            }
        }
        let monthly =
            interval::per_month(intervals.get(first).unwrap_or_default(), counts.get(first).unwrap_or(0), mrr);
        let precision = denominators.get(first).unwrap_or(1);
        let native = monthly.and_then(|monthly| Some(monthly.mul(&Number::fraction(1, precision)?)));
        let rate = rates.factor(currencies.get(first).unwrap_or_default());
        let account = native.as_ref().zip(rate).map(|(native, rate)| native.mul(&rate));
        combinations.push(Combination { native, account, rows: group.len() as u64 });
    }
    Ok((combinations, indices))
}

/// `subscription`, `problem_detail`: sentences on the items with a problem, the only ones walked row by row.
fn details(priced: &DataFrame, rates: &Rates<'_>, ids: LazyFrame) -> PolarsResult<DataFrame> {
    let odd = priced
        .clone()
        .lazy()
        .filter(col("problem").is_not_null())
        .left_join(ids.select([col("ord"), col("id").alias("subscription_id")]), col("subscription"), col("ord"))
        .collect()?;
    let (problems, ids) = (odd.column("problem")?.str()?, odd.column("subscription_id")?.str()?);
    let mut sentences: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (row, item) in items(&odd)?.into_iter().enumerate() {
        let Some(Ok(reason)) = problems.get(row).map(str::parse::<Reason>) else { continue };
        let sentence = item.sentence(reason, ids.get(row).unwrap_or_default(), rates.account);
        sentences.entry(item.subscription).or_default().push(sentence);
    }
    for own in sentences.values_mut() {
        own.sort();
        own.dedup();
    }
    df![
        "subscription" => sentences.keys().copied().collect::<Vec<_>>(),
        "problem_detail" => sentences.values().map(|own| own.join("; ")).collect::<Vec<_>>(),
    ]
}
