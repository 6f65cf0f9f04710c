//! Cells as a worksheet's XML: what each kind of value becomes, and what of a text a cell can hold.

use super::columns::Kind;
use super::styles::Styles;
use std::io::Write;

/// The longest text of a cell, in UTF-16 code units.
pub(super) const LONGEST: usize = 32_767;

/// The digits that a spreadsheet's number keeps.
const DIGITS: usize = 15;

/// The largest whole number of [`DIGITS`] digits.
const WIDEST: u128 = 999_999_999_999_999;

/// The serial number of 1970-01-01.
const UNIX_DAY: i64 = 25_569;

const DAY_MILLIS: i64 = 86_400_000;

/// Serial numbers of 1900-03-01, before which a spreadsheet's calendar is wrong by a day, and of 10000-01-01.
const CALENDAR: std::ops::Range<i64> = 61..2_958_466;

/// Whether a spreadsheet's number holds every digit of an amount of minor units.
pub(super) const fn is_exact(minor: i128) -> bool {
    minor.unsigned_abs() <= WIDEST
}

/// Whether a cell holds the whole text.
pub(super) fn fits(text: &str) -> bool {
    text.len() <= LONGEST || text.encode_utf16().count() <= LONGEST
}

/// As much of `text` as a cell holds, with a notice at its end where something is missing.
pub(super) fn cut(text: &str) -> std::borrow::Cow<'_, str> {
    if fits(text) {
        return text.into();
    }
    let notice = format!("… [cut: {} characters]", crate::report::amount::count(text.chars().count() as u64));
    let room = LONGEST - notice.encode_utf16().count();
    let mut units = 0;
    let end = text.char_indices().find(|(_, character)| {
        units += character.len_utf16();
        units > room
    });
    format!("{}{notice}", &text[..end.map_or(text.len(), |(at, _)| at)]).into()
}

/// Whether `text` is a plain decimal that a spreadsheet's number holds digit by digit: `-12.50`, not `007`.
pub(super) fn is_number(text: &str) -> bool {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && whole.len() + fraction.map_or(0, str::len) <= DIGITS
}

/// The serial number of an instant, days since 1899-12-30 UTC; `None` where a spreadsheet has no such day.
pub(super) fn serial(millis: i64) -> Option<f64> {
    let day = millis.div_euclid(DAY_MILLIS) + UNIX_DAY;
    // Milliseconds of a day and serial numbers are far below what a double holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "both are below 2^53")]
    CALENDAR.contains(&day).then(|| day as f64 + millis.rem_euclid(DAY_MILLIS) as f64 / DAY_MILLIS as f64)
}

/// The XML of rows, one behind the other. What is written into it cannot fail: it is memory.
pub(super) struct Rows<'a> {
    pub(super) xml: Vec<u8>,
    styles: &'a Styles,
    letters: &'a [String],
    row: u32,
    digits: u8,
}

impl<'a> Rows<'a> {
    /// Rows from line 2 on; `letters` are the columns' names, `digits` those of the currency.
    pub(super) fn new(styles: &'a Styles, letters: &'a [String], digits: u8) -> Self {
        Self { xml: Vec::with_capacity(1 << 21), styles, letters, row: 1, digits }
    }

    /// Begins a sheet: the next row is line 2 again.
    pub(super) fn restart(&mut self) {
        self.row = 1;
    }

    /// Begins the next row.
    pub(super) fn begin(&mut self) {
        self.row += 1;
        let _ = write!(self.xml, "<row r=\"{}\">", self.row);
    }

    /// Ends the row.
    pub(super) fn end(&mut self) {
        self.xml.extend_from_slice(b"</row>");
    }

    fn open(&mut self, column: usize, kind: Kind) {
        let (letter, style) = (&self.letters[column], self.styles.of(kind));
        let _ = write!(self.xml, "<c r=\"{letter}{}\" s=\"{style}\"", self.row);
    }

    fn number(&mut self, column: usize, kind: Kind, number: impl std::fmt::Display) {
        self.open(column, kind);
        let _ = write!(self.xml, "><v>{number}</v></c>");
    }

    /// A text, which stays one whatever it begins with.
    pub(super) fn text(&mut self, column: usize, text: &str) {
        self.string(column, Kind::Text, text);
    }

    fn string(&mut self, column: usize, kind: Kind, text: &str) {
        self.open(column, kind);
        let text = cut(text);
        let outer = |character: char| character.is_whitespace();
        let preserve = if text.starts_with(outer) || text.ends_with(outer) { " xml:space=\"preserve\"" } else { "" };
        let _ = write!(self.xml, " t=\"inlineStr\"><is><t{preserve}>");
        escape(&text, &mut self.xml);
        self.xml.extend_from_slice(b"</t></is></c>");
    }

