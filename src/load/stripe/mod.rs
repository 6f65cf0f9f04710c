//! Stripe's exports.

pub mod api_json;
pub mod part;
