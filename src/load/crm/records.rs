//! A sheet → records with canonical values, whatever the CRM.

use super::addresses::{self, Addresses};
use super::ids;
use super::layout::Layout;
use super::once::Once;
use super::preset::{Object, Preset};
use crate::load::calendar::Calendar;
use crate::load::columns::{Epoch, lower, map};
use crate::load::error::TableError;
use crate::load::fault::{Faults, Origin, quoted};
use crate::load::sheet::Sheet;
use crate::model::{Break, Disposition, Reason, Rejection};
use crate::table::beside;
use polars::prelude::*;
use std::borrow::Cow;

/// The records of one file.
pub(super) struct Records {
    /// The columns of `Contacts` but `ord` and `crm`, and `company_id`.
    pub frame: DataFrame,
    pub rejections: Vec<Rejection>,
    pub breaks: Vec<Break>,
    /// `file`, `line`, `id`, `disposition`, `reason`: earlier versions of records.
    pub old: DataFrame,
}

/// Values that a record stands without: by field, since one row may lack several.
struct Without(Vec<Faults>);

impl Without {
    fn next(&mut self) -> &mut Faults {
        self.0.push(Faults::default());
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

/// Gives `sheet`'s columns their types.
pub(super) fn records(
    sheet: &Sheet,
    layout: &Layout,
    preset: &Preset,
    calendar: Calendar,
    origin: &Origin<'_>,
) -> Result<Records, TableError> {
    let mut faults = Faults::default();
    let mut without = Without(Vec::new());
    let one = |field: &'static str, faults: &mut Faults| -> PolarsResult<StringChunked> {
        let heading = sheet.heading(field);
        let id = |row: usize, why: String| faults.add(row, Reason::BadId, || format!("{heading}: {why}"));
        Ok(preset.ids.column(&sheet.text(field)?, id))
    };

    let written = sheet.text("id")?;
    for (row, _) in written.iter().enumerate().filter(|(_, id)| id.is_none()) {
        faults.add(row, Reason::MissingId, || format!("{} is blank", sheet.heading("id")));
    }
    let ids = one("id", &mut faults)?;
    // A rejection names the id as it is written.
    let ids = ids.zip_with(&ids.is_not_null(), &written)?;
    let Addresses { email, emails } = addresses(sheet, layout, without.next())?;
    let merged_ids = merged_ids(sheet, layout, preset, without.next())?;
    let own_name = sheet.text("company_name")?;
    let names = map(&sheet.text("associated_names")?, |cell| Some(Cow::Borrowed(only(cell, preset.lists)?)));
    let company_name = own_name.zip_with(&own_name.is_not_null(), &names)?;
    let name = name(sheet, layout, &company_name)?;

    let columns = [
        ("id", ids.into_column()),
        ("email", email.into_column()),
        ("emails", emails),
        ("merged_ids", merged_ids),
        ("merged_into", one("merged_into", without.next())?.into_column()),
        ("deleted", sheet.booleans("deleted", &mut faults)?),
        ("current", sheet.booleans("current", &mut faults)?),
        ("external_id", foreign(sheet, "external_id", without.next())?.into_column()),
        ("stripe_customer_id", foreign(sheet, "stripe_customer_id", without.next())?.into_column()),
        ("name", name.into_column()),
        ("company_name", company_name.into_column()),
        ("company_id", company_ids(sheet, preset, without.next())?.into_column()),
        ("last_activity", last_activity(sheet, calendar, without.next())?),
        ("named", named(sheet, layout)?),
    ];
    let found = columns.into_iter().map(|(name, column)| column.with_name(name.into())).collect();
    let frame = beside(&sheet.frame.select(["file", "line"])?, DataFrame::new(sheet.height(), found)?)?;

    let mut breaks = Vec::new();
    for unreadable in without.0 {
        breaks.extend(unreadable.except(&faults).breaks(&frame, origin)?);
    }
    let (frame, rejections) = faults.reject(frame, origin, "id", None)?;
    let frame = frame.lazy().with_column(col("deleted").fill_null(lit(false)));
    let is_old = col("current").not().fill_null(lit(false));
    let old = frame.clone().filter(is_old.clone()).select([
        col("file"),
        col("line"),
        col("id"),
        lit(Disposition::Excluded.as_str()).alias("disposition"),
        lit(Reason::OldVersion.as_str()).alias("reason"),
    ]);
    Ok(Records { frame: frame.filter(is_old.not()).collect()?, rejections, breaks, old: old.collect()? })
}

/// The ids of another system; a record stands without one that a spreadsheet has spoilt.
fn foreign(sheet: &Sheet, field: &'static str, without: &mut Faults) -> PolarsResult<StringChunked> {
    let heading = sheet.heading(field);
    Ok(ids::foreign(&sheet.text(field)?, |row, why| without.add(row, Reason::BadId, || format!("{heading}: {why}"))))
}

/// When a record was last active. The one place where contacts' instants are read.
fn last_activity(sheet: &Sheet, calendar: Calendar, without: &mut Faults) -> PolarsResult<Column> {
    let column = sheet.frame.column("last_activity")?;
    let Ok(cells) = column.str() else { return Ok(column.clone()) };
    calendar.instants(cells, Epoch::Millis, |row, why| {
        without.add(row, Reason::BadInstant, || {
            format!("{}: {}: {why}", sheet.heading("last_activity"), quoted(cells.get(row).unwrap_or_default()))
        });
    })
}

fn addresses(sheet: &Sheet, layout: &Layout, without: &mut Faults) -> PolarsResult<Addresses> {
    let cells = |field| -> PolarsResult<Vec<StringChunked>> {
        layout.columns(field).map(|name| Ok(lower(&sheet.text(name)?))).collect()
    };
    let what = |parts: &[&str]| parts.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(", ");
    Ok(addresses::read(sheet.height(), &cells("email")?, &cells("emails")?, |row, parts| {
        without.add(row, Reason::EmailInvalid, || format!("no e-mail address: {}", what(parts)));
    }))
}

/// The ids in every column of merged records, each once. A loop over rows, since the result is a list.
fn merged_ids(sheet: &Sheet, layout: &Layout, preset: &Preset, without: &mut Faults) -> PolarsResult<Column> {
    let columns =
        layout.columns("merged_ids").map(|name| sheet.text(name)).collect::<PolarsResult<Vec<StringChunked>>>()?;
    let mut cells: Vec<_> = columns.iter().map(ChunkedArray::iter).collect();
    let mut builder = ListStringChunkedBuilder::new("merged_ids".into(), sheet.height(), sheet.height());
    let mut found: Once<Cow<'_, str>> = Once::new();
    for row in 0..sheet.height() {
        found.clear();
        for cell in cells.iter_mut().filter_map(|column| column.next().flatten()) {
            for part in cell.split(preset.between_ids).map(str::trim).filter(|part| !part.is_empty()) {
                match preset.ids.read(preset.ids.entry(part)) {
                    Ok(id) => found.push(id),
                    Err(why) => without.add(row, Reason::BadId, || why),
                }
            }
        }
        builder.append_values_iter(found.values().iter().map(AsRef::as_ref));
    }
    Ok(builder.finish().into_column())
}

/// The cells under the headings that filters name. A loop over rows, since the result is a list.
fn named(sheet: &Sheet, layout: &Layout) -> PolarsResult<Column> {
    let columns = layout.columns("named").map(|name| sheet.text(name)).collect::<PolarsResult<Vec<StringChunked>>>()?;
    let mut cells: Vec<_> = columns.iter().map(ChunkedArray::iter).collect();
    let mut builder = ListStringChunkedBuilder::new("named".into(), sheet.height(), sheet.height() * columns.len());
    for _ in 0..sheet.height() {
        let row: Vec<Option<&str>> = cells.iter_mut().map(|column| column.next().flatten()).collect();
        builder.append_trusted_len_iter(row.into_iter());
    }
    Ok(builder.finish().into_column())
}

/// The id of the company: the primary one, else the only one. Of several nobody knows which is meant.
fn company_ids(sheet: &Sheet, preset: &Preset, without: &mut Faults) -> PolarsResult<StringChunked> {
    let mut single = |field| -> PolarsResult<StringChunked> {
        let heading = sheet.heading(field);
        let cells = map(&sheet.text(field)?, |cell| Some(Cow::Borrowed(only(cell, preset.between_ids)?)));
        Ok(preset.ids.column(&cells, |row, why| without.add(row, Reason::BadId, || format!("{heading}: {why}"))))
    };
    let (primary, all) = (single("company_id")?, single("company_ids")?);
    primary.zip_with(&primary.is_not_null(), &all)
}

/// The one part of `cell` between any of `separators`; `None` if there are several that differ.
fn only<'c>(cell: &'c str, separators: &[char]) -> Option<&'c str> {
    let mut parts = cell.split(separators).map(str::trim).filter(|part| !part.is_empty());
    let first = parts.next()?;
    parts.all(|part| part == first).then_some(first)
}

/// The whole name, else its parts joined by one blank; of a company that has no other, its own.
fn name(sheet: &Sheet, layout: &Layout, company: &StringChunked) -> PolarsResult<StringChunked> {
    let whole = sheet.text("name")?;
    if !sheet.has("name") && layout.shape.object == Object::Companies {
        return Ok(company.clone());
    }
    if !sheet.has("first_name") && !sheet.has("last_name") {
        return Ok(whole);
    }
    let parts = sheet.frame.clone().lazy().select([concat_str([col("first_name"), col("last_name")], " ", true)]);
    let parts = parts.collect()?.columns()[0].str()?.clone();
    let parts = map(&parts, |parts| (!parts.is_empty()).then_some(Cow::Borrowed(parts)));
    whole.zip_with(&whole.is_not_null(), &parts)
}
