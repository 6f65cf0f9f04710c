//! What one Stripe file gave.

use crate::model::{Break, Rejection};
use crate::table::StripeTables;

/// What one Stripe file gave, with file-local `ord`s from 0 (per table) and `file` as told.
#[derive(Debug)]
pub struct StripePart {
    /// The rows that could be read.
    pub tables: StripeTables,
    /// The rows that could not.
    pub rejections: Vec<Rejection>,
    /// What a reviewer must see.
    pub breaks: Vec<Break>,
    /// Customer rows, rejected ones included.
    pub customer_rows: u64,
    /// Subscription rows, rejected ones included.
    pub subscription_rows: u64,
    /// Objects of Stripe that are neither, and are not used.
    pub other_objects: u64,
    /// What the content was recognised as, in words.
    pub shape: String,
}
