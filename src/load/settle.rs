//! Where rows of further tables went, collected table by table.

use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::model::{Break, Disposition, InputFile, Reason};
use crate::table::{Duplicates, SchemaError, duplicates, look_up, table};
use polars::prelude::*;

table! {
    /// Rows that were read and end where they stand: nothing later asks for them.
    SettledRows {
        /// the source's name
        "source": DataType::String,
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// the row's id
        "id": DataType::String,
        /// a [`crate::model::Disposition`]
        "disposition": DataType::String,
        /// a [`crate::model::Reason`]
        "reason": DataType::String,
    }
}

/// The rows that are done with so far.
pub(super) struct Settled<'a> {
    files: &'a [InputFile],
    frames: Vec<DataFrame>,
    breaks: Vec<Break>,
}

impl<'a> Settled<'a> {
    pub fn new(files: &'a [InputFile], rows: SettledRows) -> Self {
        Self { files, frames: vec![rows.into_frame()], breaks: Vec::new() }
    }

    /// The rows (with `ord`, `file`, `line`, `id`) that another with the same id does not replace, judged by `content`.
    /// Those it does are settled, with a break where they differ.
    pub fn standing(&mut self, source: &str, rows: &DataFrame, content: &[&str]) -> Result<DataFrame, TableError> {
        let counted = rows.clone().lazy().filter(col("line").is_not_null()).collect()?;
        let content: Vec<Expr> = content.iter().map(|name| col(*name)).collect();
        let Duplicates { losers, breaks } = duplicates(&counted, &content, source, self.files)?;
        if losers.height() == 0 {
            return Ok(rows.clone());
        }
        self.breaks.extend(breaks);
        let lost = look_up(losers.clone().lazy(), counted.lazy(), "ord", "ord");
        self.add(source, lost.with_column(lit(NULL).cast(DataType::String).alias("reason")))?;
        Ok(rows.clone().lazy().anti_join(losers.lazy(), col("ord"), col("ord")).collect()?)
    }

    /// Settles `rows` (with `file`, `line`, `id`, `disposition`, `reason`).
    pub fn add(&mut self, source: &str, rows: LazyFrame) -> Result<(), TableError> {
        let columns = ["file", "line", "id", "disposition", "reason"].map(col);
        let rows = rows.filter(col("line").is_not_null()).select(columns).with_column(lit(source).alias("source"));
        self.frames.push(SettledRows::new(rows.collect()?)?.into_frame());
        Ok(())
    }

    /// All of them, in the order of source, file and line.
    pub fn finish(self) -> Result<(SettledRows, Vec<Break>), TableError> {
        let rows = stacked(self.frames, SettledRows::empty().into_frame())?
            .lazy()
            .sort(["source", "file", "line"], SortMultipleOptions::default())
            .collect()?;
        Ok((SettledRows::new(rows)?, self.breaks))
    }
}

/// Where the rows go for which a condition holds, and why.
pub(super) type Case = (Expr, Disposition, Option<Reason>);

/// `disposition` and `reason` of rows: the first of `cases` whose condition holds, else contributed.
pub(super) fn dispositions(cases: &[Case]) -> [Expr; 2] {
    let words = |word: &dyn Fn(&Case) -> Expr, otherwise: Expr| {
        cases
            .iter()
            .rev()
            .fold(otherwise, |rest, case| when(case.0.clone().fill_null(lit(false))).then(word(case)).otherwise(rest))
    };
    let none = || lit(NULL).cast(DataType::String);
    [
        words(&|case| lit(case.1.as_str()), lit(Disposition::Contributed.as_str())).alias("disposition"),
        words(&|case| case.2.map_or_else(none, |reason| lit(reason.as_str())), none()).alias("reason"),
    ]
}

/// The values of `column` that stand in `rows`, once each, as `column` with `name` beside it, true.
pub(super) fn marked(rows: LazyFrame, column: &str, name: &str) -> LazyFrame {
    rows.select([col(column)])
        .filter(col(column).is_not_null())
        .unique(None, UniqueKeepStrategy::Any)
        .with_column(lit(true).alias(name))
}
