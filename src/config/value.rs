//! How each kind of value is read. Every reader answers with the value, or with what is wrong with the text, in words
//! that fit before "; write …".

use super::document::kind;
use super::pace::{Pace, Rate};
use super::schema::nearest;
use super::settings::TetherUrl;
use crate::model::{Currency, Instant};
use rust_decimal::Decimal;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use toml::de::DeValue;

/// The longest duration that a configuration may name: beyond it the sum with a clock could overflow.
const LONGEST: Duration = Duration::from_hours(8784);

/// Units of a duration, longest first, in milliseconds.
const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Units of a size, in bytes.
const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Names of a rate's period, in seconds.
const PERIODS: &[(&str, u64)] = &[
    ("s", 1),
    ("sec", 1),
    ("second", 1),
    ("min", 60),
    ("minute", 60),
    ("h", 3600),
    ("hour", 3600),
    ("d", 86_400),
    ("day", 86_400),
];

/// Calls per period beyond which pacing is meaningless.
const MOST_CALLS: u32 = 1_000_000;

/// A text that is not blank.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) if text.trim().is_empty() => Err("is empty".to_owned()),
        DeValue::String(text) if text.chars().any(char::is_control) => Err("holds a control character".to_owned()),
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(format!("found {}", kind(other))),
    }
}

/// A text that is not blank, or a list of 1 to `most` of them, each once.
pub(super) fn texts(most: usize, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let DeValue::Array(items) = value else { return Ok(vec![text(value)?]) };
    let texts = items.iter().map(|item| text(item.get_ref())).collect::<Result<Vec<_>, _>>()?;
    let twice = |(place, text): (usize, &String)| texts[..place].contains(text).then(|| text.clone());
    if let Some(text) = texts.iter().enumerate().find_map(twice) {
        return Err(format!("`{text}` stands twice"));
    }
    match texts.len() {
        0 => Err("the list is empty".to_owned()),
        length if length > most => Err(format!("the list holds more than {most}")),
        _ => Ok(texts),
    }
}

/// `true` or `false`.
pub(super) fn yes_no(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(yes) => Ok(*yes),
        other => Err(format!("found {}", kind(other))),
    }
}

/// One word of a closed list.
pub(super) fn one_of<T: Copy>(words: &[(&str, T)], value: &DeValue<'_>) -> Result<T, String> {
    let word = text(value)?;
    if let Some((_, meaning)) = words.iter().find(|(known, _)| *known == word) {
        return Ok(*meaning);
    }
    let near = nearest(&word, words.iter().map(|(known, _)| *known));
    Err(near.map_or_else(
        || format!("`{word}` is not known"),
        |near| format!("`{word}` is not known, did you mean \"{near}\"?"),
    ))
}

/// A whole number that is not negative.
pub(super) fn whole(value: &DeValue<'_>) -> Result<u64, String> {
    match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str().trim_start_matches('+'), number.radix())
            .map_err(|_| format!("`{number}` is negative or too large")),
        other => Err(format!("found {}", kind(other))),
    }
}

/// A whole number from 0 to `most`.
pub(super) fn whole_up_to(most: u32, value: &DeValue<'_>) -> Result<u32, String> {
    let number = whole(value)?;
    u32::try_from(number).ok().filter(|number| *number <= most).ok_or_else(|| format!("`{number}` is above {most}"))
}

/// A whole number from 1 to `most`.
pub(super) fn positive_up_to(most: u32, value: &DeValue<'_>) -> Result<NonZeroU32, String> {
    NonZeroU32::new(whole_up_to(most, value)?).ok_or_else(|| "`0` is too small".to_owned())
}

/// A decimal as it is written: quoted, whole, or with a point. Its text is read, never a binary float.
pub(super) fn decimal(value: &DeValue<'_>) -> Result<Decimal, String> {
    match value {
        DeValue::Float(number) => read_decimal(number.as_str()),
        other => exact_decimal(other),
    }
}

/// A decimal in quotes, or a whole number. A bare number with a point is refused: what a reader of the file takes for
/// `1.0842` other tools would read as the nearest binary fraction.
pub(super) fn exact_decimal(value: &DeValue<'_>) -> Result<Decimal, String> {
    match value {
        DeValue::String(text) => read_decimal(text.trim()),
        DeValue::Integer(number) if number.radix() == 10 => read_decimal(number.as_str()),
        DeValue::Float(number) => Err(format!("{} stands without quotes, put it in quotes", number.as_str())),
        other => Err(format!("found {}", kind(other))),
    }
}

