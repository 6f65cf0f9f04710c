//! Discounts: which are in force on a subscription, in which order they apply, and what they leave.

use super::{
    coupons::{Coupon, Lasts, Off},
    exact::Number,
    item::{Item, Problem},
};
use crate::{
    config::{CountedCoupons, UnknownCoupon},
    model::{Instant, Reason},
};
use chrono::{DateTime, Months};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
};

/// An amount that is spread over several items is dealt out in this part of a minor unit; the last takes what is left,
/// so that the sum stays exact without a denominator of its own for every subscription.
const GRAIN: i128 = 1_000_000;

/// Where a discount stands, in the order in which discounts apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// On a metered item: it takes nothing off, yet it is a discount of the subscription's own.
    Metered,
    /// On the line with this index.
    Item(usize),
    Subscription,
    Customer,
}

impl Level {
    /// The level itself, whichever item: discounts of several items apply in one go.
    fn depth(self) -> u8 {
        match self {
            Self::Metered | Self::Item(_) => 0,
            Self::Subscription => 1,
            Self::Customer => 2,
        }
    }
}

/// A discount as a table shows it; its texts are the table's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Discount<'a> {
    pub id: Option<&'a str>,
    pub coupon: Option<&'a str>,
    /// Milliseconds since 1970.
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub position: u32,
}

/// A discount and where it stands.
pub(super) type Placed<'a> = (Level, Discount<'a>);

/// A licensed item on its way from price to MRR.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub item: u32,
    pub id: Option<&'a str>,
    pub product: Option<&'a str>,
    pub currency: &'a str,
    /// What it brings a month, minor units of its currency.
    pub monthly: Number,
    /// Months per interval as a factor: the larger, the shorter the interval.
    pub factor: Number,
}

impl<'a> Line<'a> {
    /// The line of `item`, before discounts.
    pub fn new(item: &Item<'a>, monthly: Number, factor: Number) -> Self {
        let currency = item.currency.unwrap_or_default();
        Self { item: item.ord, id: item.id, product: item.product, currency, monthly, factor }
    }
}

/// The rules that discounts are judged by.
pub(super) struct Rules<'a> {
    pub coupons: &'a HashMap<String, Coupon>,
    /// The fullest row of each discount id: another table may hold what this one only names.
    pub by_id: &'a HashMap<&'a str, Discount<'a>>,
    pub counted: CountedCoupons,
    pub unknown: UnknownCoupon,
    pub as_of: Instant,
}

impl<'a> Rules<'a> {
    /// Takes all discounts in force off `lines`.
    ///
    /// # Errors
    /// A coupon that nothing defines.
    pub fn apply(
        &self,
        subscription: &str,
        discounts: Vec<Placed<'a>>,
        lines: &mut [Line<'_>],
    ) -> Result<(), Problem> {
        match self.taken(discounts) {
            Ok(taken) => {
                taken.iter().for_each(|(level, coupon)| take_off(coupon, *level, lines));
                Ok(())
            }
            Err(unknown) => {
                let sentences: BTreeSet<String> =
                    unknown.iter().map(|(level, discount)| explain(subscription, *level, discount)).collect();
                Err((Reason::CouponUnknown, sentences.into_iter().collect::<Vec<_>>().join("; ")))
            }
        }
    }

    /// The coupons that count, in the order in which they are taken off: level by level, percentages before amounts.
    ///
    /// # Errors
    /// The discounts whose coupons nothing defines.
    pub fn taken(&self, discounts: Vec<Placed<'a>>) -> Result<Vec<(Level, &'a Coupon)>, Vec<Placed<'a>>> {
        let mut live = self.live(discounts);
        if live.iter().any(|(level, ..)| level.depth() < Level::Customer.depth()) {
            live.retain(|(level, ..)| *level != Level::Customer);
        }
        live.retain(|(level, ..)| *level != Level::Metered);
        let unknown: Vec<_> = live.iter().filter(|live| live.2.is_none()).map(|&(level, d, _)| (level, d)).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let mut taken: Vec<(Level, &Coupon)> = live
            .into_iter()
            .filter_map(|(level, _, coupon)| Some((level, coupon?)))
            .filter(|(_, coupon)| coupon.lasts.counts(self.counted))
            .collect();
        taken.sort_by_key(|(level, coupon)| (level.depth(), matches!(coupon.off, Off::Amount(..))));
        Ok(taken)
    }

