//! Breaks that only show after sending: fields that Tether did not take, and predictions that did not come true.

use super::outcomes::AlignedOutcomes;
use super::revealed::REVEALED;
use crate::model::{Break, BreakKind, Outcome, Prediction};
use crate::runs::Manifest;
use polars::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Why a prediction may miss: predicted, outcome, whether the gate was configured as open, and the explanation.
const MISSES: &[(Prediction, Outcome, Option<bool>, &str)] = &[
    (
        Prediction::Create,
        Outcome::Updated,
        None,
        "Tether already held this customer: its export is older than the customer, or Tether's own Stripe sync (the second writer) made it since",
    ),
    (
        Prediction::Update,
        Outcome::Created,
        None,
        "Tether no longer held this customer: it was deleted, or its external id or e-mail was changed, after the export",
    ),
    (
        Prediction::Update,
        Outcome::CreationDisabled,
        None,
        "Tether no longer held this customer and may not create it: it was deleted, or its external id or e-mail was changed, after the export",
    ),
    (
        Prediction::Create,
        Outcome::CreationDisabled,
        Some(true),
        "the configuration says that creation is on, Tether says that it is off: compare Settings → Products → API with the configuration",
    ),
    (
        Prediction::CreationDisabled,
        Outcome::Created,
        None,
        "the configuration says that creation is off, Tether created the customer: compare Settings → Products → API with the configuration",
    ),
    (
        Prediction::CreationDisabled,
        Outcome::Updated,
        None,
        "Tether already held this customer: its export is older than the customer, or Tether's own Stripe sync (the second writer) made it since",
    ),
    (
        Prediction::CreationDisabled,
        Outcome::Applied,
        None,
        "Tether holds this customer now; an ambiguous try hides whether it was created or already there",
    ),
];

/// Why `outcome` is not what `predicted` foretold, if it is not.
pub(super) fn miss(predicted: Prediction, outcome: Outcome, creation: Option<bool>) -> Option<&'static str> {
    MISSES
        .iter()
        .find(|(p, o, gate, _)| *p == predicted && *o == outcome && gate.is_none_or(|gate| creation == Some(gate)))
        .map(|(.., why)| *why)
}

/// What is said of a field that Tether did not take.
pub(super) fn not_applied(field: &str, sent: &str, shown: Option<&str>) -> String {
    let shown = shown.map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`"));
    format!("{field}: sent `{sent}`, Tether shows {shown}")
}

/// The breaks of one run's customers: `not_applied` first, by row; then `prediction_missed`, by row.
pub(super) fn after_sending(
    manifest: &Manifest,
    customers: &DataFrame,
    outcomes: &AlignedOutcomes,
) -> PolarsResult<Vec<Break>> {
    let word = |name: &str| customers.column(name).and_then(|column| column.str().cloned());
    let (product, key) = (word("product")?, word("key")?);
    let about = |kind, at: usize, detail: String| {
        Break::new(kind, product.get(at).unwrap_or_default(), key.get(at).unwrap_or_default(), detail)
    };
    let mut breaks = Vec::new();

    if !outcomes.not_applied.is_empty() {
        let positions: HashMap<u32, usize> =
            customers.column("row")?.u32()?.iter().enumerate().filter_map(|(at, row)| Some((row?, at))).collect();
        for (row, miss) in &outcomes.not_applied {
            let Some(at) = positions.get(row) else { continue };
            let detail = not_applied(miss.field.as_str(), &miss.sent, miss.shown.as_deref());
            let mut found = about(BreakKind::NotApplied, *at, detail);
            found.field = Some(miss.field.to_string());
            found.before = Some(miss.sent.clone());
            found.after.clone_from(&miss.shown);
            breaks.push(found);
        }
    }

    let gates: BTreeMap<&str, Option<bool>> =
        manifest.products.iter().map(|product| (product.name.as_str(), product.creation)).collect();
    let (predicted, outcome, revealed) = (word("predicted")?, word("outcome")?, word(REVEALED)?);
    // Row by row over two short words: each miss becomes a sentence about one customer.
    for (at, (predicted, outcome)) in predicted.iter().zip(outcome.iter()).enumerate() {
        let (Some(predicted), Some(outcome)) = (predicted, outcome) else { continue };
        if predicted == outcome {
            continue;
        }
        let (Ok(foretold), Ok(happened)) = (predicted.parse(), outcome.parse()) else { continue };
        let gate = product.get(at).and_then(|name| gates.get(name).copied().flatten());
        let met = revealed.get(at).map(|orphan| {
            format!(
                "Tether matched this row with `{orphan}`, which the plan lists as an orphan: its external id or e-mail was changed after the export"
            )
        });
        if let Some(why) = met.or_else(|| miss(foretold, happened, gate).map(str::to_owned)) {
            let mut found = about(BreakKind::PredictionMissed, at, why);
            found.before = Some(predicted.to_owned());
            found.after = Some(outcome.to_owned());
            breaks.push(found);
        }
    }
    Ok(breaks)
}
