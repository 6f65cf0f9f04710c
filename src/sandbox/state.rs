//! The state file: every product's customers, one JSON object per line, `{"product": …, "customer": {…}}`.

use super::SandboxError;
use super::customer::Customer;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::Path;
use tempfile::NamedTempFile;

#[derive(Serialize)]
struct LineOut<'a> {
    product: &'a str,
    customer: &'a Customer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    product: String,
    customer: Customer,
}

/// Reads the file and gives each customer to `take`; false when there is no file yet.
pub(super) fn load(
    path: &Path,
    mut take: impl FnMut(&str, Customer) -> Result<(), String>,
) -> Result<bool, SandboxError> {
    let refuse = |source| SandboxError::File { verb: "read", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refuse(error)),
    };
    for (index, line) in BufReader::with_capacity(1 << 18, file).lines().enumerate() {
        let line = line.map_err(refuse)?;
        serde_json::from_str::<LineIn>(&line)
            .map_err(|error| error.to_string())
            .and_then(|line| take(&line.product, line.customer))
            .map_err(|detail| SandboxError::State { path: path.to_owned(), line: index + 1, detail })?;
    }
    Ok(true)
}

/// A state file being written: it appears whole when it is finished, or not at all.
pub(super) struct StateWriter<'a> {
    path: &'a Path,
    file: BufWriter<NamedTempFile>,
}

impl<'a> StateWriter<'a> {
    /// Begins beside `path`.
    pub(super) fn begin(path: &'a Path) -> Result<Self, SandboxError> {
        let file = NamedTempFile::new_in(folder(path)).map_err(|source| failed(path, source))?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 18, file) })
    }

    /// Writes one product's customers.
    pub(super) fn write(&mut self, product: &str, customers: &[Customer]) -> Result<(), SandboxError> {
        for customer in customers {
            serde_json::to_writer(&mut self.file, &LineOut { product, customer })
                .map_err(std::io::Error::from)
                .and_then(|()| self.file.write_all(b"\n"))
                .map_err(|source| failed(self.path, source))?;
        }
        Ok(())
    }

    /// Makes it durable and puts it in its place.
    pub(super) fn finish(self) -> Result<(), SandboxError> {
        let path = self.path;
        let file = self.file.into_inner().map_err(|error| failed(path, error.into_error()))?;
        file.as_file().sync_all().map_err(|source| failed(path, source))?;
        file.persist(path).map_err(|error| failed(path, error.error))?;
        File::open(folder(path)).and_then(|folder| folder.sync_all()).map_err(|source| failed(path, source))
    }
}

/// The folder that a file's name stands in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(path: &Path, source: std::io::Error) -> SandboxError {
    SandboxError::File { verb: "write", path: path.to_owned(), source }
}
