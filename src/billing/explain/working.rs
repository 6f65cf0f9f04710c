//! What an explanation consists of. `docs/FORMAT.md` describes it as JSON.

use crate::billing::{counted::TakenOut, discount::Verdict};
use crate::model::{Instant, Reason};
use crate::runs::Exact;
use serde::Serialize;

/// An exact amount of money: a fraction of minor units of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Lower-case ISO code; empty where the export names none.
    pub currency: String,
    /// Minor units, in lowest terms.
    #[serde(flatten)]
    pub minor: Exact,
}

/// How a subscription's MRR comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionWorking {
    /// The subscription's `ord`.
    #[serde(skip)]
    pub ord: u32,
    /// `sub_…`
    pub id: String,
    /// The Stripe customer it names.
    pub customer: String,
    /// As read.
    pub status: String,
    /// Whether it counts.
    pub counted: bool,
    /// The first rule that takes it out.
    pub taken_out: Option<TakenOut>,
    /// Why it counts, or why not: a sentence.
    pub why: String,
    /// Its items, in the order of their ids.
    pub items: Vec<ItemWorking>,
    /// Every discount that the export shows on it, on its items and on its customer, in the order in which they apply.
    pub discounts: Vec<DiscountWorking>,
    /// What its items sum up to, by currency. Empty where an item or a coupon cannot be worked out.
    pub sums: Vec<SumWorking>,
    /// What the working leads to in the account's currency, whether it counts or not; `None`: it cannot be known.
    pub working: Option<Amount>,
    /// What it counts, in the account's currency: 0 when it does not count, `None` when that cannot be known.
    pub mrr: Option<Amount>,
    /// Why `mrr` cannot be known.
    pub problem: Option<Problem>,
}

/// Why an amount cannot be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The first reason.
    pub reason: Reason,
    /// What was found, and what to do.
    pub detail: String,
}

/// How an item's MRR comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemWorking {
    /// Its number within the subscription, from 1.
    pub number: usize,
    /// `si_…`, where known.
    pub id: Option<String>,
    /// The price's or plan's id, where known.
    pub price: Option<String>,
    /// The product's id, where known.
    pub product: Option<String>,
    /// Lower-case ISO code.
    pub currency: Option<String>,
    /// `None`: the price has no single amount (tiers, metered).
    pub unit_amount: Option<Amount>,
    /// Whether the amount already holds the quantity.
    pub amount_is_total: bool,
    /// `None`: the export shows none.
    pub quantity: Option<i64>,
    /// `day`, `week`, `month`, `year`, as read.
    pub interval: Option<String>,
    /// Intervals per billing period.
    pub interval_count: i64,
    /// Whether it is billed by usage, which counts 0.
    pub metered: bool,
    /// `graduated` or `volume`.
    pub tiers_mode: Option<String>,
    /// What `transform_quantity` makes of the quantity.
    pub transform_quantity: Option<Transform>,
    /// The tiers that the quantity reaches, with their costs.
    pub tiers: Vec<TierWorking>,
    /// What it costs per billing period; `None`: it cannot be priced.
    pub per_period: Option<Amount>,
    /// The part of a billing period's price that falls on one month.
    pub monthly_factor: Option<Exact>,
    /// The same as a person would write it down: `÷ 12`, `× 52/12 ÷ 2`; empty for one month.
    pub monthly_factor_words: String,
    /// The product of both, before discounts and tax.
    pub monthly: Option<Amount>,
    /// Inclusive tax.
    pub tax: Option<TaxWorking>,
    /// What it brings a month, after discounts and without inclusive tax; `None`: the subscription cannot be worked out.
    pub mrr: Option<Amount>,
}

/// `transform_quantity` at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transform {
    /// Units in a package.
    pub divide_by: i64,
    /// `up` or `down`.
    pub round: Option<String>,
    /// Packages billed; `None`: it cannot be applied.
    pub units: Option<i64>,
}

/// A tier at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierWorking {
    /// Its last unit; `None`: no end.
    pub up_to: Option<i64>,
    /// Units that are billed in it.
    pub units: i64,
    /// Price per unit.
    pub unit: Amount,
    /// Flat price.
    pub flat: Amount,
    /// Units × unit price + flat price.
    pub cost: Amount,
}

/// Inclusive tax at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaxWorking {
    /// The sum of the inclusive rates, in percent.
    pub percent: Exact,
    /// What is taken out of the monthly amount.
    pub taken: Amount,
}

/// What becomes of a discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiscountWorking {
    /// `item`, `subscription` or `customer`.
    pub level: &'static str,
    /// The number of the item that carries it.
    pub item: Option<usize>,
    /// `di_…`, where known.
    pub id: Option<String>,
    /// The coupon's id; `None`: the export holds only the discount's.
    pub coupon: Option<String>,
    /// What the coupon takes off, where it is defined and takes a percentage.
    pub percent_off: Option<Exact>,
    /// What it takes off, where it takes an amount of each billing period.
    pub amount_off: Option<Amount>,
    /// `forever`, `repeating` or `once`.
    pub duration: Option<&'static str>,
    /// Months of a repeating one.
    pub duration_in_months: Option<u32>,
    /// Whether the configuration defines the coupon, and not an export; `None`: nothing does.
    pub configured: Option<bool>,
    /// When it began.
    pub start: Option<Instant>,
    /// When it ends; `None`: no end is known.
    pub end: Option<Instant>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// The same in a sentence.
    pub why: String,
    /// What an amount is a month.
    pub monthly_off: Option<Amount>,
    /// What it takes off each item a month.
    pub taken: Vec<Taken>,
}

/// What a discount takes off an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The item's number.
    pub item: usize,
    /// A month.
    pub amount: Amount,
}

/// The sum of a subscription's items in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SumWorking {
    /// In that currency.
    pub monthly: Amount,
    /// Account currency per unit, and the day the rate is of; `None` for the account's own currency and without a rate.
    pub rate: Option<Rate>,
    /// In the account's currency; `None`: no rate.
    pub converted: Option<Amount>,
}

/// A dated rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Account currency per unit, as configured.
    pub rate: String,
    /// The day.
    pub date: Instant,
}
