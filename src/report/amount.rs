//! Sums of money: exact fractions of minor units, and how they are written.

use super::ReportError;
use crate::runs::Exact;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// The fraction that the manifest holds.
pub(super) fn rational(exact: &Exact) -> Result<BigRational, ReportError> {
    let refuse = || ReportError::Fraction { num: exact.num.clone(), den: exact.den.clone() };
    let num: BigInt = exact.num.parse().map_err(|_| refuse())?;
    let den: BigInt = exact.den.parse().map_err(|_| refuse())?;
    if den.is_positive() { Ok(BigRational::new(num, den)) } else { Err(refuse()) }
}

/// A whole number of minor units as a fraction.
pub(super) fn whole(minor: i128) -> BigRational {
    BigRational::from_integer(BigInt::from(minor))
}

/// Minor units as a plain decimal in major units with the currency's digits: `-12.30`.
pub fn decimal(minor: i128, digits: u8) -> String {
    let mut text = String::new();
    push_decimal(minor, digits, &mut text);
    text
}

/// As [`decimal`], appended to `out`.
pub(super) fn push_decimal(minor: i128, digits: u8, out: &mut String) {
    use std::fmt::Write;
    let unit = 10_u128.pow(u32::from(digits));
    let absolute = minor.unsigned_abs();
    if minor < 0 {
        out.push('-');
    }
    // Writing into a String cannot fail.
    let _ = if digits == 0 {
        write!(out, "{absolute}")
    } else {
        write!(out, "{}.{:0width$}", absolute / unit, absolute % unit, width = usize::from(digits))
    };
}

/// As [`decimal`], with a thin grouping of thousands and a true minus sign, for people: `−1,234.50`.
pub fn grouped(minor: i128, digits: u8) -> String {
    group(&decimal(minor, digits))
}

/// As [`grouped`], with the sign always shown unless the amount is zero.
pub(super) fn signed(minor: i128, digits: u8) -> String {
    let text = grouped(minor, digits);
    if minor > 0 { format!("+{text}") } else { text }
}

/// A count with its thousands grouped.
pub(super) fn count(number: u64) -> String {
    group(&number.to_string())
}

/// A fraction of minor units in major units for people; up to four digits more than the currency has.
pub(super) fn grouped_exact(minor: &BigRational, digits: u8) -> String {
    if minor.is_integer()
        && let Ok(number) = i128::try_from(minor.to_integer())
    {
        return grouped(number, digits);
    }
    let places = usize::from(digits) + 4;
    let major = minor / BigRational::from_integer(BigInt::from(10).pow(u32::from(digits)));
    let text = fixed(&major, places);
    let shortest = text.len() - 4;
    let kept = text.trim_end_matches('0').len().max(shortest);
    group(text[..kept].trim_end_matches('.'))
}

/// A fraction as a plain decimal: in full where that ends, else to twelve places, rounded half-even.
pub(super) fn exact_decimal(value: &BigRational) -> String {
    let mut rest = value.denom().clone();
    let mut places = 0;
    for factor in [2, 5] {
        let mut times = 0;
        while rest.is_multiple_of(&BigInt::from(factor)) {
            rest /= factor;
            times += 1;
        }
        places = places.max(times);
    }
    fixed(value, if rest.is_one() { places } else { 12 })
}

/// `value` with exactly `places` digits after the point, rounded half-even.
pub fn fixed(value: &BigRational, places: usize) -> String {
    let scale = BigInt::from(10).pow(u32::try_from(places).unwrap_or(u32::MAX));
    let scaled = value.abs() * BigRational::from_integer(scale);
    let (mut quotient, remainder) = scaled.numer().div_rem(scaled.denom());
    let twice: BigInt = remainder * 2;
    if twice > *scaled.denom() || (twice == *scaled.denom() && quotient.is_odd()) {
        quotient += 1;
    }
    let sign = if value.is_negative() && !quotient.is_zero() { "-" } else { "" };
    let digits = format!("{quotient:0>width$}", width = places + 1);
    let (before, after) = digits.split_at(digits.len() - places);
    if places == 0 { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") }
}

/// A plain decimal with its thousands grouped and a true minus sign.
pub fn group(plain: &str) -> String {
    let (sign, rest) = plain.strip_prefix('-').map_or(("", plain), |rest| ("\u{2212}", rest));
    let (before, after) = rest.split_once('.').map_or((rest, None), |(before, after)| (before, Some(after)));
    let mut out = String::from(sign);
    for (index, digit) in before.chars().enumerate() {
        if index > 0 && (before.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(after) = after {
        out.push('.');
        out.push_str(after);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{BigRational, exact_decimal, grouped, grouped_exact, signed};
    use num_bigint::BigInt;

    fn fraction(num: i64, den: i64) -> BigRational {
        BigRational::new(BigInt::from(num), BigInt::from(den))
    }

    #[test]
    fn amounts_for_people_are_grouped_and_keep_the_currencys_digits() {
        for (minor, digits, expected) in
            [(0, 2, "0.00"), (-123_456, 2, "−1,234.56"), (1_000_000, 0, "1,000,000"), (999, 3, "0.999")]
        {
            assert_eq!(grouped(minor, digits), expected);
        }
        assert_eq!((signed(5, 2).as_str(), signed(-5, 2).as_str(), signed(0, 2).as_str()), ("+0.05", "−0.05", "0.00"));
    }

    #[test]
    fn fractions_are_written_in_full_where_they_end() {
        for (num, den, expected, shown) in [
            (5, 2, "2.5", "0.025"),
            (-1, 3, "-0.333333333333", "−0.003333"),
            (200, 1, "200", "2.00"),
            (1, 8, "0.125", "0.00125"),
            (123_456_789, 10, "12345678.9", "123,456.789"),
        ] {
            assert_eq!(exact_decimal(&fraction(num, den)), expected);
            assert_eq!(grouped_exact(&fraction(num, den), 2), shown);
        }
        assert_eq!(grouped_exact(&fraction(1, 3), 0), "0.3333");
    }
}
