//! The heading line of CSV text: which line it is, what separates the columns, and whether the rows carry one separator more or
//! less than it.

use super::csv_check::NotCsv;
use super::csv_record::{Record, next_record, split};
use crate::config::Limits;

/// The heading line, and where and on which line the rows begin.
pub(super) struct Heading {
    /// Trimmed, as the file spells them.
    pub headings: Vec<String>,
    pub separator: u8,
    pub line: u64,
    start: usize,
    pub next: usize,
    pub next_line: u64,
    /// A separator stands behind every row, and none behind the headings: the last column is nothing.
    pub trailing: bool,
}

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// So many lines may stand before the headings (titles, filters, dates of reports), blank ones not counted.
const STRAY_LINES: usize = 20;

/// So many rows are looked at to tell separators apart.
const ROWS_LOOKED_AT: usize = 50;

/// Finds the headings: the first line that `recognise` takes under some separator, else the first line.
///
/// # Errors
/// There is none; more columns, or a longer heading, than the limits allow; what stands above the headings looks like rows;
/// a quote in the headings swallows rows.
pub(super) fn find(bytes: &[u8], limits: &Limits, recognise: &dyn Fn(&[String]) -> bool) -> Result<Heading, NotCsv> {
    let (stated, mut at) = stated_separator(bytes);
    let mut line = if at > 0 { 2 } else { 1 };
    let mut first: Option<Heading> = None;
    let mut above: Vec<(usize, u64)> = Vec::new();
    for _ in 0..STRAY_LINES {
        let Some((heading, recognised)) = heading_at(bytes, (at, line), stated, limits, recognise)? else { break };
        if recognised {
            are_titles(bytes, &above, &heading)?;
            first = Some(heading);
            break;
        }
        above.push((heading.start, heading.line));
        (at, line) = (heading.next, heading.next_line);
        first.get_or_insert(heading);
    }
    let mut heading = first.ok_or(NotCsv::Empty)?;
    if heading.headings.iter().any(|name| swallows_rows(name, heading.separator)) {
        return Err(NotCsv::OpenHeading { line: heading.line });
    }
    trailing_separators(bytes, &mut heading);
    if heading.headings.iter().any(|heading| heading.len() as u64 > limits.field_bytes) {
        return Err(NotCsv::LongHeading);
    }
    Ok(heading)
}

/// Refuses lines above `heading` that have too many fields to be titles: rows of a sheet that was sorted together with its
/// headings, say, must not be lost.
fn are_titles(bytes: &[u8], above: &[(usize, u64)], heading: &Heading) -> Result<(), NotCsv> {
    let columns = heading.headings.iter().filter(|name| !name.is_empty()).count();
    let looks_like_a_row = |at: usize| {
        let record = next_record(bytes, at, 1, heading.separator);
        let fields = split(record.content(bytes), heading.separator);
        let filled = fields.iter().filter(|field| !field.trim().is_empty()).count();
        // Spreadsheets put as many separators behind a title as there are columns.
        filled > 1 && (filled * 2 > columns || fields.len() == heading.headings.len())
    };
    let row = above.iter().find(|(at, _)| looks_like_a_row(*at));
    match row {
        Some((_, line)) => Err(NotCsv::RowsAbove { line: *line, headings: heading.line }),
        None => Ok(()),
    }
}

/// Whether what stands for a heading holds more lines than one is ever broken into, or fields.
fn swallows_rows(name: &str, separator: u8) -> bool {
    const MOST_BREAKS: usize = 2;
    let breaks = name.bytes().filter(|byte| *byte == b'\n').count();
    breaks > MOST_BREAKS || (breaks > 0 && name.as_bytes().contains(&separator))
}

/// A first line `sep=;`, as spreadsheets write it for one another: what it states, and where the text goes on.
fn stated_separator(bytes: &[u8]) -> (Option<u8>, usize) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = bytes[..end].trim_ascii_end();
    let line = line.strip_prefix(b"\"").map_or(line, |line| line.strip_suffix(b"\"").unwrap_or(line));
    match line {
        // A tab at the end is trimmed away with the line's end.
        [s, e, p, b'=', rest @ ..] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => match rest {
            [separator] if separator.is_ascii_punctuation() && *separator != b'"' => {
                (Some(*separator), bytes.len().min(end + 1))
            }
            [] if bytes[..end].contains(&b'\t') => (Some(b'\t'), bytes.len().min(end + 1)),
            _ => (None, 0),
        },
        _ => (None, 0),
    }
}

