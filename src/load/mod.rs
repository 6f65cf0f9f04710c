//! Loading: a file → canonical table, rejected rows, fingerprint.
//!
//! In: the settings' file patterns. Out: [`Loaded`], in which every row of every file is either a row of a table or a
//! [`Rejection`] with its line. Never: rules of billing or linking, the network, a change to any file, a number that went
//! through a float.
//!
//! Each file is read once, whole, on one of two threads. What its rows become never depends on which thread was faster:
//! parts are put together in the order of sources, then of paths, then of rows.

mod amount;
mod assemble;
mod calendar;
mod columns;
mod crm;
mod csv_body;
mod csv_check;
mod csv_heading;
mod csv_pass;
mod csv_read;
mod csv_record;
mod date_orders;
mod error;
mod fault;
mod fingerprint;
mod gzip;
mod head;
mod headings;
mod json_strings;
mod look;
mod overrides;
mod parquet;
mod settle;
mod sheet;
mod stripe;
mod survey;
mod tether;
mod text;
mod wide;

#[cfg(test)]
mod tests;

pub use error::LoadError;
pub use fingerprint::{sha256, unchanged};
pub use head::Rows;
pub use look::{FileKind, Look, Looked, Refused, look};
pub use parquet::{TRIAL_ARGUMENT, Trials, answer_trial};
pub use settle::SettledRows;
pub use stripe::StripePart;
pub use survey::{Facts, FreeColumn, Survey, Surveyed, What, survey};
pub use tether::existing_file;

use crate::config::Settings;
use crate::model::{
    Break, BreakKind, DateOrder, Dialect, InputFile, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS,
};
use crate::monitor::{Event, Monitor};
use crate::table::{Contacts, Existing, Overrides, StripeTables};
use assemble::ordered;
use fault::{Origin, Reading};
use fingerprint::RawFile;
use polars::prelude::DataFrame;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use stripe::Expected;
use stripe::related::Related;

/// The source of existing customers, as reports name it.
const EXISTING: &str = "existing";

const STAGE: &str = "reading exports";

/// Everything that the configured files hold.
#[derive(Debug)]
pub struct Loaded {
    /// The files, in the order of sources and paths; the tables' column `file` counts in here.
    pub files: Vec<InputFile>,
    /// Rows read per source, rejected ones included, as the readers counted them.
    pub rows: BTreeMap<String, u64>,
    /// Stripe's rows.
    pub stripe: StripeTables,
    /// Where the rows of Stripe's other tables (items, prices, coupons …) and of a CRM's companies went: they became part
    /// of the rows of `stripe` and `contacts`, or end where they stand. By source, file and line.
    pub settled: SettledRows,
    /// Contacts of all CRMs.
    pub contacts: Contacts,
    /// What a person decided about accounts and contacts.
    pub overrides: Overrides,
    /// What Tether holds, one entry per product in the order of the settings; `None`: no export is configured for it.
    pub existing: Vec<Option<Existing>>,
    /// The rows that could not be read, by file and line.
    pub rejections: Vec<Rejection>,
    /// What a reviewer must see; each rejection has its break.
    pub breaks: Vec<Break>,
}

/// A file's rows in one canonical table.
struct TablePart {
    frame: DataFrame,
    rejections: Vec<Rejection>,
    breaks: Vec<Break>,
    rows: u64,
    shape: String,
    /// Rows that are done with; `None`: the table has none such.
    settled: Option<SettledRows>,
    /// How its text was written, where it has such.
    dialect: Option<Box<Dialect>>,
    /// The order of day and month that its values prove.
    dates: Option<DateOrder>,
}

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Stripe(Expected),
    /// Index of the CRM.
    Contacts(usize),
    /// Index of the CRM.
    Companies(usize),
    /// Decisions about accounts and contacts.
    Overrides,
    /// Index of the product.
    Existing(usize),
}

/// One file to read.
struct Job {
    path: PathBuf,
    /// The same file by its one true path.
    real: PathBuf,
    shown: String,
    purpose: Use,
    key: String,
    /// The pattern that it was found by.
    pattern: String,
    /// Bytes, to share out the work.
    size: u64,
}

/// What came of a job.
enum Part {
    Stripe(Box<StripePart>),
    Table(TablePart),
}

