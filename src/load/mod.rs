//! Loading: files to canonical tables.

pub mod stripe;
