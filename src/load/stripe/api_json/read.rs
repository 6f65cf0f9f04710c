//! Single objects to rows.

use super::{
    lone::LoneRows,
    object,
    price::{self, Cost},
    rows::{AccountRow, CouponRow, DiscountRow, ItemRow, Rows, SubscriptionRow, TaxRow, next},
    value::{
        Bad, Raw, Read, amount, boolean, decimal_text, id_of, instant, integer, is_object, lower, parse, parsed,
        sent_per_minor, text,
    },
};
use crate::load::stripe::relate::WORTH;
use crate::{
    config::StripeSettings,
    model::{Currency, Reason},
};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};

/// What the objects of a stretch of a file are read with, and what they gave.
pub(super) struct Reader<'a> {
    pub settings: &'a StripeSettings,
    pub digits: &'a BTreeMap<Currency, u8>,
    pub rows: Rows,
    /// Customers that stood in full inside a subscription: accounts and their discounts only.
    pub expanded: Rows,
    /// Objects that stood on their own.
    pub lone: LoneRows,
    /// Each coupon as last read, with its text: most subscriptions repeat the same few.
    pub coupons: HashMap<String, (&'a str, CouponRow)>,
    /// Numbers of the tier lists read so far, by text and by how many of their units make a minor unit: most items
    /// repeat the same few.
    pub tier_lists: HashMap<(&'a str, i128), u32>,
    /// Subscriptions whose items were cut off, by id and line.
    pub cut_off: Vec<(String, u64)>,
}

/// An item on its way, with what hangs on it; `ord`s are given once the whole subscription was read.
#[derive(Default)]
struct ItemParts {
    row: ItemRow,
    discounts: Vec<DiscountRow>,
    tax_rates: Vec<TaxRow>,
}

pub(super) fn missing(what: &str) -> Bad {
    Bad { reason: Reason::MissingId, detail: format!("the object has no {what}") }
}

/// The elements of a `list` object or an array, and whether more were left out.
pub(super) fn elements<'a>(raw: Raw<'a>, name: &str) -> Read<(Vec<&'a RawValue>, bool)> {
    match raw {
        Some(list) if is_object(list) => {
            let list: object::List<'a> = parse(list.get(), name)?;
            let more = boolean(list.has_more, "has_more")?.unwrap_or(false);
            Ok((parsed(list.data, name)?.unwrap_or_default(), more))
        }
        other => Ok((parsed(other, name)?.unwrap_or_default(), false)),
    }
}

/// The items of a subscription in one pass, and whether more were left out.
fn item_list<'a>(raw: Raw<'a>) -> Read<(Vec<object::Item<'a>>, bool)> {
    match raw {
        Some(list) if is_object(list) => {
            let list: object::ItemList<'a> = parse(list.get(), "items")?;
            Ok((list.data.unwrap_or_default(), boolean(list.has_more, "has_more")?.unwrap_or(false)))
        }
        other => Ok((parsed(other, "items")?.unwrap_or_default(), false)),
    }
}

impl<'a> Reader<'a> {
    pub fn new(settings: &'a StripeSettings, digits: &'a BTreeMap<Currency, u8>) -> Self {
        Self {
            settings,
            digits,
            rows: Rows::default(),
            expanded: Rows::default(),
            lone: LoneRows::default(),
            coupons: HashMap::new(),
            tier_lists: HashMap::new(),
            cut_off: Vec::new(),
        }
    }

    pub fn customer(&mut self, customer: &object::Found<'a>, line: u32, event: Option<i64>, gone: bool) -> Read<()> {
        let (row, discounts) = self.account(customer, line, event, gone)?;
        self.rows.account(row, discounts);
        Ok(())
    }

    /// Takes the customer that stands inside a subscription, in full or as a deleted one's stub.
    pub fn expanded(&mut self, customer: &'a str, line: u32, event: Option<i64>) -> Read<()> {
        let (row, discounts) = self.account(&parse(customer, "customer")?, line, event, false)?;
        self.expanded.account(row, discounts);
        Ok(())
    }

