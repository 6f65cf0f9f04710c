//! The plan as a file: `plan.parquet`, and beside it `accounting.parquet`, from which the report can be written again.

use super::PlanError;
use crate::model::hex;
use crate::table::{Accounting, PlanRows};
use polars::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// Rows in one group of the file: enough to compress well, few enough to write two at a time.
const ROWS_PER_GROUP: usize = 262_144;

/// Writes `plan.parquet` and returns the plan's hash: SHA-256 over the file's bytes, lower-case hexadecimal.
///
/// The bytes depend on the rows alone, so the same plan has the same hash.
pub fn write_plan(rows: &PlanRows, file: &mut dyn Write) -> Result<String, PlanError> {
    write(rows.frame(), file)
}

/// Reads `plan.parquet`.
pub fn read_plan(file: File) -> Result<PlanRows, PlanError> {
    Ok(PlanRows::new(ParquetReader::new(file).finish()?)?)
}

/// The rows of `plan.parquet` for which `wanted` holds over the columns `over`, at most `most` of them.
pub fn find_plan_rows(file: &File, over: &[&str], wanted: &Expr, most: usize) -> Result<PlanRows, PlanError> {
    Ok(match find(file, over, wanted, most)? {
        Some(rows) => PlanRows::new(rows)?,
        None => PlanRows::empty(),
    })
}

/// The rows of `accounting.parquet` for which `wanted` holds over the columns `over`, at most `most` of them.
pub fn find_accounting_rows(file: &File, over: &[&str], wanted: &Expr, most: usize) -> Result<Accounting, PlanError> {
    Ok(match find(file, over, wanted, most)? {
        Some(rows) => Accounting::new(rows)?,
        None => Accounting::empty(),
    })
}

/// Looks through `over` group by group, and reads whole only the rows that are wanted: a plan of a million rows is never in
/// memory. (polars' lazy scan of Parquet needs its streaming engine, which nothing else here uses.)
fn find(file: &File, over: &[&str], wanted: &Expr, most: usize) -> Result<Option<DataFrame>, PlanError> {
    let reader = || Ok::<_, PlanError>(ParquetReader::new(file.try_clone().map_err(PolarsError::from)?));
    let height = reader()?.num_rows()?;
    let mut places = vec![];
    for start in (0..height).step_by(ROWS_PER_GROUP) {
        let columns = over.iter().map(|name| (*name).to_owned()).collect();
        let group = reader()?.with_columns(Some(columns)).with_slice(Some((start, ROWS_PER_GROUP))).finish()?;
        let found = group.lazy().select([wanted.clone().alias("wanted")]).collect()?;
        let found = found.column("wanted")?.bool()?;
        places.extend(found.iter().enumerate().filter(|(_, is)| *is == Some(true)).map(|(row, _)| start + row));
    }
    places.truncate(most);
    let mut rows: Option<DataFrame> = None;
    for place in places {
        let row = reader()?.with_slice(Some((place, 1))).finish()?;
        rows = Some(match rows {
            Some(rows) => rows.vstack(&row)?,
            None => row,
        });
    }
    Ok(rows)
}

/// Writes `accounting.parquet`.
pub fn write_accounting(rows: &Accounting, file: &mut dyn Write) -> Result<String, PlanError> {
    write(rows.frame(), file)
}

/// Reads `accounting.parquet`.
pub fn read_accounting(file: File) -> Result<Accounting, PlanError> {
    Ok(Accounting::new(ParquetReader::new(file).finish()?)?)
}

fn write(rows: &DataFrame, file: &mut dyn Write) -> Result<String, PlanError> {
    let mut out = Hashing { inner: BufWriter::with_capacity(1 << 20, file), digest: Sha256::new() };
    // One chunk per column: how the frame came together must not show in the bytes.
    let mut rows = rows.clone();
    rows.rechunk_mut();
    ParquetWriter::new(&mut out)
        .with_compression(ParquetCompression::Lz4Raw)
        .with_row_group_size(Some(ROWS_PER_GROUP))
        .finish(&mut rows)?;
    out.flush().map_err(PolarsError::from)?;
    Ok(hex(&out.digest.finalize()))
}

/// Hashes what is written on its way to the file.
struct Hashing<W> {
    inner: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