    /// Minor units as an amount; one of more digits than a number keeps is text, and in no sum.
    pub(super) fn money(&mut self, column: usize, minor: i128) {
        let amount = crate::report::amount::decimal(minor, self.digits);
        if is_exact(minor) {
            self.number(column, Kind::Money, amount);
        } else {
            self.string(column, Kind::Money, &amount);
        }
    }

    /// A count.
    pub(super) fn count(&mut self, column: usize, count: u64) {
        self.number(column, Kind::Count, count);
    }

    /// Yes or no.
    pub(super) fn yes_no(&mut self, column: usize, yes: bool) {
        self.open(column, Kind::YesNo);
        let _ = write!(self.xml, " t=\"b\"><v>{}</v></c>", u8::from(yes));
    }

    /// Milliseconds since 1970 as a date and time; as text where a spreadsheet's calendar lacks the day.
    pub(super) fn instant(&mut self, column: usize, millis: i64) {
        match serial(millis) {
            Some(serial) => self.number(column, Kind::Instant, serial),
            None => self.string(column, Kind::Text, &crate::report::text::instant(millis)),
        }
    }

    /// A decimal text as the number that it is, else as text.
    pub(super) fn decimal(&mut self, column: usize, kind: Kind, text: &str) {
        if is_number(text) {
            self.number(column, kind, text);
        } else {
            self.string(column, Kind::Text, text);
        }
    }
}

/// Escapes what XML reserves, what XML cannot hold and what a parser would change (as `_x000D_`, the format's own way),
/// and a text that looks like such an escape.
fn escape(text: &str, xml: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut kept = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let named: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'_' if is_escape(&bytes[at..]) => b"_x005F_",
            b'\t' | b'\n' => continue,
            0..0x20 | 0x7f => b"",
            // U+FFFE and U+FFFF.
            0xef if matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => b"",
            _ => continue,
        };
        xml.extend_from_slice(&bytes[kept..at]);
        kept = at + 1;
        if !named.is_empty() {
            xml.extend_from_slice(named);
        } else if *byte == 0xef {
            kept = at + 3;
            let _ = write!(xml, "_xFFF{}_", if bytes[at + 2] == 0xbe { 'E' } else { 'F' });
        } else {
            let _ = write!(xml, "_x{byte:04X}_");
        }
    }
    xml.extend_from_slice(&bytes[kept..]);
}

/// Whether a reader would take what stands here for an escape: `_x000D_`.
fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'_', b'x', digits @ .., ] if digits.len() >= 5 && digits[..4].iter().all(u8::is_ascii_hexdigit) && digits[4] == b'_')
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, cut, escape, is_exact, is_number, serial};

    #[test]
    fn texts_are_escaped_so_that_a_reader_gets_them_back() {
        for (text, expected) in [
            ("a<b>&\"'", "a&lt;b&gt;&amp;\"'"),
            ("tab\tline\nreturn\r", "tab\tline\nreturn_x000D_"),
            ("\u{0}\u{1}\u{1f}\u{7f}", "_x0000__x0001__x001F__x007F_"),
            ("\u{fffe}é\u{ffff}\u{fffd}", "_xFFFE_é_xFFFF_\u{fffd}"),
            ("_x0041_ _x41_ _xzzzz_ __x000d_", "_x005F_x0041_ _x41_ _xzzzz_ __x005F_x000d_"),
            ("\u{202e}right to left 🦀", "\u{202e}right to left 🦀"),
        ] {
            let mut xml = Vec::new();
            escape(text, &mut xml);
            assert_eq!(String::from_utf8(xml).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_too_long_for_a_cell_is_cut_between_characters_and_says_so() {
        let whole = "🦀".repeat(LONGEST / 2);
        assert_eq!(cut(&whole), whole);
        let longer = "🦀".repeat(20_000);
        let kept = cut(&longer);
        assert!(kept.ends_with("🦀… [cut: 20,000 characters]"));
        assert!((LONGEST - 1..=LONGEST).contains(&kept.encode_utf16().count()));
    }

    #[test]
    fn only_what_a_number_keeps_digit_by_digit_becomes_one() {
        for text in ["0", "-12.50", "999999999999999", "0.00", "9999999999999.99"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "007", "1e5", "1.", ".5", "+1", "=1", "1000000000000000", "1/3", "−1", "١"] {
            assert!(!is_number(text), "{text}");
        }
        assert!(is_exact(-999_999_999_999_999) && !is_exact(1_000_000_000_000_000) && !is_exact(i128::MIN));
    }

    #[test]
    fn instants_are_serial_numbers_where_the_calendar_is_right() {
        for (millis, expected) in [
            (0, Some(25_569.0)),
            (1_796_083_200_000, Some(46_357.0)),
            (1_796_126_400_000, Some(46_357.5)),
            (-1, Some(25_569.0 - 1.0 / 86_400_000.0)),
            (-2_203_891_200_000, Some(61.0)),
            (-2_203_891_200_001, None),
            (253_402_300_800_000, None),
        ] {
            assert_eq!(serial(millis), expected, "{millis}");
        }
    }
}
