//! Rows of the canonical tables while they are collected, and the tables made of them.

use crate::model::Reason;
use crate::table::{Accounts, Coupons, Discounts, Items, SchemaError, StripeTables, Subscriptions, TaxRates, Tiers};
use polars::prelude::*;

#[derive(Debug, Default)]
pub(super) struct AccountRow {
    pub line: u32,
    pub id: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub created: Option<i64>,
    pub deleted: bool,
    pub livemode: Option<bool>,
    pub external_id: Option<String>,
    pub event_created: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct SubscriptionRow {
    pub line: u32,
    pub id: String,
    pub customer: String,
    pub status: Option<String>,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<i64>,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub created: Option<i64>,
    pub current_period_end: Option<i64>,
    pub pause_behavior: Option<String>,
    pub pause_resumes_at: Option<i64>,
    pub livemode: Option<bool>,
    pub event_created: Option<i64>,
    pub content: String,
    /// Why its MRR cannot be known, with what was found and what to do.
    pub problem: Option<(Reason, String)>,
}

/// What a price or plan says.
#[derive(Debug, Default)]
pub(super) struct CostRow {
    pub product: Option<String>,
    pub currency: Option<String>,
    pub amount: Option<(i128, i128)>,
    pub interval: Option<String>,
    pub interval_count: i64,
    pub usage_type: Option<String>,
    pub tiered: bool,
    pub tiers_mode: Option<String>,
    pub divide_by: Option<i64>,
    pub divide_round: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct ItemRow {
    pub subscription: u32,
    pub id: Option<String>,
    pub price: Option<String>,
    pub cost: CostRow,
    pub quantity: Option<i64>,
    /// Number of its tier list.
    pub tiers: Option<u32>,
    pub current_period_end: Option<i64>,
}

#[derive(Debug)]
pub(super) struct TierRow {
    /// Number of the list that it is part of.
    pub tiers: u32,
    pub up_to: Option<i64>,
    pub unit: (i128, i128),
    pub flat: (i128, i128),
}

#[derive(Debug, Clone, Default)]
pub(super) struct DiscountRow {
    pub level: &'static str,
    pub owner: u32,
    pub customer: Option<String>,
    pub id: Option<String>,
    pub coupon: Option<String>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub position: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CouponRow {
    pub id: String,
    pub percent_off: Option<String>,
    pub amount_off: Option<i64>,
    pub currency: Option<String>,
    pub duration: Option<String>,
    pub duration_in_months: Option<i64>,
    pub applies_to: Option<Vec<String>>,
}

impl CouponRow {
    /// What it takes off and for how long, in words, as [`crate::load::stripe::relate`] says it of the table's rows.
    pub fn worth(&self) -> Option<String> {
        let off = match (&self.percent_off, self.amount_off, &self.currency) {
            (Some(percent), ..) => format!("{percent} %"),
            (None, Some(amount), Some(currency)) => format!("{amount} {currency}"),
            _ => return None,
        };
        let duration = self.duration.as_ref()?;
        let months = self.duration_in_months.filter(|_| duration == "repeating");
        Some(format!("{off}, {duration}{}", months.map_or(String::new(), |months| format!(" {months}"))))
    }
}

#[derive(Debug)]
pub(super) struct TaxRow {
    pub level: &'static str,
    pub owner: u32,
    pub percentage: Option<String>,
    pub inclusive: bool,
}

/// All rows of one file.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub accounts: Vec<AccountRow>,
    pub subscriptions: Vec<SubscriptionRow>,
    pub items: Vec<ItemRow>,
    pub tiers: Vec<TierRow>,
    pub discounts: Vec<DiscountRow>,
    pub coupons: Vec<CouponRow>,
    pub tax_rates: Vec<TaxRow>,
}

/// `ord` for the next row of a table.
pub(super) fn next<T>(rows: &[T]) -> u32 {
    u32::try_from(rows.len()).unwrap_or(u32::MAX)
}

/// A frame with one column per named expression over the rows.
macro_rules! frame {
    ($rows:expr, $( $name:literal: $kind:ident $value:expr, )+) => {
        DataFrame::new($rows.len(), vec![ $( $kind($name, $rows.iter().map($value)), )+ ])?
    };
}
pub(super) use frame;

pub(super) fn text<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_series().into()
}

pub(super) fn flag(name: &str, values: impl Iterator<Item = Option<bool>>) -> Column {
    BooleanChunked::from_iter_options(name.into(), values).into_series().into()
}

pub(super) fn long(name: &str, values: impl Iterator<Item = Option<i64>>) -> Column {
    Int64Chunked::from_iter_options(name.into(), values).into_series().into()
}

pub(super) fn wide(name: &str, values: impl Iterator<Item = Option<i128>>) -> Column {
    Int128Chunked::from_iter_options(name.into(), values).into_series().into()
}

pub(super) fn short(name: &str, values: impl Iterator<Item = u32>) -> Column {
    UInt32Chunked::from_iter_values(name.into(), values).into_series().into()
}

pub(super) fn number(name: &str, values: impl Iterator<Item = Option<u32>>) -> Column {
    UInt32Chunked::from_iter_options(name.into(), values).into_series().into()
}

pub(super) fn time(name: &str, values: impl Iterator<Item = Option<i64>>) -> Column {
    let millis = Int64Chunked::from_iter_options(name.into(), values);
    millis.into_datetime(TimeUnit::Milliseconds, None).into_series().into()
}

fn numbered(frame: &mut DataFrame, file: Option<u32>) -> PolarsResult<()> {
    let rows = frame.height();
    frame.with_column(short("ord", (0..).take(rows)))?;
    if let Some(file) = file {
        frame.with_column(short("file", std::iter::repeat_n(file, rows)))?;
    }
    Ok(())
}

impl Rows {
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
            && self.subscriptions.is_empty()
            && self.items.is_empty()
            && self.tiers.is_empty()
            && self.discounts.is_empty()
            && self.coupons.is_empty()
            && self.tax_rates.is_empty()
    }

