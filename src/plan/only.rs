//! The one customer that `--only` names, found in the plan.

use super::PlanError;
use crate::model::{Email, Selection};
use crate::table::PlanRows;
use polars::prelude::*;
use std::collections::BTreeSet;

/// A key that does not mean one customer of the plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnlyError {
    /// Nobody is called so.
    #[error(
        "the plan holds no customer `{0}`; name a Stripe customer's id, an e-mail, an external id, a Tether id or a report's `key`"
    )]
    Nobody(String),
    /// It fits several.
    #[error("`{key}` means several customers ({}); name one of these keys", customers.iter().cloned().collect::<Vec<_>>().join(", "))]
    Several {
        /// What was asked for.
        key: String,
        /// The keys of those it fits.
        customers: BTreeSet<String>,
    },
}

/// The rows of the customer that `key` means: a Stripe customer's id, an e-mail, an external id, a Tether id, or the
/// plan's own `key`, in that order.
pub fn only(rows: &PlanRows, key: &str) -> Result<Result<Selection, OnlyError>, PlanError> {
    let email = Email::parse(key).map(|email| email.as_str().to_owned()).unwrap_or_default();
    let is = |column: &str, text: &str| col(column).eq(lit(text)).fill_null(lit(false));
    let among = |column: &str| col(column).str().split(lit(";")).list().contains(lit(key), false).fill_null(lit(false));
    let asked = [
        among("stripe_customer_ids"),
        is("email", &email),
        is("external_id", key),
        is("tether_id", key.strip_prefix("tether:").unwrap_or(key)),
        is("key", key),
    ];
    for condition in asked {
        let found = rows.lazy().filter(condition).select([col("row"), col("key")]).collect()?;
        let customers: BTreeSet<String> = found.column("key")?.str()?.iter().flatten().map(str::to_owned).collect();
        match customers.len() {
            0 => {}
            1 => {
                let rows = found.column("row")?.u32()?.iter().flatten().collect();
                return Ok(Ok(Selection::Only { key: key.to_owned(), rows }));
            }
            _ => return Ok(Err(OnlyError::Several { key: key.to_owned(), customers })),
        }
    }
    Ok(Err(OnlyError::Nobody(key.to_owned())))
}
