//! Overrides files: what a person decided about accounts and contacts, one decision a row.
//!
//! A decision that cannot be read, or that another one contradicts, refuses the run: skipped in silence, it would let the
//! rules link what a person forbade.

use super::csv_read;
use super::error::TableError;
use super::fault::{Origin, quoted};
use super::headings::find;
use super::look::{FileKind, Shown};
use super::sheet::{FieldHeadings, Opened, Sheet};
use super::{LoadError, TablePart, headings, ordered, text};
use crate::config::Settings;
use crate::config::schema::nearest;
use crate::model::{InputFile, OverrideDecision};
use crate::table::Overrides;
use polars::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The source's name.
pub(super) const SOURCE: &str = "overrides";

const FIELDS: &[FieldHeadings] =
    &[("decision", &["decision"]), ("account", &["account"]), ("with", &["with"]), ("note", &["note"])];

/// How the id of a billing account begins.
const ACCOUNT: &str = "cus_";

/// Reads one overrides file. Also gives the text's encoding in words.
pub(super) fn read(
    bytes: &[u8],
    origin: &Origin<'_>,
    settings: &Settings,
) -> Result<(TablePart, &'static str), LoadError> {
    if bytes.starts_with(super::parquet::MAGIC) {
        return Err(no_parquet(origin));
    }
    let decoded = text::decode(bytes, None);
    let checked = csv_read::open(&decoded, origin, &is_known)?;
    needed(&checked.headings, checked.heading_line, origin)?;
    let cut_off = checked.faults.last().filter(|_| checked.truncated).map(|fault| fault.line);
    let sheet = Sheet::read(Opened::Csv(Box::new(checked)), FIELDS, &[], ("account", "account"), origin)?;
    let refuse = |line: u64, detail: String| LoadError::Override { file: origin.file.to_owned(), line, detail };
    if let Some(first) = sheet.rejections.first() {
        let advice = match cut_off {
            Some(line) if line == first.line => "the file breaks off there, save it again",
            _ => "correct the row",
        };
        return Err(refuse(first.line, format!("{}: {}; {advice}", first.reason, first.detail)));
    }
    let rows = sheet.rows;
    let dialect = sheet.dialect.clone().map(Box::new);
    let internal = |error: TableError| LoadError::internal(origin.file, error);
    let rows_read = decisions(&sheet, settings, &refuse)?;
    let frame = table(&sheet, &rows_read).map_err(internal)?;
    let part = TablePart {
        dates: None,
        frame,
        rejections: vec![],
        breaks: vec![],
        rows,
        shape: "overrides (CSV)".to_owned(),
        settled: None,
        dialect,
    };
    Ok((part, decoded.encoding))
}

/// Whether a line of headings is one of decisions.
pub(super) fn is_known(headings: &[String]) -> bool {
    find(headings, &["decision"]).is_some()
}

/// Whether a line of headings is one of decisions, and of nothing else.
pub(super) fn is_complete(headings: &[String]) -> bool {
    FIELDS.iter().filter(|(field, _)| *field != "note").all(|(_, names)| find(headings, names).is_some())
}

/// Refuses a file without one of its columns.
fn needed(known: &[String], line: u64, origin: &Origin<'_>) -> Result<(), LoadError> {
    for (field, names) in FIELDS.iter().filter(|(field, _)| *field != "note") {
        if find(known, names).is_none() {
            let advice = "an overrides file has the columns decision, account, with and note";
            return Err(headings::missing(known, line, origin.file, field, field, advice));
        }
    }
    Ok(())
}

/// What the headings of a file show, and where each field stands.
pub(super) fn show(opened: &Opened<'_>, origin: &Origin<'_>) -> Result<Shown, LoadError> {
    if let Opened::Parquet { .. } = opened {
        return Err(no_parquet(origin));
    }
    needed(opened.headings(), opened.heading_line(), origin)?;
    let fields = FIELDS.iter().map(|(field, names)| (*field, find(opened.headings(), names).into_iter().collect()));
    let shape = "overrides (CSV)".to_owned();
    Ok(Shown { kind: FileKind::Overrides, source: SOURCE.to_owned(), shape, fields: fields.collect() })
}

