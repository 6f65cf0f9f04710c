//! A look at every configured file: what a run would take it for, told from its beginning alone.
//!
//! The readers of a run judge that beginning, so that what they refuse is refused here in the same words; all files are looked
//! at, not only up to the first refusal.

use super::fault::{Origin, Reading};
use super::head::{Head, Rows, whole_objects};
use super::sheet::Opened;
use super::{
    Job, LoadError, Part, ReadFile, StripePart, Trials, Use, crm, csv_read, date_orders, items_have_subscriptions,
    keys_hold_what_they_name, named, overrides, parquet, read_raw, stripe, tether, text,
};
use crate::config::{Settings, TextEncoding};
use crate::model::{DateOrder, Dialect, InputFile};
use crate::table::StripeTables;

/// What is read of a file of some kind, so that somebody can say what a missing field costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Stripe customers, of the dashboard or a warehouse.
    Customers,
    /// Subscriptions of the Stripe dashboard, each with its price.
    PricedSubscriptions,
    /// A table of a warehouse.
    Table,
    /// Objects of Stripe's API.
    Objects,
    /// Contacts of a CRM.
    Contacts,
    /// Companies of a CRM.
    Companies,
    /// What Tether holds.
    Existing,
    /// What a person decided.
    Overrides,
}

/// What the headings of a file show.
pub(super) struct Shown {
    pub kind: FileKind,
    pub source: String,
    pub shape: String,
    /// Each field with the columns (from 0) that it is read from; none: the file has no such column.
    pub fields: Vec<(&'static str, Vec<usize>)>,
}

/// One file, as a run would take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The source of its rows, as reports name it.
    pub source: String,
    /// Its path, as reports show it.
    pub path: String,
    /// The pattern that it was found by.
    pub pattern: String,
    /// What is read of it.
    pub kind: FileKind,
    /// What its content was recognised as, in words.
    pub shape: String,
    /// Its encoding in words, where it is text; of a large file that of its beginning.
    pub encoding: Option<String>,
    /// How its rows are written, where it is CSV.
    pub dialect: Option<Dialect>,
    /// Bytes, as it lies there.
    pub bytes: u64,
    /// Its rows.
    pub rows: Rows,
    /// Rows that cannot be read; `None`: not all of it was read.
    pub rejected: Option<u64>,
    /// Every field that a run looks for, with the headings it is read from; objects of JSON have none.
    pub fields: Vec<(&'static str, Vec<String>)>,
    /// The headings that nothing is read from.
    pub unused: Vec<String>,
    /// What only a run will know.
    pub open: Option<String>,
}

/// A file or pattern that a run would refuse.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: LoadError,
    /// The pattern that the file was found by; `None`: the error says it.
    pub pattern: Option<String>,
}

/// What is known of all files.
#[derive(Debug, Default)]
pub struct Look {
    /// The files that a run would read, in its order.
    pub files: Vec<Looked>,
    /// What it would refuse.
    pub refused: Vec<Refused>,
}

/// Looks at every file that `settings` name, Parquet's footers through `trials`.
pub fn look(settings: &Settings, trials: &Trials) -> Look {
    let (jobs, refused) = named(settings);
    let mut look = Look { files: Vec::new(), refused };
    let (mut jobs_read, mut views) = (Vec::new(), Vec::new());
    for job in jobs {
        match View::of(&job, settings, trials) {
            Ok(view) => {
                jobs_read.push(job);
                views.push(view);
            }
            Err(error) => look.refused.push(Refused { error, pattern: Some(job.pattern) }),
        }
    }
    let read = |index: usize, settings: &Settings| views[index].read(&jobs_read[index], settings, trials);
    let mut results: Vec<ReadFile> = (0..views.len()).map(|index| read(index, settings)).collect();
    if let Err(error) = date_orders::agree(&jobs_read, &mut results, settings, &read) {
        look.refused.push(Refused { error, pattern: None });
    }
    let (mut sound, mut inputs) = (Vec::new(), Vec::new());
    for (index, ((job, view), mut result)) in jobs_read.iter().zip(&views).zip(results).enumerate() {
        let mut open = None;
        if !view.head.whole && matches!(result, Err(LoadError::UndecidedDates { contradicts: false, .. })) {
            let words = "its beginning does not tell the order of day and month: a run looks at all of it";
            open = Some(words.to_owned());
            result = read(index, &with_dates(settings, job));
        }
        match result {
            Ok((input, part)) => {
                look.files.push(view.looked(job, &input, &part, open));
                inputs.push(input);
                sound.push(job);
            }
            Err(error) => look.refused.push(Refused { error, pattern: Some(job.pattern.clone()) }),
        }
    }
    // Of files that are not all sound, what they lack together cannot be known.
    if look.refused.is_empty() {
        look.refused.extend(together(&sound, &inputs));
    }
    look
}

