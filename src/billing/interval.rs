//! Billing intervals: which part of an amount falls on one month.

use super::exact::Number;
use crate::config::MrrSettings;

/// The part of one interval's amount that falls on a month, as numerator and denominator; `None`: no such interval.
fn factor(interval: &str, mrr: &MrrSettings) -> Option<(u64, u64)> {
    match interval {
        "day" => Some(mrr.day_factor),
        "week" => Some(mrr.week_factor),
        "month" => Some((1, 1)),
        "year" => Some((1, 12)),
        _ => None,
    }
}

/// Months per interval as a factor on the amount: an amount per `count` × `interval` times this is the amount per month.
/// `None`: no such interval.
pub(super) fn per_month(interval: &str, count: i64, mrr: &MrrSettings) -> Option<Number> {
    let (numerator, denominator) = factor(interval, mrr)?;
    if count < 1 {
        return None;
    }
    let factor = Number::fraction(i128::from(numerator), i128::from(denominator))?;
    factor.div(&Number::whole(i128::from(count)))
}

/// The same as a person would write it down: `÷ 12`, `× 52/12 ÷ 2`; empty for one month.
pub(super) fn working(interval: &str, count: i64, mrr: &MrrSettings) -> String {
    let one = match factor(interval, mrr) {
        None | Some((1, 1)) => String::new(),
        Some((1, denominator)) => format!("÷ {denominator}"),
        Some((numerator, 1)) => format!("× {numerator}"),
        Some((numerator, denominator)) => format!("× {numerator}/{denominator}"),
    };
    if count > 1 { format!("{one} ÷ {count}").trim_start().to_owned() } else { one }
}

#[cfg(test)]
mod tests {
    use super::working;
    use crate::config::MrrSettings;

    #[test]
    fn a_factor_is_written_as_a_person_would_work_it_out() {
        let four = MrrSettings { week_factor: (4, 1), ..MrrSettings::default() };
        for (interval, count, mrr, shown) in [
            ("month", 1, &MrrSettings::default(), ""),
            ("month", 3, &MrrSettings::default(), "÷ 3"),
            ("year", 1, &MrrSettings::default(), "÷ 12"),
            ("year", 2, &MrrSettings::default(), "÷ 12 ÷ 2"),
            ("week", 2, &MrrSettings::default(), "× 52/12 ÷ 2"),
            ("week", 1, &four, "× 4"),
            ("day", 1, &four, "× 365/12"),
        ] {
            assert_eq!(working(interval, count, mrr), shown);
        }
    }
}
