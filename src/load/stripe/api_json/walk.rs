//! From value to value: what each object is, and what lies in it.

use super::{
    JsonContext, UNNAMED, content,
    gathered::Gathered,
    lone::LoneRows,
    object, read,
    read::Reader,
    stretch::{Event, Parts, Place, STRETCH, side_by_side},
    torn::{Torn, subscription, torn},
    value::{Bad, boolean, id_of, instant, is_object, parse, parsed, text},
};
use crate::load::json_strings::too_long;
use crate::load::stripe::{pages::Page, relate};
use crate::model::{Break, BreakKind, Reason, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use serde_json::value::RawValue;

/// Lists and events inside one another, deeper than this, are no export.
const DEEPEST: u8 = 8;

/// One walk over a stretch of a file.
pub(super) struct Walk<'a> {
    context: &'a JsonContext<'a>,
    place: Place<'a>,
    reader: Reader<'a>,
    gathered: Gathered,
}

type Done = Result<(), String>;

/// An object that cannot be read, or a bug.
enum Failed {
    Object(Bad),
    Program(String),
}

impl From<Bad> for Failed {
    fn from(bad: Bad) -> Self {
        Self::Object(bad)
    }
}

impl From<String> for Failed {
    fn from(detail: String) -> Self {
        Self::Program(detail)
    }
}

impl<'a> Walk<'a> {
    pub fn new(context: &'a JsonContext<'a>, place: Place<'a>) -> Self {
        let reader = Reader::new(context.settings, context.digits);
        Self { context, place, reader, gathered: Gathered::default() }
    }

    /// What was found, as tables.
    pub fn finish(mut self) -> Result<Gathered, String> {
        self.settle()?;
        Ok(self.gathered)
    }

    /// Notes that all so far stood in a file without lists of Stripe's: an array, or (`lines`) one object per line.
    pub fn unpaged(&mut self, lines: bool) {
        if self.gathered.pages.is_empty() {
            self.gathered.pages.push(Page::whole_file(self.gathered.counts(), lines));
        }
    }

    /// Turns the rows so far into tables.
    fn settle(&mut self) -> Done {
        let path = self.context.path;
        for (id, line) in std::mem::take(&mut self.reader.cut_off) {
            let detail = format!("the items of subscription {id} go on (has_more), but are not in the file");
            let found = Break::new(BreakKind::TruncatedExport, STRIPE_SUBSCRIPTIONS, id, detail);
            self.gathered.breaks.push(found.at(path, line));
        }
        let fresh = Reader::new(self.context.settings, self.context.digits);
        let Reader { rows, expanded, lone, .. } = std::mem::replace(&mut self.reader, fresh);
        let gathered = &mut self.gathered;
        for (rows, lone, tables) in
            [(rows, lone, &mut gathered.tables), (expanded, LoneRows::default(), &mut gathered.expanded)]
        {
            if !rows.is_empty() || !lone.is_empty() {
                let wrong = |error: &dyn std::fmt::Display| format!("{path}: {error}");
                let file = self.context.file;
                let related = lone.tables(file).map_err(|error| wrong(&error))?;
                tables.push((rows.tables(file).map_err(|error| wrong(&error))?, related));
            }
        }
        Ok(())
    }

    /// Takes what may be too much for one thread.
    pub fn stretches(&mut self, parts: Vec<Parts<'a>>) -> Done {
        self.settle()?;
        for gathered in side_by_side(self.context, &mut self.place, parts)? {
            self.gathered.absorb(gathered);
        }
        Ok(())
    }

    /// Takes the elements of a list that lies `depth` deep.
    pub fn all(&mut self, elements: Vec<&'a RawValue>, depth: u8) -> Done {
        let bytes: usize = elements.iter().map(|element| element.get().len()).sum();
        if bytes > STRETCH {
            let outer = std::mem::replace(&mut self.place.depth, depth + 1);
            self.stretches(vec![Parts::Elements(elements)])?;
            self.place.depth = outer;
            return Ok(());
        }
        elements.into_iter().try_for_each(|element| self.value(element.get(), depth + 1))
    }

