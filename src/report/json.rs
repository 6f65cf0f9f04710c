//! `summary.json`: the figures for programs, as `docs/summary.schema.json` describes them. Money in minor units of the account's currency.

use super::ReportError;
use super::amount::{exact_decimal, rational};
use super::bridge::Movement;
use super::model::{ProductReport, ReportModel};
use super::tally::Tally;
use super::verdict::Ending;
use crate::model::{
    Break, BreakKind, Currency, Disposition, InputFile, Instant, Outcome, OverrideUse, Prediction, Selection,
};
use crate::runs::{Approval, Division, Exact, GuardFinding, Mode, Part, RunProduct, RunStatus, SourceTotals};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// The format of `summary.json` that this version writes: `docs/summary.schema.json` describes it.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Summary<'a> {
    format: u32,
    run_id: &'a str,
    tool_version: &'a str,
    as_of: Instant,
    started_at: Instant,
    mode: Mode,
    status: RunStatus,
    exit_code: u8,
    exit_meaning: &'static str,
    ties: bool,
    needs_a_person: u64,
    currency: Currency,
    currency_digits: u8,
    products: Vec<Product<'a>>,
    sources: Vec<Source<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    division: Vec<Divided<'a>>,
    guards: &'a [GuardFinding],
    overrides: &'a [OverrideUse],
    tie_outs: Vec<Tie<'a>>,
    definition: &'a [String],
    config_hash: &'a str,
    plan_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<&'a Selection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Approval>,
    baseline_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<bool>,
    inputs: &'a [InputFile],
    break_counts: BTreeMap<BreakKind, usize>,
    breaks: Vec<Difference<'a>>,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    creation: Option<bool>,
    existing_known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taken: Vec<Source<'a>>,
    calls: u64,
    outcomes: BTreeMap<Outcome, u64>,
    outcomes_mrr: BTreeMap<Outcome, Sums>,
    predicted: BTreeMap<Prediction, u64>,
    prediction_matrix: BTreeMap<Prediction, BTreeMap<Outcome, u64>>,
    mrr_bridge: BridgeSums,
    stripe_gap: GapSums<'a>,
}

#[derive(Serialize)]
struct Sums {
    before: i128,
    desired: i128,
    after: i128,
    desired_unknown: u64,
}

#[derive(Serialize)]
struct BridgeSums {
    opening: i128,
    new: i128,
    reactivation: i128,
    expansion: i128,
    contraction: i128,
    churn: i128,
    closing: i128,
    residual: i128,
    customers: BTreeMap<&'static str, u64>,
    opening_unknown_customers: u64,
    opening_unknown_mrr: i128,
}

#[derive(Serialize)]
struct GapSums<'a> {
    stripe_mrr: String,
    tether_closing: i128,
    gap: String,
    components: serde_json::Map<String, serde_json::Value>,
    residual: String,
    currency_without_rate: BTreeMap<&'a Currency, String>,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
    rows_read: u64,
    dispositions: &'a BTreeMap<Disposition, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mrr_minor_total: Option<String>,
    mrr_minor: BTreeMap<Disposition, String>,
    mrr_exact: &'a BTreeMap<Disposition, Exact>,
    mrr_without_rate: &'a BTreeMap<Currency, BTreeMap<Disposition, Exact>>,
}

/// How many rows of a source no filter, one, or several take.
#[derive(Serialize)]
struct Divided<'a> {
    name: &'a str,
    none: Rows,
    one: Rows,
    several: Rows,
    again: Rows,
}

#[derive(Serialize)]
struct Rows {
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mrr_minor: Option<String>,
}

#[derive(Serialize)]
struct Tie<'a> {
    scope: &'a str,
    name: &'a str,
    expected: &'a str,
    found: &'a str,
    difference: &'a str,
    ties: bool,
}

/// A [`Break`] whose scope says whether it is a source or a product.
#[derive(Serialize)]
struct Difference<'a> {
    kind: BreakKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    key: &'a str,
    file: Option<&'a str>,
    line: Option<u64>,
    field: Option<&'a str>,
    before: Option<&'a str>,
    after: Option<&'a str>,
    detail: &'a str,
}

