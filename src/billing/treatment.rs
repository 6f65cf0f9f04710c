//! Treatments: which part of an item's price discounts and inclusive tax leave, where that is the same whatever the price.
//!
//! Percentages are: a subscription of which only those are taken off needs no path of its own. What each distinct set of
//! them leaves is computed once, by the rules that price by rows, on a line that brings 1; columns multiply the rest.

use super::{
    coupons::{Coupon, Off},
    discount::{Level, Line, Rules, take_off},
    exact::Number,
    lookup::{Lookup, Sources},
    rows::net,
    steps::Steps,
};
use polars::prelude::*;
use std::collections::HashMap;

/// Treatments of items.
pub(super) struct Treatments {
    /// Of each item the index of its treatment; [`BY_ROWS`]: what its discounts leave depends on the price.
    pub of_items: Vec<u32>,
    /// The part that stays, by the index of the treatment. The first leaves everything.
    pub stays: Vec<Number>,
}

/// Instead of a treatment: an amount is taken off, or nobody knows what; the subscription goes by rows.
pub(super) const BY_ROWS: u32 = u32::MAX;

impl Treatments {
    /// Judges `items`, those of all subscriptions that count.
    pub fn judge(items: &DataFrame, sources: &Sources, lookup: &Lookup<'_>, rules: &Rules<'_>) -> PolarsResult<Self> {
        let metered = col("usage_type").eq(lit("metered")).fill_null(false);
        let touched = items
            .clone()
            .lazy()
            .select([col("subscription"), col("ord"), col("product"), metered.alias("metered")])
            .with_row_index("row", None)
            .semi_join(sources.touched(items.clone().lazy())?, col("subscription"), col("subscription"))
            .sort(["subscription", "ord"], SortMultipleOptions::default())
            .collect()?;
        let touched = &touched;
        let (rows, subscriptions) = (touched.column("row")?.u32()?, touched.column("subscription")?.u32()?);
        let (ords, products) = (touched.column("ord")?.u32()?, touched.column("product")?.str()?);
        let metered = touched.column("metered")?.bool()?;
        // Row by row: which discounts are in force is a matter of calendar months, and of each other.
        let all: Vec<Touched<'_>> = rows
            .iter()
            .zip(subscriptions.iter())
            .zip(ords.iter().zip(products.iter()).zip(metered.iter()))
            .filter_map(|((row, subscription), ((ord, product), metered))| {
                let metered = metered.unwrap_or(false);
                Some(Touched { row: row?, subscription: subscription?, ord: ord?, product, metered })
            })
            .collect();
        let mut judge = Judge { lookup, known: HashMap::from([(Vec::new(), 0)]), stays: vec![Number::whole(1)] };
        let mut of_items = vec![0; items.height()];
        for own in all.chunk_by(|a, b| a.subscription == b.subscription) {
            let subscription = own[0].subscription;
            let placed = lookup.discounts(subscription, own.iter().map(|item| (item.ord, item.metered)));
            let taken = rules.taken(placed).ok();
            let percentages =
                taken.filter(|taken| taken.iter().all(|(_, coupon)| matches!(coupon.off, Off::Percent(_))));
            let licensed = own.iter().filter(|item| !item.metered).enumerate();
            for (index, item) in licensed {
                of_items[item.row as usize] =
                    percentages.as_deref().map_or(BY_ROWS, |taken| judge.treatment(taken, index, item));
            }
        }
        Ok(Self { of_items, stays: judge.stays })
    }

    /// Leaves all `items` to rows.
    #[cfg(test)]
    pub fn none(items: &DataFrame) -> Self {
        Self { of_items: vec![BY_ROWS; items.height()], stays: Vec::new() }
    }
}

/// An item that something touches.
struct Touched<'a> {
    row: u32,
    subscription: u32,
    ord: u32,
    product: Option<&'a str>,
    metered: bool,
}

struct Judge<'a> {
    lookup: &'a Lookup<'a>,
    /// By the numbers of the coupons, then the indices of the inclusive percentages after a mark.
    known: HashMap<Vec<u32>, u32>,
    stays: Vec<Number>,
}

impl Judge<'_> {
    fn treatment(&mut self, taken: &[(Level, &Coupon)], index: usize, item: &Touched<'_>) -> u32 {
        const MARK: u32 = u32::MAX;
        let own = || taken.iter().filter(|(level, coupon)| coupon.touches(*level, index, item.product));
        let inclusive = || self.lookup.inclusive(item.ord, item.subscription);
        let mut key: Vec<u32> = own().map(|(_, coupon)| coupon.number).collect();
        let coupons = key.len();
        key.extend(inclusive());
        if key.len() > coupons {
            key.insert(coupons, MARK);
        }
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let one = || Number::whole(1);
        let (product, currency) = (item.product, "");
        let mut line = [Line { item: item.ord, index: 0, product, currency, monthly: one(), factor: one() }];
        for (_, coupon) in own() {
            take_off(0, coupon, Level::Item(0), &mut line, &mut Steps::default());
        }
        let stays = net(&line[0].monthly, self.lookup.tax(inclusive()).as_ref());
        let treatment = u32::try_from(self.stays.len()).unwrap_or(BY_ROWS);
        self.stays.push(stays);
        self.known.insert(key, treatment);
        treatment
    }
}