type ReadFile = Result<(InputFile, Part), LoadError>;

/// Reads every file that `settings` name, Parquet only after `trials`. Bad rows become [`Rejection`]s; the result does not depend on the clock or on
/// which file was read first.
///
/// # Errors
/// The first file, in the order of sources and paths, that as a whole cannot be read or is not what its key expects.
pub fn load(settings: &Settings, trials: &Trials, monitor: &dyn Monitor) -> Result<Loaded, LoadError> {
    let jobs = jobs(settings)?;
    monitor.event(Event::StageStarted { stage: STAGE, total: Some(jobs.len() as u64) });
    let mut results = read_all(&jobs, settings, trials, monitor);
    date_orders::agree(&jobs, &mut results, settings, &|index, settings| {
        read_one(&jobs[index], u32::try_from(index).unwrap_or(u32::MAX), settings, trials)
    })?;
    let parts = results.into_iter().collect::<Result<_, _>>()?;
    let loaded = put_together(&jobs, parts, settings)?;
    let rows: u64 = loaded.files.iter().map(|file| file.rows).sum();
    let result = format!("{rows} rows in {} files, {} rejected", loaded.files.len(), loaded.rejections.len());
    monitor.event(Event::StageFinished { stage: STAGE, result });
    Ok(loaded)
}

/// The files to read, in order.
fn jobs(settings: &Settings) -> Result<Vec<Job>, LoadError> {
    let (jobs, refused) = named(settings);
    refused.into_iter().next().map_or(Ok(jobs), |refused| Err(refused.error))
}

/// The files that the settings name, in order, and the patterns that mean none; a file that several patterns of one source mean
/// stands there once.
fn named(settings: &Settings) -> (Vec<Job>, Vec<Refused>) {
    let mut jobs: Vec<Job> = Vec::new();
    let mut refused = Vec::new();
    let mut add = |purpose: Use, key: &str, patterns: &[String]| {
        for pattern in patterns {
            let placed = settings.place_of(pattern).map_or_else(|| key.to_owned(), |place| format!("{place}: {key}"));
            let paths = fingerprint::expand(pattern, &placed).unwrap_or_else(|error| {
                refused.push(Refused { error, pattern: None });
                Vec::new()
            });
            for path in paths {
                // Two spellings of one path, or a link, are still one file.
                let real = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
                let same_source = |job: &&mut Job| match (job.purpose, purpose) {
                    (Use::Stripe(_), Use::Stripe(_)) => true,
                    (left, right) => left == right,
                };
                if let Some(job) = jobs.iter_mut().filter(same_source).find(|job| job.real == real) {
                    // Named for both: whatever it turns out to hold is welcome.
                    if job.purpose != purpose {
                        job.purpose = Use::Stripe(Expected::Anything);
                    }
                    continue;
                }
                let shown = fingerprint::shown(&path, &settings.base);
                let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
                jobs.push(Job { path, real, shown, purpose, key: key.to_owned(), pattern: pattern.clone(), size });
            }
        }
    };
    add(Use::Stripe(Expected::Anything), "[stripe] files", &settings.stripe.files);
    add(Use::Stripe(Expected::Customers), "[stripe] customers", &settings.stripe.customers);
    add(Use::Stripe(Expected::Subscriptions), "[stripe] subscriptions", &settings.stripe.subscriptions);
    for (index, crm) in settings.crms.iter().enumerate() {
        add(Use::Contacts(index), &format!("contacts of the CRM `{}`", crm.name), &crm.contacts);
        add(Use::Companies(index), &format!("companies of the CRM `{}`", crm.name), &crm.companies);
    }
    add(Use::Overrides, "[identity] overrides", &settings.identity.overrides);
    for (index, product) in settings.products.iter().enumerate() {
        add(Use::Existing(index), &format!("existing customers of the product `{}`", product.name), &product.existing);
    }
    let place = |job: &Job| match job.purpose {
        Use::Stripe(_) => (0, 0),
        Use::Contacts(index) => (1, index),
        Use::Companies(index) => (2, index),
        Use::Overrides => (3, 0),
        Use::Existing(index) => (4, index),
    };
    jobs.sort_by(|left, right| (place(left), &left.path).cmp(&(place(right), &right.path)));
    (jobs, refused)
}

