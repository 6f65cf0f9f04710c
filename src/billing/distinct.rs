//! Rows that agree in some columns, so that a rule is applied once to all of them.

use polars::{frame::group_by::GroupsIndicator, prelude::*};

/// The distinct combinations of some columns. Null agrees with null.
pub(super) struct Distinct {
    /// A row of each combination.
    pub firsts: Vec<u32>,
    /// How many rows each combination has.
    pub rows: Vec<u64>,
    /// The index of each row's combination.
    pub of: Vec<u32>,
}

impl Distinct {
    /// The distinct combinations of `columns` in `frame`.
    pub fn new(frame: &DataFrame, columns: &[&str]) -> PolarsResult<Self> {
        let mut found = Self { firsts: Vec::new(), rows: Vec::new(), of: vec![0; frame.height()] };
        for (index, group) in (0_u32..).zip(frame.group_by(columns.iter().copied())?.get_groups().iter()) {
            match group {
                GroupsIndicator::Idx((_, rows)) => rows.iter().for_each(|&row| found.of[row as usize] = index),
                GroupsIndicator::Slice([start, len]) => found.of[start as usize..(start + len) as usize].fill(index),
            }
            found.firsts.push(group.first());
            found.rows.push(group.len() as u64);
        }
        Ok(found)
    }
}
