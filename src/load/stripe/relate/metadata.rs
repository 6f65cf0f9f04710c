//! Your own ids from a table of metadata to the customers they are about.

use super::super::related::RelatedMetadata;
use super::METADATA;
use crate::load::error::TableError;
use crate::load::ordered;
use crate::load::settle::{Settled, dispositions, marked};
use crate::model::{Disposition, Reason};
use crate::table::{Accounts, StripeTables, beside, look_up};
use polars::prelude::*;

/// Fills `external_id` of accounts that have none.
pub(super) fn fill(
    tables: &mut StripeTables,
    metadata: &RelatedMetadata,
    settled: &mut Settled<'_>,
) -> Result<(), TableError> {
    if metadata.is_empty() {
        return Ok(());
    }
    let rows = ordered(metadata.frame().clone())?.lazy().with_column(col("customer").alias("id")).collect()?;
    let standing = settled.standing(METADATA, &rows, &["value"])?;
    let known = marked(tables.accounts.lazy(), "id", "known");
    let ends = look_up(standing.clone().lazy(), known, "id", "id").with_columns(dispositions(&[(
        col("known").is_null(),
        Disposition::Unattached,
        Some(Reason::OwnerMissing),
    )]));
    settled.add(METADATA, ends)?;
    let values = standing.lazy().select([col("customer"), col("value")]);
    let filled = look_up(tables.accounts.lazy().select([col("id"), col("external_id")]), values, "id", "customer")
        .select([coalesce(&[col("external_id"), col("value")]).alias("external_id")])
        .collect()?;
    tables.accounts = Accounts::new(beside(tables.accounts.frame(), filled)?)?;
    Ok(())
}
