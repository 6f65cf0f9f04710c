//! A report that stands in a folder, held against what the run's data give.

use super::ReportError;
use super::files::two_at_a_time;
use super::format::{RENDERINGS, Rendering};
use super::model::ReportModel;
use super::verdict::Ending;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// One file of a report, made again and held against the one that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub file: &'static str,
    /// Where the two begin to differ; `None`: nowhere.
    pub difference: Option<Difference>,
}

/// Where a file begins to differ from what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Bytes that are the same before it.
    pub offset: u64,
    /// The line it is in, from 1; of a workbook it says nothing.
    pub line: u64,
    /// What should stand there, up to the line's end; empty where the file should end.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// The longest text of a difference that is shown, in bytes.
const SHOWN: usize = 60;

/// Makes those files of the report in `folder` again that `wanted` names, and says of each whether it is the same, byte for
/// byte. Nothing is written.
pub fn compare_report(
    folder: &Path,
    model: &ReportModel,
    ending: Ending,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Compared>, ReportError> {
    let wanted: Vec<&Rendering> = RENDERINGS.iter().filter(|one| wanted(one.file)).collect();
    two_at_a_time(&wanted, |rendering| compare(folder, model, ending, rendering)).into_iter().collect()
}

fn compare(folder: &Path, model: &ReportModel, ending: Ending, rendering: &Rendering) -> Result<Compared, ReportError> {
    let path = folder.join(rendering.file);
    let failed = |source| ReportError::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(failed)?;
    let against = Against {
        file: BufReader::with_capacity(1 << 20, file),
        offset: 0,
        line: 1,
        buffer: Vec::new(),
        difference: None,
        refused: None,
    };
    let mut out = BufWriter::with_capacity(1 << 20, against);
    let rendered = (rendering.write)(model, ending, &mut out);
    let flushed = out.flush();
    let mut against = out.into_parts().0;
    if let Some(source) = against.refused.take() {
        return Err(failed(source));
    }
    rendered?;
    flushed.map_err(failed)?;
    against.end().map_err(failed)?;
    Ok(Compared { file: rendering.file, difference: against.difference })
}

/// Takes what should stand in a file, and reads along.
struct Against {
    file: BufReader<File>,
    offset: u64,
    line: u64,
    buffer: Vec<u8>,
    difference: Option<Difference>,
    refused: Option<io::Error>,
}

impl Against {
    fn take(&mut self, expected: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        self.file.by_ref().take(expected.len() as u64).read_to_end(&mut self.buffer)?;
        let same = expected.iter().zip(&self.buffer).take_while(|(a, b)| a == b).count();
        self.offset += same as u64;
        self.line += memchr::memchr_iter(b'\n', &expected[..same]).count() as u64;
        if same < expected.len() {
            let mut rest = [0; SHOWN];
            let more = self.file.read(&mut rest)?;
            self.buffer.extend_from_slice(&rest[..more]);
            self.differs(&expected[same..], same);
        }
        Ok(())
    }

    /// Nothing more is expected.
    fn end(&mut self) -> io::Result<()> {
        if self.difference.is_none() {
            self.buffer.clear();
            self.file.by_ref().take(SHOWN as u64).read_to_end(&mut self.buffer)?;
            if !self.buffer.is_empty() {
                self.differs(&[], 0);
            }
        }
        Ok(())
    }

    fn differs(&mut self, expected: &[u8], same: usize) {
        self.difference = Some(Difference {
            offset: self.offset,
            line: self.line,
            expected: shown(expected),
            found: shown(&self.buffer[same..]),
        });
    }
}

/// The beginning of `bytes`, up to the line's end, for a person.
fn shown(bytes: &[u8]) -> String {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()).min(SHOWN);
    String::from_utf8_lossy(&bytes[..end]).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

impl Write for Against {
    fn write(&mut self, expected: &[u8]) -> io::Result<usize> {
        // Behind the first difference there is nothing to learn.
        if self.difference.is_none()
            && let Err(error) = self.take(expected)
        {
            let kind = error.kind();
            self.refused = Some(error);
            return Err(kind.into());
        }
        Ok(expected.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