    /// Takes a value, trimmed: an object of Stripe, or something that holds some.
    pub fn value(&mut self, value: &'a str, depth: u8) -> Done {
        if depth > DEEPEST {
            let detail = format!("lists or events are nested deeper than {DEEPEST}");
            self.torn(value, Bad { reason: Reason::BadJson, detail });
            return Ok(());
        }
        if value.starts_with('[') {
            return match parse::<Vec<&RawValue>>(value, "array") {
                Ok(elements) => self.all(elements, depth),
                Err(bad) => {
                    self.torn(value, bad);
                    Ok(())
                }
            };
        }
        match serde_json::from_str::<object::Found<'a>>(value) {
            Ok(object) => self.object(value, &object, depth),
            Err(error) => {
                let detail = format!("not JSON, or no object: {error}");
                self.torn(value, Bad { reason: Reason::BadJson, detail });
                Ok(())
            }
        }
    }

    /// Takes an object whose text is `value`.
    pub fn object(&mut self, value: &'a str, object: &object::Found<'a>, depth: u8) -> Done {
        let kind = kind(object);
        let line = self.place.lines.of(value);
        let short = u32::try_from(line).unwrap_or(u32::MAX);
        let (created, gone) = self.place.event.map_or((None, false), |event| (Some(event.created), event.gone));
        let done = match &*kind {
            "list" | "search_result" => self.list(object, line, depth),
            "event" => self.event(object, depth),
            "customer" => {
                self.gathered.customers += 1;
                // What it holds can be read even where it cannot.
                let done = self.fits(value).and_then(|()| self.reader.customer(object, short, created, gone));
                let done = done.map_err(Failed::from);
                self.embedded(line, object, depth).and(done)
            }
            "subscription" => {
                self.gathered.subscriptions += 1;
                self.expanded(object, short, created);
                self.fits(value)
                    .and_then(|()| self.reader.subscription(object, content::digest(value), short, created))
                    .map_err(Failed::from)
            }
            kind @ ("coupon" | "discount" | "subscription_item" | "price" | "plan") => {
                // A discount's event tells since when it is gone, which a stub does not.
                let dated = kind == "discount" && self.place.event.is_some();
                if !dated && boolean(object.deleted, "deleted").ok().flatten() == Some(true) {
                    self.ignore(&format!("deleted {kind}"));
                    Ok(())
                } else {
                    self.lone(kind, value, short).map_err(Failed::from)
                }
            }
            UNNAMED => match members(value) {
                Some(members) if !members.is_empty() => self.all(members, depth).map_err(Failed::from),
                _ => {
                    self.ignore(&kind);
                    Ok(())
                }
            },
            _ => {
                self.ignore(&kind);
                Ok(())
            }
        };
        match done {
            Ok(()) => Ok(()),
            Err(Failed::Program(detail)) => Err(detail),
            // What it would have held is lost with it.
            Err(Failed::Object(bad)) if source(&kind).is_empty() => {
                self.reject_each(value, line, &torn(value).customers, &bad);
                Ok(())
            }
            Err(Failed::Object(bad)) => {
                let id = text(object.id, "id").ok().flatten();
                let customer = id_of(object.customer, "customer").ok().flatten();
                let names_one = ["subscription_item", "discount"].contains(&kind.as_str());
                let subscription = subscription(value).filter(|_| names_one).map(str::to_owned);
                self.reject(source(&kind), line, id, customer, bad);
                let rejected = self.gathered.rejections.last().cloned();
                let owned = rejected.filter(|_| subscription.is_some());
                self.gathered.owned.extend(owned.map(|row| Rejection { customer: subscription, ..row }));
                Ok(())
            }
        }
    }

    /// Refuses an object with a string that no row may hold.
    fn fits(&self, object: &str) -> Result<(), Bad> {
        too_long(object, self.context.longest).map_or(Ok(()), |(reason, detail)| Err(Bad { reason, detail }))
    }

    fn ignore(&mut self, kind: &str) {
        *self.gathered.ignored.entry(kind.to_owned()).or_default() += 1;
    }

    fn list(&mut self, list: &object::Found<'a>, line: u64, depth: u8) -> Result<(), Failed> {
        let elements: Vec<&'a RawValue> = parsed(list.data, "data")?.unwrap_or_default();
        let more = boolean(list.has_more, "has_more")?;
        let first: Option<object::Found<'a>> = elements.first().and_then(|first| parse(first.get(), "data").ok());
        let of = first.map(|first| kind(&first)).unwrap_or_default();
        let before = self.gathered.counts();
        self.all(elements, depth)?;
        let after = self.gathered.counts();
        let counts = [after[0] - before[0], after[1] - before[1]];
        let url = text(list.url, "url").ok().flatten();
        self.gathered.pages.push(Page { of, url, line, more, counts });
        Ok(())
    }

    /// Takes the subscriptions that stand inside a customer, as API versions before 2020 show them and `expand` still does.
    fn embedded(&mut self, line: u64, customer: &object::Found<'a>, depth: u8) -> Result<(), Failed> {
        // A rejected list leaves the customer as it is: it could be read.
        let (subscriptions, more) = match read::elements(customer.subscriptions, "subscriptions") {
            Ok(found) => found,
            Err(bad) => {
                self.gathered.subscriptions += 1;
                let owner = text(customer.id, "id").ok().flatten();
                self.reject(STRIPE_SUBSCRIPTIONS, line, None, owner, bad);
                return Ok(());
            }
        };
        let outer = self.place.event;
        self.place.event = outer.map(|event| Event { gone: false, ..event });
        self.all(subscriptions, depth)?;
        self.place.event = outer;
        if more {
            let detail = "the customer's subscriptions say has_more: the others are not in this file";
            let found = Break::new(BreakKind::TruncatedExport, STRIPE_SUBSCRIPTIONS, self.context.path, detail);
            self.gathered.breaks.push(found.at(self.context.path, line));
        }
        Ok(())
    }

    /// Takes the customer that stands inside a subscription. One that cannot be read does not cost the subscription.
    fn expanded(&mut self, subscription: &object::Found<'a>, line: u32, created: Option<i64>) {
        let Some(customer) = subscription.customer.filter(|customer| is_object(customer)) else { return };
        if let Err(bad) = self.reader.expanded(customer.get(), line, created) {
            let id = text(subscription.id, "id").ok().flatten().unwrap_or_default();
            let detail =
                format!("the customer inside subscription {id} cannot be read and is left out: {}", bad.detail);
            let found = Break::new(BreakKind::UnreadableValue, STRIPE_SUBSCRIPTIONS, id, detail);
            self.gathered.breaks.push(found.at(self.context.path, u64::from(line)));
        }
    }

    fn event(&mut self, event: &object::Found<'a>, depth: u8) -> Result<(), Failed> {
        let created = instant(event.created, "created")?;
        let created =
            created.ok_or_else(|| Bad { reason: Reason::BadInstant, detail: "the event has no created".into() })?;
        let kind = text(event.r#type, "type")?.unwrap_or_default();
        let data: object::EventData<'a> = parsed(event.data, "data")?.unwrap_or_default();
        // Stripe sends in full what was deleted, and says so only in the event's type.
        let gone = matches!(kind.as_str(), "customer.deleted" | "customer.discount.deleted");
        let Some(object) = data.object else {
            self.ignore("event without data");
            return Ok(());
        };
        let outer = self.place.event.replace(Event { created, gone });
        let done = self.value(object.get(), depth + 1);
        self.place.event = outer;
        Ok(done?)
    }

    /// Takes an object that names by id what it belongs to.
    fn lone(&mut self, kind: &str, value: &'a str, line: u32) -> Result<(), Bad> {
        *self.gathered.others.entry(source(kind)).or_default() += 1;
        self.fits(value)?;
        let created = self.place.event.map(|event| event.created);
        match kind {
            "coupon" => self.reader.lone_coupon(value, content::digest(value), line, created),
            "subscription_item" => self.reader.lone_item(value, line, created),
            "discount" => {
                let gone = self.place.event.is_some_and(|event| event.gone);
                let row = self.reader.lone_discount(value, line, created, gone)?;
                self.gathered.discounts.push(row);
                Ok(())
            }
            _ => self.reader.lone_price(value, kind == "plan", line, created),
        }
    }

    /// Notes text that is no object, with all that it still tells.
    fn torn(&mut self, value: &str, bad: Bad) {
        let line = self.place.lines.of(value);
        let Torn { kind, id, customers } = torn(value);
        let id = id.map(str::to_owned);
        match kind {
            "customer" => {
                self.gathered.customers += 1;
                self.reject(STRIPE_CUSTOMERS, line, id, None, bad);
            }
            "subscription" => {
                self.gathered.subscriptions += 1;
                self.reject(
                    STRIPE_SUBSCRIPTIONS,
                    line,
                    id,
                    customers.first().map(|&customer| customer.to_owned()),
                    bad,
                );
            }
            _ => self.reject_each(value, line, &customers, &bad),
        }
    }

    /// Notes an object of no known kind, once for each of the customers in it, so that none of them passes for one without
    /// subscriptions. It counts with the subscriptions, if it may be one; else with what the whole file holds.
    fn reject_each(&mut self, value: &str, line: u64, customers: &[&str], bad: &Bad) {
        let source = if value.contains("\"subscription\"") { STRIPE_SUBSCRIPTIONS } else { "" };
        let named = customers.iter().map(|&customer| Some(customer.to_owned()));
        for customer in named.chain(customers.is_empty().then_some(None)) {
            if source == STRIPE_SUBSCRIPTIONS {
                self.gathered.subscriptions += 1;
            }
            self.reject(source, line, None, customer, Bad { reason: bad.reason, detail: bad.detail.clone() });
        }
    }

    /// Notes an object of `source` that cannot be read; it was counted when it was met.
    fn reject(&mut self, source: &str, line: u64, id: Option<String>, customer: Option<String>, bad: Bad) {
        let customer = if source == STRIPE_CUSTOMERS { id.clone() } else { customer };
        self.gathered.rejections.push(Rejection {
            source: source.to_owned(),
            file: self.context.path.to_owned(),
            line,
            id,
            customer,
            reason: bad.reason,
            detail: bad.detail,
        });
    }
}

