//! What happened to a customer in the runs that are kept.
//!
//! In: the run folders, and by what the customer is known. Out: its row in each run, every call, the reply, and what changed
//! from run to run. Never: a lock, a write; what is damaged or foreign is a note.

mod calls;
mod kept;
mod since;
mod told;

pub(super) use kept::{Kept, Known};
pub(super) use told::history;

use super::planned::PlanRow;
use crate::model::{Field, Instant, Outcome, Reason};
use crate::runs::{Mode, RunStatus};
use serde::Serialize;

/// What happened in the kept runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct History {
    /// The customer's rows, newest first.
    pub runs: Vec<RunOfCustomer>,
    /// Per product: since when it has been waiting to be created.
    pub waiting: Vec<Waiting>,
}

/// A customer's row in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunOfCustomer {
    /// The run.
    pub run_id: String,
    /// `run` or `plan`.
    pub mode: Mode,
    /// Where the run stands.
    pub status: RunStatus,
    /// The run's clock.
    pub as_of: Instant,
    /// When it was started.
    pub started_at: Instant,
    /// The row's number in the plan.
    pub row: u32,
    /// What was planned.
    pub plan: PlanRow,
    /// What became of it; `None`: the journal cannot be read.
    pub outcome: Option<Outcome>,
    /// Why.
    pub outcome_reason: Option<Reason>,
    /// What Tether held when the run ended (in a plan: would hold).
    pub mrr_after: Option<String>,
    /// Every request, in order.
    pub calls: Vec<Call>,
    /// What Tether showed in the reply that decided.
    pub reply: Option<Reply>,
    /// What Tether said, or what went wrong.
    pub said: Option<String>,
    /// What is otherwise than in the run before that has the customer; `None`: there is none.
    pub since: Option<Since>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// From 1.
    pub attempt: u32,
    /// When its intent was written down.
    pub at: Instant,
    /// When its end was; `None`: nobody knows how it ended.
    pub ended_at: Option<Instant>,
    /// What came of it.
    pub end: CallEnd,
    /// The reply's status, if one came.
    pub status: Option<u16>,
    /// Whether it may have taken effect though nothing says so.
    pub ambiguous: bool,
    /// What was said, for a person.
    pub detail: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// It gave the row its outcome.
    Decided,
    /// It gave no decision.
    Undecided,
    /// It never left.
    Withdrawn,
    /// The process ended before anybody knew.
    Open,
}

/// What Tether showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// Tether's own id.
    pub tether_id: Option<String>,
    /// When Tether last changed the customer.
    pub updated_at: Option<String>,
    /// Tether's, as it wrote it.
    pub health_score: Option<String>,
    /// Field by field.
    pub fields: Vec<ReplyField>,
}

/// One field of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplyField {
    /// The field.
    pub field: Field,
    /// What was sent; `None`: the field was not.
    pub sent: Option<String>,
    /// What the reply shows, as Tether wrote it.
    pub shown: Option<String>,
    /// Whether Tether took what was sent; `None`: it was not sent.
    pub applied: Option<bool>,
}

/// What is otherwise than in an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Since {
    /// The earlier run.
    pub run_id: String,
    /// What is otherwise; empty: nothing.
    pub changes: Vec<SinceChange>,
}

/// One thing that is otherwise than in an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinceChange {
    /// A field, or `outcome`, `key`, `link_rule`, `match_rule`, `stripe_customer_ids`, `mrr_after`.
    pub what: String,
    /// In the earlier run.
    pub before: Option<String>,
    /// In this one.
    pub after: Option<String>,
}

/// How long a customer has been waiting for a product's creation gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The product.
    pub product: String,
    /// Kept runs (without plans) in a row, the newest included, that ended `creation_disabled`.
    pub runs: u64,
    /// The first of them.
    pub first_run: String,
    /// Its clock.
    pub since: Instant,
}
