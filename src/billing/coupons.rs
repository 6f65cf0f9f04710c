//! What coupons take off, and for how long: those that the exports define, then those of the configuration.

use super::exact::Number;
use crate::{
    config::{CountedCoupons, DefinedCoupon, MrrSettings},
    model::Currency,
    table::Coupons,
};
use polars::prelude::*;
use rust_decimal::Decimal;
use std::{cmp::Ordering, collections::HashMap};

/// What a coupon takes off.
#[derive(Debug, Clone)]
pub(super) enum Off {
    /// The part that stays, 0 to 1.
    Percent(Number),
    /// Minor units of a currency, per interval.
    Amount(Number, String),
}

/// How long a coupon lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    Forever,
    Repeating { months: Option<u32> },
    Once,
}

/// A coupon that is defined in full.
#[derive(Debug, Clone)]
pub(super) struct Coupon {
    /// Tells it from the other coupons of one [`read`].
    pub number: u32,
    pub off: Off,
    pub lasts: Lasts,
    /// Products it applies to; `None`: all.
    pub applies_to: Option<Vec<String>>,
    /// Whether the configuration defines it, and not an export.
    pub configured: bool,
}

impl Lasts {
    fn read(duration: &str, months: Option<i64>) -> Option<Self> {
        match duration {
            "forever" => Some(Self::Forever),
            "repeating" => Some(Self::Repeating { months: months.and_then(|months| u32::try_from(months).ok()) }),
            "once" => Some(Self::Once),
            _ => None,
        }
    }

    /// Whether the configuration counts coupons that last so.
    pub fn counts(self, rule: CountedCoupons) -> bool {
        match rule {
            CountedCoupons::None => false,
            CountedCoupons::Forever => self == Self::Forever,
            CountedCoupons::Recurring => self != Self::Once,
            CountedCoupons::All => true,
        }
    }
}

/// A percentage as text to a fraction of one; `None` unless it is a number from 0.
pub(super) fn percentage(text: &str) -> Option<Number> {
    let text = text.trim();
    let value: Decimal = text.parse().or_else(|_| Decimal::from_scientific(text)).ok()?;
    let value = Number::decimal(value).div(&Number::whole(100))?;
    (!value.is_negative()).then_some(value)
}

/// What stays when `fraction` is taken off.
fn stays(fraction: &Number) -> Number {
    let one = Number::whole(1);
    one.sub(&fraction.clone().least(one.clone()))
}

/// The coupons by id. An export's definition goes before the configuration's; one that is not complete defines nothing.
pub(super) fn read(
    table: &Coupons,
    mrr: &MrrSettings,
    digits: impl Fn(Currency) -> u32,
) -> PolarsResult<HashMap<String, Coupon>> {
    let mut coupons: HashMap<String, Coupon> = mrr
        .defined_coupons
        .iter()
        .filter_map(|(id, defined)| Some((id.clone(), configured(defined, &digits)?)))
        .collect();
    let frame = table.frame();
    let text = |column: &str| frame.column(column).and_then(Column::str);
    let (ids, percents, currencies) = (text("id")?, text("percent_off")?, text("currency")?);
    let (amounts, durations) = (frame.column("amount_off")?.i64()?, text("duration")?);
    let months = frame.column("duration_in_months")?.i64()?;
    let applies_to = frame.column("applies_to")?.list()?;
    let mut exported: HashMap<&str, Coupon> = HashMap::new();
    // Coupons are few; one map entry each.
    for row in 0..frame.height() {
        let Some(id) = ids.get(row) else { continue };
        let off = match (percents.get(row), amounts.get(row), currencies.get(row)) {
            // More than all of a price is no discount but a damaged row.
            (Some(percent), ..) => percentage(percent)
                .filter(|fraction| fraction.compare(&Number::whole(1)) != Ordering::Greater)
                .map(|fraction| Off::Percent(stays(&fraction))),
            (None, Some(amount), Some(currency)) if amount >= 0 => {
                Some(Off::Amount(Number::whole(i128::from(amount)), currency.to_lowercase()))
            }
            _ => None,
        };
        let lasts = Lasts::read(durations.get(row).unwrap_or_default(), months.get(row));
        let products = match applies_to.get_as_series(row) {
            Some(list) => Some(list.str()?.iter().flatten().map(str::to_owned).collect()),
            None => None,
        };
        if let (Some(off), Some(lasts)) = (off, lasts) {
            let coupon = Coupon { number: 0, off, lasts, applies_to: products, configured: false };
            // An API object names the products only where they were expanded: the fuller definition stands.
            let fuller =
                exported.get(id).is_some_and(|known| known.applies_to.is_some()) && coupon.applies_to.is_none();
            if !fuller {
                exported.insert(id, coupon);
            }
        }
    }
    coupons.extend(exported.into_iter().map(|(id, coupon)| (id.to_owned(), coupon)));
    for (number, coupon) in (0..).zip(coupons.values_mut()) {
        coupon.number = number;
    }
    Ok(coupons)
}

fn configured(defined: &DefinedCoupon, digits: &impl Fn(Currency) -> u32) -> Option<Coupon> {
    let off = match (&defined.percent_off, &defined.amount_off) {
        (Some(percent), _) => Off::Percent(stays(&percentage(&percent.to_string())?)),
        (None, Some((amount, currency))) => {
            let minor = Number::decimal(*amount).mul(&Number::whole(10_i128.pow(digits(*currency))));
            Off::Amount(minor, currency.as_str().to_owned())
        }
        (None, None) => return None,
    };
    let lasts = Lasts::read(&defined.duration, None)?;
    Some(Coupon { number: 0, off, lasts, applies_to: None, configured: true })
}
