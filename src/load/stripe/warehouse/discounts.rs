//! Discounts: as rows of their own, and as columns of what they are on.

use super::super::relate::DISCOUNTS;
use super::super::related::{Related, RelatedDiscounts};
use super::{StripePart, part, undated};
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin};
use crate::load::sheet::{FieldHeadings, Sheet};
use crate::model::Reason;
use crate::table::Discounts;
use polars::prelude::*;

/// The columns of discounts.
pub(in super::super) const DISCOUNT_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("coupon", &["coupon_id", "coupon"]),
    ("start", &["start", "created"]),
    ("end", &["end"]),
    ("customer", &["customer_id", "customer"]),
    ("subscription", &["subscription_id", "subscription"]),
    ("subscription_item", &["subscription_item_id", "subscription_item"]),
    ("invoice", &["invoice_id", "invoice"]),
    ("invoice_item", &["invoice_item_id", "invoice_item"]),
    ("checkout", &["checkout_session_id", "checkout_session"]),
    ("type", &["type"]),
    ("type_id", &["type_id"]),
    ("deleted", &["deleted", "is_deleted", "_fivetran_deleted"]),
];

/// Reads discounts.
pub(in super::super) fn discounts(mut sheet: Sheet, origin: &Origin<'_>) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    let mut columns = vec![
        sheet.instants("start", &mut faults)?,
        sheet.instants("end", &mut faults)?,
        sheet.booleans("deleted", &mut faults)?,
        sheet.lower("type")?.into_column(),
    ];
    for (field, _) in DISCOUNT_FIELDS.iter().filter(|(field, _)| !["start", "end", "deleted", "type"].contains(field)) {
        columns.push(sheet.text(field)?.into_column());
    }
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    let is = |kind: &str| col("type").eq(lit(kind)).fill_null(lit(false));
    let named = |kind: &str, column: &str| {
        when(is(kind).and(col("type_id").is_not_null())).then(col("type_id")).otherwise(col(column)).alias(column)
    };
    let recurring = || is("subscription").or(is("subscription_item")).or(is("customer"));
    // A session in payment mode: its discount was of one payment.
    let of_payment =
        || col("checkout").is_not_null().and(col("subscription").is_null()).and(col("subscription_item").is_null());
    let of_invoice = || {
        (recurring().not().and(col("type").is_not_null())).or(recurring()
            .not()
            .and(col("invoice").is_not_null().or(col("invoice_item").is_not_null()).or(of_payment())))
    };
    let none = || lit(NULL).cast(DataType::String);
    let frame = sheet
        .frame
        .lazy()
        .with_columns([
            when(col("deleted").fill_null(lit(false)))
                .then(lit(Reason::Deleted.as_str()))
                .when(of_invoice())
                .then(lit(Reason::OfInvoice.as_str()))
                .otherwise(none())
                .alias("left_out"),
            named("subscription_item", "subscription_item"),
            named("customer", "customer"),
            // A discount of the customer may name the subscription that it began with.
            when(is("customer")).then(none()).otherwise(named("subscription", "subscription")).alias("subscription"),
        ])
        .collect()?;
    let (frame, found) = faults.reject(frame, origin, "id", Some("customer"))?;
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    let related = Related { discounts: RelatedDiscounts::new(undated(frame)?)?, ..Related::empty() };
    Ok(part(DISCOUNTS, sheet.rows, related, rejections))
}

/// The discounts that stand as columns of their owners: `frame` has `ord`, `discount_coupon`, `discount_start`,
/// `discount_end` and `discount_apart` (what makes it another's), and for the level `customer` the `id`.
pub(in super::super) fn inline(level: &str, frame: &DataFrame) -> Result<Discounts, TableError> {
    let customer = if level == "customer" { col("id") } else { lit(NULL).cast(DataType::String) };
    let rows =
        frame.clone().lazy().filter(col("discount_coupon").is_not_null().and(col("discount_apart").is_null())).select(
            [
                lit(level).alias("level"),
                col("ord").alias("owner"),
                customer.alias("customer"),
                lit(NULL).cast(DataType::String).alias("id"),
                col("discount_coupon").alias("coupon"),
                col("discount_start").alias("start"),
                col("discount_end").alias("end"),
                lit(0_u32).cast(DataType::UInt32).alias("position"),
            ],
        );
    Ok(Discounts::new(rows.collect()?)?)
}