/// Reads the files on two threads; results in the order of `jobs`. One thread begins with the largest file, the other
/// with the smallest, so that the two largest are never in memory at once unless they are the last.
fn read_all(jobs: &[Job], settings: &Settings, trials: &Trials, monitor: &dyn Monitor) -> Vec<ReadFile> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(jobs[index].size));
    let waiting = Mutex::new(VecDeque::from(order));
    let done = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<ReadFile>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let work = |take: fn(&mut VecDeque<usize>) -> Option<usize>| {
        while let Some(index) = waiting.lock().ok().and_then(|mut waiting| take(&mut waiting)) {
            let result = read_one(&jobs[index], u32::try_from(index).unwrap_or(u32::MAX), settings, trials);
            if let Ok(mut slot) = results[index].lock() {
                *slot = Some(result);
            }
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            monitor.event(Event::StageProgress { stage: STAGE, done: done as u64 });
        }
    };
    // A panic on either thread is raised again here, when the scope ends.
    std::thread::scope(|scope| {
        scope.spawn(|| work(VecDeque::pop_back));
        work(VecDeque::pop_front);
    });
    let lost = |job: &Job| LoadError::internal(&job.shown, "its reader ended without a result");
    jobs.iter()
        .zip(results)
        .map(|(job, slot)| slot.into_inner().ok().flatten().unwrap_or_else(|| Err(lost(job))))
        .collect()
}

fn read_one(job: &Job, index: u32, settings: &Settings, trials: &Trials) -> ReadFile {
    let raw = fingerprint::read(&job.path, &job.shown, settings.limits.file_bytes)?;
    read_raw(job, raw, index, settings, trials)
}

/// What `raw`, which was read of the job's file, holds.
fn read_raw(job: &Job, raw: RawFile, index: u32, settings: &Settings, trials: &Trials) -> ReadFile {
    let reading = Reading { limits: &settings.limits, trials };
    let file = job.shown.clone();
    if raw.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(LoadError::Empty { file });
    }
    if let Some(advice) = text::refuse_binary(&raw.bytes) {
        return Err(LoadError::Broken { file, detail: advice.to_owned() });
    }
    let origin = |source| Origin { source, file: &job.shown, index, reading };
    let (source, part, encoding) = match job.purpose {
        Use::Stripe(expected) => {
            let (part, encoding) = stripe::read(raw.bytes, &origin(""), settings, expected, &job.key)?;
            (part.source(expected == Expected::Subscriptions).to_owned(), Part::Stripe(Box::new(part)), encoding)
        }
        Use::Contacts(crm) => {
            let known = &settings.crms[crm];
            let expected = crm::Expected::Contacts(u32::try_from(crm).unwrap_or(u32::MAX));
            let named = settings.headings_of_filters(crm);
            let (part, encoding) = crm::read(raw.bytes, &origin(&known.name), known, expected, &named)?;
            (known.name.clone(), Part::Table(part), encoding)
        }
        Use::Companies(crm) => {
            let known = &settings.crms[crm];
            let source = known.companies_source();
            let (part, encoding) = crm::read(raw.bytes, &origin(&source), known, crm::Expected::Companies, &[])?;
            (source, Part::Table(part), encoding)
        }
        Use::Overrides => {
            let (part, encoding) = overrides::read(&raw.bytes, &origin(overrides::SOURCE), settings)?;
            (overrides::SOURCE.to_owned(), Part::Table(part), Some(encoding))
        }
        Use::Existing(product) => {
            let stated = settings.products.get(product).and_then(|product| product.existing_encoding);
            let digits = settings.digits();
            let (part, encoding) = tether::read(raw.bytes, &origin(EXISTING), digits, raw.modified, stated)?;
            (EXISTING.to_owned(), Part::Table(part), encoding)
        }
    };
    let (rows, mut shape, dialect) = match &part {
        Part::Stripe(part) => (part.rows(), part.shape.clone(), part.dialect.clone()),
        Part::Table(part) => (part.rows, part.shape.clone(), part.dialect.as_deref().cloned()),
    };
    if rows > u64::from(settings.limits.rows) {
        let limit = u64::from(settings.limits.rows);
        return Err(LoadError::TooMuch { file: job.shown.clone(), what: "rows", limit, key: "rows" });
    }
    if raw.gzip {
        shape.push_str(", gzip");
    }
    let file = InputFile {
        source,
        path: job.shown.clone(),
        sha256: raw.sha256,
        bytes: raw.length,
        rows,
        shape,
        encoding: encoding.map(str::to_owned),
        dialect,
        modified: raw.modified,
    };
    Ok((file, part))
}

