//! Quotes: what an item costs per interval, before discounts and tax, as columns.
//!
//! One pass over the columns that decide, because the rules of quantities and tiers ([`tiers`]) are no expressions. Each
//! distinct price list and quantity is priced once, and all items that share it take the answer.

use super::{exact::wide, item::Item, lookup::Lookup, steps::Steps, tiers};
use crate::model::{MOST_MINOR, Reason};
use polars::prelude::*;
use std::collections::HashMap;

/// An amount with more digits after the point than this many minor units hold is left to rows.
pub(super) const FINEST: i128 = 1_000_000_000_000;

type Quote = Result<(i128, i128), Reason>;

/// Adds `units`, `unit` and `unpriced` to licensed `items`: each costs `units / unit` minor units per interval, `unit` at
/// least 1; 0 with `unpriced`, a [`Reason`].
pub(super) fn quote(items: &mut DataFrame, lookup: &Lookup<'_>) -> PolarsResult<()> {
    let (nums, dens) = (items.column("amount_num")?.i128()?.iter(), items.column("amount_den")?.i128()?.iter());
    let (tiered, totals) = (items.column("tiered")?.bool()?.iter(), items.column("amount_is_total")?.bool()?.iter());
    let quantities = items.column("quantity")?.i64()?.iter();
    let required = items.column("quantity_required")?.bool()?.iter();
    let (divisors, rounds) = (items.column("divide_by")?.i64()?.iter(), items.column("divide_round")?.str()?.iter());
    let (lists, modes) = (items.column("tiers")?.u32()?.iter(), items.column("tiers_mode")?.str()?.iter());
    let mut known: HashMap<_, Quote> = HashMap::new();
    let rows = nums.zip(dens).zip(totals).zip(quantities.zip(required)).zip(divisors.zip(rounds));
    let quotes: Vec<Quote> = rows
        .zip(tiered.zip(lists.zip(modes)))
        .map(|(((((num, den), total), (quantity, required)), (divide_by, divide_round)), (tiered, (list, mode)))| {
            let (amount_is_total, quantity_required) = (total.unwrap_or(false), required.unwrap_or(false));
            let quantified = Item { quantity, quantity_required, divide_by, divide_round, ..Item::default() };
            if tiered != Some(true) {
                return plain(&Item { amount: num.zip(den), amount_is_total, ..quantified });
            }
            let key = (list, mode, quantity, quantity_required, divide_by, divide_round);
            *known.entry(key).or_insert_with(|| {
                let item = Item { tiered: true, tiers: list, tiers_mode: mode, ..quantified };
                tiers::price(&item, &lookup.tiers(&item), &mut Steps::default())?
                    .parts()
                    .ok_or(Reason::AmountOutOfRange)
            })
        })
        .collect();
    let part = |name, part: fn((i128, i128)) -> i128| {
        wide(name, quotes.iter().map(move |quote| Some(quote.map_or(part((0, 1)), part)))).into()
    };
    let (units, unit): (Column, Column) = (part("units", |quote| quote.0), part("unit", |quote| quote.1));
    let unpriced = if quotes.iter().all(Result::is_ok) {
        Column::full_null("unpriced".into(), quotes.len(), &DataType::String)
    } else {
        let reasons = quotes.iter().map(|quote| quote.err().map(Reason::as_str));
        Column::new("unpriced".into(), reasons.collect::<Vec<_>>())
    };
    items.with_column(units)?.with_column(unit)?.with_column(unpriced)?;
    Ok(())
}

/// A price per unit without fractions: amount × quantity over the amount's precision.
fn plain(item: &Item<'_>) -> Quote {
    let ((num, den), times) = tiers::plain(item)?;
    // What is too fine for columns is not looked at any closer: rows are to price it.
    if den > FINEST {
        return Ok((0, den));
    }
    let units = num.checked_mul(i128::from(times)).filter(|units| *units <= MOST_MINOR * den);
    units.map(|units| (units, den)).ok_or(Reason::AmountOutOfRange)
}
