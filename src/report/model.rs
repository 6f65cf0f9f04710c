//! The one typed model that every format renders.

use super::bridge::Bridge;
use super::division::{self, Divided};
use super::gap::Gap;
use super::outcomes::RunData;
use super::redacted::Redacted;
use super::rows::{CustomerRow, OutcomeTable};
use super::tally::{Cell, Tally};
use super::tieout::TieOut;
use super::verdict::Verdict;
use super::waiting::{self, WaitingSince};
use super::{ReportError, breaks, customers, rows, tally, tieout};
use crate::model::{Break, BreakKind, Disposition, Outcome, Prediction, Reason, STRIPE_SUBSCRIPTIONS};
use crate::runs::Manifest;
use crate::table::Accounting;
use polars::prelude::DataFrame;
use std::collections::{BTreeMap, BTreeSet};

/// A run's report before it takes a form.
#[derive(Debug)]
pub struct ReportModel {
    /// What the run was given. Its status and exit code are not shown: they come with the [`super::Ending`].
    pub manifest: Manifest,
    /// Whether nothing was sent because the run only planned.
    pub planned_only: bool,
    /// The products, in the order of the configuration.
    pub products: Vec<ProductReport>,
    /// Every break: those found before sending, then those found after.
    pub breaks: Vec<Break>,
    /// Every control total.
    pub tie_outs: Vec<TieOut>,
    /// The customers shown by name, per outcome.
    pub tables: Vec<OutcomeTable>,
    /// Customers that pay and have a health score, lowest first.
    pub health: Vec<CustomerRow>,
    /// What the products' filters took; `None`: no product has one.
    pub(super) divided: Option<Divided>,
    persons: u64,
    pub(super) cells: Vec<Cell>,
    pub(super) customers: DataFrame,
    pub(super) accounting: Accounting,
}

/// One product's figures.
#[derive(Debug, Clone)]
pub struct ProductReport {
    /// Its name.
    pub name: String,
    /// Which source rows are its, in one spelling; `None`: all.
    pub filter: Option<String>,
    /// The creation gate as expected.
    pub creation: Option<bool>,
    /// Whether anything is known of what Tether held.
    pub existing_known: bool,
    /// Requests sent.
    pub calls: u64,
    /// Customers by outcome; every outcome has an entry.
    pub outcomes: BTreeMap<Outcome, Tally>,
    /// Customers by prediction; every prediction has an entry.
    pub predicted: BTreeMap<Prediction, Tally>,
    /// How many customers were foretold the one and ended as the other; those of 0 are left out.
    pub matrix: BTreeMap<(Prediction, Outcome), u64>,
    /// Customers by outcome and reason.
    pub reasons: BTreeMap<(Outcome, Option<Reason>), Tally>,
    /// Customers that the creation gate keeps out, by the run that first met them; in a plan those that it would keep out.
    pub waiting: Vec<WaitingSince>,
    /// From opening to closing.
    pub bridge: Bridge,
    /// From Tether to Stripe.
    pub gap: Gap,
}

impl ReportModel {
    /// Computes everything from a run's data.
    pub fn build(data: RunData<'_>) -> Result<Self, ReportError> {
        let redacted = Redacted::of(&data)?;
        let RunData { manifest, plan, accounting, breaks: found, outcomes, waiting: before, salt: _ } = data;
        let planned_only = matches!(outcomes, super::Outcomes::NotSent(Reason::PlanOnly));
        let digits = manifest.currency_digits;
        let (customers, aligned) = customers::assemble(plan, outcomes, manifest.selection.as_ref(), &redacted)?;
        let (customers, waiting) = waiting::join(customers, manifest, before)?;
        let cells = tally::cells(&customers)?;
        let mut products = products(manifest, &cells, waiting)?;
        let tie_outs = tieout::tie_outs(manifest, &products, &cells, accounting, &aligned)?;
        let mut breaks = found.to_vec();
        breaks.extend(breaks::after_sending(manifest, &customers, &aligned)?);
        let persons = customers::persons(&customers, |outcome| manifest.needs_a_person(outcome))?;
        // Everything is counted and joined; what is shown comes from here on.
        let customers = redacted.customers(customers)?;
        let breaks = redacted.breaks(breaks, manifest);
        let shown = redacted.manifest(manifest);
        for (product, shown) in products.iter_mut().zip(&shown.products) {
            product.filter.clone_from(&shown.filter);
        }
        Ok(Self {
            persons,
            divided: division::divided(manifest, &shown.products)?,
            manifest: shown,
            planned_only,
            tables: rows::outcome_tables(&customers, &cells, digits)?,
            health: rows::health(&customers, digits)?,
            products,
            breaks,
            tie_outs,
            cells,
            customers,
            accounting: redacted.accounting(accounting)?,
        })
    }