    /// Adds an account with the discounts that it holds.
    pub fn account(&mut self, row: AccountRow, discounts: Vec<DiscountRow>) {
        let owner = next(&self.accounts);
        let held = discounts.into_iter().map(|discount| DiscountRow { owner, customer: row.id.clone(), ..discount });
        self.discounts.extend(held);
        self.accounts.push(row);
    }

    /// The canonical tables; `file` is the file's index.
    pub fn tables(&self, file: u32) -> Result<StripeTables, SchemaError> {
        let mut accounts = frame!(self.accounts,
            "line": short |row| row.line,
            "id": text |row| row.id.as_deref(),
            "email": text |row| row.email.as_deref(),
            "name": text |row| row.name.as_deref(),
            "created": time |row| row.created,
            "deleted": flag |row| Some(row.deleted),
            "livemode": flag |row| row.livemode,
            "external_id": text |row| row.external_id.as_deref(),
            "event_created": time |row| row.event_created,
        );
        numbered(&mut accounts, Some(file))?;
        let mut subscriptions = frame!(self.subscriptions,
            "line": short |row| row.line,
            "id": text |row| Some(row.id.as_str()),
            "customer": text |row| Some(row.customer.as_str()),
            "status": text |row| row.status.as_deref(),
            "cancel_at_period_end": flag |row| Some(row.cancel_at_period_end),
            "cancel_at": time |row| row.cancel_at,
            "canceled_at": time |row| row.canceled_at,
            "ended_at": time |row| row.ended_at,
            "created": time |row| row.created,
            "current_period_end": time |row| row.current_period_end,
            "pause_behavior": text |row| row.pause_behavior.as_deref(),
            "pause_resumes_at": time |row| row.pause_resumes_at,
            "livemode": flag |row| row.livemode,
            "event_created": time |row| row.event_created,
            "content": text |row| Some(row.content.as_str()),
            "problem": text |row| row.problem.as_ref().map(|(reason, _)| reason.as_str()),
            "problem_detail": text |row| row.problem.as_ref().map(|(_, detail)| detail.as_str()),
        );
        numbered(&mut subscriptions, Some(file))?;
        let mut items = frame!(self.items,
            "subscription": short |row| row.subscription,
            "id": text |row| row.id.as_deref(),
            "price": text |row| row.price.as_deref(),
            "product": text |row| row.cost.product.as_deref(),
            "currency": text |row| row.cost.currency.as_deref(),
            "amount_num": wide |row| row.cost.amount.map(|amount| amount.0),
            "amount_den": wide |row| Some(row.cost.amount.map_or(1, |amount| amount.1)),
            "amount_is_total": flag |_| Some(false),
            "quantity": long |row| row.quantity,
            "quantity_required": flag |_| Some(false),
            "interval": text |row| row.cost.interval.as_deref(),
            "interval_count": long |row| Some(row.cost.interval_count),
            "usage_type": text |row| row.cost.usage_type.as_deref(),
            "tiered": flag |row| Some(row.cost.tiered),
            "tiers_mode": text |row| row.cost.tiers_mode.as_deref(),
            "tiers": number |row| row.tiers,
            "divide_by": long |row| row.cost.divide_by,
            "divide_round": text |row| row.cost.divide_round.as_deref(),
            "current_period_end": time |row| row.current_period_end,
        );
        numbered(&mut items, None)?;
        let tiers = frame!(self.tiers,
            "tiers": short |row| row.tiers,
            "up_to": long |row| row.up_to,
            "unit_num": wide |row| Some(row.unit.0),
            "unit_den": wide |row| Some(row.unit.1),
            "flat_num": wide |row| Some(row.flat.0),
            "flat_den": wide |row| Some(row.flat.1),
        );
        let discounts = frame!(self.discounts,
            "level": text |row| Some(row.level),
            "owner": short |row| row.owner,
            "customer": text |row| row.customer.as_deref(),
            "id": text |row| row.id.as_deref(),
            "coupon": text |row| row.coupon.as_deref(),
            "start": time |row| row.start,
            "end": time |row| row.end,
            "position": short |row| row.position,
        );
        let tax_rates = frame!(self.tax_rates,
            "level": text |row| Some(row.level),
            "owner": short |row| row.owner,
            "percentage": text |row| row.percentage.as_deref(),
            "inclusive": flag |row| Some(row.inclusive),
        );
        Ok(StripeTables {
            accounts: Accounts::new(accounts)?,
            subscriptions: Subscriptions::new(subscriptions)?,
            items: Items::new(items)?,
            tiers: Tiers::new(tiers)?,
            discounts: Discounts::new(discounts)?,
            coupons: self.coupons()?,
            tax_rates: TaxRates::new(tax_rates)?,
        })
    }

    fn coupons(&self) -> Result<Coupons, SchemaError> {
        let mut frame = frame!(self.coupons,
            "id": text |row| Some(row.id.as_str()),
            "percent_off": text |row| row.percent_off.as_deref(),
            "amount_off": long |row| row.amount_off,
            "currency": text |row| row.currency.as_deref(),
            "duration": text |row| row.duration.as_deref(),
            "duration_in_months": long |row| row.duration_in_months,
        );
        let mut lists = ListStringChunkedBuilder::new("applies_to".into(), self.coupons.len(), 0);
        for row in &self.coupons {
            match &row.applies_to {
                Some(products) => lists.append_values_iter(products.iter().map(String::as_str)),
                None => lists.append_null(),
            }
        }
        frame.with_column(lists.finish().into_series().into())?;
        Coupons::new(frame)
    }
}
