//! CRM exports: people and companies, as CSV or Parquet.
//!
//! In: one file's bytes and the CRM's preset with its overrides. Out: contacts (or companies that name those of contacts),
//! rejected rows, values that could not be read. Never: links between contacts and accounts, or a guess which column, which
//! address or which company was meant.

mod addresses;
mod claims;
mod companies;
mod footer;
mod ids;
mod layout;
mod once;
mod preset;
mod records;

pub(super) use claims::{claims, custom_columns, id_column, known_fields, shows};
pub(super) use companies::join;

use super::calendar::{Calendar, DateColumn, Undecided};
use super::csv_check::RowFault;
use super::error::TableError;
use super::fault::{self, Origin, rejections};
use super::headings::find;
use super::look::{FileKind, Shown};
use super::settle::SettledRows;
use super::sheet::{Opened, Sheet};
use super::{LoadError, TablePart, csv_read, ordered, parquet, text};
use crate::config::{CrmPreset, CrmSettings};
use crate::model::Dialect;
use crate::table::Contacts;
use layout::Layout;
use polars::prelude::*;
use preset::Preset;
use records::records;

/// What a file of a CRM is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Its rows are contacts of the CRM with this place in the configuration.
    Contacts(u32),
    /// Its rows name the companies of contacts.
    Companies,
}

/// A file's columns as text, and what is needed to make records of them; the file's bytes are not.
struct Columns {
    sheet: Sheet,
    layout: Layout,
    /// The rows that the structural pass took out, footer lines among them.
    faults: Vec<RowFault>,
    /// The lines of rows behind a blank one.
    after_blank: Vec<u32>,
    truncated: bool,
    format: &'static str,
    calendar: Calendar,
}

/// Reads one file. Contacts have the columns of their table and `company_id`; `named` are the headings that filters name.
/// Also gives a text's encoding in words.
pub(super) fn read(
    bytes: Vec<u8>,
    origin: &Origin<'_>,
    settings: &CrmSettings,
    expected: Expected,
    named: &[String],
) -> Result<(TablePart, Option<&'static str>), LoadError> {
    let preset = preset::preset(settings.preset);
    let companies = expected == Expected::Companies;
    let (columns, encoding) = if bytes.starts_with(parquet::MAGIC) {
        let headings = parquet::headings(&bytes, origin)?;
        (columns(Opened::Parquet { bytes: &bytes, headings }, origin, settings, companies, named)?, None)
    } else {
        let decoded = text::decode(&bytes, settings.reading.encoding);
        let checked = csv_read::open(&decoded, origin, &|headings| is_known(headings, settings, expected))?;
        (columns(Opened::Csv(Box::new(checked)), origin, settings, companies, named)?, Some(decoded.encoding))
    };
    // The columns hold copies: the file must not stand beside them in memory.
    drop(bytes);
    let part = part(columns, origin, preset, expected).map_err(|error| LoadError::internal(origin.file, error))?;
    Ok((part, encoding))
}

/// Whether a line of headings is one of a file that is read for `expected`.
pub(super) fn is_known(headings: &[String], settings: &CrmSettings, expected: Expected) -> bool {
    layout::known(headings, preset::preset(settings.preset), settings, expected == Expected::Companies)
}

/// What the headings of a file that is read for `expected` show, and where each of its fields stands.
pub(super) fn show(
    opened: &Opened<'_>,
    origin: &Origin<'_>,
    settings: &CrmSettings,
    expected: Expected,
    named: &[String],
) -> Result<Shown, LoadError> {
    let companies = expected == Expected::Companies;
    let layout = Layout::new(opened, origin.file, preset::preset(settings.preset), settings, companies, named)?;
    let shape = format!("{} ({})", layout.shape.label, opened.format());
    let kind = if companies { FileKind::Companies } else { FileKind::Contacts };
    let place = |heading: &Option<String>| heading.as_ref().and_then(|heading| find(opened.headings(), &[heading]));
    let fields = layout.fields(companies).map(|(field, columns)| (field, columns.iter().filter_map(place).collect()));
    Ok(Shown { kind, source: origin.source.to_owned(), shape, fields: fields.collect() })
}

