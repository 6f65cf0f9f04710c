//! **tether-recon** reconciles Stripe and CRM exports with the customers of a Tether account.
#![forbid(unsafe_code)]

pub mod billing;
pub mod config;
pub mod load;
pub mod model;
pub mod monitor;
pub mod runs;
pub mod table;
