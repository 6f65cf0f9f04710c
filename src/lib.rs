//! **tether-recon** reconciles Stripe and CRM exports with the customers of a Tether account.
//!
//! Data walks one way: exports are loaded into canonical tables, subscriptions billed, contacts and billing accounts linked
//! into desired customers, those compared with what Tether holds; the plan that results is guarded, sent and reported.
//! `docs/ARCHITECTURE.md` has the rooms in the order that data walks through them.
#![forbid(unsafe_code)]

pub mod app;
pub mod baseline;
pub mod billing;
pub mod cli;
pub mod commands;
pub mod config;
pub mod diff;
pub mod filter;
pub mod journal;
pub mod link;
pub mod load;
pub mod model;
pub mod monitor;
pub mod notify;
pub mod plan;
pub mod redact;
pub mod report;
pub mod runs;
pub mod sandbox;
pub mod send;
pub mod table;
