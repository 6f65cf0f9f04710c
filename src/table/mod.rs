//! Canonical tables: polars frames whose columns and types were checked on the way in.
//!
//! In: frames that a loader or a rule built. Out: newtypes that later rooms can rely on. Never: files, rules of billing or linking, rows.
//!
//! Conventions, everywhere: `ord` is the order of reading (unique within a table, over all files of a source), `file`
//! indexes `Loaded::files`, `line` is the physical line on which the row begins (from 1; for Parquet the
//! row number). Text is trimmed, NFC and never empty; e-mails are lower-case; instants are `Datetime(ms)` without a zone,
//! UTC, whole seconds; an absent value is null.

mod duplicates;
mod join;
mod overrides;
mod schema;
mod selected;
mod waiting;

pub use duplicates::{Duplicates, duplicates, standing};
pub use join::{beside, in_order, look_up};
pub use overrides::Overrides;
pub(crate) use schema::table;
pub use selected::is_selected;
pub use waiting::Waiting;

pub use schema::{
    Accounting, Accounts, Contacts, Coupons, Discounts, Existing, INSTANT, Items, PlanRows, SchemaError, Subscriptions,
    TaxRates, Tiers,
};

/// Everything of Stripe that the billing rules read.
#[derive(Debug, Clone)]
pub struct StripeTables {
    /// Stripe customers.
    pub accounts: Accounts,
    /// Subscriptions.
    pub subscriptions: Subscriptions,
    /// What the subscriptions consist of.
    pub items: Items,
    /// Price tiers of the items.
    pub tiers: Tiers,
    /// Discounts on items, subscriptions and customers.
    pub discounts: Discounts,
    /// Coupons that the exports define.
    pub coupons: Coupons,
    /// Inclusive tax rates on items and subscriptions.
    pub tax_rates: TaxRates,
}

impl StripeTables {
    /// No rows at all, in the right columns.
    pub fn empty() -> Self {
        Self {
            accounts: Accounts::empty(),
            subscriptions: Subscriptions::empty(),
            items: Items::empty(),
            tiers: Tiers::empty(),
            discounts: Discounts::empty(),
            coupons: Coupons::empty(),
            tax_rates: TaxRates::empty(),
        }
    }
}
