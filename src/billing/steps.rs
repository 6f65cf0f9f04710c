//! The steps of a computation, noted where someone wants to read them. Where nobody does, noting costs one comparison.

use super::{
    discount::{Judged, Verdict},
    exact::Number,
};

/// One step on the way from a price to MRR. Amounts are minor units of the item's currency.
#[derive(Debug, Clone)]
pub(super) enum Step<'a> {
    /// `transform_quantity` made `units` of the quantity.
    Transformed { item: u32, units: i64 },
    /// `units` fell into the tier that ends at `up_to`.
    Tier { item: u32, up_to: Option<i64>, units: i64, unit: Number, flat: Number, cost: Number },
    /// What the item costs per interval, the part of it that falls on a month, and the product of both.
    Monthly { item: u32, price: Number, factor: Number, monthly: Number },
    /// A discount was seen; they are judged in the order in which they apply.
    Judged(Judged<'a>),
    /// The discount that was judged as number `discount` (from 0) left `after` of an item.
    Taken { discount: usize, item: u32, before: Number, after: Number },
    /// The discount that was judged as number `discount` (from 0) takes this amount off a month.
    Off { discount: usize, monthly: Number },
    /// The discount that was judged as number `discount` (from 0) found no item that it could apply to.
    Missed { discount: usize, why: Verdict },
    /// Inclusive tax of `rate` (a fraction of one) was taken out.
    Net { item: u32, rate: Number, before: Number, after: Number },
    /// What an item brings a month after all, and what that is in the account's currency; `None`: no rate.
    Converted { item: u32, monthly: Number, account: Option<Number> },
}

/// A list of steps, or none.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps<'a> {
    kept: bool,
    list: Vec<Step<'a>>,
}

impl<'a> Steps<'a> {
    /// Keeps the steps if `kept`.
    pub fn new(kept: bool) -> Self {
        Self { kept, list: Vec::new() }
    }

    /// Whether steps are kept.
    pub fn kept(&self) -> bool {
        self.kept
    }

    /// Notes a step, which is made only if someone wants it.
    pub fn note(&mut self, step: impl FnOnce() -> Step<'a>) {
        if self.kept {
            self.list.push(step());
        }
    }

    /// What was noted.
    pub fn into_list(self) -> Vec<Step<'a>> {
        self.list
    }
}
