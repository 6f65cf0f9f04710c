//! A notice for programs; docs/FORMAT.md describes it.

use super::ended::{Figures, OutcomeFigures, without_addresses};
use super::{Ended, Notice};
use crate::model::{BreakKind, Instant, Outcome};
use crate::runs::GuardFinding;
use serde::Serialize;
use std::collections::BTreeMap;

/// The format that this version sends.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Body<'a> {
    format: u32,
    notice: Notice,
    name: &'a str,
    run_id: &'a str,
    tool_version: &'static str,
    command: &'a str,
    mode: Option<&'a str>,
    status: Option<&'a str>,
    exit_code: u8,
    exit_meaning: &'a str,
    error: Option<String>,
    started_at: Instant,
    ended_at: Instant,
    needs_a_person: Option<u64>,
    limited: Option<bool>,
    currency: Option<&'a str>,
    currency_digits: Option<u8>,
    products: Vec<Product<'a>>,
    guards_refused: Vec<Refusal<'a>>,
    breaks: BTreeMap<BreakKind, u64>,
    report: Option<String>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    guard: &'a str,
    scope: Option<&'a str>,
    figure: Option<&'a str>,
    limit: &'a str,
    unit: &'a str,
    detail: String,
}

impl<'a> From<&'a GuardFinding> for Refusal<'a> {
    fn from(found: &'a GuardFinding) -> Self {
        Self {
            guard: &found.guard,
            scope: found.scope.as_deref(),
            figure: found.figure.as_deref(),
            limit: &found.limit,
            unit: &found.unit,
            // It may name customers, by a key that may be their address.
            detail: without_addresses(&found.detail),
        }
    }
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    calls: u64,
    mrr_before: i128,
    mrr_after: i128,
    outcomes: BTreeMap<Outcome, Worth>,
}

#[derive(Serialize)]
struct Worth {
    customers: u64,
    mrr_before: i128,
    mrr_desired: i128,
    mrr_after: i128,
    needs_a_person: bool,
}

impl From<&OutcomeFigures> for Worth {
    fn from(of: &OutcomeFigures) -> Self {
        Self {
            customers: of.customers,
            mrr_before: of.before,
            mrr_desired: of.desired,
            mrr_after: of.after,
            needs_a_person: of.needs_a_person,
        }
    }
}

/// The whole notice.
pub(super) fn body(notice: Notice, ended: &Ended) -> Result<String, serde_json::Error> {
    let figures = ended.figures.as_ref();
    let products = figures.iter().flat_map(|figures| &figures.products).map(|product| Product {
        name: &product.name,
        calls: product.calls,
        mrr_before: product.mrr.0,
        mrr_after: product.mrr.1,
        outcomes: product.outcomes.iter().map(|(outcome, of)| (*outcome, of.into())).collect(),
    });
    serde_json::to_string(&Body {
        format: FORMAT,
        notice,
        name: &ended.name,
        run_id: &ended.run_id,
        tool_version: env!("CARGO_PKG_VERSION"),
        command: ended.command,
        mode: figures.map(|figures| figures.mode.as_str()),
        status: figures.map(|figures| figures.status.as_str()),
        exit_code: ended.exit_code,
        exit_meaning: ended.meaning,
        error: ended.error.as_deref().map(without_addresses),
        started_at: ended.started_at,
        ended_at: ended.ended_at,
        needs_a_person: figures.map(|figures| figures.needs_a_person),
        limited: figures.map(|figures| figures.limited),
        currency: figures.map(|figures| figures.currency.as_str()),
        currency_digits: figures.map(|figures| figures.currency_digits),
        products: products.collect(),
        guards_refused: figures.into_iter().flat_map(Figures::refused).map(Refusal::from).collect(),
        breaks: figures.map(|figures| figures.breaks.clone()).unwrap_or_default(),
        report: figures.map(|figures| figures.report.to_string_lossy().into_owned()),
    })
}
