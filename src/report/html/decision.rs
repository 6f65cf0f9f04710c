//! CREATION_DISABLED as a decision: who waits, worth how much, since when, and the request to whoever can end it.

use super::super::amount::{count, grouped};
use super::super::model::ReportModel;
use super::super::words;
use super::product::bar;
use crate::model::Instant;

/// One product that may not create its customers.
pub(super) struct Decision {
    pub product: String,
    pub customers: String,
    pub mrr: String,
    /// A year of that.
    pub yearly: String,
    pub since: Vec<Since>,
    /// Whether the run stopped early, so that more may wait than it met.
    pub partial: bool,
    /// The request, line by line.
    pub request: String,
}

/// Those who wait since one run.
pub(super) struct Since {
    pub run: String,
    pub this_run: bool,
    pub as_of: String,
    pub waited: String,
    pub refusals: u32,
    pub customers: String,
    pub mrr: String,
    pub width: u64,
}

/// Every product in which somebody waits, in the order of the configuration.
pub(super) fn decisions(model: &ReportModel) -> Vec<Decision> {
    let manifest = &model.manifest;
    let digits = manifest.currency_digits;
    let partial = model.verdict().incomplete();
    let decide = |product: &super::super::ProductReport| {
        let mut request = words::creation_request(model, &product.name, "\n")?;
        if partial {
            request.push_str("\nThis is so far, of a run that stopped early: more may be waiting.");
        }
        let customers: u64 = product.waiting.iter().map(|since| since.customers).sum();
        let mrr: i128 = product.waiting.iter().map(|since| since.mrr).sum();
        let most = product.waiting.iter().map(|since| since.customers).max().unwrap_or_default();
        Some(Decision {
            product: product.name.clone(),
            customers: count(customers),
            mrr: grouped(mrr, digits),
            yearly: grouped(mrr * 12, digits),
            since: product
                .waiting
                .iter()
                .map(|since| Since {
                    this_run: since.run_id == manifest.run_id,
                    run: since.run_id.clone(),
                    as_of: day(since.since),
                    waited: words::waited(since.since, manifest.as_of),
                    refusals: since.refusals,
                    customers: count(since.customers),
                    mrr: grouped(since.mrr, digits),
                    width: bar(since.customers, most),
                })
                .collect(),
            partial,
            request,
        })
    };
    model.products.iter().filter_map(decide).collect()
}

/// The day of an instant: `2026-11-01`.
pub(super) fn day(at: Instant) -> String {
    at.to_string().chars().take(10).collect()
}
