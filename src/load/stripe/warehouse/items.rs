//! Subscription items.

use super::super::relate::ITEMS;
use super::super::related::{Related, RelatedItems};
use super::{StripePart, part, required, undated, unreadable};
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin};
use crate::load::sheet::{FieldHeadings, Sheet};
use polars::prelude::*;

/// The columns of subscription items. A price goes before the plan of the same id.
pub(in super::super) const ITEM_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("subscription", &["subscription_id", "subscription"]),
    ("price", &["price_id", "price"]),
    ("plan", &["plan_id", "plan"]),
    ("quantity", &["quantity"]),
    ("current_period_end", &["item_current_period_end", "current_period_end"]),
    ("discounts", &["discounts"]),
    ("deleted", &["deleted", "is_deleted", "_fivetran_deleted"]),
];

/// Reads subscription items.
pub(in super::super) fn items(mut sheet: Sheet, origin: &Origin<'_>) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    let subscriptions = sheet.text("subscription")?;
    required(&sheet, &subscriptions, "subscription", &mut faults);
    let mut columns = vec![
        sheet.integers("quantity", 0, &mut faults)?.into_column(),
        sheet.instants("current_period_end", &mut faults)?,
        sheet.booleans("deleted", &mut faults)?,
    ];
    for field in ["id", "price", "plan", "discounts"] {
        columns.push(sheet.text(field)?.into_column());
    }
    columns.push(subscriptions.into_column());
    // Where the column is there, an item without any lists none; where it is not, nothing is known.
    let listed = if sheet.has("discounts") { lit("") } else { lit(NULL).cast(DataType::String) };
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    let frame = sheet
        .frame
        .lazy()
        .with_columns([
            coalesce(&[col("price"), col("plan")]).alias("price"),
            col("deleted").fill_null(lit(false)),
            coalesce(&[col("discounts"), listed]).alias("discounts"),
        ])
        .collect()?;
    let (frame, found) = faults.reject(frame, origin, "id", Some("subscription"))?;
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    let unreadable = unreadable("subscription", &mut rejections)?;
    let related = Related { items: RelatedItems::new(undated(frame)?)?, unreadable, ..Related::empty() };
    Ok(part(ITEMS, sheet.rows, related, rejections))
}
