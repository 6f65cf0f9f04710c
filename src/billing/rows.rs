//! The subscriptions that columns cannot price: those with discounts, tiers, `transform_quantity` or inclusive tax.
//! They are priced one by one, with exact fractions, because each follows a path of its own; the ordinary ones never
//! come here, so only these pay.

use super::{
    coupons,
    discount::{Discount, Level, Line, Rules},
    exact::Number,
    interval,
    item::{Item, Problem, items},
    rates::Rates,
    scale::{Denominators, MOST_MINOR},
    tiers::{self, Tier},
};
use crate::{
    config::{CountedCoupons, MrrSettings},
    model::{Instant, Reason},
    table::{INSTANT, StripeTables},
};
use polars::prelude::*;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// What one subscription brings a month.
#[derive(Debug)]
pub(super) struct Priced {
    pub subscription: u32,
    /// Minor units of its own currency; `None`: several currencies, or a problem.
    pub native: Option<Number>,
    /// Minor units of the account's currency; `None` with a problem.
    pub account: Option<Number>,
    pub problem: Option<Reason>,
    pub details: BTreeSet<String>,
}

/// The tables of the rows at hand, by owner.
struct Lookup {
    /// By the number of the tier list.
    tiers: HashMap<u32, Vec<Tier>>,
    of_item: HashMap<u32, Vec<Discount>>,
    of_subscription: HashMap<u32, Vec<Discount>>,
    of_customer: HashMap<String, Vec<Discount>>,
    item_tax: HashMap<u32, Number>,
    subscription_tax: HashMap<u32, Number>,
    by_id: HashMap<String, Discount>,
}

/// Discounts that have not ended, as far as their own row tells. Nothing, where no coupon counts.
fn open_discounts(tables: &StripeTables, mrr: &MrrSettings, as_of: Instant) -> LazyFrame {
    let open = col("end").is_null().or(col("end").gt(lit(as_of.epoch_millis()).cast(INSTANT)));
    tables.discounts.lazy().filter(open.and(lit(mrr.coupons != CountedCoupons::None)))
}

/// Discounts on customers, of each customer's row that was read last.
fn customer_discounts(discounts: LazyFrame) -> LazyFrame {
    let of_customers = discounts.filter(col("level").eq(lit("customer")).and(col("customer").is_not_null()));
    let last = of_customers.clone().group_by([col("customer")]).agg([col("owner").max().alias("last")]);
    of_customers.left_join(last, col("customer"), col("customer")).filter(col("owner").eq(col("last")))
}

/// The `ord` (as `subscription`) of every subscription in `counted` that goes by rows.
pub(super) fn exceptional(
    tables: &StripeTables,
    counted: &DataFrame,
    mrr: &MrrSettings,
    as_of: Instant,
) -> PolarsResult<DataFrame> {
    let discounts = open_discounts(tables, mrr, as_of);
    let taxed = tables.tax_rates.lazy().filter(col("inclusive"));
    let owners = |frame: LazyFrame, level: &str| frame.filter(col("level").eq(lit(level))).select([col("owner")]);
    let of_items = concat([owners(discounts.clone(), "item"), owners(taxed.clone(), "item")], UnionArgs::default())?;
    let by_item = tables.items.lazy().semi_join(of_items, col("ord"), col("owner")).select([col("subscription")]);
    let by_price =
        tables.items.lazy().filter(col("tiered").or(col("divide_by").is_not_null())).select([col("subscription")]);
    let by_subscription =
        concat([owners(discounts.clone(), "subscription"), owners(taxed, "subscription")], UnionArgs::default())?
            .select([col("owner").alias("subscription")]);
    let by_customer = counted
        .clone()
        .lazy()
        .semi_join(customer_discounts(discounts), col("customer"), col("customer"))
        .select([col("ord").alias("subscription")]);
    concat([by_item, by_price, by_subscription, by_customer], UnionArgs::default())?
        .unique(None, UniqueKeepStrategy::Any)
        .semi_join(counted.clone().lazy(), col("subscription"), col("ord"))
        .collect()
}

