//! The steps that were noted for one subscription → its items, discounts and sums.

use super::{Amount, DiscountWorking, ItemWorking, Rate, SumWorking, Taken, TaxWorking, TierWorking, Transform, why};
use crate::billing::{
    coupons::{Coupon, Lasts, Off},
    discount::{Judged, Level, Verdict},
    exact::Number,
    interval,
    item::Item,
    rates::Rates,
    steps::Step,
};
use crate::config::MrrSettings;
use crate::model::{Currency, Instant};
use std::collections::{BTreeMap, HashMap};

/// What steps refer to.
pub(super) struct Known<'a> {
    pub rates: Rates<'a>,
    pub mrr: &'a MrrSettings,
}

/// The working of one subscription.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub items: Vec<ItemWorking>,
    pub discounts: Vec<DiscountWorking>,
    pub sums: Vec<SumWorking>,
}

fn amount(currency: &str, minor: &Number) -> Amount {
    Amount { currency: currency.to_owned(), minor: minor.exact() }
}

fn instant(millis: Option<i64>) -> Option<Instant> {
    Instant::from_epoch_seconds(millis?.div_euclid(1000))
}

impl Known<'_> {
    /// Puts the steps beside the items they are about. `items` are all of the subscription, in order.
    pub fn assemble(&self, items: &[Item<'_>], steps: &[Step<'_>]) -> Assembled {
        let places: HashMap<u32, usize> = items.iter().enumerate().map(|(place, item)| (item.ord, place)).collect();
        // Levels name licensed items by their place among all of them, priced or not.
        let licensed: Vec<usize> = (0..items.len()).filter(|&place| !items[place].metered).collect();
        let mut found = Assembled {
            items: items.iter().enumerate().map(|item| facts(item, self.mrr)).collect(),
            ..Assembled::default()
        };
        let mut applied: Vec<(Level, Option<&Coupon>)> = vec![];
        let mut sums: BTreeMap<&str, (Number, Option<Number>)> = BTreeMap::new();
        let currencies: Vec<&str> = items.iter().map(|item| item.currency.unwrap_or_default()).collect();
        for step in steps {
            match step {
                Step::Judged(judged) => {
                    let item = match judged.level {
                        Level::Item(index) => licensed.get(index).map(|place| place + 1),
                        Level::Metered | Level::Subscription | Level::Customer => None,
                    };
                    applied.push((judged.level, judged.coupon));
                    found.discounts.push(self.judged(judged, item));
                }
                Step::Off { discount, monthly } => {
                    let known = found.discounts.get_mut(*discount);
                    if let Some((known, off)) = known.and_then(|known| known.amount_off.clone().map(|off| (known, off)))
                    {
                        known.monthly_off = Some(amount(&off.currency, monthly));
                    }
                }
                Step::Missed { discount, why } => {
                    let Some(&(level, coupon)) = applied.get(*discount) else { continue };
                    // Those that could be priced are worked out before any discount.
                    let mut unpriced = licensed
                        .iter()
                        .enumerate()
                        .filter(|(_, place)| found.items[**place].per_period.is_none())
                        .map(|(index, place)| (index, items[*place].product));
                    let verdict = match why {
                        Verdict::OtherProducts if licensed.is_empty() => Verdict::Metered,
                        _ if unpriced.any(|(index, product)| {
                            coupon.is_some_and(|coupon| coupon.touches(level, index, product))
                        }) =>
                        {
                            Verdict::Unpriced
                        }
                        missed => *missed,
                    };
                    if let Some(known) = found.discounts.get_mut(*discount) {
                        known.verdict = verdict;
                        known.why = self.why(verdict, coupon, known.start, known.end);
                    }
                }
                Step::Converted { item, monthly, account } => {
                    let Some(&place) = places.get(item) else { continue };
                    let currency = currencies[place];
                    found.items[place].mrr = Some(amount(currency, monthly));
                    let (sum, converted) =
                        sums.entry(currency).or_insert_with(|| (Number::zero(), Some(Number::zero())));
                    *sum = sum.add(monthly);
                    *converted = converted.as_ref().zip(account.as_ref()).map(|(sum, part)| sum.add(part));
                }
                Step::Transformed { item, .. }
                | Step::Tier { item, .. }
                | Step::Monthly { item, .. }
                | Step::Taken { item, .. }
                | Step::Net { item, .. } => {
                    let Some(&place) = places.get(item) else { continue };
                    on_item(step, place, &mut found);
                }
            }
        }
        found.sums = sums
            .into_iter()
            .map(|(currency, (sum, account))| self.converted(currency, &sum, account.as_ref()))
            .collect();
        found
    }

    fn judged(&self, judged: &Judged<'_>, item: Option<usize>) -> DiscountWorking {
        let Judged { level, discount, coupon, end, verdict } = *judged;
        let (percent_off, amount_off) = match coupon.map(|coupon| &coupon.off) {
            Some(Off::Percent(stays)) => (Some(Number::whole(1).sub(stays).mul(&Number::whole(100)).exact()), None),
            Some(Off::Amount(minor, currency)) => (None, Some(amount(currency, minor))),
            None => (None, None),
        };
        let (duration, duration_in_months) = match coupon.map(|coupon| coupon.lasts) {
            Some(Lasts::Forever) => (Some("forever"), None),
            Some(Lasts::Repeating { months }) => (Some("repeating"), months),
            Some(Lasts::Once) => (Some("once"), None),
            None => (None, None),
        };
        let (start, end) = (instant(discount.start), instant(end));
        DiscountWorking {
            level: match level {
                Level::Metered | Level::Item(_) => "item",
                Level::Subscription => "subscription",
                Level::Customer => "customer",
            },
            item,
            id: discount.id.map(str::to_owned),
            coupon: discount.coupon.map(str::to_owned),
            percent_off,
            amount_off,
            duration,
            duration_in_months,
            configured: coupon.map(|coupon| coupon.configured),
            start,
            end,
            verdict,
            why: self.why(verdict, coupon, start, end),
            monthly_off: None,
            taken: vec![],
        }
    }

    fn why(&self, verdict: Verdict, coupon: Option<&Coupon>, start: Option<Instant>, end: Option<Instant>) -> String {
        let facts = why::DiscountFacts {
            start: start.map(Instant::epoch_millis),
            end: end.map(Instant::epoch_millis),
            applies_to: coupon.and_then(|coupon| coupon.applies_to.as_deref()),
        };
        why::discount(verdict, &facts, self.mrr)
    }

    fn converted(&self, currency: &str, sum: &Number, account: Option<&Number>) -> SumWorking {
        let rate = Currency::parse(currency).ok().and_then(|code| self.rates.fx.rates.get(&code));
        SumWorking {
            monthly: amount(currency, sum),
            rate: rate.map(|rate| Rate { rate: rate.rate.to_string(), date: rate.date }),
            converted: account.map(|account| amount(self.rates.account.as_str(), account)),
        }
    }
}

