//! What the first rows of a file show, beyond what the file is.

use crate::load::csv_check::Checked;
use std::collections::{BTreeMap, BTreeSet};

/// So many rows are looked at.
const ROWS: usize = 5000;

/// What the beginning of a file shows.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How many rows are in each currency, lower-case.
    pub currencies: BTreeMap<String, u64>,
    /// It is of the dashboard, whose amounts may be of one unit or of all.
    pub dashboard: bool,
    /// Coupons that subscriptions name without saying what they are worth.
    pub coupons: BTreeSet<String>,
    /// The keys of Stripe customers' metadata, each with values.
    pub metadata: BTreeMap<String, BTreeSet<String>>,
    /// The columns of contacts that their CRM's preset does not know.
    pub free: Vec<FreeColumn>,
    /// The fields of contacts that the preset finds.
    pub known: Vec<&'static str>,
    /// Of contacts whose CRM is not known: what their columns are, field and heading.
    pub custom: Vec<(&'static str, String)>,
    /// External ids of Tether's customers.
    pub external_ids: BTreeSet<String>,
    /// Addresses of Tether's customers, lower-case.
    pub emails: BTreeSet<String>,
    /// Why the order of day and month in its dates is not known.
    pub undecided_dates: Option<String>,
    /// Customers' ids in it are not Stripe's, so that only its headings speak for it.
    pub foreign_ids: bool,
}

/// A column and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeColumn {
    /// Its heading.
    pub heading: String,
    /// Its values, each once.
    pub values: BTreeSet<String>,
    /// All of them are Stripe customers' ids.
    pub stripe_ids: bool,
}

/// The first rows of a checked text, cell by cell, as far as they can be read.
pub(super) fn sample(checked: &Checked<'_>) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(checked.separator)
        .from_reader(checked.body.as_ref());
    let cells = |record: csv::StringRecord| record.iter().map(|cell| cell.trim().to_owned()).collect();
    reader.records().take(ROWS).flatten().map(cells).collect()
}

/// The filled cells of a column.
pub(super) fn values(sample: &[Vec<String>], column: usize) -> impl Iterator<Item = &str> {
    sample.iter().filter_map(move |row| row.get(column)).map(String::as_str).filter(|cell| !cell.is_empty())
}

/// How a Stripe customer's id begins.
pub(super) const CUSTOMER_ID: &str = "cus_";

/// What a heading of metadata ends with: `user_id (metadata)`.
const METADATA: &str = "(metadata)";

impl Facts {
    /// Counts the currencies of a column.
    pub(super) fn count_currencies<'v>(&mut self, values: impl Iterator<Item = &'v str>) {
        for value in values {
            *self.currencies.entry(value.to_lowercase()).or_default() += 1;
        }
    }

    /// Takes the metadata of customers: columns of their own, and one that holds JSON.
    pub(super) fn take_metadata(&mut self, headings: &[String], sample: &[Vec<String>]) {
        for (column, heading) in headings.iter().enumerate() {
            let key =
                heading.to_lowercase().ends_with(METADATA).then(|| heading[..heading.len() - METADATA.len()].trim());
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                let values = values(sample, column).map(str::to_owned);
                self.metadata.entry(key.to_owned()).or_default().extend(values);
            }
            if heading.eq_ignore_ascii_case("metadata") {
                for object in values(sample, column) {
                    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(object) else { continue };
                    self.take_members(&members);
                }
            }
        }
    }

    /// Takes the members of one customer's metadata.
    pub(super) fn take_members(&mut self, members: &serde_json::Map<String, serde_json::Value>) {
        for (key, value) in members {
            let values = self.metadata.entry(key.clone()).or_default();
            values.extend(value.as_str().map(str::to_owned));
        }
    }
}