fn put_together(jobs: &[Job], mut parts: Vec<(InputFile, Part)>, settings: &Settings) -> Result<Loaded, LoadError> {
    let internal = |error: error::TableError| LoadError::internal("the tables of all files", error);
    let mut breaks = stripe::pages::breaks(&stripe_parts(&parts));
    let found = expanded(&mut parts).map_err(internal)?;
    let mut files = Vec::with_capacity(parts.len());
    let mut stripe = Vec::new();
    let mut contacts = Vec::new();
    let mut companies: Vec<Vec<DataFrame>> = vec![Vec::new(); settings.crms.len()];
    let mut settled = Vec::new();
    let mut decisions = Vec::new();
    let mut existing: Vec<Option<Vec<DataFrame>>> =
        settings.products.iter().map(|product| (!product.existing.is_empty()).then(Vec::new)).collect();
    let mut rejections = Vec::new();
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    for (job, (file, part)) in jobs.iter().zip(parts) {
        let counted = match &part {
            Part::Stripe(part) => {
                let mut counted =
                    vec![(STRIPE_CUSTOMERS, part.customer_rows), (STRIPE_SUBSCRIPTIONS, part.subscription_rows)];
                counted.extend(part.other_rows.iter().map(|(source, rows)| (*source, *rows)));
                counted
            }
            Part::Table(part) => vec![(file.source.as_str(), part.rows)],
        };
        for (source, count) in counted {
            *rows.entry(source.to_owned()).or_default() += count;
        }
        files.push(file);
        let (mut rejected, seen) = match part {
            Part::Stripe(part) => {
                stripe.push((part.tables, part.related));
                (part.rejections, part.breaks)
            }
            Part::Table(part) => {
                settled.extend(part.settled);
                match job.purpose {
                    Use::Existing(product) => {
                        if let Some(Some(frames)) = existing.get_mut(product) {
                            frames.push(part.frame);
                        }
                    }
                    Use::Companies(crm) => companies[crm].push(part.frame),
                    Use::Overrides => decisions.push(part.frame),
                    Use::Contacts(_) | Use::Stripe(_) => contacts.push(part.frame),
                }
                (part.rejections, part.breaks)
            }
        };
        rejected.sort_by_key(|rejection| rejection.line);
        breaks.extend(seen);
        breaks.extend(rejected.iter().map(rejected_row));
        rejections.extend(rejected);
    }
    items_have_subscriptions(&rows, &files)?;
    keys_hold_what_they_name(&jobs.iter().collect::<Vec<_>>(), &files)?;
    breaks.extend(empty_sources(&rows, &files));
    stripe.extend(found.map(|found| (found, Related::empty())));
    let (tables, related) = assemble::stripe(stripe).map_err(internal)?;
    let digits = &settings.mrr.currency_digits;
    let mut joined = stripe::relate::relate(tables, related, &files, digits).map_err(internal)?;
    if let Some(subscriptions) = assemble::with_content(&joined.tables).map_err(internal)? {
        joined.tables.subscriptions = subscriptions;
    }
    breaks.extend(joined.breaks);
    let (contacts, others, found) = crm::join(contacts, companies, settled, &files, settings).map_err(internal)?;
    breaks.extend(found);
    let settled = [joined.settled, others].into_iter().map(SettledRows::into_frame).collect();
    let settled =
        assemble::stacked(settled, SettledRows::empty().into_frame()).map_err(|error| internal(error.into()))?;
    let decided = assemble::overrides(decisions).map_err(internal)?;
    overrides::agree(&decided, &files)?;
    Ok(Loaded {
        files,
        rows,
        stripe: joined.tables,
        settled: SettledRows::new(settled).map_err(|error| internal(error.into()))?,
        contacts,
        overrides: decided,
        existing: existing
            .into_iter()
            .map(|frames| frames.map(assemble::existing).transpose())
            .collect::<Result<_, _>>()
            .map_err(internal)?,
        rejections,
        breaks,
    })
}