/// What a run would find wrong with the files together.
fn together(jobs: &[&Job], inputs: &[InputFile]) -> Option<Refused> {
    let mut rows = std::collections::BTreeMap::new();
    for input in inputs {
        *rows.entry(input.source.clone()).or_default() += input.rows;
    }
    let wrong = keys_hold_what_they_name(jobs, inputs).and_then(|()| {
        let whole_stripe = inputs.iter().all(|input| !input.shape.starts_with("Stripe API"));
        if whole_stripe { items_have_subscriptions(&rows, inputs) } else { Ok(()) }
    });
    wrong.err().map(|error| Refused { error, pattern: None })
}

/// The settings with some order of dates, so that the file's other values can be read.
fn with_dates(settings: &Settings, job: &Job) -> Settings {
    let mut settings = settings.clone();
    if let Use::Contacts(crm) | Use::Companies(crm) = job.purpose {
        settings.crms[crm].reading.dates = Some(DateOrder::Iso);
    }
    settings
}

/// What was read of a file, before its rows are.
struct View {
    head: Head,
    shown: Option<Shown>,
    headings: Vec<String>,
    /// Of a JSON text of which only whole objects are kept: the encoding of the file.
    encoding: Option<&'static str>,
    /// Rows that a Parquet footer declares.
    declared: Option<u64>,
}

impl View {
    fn of(job: &Job, settings: &Settings, trials: &Trials) -> Result<Self, LoadError> {
        let reading = Reading { limits: &settings.limits, trials };
        let origin = Origin { source: "", file: &job.shown, index: 0, reading };
        let mut head = Head::read(&job.path, &origin)?;
        if head.parquet {
            let footer = parquet::described(&head.raw.bytes, &origin)?;
            let opened = Opened::Parquet { bytes: &[], headings: footer.headings };
            let shown = show(job, &opened, &origin, settings)?;
            let headings = opened.headings().to_vec();
            return Ok(Self { head, shown: Some(shown), headings, encoding: None, declared: Some(footer.rows) });
        }
        if head.raw.bytes.iter().all(u8::is_ascii_whitespace) || text::refuse_binary(&head.raw.bytes).is_some() {
            // The reading refuses it in its own words.
            return Ok(Self { head, shown: None, headings: Vec::new(), encoding: None, declared: None });
        }
        let decoded = text::decode(&head.raw.bytes, encoding(job, settings));
        if decoded.is_json() {
            let encoding = Some(decoded.encoding);
            if !head.whole {
                let objects = [b"\xef\xbb\xbf", whole_objects(&decoded.text).as_bytes()].concat();
                head.raw.bytes = objects;
            }
            return Ok(Self { head, shown: None, headings: Vec::new(), encoding, declared: None });
        }
        let checked = csv_read::open(&decoded, &origin, &|headings| is_known(job, headings, settings))?;
        let opened = Opened::Csv(Box::new(checked));
        let shown = Some(show(job, &opened, &origin, settings)?);
        let headings = opened.headings().to_vec();
        Ok(Self { head, shown, headings, encoding: None, declared: None })
    }

    /// Has a run's reader read what there is of the file. Of Parquet that is no row: its headings were looked at before.
    fn read(&self, job: &Job, settings: &Settings, trials: &Trials) -> ReadFile {
        match (self.declared, &self.shown) {
            (Some(rows), Some(shown)) => Ok(self.footer(job, settings, rows, shown)),
            _ => read_raw(job, self.head.raw.clone(), 0, settings, trials),
        }
    }

