//! What a quantity costs: units after `transform_quantity`, tiers volume and graduated.

use super::{
    exact::Number,
    item::Item,
    steps::{Step, Steps},
};
use crate::model::{MOST_MINOR, Reason};
use std::cmp::Ordering;

/// One tier of a price.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Tier {
    /// Last unit; `None`: no end.
    pub up_to: Option<i64>,
    pub unit: (i128, i128),
    pub flat: (i128, i128),
}

/// The price of `item` per its interval, in minor units. `tiers` may come in any order, and repeated.
pub(super) fn price(item: &Item<'_>, tiers: &[Tier], steps: &mut Steps) -> Result<Number, Reason> {
    let price = unlimited(item, tiers, steps)?;
    let absurd = price.compare(&Number::whole(MOST_MINOR)) == Ordering::Greater;
    if absurd { Err(Reason::AmountOutOfRange) } else { Ok(price) }
}

fn unlimited(item: &Item<'_>, tiers: &[Tier], steps: &mut Steps) -> Result<Number, Reason> {
    let mut note = |units| {
        if item.divide_by.is_some() {
            steps.note(|| Step::Transformed { item: item.ord, units });
        }
    };
    if !item.tiered {
        let ((numerator, denominator), times) = plain(item)?;
        if !item.amount_is_total {
            note(times);
        }
        let amount = Number::fraction(numerator, denominator).ok_or(Reason::AmountOutOfRange)?;
        return Ok(amount.mul(&Number::whole(i128::from(times))));
    }
    let quantity = units(item)?;
    note(quantity);
    if quantity == 0 {
        // Nothing is billed for no units, whatever the first tier's flat price is.
        return Ok(Number::zero());
    }
    let mut tiers = tiers.to_vec();
    tiers.sort_by_key(|tier| (tier.up_to.unwrap_or(i64::MAX), tier.clone()));
    tiers.dedup();
    let mut cost = |tier: &Tier, units: i64| {
        let (unit, flat, cost) = cost(tier, units)?;
        steps.note(|| Step::Tier { item: item.ord, up_to: tier.up_to, units, unit, flat, cost: cost.clone() });
        Ok(cost)
    };
    match item.tiers_mode {
        Some("volume") => volume(quantity, &tiers, &mut cost),
        Some("graduated") => graduated(quantity, &tiers, &mut cost),
        _ => Err(Reason::TiersMissing),
    }
}

/// What an `item` without tiers costs per its interval: an amount, and how many times it is due.
pub(super) fn plain(item: &Item<'_>) -> Result<((i128, i128), i64), Reason> {
    let times = if item.amount_is_total { 1 } else { units(item)? };
    let (numerator, denominator) = item.amount.ok_or(Reason::BadNumber)?;
    let absurd = numerator < 0 || denominator < 1;
    if absurd { Err(Reason::AmountOutOfRange) } else { Ok(((numerator, denominator), times)) }
}

/// The units that are billed.
fn units(item: &Item<'_>) -> Result<i64, Reason> {
    if item.quantity.is_none() && item.quantity_required {
        return Err(Reason::QuantityMissing);
    }
    transformed(item)
}

/// The quantity after `transform_quantity`.
fn transformed(item: &Item<'_>) -> Result<i64, Reason> {
    let quantity = item.quantity.unwrap_or(1);
    if quantity < 0 {
        return Err(Reason::AmountOutOfRange);
    }
    let Some(divisor) = item.divide_by else { return Ok(quantity) };
    if divisor < 1 {
        return Err(Reason::BadNumber);
    }
    match item.divide_round {
        Some("up") => Ok(quantity / divisor + i64::from(quantity % divisor != 0)),
        Some("down") => Ok(quantity / divisor),
        _ => Err(Reason::BadNumber),
    }
}

/// What a number of units costs in a tier.
type Cost<'a> = dyn FnMut(&Tier, i64) -> Result<Number, Reason> + 'a;

/// All units at the price of the tier that the quantity falls into.
fn volume(quantity: i64, tiers: &[Tier], cost: &mut Cost<'_>) -> Result<Number, Reason> {
    let reached = tiers.iter().find(|tier| tier.up_to.is_none_or(|up_to| quantity <= up_to));
    cost(reached.ok_or(Reason::TiersMissing)?, quantity)
}

/// Each unit at the price of its own tier.
fn graduated(quantity: i64, tiers: &[Tier], cost: &mut Cost<'_>) -> Result<Number, Reason> {
    let mut sum = Number::zero();
    let mut done = 0;
    for tier in tiers {
        let end = tier.up_to.map_or(quantity, |up_to| up_to.min(quantity));
        if end > done {
            sum = sum.add(&cost(tier, end - done)?);
            done = end;
        }
    }
    if done < quantity { Err(Reason::TiersMissing) } else { Ok(sum) }
}

/// The tier's price per unit, its flat price, and what `units` of it cost.
fn cost(tier: &Tier, units: i64) -> Result<(Number, Number, Number), Reason> {
    let unit = Number::fraction(tier.unit.0, tier.unit.1).ok_or(Reason::AmountOutOfRange)?;
    let flat = Number::fraction(tier.flat.0, tier.flat.1).ok_or(Reason::AmountOutOfRange)?;
    if unit.is_negative() || flat.is_negative() {
        return Err(Reason::AmountOutOfRange);
    }
    let cost = unit.mul(&Number::whole(i128::from(units))).add(&flat);
    Ok((unit, flat, cost))
}