    fn account(
        &mut self,
        customer: &object::Found<'a>,
        line: u32,
        event: Option<i64>,
        gone: bool,
    ) -> Read<(AccountRow, Vec<DiscountRow>)> {
        let row = AccountRow {
            line,
            id: Some(text(customer.id, "id")?.ok_or_else(|| missing("id"))?),
            email: lower(text(customer.email, "email")?),
            name: text(customer.name, "name")?,
            created: instant(customer.created, "created")?,
            deleted: gone || boolean(customer.deleted, "deleted")?.unwrap_or(false),
            livemode: boolean(customer.livemode, "livemode")?,
            external_id: self.external_id(customer.metadata)?,
            event_created: event,
        };
        let discounts = self.discounts("customer", customer.discount, customer.discounts)?;
        Ok((row, discounts))
    }

    fn external_id(&self, metadata: Raw<'a>) -> Read<Option<String>> {
        let Some(key) = &self.settings.external_id_metadata else { return Ok(None) };
        let metadata: Option<HashMap<String, Raw<'a>>> = parsed(metadata, "metadata")?;
        text(metadata.and_then(|metadata| metadata.get(key).copied()).flatten(), &format!("metadata.{key}"))
    }

    /// `content` is the digest of the subscription's text.
    pub fn subscription(
        &mut self,
        subscription: &object::Found<'a>,
        content: String,
        line: u32,
        event: Option<i64>,
    ) -> Read<()> {
        let pause: object::Pause<'a> = parsed(subscription.pause_collection, "pause_collection")?.unwrap_or_default();
        let mut row = SubscriptionRow {
            line,
            id: text(subscription.id, "id")?.ok_or_else(|| missing("id"))?,
            customer: id_of(subscription.customer, "customer")?.ok_or_else(|| missing("customer"))?,
            status: Some(lower(text(subscription.status, "status")?).ok_or_else(|| missing("status"))?),
            cancel_at_period_end: boolean(subscription.cancel_at_period_end, "cancel_at_period_end")?.unwrap_or(false),
            cancel_at: instant(subscription.cancel_at, "cancel_at")?,
            canceled_at: instant(subscription.canceled_at, "canceled_at")?,
            ended_at: instant(subscription.ended_at, "ended_at")?,
            created: instant(subscription.created, "created")?,
            current_period_end: instant(subscription.current_period_end, "current_period_end")?,
            pause_behavior: text(pause.behavior, "pause_collection.behavior")?,
            pause_resumes_at: instant(pause.resumes_at, "pause_collection.resumes_at")?,
            livemode: boolean(subscription.livemode, "livemode")?,
            event_created: event,
            content,
            problem: None,
        };
        let billed = lower(text(subscription.currency, "currency")?);
        let (mut listed, more) = item_list(subscription.items)?;
        if let [only] = listed.as_mut_slice() {
            // The subscription repeats its only item's quantity.
            only.quantity = only.quantity.or(subscription.quantity);
        }
        if listed.is_empty() && subscription.plan.is_some() {
            // Before items there was one plan on the subscription itself.
            let (plan, quantity) = (subscription.plan, subscription.quantity);
            listed.push(object::Item { plan, quantity, ..object::Item::default() });
        }
        let mut items = Vec::with_capacity(listed.len());
        for item in &listed {
            if boolean(item.deleted, "items.deleted")? != Some(true) {
                let (parts, problem) = self.item(item, billed.as_deref())?;
                row.problem = row.problem.or(problem);
                items.push(parts);
            }
        }
        let mut discounts = self.discounts("subscription", subscription.discount, subscription.discounts)?;
        let mut tax_rates = tax_rates("subscription", subscription.default_tax_rates)?;

        // Everything could be read: nothing below fails, so that no part of a rejected subscription stays behind.
        let ord = next(&self.rows.subscriptions);
        for discount in &mut discounts {
            discount.owner = ord;
        }
        for rate in &mut tax_rates {
            rate.owner = ord;
        }
        self.rows.discounts.append(&mut discounts);
        self.rows.tax_rates.append(&mut tax_rates);
        for mut parts in items {
            let item = next(&self.rows.items);
            parts.row.subscription = ord;
            for discount in &mut parts.discounts {
                discount.owner = item;
            }
            for rate in &mut parts.tax_rates {
                rate.owner = item;
            }
            self.rows.items.push(parts.row);
            self.rows.discounts.append(&mut parts.discounts);
            self.rows.tax_rates.append(&mut parts.tax_rates);
        }
        if more {
            self.cut_off.push((row.id.clone(), u64::from(line)));
        }
        self.rows.subscriptions.push(row);
        Ok(())
    }

