//! The structural pass over CSV text: finds every record's physical line and takes out the rows that polars would accept
//! without a word (short, long, holding a NUL, never closing a quote), before polars reads the values of the rest.

use super::csv_heading::{self, ends_with_separator};
use super::csv_record::{Record, escaped, next_record, split};
use super::fault::quoted;
use crate::config::Limits;
use crate::model::{Dialect, Reason};
use std::borrow::Cow;

/// CSV text that was checked.
pub(super) struct Checked<'t> {
    pub separator: u8,
    /// The headings, trimmed, as the file spells them.
    pub headings: Vec<String>,
    /// The line of the headings, from 1.
    pub heading_line: u64,
    /// For each clean row the line on which it begins.
    pub lines: Vec<u32>,
    /// The lines of rows, clean or not, that stand behind a blank one.
    pub after_blank: Vec<u32>,
    /// The clean rows without the heading line: the file's own bytes where nothing had to be cut.
    pub body: Cow<'t, [u8]>,
    /// The rows that were taken out.
    pub faults: Vec<RowFault>,
    /// The last row breaks off: the export was cut short.
    pub truncated: bool,
    /// What was recognised.
    pub dialect: Dialect,
    /// Lone carriage returns end rows beside line feeds: the check stopped there.
    mixed_ends: bool,
    /// Some value runs over a line end.
    pub spans_lines: bool,
}

/// Bytes of the longest id that a bad row is searched for.
const LONGEST_ID: usize = 1000;

/// A row that cannot be read.
pub(super) struct RowFault {
    pub line: u64,
    pub reason: Reason,
    pub detail: String,
    /// What could be read of its fields.
    pub fields: Vec<String>,
}

impl Checked<'_> {
    /// Data rows of the file, those taken out included.
    pub fn rows(&self) -> u64 {
        (self.lines.len() + self.faults.len()) as u64
    }
}

/// Why a text is no CSV table.
#[derive(Debug)]
pub(super) enum NotCsv {
    Empty,
    /// `line` stands above the `headings` and looks like a row.
    RowsAbove {
        line: u64,
        headings: u64,
    },
    /// A quote in the headings is not closed before rows begin.
    OpenHeading {
        line: u64,
    },
    TooManyColumns,
    TooManyRows,
    LongHeading,
}

/// Lone carriage returns end the lines of some old spreadsheets.
fn ends_with_carriage_returns(bytes: &[u8]) -> bool {
    memchr::memchr2(b'\n', b'\r', bytes).is_some_and(|end| bytes[end] == b'\r' && bytes.get(end + 1) != Some(&b'\n'))
}

/// Checks `text`. Lines before the one that `recognise` takes for headings are stray titles and are skipped.
/// `lossy`: U+FFFD stands for bytes that were no text, so rows that hold it are taken out.
pub(super) fn check<'t>(
    text: &'t str,
    lossy: bool,
    limits: &Limits,
    recognise: &dyn Fn(&[String]) -> bool,
) -> Result<Checked<'t>, NotCsv> {
    let bytes = text.as_bytes();
    if !ends_with_carriage_returns(bytes) {
        let checked = check_bytes(bytes, lossy, limits, recognise)?;
        if !checked.mixed_ends {
            return Ok(checked);
        }
    }
    // A text with lone carriage returns is rewritten, every other one stays.
    let rewritten = text.replace("\r\n", "\n").replace('\r', "\n").into_bytes();
    let Checked {
        separator,
        headings,
        heading_line,
        lines,
        after_blank,
        body,
        faults,
        truncated,
        mut dialect,
        spans_lines,
        ..
    } = check_bytes(&rewritten, lossy, limits, recognise)?;
    let feeds = memchr::memchr(b'\n', bytes).is_some();
    dialect.line_ends = String::from(if feeds { "mixed" } else { "CR" });
    let body = Cow::Owned(body.into_owned());
    Ok(Checked {
        separator,
        headings,
        heading_line,
        lines,
        after_blank,
        body,
        faults,
        truncated,
        dialect,
        mixed_ends: false,
        spans_lines,
    })
}

