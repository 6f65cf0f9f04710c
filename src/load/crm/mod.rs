//! CRM exports: CSV files of contacts.
//!
//! In: one file's text and the CRM's preset with its overrides. Out: contacts and rejected rows. Never: links between
//! contacts and accounts, or a guess which column was meant.

mod preset;

use super::columns::{Epoch, instants, lower};
use super::csv_check::Checked;
use super::csv_read;
use super::error::TableError;
use super::fault::{Faults, Origin, structural};
use super::headings::{find, missing};
use super::{LoadError, TablePart, ordered, text};
use crate::config::CrmSettings;
use crate::model::Reason;
use crate::table::Contacts;
use polars::prelude::*;

/// Reads one file of contacts; `crm` is the CRM's place in the configuration. Also gives the text's encoding in words.
pub(super) fn read(
    bytes: Vec<u8>,
    origin: &Origin<'_>,
    settings: &CrmSettings,
    crm: u32,
) -> Result<(TablePart, &'static str), LoadError> {
    if bytes.starts_with(crate::load::parquet::MAGIC) {
        let detail = "it is Parquet; contacts are read from CSV, export them so".to_owned();
        return Err(LoadError::Unrecognised { file: origin.file.to_owned(), detail });
    }
    let decoded = text::decode(&bytes);
    let mut checked = csv_read::open(&decoded, origin.file, &|headings| columns_known(headings, settings))?;
    let layout = Layout::new(&checked, origin.file, settings)?;
    let rows = checked.rows();
    let mut rejections = structural(&mut checked, origin, layout.column("id"), None, "");
    let frame = csv_read::read(&checked, &layout.wanted(), origin.file, origin.index)?;
    let breaks =
        if checked.truncated { vec![super::stripe::truncated(origin.source, origin.file)] } else { Vec::new() };
    let encoding = decoded.encoding;
    drop(checked);
    drop(decoded);
    // The tables hold copies: the file must not stand beside them in memory.
    drop(bytes);
    let build = || -> Result<_, TableError> {
        let mut faults = Faults::default();
        let frame = typed(frame, &layout, crm, &mut faults)?;
        let (frame, found) = faults.reject(frame, origin, "id", None)?;
        Ok((Contacts::new(ordered(frame)?)?.into_frame(), found))
    };
    let (frame, found) = build().map_err(|error| LoadError::internal(origin.file, error))?;
    rejections.extend(found);
    Ok((TablePart { frame, rejections, breaks, rows, shape: "CRM contacts (CSV)" }, encoding))
}

/// Whether a line of headings is one: it has the id's column.
fn columns_known(headings: &[String], settings: &CrmSettings) -> bool {
    if let Some(heading) = settings.columns.get("id") {
        return find(headings, &[heading]).is_some();
    }
    preset::fields(settings.preset).iter().any(|known| known.field == "id" && find(headings, known.headings).is_some())
}

/// Names that the columns of additional addresses get in the frame.
const EXTRAS: &[&str] = &["emails_0", "emails_1", "emails_2", "emails_3"];

