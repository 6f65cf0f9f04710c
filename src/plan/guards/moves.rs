//! What the plan's calls would move: customers and MRR.

use super::{Asked, Figure, Look, PlanError, percent};
use crate::model::{Prediction, Selection};
use crate::table::{PlanRows, is_selected};
use polars::prelude::*;
use rust_decimal::Decimal;

/// Customers that a sentence names.
const NAMED: u32 = 3;

/// What one product's calls would move; amounts in minor units.
pub(super) struct Moves {
    product: String,
    created: u64,
    /// Of whom nothing is known in Tether: each call may create, and what they move is counted from 0.
    unforetold: u64,
    updated: u64,
    /// Existing customers.
    held: u64,
    net: i128,
    gross: i128,
    opening: i128,
    /// Customers whose MRR in Tether is known, be it 0.
    known: u64,
    /// The largest changes of one customer's MRR, the largest first: key and amount.
    largest: Vec<(String, i64)>,
    /// How many customers' MRR moves by more than the limit.
    beyond: u64,
}

/// What the calls would move, per product in the order of the configuration.
pub(super) fn moves(asked: &Asked<'_>) -> Result<Vec<Moves>, PlanError> {
    let is = |prediction: Prediction| col("predicted").eq(lit(prediction.as_str())).and(is_selected(asked.selection));
    let sent = [Prediction::Create, Prediction::Update, Prediction::Unknown]
        .into_iter()
        .fold(lit(false), |any, prediction| any.or(is(prediction)));
    // An MRR that the sources do not tell is not sent, and moves nothing.
    let moved = || (col("mrr") - col("mrr_before").fill_null(lit(0_i64))).fill_null(lit(0_i64));
    let wide = |amount: Expr| amount.cast(DataType::Int128);
    let most = limit_in_minor_units(asked);
    let sums = asked
        .rows
        .lazy()
        .group_by([col("product")])
        .agg([
            is(Prediction::Create).sum().cast(DataType::UInt64).alias("created"),
            is(Prediction::Unknown).sum().cast(DataType::UInt64).alias("unforetold"),
            is(Prediction::Update).sum().cast(DataType::UInt64).alias("updated"),
            wide(moved()).filter(sent.clone()).sum().alias("net"),
            wide(moved().abs()).filter(sent.clone()).sum().alias("gross"),
            wide(col("mrr_before")).sum().alias("opening"),
            col("mrr_before").is_not_null().sum().cast(DataType::UInt64).alias("known"),
            moved().abs().gt(lit(most)).and(sent.clone()).sum().cast(DataType::UInt64).alias("beyond"),
        ])
        .collect()?;
    let names = sums.column("product")?.str()?.clone();
    let mut all = Vec::with_capacity(asked.products.len());
    for product in asked.products {
        let row = names.iter().position(|name| name == Some(&product.name));
        let count = |name: &str| -> PolarsResult<u64> {
            Ok(row.map(|row| sums.column(name)?.u64().map(|all| all.get(row))).transpose()?.flatten().unwrap_or(0))
        };
        let sum = |name: &str| -> PolarsResult<i128> {
            Ok(row.map(|row| sums.column(name)?.i128().map(|all| all.get(row))).transpose()?.flatten().unwrap_or(0))
        };
        all.push(Moves {
            product: product.name.clone(),
            created: count("created")?,
            unforetold: count("unforetold")?,
            updated: count("updated")?,
            held: product.existing_customers,
            net: sum("net")?,
            gross: sum("gross")?,
            opening: sum("opening")?,
            known: count("known")?,
            largest: largest(asked.rows, &product.name, sent.clone(), moved())?,
            beyond: count("beyond")?,
        });
    }
    Ok(all)
}

/// The plan's own order puts the largest absolute change first.
fn largest(rows: &PlanRows, product: &str, sent: Expr, moved: Expr) -> PolarsResult<Vec<(String, i64)>> {
    let found = rows
        .lazy()
        .with_column(moved.alias("moved"))
        .filter(col("product").eq(lit(product)).and(sent).and(col("moved").neq(lit(0_i64))))
        .select([col("key"), col("moved")])
        .limit(NAMED)
        .collect()?;
    let (key, moved) = (found.column("key")?.str()?, found.column("moved")?.i64()?);
    Ok(key.iter().zip(moved.iter()).filter_map(|(key, moved)| Some((key?.to_owned(), moved?))).collect())
}

/// The limit of one customer's move, down to a whole minor unit; without one it is endless.
fn limit_in_minor_units(asked: &Asked<'_>) -> i64 {
    let limit = asked.settings.guards.max_customer_mrr_change;
    let scale = Decimal::from(10_i64.pow(u32::from(asked.settings.digits())));
    limit.and_then(|limit| i64::try_from(limit.checked_mul(scale)?.floor()).ok()).unwrap_or(i64::MAX)
}

