//! Which subscriptions count, which are live, and when their periods end: expressions over whole columns.

use super::{distinct::Distinct, status};
use crate::model::STRIPE_SUBSCRIPTIONS;
use crate::{
    config::{MrrSettings, PausedCollection},
    model::{Break, BreakKind, Instant, SubscriptionStatus},
    table::{INSTANT, StripeTables},
};
use polars::prelude::*;
use serde::Serialize;

const DAY_MILLIS: i64 = 86_400_000;

/// Why a subscription does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenOut {
    /// In its trial, and trials do not count.
    Trial,
    /// A status that never counts.
    Status,
    /// Past due for longer than the configured days.
    GraceOver,
    /// It has ended.
    Ended,
    /// The day it was to be canceled has come.
    CanceledAt,
    /// Set to cancel at the end of a period that is over.
    PeriodEnded,
    /// Its cancellation was asked for, and that is when it stops counting.
    CancelAsked,
    /// Its collection is paused.
    Paused,
}

impl TakenOut {
    /// Every rule, in the order of declaration, in which they are asked: the first that holds is the reason.
    pub const ALL: [Self; 8] = [
        Self::Trial,
        Self::Status,
        Self::GraceOver,
        Self::Ended,
        Self::CanceledAt,
        Self::PeriodEnded,
        Self::CancelAsked,
        Self::Paused,
    ];
}

fn instant(millis: i64) -> Expr {
    lit(millis).cast(INSTANT)
}

/// The later of two instants, either of which may be absent.
fn later(a: Expr, b: Expr) -> Expr {
    when(a.clone().is_null().or(b.clone().gt(a.clone()).fill_null(false))).then(b).otherwise(a)
}

/// The earlier of two instants, either of which may be absent.
fn earlier(a: Expr, b: Expr) -> Expr {
    when(a.clone().is_null().or(b.clone().lt(a.clone()).fill_null(false))).then(b).otherwise(a)
}

fn is(status: SubscriptionStatus) -> Expr {
    col("status").eq(lit(status.as_str())).fill_null(false)
}

/// Every subscription with `rank`, `live`, `renews`, `taken_out`, `counted`, `flagged` (paused, and counts all the same),
/// `period_end_ahead`, `last_end`, and of its items `items` (how many), `currency` and `one_currency`.
pub(super) fn counted(tables: &StripeTables, mrr: &MrrSettings, as_of: Instant) -> PolarsResult<LazyFrame> {
    let now = || instant(as_of.epoch_millis());
    let ahead = |column: &str| ahead(column, as_of);
    let described = tables
        .subscriptions
        .lazy()
        .left_join(of_items(tables, as_of)?.lazy(), col("ord"), col("subscription"))
        .with_columns([
            status::rank("status").alias("rank"),
            later(col("current_period_end"), col("item_last")).alias("last_period"),
            earlier(ahead("current_period_end"), col("item_ahead")).alias("ahead"),
            // A pause that ends exactly now is over.
            col("pause_behavior")
                .is_not_null()
                .and(col("pause_resumes_at").is_null().or(col("pause_resumes_at").gt(now())))
                .alias("paused"),
        ])
        .with_columns([
            SubscriptionStatus::ALL
                .iter()
                .filter(|status| status.is_live())
                .fold(lit(false), |any, status| any.or(is(*status)))
                .alias("live"),
            taken_out(mrr, as_of).alias("taken_out"),
        ])
        .with_columns([
            // Without items there is no second currency.
            col("one_currency").fill_null(true),
            col("live").and(col("cancel_at_period_end").not()).and(col("cancel_at").is_null()).alias("renews"),
            col("taken_out").is_null().alias("counted"),
            when(col("live")).then(col("ahead")).otherwise(lit(NULL)).alias("period_end_ahead"),
            coalesce(&[col("ended_at"), col("last_period")]).alias("last_end"),
        ])
        .with_column(col("counted").and(col("paused")).alias("flagged"));
    Ok(described)
}

/// The instant in `column` where it is still ahead.
fn ahead(column: &str, as_of: Instant) -> Expr {
    when(col(column).gt(instant(as_of.epoch_millis()))).then(col(column)).otherwise(lit(NULL))
}

/// Of each `subscription` with items: `items` (how many), `currency` (one of theirs), `one_currency`, `item_ahead` and
/// `item_last` (the earliest period end ahead, the latest of all).
fn of_items(tables: &StripeTables, as_of: Instant) -> PolarsResult<DataFrame> {
    let mut items = tables.items.frame().select(["subscription", "currency", "current_period_end"])?;
    // Currencies are few: their numbers are compared instead of as many texts as there are items.
    let currencies = Distinct::new(&items, &["currency"])?;
    let firsts = UInt32Chunked::from_vec("first".into(), currencies.firsts).cast(&IDX_DTYPE)?;
    let names = items.column("currency")?.take(firsts.idx()?)?;
    let known: Vec<bool> = names.str()?.iter().map(|name| name.is_some()).collect();
    let numbers = currencies.of.into_iter().map(|number| known[number as usize].then_some(number));
    let numbers: UInt32Chunked = numbers.collect();
    items.with_column(numbers.with_name("number".into()).into_column())?;
    let mut found = items
        .lazy()
        .group_by([col("subscription")])
        .agg([
            len().alias("items"),
            col("number").min(),
            col("number").max().alias("last_number"),
            ahead("current_period_end", as_of).min().alias("item_ahead"),
            col("current_period_end").max().alias("item_last"),
        ])
        .with_column(col("number").eq(col("last_number")).fill_null(true).alias("one_currency"))
        .collect()?;
    let numbers = found.column("number")?.cast(&IDX_DTYPE)?;
    let currency = names.take(numbers.idx()?)?;
    found.with_column(currency.with_name("currency".into()))?;
    found.select(["subscription", "items", "currency", "one_currency", "item_ahead", "item_last"])
}

