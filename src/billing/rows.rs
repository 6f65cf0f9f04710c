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
    rest::Rests,
    scale::Denominators,
    steps::{Step, Steps},
    tiers,
};
use crate::{
    config::MrrSettings,
    model::{MOST_MINOR, Reason},
};
use polars::prelude::*;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
};

/// What one subscription brings a month.
#[derive(Debug)]
pub(super) struct Priced<'a> {
    pub subscription: u32,
    /// Minor units of its own currency; `None`: several currencies, or a problem.
    pub native: Option<Number>,
    /// Minor units of the account's currency; `None` with a problem.
    pub account: Option<Number>,
    pub problem: Option<Reason>,
    pub details: BTreeSet<String>,
    /// How it came about, where that was asked for.
    pub steps: Vec<Step<'a>>,
}

/// Prices `subscriptions` (`ord`, `id`, sorted by `ord`), every one of which counts; `items` are theirs, sorted by
/// subscription, then by id. With `explained` the steps are kept.
pub(super) fn price<'a>(
    subscriptions: &DataFrame,
    items: &DataFrame,
    lookup: &Lookup<'a>,
    rules: &Rules<'a>,
    mrr: &MrrSettings,
    rates: &Rates<'_>,
    explained: bool,
) -> PolarsResult<Vec<Priced<'a>>> {
    let items = self::items(items)?;
    let mut factors = HashMap::new();
    let mut priced = Vec::with_capacity(subscriptions.height());
    let mut rest = items.as_slice();
    for (ord, id) in subscriptions.column("ord")?.u32()?.iter().zip(subscriptions.column("id")?.str()?.iter()) {
        let who = Subscription { ord: ord.unwrap_or(u32::MAX), id: id.unwrap_or_default() };
        let (own, others) = rest.split_at(rest.iter().take_while(|item| item.subscription == who.ord).count());
        rest = others;
        let mut steps = Steps::new(explained);
        let found = match monthly(&who, own, lookup, rules, mrr, rates, &mut steps) {
            Ok(lines) => convert(&who, own, &lines, rates, &mut factors, &mut steps),
            Err(problems) => problematic(who.ord, None, problems),
        };
        priced.push(Priced { steps: steps.into_list(), ..found });
    }
    Ok(priced)
}

struct Subscription<'a> {
    ord: u32,
    id: &'a str,
}

fn problematic<'a>(subscription: u32, native: Option<Number>, problems: Vec<Problem>) -> Priced<'a> {
    Priced {
        subscription,
        native,
        account: None,
        problem: problems.iter().map(|(reason, _)| *reason).min_by_key(|reason| reason.as_str()),
        details: problems.into_iter().map(|(_, detail)| detail).collect(),
        steps: Vec::new(),
    }
}

/// What each licensed item brings a month, after discounts and without inclusive tax.
fn monthly<'a, 'i>(
    who: &Subscription<'_>,
    items: &[Item<'i>],
    lookup: &Lookup<'a>,
    rules: &Rules<'a>,
    mrr: &MrrSettings,
    rates: &Rates<'_>,
    steps: &mut Steps<'a>,
) -> Result<Vec<Line<'i>>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut lines = Vec::with_capacity(items.len());
    for (index, item) in items.iter().filter(|item| !item.metered).enumerate() {
        let factor = interval::per_month(item.interval.unwrap_or_default(), item.interval_count, mrr)
            .ok_or(Reason::IntervalUnknown);
        match factor.and_then(|factor| Ok((tiers::price(item, &lookup.tiers(item), steps)?, factor))) {
            Ok((price, factor)) => {
                let line = Line::new(item, index, price.mul(&factor), factor);
                let (factor, monthly) = (&line.factor, &line.monthly);
                steps.note(|| Step::Monthly {
                    item: item.ord,
                    price,
                    factor: factor.clone(),
                    monthly: monthly.clone(),
                });
                lines.push(line);
            }
            Err(reason) => problems.push((reason, item.sentence(reason, who.id, rates.account))),
        }
    }
    let discounts = lookup.discounts(who.ord, items.iter().map(|item| (item.ord, item.metered)));
    let licensed = items.iter().any(|item| !item.metered);
    // Of nothing but metered items nothing is taken off, whatever a coupon says.
    if let Err(problem) = rules.apply(who.id, discounts, &mut lines, steps)
        && licensed
    {
        problems.push(problem);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for line in &mut lines {
        let Some(rate) = lookup.tax(lookup.inclusive(line.item, who.ord)) else { continue };
        let before = std::mem::take(&mut line.monthly);
        line.monthly = net(&before, Some(&rate));
        let after = &line.monthly;
        steps.note(|| Step::Net { item: line.item, rate, before, after: after.clone() });
    }
    Ok(lines)
}

/// `gross` without the inclusive `tax` (a fraction of the net price) that it holds.
pub(super) fn net(gross: &Number, tax: Option<&Number>) -> Number {
    tax.and_then(|tax| gross.div(&tax.add(&Number::whole(1)))).unwrap_or_else(|| gross.clone())
}

/// Sums the lines, and converts them.
fn convert<'a, 'i>(
    who: &Subscription<'_>,
    items: &[Item<'_>],
    lines: &[Line<'i>],
    rates: &Rates<'_>,
    factors: &mut HashMap<&'i str, Option<Number>>,
    steps: &mut Steps<'a>,
) -> Priced<'a> {
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
        steps.note(|| Step::Converted { item: line.item, monthly: line.monthly.clone(), account: converted.clone() });
        native = native.add(&line.monthly);
        account = account.add(&converted.unwrap_or_else(Number::zero));
    }
    let out_of_range = problems.iter().any(|(reason, _)| *reason == Reason::AmountOutOfRange);
    let one_currency = lines.windows(2).all(|pair| pair[0].currency == pair[1].currency);
    let native = (one_currency && !out_of_range).then_some(native);
    if problems.is_empty() {
        Priced { account: Some(account), ..problematic(who.ord, native, problems) }
    } else {
        problematic(who.ord, native, problems)
    }
}

/// Takes note of what `priced` holds, for the scale.
pub(super) fn see(priced: &[Priced<'_>], denominators: &mut Denominators) {
    for number in priced.iter().flat_map(|row| [&row.native, &row.account]).flatten() {
        denominators.see(number, 1, number.ceil().unwrap_or(MOST_MINOR));
    }
}

/// `subscription`, `native`, `account` (multiples of 1/scale), `problem`, `problem_detail`; `rests` remembers what of
/// `account` is rounded.
pub(super) fn frame(priced: &[Priced<'_>], scale: i128, rests: &mut Rests) -> PolarsResult<DataFrame> {
    let native = priced.iter().map(|row| row.native.as_ref()?.nearest(scale));
    let account = priced.iter().map(|row| rests.count(row.subscription, row.account.as_ref()?, scale));
    let detail = |row: &Priced<'_>| row.problem.map(|_| row.details.iter().cloned().collect::<Vec<_>>().join("; "));
    df![
        "subscription" => priced.iter().map(|row| row.subscription).collect::<Vec<_>>(),
        "native" => wide("native", native),
        "account" => wide("account", account),
        "problem" => priced.iter().map(|row| row.problem.map(Reason::as_str)).collect::<Vec<_>>(),
        "problem_detail" => priced.iter().map(detail).collect::<Vec<_>>(),
    ]
}
