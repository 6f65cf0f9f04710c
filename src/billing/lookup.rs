//! Which discounts, tax rates and tiers belong to whom: sorted slices, found by the number of their owner.

use super::{
    coupons,
    discount::{Discount, Level, Placed},
    exact::Number,
    item::Item,
    tiers::Tier,
};
use crate::{
    config::{CountedCoupons, MrrSettings},
    model::Instant,
    table::{Accounts, INSTANT, StripeTables, standing},
};
use polars::prelude::*;
use std::collections::HashMap;

/// Rows by the number of their owner.
struct ByOwner<T>(Vec<(u32, T)>);

/// A tax rate of an item or a subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tax {
    /// Index of its percentage, which is a number; `None`: it is none, or the rate is exclusive.
    inclusive: Option<u32>,
}

/// The frames that a [`Lookup`] reads, kept because its texts are theirs.
pub(super) struct Sources {
    discounts: DataFrame,
    of_customers: DataFrame,
    named_again: DataFrame,
    taxes: DataFrame,
    tiers: DataFrame,
}

/// Discounts, tax rates and tiers by their owners.
pub(super) struct Lookup<'a> {
    tiers: ByOwner<Tier>,
    of_item: ByOwner<Discount<'a>>,
    of_subscription: ByOwner<Discount<'a>>,
    /// By the `ord` of the customer's subscription.
    of_customer: ByOwner<Discount<'a>>,
    item_tax: ByOwner<Tax>,
    subscription_tax: ByOwner<Tax>,
    percentages: Vec<Number>,
    /// The fullest row of each discount that several rows name.
    pub by_id: HashMap<&'a str, Discount<'a>>,
}

impl<T> ByOwner<T> {
    fn new(mut rows: Vec<(u32, T)>) -> Self {
        // Stable: what was read first stays first.
        rows.sort_by_key(|(owner, _)| *owner);
        Self(rows)
    }

    fn of(&self, owner: u32) -> impl Iterator<Item = &T> {
        let from = self.0.partition_point(|(other, _)| *other < owner);
        self.0[from..].iter().take_while(move |(other, _)| *other == owner).map(|(_, row)| row)
    }
}

impl Sources {
    /// Reads what can matter to `counted` (`ord`, `customer`): subscriptions that count.
    pub fn new(tables: &StripeTables, counted: &DataFrame, mrr: &MrrSettings, as_of: Instant) -> PolarsResult<Self> {
        // Discounts that have not ended, as far as their own row tells. Nothing, where no coupon counts.
        let open = col("end").is_null().or(col("end").gt(lit(as_of.epoch_millis()).cast(INSTANT)));
        let counts = open.and(lit(mrr.coupons != CountedCoupons::None));
        let discounts = tables.discounts.lazy().filter(counts).collect()?;
        Self::of(tables, counted, discounts)
    }

    /// Reads what concerns `subscriptions` (`ord`, `customer`), discounts that are over included: nothing is taken off for
    /// those, but whoever asks sees them.
    pub fn explained(tables: &StripeTables, subscriptions: &DataFrame) -> PolarsResult<Self> {
        Self::of(tables, subscriptions, tables.discounts.frame().clone())
    }

    fn of(tables: &StripeTables, subscriptions: &DataFrame, discounts: DataFrame) -> PolarsResult<Self> {
        let of_customers = customer_discounts(&discounts, &tables.accounts)?
            .lazy()
            .inner_join(
                subscriptions.clone().lazy().select([col("ord").alias("subscription"), col("customer")]),
                col("customer"),
                col("customer"),
            )
            .collect()?;
        let again = col("id").is_not_null().and(col("id").is_duplicated());
        let named_again = tables.discounts.lazy().filter(again).filter(col("coupon").is_not_null()).collect()?;
        let taxes = tables.tax_rates.frame().clone();
        Ok(Self { discounts, of_customers, named_again, taxes, tiers: tables.tiers.frame().clone() })
    }

