//! The report's folder: every file is made beside its place, made durable, and only then all of them appear.

use super::model::ReportModel;
use super::verdict::Ending;
use super::{ReportError, changes, customers, html, json, markdown, xlsx};
use crate::runs::Watched;
use polars::prelude::*;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// How many customers are turned into text at a time: text is larger than columns, and a million of them would double
/// the memory.
pub(super) const SLICE: usize = 100_000;

/// Rows that one thread turns into CSV at a time.
const BATCH: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(8191);

/// Writes every file of the report into `folder`, which is made if it is not there. Files appear whole or not at all,
/// and none before all could be written.
pub fn write_report(folder: &Path, model: &ReportModel, ending: Ending) -> Result<(), ReportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Write { path, source }
    };
    // Only the folder itself: where the run's folder has gone, a report would stand for what nobody can prove.
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(folder)(error)),
        _ => {}
    }
    let make = |(name, render): &(&str, Render)| {
        let path = folder.join(name);
        let mut file = NamedTempFile::new_in(folder).map_err(failed(&path))?;
        let mut out = BufWriter::with_capacity(1 << 20, Watched::new(file.as_file_mut()));
        let rendered = render(model, ending, &mut out).and_then(|()| out.flush().map_err(failed(&path)));
        // What was not written by now never will be: the file is given up.
        out.into_parts().0.verdict(Ok(())).map_err(failed(&path))?;
        rendered?;
        file.as_file().sync_all().map_err(failed(&path))?;
        Ok((path, file))
    };
    // Two at a time: turning a million rows into text keeps one core busy, and the slowest file comes first.
    let (workbook, others) = RENDERINGS.split_at(1);
    let files: Vec<Result<_, ReportError>> = std::thread::scope(|scope| {
        let first = scope.spawn(|| workbook.iter().map(make).collect::<Vec<_>>());
        let others: Vec<_> = others.iter().map(make).collect();
        let first = first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        first.into_iter().chain(others).collect()
    });
    for (path, file) in files.into_iter().collect::<Result<Vec<_>, _>>()? {
        readable_by_all(file.as_file()).map_err(failed(&path))?;
        file.persist(&path).map_err(|error| ReportError::Write { path, source: error.error })?;
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

type Render = fn(&ReportModel, Ending, &mut dyn Write) -> Result<(), ReportError>;

const RENDERINGS: [(&str, Render); 7] = [
    ("report.xlsx", xlsx::write),
    ("customers.csv", |model, _, out| write_customers(model, out)),
    ("changes.csv", |model, _, out| write_changes(model, out)),
    ("accounting.csv", |model, _, out| write_accounting(model, out)),
    ("summary.json", json::write),
    ("summary.md", markdown::write),
    ("report.html", html::write),
];

/// Temporary files are private; a report is read by reviewers, as the process's other files are.
#[cfg(unix)]
fn readable_by_all(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_file: &File) -> std::io::Result<()> {
    Ok(())
}

fn write_customers(model: &ReportModel, out: &mut dyn Write) -> Result<(), ReportError> {
    write_slices(&model.customers, out, |part| customers::csv_rows(part, model.manifest.currency_digits))
}

fn write_changes(model: &ReportModel, out: &mut dyn Write) -> Result<(), ReportError> {
    write_slices(&model.customers, out, |part| Ok(changes::expand(part, model.manifest.currency_digits)?.0))
}

fn write_accounting(model: &ReportModel, out: &mut dyn Write) -> Result<(), ReportError> {
    CsvWriter::new(out).with_batch_size(BATCH).finish(&mut model.accounting.frame().clone())?;
    Ok(())
}

/// Writes what `shape` makes of each slice of `frame`; the heading once, also when there is no row.
fn write_slices(
    frame: &DataFrame,
    out: &mut dyn Write,
    shape: impl Fn(&DataFrame) -> PolarsResult<DataFrame>,
) -> Result<(), ReportError> {
    let mut offset = 0;
    loop {
        let part = frame.slice(i64::try_from(offset).unwrap_or(i64::MAX), SLICE);
        CsvWriter::new(&mut *out).include_header(offset == 0).with_batch_size(BATCH).finish(&mut shape(&part)?)?;
        offset += SLICE;
        if offset >= frame.height() {
            return Ok(());
        }
    }
}
