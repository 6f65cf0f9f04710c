//! Subscriptions of the Stripe dashboard: each row with its one price.

use super::{StripePart, interval};
use crate::config::{AmountMeaning, Settings};
use crate::load::amount::minor_units;
use crate::load::columns::{lower, map};
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin, quoted};
use crate::load::ordered;
use crate::load::sheet::{FieldHeadings, Sheet};
use crate::model::{Currency, Reason};
use crate::table::{Discounts, INSTANT, Items, StripeTables, Subscriptions};
use polars::prelude::*;
use std::borrow::Cow;

/// The columns of the dashboard's subscriptions.
pub(super) const SUBSCRIPTION_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("customer", &["customer id"]),
    ("status", &["status"]),
    ("amount", &["amount"]),
    ("currency", &["currency"]),
    ("interval", &["interval"]),
    ("quantity", &["quantity"]),
    ("interval_count", &["interval count"]),
    ("product", &["product id"]),
    ("coupon", &["coupon"]),
    ("cancel_at_period_end", &["cancel at period end"]),
    ("cancel_at", &["cancel at (utc)", "cancel at"]),
    ("canceled_at", &["canceled at (utc)", "canceled at"]),
    ("ended_at", &["ended at (utc)", "ended at"]),
    ("created", &["created (utc)", "created"]),
    ("current_period_end", &["current period end (utc)", "current period end"]),
    ("livemode", &["livemode"]),
];

/// Without these columns no MRR can be told.
pub(super) const SUBSCRIPTIONS_NEED: &[&str] = &["customer", "status", "amount", "currency", "interval"];

/// Subscriptions, their items and discounts in their canonical tables.
pub(super) fn subscriptions(sheet: Sheet, origin: &Origin<'_>, settings: &Settings) -> Result<StripePart, TableError> {
    let subscription_rows = sheet.rows;
    let mut faults = Faults::default();
    let frame = typed(&sheet, settings, &mut faults)?;
    let (frame, found) = faults.reject(frame, origin, "id", Some("customer"))?;
    let frame = ordered(frame)?;
    let tables = StripeTables {
        discounts: discounts(&frame)?,
        subscriptions: Subscriptions::new(frame.clone())?,
        items: items(frame, settings.stripe.amount)?,
        ..StripeTables::empty()
    };
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    Ok(StripePart { rejections, subscription_rows, ..StripePart::of(tables) })
}

/// The frame with every column in its canonical type, those of both tables side by side.
fn typed(sheet: &Sheet, settings: &Settings, faults: &mut Faults) -> PolarsResult<DataFrame> {
    let rows = sheet.height();
    let mut frame = sheet.frame.clone();
    let mut columns = Vec::new();
    for field in ["id", "customer", "status"] {
        for row in nulls(&sheet.text(field)?) {
            faults.add(row, Reason::MissingId, || format!("{} is blank", sheet.heading(field)));
        }
    }
    columns.extend(amounts(&sheet.text("amount")?, &sheet.text("currency")?, sheet, settings, faults));
    let quantity = sheet.integers("quantity", 0, faults)?;
    columns.push(quantity.is_null().with_name("quantity_required".into()).into_column());
    columns.push(quantity.into_column());
    columns.extend(interval::columns(&sheet.lower("interval")?, &sheet.integers("interval_count", 1, faults)?)?);
    for field in ["created", "current_period_end", "cancel_at", "canceled_at", "ended_at"] {
        columns.push(sheet.instants(field, faults)?);
    }
    let cancels = sheet.booleans("cancel_at_period_end", faults)?;
    columns.push(cancels.bool()?.fill_null_with_values(false)?.into_column());
    columns.push(sheet.booleans("livemode", faults)?);
    columns.push(sheet.lower("currency")?.into_column());
    for field in ["id", "customer", "product", "coupon"] {
        columns.push(sheet.text(field)?.into_column());
    }
    let status = lower(&sheet.text("status")?);
    let status = map(&status, |word| {
        Some(match word {
            "cancelled" => Cow::Borrowed("canceled"),
            spaced if spaced.contains(' ') => Cow::Owned(spaced.replace(' ', "_")),
            plain => Cow::Borrowed(plain),
        })
    });
    columns.push(status.into_column());
    for name in ["pause_behavior", "content"] {
        columns.push(Column::full_null(name.into(), rows, &DataType::String));
    }
    for name in ["pause_resumes_at", "event_created"] {
        columns.push(Column::full_null(name.into(), rows, &INSTANT));
    }
    for column in columns {
        frame.with_column(column)?;
    }
    Ok(frame)
}

fn nulls(text: &StringChunked) -> Vec<usize> {
    if text.null_count() == 0 {
        return Vec::new();
    }
    text.iter().enumerate().filter_map(|(row, cell)| cell.is_none().then_some(row)).collect()
}

