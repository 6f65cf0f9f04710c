//! Prices, plans, tiers and coupons.

use super::super::relate::{COUPONS, PLANS, PRICES, TIERS};
use super::super::related::{Related, RelatedCoupons, RelatedPrices, RelatedTiers};
use super::{StripePart, amounts, part, required, undated, unreadable};
use crate::load::columns::map;
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin};
use crate::load::sheet::{FieldHeadings, Sheet};
use crate::load::stripe::api_json::sent_per_minor;
use crate::model::{Currency, Reason};
use crate::table::{Coupons, StripeTables};
use polars::prelude::*;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Prices and plans.
pub(in super::super) const PRICE_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("product", &["product_id", "product"]),
    ("currency", &["currency"]),
    ("amount", &["unit_amount", "amount"]),
    ("amount_decimal", &["unit_amount_decimal", "amount_decimal"]),
    ("interval", &["recurring_interval", "interval"]),
    ("interval_count", &["recurring_interval_count", "interval_count"]),
    ("usage_type", &["recurring_usage_type", "usage_type"]),
    ("scheme", &["billing_scheme"]),
    ("tiers_mode", &["tiers_mode"]),
    ("divide_by", &["transform_quantity_divide_by", "transform_usage_divide_by"]),
    ("divide_round", &["transform_quantity_round", "transform_usage_round"]),
];

/// Tiers of prices.
pub(in super::super) const TIER_FIELDS: &[FieldHeadings] = &[
    ("price", &["price_id"]),
    ("plan", &["plan_id"]),
    ("id", &["id"]),
    ("up_to", &["up_to", "upto"]),
    ("unit", &["unit_amount", "amount"]),
    ("unit_decimal", &["unit_amount_decimal", "amount_decimal"]),
    ("flat", &["flat_amount"]),
    ("flat_decimal", &["flat_amount_decimal"]),
];

/// Coupons.
pub(in super::super) const COUPON_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("percent_off", &["percent_off"]),
    ("percent_off_precise", &["percent_off_precise"]),
    ("amount_off", &["amount_off"]),
    ("currency", &["currency"]),
    ("duration", &["duration"]),
    ("duration_in_months", &["duration_in_months"]),
    ("applies_to", &["applies_to_products", "applies_to"]),
];

type Digits = BTreeMap<Currency, u8>;

/// Reads prices, or (`plan`) plans.
pub(in super::super) fn prices(
    mut sheet: Sheet,
    plan: bool,
    origin: &Origin<'_>,
    digits: &Digits,
) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    required(&sheet, &sheet.text("id")?, "id", &mut faults);
    let sent = |currency: Option<&str>| sent_per_minor(currency, digits);
    let mut columns: Vec<Column> =
        amounts(&sheet, &["amount_decimal", "amount"], ("amount_num", "amount_den"), Some(&sent), &mut faults)?.into();
    let count = sheet.integers("interval_count", 1, &mut faults)?;
    columns.push(count.fill_null_with_values(1)?.into_column());
    columns.push(sheet.integers("divide_by", 1, &mut faults)?.into_column());
    for field in ["currency", "interval", "usage_type", "tiers_mode", "divide_round", "scheme"] {
        columns.push(sheet.lower(field)?.into_column());
    }
    for field in ["id", "product"] {
        columns.push(sheet.text(field)?.into_column());
    }
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    let frame = sheet
        .frame
        .lazy()
        .with_columns([
            lit(plan).alias("plan"),
            col("scheme").eq(lit("tiered")).fill_null(lit(false)).or(col("tiers_mode").is_not_null()).alias("tiered"),
        ])
        .collect()?;
    let (frame, found) = faults.reject(frame, origin, "id", None)?;
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    let related = Related { prices: RelatedPrices::new(undated(frame)?)?, ..Related::empty() };
    Ok(part(if plan { PLANS } else { PRICES }, sheet.rows, related, rejections))
}

