//! What a journal says of a few rows, without taking the others apart: the journal of a million rows is a gigabyte.

use super::line::{LineFault, decode};
use super::{JOURNAL_FORMAT, JournalError, Record};
use memchr::memmem::Finder;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What stands before a row's number. Inside a text its quotes would be escaped.
const ROW: &[u8] = b"\"row\":";

/// The records about `rows`, and those about the whole run (`header`, `resumed`, `closed`), in order. The checksum of each is
/// proved; lines about other rows are passed over.
///
/// # Errors
/// The file cannot be read, or one of these lines is damaged.
pub fn about(path: &Path, rows: &BTreeSet<u32>) -> Result<Vec<Record>, JournalError> {
    let failed = |error: std::io::Error| JournalError::read(path, &error);
    let mut input = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
    let finder = Finder::new(ROW);
    let mut line = Vec::new();
    let mut found = vec![];
    for number in 1_u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        // A line without its end was never relied upon.
        let Some(whole) = line.strip_suffix(b"\n") else { break };
        if finder.find(whole).is_some_and(|at| !row_at(&whole[at + ROW.len()..]).is_some_and(|row| rows.contains(&row)))
        {
            continue;
        }
        let damaged = |detail: String| JournalError::damaged(path, number, detail);
        let (seq, json) = decode(whole).map_err(|fault| match fault {
            LineFault::Checksum => damaged("its checksum is not that of its content".into()),
            LineFault::NotWhole => damaged("it is not of the shape of a journal's line".into()),
        })?;
        if seq + 1 != number {
            return Err(damaged(format!("it bears the number {seq} where {} follows", number - 1)));
        }
        let record = serde_json::from_slice(json)
            .map_err(|error| damaged(format!("{error}; perhaps a later version of tether-recon wrote it")))?;
        match record {
            Record::Wait { .. } => continue,
            Record::Header(ref header) if header.format > JOURNAL_FORMAT => {
                let format = header.format;
                return Err(damaged(format!("its format is {format}, this version reads up to {JOURNAL_FORMAT}")));
            }
            Record::Header(_) if number == 1 => {}
            _ if number == 1 => return Err(damaged("the first record is not a header".into())),
            _ => {}
        }
        found.push(record);
    }
    Ok(found)
}

/// The number that `bytes` begin with.
fn row_at(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::line::encode;
    use super::super::testing::{closed, header, intent, outcome, undecided};
    use super::{Record, about};
    use crate::model::Outcome;

    fn lines(records: &[Record]) -> Vec<Vec<u8>> {
        let line = |(seq, record): (u64, &Record)| {
            let mut bytes = vec![];
            encode(seq, &serde_json::to_vec(record).unwrap(), &mut bytes);
            bytes
        };
        (0..).zip(records).map(line).collect()
    }

    fn sample() -> Vec<Record> {
        let of = |row: u32| [intent(row, 1), undecided(row, true), intent(row, 2), outcome(row, Outcome::Applied)];
        [vec![header()], of(1).into(), of(12).into(), of(2).into(), vec![closed(true)]].concat()
    }

    #[test]
    fn a_row_s_records_come_with_those_of_the_run_and_no_other_row_s() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let records = sample();
        let mut bytes = lines(&records).concat();
        bytes.extend_from_slice(b"{\"seq\":14,\"rec");
        std::fs::write(&path, bytes).unwrap();
        let expected: Vec<Record> = [&records[..1], &records[9..14]].concat();
        assert_eq!(about(&path, &[2].into()).unwrap(), expected, "neither 12 nor what is torn");
    }

    #[test]
    fn damage_is_named_where_it_is_about_the_row_and_passed_over_where_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut all = lines(&sample());
        let at = all[4].len() - 30;
        all[4][at] ^= 1;
        std::fs::write(&path, all.concat()).unwrap();
        assert!(about(&path, &[2].into()).is_ok());
        let error = about(&path, &[1].into()).unwrap_err();
        assert!(error.is_damage() && error.to_string().contains("line 5"), "{error}");
    }
}
