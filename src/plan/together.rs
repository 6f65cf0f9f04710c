//! What several linkings say of the same rows, as one: each row has one disposition, however many products look at it.
//!
//! Of what the products say the strongest holds: contributed before ambiguous, unattached, merged duplicate, superseded and
//! excluded; and being left out for a reason before being no product's.

use super::PlanError;
use crate::link::{Dispositions, Linked, OVERRIDES};
use crate::model::{Break, Disposition, OverrideState, OverrideUse, Reason};
use crate::table::look_up;
use polars::prelude::*;

/// Where the rows of the sources went, over all products.
pub struct Together {
    /// Where the Stripe customers went: [`Dispositions`], whose `customer` is what `keys` says.
    pub accounts: Dispositions,
    /// Where the subscriptions went.
    pub subscriptions: Dispositions,
    /// Where the contacts went, with `crm` u32.
    pub contacts: Dispositions,
    /// Where the overrides went.
    pub overrides: Dispositions,
    /// The keys that `customer` counts in; `None`: it is the text of the keys itself, joined by `;`.
    pub keys: Option<Series>,
    /// What linking found, once.
    pub breaks: Vec<Break>,
    /// What became of each override.
    pub uses: Vec<OverrideUse>,
}

/// How strong each disposition is, strongest first.
const STRENGTH: [Disposition; 7] = [
    Disposition::Contributed,
    Disposition::Ambiguous,
    Disposition::Unattached,
    Disposition::MergedDuplicate,
    Disposition::Superseded,
    Disposition::Excluded,
    Disposition::Rejected,
];

/// Reasons that say only that a product knows nothing of the row.
const WEAK: [Reason; 2] = [Reason::NoProduct, Reason::NoLongerApplies];

impl Together {
    /// Puts the linkings of the shares together; they list the same rows in the same order.
    pub fn of(linked: &[Linked]) -> Result<Self, PlanError> {
        let keys = |linked: &Linked| -> PolarsResult<Series> {
            Ok(linked.desired.column("key")?.as_materialized_series().clone())
        };
        if let [only] = linked {
            return Ok(Self {
                accounts: only.accounts.clone(),
                subscriptions: only.subscriptions.clone(),
                contacts: only.contacts.clone(),
                overrides: only.overrides.clone(),
                keys: Some(keys(only)?),
                breaks: only.breaks.clone(),
                uses: only.override_uses.clone(),
            });
        }
        let keys = linked.iter().map(keys).collect::<PolarsResult<Vec<_>>>()?;
        let strongest =
            |rows: fn(&Linked) -> &Dispositions| strongest(&linked.iter().map(rows).zip(&keys).collect::<Vec<_>>());
        let best = best_uses(linked);
        let mut breaks: Vec<Break> = vec![];
        for (share, linked) in linked.iter().enumerate() {
            let of_overrides = |found: &Break| {
                let named = |one: &OverrideUse| found.file.as_ref() == Some(&one.file) && found.line == Some(one.line);
                let row = linked.override_uses.iter().position(named);
                found.scope != OVERRIDES || row.is_none_or(|row| best[row] == share)
            };
            breaks.extend(linked.breaks.iter().filter(|found| of_overrides(found)).cloned());
        }
        Ok(Self {
            accounts: strongest(|linked| &linked.accounts)?,
            subscriptions: strongest(|linked| &linked.subscriptions)?,
            contacts: strongest(|linked| &linked.contacts)?,
            overrides: strongest(|linked| &linked.overrides)?,
            keys: None,
            breaks,
            uses: best.iter().enumerate().map(|(row, share)| linked[*share].override_uses[row].clone()).collect(),
        })
    }
}

/// For every override the first share that makes most of it.
fn best_uses(linked: &[Linked]) -> Vec<usize> {
    let strength = |state: OverrideState| match state {
        OverrideState::Used => 0,
        OverrideState::NotNeeded => 1,
        OverrideState::NoLongerApplies => 2,
    };
    let rows = linked.first().map_or(0, |linked| linked.override_uses.len());
    (0..rows)
        .map(|row| {
            let best = (0..linked.len()).min_by_key(|share| strength(linked[*share].override_uses[row].state));
            best.unwrap_or(0)
        })
        .collect()
}

