//! Which files a pattern means, and what identifies each: its bytes' SHA-256, their number, and when it was written.

use super::{LoadError, gzip};
use crate::model::{InputFile, Instant, hex};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A file as read from disk, once.
#[derive(Clone)]
pub(super) struct RawFile {
    /// What it holds, unpacked.
    pub bytes: Vec<u8>,
    /// Of the file as it lies there.
    pub sha256: String,
    /// Bytes of the file as it lies there.
    pub length: u64,
    /// It was compressed with gzip.
    pub gzip: bool,
    pub modified: Option<Instant>,
}

/// The files that `pattern` means, sorted by path. A pattern without any file is an error: an export that never came.
pub(super) fn expand(pattern: &str, key: &str) -> Result<Vec<PathBuf>, LoadError> {
    let bad = |message: String| LoadError::BadPattern { key: key.to_owned(), pattern: pattern.to_owned(), message };
    let mut paths = Vec::new();
    for entry in glob::glob(pattern).map_err(|error| bad(error.to_string()))? {
        let path = entry.map_err(|error| LoadError::Unreadable {
            file: error.path().display().to_string(),
            source: error.into(),
        })?;
        if !path.is_dir() && !is_marker(&path) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(LoadError::NoMatch { key: key.to_owned(), pattern: pattern.to_owned() });
    }
    paths.sort();
    Ok(paths)
}

/// An empty file by which a loader says that it is done (`_SUCCESS`, `coreapi_SUCCESS`): no export.
fn is_marker(path: &Path) -> bool {
    let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with("_SUCCESS"));
    named && std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
}

/// `path` as reports show it: relative to `base` where it lies below it.
pub(super) fn shown(path: &Path, base: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).display().to_string()
}

/// A reader that takes the digest of all that passes through it.
struct Digested<R> {
    inner: R,
    digest: Sha256,
    length: u64,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(&buffer[..count]);
        self.length += count as u64;
        Ok(count)
    }
}

/// Reads the whole file once, unpacks it where it is compressed with gzip, and takes the fingerprint of what lies there.
/// A file of more than `most` bytes, as it lies there or unpacked, is refused.
pub(super) fn read(path: &Path, shown: &str, most: u64) -> Result<RawFile, LoadError> {
    /// Large enough that a call to the system costs nothing beside the bytes it brings.
    const PIECE: usize = 1 << 18;
    let unreadable = |source| LoadError::Unreadable { file: shown.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let too_much =
        || LoadError::TooMuch { file: shown.to_owned(), what: "bytes, unpacked", limit: most, key: "file_bytes" };
    if metadata.len() > most {
        return Err(too_much());
    }
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|age| i64::try_from(age.as_secs()).ok())
        .and_then(Instant::from_epoch_seconds);
    let mut reader = BufReader::with_capacity(PIECE, Digested { inner: file, digest: Sha256::new(), length: 0 });
    let gzip = reader.fill_buf().map_err(unreadable)?.starts_with(gzip::MAGIC);
    let bytes = if gzip {
        gzip::unpack(&mut reader, metadata.len(), most).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => too_much(),
            ErrorKind::InvalidData => LoadError::Broken { file: shown.to_owned(), detail: error.to_string() },
            _ => unreadable(error),
        })?
    } else {
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1));
        // What is no file on a disk (a pipe, a device) has no length, and may have no end.
        reader.by_ref().take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > most {
            return Err(too_much());
        }
        bytes
    };
    let Digested { digest, length, .. } = reader.into_inner();
    Ok(RawFile { bytes, sha256: hex(&digest.finalize()), length, gzip, modified })
}

/// SHA-256 of a file's bytes, lower-case hexadecimal, read piece by piece.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut file = std::fs::File::open(path)?;
    std::io::copy(&mut file, &mut digest)?;
    Ok(hex(&digest.finalize()))
}

/// Whether the files that a run was planned from still hold what it read; `base` is what their paths are relative to.
///
/// # Errors
/// The first file that is gone or that holds something else.
pub fn unchanged(files: &[InputFile], base: &Path) -> Result<(), LoadError> {
    for file in files {
        let found = sha256(&base.join(&file.path))
            .map_err(|source| LoadError::Unreadable { file: file.path.clone(), source })?;
        if found != file.sha256 {
            return Err(LoadError::Changed { file: file.path.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{expand, read, shown};
    use crate::load::LoadError;

    #[test]
    fn a_pattern_gives_its_files_in_order_of_path_and_one_without_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv"] {
            std::fs::write(folder.path().join(name), "id\n").unwrap();
        }
        let pattern = folder.path().join("*.csv").display().to_string();
        let names: Vec<_> =
            expand(&pattern, "[stripe] customers").unwrap().iter().map(|path| shown(path, folder.path())).collect();
        assert_eq!(names, ["a.csv", "b.csv"]);
        let none = folder.path().join("*.parquet").display().to_string();
        let error = expand(&none, "[stripe] customers").unwrap_err();
        assert!(matches!(error, LoadError::NoMatch { .. }));
        assert!(error.to_string().contains("*.parquet"), "{error}");
        assert!(matches!(expand("a[", "k"), Err(LoadError::BadPattern { .. })));
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "abc").unwrap();
        let raw = read(&path, "x", 1000).unwrap();
        assert_eq!(raw.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(raw.modified.is_some());
        assert_eq!((raw.length, raw.gzip), (3, false));
        assert!(read(&folder.path().join("y"), "y", 1000).err().unwrap().to_string().starts_with("cannot read y"));
    }
}
