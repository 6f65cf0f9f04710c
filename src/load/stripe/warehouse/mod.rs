//! Tables of a warehouse: Stripe Sigma, Stripe Data Pipeline, and loaders such as Fivetran.
//!
//! In: a [`Sheet`] whose kind is known. Out: rows by id, which [`super::relate`] joins. Amounts are whole numbers of minor
//! units as Stripe sends them, decimals of them where a column says so. Never: another file, a rule about money.

mod catalogue;
mod discounts;
mod items;
mod other;
mod subscriptions;

pub(super) use catalogue::{COUPON_FIELDS, PRICE_FIELDS, TIER_FIELDS, coupons, prices, tiers};
pub(super) use discounts::{DISCOUNT_FIELDS, discounts, inline};
pub(super) use items::{ITEM_FIELDS, items};
pub(super) use other::{METADATA_FIELDS, OTHER_FIELDS, metadata, not_used};
pub(super) use subscriptions::{SUBSCRIPTION_FIELDS, subscriptions};

use super::part::StripePart;
use super::related::{Related, Unreadable};
use crate::load::amount::minor_units;
use crate::load::error::TableError;
use crate::load::fault::Faults;
use crate::load::settle::SettledRows;
use crate::load::sheet::Sheet;
use crate::model::{Disposition, Reason, Rejection};
use crate::table::{INSTANT, StripeTables};
use polars::prelude::*;
use std::collections::BTreeMap;

/// A part with nothing but `rows` of `source`.
fn part(source: &'static str, rows: u64, related: Related, rejections: Vec<Rejection>) -> StripePart {
    let other_rows = BTreeMap::from([(source, rows)]);
    StripePart { related, rejections, other_rows, ..StripePart::of(StripeTables::empty()) }
}

/// Takes note of what the rejected rows belong to, which is what `reject` was told to name as their customer.
pub(super) fn unreadable(level: &str, rejections: &mut [Rejection]) -> Result<Unreadable, TableError> {
    let mut rows: [Vec<String>; 3] = Default::default();
    // One row per rejected one: they are few.
    for rejection in rejections {
        let Some(owner) = rejection.customer.take() else { continue };
        rows[0].push(owner);
        rows[1].push(rejection.reason.as_str().to_owned());
        rows[2].push(format!("{}:{}: {}", rejection.file, rejection.line, rejection.detail));
    }
    let [ids, reasons, details] = rows;
    let height = ids.len();
    let level = Column::new_scalar("level".into(), Scalar::from(PlSmallStr::from(level)), height);
    let columns =
        [("id", ids), ("reason", reasons), ("detail", details)].map(|(name, rows)| Column::new(name.into(), rows));
    Ok(Unreadable::new(DataFrame::new(height, std::iter::once(level).chain(columns).collect())?)?)
}

/// `frame` with `event_created`: no event carries a row of a table.
fn undated(mut frame: DataFrame) -> PolarsResult<DataFrame> {
    let rows = frame.height();
    frame.with_column(Column::full_null("event_created".into(), rows, &INSTANT))?;
    Ok(frame)
}

/// Names `field` as missing in rows where it is null.
fn required(sheet: &Sheet, text: &StringChunked, field: &'static str, faults: &mut Faults) {
    if text.null_count() == 0 {
        return;
    }
    for (row, cell) in text.iter().enumerate() {
        if cell.is_none() {
            faults.add(row, Reason::MissingId, || format!("{} is blank", sheet.heading(field)));
        }
    }
}

/// How many of what is sent make one minor unit of a currency.
type Sent<'a> = &'a dyn Fn(Option<&str>) -> i128;

/// Amounts as sent: the first of `fields` that a row holds, as `num` and `den`; null where it holds none.
fn amounts(
    sheet: &Sheet,
    fields: &[&'static str],
    (num, den): (&str, &str),
    sent: Option<Sent<'_>>,
    faults: &mut Faults,
) -> PolarsResult<[Column; 2]> {
    let columns = fields.iter().map(|field| Ok((*field, sheet.text(field)?))).collect::<PolarsResult<Vec<_>>>()?;
    let currencies = sent.map(|_| sheet.lower("currency")).transpose()?;
    let rows = sheet.height();
    let (mut nums, mut dens) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    // One kernel over the columns: polars' own decimals go through floats.
    for row in 0..rows {
        let value = columns.iter().find_map(|(field, column)| Some((*field, column.get(row)?)));
        let amount = value.and_then(|(field, text)| match minor_units(text, 0, sheet.separator) {
            Ok(amount) => Some(amount),
            Err(reason) => {
                faults.value(row, reason, sheet.heading(field), text);
                None
            }
        });
        let factor = match (sent, &currencies) {
            (Some(sent), Some(currencies)) => sent(currencies.get(row)),
            _ => 1,
        };
        nums.push(amount.map(|(num, _)| num));
        dens.push(amount.map_or(1, |(_, den)| den) * factor);
    }
    Ok([
        Int128Chunked::from_slice_options(num.into(), &nums).into_column(),
        Int128Chunked::from_slice(den.into(), &dens).into_column(),
    ])
}

/// Rows of `frame` (with `file`, `line`, `id`) that are done with.
fn settled(
    source: &str,
    frame: LazyFrame,
    disposition: Disposition,
    reason: Reason,
) -> Result<SettledRows, TableError> {
    let rows = frame.select([
        lit(source).alias("source"),
        col("file"),
        col("line"),
        col("id"),
        lit(disposition.as_str()).alias("disposition"),
        lit(reason.as_str()).alias("reason"),
    ]);
    Ok(SettledRows::new(rows.collect()?)?)
}