    /// An item of a subscription that is billed in the currency `billed`, and why it cannot be priced.
    fn item(&mut self, item: &object::Item<'a>, billed: Option<&str>) -> Read<(ItemParts, Option<(Reason, String)>)> {
        let (price, plan) = price::priced(item)?;
        let Cost { row: cost, tiers, sent, only_in } = price::cost(&price, &plan, billed, self.digits)?;
        let id = text(item.id, "items.id")?;
        let price = id_of(item.price.or(item.plan), "price")?;
        let problem = only_in.filter(|_| cost.usage_type.as_deref() != Some("metered")).map(|currency| {
            let detail = format!(
                "item {}: the export shows price {} in {currency} only, but the subscription is billed in {}; export it \
                 again with expand[]=data.items.data.price.currency_options",
                id.as_deref().unwrap_or("without id"),
                price.as_deref().unwrap_or("without id"),
                cost.currency.as_deref().unwrap_or_default(),
            );
            (Reason::PriceMissing, detail)
        });
        let row = ItemRow {
            subscription: 0,
            id,
            price,
            quantity: integer(item.quantity, "quantity")?,
            tiers: if cost.tiered { self.tier_list(tiers, sent)? } else { None },
            current_period_end: instant(item.current_period_end, "current_period_end")?,
            cost,
        };
        let parts = ItemParts {
            row,
            discounts: self.discounts("item", item.discount, item.discounts)?,
            tax_rates: tax_rates("item", item.tax_rates)?,
        };
        Ok((parts, problem))
    }

    /// The number of a tier list; `None`: there is none.
    fn tier_list(&mut self, raw: Raw<'a>, sent: i128) -> Read<Option<u32>> {
        let Some(list) = raw else { return Ok(None) };
        if let Some(number) = self.tier_lists.get(&(list.get(), sent)) {
            return Ok(Some(*number));
        }
        let number = u32::try_from(self.tier_lists.len()).unwrap_or(u32::MAX);
        let mut tiers = price::tiers(raw, sent, number)?;
        if tiers.is_empty() {
            return Ok(None);
        }
        self.rows.tiers.append(&mut tiers);
        self.tier_lists.insert((list.get(), sent), number);
        Ok(Some(number))
    }

    /// The discounts of one owner, from the list and from the singular member, which some versions both have: one that
    /// stands in both counts once, as the one that names its coupon.
    pub fn discounts(&mut self, level: &'static str, single: Raw<'a>, several: Raw<'a>) -> Read<Vec<DiscountRow>> {
        let (listed, _) = elements(several, "discounts")?;
        let mut rows: Vec<DiscountRow> = Vec::new();
        for raw in listed.into_iter().chain(single) {
            let row = if is_object(raw) { self.discount(&parse(raw.get(), "discount")?)? } else { Some(id_only(raw)?) };
            let Some(row) = row else { continue };
            let row = DiscountRow { level, position: next(&rows), ..row };
            match rows.iter_mut().find(|known| known.id.is_some() && known.id == row.id) {
                Some(known) if known.coupon.is_none() => *known = DiscountRow { position: known.position, ..row },
                Some(_) => {}
                None => rows.push(row),
            }
        }
        Ok(rows)
    }

    /// A discount without its owner; `None`: deleted, or of a single invoice.
    fn discount(&mut self, discount: &object::Discount<'a>) -> Read<Option<DiscountRow>> {
        let left_out = of_invoice(discount) || boolean(discount.deleted, "discount.deleted")? == Some(true);
        if left_out { Ok(None) } else { self.discount_row(discount).map(Some) }
    }

