//! JSON values as Stripe's API writes them, read one by one so that a wrong one can be named.

use crate::load::columns::not_an_integer;
use crate::model::{Currency, Instant, MOST_MINOR, Reason, SENT_TIMES_100};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A member of an object: absent and null are the same.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// Why an object cannot be read.
#[derive(Debug)]
pub(super) struct Bad {
    pub reason: Reason,
    pub detail: String,
}

pub(super) type Read<T> = Result<T, Bad>;

impl Bad {
    pub fn new(reason: Reason, name: &str, raw: &RawValue, expected: &str) -> Self {
        let shown: String = raw.get().chars().take(60).collect();
        Self { reason, detail: format!("{name} is {shown}, not {expected}") }
    }
}

/// Reads `text` as `T`.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str, name: &str) -> Read<T> {
    serde_json::from_str(text)
        .map_err(|error| Bad { reason: Reason::BadJson, detail: format!("{name} cannot be read: {error}") })
}

/// An object or a list, where there is one.
pub(super) fn parsed<'a, T: Deserialize<'a>>(raw: Raw<'a>, name: &str) -> Read<Option<T>> {
    raw.map(|raw| parse(raw.get(), name)).transpose()
}

pub(super) fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// Text, trimmed and in NFC; empty is absent.
pub(super) fn text(raw: Raw<'_>, name: &str) -> Read<Option<String>> {
    let Some(raw) = raw else { return Ok(None) };
    let quoted = raw.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = quoted else { return Err(Bad::new(Reason::BadJson, name, raw, "text")) };
    let text: Cow<'_, str> = match memchr::memchr(b'\\', inner.as_bytes()) {
        None => Cow::Borrowed(inner),
        Some(_) => Cow::Owned(parse(raw.get(), name)?),
    };
    let trimmed = text.trim();
    let normal = if trimmed.is_ascii() || is_nfc(trimmed) { trimmed.to_owned() } else { trimmed.nfc().collect() };
    Ok((!normal.is_empty()).then_some(normal))
}

/// Words and codes are compared in lower case.
pub(super) fn lower(text: Option<String>) -> Option<String> {
    text.map(|text| text.to_lowercase())
}

/// The id of an object that stands there as its id or in full.
pub(super) fn id_of(raw: Raw<'_>, name: &str) -> Read<Option<String>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        id: Raw<'a>,
    }
    match raw {
        Some(object) if is_object(object) => text(parse::<Named<'_>>(object.get(), name)?.id, name),
        other => text(other, name),
    }
}

/// Milliseconds since 1970, from epoch seconds or ISO 8601.
pub(super) fn instant(raw: Raw<'_>, name: &str) -> Read<Option<i64>> {
    let Some(raw) = raw else { return Ok(None) };
    let wrong = || Bad::new(Reason::BadInstant, name, raw, "a time (seconds since 1970, or 2026-11-01T00:00:00Z)");
    let seconds = |text: &str| text.parse().ok().and_then(Instant::from_epoch_seconds);
    if !raw.get().starts_with('"') {
        return seconds(raw.get()).map(|at| Some(at.epoch_millis())).ok_or_else(wrong);
    }
    let Some(text) = text(Some(raw), name)? else { return Ok(None) };
    seconds(&text).or_else(|| Instant::parse(&text).ok()).map(|at| Some(at.epoch_millis())).ok_or_else(wrong)
}

pub(super) fn boolean(raw: Raw<'_>, name: &str) -> Read<Option<bool>> {
    match raw.map(RawValue::get) {
        None => Ok(None),
        Some("true" | "\"true\"") => Ok(Some(true)),
        Some("false" | "\"false\"") => Ok(Some(false)),
        Some(_) => Err(raw.map_or_else(
            || Bad { reason: Reason::BadBoolean, detail: name.to_owned() },
            |raw| Bad::new(Reason::BadBoolean, name, raw, "true or false"),
        )),
    }
}

/// A whole number.
pub(super) fn integer(raw: Raw<'_>, name: &str) -> Read<Option<i64>> {
    let Some(raw) = raw else { return Ok(None) };
    let bare = raw.get().trim_matches('"');
    let expected = "a whole number of at most 64 bits";
    bare.parse().map(Some).map_err(|_| Bad::new(not_an_integer(bare), name, raw, expected))
}

/// A decimal as written, for percentages.
pub(super) fn decimal_text(raw: Raw<'_>, name: &str) -> Read<Option<String>> {
    let Some(raw) = raw else { return Ok(None) };
    let bare = raw.get().trim_matches('"').trim();
    decimal(bare)
        .map(|value| Some(value.normalize().to_string()))
        .ok_or_else(|| Bad::new(Reason::BadNumber, name, raw, "a number"))
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// Minor units as an exact fraction. `precise` (`unit_amount_decimal`) goes before `whole` (`unit_amount`).
pub(super) fn amount(precise: Raw<'_>, whole: Raw<'_>, name: &str, sent_per_minor: i128) -> Read<Option<(i128, i128)>> {
    let Some(raw) = precise.or(whole) else { return Ok(None) };
    let bare = raw.get().trim_matches('"').trim();
    let Some(value) = decimal(bare) else {
        let number_like = bare.bytes().any(|byte| byte.is_ascii_digit())
            && bare.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let reason = if number_like { Reason::AmountOutOfRange } else { Reason::BadNumber };
        return Err(Bad::new(reason, name, raw, "an amount in minor units"));
    };
    if value.is_sign_negative() && !value.is_zero() || value > Decimal::from(MOST_MINOR) {
        return Err(Bad::new(Reason::AmountOutOfRange, name, raw, "from 0 to 10^15 minor units"));
    }
    let value = value.normalize();
    Ok(Some((value.mantissa(), 10_i128.pow(value.scale()) * sent_per_minor)))
}

/// How many of what Stripe sends make one minor unit: ISK and UGX are sent in hundredths, whatever digits they have.
pub(in crate::load) fn sent_per_minor(currency: Option<&str>, digits: &BTreeMap<Currency, u8>) -> i128 {
    let Some(currency) = currency.and_then(|code| Currency::parse(code).ok()) else { return 1 };
    if !SENT_TIMES_100.contains(&currency.as_str()) {
        return 1;
    }
    10_i128.pow(2_u32.saturating_sub(u32::from(currency.digits(digits))))
}