/// Where each field stands in the file.
struct Layout {
    columns: Vec<(&'static str, Option<usize>)>,
    extras: Vec<(&'static str, Option<usize>)>,
    /// The file's own headings, for messages.
    headings: Vec<String>,
}

impl Layout {
    fn new(checked: &Checked<'_>, file: &str, settings: &CrmSettings) -> Result<Self, LoadError> {
        let mut layout = Self { columns: Vec::new(), extras: Vec::new(), headings: checked.headings.clone() };
        for known in preset::fields(settings.preset) {
            let configured = settings.columns.get(known.field);
            let column = match configured {
                Some(heading) => Some(find(&checked.headings, &[heading]).ok_or_else(|| {
                    let advice = format!("correct columns.{} of the CRM `{}`", known.field, settings.name);
                    missing(&checked.headings, checked.heading_line, file, known.field, heading, &advice)
                })?),
                None => find(&checked.headings, known.headings),
            };
            if known.required && column.is_none() {
                let wanted = known.headings.first().copied().unwrap_or(known.field);
                let advice = format!("name the column in columns.{} of the CRM `{}`", known.field, settings.name);
                return Err(missing(&checked.headings, checked.heading_line, file, known.field, wanted, &advice));
            }
            if known.field != "emails" {
                layout.columns.push((known.field, column));
                continue;
            }
            let found: Vec<usize> = match configured {
                Some(_) => column.into_iter().collect(),
                None => known.headings.iter().filter_map(|heading| find(&checked.headings, &[heading])).collect(),
            };
            layout.extras = EXTRAS.iter().copied().zip(found.into_iter().map(Some)).collect();
        }
        Ok(layout)
    }

    fn wanted(&self) -> Vec<(&'static str, Option<usize>)> {
        self.columns.iter().chain(&self.extras).copied().collect()
    }

    fn column(&self, field: &str) -> Option<usize> {
        self.columns.iter().find(|(known, _)| *known == field).and_then(|(_, column)| *column)
    }
}

fn typed(mut frame: DataFrame, layout: &Layout, crm: u32, faults: &mut Faults) -> PolarsResult<DataFrame> {
    let rows = frame.height();
    let heading = |field: &'static str| layout.column(field).map_or(field, |column| layout.headings[column].as_str());
    let ids = frame.column("id")?.str()?;
    if ids.null_count() > 0 {
        for (row, _) in ids.iter().enumerate().filter(|(_, id)| id.is_none()) {
            faults.add(row, Reason::MissingId, || format!("{} is blank", heading("id")));
        }
    }
    let activity = instants(frame.column("last_activity")?.str()?, heading("last_activity"), Epoch::Millis, faults)?;
    let email = lower(frame.column("email")?.str()?);
    let emails = addresses(&frame, &email, layout)?;
    frame.with_column(activity)?;
    frame.with_column(email.into_column())?;
    frame.with_column(emails)?;
    let merged = lists(frame.column("merged_ids")?.str()?);
    frame.with_column(merged)?;
    frame.with_column(Column::new_scalar("crm".into(), Scalar::from(crm), rows))?;
    frame.with_column(Column::full_null("merged_into".into(), rows, &DataType::String))?;
    frame.with_column(Column::new_scalar("deleted".into(), Scalar::from(false), rows))?;
    if layout.column("first_name").or(layout.column("last_name")).is_some() {
        let joined = concat_str([col("first_name"), col("last_name")], " ", true);
        let joined = when(joined.clone().eq(lit(""))).then(lit(NULL)).otherwise(joined);
        frame = frame.lazy().with_column(coalesce(&[col("name"), joined]).alias("name")).collect()?;
    }
    Ok(frame)
}

/// Every address of each contact, the primary one first, each once. A loop over rows, since a cell may hold a list and
/// the result is one.
fn addresses(frame: &DataFrame, email: &StringChunked, layout: &Layout) -> PolarsResult<Column> {
    let rows = frame.height();
    let mut builder = ListStringChunkedBuilder::new("emails".into(), rows, rows);
    if layout.extras.is_empty() {
        for address in email.iter() {
            builder.append_values_iter(address.into_iter());
        }
        return Ok(builder.finish().into_column());
    }
    let extras = layout
        .extras
        .iter()
        .map(|(name, _)| Ok(lower(frame.column(name)?.str()?)))
        .collect::<PolarsResult<Vec<_>>>()?;
    let mut extras: Vec<_> = extras.iter().map(ChunkedArray::iter).collect();
    let mut found: Vec<&str> = Vec::new();
    for address in email.iter() {
        found.clear();
        found.extend(address);
        for cell in extras.iter_mut().filter_map(|column| column.next().flatten()) {
            for extra in cell.split(';').map(str::trim).filter(|extra| !extra.is_empty()) {
                if !found.contains(&extra) {
                    found.push(extra);
                }
            }
        }
        builder.append_values_iter(found.iter().copied());
    }
    Ok(builder.finish().into_column())
}

/// The parts of each cell that are not empty, in their order, each once. A loop over rows, since the result is a list.
fn lists(cells: &StringChunked) -> Column {
    let mut builder = ListStringChunkedBuilder::new(cells.name().clone(), cells.len(), cells.len());
    let mut found: Vec<&str> = Vec::new();
    for cell in cells.iter() {
        found.clear();
        for part in cell.unwrap_or_default().split(';').map(str::trim).filter(|part| !part.is_empty()) {
            if !found.contains(&part) {
                found.push(part);
            }
        }
        builder.append_values_iter(found.iter().copied());
    }
    builder.finish().into_column()
}
