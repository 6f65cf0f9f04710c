//! One subscription at a time: the definition of its MRR, by exact fractions, and those that columns leave to it.
//!
//! Whatever [`super::price`] does to whole columns is what [`monthly`] and [`convert`] say of one subscription. Those where
//! an amount is taken off, where nobody knows what is, or with prices of more than twelve digits after the point are
//! priced here, because what they bring is no product of columns.

use super::{
    discount::{Line, Rules},
    exact::{Number, wide},
    interval,
    item::{Item, Problem, items},
    lookup::Lookup,
    rates::Rates,
    scale::{Denominators, MOST_MINOR},
    tiers,
};
use crate::{config::MrrSettings, model::Reason};
use polars::prelude::*;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
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

/// Prices `subscriptions` (`ord`, `id`, sorted by `ord`), every one of which counts; `items` are theirs, sorted by
/// subscription, then by id.
pub(super) fn price(
    subscriptions: &DataFrame,
    items: &DataFrame,
    lookup: &Lookup<'_>,
    rules: &Rules<'_>,
    mrr: &MrrSettings,
    rates: &Rates<'_>,
) -> PolarsResult<Vec<Priced>> {
    let items = self::items(items)?;
    let mut factors = HashMap::new();
    let mut priced = Vec::with_capacity(subscriptions.height());
    let mut rest = items.as_slice();
    for (ord, id) in subscriptions.column("ord")?.u32()?.iter().zip(subscriptions.column("id")?.str()?.iter()) {
        let who = Subscription { ord: ord.unwrap_or(u32::MAX), id: id.unwrap_or_default() };
        let (own, others) = rest.split_at(rest.iter().take_while(|item| item.subscription == who.ord).count());
        rest = others;
        priced.push(match monthly(&who, own, lookup, rules, mrr, rates) {
            Ok(lines) => convert(&who, own, &lines, rates, &mut factors),
            Err(problems) => problematic(who.ord, None, problems),
        });
    }
    Ok(priced)
}

struct Subscription<'a> {
    ord: u32,
    id: &'a str,
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
fn monthly<'a>(
    who: &Subscription<'_>,
    items: &[Item<'a>],
    lookup: &Lookup<'a>,
    rules: &Rules<'a>,
    mrr: &MrrSettings,
    rates: &Rates<'_>,
) -> Result<Vec<Line<'a>>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut lines = Vec::with_capacity(items.len());
    for item in items.iter().filter(|item| !item.metered) {
        let factor = interval::per_month(item.interval.unwrap_or_default(), item.interval_count, mrr)
            .ok_or(Reason::IntervalUnknown);
        match factor.and_then(|factor| Ok((tiers::price(item, &lookup.tiers(item))?, factor))) {
            Ok((price, factor)) => lines.push(Line::new(item, price.mul(&factor), factor)),
            Err(reason) => problems.push((reason, item.sentence(reason, who.id, rates.account))),
        }
    }
    let discounts = lookup.discounts(who.ord, items.iter().map(|item| (item.ord, item.metered)));
    if let Err(problem) = rules.apply(who.id, discounts, &mut lines) {
        problems.push(problem);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for line in &mut lines {
        line.monthly = net(&line.monthly, lookup.tax(lookup.inclusive(line.item, who.ord)));
    }
    Ok(lines)
}

/// `gross` without the inclusive `tax` (a fraction of the net price) that it holds.
pub(super) fn net(gross: &Number, tax: Option<Number>) -> Number {
    tax.and_then(|tax| gross.div(&tax.add(&Number::whole(1)))).unwrap_or_else(|| gross.clone())
}

/// Sums the lines, and converts them.
fn convert<'a>(
    who: &Subscription<'_>,
    items: &[Item<'_>],
    lines: &[Line<'a>],
    rates: &Rates<'_>,
    factors: &mut HashMap<&'a str, Option<Number>>,
) -> Priced {
    let most = Number::whole(MOST_MINOR);
    let absurd = |amount: &Number| amount.compare(&most) == Ordering::Greater;
    let mut problems = Vec::new();
    let (mut native, mut account) = (Number::zero(), Number::zero());
    for line in lines {
        let factor = factors.entry(line.currency).or_insert_with(|| rates.factor(line.currency));
        let converted = factor.as_ref().map(|factor| line.monthly.mul(factor));
        // Nothing is nothing in every currency.
        let reason = if absurd(&line.monthly) || converted.as_ref().is_some_and(absurd) {
            Some(Reason::AmountOutOfRange)
        } else if converted.is_none() && !line.monthly.is_zero() {
            Some(Reason::CurrencyWithoutRate)
        } else {
            None
        };
        let blamed = items.iter().find(|item| item.ord == line.item);
        if let (Some(reason), Some(item)) = (reason, blamed) {
            problems.push((reason, item.sentence(reason, who.id, rates.account)));
        }
        native = native.add(&line.monthly);
        account = account.add(&converted.unwrap_or_else(Number::zero));
    }
    let out_of_range = problems.iter().any(|(reason, _)| *reason == Reason::AmountOutOfRange);
    let one_currency = lines.windows(2).all(|pair| pair[0].currency == pair[1].currency);
    let native = (one_currency && !out_of_range).then_some(native);
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
    let count = |number: &Option<Number>| number.as_ref().and_then(|number| number.nearest(scale));
    let detail = |row: &Priced| row.problem.map(|_| row.details.iter().cloned().collect::<Vec<_>>().join("; "));
    df![
        "subscription" => priced.iter().map(|row| row.subscription).collect::<Vec<_>>(),
        "native" => wide("native", priced.iter().map(|row| count(&row.native))),
        "account" => wide("account", priced.iter().map(|row| count(&row.account))),
        "problem" => priced.iter().map(|row| row.problem.map(Reason::as_str)).collect::<Vec<_>>(),
        "problem_detail" => priced.iter().map(detail).collect::<Vec<_>>(),
    ]
}
