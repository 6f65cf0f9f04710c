//! `[mrr]`, its coupons, and `[fx]`: what decides how much a customer is worth.

use super::document::{Document, Section, Value, as_table, kind, named_entries};
use super::problem::Problems;
use super::settings::{
    CountedCoupons, DefinedCoupon, Fx, FxRate, MrrSettings, PausedCollection, Rounding, UnknownCoupon,
};
use super::value;
use crate::model::Currency;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// The most digits that an amount of money may have after the point.
const MOST_DIGITS: u32 = 4;

const PAUSED: &[(&str, PausedCollection)] =
    &[("void", PausedCollection::Void), ("all", PausedCollection::All), ("none", PausedCollection::None)];

const COUNTED: &[(&str, CountedCoupons)] = &[
    ("recurring", CountedCoupons::Recurring),
    ("all", CountedCoupons::All),
    ("forever", CountedCoupons::Forever),
    ("none", CountedCoupons::None),
];

const UNKNOWN: &[(&str, UnknownCoupon)] = &[("invalid", UnknownCoupon::Invalid), ("ignore", UnknownCoupon::Ignore)];

const ROUNDINGS: &[(&str, Rounding)] = &[("half_even", Rounding::HalfEven), ("half_up", Rounding::HalfUp)];

const DURATIONS: &[(&str, &str)] = &[("forever", "forever"), ("repeating", "repeating"), ("once", "once")];

/// `[mrr]`
pub(super) fn mrr(section: &Section<'_>, problems: &mut Problems<'_>) -> MrrSettings {
    let default = MrrSettings::default();
    let (counted, defined_coupons) = coupons(section, problems);
    MrrSettings {
        count_trialing: section.read("count_trialing", problems, value::yes_no).unwrap_or(default.count_trialing),
        past_due_grace_days: section.read("past_due_grace_days", problems, |value| value::whole_up_to(36_600, value)),
        pause_collection: section
            .read("pause_collection", problems, |value| value::one_of(PAUSED, value))
            .unwrap_or(default.pause_collection),
        cancel_at_request: section
            .read("cancel_at_request", problems, value::yes_no)
            .unwrap_or(default.cancel_at_request),
        coupons: counted.unwrap_or(default.coupons),
        unknown_coupon: section
            .read("unknown_coupon", problems, |value| value::one_of(UNKNOWN, value))
            .unwrap_or(default.unknown_coupon),
        week_factor: section.read("week_factor", problems, value::fraction).unwrap_or(default.week_factor),
        day_factor: section.read("day_factor", problems, value::fraction).unwrap_or(default.day_factor),
        rounding: section
            .read("rounding", problems, |value| value::one_of(ROUNDINGS, value))
            .unwrap_or(default.rounding),
        no_subscription_status: section.read("no_subscription_status", problems, value::text),
        currency_digits: currency_digits(section, problems),
        defined_coupons,
    }
}

/// `coupons` is two things by its documentation, a word and a table, and TOML lets a name be only one of them:
/// `count_coupons` is the word for a file that has the table.
fn coupons(
    section: &Section<'_>,
    problems: &mut Problems<'_>,
) -> (Option<CountedCoupons>, BTreeMap<String, DefinedCoupon>) {
    let beside = section.read("count_coupons", problems, |value| value::one_of(COUNTED, value));
    let Some(written) = section.value("coupons") else { return (beside, BTreeMap::new()) };
    if as_table(written).is_some() {
        let defined = named_entries("mrr.coupons", written, problems)
            .into_iter()
            .filter_map(|(id, _, value)| Some((id.to_owned(), coupon(id, value, problems)?)))
            .collect();
        return (beside, defined);
    }
    if section.value("count_coupons").is_some() {
        let message = "says the same as `coupons`; remove one of them";
        problems.at(section.offset_of("count_coupons"), section.path("count_coupons"), message);
    }
    (section.read("coupons", problems, |value| value::one_of(COUNTED, value)), BTreeMap::new())
}

