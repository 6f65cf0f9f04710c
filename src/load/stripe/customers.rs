//! Stripe customers, of the dashboard and of warehouses: every row carries everything.

use super::StripePart;
use super::related::{DiscountLists, Related};
use super::warehouse::inline;
use crate::load::columns::map;
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin, quoted};
use crate::load::ordered;
use crate::load::sheet::{FieldHeadings, Sheet};
use crate::model::Reason;
use crate::table::{Accounts, INSTANT, StripeTables};
use polars::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;

/// The columns of customers.
pub(super) const CUSTOMER_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("email", &["email"]),
    ("name", &["name"]),
    ("created", &["created (utc)", "created"]),
    ("deleted", &["deleted", "is_deleted", "_fivetran_deleted"]),
    ("livemode", &["livemode"]),
    ("metadata", &["metadata"]),
    ("discount_coupon", &["discount_coupon_id"]),
    ("discount_start", &["discount_start"]),
    ("discount_end", &["discount_end"]),
    ("discount_subscription", &["discount_subscription_id", "discount_subscription"]),
    ("discount_item", &["discount_subscription_item_id", "discount_subscription_item"]),
    ("discount_invoice", &["discount_invoice_id", "discount_invoice"]),
];

/// Customers in their canonical table. `key`: the metadata key of your own id.
pub(super) fn customers(mut sheet: Sheet, key: Option<&str>, origin: &Origin<'_>) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    // When a customer was created only tells which of several accounts is the oldest, and what cannot be read of metadata
    // names no owner: a row is not lost for it, and with the row its MRR.
    let mut unreadable = Faults::default();
    let mut columns = vec![
        sheet.instants("created", &mut unreadable)?,
        sheet.booleans("deleted", &mut faults)?,
        sheet.booleans("livemode", &mut faults)?,
        sheet.lower("email")?.into_column(),
    ];
    for field in ["discount_start", "discount_end"] {
        columns.push(sheet.instants(field, &mut faults)?);
    }
    for field in ["id", "name", "discount_coupon", "discount_subscription", "discount_item", "discount_invoice"] {
        columns.push(sheet.text(field)?.into_column());
    }
    let own = sheet.text("external_id")?;
    let metadata = external_ids(&sheet.text("metadata")?, key, sheet.heading("metadata"), &mut unreadable);
    columns.push(own.into_column());
    columns.push(metadata.into_column());
    columns.push(Column::full_null("event_created".into(), sheet.height(), &INSTANT));
    let shows_coupon = sheet.has("discount_coupon");
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    let breaks = unreadable.breaks(&sheet.frame, origin)?;
    let (frame, found) = faults.reject(sheet.frame, origin, "id", None)?;
    let frame = frame.lazy().with_columns([
        col("deleted").fill_null(lit(false)),
        coalesce(&[col("external_id"), col("metadata")]).alias("external_id"),
        coalesce(&[col("discount_subscription"), col("discount_item"), col("discount_invoice")])
            .alias("discount_apart"),
    ]);
    let frame = ordered(frame.collect()?)?;
    // Where the column is there, a customer without a coupon has none, whatever a table of discounts remembers.
    let lists = frame
        .clone()
        .lazy()
        .filter(lit(shows_coupon))
        .select([lit("customer").alias("level"), col("ord").alias("owner")]);
    let related = Related { lists: DiscountLists::new(lists.collect()?)?, ..Related::empty() };
    let tables = StripeTables {
        discounts: inline("customer", &frame)?,
        accounts: Accounts::new(frame)?,
        ..StripeTables::empty()
    };
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    Ok(StripePart { related, rejections, breaks, customer_rows: sheet.rows, ..StripePart::of(tables) })
}

/// The value of `key` in each cell of JSON. A cell that does not hold the key's name is not parsed.
fn external_ids(cells: &StringChunked, key: Option<&str>, heading: &str, unreadable: &mut Faults) -> StringChunked {
    let Some(key) = key else { return StringChunked::full_null("metadata".into(), cells.len()) };
    let named = memchr::memmem::Finder::new(key);
    let mut row = 0;
    let found = map(cells, |cell| {
        let place = row;
        row += 1;
        named.find(cell.as_bytes())?;
        match serde_json::from_str::<HashMap<Cow<'_, str>, serde_json::Value>>(cell) {
            Ok(metadata) => match metadata.get(key)? {
                serde_json::Value::String(text) if text.trim().is_empty() => None,
                serde_json::Value::String(text) => Some(Cow::Owned(text.trim().to_owned())),
                serde_json::Value::Null => None,
                other => Some(Cow::Owned(other.to_string())),
            },
            Err(error) => {
                unreadable.add(place, Reason::BadJson, || format!("{heading}: {} ({error})", quoted(cell)));
                None
            }
        }
    });
    found.with_name("metadata".into())
}
