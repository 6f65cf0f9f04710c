//! Existing customers as Parquet: one column per member of the vendor's customer object.

use super::{MEMBERS, RawExisting};
use crate::load::fault::Origin;
use crate::load::headings::find;
use crate::load::{LoadError, parquet};

/// Where each member stands in the file.
///
/// # Errors
/// None of them is there.
pub(super) fn columns(
    headings: &[String],
    origin: &Origin<'_>,
) -> Result<Vec<(&'static str, Option<usize>)>, LoadError> {
    let wanted: Vec<_> = MEMBERS.iter().map(|member| (*member, find(headings, &[*member]))).collect();
    if wanted.iter().all(|(_, column)| column.is_none()) {
        let detail = format!("none of its columns is a member of Tether's customer: {}", MEMBERS.join(", "));
        return Err(LoadError::Unrecognised { file: origin.file.to_owned(), detail });
    }
    Ok(wanted)
}

/// Reads the file's known columns; the `line` of a row is its number from 1.
pub(super) fn read(bytes: &[u8], origin: &Origin<'_>) -> Result<RawExisting, LoadError> {
    let headings = parquet::headings(bytes, origin)?;
    let wanted = columns(&headings, origin)?;
    let (frame, rejections) = parquet::read(bytes, &headings, &wanted, ("tether_id", None), origin)?;
    Ok(RawExisting {
        rows: (frame.height() + rejections.len()) as u64,
        frame,
        rejections,
        breaks: Vec::new(),
        shape: "existing Tether customers (Parquet)",
        encoding: None,
        dialect: None,
    })
}
