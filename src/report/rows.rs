//! The customers that a page shows by name: the largest of each outcome, capped, with the counts said.

use super::tally::Cell;
use super::{ReportError, bridge, changes};
use crate::model::{Instant, Outcome};
use polars::prelude::*;

/// How many customers of one outcome a page shows, where they need a person or a decision.
pub(super) const SHOWN: usize = 500;

/// How many it shows of the others: a page of a few MB is still one that a browser opens at once.
const OTHERS_SHOWN: usize = 200;

/// How many customers the health table shows.
const HEALTH_SHOWN: usize = 50;

/// Outcomes in the order of the page: what happened first, then what needs a person, then the rest.
pub(super) const PAGE_ORDER: [Outcome; 11] = [
    Outcome::Created,
    Outcome::Updated,
    Outcome::CreationDisabled,
    Outcome::Applied,
    Outcome::Rejected,
    Outcome::Conflict,
    Outcome::Invalid,
    Outcome::Failed,
    Outcome::Unknown,
    Outcome::NotAttempted,
    Outcome::Orphan,
];

/// One customer as a page shows it. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// The product.
    pub product: String,
    /// The plan's key.
    pub key: String,
    /// Why it ended so.
    pub reason: Option<String>,
    /// What the plan foretold.
    pub predicted: String,
    /// What linked its sources.
    pub link_rule: Option<String>,
    /// What matched it with Tether.
    pub match_rule: Option<String>,
    /// Your own id.
    pub external_id: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Company.
    pub company_name: Option<String>,
    /// Stripe ids, joined by `;`.
    pub stripe_customer_ids: Option<String>,
    /// Status.
    pub subscription_status: Option<String>,
    /// What Tether held.
    pub mrr_before: Option<i64>,
    /// What the sources say.
    pub mrr_desired: Option<i64>,
    /// What Tether holds.
    pub mrr_after: Option<i64>,
    /// How Tether's MRR moved: a [`super::bridge::Movement`].
    pub movement: String,
    /// Status of the last reply.
    pub http_status: Option<u32>,
    /// Requests sent.
    pub attempts: u32,
    /// Tether's health score, as it wrote it.
    pub health_score: Option<String>,
    /// As-of of the run that first met CREATION_DISABLED, while it waits for that.
    pub waiting_since: Option<Instant>,
    /// One sentence.
    pub detail: Option<String>,
    /// What changes, field by field.
    pub changes: Vec<Change>,
}

/// One changed field, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Tether's value.
    pub before: Option<String>,
    /// The desired value.
    pub after: Option<String>,
    /// Where that came from.
    pub source: Option<String>,
}

/// The customers of one outcome, over all products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeTable {
    /// The outcome.
    pub outcome: Outcome,
    /// How many customers ended so.
    pub customers: u64,
    /// What those would hold, less what they hold (created, updated, applied: what they gained); minor units.
    pub mrr: i128,
    /// The largest of them, largest first: at most 500 where they need a person or a decision, else 200.
    pub rows: Vec<CustomerRow>,
}

/// One table per outcome of [`PAGE_ORDER`], empty ones included.
pub(super) fn outcome_tables(
    customers: &DataFrame,
    cells: &[Cell],
    digits: u8,
) -> Result<Vec<OutcomeTable>, ReportError> {
    PAGE_ORDER
        .iter()
        .map(|outcome| {
            let of_outcome = || cells.iter().filter(|cell| cell.outcome == *outcome).map(|cell| &cell.tally);
            let count: u64 = of_outcome().map(|tally| tally.customers).sum();
            let mrr = match outcome {
                Outcome::Created | Outcome::Updated | Outcome::Applied => {
                    of_outcome().map(|t| t.after - t.before).sum()
                }
                Outcome::Orphan => of_outcome().map(|t| t.after).sum(),
                _ => of_outcome().map(|t| t.desired - t.after).sum(),
            };
            let rows = if count == 0 { Vec::new() } else { largest(customers, *outcome, digits)? };
            Ok(OutcomeTable { outcome: *outcome, customers: count, mrr, rows })
        })
        .collect()
}