fn read_decimal(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map(|number| number.normalize())
        .map_err(|_| format!("`{text}` is not a decimal number"))
}

/// A decimal above zero, exact.
pub(super) fn positive_decimal(value: &DeValue<'_>) -> Result<Decimal, String> {
    let number = exact_decimal(value)?;
    if number > Decimal::ZERO { Ok(number) } else { Err(format!("`{number}` is not above 0")) }
}

/// A percentage from 0 to `most`.
pub(super) fn percent_up_to(most: Option<u32>, value: &DeValue<'_>) -> Result<Decimal, String> {
    let number = decimal(value)?;
    match most {
        _ if number.is_sign_negative() && !number.is_zero() => Err(format!("`{number}` is negative")),
        Some(most) if number > Decimal::from(most) => Err(format!("`{number}` is above {most}")),
        _ => Ok(number),
    }
}

/// A percentage of at least 100.
pub(super) fn percent_from_100(value: &DeValue<'_>) -> Result<Decimal, String> {
    let number = decimal(value)?;
    if number < Decimal::ONE_HUNDRED { Err(format!("`{number}` is below 100")) } else { Ok(number) }
}

/// A positive fraction: `52/12`, `4.33`, or a whole number.
pub(super) fn fraction(value: &DeValue<'_>) -> Result<(u64, u64), String> {
    let refuse = |text: &str| format!("`{text}` is not a positive fraction");
    if let DeValue::String(text) = value
        && let Some((numerator, denominator)) = text.split_once('/')
    {
        return match (numerator.trim().parse(), denominator.trim().parse()) {
            (Ok(numerator), Ok(denominator)) if numerator > 0 && denominator > 0 => Ok((numerator, denominator)),
            _ => Err(refuse(text)),
        };
    }
    let number = positive_decimal(value)?;
    match (u64::try_from(number.mantissa()), 10_u64.checked_pow(number.scale())) {
        (Ok(numerator), Some(denominator)) => Ok((numerator, denominator)),
        _ => Err(refuse(&number.to_string())),
    }
}

/// A currency's code.
pub(super) fn currency(value: &DeValue<'_>) -> Result<Currency, String> {
    Currency::parse(&text(value)?).map_err(|error| error.to_string())
}

/// A day, in quotes or as TOML's own date.
pub(super) fn day(value: &DeValue<'_>) -> Result<Instant, String> {
    let written = match value {
        DeValue::Datetime(date) => date.to_string(),
        other => text(other)?,
    };
    Instant::parse(&written).map_err(|_| format!("`{written}` is not a date"))
}

/// A duration: `2h`, `1h30m`, `500ms`; units from longest to shortest, each once.
pub(super) fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    if let DeValue::Integer(number) = value {
        return Err(format!("`{number}` has no unit"));
    }
    parse_duration(&text(value)?)
}

/// A duration as the configuration writes it, from a text.
pub fn parse_duration(written: &str) -> Result<Duration, String> {
    let refuse = || format!("`{written}` is not a duration such as 500ms, 30s, 2h or 1h30m");
    let mut rest = written.trim();
    let mut units = UNITS;
    let mut milliseconds: u64 = 0;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let place = units.iter().position(|(name, _)| *name == unit.trim()).ok_or_else(refuse)?;
        milliseconds = digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(units[place].1))
            .and_then(|more| milliseconds.checked_add(more))
            .ok_or_else(refuse)?;
        units = &units[place + 1..];
        rest = after;
    }
    match Duration::from_millis(milliseconds) {
        Duration::ZERO => Err(format!("`{written}` is no time at all")),
        length if length > LONGEST => Err(format!("`{written}` is longer than a year")),
        length => Ok(length),
    }
}

