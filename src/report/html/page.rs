//! What stands on the page, as text: the template only places it.

use super::super::amount::{count, decimal, exact_decimal, grouped, grouped_exact, rational, signed};
use super::super::model::{ProductReport, ReportModel};
use super::super::rows::{Change, CustomerRow, OutcomeTable};
use super::super::verdict::Ending;
use super::super::words;
use super::chart::{self, Step};
use super::{SCRIPT, STYLE, policy_hash};
use crate::model::{Break, Outcome, OverrideState, Prediction};
use askama::Template;

/// Breaks of one kind that are shown.
const BREAKS_SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "report.html", config = "src/report/askama.toml")]
pub(super) struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    model: &'a ReportModel,
    ending: Ending,
    currency: String,
    tone: &'static str,
    headline: &'static str,
    sentence: String,
    calls: String,
    needs: Vec<Need>,
    ties: usize,
    products: Vec<ProductPart<'a>>,
    tables: Vec<TablePart<'a>>,
    health: Vec<RowPart<'a>>,
    sources: Vec<SourcePart<'a>>,
    breaks: Vec<BreakPart<'a>>,
}

struct Need {
    product: String,
    outcome: Outcome,
    customers: String,
    mrr: String,
    todo: &'static str,
}

struct ProductPart<'a> {
    report: &'a ProductReport,
    outcomes: Vec<OutcomePart>,
    bridge: Vec<Step>,
    bridge_residual: String,
    opening_unknown: Option<(String, String)>,
    gap: Vec<Step>,
    gap_total: String,
    gap_residual: String,
    without_rate: Vec<(String, String)>,
    request: Option<String>,
    matrix_outcomes: Vec<Outcome>,
    matrix: Vec<(Prediction, Vec<String>)>,
}

struct OutcomePart {
    outcome: Outcome,
    customers: String,
    before: String,
    desired: String,
    after: String,
    width: i128,
    person: bool,
}

struct TablePart<'a> {
    outcome: Outcome,
    heading: &'static str,
    meaning: &'static str,
    customers: String,
    shown: usize,
    all_shown: bool,
    mrr: String,
    moved: bool,
    reasons: Vec<(String, String)>,
    rows: Vec<RowPart<'a>>,
}

struct RowPart<'a> {
    row: &'a CustomerRow,
    title: &'a str,
    before: Amount,
    desired: Amount,
    after: Amount,
    /// Changes without those of MRR, which stand in their own columns.
    changes: Vec<&'a Change>,
}

/// An amount for the eye, and as a number to sort by.
struct Amount {
    shown: String,
    sort: String,
}

impl Amount {
    fn of(minor: Option<i64>, digits: u8) -> Self {
        Self {
            shown: minor.map_or_else(|| "–".to_owned(), |minor| grouped(minor.into(), digits)),
            sort: minor.map(|minor| decimal(minor.into(), digits)).unwrap_or_default(),
        }
    }
}

struct SourcePart<'a> {
    name: &'a str,
    rows: String,
    mrr: String,
    dispositions: Vec<(String, String, String)>,
}

struct BreakPart<'a> {
    kind: &'static str,
    total: String,
    all_shown: bool,
    shown: Vec<&'a Break>,
}

impl<'a> Page<'a> {
    pub(super) fn of(model: &'a ReportModel, ending: Ending) -> Self {
        let digits = model.manifest.currency_digits;
        let (tone, headline, sentence) = words::verdict(model, ending);
        Self {
            policy: format!(
                "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
                policy_hash(STYLE),
                policy_hash(SCRIPT)
            ),
            style: STYLE,
            script: SCRIPT,
            model,
            ending,
            currency: model.manifest.currency.as_str().to_uppercase(),
            tone: tone.as_str(),
            headline,
            sentence,
            calls: count(model.products.iter().map(|product| product.calls).sum()),
            needs: model
                .needing_a_person()
                .map(|(product, outcome, tally)| Need {
                    product: product.name.clone(),
                    outcome,
                    customers: count(tally.customers),
                    mrr: grouped(tally.desired, digits),
                    todo: words::meaning(outcome),
                })
                .collect(),
            ties: model.tie_outs.iter().filter(|tie| tie.ties()).count(),
            products: model.products.iter().map(|product| product_part(model, product)).collect(),
            tables: model.tables.iter().map(|table| table_part(model, table)).collect(),
            health: model.health.iter().map(|row| row_part(row, digits)).collect(),
            sources: sources(model),
            breaks: model
                .breaks_by_kind()
                .into_iter()
                .map(|(kind, all)| BreakPart {
                    kind: kind.as_str(),
                    total: count(all.len() as u64),
                    all_shown: all.len() <= BREAKS_SHOWN,
                    shown: all.into_iter().take(BREAKS_SHOWN).collect(),
                })
                .collect(),
        }
    }

    fn refusals(&self) -> usize {
        self.model.manifest.guards.iter().filter(|guard| guard.refused).count()
    }