    /// What the run came to, for the caller to decide the exit code by.
    pub fn verdict(&self) -> Verdict {
        let stops: BTreeSet<Reason> = self
            .products
            .iter()
            .flat_map(|product| product.reasons.keys())
            // A row that was under way when its product stopped may be `unknown`: it is asked about again all the same.
            .filter_map(|(outcome, reason)| {
                reason.filter(|_| matches!(outcome, Outcome::NotAttempted | Outcome::Unknown))
            })
            // Left out by choice: the run came to its end.
            .filter(|reason| *reason != Reason::Limit)
            // A plan's rows are not attempted because it is one; what its guards say holds all the same.
            .chain(self.manifest.guards.iter().any(|guard| guard.refused).then_some(Reason::Guard))
            .collect();
        let breaks = |kind| self.breaks.iter().filter(|found| found.kind == kind).count() as u64;
        Verdict {
            difference: self.tie_outs.iter().find(|tie| !tie.ties()).map(TieOut::sentence),
            needs_a_person: self.needing_a_person().map(|(_, _, tally)| tally.customers).sum(),
            persons: self.persons,
            not_applied: breaks(BreakKind::NotApplied),
            truncated_exports: breaks(BreakKind::TruncatedExport),
            empty_exports: breaks(BreakKind::EmptyExport),
            filters_taking_nothing: breaks(BreakKind::FilterTakesNothing),
            unknown_overrides: breaks(BreakKind::OverrideUnknown),
            rejected_rows: self
                .manifest
                .sources
                .iter()
                .filter_map(|source| source.dispositions.get(&Disposition::Rejected))
                .sum(),
            stops,
        }
    }

    /// What needs a person: product, outcome, customers and MRR. Outcomes of nobody are left out.
    pub fn needing_a_person(&self) -> impl Iterator<Item = (&ProductReport, Outcome, Tally)> {
        self.products.iter().flat_map(|product| {
            product
                .outcomes
                .iter()
                .filter(|(outcome, tally)| tally.customers > 0 && self.needs_a_person(**outcome))
                .map(move |(outcome, tally)| (product, *outcome, *tally))
        })
    }

    /// Whether a customer that ended so needs a person.
    pub fn needs_a_person(&self, outcome: Outcome) -> bool {
        self.manifest.needs_a_person(outcome)
    }

    /// One product's customers that were foretold the one and ended as the other.
    pub fn crossed(&self, product: &str, predicted: Prediction, outcome: Outcome) -> Tally {
        let mut sum = Tally::default();
        let wanted = |cell: &&Cell| cell.product == product && cell.predicted == predicted && cell.outcome == outcome;
        self.cells.iter().filter(wanted).for_each(|cell| sum += cell.tally);
        sum
    }

    /// Breaks by kind, in the order of the vocabulary.
    pub fn breaks_by_kind(&self) -> BTreeMap<BreakKind, Vec<&Break>> {
        let mut kinds: BTreeMap<BreakKind, Vec<&Break>> = BTreeMap::new();
        for found in &self.breaks {
            kinds.entry(found.kind).or_default().push(found);
        }
        kinds
    }

    /// Whether a break's scope names a source (else it names a product).
    pub fn is_source(&self, scope: &str) -> bool {
        self.manifest.sources.iter().any(|source| source.name == scope)
    }
}

fn products(
    manifest: &Manifest,
    cells: &[Cell],
    mut waiting: BTreeMap<String, Vec<WaitingSince>>,
) -> Result<Vec<ProductReport>, ReportError> {
    let subscriptions = manifest.sources.iter().find(|source| source.name == STRIPE_SUBSCRIPTIONS);
    manifest
        .products
        .iter()
        .map(|product| {
            let own = || cells.iter().filter(|cell| cell.product == product.name);
            let mut report = ProductReport {
                name: product.name.clone(),
                filter: product.filter.clone(),
                creation: product.creation,
                existing_known: product.existing_known,
                calls: own().map(|cell| cell.calls).sum(),
                outcomes: Outcome::ALL.iter().map(|outcome| (*outcome, Tally::default())).collect(),
                predicted: Prediction::ALL.iter().map(|predicted| (*predicted, Tally::default())).collect(),
                matrix: BTreeMap::new(),
                reasons: BTreeMap::new(),
                waiting: waiting.remove(&product.name).unwrap_or_default(),
                bridge: Bridge::of(own()),
                gap: Gap::of(product, subscriptions, own())?,
            };
            for cell in own() {
                *report.outcomes.entry(cell.outcome).or_default() += cell.tally;
                *report.predicted.entry(cell.predicted).or_default() += cell.tally;
                *report.matrix.entry((cell.predicted, cell.outcome)).or_default() += cell.tally.customers;
                *report.reasons.entry((cell.outcome, cell.reason)).or_default() += cell.tally;
            }
            Ok(report)
        })
        .collect()
}
