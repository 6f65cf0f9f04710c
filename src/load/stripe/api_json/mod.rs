//! Stripe's API JSON: customers, subscriptions, coupons and discounts, of every API version and in every wrapping.
//!
//! In: a file's text. Out: a [`StripePart`]; an object that cannot be read is a rejection, the rest of the file is kept.
//! Never: a rule about money beyond "minor units", another file.

mod object;
mod read;
mod rows;
#[cfg(test)]
mod tests;
mod value;

pub(in crate::load) use value::sent_per_minor;

use super::part::StripePart;
use super::related::Related;
use crate::{
    config::StripeSettings,
    model::{Break, BreakKind, Currency, Reason, Rejection},
};
use read::Reader;
use rows::{DiscountRow, Rows};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use value::{Bad, boolean, id_of, instant, parse, parsed, text};

/// How an object without a kind is called.
const UNNAMED: &str = "unnamed";

/// Lists and events inside one another, deeper than this, are no export.
const DEEPEST: u8 = 8;

/// What a file is read with.
#[derive(Debug, Clone, Copy)]
pub struct JsonContext<'a> {
    /// The file's index.
    pub file: u32,
    /// Its path, as reports show it.
    pub path: &'a str,
    /// `[stripe]`
    pub settings: &'a StripeSettings,
    /// `[mrr] currency_digits`
    pub digits: &'a BTreeMap<Currency, u8>,
}

/// Reads a file: a `list` object, an array, one object per line, a single object or events, mixed as they come.
///
/// # Errors
/// The file as a whole is no JSON: what is wrong, with its line.
pub fn read(text: &str, context: &JsonContext<'_>) -> Result<StripePart, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut file = File {
        context,
        reader: Reader {
            settings: context.settings,
            digits: context.digits,
            rows: Rows::default(),
            coupons: HashMap::new(),
            tier_lists: HashMap::new(),
            cut_off: Vec::new(),
        },
        lines: Lines { text, at: 0, line: 1 },
        rejections: Vec::new(),
        breaks: Vec::new(),
        customers: 0,
        subscriptions: 0,
        ignored: BTreeMap::new(),
        loose: Vec::new(),
    };
    if text.trim().is_empty() {
        return file.finish("nothing");
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let is_json = |text: &str| serde_json::from_str::<&RawValue>(text).is_ok();
    // A line that is a brace alone begins an object over several lines.
    let is_object = |line: &str| line.trim().len() > 2 && line.trim_start().starts_with('{');
    let objects = || serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let whole = serde_json::from_str::<&RawValue>(text);
    match whole {
        Ok(value) => {
            let wrapping = if value.get().starts_with('[') { "an array" } else { "one object" };
            file.walk(value, None, 0);
            file.finish(wrapping)
        }
        // One bad line, even the first, leaves the others readable.
        Err(_)
            if is_json(first)
                || is_object(first) && text.lines().skip(1).any(|line| is_object(line) && is_json(line)) =>
        {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                file.line(line);
            }
            file.finish("one object per line")
        }
        Err(_) if objects().all(|object| object.is_ok()) => {
            for object in objects().flatten() {
                file.walk(object, None, 0);
            }
            file.finish("objects one after the other")
        }
        Err(error) => Err(format!(
            "{}, line {}, column {}: not JSON: {error}; export the file again",
            context.path,
            error.line(),
            error.column()
        )),
    }
}

/// Physical lines of positions that only move forward.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line, from 1, on which `part` (a slice of the text) begins.
    fn of(&mut self, part: &str) -> u64 {
        let position = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len());
        if position < self.at {
            (self.at, self.line) = (0, 1);
        }
        let passed = &self.text.as_bytes()[self.at..position];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = position;
        self.line
    }
}

struct File<'a> {
    context: &'a JsonContext<'a>,
    reader: Reader<'a>,
    lines: Lines<'a>,
    rejections: Vec<Rejection>,
    breaks: Vec<Break>,
    customers: u64,
    subscriptions: u64,
    ignored: BTreeMap<String, u64>,
    /// Discounts that stand on their own, with the ids of what they are on.
    loose: Vec<(DiscountRow, [Option<String>; 3])>,
}

impl<'a> File<'a> {
    /// One line of a file with an object per line.
    fn line(&mut self, line: &'a str) {
        match serde_json::from_str::<&RawValue>(line.trim()) {
            Ok(value) => self.walk(value, None, 0),
            Err(error) => {
                let detail = format!("not JSON: {error}");
                self.reject(line, "", None, None, Bad { reason: Reason::BadJson, detail });
            }
        }
    }