/// Writes `summary.json`.
pub(super) fn write(model: &ReportModel, ending: Ending, out: &mut dyn Write) -> Result<(), ReportError> {
    let manifest = &model.manifest;
    let verdict = model.verdict();
    let mut break_counts = BTreeMap::new();
    for found in &model.breaks {
        *break_counts.entry(found.kind).or_default() += 1;
    }
    let summary = Summary {
        format: FORMAT,
        run_id: &manifest.run_id,
        tool_version: &manifest.tool_version,
        as_of: manifest.as_of,
        started_at: manifest.started_at,
        mode: manifest.mode,
        status: ending.status,
        exit_code: ending.exit_code,
        exit_meaning: ending.meaning(),
        ties: verdict.ties(),
        needs_a_person: verdict.needs_a_person,
        currency: manifest.currency,
        currency_digits: manifest.currency_digits,
        products: model
            .products
            .iter()
            .zip(&manifest.products)
            .map(|(report, planned)| product(report, planned))
            .collect::<Result<_, _>>()?,
        sources: sources(&manifest.sources)?,
        division: manifest.division.iter().map(divided).collect::<Result<_, _>>()?,
        guards: &manifest.guards,
        overrides: &manifest.overrides,
        tie_outs: model.tie_outs.iter().map(tie).collect(),
        definition: &manifest.mrr_definition,
        config_hash: &manifest.config_hash,
        plan_hash: &manifest.plan_hash,
        selection: manifest.selection.as_ref(),
        approval: manifest.approval.as_ref(),
        baseline_hash: &manifest.baseline_hash,
        redacted: manifest.redacted.then_some(true),
        inputs: &manifest.inputs,
        break_counts,
        breaks: model.breaks.iter().map(|found| difference(model, found)).collect(),
    };
    let render = |error: serde_json::Error| match error.io_error_kind() {
        Some(kind) => ReportError::Write { path: "summary.json".into(), source: std::io::Error::new(kind, error) },
        None => ReportError::Render { file: "summary.json", detail: error.to_string() },
    };
    serde_json::to_writer_pretty(&mut *out, &summary).map_err(render)?;
    writeln!(out).map_err(|source| ReportError::Write { path: "summary.json".into(), source })
}

fn sums(tally: &Tally) -> Sums {
    Sums { before: tally.before, desired: tally.desired, after: tally.after, desired_unknown: tally.unknown }
}

fn product<'a>(product: &'a ProductReport, planned: &'a RunProduct) -> Result<Product<'a>, ReportError> {
    let mut matrix: BTreeMap<Prediction, BTreeMap<Outcome, u64>> = BTreeMap::new();
    for ((predicted, outcome), customers) in &product.matrix {
        matrix.entry(*predicted).or_default().insert(*outcome, *customers);
    }
    let bridge = &product.bridge;
    let gap = &product.gap;
    Ok(Product {
        name: &product.name,
        creation: product.creation,
        existing_known: product.existing_known,
        filter: product.filter.as_deref(),
        taken: sources(&planned.taken)?,
        calls: product.calls,
        outcomes: product.outcomes.iter().map(|(word, tally)| (*word, tally.customers)).collect(),
        outcomes_mrr: product.outcomes.iter().map(|(word, tally)| (*word, sums(tally))).collect(),
        predicted: product.predicted.iter().map(|(word, tally)| (*word, tally.customers)).collect(),
        prediction_matrix: matrix,
        mrr_bridge: BridgeSums {
            opening: bridge.opening,
            new: bridge.new,
            reactivation: bridge.reactivation,
            expansion: bridge.expansion,
            contraction: bridge.contraction,
            churn: bridge.churn,
            closing: bridge.closing,
            residual: bridge.residual(),
            customers: Movement::ALL.iter().map(|m| (m.as_str(), bridge.customers[*m as usize])).collect(),
            opening_unknown_customers: bridge.opening_unknown,
            opening_unknown_mrr: bridge.opening_unknown_mrr,
        },
        stripe_gap: GapSums {
            stripe_mrr: exact_decimal(&gap.stripe),
            tether_closing: gap.tether,
            gap: exact_decimal(&gap.gap()),
            components: gap
                .components
                .iter()
                .map(|part| (part.name.to_owned(), exact_decimal(&part.amount).into()))
                .collect(),
            residual: exact_decimal(&gap.residual()),
            currency_without_rate: gap.without_rate.iter().map(|(code, mrr)| (code, exact_decimal(mrr))).collect(),
        },
    })
}