    /// What a Parquet footer says, as its reader would say it.
    fn footer(&self, job: &Job, settings: &Settings, rows: u64, shown: &Shown) -> (InputFile, Part) {
        let source = match job.purpose {
            Use::Contacts(crm) => settings.crms[crm].name.clone(),
            Use::Companies(crm) => settings.crms[crm].companies_source(),
            Use::Existing(_) => super::EXISTING.to_owned(),
            Use::Stripe(_) | Use::Overrides => shown.source.clone(),
        };
        let input = InputFile {
            source,
            path: job.shown.clone(),
            sha256: String::new(),
            bytes: self.head.raw.length,
            rows,
            shape: shown.shape.clone(),
            encoding: None,
            dialect: None,
            modified: None,
        };
        (input, Part::Stripe(Box::new(StripePart::of(StripeTables::empty()))))
    }

    fn looked(&self, job: &Job, input: &InputFile, part: &Part, open: Option<String>) -> Looked {
        let rejected = match part {
            Part::Stripe(part) => part.rejections.len(),
            Part::Table(part) => part.rejections.len(),
        };
        let fields: Vec<(&'static str, Vec<usize>)> =
            self.shown.as_ref().map(|shown| shown.fields.clone()).unwrap_or_default();
        let read = |column: usize| fields.iter().any(|(_, columns)| columns.contains(&column));
        let unused = self.headings.iter().enumerate().filter(|(column, heading)| !read(*column) && !heading.is_empty());
        let unused = unused.map(|(_, heading)| heading.clone()).collect();
        let heading = |columns: Vec<usize>| columns.iter().map(|column| self.headings[*column].clone()).collect();
        Looked {
            source: input.source.clone(),
            path: job.shown.clone(),
            pattern: job.pattern.clone(),
            kind: self.shown.as_ref().map_or_else(|| of_objects(job), |shown| shown.kind),
            shape: input.shape.clone(),
            encoding: self.encoding.map(str::to_owned).or_else(|| input.encoding.clone()),
            dialect: input.dialect.clone(),
            bytes: self.head.raw.length,
            rows: self.declared.map_or_else(|| self.head.rows(input.rows), Rows::Exactly),
            rejected: self.head.whole.then_some(rejected as u64),
            fields: fields.into_iter().map(|(field, columns)| (field, heading(columns))).collect(),
            unused,
            open,
        }
    }
}

/// The kind of a file of JSON.
fn of_objects(job: &Job) -> FileKind {
    if matches!(job.purpose, Use::Existing(_)) { FileKind::Existing } else { FileKind::Objects }
}

/// The encoding that the settings state for a file.
fn encoding(job: &Job, settings: &Settings) -> Option<TextEncoding> {
    match job.purpose {
        Use::Stripe(_) => settings.stripe.encoding,
        Use::Contacts(crm) | Use::Companies(crm) => settings.crms[crm].reading.encoding,
        Use::Overrides => None,
        Use::Existing(product) => settings.products.get(product).and_then(|product| product.existing_encoding),
    }
}

fn is_known(job: &Job, headings: &[String], settings: &Settings) -> bool {
    match job.purpose {
        Use::Stripe(_) => stripe::is_known(headings),
        Use::Contacts(crm) => crm::is_known(headings, &settings.crms[crm], crm::Expected::Contacts(0)),
        Use::Companies(crm) => crm::is_known(headings, &settings.crms[crm], crm::Expected::Companies),
        Use::Overrides => overrides::is_known(headings),
        Use::Existing(_) => tether::is_known(headings),
    }
}

fn show(job: &Job, opened: &Opened<'_>, origin: &Origin<'_>, settings: &Settings) -> Result<Shown, LoadError> {
    match job.purpose {
        Use::Stripe(expected) => stripe::show(opened, origin, settings, expected, &job.key),
        Use::Contacts(crm) => crm::show(
            opened,
            origin,
            &settings.crms[crm],
            crm::Expected::Contacts(0),
            &settings.headings_of_filters(crm),
        ),
        Use::Companies(crm) => crm::show(opened, origin, &settings.crms[crm], crm::Expected::Companies, &[]),
        Use::Overrides => overrides::show(opened, origin),
        Use::Existing(_) => tether::show(opened, origin),
    }
}