/// The first line from `at` that says anything, as headings under the separator that fits best: the one under which they are
/// recognised, then the one stated, then the one that gives the rows as many fields as the headings, then the most columns.
fn heading_at(
    bytes: &[u8],
    (mut at, mut line): (usize, u64),
    stated: Option<u8>,
    limits: &Limits,
    recognise: &dyn Fn(&[String]) -> bool,
) -> Result<Option<(Heading, bool)>, NotCsv> {
    let first = loop {
        if at >= bytes.len() {
            return Ok(None);
        }
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
        let nothing = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'"' || SEPARATORS.contains(byte);
        if !bytes[at..end].iter().all(nothing) {
            break &bytes[at..end];
        }
        (at, line) = (bytes.len().min(end + 1), line + 1);
    };
    let standing: Vec<u8> =
        stated.into_iter().chain(SEPARATORS.into_iter().filter(|separator| first.contains(separator))).collect();
    let only = standing.len() <= 1;
    // A line without any separator is one column; commas would separate its rows.
    let candidates = if standing.is_empty() { vec![b','] } else { standing };
    let mut ranked = Vec::new();
    for separator in candidates.into_iter().rev() {
        let record = next_record(bytes, at, line, separator);
        // Before a million names are made of it, and each is compared with what is looked for.
        let most = limits.columns as usize;
        if record.regular && record.fields > most {
            return Err(NotCsv::TooManyColumns);
        }
        let headings: Vec<String> =
            split(record.content(bytes), separator).iter().map(|heading| clean(heading)).collect();
        if headings.len() > most {
            return Err(NotCsv::TooManyColumns);
        }
        let recognised = recognise(&headings);
        let steady = if only { 0 } else { steadiness(bytes, &record, separator, headings.len()) };
        let rank = (recognised, stated == Some(separator), headings.len() > 1, steady, headings.len());
        let (next, next_line) = (record.next, record.next_line);
        ranked.push((rank, Heading { headings, separator, line, start: at, next, next_line, trailing: false }));
    }
    Ok(ranked.into_iter().max_by_key(|(rank, _)| *rank).map(|((recognised, ..), heading)| (heading, recognised)))
}

/// A heading without the blanks and marks around it.
fn clean(heading: &str) -> String {
    heading.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')).to_owned()
}

/// How many of the first rows have `fields` fields, in thousandths.
fn steadiness(bytes: &[u8], heading: &Record, separator: u8, fields: usize) -> usize {
    let rows = records(bytes, heading.next, heading.next_line, separator).take(ROWS_LOOKED_AT);
    let (count, fitting) =
        rows.fold((0, 0), |(count, fitting), row| (count + 1, fitting + usize::from(row.fields == fields)));
    (fitting * 1000).checked_div(count).unwrap_or(0)
}

/// The records from `at` that say anything.
fn records(bytes: &[u8], mut at: usize, mut line: u64, separator: u8) -> impl Iterator<Item = Record> + '_ {
    std::iter::from_fn(move || {
        (at < bytes.len()).then(|| {
            let record = next_record(bytes, at, line, separator);
            (at, line) = (record.next, record.next_line);
            record
        })
    })
    .filter(move |record| !record.is_blank(bytes) && !record.is_hollow(bytes, separator))
}

/// Makes the headings as many as the fields, where every row has one empty field more, or one less than headings of which the
/// last is blank. One row alone might as well have lost or won a field elsewhere.
fn trailing_separators(bytes: &[u8], heading: &mut Heading) {
    const LEAST_ROWS: usize = 2;
    let (separator, columns) = (heading.separator, heading.headings.len());
    let rows = || records(bytes, heading.next, heading.next_line, separator);
    let fields = |record: &Record| {
        if record.regular { record.fields } else { split(record.content(bytes), separator).len() }
    };
    let more = |record: Record| fields(&record) == columns + 1 && ends_with_separator(record.content(bytes), separator);
    let less = |record: Record| fields(&record) + 1 == columns;
    if rows().take(LEAST_ROWS).count() < LEAST_ROWS {
        return;
    }
    // The first row of nearly every file ends the search.
    if rows().all(more) {
        heading.headings.push(String::new());
        heading.trailing = true;
    } else if columns > 1 && heading.headings.last().is_some_and(String::is_empty) && rows().all(less) {
        heading.headings.pop();
    }
}

/// Whether a row's last field is empty.
pub(super) fn ends_with_separator(content: &[u8], separator: u8) -> bool {
    let content = content.strip_suffix(b"\"\"").unwrap_or(content);
    // Blanks in front of the separator's own kind would cut a tab away.
    content.last() == Some(&separator)
}
