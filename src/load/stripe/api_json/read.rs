//! Single objects to rows.

use super::{
    object,
    rows::{AccountRow, CouponRow, DiscountRow, ItemRow, Rows, SubscriptionRow, TaxRow, TierRow, next},
    value::{
        Bad, Raw, Read, amount, boolean, decimal_text, id_of, instant, integer, is_object, parse, parsed,
        sent_per_minor, text,
    },
};
use crate::{
    config::StripeSettings,
    model::{Currency, Reason},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// What every object of a file is read with.
pub(super) struct Reader<'a> {
    pub settings: &'a StripeSettings,
    pub digits: &'a BTreeMap<Currency, u8>,
    pub rows: Rows,
    /// Each coupon's text as last read: most subscriptions repeat the same few.
    pub coupons: HashMap<String, &'a str>,
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

fn missing(what: &str) -> Bad {
    Bad { reason: Reason::MissingId, detail: format!("the object has no {what}") }
}

fn lower(text: Option<String>) -> Option<String> {
    text.map(|text| text.to_lowercase())
}

/// A digest of an object's text without the whitespace between its parts.
fn content(object: &str) -> String {
    let mut compact = Vec::with_capacity(object.len());
    let (mut quoted, mut escaped) = (false, false);
    for byte in object.bytes() {
        if quoted || !byte.is_ascii_whitespace() {
            compact.push(byte);
        }
        quoted = quoted != (byte == b'"' && !escaped);
        escaped = quoted && byte == b'\\' && !escaped;
    }
    crate::model::hex(&Sha256::digest(&compact)[..16])
}

/// The elements of a `list` object or an array, and whether more were left out.
pub(super) fn elements<'a>(raw: Raw<'a>, name: &str) -> Read<(Vec<&'a RawValue>, bool)> {
    match raw {
        Some(list) if is_object(list) => {
            let list: object::List<'a> = parse(list, name)?;
            let more = boolean(list.has_more, "has_more")?.unwrap_or(false);
            Ok((parsed(list.data, name)?.unwrap_or_default(), more))
        }
        other => Ok((parsed(other, name)?.unwrap_or_default(), false)),
    }
}

impl<'a> Reader<'a> {
    pub fn customer(&mut self, raw: &'a RawValue, line: u32, event: Option<i64>, gone: bool) -> Read<()> {
        let customer: object::Customer<'a> = parse(raw, "customer")?;
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
        let mut discounts = self.discounts("customer", customer.discount, customer.discounts)?;
        for discount in &mut discounts {
            discount.owner = next(&self.rows.accounts);
            discount.customer.clone_from(&row.id);
        }
        self.rows.discounts.append(&mut discounts);
        self.rows.accounts.push(row);
        Ok(())
    }

    fn external_id(&self, metadata: Raw<'a>) -> Read<Option<String>> {
        let Some(key) = &self.settings.external_id_metadata else { return Ok(None) };
        let metadata: Option<HashMap<String, Raw<'a>>> = parsed(metadata, "metadata")?;
        text(metadata.and_then(|metadata| metadata.get(key).copied()).flatten(), &format!("metadata.{key}"))
    }