fn no_parquet(origin: &Origin<'_>) -> LoadError {
    let detail = "it is Parquet; overrides are read from CSV, save them so".to_owned();
    LoadError::Unrecognised { file: origin.file.to_owned(), detail }
}

/// One row's decision, account, CRM, other id and how that one is written.
type Decided<'s> = (OverrideDecision, &'s str, Option<u32>, Cow<'s, str>, &'s str);

/// Row by row: few, written by hand, and the first that cannot be read is named.
fn decisions<'s>(
    sheet: &'s Sheet,
    settings: &Settings,
    refuse: &dyn Fn(u64, String) -> LoadError,
) -> Result<Vec<Decided<'s>>, LoadError> {
    let lines = sheet.frame.column("line").and_then(Column::u32).map_err(|error| refuse(0, error.to_string()))?;
    let column =
        |name: &str| sheet.frame.column(name).and_then(Column::str).map_err(|error| refuse(0, error.to_string()));
    let (decision, account, with) = (column("decision")?, column("account")?, column("with")?);
    (0..sheet.height())
        .map(|row| {
            let refuse = |detail: String| refuse(lines.get(row).unwrap_or_default().into(), detail);
            let cell = |name: &str, column: &'s StringChunked| {
                column.get(row).ok_or_else(|| refuse(format!("{name} is blank; fill it in, or remove the row")))
            };
            let word = cell("decision", decision)?;
            let decision: OverrideDecision = word.to_lowercase().parse().map_err(|_| {
                refuse(format!("decision: {} is neither `link` nor `never`; write one of them", quoted(word)))
            })?;
            let account = cell("account", account)?;
            if !account.starts_with(ACCOUNT) {
                return Err(refuse(format!("account: {} is no Stripe customer's id, `cus_…`", quoted(account))));
            }
            let with = cell("with", with)?;
            let (crm, other) = other(with, settings).map_err(refuse)?;
            if crm.is_none() && other == account {
                return Err(refuse(format!("{account} stands on both sides; name another account or a contact")));
            }
            Ok((decision, account, crm, other, with))
        })
        .collect()
}

/// The other side of a decision: a contact by its CRM's place and its id, or an account.
fn other<'w>(with: &'w str, settings: &Settings) -> Result<(Option<u32>, Cow<'w, str>), String> {
    let named = (0_u32..)
        .zip(&settings.crms)
        .find_map(|(index, crm)| Some((index, with.strip_prefix(crm.name.as_str())?.strip_prefix(':')?.trim())));
    match named {
        Some((_, "")) => Err(format!("with: {} names no contact; write `<crm>:<contact id>`", quoted(with))),
        // Two spellings of one record are one: that of the CRM's report and that of its tables, say.
        Some((index, id)) => super::crm::one_form(&settings.crms[index as usize], id)
            .map(|id| (Some(index), id))
            .map_err(|why| format!("with: {why}")),
        None if with.starts_with(ACCOUNT) => Ok((None, Cow::Borrowed(with))),
        None => {
            let crms = || settings.crms.iter().map(|crm| crm.name.as_str());
            let known = crms().collect::<Vec<_>>().join(", ");
            let hint = with
                .split_once(':')
                .and_then(|(name, _)| nearest(name, crms()))
                .map_or_else(String::new, |name| format!(", did you mean `{name}:`?"));
            Err(format!(
                "with: {} is neither `<crm>:<contact id>` (CRMs: {known}) nor a Stripe customer's id, `cus_…`{hint}",
                quoted(with)
            ))
        }
    }
}

