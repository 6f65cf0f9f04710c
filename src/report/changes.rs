//! `changes.csv`: one row per field that a row to be sent changes, with where the new value comes from.

use super::text;
use crate::model::{Field, Prediction};
use polars::prelude::*;

/// The product's name for what Stripe alone says.
const STRIPE: &str = "stripe";

/// One row per changed field of `customers` (a part of the assembled customers), in their order, then in the order of
/// the vendor's page: `product, key, external_id, email, field, before, after, source, outcome`. Also returns, for each
/// of these rows, which row of `customers` it is of.
pub(super) fn expand(customers: &DataFrame, digits: u8) -> PolarsResult<(DataFrame, IdxCa)> {
    let changed = customers.column("changed_fields")?.str()?;
    let predicted = customers.column("predicted")?.str()?;
    let (mut owners, mut fields) = (Vec::<IdxSize>::new(), Vec::<Field>::new());
    // Row by row: how many lines a customer gives depends on the customer, and the lines keep the customers' order.
    for (owner, (changed, predicted)) in (0..).zip(changed.iter().zip(predicted.iter())) {
        let sent = predicted.and_then(|word| word.parse::<Prediction>().ok()).is_some_and(Prediction::is_sent);
        let Some(changed) = changed.filter(|_| sent) else { continue };
        let before = fields.len();
        fields.extend(changed.split(';').filter_map(|word| word.parse::<Field>().ok()));
        fields[before..].sort_unstable();
        owners.resize(fields.len(), owner);
    }

    let sides = Field::ALL.iter().map(|field| Side::of(*field, customers, digits)).collect::<PolarsResult<Vec<_>>>()?;
    let column = |pick: fn(&Side) -> &Column, name: &str| -> PolarsResult<Column> {
        let texts = sides.iter().map(|side| pick(side).str()).collect::<PolarsResult<Vec<_>>>()?;
        let mut builder = StringChunkedBuilder::new(name.into(), fields.len());
        for (owner, field) in owners.iter().zip(&fields) {
            builder.append_option(texts[*field as usize].get(*owner as usize));
        }
        Ok(builder.finish().into_column())
    };
    let before = column(|side| &side.before, "before")?;
    let after = column(|side| &side.after, "after")?;
    let source = column(|side| &side.source, "source")?;
    let names = Column::new("field".into(), fields.iter().map(|field| field.as_str()).collect::<Vec<_>>());

    let owners = IdxCa::from_vec("owner".into(), owners);
    let owner = customers.select(["product", "key", "external_id", "email", "outcome"])?.take(&owners)?;
    let frame = owner.hstack(&[names, before, after, source])?;
    let order = ["product", "key", "external_id", "email", "field", "before", "after", "source", "outcome"];
    Ok((frame.select(order)?, owners))
}

/// Both sides of one field, as text, and where the new value comes from.
struct Side {
    before: Column,
    after: Column,
    source: Column,
}

impl Side {
    fn of(field: Field, customers: &DataFrame, digits: u8) -> PolarsResult<Self> {
        let height = customers.height();
        let one_chunk =
            |name: &str| -> PolarsResult<Column> { Ok(text::as_text(customers.column(name)?, digits)?.rechunk()) };
        let (before, after) = match field {
            Field::Mrr => ("mrr_before".to_owned(), "mrr_desired"),
            _ => (format!("before_{field}"), field.as_str()),
        };
        let from = format!("from_{field}");
        let source = match customers.column(&from) {
            Ok(_) => one_chunk(&from)?,
            Err(_) => Column::new_scalar(from.into(), Scalar::from(PlSmallStr::from_static(STRIPE)), height)
                .as_materialized_series()
                .clone()
                .into_column(),
        };
        Ok(Self { before: one_chunk(&before)?, after: one_chunk(after)?, source })
    }
}