    pub fn subscription(&mut self, raw: &'a RawValue, line: u32, event: Option<i64>) -> Read<()> {
        let subscription: object::Subscription<'a> = parse(raw, "subscription")?;
        let pause: object::Pause<'a> = parsed(subscription.pause_collection, "pause_collection")?.unwrap_or_default();
        let row = SubscriptionRow {
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
            content: content(raw.get()),
        };
        let (raw_items, more) = elements(subscription.items, "items")?;
        let mut items = Vec::with_capacity(raw_items.len());
        for raw in raw_items {
            items.push(self.item(&parse(raw, "items")?)?);
        }
        if items.is_empty() && subscription.plan.is_some() {
            // Before items there was one plan on the subscription itself.
            let (plan, quantity) = (subscription.plan, subscription.quantity);
            items.push(self.item(&object::Item { plan, quantity, ..object::Item::default() })?);
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

    fn item(&mut self, item: &object::Item<'a>) -> Read<ItemParts> {
        // A price or plan may stand there as its id only; the other one then tells.
        let object = |raw: Raw<'a>| raw.filter(|raw| is_object(raw));
        let plan: object::Price<'a> = parsed(object(item.plan), "plan")?.unwrap_or_default();
        let price: Option<object::Price<'a>> = parsed(object(item.price), "price")?;
        let (plan_tiers, plan_mode) = (plan.tiers, plan.tiers_mode);
        let (plan_interval, plan_count, plan_usage) = (plan.interval, plan.interval_count, plan.usage_type);
        let price = price.unwrap_or(plan);
        let recurring: object::Recurring<'a> = parsed(price.recurring, "price.recurring")?.unwrap_or_default();
        let transform = price.transform_quantity.or(price.transform_usage);
        let transform: object::Transform<'a> = parsed(transform, "transform_quantity")?.unwrap_or_default();
        let currency = lower(text(price.currency, "currency")?);
        let sent = sent_per_minor(currency.as_deref(), self.digits);
        let scheme = text(price.billing_scheme, "billing_scheme")?;
        let mode = text(price.tiers_mode.or(plan_mode), "tiers_mode")?;
        let whole = price.unit_amount.or(price.amount);
        let precise = price.unit_amount_decimal.or(price.amount_decimal);
        let count = integer(recurring.interval_count.or(price.interval_count).or(plan_count), "interval_count")?;
        let tiered = scheme.as_deref() == Some("tiered") || mode.is_some();
        let row = ItemRow {
            subscription: 0,
            id: text(item.id, "items.id")?,
            price: id_of(item.price.or(item.plan), "price")?,
            product: id_of(price.product, "product")?,
            amount: amount(precise, whole, "unit_amount", sent)?,
            quantity: integer(item.quantity, "quantity")?,
            interval: text(recurring.interval.or(price.interval).or(plan_interval), "interval")?,
            interval_count: count.unwrap_or(1),
            usage_type: text(recurring.usage_type.or(price.usage_type).or(plan_usage), "usage_type")?,
            tiered,
            tiers_mode: mode,
            tiers: if tiered { self.tier_list(price.tiers.or(plan_tiers), sent)? } else { None },
            divide_by: integer(transform.divide_by, "transform_quantity.divide_by")?,
            divide_round: text(transform.round, "transform_quantity.round")?,
            current_period_end: instant(item.current_period_end, "current_period_end")?,
            currency,
        };
        Ok(ItemParts {
            row,
            discounts: self.discounts("item", item.discount, item.discounts)?,
            tax_rates: tax_rates("item", item.tax_rates)?,
        })
    }

    /// The number of a tier list; `None`: there is none.
    fn tier_list(&mut self, raw: Raw<'a>, sent: i128) -> Read<Option<u32>> {
        let Some(list) = raw else { return Ok(None) };
        if let Some(number) = self.tier_lists.get(&(list.get(), sent)) {
            return Ok(Some(*number));
        }
        let number = u32::try_from(self.tier_lists.len()).unwrap_or(u32::MAX);
        let mut tiers = read_tiers(raw, sent, number)?;
        if tiers.is_empty() {
            return Ok(None);
        }
        self.rows.tiers.append(&mut tiers);
        self.tier_lists.insert((list.get(), sent), number);
        Ok(Some(number))
    }

    /// The discounts of one owner, from the singular member and from the list.
    fn discounts(&mut self, level: &'static str, single: Raw<'a>, several: Raw<'a>) -> Read<Vec<DiscountRow>> {
        let (listed, _) = elements(several, "discounts")?;
        let mut rows = Vec::new();
        for raw in listed.into_iter().chain(single) {
            let row = if is_object(raw) { self.discount(&parse(raw, "discount")?)? } else { Some(id_only(raw)?) };
            rows.extend(row.map(|row| DiscountRow { level, position: next(&rows), ..row }));
        }
        Ok(rows)
    }

    /// A discount without its owner; `None`: deleted, or of a single invoice.
    pub fn discount(&mut self, discount: &object::Discount<'a>) -> Read<Option<DiscountRow>> {
        let of_invoice = discount.invoice.is_some() || discount.invoice_item.is_some();
        if of_invoice || boolean(discount.deleted, "discount.deleted")? == Some(true) {
            return Ok(None);
        }
        let source: object::Source<'a> = parsed(discount.source, "discount.source")?.unwrap_or_default();
        let coupon = discount.coupon.or(source.coupon);
        if let Some(coupon) = coupon.filter(|coupon| is_object(coupon)) {
            self.coupon(coupon)?;
        }
        Ok(Some(DiscountRow {
            id: text(discount.id, "discount.id")?,
            coupon: id_of(coupon, "coupon")?,
            start: instant(discount.start, "discount.start")?,
            end: instant(discount.end, "discount.end")?,
            ..DiscountRow::default()
        }))
    }

    pub fn coupon(&mut self, raw: &'a RawValue) -> Read<()> {
        let coupon: object::Coupon<'a> = parse(raw, "coupon")?;
        let id = text(coupon.id, "coupon.id")?.ok_or_else(|| missing("coupon id"))?;
        if self.coupons.get(&id) == Some(&raw.get()) {
            return Ok(());
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
        self.rows.coupons.push(row);
        self.coupons.insert(id, raw.get());
        Ok(())
    }
}

fn id_only(raw: &RawValue) -> Read<DiscountRow> {
    Ok(DiscountRow { id: text(Some(raw), "discounts")?, ..DiscountRow::default() })
}

fn read_tiers(raw: Raw<'_>, sent: i128, list: u32) -> Read<Vec<TierRow>> {
    let tiers: Vec<object::Tier<'_>> = parsed(raw, "tiers")?.unwrap_or_default();
    let mut rows = Vec::with_capacity(tiers.len());
    for tier in tiers {
        rows.push(TierRow {
            tiers: list,
            up_to: match tier.up_to {
                Some(end) if end.get() == "\"inf\"" => None,
                end => integer(end, "tiers.up_to")?,
            },
            unit: amount(tier.unit_amount_decimal, tier.unit_amount.or(tier.amount), "tiers.unit_amount", sent)?
                .unwrap_or((0, 1)),
            flat: amount(tier.flat_amount_decimal, tier.flat_amount, "tiers.flat_amount", sent)?.unwrap_or((0, 1)),
        });
    }
    Ok(rows)
}

/// The tax rates that stand there in full; of one named by its id only, nothing is known.
fn tax_rates(level: &'static str, raw: Raw<'_>) -> Read<Vec<TaxRow>> {
    let (rates, _) = elements(raw, "tax_rates")?;
    let mut rows = Vec::new();
    for rate in rates.into_iter().filter(|rate| is_object(rate)) {
        let rate: object::TaxRate<'_> = parse(rate, "tax_rates")?;
        rows.push(TaxRow {
            level,
            owner: 0,
            percentage: decimal_text(rate.percentage, "tax_rates.percentage")?,
            inclusive: boolean(rate.inclusive, "tax_rates.inclusive")?.unwrap_or(false),
        });
    }
    Ok(rows)
}