    fn coupon(&self, discount: &Discount<'_>) -> Option<&'a Coupon> {
        self.coupons.get(discount.coupon?)
    }

    /// The discounts that have begun and not ended, each id once, in the order in which they apply, with their coupons.
    fn live(&self, discounts: Vec<Placed<'a>>) -> Vec<(Level, Discount<'a>, Option<&'a Coupon>)> {
        let mut live: Vec<_> = discounts
            .into_iter()
            .map(|(level, discount)| (level, self.resolved(discount)))
            .map(|(level, discount)| (level, discount, self.coupon(&discount)))
            .filter(|(_, discount, coupon)| self.in_force(discount, *coupon))
            .filter(|(.., coupon)| self.unknown == UnknownCoupon::Invalid || coupon.is_some())
            .collect();
        live.sort_by_key(|&(level, discount, _)| (level, discount.position, discount.id, discount.coupon));
        let mut seen = Vec::new();
        live.retain(|(_, discount, _)| match discount.id {
            Some(id) if seen.contains(&id) => false,
            Some(id) => {
                seen.push(id);
                true
            }
            None => true,
        });
        live
    }

    /// The same discount with what another table knows of it.
    fn resolved(&self, discount: Discount<'a>) -> Discount<'a> {
        let Some(known) = discount.id.and_then(|id| self.by_id.get(id)) else { return discount };
        Discount {
            coupon: discount.coupon.or(known.coupon),
            start: discount.start.or(known.start),
            end: discount.end.or(known.end),
            ..discount
        }
    }

    /// Whether it has begun and not ended; what ends exactly now is over.
    fn in_force(&self, discount: &Discount<'_>, coupon: Option<&Coupon>) -> bool {
        let now = self.as_of.epoch_millis();
        let begun = discount.start.is_none_or(|start| start <= now);
        let end = discount.end.or_else(|| match coupon?.lasts {
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

fn explain(subscription: &str, level: Level, discount: &Discount<'_>) -> String {
    if let Some(coupon) = discount.coupon {
        return format!(
            "coupon {coupon} is defined in no file: add {coupon} = {{ percent_off = \"…\", duration = \"forever\" }} \
             under [mrr.coupons]"
        );
    }
    let parameter = match level {
        Level::Metered | Level::Item(_) => "expand[]=data.items.data.discounts",
        Level::Subscription => "expand[]=data.discounts",
        Level::Customer => "expand[]=data.discount.source.coupon",
    };
    let id = discount.id.unwrap_or("without an id");
    format!("subscription {subscription}: the export holds only the id of discount {id}; export it with {parameter}")
}

impl Coupon {
    /// Whether a discount of this coupon that stands at `level` is taken off the line with this index.
    pub fn touches(&self, level: Level, index: usize, product: Option<&str>) -> bool {
        let covered = match level {
            Level::Metered => false,
            Level::Item(line) => index == line,
            Level::Subscription | Level::Customer => true,
        };
        let applies = |products: &Vec<String>| product.is_some_and(|product| products.iter().any(|one| one == product));
        covered && self.applies_to.as_ref().is_none_or(applies)
    }
}

/// Takes `coupon` off the lines it applies to, never below 0.
pub(super) fn take_off(coupon: &Coupon, level: Level, lines: &mut [Line<'_>]) {
    let mut eligible: Vec<usize> =
        (0..lines.len()).filter(|&index| coupon.touches(level, index, lines[index].product)).collect();
    match &coupon.off {
        Off::Percent(stays) => {
            for index in eligible {
                lines[index].monthly = lines[index].monthly.mul(stays);
            }
        }
        Off::Amount(minor, currency) => {
            eligible.retain(|&index| lines[index].currency == currency);
            let shortest = eligible.iter().map(|&index| &lines[index].factor).max_by(|a, b| a.compare(b));
            if let Some(shortest) = shortest {
                let monthly = minor.mul(shortest);
                spread(&monthly, eligible, lines);
            }
        }
    }
}

/// Takes `off` from the eligible lines pro rata, all of it unless they bring less.
fn spread(off: &Number, mut eligible: Vec<usize>, lines: &mut [Line<'_>]) {
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
