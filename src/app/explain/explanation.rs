//! What `explain` tells, as `--format json` prints it (`docs/FORMAT.md`).

use super::key::FoundAs;
use crate::billing::explain::{Amount, Problem, SubscriptionWorking};
use crate::model::{Currency, Disposition, Instant, Reason};
use serde::Serialize;

/// The number of the format.
pub const FORMAT: u32 = 1;

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
    /// As what it was found.
    pub found_as: FoundAs,
    /// The definition of MRR in force, one sentence each.
    pub mrr_definition: Vec<String>,
    /// The customers, each rounded once.
    pub customers: Vec<CustomerWorking>,
}

/// One desired customer, or a Stripe customer that is part of none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerWorking {
    /// What it is known by; `None`: part of no desired customer, nothing is sent.
    pub customer: Option<Identity>,
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
