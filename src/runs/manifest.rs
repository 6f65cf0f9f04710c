//! `manifest.json`: what a run was given and what came of it.

use super::{Link, Proof};
use crate::model::{Currency, Disposition, InputFile, Instant, Outcome, OverrideUse, Selection, hex, vocabulary};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The format of `manifest.json` that this version writes.
pub const MANIFEST_FORMAT: u32 = 1;

/// What a run was given and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`] of the writer.
    pub format: u32,
    /// The folder's name.
    pub run_id: String,
    /// Version of tether-recon.
    pub tool_version: String,
    /// Which command made it.
    pub mode: Mode,
    /// Where the run stands.
    pub status: RunStatus,
    /// The exit code, once there is one.
    pub exit_code: Option<u8>,
    /// The run's clock.
    pub as_of: Instant,
    /// When it was started.
    pub started_at: Instant,
    /// When it ended.
    pub finished_at: Option<Instant>,
    /// SHA-256 of the configuration.
    pub config_hash: String,
    /// The configuration as it was understood; null in a manifest of an earlier version.
    #[serde(default)]
    pub configuration: serde_json::Value,
    /// SHA-256 of the plan's rows.
    pub plan_hash: String,
    /// SHA-256 of the baseline that the plan was made against.
    pub baseline_hash: String,
    /// Which of the plan's rows are sent; `None`: all that are to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// SHA-256 of `waiting.parquet`; `None`: nobody was waiting for creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_hash: Option<String>,
    /// The account's currency.
    pub currency: Currency,
    /// Its digits after the point.
    pub currency_digits: u8,
    /// The definition of MRR in force, one sentence per element.
    pub mrr_definition: Vec<String>,
    /// The products, in the order of the configuration.
    pub products: Vec<RunProduct>,
    /// Every input file.
    pub inputs: Vec<InputFile>,
    /// Control totals per source.
    pub sources: Vec<SourceTotals>,
    /// What the next run's guards compare with; `None` in a manifest of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<Mix>,
    /// How the rows are divided among the products' filters; empty: no product has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub division: Vec<Division>,
    /// What became of each override.
    #[serde(default)]
    pub overrides: Vec<OverrideUse>,
    /// What the guards found, refusing or not.
    pub guards: Vec<GuardFinding>,
    /// `[run] exit_on_creation_disabled`: whether `creation_disabled` customers need a person.
    #[serde(default)]
    pub exit_on_creation_disabled: bool,
    /// The approved plan that the run applies; `None`: it made its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Whether the report holds hashes where names and addresses stood; the folder then holds the salt beside it.
    #[serde(default, skip_serializing_if = "is_not")]
    pub redacted: bool,
    /// What the folder can be proved by.
    #[serde(default)]
    pub proof: Proof,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_not(flag: &bool) -> bool {
    !*flag
}

impl Manifest {
    /// Whether the run has ended for good: nothing will change it any more.
    pub fn is_final(&self) -> bool {
        match self.status {
            RunStatus::Complete | RunStatus::Refused | RunStatus::Closed => true,
            RunStatus::Planned => self.mode == Mode::Plan,
            RunStatus::Sending | RunStatus::Incomplete => false,
        }
    }
}

/// Name, scope, figure, limit of a guard, and whether it was overridden.
type SeenGuard<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a str, bool);

/// What somebody who approves a plan has seen of it.
#[derive(Serialize)]
struct Seen<'a> {
    plan_hash: &'a str,
    config_hash: &'a str,
    selection: Option<(Option<u64>, Option<&'a [u32]>)>,
    guards: Vec<SeenGuard<'a>>,
}

impl Manifest {
    /// Whether a customer that ended so needs a person: CREATION_DISABLED only where the configuration says so.
    pub fn needs_a_person(&self, outcome: Outcome) -> bool {
        outcome.needs_a_person() || (outcome == Outcome::CreationDisabled && self.exit_on_creation_disabled)
    }

    /// What who approves the plan hands back: the SHA-256 of what the report shows of it as compact JSON, so that the approval
    /// holds for no other plan, configuration (so no other address), limit, or guard that was overridden or refused it.
    pub fn approval_hash(&self) -> String {
        let seen = Seen {
            plan_hash: &self.plan_hash,
            config_hash: &self.config_hash,
            selection: self.selection.as_ref().map(|selection| match selection {
                Selection::Limit(most) => (Some(*most), None),
                // The rows alone: a redacted report shows another key.
                Selection::Only { rows, .. } => (None, Some(rows.as_slice())),
            }),
            guards: self
                .guards
                .iter()
                .filter(|one| one.refused || one.overridden)
                .map(|one| {
                    (
                        one.guard.as_str(),
                        one.scope.as_deref(),
                        one.figure.as_deref(),
                        one.limit.as_str(),
                        one.overridden,
                    )
                })
                .collect(),
        };
        // Names and numbers alone: it cannot fail.
        hex(&Sha256::digest(serde_json::to_vec(&seen).unwrap_or_default()))
    }
}

vocabulary! {
    /// Which command made a run folder.
    Mode, "modes of a run" {
        /// `run`: plan and send.
        Run = "run",
        /// `plan`: no call is made.
        Plan = "plan",
        /// `apply`: an approved plan is sent.
        Apply = "apply",
    }
}

impl Mode {
    /// Whether such a run may make calls.
    pub const fn sends(self) -> bool {
        match self {
            Self::Run | Self::Apply => true,
            Self::Plan => false,
        }
    }
}