    /// The same, whether or not it counts.
    pub fn discount_row(&mut self, discount: &object::Discount<'a>) -> Read<DiscountRow> {
        let source: object::Source<'a> = parsed(discount.source, "discount.source")?.unwrap_or_default();
        let coupon = discount.coupon.or(source.coupon);
        let coupon = match coupon.filter(|coupon| is_object(coupon)) {
            Some(coupon) => {
                let id = self.coupon(coupon.get())?;
                // The discount keeps the worth that it shows, whatever became of the coupon of this id.
                let own = self.coupons.get(&id).filter(|(known, _)| *known == coupon.get());
                let worth = own.and_then(|(_, row)| row.worth());
                Some(worth.map_or(id.clone(), |worth| format!("{id}{WORTH}{worth}")))
            }
            None => id_of(coupon, "coupon")?,
        };
        Ok(DiscountRow {
            id: text(discount.id, "discount.id")?,
            coupon,
            start: instant(discount.start, "discount.start")?,
            end: instant(discount.end, "discount.end")?,
            ..DiscountRow::default()
        })
    }

    pub fn coupon(&mut self, object: &'a str) -> Read<String> {
        let coupon: object::Coupon<'a> = parse(object, "coupon")?;
        let id = text(coupon.id, "coupon.id")?.ok_or_else(|| missing("coupon id"))?;
        let stub = boolean(coupon.deleted, "coupon.deleted")? == Some(true) && coupon.duration.is_none();
        // The stub of a deleted coupon says nothing of its worth, which a discount may still give.
        if stub || self.coupons.get(&id).is_some_and(|(known, _)| *known == object) {
            return Ok(id);
        }
        let currency = lower(text(coupon.currency, "coupon.currency")?);
        let sent = sent_per_minor(currency.as_deref(), self.digits);
        let applies_to: object::AppliesTo<'a> = parsed(coupon.applies_to, "coupon.applies_to")?.unwrap_or_default();
        let products: Option<Vec<Raw<'a>>> = parsed(applies_to.products, "coupon.applies_to.products")?;
        let products = products.map(|products| {
            products
                .into_iter()
                .filter_map(|product| id_of(product, "coupon.applies_to.products").transpose())
                .collect()
        });
        let amount_off = amount(None, coupon.amount_off, "coupon.amount_off", sent)?;
        let row = CouponRow {
            percent_off: decimal_text(coupon.percent_off, "coupon.percent_off")?,
            amount_off: amount_off.and_then(|(num, den)| i64::try_from(num / den).ok()),
            currency,
            duration: text(coupon.duration, "coupon.duration")?,
            duration_in_months: integer(coupon.duration_in_months, "coupon.duration_in_months")?,
            applies_to: products.transpose()?,
            id: id.clone(),
        };
        // How often it was redeemed differs from one text to the next; what it is worth seldom does.
        if self.coupons.get(&id).is_none_or(|(_, known)| *known != row) {
            self.rows.coupons.push(row.clone());
        }
        self.coupons.insert(id.clone(), (object, row));
        Ok(id)
    }
}

/// A discount of a single invoice or of a line of one.
pub(super) fn of_invoice(discount: &object::Discount<'_>) -> bool {
    discount.invoice.is_some() || discount.invoice_item.is_some()
}

fn id_only(raw: &RawValue) -> Read<DiscountRow> {
    Ok(DiscountRow { id: text(Some(raw), "discounts")?, ..DiscountRow::default() })
}

/// The tax rates that stand there in full; of one named by its id only, nothing is known.
fn tax_rates(level: &'static str, raw: Raw<'_>) -> Read<Vec<TaxRow>> {
    let (rates, _) = elements(raw, "tax_rates")?;
    let mut rows = Vec::new();
    for rate in rates.into_iter().filter(|rate| is_object(rate)) {
        let rate: object::TaxRate<'_> = parse(rate.get(), "tax_rates")?;
        rows.push(TaxRow {
            level,
            owner: 0,
            percentage: decimal_text(rate.percentage, "tax_rates.percentage")?,
            inclusive: boolean(rate.inclusive, "tax_rates.inclusive")?.unwrap_or(false),
        });
    }
    Ok(rows)
}
