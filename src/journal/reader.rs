//! Reads a journal record by record, and refuses what cannot be believed.

use super::line::{LineFault, decode};
use super::{JOURNAL_FORMAT, JournalError, Record, Resumed};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A last line that was never finished: nothing relied upon it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornTail {
    /// The line, from 1.
    pub line: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// The records of a journal, in order. An error ends the iteration.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    input: BufReader<File>,
    line: Vec<u8>,
    proven: Resumed,
    good: u64,
    torn: Option<TornTail>,
    done: bool,
}

/// Opens the journal at `path` for reading. Its header is checked with the first record.
pub fn read(path: &Path) -> Result<JournalReader, JournalError> {
    let failed = |e: std::io::Error| JournalError::read(path, &e);
    let file = crate::runs::open_regular(path).map_err(failed)?;
    Ok(JournalReader {
        path: path.to_owned(),
        input: BufReader::with_capacity(1 << 18, file),
        line: Vec::new(),
        proven: Resumed::default(),
        good: 0,
        torn: None,
        done: false,
    })
}

/// Reads all of the journal at `path`: what it proves, how many bytes of it are whole lines, and what was torn.
pub fn load(path: &Path) -> Result<(Resumed, u64, Option<TornTail>), JournalError> {
    let mut reader = read(path)?;
    for record in reader.by_ref() {
        record?;
    }
    Ok((reader.proven, reader.good, reader.torn))
}

impl JournalReader {
    /// The unfinished last line, once the end was reached.
    pub fn torn(&self) -> Option<TornTail> {
        self.torn
    }

    /// What the records read so far prove.
    pub fn proven(&self) -> &Resumed {
        &self.proven
    }

    fn step(&mut self) -> Result<Option<Record>, JournalError> {
        self.line.clear();
        let failed = |e: std::io::Error| JournalError::read(&self.path, &e);
        let length = self.input.read_until(b'\n', &mut self.line).map_err(failed)? as u64;
        let number = self.proven.records() + 1;
        let damaged = |detail: String| JournalError::damaged(&self.path, number, detail);
        if length == 0 {
            // A journal is born with its header in it.
            return if number == 1 { Err(damaged("it is empty".into())) } else { Ok(None) };
        }
        let whole = self.line.strip_suffix(b"\n");
        let (seq, json) = match whole.ok_or(LineFault::NotWhole).and_then(decode) {
            Ok(parts) => parts,
            Err(LineFault::Checksum) => {
                return Err(damaged("its checksum is not that of its content".into()));
            }
            Err(LineFault::NotWhole) => {
                // What a crash cuts off ends before its newline; a line with one was whole, and was changed since.
                if whole.is_some() || number == 1 {
                    return Err(damaged("it is not of the shape of a journal's line".into()));
                }
                self.torn = Some(TornTail { line: number, bytes: length });
                return Ok(None);
            }
        };
        if seq + 1 != number {
            return Err(damaged(format!("it bears the number {seq} where {} follows", number - 1)));
        }
        let record: Record = serde_json::from_slice(json)
            .map_err(|e| damaged(format!("{e}; perhaps a later version of tether-recon wrote it")))?;
        if let Record::Header(header) = &record
            && header.format > JOURNAL_FORMAT
        {
            return Err(damaged(format!(
                "its format is {}, this version reads up to {JOURNAL_FORMAT}; use the version that wrote it",
                header.format
            )));
        }
        self.proven.take(&record).map_err(|c| damaged(c.to_string()))?;
        self.good += length;
        Ok(Some(record))
    }
}

impl Iterator for JournalReader {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::encode;
    use super::super::testing::{header, intent, outcome, undecided};
    use super::{Record, load, read};
    use crate::journal::{JournalError, TornTail};
    use crate::model::Outcome;
    use std::path::PathBuf;

    fn written(records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (seq, record) in (0..).zip(records) {
            encode(seq, &serde_json::to_vec(record).unwrap(), &mut bytes);
        }
        bytes
    }

    fn sample() -> Vec<Record> {
        let mut records = vec![header()];
        for row in 0..4 {
            records.extend([intent(row, 1), undecided(row, true), intent(row, 2), outcome(row, Outcome::Applied)]);
        }
        records
    }

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn wherever_the_end_is_cut_off_the_whole_lines_stand_and_the_torn_one_is_named() {
        let records = sample();
        let bytes = written(&records);
        let header_end = written(&records[..1]).len();
        for cut in header_end..=bytes.len() {
            let (_folder, path) = file_with(&bytes[..cut]);
            let (resumed, good, torn) = load(&path).unwrap();
            let whole = bytes[..cut].split(|b| *b == b'\n').count() - 1;
            let good_expected = bytes[..cut].iter().rposition(|b| *b == b'\n').unwrap() + 1;
            assert_eq!((resumed.records(), good), (whole as u64, good_expected as u64), "cut at {cut}");
            let expected =
                (cut > good_expected).then(|| TornTail { line: whole as u64 + 1, bytes: (cut - good_expected) as u64 });
            assert_eq!(torn, expected, "cut at {cut}");
        }
    }

    #[test]
    fn damage_is_refused_with_file_and_line() {
        let bytes = written(&sample());
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        let replaced = |at: usize, with: &[u8]| {
            let mut lines = lines.clone();
            lines[at] = with;
            lines.concat()
        };
        let mut flipped = bytes.clone();
        flipped[lines[..3].concat().len() + 20] ^= 4;
        let mut last = bytes.clone();
        let end = last.len() - 40;
        last[end] ^= 1;
        let last_line = lines.len();
        for (what, content, line) in [
            ("a changed byte", flipped, 4),
            ("a changed byte in the last line", last, last_line),
            ("a missing line", replaced(5, b""), 6),
            ("a line that is none", replaced(5, b"hello\n"), 6),
            ("half a line in the middle", replaced(5, &lines[5][..20]), 6),
            ("an empty line", replaced(5, b"\n"), 6),
            ("two lines exchanged", replaced(5, &[lines[6], lines[5]].concat()), 6),
            ("nothing at all", Vec::new(), 1),
            ("half a header", lines[0][..10].to_vec(), 1),
        ] {
            let (_folder, path) = file_with(&content);
            let error = load(&path).unwrap_err();
            assert!(
                matches!(&error, JournalError::Damaged { line: found, .. } if *found == line as u64),
                "{what}: {error}"
            );
            assert!(error.is_damage() && error.to_string().contains("journal.jsonl"), "{what}: {error}");
        }
    }

    #[test]
    fn a_record_that_contradicts_is_damage_even_with_a_right_checksum() {
        let (_folder, path) = file_with(&written(&[header(), outcome(1, Outcome::Created)]));
        let error = read(&path).unwrap().nth(1).unwrap().unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("no intent announced"), "{error}");
    }
}