/// The customers of one outcome that moved, or would move, the most MRR; ties in the order of the plan.
fn largest(customers: &DataFrame, outcome: Outcome, digits: u8) -> Result<Vec<CustomerRow>, ReportError> {
    let wide = |column: &str| col(column).cast(DataType::Int128);
    let moved = match outcome {
        Outcome::Created | Outcome::Updated | Outcome::Applied => col("mrr_delta").abs(),
        _ => coalesce(&[wide("mrr_desired"), wide("mrr_before"), lit(0_i64).cast(DataType::Int128)]).abs(),
    };
    let asks = outcome.needs_a_person() || outcome == Outcome::CreationDisabled;
    let shown = if asks { SHOWN } else { OTHERS_SHOWN };
    let weighed = customers
        .clone()
        .lazy()
        .select([col("row"), moved.alias("weight"), col("outcome")])
        .with_row_index("at", None)
        .filter(col("outcome").eq(lit(outcome.as_str())))
        .sort(["weight", "row"], SortMultipleOptions::default().with_order_descending_multi([true, false]))
        .limit(u32::try_from(shown).unwrap_or(u32::MAX))
        .collect()?;
    read(&customers.take(weighed.column("at")?.idx()?)?, digits)
}

/// Customers that pay and have a health score, lowest first, the largest MRR first among equals.
pub(super) fn health(customers: &DataFrame, digits: u8) -> Result<Vec<CustomerRow>, ReportError> {
    let weighed = customers
        .clone()
        .lazy()
        .select([col("health_score").cast(DataType::Float64).alias("score"), col("mrr_after"), col("row")])
        .with_row_index("at", None)
        .filter(col("score").is_not_null().and(col("mrr_after").gt(lit(0_i64))))
        .sort(
            ["score", "mrr_after", "row"],
            SortMultipleOptions::default().with_order_descending_multi([false, true, false]).with_nulls_last(true),
        )
        .limit(u32::try_from(HEALTH_SHOWN).unwrap_or(u32::MAX))
        .collect()?;
    read(&customers.take(weighed.column("at")?.idx()?)?, digits)
}

/// A few hundred customers as rows: only what a page shows by name is ever read so.
fn read(part: &DataFrame, digits: u8) -> Result<Vec<CustomerRow>, ReportError> {
    let part = part.clone().lazy().with_column(bridge::movement().alias("movement")).collect()?;
    let part = { part.clone().align_chunks_par().clone() };
    let words = |name: &str| part.column(name).and_then(|column| column.str().cloned());
    let minors = |name: &str| part.column(name).and_then(|column| column.i64().cloned());
    let counts = |name: &str| part.column(name).and_then(|column| column.u32().cloned());
    let (product, key, reason, predicted) = (words("product")?, words("key")?, words("reason")?, words("predicted")?);
    let (link, matched, external) = (words("link_rule")?, words("match_rule")?, words("external_id")?);
    let (email, name, company) = (words("email")?, words("name")?, words("company_name")?);
    let (stripe, status) = (words("stripe_customer_ids")?, words("subscription_status")?);
    let (score, detail, movement) = (words("health_score")?, words("detail")?, words("movement")?);
    let (before, desired, after) = (minors("mrr_before")?, minors("mrr_desired")?, minors("mrr_after")?);
    let (http, attempts) = (counts("http_status")?, counts("attempts")?);

    let since = part.column("since")?.to_physical_repr();
    let since = since.i64()?;

    let text = |column: &StringChunked, at: usize| column.get(at).map(str::to_owned);
    let mut rows: Vec<CustomerRow> = (0..part.height())
        .map(|at| CustomerRow {
            product: text(&product, at).unwrap_or_default(),
            key: text(&key, at).unwrap_or_default(),
            reason: text(&reason, at),
            predicted: text(&predicted, at).unwrap_or_default(),
            link_rule: text(&link, at),
            match_rule: text(&matched, at),
            external_id: text(&external, at),
            email: text(&email, at),
            name: text(&name, at),
            company_name: text(&company, at),
            stripe_customer_ids: text(&stripe, at),
            subscription_status: text(&status, at),
            mrr_before: before.get(at),
            mrr_desired: desired.get(at),
            mrr_after: after.get(at),
            movement: text(&movement, at).unwrap_or_default(),
            http_status: http.get(at),
            attempts: attempts.get(at).unwrap_or_default(),
            health_score: text(&score, at),
            detail: text(&detail, at),
            waiting_since: since.get(at).and_then(|millis| Instant::from_epoch_seconds(millis.div_euclid(1000))),
            changes: Vec::new(),
        })
        .collect();
    let (changed, owners) = changes::expand(&part, digits)?;
    let word = |name: &str| changed.column(name).and_then(|column| column.str().cloned());
    let (field, before, after, source) = (word("field")?, word("before")?, word("after")?, word("source")?);
    for (line, owner) in owners.iter().flatten().enumerate() {
        rows[owner as usize].changes.push(Change {
            field: text(&field, line).unwrap_or_default(),
            before: text(&before, line),
            after: text(&after, line),
            source: text(&source, line),
        });
    }
    Ok(rows)
}
