//! **tether-recon** reconciles Stripe and CRM exports with the customers of a Tether account.
#![forbid(unsafe_code)]

pub mod config;
pub mod model;
pub mod monitor;
pub mod report;
pub mod runs;
pub mod table;
