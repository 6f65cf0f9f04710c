//! Metadata, and tables that nothing is taken from.

use super::super::relate::METADATA;
use super::super::related::{Related, RelatedMetadata};
use super::{StripePart, part, required, settled};
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin};
use crate::load::sheet::{FieldHeadings, Sheet};
use crate::model::{Disposition, Reason};
use polars::prelude::*;

/// The columns of customers' metadata.
pub(in super::super) const METADATA_FIELDS: &[FieldHeadings] =
    &[("customer", &["customer_id"]), ("key", &["key"]), ("value", &["value"])];

/// What is looked at in a table that nothing is taken from.
pub(in super::super) const OTHER_FIELDS: &[FieldHeadings] = &[("id", &["id"])];

/// Reads customers' metadata: the rows of `key`, the configured one.
pub(in super::super) fn metadata(
    mut sheet: Sheet,
    key: Option<&str>,
    origin: &Origin<'_>,
) -> Result<StripePart, TableError> {
    let mut faults = Faults::default();
    required(&sheet, &sheet.text("customer")?, "customer", &mut faults);
    for field in ["customer", "key", "value"] {
        let text = sheet.text(field)?.into_column();
        sheet.frame.with_column(text)?;
    }
    let (frame, found) = faults.reject(sheet.frame, origin, "customer", Some("customer"))?;
    let wanted = || col("key").eq(lit(key.unwrap_or_default())).fill_null(lit(false)).and(lit(key.is_some()));
    let others = frame.clone().lazy().filter(wanted().not()).with_column(col("customer").alias("id"));
    let related = Related {
        metadata: RelatedMetadata::new(frame.lazy().filter(wanted()).collect()?)?,
        settled: settled(METADATA, others, Disposition::Excluded, Reason::NotUsed)?,
        ..Related::empty()
    };
    let mut rejections = sheet.rejections;
    rejections.extend(found);
    Ok(part(METADATA, sheet.rows, related, rejections))
}

/// Counts the rows of a table that nothing is taken from. One that cannot be read costs nothing, so it is no rejection.
pub(in super::super) fn not_used(sheet: Sheet, source: &'static str, file: u32) -> Result<StripePart, TableError> {
    let unread = df!(
        "file" => vec![file; sheet.rejections.len()],
        "line" => sheet.rejections.iter().map(|row| u32::try_from(row.line).ok()).collect::<Vec<_>>(),
        "id" => sheet.rejections.iter().map(|row| row.id.as_deref()).collect::<Vec<_>>(),
    )?;
    let read = sheet.frame.lazy().select([col("file"), col("line"), col("id").cast(DataType::String)]);
    let rows = concat([read, unread.lazy()], UnionArgs::default())?;
    let settled = settled(source, rows, Disposition::Excluded, Reason::NotUsed)?;
    Ok(part(source, sheet.rows, Related { settled, ..Related::empty() }, Vec::new()))
}