    fn overrides_used(&self) -> usize {
        self.model.manifest.overrides.iter().filter(|found| found.state == OverrideState::Used).count()
    }

    fn several(&self) -> bool {
        self.products.len() > 1
    }
}

fn product_part<'a>(model: &'a ReportModel, report: &'a ProductReport) -> ProductPart<'a> {
    let digits = model.manifest.currency_digits;
    let most = report.outcomes.values().map(|tally| tally.customers).max().unwrap_or_default();
    let met = |outcome: &Outcome| report.matrix.keys().any(|(_, met)| met == outcome);
    let matrix_outcomes: Vec<Outcome> = Outcome::ALL.iter().copied().filter(met).collect();
    let bridge = &report.bridge;
    ProductPart {
        report,
        outcomes: report
            .outcomes
            .iter()
            .filter(|(_, tally)| tally.customers > 0)
            .map(|(outcome, tally)| OutcomePart {
                outcome: *outcome,
                customers: count(tally.customers),
                before: grouped(tally.before, digits),
                desired: if *outcome == Outcome::Orphan { "–".to_owned() } else { grouped(tally.desired, digits) },
                after: grouped(tally.after, digits),
                width: chart::bar(tally.customers, most),
                person: model.needs_a_person(*outcome),
            })
            .collect(),
        bridge: chart::bridge(bridge, digits),
        bridge_residual: grouped(bridge.residual(), digits),
        opening_unknown: (bridge.opening_unknown > 0)
            .then(|| (count(bridge.opening_unknown), grouped(bridge.opening_unknown_mrr, digits))),
        gap: chart::gap(&report.gap, digits),
        gap_total: grouped_exact(&report.gap.gap(), digits),
        gap_residual: grouped_exact(&report.gap.residual(), digits),
        without_rate: report
            .gap
            .without_rate
            .iter()
            .map(|(currency, mrr)| (currency.as_str().to_uppercase(), exact_decimal(mrr)))
            .collect(),
        request: words::creation_request(model, &report.name),
        matrix: Prediction::ALL
            .iter()
            .filter(|predicted| report.matrix.keys().any(|(met, _)| met == *predicted))
            .map(|predicted| {
                let cell = |outcome| report.matrix.get(&(*predicted, outcome)).copied().map(count).unwrap_or_default();
                (*predicted, matrix_outcomes.iter().map(|outcome| cell(*outcome)).collect())
            })
            .collect(),
        matrix_outcomes,
    }
}

fn table_part<'a>(model: &'a ReportModel, table: &'a OutcomeTable) -> TablePart<'a> {
    let digits = model.manifest.currency_digits;
    let moved = matches!(table.outcome, Outcome::Created | Outcome::Updated | Outcome::Applied);
    let mut reasons: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for product in &model.products {
        for ((outcome, reason), tally) in &product.reasons {
            if let Some(reason) = reason.filter(|_| *outcome == table.outcome) {
                *reasons.entry(reason.to_string()).or_default() += tally.customers;
            }
        }
    }
    TablePart {
        outcome: table.outcome,
        heading: words::heading(table.outcome),
        meaning: words::meaning(table.outcome),
        customers: count(table.customers),
        shown: table.rows.len(),
        all_shown: table.rows.len() as u64 == table.customers,
        mrr: if moved { signed(table.mrr, digits) } else { grouped(table.mrr, digits) },
        moved,
        reasons: reasons.into_iter().map(|(reason, customers)| (reason, count(customers))).collect(),
        rows: table.rows.iter().map(|row| row_part(row, digits)).collect(),
    }
}

fn row_part(row: &CustomerRow, digits: u8) -> RowPart<'_> {
    let title = [&row.company_name, &row.name, &row.email, &row.external_id].into_iter().flatten().next();
    RowPart {
        row,
        title: title.map_or(row.key.as_str(), String::as_str),
        before: Amount::of(row.mrr_before, digits),
        desired: Amount::of(row.mrr_desired, digits),
        after: Amount::of(row.mrr_after, digits),
        changes: row.changes.iter().filter(|change| change.field != "mrr").collect(),
    }
}

fn sources(model: &ReportModel) -> Vec<SourcePart<'_>> {
    let digits = model.manifest.currency_digits;
    let money = |exact: &crate::runs::Exact| rational(exact).map(|mrr| grouped_exact(&mrr, digits)).unwrap_or_default();
    model
        .manifest
        .sources
        .iter()
        .map(|source| SourcePart {
            name: &source.name,
            rows: count(source.rows_read),
            mrr: source.mrr_total.as_ref().map(money).unwrap_or_default(),
            dispositions: source
                .dispositions
                .iter()
                .map(|(word, rows)| {
                    (word.to_string(), count(*rows), source.mrr.get(word).map(money).unwrap_or_default())
                })
                .collect(),
        })
        .collect()
}
