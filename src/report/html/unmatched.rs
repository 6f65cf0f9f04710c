//! Records of one side without the other: how many of each, and the largest by MRR.

use super::super::ReportError;
use super::super::amount::{count, grouped};
use super::super::model::ReportModel;
use super::super::unmatched::unmatched;
use super::customers::Amount;
use polars::prelude::*;

/// Records of one kind that are shown.
const SHOWN: usize = 100;

/// Records of one kind.
pub(super) struct UnmatchedPart {
    pub what: String,
    pub total: String,
    pub mrr: String,
    pub all_shown: bool,
    pub rows: Vec<UnmatchedRow>,
}

/// One record.
pub(super) struct UnmatchedRow {
    pub source: String,
    pub product: String,
    pub id: String,
    pub email: String,
    pub name: String,
    pub reason: String,
    pub mrr: Amount,
    pub place: String,
}

/// Every kind of record that has no other side, by its name.
pub(super) fn parts(model: &ReportModel) -> Result<Vec<UnmatchedPart>, ReportError> {
    let digits = model.manifest.currency_digits;
    let all = unmatched(model)?;
    let kinds = all
        .clone()
        .lazy()
        .group_by([col("what")])
        .agg([len().cast(DataType::UInt64).alias("rows"), col("mrr_desired").cast(DataType::Int128).sum().alias("mrr")])
        .sort(["what"], SortMultipleOptions::default())
        .collect()?;
    let (what, rows, mrr) = (kinds.column("what")?.str()?, kinds.column("rows")?.u64()?, kinds.column("mrr")?.i128()?);
    (0..kinds.height())
        .map(|at| {
            let what = what.get(at).unwrap_or_default();
            let total = rows.get(at).unwrap_or_default();
            let largest = all
                .clone()
                .lazy()
                .filter(col("what").eq(lit(what)))
                .sort(
                    ["mrr_desired"],
                    SortMultipleOptions::default()
                        .with_order_descending(true)
                        .with_nulls_last(true)
                        .with_maintain_order(true),
                )
                .limit(u32::try_from(SHOWN).unwrap_or(u32::MAX))
                .collect()?;
            let mrr = mrr.get(at).unwrap_or_default();
            Ok(UnmatchedPart {
                what: what.to_owned(),
                total: count(total),
                mrr: if mrr == 0 { "–".to_owned() } else { grouped(mrr, digits) },
                all_shown: total <= SHOWN as u64,
                rows: read(&largest, digits)?,
            })
        })
        .collect()
}

fn read(part: &DataFrame, digits: u8) -> Result<Vec<UnmatchedRow>, ReportError> {
    let words = |name: &str| part.column(name).and_then(|column| column.str().cloned());
    let (source, product, id, email) = (words("source")?, words("product")?, words("id")?, words("email")?);
    let (name, reason, file) = (words("name")?, words("reason")?, words("file")?);
    let (mrr, line) = (part.column("mrr_desired")?.i64()?, part.column("line")?.u32()?);
    let text = |column: &StringChunked, at: usize| column.get(at).unwrap_or_default().to_owned();
    Ok((0..part.height())
        .map(|at| UnmatchedRow {
            source: text(&source, at),
            product: text(&product, at),
            id: text(&id, at),
            email: text(&email, at),
            name: text(&name, at),
            reason: text(&reason, at),
            mrr: Amount::of(mrr.get(at), digits),
            place: match (file.get(at), line.get(at)) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                (file, _) => file.unwrap_or_default().to_owned(),
            },
        })
        .collect())
}
