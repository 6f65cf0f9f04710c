//! Runs made by hand: rows of a plan, a manifest whose totals fit them, and replies.

use super::super::{Outcomes, ReportModel, RunData};
use crate::model::{
    Currency, Dialect, Disposition, InputFile, Instant, MatchRule, Outcome, Prediction, Reason, RowOutcome,
    TetherCustomer,
};
use crate::runs::{Exact, MANIFEST_FORMAT, Manifest, Mode, ProductTotals, Proof, RunProduct, RunStatus, SourceTotals};
use crate::table::{Accounting, PlanRows, Waiting};
use polars::prelude::*;
use std::collections::BTreeMap;

/// One row of a plan.
#[derive(Debug, Clone)]
pub struct Row {
    pub product: String,
    pub predicted: Prediction,
    pub key: String,
    pub text: String,
    pub desired: Option<i64>,
    pub before: Option<i64>,
    pub reason: Option<Reason>,
    pub changed: Option<String>,
}

impl Row {
    pub fn new(predicted: Prediction, key: &str) -> Self {
        Self {
            product: "core".to_owned(),
            predicted,
            key: key.to_owned(),
            text: format!("Name of {key}"),
            desired: Some(0),
            before: None,
            reason: None,
            changed: None,
        }
    }

    pub fn desired(mut self, minor: i64) -> Self {
        self.desired = Some(minor);
        self
    }

    pub fn of(mut self, product: &str) -> Self {
        product.clone_into(&mut self.product);
        self
    }

    pub fn unpriced(mut self) -> Self {
        self.desired = None;
        self
    }

    pub fn before(mut self, minor: i64) -> Self {
        self.before = Some(minor);
        self
    }

    pub fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    pub fn changing(mut self, fields: &str) -> Self {
        self.changed = Some(fields.to_owned());
        self
    }
}

/// A run as it stands before its report is made.
#[derive(Debug, Clone)]
pub struct Given {
    pub rows: Vec<Row>,
    pub manifest: Manifest,
}

pub fn exact(num: i128, den: i128) -> Exact {
    Exact { num: num.to_string(), den: den.to_string() }
}

impl Given {
    /// A run of these rows whose sources hold exactly what was rounded.
    pub fn new(rows: Vec<Row>) -> Self {
        let rounded: i128 = rows.iter().filter_map(|row| row.desired).map(i128::from).sum();
        // A plan's own sum is 64 bit; amounts beyond that are refused before there is a plan.
        let rows: Vec<Row> = if i64::try_from(rounded).is_ok() {
            rows
        } else {
            rows.into_iter().map(|row| Row { desired: row.desired.map(|minor| minor % 1_000), ..row }).collect()
        };
        let rounded: i64 = rows.iter().filter_map(|row| row.desired).sum();
        let desired = exact(i128::from(rounded), 1);
        let at = |text: &str| Instant::parse(text).unwrap();
        let subscriptions = SourceTotals {
            name: "stripe_subscriptions".into(),
            rows_read: 1,
            dispositions: BTreeMap::from([(Disposition::Contributed, 1)]),
            mrr: BTreeMap::from([(Disposition::Contributed, desired.clone())]),
            mrr_total: Some(desired.clone()),
            mrr_without_rate: BTreeMap::from([(
                Currency::parse("eur").unwrap(),
                BTreeMap::from([(Disposition::Contributed, exact(9_900, 1))]),
            )]),
        };
        let manifest = Manifest {
            format: MANIFEST_FORMAT,
            run_id: "20261101T000000Z-1a2b".into(),
            tool_version: "0.1.0".into(),
            mode: Mode::Run,
            status: RunStatus::Sending,
            exit_code: None,
            as_of: at("2026-11-01T00:00:00Z"),
            started_at: at("2026-11-01T06:00:00Z"),
            finished_at: None,
            config_hash: "c0".repeat(32),
            configuration: serde_json::json!({"run": {"currency": "usd"}}),
            plan_hash: "91".repeat(32),
            baseline_hash: "ba".repeat(32),
            selection: None,
            approval: None,
            waiting_hash: None,
            currency: Currency::parse("usd").unwrap(),
            currency_digits: 2,
            mrr_definition: vec!["Active and past-due subscriptions count.".into()],
            division: vec![],
            products: vec![RunProduct {
                filter: None,
                taken: vec![],
                name: "core".into(),
                creation: None,
                existing_known: true,
                existing_customers: 0,
                totals: ProductTotals {
                    desired_exact: desired,
                    ambiguous_exact: exact(0, 1),
                    desired_rounded: rounded,
                },
            }],
            inputs: vec![InputFile {
                source: "stripe_subscriptions".into(),
                path: "exports/subscriptions.csv".into(),
                sha256: "5b".repeat(32),
                bytes: 1_024,
                rows: 1,
                shape: "Stripe dashboard subscriptions (CSV)".into(),
                encoding: Some("UTF-8".into()),
                dialect: Some(Dialect {
                    separator: "semicolon".into(),
                    line_ends: "CRLF".into(),
                    heading_line: 3,
                    dates: Some("month first (as configured)".into()),
                    time_zone: Some("America/New_York".into()),
                    ..Dialect::default()
                }),
                modified: None,
            }],
            sources: vec![subscriptions],
            mix: None,
            overrides: vec![crate::model::OverrideUse {
                file: "overrides.csv".into(),
                line: 2,
                decision: crate::model::OverrideDecision::Link,
                account: "cus_1".into(),
                with: "hubspot:7".into(),
                note: Some("said by Ada".into()),
                state: crate::model::OverrideState::Used,
                detail: "cus_1 belongs to hubspot:7".into(),
            }],
            guards: Vec::new(),
            exit_on_creation_disabled: false,
            redacted: false,
            proof: Proof::default(),
        };
        Self { rows, manifest }
    }