fn check_bytes<'t>(
    bytes: &'t [u8],
    lossy: bool,
    limits: &Limits,
    recognise: &dyn Fn(&[String]) -> bool,
) -> Result<Checked<'t>, NotCsv> {
    let heading = csv_heading::find(bytes, limits, recognise)?;
    let mut pass = Pass {
        bytes,
        lossy,
        longest: limits.field_bytes,
        separator: heading.separator,
        expected: heading.headings.len(),
        trailing: heading.trailing,
        lines: Vec::new(),
        after_blank: Vec::new(),
        behind_blank: 0,
        pieces: Vec::new(),
        faults: Vec::new(),
        mixed_ends: false,
        lone_return: 0,
    };
    let (mut at, mut line) = (heading.next, heading.next_line);
    let (mut truncated, mut spans_lines) = (false, false);
    let heading_pair = bytes[..heading.next].ends_with(b"\r\n");
    let (mut feeds, mut pairs, mut backslashes) = (!heading_pair, heading_pair, false);
    while at < bytes.len() && !pass.mixed_ends {
        let record = next_record(bytes, at, line, heading.separator);
        match record.next - record.end {
            1 => feeds = true,
            2 => pairs = true,
            _ => {}
        }
        if let Some((record, fields)) = pass.with_backslashes(&record) {
            spans_lines |= record.next_line > line + 1;
            (at, line) = (record.next, record.next_line);
            backslashes = true;
            pass.rewrite(record.line, &fields);
            continue;
        }
        spans_lines |= record.next_line > line + 1;
        if pass.ends_with_a_return(&record) {
            pass.mixed_ends = true;
        }
        (at, line) = (record.next, record.next_line);
        let faults = pass.faults.len();
        pass.take(record);
        if pass.lines.len() + pass.faults.len() > limits.rows as usize {
            return Err(NotCsv::TooManyRows);
        }
        truncated = at >= bytes.len() && bytes.last() != Some(&b'\n') && pass.faults.len() > faults;
    }
    let body = pass.body();
    let mut notes = Vec::new();
    if heading.trailing {
        notes.push("a separator behind every row".to_owned());
    }
    if backslashes {
        notes.push("quotes hidden by backslashes".to_owned());
    }
    let dialect = Dialect {
        separator: separator_words(heading.separator),
        line_ends: match (feeds, pairs) {
            (true, true) => "mixed",
            (false, true) => "CRLF",
            _ => "LF",
        }
        .to_owned(),
        heading_line: heading.line,
        notes,
        ..Dialect::default()
    };
    Ok(Checked {
        separator: heading.separator,
        headings: heading.headings,
        heading_line: heading.line,
        lines: pass.lines,
        after_blank: pass.after_blank,
        body,
        faults: pass.faults,
        truncated,
        dialect,
        mixed_ends: pass.mixed_ends,
        spans_lines,
    })
}

fn separator_words(separator: u8) -> String {
    match separator {
        b',' => "comma".to_owned(),
        b';' => "semicolon".to_owned(),
        b'\t' => "tab".to_owned(),
        b'|' => "pipe".to_owned(),
        other => char::from(other).to_string(),
    }
}

/// A stretch of clean rows: of the file's bytes, or one row written anew.
enum Piece {
    Run(std::ops::Range<usize>),
    Rewritten(Vec<u8>),
}

struct Pass<'t> {
    bytes: &'t [u8],
    lossy: bool,
    /// Bytes of a field.
    longest: u64,
    separator: u8,
    expected: usize,
    trailing: bool,
    lines: Vec<u32>,
    after_blank: Vec<u32>,
    /// The line behind the last blank record.
    behind_blank: u64,
    pieces: Vec<Piece>,
    faults: Vec<RowFault>,
    mixed_ends: bool,
    /// Where the next carriage return behind a quote stands that no line feed follows, as far as it was searched.
    lone_return: usize,
}

