//! Desired customers × what Tether holds → predictions.
//!
//! In: desired customers, and the existing customers of one product as far as they are known. Out: [`Compared`]: one row
//! per desired customer and per orphan, with the prediction, what differs, and the candidates of every conflict. Never:
//! the network, the order of sending, other products.

mod breaks;
mod candidates;
mod changes;
mod error;
mod matching;

pub use error::DiffError;

use crate::config::{LinkSettings, ProductSettings};
use crate::model::{Break, InputFile, LinkRule, MatchRule, Prediction};
use crate::table::{Existing, PlanRows};
use polars::prelude::*;

/// One product's predictions.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The columns of [`PlanRows`], `row` being 0 everywhere: the plan numbers them.
    pub rows: DataFrame,
    /// `ord` and `file` u32 of each existing customer, `customer` str: the key of the plan row it was compared with, or its
    /// own.
    pub existing: DataFrame,
    /// What a reviewer must see.
    pub breaks: Vec<Break>,
}

/// Compares the desired customers (as [`crate::link::Linked::desired`] holds them) with what `product` is known to hold.
///
/// `files`: those that `known` names. `known`: `None` when nothing at all is known: every sound row is then predicted `unknown` and sent.
pub fn compare(
    desired: &DataFrame,
    known: Option<&Existing>,
    product: &ProductSettings,
    link: LinkSettings,
    files: &[InputFile],
) -> Result<Compared, DiffError> {
    let nothing = Existing::empty();
    let held = known.unwrap_or(&nothing).frame().with_row_index("holder".into(), None)?;
    let matched = matching::match_existing(desired, &held, known.is_some(), link)?;
    let matched = changes::compare_fields(matched, &held, product)?;
    let mut found = breaks::breaks(&matched, &product.name)?;
    found.extend(breaks::case_differs(&matched, &held, &product.name, files)?);
    let candidates = candidates::candidates(&matched, &held, files)?;
    found.extend(candidates::breaks(&matched, &candidates, &product.name, files)?);

    let rows = candidates::describe(&matched, &candidates)?;
    let rows = rows.lazy().with_column(lit(product.name.as_str()).alias("product"));
    let orphans = orphans(&held, &matched, &candidates, &product.name);
    let existing = owners(&held, &matched, &candidates)?;
    let columns: Vec<Expr> = PlanRows::schema().into_iter().map(|(name, _)| col(name)).collect();
    let rows = concat([rows.select(&columns), orphans.select(&columns)], UnionArgs::default())?.collect()?;
    Ok(Compared { rows, existing, breaks: found })
}

/// How an existing customer without a desired one is called.
fn own_key() -> Expr {
    lit("tether:")
        + coalesce(&[col("tether_id"), col("external_id"), col("email"), col("holder").cast(DataType::String)])
}

/// Existing customers that nobody matched, not even in a conflict, as plan rows.
fn orphans(held: &DataFrame, matched: &DataFrame, candidates: &DataFrame, product: &str) -> LazyFrame {
    let own = [
        "external_id",
        "email",
        "name",
        "company_name",
        "tether_id",
        "subscription_status",
        "auto_renew",
        "period_end",
        "last_activity",
    ];
    let columns: Vec<Expr> = PlanRows::schema()
        .into_iter()
        .map(|(name, dtype)| match name {
            "row" => lit(0_u32).alias(name),
            "product" => lit(product).alias(name),
            "key" => own_key().alias(name),
            "predicted" => lit(Prediction::Orphan.as_str()).alias(name),
            "link_rule" => lit(LinkRule::None.as_str()).alias(name),
            "match_rule" => lit(MatchRule::None.as_str()).alias(name),
            "stripe_customer_ids" => col("stripe_customer_id").alias(name),
            "mrr_before" => col("mrr").alias(name),
            name if own.contains(&name) => col(name),
            name => lit(NULL).cast(dtype).alias(name),
        })
        .collect();
    held.clone()
        .lazy()
        .anti_join(matched.clone().lazy().filter(col("holder").is_not_null()), col("holder"), col("holder"))
        .anti_join(candidates.clone().lazy(), col("holder"), col("holder"))
        .select(columns)
}

/// With whom each existing customer was compared.
fn owners(held: &DataFrame, matched: &DataFrame, candidates: &DataFrame) -> Result<DataFrame, DiffError> {
    let compared = matched
        .clone()
        .lazy()
        .filter(col("holder").is_not_null())
        .select([col("holder"), col("key")])
        .unique(Some(by_name(["holder"], true, false)), UniqueKeepStrategy::Any);
    let in_conflict = candidates
        .clone()
        .lazy()
        .sort(["key"], SortMultipleOptions::default())
        .unique_stable(Some(by_name(["holder"], true, false)), UniqueKeepStrategy::First)
        .select([col("holder"), col("key").alias("conflict_key")]);
    Ok(held
        .clone()
        .lazy()
        .left_join(compared, col("holder"), col("holder"))
        .left_join(in_conflict, col("holder"), col("holder"))
        .select([col("ord"), col("file"), coalesce(&[col("key"), col("conflict_key"), own_key()]).alias("customer")])
        .collect()?)
}