    /// The `subscription` of each one that has a discount or an inclusive tax rate; `items` are those of all that count.
    pub fn touched(&self, items: LazyFrame) -> PolarsResult<LazyFrame> {
        let taxed = self.taxes.clone().lazy().filter(col("inclusive"));
        let discounts = self.discounts.clone().lazy();
        let owners = |frame: &LazyFrame, level: &str| {
            frame.clone().filter(col("level").eq(lit(level))).select([col("owner").alias("subscription")])
        };
        let of_items = concat([owners(&discounts, "item"), owners(&taxed, "item")], UnionArgs::default())?;
        let by_item = items.semi_join(of_items, col("ord"), col("subscription")).select([col("subscription")]);
        let by_customer = self.of_customers.clone().lazy().select([col("subscription")]);
        let all = [by_item, owners(&discounts, "subscription"), owners(&taxed, "subscription"), by_customer];
        concat(all, UnionArgs::default())
    }

    /// Sorts everything by owner.
    pub fn lookup(&self) -> PolarsResult<Lookup<'_>> {
        let mut percentages = Percentages::default();
        let [of_item, of_subscription] =
            ["item", "subscription"].map(|level| discounts(&self.discounts, "owner", level));
        let [item_tax, subscription_tax] =
            ["item", "subscription"].map(|level| taxes(&self.taxes, level, &mut percentages));
        let mut by_id = HashMap::new();
        for (_, discount) in discounts(&self.named_again, "owner", "")? {
            let Some(id) = discount.id else { continue };
            let fullest = by_id.entry(id).or_insert(discount);
            let rank = |discount: &Discount<'_>| (discount.end, discount.start);
            if (rank(fullest), fullest.coupon) < (rank(&discount), discount.coupon) {
                *fullest = discount;
            }
        }
        Ok(Lookup {
            tiers: ByOwner::new(tiers(&self.tiers)?),
            of_item: ByOwner::new(of_item?),
            of_subscription: ByOwner::new(of_subscription?),
            of_customer: ByOwner::new(discounts(&self.of_customers, "subscription", "")?),
            item_tax: ByOwner::new(item_tax?),
            subscription_tax: ByOwner::new(subscription_tax?),
            percentages: percentages.numbers,
            by_id,
        })
    }
}

impl<'a> Lookup<'a> {
    /// All discounts on a subscription, its items (each by its `ord`, and whether it is metered) and its customer. An
    /// item's index counts those that are not metered.
    pub fn discounts(&self, subscription: u32, items: impl Iterator<Item = (u32, bool)>) -> Vec<Placed<'a>> {
        let mut placed = Vec::new();
        let mut index = 0;
        for (item, metered) in items {
            let level = if metered { Level::Metered } else { Level::Item(index) };
            index += usize::from(!metered);
            placed.extend(self.of_item.of(item).map(|discount| (level, *discount)));
        }
        placed.extend(self.of_subscription.of(subscription).map(|discount| (Level::Subscription, *discount)));
        placed.extend(self.of_customer.of(subscription).map(|discount| (Level::Customer, *discount)));
        placed
    }

    /// The indices of the inclusive percentages on an item. Its own rates, even without an inclusive one, replace the
    /// subscription's.
    pub fn inclusive(&self, item: u32, subscription: u32) -> impl Iterator<Item = u32> {
        let mut own = self.item_tax.of(item).peekable();
        let inherited = own.peek().is_none().then(|| self.subscription_tax.of(subscription));
        own.chain(inherited.into_iter().flatten()).filter_map(|tax| tax.inclusive)
    }

    /// The part of a price by which inclusive tax raises it: the sum of `percentages`; `None` without any.
    pub fn tax(&self, percentages: impl Iterator<Item = u32>) -> Option<Number> {
        percentages.map(|index| self.percentages[index as usize].clone()).reduce(|sum, rate| sum.add(&rate))
    }

    /// The tiers of the price of `item`, in whatever order they came.
    pub fn tiers(&self, item: &Item<'_>) -> Vec<Tier> {
        item.tiers.map_or_else(Vec::new, |list| self.tiers.of(list).cloned().collect())
    }
}