fn divided(division: &Division) -> Result<Divided<'_>, ReportError> {
    let rows = |part: &Part| -> Result<Rows, ReportError> {
        let mrr = part.mrr.as_ref().map(|exact| Ok::<_, ReportError>(exact_decimal(&rational(exact)?))).transpose()?;
        Ok(Rows { rows: part.rows, mrr_minor: mrr })
    };
    Ok(Divided {
        name: &division.name,
        none: rows(&division.none)?,
        one: rows(&division.one)?,
        several: rows(&division.several)?,
        again: rows(&division.again)?,
    })
}

fn sources(totals: &[SourceTotals]) -> Result<Vec<Source<'_>>, ReportError> {
    let text = |exact: &Exact| Ok::<_, ReportError>(exact_decimal(&rational(exact)?));
    totals
        .iter()
        .map(|source| {
            Ok(Source {
                name: &source.name,
                rows_read: source.rows_read,
                dispositions: &source.dispositions,
                mrr_minor_total: source.mrr_total.as_ref().map(text).transpose()?,
                mrr_minor: source
                    .mrr
                    .iter()
                    .map(|(word, exact)| Ok((*word, text(exact)?)))
                    .collect::<Result<_, ReportError>>()?,
                mrr_exact: &source.mrr,
                mrr_without_rate: &source.mrr_without_rate,
            })
        })
        .collect()
}

fn tie(tie: &super::TieOut) -> Tie<'_> {
    Tie {
        scope: &tie.scope,
        name: &tie.name,
        expected: &tie.expected,
        found: &tie.found,
        difference: &tie.difference,
        ties: tie.ties(),
    }
}

fn difference<'a>(model: &ReportModel, found: &'a Break) -> Difference<'a> {
    let of_source = model.is_source(&found.scope);
    Difference {
        kind: found.kind,
        source: of_source.then_some(found.scope.as_str()),
        product: (!of_source).then_some(found.scope.as_str()),
        key: &found.key,
        file: found.file.as_deref(),
        line: found.line,
        field: found.field.as_deref(),
        before: found.before.as_deref(),
        after: found.after.as_deref(),
        detail: &found.detail,
    }
}

#[cfg(test)]
mod tests {
    use super::{BreakKind, Disposition, Movement, Outcome, Prediction};
    use serde_json::Value;

    #[test]
    fn the_schema_knows_every_word_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/summary.schema.json");
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let words = |pointer: &str| -> Vec<String> {
            let found = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).as_array().unwrap();
            found.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let product = "/properties/products/items/properties";
        let outcomes: Vec<_> = Outcome::ALL.iter().map(|word| word.as_str()).collect();
        let predictions: Vec<_> = Prediction::ALL.iter().map(|word| word.as_str()).collect();
        let dispositions: Vec<_> = Disposition::ALL.iter().map(|word| word.as_str()).collect();
        let breaks: Vec<_> = BreakKind::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(words("/$defs/outcome/enum"), outcomes);
        assert_eq!(words("/$defs/prediction/enum"), predictions);
        assert_eq!(words("/$defs/disposition/enum"), dispositions);
        assert_eq!(words("/$defs/break/enum"), breaks);
        for map in ["outcomes", "outcomes_mrr"] {
            assert_eq!(words(&format!("{product}/{map}/required")), outcomes);
        }
        assert_eq!(words(&format!("{product}/predicted/required")), predictions);
        let movements: Vec<_> = Movement::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(words(&format!("{product}/mrr_bridge/properties/customers/required")), movements);
    }
}