    /// The same run, a third of a minor unit lost in rounding, 2.00 left out, and 2.50 owed by customers whose MRR
    /// cannot be known, if there are any.
    pub fn with_fractions(mut self) -> Self {
        let rounded: i64 = self.rows.iter().filter_map(|row| row.desired).sum();
        let unpriced = self.rows.iter().any(|row| row.desired.is_none() && row.predicted != Prediction::Orphan);
        let desired = i128::from(rounded) * 3 + 1;
        let contributed = desired + if unpriced { 750 } else { 0 };
        self.manifest.products[0].totals.desired_exact = exact(desired, 3);
        let source = &mut self.manifest.sources[0];
        source.mrr =
            BTreeMap::from([(Disposition::Contributed, exact(contributed, 3)), (Disposition::Excluded, exact(200, 1))]);
        source.mrr_total = Some(exact(contributed + 600, 3));
        self
    }

    pub fn model(&self, outcomes: Outcomes) -> ReportModel {
        self.model_after(outcomes, None)
    }

    /// The model of a run that began while these were `waiting` for creation.
    pub fn model_after(&self, outcomes: Outcomes, waiting: Option<&Waiting>) -> ReportModel {
        let (plan, accounting) = (self.plan(), accounting());
        let data = RunData {
            manifest: &self.manifest,
            plan: &plan,
            accounting: &accounting,
            breaks: &[],
            outcomes,
            waiting,
            salt: None,
        };
        ReportModel::build(data).unwrap()
    }

    pub fn plan(&self) -> PlanRows {
        let rows = &self.rows;
        let texts = |pick: &dyn Fn(&Row) -> Option<String>| rows.iter().map(pick).collect::<Vec<_>>();
        let matched = |row: &Row| {
            let new = matches!(row.predicted, Prediction::Create | Prediction::CreationDisabled | Prediction::Unknown);
            if new || row.predicted == Prediction::Invalid { MatchRule::None } else { MatchRule::ExternalId }
        };
        let mut columns = Vec::new();
        for (name, dtype) in PlanRows::schema() {
            let column = match name {
                "row" => Column::new(name.into(), (0..u32::try_from(rows.len()).unwrap()).collect::<Vec<_>>()),
                "product" => Column::new(name.into(), texts(&|row| Some(row.product.clone()))),
                "key" => Column::new(name.into(), texts(&|row| Some(row.key.clone()))),
                "predicted" => Column::new(name.into(), texts(&|row| Some(row.predicted.to_string()))),
                "reason" => Column::new(name.into(), texts(&|row| row.reason.map(|reason| reason.to_string()))),
                "match_rule" => Column::new(name.into(), texts(&|row| Some(matched(row).to_string()))),
                "name" => Column::new(name.into(), texts(&|row| Some(row.text.clone()))),
                "email" => Column::new(name.into(), texts(&|_| Some("jane@example.com".into()))),
                "from_name" => Column::new(name.into(), texts(&|_| Some("hubspot".into()))),
                "before_name" => Column::new(name.into(), texts(&|row| row.before.map(|_| "Jane".into()))),
                "mrr" => Column::new(name.into(), rows.iter().map(|row| row.desired).collect::<Vec<_>>()),
                "mrr_before" => Column::new(name.into(), rows.iter().map(|row| row.before).collect::<Vec<_>>()),
                "changed_fields" => Column::new(name.into(), texts(&|row| row.changed.clone())),
                "period_end" => Column::new(name.into(), vec![1_796_083_200_000_i64; rows.len()]).cast(&dtype).unwrap(),
                "auto_renew" => Column::new(name.into(), vec![true; rows.len()]),
                _ => Column::full_null(name.into(), rows.len(), &dtype),
            };
            columns.push(column);
        }
        PlanRows::new(DataFrame::new(rows.len(), columns).unwrap()).unwrap()
    }
}

/// The one subscription's line.
fn accounting() -> Accounting {
    let mut columns = Vec::new();
    for (name, dtype) in Accounting::schema() {
        columns.push(match name {
            "source" => Column::new(name.into(), ["stripe_subscriptions"]),
            "line" => Column::new(name.into(), [2_u32]),
            "disposition" => Column::new(name.into(), ["contributed"]),
            _ => Column::full_null(name.into(), 1, &dtype),
        });
    }
    Accounting::new(DataFrame::new(1, columns).unwrap()).unwrap()
}

/// Tether's last word about a row.
pub struct Reply(pub RowOutcome);

pub fn reply(row: u32, outcome: Outcome) -> Reply {
    Reply(RowOutcome {
        row,
        outcome,
        reason: None,
        http_status: Some(200),
        attempts: 1,
        sent: true,
        customer: None,
        health_score: None,
        not_applied: Vec::new(),
        detail: None,
    })
}

impl Reply {
    pub fn mrr(mut self, text: &str) -> Self {
        let mrr = Some(text.to_owned());
        self.0.customer = Some(TetherCustomer { tether_id: Some("t-9".into()), mrr, ..TetherCustomer::default() });
        self
    }

    pub fn score(mut self, score: u8) -> Self {
        self.0.health_score = Some(score.into());
        self
    }

    pub fn status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    pub fn detail(mut self, text: &str) -> Self {
        self.0.detail = Some(text.to_owned());
        self
    }
}

impl From<Reply> for RowOutcome {
    fn from(reply: Reply) -> Self {
        reply.0
    }
}