/// Discounts on customers, of each customer's row that stands: what another row of its id shows is history, also where the
/// one that stands shows none.
fn customer_discounts(discounts: &DataFrame, accounts: &Accounts) -> PolarsResult<DataFrame> {
    let of_customer = col("level").eq(lit("customer")).and(col("customer").is_not_null());
    let of_customers = discounts.clone().lazy().filter(of_customer).collect()?;
    if of_customers.height() == 0 {
        return Ok(of_customers);
    }
    let rows = accounts.lazy().select([col("ord"), col("id"), col("event_created")]);
    let rows = standing(rows.semi_join(of_customers.clone().lazy(), col("id"), col("customer")));
    of_customers.lazy().semi_join(rows, col("owner"), col("ord")).collect()
}

/// The discounts of one level (of all, where it is empty), each with its owner.
fn discounts<'a>(frame: &'a DataFrame, owner: &str, level: &str) -> PolarsResult<Vec<(u32, Discount<'a>)>> {
    let text = |column: &str| frame.column(column).and_then(Column::str);
    let (starts, ends) = (frame.column("start")?.datetime()?, frame.column("end")?.datetime()?);
    let owners = frame.column(owner)?.u32()?.iter().zip(text("level")?.iter());
    let what = text("id")?.iter().zip(text("coupon")?.iter()).zip(frame.column("position")?.u32()?.iter());
    let when = starts.physical().iter().zip(ends.physical().iter());
    let of_level = owners.zip(what).zip(when).filter(|(((_, on), _), _)| level.is_empty() || *on == Some(level));
    Ok(of_level
        .filter_map(|(((owner, _), ((id, coupon), position)), (start, end))| {
            Some((owner?, Discount { id, coupon, start, end, position: position.unwrap_or(0) }))
        })
        .collect())
}

/// Each percentage is read once.
#[derive(Default)]
struct Percentages<'a> {
    indices: HashMap<&'a str, Option<u32>>,
    numbers: Vec<Number>,
}

impl<'a> Percentages<'a> {
    fn index(&mut self, text: &'a str) -> Option<u32> {
        let numbers = &mut self.numbers;
        *self.indices.entry(text).or_insert_with(|| {
            numbers.push(coupons::percentage(text)?);
            u32::try_from(numbers.len() - 1).ok()
        })
    }
}

fn taxes<'a>(frame: &'a DataFrame, level: &str, percentages: &mut Percentages<'a>) -> PolarsResult<Vec<(u32, Tax)>> {
    let (levels, owners) = (frame.column("level")?.str()?.iter(), frame.column("owner")?.u32()?.iter());
    let (texts, inclusive) = (frame.column("percentage")?.str()?.iter(), frame.column("inclusive")?.bool()?.iter());
    let of_level = levels.zip(owners).zip(texts.zip(inclusive)).filter(|((on, _), _)| *on == Some(level));
    Ok(of_level
        .filter_map(|((_, owner), (text, inclusive))| {
            let counted = text.filter(|_| inclusive == Some(true));
            Some((owner?, Tax { inclusive: counted.and_then(|text| percentages.index(text)) }))
        })
        .collect())
}

fn tiers(frame: &DataFrame) -> PolarsResult<Vec<(u32, Tier)>> {
    let number = |column: &str| frame.column(column).and_then(Column::i128);
    let (lists, ends) = (frame.column("tiers")?.u32()?.iter(), frame.column("up_to")?.i64()?.iter());
    let units = number("unit_num")?.iter().zip(number("unit_den")?.iter());
    let flats = number("flat_num")?.iter().zip(number("flat_den")?.iter());
    let fraction = |(num, den): (Option<i128>, Option<i128>)| (num.unwrap_or(0), den.unwrap_or(1));
    Ok(lists
        .zip(ends)
        .zip(units.zip(flats))
        .filter_map(|((list, up_to), (unit, flat))| {
            Some((list?, Tier { up_to, unit: fraction(unit), flat: fraction(flat) }))
        })
        .collect())
}
