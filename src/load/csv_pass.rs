//! Row by row over CSV text: which rows every reader reads alike, which are written anew so that every reader does, and which
//! are taken out.

use super::csv_body::Body;
use super::csv_check::RowFault;
use super::csv_heading::{Heading, ends_with_separator};
use super::csv_record::{Record, escaped, next_record, split};
use super::fault::quoted;
use crate::model::Reason;

/// Bytes of the longest id that a bad row is searched for.
const LONGEST_ID: usize = 1000;

/// What is known of a text's rows so far.
pub(super) struct Pass<'t> {
    bytes: &'t [u8],
    lossy: bool,
    /// Bytes of a field.
    longest: u64,
    separator: u8,
    expected: usize,
    trailing: bool,
    /// For each clean row the line on which it begins.
    pub lines: Vec<u32>,
    /// The lines of rows, clean or not, that stand behind a blank one.
    pub after_blank: Vec<u32>,
    /// The line behind the last blank record.
    behind_blank: u64,
    pub body: Body,
    pub faults: Vec<RowFault>,
    /// Lone carriage returns end rows beside line feeds.
    pub mixed_ends: bool,
    /// Where the next carriage return behind a quote stands that no line feed follows, as far as it was searched.
    lone_return: usize,
}

impl<'t> Pass<'t> {
    /// Begins behind `heading`.
    pub fn new(bytes: &'t [u8], heading: &Heading, lossy: bool, longest: u64) -> Self {
        Self {
            bytes,
            lossy,
            longest,
            separator: heading.separator,
            expected: heading.headings.len(),
            trailing: heading.trailing,
            lines: Vec::new(),
            after_blank: Vec::new(),
            behind_blank: 0,
            body: Body::default(),
            faults: Vec::new(),
            mixed_ends: false,
            lone_return: 0,
        }
    }

    /// The record with backslashes that hide quotes, if only so it is one: as it stands it breaks RFC 4180.
    pub fn with_backslashes(&self, record: &Record) -> Option<(Record, Vec<String>)> {
        let hidden = || memchr::memmem::find(record.content(self.bytes), b"\\\"").is_some();
        if record.regular || !hidden() {
            return None;
        }
        let found = escaped(self.bytes, record.start, record.line, self.separator)?;
        let whole = found.0.content(self.bytes);
        let sound = memchr::memchr(0, whole).is_none() && !(self.lossy && holds_replacement(whole));
        (found.0.fields == self.expected && sound).then_some(found)
    }

    /// Takes a row in a form that every reader reads alike.
    pub fn rewrite(&mut self, line: u64, fields: &[String]) {
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        self.body.rewrite(fields, self.separator);
    }

    /// Whether a record that no reader could agree on is one that a lone carriage return ends behind a quote.
    pub fn ends_with_a_return(&mut self, record: &Record) -> bool {
        const LOOKED_AT: usize = 65_536;
        let end = self.bytes.len().min(record.next + LOOKED_AT);
        if record.regular || self.lone_return(record.start) >= end {
            return false;
        }
        let rest = &self.bytes[record.start..end];
        let lone = |at: usize| rest[at] == b'\r' && rest.get(at + 1) != Some(&b'\n');
        let lines: Vec<u8> = (0..rest.len()).map(|at| if lone(at) { b'\n' } else { rest[at] }).collect();
        let row = next_record(&lines, 0, 1, self.separator);
        row.regular && row.fields == self.expected && row.next == row.end + 1 && lone(row.end)
    }

    /// The first lone carriage return behind a quote that stands behind `start`; the text's end if there is none. The text is
    /// searched once, however many rows ask.
    fn lone_return(&mut self, start: usize) -> usize {
        if self.lone_return <= start {
            let rest = &self.bytes[start..];
            let lone = |at: &usize| rest.get(at + 2) != Some(&b'\n');
            let found = memchr::memmem::find_iter(rest, b"\"\r").find(lone);
            self.lone_return = found.map_or(self.bytes.len(), |at| start + at + 1);
        }
        self.lone_return
    }