fn table(sheet: &Sheet, decided: &[Decided<'_>]) -> Result<DataFrame, TableError> {
    let mut frame = ordered(sheet.frame.select(["line", "file", "account", "with", "note"])?)?;
    let words: Vec<&str> = decided.iter().map(|(decision, ..)| decision.as_str()).collect();
    frame.with_column(Column::new("decision".into(), words))?;
    frame.with_column(Column::new("crm".into(), decided.iter().map(|(_, _, crm, ..)| *crm).collect::<Vec<_>>()))?;
    frame.with_column(Column::new(
        "other".into(),
        decided.iter().map(|(.., other, _)| other.as_ref()).collect::<Vec<_>>(),
    ))?;
    Ok(Overrides::new(frame)?.into_frame())
}

/// One record as a node of what hangs together: an account, or a contact of the CRM with this index.
type Record = (Option<u32>, String);

/// One row of all files.
struct Row {
    place: (String, u64),
    decision: OverrideDecision,
    one: Record,
    other: Record,
    with: String,
}

/// Refuses decisions that contradict one another: a pair that is both `link` and `never`, also by way of others, and an
/// account that would belong to two contacts.
pub(super) fn agree(overrides: &Overrides, files: &[InputFile]) -> Result<(), LoadError> {
    let rows = rows(overrides, files).map_err(|error| LoadError::internal(SOURCE, error))?;
    // What `link` brings together, with the lines that did; row by row, since each may tip the balance.
    let mut wholes: Vec<(BTreeSet<Record>, Vec<&Row>)> = vec![];
    for row in rows.iter().filter(|row| row.decision == OverrideDecision::Link) {
        let both = BTreeSet::from([row.one.clone(), row.other.clone()]);
        // A contact may own several accounts: they hang together through it, but no second contact may come in.
        let (touched, rest): (Vec<_>, Vec<_>) = wholes.into_iter().partition(|(whole, _)| !whole.is_disjoint(&both));
        wholes = rest;
        let mut by: Vec<&Row> = touched.iter().flat_map(|(_, by)| by.iter().copied()).collect();
        let whole: BTreeSet<Record> = touched.into_iter().flat_map(|(whole, _)| whole).chain(both).collect();
        let contacts: Vec<&Record> = whole.iter().filter(|(crm, _)| crm.is_some()).collect();
        if contacts.len() > 1 {
            let earlier = by.iter().rfind(|earlier| earlier.other.0.is_some() && earlier.other != row.other);
            let detail = format!(
                "{} would belong to several contacts: {}{}; keep one of the lines",
                row.one.1,
                row.with,
                earlier.map_or_else(String::new, |earlier| format!(" and, by {}, {}", earlier.named(), earlier.with)),
            );
            return Err(row.refuse(detail));
        }
        by.push(row);
        wholes.push((whole, by));
    }
    for row in rows.iter().filter(|row| row.decision == OverrideDecision::Never) {
        let whole = wholes.iter().find(|(whole, _)| whole.contains(&row.one) && whole.contains(&row.other));
        if let Some((_, by)) = whole {
            let lines = by.iter().map(|other| other.named()).collect::<BTreeSet<_>>();
            let lines = lines.into_iter().collect::<Vec<_>>().join(", ");
            let detail =
                format!("{} and {} are never to be linked, yet linked by {lines}; keep one", row.one.1, row.with);
            return Err(row.refuse(detail));
        }
    }
    Ok(())
}

impl Row {
    fn named(&self) -> String {
        format!("{}:{}", self.place.0, self.place.1)
    }

    fn refuse(&self, detail: String) -> LoadError {
        LoadError::Override { file: self.place.0.clone(), line: self.place.1, detail }
    }
}

fn rows(overrides: &Overrides, files: &[InputFile]) -> Result<Vec<Row>, TableError> {
    let frame = overrides.frame();
    let text = |name: &str| frame.column(name).and_then(Column::str);
    let (decision, account, other, with) = (text("decision")?, text("account")?, text("other")?, text("with")?);
    let (file, line, crm) = (frame.column("file")?.u32()?, frame.column("line")?.u32()?, frame.column("crm")?.u32()?);
    let paths: BTreeMap<u32, &str> = (0..).zip(files).map(|(index, file)| (index, file.path.as_str())).collect();
    let owned = |column: &StringChunked, row: usize| column.get(row).unwrap_or_default().to_owned();
    Ok((0..frame.height())
        .filter_map(|row| {
            let path = file.get(row).and_then(|index| paths.get(&index)).copied().unwrap_or("?");
            Some(Row {
                place: (path.to_owned(), line.get(row).unwrap_or_default().into()),
                decision: decision.get(row)?.parse().ok()?,
                one: (None, owned(account, row)),
                other: (crm.get(row), owned(other, row)),
                with: owned(with, row),
            })
        })
        .collect())
}
