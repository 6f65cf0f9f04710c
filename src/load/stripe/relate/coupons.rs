//! Coupons: one id with several worths, and the rows that nothing asks for.

use super::super::related::{RelatedCoupons, RelatedDiscounts};
use super::COUPONS;
use crate::load::columns::map;
use crate::load::error::TableError;
use crate::load::ordered;
use crate::load::settle::{Settled, dispositions};
use crate::model::{Disposition, Reason};
use crate::table::{Coupons, Discounts, StripeTables, look_up};
use polars::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Between a coupon's id and its worth, where a discount shows its coupon in full.
pub(in crate::load::stripe) const WORTH: char = '\u{1f}';

/// A coupon that was deleted and made anew keeps its id, and a discount keeps the worth that it was given. Where an id has
/// several worths, each gets a name of its own (`SPRING (20 %, forever)`); else the worth is taken off the discounts'
/// coupons again. Gives the discounts, and the ids that have several.
pub(super) fn tell_apart(
    tables: &mut StripeTables,
    discounts: &RelatedDiscounts,
) -> Result<(RelatedDiscounts, BTreeSet<String>), TableError> {
    let shown = |frame: &DataFrame| -> PolarsResult<bool> {
        Ok(frame.column("coupon")?.str()?.iter().flatten().any(|coupon| coupon.contains(WORTH)))
    };
    if !shown(tables.discounts.frame())? && !shown(discounts.frame())? {
        return Ok((discounts.clone(), BTreeSet::new()));
    }
    let worths = tables.coupons.lazy().with_column(worth().alias("worth")).filter(col("worth").is_not_null());
    let several = worths.clone().group_by([col("id")]).agg([col("worth").n_unique()]).filter(col("worth").gt(lit(1)));
    let several = several.collect()?;
    let ids: BTreeSet<String> = several.column("id")?.str()?.iter().flatten().map(str::to_owned).collect();
    let named = |frame: &DataFrame| -> PolarsResult<DataFrame> {
        let coupons = map(frame.column("coupon")?.str()?, |coupon| {
            Some(match coupon.split_once(WORTH) {
                Some((id, worth)) if ids.contains(id) => Cow::Owned(format!("{id} ({worth})")),
                Some((id, _)) => Cow::Borrowed(id),
                None => Cow::Borrowed(coupon),
            })
        });
        let mut frame = frame.clone();
        frame.with_column(coupons.into_column())?;
        Ok(frame)
    };
    tables.discounts = Discounts::new(named(tables.discounts.frame())?)?;
    let discounts = RelatedDiscounts::new(named(discounts.frame())?)?;
    if !ids.is_empty() {
        let own = worths
            .semi_join(several.lazy(), col("id"), col("id"))
            .with_column(concat_str([col("id"), lit(" ("), col("worth"), lit(")")], "", false).alias("id"));
        let all = concat(
            [
                tables.coupons.lazy(),
                own.select(Coupons::schema().into_iter().map(|(name, _)| col(name)).collect::<Vec<_>>()),
            ],
            UnionArgs::default(),
        )?;
        tables.coupons = Coupons::new(all.collect()?)?;
    }
    Ok((discounts, ids))
}

/// What a coupon takes off and for how long, in words; null where the row does not say. The API's reader says the same.
fn worth() -> Expr {
    let text = |name: &str| col(name).cast(DataType::String);
    let months = when(col("duration").eq(lit("repeating")))
        .then(concat_str([lit(" "), text("duration_in_months")], "", true))
        .otherwise(lit(""));
    let off = when(col("percent_off").is_not_null())
        .then(concat_str([text("percent_off"), lit(" %")], "", false))
        .otherwise(concat_str([text("amount_off"), lit(" "), text("currency")], "", false));
    concat_str([off, lit(", "), text("duration"), months], "", false)
}

/// Where the coupons went that are rows of their own: used by a discount or not. `several`: ids that discounts name
/// together with a worth.
pub(super) fn settle(
    tables: &StripeTables,
    coupons: &RelatedCoupons,
    several: &BTreeSet<String>,
    settled: &mut Settled<'_>,
) -> Result<(), TableError> {
    if coupons.is_empty() {
        return Ok(());
    }
    let standing = settled.standing(COUPONS, &ordered(coupons.frame().clone())?, &["content"])?;
    let named = df!("coupon" => several.iter().map(String::as_str).collect::<Vec<_>>())?.lazy();
    let used = concat([tables.discounts.lazy().select([col("coupon")]), named], UnionArgs::default())?
        .filter(col("coupon").is_not_null())
        .unique(None, UniqueKeepStrategy::Any)
        .with_column(lit(true).alias("used"));
    let ends = look_up(standing.lazy(), used, "id", "coupon").with_columns(dispositions(&[(
        col("used").is_null(),
        Disposition::Excluded,
        Some(Reason::NotUsed),
    )]));
    settled.add(COUPONS, ends)
}