/// Reads tiers.
pub(in super::super) fn tiers(mut sheet: Sheet, origin: &Origin<'_>) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    let (plan, id) = (sheet.text("plan")?, sheet.text("id")?);
    let plan = plan.zip_with(&plan.is_not_null(), &id)?;
    let price = sheet.text("price")?;
    let price = price.zip_with(&price.is_not_null(), &plan)?.with_name("price".into());
    required(&sheet, &price, "price", &mut faults);
    let ends = sheet.text("up_to")?;
    // The last tier has no end: blank, or the API's word for it.
    let ends = map(&ends, |end| (!end.eq_ignore_ascii_case("inf")).then_some(Cow::Borrowed(end)));
    sheet.frame.with_column(ends.with_name("up_to".into()).into_column())?;
    let mut columns = vec![sheet.integers("up_to", 0, &mut faults)?.into_column(), price.into_column()];
    columns.extend(amounts(&sheet, &["unit_decimal", "unit"], ("unit_num", "unit_den"), None, &mut faults)?);
    columns.extend(amounts(&sheet, &["flat_decimal", "flat"], ("flat_num", "flat_den"), None, &mut faults)?);
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    let zero = |name: &str| col(name).fill_null(lit(0).cast(DataType::Int128));
    let frame = sheet.frame.lazy().with_columns([zero("unit_num"), zero("flat_num")]).collect()?;
    let (frame, found) = faults.reject(frame, origin, "price", Some("price"))?;
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    let unreadable = unreadable("price", &mut rejections)?;
    let related = Related { tiers: RelatedTiers::new(frame)?, unreadable, ..Related::empty() };
    Ok(part(TIERS, sheet.rows, related, rejections))
}

/// Reads coupons.
pub(in super::super) fn coupons(
    mut sheet: Sheet,
    origin: &Origin<'_>,
    digits: &Digits,
) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    required(&sheet, &sheet.text("id")?, "id", &mut faults);
    let precise = percentages(&sheet, "percent_off_precise", &mut faults)?;
    let percents = percentages(&sheet, "percent_off", &mut faults)?.zip_with(&precise.is_null(), &precise)?;
    let sent = |currency: Option<&str>| sent_per_minor(currency, digits);
    let [nums, dens] = amounts(&sheet, &["amount_off"], ("num", "den"), Some(&sent), &mut faults)?;
    let mut columns = vec![nums, dens, sheet.integers("duration_in_months", 0, &mut faults)?.into_column()];
    for field in ["currency", "duration"] {
        columns.push(sheet.lower(field)?.into_column());
    }
    for field in ["id", "applies_to"] {
        columns.push(sheet.text(field)?.into_column());
    }
    columns.push(percents.into_column());
    for column in columns {
        sheet.frame.with_column(column)?;
    }
    let text = |name: &str| col(name).cast(DataType::String).fill_null(lit(""));
    let content = COUPON_FIELDS.iter().map(|(field, _)| text(field)).collect::<Vec<_>>();
    let frame = sheet
        .frame
        .lazy()
        .with_columns([
            (col("num") / col("den")).cast(DataType::Int64).alias("amount_off"),
            concat_str(content, "\u{1f}", false).alias("content"),
        ])
        .collect()?;
    let (mut frame, found) = faults.reject(frame, origin, "id", None)?;
    let related = RelatedCoupons::new(undated(frame.clone())?)?;
    let products = products(frame.column("applies_to")?.str()?);
    frame.with_column(products)?;
    let tables = StripeTables { coupons: Coupons::new(frame)?, ..StripeTables::empty() };
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    let related = Related { coupons: related, ..Related::empty() };
    Ok(StripePart { tables, ..part(COUPONS, sheet.rows, related, rejections) })
}

/// Percentages in their shortest form, so that `10` and `10.0` are the same.
fn percentages(sheet: &Sheet, field: &'static str, faults: &mut Faults) -> PolarsResult<StringChunked> {
    let mut row = 0;
    let cells = sheet.text(field)?;
    let percents = cells.iter().map(|cell| {
        let place = row;
        row += 1;
        let value = cell?;
        let number = value.parse::<Decimal>().or_else(|_| Decimal::from_scientific(value)).ok();
        if number.is_none() {
            faults.value(place, Reason::BadNumber, sheet.heading(field), value);
        }
        let possible = number.filter(|number| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(number));
        if number.is_some() && possible.is_none() {
            faults.value(place, Reason::AmountOutOfRange, sheet.heading(field), value);
        }
        possible.map(|number| number.normalize().to_string())
    });
    Ok(percents.collect::<StringChunked>().with_name("percent_off".into()))
}

/// Product ids of a cell, `prod_1,prod_2`; null where there are none. A loop, since a cell holds a list and coupons are few.
fn products(cells: &StringChunked) -> Column {
    let mut lists = ListStringChunkedBuilder::new("applies_to".into(), cells.len(), 0);
    for cell in cells.iter() {
        let ids: Vec<&str> = cell
            .unwrap_or_default()
            .split([',', ';'])
            .map(|id| id.trim_matches(['[', ']', '"', ' ']))
            .filter(|id| !id.is_empty())
            .collect();
        if ids.is_empty() { lists.append_null() } else { lists.append_values_iter(ids.into_iter()) }
    }
    lists.finish().into_column()
}