/// A size in bytes, at least 1: `16GB`, `512 KiB`, or a whole number.
pub(super) fn bytes(value: &DeValue<'_>) -> Result<u64, String> {
    let written = match value {
        DeValue::Integer(_) => whole(value)?.to_string(),
        other => text(other)?,
    };
    let (digits, unit) = written.split_at(written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len()));
    let unit = SIZES.iter().find(|(name, _)| *name == unit.trim()).map(|(_, bytes)| *bytes);
    unit.zip(digits.parse::<u64>().ok())
        .and_then(|(unit, number)| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("`{written}` is not a size"))
}

/// A rate: `10/s`, `600/min`, `auto`.
pub(super) fn pace(value: &DeValue<'_>) -> Result<Pace, String> {
    match value {
        DeValue::String(word) if word == "auto" => Ok(Pace::Auto),
        other => rate(other).map(Pace::Fixed),
    }
}

fn rate(value: &DeValue<'_>) -> Result<Rate, String> {
    if let DeValue::Integer(number) = value {
        return Err(format!("`{number}` does not say per what time"));
    }
    let written = text(value)?;
    let refuse = || format!("`{written}` is not a whole number of calls per time");
    let (calls, period) = written.split_once('/').ok_or_else(refuse)?;
    let calls = calls.trim().parse().ok().and_then(NonZeroU32::new).ok_or_else(refuse)?;
    let (_, seconds) = PERIODS.iter().find(|(name, _)| *name == period.trim()).ok_or_else(refuse)?;
    if calls.get() > MOST_CALLS {
        return Err(format!("`{written}` is above {MOST_CALLS} calls"));
    }
    Ok(Rate { calls, per: Duration::from_secs(*seconds) })
}

