//! Objects that stand on their own and name what they belong to by its id: items, prices, coupons, discounts.

use super::{
    object,
    price::{self, Cost},
    read::{Reader, missing, of_invoice},
    rows::{CostRow, DiscountRow, TierRow, flag, frame, long, number, short, text as words, time, wide},
    value::{Read, boolean, id_of, instant, integer, parse, text},
};
use crate::load::error::TableError;
use crate::load::stripe::related::{
    Related, RelatedCoupons, RelatedDiscounts, RelatedItems, RelatedPrices, RelatedTiers,
};
use crate::model::Reason;
use polars::prelude::*;

/// An item that stands on its own.
#[derive(Debug)]
pub(super) struct LoneItemRow {
    pub line: u32,
    /// When the event was that carries it.
    pub event: Option<i64>,
    pub id: Option<String>,
    pub subscription: String,
    pub price: Option<String>,
    pub quantity: Option<i64>,
    pub current_period_end: Option<i64>,
    pub discounts: Option<String>,
}

/// A price or plan that stands on its own, or (without a line) in an item that does.
#[derive(Debug)]
pub(super) struct PriceRow {
    pub line: Option<u32>,
    pub event: Option<i64>,
    pub id: String,
    pub plan: bool,
    pub cost: CostRow,
}

/// A coupon that stands on its own, besides its row among the coupons.
#[derive(Debug)]
pub(super) struct LoneCouponRow {
    pub line: u32,
    pub event: Option<i64>,
    pub id: String,
    pub content: String,
}

/// A discount that stands on its own.
#[derive(Debug, Clone)]
pub(super) struct LoneDiscountRow {
    pub line: u32,
    pub event: Option<i64>,
    pub discount: DiscountRow,
    /// The item, the subscription and the customer that it is on, by their ids.
    pub owners: [Option<String>; 3],
    pub left_out: Option<Reason>,
}

/// All such rows of a stretch of a file.
#[derive(Debug, Default)]
pub(super) struct LoneRows {
    pub items: Vec<LoneItemRow>,
    pub prices: Vec<PriceRow>,
    /// Tiers of those prices, by the price's id; as sent, whatever the currency.
    pub tiers: Vec<(String, TierRow)>,
    pub coupons: Vec<LoneCouponRow>,
}

impl LoneRows {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.prices.is_empty() && self.tiers.is_empty() && self.coupons.is_empty()
    }

    /// The tables that are joined to the others by ids; `file` is the file's index.
    pub fn tables(&self, file: u32) -> Result<Related, TableError> {
        if self.is_empty() {
            return Ok(Related::empty());
        }
        let items = frame!(self.items,
            "file": short |_| file,
            "line": short |row| row.line,
            "event_created": time |row| row.event,
            "id": words |row| row.id.as_deref(),
            "subscription": words |row| Some(row.subscription.as_str()),
            "price": words |row| row.price.as_deref(),
            "quantity": long |row| row.quantity,
            "current_period_end": time |row| row.current_period_end,
            "discounts": words |row| row.discounts.as_deref(),
            "deleted": flag |_| Some(false),
        );
        let prices = frame!(self.prices,
            "file": short |_| file,
            "line": number |row| row.line,
            "event_created": time |row| row.event,
            "id": words |row| Some(row.id.as_str()),
            "plan": flag |row| Some(row.plan),
            "product": words |row| row.cost.product.as_deref(),
            "currency": words |row| row.cost.currency.as_deref(),
            "amount_num": wide |row| row.cost.amount.map(|amount| amount.0),
            "amount_den": wide |row| Some(row.cost.amount.map_or(1, |amount| amount.1)),
            "interval": words |row| row.cost.interval.as_deref(),
            "interval_count": long |row| Some(row.cost.interval_count),
            "usage_type": words |row| row.cost.usage_type.as_deref(),
            "tiered": flag |row| Some(row.cost.tiered),
            "tiers_mode": words |row| row.cost.tiers_mode.as_deref(),
            "divide_by": long |row| row.cost.divide_by,
            "divide_round": words |row| row.cost.divide_round.as_deref(),
        );
        let tiers = frame!(self.tiers,
            "file": short |_| file,
            "line": number |_| None,
            "price": words |(price, _)| Some(price.as_str()),
            "up_to": long |(_, tier)| tier.up_to,
            "unit_num": wide |(_, tier)| Some(tier.unit.0),
            "unit_den": wide |(_, tier)| Some(tier.unit.1),
            "flat_num": wide |(_, tier)| Some(tier.flat.0),
            "flat_den": wide |(_, tier)| Some(tier.flat.1),
        );
        let coupons = frame!(self.coupons,
            "file": short |_| file,
            "line": short |row| row.line,
            "event_created": time |row| row.event,
            "id": words |row| Some(row.id.as_str()),
            "content": words |row| Some(row.content.as_str()),
        );
        Ok(Related {
            items: RelatedItems::new(items)?,
            prices: RelatedPrices::new(prices)?,
            tiers: RelatedTiers::new(tiers)?,
            coupons: RelatedCoupons::new(coupons)?,
            ..Related::empty()
        })
    }
}