/// Prices the subscriptions in `exceptional`, every one of which counts.
pub(super) fn price(
    tables: &StripeTables,
    exceptional: &DataFrame,
    mrr: &MrrSettings,
    rates: &Rates<'_>,
    as_of: Instant,
) -> PolarsResult<Vec<Priced>> {
    let subscriptions = tables
        .subscriptions
        .lazy()
        .semi_join(exceptional.clone().lazy(), col("ord"), col("subscription"))
        .select([col("ord"), col("id"), col("customer")])
        .sort(["ord"], SortMultipleOptions::default())
        .collect()?;
    let of_these = tables
        .items
        .lazy()
        .semi_join(exceptional.clone().lazy(), col("subscription"), col("subscription"))
        .sort(["subscription", "id", "ord"], SortMultipleOptions::default())
        .collect()?;
    let lookup = lookup(tables, &of_these, exceptional, mrr, as_of)?;
    let coupons = coupons::read(&tables.coupons, mrr, |currency| rates.digits(currency))?;
    let rules =
        Rules { coupons: &coupons, by_id: &lookup.by_id, counted: mrr.coupons, unknown: mrr.unknown_coupon, as_of };
    let items = items(&of_these)?;
    let mut factors = HashMap::new();
    let (ords, ids) = (subscriptions.column("ord")?.u32()?, subscriptions.column("id")?.str()?);
    let customers = subscriptions.column("customer")?.str()?;
    let mut priced = Vec::with_capacity(subscriptions.height());
    let mut rest = items.as_slice();
    for row in 0..subscriptions.height() {
        let ord = ords.get(row).unwrap_or(u32::MAX);
        let (own, others) = rest.split_at(rest.iter().take_while(|item| item.subscription == ord).count());
        rest = others;
        let who = Subscription {
            ord,
            id: ids.get(row).unwrap_or_default(),
            customer: customers.get(row).unwrap_or_default(),
        };
        priced.push(match monthly(&who, own, &lookup, &rules, mrr, rates) {
            Ok(lines) => convert(&who, own, &lines, rates, &mut factors),
            Err(problems) => problematic(ord, None, problems),
        });
    }
    Ok(priced)
}

struct Subscription<'a> {
    ord: u32,
    id: &'a str,
    customer: &'a str,
}

fn problematic(subscription: u32, native: Option<Number>, problems: Vec<Problem>) -> Priced {
    Priced {
        subscription,
        native,
        account: None,
        problem: problems.iter().map(|(reason, _)| *reason).min_by_key(|reason| reason.as_str()),
        details: problems.into_iter().map(|(_, detail)| detail).collect(),
    }
}

/// What each licensed item brings a month, after discounts and without inclusive tax.
fn monthly(
    who: &Subscription<'_>,
    items: &[Item],
    lookup: &Lookup,
    rules: &Rules<'_>,
    mrr: &MrrSettings,
    rates: &Rates<'_>,
) -> Result<Vec<Line>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut lines = Vec::with_capacity(items.len());
    let mut discounts = Vec::new();
    for item in items.iter().filter(|item| !item.metered) {
        let none = Vec::new();
        let price = tiers::price(item, item.tiers.and_then(|list| lookup.tiers.get(&list)).unwrap_or(&none));
        let factor = interval::per_month(item.interval.as_deref().unwrap_or_default(), item.interval_count, mrr)
            .ok_or(Reason::IntervalUnknown);
        match factor.and_then(|factor| Ok((price?, factor))) {
            Ok((price, factor)) => {
                let own = lookup.of_item.get(&item.ord).into_iter().flatten();
                discounts.extend(own.map(|discount| (Level::Item(lines.len()), discount.clone())));
                lines.push(Line {
                    item: item.ord,
                    id: item.id.clone(),
                    product: item.product.clone(),
                    currency: item.currency.clone().unwrap_or_default(),
                    monthly: price.mul(&factor),
                    factor,
                });
            }
            Err(reason) => problems.push((reason, item.sentence(reason, who.id, rates.account))),
        }
    }
    let on = |discounts: Option<&Vec<Discount>>, level| -> Vec<_> {
        discounts.into_iter().flatten().map(|discount| (level, discount.clone())).collect()
    };
    discounts.extend(on(lookup.of_subscription.get(&who.ord), Level::Subscription));
    discounts.extend(on(lookup.of_customer.get(who.customer), Level::Customer));
    if let Err(problem) = rules.apply(who.id, discounts, &mut lines) {
        problems.push(problem);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for line in &mut lines {
        // An item's own rates, even without an inclusive one, replace the subscription's.
        let tax = lookup.item_tax.get(&line.item).or_else(|| lookup.subscription_tax.get(&who.ord));
        let net = tax.and_then(|tax| line.monthly.div(&tax.add(&Number::whole(1))));
        line.monthly = net.unwrap_or_else(|| line.monthly.clone());
    }
    Ok(lines)
}

