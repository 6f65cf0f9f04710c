//! One run at a time per state folder.

use super::{RunsError, create_private_dir};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The lock on a state folder, held until dropped. The operating system frees it when the process dies, however it dies.
#[derive(Debug)]
pub struct StateLock {
    file: File,
}

/// The lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it (exit 7).
    #[error("another run holds the lock on `{}`: process {holder}; wait for it to end, or stop it", state.display())]
    Held {
        /// The state folder.
        state: std::path::PathBuf,
        /// Its process id, or `unknown` in the moment before the holder has written it.
        holder: String,
    },
    /// The lock file could not be used.
    #[error(transparent)]
    Runs(#[from] RunsError),
}

impl StateLock {
    /// Takes the lock on `state` for this process, at once or not at all; creates the folder if need be.
    pub fn acquire(state: &Path) -> Result<Self, LockError> {
        create_private_dir(state)?;
        let path = state.join("lock");
        let failed = |e| RunsError::io("lock", &path, e);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if known { holder.trim().to_owned() } else { "unknown".to_owned() };
                return Err(LockError::Held { state: state.to_owned(), holder });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e).into()),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // The file stays: removing it would let two processes lock two files of one name. Emptied, so that nobody is
        // named who no longer holds it; a failure changes nothing, since closing the file frees the lock.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{LockError, StateLock};

    #[test]
    fn a_second_holder_is_told_the_process_of_the_first_and_the_lock_is_free_afterwards() {
        let state = tempfile::tempdir().unwrap();
        let first = StateLock::acquire(state.path()).unwrap();
        let error = StateLock::acquire(state.path()).unwrap_err();
        assert!(matches!(error, LockError::Held { .. }));
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        StateLock::acquire(state.path()).unwrap();
    }
}
