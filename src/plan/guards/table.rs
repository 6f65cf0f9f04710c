//! The guards: one row each.

use super::{Figure, Look, exports, moves, shares};
use crate::config::Guards;
use crate::model::Currency;
use rust_decimal::Decimal;
use std::time::Duration;

/// One guard.
pub(super) struct Guard {
    /// The key of `[guards]`, and what `--allow` names.
    pub name: &'static str,
    /// What its figures count.
    pub unit: Unit,
    /// On which side of the limit a figure may lie.
    pub side: Side,
    /// The limit, in the unit; `None`: the guard does not stand.
    pub limit: fn(&Guards) -> Option<Decimal>,
    /// What it looks at: a figure for the whole plan, or one per product or source.
    pub figures: fn(&Look<'_>) -> Vec<Figure>,
}

impl Guard {
    /// Whether it is switched on and off, and has no limit of the configuration's.
    pub(super) fn is_switch(&self) -> bool {
        self.name.starts_with("refuse_")
    }
}

/// On which side of the limit a figure may lie; the limit itself passes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// Refused above.
    AtMost,
    /// Refused below.
    AtLeast,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    /// Customers.
    Customers,
    /// Percent of something that the sentence names.
    Percent,
    /// Percentage points.
    Points,
    /// Major units of the account's currency.
    Money,
    /// Hours.
    Hours,
    /// Files.
    Files,
    /// Currencies.
    Currencies,
}

impl Unit {
    /// As programs read it.
    pub(super) fn word(self, account: Currency) -> String {
        match self {
            Self::Customers => "customers",
            Self::Percent => "percent",
            Self::Points => "points",
            Self::Money => account.as_str(),
            Self::Hours => "hours",
            Self::Files => "files",
            Self::Currencies => "currencies",
        }
        .to_owned()
    }

    /// A limit as a person reads it; `digits` are those of the account's currency.
    pub(super) fn shown(self, limit: Decimal, account: Currency, digits: u8) -> String {
        match self {
            Self::Customers | Self::Files | Self::Currencies => limit.to_string(),
            Self::Percent => format!("{limit} %"),
            Self::Points => format!("{limit} points"),
            Self::Money => format!("{limit:.*} {}", usize::from(digits), account.as_str().to_uppercase()),
            Self::Hours => format!("{limit} h"),
        }
    }
}

/// Every guard, in the order of the configuration's documentation.
pub(super) const GUARDS: &[Guard] = &[
    most("max_created", Unit::Customers, |guards| guards.max_created.map(Decimal::from), moves::created),
    most("max_changed_percent", Unit::Percent, |guards| guards.max_changed_percent, moves::changed),
    most("max_mrr_change_percent", Unit::Percent, |guards| guards.max_mrr_change_percent, moves::net),
    most("max_gross_mrr_change_percent", Unit::Percent, |guards| guards.max_gross_mrr_change_percent, moves::gross),
    most("max_customer_mrr_change", Unit::Money, |guards| guards.max_customer_mrr_change, moves::per_customer),
    most("max_status_shift_percent", Unit::Points, |guards| guards.max_status_shift_percent, shares::statuses),
    most("max_currency_shift_percent", Unit::Points, |guards| guards.max_currency_shift_percent, shares::currencies),
    most("refuse_new_currency", Unit::Currencies, |guards| none_if(guards.refuse_new_currency), shares::new_currencies),
    least("min_rows_percent", Unit::Percent, |guards| guards.min_rows_percent, exports::rows),
    most("max_rows_percent", Unit::Percent, |guards| guards.max_rows_percent, exports::rows),
    most("max_export_age", Unit::Hours, |guards| guards.max_export_age.map(hours), exports::ages),
    least("refuse_repeated_files", Unit::Files, |guards| one_if(guards.refuse_repeated_files), exports::new_files),
];

type Limit = fn(&Guards) -> Option<Decimal>;
type Figures = fn(&Look<'_>) -> Vec<Figure>;

const fn most(name: &'static str, unit: Unit, limit: Limit, figures: Figures) -> Guard {
    Guard { name, unit, side: Side::AtMost, limit, figures }
}

const fn least(name: &'static str, unit: Unit, limit: Limit, figures: Figures) -> Guard {
    Guard { name, unit, side: Side::AtLeast, limit, figures }
}

fn none_if(stands: bool) -> Option<Decimal> {
    stands.then_some(Decimal::ZERO)
}

fn one_if(stands: bool) -> Option<Decimal> {
    stands.then_some(Decimal::ONE)
}

/// A duration in hours, exact to the second's part of them that six digits hold.
pub(super) fn hours(duration: Duration) -> Decimal {
    (Decimal::from(duration.as_secs()) / Decimal::from(3600)).round_dp(6).normalize()
}
