//! Customers that stand in full inside subscriptions (`expand[]=data.customer`): accounts only where no row of its own says
//! who the customer is, so that an export of subscriptions alone is enough and one beside customers says nothing twice.

use super::related::Related;
use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::load::ordered;
use crate::model::{Rejection, STRIPE_CUSTOMERS};
use crate::table::{Accounts, Discounts, StripeTables};
use polars::prelude::*;
use std::collections::{HashMap, HashSet};

/// The customers among `expanded` that are in no file as rows, readable or not (`parts`, `rejections`): each once, as the
/// latest event or else the last subscription has it. `None`: there are none.
pub(in crate::load) fn missing<'a>(
    expanded: Vec<StripeTables>,
    parts: impl Iterator<Item = &'a Accounts>,
    rejections: &[Rejection],
) -> Result<Option<StripeTables>, TableError> {
    if expanded.is_empty() {
        return Ok(None);
    }
    let expanded = expanded.into_iter().map(|tables| (tables, Related::empty())).collect();
    let (tables, _) = crate::load::assemble::stripe(expanded)?;
    let mut known: HashSet<&str> = HashSet::new();
    for accounts in parts {
        known.extend(accounts.frame().column("id")?.str()?.iter().flatten());
    }
    let rejected = rejections.iter().filter(|rejection| rejection.source == STRIPE_CUSTOMERS);
    known.extend(rejected.filter_map(|rejection| rejection.id.as_deref()));
    let frame = tables.accounts.frame();
    let (ids, events) = (frame.column("id")?.str()?, frame.column("event_created")?.datetime()?.physical());
    // A loop over ids, as the joins' counterpart would first have to sort what is already in order.
    let mut chosen: HashMap<&str, (Option<i64>, usize)> = HashMap::new();
    for (row, (id, event)) in ids.iter().zip(events.iter()).enumerate() {
        let Some(id) = id.filter(|id| !known.contains(id)) else { continue };
        let best = chosen.entry(id).or_insert((event, row));
        if event >= best.0 {
            *best = (event, row);
        }
    }
    if chosen.is_empty() {
        return Ok(None);
    }
    let mut rows: Vec<usize> = chosen.into_values().map(|(_, row)| row).collect();
    rows.sort_unstable();
    let mut keep = vec![false; frame.height()];
    let mut renumbered: HashMap<u32, u32> = HashMap::new();
    let ords = frame.column("ord")?.u32()?;
    for (&row, ord) in rows.iter().zip(0_u32..) {
        keep[row] = true;
        renumbered.extend(ords.get(row).map(|old| (old, ord)));
    }
    let accounts = Accounts::new(ordered(frame.filter(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &keep))?)?)?;
    let discounts = tables.discounts.frame();
    let owners: UInt32Chunked = discounts
        .column("owner")?
        .u32()?
        .iter()
        .map(|owner| owner.and_then(|owner| renumbered.get(&owner).copied()))
        .collect();
    let mut owned = discounts.filter(&owners.is_not_null())?;
    owned.with_column(owners.drop_nulls().with_name("owner".into()).into_column())?;
    let discounts = Discounts::new(stacked(vec![owned], Discounts::empty().into_frame())?)?;
    Ok(Some(StripeTables { accounts, discounts, ..StripeTables::empty() }))
}