    /// Whether the record is rows between lone carriage returns.
    fn is_rows(&self, content: &[u8]) -> bool {
        if memchr::memchr(b'\r', content).is_none() {
            return false;
        }
        let rows: Vec<u8> = content.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect();
        let mut at = 0;
        while at < rows.len() {
            let row = next_record(&rows, at, 1, self.separator);
            if row.fields != self.expected || !row.regular {
                return false;
            }
            at = row.next;
        }
        true
    }

    pub fn take(&mut self, record: Record) {
        // A row of nothing but separators says nothing: spreadsheets leave them behind.
        if record.is_blank(self.bytes) || record.is_hollow(self.bytes, self.separator) {
            self.behind_blank = record.next_line;
            return;
        }
        if self.behind_blank == record.line {
            self.after_blank.push(u32::try_from(record.line).unwrap_or(u32::MAX));
        }
        self.place(&record);
    }

    fn place(&mut self, record: &Record) {
        let content = record.content(self.bytes);
        // Enough fields to find the row's ids, though it may have a million.
        let most = 2 * self.expected + 16;
        let fault = |reason, detail, mut fields: Vec<String>| {
            fields.truncate(most);
            // No id is as long: what a quote that never closes swallowed is none.
            fields.iter_mut().filter(|field| field.len() > LONGEST_ID).for_each(String::clear);
            RowFault { line: record.line, reason, detail, fields }
        };
        if content.len() as u64 > self.longest && record.unclosed.is_none() {
            let fields = split(content, self.separator);
            if let Some(at) = fields.iter().position(|field| field.len() as u64 > self.longest) {
                let (length, limit, column) = (fields[at].len(), self.longest, at + 1);
                let detail =
                    format!("column {column} holds {length} bytes, more than the {limit} of [limits] field_bytes");
                self.faults.push(fault(Reason::FieldTooLong, detail, fields));
                return;
            }
        }
        if let Some(opened) = record.unclosed {
            let fields = split(content, self.separator);
            let detail = format!(
                "the quote that opens on line {opened} is never closed; lines {} to {opened} are left out, reading goes on \
                 after them",
                record.line
            );
            self.faults.push(fault(Reason::UnclosedQuote, detail, fields));
            return;
        }
        if memchr::memchr(0, content).is_some() {
            let fields = split(content, self.separator);
            let column = fields.iter().position(|field| field.contains('\0')).unwrap_or(0) + 1;
            let detail = format!("column {column} holds a NUL byte; the file was damaged on its way");
            self.faults.push(fault(Reason::NulByte, detail, fields));
            return;
        }
        if self.lossy && holds_replacement(content) {
            let fields = split(content, self.separator);
            let column = fields.iter().position(|field| field.contains('\u{fffd}')).unwrap_or(0) + 1;
            let detail = format!("column {column} holds bytes that are no text in the file's own encoding");
            self.faults.push(fault(Reason::BadEncoding, detail, fields));
            return;
        }
        // A quote inside an unquoted field is read differently by different readers: the row is split by the strict
        // reader and written anew, so that polars cannot see other fields than this pass.
        let rewritten = (!record.regular).then(|| split(content, self.separator));
        let found = rewritten.as_ref().map_or(record.fields, Vec::len);
        if (found != self.expected || self.expected == 1) && self.is_rows(content) {
            self.mixed_ends = true;
            return;
        }
        let won_a_field = self.trailing && found == self.expected && !ends_with_separator(content, self.separator);
        if found != self.expected || won_a_field {
            let fields = rewritten.unwrap_or_else(|| split(content, self.separator));
            let reason = if found < self.expected { Reason::ShortRow } else { Reason::LongRow };
            let start = fields.first().map_or("", String::as_str);
            let expected = self.expected - usize::from(self.trailing);
            let detail = format!("{found} fields where the heading has {expected}; the row begins {}", quoted(start));
            self.faults.push(fault(reason, detail, fields));
            return;
        }
        if let Some(fields) = rewritten {
            return self.rewrite(record.line, &fields);
        }
        self.lines.push(u32::try_from(record.line).unwrap_or(u32::MAX));
        self.body.keep(record.start..record.next);
    }
}

fn holds_replacement(content: &[u8]) -> bool {
    memchr::memmem::find(content, "\u{fffd}".as_bytes()).is_some()
}
