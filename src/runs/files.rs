//! Files that appear whole or not at all, readable by their owner alone.

use super::{RunsError, Watched};
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Creates `path` and the folders above it; those it creates are open to their owner only.
pub fn create_private_dir(path: &Path) -> Result<(), RunsError> {
    private_dirs().recursive(true).create(path).map_err(|e| RunsError::io("create the folder", path, e))
}

/// Creates the folder `path`, open to its owner only, in a folder that is there.
pub fn private_dir(path: &Path) -> io::Result<()> {
    private_dirs().create(path)
}

/// Creates the folder `path`, and refuses one that is there.
pub(super) fn create_new_private_dir(path: &Path) -> Result<(), RunsError> {
    private_dir(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => RunsError::Exists { path: path.to_owned() },
        _ => RunsError::io("create the folder", path, e),
    })
}

fn private_dirs() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "a mode is Unix's"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

/// Writes `path` through `fill`: a temporary file in the same folder, synced, renamed over `path`, the folder synced.
/// A reader sees the old content or the new, never a part; after a failure the old content stands and nothing is left.
pub fn write_atomic<T>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, RunsError> {
    write_whole(path, fill, false)
}

/// As [`write_atomic`], for a file that another user's program is to read: all may.
pub fn write_atomic_readable<T>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, RunsError> {
    write_whole(path, fill, true)
}

fn write_whole<T>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    readable_by_all: bool,
) -> Result<T, RunsError> {
    let failed = |doing| move |e| RunsError::io(doing, path, e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The temporary file is created with mode 0600.
    let mut temporary = tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder).map_err(failed("create"))?;
    let mut watched = Watched::new(temporary.as_file_mut());
    let result = fill(&mut watched);
    let result = watched.verdict(result).map_err(failed("write"))?;
    if readable_by_all {
        readable(temporary.as_file()).map_err(failed("let all read"))?;
    }
    temporary.as_file().sync_all().map_err(failed("sync"))?;
    temporary.persist(path).map_err(|e| failed("rename a new file to")(e.error))?;
    sync_folder(folder)?;
    Ok(result)
}

/// Whatever the umask: it is asked for.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), RunsError> {
    if cfg!(unix) {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| RunsError::io("sync the folder", folder, e))?;
    }
    Ok(())
}

/// Opens a file of a run's folder, which may be a copy from elsewhere: a pipe or a device in its place would be read for
/// ever.
pub fn open_regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::Error::other("it is no regular file")) }
}

/// All of such a file.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{create_private_dir, write_atomic};
    use std::io::Error;

    #[test]
    fn a_write_that_fails_leaves_the_old_content_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, |f| f.write_all(b"old")).unwrap();
        let error = write_atomic(&path, |f| {
            f.write_all(b"half of the n")?;
            Err::<(), _>(Error::other("disk full"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("a.json") && error.to_string().contains("disk full"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("state/runs");
        create_private_dir(&inner).unwrap();
        let file = inner.join("a");
        write_atomic(&file, |f| f.write_all(b"x")).unwrap();
        let mode = |p: &std::path::Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&folder.path().join("state")), mode(&file)), (0o700, 0o700, 0o600));
    }
}
