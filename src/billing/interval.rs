//! Billing intervals: which part of an amount falls on one month.

use super::exact::Number;
use crate::config::MrrSettings;

/// Months per interval as a factor on the amount: an amount per `count` × `interval` times this is the amount per month.
/// `None`: no such interval.
pub(super) fn per_month(interval: &str, count: i64, mrr: &MrrSettings) -> Option<Number> {
    let (numerator, denominator) = match interval {
        "day" => mrr.day_factor,
        "week" => mrr.week_factor,
        "month" => (1, 1),
        "year" => (1, 12),
        _ => return None,
    };
    if count < 1 {
        return None;
    }
    let factor = Number::fraction(i128::from(numerator), i128::from(denominator))?;
    factor.div(&Number::whole(i128::from(count)))
}