/// Sums the lines, and converts them.
fn convert(
    who: &Subscription<'_>,
    items: &[Item],
    lines: &[Line],
    rates: &Rates<'_>,
    factors: &mut HashMap<String, Option<Number>>,
) -> Priced {
    let mut sums: BTreeMap<&str, Number> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(&line.currency).or_insert_with(Number::zero);
        *sum = sum.add(&line.monthly);
    }
    let mut problems = Vec::new();
    let mut account = Number::zero();
    for (currency, sum) in &sums {
        let factor = factors.entry((*currency).to_owned()).or_insert_with(|| rates.factor(currency));
        let in_account = factor.as_ref().map(|factor| sum.mul(factor));
        let largest =
            in_account.iter().any(|converted| converted.compare(&Number::whole(MOST_MINOR)) == Ordering::Greater);
        // Nothing is nothing in every currency.
        let reason = if largest || sum.compare(&Number::whole(MOST_MINOR)) == Ordering::Greater {
            Some(Reason::AmountOutOfRange)
        } else if in_account.is_none() && !sum.is_zero() {
            Some(Reason::CurrencyWithoutRate)
        } else {
            None
        };
        let blamed = items.iter().find(|item| item.currency.as_deref().unwrap_or_default() == *currency);
        if let (Some(reason), Some(item)) = (reason, blamed) {
            problems.push((reason, item.sentence(reason, who.id, rates.account)));
        }
        account = account.add(&in_account.unwrap_or_else(Number::zero));
    }
    let out_of_range = problems.iter().any(|(reason, _)| *reason == Reason::AmountOutOfRange);
    let native = match sums.len() {
        0 => Some(Number::zero()),
        1 if !out_of_range => sums.into_values().next(),
        _ => None,
    };
    if problems.is_empty() {
        let (subscription, details) = (who.ord, BTreeSet::new());
        Priced { subscription, native, account: Some(account), problem: None, details }
    } else {
        problematic(who.ord, native, problems)
    }
}

/// Takes note of what `priced` holds, for the scale.
pub(super) fn see(priced: &[Priced], denominators: &mut Denominators) {
    for number in priced.iter().flat_map(|row| [&row.native, &row.account]).flatten() {
        denominators.see(number, 1, number.ceil().unwrap_or(MOST_MINOR));
    }
}

/// `subscription`, `native`, `account` (multiples of 1/scale), `problem`, `problem_detail`.
pub(super) fn frame(priced: &[Priced], scale: i128) -> PolarsResult<DataFrame> {
    let too_fine = |number: &Option<Number>| number.as_ref().is_some_and(|number| number.count(scale).is_none());
    let count = |number: &Option<Number>| number.as_ref().and_then(|number| number.count(scale));
    let problem = |row: &Priced| {
        let fine = too_fine(&row.native) || too_fine(&row.account);
        row.problem.or(fine.then_some(Reason::AmountOutOfRange))
    };
    let detail = |row: &Priced| {
        let sentence = if row.details.is_empty() {
            "an amount is finer than can be summed exactly".to_owned()
        } else {
            row.details.iter().cloned().collect::<Vec<_>>().join("; ")
        };
        problem(row).map(|_| sentence)
    };
    df![
        "subscription" => priced.iter().map(|row| row.subscription).collect::<Vec<_>>(),
        "native" => Int128Chunked::from_iter_options("native".into(), priced.iter().map(|row| count(&row.native))).into_series(),
        "account" => Int128Chunked::from_iter_options("account".into(), priced.iter().map(|row| count(&row.account))).into_series(),
        "problem" => priced.iter().map(|row| problem(row).map(Reason::as_str)).collect::<Vec<_>>(),
        "problem_detail" => priced.iter().map(detail).collect::<Vec<_>>(),
    ]
}

