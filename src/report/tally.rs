//! One pass over the customers: counts and sums by everything the report's figures are cut by.

use super::ReportError;
use super::bridge::{Movement, existed, movement};
use super::customers::minor;
use crate::model::{Outcome, Prediction, Reason};
use polars::prelude::*;

/// How many customers, and their MRR in minor units; an absent amount counts 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Customers.
    pub customers: u64,
    /// What the sources say.
    pub desired: i128,
    /// What Tether held when the run began.
    pub before: i128,
    /// What Tether holds when the run ends; in a plan: would hold.
    pub after: i128,
    /// Customers whose desired MRR cannot be known: it is not in `desired`. Orphans have none, and are not among them.
    pub unknown: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.customers += other.customers;
        self.desired += other.desired;
        self.before += other.before;
        self.after += other.after;
        self.unknown += other.unknown;
    }
}

/// All customers that agree in the first five.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub product: String,
    pub predicted: Prediction,
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    pub movement: Movement,
    pub tally: Tally,
    /// Customers that Tether knew, whose MRR before the run is not known, though they hold some now.
    pub opening_unknown: u64,
    /// What those hold now.
    pub opening_unknown_after: i128,
    /// Requests sent.
    pub calls: u64,
}

/// The cells of the assembled customers, in the order of their first five.
pub(super) fn cells(customers: &DataFrame) -> Result<Vec<Cell>, ReportError> {
    let late = existed().and(col("mrr_before").is_null()).and(minor("mrr_after").neq(lit(0)));
    let unknown = col("mrr_desired").is_null().and(col("outcome").neq(lit(Outcome::Orphan.as_str())));
    let zero = lit(0_i64).cast(DataType::Int128);
    let frame = customers
        .clone()
        .lazy()
        .with_columns([movement().alias("movement")])
        .group_by([col("product"), col("predicted"), col("outcome"), col("reason"), col("movement")])
        .agg([
            len().cast(DataType::UInt64).alias("customers"),
            minor("mrr_desired").sum().alias("desired"),
            minor("mrr_before").sum().alias("before"),
            minor("mrr_after").sum().alias("after"),
            unknown.cast(DataType::UInt64).sum().alias("unknown"),
            late.clone().cast(DataType::UInt64).sum().alias("opening_unknown"),
            when(late).then(minor("mrr_after")).otherwise(zero).sum().alias("opening_unknown_after"),
            col("attempts").cast(DataType::UInt64).sum().alias("calls"),
        ])
        .collect()?;
    let word = |name: &str| frame.column(name).and_then(|column| column.str().cloned());
    let number = |name: &str| frame.column(name).and_then(|column| column.u64().cloned());
    let sum = |name: &str| frame.column(name).and_then(|column| column.i128().cloned());
    let (product, predicted, outcome) = (word("product")?, word("predicted")?, word("outcome")?);
    let (reason, movement) = (word("reason")?, word("movement")?);
    let (rows, unknown, late) = (number("customers")?, number("unknown")?, number("opening_unknown")?);
    let (desired, before, after) = (sum("desired")?, sum("before")?, sum("after")?);
    let (late_after, calls) = (sum("opening_unknown_after")?, number("calls")?);
    let mut all = (0..frame.height())
        .map(|at| {
            Ok(Cell {
                product: product.get(at).unwrap_or_default().to_owned(),
                predicted: predicted.get(at).unwrap_or_default().parse()?,
                outcome: outcome.get(at).unwrap_or_default().parse()?,
                reason: reason.get(at).map(str::parse).transpose()?,
                movement: movement.get(at).unwrap_or_default().parse()?,
                tally: Tally {
                    customers: rows.get(at).unwrap_or_default(),
                    desired: desired.get(at).unwrap_or_default(),
                    before: before.get(at).unwrap_or_default(),
                    after: after.get(at).unwrap_or_default(),
                    unknown: unknown.get(at).unwrap_or_default(),
                },
                opening_unknown: late.get(at).unwrap_or_default(),
                opening_unknown_after: late_after.get(at).unwrap_or_default(),
                calls: calls.get(at).unwrap_or_default(),
            })
        })
        .collect::<Result<Vec<_>, ReportError>>()?;
    all.sort_by(|a, b| {
        (&a.product, a.predicted, a.outcome, a.reason, a.movement).cmp(&(
            &b.product,
            b.predicted,
            b.outcome,
            b.reason,
            b.movement,
        ))
    });
    Ok(all)
}