    /// Takes a value: an object of Stripe, or something that holds some.
    fn walk(&mut self, value: &'a RawValue, event: Option<(i64, bool)>, depth: u8) {
        if depth > DEEPEST {
            let detail = format!("lists or events are nested deeper than {DEEPEST}");
            return self.reject(value.get(), "", None, None, Bad { reason: Reason::BadJson, detail });
        }
        if value.get().starts_with('[') {
            match parse::<Vec<&RawValue>>(value, "array") {
                Ok(elements) => elements.into_iter().for_each(|element| self.walk(element, event, depth + 1)),
                Err(bad) => self.reject(value.get(), "", None, None, bad),
            }
            return;
        }
        let envelope: object::Envelope<'a> = match parse(value, "object") {
            Ok(envelope) => envelope,
            Err(bad) => return self.reject(value.get(), "", None, None, bad),
        };
        let id = text(envelope.id, "id").ok().flatten();
        let customer = id_of(envelope.customer, "customer").ok().flatten();
        let kind = text(envelope.object, "object").ok().flatten().unwrap_or_else(|| {
            let kind = match id.as_deref().and_then(|id| id.split_once('_')) {
                Some(("cus", _)) => "customer",
                Some(("sub", _)) => "subscription",
                _ if envelope.data.is_some() => "list",
                _ => UNNAMED,
            };
            kind.to_owned()
        });
        let line = self.lines.of(value.get());
        let short = u32::try_from(line).unwrap_or(u32::MAX);
        let created = event.map(|(created, _)| created);
        let gone = event.is_some_and(|(_, gone)| gone);
        let done = match kind.as_str() {
            "list" | "search_result" => self.list(&envelope, event, depth),
            "event" => self.event(&envelope, depth),
            "customer" => {
                self.customers += 1;
                let done = self.reader.customer(value, short, created, gone);
                self.embedded(value, event, depth);
                done
            }
            "subscription" => {
                self.subscriptions += 1;
                self.reader.subscription(value, short, created)
            }
            "coupon" => self.reader.coupon(value),
            "discount" => self.discount(value),
            _ => {
                *self.ignored.entry(kind.clone()).or_default() += 1;
                Ok(())
            }
        };
        if let Err(bad) = done {
            self.reject(value.get(), &kind, id, customer, bad);
        }
    }

    fn list(&mut self, list: &object::Envelope<'a>, event: Option<(i64, bool)>, depth: u8) -> Result<(), Bad> {
        let elements: Vec<&'a RawValue> = parsed(list.data, "data")?.unwrap_or_default();
        let more = boolean(list.has_more, "has_more")?.unwrap_or(false);
        let line = elements.first().map_or(1, |first| self.lines.of(first.get()));
        for element in elements {
            self.walk(element, event, depth + 1);
        }
        if more {
            let detail = "the list says has_more: its further pages are not in this file";
            let found = Break::new(BreakKind::TruncatedExport, self.source(), self.context.path, detail);
            self.breaks.push(found.at(self.context.path, line));
        }
        Ok(())
    }

    /// Takes the subscriptions that stand inside a customer, as API versions before 2020 show them and `expand` still does.
    fn embedded(&mut self, customer: &'a RawValue, event: Option<(i64, bool)>, depth: u8) {
        // Most customers hold none; reading each twice to learn that would cost as much as reading them once more.
        if !customer.get().contains("\"subscriptions\"") {
            return;
        }
        let found = parse::<object::Embedding<'a>>(customer, "customer")
            .and_then(|customer| read::elements(customer.subscriptions, "subscriptions"));
        match found {
            Ok((subscriptions, more)) => {
                for subscription in subscriptions {
                    self.walk(subscription, event.map(|(created, _)| (created, false)), depth + 1);
                }
                if more {
                    let line = self.lines.of(customer.get());
                    let detail = "the customer's subscriptions say has_more: the others are not in this file";
                    let found =
                        Break::new(BreakKind::TruncatedExport, "stripe_subscriptions", self.context.path, detail);
                    self.breaks.push(found.at(self.context.path, line));
                }
            }
            Err(bad) => self.reject(customer.get(), "subscription", None, None, bad),
        }
    }

    fn event(&mut self, event: &object::Envelope<'a>, depth: u8) -> Result<(), Bad> {
        let created = instant(event.created, "created")?;
        let created =
            created.ok_or_else(|| Bad { reason: Reason::BadInstant, detail: "the event has no created".into() })?;
        let kind = text(event.r#type, "type")?;
        let data: object::EventData<'a> = parsed(event.data, "data")?.unwrap_or_default();
        // Stripe sends a deleted customer in full, and says so only in the event's type.
        let gone = kind.as_deref() == Some("customer.deleted");
        if let Some(object) = data.object {
            self.walk(object, Some((created, gone)), depth + 1);
        }
        Ok(())
    }

    fn discount(&mut self, value: &'a RawValue) -> Result<(), Bad> {
        let discount: object::Discount<'a> = parse(value, "discount")?;
        let owners = [
            id_of(discount.subscription_item, "subscription_item")?,
            id_of(discount.subscription, "subscription")?,
            id_of(discount.customer, "customer")?,
        ];
        let row = self.reader.discount(&discount)?;
        self.loose.extend(row.map(|row| (row, owners)));
        Ok(())
    }

    /// The source that is spoken of where no single object tells.
    fn source(&self) -> &'static str {
        if self.subscriptions >= self.customers { "stripe_subscriptions" } else { "stripe_customers" }
    }

    /// Notes an object that cannot be read. One of no known kind counts with the subscriptions, if it may be one.
    fn reject(&mut self, at: &str, kind: &str, id: Option<String>, customer: Option<String>, bad: Bad) {
        let source = match kind {
            "customer" => "stripe_customers",
            "subscription" => "stripe_subscriptions",
            "coupon" => "stripe_coupons",
            "discount" => "stripe_discounts",
            _ if at.contains("\"subscription\"") || self.source() == "stripe_subscriptions" => {
                self.subscriptions += 1;
                "stripe_subscriptions"
            }
            _ => {
                self.customers += 1;
                "stripe_customers"
            }
        };
        let customer = if kind == "customer" { id.clone() } else { customer };
        self.rejections.push(Rejection {
            source: source.to_owned(),
            file: self.context.path.to_owned(),
            line: self.lines.of(at),
            id,
            customer,
            reason: bad.reason,
            detail: bad.detail,
        });
    }

    /// Finds the owners of the discounts that stood on their own; how many have none in this file.
    fn settle_loose(&mut self) -> u64 {
        if self.loose.is_empty() {
            return 0;
        }
        let rows = &self.reader.rows;
        let by_id = |ids: &mut dyn Iterator<Item = Option<String>>| -> HashMap<String, Vec<u32>> {
            let mut map: HashMap<String, Vec<u32>> = HashMap::new();
            for (ord, id) in (0..).zip(ids) {
                if let Some(id) = id {
                    map.entry(id).or_default().push(ord);
                }
            }
            map
        };
        let owners = [
            ("item", by_id(&mut rows.items.iter().map(|row| row.id.clone()))),
            ("subscription", by_id(&mut rows.subscriptions.iter().map(|row| Some(row.id.clone())))),
            ("customer", by_id(&mut rows.accounts.iter().map(|row| row.id.clone()))),
        ];
        let mut without = 0;
        for (position, (row, ids)) in (0_u32..).zip(std::mem::take(&mut self.loose)) {
            // The narrowest owner that it names is the one it is on.
            let named = owners.iter().zip(ids).find_map(|((level, known), id)| Some((*level, known, id?)));
            let Some((level, known, id)) = named else {
                without += 1;
                continue;
            };
            let ords = known.get(&id).cloned().unwrap_or_default();
            without += u64::from(ords.is_empty());
            let customer = (level == "customer").then_some(id);
            self.reader.rows.discounts.extend(ords.into_iter().map(|owner| DiscountRow {
                level,
                owner,
                customer: customer.clone(),
                position: 1000 + position,
                ..row.clone()
            }));
        }
        without
    }

    fn finish(mut self, wrapping: &str) -> Result<StripePart, String> {
        let without_owner = self.settle_loose();
        for (id, line) in std::mem::take(&mut self.reader.cut_off) {
            let detail = format!("the items of subscription {id} go on (has_more), but are not in the file");
            let found = Break::new(BreakKind::TruncatedExport, "stripe_subscriptions", id, detail);
            self.breaks.push(found.at(self.context.path, line));
        }
        let mut shape = format!("Stripe API (JSON, {wrapping})");
        let nothing_read = self.customers + self.subscriptions == 0 && self.reader.coupons.is_empty();
        let ignored = self.ignored.iter().map(|(kind, count)| format!("{count} × {kind}")).collect::<Vec<_>>();
        let no_object_of_stripe = self.ignored.keys().all(|kind| kind == UNNAMED);
        if !ignored.is_empty() && nothing_read && self.loose.is_empty() && no_object_of_stripe {
            // An error reply: taken for an empty export it would set every MRR to 0.
            return Err(format!(
                "it holds no Stripe customers or subscriptions, only {}; export them again, and look whether the API \
                 answered with an error",
                ignored.join(", ")
            ));
        }
        if !ignored.is_empty() {
            shape = format!("{shape}; not used: {}", ignored.join(", "));
        }
        if without_owner > 0 {
            shape = format!("{shape}; {without_owner} discounts whose owner is not in the file");
        }
        let tables = self.reader.rows.tables(self.context.file);
        Ok(StripePart {
            tables: tables.map_err(|error| format!("{}: {error}", self.context.path))?,
            related: Related::empty(),
            rejections: self.rejections,
            breaks: self.breaks,
            customer_rows: self.customers,
            subscription_rows: self.subscriptions,
            other_rows: BTreeMap::new(),
            other_objects: self.ignored.values().sum(),
            shape,
        })
    }
}