/// What is read of an item, before any step.
fn facts((place, item): (usize, &Item<'_>), mrr: &MrrSettings) -> ItemWorking {
    let currency = item.currency.unwrap_or_default();
    let unit = item.amount.and_then(|(numerator, denominator)| Number::fraction(numerator, denominator));
    let zero = item.metered.then(|| amount(currency, &Number::zero()));
    let own = |text: Option<&str>| text.map(str::to_owned);
    ItemWorking {
        number: place + 1,
        id: own(item.id),
        price: own(item.price),
        product: own(item.product),
        currency: own(item.currency),
        unit_amount: unit.map(|unit| amount(currency, &unit)),
        amount_is_total: item.amount_is_total,
        quantity: item.quantity,
        interval: own(item.interval),
        interval_count: item.interval_count,
        metered: item.metered,
        tiers_mode: own(item.tiers_mode),
        transform_quantity: item.divide_by.map(|divide_by| Transform {
            divide_by,
            round: own(item.divide_round),
            units: None,
        }),
        tiers: vec![],
        per_period: None,
        monthly_factor: None,
        monthly_factor_words: interval::working(item.interval.unwrap_or_default(), item.interval_count, mrr),
        monthly: None,
        tax: None,
        mrr: zero,
    }
}

/// Adds a step to the item at `place`.
fn on_item(step: &Step<'_>, place: usize, found: &mut Assembled) {
    let Some(item) = found.items.get_mut(place) else { return };
    let currency = item.currency.clone().unwrap_or_default();
    match step {
        Step::Transformed { units, .. } => {
            if let Some(transform) = &mut item.transform_quantity {
                transform.units = Some(*units);
            }
        }
        Step::Tier { up_to, units, unit, flat, cost, .. } => item.tiers.push(TierWorking {
            up_to: *up_to,
            units: *units,
            unit: amount(&currency, unit),
            flat: amount(&currency, flat),
            cost: amount(&currency, cost),
        }),
        Step::Monthly { price, factor, monthly, .. } => {
            item.per_period = Some(amount(&currency, price));
            item.monthly_factor = Some(factor.exact());
            item.monthly = Some(amount(&currency, monthly));
        }
        Step::Taken { discount, before, after, .. } => {
            if let Some(discount) = found.discounts.get_mut(*discount) {
                discount.taken.push(Taken { item: place + 1, amount: amount(&currency, &before.sub(after)) });
            }
        }
        Step::Net { rate, before, after, .. } => {
            let percent = rate.mul(&Number::whole(100)).exact();
            item.tax = Some(TaxWorking { percent, taken: amount(&currency, &before.sub(after)) });
        }
        Step::Judged(_) | Step::Off { .. } | Step::Missed { .. } | Step::Converted { .. } => {}
    }
}
