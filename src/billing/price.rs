//! Ordinary subscriptions, whole columns at a time: those where discounts and tax leave the same part of any price.
//!
//! Items fall into few combinations of currency, interval, precision and treatment. Each combination has one exact factor
//! from the units of its price to MRR; once the scale is known the factor is a whole number, and MRR is a multiplication.

use super::{
    distinct::Distinct,
    exact::{Number, wide},
    interval,
    item::items,
    rates::Rates,
    rest::Rests,
    scale::Denominators,
};
use crate::{
    config::MrrSettings,
    model::{MOST_MINOR, Reason},
};
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// No item has more `units` than this: [`MOST_MINOR`] in the finest precision that columns hold.
const MOST_UNITS: i128 = MOST_MINOR * super::quote::FINEST;

/// What one combination makes of `units`.
struct Combination {
    /// To minor units a month in its own currency; `None`: no such interval.
    native: Option<Number>,
    /// To the account's currency; `None`: no rate.
    account: Option<Number>,
    rows: u64,
}

/// Ordinary items with `combination`, `units` (0 without a price), `unpriced` and `absurd`.
pub(super) struct Ordinary {
    items: DataFrame,
    combinations: Vec<Combination>,
}

impl Ordinary {
    /// Reads quoted `items` with their `treatment`, an index into `stays`: none of them metered, all of subscriptions that
    /// count.
    pub fn new(mut items: DataFrame, stays: &[Number], mrr: &MrrSettings, rates: &Rates<'_>) -> PolarsResult<Self> {
        let (combinations, indices) = combinations(&items, stays, mrr, rates)?;
        let known: BooleanChunked = combinations.iter().map(|combination| Some(combination.native.is_some())).collect();
        let limits = Int128Chunked::from_iter_values("limit".into(), combinations.iter().map(Combination::most_units));
        let indices = UInt32Chunked::from_vec("combination".into(), indices).into_series();
        for series in [known.into_series().with_name("interval_known".into()), limits.into_series()] {
            let column = series.take(indices.cast(&IDX_DTYPE)?.idx()?)?;
            items.with_column(column.into())?;
        }
        items.with_column(indices.into())?;
        let items = items
            .lazy()
            .with_column(
                when(col("interval_known").not())
                    .then(lit(Reason::IntervalUnknown.as_str()))
                    .otherwise(col("unpriced"))
                    .alias("unpriced"),
            )
            .with_column(col("unpriced").is_null().and(col("units").gt(col("limit"))).alias("absurd"))
            .with_column(
                when(col("absurd").or(col("unpriced").is_not_null()))
                    .then(lit(0).cast(DataType::Int128))
                    .otherwise(col("units"))
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

    /// `subscription`, `native`, `account` (multiples of 1/scale), `problem`, `problem_detail`; `rests` remembers what of
    /// `account` is rounded.
    pub fn priced(self, scale: i128, rests: &mut Rests, rates: &Rates<'_>, ids: LazyFrame) -> PolarsResult<DataFrame> {
        let Self { mut items, combinations } = self;
        let of = items.column("combination")?.u32()?.clone();
        let units = items.column("units")?.i128()?.clone();
        let subscriptions = items.column("subscription")?.u32()?.clone();
        // Only the account's currency is ever rounded to whole minor units.
        for (name, factor, remembered) in [
            ("native", (|combination| combination.native.as_ref()) as fn(&Combination) -> Option<&Number>, false),
            ("account", |combination| combination.account.as_ref(), true),
        ] {
            let whole: Vec<Option<i128>> = combinations.iter().map(|c| factor(c)?.count(scale)).collect();
            // A multiplication per item; a fraction only where the scale does not hold its combination's.
            let amounts = of.iter().zip(units.iter()).enumerate().map(|(row, (combination, units))| {
                let (combination, units) = (combination? as usize, units?);
                if let Some(whole) = whole[combination] {
                    return units.checked_mul(whole);
                }
                let amount = factor(&combinations[combination])?.mul(&Number::whole(units));
                if remembered { rests.count(subscriptions.get(row)?, &amount, scale) } else { amount.nearest(scale) }
            });
            items.with_column(wide(name, amounts).into())?;
        }
        let known: BooleanChunked =
            combinations.iter().map(|combination| Some(combination.account.is_some())).collect();
        let known = known.into_series().take(of.cast(&IDX_DTYPE)?.idx()?)?;
        items.with_column(known.with_name("rated".into()).into())?;
        let lacks_rate = col("rated").not().and(col("units").neq(lit(0).cast(DataType::Int128)));
        let reason = |reason: Reason| lit(reason.as_str());
        let items = items
            .lazy()
            .with_column(
                when(col("unpriced").is_not_null())
                    .then(lit(NULL))
                    .when(col("absurd"))
                    .then(reason(Reason::AmountOutOfRange))
                    .when(lacks_rate)
                    .then(reason(Reason::CurrencyWithoutRate))
                    .otherwise(lit(NULL))
                    .cast(DataType::String)
                    .alias("unconverted"),
            )
            .collect()?;
        let problems = problems(&items, rates, ids)?;
        items
            .lazy()
            .group_by([col("subscription")])
            .agg([col("native").sum(), col("account").sum()])
            .left_join(problems.lazy(), col("subscription"), col("subscription"))
            .collect()
    }
}

impl Combination {
    /// The most `units` that is not absurd in either currency.
    fn most_units(&self) -> i128 {
        [&self.native, &self.account]
            .into_iter()
            .flatten()
            .filter_map(|factor| Number::whole(MOST_MINOR).div(factor))
            .map(|most| most.floor_at_most(MOST_UNITS))
            .min()
            .unwrap_or(MOST_UNITS)
    }
}

/// The combinations among `items`, and each item's index into them.
fn combinations(
    items: &DataFrame,
    stays: &[Number],
    mrr: &MrrSettings,
    rates: &Rates<'_>,
) -> PolarsResult<(Vec<Combination>, Vec<u32>)> {
    let (currencies, intervals) = (items.column("currency")?.str()?, items.column("interval")?.str()?);
    let (counts, denominators) = (items.column("interval_count")?.i64()?, items.column("unit")?.i128()?);
    let treatments = items.column("treatment")?.u32()?;
    let keys = ["currency", "interval", "interval_count", "unit", "treatment"];
    let distinct = Distinct::new(items, &keys)?;
    let combination = |first: usize, rows: u64| {
        let monthly =
            interval::per_month(intervals.get(first).unwrap_or_default(), counts.get(first).unwrap_or(0), mrr);
        let stays = treatments.get(first).and_then(|treatment| stays.get(treatment as usize));
        let precision = Number::fraction(1, denominators.get(first).unwrap_or(1));
        let native = monthly.and_then(|monthly| Some(monthly.mul(stays?).mul(&precision?)));
        let account = match (&native, rates.factor(currencies.get(first).unwrap_or_default())) {
            (Some(native), Some(rate)) => Some(native.mul(&rate)),
            // Nothing is nothing in every currency.
            (Some(native), None) if native.is_zero() => Some(Number::zero()),
            _ => None,
        };
        Combination { native, account, rows }
    };
    let firsts = distinct.firsts.iter().zip(&distinct.rows);
    Ok((firsts.map(|(&first, &rows)| combination(first as usize, rows)).collect(), distinct.of))
}

/// `subscription`, `problem`, `problem_detail`: of the items with a problem, the only ones walked row by row. Where an item
/// has no price, nothing is said about converting the others.
fn problems(items: &DataFrame, rates: &Rates<'_>, ids: LazyFrame) -> PolarsResult<DataFrame> {
    let odd = items
        .clone()
        .lazy()
        .filter(col("unpriced").is_not_null().or(col("unconverted").is_not_null()))
        .left_join(ids.select([col("ord"), col("id").alias("subscription_id")]), col("subscription"), col("ord"))
        .collect()?;
    let (unpriced, unconverted) = (odd.column("unpriced")?.str()?, odd.column("unconverted")?.str()?);
    let ids = odd.column("subscription_id")?.str()?;
    let mut found: BTreeMap<u32, [BTreeSet<(&'static str, String)>; 2]> = BTreeMap::new();
    for (row, item) in self::items(&odd)?.into_iter().enumerate() {
        for (stage, problem) in [unpriced.get(row), unconverted.get(row)].into_iter().enumerate() {
            let Some(Ok(reason)) = problem.map(str::parse::<Reason>) else { continue };
            let sentence = item.sentence(reason, ids.get(row).unwrap_or_default(), rates.account);
            found.entry(item.subscription).or_default()[stage].insert((reason.as_str(), sentence));
        }
    }
    let first = |[unpriced, unconverted]: &[BTreeSet<(&'static str, String)>; 2]| {
        let told = if unpriced.is_empty() { unconverted } else { unpriced };
        let sentences: BTreeSet<&str> = told.iter().map(|(_, sentence)| sentence.as_str()).collect();
        let reason = told.first().map(|(reason, _)| *reason);
        (reason, sentences.into_iter().collect::<Vec<_>>().join("; "))
    };
    let (reasons, details): (Vec<_>, Vec<_>) = found.values().map(first).unzip();
    df![
        "subscription" => found.keys().copied().collect::<Vec<_>>(),
        "problem" => reasons,
        "problem_detail" => details,
    ]
}
