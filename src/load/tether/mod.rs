//! Exports of the customers that Tether holds: CSV, JSON, JSON Lines or Parquet, one reader each.
//!
//! In: one file's bytes. Out: existing customers and rejected rows; every shape passes through [`finish`], so that the
//! same customers give the same table whatever they were written in. Never: replies of a run (that is the baseline).

mod csv;
mod json;
mod parquet;

pub(super) use self::csv::{recognised as is_known, unmistakable};

use super::amount::rounded_minor;
use super::columns::{Epoch, booleans, instants, lower, normalise};
use super::error::TableError;
use super::fault::{Faults, Origin, Reading};
use super::look::{FileKind, Shown};
use super::parquet::Trials;
use super::sheet::Opened;
use super::{LoadError, TablePart, ordered, text};
use crate::config::{Limits, TextEncoding};
use crate::model::{Break, Dialect, Instant, Reason, Rejection};
use crate::table::{Existing, INSTANT};
use polars::prelude::*;
use std::collections::BTreeSet;

/// The members of the vendor's customer object, in its order.
pub(super) const MEMBERS: [&str; 13] = [
    "tether_id",
    "external_id",
    "email",
    "name",
    "company_name",
    "stripe_customer_id",
    "mrr",
    "subscription_status",
    "auto_renew",
    "period_end",
    "last_activity",
    "created_at",
    "updated_at",
];

/// What a reader of one shape gives: text columns named by [`MEMBERS`] (instants may already be such) and `line`.
struct RawExisting {
    frame: DataFrame,
    rejections: Vec<Rejection>,
    breaks: Vec<Break>,
    rows: u64,
    shape: &'static str,
    encoding: Option<&'static str>,
    dialect: Option<Dialect>,
}

/// Reads one file. `digits` are those of the account's currency, `modified` stands in for a missing `updated_at`; `stated` is
/// the encoding of text that does not say its own.
/// Also gives the text's encoding in words, where the file is text.
pub(super) fn read(
    bytes: Vec<u8>,
    origin: &Origin<'_>,
    digits: u8,
    modified: Option<Instant>,
    stated: Option<TextEncoding>,
) -> Result<(TablePart, Option<&'static str>), LoadError> {
    let raw = if bytes.starts_with(crate::load::parquet::MAGIC) {
        parquet::read(&bytes, origin)?
    } else {
        let decoded = text::decode(&bytes, stated);
        if decoded.is_json() { json::read(&decoded, origin)? } else { csv::read(&decoded, origin)? }
    };
    // The tables hold copies: the file must not stand beside them in memory.
    drop(bytes);
    let RawExisting { frame, mut rejections, breaks, rows, shape, encoding, dialect } = raw;
    let (frame, found) =
        finish(frame, origin, digits, modified).map_err(|error| LoadError::internal(origin.file, error))?;
    rejections.extend(found);
    Ok((
        TablePart {
            dates: None,
            frame,
            rejections,
            breaks,
            rows,
            shape: shape.to_owned(),
            settled: None,
            dialect: dialect.map(Box::new),
        },
        encoding,
    ))
}

/// The columns that are members of Tether's customer.
pub(super) fn known_columns(headings: &[String]) -> BTreeSet<usize> {
    MEMBERS.iter().filter_map(|member| csv::find(headings, member)).collect()
}

/// What the headings of a file show, and where each member stands.
pub(super) fn show(opened: &Opened<'_>, origin: &Origin<'_>) -> Result<Shown, LoadError> {
    let columns = match opened {
        Opened::Csv(checked) => csv::columns(checked, origin)?,
        Opened::Parquet { headings, .. } => parquet::columns(headings, origin)?,
    };
    let shape = format!("existing Tether customers ({})", opened.format());
    let fields = columns.into_iter().map(|(member, column)| (member, column.into_iter().collect())).collect();
    Ok(Shown { kind: FileKind::Existing, source: origin.source.to_owned(), shape, fields })
}

