//! Discounts: which are in force on a subscription, in which order they apply, and what they leave.

use super::{
    coupons::{Coupon, Lasts, Off},
    exact::Number,
    item::{Item, Problem},
    steps::{Step, Steps},
};
use crate::{
    config::{CountedCoupons, UnknownCoupon},
    model::{Instant, Reason},
};
use chrono::{DateTime, Months};
use serde::Serialize;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
};

/// Where a discount stands, in the order in which discounts apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// On a metered item: it takes nothing off, yet it is a discount of the subscription's own.
    Metered,
    /// On the licensed item with this index: its place among all that are not metered, priced or not.
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
    /// Its place among the subscription's licensed items. Items that cannot be priced have no line, but a place.
    pub index: usize,
    pub product: Option<&'a str>,
    pub currency: &'a str,
    /// What it brings a month, minor units of its currency.
    pub monthly: Number,
    /// Months per interval as a factor: the larger, the shorter the interval.
    pub factor: Number,
}

impl<'a> Line<'a> {
    /// The line of `item`, the licensed one with this index, before discounts.
    pub fn new(item: &Item<'a>, index: usize, monthly: Number, factor: Number) -> Self {
        let currency = item.currency.unwrap_or_default();
        Self { item: item.ord, index, product: item.product, currency, monthly, factor }
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

/// What becomes of a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is in force, and counts.
    Applies,
    /// It begins later.
    NotBegun,
    /// It has ended.
    Ended,
    /// The configuration does not count coupons that last as long as this one.
    NotCounted,
    /// A discount with the same id was already seen.
    Repeated,
    /// A customer's discount on a subscription that has a live one of its own.
    GivesWay,
    /// It stands on a metered item, which counts 0.
    Metered,
    /// Its coupon applies to products that are not on the subscription.
    OtherProducts,
    /// Its coupon is an amount of a currency that the items are not in.
    OtherCurrency,
    /// The item that it is on cannot be priced.
    Unpriced,
    /// Nothing defines its coupon, and the configuration ignores such.
    Ignored,
    /// Nothing defines its coupon: its customer cannot be billed.
    Unknown,
}

/// A discount, and what is to become of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    pub level: Level,
    /// With what other tables know of it.
    pub discount: Discount<'a>,
    pub coupon: Option<&'a Coupon>,
    /// When it ends.
    pub end: Option<i64>,
    pub verdict: Verdict,
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
        steps: &mut Steps<'a>,
    ) -> Result<(), Problem> {
        let judged = self.judged(discounts);
        for one in &judged {
            steps.note(|| Step::Judged(*one));
        }
        match in_order(&judged) {
            Ok(taken) => {
                for (number, level, coupon) in taken {
                    take_off(number, coupon, level, lines, steps);
                }
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
        let taken = in_order(&self.judged(discounts))?;
        Ok(taken.into_iter().map(|(_, level, coupon)| (level, coupon)).collect())
    }

    fn coupon(&self, discount: &Discount<'_>) -> Option<&'a Coupon> {
        self.coupons.get(discount.coupon?)
    }

    /// The discounts in the order in which they apply, with what is to become of each. Only one that is live, that is begun
    /// and not ended, makes a customer's give way or stands for others of its id.
    fn judged(&self, discounts: Vec<Placed<'a>>) -> Vec<Judged<'a>> {
        let mut judged: Vec<Judged<'a>> =
            discounts.into_iter().map(|(level, discount)| self.judge(level, discount)).collect();
        judged.sort_by_key(|&Judged { level, discount, .. }| (level, discount.position, discount.id, discount.coupon));
        let mut seen = Vec::new();
        let mut of_its_own = false;
        for Judged { level, discount, verdict, .. } in &mut judged {
            if !matches!(verdict, Verdict::Applies | Verdict::NotCounted | Verdict::Unknown) {
                continue;
            }
            if let Some(id) = discount.id {
                if seen.contains(&id) {
                    *verdict = Verdict::Repeated;
                    continue;
                }
                seen.push(id);
            }
            // Customers' discounts come last.
            match level {
                _ if self.counted == CountedCoupons::None => {}
                Level::Customer if of_its_own => *verdict = Verdict::GivesWay,
                Level::Customer => {}
                Level::Metered => (of_its_own, *verdict) = (true, Verdict::Metered),
                Level::Item(_) | Level::Subscription => of_its_own = true,
            }
        }
        judged
    }

    /// What is to become of a discount that stands alone.
    fn judge(&self, level: Level, discount: Discount<'a>) -> Judged<'a> {
        let now = self.as_of.epoch_millis();
        let discount = self.resolved(discount);
        let coupon = self.coupon(&discount);
        let end = discount.end.or_else(|| match coupon?.lasts {
            Lasts::Repeating { months } => months_after(discount.start?, months?),
            Lasts::Forever | Lasts::Once => None,
        });
        let verdict = match coupon {
            _ if self.counted == CountedCoupons::None => Verdict::NotCounted,
            _ if discount.start.is_some_and(|start| start > now) => Verdict::NotBegun,
            // What ends exactly now is over.
            _ if end.is_some_and(|end| end <= now) => Verdict::Ended,
            Some(coupon) if coupon.lasts.counts(self.counted) => Verdict::Applies,
            Some(_) => Verdict::NotCounted,
            None if self.unknown == UnknownCoupon::Ignore => Verdict::Ignored,
            None => Verdict::Unknown,
        };
        Judged { level, discount, coupon, end, verdict }
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
}

/// A coupon to take off: the number of its discount among the judged ones, where it stands, and itself.
type Taken<'a> = (usize, Level, &'a Coupon);

/// The coupons that count, in the order in which they are taken off.
///
/// # Errors
/// The discounts whose coupons nothing defines.
fn in_order<'a>(judged: &[Judged<'a>]) -> Result<Vec<Taken<'a>>, Vec<Placed<'a>>> {
    let of = |verdict| judged.iter().enumerate().filter(move |(_, one)| one.verdict == verdict);
    let unknown: Vec<_> = of(Verdict::Unknown).map(|(_, one)| (one.level, one.discount)).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut taken: Vec<_> =
        of(Verdict::Applies).filter_map(|(number, one)| Some((number, one.level, one.coupon?))).collect();
    taken.sort_by_key(|(_, level, coupon)| (level.depth(), matches!(coupon.off, Off::Amount(..))));
    Ok(taken)
}

fn months_after(start: i64, months: u32) -> Option<i64> {
    let start = DateTime::from_timestamp_millis(start)?;
    Some(start.checked_add_months(Months::new(months))?.timestamp_millis())
}

fn explain(subscription: &str, level: Level, discount: &Discount<'_>) -> String {
    if let Some(coupon) = discount.coupon {
        return format!(
            "no row that could be read defines the coupon {coupon}: export it, or add {coupon} = {{ percent_off = \"…\", duration = \"forever\" }} \
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
    /// Whether a discount of this coupon that stands at `level` is taken off the licensed item with this index.
    pub fn touches(&self, level: Level, index: usize, product: Option<&str>) -> bool {
        let covered = match level {
            Level::Metered => false,
            Level::Item(item) => index == item,
            Level::Subscription | Level::Customer => true,
        };
        let applies = |products: &Vec<String>| product.is_some_and(|product| products.iter().any(|one| one == product));
        covered && self.applies_to.as_ref().is_none_or(applies)
    }
}

/// Takes `coupon`, of the discount judged as `number`, off the lines it applies to, never below 0.
pub(super) fn take_off(number: usize, coupon: &Coupon, level: Level, lines: &mut [Line<'_>], steps: &mut Steps<'_>) {
    let touched = |line: &Line<'_>| coupon.touches(level, line.index, line.product);
    let mut eligible: Vec<usize> = (0..lines.len()).filter(|&place| touched(&lines[place])).collect();
    if eligible.is_empty() {
        steps.note(|| Step::Missed { discount: number, why: Verdict::OtherProducts });
        return;
    }
    if let Off::Amount(_, currency) = &coupon.off {
        eligible.retain(|&index| lines[index].currency == currency);
    }
    let monthly = |lines: &[Line<'_>]| eligible.iter().map(|&index| lines[index].monthly.clone()).collect();
    let before: Vec<Number> = if steps.kept() { monthly(lines) } else { Vec::new() };
    match &coupon.off {
        Off::Percent(stays) => {
            for &index in &eligible {
                lines[index].monthly = lines[index].monthly.mul(stays);
            }
        }
        Off::Amount(minor, _) => {
            let shortest = eligible.iter().map(|&index| &lines[index].factor).max_by(|a, b| a.compare(b));
            match shortest.map(|shortest| minor.mul(shortest)) {
                Some(monthly) => {
                    spread(&monthly, eligible.clone(), lines);
                    steps.note(|| Step::Off { discount: number, monthly });
                }
                None => steps.note(|| Step::Missed { discount: number, why: Verdict::OtherCurrency }),
            }
        }
    }
    for (index, before) in eligible.into_iter().zip(before) {
        let (item, after) = (lines[index].item, lines[index].monthly.clone());
        steps.note(|| Step::Taken { discount: number, item, before, after });
    }
}

/// Takes `off` from the eligible lines pro rata, all of it unless they bring less.
fn spread(off: &Number, eligible: Vec<usize>, lines: &mut [Line<'_>]) {
    let total = eligible.iter().fold(Number::zero(), |sum, &index| sum.add(&lines[index].monthly));
    if off.compare(&total) != Ordering::Less {
        for index in eligible {
            lines[index].monthly = Number::zero();
        }
        return;
    }
    let stays = total.sub(off).div(&total).unwrap_or_else(Number::zero);
    for index in eligible {
        lines[index].monthly = lines[index].monthly.mul(&stays);
    }
}
