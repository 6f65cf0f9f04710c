//! The common denominator that turns every exact amount into a whole number, so that sums are plain additions.

use super::exact::Number;
use num_integer::Integer;
use std::collections::BTreeMap;

/// No sum of counted amounts may reach this: a tenth of what an `i128` holds.
const MOST_COUNTED: i128 = 10_i128.pow(37);

/// At least this fine is a scale that cannot hold every denominator: no rounding of a sum then notices, short of a tie, and
/// ties are [`super::rest`]'s.
const FINE: i128 = 1_000_000_000_000;

/// What is known of the amounts before their scale is chosen.
#[derive(Debug, Default)]
pub(super) struct Denominators {
    seen: BTreeMap<i128, u64>,
    total: i128,
    /// Whether a denominator was too large to be noted.
    beyond: bool,
}

impl Denominators {
    /// Takes note of `rows` amounts that are multiples of `unit`, and sum up to `sum` minor units or less.
    pub fn see(&mut self, unit: &Number, rows: u64, sum: i128) {
        match unit.denominator() {
            Some(denominator) => *self.seen.entry(denominator).or_default() += rows,
            None => self.beyond = true,
        }
        self.total = self.total.saturating_add(sum);
    }

    /// The least common multiple of all denominators: every amount is a whole number of `1 / scale`. Where sums of those
    /// could overflow, as many denominators as fit, most frequent first, and [`FINE`] for the others, which are rounded.
    pub fn scale(&self) -> i128 {
        let most = MOST_COUNTED / self.total.max(1);
        let mut by_frequency: Vec<_> = self.seen.iter().map(|(&denominator, &rows)| (rows, denominator)).collect();
        by_frequency.sort_by_key(|&(rows, denominator)| (std::cmp::Reverse(rows), denominator));
        let (mut scale, mut all) = (1_i128, !self.beyond);
        for (_, denominator) in by_frequency {
            let wider = scale.checked_mul(denominator / scale.gcd(&denominator));
            all &= wider.is_some_and(|wider| wider <= most);
            scale = wider.filter(|&wider| wider <= most).unwrap_or(scale);
        }
        while !all && scale < FINE && scale <= most / 10 {
            scale *= 10;
        }
        scale
    }
}

#[cfg(test)]
mod tests {
    use super::{Denominators, Number};

    #[test]
    fn a_denominator_that_could_overflow_a_sum_is_left_out_and_the_frequent_ones_stay_exact() {
        let mut seen = Denominators::default();
        seen.see(&Number::fraction(1, 12).unwrap(), 100, 10_i128.pow(20));
        seen.see(&Number::fraction(1, 10).unwrap(), 50, 10_i128.pow(20));
        seen.see(&Number::fraction(1, 10_i128.pow(20) + 39).unwrap(), 1, 1);
        assert_eq!(seen.scale(), 60 * 10_i128.pow(11));
    }
}