/// Reads one file of existing customers by itself, in any shape; a row that cannot be read refuses the file. `digits` are
/// those of the account's currency, `trials` is where Parquet is tried first.
pub fn existing_file(path: &std::path::Path, digits: u8, trials: &Trials) -> Result<Existing, LoadError> {
    let shown = path.display().to_string();
    let reading = Reading { limits: &Limits::default(), trials };
    let raw = super::fingerprint::read(path, &shown, reading.limits.file_bytes)?;
    let origin = Origin { source: "existing", file: &shown, index: 0, reading };
    let (part, _) = read(raw.bytes, &origin, digits, raw.modified, None)?;
    if let Some(row) = part.rejections.first() {
        let detail = format!("line {}: {}", row.line, row.detail);
        return Err(LoadError::Broken { file: shown, detail });
    }
    Existing::new(part.frame).map_err(|error| LoadError::internal(&shown, error))
}

fn finish(
    mut frame: DataFrame,
    origin: &Origin<'_>,
    digits: u8,
    modified: Option<Instant>,
) -> Result<(DataFrame, Vec<Rejection>), TableError> {
    let rows = frame.height();
    let mut faults = Faults::default();
    for name in
        ["tether_id", "external_id", "email", "name", "company_name", "stripe_customer_id", "subscription_status"]
    {
        let normal = normalise(frame.column(name)?.str()?);
        let normal = if name == "email" { lower(&normal) } else { normal };
        frame.with_column(normal.into_column())?;
    }
    let mrr = normalise(frame.column("mrr")?.str()?);
    let values: Int64Chunked = mrr
        .iter()
        .enumerate()
        .map(|(row, cell)| {
            let value = cell?;
            rounded_minor(value, digits).map_err(|reason| faults.value(row, reason, "mrr", value)).ok()
        })
        .collect();
    frame.with_column(values.with_name("mrr".into()).into_column())?;
    let renew = normalise(frame.column("auto_renew")?.str()?);
    frame.with_column(booleans(&renew, "auto_renew", &mut faults))?;
    for name in ["period_end", "last_activity", "created_at", "updated_at"] {
        let column = frame.column(name)?;
        if column.dtype() != &INSTANT {
            let read = instants(&normalise(column.str()?), name, Epoch::Never, &mut faults)?;
            frame.with_column(read)?;
        }
    }
    if let Some(modified) = modified
        && frame.column("updated_at")?.null_count() > 0
    {
        let updated =
            frame.column("updated_at")?.datetime()?.physical().fill_null_with_values(modified.epoch_millis())?;
        frame.with_column(updated.into_column().cast(&INSTANT)?)?;
    }
    nobody(&frame, &mut faults)?;
    frame.with_column(Column::new_scalar("file".into(), Scalar::from(origin.index), rows))?;
    let (frame, rejections) = faults.reject(frame, origin, "tether_id", None)?;
    Ok((Existing::new(ordered(frame)?)?.into_frame(), rejections))
}

/// A row with neither id nor address is nobody.
fn nobody(frame: &DataFrame, faults: &mut Faults) -> PolarsResult<()> {
    let columns =
        ["tether_id", "external_id", "email"].map(|name| frame.column(name).and_then(|column| column.str().cloned()));
    let [tether_id, external_id, email] = columns;
    let (tether_id, external_id, email) = (tether_id?, external_id?, email?);
    if [&tether_id, &external_id, &email].iter().any(|column| column.null_count() == 0) {
        return Ok(());
    }
    for (row, ((tether_id, external_id), email)) in
        tether_id.iter().zip(external_id.iter()).zip(email.iter()).enumerate()
    {
        if tether_id.is_none() && external_id.is_none() && email.is_none() {
            faults.add(row, Reason::MissingId, || "tether_id, external_id and email are all blank".to_owned());
        }
    }
    Ok(())
}
