//! How two baselines differ, customer by customer. Pure.

use super::BaselineError;
use super::hash::PLACE;
use super::merge::updated_at;
use super::pair::pair;
use crate::table::Existing;
use polars::prelude::*;

/// How one baseline differs from another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Customers that only the first holds, by Tether id, else external id, else e-mail.
    pub gone: Vec<String>,
    /// Customers that both hold, and of whom the first has a later state, or another one of the same second; named alike.
    pub newer: Vec<String>,
    /// How many only the second holds.
    pub joined: usize,
    /// How many both hold, and say something else of.
    pub changed: usize,
}

impl Difference {
    /// Whether both say the same.
    pub fn is_none(&self) -> bool {
        self.gone.is_empty() && self.joined == 0 && self.changed == 0
    }
}

/// How `new` differs from `old`. Two rows are the same customer as everywhere in this room.
pub fn difference(old: &Existing, new: &Existing) -> Result<Difference, BaselineError> {
    let (old, new) = (old.frame(), new.frame());
    let partner = pair(old, new)?;
    let taken: std::collections::BTreeSet<u32> = partner.iter().copied().flatten().collect();
    let texts = ["tether_id", "external_id", "email"]
        .into_iter()
        .map(|name| Ok(old.column(name)?.str()?.clone()))
        .collect::<PolarsResult<Vec<_>>>()?;
    let name = |row: usize| texts.iter().find_map(|column| column.get(row)).unwrap_or_default().to_owned();
    let gone = (0..old.height()).zip(&partner).filter(|(_, partner)| partner.is_none()).map(|(row, _)| name(row));
    let gone: Vec<String> = gone.collect();

    // The rows of either that have a partner, side by side, column by column.
    let paired: BooleanChunked = partner.iter().map(|partner| Some(partner.is_some())).collect_ca("paired".into());
    let places: IdxCa = partner.iter().copied().flatten().map(Some).collect_ca("places".into());
    let rows: Vec<usize> = (0..old.height()).zip(&partner).filter(|(_, of)| of.is_some()).map(|(row, _)| row).collect();
    let (left, right) = (old.filter(&paired)?, new.take(&places)?);
    let mut differs = BooleanChunked::full("differs".into(), false, left.height());
    for column in left.columns().iter().filter(|column| !PLACE.contains(&column.name().as_str())) {
        differs = differs | column.not_equal_missing(right.column(column.name())?)?;
    }
    let changed = differs.iter().filter(|differs| *differs == Some(true)).count();
    let ages = updated_at(&left)?.into_iter().zip(updated_at(&right)?);
    // Of two states of one second nobody knows which is the later: the one that is there may be.
    let newer = rows
        .into_iter()
        .zip(ages)
        .zip(differs.iter())
        .filter(|((_, (left, right)), differs)| left > right || (left == right && *differs == Some(true)))
        .map(|((row, _), _)| name(row))
        .collect();
    Ok(Difference { gone, newer, joined: new.height() - taken.len(), changed })
}
