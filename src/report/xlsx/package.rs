//! The finished file: the skeleton with each table's rows put in, as they come.

use super::book::Book;
use super::styles::Styles;
use crate::report::ReportError;
use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// A sheet whose rows may be longer than this many bytes is written with 64-bit lengths.
const LONG: u64 = u32::MAX as u64;

/// The skeleton, taken apart.
pub(super) struct Skeleton {
    /// Every member of the archive in its order, those of the tables' sheets left out.
    members: Vec<(String, Vec<u8>)>,
    /// What stands before and behind the rows of each table's sheet, in the order of the book.
    sheets: Vec<(String, String)>,
    /// The numbers of the formats.
    pub(super) styles: Styles,
}

fn unexpected(what: &str) -> ReportError {
    ReportError::Render { file: super::NAME, detail: format!("the workbook's skeleton {what}") }
}

fn sheet_member(index: usize) -> String {
    // The first is the summary.
    format!("xl/worksheets/sheet{}.xml", index + 2)
}

impl Skeleton {
    /// Takes the file of a workbook without rows apart.
    pub(super) fn open(file: Vec<u8>, book: &Book) -> Result<Self, ReportError> {
        let mut archive = ZipArchive::new(Cursor::new(file)).map_err(failed)?;
        let mut members = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            let mut member = archive.by_index(index).map_err(failed)?;
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).map_err(written)?;
            members.push((member.name().map_err(failed)?.into_owned(), bytes));
        }
        let places: HashMap<String, usize> = (0..book.parts.len()).map(|index| (sheet_member(index), index)).collect();
        let (sheets, members): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| places.contains_key(name));
        let mut found = vec![None; book.parts.len()];
        let mut styles = None;
        for (name, xml) in sheets {
            let part = &book.parts[places[&name]];
            let xml = String::from_utf8(xml).map_err(|_| unexpected("is not UTF-8"))?;
            let (before, rest) = xml.split_once("<row r=\"2\"").ok_or_else(|| unexpected("has no sample row"))?;
            let (sample, after) = rest.split_once("</sheetData>").ok_or_else(|| unexpected("has no end of rows"))?;
            styles = styles.or(Styles::read(sample));
            let (head, rest) = before.split_once("<dimension ref=\"").ok_or_else(|| unexpected("has no extent"))?;
            let (_, rest) = rest.split_once('"').ok_or_else(|| unexpected("has no end of its extent"))?;
            let before = format!("{head}<dimension ref=\"{}\"{rest}", part.extent());
            found[places[&name]] = Some((before, format!("</sheetData>{after}")));
        }
        let sheets = found.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| unexpected("lacks a sheet"))?;
        Ok(Self { members, sheets, styles: styles.ok_or_else(|| unexpected("has no styles"))? })
    }
}

/// What the rows of the tables come as: for each sheet of the book one [`Piece::Sheet`], then its rows.
pub(super) enum Piece {
    /// The next sheet begins; the most bytes that its rows can have.
    Sheet(u64),
    /// Some of its rows as XML.
    Rows(Vec<u8>),
}

/// Writes the finished file into `out`.
pub(super) fn write(
    out: &mut dyn Write,
    skeleton: &Skeleton,
    pieces: impl IntoIterator<Item = Piece>,
) -> Result<(), ReportError> {
    let mut zip = ZipWriter::new_stream(out);
    for (name, bytes) in &skeleton.members {
        zip.start_file(name, options(false)).map_err(failed)?;
        zip.write_all(bytes).map_err(written)?;
    }
    let mut sheets = skeleton.sheets.iter().enumerate();
    let mut open: Option<&str> = None;
    for piece in pieces {
        match piece {
            Piece::Sheet(bytes) => {
                close(&mut zip, open)?;
                let (index, (before, after)) = sheets.next().ok_or_else(|| unexpected("has too few sheets"))?;
                zip.start_file(sheet_member(index), options(bytes >= LONG)).map_err(failed)?;
                zip.write_all(before.as_bytes()).map_err(written)?;
                open = Some(after);
            }
            Piece::Rows(xml) => zip.write_all(&xml).map_err(written)?,
        }
    }
    close(&mut zip, open)?;
    if sheets.next().is_some() {
        return Err(unexpected("has sheets whose rows never came"));
    }
    zip.finish().map_err(failed)?;
    Ok(())
}

fn close<W: Write>(zip: &mut ZipWriter<StreamWriter<W>>, open: Option<&str>) -> Result<(), ReportError> {
    zip.write_all(open.unwrap_or_default().as_bytes()).map_err(written)
}

/// No clock: the same rows give the same bytes.
fn options(long: bool) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        .large_file(long)
}

/// How hard rows are pressed: XML of cells shrinks to a tenth at any level.
const LEVEL: i64 = 3;

fn failed(error: zip::result::ZipError) -> ReportError {
    match error {
        zip::result::ZipError::Io(source) => written(source),
        other => ReportError::Render { file: super::NAME, detail: other.to_string() },
    }
}

fn written(source: std::io::Error) -> ReportError {
    ReportError::Write { path: super::NAME.into(), source }
}
