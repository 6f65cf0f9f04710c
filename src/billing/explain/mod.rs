//! How the MRR of single subscriptions comes about, step by step.
//!
//! In: Stripe's tables, the definition of MRR, the clock, and the customers that someone asks about. Out: one
//! [`SubscriptionWorking`] per subscription of theirs. Never: a rule of its own. The steps are noted by the code that prices
//! subscriptions row by row; the sum is the one of [`bill`], and an explanation that led to another one is refused.

mod assemble;
mod why;
mod working;

pub use super::{counted::TakenOut, discount::Verdict};
pub use working::{
    Amount, DiscountWorking, ItemWorking, Problem, Rate, SubscriptionWorking, SumWorking, Taken, TaxWorking,
    TierWorking, Transform,
};

use super::{
    BillingError, bill, counted, coupons,
    discount::Rules,
    exact,
    exact::Number,
    item::{Item, items},
    lookup::Sources,
    rates::Rates,
    rows,
};
use crate::{
    config::{Fx, MrrSettings},
    model::{Currency, Instant},
    runs::Exact,
    table::{Accounts, Discounts, Items, SchemaError, StripeTables, Subscriptions, TaxRates, Tiers},
};
use assemble::{Assembled, Known};
use num_rational::BigRational;
use num_traits::Signed;
use polars::prelude::*;
use std::collections::HashMap;
use why::Facts;

/// Takes the MRR of every subscription apart that names one of `customers` (Stripe's ids), in the order of reading.
///
/// # Errors
/// A query that failed, or a working that does not lead to the subscription's MRR: a bug, not bad data.
pub fn explain(
    tables: &StripeTables,
    customers: &[&str],
    mrr: &MrrSettings,
    fx: &Fx,
    currency: Currency,
    as_of: Instant,
) -> Result<Vec<SubscriptionWorking>, BillingError> {
    let tables = narrowed(tables, customers)?;
    let rates = Rates { fx, mrr, account: currency };
    let billed = bill(&tables, mrr, fx, currency, as_of)?;
    let described = counted::counted(&tables, mrr, as_of)?.sort(["ord"], SortMultipleOptions::default()).collect()?;
    let sources = Sources::explained(&tables, &described.select(["ord", "customer"])?)?;
    let lookup = sources.lookup()?;
    let coupons = coupons::read(&tables.coupons, mrr, |code| rates.digits(code))?;
    let rules =
        Rules { coupons: &coupons, by_id: &lookup.by_id, counted: mrr.coupons, unknown: mrr.unknown_coupon, as_of };
    let by_subscription = ["subscription", "id", "ord"];
    let sorted = tables.items.lazy().sort(by_subscription, SortMultipleOptions::default()).collect()?;
    let priced = rows::price(&described, &sorted, &lookup, &rules, mrr, &rates, true)?;
    let known = Known { rates, mrr };
    let mut own: HashMap<u32, Vec<Item<'_>>> = HashMap::new();
    for item in items(&sorted)? {
        own.entry(item.subscription).or_default().push(item);
    }

    let sums = billed.subscriptions.sort(["ord"], SortMultipleOptions::default())?;
    let (exact_sums, reasons) = (sums.column("mrr")?.i128()?, sums.column("problem")?.str()?);
    let details = sums.column("problem_detail")?.str()?;
    let text = |column: &str| described.column(column).and_then(Column::str);
    let (ids, owners) = (text("id")?, text("customer")?);
    let taken_out = described.column("taken_out")?.u8()?;
    let facts = facts(&described)?;
    let mut workings = Vec::with_capacity(described.height());
    // A person asked about these few: each is walked.
    for (row, (priced, facts)) in priced.into_iter().zip(facts).enumerate() {
        let rule = taken_out.get(row).and_then(|place| TakenOut::ALL.get(usize::from(place)).copied());
        let problem = reasons.get(row).and_then(|reason| {
            Some(Problem { reason: reason.parse().ok()?, detail: details.get(row).unwrap_or_default().to_owned() })
        });
        let id = ids.get(row).unwrap_or_default();
        let working = priced.account.as_ref().map(Number::exact);
        let mrr_exact = exact_sums.get(row).map(|sum| exact(sum, billed.scale));
        let agreed = match (&mrr_exact, &working) {
            (Some(mrr), Some(working)) => agree(mrr, working),
            (Some(_), None) => false,
            (None, _) => true,
        };
        if rule.is_none() && !agreed {
            let shown = |sum: Option<Exact>| sum.map_or("nothing".to_owned(), |sum| format!("{}/{}", sum.num, sum.den));
            return Err(BillingError::Disagrees {
                subscription: id.to_owned(),
                mrr: shown(mrr_exact),
                working: shown(working),
            });
        }
        let Assembled { items, discounts, sums } =
            known.assemble(own.get(&priced.subscription).map_or(&[], Vec::as_slice), &priced.steps);
        let in_account = |minor| Amount { currency: currency.to_string(), minor };
        workings.push(SubscriptionWorking {
            ord: priced.subscription,
            id: id.to_owned(),
            customer: owners.get(row).unwrap_or_default().to_owned(),
            status: facts.status.to_owned(),
            counted: rule.is_none(),
            taken_out: rule,
            why: why::counted(rule, &facts, mrr),
            items,
            discounts,
            sums,
            working: working.clone().map(in_account),
            // The working is exact even where the scale of sums is not.
            mrr: if rule.is_none() { mrr_exact.and(working.clone()) } else { mrr_exact }.map(in_account),
            problem,
        });
    }
    Ok(workings)
}

