//! The same id twice: identical rows merge, differing rows keep the one that counts as read last.

use crate::model::{Break, BreakKind, Disposition, InputFile};
use crate::table::INSTANT;
use polars::prelude::*;

/// What became of rows that share an id with another row.
#[derive(Debug, Clone)]
pub struct Duplicates {
    /// The rows that do not stand: `ord` u32, `disposition` str (`merged_duplicate`, `superseded`).
    pub losers: DataFrame,
    /// One break per superseded row.
    pub breaks: Vec<Break>,
}

/// What rows with one id are sorted by, so that the last of them stands.
fn order(event: bool) -> Vec<Expr> {
    if event { vec![col("event_created"), col("ord")] } else { vec![col("ord")] }
}

fn last_stands() -> SortMultipleOptions {
    SortMultipleOptions::default().with_nulls_last(false).with_maintain_order(true)
}

/// The rows of `rows` (with `ord`, `id`, `event_created`) that stand, one per id, by the rule of [`duplicates`]; none
/// without an id.
pub fn standing(rows: LazyFrame) -> LazyFrame {
    rows.filter(col("id").is_not_null())
        .sort_by_exprs(order(true), last_stands())
        .unique_stable(Some(cols(["id"])), UniqueKeepStrategy::Last)
}

/// Finds the rows of `rows` that another row with the same `id` replaces.
///
/// `rows` has `ord`, `file`, `line` and `id`; `content` is compared to tell a repeated row from one that differs. The row
/// with the highest `event_created` stands (where the table has that column), else the one read last. That an earlier event
/// shows an earlier version is history, and no break. A null id never equals another.
pub fn duplicates(rows: &DataFrame, content: &[Expr], source: &str, files: &[InputFile]) -> PolarsResult<Duplicates> {
    let event = rows.column("event_created").is_ok();
    let comparable: Vec<Expr> =
        content.iter().map(|part| part.clone().cast(DataType::String).fill_null(lit("\u{0}"))).collect();
    let repeated = rows
        .clone()
        .lazy()
        .filter(col("id").is_not_null().and(col("id").is_duplicated()))
        .sort_by_exprs(order(event), last_stands())
        .select([
            col("ord"),
            col("file"),
            col("line"),
            col("id"),
            if event { col("event_created") } else { lit(NULL).cast(INSTANT) }.alias("event"),
            concat_str(comparable, "\u{1}", false).alias("content"),
        ])
        .with_columns([
            col("ord").last().over([col("id")])?.alias("standing_ord"),
            col("line").last().over([col("id")])?.alias("standing_line"),
            col("file").last().over([col("id")])?.alias("standing_file"),
            col("content").last().over([col("id")])?.alias("standing_content"),
            col("event").last().over([col("id")])?.alias("standing_event"),
        ])
        .filter(col("ord").neq(col("standing_ord")))
        .with_column(
            when(col("content").eq(col("standing_content")))
                .then(lit(Disposition::MergedDuplicate.as_str()))
                .otherwise(lit(Disposition::Superseded.as_str()))
                .alias("disposition"),
        )
        .collect()?;

    let earlier = col("event").lt(col("standing_event")).fill_null(lit(false));
    let superseded = repeated
        .clone()
        .lazy()
        .filter(col("disposition").eq(lit(Disposition::Superseded.as_str())).and(earlier.not()))
        .collect()?;
    // Rows, because each becomes one message; there is one only where an export contradicts itself.
    let mut breaks = Vec::with_capacity(superseded.height());
    let ids = superseded.column("id")?.str()?;
    let (file, line) = (superseded.column("file")?.u32()?, superseded.column("line")?.u32()?);
    let (by_file, by_line) = (superseded.column("standing_file")?.u32()?, superseded.column("standing_line")?.u32()?);
    let path = |index: Option<u32>| index.and_then(|i| files.get(i as usize)).map_or("?", |f| f.path.as_str());
    for row in 0..superseded.height() {
        let detail = format!(
            "the row differs from the one read last ({}:{}), which stands",
            path(by_file.get(row)),
            by_line.get(row).unwrap_or_default(),
        );
        breaks.push(
            Break::new(BreakKind::Superseded, source, ids.get(row).unwrap_or_default(), detail)
                .at(path(file.get(row)), u64::from(line.get(row).unwrap_or_default())),
        );
    }
    Ok(Duplicates { losers: repeated.select(["ord", "disposition"])?, breaks })
}