/// Whether `url` is of this machine, which nobody listens in on.
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where Tether is: `sandbox`, https, or http on this machine; scheme, host and port only.
pub(super) fn tether_url(value: &DeValue<'_>) -> Result<TetherUrl, String> {
    let written = text(value)?;
    if written == "sandbox" {
        return Ok(TetherUrl::Sandbox);
    }
    let url = url::Url::parse(&written).map_err(|error| format!("`{written}` is not an address ({error})"))?;
    // From here on the text may hold a password: it is not shown.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address holds a user name or a password".to_owned());
    }
    if url.host().is_none() {
        return Err(format!("`{written}` names no host"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(format!("`{written}` would send the key unencrypted")),
        scheme => return Err(format!("`{scheme}` is not https")),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{written}` holds more than scheme, host and port"));
    }
    Ok(TetherUrl::Remote(url))
}

/// One path or glob pattern, or a list of them, made absolute: relative ones start at `base`.
pub(super) fn patterns(base: &Path, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let written = match value {
        DeValue::Array(items) if items.is_empty() => return Err("the list is empty".to_owned()),
        DeValue::Array(items) => items.iter().map(|item| text(item.get_ref())).collect::<Result<Vec<_>, _>>()?,
        other => vec![text(other)?],
    };
    written
        .into_iter()
        .map(|pattern| {
            glob::Pattern::new(&pattern)
                .map_err(|error| format!("`{pattern}` is not a glob pattern: {}", error.msg))?;
            Ok(absolute_pattern(base, &pattern))
        })
        .collect()
}

/// A pattern that begins at `base` unless it is absolute.
pub(super) fn absolute_pattern(base: &Path, pattern: &str) -> String {
    if Path::new(pattern).is_absolute() {
        return pattern.to_owned();
    }
    Path::new(&escaped(base)).join(pattern).to_string_lossy().into_owned()
}

/// A folder's name as a pattern that matches only itself.
pub(super) fn escaped(folder: &Path) -> String {
    glob::Pattern::escape(&folder.to_string_lossy())
}

/// A name that also serves as part of a file's name: letters, digits, `-`, `_` and `.`, beginning with a letter or digit.
pub(super) fn name(value: &DeValue<'_>) -> Result<String, String> {
    let name = text(value)?;
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        Ok(name)
    } else {
        Err(format!("`{name}` holds more than letters, digits, `-`, `_` and `.`, or is longer than 64"))
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, decimal, duration, exact_decimal, fraction, patterns, rate, tether_url};
    use std::path::Path;
    use std::time::Duration;
    use toml::de::DeValue;

    /// Reads `toml` as a value; `None` is a refusal.
    fn check<T: std::fmt::Debug + PartialEq>(
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
        cases: &[(&str, Option<T>)],
    ) {
        for (toml, expected) in cases {
            let value = DeValue::parse(toml).unwrap();
            assert_eq!(read(value.get_ref()).ok().as_ref(), expected.as_ref(), "{toml}");
        }
    }

    #[test]
    fn durations_are_read_with_their_units() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        check(
            duration,
            &[
                (r#""2h""#, seconds(7200)),
                (r#""30s""#, seconds(30)),
                (r#""1h30m""#, seconds(5400)),
                (r#""1h 30m""#, seconds(5400)),
                (r#""1d""#, seconds(86_400)),
                (r#""500ms""#, Some(Duration::from_millis(500))),
                (r#""30m1h""#, None),
                (r#""2h2h""#, None),
                (r#""0s""#, None),
                (r#""2""#, None),
                (r#""h""#, None),
                (r#""-2h""#, None),
                (r#""1.5h""#, None),
                (r#""99999999999999999999d""#, None),
                (r#""400d""#, None),
                ("30", None),
            ],
        );
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        check(
            bytes,
            &[
                (r#""16GB""#, Some(16_000_000_000)),
                (r#""512 KiB""#, Some(524_288)),
                ("1000000", Some(1_000_000)),
                (r#""7""#, Some(7)),
                (r#""0MB""#, None),
                ("-1", None),
                (r#""1.5GB""#, None),
                (r#""GB""#, None),
                (r#""99999999999TB""#, None),
            ],
        );
    }

    #[test]
    fn rates_are_read_per_time() {
        let per = |calls, seconds| Some((calls, seconds));
        check(
            |value| rate(value).map(|rate| (rate.calls.get(), rate.per.as_secs())),
            &[
                (r#""10/s""#, per(10, 1)),
                (r#""600/min""#, per(600, 60)),
                (r#""100 / hour""#, per(100, 3600)),
                (r#""0/s""#, None),
                (r#""0.5/s""#, None),
                (r#""10""#, None),
                (r#""10/fortnight""#, None),
                (r#""5000000/s""#, None),
                ("10", None),
            ],
        );
    }

    #[test]
    fn decimals_are_read_from_their_text() {
        let number = |text: &str| Some(text.parse().unwrap());
        check(decimal, &[("10", number("10")), ("0.1", number("0.1")), (r#""12.50""#, number("12.5")), ("nan", None)]);
        check(
            exact_decimal,
            &[
                (r#""1.0842""#, number("1.0842")),
                ("2", number("2")),
                ("1.0842", None),
                (r#""1,0842""#, None),
                (r#""""#, None),
            ],
        );
        check(
            fraction,
            &[
                (r#""52/12""#, Some((52, 12))),
                (r#""4.33""#, Some((433, 100))),
                ("4", Some((4, 1))),
                ("4.33", None),
                (r#""52/0""#, None),
                (r#""-1/2""#, None),
                (r#""0""#, None),
            ],
        );
    }

    #[test]
    fn only_addresses_that_keep_the_key_secret_are_taken() {
        for (url, expected) in [
            ("https://usetether.io", true),
            ("https://usetether.io/", true),
            ("sandbox", true),
            ("http://127.0.0.1:8787", true),
            ("http://[::1]:8787", true),
            ("http://localhost:8787", true),
            ("http://usetether.io", false),
            ("http://localhost.example.com", false),
            ("ftp://usetether.io", false),
            ("https://usetether.io/api/v1/customers", false),
            ("https://user:pass@usetether.io", false),
            ("usetether.io", false),
        ] {
            assert_eq!(tether_url(&DeValue::String(url.into())).is_ok(), expected, "{url}");
        }
    }

    #[test]
    fn a_relative_pattern_starts_at_the_file_and_brackets_in_its_folder_match_only_themselves() {
        let base = Path::new("/books/[2026]");
        let read = |toml: &str| patterns(base, DeValue::parse(toml).unwrap().get_ref());
        assert_eq!(read(r#""in/*.csv""#), Ok(vec!["/books/[[]2026[]]/in/*.csv".to_owned()]));
        assert_eq!(read(r#"["/a.csv", "b.csv"]"#).map(|list| list.len()), Ok(2));
        for bad in ["[]", r#""a/***""#, r#""""#, "3", r"[3]"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