/// Whether two sums are one: a scale that cannot hold every denominator rounds the rarest amounts to a trillionth of a minor
/// unit each, and no sum of them comes near a millionth.
pub fn agree(one: &Exact, other: &Exact) -> bool {
    let number = |exact: &Exact| Some(BigRational::new(exact.num.parse().ok()?, exact.den.parse().ok()?));
    let difference = number(one).zip(number(other)).map(|(one, other)| (one - other).abs());
    difference.is_some_and(|difference| difference < BigRational::new(1.into(), 1_000_000.into()))
}

/// What the sentences say, row by row.
fn facts(described: &DataFrame) -> PolarsResult<Vec<Facts<'_>>> {
    let text = |column: &str| described.column(column).and_then(Column::str);
    let instants = |column: &str| -> PolarsResult<Int64Chunked> {
        Ok(described.column(column)?.cast(&DataType::Int64)?.i64()?.clone())
    };
    let (statuses, behaviors) = (text("status")?, text("pause_behavior")?);
    let (cancel_at, canceled_at, ended_at) = (instants("cancel_at")?, instants("canceled_at")?, instants("ended_at")?);
    let (last_period, resumes_at) = (instants("last_period")?, instants("pause_resumes_at")?);
    let (at_period_end, paused) =
        (described.column("cancel_at_period_end")?.bool()?, described.column("paused")?.bool()?);
    Ok((0..described.height())
        .map(|row| Facts {
            status: statuses.get(row).unwrap_or_default(),
            cancel_at_period_end: at_period_end.get(row) == Some(true),
            cancel_at: cancel_at.get(row),
            canceled_at: canceled_at.get(row),
            ended_at: ended_at.get(row),
            last_period: last_period.get(row),
            pause_behavior: behaviors.get(row),
            pause_resumes_at: resumes_at.get(row),
            paused: paused.get(row) == Some(true),
        })
        .collect())
}

/// The tables with the subscriptions of `customers` only, and what else these can refer to.
fn narrowed(tables: &StripeTables, customers: &[&str]) -> Result<StripeTables, BillingError> {
    let wanted = lit(Series::new("wanted".into(), customers)).implode(false);
    let internal = |error: SchemaError| BillingError::Polars(PolarsError::ComputeError(error.to_string().into()));
    let accounts = tables.accounts.lazy().filter(col("id").is_in(wanted.clone(), false).fill_null(lit(false)));
    let accounts = accounts.collect()?;
    let subscriptions = tables.subscriptions.lazy().filter(col("customer").is_in(wanted.clone(), false)).collect()?;
    let items =
        tables.items.lazy().semi_join(subscriptions.clone().lazy(), col("subscription"), col("ord")).collect()?;
    let tiers = tables.tiers.lazy().semi_join(items.clone().lazy(), col("tiers"), col("tiers")).collect()?;
    let by_owner = |table: LazyFrame, level: &str, owners: &DataFrame| {
        table.filter(col("level").eq(lit(level))).semi_join(owners.clone().lazy(), col("owner"), col("ord"))
    };
    let of_customers = tables
        .discounts
        .lazy()
        .filter(col("level").eq(lit("customer")).and(col("customer").is_in(wanted, false).fill_null(lit(false))));
    let seen = concat(
        [
            by_owner(tables.discounts.lazy(), "item", &items),
            by_owner(tables.discounts.lazy(), "subscription", &subscriptions),
            of_customers,
        ],
        UnionArgs::default(),
    )?
    .collect()?;
    // Another table may hold what one of these only names; on whatever it stands, it is not theirs.
    let elsewhere = tables
        .discounts
        .lazy()
        .semi_join(seen.clone().lazy(), col("id"), col("id"))
        .with_columns([lit("").alias("level"), lit(NULL).cast(DataType::String).alias("customer")]);
    let discounts = concat([seen.lazy(), elsewhere], UnionArgs::default())?.collect()?;
    let tax_rates = concat(
        [
            by_owner(tables.tax_rates.lazy(), "item", &items),
            by_owner(tables.tax_rates.lazy(), "subscription", &subscriptions),
        ],
        UnionArgs::default(),
    )?
    .collect()?;
    Ok(StripeTables {
        subscriptions: Subscriptions::new(subscriptions).map_err(internal)?,
        items: Items::new(items).map_err(internal)?,
        tiers: Tiers::new(tiers).map_err(internal)?,
        discounts: Discounts::new(discounts).map_err(internal)?,
        tax_rates: TaxRates::new(tax_rates).map_err(internal)?,
        coupons: tables.coupons.clone(),
        // Which row of a customer stands says which of its discounts count.
        accounts: Accounts::new(accounts).map_err(internal)?,
    })
}
