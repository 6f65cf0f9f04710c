//! Text columns → canonical values.
//!
//! Each function is one kernel over a whole column. They are our own where polars has no exact counterpart: its decimals
//! and dates go through floats or give null for what they cannot read, while here every unreadable value must be named.

use super::fault::Faults;
use crate::model::{Instant, Reason};
use crate::table::INSTANT;
use polars::prelude::*;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Trimmed, NFC (looked at only where not ASCII), and null instead of empty. Shares the column if nothing changes.
pub(super) fn normalise(text: &StringChunked) -> StringChunked {
    // ASCII that neither begins nor ends with a blank or control character: nearly every cell.
    let plain = |value: &str| {
        value.is_ascii()
            && matches!(value.as_bytes(), [first, ..] if *first > b' ')
            && value.as_bytes().last() > Some(&b' ')
    };
    let settled =
        |value: &str| plain(value) || (!value.is_empty() && value.trim().len() == value.len() && is_nfc(value));
    if text.iter().flatten().all(settled) {
        return text.clone();
    }
    map(text, |value| {
        let value = value.trim();
        match (value.is_empty(), is_nfc(value)) {
            (true, _) => None,
            (false, true) => Some(Cow::Borrowed(value)),
            (false, false) => Some(Cow::Owned(value.nfc().collect())),
        }
    })
}

fn is_nfc(value: &str) -> bool {
    value.is_ascii() || is_nfc_quick(value.chars()) == IsNormalized::Yes
}

/// Lower-cased. Shares the column if nothing changes.
pub(super) fn lower(text: &StringChunked) -> StringChunked {
    let settled = |value: &str| value.is_ascii() && !value.bytes().any(|byte| byte.is_ascii_uppercase());
    if text.iter().flatten().all(settled) {
        return text.clone();
    }
    map(text, |value| Some(Cow::Owned(value.to_lowercase())))
}

/// A new text column, value by value.
pub(super) fn map<'a>(
    text: &'a StringChunked,
    mut value: impl FnMut(&'a str) -> Option<Cow<'a, str>>,
) -> StringChunked {
    let mut builder = StringChunkedBuilder::new(text.name().clone(), text.len());
    for cell in text.iter() {
        builder.append_option(cell.and_then(&mut value));
    }
    builder.finish()
}

/// What digits alone mean in a column of instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    /// Nothing.
    Never,
    /// 13 of them: milliseconds since 1970.
    Millis,
    /// Up to 12 of them: seconds since 1970.
    Seconds,
}

impl Epoch {
    pub fn read(self, value: &str) -> Option<i64> {
        if !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = value.parse().ok()?;
        match (self, value.len()) {
            (Self::Millis, 13) => Some(number - number % 1000),
            (Self::Seconds, 1..=12) => Instant::in_calendar(number).then_some(number * 1000),
            _ => None,
        }
    }
}

/// Instants, UTC, cut to the second. `heading` names the column in rejections.
pub(super) fn instants(text: &StringChunked, heading: &str, epoch: Epoch, faults: &mut Faults) -> PolarsResult<Column> {
    let mut row = 0;
    let values: Int64Chunked = text
        .iter()
        .map(|cell| {
            let place = row;
            row += 1;
            let value = cell?;
            let instant = plain_instant(value)
                .or_else(|| epoch.read(value))
                // Rare spellings (offsets other than UTC) are left to the one reader of all instants.
                .or_else(|| Instant::parse(value).ok().map(Instant::epoch_millis));
            if instant.is_none() {
                faults.value(place, Reason::BadInstant, heading, value);
            }
            instant
        })
        .collect();
    values.with_name(text.name().clone()).into_column().cast(&INSTANT)
}

