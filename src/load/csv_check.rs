//! The structural pass over CSV text: finds every record's physical line and takes out the rows that polars would accept
//! without a word (short, long, holding a NUL, never closing a quote), before polars reads the values of the rest.

use super::csv_heading;
use super::csv_pass::Pass;
use super::csv_record::next_record;
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
    let mut pass = Pass::new(bytes, &heading, lossy, limits.field_bytes);
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
        body: pass.body.of(bytes),
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
