//! A row of a plan, today's or an earlier run's, as values.

use super::row::Row;
use crate::model::{Field, LinkRule, MatchRule, Prediction, Reason, UnknownWord};
use polars::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// A row of a plan. Values are written as in `customers.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanRow {
    /// The product's name.
    pub product: String,
    /// The customer, as reports name it.
    pub key: String,
    /// What was foretold.
    pub predicted: Prediction,
    /// Why, for conflict and invalid.
    pub reason: Option<Reason>,
    /// What linked contact and Stripe customer.
    pub link_rule: Option<LinkRule>,
    /// What matched it in Tether.
    pub match_rule: Option<MatchRule>,
    /// Of the matched customer; of a conflict the candidates', joined by `;`.
    pub tether_id: Option<String>,
    /// Stripe customers, joined by `;`.
    pub stripe_customer_ids: Option<String>,
    /// The desired values; for an orphan, Tether's.
    pub desired: BTreeMap<Field, String>,
    /// What Tether holds.
    pub mrr_before: Option<String>,
    /// What differs.
    pub changes: Vec<PlanChange>,
    /// Desired fields that are not sent.
    pub held_back: Vec<Field>,
    /// One sentence.
    pub detail: Option<String>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// The field.
    pub field: Field,
    /// Tether's value.
    pub before: Option<String>,
    /// The desired value.
    pub after: Option<String>,
    /// A CRM's name, `metadata`, `stripe` or `stripe_id`.
    pub source: Option<String>,
}

/// A row cannot be read back: it is of another version, or damaged.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A column is not there.
    #[error(transparent)]
    Polars(#[from] PolarsError),
    /// A column holds a word that is none.
    #[error(transparent)]
    Word(#[from] UnknownWord),
}

impl From<RowError> for crate::app::exit::AppError {
    fn from(error: RowError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl PlanRow {
    /// Reads a row of [`crate::table::PlanRows`]; `digits` are those of the account's currency.
    pub(super) fn read(row: Row<'_>, digits: u8) -> Result<Self, RowError> {
        let fields = |column: &str| -> Result<Vec<Field>, RowError> {
            let text = row.text(column)?.unwrap_or_default();
            let words = text.split(';').filter(|word| !word.is_empty());
            Ok(words.map(str::parse).collect::<Result<_, UnknownWord>>()?)
        };
        let mut desired = BTreeMap::new();
        for field in Field::ALL {
            if let Some(value) = row.shown(field.as_str(), digits)? {
                desired.insert(*field, value);
            }
        }
        let mut changes = vec![];
        for field in fields("changed_fields")? {
            let before = match field {
                Field::Mrr => row.shown("mrr_before", digits)?,
                field => row.shown(&format!("before_{field}"), digits)?,
            };
            let source = match field {
                Field::Mrr | Field::SubscriptionStatus | Field::AutoRenew | Field::PeriodEnd => {
                    Some("stripe".to_owned())
                }
                field => row.text(&format!("from_{field}"))?,
            };
            changes.push(PlanChange { field, before, after: desired.get(&field).cloned(), source });
        }
        changes.sort_by_key(|change| change.field);
        Ok(Self {
            product: row.word("product")?,
            key: row.word("key")?,
            predicted: row.word("predicted")?.parse()?,
            reason: row.text("reason")?.as_deref().map(str::parse).transpose()?,
            link_rule: row.text("link_rule")?.as_deref().map(str::parse).transpose()?,
            match_rule: row.text("match_rule")?.as_deref().map(str::parse).transpose()?,
            tether_id: row.text("tether_id")?,
            stripe_customer_ids: row.text("stripe_customer_ids")?,
            desired,
            mrr_before: row.shown("mrr_before", digits)?,
            changes,
            held_back: fields("held_back")?,
            detail: row.text("detail")?,
        })
    }

    /// The ids that a cell joins by `;`.
    pub(super) fn ids(cell: Option<&String>) -> impl Iterator<Item = &str> {
        cell.into_iter().flat_map(|cell| cell.split(';')).filter(|id| !id.is_empty())
    }
}