/// `amount_num`, `amount_den`, and `problem` with its detail for rows whose amount the dashboard leaves blank.
fn amounts(
    amount: &StringChunked,
    currency: &StringChunked,
    sheet: &Sheet,
    settings: &Settings,
    faults: &mut Faults,
) -> [Column; 4] {
    let rows = amount.len();
    let mut num: Vec<Option<i128>> = Vec::with_capacity(rows);
    let mut den: Vec<Option<i128>> = Vec::with_capacity(rows);
    // Neighbouring rows mostly share a currency: its digits are looked up when it changes.
    let mut last: (&str, Option<u8>) = ("", None);
    for (row, (amount, currency)) in amount.iter().zip(currency.iter()).enumerate() {
        let code = currency.unwrap_or_default();
        if code != last.0 {
            last = (code, Currency::parse(code).ok().map(|known| known.digits(&settings.mrr.currency_digits)));
        }
        let value = match (amount, last.1) {
            (None, _) => None,
            (Some(text), None) => {
                faults.add(row, Reason::BadNumber, || {
                    let (amount, currency) = (sheet.heading("amount"), sheet.heading("currency"));
                    format!("{amount}: {} in {currency} {}, which is no currency", quoted(text), quoted(code))
                });
                None
            }
            (Some(text), Some(digits)) => match minor_units(text, digits, sheet.separator) {
                Ok(value) => Some(value),
                Err(reason) => {
                    faults.value(row, reason, sheet.heading("amount"), text);
                    None
                }
            },
        };
        num.push(value.map(|(num, _)| num));
        den.push(value.map(|(_, den)| den));
    }
    let (problem, detail) = if amount.null_count() == 0 {
        let none = |name: &str| Column::full_null(name.into(), rows, &DataType::String);
        (none("problem"), none("problem_detail"))
    } else {
        let blank = |text: &'static str| {
            amount.iter().map(move |cell| if cell.is_none() { Some(text) } else { None }).collect::<StringChunked>()
        };
        let what = "Amount is blank, as the dashboard shows prices with tiers or several items; export the API's JSON \
                    for such subscriptions";
        (
            blank(Reason::TiersMissing.as_str()).with_name("problem".into()).into_column(),
            blank(what).with_name("problem_detail".into()).into_column(),
        )
    };
    let numbers =
        |name: &str, values: Vec<Option<i128>>| Int128Chunked::from_slice_options(name.into(), &values).into_column();
    [numbers("amount_num", num), numbers("amount_den", den), problem, detail]
}

/// One item per subscription, with the same `ord`.
fn items(mut frame: DataFrame, meaning: AmountMeaning) -> Result<Items, TableError> {
    let rows = frame.height();
    let subscription = frame.column("ord")?.clone().with_name("subscription".into());
    frame.with_column(subscription)?;
    for name in ["id", "price", "usage_type", "tiers_mode", "divide_round"] {
        frame.with_column(Column::full_null(name.into(), rows, &DataType::String))?;
    }
    frame.with_column(Column::full_null("divide_by".into(), rows, &DataType::Int64))?;
    frame.with_column(Column::full_null("tiers".into(), rows, &DataType::UInt32))?;
    // The period stands on the subscription in these files.
    frame.with_column(Column::full_null("current_period_end".into(), rows, &INSTANT))?;
    let constant = |name: &str, value: bool| Column::new_scalar(name.into(), Scalar::from(value), rows);
    frame.with_column(constant("tiered", false))?;
    frame.with_column(constant("amount_is_total", meaning == AmountMeaning::Total))?;
    Ok(Items::new(frame)?)
}

/// One discount per coupon id in the cell. A loop over rows, since a cell may hold a list and few rows hold any.
fn discounts(frame: &DataFrame) -> Result<Discounts, TableError> {
    let (mut owners, mut coupons, mut positions) = (Vec::<u32>::new(), Vec::<&str>::new(), Vec::<u32>::new());
    let cells = frame.column("coupon")?.str()?;
    for (owner, cell) in (0_u32..).zip(cells.iter()) {
        let ids = cell.unwrap_or_default().split([',', ';']).map(str::trim).filter(|id| !id.is_empty());
        for (position, id) in (0_u32..).zip(ids) {
            owners.push(owner);
            coupons.push(id);
            positions.push(position);
        }
    }
    let rows = owners.len();
    let none = |name: &str, dtype: &DataType| Column::full_null(name.into(), rows, dtype);
    Ok(Discounts::new(DataFrame::new(
        rows,
        vec![
            Column::new_scalar("level".into(), Scalar::from(PlSmallStr::from("subscription")), rows),
            Column::new("owner".into(), owners),
            none("customer", &DataType::String),
            none("id", &DataType::String),
            Column::new("coupon".into(), coupons),
            none("start", &INSTANT),
            none("end", &INSTANT),
            Column::new("position".into(), positions),
        ],
    )?)?)
}
