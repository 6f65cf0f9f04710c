//! One record of CSV text: where it begins and ends, and what is odd about it.

/// A record found at some place of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub start: usize,
    /// Behind the last byte of its content (line end excluded).
    pub end: usize,
    /// Where the next record begins.
    pub next: usize,
    /// The physical line on which it begins, from 1.
    pub line: u64,
    /// The physical line on which the next record begins.
    pub next_line: u64,
    /// Number of fields; not to be relied on unless `regular`.
    pub fields: usize,
    /// Every quote stands where RFC 4180 puts it: readers cannot disagree.
    pub regular: bool,
    /// The line of a quote that is never closed. The record then ends with that line.
    pub unclosed: Option<u64>,
}

impl Record {
    /// The record's bytes, line end excluded.
    pub fn content<'t>(&self, bytes: &'t [u8]) -> &'t [u8] {
        &bytes[self.start..self.end]
    }

    /// A blank line is no record.
    pub fn is_blank(&self, bytes: &[u8]) -> bool {
        self.content(bytes).iter().all(u8::is_ascii_whitespace)
    }

    /// Nothing but separators, blanks and empty quotes.
    pub fn is_hollow(&self, bytes: &[u8], separator: u8) -> bool {
        self.unclosed.is_none()
            && self.content(bytes).iter().all(|&byte| byte == separator || byte == b'"' || byte.is_ascii_whitespace())
    }
}

/// The end of the line that `at` stands in: behind its content, and behind its line feed.
fn line_end(bytes: &[u8], at: usize) -> (usize, usize) {
    let feed = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
    let end = if feed > at && bytes[feed - 1] == b'\r' { feed - 1 } else { feed };
    (end, bytes.len().min(feed + 1))
}

/// The record that begins at `start`, which is before the text's end.
pub(super) fn next_record(bytes: &[u8], start: usize, line: u64, separator: u8) -> Record {
    let (end, next) = line_end(bytes, start);
    let content = &bytes[start..end];
    if memchr::memchr(b'"', content).is_none() {
        let fields = 1 + memchr::memchr_iter(separator, content).count();
        return Record { start, end, next, line, next_line: line + 1, fields, regular: true, unclosed: None };
    }
    walk(bytes, start, line, separator)
}

/// Walks a record that holds quotes, field by field.
fn walk(bytes: &[u8], start: usize, line: u64, separator: u8) -> Record {
    let mut record =
        Record { start, end: start, next: start, line, next_line: line, fields: 1, regular: true, unclosed: None };
    let mut at = start;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let opened = (at, record.next_line);
            let Some(behind) = closing_quote(bytes, at + 1) else { return unclosed(bytes, &record, opened) };
            let inside = memchr::memchr_iter(b'\n', &bytes[at..behind]).count() as u64;
            at = behind;
            record.next_line += inside;
            let follows = &bytes[at..];
            let ends = follows.is_empty()
                || matches!(follows, [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r'])
                || follows[0] == separator;
            if !ends {
                // Text behind a closing quote. If the quoted part ran over a line end, then most likely its real
                // closing quote is missing, and it swallowed rows up to the next opening one.
                if inside > 0 {
                    return unclosed(bytes, &record, opened);
                }
                record.regular = false;
            }
        }
        // The rest of an unquoted field, or what follows a quoted one.
        loop {
            match memchr::memchr3(separator, b'\n', b'"', &bytes[at..]) {
                None => {
                    (record.end, record.next) = line_end(bytes, at);
                    record.next_line += 1;
                    return record;
                }
                Some(length) if bytes[at + length] == separator => {
                    at += length + 1;
                    record.fields += 1;
                    break;
                }
                Some(length) if bytes[at + length] == b'\n' => {
                    (record.end, record.next) = line_end(bytes, at);
                    record.next_line += 1;
                    return record;
                }
                Some(length) => {
                    record.regular = false;
                    at += length + 1;
                }
            }
        }
    }
}

/// The place behind the quote that closes the field whose content begins at `at`.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(b'"', &bytes[at..])? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// Ends the record with the line on which its unclosed quote opened; reading goes on behind it, so that one missing
/// quote costs one row and not the rest of the file.
fn unclosed(bytes: &[u8], record: &Record, (at, opened): (usize, u64)) -> Record {
    let (end, next) = line_end(bytes, at);
    Record { end, next, next_line: opened + 1, unclosed: Some(opened), regular: false, ..*record }
}

/// The fields of one record as the `csv` crate reads them. Only for headings and rows that are odd.
pub(super) fn split(content: &[u8], separator: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(content);
    let mut record = csv::ByteRecord::new();
    // Reading from memory without a limit on fields cannot fail.
    let _ = reader.read_byte_record(&mut record);
    record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect()
}

/// The record that begins at `start`, where a backslash hides the quote behind it, and its fields; `None` unless every quote
/// then opens or closes a field. Doubled quotes have no place in such a file.
pub(super) fn escaped(bytes: &[u8], start: usize, line: u64, separator: u8) -> Option<(Record, Vec<String>)> {
    let mut fields = Vec::new();
    let (mut at, mut next_line) = (start, line);
    loop {
        let mut field = Vec::new();
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            loop {
                match (*bytes.get(at)?, bytes.get(at + 1)) {
                    (b'\\', Some(hidden @ (b'"' | b'\\'))) => {
                        field.push(*hidden);
                        at += 2;
                        continue;
                    }
                    (b'"', _) => break,
                    (byte, _) => {
                        next_line += u64::from(byte == b'\n');
                        field.push(byte);
                    }
                }
                at += 1;
            }
            at += 1;
        } else {
            let length = memchr::memchr3(separator, b'\n', b'"', &bytes[at..]).unwrap_or(bytes.len() - at);
            field.extend_from_slice(&bytes[at..at + length]);
            at += length;
            if bytes.get(at) != Some(&separator) && field.last() == Some(&b'\r') {
                field.pop();
            }
        }
        fields.push(String::from_utf8_lossy(&field).into_owned());
        match &bytes[at..] {
            [first, ..] if *first == separator => at += 1,
            [] | [b'\n' | b'\r', ..] => break,
            _ => return None,
        }
    }
    let (end, next) = line_end(bytes, at);
    let count = fields.len();
    let record =
        Record { start, end, next, line, next_line: next_line + 1, fields: count, regular: false, unclosed: None };
    Some((record, fields))
}
