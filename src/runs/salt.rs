//! The salt of redacted reports: one of the state folder, so that nights can be joined, and a copy of it in every run's folder
//! whose report is redacted, so that the report can be proved from there. Never in `report/`.

use super::{RunFolder, RunsError, create_private_dir, read_regular, write_atomic};
use crate::redact::Salt;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// The file's name, in the state folder and in a run's.
pub(super) const SALT: &str = "redaction.salt";

/// The salt of the state folder; `fresh` becomes it where there is none yet. Its owner alone may read it.
pub fn salt_of(state: &Path, fresh: &Salt) -> Result<Salt, RunsError> {
    let path = state.join(SALT);
    if !path.exists() {
        create_private_dir(state)?;
        let failed = |doing| move |source| RunsError::io(doing, &state.join(SALT), source);
        // Created with mode 0600. Of two that begin in one moment the first one's stands.
        let mut temporary = tempfile::Builder::new().prefix(".tmp-").tempfile_in(state).map_err(failed("create"))?;
        temporary.write_all(fresh.to_file().as_bytes()).map_err(failed("write"))?;
        temporary.as_file().sync_all().map_err(failed("sync"))?;
        match temporary.persist_noclobber(&path) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => return Err(failed("write")(error.error)),
            _ => super::files::sync_folder(state)?,
        }
    }
    read(&path)
}

impl RunFolder {
    /// Keeps the salt that the run's report is redacted with.
    pub fn write_salt(&self, salt: &Salt) -> Result<(), RunsError> {
        write_atomic(&self.path().join(SALT), |file| file.write_all(salt.to_file().as_bytes()))
    }

    /// The salt that the run's report is redacted with.
    pub fn read_salt(&self) -> Result<Salt, RunsError> {
        read(&self.path().join(SALT))
    }

    /// The salt's name in the folder.
    pub const fn salt_name() -> &'static str {
        SALT
    }
}

fn read(path: &Path) -> Result<Salt, RunsError> {
    let bytes = read_regular(path).map_err(|source| RunsError::io("read", path, source))?;
    let salt = std::str::from_utf8(&bytes).ok().and_then(Salt::from_file);
    salt.ok_or_else(|| RunsError::Salt { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{SALT, salt_of};
    use crate::redact::{SALT_BYTES, Salt};
    use crate::runs::RunsError;

    #[test]
    fn a_state_folder_has_one_salt_that_its_owner_alone_reads() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let [first, second] = [1, 2].map(|byte| Salt::new([byte; SALT_BYTES]));
        assert_eq!(salt_of(&state, &first).unwrap(), first);
        assert_eq!(salt_of(&state, &second).unwrap(), first);
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(state.join(SALT)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(state.join(SALT), "cut of").unwrap();
        assert!(matches!(salt_of(&state, &first), Err(RunsError::Salt { .. })));
    }
}
