//! What one Stripe file gave.

use super::pages::Page;
use super::related::Related;
use crate::model::{Break, Dialect, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::table::StripeTables;
use std::collections::BTreeMap;

/// What one Stripe file gave, with file-local `ord`s from 0 (per table) and `file` as told.
#[derive(Debug)]
pub struct StripePart {
    /// The rows that could be read.
    pub tables: StripeTables,
    /// Rows that belong to others by their id.
    pub related: Related,
    /// Customers that stand in full inside subscriptions, with their discounts, `ord`s from 0 of their own. They count
    /// only where no file has the customer as a row.
    pub expanded: Option<StripeTables>,
    /// The rows that could not.
    pub rejections: Vec<Rejection>,
    /// What a reviewer must see.
    pub breaks: Vec<Break>,
    /// Customer rows, rejected ones included.
    pub customer_rows: u64,
    /// Subscription rows, rejected ones included.
    pub subscription_rows: u64,
    /// Rows of Stripe's other tables by source, rejected ones included.
    pub other_rows: BTreeMap<&'static str, u64>,
    /// Objects of Stripe that are neither, and are not used.
    pub other_objects: u64,
    /// The lists that say whether they go on, and what else may be a single page.
    pub pages: Vec<Page>,
    /// What the content was recognised as, in words.
    pub shape: String,
    /// How its text was written, where it is CSV.
    pub dialect: Option<Dialect>,
}

impl StripePart {
    /// A part with nothing but `tables`.
    pub(in crate::load) fn of(tables: StripeTables) -> Self {
        Self {
            tables,
            related: Related::empty(),
            rejections: Vec::new(),
            breaks: Vec::new(),
            customer_rows: 0,
            subscription_rows: 0,
            other_rows: BTreeMap::new(),
            other_objects: 0,
            shape: String::new(),
            dialect: None,
            expanded: None,
            pages: Vec::new(),
        }
    }

    /// Rows of every source, rejected ones included.
    pub fn rows(&self) -> u64 {
        self.customer_rows + self.subscription_rows + self.other_rows.values().sum::<u64>()
    }

    /// The source that the file is listed under: customers before subscriptions before the others; of a file without
    /// rows, subscriptions if they were `expected`.
    pub fn source(&self, expected: bool) -> &'static str {
        let main = [(STRIPE_CUSTOMERS, self.customer_rows), (STRIPE_SUBSCRIPTIONS, self.subscription_rows)];
        let mut all = main.into_iter().chain(self.other_rows.iter().map(|(source, rows)| (*source, *rows)));
        let first = all.find(|(_, rows)| *rows > 0);
        first.map_or(if expected { STRIPE_SUBSCRIPTIONS } else { STRIPE_CUSTOMERS }, |(source, _)| source)
    }
}