/// The first rule that takes a subscription out, as its place in [`TakenOut::ALL`]; null: none does, it counts.
fn taken_out(mrr: &MrrSettings, as_of: Instant) -> Expr {
    let past = |end: Expr| end.lt_eq(instant(as_of.epoch_millis())).fill_null(false);
    let grace_over = match mrr.past_due_grace_days {
        None => lit(false),
        Some(days) => {
            let last_counted = as_of.epoch_millis().saturating_sub(i64::from(days) * DAY_MILLIS);
            col("last_period").lt_eq(instant(last_counted)).fill_null(false)
        }
    };
    let counting = [SubscriptionStatus::Active, SubscriptionStatus::PastDue, SubscriptionStatus::Trialing];
    let set_to_end = col("cancel_at_period_end").or(col("cancel_at").is_not_null());
    // Without a date of the request it is taken to have been made.
    let asked = set_to_end.and(col("canceled_at").is_null().or(past(col("canceled_at"))));
    let paused = match mrr.pause_collection {
        PausedCollection::None => lit(false),
        PausedCollection::All => col("paused"),
        PausedCollection::Void => col("paused").and(col("pause_behavior").eq(lit("void")).fill_null(false)),
    };
    // What ends exactly now is over.
    let holds = |rule: TakenOut| match rule {
        TakenOut::Trial => is(SubscriptionStatus::Trialing).and(lit(!mrr.count_trialing)),
        TakenOut::Status => counting.into_iter().fold(lit(false), |any, status| any.or(is(status))).not(),
        TakenOut::GraceOver => is(SubscriptionStatus::PastDue).and(grace_over.clone()),
        TakenOut::Ended => past(col("ended_at")),
        TakenOut::CanceledAt => past(col("cancel_at")),
        TakenOut::PeriodEnded => {
            col("cancel_at_period_end").and(past(coalesce(&[col("cancel_at"), col("last_period")])))
        }
        TakenOut::CancelAsked => asked.clone().and(lit(mrr.cancel_at_request)),
        TakenOut::Paused => paused.clone(),
    };
    let mut first = lit(NULL);
    for rule in TakenOut::ALL.into_iter().rev() {
        first = when(holds(rule)).then(lit(rule as u8)).otherwise(first);
    }
    // polars reads a literal of any integer type as the same dynamic number.
    first.cast(DataType::UInt8)
}

/// What a reviewer must see of the subscriptions that [`counted`] described: each id once.
pub(super) fn breaks(subscriptions: &DataFrame) -> PolarsResult<Vec<Break>> {
    let unknown = col("rank").eq(lit(status::UNKNOWN_RANK));
    let odd = subscriptions
        .clone()
        .lazy()
        .filter(unknown.clone().or(col("flagged")))
        .select([col("id"), col("status"), col("pause_behavior"), unknown.alias("unknown")])
        .unique(None, UniqueKeepStrategy::Any)
        .sort(["id", "status", "pause_behavior"], SortMultipleOptions::default())
        .collect()?;
    let (ids, statuses) = (odd.column("id")?.str()?, odd.column("status")?.str()?);
    let (behaviours, unknown) = (odd.column("pause_behavior")?.str()?, odd.column("unknown")?.bool()?);
    let mut breaks = Vec::with_capacity(odd.height());
    // One sentence per odd subscription: only those are walked.
    for row in 0..odd.height() {
        let id = ids.get(row).unwrap_or_default();
        if unknown.get(row) == Some(true) {
            let status = statuses.get(row).unwrap_or_default();
            let detail =
                format!("subscription {id} has the status `{status}`, which Stripe does not document; it counts 0");
            breaks.push(Break {
                field: Some("status".to_owned()),
                after: Some(status.to_owned()),
                ..Break::new(BreakKind::StatusUnknown, STRIPE_SUBSCRIPTIONS, id, detail)
            });
        } else {
            let behaviour = behaviours.get(row).unwrap_or_default();
            let detail = format!("collection of subscription {id} is paused (`{behaviour}`), and it still counts");
            breaks.push(Break {
                field: Some("pause_collection".to_owned()),
                after: Some(behaviour.to_owned()),
                ..Break::new(BreakKind::PausedCollection, STRIPE_SUBSCRIPTIONS, id, detail)
            });
        }
    }
    Ok(breaks)
}
