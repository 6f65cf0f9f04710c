//! The customer against Tether, product by product: what it holds, what differs, and what a plan would do.

use super::explanation::Line;
use super::planned::{PlanRow, RowError};
use super::row::{Row, is_number, is_text, pick, rows};
use crate::app::exit::AppError;
use crate::baseline::Baseline;
use crate::config::Settings;
use crate::diff;
use crate::link::Linked;
use crate::load::Loaded;
use crate::model::{Break, Field, InputFile, Prediction};
use crate::plan;
use polars::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// One product's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgainstTether {
    /// Whether anything at all is known of what the product holds.
    pub existing_known: bool,
    /// Tether's customers that carry its external id or its e-mail; for an orphan, itself.
    pub held: Vec<Held>,
    /// Field by field.
    pub fields: Vec<FieldAgainst>,
    /// The row that a plan has for it.
    #[serde(flatten)]
    pub plan: PlanRow,
    /// Whether a run would make a call.
    pub is_sent: bool,
}

/// One of Tether's customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Tether's own id.
    pub tether_id: Option<String>,
    /// Where the export has it; `None`: an earlier reply showed it (the baseline).
    pub place: Option<Line>,
    /// The state is of then.
    pub updated_at: Option<String>,
    /// By what it was found: `external_id`, `email`; empty for an orphan.
    pub by: Vec<Field>,
    /// The Stripe customer that Tether shows.
    pub stripe_customer_id: Option<String>,
    /// What it holds, as `customers.csv` writes it.
    pub fields: BTreeMap<Field, String>,
}

/// One field on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldAgainst {
    /// The field.
    pub field: Field,
    /// What is desired.
    pub desired: Option<String>,
    /// What Tether holds.
    pub held: Option<String>,
    /// What follows.
    pub verdict: Difference,
}

/// What follows for one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Tether has it so.
    Same,
    /// It would change.
    Changes,
    /// The sources do not know it; that never erases anything.
    NotKnown,
    /// It is not sent: Tether's is later.
    HeldBack,
    /// It differs, and nothing is sent for this customer.
    NotSent,
}

impl Difference {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changes => "changes",
            Self::NotKnown => "the sources do not know it: left as it is",
            Self::HeldBack => "not sent: Tether's is later",
            Self::NotSent => "differs, and nothing is sent",
        }
    }
}

/// What one product is known to hold, compared with all desired customers.
pub(super) struct Side {
    known: Option<DataFrame>,
    /// The columns of [`crate::table::PlanRows`].
    rows: DataFrame,
    /// `ord` of an existing customer, `customer`: the key of the row it was compared with.
    existing: DataFrame,
    pub breaks: Vec<Break>,
}

/// Compares each of `products`, by their places in the configuration, as a plan would; what cannot be read of a baseline is said in `notes`.
pub(super) fn sides(
    loaded: &Loaded,
    linked: &Linked,
    settings: &Settings,
    products: &[usize],
    notes: &mut Vec<String>,
) -> Result<Vec<Side>, AppError> {
    let baseline = Baseline::open(&settings.run.state);
    let mut sides = vec![];
    let all = settings.products.iter().zip(&loaded.existing).enumerate();
    for (_, (product, export)) in all.filter(|(index, _)| products.contains(index)) {
        let replies = baseline.load(&product.name).unwrap_or_else(|error| {
            notes.push(format!("{error}; compared with the export alone"));
            None
        });
        let held = plan::existing(export.clone(), replies, &loaded.files)?;
        let compared = diff::compare(&linked.desired, held.known.as_ref(), product, settings.link, &loaded.files)
            .map_err(|error| AppError::Internal(Box::new(error)))?;
        sides.push(Side {
            known: held.known.map(crate::table::Existing::into_frame),
            rows: compared.rows,
            existing: compared.existing,
            breaks: [held.breaks, compared.breaks].concat(),
        });
    }
    Ok(sides)
}