fn lookup(
    tables: &StripeTables,
    items: &DataFrame,
    subscriptions: &DataFrame,
    mrr: &MrrSettings,
    as_of: Instant,
) -> PolarsResult<Lookup> {
    let discounts = open_discounts(tables, mrr, as_of);
    let on_level = |level: &str| discounts.clone().filter(col("level").eq(lit(level)));
    let item_ords = || items.clone().lazy();
    let these = || subscriptions.clone().lazy();
    let of_items = on_level("item").semi_join(item_ords(), col("owner"), col("ord")).collect()?;
    let of_subscriptions = on_level("subscription").semi_join(these(), col("owner"), col("subscription")).collect()?;
    let customers = tables.subscriptions.lazy().semi_join(these(), col("ord"), col("subscription"));
    let of_customers =
        customer_discounts(discounts.clone()).semi_join(customers, col("customer"), col("customer")).collect()?;
    let full = tables.discounts.lazy().filter(col("id").is_not_null().and(col("coupon").is_not_null()));
    let tax = |level: &str| tables.tax_rates.lazy().filter(col("level").eq(lit(level)));
    let tiers = tables.tiers.lazy().semi_join(item_ords(), col("tiers"), col("tiers")).collect()?;
    Ok(Lookup {
        tiers: read_tiers(&tiers)?,
        of_item: by_key(&of_items, |row, frame| Ok(frame.column("owner")?.u32()?.get(row)))?,
        of_subscription: by_key(&of_subscriptions, |row, frame| Ok(frame.column("owner")?.u32()?.get(row)))?,
        of_customer: by_key(&of_customers, |row, frame| {
            Ok(frame.column("customer")?.str()?.get(row).map(str::to_owned))
        })?,
        item_tax: read_tax(&tax("item").semi_join(item_ords(), col("owner"), col("ord")).collect()?)?,
        subscription_tax: read_tax(
            &tax("subscription").semi_join(these(), col("owner"), col("subscription")).collect()?,
        )?,
        by_id: by_key(&full.collect()?, |row, frame| Ok(frame.column("id")?.str()?.get(row).map(str::to_owned)))?
            .into_iter()
            .filter_map(|(id, mut rows): (String, Vec<Discount>)| {
                rows.sort_by(|a, b| (&a.coupon, a.start, a.end).cmp(&(&b.coupon, b.start, b.end)));
                Some((id, rows.pop()?))
            })
            .collect(),
    })
}

fn by_key<K: Eq + std::hash::Hash>(
    frame: &DataFrame,
    key: impl Fn(usize, &DataFrame) -> PolarsResult<Option<K>>,
) -> PolarsResult<HashMap<K, Vec<Discount>>> {
    let (ids, coupons) = (frame.column("id")?.str()?, frame.column("coupon")?.str()?);
    let starts = frame.column("start")?.cast(&DataType::Int64)?;
    let ends = frame.column("end")?.cast(&DataType::Int64)?;
    let (starts, ends, positions) = (starts.i64()?, ends.i64()?, frame.column("position")?.u32()?);
    let mut map: HashMap<K, Vec<Discount>> = HashMap::new();
    for row in 0..frame.height() {
        let Some(key) = key(row, frame)? else { continue };
        map.entry(key).or_default().push(Discount {
            id: ids.get(row).map(str::to_owned),
            coupon: coupons.get(row).map(str::to_owned),
            start: starts.get(row),
            end: ends.get(row),
            position: positions.get(row).unwrap_or(0),
        });
    }
    Ok(map)
}

fn read_tiers(frame: &DataFrame) -> PolarsResult<HashMap<u32, Vec<Tier>>> {
    let number = |column: &str| frame.column(column).and_then(Column::i128);
    let (lists, ends) = (frame.column("tiers")?.u32()?, frame.column("up_to")?.i64()?);
    let (unit_nums, unit_dens) = (number("unit_num")?, number("unit_den")?);
    let (flat_nums, flat_dens) = (number("flat_num")?, number("flat_den")?);
    let mut map: HashMap<u32, Vec<Tier>> = HashMap::new();
    for row in 0..frame.height() {
        let Some(list) = lists.get(row) else { continue };
        map.entry(list).or_default().push(Tier {
            up_to: ends.get(row),
            unit: (unit_nums.get(row).unwrap_or(0), unit_dens.get(row).unwrap_or(1)),
            flat: (flat_nums.get(row).unwrap_or(0), flat_dens.get(row).unwrap_or(1)),
        });
    }
    Ok(map)
}

/// The sum of the inclusive rates of each owner, as a fraction; 0 for one with exclusive rates only.
fn read_tax(frame: &DataFrame) -> PolarsResult<HashMap<u32, Number>> {
    let (owners, percentages) = (frame.column("owner")?.u32()?, frame.column("percentage")?.str()?);
    let inclusive = frame.column("inclusive")?.bool()?;
    let mut map: HashMap<u32, Number> = HashMap::new();
    for row in 0..frame.height() {
        let Some(owner) = owners.get(row) else { continue };
        let sum = map.entry(owner).or_insert_with(Number::zero);
        let rate = percentages.get(row).filter(|_| inclusive.get(row) == Some(true)).and_then(coupons::percentage);
        if let Some(rate) = rate {
            *sum = sum.add(&rate);
        }
    }
    Ok(map)
}
