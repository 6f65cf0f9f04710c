//! A survey: what the files of a folder are, before any configuration names them.
//!
//! In: a folder. Out: for each file what the readers of a run would take it for, and what its beginning shows of currencies,
//! ids and dates; or why it is nothing that is read. Never: a rule of its own for what a file is. Each room's headings are asked,
//! and where several know a file, the one that knows most of its headings has it.

mod facts;
mod objects;
mod table;
mod walk;

pub use facts::{Facts, FreeColumn};
pub use walk::Walked;

use super::fault::{Origin, Reading};
use super::head::Head;
use super::sheet::Opened;
pub(super) use table::Claim;

use super::{LoadError, Rows, Trials, crm, csv_read, parquet, text};
use crate::config::{CrmPreset, Limits};
use std::path::{Path, PathBuf};

/// What a file is to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Stripe customers.
    Customers,
    /// Stripe subscriptions.
    Subscriptions,
    /// Another table of Stripe's, or objects of several kinds.
    Stripe,
    /// Contacts of a CRM; of `Custom` nothing but that they have addresses is known.
    Contacts(CrmPreset),
    /// Companies of a CRM.
    Companies(CrmPreset),
    /// What Tether holds.
    Existing,
    /// What a person decided.
    Overrides,
}

/// One file that a run could read.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
    /// The same in words: `Stripe dashboard customers (CSV)`.
    pub shape: String,
    /// What it might as well be.
    pub or: Vec<CrmPreset>,
    /// Bytes, as it lies there.
    pub bytes: u64,
    /// Its rows.
    pub rows: Rows,
    /// What its beginning shows.
    pub facts: Facts,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Survey {
    /// The files that a run could read, by path.
    pub files: Vec<Surveyed>,
    /// The other files, by path, each with the reason.
    pub others: Vec<(PathBuf, String)>,
    /// There is more below the folder than was looked at.
    pub cut_short: bool,
}

/// Looks at every file below `folder`, Parquet's footers through `trials`. What is hidden, and a state folder, is passed over.
///
/// # Errors
/// The folder itself cannot be read.
pub fn survey(folder: &Path, trials: &Trials) -> std::io::Result<Survey> {
    let Walked { files, cut_short } = walk::files(folder)?;
    let mut survey = Survey { cut_short, ..Survey::default() };
    for path in files {
        match recognise(&path, trials) {
            Ok(file) => survey.files.push(file),
            Err(why) => survey.others.push((path, why)),
        }
    }
    Ok(survey)
}

/// What a file is, or why it is nothing that is read.
fn recognise(path: &Path, trials: &Trials) -> Result<Surveyed, String> {
    let limits = Limits::default();
    // Its path stands before what is said.
    let origin = Origin { source: "", file: "it", index: 0, reading: Reading { limits: &limits, trials } };
    let shown = path.to_str().ok_or("its path is not UTF-8")?;
    if glob::Pattern::new(&glob::Pattern::escape(shown)).is_err() {
        return Err("its path cannot be written as a pattern".to_owned());
    }
    let head = Head::read(path, &origin).map_err(said)?;
    let found = |found: Found, rows: Rows| Surveyed {
        path: path.to_owned(),
        what: found.what,
        shape: found.shape,
        or: found.or,
        bytes: head.raw.length,
        rows,
        facts: found.facts,
    };
    if head.parquet {
        let footer = parquet::described(&head.raw.bytes, &origin).map_err(said)?;
        let rows = Rows::Exactly(footer.rows);
        let opened = Opened::Parquet { bytes: &[], headings: footer.headings };
        return table::recognise(&opened, &[]).map(|table| found(table, rows));
    }
    let bytes = &head.raw.bytes;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    if let Some(advice) = text::refuse_binary(bytes) {
        return Err(advice.to_owned());
    }
    if bytes.contains(&0) && super::wide::mark(bytes).is_none() && super::wide::recognised(bytes).is_none() {
        return Err("it is no text".to_owned());
    }
    let decoded = text::decode(bytes, None);
    if decoded.is_json() {
        let (objects, rows) = objects::recognise(&decoded.text, head.whole, &origin)?;
        return Ok(found(objects, head.rows(rows)));
    }
    let checked = csv_read::open(&decoded, &origin, &table::is_known).map_err(said)?;
    let rows = head.rows(checked.rows());
    let sample = facts::sample(&checked);
    let mut table = table::recognise(&Opened::Csv(Box::new(checked)), &sample)?;
    if let What::Contacts(preset) = table.what {
        table.facts.undecided_dates = crm::undecided(bytes.clone(), preset, &origin);
    }
    Ok(found(table, rows))
}

/// What a file was found to be.
struct Found {
    what: What,
    shape: String,
    or: Vec<CrmPreset>,
    facts: Facts,
}

/// A refusal of a file whose path stands before it.
fn said(error: LoadError) -> String {
    match error {
        LoadError::Broken { detail, .. } | LoadError::Unrecognised { detail, .. } => detail,
        other => other.to_string(),
    }
}
