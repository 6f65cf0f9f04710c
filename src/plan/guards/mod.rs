//! Guards: figures at which a run is refused before its first call.
//!
//! In: a plan, what it was made from, and the last completed run's manifest. Out: a finding per guard and what it looks at,
//! also where it passed, and where there was nothing to compare with. Never: the clock, a file, a guard that is not written.
//!
//! A guard is a row of [`table::GUARDS`] and the function that tells its figures.

mod exports;
mod moves;
mod shares;
mod table;

use super::PlanError;
use crate::config::{Guards, Settings};
use crate::model::{InputFile, Instant, Selection};
use crate::runs::{GuardFinding, Manifest, Mix, RunProduct, SourceTotals};
use crate::table::PlanRows;
use moves::Moves;
use rust_decimal::{Decimal, RoundingStrategy};
use table::{GUARDS, Guard, Side, Unit};

/// What the guards look at.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The plan.
    pub rows: &'a PlanRows,
    /// Which of its rows are sent: what is left to a later run moves nothing.
    pub selection: Option<&'a Selection>,
    /// The products with what Tether is known to hold.
    pub products: &'a [RunProduct],
    /// Control totals per source.
    pub sources: &'a [SourceTotals],
    /// The files that were read.
    pub inputs: &'a [InputFile],
    /// Of what the customers and the subscriptions are made up.
    pub mix: Option<&'a Mix>,
    /// The configuration, with the limits.
    pub settings: &'a Settings,
    /// When the run was started: exports age by it, not by `--as-of`.
    pub started_at: Instant,
    /// The last completed run.
    pub previous: Option<&'a Manifest>,
    /// Guards that are overridden this once.
    pub allowed: &'a [String],
    /// Of an approved plan what its guards found: what it was let pass passes again, but nothing new and nothing worse.
    pub approved: &'a [GuardFinding],
}

/// One figure of a guard.
struct Figure {
    /// The product or source, where it is not the whole plan.
    scope: Option<String>,
    /// `None`: there is nothing to compare with.
    value: Option<Decimal>,
    /// There is something, and nothing that it could be a part of: beyond every limit.
    endless: bool,
    /// What was found, in words that the limit follows.
    what: String,
}

impl Figure {
    fn new(scope: Option<&str>, value: impl Into<Decimal>, what: String) -> Self {
        Self { scope: scope.map(str::to_owned), value: Some(value.into()), endless: false, what }
    }

    /// Beyond every limit.
    fn endless(scope: &str, what: String) -> Self {
        Self { scope: Some(scope.to_owned()), value: None, endless: true, what }
    }

    /// There is nothing to compare with, because of `why`.
    fn none(scope: Option<&str>, why: &str) -> Self {
        let of = scope.map_or_else(String::new, |scope| format!("{scope}: "));
        let what = format!("{of}nothing to compare with: {why}");
        Self { scope: scope.map(str::to_owned), value: None, endless: false, what }
    }

    /// The same for the first run there is.
    fn first_run() -> Self {
        Self::none(None, "no run has been completed yet")
    }
}

/// What the figures are read from: what was asked, what each product's calls would move, and the limit they are for.
struct Look<'a> {
    asked: Asked<'a>,
    moves: &'a [Moves],
    side: Side,
    limit: Decimal,
}

impl Look<'_> {
    /// A share as a person reads it: two digits, or as many as the limit has, rounded away from passing, so that what is
    /// shown lies on the same side of the limit as what was compared.
    fn shown(&self, share: Decimal) -> Decimal {
        let digits = self.limit.normalize().scale().max(2);
        let away = match self.side {
            Side::AtMost => RoundingStrategy::AwayFromZero,
            Side::AtLeast => RoundingStrategy::ToZero,
        };
        share.round_dp_with_strategy(digits, away).normalize()
    }
}

/// What every configured guard found, in the order of the table.
pub fn judge(asked: Asked<'_>) -> Result<Vec<GuardFinding>, PlanError> {
    let moves = moves::moves(&asked)?;
    let mut findings = vec![];
    for guard in GUARDS {
        let Some(limit) = (guard.limit)(&asked.settings.guards) else { continue };
        let look = Look { asked, moves: &moves, side: guard.side, limit };
        let figures = (guard.figures)(&look).into_iter();
        findings.extend(figures.map(|figure| finding(guard, figure, &look)));
    }
    Ok(findings)
}

fn finding(guard: &Guard, found: Figure, look: &Look<'_>) -> GuardFinding {
    let Guard { name, unit, side, .. } = *guard;
    let (asked, limit) = (&look.asked, look.limit);
    let currency = asked.settings.run.currency;
    let digits = asked.settings.digits();
    let beyond = found.value.map_or(found.endless, |value| match side {
        Side::AtMost => value > limit,
        Side::AtLeast => value < limit,
    });
    // Compared exactly, kept as it is shown.
    let figure = found.value.map(|value| match unit {
        Unit::Percent | Unit::Points => look.shown(value),
        _ => value,
    });
    let let_pass = |approved: &GuardFinding| {
        let before = approved.figure.as_deref().and_then(|figure| figure.parse::<Decimal>().ok());
        let no_worse = match (before, figure, side) {
            (Some(before), Some(now), Side::AtMost) => now <= before,
            (Some(before), Some(now), Side::AtLeast) => now >= before,
            // Endless is as much as it can be.
            (before, None, _) => before.is_none(),
            (None, Some(_), _) => false,
        };
        approved.overridden && approved.guard == name && approved.scope == found.scope && no_worse
    };
    let overridden =
        beyond && (asked.allowed.iter().any(|allowed| allowed == name) || asked.approved.iter().any(let_pass));
    let what = found.what;
    let bound = match side {
        Side::AtMost => format!("the limit is {}", unit.shown(limit, currency, digits)),
        Side::AtLeast => format!("at least {} is wanted", unit.shown(limit, currency, digits)),
    };
    let detail = match (found.value, beyond, overridden) {
        (None, false, _) => what,
        (_, false, _) => format!("{what}; {bound}"),
        (_, true, true) => format!("{what}; {bound}, overridden this once by --allow {name}"),
        (_, true, false) => format!("{what}; {bound}. If that is right, allow it once with --allow {name}"),
    };
    GuardFinding {
        guard: name.to_owned(),
        scope: found.scope,
        figure: figure.map(|figure| figure.to_string()),
        limit: limit.to_string(),
        unit: unit.word(currency),
        refused: beyond && !overridden,
        overridden,
        detail,
    }
}

/// Every guard with its limit as a person reads it; `None`: it is not written.
pub fn limits(settings: &Settings) -> Vec<(&'static str, Option<String>)> {
    let currency = settings.run.currency;
    let digits = settings.digits();
    let shown = |guard: &Guard, guards: &Guards| {
        let limit = (guard.limit)(guards)?;
        Some(if guard.is_switch() { "stands".to_owned() } else { guard.unit.shown(limit, currency, digits) })
    };
    GUARDS.iter().map(|guard| (guard.name, shown(guard, &settings.guards))).collect()
}

/// `part` of `whole` in percent, as exact as it can be; `None` of nothing.
fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    (whole > Decimal::ZERO).then(|| part * Decimal::ONE_HUNDRED / whole)
}
