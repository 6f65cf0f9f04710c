//! Prices and tiers to the items that name them.

use super::{PLANS, PRICES, TIERS};
use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::load::ordered;
use crate::load::settle::{Settled, dispositions, marked};
use crate::load::stripe::api_json::sent_per_minor;
use crate::model::{Currency, Disposition, Reason};
use crate::table::{Items, StripeTables, Subscriptions, Tiers, beside, look_up};
use polars::prelude::*;
use std::collections::BTreeMap;

/// What an item takes from its price.
const FROM_PRICE: &[&str] = &[
    "product",
    "currency",
    "amount_num",
    "amount_den",
    "interval",
    "interval_count",
    "usage_type",
    "tiered",
    "tiers_mode",
    "divide_by",
    "divide_round",
];

/// Fills in what items cost: the price of those that only name it, and tier lists where the item came without. A
/// subscription with an item whose price is in no file gets a problem.
pub(super) fn complete(
    tables: &mut StripeTables,
    prices: &DataFrame,
    tiers: &DataFrame,
    digits: &BTreeMap<Currency, u8>,
    settled: &mut Settled<'_>,
) -> Result<(), TableError> {
    let bare = || col("interval").is_null().and(col("currency").is_null()).and(col("amount_num").is_null());
    let open = tables.items.lazy().filter(bare()).select([len()]).collect()?.column("len")?.get(0)?.extract::<u64>();
    if prices.height() == 0 && tiers.height() == 0 && open == Some(0) {
        return Ok(());
    }
    let rows = ordered(prices.clone())?;
    let standing = standing_prices(&rows, settled)?;
    let named = marked(tables.items.lazy(), "price", "used");
    for (source, plan) in [(PRICES, false), (PLANS, true)] {
        let of_source = standing.clone().filter(col("plan").eq(lit(plan)));
        let ends = look_up(of_source, named.clone(), "id", "price").with_columns(dispositions(&[
            // A plan whose price is there too says nothing new.
            (col("first").not(), Disposition::MergedDuplicate, None),
            (col("used").is_null(), Disposition::Excluded, Some(Reason::NotUsed)),
        ]));
        settled.add(source, ends)?;
    }
    let prices = standing.filter(col("first")).collect()?;

    let from_price: Vec<Expr> = FROM_PRICE.iter().map(|name| col(*name).alias(format!("price_{name}"))).collect();
    let mut right = vec![col("id").alias("price_id"), lit(true).alias("found")];
    right.extend(from_price);
    let completed = look_up(tables.items.lazy(), prices.clone().lazy().select(right), "price", "price_id");
    let mut columns: Vec<Expr> = FROM_PRICE
        .iter()
        .map(|name| {
            let own = col(*name);
            when(bare().and(col("found"))).then(col(format!("price_{name}"))).otherwise(own).alias(*name)
        })
        .collect();
    columns.push(bare().and(col("found").is_null()).alias("without"));
    let completed = completed.with_columns(columns).collect()?;
    let subscriptions = with_problem(&tables.subscriptions, &completed)?;
    tables.subscriptions = subscriptions;
    tables.items = Items::new(completed)?;

    let lists = tier_lists(tables, tiers, &prices, digits, settled)?;
    let open = tables.items.lazy().select([col("price"), col("tiered"), col("tiers"), col("currency").alias("billed")]);
    // Tiers in another currency than the item's say nothing about it.
    let takes = col("tiered").and(col("tiers").is_null()).and(col("billed").eq(col("currency")));
    let listed = look_up(open, lists, "price", "price_id")
        .select([when(takes).then(col("list")).otherwise(col("tiers")).alias("tiers")])
        .collect()?;
    tables.items = Items::new(beside(tables.items.frame(), listed)?)?;
    Ok(())
}

/// The prices that no other row of their table replaces, with `first`: whether it is the one to take for its id. A price
/// goes before a plan, and a row before what stands inside another.
fn standing_prices(rows: &DataFrame, settled: &mut Settled<'_>) -> Result<LazyFrame, TableError> {
    let mut stands = Vec::new();
    for (source, plan) in [(PRICES, false), (PLANS, true)] {
        let of_source = rows.clone().lazy().filter(col("plan").eq(lit(plan))).collect()?;
        stands.push(settled.standing(source, &of_source, FROM_PRICE)?.lazy());
    }
    let order = SortMultipleOptions::default()
        .with_maintain_order(true)
        .with_order_descending_multi([false, false, false, true]);
    let sorted = concat(stands, UnionArgs::default())?
        .with_column(col("line").is_null().alias("inside"))
        .sort_by_exprs([col("id"), col("plan"), col("inside"), col("ord")], order);
    Ok(sorted.with_column(col("id").is_first_distinct().alias("first")))
}

