//! Discounts: which are in force on a subscription, in which order they apply, and what they leave.

use super::{
    coupons::{Coupon, Lasts, Off},
    exact::Number,
    item::Problem,
};
use crate::{
    config::{CountedCoupons, UnknownCoupon},
    model::{Instant, Reason},
};
use chrono::{DateTime, Months};
use std::{cmp::Ordering, collections::HashMap};

/// An amount that is spread over several items is dealt out in this part of a minor unit; the last takes what is left,
/// so that the sum stays exact without a denominator of its own for every subscription.
const GRAIN: i128 = 1_000_000;

/// Where a discount stands, in the order in which discounts apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// On the line with this index.
    Item(usize),
    Subscription,
    Customer,
}

impl Level {
    /// The level itself, whichever item: discounts of several items apply in one go.
    fn depth(self) -> u8 {
        match self {
            Self::Item(_) => 0,
            Self::Subscription => 1,
            Self::Customer => 2,
        }
    }
}

/// A discount as a table shows it.
#[derive(Debug, Clone)]
pub(super) struct Discount {
    pub id: Option<String>,
    pub coupon: Option<String>,
    /// Milliseconds since 1970.
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub position: u32,
}

/// A licensed item on its way from price to MRR.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub item: u32,
    pub id: Option<String>,
    pub product: Option<String>,
    pub currency: String,
    /// What it brings a month, minor units of its currency.
    pub monthly: Number,
    /// Months per interval as a factor: the larger, the shorter the interval.
    pub factor: Number,
}

/// The rules that discounts are judged by.
pub(super) struct Rules<'a> {
    pub coupons: &'a HashMap<String, Coupon>,
    /// The fullest row of each discount id: another table may hold what this one only names.
    pub by_id: &'a HashMap<String, Discount>,
    pub counted: CountedCoupons,
    pub unknown: UnknownCoupon,
    pub as_of: Instant,
}

impl Rules<'_> {
    /// Takes all discounts in force off `lines`.
    ///
    /// # Errors
    /// A coupon that nothing defines.
    pub fn apply(
        &self,
        subscription: &str,
        discounts: Vec<(Level, Discount)>,
        lines: &mut [Line],
    ) -> Result<(), Problem> {
        let mut live = self.live(discounts);
        if live.iter().any(|(level, _)| level.depth() < Level::Customer.depth()) {
            live.retain(|(level, _)| *level != Level::Customer);
        }
        let mut taken: Vec<(Level, &Coupon)> = Vec::with_capacity(live.len());
        let mut unknown = Vec::new();
        for (level, discount) in &live {
            match self.coupon(discount) {
                Some(coupon) if coupon.lasts.counts(self.counted) => taken.push((*level, coupon)),
                Some(_) => {}
                None => unknown.push(explain(subscription, *level, discount)),
            }
        }
        if !unknown.is_empty() {
            unknown.sort();
            unknown.dedup();
            return Err((Reason::CouponUnknown, unknown.join("; ")));
        }
        for depth in 0..=Level::Customer.depth() {
            let level = || taken.iter().filter(|(level, _)| level.depth() == depth);
            let percentages = level().filter(|(_, coupon)| matches!(coupon.off, Off::Percent(_)));
            let amounts = level().filter(|(_, coupon)| matches!(coupon.off, Off::Amount(..)));
            for (level, coupon) in percentages.chain(amounts) {
                take_off(coupon, *level, lines);
            }
        }
        Ok(())
    }

    fn coupon(&self, discount: &Discount) -> Option<&Coupon> {
        self.coupons.get(discount.coupon.as_deref()?)
    }

    /// The discounts that have begun and not ended, each id once, in the order in which they apply.
    fn live(&self, discounts: Vec<(Level, Discount)>) -> Vec<(Level, Discount)> {
        let mut live: Vec<(Level, Discount)> = discounts
            .into_iter()
            .map(|(level, discount)| (level, self.resolved(discount)))
            .filter(|(_, discount)| self.in_force(discount))
            .filter(|(_, discount)| self.unknown == UnknownCoupon::Invalid || self.coupon(discount).is_some())
            .collect();
        live.sort_by(|(a, left), (b, right)| {
            (a, left.position, &left.id, &left.coupon).cmp(&(b, right.position, &right.id, &right.coupon))
        });
        let mut seen: Vec<String> = Vec::new();
        live.retain(|(_, discount)| match &discount.id {
            Some(id) if seen.contains(id) => false,
            Some(id) => {
                seen.push(id.clone());
                true
            }
            None => true,
        });
        live
    }

    /// The same discount with what another table knows of it.
    fn resolved(&self, discount: Discount) -> Discount {
        if discount.coupon.is_some() {
            return discount;
        }
        let known = discount.id.as_ref().and_then(|id| self.by_id.get(id));
        known.map_or(discount.clone(), |known| Discount { position: discount.position, ..known.clone() })
    }

    /// Whether it has begun and not ended; what ends exactly now is over.
    fn in_force(&self, discount: &Discount) -> bool {
        let now = self.as_of.epoch_millis();
        let begun = discount.start.is_none_or(|start| start <= now);
        let end = discount.end.or_else(|| match self.coupon(discount)?.lasts {
            Lasts::Repeating { months } => months_after(discount.start?, months?),
            Lasts::Forever | Lasts::Once => None,
        });
        begun && end.is_none_or(|end| end > now)
    }
}

