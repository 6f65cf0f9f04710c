//! Exact numbers: fractions of 128-bit integers, and of unbounded ones as soon as those would overflow.

use crate::runs::Exact;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::{BigRational, Ratio};
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, ToPrimitive, Zero};
use polars::prelude::*;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// A fraction that never overflows: small while it can be, because nearly all are and small ones are quick.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Small(Ratio<i128>),
    Big(Box<BigRational>),
}

macro_rules! operation {
    ($name:ident, $checked:ident, $operator:tt) => {
        pub fn $name(&self, other: &Self) -> Self {
            if let (Self::Small(a), Self::Small(b)) = (self, other) {
                // Whole numbers are most of all, and need no common denominator.
                let small = if a.is_integer() && b.is_integer() {
                    a.numer().$checked(b.numer()).map(Ratio::from_integer)
                } else {
                    a.$checked(b)
                };
                if let Some(small) = small {
                    return Self::Small(small);
                }
            }
            Self::Big(Box::new(self.big() $operator other.big()))
        }
    };
}

impl Default for Number {
    fn default() -> Self {
        Self::zero()
    }
}

impl Number {
    operation!(add, checked_add, +);
    operation!(sub, checked_sub, -);
    operation!(mul, checked_mul, *);

    pub fn zero() -> Self {
        Self::whole(0)
    }

    pub fn whole(value: i128) -> Self {
        Self::Small(Ratio::from_integer(value))
    }

    /// `numerator / denominator`; `None` for a denominator that is not positive.
    pub fn fraction(numerator: i128, denominator: i128) -> Option<Self> {
        // The least i128 has no absolute value, which reducing needs.
        (denominator > 0 && numerator != i128::MIN).then(|| Self::Small(Ratio::new(numerator, denominator)))
    }

    pub fn decimal(value: Decimal) -> Self {
        Self::Small(Ratio::new(value.mantissa(), 10_i128.pow(value.scale())))
    }

    /// `None` for a divisor of zero.
    pub fn div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        if let (Self::Small(a), Self::Small(b)) = (self, other)
            && let Some(small) = a.checked_div(b)
        {
            return Some(Self::Small(small));
        }
        Some(Self::Big(Box::new(self.big() / other.big())))
    }

    pub fn is_zero(&self) -> bool {
        match self {
            Self::Small(value) => value.is_zero(),
            Self::Big(value) => value.is_zero(),
        }
    }

    pub fn is_negative(&self) -> bool {
        self.compare(&Self::zero()) == Ordering::Less
    }

    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(a), Self::Small(b)) => a.cmp(b),
            _ => self.big().cmp(&other.big()),
        }
    }

    pub fn least(self, other: Self) -> Self {
        if other.compare(&self) == Ordering::Less { other } else { self }
    }

    /// The least whole number that is not below, where 128 bits hold it.
    pub fn ceil(&self) -> Option<i128> {
        match self {
            Self::Small(value) => Some(value.ceil().to_integer()),
            Self::Big(value) => value.ceil().to_integer().to_i128(),
        }
    }

    /// The greatest whole number that is not above, at most `most`.
    pub fn floor_at_most(&self, most: i128) -> i128 {
        let floor = match self {
            Self::Small(value) => Some(value.floor().to_integer()),
            Self::Big(value) => value.floor().to_integer().to_i128(),
        };
        floor.map_or(most, |floor| floor.min(most))
    }

    /// The denominator in lowest terms, where 128 bits hold it.
    pub fn denominator(&self) -> Option<i128> {
        match self {
            Self::Small(value) => Some(*value.denom()),
            Self::Big(value) => value.denom().to_i128(),
        }
    }

    /// How many `1 / scale` it is, where that is a whole number that 128 bits hold.
    pub fn count(&self, scale: i128) -> Option<i128> {
        let (numerator, denominator) = self.parts()?;
        (scale % denominator == 0).then(|| numerator.checked_mul(scale / denominator))?
    }

    /// Numerator and denominator in lowest terms, where 128 bits hold them.
    pub fn parts(&self) -> Option<(i128, i128)> {
        match self {
            Self::Small(value) => Some((*value.numer(), *value.denom())),
            Self::Big(value) => Some((value.numer().to_i128()?, value.denom().to_i128()?)),
        }
    }

    /// The nearest number of `1 / scale`, where 128 bits hold it.
    pub fn nearest(&self, scale: i128) -> Option<i128> {
        self.count(scale).or_else(|| {
            let fine = self.mul(&Self::whole(scale));
            let half = Self::Small(Ratio::new(1, 2));
            match fine.add(&half) {
                Self::Small(value) => Some(value.floor().to_integer()),
                Self::Big(value) => value.floor().to_integer().to_i128(),
            }
        })
    }

    /// The same for others to read.
    pub fn exact(&self) -> Exact {
        let value = self.big();
        Exact { num: value.numer().to_string(), den: value.denom().to_string() }
    }

    fn big(&self) -> BigRational {
        match self {
            Self::Small(value) => BigRational::new_raw(BigInt::from(*value.numer()), BigInt::from(*value.denom())),
            Self::Big(value) => value.as_ref().clone(),
        }
    }
}

/// A whole number for a column: polars makes literals of this type only by hand.
pub(super) fn number(value: i128) -> Expr {
    Expr::Literal(LiteralValue::Scalar(Scalar::new(DataType::Int128, AnyValue::Int128(value))))
}

/// A column of whole numbers.
pub(super) fn wide(name: &str, values: impl Iterator<Item = Option<i128>>) -> Series {
    Int128Chunked::from_iter_options(name.into(), values).into_series()
}

/// An exact sum of minor units, `sum / scale`, in lowest terms.
pub fn exact(sum: i128, scale: i128) -> Exact {
    let (sum, scale) = (BigInt::from(sum), BigInt::from(scale.max(1)));
    let common = sum.gcd(&scale);
    Exact { num: (&sum / &common).to_string(), den: (&scale / &common).to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Number, exact};
    use std::cmp::Ordering;

    #[test]
    fn numbers_grow_beyond_128_bits_instead_of_wrapping() {
        let huge = Number::whole(i128::MAX);
        let square = huge.mul(&huge);
        assert!(square.count(1).is_none());
        assert_eq!(square.div(&huge).unwrap().count(1), Some(i128::MAX));
        assert_eq!(huge.add(&huge).compare(&huge), Ordering::Greater);
    }

    #[test]
    fn a_sum_is_shown_in_lowest_terms() {
        for (sum, scale, num, den) in
            [(2500, 100, "25", "1"), (-5, 10, "-1", "2"), (0, 12, "0", "1"), (7, 12, "7", "12")]
        {
            let shown = exact(sum, scale);
            assert_eq!((shown.num.as_str(), shown.den.as_str()), (num, den));
        }
    }
}
