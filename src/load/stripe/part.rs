//! What one Stripe file gave.

use crate::{
    model::{Break, Rejection},
    table::StripeTables,
};

/// What one Stripe file gave, with file-local `ord`s from 0 (per table) and `file` as told.
#[derive(Debug, Clone)]
pub struct StripePart {
    /// The rows that could be read.
    pub tables: StripeTables,
    /// The rows that could not.
    pub rejections: Vec<Rejection>,
    /// What a reviewer must see.
    pub breaks: Vec<Break>,
    /// Customers in the file, rejected ones included.
    pub customer_rows: u64,
    /// Subscriptions in the file, rejected ones included.
    pub subscription_rows: u64,
    /// What the file was recognised as, in words.
    pub shape: String,
}
