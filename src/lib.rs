//! **tether-recon** reconciles Stripe and CRM exports with the customers of a Tether account.
#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod config;
pub mod load;
pub mod model;
pub mod monitor;
pub mod runs;
pub mod sandbox;
pub mod table;
