//! The baseline: Tether's customers as its own replies last showed them, kept between runs.
//!
//! In: the `customer` of every reply; the existing customers of an export. Out: what Tether holds as far as is known,
//! and a hash of it. Never: the network, a clock, a guess: where export and reply disagree, the later one stands.
//!
//! Files: `<state>/baseline/<product>.parquet`, the product's name percent-encoded, the columns of
//! [`Existing`] with `file` and `line` null. Two rows are the same customer when their Tether ids are equal; where one has
//! none, when their external ids are; where one has none of those either, when their e-mails are.

mod compare;
mod hash;
mod merge;
mod pair;
mod replies;
#[cfg(test)]
mod tests;

pub use compare::{Difference, difference};
pub use hash::hash;
pub use merge::{Merged, merge};

use crate::model::{Instant, TetherCustomer};
use crate::runs::{RunsError, create_private_dir, remedy, write_atomic};
use crate::table::{Existing, SchemaError};
use polars::prelude::*;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The baseline cannot be read, written or compared.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// A file cannot be read.
    #[error("failed to read the baseline `{}`: {source}; {}", path.display(), remedy(source))]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no baseline of this program.
    #[error("the baseline {} cannot be read ({detail}); make it again with `baseline rebuild`, or move it away to start from the export alone", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file could not be put in its place.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A table lacks a column: a bug.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// polars refused a query: a bug, or no memory.
    #[error("comparing baseline and export failed: {0}")]
    Polars(#[from] PolarsError),
}

/// Replies held one by one at a time; the rest of a long run is columns.
const AT_A_TIME: usize = 1 << 17;

/// The baselines of one state folder.
#[derive(Debug, Clone)]
pub struct Baseline {
    folder: PathBuf,
}

impl Baseline {
    /// The baselines below the state folder `state`; nothing is read or made yet.
    pub fn open(state: &Path) -> Self {
        Self { folder: state.join("baseline") }
    }

    /// The file of one product.
    pub fn path(&self, product: &str) -> PathBuf {
        self.folder.join(format!("{}.parquet", percent_encoded(product)))
    }

    /// What replies showed of `product`'s customers, ordered by Tether id, external id and e-mail; `None`: no reply was
    /// ever kept.
    pub fn load(&self, product: &str) -> Result<Option<Existing>, BaselineError> {
        let path = self.path(product);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(BaselineError::File { path, source }),
        };
        let frame = ParquetReader::new(file)
            .finish()
            .map_err(|error| BaselineError::Damaged { path: path.clone(), detail: error.to_string() })?;
        Existing::new(frame).map(Some).map_err(|error| BaselineError::Damaged { path, detail: error.to_string() })
    }

    /// SHA-256 over the content of the products' baselines, see [`hash()`]. Reads them; a caller that already has them
    /// uses the function.
    pub fn hash<'a>(&self, products: impl IntoIterator<Item = &'a str>) -> Result<String, BaselineError> {
        let loaded: Vec<_> = products
            .into_iter()
            .map(|product| Ok((product, self.load(product)?)))
            .collect::<Result<_, BaselineError>>()?;
        hash(loaded.iter().map(|(product, rows)| (*product, rows.as_ref())))
    }

    /// Takes replies into `product`'s baseline, in the order in which they came, and tells how many customers it then
    /// holds. `digits` are those of the account's currency; `seen_at` stands in where a reply has no `updated_at`.
    ///
    /// The later state of a customer stands, on a tie the reply. An external id or an e-mail that a later reply shows on
    /// another customer is taken from the earlier one. Doing it twice changes nothing; without replies, or when one of
    /// them cannot be read, nothing is written.
    pub fn update<E: From<BaselineError>>(
        &self,
        product: &str,
        replies: impl Iterator<Item = Result<TetherCustomer, E>>,
        digits: u8,
        seen_at: Instant,
    ) -> Result<u64, E> {
        self.update_by(AT_A_TIME, product, replies, digits, seen_at)
    }

    fn update_by<E: From<BaselineError>>(
        &self,
        at_a_time: usize,
        product: &str,
        replies: impl Iterator<Item = Result<TetherCustomer, E>>,
        digits: u8,
        seen_at: Instant,
    ) -> Result<u64, E> {
        let (held, changed) = taught_by(at_a_time, self.load(product)?, replies, digits, seen_at)?;
        let Some(held) = held else { return Ok(0) };
        let customers = held.len() as u64;
        if changed {
            self.put(product, held)?;
        }
        Ok(customers)
    }

    /// Makes `rows` the baseline of `product`: its file appears whole, in the place of the one before.
    pub fn put(&self, product: &str, rows: Existing) -> Result<(), BaselineError> {
        create_private_dir(&self.folder)?;
        let mut frame = rows.into_frame();
        write_atomic(&self.path(product), |file| {
            ParquetWriter::new(file).finish(&mut frame).map(drop).map_err(std::io::Error::other)
        })?;
        Ok(())
    }
}

/// What is `held` after these replies, as [`Baseline::update`] takes them, and whether there was any. Nothing is read or
/// written but the replies.
pub fn taught<E: From<BaselineError>>(
    held: Option<Existing>,
    replies: impl Iterator<Item = Result<TetherCustomer, E>>,
    digits: u8,
    seen_at: Instant,
) -> Result<(Option<Existing>, bool), E> {
    taught_by(AT_A_TIME, held, replies, digits, seen_at)
}

fn taught_by<E: From<BaselineError>>(
    at_a_time: usize,
    mut held: Option<Existing>,
    replies: impl Iterator<Item = Result<TetherCustomer, E>>,
    digits: u8,
    seen_at: Instant,
) -> Result<(Option<Existing>, bool), E> {
    let mut changed = false;
    let mut failure = None;
    let mut replies = replies.map_while(|reply| reply.map_err(|error| failure = Some(error)).ok()).fuse().peekable();
    while replies.peek().is_some() {
        let taken = replies::table(replies.by_ref().take(at_a_time), digits, seen_at)?;
        if !taken.is_empty() {
            held = Some(merge::take_replies(held.unwrap_or_else(Existing::empty), taken)?);
            changed = true;
        }
    }
    drop(replies);
    failure.map_or(Ok((held, changed)), Err)
}

/// `name` as a file name on any system: everything but ASCII letters, digits, `-` and `_` as `%XX`.
fn percent_encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}
