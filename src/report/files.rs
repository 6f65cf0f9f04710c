//! The report's folder: every file is made beside its place, made durable, and only then all of them appear.

use super::ReportError;
use super::format::{RENDERINGS, Rendering, ReportFormat};
use super::model::ReportModel;
use super::verdict::Ending;
use crate::runs::{Fingerprint, Hashing, Watched, private_dir};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::NamedTempFile;

/// How many customers are turned into text at a time: text is larger than columns, and a million of them would double
/// the memory.
pub(super) const SLICE: usize = 100_000;

/// What was written: each file's name and content in short.
pub type Written = Vec<(&'static str, Fingerprint)>;

/// Writes every file of the report into `folder`, which is made if it is not there. Files appear whole or not at all,
/// and none before all could be written.
pub fn write_report(folder: &Path, model: &ReportModel, ending: Ending) -> Result<Written, ReportError> {
    write_formats(folder, model, ending, ReportFormat::ALL, &|_, _| true)
}

/// As [`write_report`], but only the files of these formats, and none where `accepts` refuses the content of one.
pub fn write_formats(
    folder: &Path,
    model: &ReportModel,
    ending: Ending,
    formats: &[ReportFormat],
    accepts: &dyn Fn(&str, &Fingerprint) -> bool,
) -> Result<Written, ReportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Write { path, source }
    };
    // Only the folder itself: where the run's folder has gone, a report would stand for what nobody can prove.
    match private_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(folder)(error)),
        _ => {}
    }
    let make = |rendering: &Rendering| {
        let path = folder.join(rendering.file);
        // Created with mode 0600, and so it stays: what is for others to read is copied for them.
        let mut file = NamedTempFile::new_in(folder).map_err(failed(&path))?;
        let hashing = Hashing::new(Watched::new(file.as_file_mut()));
        let mut out = BufWriter::with_capacity(1 << 20, hashing);
        let rendered = (rendering.write)(model, ending, &mut out).and_then(|()| out.flush().map_err(failed(&path)));
        // What was not written by now never will be: the file is given up.
        let (watched, fingerprint) = out.into_parts().0.finish();
        watched.verdict(Ok(())).map_err(failed(&path))?;
        rendered?;
        file.as_file().sync_all().map_err(failed(&path))?;
        Ok((path, file, (rendering.file, fingerprint)))
    };
    let wanted: Vec<&Rendering> = RENDERINGS.iter().filter(|one| formats.contains(&one.format)).collect();
    let files: Vec<Result<_, ReportError>> = two_at_a_time(&wanted, |rendering| make(rendering));
    let files = files.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let Some((path, ..)) = files.iter().find(|(_, _, (name, fingerprint))| !accepts(name, fingerprint)) {
        return Err(ReportError::NotAccepted { path: path.clone() });
    }
    let mut written = Vec::with_capacity(files.len());
    for (path, file, fingerprint) in files {
        file.persist(&path).map_err(|error| ReportError::Write { path, source: error.error })?;
        written.push(fingerprint);
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))?;
    Ok(written)
}

/// What `work` makes of each of `items`, in their order. Turning a million rows into text keeps one core busy, and two do
/// not yet fill the memory.
pub(super) fn two_at_a_time<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let other = scope.spawn(take);
        let mut done = take();
        done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