fn columns(
    mut opened: Opened<'_>,
    origin: &Origin<'_>,
    settings: &CrmSettings,
    companies: bool,
    named: &[String],
) -> Result<Columns, LoadError> {
    let layout = Layout::new(&opened, origin.file, preset::preset(settings.preset), settings, companies, named)?;
    let (format, truncated) = (opened.format(), opened.truncated());
    let (faults, after_blank) = match &mut opened {
        Opened::Csv(checked) => (std::mem::take(&mut checked.faults), std::mem::take(&mut checked.after_blank)),
        Opened::Parquet { .. } => (Vec::new(), Vec::new()),
    };
    let sheet = Sheet::read(opened, &[], &layout.wanted, ("id", ""), origin)?;
    let calendar = calendar(&sheet, settings, origin)?;
    Ok(Columns { sheet, layout, faults, after_blank, truncated, format, calendar })
}

/// Why the order of day and month is not known in the dates of contacts of which only the preset is known.
pub(super) fn undecided(bytes: Vec<u8>, crm: CrmPreset, origin: &Origin<'_>) -> Option<String> {
    match read(bytes, origin, &claims::plain(crm), Expected::Contacts(0), &[]) {
        Err(LoadError::UndecidedDates { heading, detail, .. }) => Some(format!("{heading}: {detail}")),
        _ => None,
    }
}

/// The one form of a record's id in the CRM of `settings`, or what is wrong with it.
pub(super) fn one_form<'i>(settings: &CrmSettings, id: &'i str) -> Result<std::borrow::Cow<'i, str>, String> {
    preset::preset(settings.preset).ids.read(id)
}

/// How the file's dates are written.
fn calendar(sheet: &Sheet, settings: &CrmSettings, origin: &Origin<'_>) -> Result<Calendar, LoadError> {
    let internal = |error| LoadError::internal(origin.file, error);
    let lines = sheet.frame.column("line").and_then(Column::u32).map_err(internal)?;
    // Parquet may hold instants, which nobody needs to read.
    let dates = sheet.frame.column("last_activity").map_err(internal)?.str().ok();
    let heading = sheet.heading("last_activity");
    let columns: Vec<_> = dates.into_iter().map(|cells| DateColumn { heading, cells, lines }).collect();
    Calendar::of_file(&settings.reading, &columns).map_err(|Undecided { line, heading, detail, contradicts }| {
        let (file, source_name) = (origin.file.to_owned(), settings.name.clone());
        LoadError::UndecidedDates { file, line, heading, detail, source_name, contradicts }
    })
}

fn part(columns: Columns, origin: &Origin<'_>, preset: &Preset, expected: Expected) -> Result<TablePart, TableError> {
    let Columns { mut sheet, layout, mut faults, after_blank, truncated, format, calendar } = columns;
    let last = faults.last().map(|fault| fault.line);
    let footer = footer::take(&mut sheet.frame, &mut faults, &after_blank, preset)?;
    // A footer without a line end is no row that breaks off.
    let cut = truncated && faults.last().map(|fault| fault.line) == last;
    let rows = (sheet.height() + faults.len()) as u64;
    let mut rejections = rejections(faults, origin, layout.id, None, "");
    let records = records(&sheet, &layout, preset, calendar, origin)?;
    rejections.extend(records.rejections);
    let mut breaks = records.breaks;
    if cut {
        breaks.push(fault::truncated(origin.source, origin.file));
    }
    let frame = match expected {
        Expected::Companies => records.frame.select(companies::COLUMNS)?,
        Expected::Contacts(crm) => {
            let mut frame = ordered(records.frame)?;
            frame.with_column(Column::new_scalar("crm".into(), Scalar::from(crm), frame.height()))?;
            frame.select(Contacts::schema().into_iter().map(|(name, _)| name).chain(["company_id"]))?
        }
    };
    let old = records.old.lazy().with_column(lit(origin.source).alias("source")).collect()?;
    let below = match footer {
        0 => String::new(),
        1 => ", 1 line of footer".to_owned(),
        lines => format!(", {lines} lines of footer"),
    };
    let shape = format!("{} ({format}){below}", layout.shape.label);
    let dialect = sheet.dialect.map(|dialect| Dialect {
        dates: calendar.dates_in_words(),
        time_zone: calendar.zone_in_words(),
        ..dialect
    });
    Ok(TablePart {
        dates: calendar.proved(),
        frame,
        rejections,
        breaks,
        rows,
        shape,
        settled: Some(SettledRows::new(old)?),
        dialect: dialect.map(Box::new),
    })
}
