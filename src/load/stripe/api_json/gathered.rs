//! What the stretches of a file gave, and what the file gives in the end.

use super::{
    JsonContext, UNNAMED,
    lone::{self, LoneDiscountRow},
};
use crate::load::assemble;
use crate::load::stripe::related::Related;
use crate::load::stripe::{StripePart, pages::Page, warehouse};
use crate::model::{Break, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::table::StripeTables;
use std::collections::BTreeMap;

/// What a stretch of a file gave.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// In the order of the text, each with `ord`s from 0.
    pub tables: Vec<(StripeTables, Related)>,
    /// Customers that stood inside subscriptions.
    pub expanded: Vec<(StripeTables, Related)>,
    /// Those whose source only the whole file can tell have none yet.
    pub rejections: Vec<Rejection>,
    /// Those of items and discounts again, with their subscription in the customer's place: it cannot be billed without.
    pub owned: Vec<Rejection>,
    pub breaks: Vec<Break>,
    pub pages: Vec<Page>,
    pub customers: u64,
    pub subscriptions: u64,
    /// Objects of the other kinds that are read, by source.
    pub others: BTreeMap<&'static str, u64>,
    pub ignored: BTreeMap<String, u64>,
    /// Discounts that stood on their own.
    pub discounts: Vec<LoneDiscountRow>,
}

impl Gathered {
    /// Customers and subscriptions so far.
    pub fn counts(&self) -> [u64; 2] {
        [self.customers, self.subscriptions]
    }

    /// Adds what a later stretch gave.
    pub fn absorb(&mut self, later: Self) {
        self.tables.extend(later.tables);
        self.expanded.extend(later.expanded);
        self.rejections.extend(later.rejections);
        self.owned.extend(later.owned);
        self.breaks.extend(later.breaks);
        self.pages.extend(later.pages);
        self.customers += later.customers;
        self.subscriptions += later.subscriptions;
        for (source, count) in later.others {
            *self.others.entry(source).or_default() += count;
        }
        for (kind, count) in later.ignored {
            *self.ignored.entry(kind).or_default() += count;
        }
        self.discounts.extend(later.discounts);
    }

    /// What the file gives, wrapped as the words say.
    ///
    /// # Errors
    /// It holds nothing of Stripe; or a table came out wrong, a bug of this program.
    pub fn part(mut self, wrapping: &str, context: &JsonContext<'_>) -> Result<StripePart, String> {
        // An object of no known kind is one of those that the file is full of.
        let (source, count) = if self.subscriptions >= self.customers {
            (STRIPE_SUBSCRIPTIONS, &mut self.subscriptions)
        } else {
            (STRIPE_CUSTOMERS, &mut self.customers)
        };
        for rejection in self.rejections.iter_mut().filter(|rejection| rejection.source.is_empty()) {
            source.clone_into(&mut rejection.source);
            *count += 1;
        }
        let nothing_read = self.customers + self.subscriptions == 0 && self.others.is_empty();
        let ignored = self.ignored.iter().map(|(kind, count)| format!("{count} × {kind}")).collect::<Vec<_>>();
        if !ignored.is_empty() && nothing_read && self.ignored.keys().all(|kind| kind == UNNAMED) {
            // An error reply: taken for an empty export it would set every MRR to 0.
            return Err(format!(
                "it holds no Stripe customers or subscriptions, only {}; export them again, and look whether the API \
                 answered with an error",
                ignored.join(", ")
            ));
        }
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", context.path);
        let (tables, mut related) =
            assemble::stripe(std::mem::take(&mut self.tables)).map_err(|error| wrong(&error))?;
        let (expanded, _) = assemble::stripe(std::mem::take(&mut self.expanded)).map_err(|error| wrong(&error))?;
        if !self.discounts.is_empty() {
            related.discounts = lone::discounts(&self.discounts, context.file).map_err(|error| wrong(&error))?;
        }
        if !self.owned.is_empty() {
            let owned = warehouse::unreadable("subscription", &mut self.owned);
            related.unreadable = owned.map_err(|error| wrong(&error))?;
        }
        let mut shape = format!("Stripe API (JSON, {wrapping})");
        if !ignored.is_empty() {
            shape = format!("{shape}; not used: {}", ignored.join(", "));
        }
        Ok(StripePart {
            tables,
            related,
            expanded: (!expanded.accounts.is_empty()).then_some(expanded),
            rejections: self.rejections,
            breaks: self.breaks,
            customer_rows: self.customers,
            subscription_rows: self.subscriptions,
            other_rows: self.others,
            other_objects: self.ignored.values().sum(),
            pages: self.pages,
            shape,
            dialect: None,
        })
    }
}