impl Side {
    /// Keys of the rows that are Tether's customer `id`.
    pub fn with_tether_id(&self, id: &str) -> PolarsResult<Vec<String>> {
        let Some(known) = &self.known else { return Ok(vec![]) };
        let held = pick(known, is_text("tether_id", [id]))?;
        let ords: Vec<u32> = held.column("ord")?.u32()?.iter().flatten().collect();
        let found = pick(&self.existing, is_number("ord", ords))?;
        Ok(found.column("customer")?.str()?.iter().flatten().map(str::to_owned).collect())
    }

    /// Keys of the orphans for which `column` holds `text`.
    pub fn orphans(&self, column: &str, text: &str) -> PolarsResult<Vec<String>> {
        let is_orphan = is_text("predicted", [Prediction::Orphan.as_str()]);
        let found = pick(&self.rows, is_orphan.and(is_text(column, [text])))?;
        Ok(found.column("key")?.str()?.iter().flatten().map(str::to_owned).collect())
    }

    /// The customer `key`; `None`: this product has no row for it.
    pub fn of(&self, key: &str, files: &[InputFile], digits: u8) -> Result<Option<AgainstTether>, RowError> {
        let found = pick(&self.rows, is_text("key", [key]))?;
        let Some(row) = rows(&found).next() else { return Ok(None) };
        let plan = PlanRow::read(row, digits)?;
        let held = self.held(&plan, files, digits)?;
        let compared = match held.as_slice() {
            _ if plan.predicted == Prediction::Orphan => None,
            [one] => Some(one),
            several => several.iter().find(|one| one.tether_id.is_some() && one.tether_id == plan.tether_id),
        };
        let is_sent = plan.predicted.is_sent();
        let against = |field: Field| {
            let desired = plan.desired.get(&field).cloned();
            let held = compared.and_then(|one| one.fields.get(&field).cloned());
            let verdict = match (&desired, &held) {
                _ if plan.held_back.contains(&field) => Difference::HeldBack,
                (None, None) => return None,
                (None, Some(_)) => Difference::NotKnown,
                (Some(_), _) if plan.changes.iter().any(|change| change.field == field) => Difference::Changes,
                (Some(desired), Some(held)) if desired == held => Difference::Same,
                _ => Difference::NotSent,
            };
            Some(FieldAgainst { field, desired, held, verdict })
        };
        let fields = match plan.predicted {
            Prediction::Orphan => vec![],
            _ => Field::ALL.iter().filter_map(|field| against(*field)).collect(),
        };
        Ok(Some(AgainstTether { existing_known: self.known.is_some(), held, fields, plan, is_sent }))
    }

    /// Those of Tether's customers that the row is about.
    fn held(&self, plan: &PlanRow, files: &[InputFile], digits: u8) -> Result<Vec<Held>, RowError> {
        let Some(known) = &self.known else { return Ok(vec![]) };
        let value = |field: Field| plan.desired.get(&field).map(String::as_str);
        let found = if plan.predicted == Prediction::Orphan {
            let own = pick(&self.existing, is_text("customer", [plan.key.as_str()]))?;
            let ords: Vec<u32> = own.column("ord")?.u32()?.iter().flatten().collect();
            pick(known, is_number("ord", ords))?
        } else {
            pick(known, is_text("external_id", value(Field::ExternalId)).or(is_text("email", value(Field::Email))))?
        };
        rows(&found)
            .map(|row: Row<'_>| {
                let mut fields = BTreeMap::new();
                for field in Field::ALL {
                    if let Some(held) = row.shown(field.as_str(), digits)? {
                        fields.insert(*field, held);
                    }
                }
                let has = |field: &Field| {
                    plan.predicted != Prediction::Orphan
                        && value(*field).is_some()
                        && fields.get(field).map(String::as_str) == value(*field)
                };
                Ok(Held {
                    tether_id: row.text("tether_id")?,
                    place: row.place(files)?,
                    updated_at: row.shown("updated_at", digits)?,
                    by: [Field::ExternalId, Field::Email].into_iter().filter(has).collect(),
                    stripe_customer_id: row.text("stripe_customer_id")?,
                    fields,
                })
            })
            .collect()
    }
}
