//! Decimal amounts in major units → exact minor units. No floating point anywhere.

use crate::model::{MOST_MINOR, Money, Reason};

/// Stripe's own decimals end after twelve places.
const MOST_PLACES: u32 = 12;

/// Reads `text` (`33.00`, `3.3e1`; in a file not separated by commas also `33,00`) as minor units of a currency with `digits`
/// decimals: numerator and denominator.
///
/// # Errors
/// `BadNumber` for what is no number or could mean two, `AmountOutOfRange` for what is negative, not finite, too large
/// or too fine.
pub(super) fn minor_units(text: &str, digits: u8, separator: u8) -> Result<(i128, i128), Reason> {
    let digits = u32::from(digits);
    if text.contains(',') {
        return minor_units_of(&without_grouping(text, separator).ok_or(Reason::BadNumber)?, digits);
    }
    minor_units_of(text, digits)
}

fn minor_units_of(text: &str, digits: u32) -> Result<(i128, i128), Reason> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["nan", "inf", "infinity"].iter().any(|word| word.eq_ignore_ascii_case(unsigned)) {
        return Err(Reason::AmountOutOfRange);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let plain = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Reason::BadNumber);
            }
            (mantissa, exponent.parse::<i32>().map_err(|_| Reason::AmountOutOfRange)?)
        }
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(Reason::BadNumber);
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() + fraction.len() > 30 {
        return Err(Reason::AmountOutOfRange);
    }
    let number =
        whole.bytes().chain(fraction.bytes()).fold(0_i128, |number, byte| number * 10 + i128::from(byte - b'0'));
    if number == 0 {
        return Ok((0, 1));
    }
    if text.starts_with('-') {
        return Err(Reason::AmountOutOfRange);
    }
    // The value in minor units is number × 10^shift.
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let shift = i64::from(exponent) + i64::from(digits) - places;
    let power = u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX);
    let (num, den) = if shift >= 0 {
        let scaled = 10_i128.checked_pow(power).and_then(|factor| number.checked_mul(factor));
        (scaled.ok_or(Reason::AmountOutOfRange)?, 1)
    } else if power <= MOST_PLACES {
        (number, 10_i128.pow(power))
    } else {
        return Err(Reason::AmountOutOfRange);
    };
    if num > MOST_MINOR * den { Err(Reason::AmountOutOfRange) } else { Ok((num, den)) }
}

/// Takes out separators of thousands and turns a decimal comma into a point, where only one reading is possible.
fn without_grouping(text: &str, separator: u8) -> Option<String> {
    let grouped = |whole: &str, mark: char| {
        let mut groups = whole.split(mark);
        let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
        first && groups.all(|group| group.len() == 3)
    };
    match (text.rfind(','), text.rfind('.')) {
        (Some(comma), Some(point)) if comma < point && grouped(&text[..point], ',') => Some(text.replace(',', "")),
        (Some(comma), Some(point))
            if point < comma && separator != b',' && text.len() == comma + 3 && grouped(&text[..comma], '.') =>
        {
            Some(text.replace('.', "").replace(',', "."))
        }
        (Some(comma), None) if separator != b',' && text.len() == comma + 3 && text.find(',') == Some(comma) => {
            Some(text.replace(',', "."))
        }
        _ => None,
    }
}

/// Tether's `mrr` in whole minor units, rounded half-even where it is finer.
///
/// # Errors
/// `BadNumber` for what is no number, `AmountOutOfRange` for what is not finite or too large.
pub(super) fn rounded_minor(text: &str, digits: u8) -> Result<i64, Reason> {
    // The exact path reads nearly everything; signs and fine fractions are left to the one reader of money.
    match minor_units_of(text, u32::from(digits)) {
        Ok((num, 1)) => i64::try_from(num).map_err(|_| Reason::AmountOutOfRange),
        Err(Reason::BadNumber) => Err(Reason::BadNumber),
        _ => match Money::parse(text, digits) {
            Ok(money) if i128::from(money.minor).abs() <= MOST_MINOR => Ok(money.minor),
            _ => Err(Reason::AmountOutOfRange),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Reason, minor_units, rounded_minor};

    #[test]
    fn amounts_are_exact_or_refused_with_the_reason() {
        let (bad, range) = (Err(Reason::BadNumber), Err(Reason::AmountOutOfRange));
        for (text, digits, separator, expected) in [
            ("33.00", 2, b',', Ok((3300, 1))),
            ("33.005", 2, b',', Ok((33005, 10))),
            ("33", 2, b',', Ok((3300, 1))),
            (".5", 2, b',', Ok((50, 1))),
            ("1200", 0, b',', Ok((1200, 1))),
            ("1.200", 3, b',', Ok((1200, 1))),
            ("1.25e2", 2, b',', Ok((12500, 1))),
            ("-0.00", 2, b',', Ok((0, 1))),
            ("1,234.50", 2, b',', Ok((123_450, 1))),
            ("1.234,50", 2, b';', Ok((123_450, 1))),
            ("33,00", 2, b';', Ok((3300, 1))),
            ("1.234,50", 2, b'\t', Ok((123_450, 1))),
            ("33,00", 2, b'\t', Ok((3300, 1))),
            ("33,00", 2, b',', bad),
            ("1,234", 2, b';', bad),
            ("12,34.50", 2, b',', bad),
            ("$33.00", 2, b',', bad),
            ("1e", 2, b',', bad),
            (".", 2, b',', bad),
            ("-5.00", 2, b',', range),
            ("1e400", 2, b',', range),
            ("1e99999999999", 2, b',', range),
            ("NaN", 2, b',', range),
            ("-inf", 2, b',', range),
            ("1234567890123456789012345678901234567890", 2, b',', range),
            ("10000000000000.01", 2, b',', range),
            ("10000000000000.00", 2, b',', Ok((1_000_000_000_000_000, 1))),
            ("0.000000000000001", 2, b',', range),
        ] {
            assert_eq!(minor_units(text, digits, separator), expected, "{text:?}");
        }
    }

    #[test]
    fn tethers_mrr_is_rounded_half_even() {
        for (text, expected) in [
            ("99", Ok(9900)),
            ("99.99", Ok(9999)),
            ("99.005", Ok(9900)),
            ("99.015", Ok(9902)),
            ("-1.5", Ok(-150)),
            ("1e2", Ok(10_000)),
            ("0.1", Ok(10)),
            ("90071992547409.93", Err(Reason::AmountOutOfRange)),
            ("9007199254740.93", Ok(900_719_925_474_093)),
            ("ninety", Err(Reason::BadNumber)),
            ("1e30", Err(Reason::AmountOutOfRange)),
        ] {
            assert_eq!(rounded_minor(text, 2), expected, "{text:?}");
        }
    }
}
