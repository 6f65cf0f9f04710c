//! A small builder of Stripe tables.

use crate::{
    model::Instant,
    table::{Accounts, Coupons, Discounts, INSTANT, Items, StripeTables, Subscriptions, TaxRates, Tiers},
};
use polars::prelude::*;

pub fn at(text: &str) -> i64 {
    Instant::parse(text).unwrap().epoch_millis()
}

#[derive(Debug, Clone)]
pub struct Sub {
    pub customer: &'static str,
    pub status: &'static str,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<i64>,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub period_end: Option<i64>,
    pub pause: Option<&'static str>,
    pub resumes_at: Option<i64>,
    pub problem: Option<&'static str>,
    pub items: Vec<Item>,
    pub discounts: Vec<Discount>,
    pub customer_discounts: Vec<Discount>,
    pub tax: Vec<(&'static str, bool)>,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub product: &'static str,
    pub currency: &'static str,
    pub amount: Option<(i128, i128)>,
    pub total: bool,
    pub quantity: Option<i64>,
    pub required: bool,
    pub interval: &'static str,
    pub count: i64,
    pub usage: Option<&'static str>,
    pub mode: Option<&'static str>,
    pub tiers: Vec<Tier>,
    pub transform: Option<(i64, &'static str)>,
    pub period_end: Option<i64>,
    pub discounts: Vec<Discount>,
    pub tax: Vec<(&'static str, bool)>,
}

#[derive(Debug, Clone)]
pub struct Discount {
    pub id: Option<&'static str>,
    pub coupon: Option<&'static str>,
    pub start: Option<i64>,
    pub end: Option<i64>,
}

pub fn coupon(id: &'static str) -> Discount {
    Discount { id: None, coupon: Some(id), start: None, end: None }
}

/// `amount` minor units of USD per `interval`.
pub fn item(amount: i128, interval: &'static str) -> Item {
    Item {
        product: "prod_a",
        currency: "usd",
        amount: Some((amount, 1)),
        total: false,
        quantity: Some(1),
        required: false,
        interval,
        count: 1,
        usage: Some("licensed"),
        mode: None,
        tiers: vec![],
        transform: None,
        period_end: None,
        discounts: vec![],
        tax: vec![],
    }
}

pub fn sub(items: Vec<Item>) -> Sub {
    Sub {
        customer: "cus_1",
        status: "active",
        cancel_at_period_end: false,
        cancel_at: None,
        canceled_at: None,
        ended_at: None,
        period_end: None,
        pause: None,
        resumes_at: None,
        problem: None,
        items,
        discounts: vec![],
        customer_discounts: vec![],
        tax: vec![],
    }
}

impl Item {
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Sub {
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

fn instants(name: &str, values: Vec<Option<i64>>) -> Column {
    Column::new(name.into(), values).cast(&INSTANT).unwrap()
}

fn wide(name: &str, values: Vec<Option<i128>>) -> Column {
    Int128Chunked::from_iter_options(name.into(), values.into_iter()).into_series().into()
}

/// Id, percentage, amount, its currency, duration, months, product.
type CouponRow = (
    &'static str,
    Option<&'static str>,
    Option<i64>,
    Option<&'static str>,
    &'static str,
    Option<i64>,
    Option<&'static str>,
);

/// Last unit, unit price, flat price.
pub type Tier = (Option<i64>, i128, i128);

fn coupons() -> Coupons {
    let all: Vec<CouponRow> = vec![
        ("P20", Some("20"), None, None, "forever", None, None),
        ("P50", Some("50"), None, None, "forever", None, None),
        ("P12_5", Some("12.5"), None, None, "forever", None, None),
        ("P100", Some("100"), None, None, "forever", None, None),
        ("ONCE20", Some("20"), None, None, "once", None, None),
        ("REP20", Some("20"), None, None, "repeating", Some(3), None),
        ("A5", None, Some(500), Some("usd"), "forever", None, None),
        ("A50", None, Some(5000), Some("usd"), "forever", None, None),
        ("A120", None, Some(12_000), Some("usd"), "forever", None, None),
        ("E5", None, Some(500), Some("eur"), "forever", None, None),
        ("B20", Some("20"), None, None, "forever", None, Some("prod_b")),
        ("B_A50", None, Some(5000), Some("usd"), "forever", None, Some("prod_b")),
    ];
    let lists: ListChunked = all.iter().map(|row| row.6.map(|product| Series::new("".into(), [product]))).collect();
    let lists = if lists.dtype() == &DataType::List(Box::new(DataType::String)) {
        lists.into_series()
    } else {
        lists.into_series().cast(&DataType::List(Box::new(DataType::String))).unwrap()
    };
    let frame = df![
        "id" => all.iter().map(|row| row.0).collect::<Vec<_>>(),
        "percent_off" => all.iter().map(|row| row.1).collect::<Vec<_>>(),
        "amount_off" => all.iter().map(|row| row.2).collect::<Vec<_>>(),
        "currency" => all.iter().map(|row| row.3).collect::<Vec<_>>(),
        "duration" => all.iter().map(|row| row.4).collect::<Vec<_>>(),
        "duration_in_months" => all.iter().map(|row| row.5).collect::<Vec<_>>(),
        "applies_to" => lists.with_name("applies_to".into()),
    ];
    Coupons::new(frame.unwrap()).unwrap()
}

/// One row per customer, in the order of reading: its id, and when the event was created that carried it.
pub fn accounts(rows: &[(&str, Option<i64>)]) -> Accounts {
    let n = rows.len();
    let ords: Vec<u32> = (0..).take(n).collect();
    let text = |name: &str| Column::full_null(name.into(), n, &DataType::String);
    let columns = vec![
        Column::new("ord".into(), ords.clone()),
        Column::new("file".into(), vec![0_u32; n]),
        Column::new("line".into(), ords),
        Column::new("id".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
        text("email"),
        text("name"),
        instants("created", vec![None; n]),
        Column::new("deleted".into(), vec![false; n]),
        Column::new("livemode".into(), vec![true; n]),
        text("external_id"),
        instants("event_created", rows.iter().map(|row| row.1).collect()),
    ];
    Accounts::new(DataFrame::new(n, columns).unwrap()).unwrap()
}

/// The tables of `subs`, in their order.
#[expect(clippy::too_many_lines, reason = "every column of every table")]
pub fn tables(subs: &[Sub]) -> StripeTables {
    let ids: Vec<u32> = (0..).take(subs.len()).collect();
    let n = subs.len();
    let names: Vec<String> = (0..n).map(|i| format!("sub_{i}")).collect();
    let subscriptions = DataFrame::new(
        n,
        vec![
            Column::new("ord".into(), ids.clone()),
            Column::new("file".into(), vec![0_u32; n]),
            Column::new("line".into(), ids.clone()),
            Column::new("id".into(), names),
            Column::new("customer".into(), subs.iter().map(|s| s.customer).collect::<Vec<_>>()),
            Column::new("status".into(), subs.iter().map(|s| s.status).collect::<Vec<_>>()),
            Column::new("cancel_at_period_end".into(), subs.iter().map(|s| s.cancel_at_period_end).collect::<Vec<_>>()),
            instants("cancel_at", subs.iter().map(|s| s.cancel_at).collect()),
            instants("canceled_at", subs.iter().map(|s| s.canceled_at).collect()),
            instants("ended_at", subs.iter().map(|s| s.ended_at).collect()),
            instants("created", vec![None; n]),
            instants("current_period_end", subs.iter().map(|s| s.period_end).collect()),
            Column::new("pause_behavior".into(), subs.iter().map(|s| s.pause).collect::<Vec<_>>()),
            instants("pause_resumes_at", subs.iter().map(|s| s.resumes_at).collect()),
            Column::new("livemode".into(), vec![true; n]),
            instants("event_created", vec![None; n]),
            Column::new("content".into(), vec![""; n]),
            Column::new("problem".into(), subs.iter().map(|s| s.problem).collect::<Vec<_>>()),
            Column::new("problem_detail".into(), subs.iter().map(|s| s.problem).collect::<Vec<_>>()),
        ],
    );
    let all: Vec<(u32, &Item)> =
        (0..).zip(subs).flat_map(|(ord, sub)| sub.items.iter().map(move |item| (ord, item))).collect();
    let m = all.len();
    let item_ords: Vec<u32> = (0..).take(m).collect();
    let items = DataFrame::new(
        m,
        vec![
            Column::new("ord".into(), item_ords.clone()),
            Column::new("subscription".into(), all.iter().map(|(ord, _)| *ord).collect::<Vec<_>>()),
            Column::new("id".into(), item_ords.iter().map(|ord| format!("si_{ord}")).collect::<Vec<_>>()),
            Column::full_null("price".into(), m, &DataType::String),
            Column::new("product".into(), all.iter().map(|(_, i)| i.product).collect::<Vec<_>>()),
            Column::new("currency".into(), all.iter().map(|(_, i)| i.currency).collect::<Vec<_>>()),
            wide("amount_num", all.iter().map(|(_, i)| i.amount.map(|a| a.0)).collect()),
            wide("amount_den", all.iter().map(|(_, i)| i.amount.map(|a| a.1)).collect()),
            Column::new("amount_is_total".into(), all.iter().map(|(_, i)| i.total).collect::<Vec<_>>()),
            Column::new("quantity".into(), all.iter().map(|(_, i)| i.quantity).collect::<Vec<_>>()),
            Column::new("quantity_required".into(), all.iter().map(|(_, i)| i.required).collect::<Vec<_>>()),
            Column::new("interval".into(), all.iter().map(|(_, i)| i.interval).collect::<Vec<_>>()),
            Column::new("interval_count".into(), all.iter().map(|(_, i)| i.count).collect::<Vec<_>>()),
            Column::new("usage_type".into(), all.iter().map(|(_, i)| i.usage).collect::<Vec<_>>()),
            Column::new("tiered".into(), all.iter().map(|(_, i)| i.mode.is_some()).collect::<Vec<_>>()),
            Column::new("tiers_mode".into(), all.iter().map(|(_, i)| i.mode).collect::<Vec<_>>()),
            // An item's list has the item's number.
            Column::new(
                "tiers".into(),
                (0..).zip(&all).map(|(ord, (_, i))| (!i.tiers.is_empty()).then_some(ord)).collect::<Vec<Option<u32>>>(),
            ),
            Column::new("divide_by".into(), all.iter().map(|(_, i)| i.transform.map(|t| t.0)).collect::<Vec<_>>()),
            Column::new("divide_round".into(), all.iter().map(|(_, i)| i.transform.map(|t| t.1)).collect::<Vec<_>>()),
            instants("current_period_end", all.iter().map(|(_, i)| i.period_end).collect()),
        ],
    );
    let tiers: Vec<(u32, Tier)> =
        (0..).zip(&all).flat_map(|(ord, (_, item))| item.tiers.iter().map(move |tier| (ord, *tier))).collect();
    let tiers = DataFrame::new(
        tiers.len(),
        vec![
            Column::new("tiers".into(), tiers.iter().map(|t| t.0).collect::<Vec<_>>()),
            Column::new("up_to".into(), tiers.iter().map(|t| t.1.0).collect::<Vec<_>>()),
            wide("unit_num", tiers.iter().map(|t| Some(t.1.1)).collect()),
            wide("unit_den", vec![Some(1); tiers.len()]),
            wide("flat_num", tiers.iter().map(|t| Some(t.1.2)).collect()),
            wide("flat_den", vec![Some(1); tiers.len()]),
        ],
    );
    let mut customers: Vec<&str> = subs.iter().map(|sub| sub.customer).collect();
    customers.sort_unstable();
    customers.dedup();
    let account = |id: &str| (0..).zip(&customers).find(|(_, customer)| **customer == id).unwrap().0;
    let mut discounts: Vec<(&str, u32, Option<&str>, u32, &Discount)> = vec![];
    let mut taxes: Vec<(&str, u32, &str, bool)> = vec![];
    for (ord, (_, item)) in (0..).zip(&all) {
        discounts.extend((0..).zip(&item.discounts).map(|(p, d)| ("item", ord, None, p, d)));
        taxes.extend(item.tax.iter().map(|tax| ("item", ord, tax.0, tax.1)));
    }
    for (ord, sub) in (0..).zip(subs) {
        discounts.extend((0..).zip(&sub.discounts).map(|(p, d)| ("subscription", ord, None, p, d)));
        discounts.extend(
            (0..)
                .zip(&sub.customer_discounts)
                .map(|(p, d)| ("customer", account(sub.customer), Some(sub.customer), p, d)),
        );
        taxes.extend(sub.tax.iter().map(|tax| ("subscription", ord, tax.0, tax.1)));
    }
    let discounts = DataFrame::new(
        discounts.len(),
        vec![
            Column::new("level".into(), discounts.iter().map(|d| d.0).collect::<Vec<_>>()),
            Column::new("owner".into(), discounts.iter().map(|d| d.1).collect::<Vec<_>>()),
            Column::new("customer".into(), discounts.iter().map(|d| d.2).collect::<Vec<_>>()),
            Column::new("id".into(), discounts.iter().map(|d| d.4.id).collect::<Vec<_>>()),
            Column::new("coupon".into(), discounts.iter().map(|d| d.4.coupon).collect::<Vec<_>>()),
            instants("start", discounts.iter().map(|d| d.4.start).collect()),
            instants("end", discounts.iter().map(|d| d.4.end).collect()),
            Column::new("position".into(), discounts.iter().map(|d| d.3).collect::<Vec<_>>()),
        ],
    );
    let taxes = DataFrame::new(
        taxes.len(),
        vec![
            Column::new("level".into(), taxes.iter().map(|t| t.0).collect::<Vec<_>>()),
            Column::new("owner".into(), taxes.iter().map(|t| t.1).collect::<Vec<_>>()),
            Column::new("percentage".into(), taxes.iter().map(|t| t.2).collect::<Vec<_>>()),
            Column::new("inclusive".into(), taxes.iter().map(|t| t.3).collect::<Vec<_>>()),
        ],
    );
    StripeTables {
        accounts: accounts(&customers.iter().map(|id| (*id, None)).collect::<Vec<_>>()),
        subscriptions: Subscriptions::new(subscriptions.unwrap()).unwrap(),
        items: Items::new(items.unwrap()).unwrap(),
        tiers: Tiers::new(tiers.unwrap()).unwrap(),
        discounts: Discounts::new(discounts.unwrap()).unwrap(),
        coupons: coupons(),
        tax_rates: TaxRates::new(taxes.unwrap()).unwrap(),
    }
}

/// The same tables, the rows of each in another order.
pub fn shuffled(tables: &StripeTables, seed: u64) -> StripeTables {
    let mut state = seed | 1;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut mix = |frame: &DataFrame| {
        let keys: Vec<u64> = (0..frame.height()).map(|_| random()).collect();
        let mut places: Vec<IdxSize> = (0..).take(frame.height()).collect();
        places.sort_by_key(|place| keys[*place as usize]);
        frame.take(&IdxCa::from_vec("place".into(), places)).unwrap()
    };
    StripeTables {
        accounts: Accounts::new(mix(tables.accounts.frame())).unwrap(),
        subscriptions: Subscriptions::new(mix(tables.subscriptions.frame())).unwrap(),
        items: Items::new(mix(tables.items.frame())).unwrap(),
        tiers: Tiers::new(mix(tables.tiers.frame())).unwrap(),
        discounts: Discounts::new(mix(tables.discounts.frame())).unwrap(),
        coupons: Coupons::new(mix(tables.coupons.frame())).unwrap(),
        tax_rates: TaxRates::new(mix(tables.tax_rates.frame())).unwrap(),
    }
}
