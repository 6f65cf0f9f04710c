//! Money: whole minor units of a currency. No floating point before the final JSON number.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A currency by its ISO 4217 code, lower-case as Stripe writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The text is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a three-letter currency code")]
pub struct CurrencyError(pub String);

/// Currencies whose minor unit is not a hundredth (`design/mrr.md`). `[mrr] currency_digits` overrides.
pub const DEFAULT_DIGITS: &[(&str, u8)] = &[
    ("bif", 0),
    ("clp", 0),
    ("djf", 0),
    ("gnf", 0),
    ("jpy", 0),
    ("kmf", 0),
    ("krw", 0),
    ("mga", 0),
    ("pyg", 0),
    ("rwf", 0),
    ("ugx", 0),
    ("vnd", 0),
    ("vuv", 0),
    ("xaf", 0),
    ("xof", 0),
    ("xpf", 0),
    ("bhd", 3),
    ("jod", 3),
    ("kwd", 3),
    ("omr", 3),
    ("tnd", 3),
];

/// No amount is above this many minor units, neither a price per interval nor what it brings a month: beyond it the export
/// is damaged. It is about a ten-thousandth of what an `i64` holds, so that many amounts can be added.
pub const MOST_MINOR: i128 = 1_000_000_000_000_000;

/// Zero-decimal currencies that Stripe nevertheless sends × 100 in every integer export (`design/mrr.md`).
pub const SENT_TIMES_100: &[&str] = &["isk", "ugx"];

impl Currency {
    /// Reads a code in any case.
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let refuse = || CurrencyError(text.to_owned());
        let bytes: [u8; 3] = text.trim().as_bytes().try_into().map_err(|_| refuse())?;
        if !bytes.iter().all(u8::is_ascii_alphabetic) {
            return Err(refuse());
        }
        Ok(Self(bytes.map(|b| b.to_ascii_lowercase())))
    }

    /// The code, lower-case.
    pub fn as_str(&self) -> &str {
        // Checked to be ASCII letters when it was made.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits after the point: `overrides` first, then [`DEFAULT_DIGITS`], else 2.
    pub fn digits(&self, overrides: &BTreeMap<Currency, u8>) -> u8 {
        overrides.get(self).copied().unwrap_or_else(|| {
            DEFAULT_DIGITS.iter().find(|(code, _)| *code == self.as_str()).map_or(2, |(_, digits)| *digits)
        })
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An amount in whole minor units, with the digits its currency has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// Digits after the point, 0 to 4.
    pub digits: u8,
}

/// The text is no amount, or one too fine or too large for the currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of money")]
pub struct MoneyError(pub String);

impl Money {
    /// `minor` units of a currency with `digits` decimals.
    pub const fn new(minor: i64, digits: u8) -> Self {
        Self { minor, digits }
    }

    /// Reads a JSON number or CSV decimal; finer digits than the currency has are rounded half-even.
    pub fn parse(text: &str, digits: u8) -> Result<Self, MoneyError> {
        use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
        let refuse = || MoneyError(text.to_owned());
        let text_trimmed = text.trim();
        let value: Decimal =
            text_trimmed.parse().or_else(|_| Decimal::from_scientific(text_trimmed)).map_err(|_| refuse())?;
        let minor = value
            .checked_mul(Decimal::from(10_i64.pow(u32::from(digits))))
            .ok_or_else(refuse)?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        minor.to_i64().map(|minor| Self { minor, digits }).ok_or_else(refuse)
    }
}

/// As a plain decimal with exactly the currency's digits: `-12.30`.
impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = 10_u64.pow(u32::from(self.digits));
        let sign = if self.minor < 0 { "-" } else { "" };
        let absolute = self.minor.unsigned_abs();
        if self.digits == 0 {
            return f.pad(&format!("{sign}{absolute}"));
        }
        let width = usize::from(self.digits);
        f.pad(&format!("{sign}{}.{:0width$}", absolute / unit, absolute % unit))
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Money};
    use std::collections::BTreeMap;

    #[test]
    fn amounts_print_with_the_digits_of_their_currency() {
        for (minor, digits, expected) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-1230, 2, "-12.30"),
            (100, 0, "100"),
            (1200, 3, "1.200"),
            (i64::MIN, 0, "-9223372036854775808"),
        ] {
            assert_eq!(Money::new(minor, digits).to_string(), expected);
        }
    }

    #[test]
    fn amounts_are_read_exactly_and_rounded_half_even() {
        for (text, digits, expected) in [
            ("99", 2, Some(9900)),
            ("99.005", 2, Some(9900)),
            ("99.015", 2, Some(9902)),
            ("1e2", 2, Some(10_000)),
            ("-0.5", 0, Some(0)),
            ("1e30", 2, None),
            ("NaN", 2, None),
            ("", 2, None),
        ] {
            assert_eq!(Money::parse(text, digits).ok().map(|m| m.minor), expected, "{text:?}");
        }
    }

    #[test]
    fn digits_come_from_the_table_unless_overridden() {
        let jpy = Currency::parse("JPY").unwrap();
        assert_eq!(jpy.digits(&BTreeMap::new()), 0);
        assert_eq!(jpy.digits(&BTreeMap::from([(jpy, 2)])), 2);
        assert_eq!(Currency::parse("usd").unwrap().digits(&BTreeMap::new()), 2);
        assert!(Currency::parse("us").is_err());
    }
}