/// How a sentence names the plan.
fn plan(selection: Option<&Selection>) -> String {
    selection.map_or_else(|| "the plan".to_owned(), |selection| format!("the plan, with {selection},"))
}

/// Customers that the plan would create.
pub(super) fn created(look: &Look<'_>) -> Vec<Figure> {
    let sum = |count: fn(&Moves) -> u64| look.moves.iter().map(count).sum::<u64>();
    let (created, unforetold) = (sum(|moves| moves.created), sum(|moves| moves.unforetold));
    let plan = plan(look.asked.selection);
    // Of a first run nothing is foretold: each of its calls may create.
    let most = created + unforetold;
    let what = match unforetold {
        0 => format!("{plan} would create {created} customers"),
        _ => format!(
            "{plan} would create up to {most} customers: nothing is known of what Tether holds for {unforetold} of them"
        ),
    };
    vec![Figure::new(None, most, what)]
}

/// Updates in percent of the existing customers.
pub(super) fn changed(look: &Look<'_>) -> Vec<Figure> {
    let figure = |moves: &Moves| {
        let Moves { product, updated, held, .. } = moves;
        match percent(Decimal::from(*updated), Decimal::from(*held)) {
            None => Figure::none(Some(product), "no customer is known to be in Tether"),
            Some(percent) => {
                let shown = look.shown(percent);
                let what = format!("{product}: {updated} of {held} existing customers ({shown} %) would change");
                Figure::new(Some(product), percent, what)
            }
        }
    };
    look.moves.iter().map(figure).collect()
}

/// The net change of MRR in percent of what Tether holds.
pub(super) fn net(look: &Look<'_>) -> Vec<Figure> {
    of_opening(look, |moves| moves.net.unsigned_abs(), "net")
}

/// The changes of MRR up and down, added up.
pub(super) fn gross(look: &Look<'_>) -> Vec<Figure> {
    of_opening(look, |moves| moves.gross.unsigned_abs(), "gross")
}

fn of_opening(look: &Look<'_>, moved: fn(&Moves) -> u128, how: &str) -> Vec<Figure> {
    let digits = u32::from(look.asked.settings.digits());
    let currency = look.asked.settings.run.currency.as_str().to_uppercase();
    let figure = |moves: &Moves| {
        let Moves { product, known, .. } = moves;
        let amount = decimal(moved(moves));
        match percent(amount, decimal(moves.opening.unsigned_abs())) {
            // Whoever is known to pay nothing is no new product: no percentage is as much as something out of nothing.
            None if *known > 0 && !amount.is_zero() => {
                let major = amount / Decimal::from(10_u64.pow(digits));
                let what = format!(
                    "{product}: Tether's MRR of {known} existing customers is 0, and would move by {major:.*} {currency} \
                     {how}, beyond any percentage",
                    usize::try_from(digits).unwrap_or_default()
                );
                Figure::endless(product, what)
            }
            None if *known > 0 => Figure::none(Some(product), "Tether's MRR is 0, and none would move"),
            None => Figure::none(Some(product), "no MRR is known to be in Tether"),
            Some(percent) => {
                let what = format!("{product}: Tether's MRR would move by {} % {how}", look.shown(percent));
                Figure::new(Some(product), percent, what)
            }
        }
    };
    look.moves.iter().map(figure).collect()
}

/// The largest change of one customer's MRR.
pub(super) fn per_customer(look: &Look<'_>) -> Vec<Figure> {
    let digits = look.asked.settings.digits();
    let currency = look.asked.settings.run.currency.as_str().to_uppercase();
    let major = |minor: i64| Decimal::new(minor, u32::from(digits));
    let figure = |moves: &Moves| {
        let Moves { product, largest, beyond, .. } = moves;
        let Some((_, most)) = largest.first() else {
            return Figure::new(Some(product), 0, format!("{product}: no customer's MRR would move"));
        };
        let named: Vec<String> = largest.iter().map(|(key, moved)| format!("{key} {:+}", major(*moved))).collect();
        let beyond = match beyond {
            0 => String::new(),
            1 => ", 1 customer beyond the limit".to_owned(),
            many => format!(", {many} customers beyond the limit"),
        };
        let what = format!(
            "{product}: the MRR of one customer would move by up to {}: {} {currency}{beyond}",
            major(*most).abs(),
            named.join(", ")
        );
        Figure::new(Some(product), major(*most).abs(), what)
    };
    look.moves.iter().map(figure).collect()
}

/// A sum of minor units; beyond what a decimal holds it is as large as one can be, and above every limit.
fn decimal(amount: u128) -> Decimal {
    let most = Decimal::MAX / Decimal::ONE_THOUSAND;
    i128::try_from(amount)
        .ok()
        .and_then(|amount| Decimal::try_from_i128_with_scale(amount, 0).ok())
        .map_or(most, |sum| sum.min(most))
}
