//! What the report is made from: the run's data, and the outcomes of the rows that were to be sent, kept as columns.

use super::ReportError;
use crate::model::{Break, Field, Money, NotApplied, Outcome, Reason, RowOutcome};
use crate::redact::Salt;
use crate::runs::Manifest;
use crate::table::{Accounting, PlanRows, Waiting};
use polars::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Everything a report is made from.
#[derive(Debug)]
pub struct RunData<'a> {
    /// What the run was given. Its status and exit code are not read: they are decided after the model is built.
    pub manifest: &'a Manifest,
    /// The plan.
    pub plan: &'a PlanRows,
    /// Where every input row went.
    pub accounting: &'a Accounting,
    /// The breaks found before sending.
    pub breaks: &'a [Break],
    /// What came of the plan.
    pub outcomes: Outcomes,
    /// Who was waiting for creation when the run began.
    pub waiting: Option<&'a Waiting>,
    /// With what names and addresses are hashed; `None`: they stay.
    pub salt: Option<&'a Salt>,
}

/// What came of the plan.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per run")]
pub enum Outcomes {
    /// Nothing was sent: [`Reason::PlanOnly`] (`mrr_after` is then what Tether would hold) or [`Reason::Guard`].
    NotSent(Reason),
    /// Calls could be made.
    Sent {
        /// The outcomes that are known.
        rows: SentRows,
        /// Why a product stopped: the reason of its rows without an outcome. A product that is not named here and
        /// still has such rows was [`Reason::Interrupted`].
        stopped: BTreeMap<String, Reason>,
    },
}

/// [`RowOutcome`]s as columns: a million of them without their reply bodies. Pushed in any order.
pub struct SentRows {
    digits: u8,
    position: HashMap<u32, IdxSize>,
    repeated: u64,
    outcome: Vec<Outcome>,
    reason: Vec<Option<Reason>>,
    http_status: Vec<Option<u32>>,
    attempts: Vec<u32>,
    sent: Vec<bool>,
    mrr_shown: Vec<Option<i64>>,
    mrr_lost: Vec<bool>,
    tether_id: StringChunkedBuilder,
    health_score: StringChunkedBuilder,
    detail: StringChunkedBuilder,
    not_applied: Vec<(u32, NotApplied)>,
}

impl std::fmt::Debug for SentRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SentRows({} rows)", self.position.len())
    }
}

impl SentRows {
    /// No outcomes yet; `digits` are those of the account's currency.
    pub fn new(digits: u8) -> Self {
        let text = |name: &str| StringChunkedBuilder::new(name.into(), 0);
        Self {
            digits,
            position: HashMap::new(),
            repeated: 0,
            outcome: Vec::new(),
            reason: Vec::new(),
            http_status: Vec::new(),
            attempts: Vec::new(),
            sent: Vec::new(),
            mrr_shown: Vec::new(),
            mrr_lost: Vec::new(),
            tether_id: text("reply_tether_id"),
            health_score: text("health_score"),
            detail: text("reply_detail"),
            not_applied: Vec::new(),
        }
    }

    /// Takes the outcome of one row. A second outcome of the same row replaces the first, and the report will not tie.
    pub fn push(&mut self, outcome: RowOutcome) {
        let position = IdxSize::try_from(self.outcome.len()).unwrap_or(IdxSize::MAX);
        if self.position.insert(outcome.row, position).is_some() {
            self.repeated += 1;
        }
        let customer = outcome.customer.unwrap_or_default();
        let shown = customer.mrr.and_then(|mrr| Money::parse(&mrr, self.digits).ok());
        // Sent, and the reply shows no amount there at all.
        let lost = shown.is_none() && outcome.not_applied.iter().any(|miss| miss.field == Field::Mrr);
        self.outcome.push(outcome.outcome);
        self.reason.push(outcome.reason);
        self.http_status.push(outcome.http_status.map(u32::from));
        self.attempts.push(outcome.attempts);
        self.sent.push(outcome.sent);
        self.mrr_shown.push(shown.map(|money| money.minor));
        self.mrr_lost.push(lost);
        self.tether_id.append_option(customer.tether_id.as_deref());
        self.health_score.append_option(outcome.health_score.map(|score| score.to_string()).as_deref());
        self.detail.append_option(outcome.detail.as_deref());
        self.not_applied.extend(outcome.not_applied.into_iter().map(|miss| (outcome.row, miss)));
    }

    /// How many rows have an outcome.
    pub fn len(&self) -> usize {
        self.position.len()
    }

    /// Whether no row has an outcome.
    pub fn is_empty(&self) -> bool {
        self.position.is_empty()
    }

    /// The columns of [`AlignedOutcomes`], one row per row of the plan.
    pub(super) fn align(self, plan_rows: &Column) -> Result<AlignedOutcomes, ReportError> {
        let words = |name: &str, words: Vec<Option<&'static str>>| Column::new(name.into(), words);
        let frame = DataFrame::new_infer_height(vec![
            words("reply_outcome", self.outcome.iter().map(|word| Some(word.as_str())).collect()),
            words("reply_reason", self.reason.iter().map(|word| word.map(Reason::as_str)).collect()),
            Column::new("http_status".into(), self.http_status),
            Column::new("reply_attempts".into(), self.attempts),
            Column::new("reply_sent".into(), self.sent),
            Column::new("mrr_shown".into(), self.mrr_shown),
            Column::new("mrr_lost".into(), self.mrr_lost),
            self.tether_id.finish().into_column(),
            self.health_score.finish().into_column(),
            self.detail.finish().into_column(),
        ])?;
        let known = self.position.len();
        let positions: IdxCa = plan_rows.u32()?.iter().map(|row| self.position.get(&row?).copied()).collect();
        let placed = positions.len() - positions.null_count();
        let mut not_applied = self.not_applied;
        not_applied.sort_by_key(|(row, miss)| (*row, miss.field));
        Ok(AlignedOutcomes {
            frame: if known == 0 { full_null(&frame, positions.len())? } else { frame.take(&positions)? },
            not_applied,
            repeated: self.repeated,
            without_plan: u64::try_from(known.saturating_sub(placed)).unwrap_or(u64::MAX),
        })
    }
}

fn full_null(frame: &DataFrame, height: usize) -> PolarsResult<DataFrame> {
    let nulls = |column: &Column| Column::full_null(column.name().clone(), height, column.dtype());
    DataFrame::new(height, frame.columns().iter().map(nulls).collect())
}

/// Outcomes beside the rows of the plan: null where a row has none.
#[derive(Debug)]
pub(super) struct AlignedOutcomes {
    /// `reply_outcome`, `reply_reason`, `http_status`, `reply_attempts`, `reply_sent`, `mrr_shown`, `mrr_lost`,
    /// `reply_tether_id`, `health_score`, `reply_detail`.
    pub frame: DataFrame,
    /// By row of the plan, then field.
    pub not_applied: Vec<(u32, NotApplied)>,
    /// Outcomes that came for a row that had one.
    pub repeated: u64,
    /// Outcomes of rows that the plan does not hold.
    pub without_plan: u64,
}