/// The strongest disposition of every row, with its reason and its customers.
fn strongest(shares: &[(&Dispositions, &Series)]) -> Result<Dispositions, PlanError> {
    let Some((first, _)) = shares.first() else { return Ok(DataFrame::empty()) };
    let mut rows = first.drop_many(["disposition", "reason", "customer"]);
    for (share, (said, keys)) in shares.iter().enumerate() {
        let said = (*said).clone().lazy().select([
            strength().alias(format!("strength_{share}")),
            col("reason").alias(format!("reason_{share}")),
            lit((*keys).clone()).gather(col("customer"), true).alias(format!("key_{share}")),
        ]);
        rows.hstack_mut(&said.collect()?.into_columns())?;
    }
    let all = || 0..shares.len();
    let least = |one: Expr, other: Expr| when(other.clone().lt(one.clone())).then(other).otherwise(one);
    let best = all().map(|share| col(format!("strength_{share}"))).reduce(least).unwrap_or_else(|| lit(0_u32));
    let of_best = |name: &str, share: usize| {
        when(col(format!("strength_{share}")).eq(col("best"))).then(col(format!("{name}_{share}"))).otherwise(lit(NULL))
    };
    let reason = all().map(|share| of_best("reason", share)).reduce(|one, other| {
        when(one.clone().is_null().or(other.clone().lt(one.clone()))).then(other.clone()).otherwise(one)
    });
    let keys: Vec<Expr> = all().map(|share| of_best("key", share).alias(format!("key_{share}"))).collect();
    let rows = rows.lazy().with_column(best.alias("best")).with_columns(
        keys.into_iter()
            .chain([reason.unwrap_or_else(|| lit(NULL)).alias("reason"), word().alias("disposition")])
            .collect::<Vec<_>>(),
    );
    let named = all().map(|share| col(format!("key_{share}"))).collect::<Vec<_>>();
    let differ = named.iter().map(|key| key.clone().neq(col("customer")).fill_null(lit(false)));
    let rows = rows
        .with_column(coalesce(&named).alias("customer"))
        .with_column(differ.reduce(Expr::or).unwrap_or_else(|| lit(false)).alias("several"));
    let rows = rows.collect()?;
    let joined = joined_keys(&rows, &named)?;
    let rows = look_up(rows.lazy(), joined, "ord", "its_ord")
        .with_column(coalesce(&[col("joined"), col("customer")]).alias("customer"));
    let columns: Vec<Expr> = first.get_column_names().into_iter().map(|name| col(name.clone())).collect();
    Ok(rows.select(columns).collect()?)
}

/// `its_ord`, `joined`: the rows that are part of several customers, and these, sorted, joined by `;`.
fn joined_keys(rows: &DataFrame, keys: &[Expr]) -> PolarsResult<LazyFrame> {
    let several = rows.clone().lazy().filter(col("several"));
    let each =
        keys.iter().map(|key| several.clone().select([col("ord").alias("its_ord"), key.clone().alias("joined")]));
    Ok(concat(each.collect::<Vec<_>>(), UnionArgs::default())?
        .filter(col("joined").is_not_null())
        .unique(None, UniqueKeepStrategy::Any)
        .sort(["its_ord", "joined"], SortMultipleOptions::default())
        .group_by_stable([col("its_ord")])
        .agg([col("joined")])
        .with_column(col("joined").list().join(lit(";"), true)))
}

/// The place of a row in [`STRENGTH`], twice; one more where the reason is weak.
fn strength() -> Expr {
    let place = (0_u32..).zip(STRENGTH).fold(lit(u32::MAX), |rest, (place, word)| {
        when(col("disposition").eq(lit(word.as_str()))).then(lit(2 * place)).otherwise(rest)
    });
    let weak = WEAK.iter().fold(lit(false), |any, reason| any.or(col("reason").eq(lit(reason.as_str()))));
    place + when(weak.fill_null(lit(false))).then(lit(1_u32)).otherwise(lit(0_u32))
}

/// The disposition of the strength in the column `best`.
fn word() -> Expr {
    (0_u32..).zip(STRENGTH).fold(lit(NULL).cast(DataType::String), |rest, (place, word)| {
        let is_it = col("best").eq(lit(2 * place)).or(col("best").eq(lit(2 * place + 1)));
        when(is_it).then(lit(word.as_str())).otherwise(rest)
    })
}