/// `price_missing` for subscriptions with an item (`without`) whose price is in no file.
fn with_problem(subscriptions: &Subscriptions, items: &DataFrame) -> Result<Subscriptions, TableError> {
    let missing = items.clone().lazy().filter(col("without")).select([
        col("subscription"),
        concat_str(
            [
                lit("the price "),
                col("price").fill_null(lit("(none)")),
                lit(" of item "),
                col("id").fill_null(lit("(none)")),
                lit(" is in no row that could be read: export the table of prices (or plans) too"),
            ],
            "",
            false,
        )
        .alias("missing"),
    ]);
    let missing = missing.group_by([col("subscription")]).agg([col("missing").min()]).collect()?;
    if missing.height() == 0 {
        return Ok(subscriptions.clone());
    }
    let found = look_up(
        subscriptions.lazy().select([col("ord"), col("id"), col("problem"), col("problem_detail")]),
        missing.lazy(),
        "ord",
        "subscription",
    );
    let own = || col("problem").is_not_null().or(col("missing").is_null());
    let found = found
        .select([
            when(own()).then(col("problem")).otherwise(lit(Reason::PriceMissing.as_str())).alias("problem"),
            when(own())
                .then(col("problem_detail"))
                .otherwise(concat_str([lit("subscription "), col("id"), lit(": "), col("missing")], "", false))
                .alias("problem_detail"),
        ])
        .collect()?;
    Ok(Subscriptions::new(beside(subscriptions.frame(), found)?)?)
}

/// Adds the tiers of `prices` to the tables; gives `price_id` with the number (`list`) of its tier list and its `currency`.
fn tier_lists(
    tables: &mut StripeTables,
    tiers: &DataFrame,
    prices: &DataFrame,
    digits: &BTreeMap<Currency, u8>,
    settled: &mut Settled<'_>,
) -> Result<LazyFrame, TableError> {
    let first = tables.tiers.frame().column("tiers")?.u32()?.max().map_or(0, |last| last.saturating_add(1));
    let key =
        concat_str([col("price"), lit("/"), col("up_to").cast(DataType::String).fill_null(lit("inf"))], "", false);
    let rows = ordered(tiers.clone())?.lazy().with_column(key.alias("id")).collect()?;
    let standing = settled.standing(TIERS, &rows, &["unit_num", "unit_den", "flat_num", "flat_den"])?;
    let used = marked(tables.items.lazy().filter(col("tiered")), "price", "used");
    let ends = look_up(standing.clone().lazy(), used, "price", "price").with_columns(dispositions(&[(
        col("used").is_null(),
        Disposition::Excluded,
        Some(Reason::NotUsed),
    )]));
    settled.add(TIERS, ends)?;

    let lists = standing.clone().lazy().select([col("price").alias("price_id")]).unique(None, UniqueKeepStrategy::Any);
    let mut lists = lists.sort(["price_id"], SortMultipleOptions::default()).collect()?;
    let height = lists.height();
    lists.with_column(UInt32Chunked::from_iter_values("list".into(), (first..).take(height)).into_column())?;
    // What a tier holds is told by its price's currency; where only tiers were exported, by that of the items.
    let known = prices.clone().lazy().select([col("id"), col("currency")]);
    let billed = tables
        .items
        .lazy()
        .filter(col("price").is_not_null())
        .group_by([col("price")])
        .agg([col("currency").min().alias("billed")]);
    let sent = look_up(look_up(lists.clone().lazy(), known, "price_id", "id"), billed, "price_id", "price")
        .with_column(coalesce(&[col("currency"), col("billed")]).alias("currency"));
    let sent = with_sent(sent.collect()?, digits)?;
    let lists = sent.select(["price_id", "list", "currency"])?;
    let more = look_up(standing.lazy(), sent.lazy(), "price", "price_id")
        .select([
            col("list").alias("tiers"),
            col("up_to"),
            col("unit_num"),
            (col("unit_den") * col("sent")).alias("unit_den"),
            col("flat_num"),
            (col("flat_den") * col("sent")).alias("flat_den"),
        ])
        .collect()?;
    let known = std::mem::replace(&mut tables.tiers, Tiers::empty()).into_frame();
    tables.tiers = Tiers::new(stacked(vec![known, Tiers::new(more)?.into_frame()], Tiers::empty().into_frame())?)?;
    Ok(lists.lazy())
}

/// `rows` with `sent`: how many of what an integer export holds make one minor unit of `currency`.
fn with_sent(mut rows: DataFrame, digits: &BTreeMap<Currency, u8>) -> Result<DataFrame, TableError> {
    let sent = rows.column("currency")?.str()?.iter().map(|currency| sent_per_minor(currency, digits));
    let sent = Int128Chunked::from_iter_values("sent".into(), sent).into_column();
    rows.with_column(sent)?;
    Ok(rows)
}
