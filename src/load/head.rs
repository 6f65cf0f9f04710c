//! The beginning of a file, in place of all of it: enough to know what it is, even of gigabytes.

use super::fault::Origin;
use super::fingerprint::{self, RawFile};
use super::{LoadError, gzip, parquet, wide};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// So many bytes, unpacked, are looked at.
const LENGTH: usize = 1 << 19;

/// A Parquet footer is far smaller; one that says otherwise is damaged, and the little that is read will tell.
const LONGEST_FOOTER: u64 = 64 << 20;

/// What was read of a file.
pub(super) struct Head {
    /// The beginning, unpacked, up to the end of a line; of Parquet the footer alone. It has no fingerprint.
    pub raw: RawFile,
    /// That is all the file holds.
    pub whole: bool,
    /// It is Parquet.
    pub parquet: bool,
}

impl Head {
    /// Reads the beginning of `path`, known as `origin.file`.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, or its gzip data is damaged where it begins.
    pub fn read(path: &Path, origin: &Origin<'_>) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { file: origin.file.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            // What a pipe holds is there once: it belongs to the run.
            let detail = "it is no regular file, so that only a run reads it".to_owned();
            return Err(LoadError::Broken { file: origin.file.to_owned(), detail });
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let mut first = Vec::new();
        file.by_ref().take(8).read_to_end(&mut first).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        let raw = |bytes, gzip| RawFile { bytes, sha256: String::new(), length: metadata.len(), gzip, modified: None };
        if first.starts_with(parquet::MAGIC) {
            let bytes = footer(&mut file, metadata.len()).map_err(unreadable)?;
            return Ok(Self { raw: raw(bytes, false), whole: false, parquet: true });
        }
        let gzip = first.starts_with(gzip::MAGIC);
        let (mut bytes, whole) =
            if gzip { beginning(flate2::bufread::MultiGzDecoder::new(BufReader::new(file))) } else { beginning(file) }
                .map_err(|error| match error.kind() {
                    ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                        let detail = format!("its gzip data is damaged ({error}); export or fetch it again");
                        LoadError::Broken { file: origin.file.to_owned(), detail }
                    }
                    _ => unreadable(error),
                })?;
        if bytes.starts_with(parquet::MAGIC) {
            // A footer stands at the end: compressed, all of it has to be unpacked.
            let all = fingerprint::read(path, origin.file, origin.reading.limits.file_bytes)?;
            return Ok(Self { raw: raw(all.bytes, true), whole: false, parquet: true });
        }
        if !whole {
            cut(&mut bytes);
        }
        Ok(Self { raw: raw(bytes, gzip), whole, parquet: false })
    }

    /// How many rows the file seems to have, where the beginning has `rows`; `None`: its compression hides it.
    pub fn rows(&self, rows: u64) -> Rows {
        match (self.whole, self.raw.gzip, self.raw.bytes.len() as u64) {
            (true, ..) => Rows::Exactly(rows),
            (false, false, read) if read > 0 && rows > 0 => {
                let about = u128::from(rows) * u128::from(self.raw.length) / u128::from(read);
                Rows::About(u64::try_from(about).unwrap_or(u64::MAX))
            }
            _ => Rows::Unknown,
        }
    }
}

/// How many rows a file has, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// They were counted.
    Exactly(u64),
    /// By the share of the file that was read.
    About(u64),
    /// Nothing tells.
    Unknown,
}

impl Rows {
    /// The number, exact or not; 0 where nothing tells.
    pub fn count(self) -> u64 {
        match self {
            Self::Exactly(rows) | Self::About(rows) => rows,
            Self::Unknown => 0,
        }
    }
}

impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(1) => f.write_str("1 row"),
            Self::Exactly(rows) => write!(f, "{rows} rows"),
            Self::About(rows) => {
                // Two digits: more would claim more than was seen.
                let unit = 10_u64.pow(rows.checked_ilog10().unwrap_or(0).saturating_sub(1));
                write!(f, "about {} rows", rows.div_ceil(unit) * unit)
            }
            Self::Unknown => f.write_str("rows not counted"),
        }
    }
}

/// The first [`LENGTH`] bytes, and whether there are no more.
fn beginning(mut from: impl Read) -> std::io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    from.by_ref().take(LENGTH as u64).read_to_end(&mut bytes)?;
    let more = bytes.len() == LENGTH && from.read(&mut [0])? > 0;
    Ok((bytes, !more))
}

