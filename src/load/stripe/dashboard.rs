//! CSV files that the Stripe dashboard exports: customers, and subscriptions with one price each.

use super::StripePart;
use super::related::Related;
use crate::config::{AmountMeaning, Settings};
use crate::load::amount::minor_units;
use crate::load::columns::{booleans, instants, integers, lower, map};
use crate::load::csv_check::Checked;
use crate::load::csv_read;
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin, quoted, structural};
use crate::load::headings::{find, missing};
use crate::load::{LoadError, ordered};
use crate::model::{Break, BreakKind, Currency, Reason, Rejection};
use crate::table::{Accounts, Discounts, INSTANT, Items, StripeTables, Subscriptions};
use polars::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A field, and the headings it goes by.
type FieldHeadings = (&'static str, &'static [&'static str]);

const CUSTOMER_FIELDS: &[FieldHeadings] = &[
    ("id", &["id"]),
    ("email", &["email"]),
    ("name", &["name"]),
    ("created", &["created (utc)", "created"]),
    ("deleted", &["deleted"]),
    ("livemode", &["livemode"]),
];

const SUBSCRIPTION_FIELDS: &[FieldHeadings] = &[
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
const SUBSCRIPTIONS_NEED: &[&str] = &["customer", "status", "amount", "currency", "interval"];

/// Where each field stands: the columns to read, and the file's own heading of a field for messages.
struct Layout {
    wanted: Vec<(&'static str, Option<usize>)>,
    headings: Vec<String>,
}

impl Layout {
    fn new(checked: &Checked<'_>, fields: &[FieldHeadings]) -> Self {
        let wanted = fields.iter().map(|(field, names)| (*field, find(&checked.headings, names))).collect();
        Self { wanted, headings: checked.headings.clone() }
    }

    fn column(&self, field: &str) -> Option<usize> {
        self.wanted.iter().find(|(known, _)| *known == field).and_then(|(_, column)| *column)
    }

    fn heading(&self, field: &'static str) -> &str {
        self.column(field).map_or(field, |column| self.headings[column].as_str())
    }
}

/// A dashboard file as text columns, with what its structural pass took out. It no longer needs the file's bytes.
pub(super) struct Raw {
    layout: Layout,
    frame: DataFrame,
    rejections: Vec<Rejection>,
    rows: u64,
    separator: u8,
}

fn raw(mut checked: Checked<'_>, layout: Layout, origin: &Origin<'_>) -> Result<Raw, LoadError> {
    let (rows, separator) = (checked.rows(), checked.separator);
    let rejections = structural(&mut checked, origin, layout.column("id"), layout.column("customer"));
    let frame = csv_read::read(&checked, &layout.wanted, origin.file, origin.index)?;
    Ok(Raw { layout, frame, rejections, rows, separator })
}

/// Reads the text of a customers file.
pub(super) fn raw_customers(checked: Checked<'_>, origin: &Origin<'_>, settings: &Settings) -> Result<Raw, LoadError> {
    let mut layout = Layout::new(&checked, CUSTOMER_FIELDS);
    let metadata = settings.stripe.external_id_metadata.as_ref().map(|key| format!("{key} (metadata)"));
    layout.wanted.push(("external_id", metadata.and_then(|heading| find(&checked.headings, &[heading]))));
    raw(checked, layout, origin)
}

/// Reads the text of a subscriptions file.
pub(super) fn raw_subscriptions(checked: Checked<'_>, origin: &Origin<'_>) -> Result<Raw, LoadError> {
    let layout = Layout::new(&checked, SUBSCRIPTION_FIELDS);
    for &field in SUBSCRIPTIONS_NEED {
        if layout.column(field).is_none() {
            let wanted =
                SUBSCRIPTION_FIELDS.iter().find(|(known, _)| *known == field).map_or(field, |(_, names)| names[0]);
            let advice = "export the subscriptions again with all columns";
            return Err(missing(&checked, origin.file, field, wanted, advice));
        }
    }
    raw(checked, layout, origin)
}

/// Customers in their canonical table.
pub(super) fn customers(raw: Raw, origin: &Origin<'_>) -> Result<StripePart, LoadError> {
    let Raw { layout, mut frame, mut rejections, rows: customer_rows, .. } = raw;
    let build = || -> Result<_, TableError> {
        let mut faults = Faults::default();
        // When a customer was created only tells which of several accounts is the oldest: a row is not lost for it, and
        // with the row its MRR.
        let mut unreadable = Faults::default();
        let text = |name: &str| -> PolarsResult<&StringChunked> { frame.column(name)?.str() };
        let created = instants(text("created")?, layout.heading("created"), false, &mut unreadable)?;
        let deleted = booleans(text("deleted")?, layout.heading("deleted"), &mut faults);
        let deleted = deleted.bool()?.fill_null_with_values(false)?.into_column();
        let livemode = booleans(text("livemode")?, layout.heading("livemode"), &mut faults);
        let email = lower(text("email")?).into_column();
        let none = Column::full_null("event_created".into(), frame.height(), &INSTANT);
        for column in [created, deleted, livemode, email, none] {
            frame.with_column(column)?;
        }
        let (_, without) = unreadable.reject(frame.clone(), origin, "id", None)?;
        let (frame, found) = faults.reject(frame, origin, "id", None)?;
        Ok((Accounts::new(ordered(frame)?)?, found, without))
    };
    let (accounts, found, without) = build().map_err(|error| LoadError::internal(origin.file, error))?;
    rejections.extend(found);
    let unreadable_value = |row: Rejection| {
        let detail = format!("{}; the row stands without it", row.detail);
        Break::new(BreakKind::UnreadableValue, row.source, row.id.unwrap_or_default(), detail).at(row.file, row.line)
    };
    Ok(StripePart {
        tables: StripeTables { accounts, ..StripeTables::empty() },
        related: Related::empty(),
        rejections,
        breaks: without.into_iter().map(unreadable_value).collect(),
        customer_rows,
        subscription_rows: 0,
        other_rows: BTreeMap::new(),
        other_objects: 0,
        shape: String::new(),
    })
}

/// Subscriptions, their items and discounts in their canonical tables.
pub(super) fn subscriptions(raw: Raw, origin: &Origin<'_>, settings: &Settings) -> Result<StripePart, LoadError> {
    let Raw { layout, frame, mut rejections, rows: subscription_rows, separator } = raw;
    let build = || -> Result<_, TableError> {
        let mut faults = Faults::default();
        let frame = typed(frame, &layout, separator, settings, &mut faults)?;
        let (frame, found) = faults.reject(frame, origin, "id", Some("customer"))?;
        let frame = ordered(frame)?;
        let tables = StripeTables {
            discounts: discounts(&frame)?,
            subscriptions: Subscriptions::new(frame.clone())?,
            items: items(frame, settings.stripe.amount)?,
            ..StripeTables::empty()
        };
        Ok((tables, found))
    };
    let (tables, found) = build().map_err(|error| LoadError::internal(origin.file, error))?;
    rejections.extend(found);
    Ok(StripePart {
        tables,
        related: Related::empty(),
        rejections,
        breaks: Vec::new(),
        customer_rows: 0,
        subscription_rows,
        other_rows: BTreeMap::new(),
        other_objects: 0,
        shape: String::new(),
    })
}

/// The frame with every column in its canonical type, those of both tables side by side.
fn typed(
    mut frame: DataFrame,
    layout: &Layout,
    separator: u8,
    settings: &Settings,
    faults: &mut Faults,
) -> PolarsResult<DataFrame> {
    let rows = frame.height();
    let mut columns = Vec::new();
    {
        let text = |name: &str| -> PolarsResult<&StringChunked> { frame.column(name)?.str() };
        for field in ["id", "customer"] {
            for row in nulls(text(field)?) {
                faults.add(row, Reason::MissingId, || format!("{} is blank", layout.heading(field)));
            }
        }
        columns.extend(amounts(text("amount")?, text("currency")?, layout, separator, settings, faults));
        let quantity = integers(text("quantity")?, layout.heading("quantity"), 0, faults);
        columns.push(quantity.is_null().with_name("quantity_required".into()).into_column());
        columns.push(quantity.into_column());
        let count = integers(text("interval_count")?, layout.heading("interval_count"), 1, faults);
        columns.push(count.fill_null_with_values(1)?.into_column());
        for field in ["created", "current_period_end", "cancel_at", "canceled_at", "ended_at"] {
            columns.push(instants(text(field)?, layout.heading(field), false, faults)?);
        }
        let cancels = booleans(text("cancel_at_period_end")?, layout.heading("cancel_at_period_end"), faults);
        columns.push(cancels.bool()?.fill_null_with_values(false)?.into_column());
        columns.push(booleans(text("livemode")?, layout.heading("livemode"), faults));
        columns.push(lower(text("currency")?).into_column());
        columns.push(lower(text("interval")?).into_column());
        let status = lower(text("status")?);
        columns.push(
            map(&status, |word| {
                Some(if word.contains(' ') { Cow::Owned(word.replace(' ', "_")) } else { Cow::Borrowed(word) })
            })
            .into_column(),
        );
    }
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
    layout: &Layout,
    separator: u8,
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
                    let (amount, currency) = (layout.heading("amount"), layout.heading("currency"));
                    format!("{amount}: {} in {currency} {}, which is no currency", quoted(text), quoted(code))
                });
                None
            }
            (Some(text), Some(digits)) => match minor_units(text, digits, separator) {
                Ok(value) => Some(value),
                Err(reason) => {
                    faults.value(row, reason, layout.heading("amount"), text);
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