impl<'a> Reader<'a> {
    /// An item that stands on its own, with its price.
    pub fn lone_item(&mut self, object: &'a str, line: u32, event: Option<i64>) -> Read<()> {
        let item: object::Item<'a> = parse(object, "subscription_item")?;
        let (price, plan) = price::priced(&item)?;
        let discounts = self.discounts("item", item.discount, item.discounts)?;
        let ids: Vec<&str> = discounts.iter().filter_map(|discount| discount.id.as_deref()).collect();
        let row = LoneItemRow {
            line,
            event,
            id: text(item.id, "id")?,
            subscription: id_of(item.subscription, "subscription")?.ok_or_else(|| missing("subscription"))?,
            price: id_of(item.price.or(item.plan), "price")?,
            quantity: integer(item.quantity, "quantity")?,
            current_period_end: instant(item.current_period_end, "current_period_end")?,
            discounts: item.discounts.map(|_| ids.join(",")),
        };
        if let Some(id) = &row.price
            && price.currency.is_some()
        {
            self.price_row(&price, &plan, id.clone(), false, (None, event))?;
        }
        self.lone.items.push(row);
        Ok(())
    }

    /// A price or plan that stands on its own.
    pub fn lone_price(&mut self, object: &'a str, plan: bool, line: u32, event: Option<i64>) -> Read<()> {
        let price: object::Price<'a> = parse(object, "price")?;
        let id = text(price.id, "id")?.ok_or_else(|| missing("id"))?;
        self.price_row(&price, &object::Price::default(), id, plan, (Some(line), event))
    }

    fn price_row(
        &mut self,
        price: &object::Price<'a>,
        beside: &object::Price<'a>,
        id: String,
        plan: bool,
        (line, event): (Option<u32>, Option<i64>),
    ) -> Read<()> {
        let Cost { row: cost, tiers, .. } = price::cost(price, beside, None, self.digits)?;
        let tiers = if cost.tiered { price::tiers(tiers, 1, 0)? } else { Vec::new() };
        self.lone.tiers.extend(tiers.into_iter().map(|tier| (id.clone(), tier)));
        self.lone.prices.push(PriceRow { line, event, id, plan, cost });
        Ok(())
    }

    /// A coupon that stands on its own.
    pub fn lone_coupon(&mut self, object: &'a str, content: String, line: u32, event: Option<i64>) -> Read<()> {
        let id = self.coupon(object)?;
        self.lone.coupons.push(LoneCouponRow { line, event, id, content });
        Ok(())
    }

    /// A discount that stands on its own; `gone`: its event says that it was taken away.
    pub fn lone_discount(
        &mut self,
        object: &'a str,
        line: u32,
        event: Option<i64>,
        gone: bool,
    ) -> Read<LoneDiscountRow> {
        let object: object::Discount<'a> = parse(object, "discount")?;
        let owners = [
            id_of(object.subscription_item, "subscription_item")?,
            id_of(object.subscription, "subscription")?,
            id_of(object.customer, "customer")?,
        ];
        let gone = gone || boolean(object.deleted, "deleted")? == Some(true);
        let of_invoice = of_invoice(&object).then_some(Reason::OfInvoice);
        let left_out = if gone { Some(Reason::Deleted) } else { of_invoice };
        let discount = self.discount_row(&object)?;
        Ok(LoneDiscountRow { line, event, discount, owners, left_out })
    }
}

/// The discounts of a file as the table that is joined to the others by ids.
pub(super) fn discounts(rows: &[LoneDiscountRow], file: u32) -> Result<RelatedDiscounts, TableError> {
    let frame = frame!(rows,
        "file": short |_| file,
        "line": short |row| row.line,
        "event_created": time |row| row.event,
        "id": words |row| row.discount.id.as_deref(),
        "coupon": words |row| row.discount.coupon.as_deref(),
        "start": time |row| row.discount.start,
        "end": time |row| row.discount.end,
        "subscription_item": words |row| row.owners[0].as_deref(),
        "subscription": words |row| row.owners[1].as_deref(),
        "customer": words |row| row.owners[2].as_deref(),
        "left_out": words |row| row.left_out.map(Reason::as_str),
    );
    Ok(RelatedDiscounts::new(frame)?)
}
