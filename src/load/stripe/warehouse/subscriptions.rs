//! Subscriptions whose items and prices stand in other tables.

use super::super::relate::by_id;
use super::super::related::{DiscountLists, OwnPrices, Related};
use super::{StripePart, inline, part, required, settled};
use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin};
use crate::load::ordered;
use crate::load::settle::SettledRows;
use crate::load::sheet::{FieldHeadings, Sheet};
use crate::model::{Disposition, Reason, STRIPE_SUBSCRIPTIONS};
use crate::table::{Discounts, StripeTables, Subscriptions, in_order};
use polars::prelude::*;

/// The columns of subscriptions.
pub(in super::super) const SUBSCRIPTION_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("customer", &["customer_id", "customer"]),
    ("status", &["status"]),
    ("cancel_at_period_end", &["cancel_at_period_end"]),
    ("cancel_at", &["cancel_at"]),
    ("canceled_at", &["canceled_at"]),
    ("ended_at", &["ended_at"]),
    ("created", &["created", "start_date"]),
    ("current_period_end", &["current_period_end"]),
    ("pause_behavior", &["pause_collection_behavior"]),
    ("pause_resumes_at", &["pause_collection_resumes_at"]),
    ("livemode", &["livemode"]),
    ("price", &["price_id", "price"]),
    ("plan", &["plan_id", "plan"]),
    ("quantity", &["quantity"]),
    ("discounts", &["discounts"]),
    ("discount_coupon", &["discount_coupon_id"]),
    ("discount_start", &["discount_start"]),
    ("discount_end", &["discount_end"]),
    ("discount_item", &["discount_subscription_item_id", "discount_subscription_item"]),
    ("discount_invoice", &["discount_invoice_id", "discount_invoice"]),
    ("current", &["_fivetran_active"]),
    ("deleted", &["deleted", "is_deleted", "_fivetran_deleted"]),
];

const INSTANTS: &[&str] = &[
    "cancel_at",
    "canceled_at",
    "ended_at",
    "created",
    "current_period_end",
    "pause_resumes_at",
    "discount_start",
    "discount_end",
];
const BOOLEANS: &[&str] = &["cancel_at_period_end", "livemode", "current", "deleted"];
const LOWER: &[&str] = &["status", "pause_behavior"];
const TEXT: &[&str] =
    &["id", "customer", "price", "plan", "discounts", "discount_coupon", "discount_item", "discount_invoice"];

/// Reads subscriptions.
pub(in super::super) fn subscriptions(mut sheet: Sheet, origin: &Origin<'_>) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    for field in ["id", "customer", "status"] {
        required(&sheet, &sheet.text(field)?, field, &mut faults);
    }
    let mut columns = vec![sheet.integers("quantity", 0, &mut faults)?.into_column()];
    for field in INSTANTS {
        columns.push(sheet.instants(field, &mut faults)?);
    }
    for field in BOOLEANS {
        columns.push(sheet.booleans(field, &mut faults)?);
    }
    for field in LOWER {
        columns.push(sheet.lower(field)?.into_column());
    }
    for field in TEXT {
        columns.push(sheet.text(field)?.into_column());
    }
    let lists = sheet.has("discounts");
    let rows = sheet.height();
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    for (name, dtype) in Subscriptions::schema() {
        if sheet.frame.column(name).is_err() && name != "ord" {
            sheet.frame.with_column(Column::full_null(name.into(), rows, &dtype))?;
        }
    }
    let (frame, found) = faults.reject(sheet.frame, origin, "id", Some("customer"))?;
    let gone = || col("deleted").fill_null(lit(false));
    let old = || col("current").fill_null(lit(true)).not();
    let done = [(gone(), Reason::Deleted), (gone().not().and(old()), Reason::OldVersion)].map(|(which, reason)| {
        settled(STRIPE_SUBSCRIPTIONS, frame.clone().lazy().filter(which), Disposition::Excluded, reason)
    });
    let done = done.into_iter().map(|rows| Ok(rows?.into_frame())).collect::<Result<Vec<_>, TableError>>()?;
    let frame = frame
        .lazy()
        .filter(gone().or(old()).not())
        .with_columns([
            col("cancel_at_period_end").fill_null(lit(false)),
            coalesce(&[col("discount_item"), col("discount_invoice")]).alias("discount_apart"),
            coalesce(&[col("price"), col("plan")]).alias("price"),
        ])
        .collect()?;
    let frame = ordered(frame)?;
    // Where the column is there, a subscription without any lists none; where it is not, nothing is known.
    let listing = frame.clone().lazy().filter(lit(lists));
    let listing = listing.select([col("ord").alias("subscription"), col("discounts")]).collect()?;
    let related = Related {
        own_prices: OwnPrices::new(
            frame
                .clone()
                .lazy()
                .filter(col("price").is_not_null())
                .select([col("ord").alias("subscription"), col("price"), col("quantity")])
                .collect()?,
        )?,
        lists: DiscountLists::new(
            listing
                .clone()
                .lazy()
                .select([lit("subscription").alias("level"), col("subscription").alias("owner")])
                .collect()?,
        )?,
        settled: SettledRows::new(stacked(done, SettledRows::empty().into_frame())?)?,
        ..Related::empty()
    };
    let tables = StripeTables {
        discounts: discounts(&frame, &listing)?,
        subscriptions: Subscriptions::new(frame)?,
        ..StripeTables::empty()
    };
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    let mut part = part(STRIPE_SUBSCRIPTIONS, 0, related, rejections);
    part.other_rows.clear();
    Ok(StripePart { tables, subscription_rows: sheet.rows, ..part })
}

/// Discounts that a subscription lists by id; where it lists none, the one that stands in its columns. One that is both
/// is the same.
fn discounts(frame: &DataFrame, listing: &DataFrame) -> Result<Discounts, TableError> {
    let listed = by_id("subscription", listing.column("subscription")?.u32()?, listing.column("discounts")?.str()?)?;
    let shown = inline("subscription", frame)?;
    if listed.height() == 0 {
        return Ok(shown);
    }
    let count = listed.clone().lazy().group_by([col("owner")]).agg([len().alias("count")]);
    let said = shown.lazy().select([
        col("owner"),
        col("coupon").alias("said_coupon"),
        col("start").alias("said_start"),
        col("end").alias("said_end"),
    ]);
    let alone = || col("count").eq(lit(1));
    let none = |dtype: &DataType| lit(NULL).cast(dtype.clone());
    let either = |said: &str, dtype: &DataType| when(alone()).then(col(said)).otherwise(none(dtype));
    let named = listed
        .lazy()
        .join(count, [col("owner")], [col("owner")], in_order())
        .join(said, [col("owner")], [col("owner")], in_order())
        .with_columns([
            either("said_coupon", &DataType::String).alias("coupon"),
            either("said_start", &crate::table::INSTANT).alias("start"),
            either("said_end", &crate::table::INSTANT).alias("end"),
        ])
        .collect()?;
    let named = Discounts::new(named)?.into_frame();
    let unlisted = shown.lazy().anti_join(named.clone().lazy(), col("owner"), col("owner")).collect()?;
    Ok(Discounts::new(stacked(vec![named, unlisted], Discounts::empty().into_frame())?)?)
}