/// The end of a Parquet file: its footer, the footer's length, the mark.
fn footer(file: &mut File, size: u64) -> std::io::Result<Vec<u8>> {
    const TAIL: u64 = 8;
    let mut tail = [0; 8];
    if size < TAIL {
        return Ok(parquet::MAGIC.to_vec());
    }
    file.seek(SeekFrom::Start(size - TAIL))?;
    file.read_exact(&mut tail)?;
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]])).min(LONGEST_FOOTER) + TAIL;
    file.seek(SeekFrom::Start(size.saturating_sub(length)))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes away what the end of the piece tore apart: a line, or a character.
fn cut(bytes: &mut Vec<u8>) {
    const LONGEST_CHARACTER: usize = 4;
    if let Some(width) = wide::mark(bytes).map(|(width, _)| width).or_else(|| wide::recognised(bytes)) {
        // The last line is torn all the same, which costs one row of a sample.
        bytes.truncate(bytes.len() - bytes.len() % width.bytes());
        return;
    }
    if let Some(end) = memchr::memrchr(b'\n', bytes) {
        bytes.truncate(end + 1);
        return;
    }
    let end = (1..=LONGEST_CHARACTER.min(bytes.len())).find(|back| bytes[bytes.len() - back] >= 0xc0);
    if let Some(back) = end {
        bytes.truncate(bytes.len() - back);
    }
}

/// The whole objects of JSON text that breaks off: as it stands, up to the last of them, where they follow one another; else
/// those of its first list, as a list.
pub(super) fn whole_objects(text: &str) -> Cow<'_, str> {
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut end = 0;
    while objects.next().is_some_and(|object| object.is_ok()) {
        end = objects.byte_offset();
    }
    if end > 0 {
        return Cow::Borrowed(&text[..end]);
    }
    let mut rest = text.find('[').map_or("", |at| &text[at + 1..]);
    let mut list = String::from("[");
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let Some(Ok(value)) = values.next() else { break };
        let taken = values.byte_offset();
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(value.get());
        rest = rest[taken..].trim_start();
        let Some(further) = rest.strip_prefix(',') else { break };
        rest = further;
    }
    list.push(']');
    Cow::Owned(list)
}

#[cfg(test)]
mod tests {
    use super::{Head, LENGTH, Rows, whole_objects};
    use crate::load::fault::{Origin, reading};
    use std::io::Write;

    fn head(name: &str, bytes: &[u8]) -> Head {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Head::read(&path, &Origin { source: "", file: name, index: 0, reading: reading() }).unwrap()
    }

    #[test]
    fn a_small_file_is_read_whole_and_of_a_large_one_whole_lines() {
        let small = head("a.csv", b"id\n1\n2");
        assert!(small.whole && small.raw.bytes == b"id\n1\n2");
        let line = "cus_1,zoë@example.com\n";
        let text = line.repeat(LENGTH / line.len() * 4);
        let large = head("b.csv", text.as_bytes());
        assert!(!large.whole && large.raw.bytes.ends_with(line.as_bytes()), "{}", large.raw.bytes.len());
        assert!(large.raw.bytes.len() <= LENGTH);
        let read = (large.raw.bytes.len() / line.len()) as u64;
        let Rows::About(rows) = large.rows(read) else { panic!("not estimated") };
        assert_eq!(rows, (text.len() / line.len()) as u64);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        let packed = head("c.csv.gz", &packed.finish().unwrap());
        assert!(packed.raw.gzip && packed.raw.bytes == large.raw.bytes);
        assert_eq!(packed.rows(read), Rows::Unknown);
        let without_lines = head("d.json", "ë".repeat(LENGTH).as_bytes());
        assert!(std::str::from_utf8(&without_lines.raw.bytes).is_ok());
    }

    #[test]
    fn an_estimate_claims_two_digits() {
        for (rows, expected) in
            [(Rows::Exactly(1), "1 row"), (Rows::Exactly(277), "277 rows"), (Rows::About(123_456), "about 130000 rows")]
        {
            assert_eq!(rows.to_string(), expected);
        }
        assert_eq!(Rows::About(7).to_string(), "about 7 rows");
    }

    #[test]
    fn of_text_that_breaks_off_the_whole_objects_are_taken() {
        for (text, expected) in [
            ("{\"a\":1}\n{\"a\":2}\n{\"a\":", "{\"a\":1}\n{\"a\":2}"),
            ("[{\"a\":1}, {\"a\":[2]},\n {\"a\"", "[{\"a\":1},{\"a\":[2]}]"),
            ("{\"object\":\"list\",\"data\":[{\"a\":1},{\"b", "[{\"a\":1}]"),
            ("{\"object\":\"li", "[]"),
        ] {
            assert_eq!(whole_objects(text), expected, "{text}");
        }
    }
}