/// The source that objects of a kind belong to; empty: that is not known.
fn source(kind: &str) -> &'static str {
    match kind {
        "customer" => STRIPE_CUSTOMERS,
        "subscription" => STRIPE_SUBSCRIPTIONS,
        "subscription_item" => relate::ITEMS,
        "price" => relate::PRICES,
        "plan" => relate::PLANS,
        "coupon" => relate::COUPONS,
        "discount" => relate::DISCOUNTS,
        _ => "",
    }
}

/// What an object is, by what it says or else by its id.
fn kind(object: &object::Found<'_>) -> String {
    if let Some(kind) = text(object.object, "object").ok().flatten() {
        return kind;
    }
    let id = text(object.id, "id").ok().flatten();
    let kind = match id.as_deref().and_then(|id| id.split_once('_')) {
        Some(("cus", _)) => "customer",
        Some(("sub", _)) => "subscription",
        _ => match object.data {
            Some(data) if is_object(data) && object.r#type.is_some() => "event",
            Some(data) if data.get().starts_with('[') => "list",
            _ => UNNAMED,
        },
    };
    kind.to_owned()
}

/// The objects and lists that stand in an object of no kind: `{"customers": […], "subscriptions": […]}`.
fn members(value: &str) -> Option<Vec<&RawValue>> {
    let members: object::Members<'_> = serde_json::from_str(value).ok()?;
    Some(members.0.into_iter().filter(|member| is_object(member) || member.get().starts_with('[')).collect())
}
