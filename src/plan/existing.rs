//! What Tether is known to hold of one product: its export without repeated rows, overlaid with its own later replies.

use super::PlanError;
use crate::baseline;
use crate::link::Dispositions;
use crate::model::{Break, Disposition, InputFile, Reason};
use crate::table::{Existing, duplicates};
use polars::prelude::*;

/// One product's existing customers and where its export's rows went.
#[derive(Debug)]
pub struct Held {
    /// `None`: nothing at all is known.
    pub known: Option<Existing>,
    /// The export's rows: `ord`, `file`, `line`, `id`.
    export: DataFrame,
    /// `ord`, `disposition` of rows that another row of the export replaces.
    losers: DataFrame,
    /// `ord` of rows that a later reply replaces.
    outdated: DataFrame,
    /// Rows of the export that contradict one another.
    pub breaks: Vec<Break>,
}

/// Overlays an export with the baseline.
pub fn existing(export: Option<Existing>, baseline: Option<Existing>, files: &[InputFile]) -> Result<Held, PlanError> {
    let is_given = export.is_some();
    let rows = export
        .unwrap_or_else(Existing::empty)
        .lazy()
        .with_column(
            coalesce(&[col("tether_id"), lit("id:") + col("external_id"), lit("mail:") + col("email")]).alias("id"),
        )
        .collect()?;
    let content: Vec<Expr> = Existing::schema()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !["ord", "file", "line"].contains(name))
        .map(col)
        .collect();
    let repeated = duplicates(&rows, &content, "existing", files)?;
    let standing = is_given
        .then(|| -> Result<Existing, PlanError> {
            let rows = rows.clone().lazy().anti_join(repeated.losers.clone().lazy(), col("ord"), col("ord"));
            Ok(Existing::new(rows.collect()?)?)
        })
        .transpose()?;
    let merged = baseline::merge(standing, baseline)?;
    Ok(Held {
        known: merged.known,
        export: rows.select(["ord", "file", "line", "id"])?,
        losers: repeated.losers,
        outdated: merged.superseded_by_reply,
        breaks: repeated.breaks,
    })
}

impl Held {
    /// Where the export's rows went: [`Dispositions`] whose `customer` is the plan row's key. `compared`: `ord`, `file`,
    /// `customer` of every existing customer.
    pub fn dispose(&self, compared: &DataFrame) -> Result<Dispositions, PlanError> {
        Ok(self
            .export
            .clone()
            .lazy()
            .left_join(
                self.losers.clone().lazy().select([col("ord"), col("disposition").alias("lost")]),
                col("ord"),
                col("ord"),
            )
            .left_join(
                self.outdated.clone().lazy().select([col("ord"), lit(true).alias("outdated")]),
                col("ord"),
                col("ord"),
            )
            .left_join(
                // Rows that the baseline gave have no file, and an `ord` of their own.
                compared.clone().lazy().filter(col("file").is_not_null()).select([col("ord"), col("customer")]),
                col("ord"),
                col("ord"),
            )
            .select([
                col("ord"),
                col("file"),
                col("line"),
                col("id"),
                when(col("lost").is_not_null())
                    .then(col("lost"))
                    .when(col("outdated").is_not_null())
                    .then(lit(Disposition::Superseded.as_str()))
                    .otherwise(lit(Disposition::Contributed.as_str()))
                    .alias("disposition"),
                when(col("lost").is_null().and(col("outdated").is_not_null()))
                    .then(lit(Reason::NewerReply.as_str()))
                    .otherwise(lit(NULL))
                    .alias("reason"),
                col("customer"),
            ])
            .sort(["ord"], SortMultipleOptions::default())
            .collect()?)
    }
}
