//! The later of what an export says and what a reply showed. Pure.

use super::BaselineError;
use super::pair::pair;
use crate::table::Existing;
use polars::prelude::*;
use std::collections::HashMap;

/// What Tether holds, as far as is known.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The customers: rows of the export in their order with their `ord`, then those of the baseline (`file` and `line`
    /// null, `ord` counted on). `None`: there is neither an export nor a baseline.
    pub known: Option<Existing>,
    /// `ord` (u32) of the export's rows that lost to a reply, rising.
    pub superseded_by_reply: DataFrame,
}

/// What Tether holds, as far as is known: per customer the later of the export's row and the reply, by `updated_at`; on a
/// tie the reply. Rows that only one side has are kept as they are.
pub fn merge(export: Option<Existing>, baseline: Option<Existing>) -> Result<Merged, BaselineError> {
    let (known, lost) = match (export, baseline) {
        (None, None) => (None, vec![]),
        (Some(only), None) | (None, Some(only)) => (Some(only), vec![]),
        (Some(export), Some(baseline)) => {
            let (known, lost) = later_of(export, baseline)?;
            (Some(known), lost)
        }
    };
    let superseded_by_reply = DataFrame::new_infer_height(vec![Column::new("ord".into(), lost)])?;
    Ok(Merged { known, superseded_by_reply })
}

/// The stored baseline after newer replies: one row per customer, each external id and e-mail on the customer that showed
/// it last, in the order of the keys.
pub(super) fn take_replies(stored: Existing, replies: Existing) -> Result<Existing, BaselineError> {
    let (both, _) = later_of(stored, replies)?;
    let mut frame = both.into_frame();
    for key in ["external_id", "email"] {
        if let Some(given_up) = given_up(&frame, key)? {
            let column = frame.column(key)?.str()?.set(&given_up, None)?;
            frame.with_column(column.into_column())?;
        }
    }
    let frame = frame
        .lazy()
        .filter(col("tether_id").is_not_null().or(col("external_id").is_not_null()).or(col("email").is_not_null()))
        .sort(["tether_id", "external_id", "email"], SortMultipleOptions::default().with_nulls_last(true))
        .collect()?;
    renumbered(frame, 0)
}

/// The later row of each customer, those of `left` first, and the `ord` of `left`'s rows that lost.
fn later_of(left: Existing, right: Existing) -> Result<(Existing, Vec<u32>), BaselineError> {
    let (left, mut right) = (left.into_frame(), right.into_frame());
    let pairs = pair(&left, &right)?;
    inherit_tether_ids(&left, &mut right, &pairs)?;

    // Plain numbers, row by row: cheaper than a join per question.
    let mut newest: Vec<i64> = vec![i64::MIN; right.height()];
    for (pair, updated) in pairs.iter().zip(updated_at(&left)?) {
        if let Some(index) = pair {
            let newest = &mut newest[*index as usize];
            *newest = updated.max(*newest);
        }
    }
    let wins: Vec<bool> = newest.iter().zip(updated_at(&right)?).map(|(left, right)| *left <= right).collect();
    let lost: BooleanChunked =
        pairs.iter().map(|pair| Some(pair.is_some_and(|index| wins[index as usize]))).collect_ca("lost".into());
    let wins: BooleanChunked = wins.into_iter().map(Some).collect_ca("wins".into());

    let lost_ords = left.column("ord")?.filter(&lost)?;
    let mut lost_ords: Vec<u32> = lost_ords.u32()?.iter().flatten().collect();
    lost_ords.sort_unstable();
    let next = left.column("ord")?.u32()?.max().map_or(0, |last| last + 1);
    let mut known = left.filter(&!&lost)?;
    known.vstack_mut(renumbered(right.filter(&wins)?, next)?.frame())?;
    Ok((Existing::new(known)?, lost_ords))
}

/// A reply without a Tether id is about the customer it was paired with: it gets that one's.
fn inherit_tether_ids(left: &DataFrame, right: &mut DataFrame, pairs: &[Option<u32>]) -> Result<(), BaselineError> {
    if right.column("tether_id")?.null_count() == 0 {
        return Ok(());
    }
    let own = right.column("tether_id")?.str()?.clone();
    let mut ids: Vec<Option<&str>> = own.iter().collect();
    for (id, pair) in left.column("tether_id")?.str()?.iter().zip(pairs) {
        if let Some(index) = pair {
            let slot = &mut ids[*index as usize];
            *slot = slot.or(id);
        }
    }
    right.with_column(Column::new("tether_id".into(), ids))?;
    Ok(())
}

/// Where a later row carries the same `key`: true. `None`: nowhere.
fn given_up(frame: &DataFrame, key: &str) -> Result<Option<BooleanChunked>, BaselineError> {
    // Row by row: the owner of a key is found and replaced while going; a group-by would build a list per key.
    let updated = updated_at(frame)?;
    let mut owners: HashMap<&str, usize> = HashMap::with_capacity(frame.height());
    let mut given_up = Vec::new();
    for (index, value) in frame.column(key)?.str()?.iter().enumerate() {
        let Some(value) = value else { continue };
        let owner = owners.entry(value).or_insert(index);
        if *owner != index {
            let (later, earlier) = if updated[index] >= updated[*owner] { (index, *owner) } else { (*owner, index) };
            *owner = later;
            given_up.push(earlier);
        }
    }
    if given_up.is_empty() {
        return Ok(None);
    }
    let mut mask = vec![false; frame.height()];
    for index in given_up {
        mask[index] = true;
    }
    Ok(Some(mask.into_iter().map(Some).collect_ca("given_up".into())))
}

/// `updated_at` in milliseconds; a row without one is older than any.
pub(super) fn updated_at(frame: &DataFrame) -> Result<Vec<i64>, BaselineError> {
    Ok(frame.column("updated_at")?.datetime()?.physical().iter().map(|at| at.unwrap_or(i64::MIN)).collect())
}

/// The rows with `ord` counted from `first`.
fn renumbered(mut frame: DataFrame, first: u32) -> Result<Existing, BaselineError> {
    let rows = u32::try_from(frame.height()).unwrap_or(u32::MAX);
    frame.with_column(Column::new("ord".into(), (first..first.saturating_add(rows)).collect::<Vec<u32>>()))?;
    Ok(Existing::new(frame)?)
}
