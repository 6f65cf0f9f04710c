//! The whole page as text: the templates only place it.

use super::super::ReportError;
use super::super::amount::count;
use super::super::model::ReportModel;
use super::super::verdict::Ending;
use super::super::words;
use super::breaks::{self, BreakPart};
use super::configuration;
use super::customers::{self, Piece, RowPart, TablePart};
use super::decision::{self, Decision};
use super::division::{self, DivisionPart};
use super::prediction::{self, PredictionPart};
use super::product::{ProductPart, product_part};
use super::sources::{self, SourcePart};
use super::unmatched::{self, UnmatchedPart};
use super::verdict::{self, Glance, Need, Worth};
use super::{SCRIPT, STYLE, policy_hash};
use crate::model::OverrideState;
use askama::Template;

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
    ties: usize,
    needs: Vec<Need>,
    /// All customers that need a person: how many, and what they are worth.
    needing: (String, Worth),
    glances: Vec<Glance>,
    decisions: Vec<Decision>,
    division: Option<DivisionPart<'a>>,
    products: Vec<ProductPart<'a>>,
    tables: Vec<TablePart<'a>>,
    unmatched: Vec<UnmatchedPart>,
    health: Vec<RowPart<'a>>,
    predictions: Vec<PredictionPart>,
    sources: Vec<SourcePart<'a>>,
    breaks: Vec<BreakPart<'a>>,
    settings: Vec<(String, String)>,
}

impl<'a> Page<'a> {
    pub(super) fn of(model: &'a ReportModel, ending: Ending) -> Result<Self, ReportError> {
        let (tone, headline, sentence) = words::verdict(model, ending);
        Ok(Self {
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
            ties: model.tie_outs.iter().filter(|tie| tie.ties()).count(),
            needs: verdict::needs(model),
            needing: verdict::needing(model),
            glances: verdict::glances(model),
            decisions: decision::decisions(model),
            division: division::division(model),
            products: (1..)
                .zip(&model.products)
                .map(|(number, product)| product_part(model, number, product))
                .collect(),
            tables: customers::tables(model),
            unmatched: unmatched::parts(model)?,
            health: customers::health(model),
            predictions: prediction::predictions(model),
            sources: sources::sources(model),
            breaks: breaks::breaks(model),
            settings: configuration::settings(model),
        })
    }

    fn refusals(&self) -> usize {
        self.model.manifest.guards.iter().filter(|guard| guard.refused).count()
    }

    /// What the guards came to, in a few words.
    fn guards_in_short(&self) -> String {
        let guards = &self.model.manifest.guards;
        let overridden = match guards.iter().filter(|guard| guard.overridden).count() {
            0 => String::new(),
            count => format!(", {count} overridden"),
        };
        format!("{} looked, {} refused{overridden}", guards.len(), self.refusals())
    }

    /// Whether a guard has something that a reviewer must see.
    fn guards_ask(&self) -> bool {
        self.model.manifest.guards.iter().any(|guard| guard.refused || guard.overridden)
    }

    fn overrides_used(&self) -> usize {
        self.model.manifest.overrides.iter().filter(|found| found.state == OverrideState::Used).count()
    }

    fn several(&self) -> bool {
        self.products.len() > 1
    }
}
