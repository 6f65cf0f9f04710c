//! What the scale cannot hold: the amounts that counting in `1 / scale` rounds, remembered exactly, so that a customer is
//! still rounded once.
//!
//! On ordinary nights every amount is a whole number of `1 / scale`, and nothing is remembered.

use super::{
    distinct::Distinct,
    exact::{Number, wide},
};
use crate::config::Rounding;
use polars::prelude::*;
use std::{cmp::Ordering, collections::HashMap};

/// The amounts, in the account's currency, that were rounded to count them, by the `ord` of their subscription.
#[derive(Debug, Clone, Default)]
pub struct Rests(HashMap<u32, Rest>);

/// Those of one subscription.
#[derive(Debug, Clone, Default)]
struct Rest {
    exact: Number,
    /// What stands for `exact` in a sum of counts.
    counted: i128,
    /// How many amounts: each is half a count off at most.
    amounts: i128,
}

impl Rests {
    /// How many `1 / scale` the `amount` of a subscription is; remembered where that is rounded. `None`: more than 128 bits
    /// hold.
    pub(super) fn count(&mut self, subscription: u32, amount: &Number, scale: i128) -> Option<i128> {
        if let Some(whole) = amount.count(scale) {
            return Some(whole);
        }
        let nearest = amount.nearest(scale)?;
        let rest = self.0.entry(subscription).or_default();
        rest.exact = rest.exact.add(amount);
        rest.counted += nearest;
        rest.amounts += 1;
        Some(nearest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Rounds anew what `summary` (*by*, `mrr_exact`, `mrr`, …) says of groups that hold remembered amounts; `rows` (`ord`,
    /// *by*) are those that were summed up.
    pub(super) fn round_anew(
        &self,
        summary: DataFrame,
        rows: LazyFrame,
        by: &str,
        scale: i128,
        rounding: Rounding,
    ) -> PolarsResult<LazyFrame> {
        let remembered = df!["ord" => self.0.keys().copied().collect::<Vec<_>>()]?.lazy();
        let sums = summary.clone().lazy().filter(col("mrr_exact").is_not_null()).select([col(by), col("mrr_exact")]);
        let held = rows
            .semi_join(remembered, col("ord"), col("ord"))
            .select([col("ord"), col(by)])
            .inner_join(sums, col(by), col(by))
            .collect()?;
        let groups = Distinct::new(&held, &[by])?;
        let mut rests: Vec<Vec<&Rest>> = vec![Vec::new(); groups.firsts.len()];
        // Row by row, because no column holds a fraction whose denominator 128 bits cannot bring to the others'.
        for (&group, ord) in groups.of.iter().zip(held.column("ord")?.u32()?.iter()) {
            rests[group as usize].extend(ord.and_then(|ord| self.0.get(&ord)));
        }
        let sums = held.column("mrr_exact")?.i128()?;
        let firsts = groups.firsts.iter().map(|&first| first as usize);
        let mrr = firsts.zip(&rests).map(|(first, rests)| Rest::rounded(rests, sums.get(first)?, scale, rounding));
        let mrr = wide("anew", mrr).cast(&DataType::Int64)?;
        let firsts = IdxCa::from_iter_values("first".into(), groups.firsts.iter().map(|&first| IdxSize::from(first)));
        let mut anew = held.select([by])?.take(&firsts)?;
        anew.with_column(mrr.into())?;
        Ok(summary
            .lazy()
            .left_join(anew.lazy(), col(by), col(by))
            .with_column(coalesce(&[col("anew"), col("mrr")]).alias("mrr"))
            .drop(cols(["anew"])))
    }
}

impl Rest {
    /// The sum of a group, counted as `sum`, in whole minor units; `None` where what was rounded to count it is too little to
    /// bring it to a tie or over one.
    fn rounded(rests: &[&Self], sum: i128, scale: i128, rounding: Rounding) -> Option<i128> {
        let amounts: i128 = rests.iter().map(|rest| rest.amounts).sum();
        let from_tie = 2 * (sum % scale) - scale;
        if from_tie.abs() > amounts {
            return None;
        }
        let counted: i128 = rests.iter().map(|rest| rest.counted).sum();
        let others = Number::fraction(sum - counted, scale)?;
        let exact = rests.iter().fold(others, |sum, rest| sum.add(&rest.exact));
        let whole = exact.floor_at_most(i128::MAX);
        let twice_rest = exact.sub(&Number::whole(whole)).mul(&Number::whole(2));
        let up = match twice_rest.compare(&Number::whole(1)) {
            Ordering::Less => false,
            Ordering::Equal => rounding == Rounding::HalfUp || whole % 2 == 1,
            Ordering::Greater => true,
        };
        Some(whole + i128::from(up))
    }
}