fn months_after(start: i64, months: u32) -> Option<i64> {
    let start = DateTime::from_timestamp_millis(start)?;
    Some(start.checked_add_months(Months::new(months))?.timestamp_millis())
}

fn explain(subscription: &str, level: Level, discount: &Discount) -> String {
    if let Some(coupon) = &discount.coupon {
        return format!(
            "coupon {coupon} is defined in no file: add {coupon} = {{ percent_off = \"…\", duration = \"forever\" }} \
             under [mrr.coupons]"
        );
    }
    let parameter = match level {
        Level::Item(_) => "expand[]=data.items.data.discounts",
        Level::Subscription => "expand[]=data.discounts",
        Level::Customer => "expand[]=data.discount.source.coupon",
    };
    let id = discount.id.as_deref().unwrap_or("without an id");
    format!("subscription {subscription}: the export holds only the id of discount {id}; export it with {parameter}")
}

/// Takes `coupon` off the lines it applies to, never below 0.
fn take_off(coupon: &Coupon, level: Level, lines: &mut [Line]) {
    let applies = |product: Option<&String>| match &coupon.applies_to {
        None => true,
        Some(products) => product.is_some_and(|product| products.contains(product)),
    };
    let mut eligible: Vec<usize> = (0..lines.len())
        .filter(|&index| match level {
            Level::Item(line) => index == line,
            Level::Subscription | Level::Customer => true,
        })
        .filter(|&index| applies(lines[index].product.as_ref()))
        .collect();
    match &coupon.off {
        Off::Percent(stays) => {
            for index in eligible {
                lines[index].monthly = lines[index].monthly.mul(stays);
            }
        }
        Off::Amount(minor, currency) => {
            eligible.retain(|&index| lines[index].currency == *currency);
            let shortest = eligible.iter().map(|&index| &lines[index].factor).max_by(|a, b| a.compare(b));
            if let Some(shortest) = shortest {
                let monthly = minor.mul(shortest);
                spread(&monthly, eligible, lines);
            }
        }
    }
}

/// Takes `off` from the eligible lines pro rata, all of it unless they bring less.
fn spread(off: &Number, mut eligible: Vec<usize>, lines: &mut [Line]) {
    let total = eligible.iter().fold(Number::zero(), |sum, &index| sum.add(&lines[index].monthly));
    if off.compare(&total) != Ordering::Less {
        for index in eligible {
            lines[index].monthly = Number::zero();
        }
        return;
    }
    // The largest comes last and takes what is left: dealt shares are rounded up, so that its own is never above its due.
    eligible.sort_by(|&a, &b| lines[a].monthly.compare(&lines[b].monthly).then_with(|| lines[a].id.cmp(&lines[b].id)));
    let mut rest = off.clone();
    for (place, &index) in eligible.iter().enumerate() {
        let monthly = lines[index].monthly.clone();
        let share = if place + 1 == eligible.len() {
            rest.clone()
        } else {
            let due = off.mul(&monthly).div(&total).unwrap_or_else(Number::zero);
            due.ceil_to(GRAIN).least(monthly.clone()).least(rest.clone())
        };
        lines[index].monthly = monthly.sub(&share);
        rest = rest.sub(&share);
    }
}
