//! Ids that differ in nothing but case: two ids for every rule, and most likely a slip of somebody's.

use super::LinkError;
use crate::model::{Break, BreakKind, InputFile, STRIPE_CUSTOMERS};
use polars::prelude::*;
use std::collections::BTreeMap;
use std::hash::Hasher;

/// Spellings named in one message.
const NAMED: usize = 12;

/// One break per id that stands in several spellings: Stripe ids and external ids over accounts and contacts, record ids
/// inside each CRM.
///
/// `accounts`: `id`, `external_id`, `file`, `line`; `contacts`: `crm_name`, `id`, `stripe_customer_id`, `external_id`, `file`,
/// `line`.
pub fn id_case_breaks(
    accounts: &DataFrame,
    contacts: &DataFrame,
    files: &[InputFile],
) -> Result<Vec<Break>, LinkError> {
    let rows = |frame: &DataFrame, id: &str, source: Expr| {
        frame.clone().lazy().filter(col(id).is_not_null()).select([
            col(id).alias("id"),
            source.alias("source"),
            col("file"),
            col("line"),
        ])
    };
    let stripe = || lit(STRIPE_CUSTOMERS);
    let spaces = [
        ("Stripe id", vec![rows(accounts, "id", stripe()), rows(contacts, "stripe_customer_id", col("crm_name"))]),
        ("external id", vec![rows(accounts, "external_id", stripe()), rows(contacts, "external_id", col("crm_name"))]),
        ("record id", vec![rows(contacts, "id", col("crm_name"))]),
    ];
    let mut breaks = vec![];
    for (what, parts) in spaces {
        breaks.extend(in_space(what, concat(parts, UnionArgs::default())?, files)?);
    }
    Ok(breaks)
}

/// Whether some of `ids` differ in nothing but case; two that only look so by their hashes do no harm. A loop, since only
/// numbers are kept of the texts.
fn several_spellings(ids: &StringChunked) -> bool {
    let hash = |bytes: &mut dyn Iterator<Item = u8>| {
        let mut hasher = std::hash::DefaultHasher::new();
        bytes.for_each(|byte| hasher.write_u8(byte));
        hasher.finish()
    };
    let mut hashes: Vec<(u64, u64)> = ids
        .iter()
        .flatten()
        .map(|id| {
            let lower = if id.is_ascii() {
                hash(&mut id.bytes().map(|byte| byte.to_ascii_lowercase()))
            } else {
                hash(&mut id.to_lowercase().bytes())
            };
            (lower, hash(&mut id.bytes()))
        })
        .collect();
    hashes.sort_unstable();
    hashes.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
}

fn in_space(what: &str, ids: LazyFrame, files: &[InputFile]) -> Result<Vec<Break>, LinkError> {
    // Record ids are compared inside their CRM only; the source is part of what must be equal.
    let own = if what == "record id" { col("source") } else { lit("") };
    let ids = ids.with_column(own.alias("own")).collect()?;
    // Nearly every export is without slips, and a million ids grouped by their text take a second.
    if !several_spellings(ids.column("id")?.str()?) {
        return Ok(vec![]);
    }
    let ids = ids.lazy().with_column(col("id").str().to_lowercase().alias("lower")).collect()?;
    let slips = ids
        .clone()
        .lazy()
        .group_by([col("lower")])
        .agg([col("id").min().neq(col("id").max()).alias("several")])
        .filter(col("several"));
    let found = ids
        .lazy()
        .semi_join(slips, col("lower"), col("lower"))
        .unique_stable(Some(by_name(["own", "id"], true, false)), UniqueKeepStrategy::First)
        .filter(len().over([col("own"), col("lower")])?.gt(lit(1)))
        .sort(["own", "lower", "id"], SortMultipleOptions::default())
        .collect()?;
    let text = |name: &str| found.column(name).and_then(Column::str);
    let (own, lower, id, source) = (text("own")?, text("lower")?, text("id")?, text("source")?);
    let (file, line) = (found.column("file")?.u32()?, found.column("line")?.u32()?);
    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    // Rows, because each group becomes one message; there is one only where somebody slipped.
    for row in 0..found.height() {
        let key = (own.get(row).unwrap_or_default(), lower.get(row).unwrap_or_default());
        groups.entry(key).or_default().push(row);
    }
    let place = |row: usize| (super::path(files, file.get(row)), line.get(row).unwrap_or_default());
    Ok(groups
        .into_values()
        .filter_map(|rows| {
            let first = *rows.first()?;
            let named = rows.iter().take(NAMED).map(|row| {
                let (path, line) = place(*row);
                format!("{} ({} {path}:{line})", id.get(*row).unwrap_or_default(), source.get(*row).unwrap_or_default())
            });
            let more = rows.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let detail = format!(
                "the {what}s {}{more} differ in nothing but case; they are different ids and nothing is linked by them: if they \
                 are meant to be one, correct the wrong spelling at its source",
                named.collect::<Vec<_>>().join(", "),
            );
            let (path, line) = place(first);
            let key = id.get(first).unwrap_or_default();
            Some(Break::new(BreakKind::IdCaseDiffers, source.get(first).unwrap_or_default(), key, detail).at(path, line.into()))
        })
        .collect())
}