/// Refuses items of subscriptions where no file holds a subscription: every MRR would be 0.
fn items_have_subscriptions(rows: &BTreeMap<String, u64>, files: &[InputFile]) -> Result<(), LoadError> {
    let count = |source: &str| rows.get(source).copied().unwrap_or_default();
    if count(STRIPE_SUBSCRIPTIONS) == 0 && count(stripe::relate::ITEMS) > 0 {
        let first = files.iter().find(|file| file.source == stripe::relate::ITEMS);
        let file = first.map_or_else(|| stripe::relate::ITEMS.to_owned(), |file| file.path.clone());
        return Err(LoadError::NoSubscriptions { file, items: count(stripe::relate::ITEMS) });
    }
    Ok(())
}

/// Refuses a configuration whose `customers` or `subscriptions` are only other tables: with a damaged heading, a file of
/// subscriptions may look like one, and every MRR would be 0.
fn keys_hold_what_they_name(jobs: &[&Job], files: &[InputFile]) -> Result<(), LoadError> {
    for (expected, source) in [(Expected::Customers, STRIPE_CUSTOMERS), (Expected::Subscriptions, STRIPE_SUBSCRIPTIONS)]
    {
        let stands = |file: &InputFile| file.source == source;
        let named = jobs.iter().zip(files).find(|(job, _)| job.purpose == Use::Stripe(expected));
        if let Some((job, file)) = named.filter(|_| !files.iter().any(stands)) {
            return Err(stripe::wrong(expected, &file.path, &job.key, file.shape.clone()));
        }
    }
    Ok(())
}

/// One break per source of which every file is without a row, but for Tether's own: that one may begin with nobody.
fn empty_sources<'f>(rows: &'f BTreeMap<String, u64>, files: &'f [InputFile]) -> impl Iterator<Item = Break> + 'f {
    rows.iter().filter(|(source, count)| **count == 0 && ![EXISTING, overrides::SOURCE].contains(&source.as_str())).filter_map(
        |(source, _)| {
            let file = files.iter().find(|file| file.source == *source)?;
            let detail = "no row in any of its files: what they should hold counts as missing; export again, or take the \
                          source out of the configuration";
            Some(Break::new(BreakKind::EmptyExport, source, &file.path, detail).at(&file.path, 1))
        },
    )
}

/// The parts that are Stripe's, with their files' paths.
fn stripe_parts(parts: &[(InputFile, Part)]) -> impl Iterator<Item = (&str, &StripePart)> + Clone {
    parts.iter().filter_map(|(file, part)| match part {
        Part::Stripe(part) => Some((file.path.as_str(), &**part)),
        Part::Table(_) => None,
    })
}

/// The customers that only stand inside subscriptions; from now on they are rows of their files.
fn expanded(parts: &mut [(InputFile, Part)]) -> Result<Option<StripeTables>, error::TableError> {
    let mut inside = Vec::new();
    for (_, part) in parts.iter_mut() {
        if let Part::Stripe(part) = part {
            inside.extend(part.expanded.take());
        }
    }
    let rejections: Vec<Rejection> =
        stripe_parts(parts).flat_map(|(_, part)| part.rejections.iter().cloned()).collect();
    let accounts = stripe_parts(parts).map(|(_, part)| &part.tables.accounts);
    let Some(found) = stripe::expanded::missing(inside, accounts, &rejections)? else { return Ok(None) };
    for index in found.accounts.frame().column("file")?.u32()?.iter().flatten() {
        if let Some((file, Part::Stripe(part))) = parts.get_mut(index as usize) {
            part.customer_rows += 1;
            file.rows += 1;
        }
    }
    Ok(Some(found))
}

/// The break that shows a rejected row to a reviewer.
fn rejected_row(rejection: &Rejection) -> Break {
    let key = rejection.id.as_deref().or(rejection.customer.as_deref()).unwrap_or_default();
    let detail = format!("{}: {}", rejection.reason, rejection.detail);
    Break::new(BreakKind::RejectedRow, &rejection.source, key, detail).at(&rejection.file, rejection.line)
}
