//! Replies as rows of [`Existing`]: one per customer, the latest state of each. Pure.

use super::BaselineError;
use crate::model::{Instant, Money, TetherCustomer};
use crate::table::{Existing, INSTANT};
use polars::prelude::*;
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;

/// A reply's customer, normalised as tables hold it.
struct Row {
    customer: TetherCustomer,
    mrr: Option<i64>,
    period_end: Option<i64>,
    last_activity: Option<i64>,
    created_at: Option<i64>,
    updated_at: i64,
}

/// The replies as a table. Replies come one by one and are rows already, so they are folded one by one.
pub(super) fn table(
    replies: impl Iterator<Item = TetherCustomer>,
    digits: u8,
    seen_at: Instant,
) -> Result<Existing, BaselineError> {
    let mut folded = Folded::default();
    for reply in replies {
        folded.take(Row::new(reply, digits, seen_at));
    }
    let rows = folded.rows;
    let text = |name: &str, value: fn(&TetherCustomer) -> Option<&str>| {
        Column::new(name.into(), rows.iter().map(|row| value(&row.customer)).collect::<Vec<_>>())
    };
    let instant = |name: &str, value: fn(&Row) -> Option<i64>| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<_>>()).cast(&INSTANT)
    };
    let frame = DataFrame::new(
        rows.len(),
        vec![
            Column::new("ord".into(), (0..u32::try_from(rows.len()).unwrap_or(u32::MAX)).collect::<Vec<_>>()),
            Column::full_null("file".into(), rows.len(), &DataType::UInt32),
            Column::full_null("line".into(), rows.len(), &DataType::UInt32),
            text("tether_id", |customer| customer.tether_id.as_deref()),
            text("external_id", |customer| customer.external_id.as_deref()),
            text("email", |customer| customer.email.as_deref()),
            text("name", |customer| customer.name.as_deref()),
            text("company_name", |customer| customer.company_name.as_deref()),
            text("stripe_customer_id", |customer| customer.stripe_customer_id.as_deref()),
            Column::new("mrr".into(), rows.iter().map(|row| row.mrr).collect::<Vec<_>>()),
            text("subscription_status", |customer| customer.subscription_status.as_deref()),
            Column::new("auto_renew".into(), rows.iter().map(|row| row.customer.auto_renew).collect::<Vec<_>>()),
            instant("period_end", |row| row.period_end)?,
            instant("last_activity", |row| row.last_activity)?,
            instant("created_at", |row| row.created_at)?,
            instant("updated_at", |row| Some(row.updated_at))?,
        ],
    )?;
    Ok(Existing::new(frame)?)
}

impl Row {
    /// What cannot be read is not known (null): the next plan compares it as absent and sends the field again.
    fn new(mut reply: TetherCustomer, digits: u8, seen_at: Instant) -> Self {
        let instant = |text: &Option<String>| text.as_deref().and_then(|text| Instant::parse(text).ok());
        let millis = |text: &Option<String>| instant(text).map(Instant::epoch_millis);
        for member in [
            &mut reply.tether_id,
            &mut reply.external_id,
            &mut reply.email,
            &mut reply.name,
            &mut reply.company_name,
            &mut reply.stripe_customer_id,
            &mut reply.subscription_status,
        ] {
            let normal = member.take().map(|text| text.trim().nfc().collect::<String>());
            *member = normal.filter(|text| !text.is_empty());
        }
        reply.email = reply.email.map(|email| email.to_lowercase());
        let mrr = reply.mrr.as_ref().and_then(|text| Money::parse(text, digits).ok());
        Self {
            mrr: mrr.map(|money| money.minor),
            period_end: millis(&reply.period_end),
            last_activity: millis(&reply.last_activity),
            created_at: millis(&reply.created_at),
            updated_at: instant(&reply.updated_at).unwrap_or(seen_at).epoch_millis(),
            customer: reply,
        }
    }
}

/// Replies folded into one row per customer.
#[derive(Default)]
struct Folded {
    rows: Vec<Row>,
    by_tether_id: HashMap<String, usize>,
    by_external_id: HashMap<String, usize>,
    by_email: HashMap<String, usize>,
}

impl Folded {
    fn take(&mut self, mut row: Row) {
        let new = &row.customer;
        if new.tether_id.is_none() && new.external_id.is_none() && new.email.is_none() {
            return; // About nobody.
        }
        let Some(index) = self.find(new) else {
            let index = self.rows.len();
            self.point(&row.customer, index);
            self.rows.push(row);
            return;
        };
        let old = &self.rows[index];
        if row.updated_at < old.updated_at {
            return;
        }
        row.customer.tether_id = row.customer.tether_id.or_else(|| old.customer.tether_id.clone());
        for (by, key) in
            [(&mut self.by_external_id, &old.customer.external_id), (&mut self.by_email, &old.customer.email)]
        {
            if let Some(key) = key
                && by.get(key) == Some(&index)
            {
                by.remove(key);
            }
        }
        self.point(&row.customer, index);
        self.rows[index] = row;
    }

    /// The row of the same customer: by Tether id; where one has none, by external id; then by e-mail.
    fn find(&self, new: &TetherCustomer) -> Option<usize> {
        let at = |by: &HashMap<String, usize>, key: &Option<String>| key.as_ref().and_then(|key| by.get(key)).copied();
        let old = |index: &usize| &self.rows[*index].customer;
        let open_tether_id = |index: &usize| new.tether_id.is_none() || old(index).tether_id.is_none();
        let open_external_id = |index: &usize| new.external_id.is_none() || old(index).external_id.is_none();
        at(&self.by_tether_id, &new.tether_id)
            .or_else(|| at(&self.by_external_id, &new.external_id).filter(open_tether_id))
            .or_else(|| at(&self.by_email, &new.email).filter(open_tether_id).filter(open_external_id))
    }

    fn point(&mut self, customer: &TetherCustomer, index: usize) {
        for (by, key) in [
            (&mut self.by_tether_id, &customer.tether_id),
            (&mut self.by_external_id, &customer.external_id),
            (&mut self.by_email, &customer.email),
        ] {
            if let Some(key) = key {
                by.insert(key.clone(), index);
            }
        }
    }
}