impl<'t> Pass<'t> {
    /// The record with backslashes that hide quotes, if only so it is one: as it stands it breaks RFC 4180.
    fn with_backslashes(&self, record: &Record) -> Option<(Record, Vec<String>)> {
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
    fn rewrite(&mut self, line: u64, fields: &[String]) {
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        self.pieces.push(Piece::Rewritten(write_row(fields, self.separator)));
    }

    /// Whether a record that no reader could agree on is one that a lone carriage return ends behind a quote.
    fn ends_with_a_return(&mut self, record: &Record) -> bool {
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

    fn take(&mut self, record: Record) {
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
        match self.pieces.last_mut() {
            Some(Piece::Run(run)) if run.end == record.start => run.end = record.next,
            _ => self.pieces.push(Piece::Run(record.start..record.next)),
        }
    }

    fn body(&mut self) -> Cow<'t, [u8]> {
        let bytes = self.bytes;
        match self.pieces.as_slice() {
            [] => Cow::Borrowed(&[]),
            [Piece::Run(run)] => Cow::Borrowed(&bytes[run.clone()]),
            pieces => {
                let mut body = Vec::with_capacity(bytes.len());
                for piece in pieces {
                    body.extend_from_slice(match piece {
                        Piece::Run(run) => &bytes[run.clone()],
                        Piece::Rewritten(row) => row,
                    });
                    if body.last() != Some(&b'\n') {
                        body.push(b'\n');
                    }
                }
                Cow::Owned(body)
            }
        }
    }
}

fn holds_replacement(content: &[u8]) -> bool {
    memchr::memmem::find(content, "\u{fffd}".as_bytes()).is_some()
}

/// One row in a form that every reader reads alike: every field quoted.
pub(super) fn write_row<F: AsRef<[u8]>>(fields: &[F], separator: u8) -> Vec<u8> {
    let mut row = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            row.push(separator);
        }
        row.push(b'"');
        for &byte in field.as_ref() {
            if byte == b'"' {
                row.push(b'"');
            }
            row.push(byte);
        }
        row.push(b'"');
    }
    row.push(b'\n');
    row
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::config::Limits;
    use crate::model::Reason;

    /// Headings, lines and text of the clean rows, and line and reason of the others.
    fn pass(text: &str) -> (Vec<u32>, String, Vec<(u64, Reason)>) {
        let checked = check(text, false, &Limits::default(), &|_| true).ok().unwrap();
        let faults = checked.faults.iter().map(|fault| (fault.line, fault.reason)).collect();
        (checked.lines, String::from_utf8(checked.body.into_owned()).unwrap(), faults)
    }

    #[test]
    fn bad_rows_are_taken_out_with_their_line_and_the_rest_stays_as_it_is() {
        use Reason::{LongRow, NulByte, ShortRow, UnclosedQuote};
        for (text, lines, body, faults) in [
            ("a,b\n1,2\n3,4\n", vec![2, 3], "1,2\n3,4\n", vec![]),
            ("a,b\n1,2\n3,4", vec![2, 3], "1,2\n3,4", vec![]),
            ("a,b\r\n1,2\r\n3\r\n5,6\r\n", vec![2, 4], "1,2\r\n5,6\r\n", vec![(3, ShortRow)]),
            ("a,b\r1,2\r3,4\r", vec![2, 3], "1,2\n3,4\n", vec![]),
            ("a,b\n1,2,3\n4,5\n", vec![3], "4,5\n", vec![(2, LongRow)]),
            ("a,b\n1,\0\n4,5\n", vec![3], "4,5\n", vec![(2, NulByte)]),
            ("a,b\n\n1,2\n  \n3,4\n\n", vec![3, 5], "1,2\n3,4\n", vec![]),
            ("a,b\n1,\"x\ny\"\n3,4\n", vec![2, 4], "1,\"x\ny\"\n3,4\n", vec![]),
            ("a,b\n1,\"x\n3,4\n5,6\n", vec![3, 4], "3,4\n5,6\n", vec![(2, UnclosedQuote)]),
            ("a,b\n1,\"x\n3,\"y\"\n5,6\n", vec![3, 4], "3,\"y\"\n5,6\n", vec![(2, UnclosedQuote)]),
            ("a,b\n1,\"x\ny\",z\n5,6\n", vec![4], "5,6\n", vec![(2, LongRow)]),
            ("a,b\n1,5\" disk\n5,6\n", vec![2, 3], "\"1\",\"5\"\" disk\"\n5,6\n", vec![]),
            ("a,b\n1,\"x\"y\n5,6\n", vec![2, 3], "\"1\",\"xy\"\n5,6\n", vec![]),
            ("a,b\n1,2\n,\n\"\", \n", vec![2], "1,2\n", vec![]),
            ("a,b\n,\n1,2\n", vec![3], "1,2\n", vec![]),
            ("a,b\n", vec![], "", vec![]),
        ] {
            assert_eq!(pass(text), (lines, body.to_owned(), faults), "{text:?}");
        }
    }

    #[test]
    fn the_separator_is_the_one_that_heads_the_columns() {
        for (text, separator) in
            [("a,b\n", b','), ("a;b,c;d\n", b';'), ("a\tb\n", b'\t'), ("\"a;b;c\",d\n", b','), ("a\n", b',')]
        {
            assert_eq!(
                check(text, false, &Limits::default(), &|_| true).ok().unwrap().separator,
                separator,
                "{text:?}"
            );
        }
    }

    #[test]
    fn clean_text_is_not_copied() {
        let text = "a,b\n1,\"two\nlines\"\n3,4\n";
        let checked = check(text, false, &Limits::default(), &|_| true).ok().unwrap();
        assert!(matches!(checked.body, std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn an_unclosed_quote_says_where_it_opened_and_which_lines_it_cost() {
        let checked = check("a,b\n\"x\ny\",\"never\nz,1\n", false, &Limits::default(), &|_| true).ok().unwrap();
        assert_eq!(checked.lines, [4]);
        assert_eq!(checked.faults[0].line, 2);
        assert!(checked.faults[0].detail.contains("opens on line 3"), "{}", checked.faults[0].detail);
    }

    #[test]
    #[ignore = "needs the shared corpora beside the repository"]
    fn the_csv_spectrum_is_read_as_its_json_says() {
        let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora/csv-spectrum"));
        for entry in std::fs::read_dir(folder.join("csvs")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let checked = check(&text, false, &Limits::default(), &|_| true).ok().unwrap();
            assert!(checked.faults.is_empty(), "{}", path.display());
            let names: Vec<(&'static str, Option<usize>)> =
                ["c0", "c1", "c2", "c3", "c4", "c5"].into_iter().zip((0..checked.headings.len()).map(Some)).collect();
            let frame = crate::load::csv_read::read(&checked, &names, "x", 0).unwrap();
            let json = folder.join("json").join(path.file_stem().unwrap()).with_extension("json");
            // A file of one row stands there as one object.
            let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
            let expected = json.as_array().cloned().unwrap_or_else(|| vec![json]);
            assert_eq!(frame.height(), expected.len(), "{}", path.display());
            for (row, object) in expected.iter().enumerate() {
                // One file's JSON names another telephone number than its CSV.
                for (column, heading) in
                    checked.headings.iter().enumerate().filter(|(_, h)| !h.ends_with("Phone Number"))
                {
                    let found = frame.column(names[column].0).unwrap().str().unwrap().get(row).unwrap_or_default();
                    let wanted = object[heading].as_str().unwrap().trim().replace("\r\n", "\n");
                    assert_eq!(found.replace("\r\n", "\n"), wanted, "{}: row {row}, {heading}", path.display());
                }
            }
        }
    }
}
