//! Guards: figures at which a run is refused before its first call.

use super::PlanError;
use crate::config::Guards;
use crate::link::OVERRIDES;
use crate::model::{Prediction, Selection};
use crate::runs::{GuardFinding, RunProduct, SourceTotals};
use crate::table::{PlanRows, is_selected};
use polars::prelude::*;
use rust_decimal::Decimal;

/// What every configured guard found. `allowed`: guards that `--allow` overrides this once; `previous`: the control totals
/// of the last completed run. What a `selection` leaves to a later run moves nothing.
pub fn judge(
    rows: &PlanRows,
    selection: Option<&Selection>,
    products: &[RunProduct],
    sources: &[SourceTotals],
    guards: Guards,
    allowed: &[String],
    previous: Option<&[SourceTotals]>,
) -> Result<Vec<GuardFinding>, PlanError> {
    let mut found = vec![];
    let mut finding =
        |guard: &str, scope: Option<&str>, figure: Decimal, limit: Decimal, beyond: bool, what: String| {
            let overridden = allowed.iter().any(|name| name == guard);
            let verdict = match (beyond, overridden) {
                (false, _) => format!("{what}; the limit is {limit}"),
                (true, true) => format!("{what}; the limit is {limit}, overridden this once by --allow {guard}"),
                (true, false) => {
                    format!("{what}; the limit is {limit}. If that is right, allow it once with --allow {guard}")
                }
            };
            found.push(GuardFinding {
                guard: guard.to_owned(),
                scope: scope.map(str::to_owned),
                figure: figure.to_string(),
                limit: limit.to_string(),
                refused: beyond && !overridden,
                detail: verdict,
            });
        };

    let is = |prediction: Prediction| col("predicted").eq(lit(prediction.as_str())).and(is_selected(selection));
    let plan = selection.map_or_else(|| "the plan".to_owned(), |selection| format!("the plan, with {selection},"));
    let moved = col("mrr").fill_null(lit(0_i64)) - col("mrr_before").fill_null(lit(0_i64));
    let sent = [Prediction::Create, Prediction::Update, Prediction::Unknown]
        .into_iter()
        .fold(lit(false), |any, prediction| any.or(is(prediction)));
    let per_product = rows
        .lazy()
        .group_by_stable([col("product")])
        .agg([
            is(Prediction::Create).sum().cast(DataType::UInt64).alias("created"),
            is(Prediction::Unknown).sum().cast(DataType::UInt64).alias("unforetold"),
            is(Prediction::Update).sum().cast(DataType::UInt64).alias("updated"),
            moved.filter(sent).sum().cast(DataType::Int64).alias("moved"),
            col("mrr_before").sum().cast(DataType::Int64).alias("opening"),
        ])
        .sort(["product"], SortMultipleOptions::default())
        .collect()?;
    let number = |name: &str, row: usize| -> Result<u64, PlanError> {
        Ok(per_product.column(name)?.u64()?.get(row).unwrap_or(0))
    };
    let amount = |name: &str, row: usize| -> Result<i64, PlanError> {
        Ok(per_product.column(name)?.i64()?.get(row).unwrap_or(0))
    };

    if let Some(limit) = guards.max_created {
        let all = |name| -> Result<u64, PlanError> { Ok(per_product.column(name)?.u64()?.sum().unwrap_or(0)) };
        let (created, unforetold) = (all("created")?, all("unforetold")?);
        // Of a first run nothing is foretold: each of its calls may create.
        let most = created + unforetold;
        let what = match unforetold {
            0 => format!("{plan} would create {created} customers"),
            _ => format!(
                "{plan} would create up to {most} customers: nothing is known of what Tether holds for {unforetold} of them"
            ),
        };
        finding("max_created", None, most.into(), limit.into(), most > limit, what);
    }
    for row in 0..per_product.height() {
        let product = per_product.column("product")?.str()?.get(row).unwrap_or_default().to_owned();
        let updated = number("updated", row)?;
        let held = products.iter().find(|known| known.name == product).map_or(0, |known| known.existing_customers);
        if let (Some(limit), Some(percent)) =
            (guards.max_changed_percent, percent(Decimal::from(updated), Decimal::from(held)))
        {
            let what = format!("{product}: {updated} of {held} existing customers ({percent} %) would change");
            finding("max_changed_percent", Some(&product), percent, limit, percent > limit, what);
        }
        let (moved, opening) = (amount("moved", row)?, amount("opening", row)?);
        if let (Some(limit), Some(percent)) =
            (guards.max_mrr_change_percent, percent(Decimal::from(moved).abs(), Decimal::from(opening)))
        {
            let what = format!("{product}: Tether's MRR would move by {percent} % net");
            finding("max_mrr_change_percent", Some(&product), percent, limit, percent > limit, what);
        }
    }
    if let (Some(limit), Some(previous)) = (guards.min_rows_percent, previous) {
        // What a person writes by hand is no export: it may shrink.
        for source in sources.iter().filter(|source| source.name != OVERRIDES) {
            let Some(before) = previous.iter().find(|earlier| earlier.name == source.name) else { continue };
            let Some(percent) = percent(Decimal::from(source.rows_read), Decimal::from(before.rows_read)) else {
                continue;
            };
            let what = format!(
                "{}: {} rows, {percent} % of the {} that the last completed run read",
                source.name, source.rows_read, before.rows_read
            );
            finding("min_rows_percent", Some(&source.name), percent, limit, percent < limit, what);
        }
    }
    Ok(found)
}

/// `part` of `whole` in percent, to two digits; `None` of nothing.
fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    (whole > Decimal::ZERO).then(|| (part * Decimal::ONE_HUNDRED / whole).round_dp(2).normalize())
}
