//! Sentences: why a subscription counts or not, and why a discount applies or not.

use crate::billing::{counted::TakenOut, discount::Verdict};
use crate::config::{CountedCoupons, MrrSettings, PausedCollection};
use chrono::{DateTime, NaiveTime};

const DAY_MILLIS: i64 = 86_400_000;

/// What the sentence about a subscription needs; instants in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub status: &'a str,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<i64>,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// The latest end of its own period and those of its items.
    pub last_period: Option<i64>,
    pub pause_behavior: Option<&'a str>,
    pub pause_resumes_at: Option<i64>,
    pub paused: bool,
}

/// A day for people, with the time where it is not midnight.
pub(super) fn day(millis: i64) -> String {
    let Some(time) = DateTime::from_timestamp_millis(millis) else { return format!("{millis} ms") };
    let format = if time.time() == NaiveTime::MIN { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M UTC" };
    time.format(format).to_string()
}

fn on(date: Option<i64>) -> String {
    date.map_or_else(|| "on a day that the export does not show".to_owned(), |date| format!("on {}", day(date)))
}

fn pause_word(rule: PausedCollection) -> &'static str {
    match rule {
        PausedCollection::Void => "void",
        PausedCollection::All => "all",
        PausedCollection::None => "none",
    }
}

/// Why a subscription is taken out by `rule`; `None`: why it counts.
pub(super) fn counted(rule: Option<TakenOut>, facts: &Facts<'_>, mrr: &MrrSettings) -> String {
    let Some(rule) = rule else { return counts(facts, mrr) };
    match rule {
        TakenOut::Trial => "it is in its trial, and trials count 0 ([mrr] count_trialing = false)".to_owned(),
        TakenOut::Status => {
            let ended = facts.ended_at.map_or(String::new(), |end| format!(" since {}", day(end)));
            let trialing = if mrr.count_trialing { ", past_due and trialing" } else { " and past_due" };
            format!("its status is {}{ended}; only active{trialing} count", facts.status)
        }
        TakenOut::GraceOver => {
            let days = mrr.past_due_grace_days.unwrap_or_default();
            let end = on(facts.last_period);
            format!("it is past_due, and its period ended {end}, {days} days or more ago ([mrr] past_due_grace_days)")
        }
        TakenOut::Ended => format!("it ended {}", on(facts.ended_at)),
        TakenOut::CanceledAt => format!("it was set to cancel {}, and that day has come", on(facts.cancel_at)),
        TakenOut::PeriodEnded => {
            let end = on(facts.cancel_at.or(facts.last_period));
            format!("it was set to cancel at the end of its period, which ended {end}")
        }
        TakenOut::CancelAsked => format!(
            "its cancellation was asked for {}, and then it stops counting ([mrr] cancel_at_request = true)",
            on(facts.canceled_at)
        ),
        TakenOut::Paused => format!(
            "its collection is {}, and such a pause counts 0 ([mrr] pause_collection = \"{}\")",
            pause(facts),
            pause_word(mrr.pause_collection)
        ),
    }
}

fn pause(facts: &Facts<'_>) -> String {
    let until =
        facts.pause_resumes_at.map_or_else(|| "with no end set".to_owned(), |end| format!("until {}", day(end)));
    format!("paused ({}) {until}", facts.pause_behavior.unwrap_or("no behaviour named"))
}

fn counts(facts: &Facts<'_>, mrr: &MrrSettings) -> String {
    let mut said = match (facts.status, mrr.past_due_grace_days) {
        ("past_due", Some(days)) => match facts.last_period {
            Some(end) => format!(
                "it is past_due, which counts for {days} days after the period's end: until {}",
                day(end.saturating_add(i64::from(days) * DAY_MILLIS))
            ),
            None => format!("it is past_due, which counts for {days} days, and no period's end is known"),
        },
        ("past_due", None) => "it is past_due, which counts".to_owned(),
        ("trialing", _) => "it is in its trial, and trials count ([mrr] count_trialing = true)".to_owned(),
        (status, _) => format!("it is {status}"),
    };
    let end = facts.cancel_at.or(facts.last_period.filter(|_| facts.cancel_at_period_end));
    if facts.cancel_at_period_end || facts.cancel_at.is_some() {
        said = format!("{said}; it is set to cancel {}, and counts until then", on(end));
    }
    if facts.paused {
        let rule = pause_word(mrr.pause_collection);
        said =
            format!("{said}; its collection is {}, and it counts ([mrr] pause_collection = \"{rule}\")", pause(facts));
    } else if let (Some(_), Some(end)) = (facts.pause_behavior, facts.pause_resumes_at) {
        said = format!("{said}; its pause ended {}", on(Some(end)));
    }
    said
}

/// What a discount's sentence needs.
#[derive(Debug)]
pub(super) struct DiscountFacts<'a> {
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub applies_to: Option<&'a [String]>,
}

/// Why a discount applies or not.
pub(super) fn discount(verdict: Verdict, facts: &DiscountFacts<'_>, mrr: &MrrSettings) -> String {
    match verdict {
        Verdict::Applies => match facts.end {
            Some(end) => format!("in force until {}", day(end)),
            None => "in force".to_owned(),
        },
        Verdict::NotBegun => format!("it begins {}", on(facts.start)),
        Verdict::Ended => format!("it ended {}", on(facts.end)),
        Verdict::NotCounted => match mrr.coupons {
            CountedCoupons::None => "coupons do not count ([mrr] coupons = \"none\")".to_owned(),
            CountedCoupons::Forever => "only coupons that last forever count ([mrr] coupons = \"forever\")".to_owned(),
            _ => "a coupon that applies once does not recur ([mrr] coupons = \"recurring\")".to_owned(),
        },
        Verdict::Repeated => "the same discount as one above; it counts once".to_owned(),
        Verdict::GivesWay => "a customer's coupon gives way to the subscription's own".to_owned(),
        Verdict::Metered => "what it is on is metered, and counts 0".to_owned(),
        Verdict::OtherProducts => {
            format!("it applies only to {}", facts.applies_to.unwrap_or_default().join(", "))
        }
        Verdict::OtherCurrency => "its amount is in another currency than the items".to_owned(),
        Verdict::Unpriced => "what it is on cannot be priced".to_owned(),
        Verdict::Ignored => {
            "nothing defines it, and such coupons are ignored ([mrr] unknown_coupon = \"ignore\")".to_owned()
        }
        Verdict::Unknown => "nothing defines it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn a_day_shows_its_time_only_where_it_is_not_midnight() {
        for (millis, shown) in [(1_793_491_200_000, "2026-11-01"), (1_793_494_860_000, "2026-11-01 01:01 UTC")] {
            assert_eq!(day(millis), shown);
        }
    }
}
