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
