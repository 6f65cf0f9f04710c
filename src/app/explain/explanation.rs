//! What `explain` tells, as `--json` prints it (`docs/FORMAT.md`).

use super::fields::FieldWorking;
use super::history::History;
use super::key::FoundAs;
use super::links::Links;
use super::tether::AgainstTether;
use crate::billing::explain::{Amount, Problem, SubscriptionWorking};
use crate::model::{Break, Currency, Disposition, Instant, Reason};
use serde::Serialize;

/// The number of the format.
pub const FORMAT: u32 = 2;

/// Everything about the customers that a key means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// [`FORMAT`]
    pub format: u32,
    /// The clock.
    pub as_of: Instant,
    /// The account's currency.
    pub currency: Currency,
    /// What was asked for.
    pub key: String,
    /// As what it was found: everything that it is.
    pub found_as: Vec<FoundAs>,
    /// What could not be read, and what was passed over.
    pub notes: Vec<String>,
    /// The runs that were looked through.
    pub runs: Runs,
    /// The definition of MRR in force, one sentence each.
    pub mrr_definition: Vec<String>,
    /// The customers, each rounded once.
    pub customers: Vec<CustomerWorking>,
    /// Customers beyond those: a key that means so many is explained one by one.
    pub customers_more: Vec<String>,
}

/// The runs of the state folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// How many are kept.
    pub kept: u64,
    /// How many of them, the newest, were read.
    pub read: u64,
}

/// What a customer is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownFrom {
    /// The exports.
    Exports,
    /// What Tether holds: an orphan.
    Tether,
    /// Kept runs alone.
    Runs,
}

/// One desired customer, or a Stripe customer that is part of none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerWorking {
    /// What it is known from.
    pub known_from: KnownFrom,
    /// What it is known by; `None`: part of no desired customer, nothing is sent.
    pub customer: Option<Identity>,
    /// Where each desired value came from.
    pub fields: Vec<FieldWorking>,
    /// What was tied together, and what was not.
    pub links: Links,
    /// Its Stripe customers.
    pub accounts: Vec<AccountWorking>,
    /// Their sum, exact; `None`: it cannot be known.
    pub exact: Option<Amount>,
    /// The same, rounded once to minor units: the `mrr` that is sent. `None` without `customer`, too.
    pub mrr: Option<Amount>,
    /// `half_even` or `half_up`.
    pub rounding: &'static str,
    /// Why nothing can be sent: the customer is `invalid`.
    pub problem: Option<Problem>,
    /// Why nobody can say whose it is: the customer is a `conflict`.
    pub conflict: Option<Problem>,
    /// Against Tether, per product.
    pub tether: Vec<AgainstTether>,
    /// What a reviewer sees of it beside its outcome.
    pub breaks: Vec<Break>,
    /// Of a customer that is known from runs alone: the input rows that were part of it in the newest of them.
    pub sources: Vec<SourceRow>,
    /// What happened in the kept runs.
    pub history: History,
}

/// An input row of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceRow {
    /// As in `accounting.csv`.
    pub source: String,
    /// Where.
    #[serde(flatten)]
    pub place: Line,
    /// Its id.
    pub id: Option<String>,
    /// Where it went.
    pub disposition: Disposition,
    /// Why.
    pub reason: Option<Reason>,
}

/// What a desired customer is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// As in `plan.parquet`.
    pub key: String,
    /// Desired.
    pub external_id: Option<String>,
    /// Desired.
    pub email: Option<String>,
    /// Desired.
    pub name: Option<String>,
    /// Desired.
    pub company_name: Option<String>,
}

/// A line in an input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The file, relative to the configuration.
    pub file: String,
    /// From 1.
    pub line: u64,
}

/// One Stripe customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountWorking {
    /// `cus_…`; `None` for a guest.
    pub id: Option<String>,
    /// As Stripe holds it.
    pub name: Option<String>,
    /// As Stripe holds it.
    pub email: Option<String>,
    /// Where it stands; `None`: in no customers file.
    pub place: Option<Line>,
    /// Where its row went.
    pub disposition: Disposition,
    /// Why it went there.
    pub reason: Option<Reason>,
    /// Rows with the same id that it replaces.
    pub replaced: Vec<Replaced>,
    /// Rows about it that could not be read.
    pub rejected: Vec<RejectedRow>,
    /// Its subscriptions, in the order of reading.
    pub subscriptions: Vec<PlacedSubscription>,
    /// The sum of those that stand; `None`: it cannot be known.
    pub exact: Option<Amount>,
}

/// A row that another one with its id replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// Where.
    #[serde(flatten)]
    pub place: Line,
    /// `merged_duplicate` or `superseded`.
    pub disposition: Disposition,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// Where.
    #[serde(flatten)]
    pub place: Line,
    /// Why.
    pub reason: Reason,
    /// What was found.
    pub detail: String,
}

/// A subscription, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacedSubscription {
    /// Where.
    #[serde(flatten)]
    pub place: Line,
    /// Where its row went.
    pub disposition: Disposition,
    /// Why it went there.
    pub reason: Option<Reason>,
    /// Whether it is part of the sums: its row was neither replaced nor left out.
    pub stands: bool,
    /// How its MRR comes about.
    #[serde(flatten)]
    pub working: SubscriptionWorking,
}