fn coupon(id: &str, value: &Value<'_>, problems: &mut Problems<'_>) -> Option<DefinedCoupon> {
    let path = format!("mrr.coupons.{id}");
    let at = value.span().start;
    let Some(table) = as_table(value) else {
        let message =
            format!("found {}; write {id} = {{ percent_off = \"20\", duration = \"forever\" }}", kind(value.get_ref()));
        problems.at(at, path, message);
        return None;
    };
    let section = Section::open("mrr.coupons.*", path.clone(), at, table, problems);
    let duration = section.require("duration", problems, |value| value::one_of(DURATIONS, value));
    let percent_off = section.read("percent_off", problems, |value| {
        let percent = value::percent_up_to(Some(100), value)?;
        if percent == Decimal::ZERO { Err("`0` takes nothing off".to_owned()) } else { Ok(percent) }
    });
    let amount_off = section.read("amount_off", problems, value::positive_decimal);
    let currency = section.read("currency", problems, value::currency);
    match (section.value("percent_off").is_some(), section.value("amount_off").is_some()) {
        (true, true) => problems.at(at, path, "names percent_off and amount_off; remove one of them"),
        (false, false) => {
            problems.at(at, path, "takes nothing off; write percent_off = \"20\", or amount_off and currency");
        }
        (false, true) if section.value("currency").is_none() => {
            problems.at(at, path, "names an amount without its currency; write currency = \"usd\" beside it");
        }
        (true, false) if section.value("currency").is_some() => {
            problems.at(at, path, "names a currency, which a percentage does not have; remove it");
        }
        _ => {}
    }
    Some(DefinedCoupon { percent_off, amount_off: amount_off.zip(currency), duration: duration?.to_owned() })
}

fn currency_digits(section: &Section<'_>, problems: &mut Problems<'_>) -> BTreeMap<Currency, u8> {
    let Some(written) = section.value("currency_digits") else { return BTreeMap::new() };
    let mut digits = BTreeMap::new();
    for (code, at, value) in named_entries("mrr.currency_digits", written, problems) {
        let path = format!("mrr.currency_digits.{code}");
        let read = value::whole_up_to(MOST_DIGITS, value.get_ref())
            .and_then(|digits| u8::try_from(digits).map_err(|_| "is too large".to_owned()));
        match (Currency::parse(code), read) {
            (Err(error), _) => problems.at(at, path, format!("{error}; write it like jpy = 0")),
            (_, Err(why)) => {
                problems.at(value.span().start, path, format!("{why}; write digits from 0 to 4, like jpy = 0"));
            }
            (Ok(currency), Ok(number)) => {
                if digits.insert(currency, number).is_some() {
                    problems.at(at, path, format!("`{currency}` stands twice; remove one of them"));
                }
            }
        }
    }
    digits
}

/// `[fx]`
pub(super) fn fx(document: &Document<'_>, account: Option<Currency>, problems: &mut Problems<'_>) -> Fx {
    let mut rates = BTreeMap::new();
    for (code, at, value) in document.named("fx", problems) {
        let path = format!("fx.{code}");
        let currency = match Currency::parse(code) {
            Ok(currency) if Some(currency) == account => {
                problems.at(
                    at,
                    path,
                    format!("`{code}` is the account's own currency, which needs no rate; remove it"),
                );
                continue;
            }
            Ok(currency) => currency,
            Err(error) => {
                problems.at(
                    at,
                    path,
                    format!("{error}; write it like eur = {{ rate = \"1.0842\", date = \"2026-10-31\" }}"),
                );
                continue;
            }
        };
        if let Some(rate) = fx_rate(&path, value, problems)
            && rates.insert(currency, rate).is_some()
        {
            problems.at(at, path, format!("`{currency}` stands twice; remove one of them"));
        }
    }
    Fx { rates }
}

fn fx_rate(path: &str, value: &Value<'_>, problems: &mut Problems<'_>) -> Option<FxRate> {
    let at = value.span().start;
    let Some(table) = as_table(value) else {
        let shown = match value.get_ref() {
            DeValue::Float(number) => number.as_str(),
            DeValue::String(text) => text,
            _ => "1.0842",
        };
        let message = format!(
            "found {}, and a rate needs its date; write {{ rate = \"{shown}\", date = \"2026-10-31\" }}",
            kind(value.get_ref())
        );
        problems.at(at, path, message);
        return None;
    };
    let section = Section::open("fx.*", path.to_owned(), at, table, problems);
    let rate = section.require("rate", problems, value::positive_decimal);
    let date = section.require("date", problems, value::day);
    Some(FxRate { rate: rate?, date: date? })
}