/// `YYYY-MM-DD`, then nothing, ` HH:MM` or ` HH:MM:SS`, with `T` for the blank, a fraction of the second, and `Z` or ` UTC` at
/// the end allowed: the forms that nearly every export uses, without a general parser.
pub(super) fn plain_instant(value: &str) -> Option<i64> {
    let bare = value.strip_suffix('Z').or_else(|| value.strip_suffix(" UTC")).unwrap_or(value).as_bytes();
    let bytes = match bare.get(19..) {
        Some([b'.', fraction @ ..]) if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => &bare[..19],
        _ => bare,
    };
    let number = |range: std::ops::Range<usize>| {
        bytes[range]
            .iter()
            .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    if !matches!(bytes.len(), 10 | 16 | 19) || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let mut seconds = 0;
    if bytes.len() > 10 {
        if !matches!(bytes[10], b' ' | b'T') || bytes[13] != b':' {
            return None;
        }
        let (hour, minute) = (number(11..13)?, number(14..16)?);
        let second = if bytes.len() == 19 && bytes[16] == b':' { number(17..19)? } else { 0 };
        if hour > 23 || minute > 59 || second > 59 || (bytes.len() == 19 && bytes[16] != b':') {
            return None;
        }
        seconds = hour * 3600 + minute * 60 + second;
    }
    Some((days_since_1970(year, month, day)? * 86_400 + seconds) * 1000)
}

/// Days from 1970-01-01 in the Gregorian calendar; `None`: no such day. Years count from March, so that the leap day is
/// the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if year < 1 || day < 1 || day > length {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Yes or no.
pub(super) fn booleans(text: &StringChunked, heading: &str, faults: &mut Faults) -> Column {
    let mut row = 0;
    let values: BooleanChunked = text
        .iter()
        .map(|cell| {
            let place = row;
            row += 1;
            let value = cell?;
            let known = ["true", "yes", "1", "t"].iter().any(|word| word.eq_ignore_ascii_case(value)).then_some(true);
            let known = known.or_else(|| {
                ["false", "no", "0", "f"].iter().any(|word| word.eq_ignore_ascii_case(value)).then_some(false)
            });
            if known.is_none() {
                faults.value(place, Reason::BadBoolean, heading, value);
            }
            known
        })
        .collect();
    values.with_name(text.name().clone()).into_column()
}

/// 2^63, the first number above those of an `i64`.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// Why `text` is no integer of a table: a number beyond 64 bits is out of range, anything else is no such number.
pub(super) fn not_an_integer(text: &str) -> Reason {
    // Words that a float would be read from (`inf`, `nan`) are no numbers of an export.
    let number_like = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let beyond = || text.parse::<f64>().is_ok_and(|value| value.abs() >= BEYOND);
    if number_like && text.parse::<i64>().is_err() && beyond() { Reason::AmountOutOfRange } else { Reason::BadNumber }
}

/// Whole numbers, at least `least`.
pub(super) fn integers(text: &StringChunked, heading: &str, least: i64, faults: &mut Faults) -> Int64Chunked {
    let mut row = 0;
    let values: Int64Chunked = text
        .iter()
        .map(|cell| {
            let place = row;
            row += 1;
            let value = cell?;
            let number = value.parse::<i64>().ok().filter(|number| *number >= least);
            if number.is_none() {
                faults.value(place, not_an_integer(value), heading, value);
            }
            number
        })
        .collect();
    values.with_name(text.name().clone())
}

#[cfg(test)]
mod tests {
    use super::{Epoch, Faults, booleans, instants, lower, normalise, not_an_integer, plain_instant};
    use crate::model::{Instant, Reason};
    use polars::prelude::*;

    #[test]
    fn text_is_trimmed_nfc_and_never_empty() {
        let text = StringChunked::from_slice_options(
            "name".into(),
            &[Some(" Zoe\u{308} "), Some(""), Some("  "), None, Some("plain")],
        );
        let normal: Vec<_> = normalise(&text).iter().map(|cell| cell.map(str::to_owned)).collect();
        assert_eq!(normal, [Some("Zoë".to_owned()), None, None, None, Some("plain".to_owned())]);
        assert_eq!(lower(&StringChunked::from_slice("e".into(), &["A@X.com"])).get(0), Some("a@x.com"));
    }

    #[test]
    fn the_short_way_to_read_an_instant_agrees_with_the_one_reader_of_instants() {
        for text in [
            "2026-11-01",
            "2026-11-01 13:45",
            "2026-11-01 13:45:07",
            "2026-11-01T13:45:07Z",
            "2026-11-01 13:45:07.000",
            "2026-11-01 13:45:07.999999 UTC",
            "2024-02-29",
            "1969-12-31 23:59:59",
            "2000-03-01",
            "1900-02-28",
        ] {
            assert_eq!(plain_instant(text), Instant::parse(text).ok().map(Instant::epoch_millis), "{text}");
            assert!(plain_instant(text).is_some(), "{text}");
        }
        for text in [
            "2026-02-29",
            "0000-01-01",
            "2026-13-01",
            "2026-00-10",
            "2026-11-01 24:00",
            "2026-11-01 13:45x07",
            "2026-11-01 13:45:07.",
            "20261101",
            "",
        ] {
            assert_eq!(plain_instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_whole_number_beyond_64_bits_is_out_of_range_and_other_text_is_no_number() {
        let huge = format!("1{}", "0".repeat(30));
        for (text, reason) in [
            (huge.as_str(), Reason::AmountOutOfRange),
            ("-9223372036854775809", Reason::AmountOutOfRange),
            ("1e30", Reason::AmountOutOfRange),
            ("inf", Reason::BadNumber),
            ("9223372036854775807", Reason::BadNumber),
            ("-1", Reason::BadNumber),
            ("1.5", Reason::BadNumber),
            ("ten", Reason::BadNumber),
            ("-", Reason::BadNumber),
            ("", Reason::BadNumber),
        ] {
            assert_eq!(not_an_integer(text), reason, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_of_its_row() {
        let mut faults = Faults::default();
        let text = StringChunked::from_slice_options(
            "created".into(),
            &[Some("2026-11-01T02:00:00+02:00"), Some("1793491200123"), None, Some("soon")],
        );
        let column = instants(&text, "Created", Epoch::Millis, &mut faults).unwrap();
        let at = |row| column.datetime().unwrap().physical().get(row);
        assert_eq!((at(0), at(1), at(2), at(3)), (Some(1_793_491_200_000), Some(1_793_491_200_000), None, None));
        booleans(&StringChunked::from_slice("b".into(), &["TRUE", "no", "1", "perhaps"]), "Flag", &mut faults);
        let frame = df!("line" => [2_u32, 3, 4, 5], "id" => ["a", "b", "c", "d"]).unwrap();
        let origin =
            crate::load::fault::Origin { source: "s", file: "f.csv", index: 0, reading: crate::load::fault::reading() };
        let (rest, rejections) = faults.reject(frame, &origin, "id", None).unwrap();
        assert_eq!(rest.height(), 3);
        assert_eq!(rejections.len(), 1);
        assert_eq!((rejections[0].line, rejections[0].detail.as_str()), (5, "Created: `soon`"));
    }
}