/// A plan that somebody approved by its [approval hash](Manifest::approval_hash).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The plan's run, and the hash of its manifest.
    pub plan: Link,
    /// When it was made.
    pub planned_at: Instant,
    /// Who approved it, as the command line said; `None`: nobody was named.
    pub approved_by: Option<String>,
}

vocabulary! {
    /// Where a run stands.
    RunStatus, "statuses of a run" {
        /// Planned only; the end of `plan`.
        Planned = "planned",
        /// Calls may have left. A run found so after a crash is resumable.
        Sending = "sending",
        /// Stopped before its end, resumable.
        Incomplete = "incomplete",
        /// Every row has its outcome.
        Complete = "complete",
        /// A guard refused it.
        Refused = "refused",
        /// Interrupted, and taken into the baseline by a later `run`.
        Closed = "closed",
    }
}

impl RunStatus {
    /// Whether calls may have left.
    pub const fn may_have_sent(self) -> bool {
        match self {
            Self::Sending | Self::Incomplete | Self::Complete | Self::Closed => true,
            Self::Planned | Self::Refused => false,
        }
    }
}

/// One product of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProduct {
    /// Its name.
    pub name: String,
    /// The creation gate as expected.
    pub creation: Option<bool>,
    /// Whether anything is known of what Tether holds.
    pub existing_known: bool,
    /// How many customers Tether is known to hold.
    #[serde(default)]
    pub existing_customers: u64,
    /// What the plan's sums say.
    pub totals: ProductTotals,
    /// Which source rows are its, in one spelling; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Control totals of the rows that its filter takes, per source, as the product sees them; empty: no product of the
    /// run has a filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<SourceTotals>,
}

/// The products of each filter: those of one take the same rows. In the order of the first of each.
pub fn of_one_filter(products: &[RunProduct]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = vec![];
    for (index, product) in products.iter().enumerate() {
        match groups.iter_mut().find(|group| products[group[0]].filter == product.filter) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// Sums of one product's plan, minor units of the account's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductTotals {
    /// Exact MRR of all desired customers before rounding (where it can be known).
    pub desired_exact: Exact,
    /// The part of it that ambiguous customers hold: their subscriptions have the disposition `ambiguous`.
    pub ambiguous_exact: Exact,
    /// Sum of the desired customers' rounded MRR.
    pub desired_rounded: i64,
}

/// An exact number of minor units: `numerator / denominator`, in lowest terms, both as decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exact {
    /// Numerator.
    pub num: String,
    /// Denominator, positive.
    pub den: String,
}

/// Control totals of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTotals {
    /// The source's name.
    pub name: String,
    /// Data rows, rejected ones included.
    pub rows_read: u64,
    /// Rows per disposition; the sum is `rows_read`.
    pub dispositions: BTreeMap<Disposition, u64>,
    /// MRR per disposition, minor units of the account's currency; only for `stripe_subscriptions`.
    pub mrr: BTreeMap<Disposition, Exact>,
    /// MRR of all rows, computed apart from the dispositions: their sum must equal it.
    pub mrr_total: Option<Exact>,
    /// MRR in currencies without a rate, in their own minor units, by disposition: in no sum above.
    pub mrr_without_rate: BTreeMap<Currency, BTreeMap<Disposition, Exact>>,
}

/// Of what the customers and the subscriptions are made up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mix {
    /// Desired customers by status, per product; those without one under `none`.
    pub statuses: BTreeMap<String, BTreeMap<String, u64>>,
    /// Stripe's subscriptions by currency, each subscription once; those whose currency is not known are left out.
    pub currencies: BTreeMap<String, u64>,
}

/// How one source's rows are divided among the products' filters. Products of one filter count as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// The source's name.
    pub name: String,
    /// Rows that no filter takes.
    pub none: Part,
    /// Rows that one takes.
    pub one: Part,
    /// Rows that several take, each once.
    pub several: Part,
    /// What is counted beyond once, because several take it.
    pub again: Part,
}

/// Some rows of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many.
    pub rows: u64,
    /// Their MRR, each subscription once, minor units of the account's currency; only for `stripe_subscriptions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrr: Option<Exact>,
}

/// What one guard found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardFinding {
    /// The configuration key: `max_created`.
    pub guard: String,
    /// The product or source it looked at, where it is not the whole plan.
    pub scope: Option<String>,
    /// The figure found, as decimal text; `None`: there was nothing to compare with, so that the guard could not refuse.
    pub figure: Option<String>,
    /// The limit, as decimal text.
    pub limit: String,
    /// What figure and limit count: `customers`, `percent`, `points`, `hours`, `files`, `currencies`, or a currency's code.
    /// Empty in a manifest of an earlier version.
    #[serde(default)]
    pub unit: String,
    /// Whether it refused the run.
    pub refused: bool,
    /// Whether it would have refused the run, and was overridden this once.
    #[serde(default)]
    pub overridden: bool,
    /// One sentence: figure, limit, and the flag that overrides it once.
    pub detail: String,
}

impl GuardFinding {
    /// What the guard came to, in words.
    pub const fn state(&self) -> &'static str {
        match (self.refused, self.overridden, &self.figure) {
            (true, ..) => "refused",
            (_, true, _) => "overridden",
            (.., None) => "nothing to compare",
            _ => "passed",
        }
    }
}
