//! One run at a time per state folder.

use super::{RunsError, create_private_dir};
use crate::model::Instant;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// The lock on a state folder, held until dropped. The operating system frees it when the process dies, however it dies;
/// no process that this one starts inherits it.
#[derive(Debug)]
pub struct StateLock {
    file: File,
}

/// Who holds the lock: what stands in the file, one JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// The machine's name, where it is known.
    pub host: Option<String>,
    /// When it took the lock.
    pub since: Instant,
    /// What it was started as: `run`, `resume`.
    pub command: String,
}

impl Holder {
    /// This process, which carries out `command` since `now`.
    pub fn this(command: &str, now: Instant) -> Self {
        // Without a shell and without a call into C there is no name of the machine on other systems.
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
        Self { pid: std::process::id(), host, since: now, command: command.to_owned() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, since, command } = self;
        let host = host.as_deref().map(|name| format!(" on {name}")).unwrap_or_default();
        write!(f, "process {pid}{host} (`{command}`, since {since})")
    }
}

/// The lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it (exit 7).
    #[error(
        "another run holds the lock on `{}`: {}; wait for it to end, or stop it",
        state.display(),
        holder.as_ref().map_or_else(|| "a process that has not said its name".to_owned(), Holder::to_string)
    )]
    Held {
        /// The state folder.
        state: std::path::PathBuf,
        /// The process, if it has said so.
        holder: Option<Holder>,
    },
    /// The lock file could not be used.
    #[error(transparent)]
    Runs(#[from] RunsError),
}

/// How often a holder that has not yet said its name is asked again, and how long is waited in between: half a second.
const ASKED: (u32, Duration) = (50, Duration::from_millis(10));

impl StateLock {
    /// Takes the lock on `state` for `holder`, this process, at once or not at all; creates the folder if need be.
    pub fn acquire(state: &Path, holder: &Holder) -> Result<Self, LockError> {
        create_private_dir(state)?;
        let path = state.join("lock");
        let failed = |doing| {
            let path = &path;
            move |e: io::Error| RunsError::io(doing, path, e)
        };
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { state: state.to_owned(), holder: read_holder(&mut file) });
            }
            Err(TryLockError::Error(e)) => return Err(failed("lock")(e).into()),
        }
        // From here on the file is this process's, and frees the lock should it not be filled.
        let mut lock = Self { file };
        lock.file.set_len(0).map_err(failed("write"))?;
        let mut line = serde_json::to_vec(holder).map_err(io::Error::from).map_err(failed("write"))?;
        line.push(b'\n');
        lock.file.write_all(&line).map_err(failed("write"))?;
        Ok(lock)
    }
}

/// Who holds the lock. In the moment before a holder has written its name, the file is empty or still names one that was
/// killed: then it is read again.
fn read_holder(file: &mut File) -> Option<Holder> {
    let (times, pause) = ASKED;
    let mut named = None;
    for _ in 0..times {
        let mut text = String::new();
        if file.rewind().and_then(|()| file.read_to_string(&mut text)).is_ok() {
            named = serde_json::from_str::<Holder>(&text).ok();
        }
        if named.as_ref().is_some_and(|holder| !is_gone(holder.pid)) {
            break;
        }
        std::thread::sleep(pause);
    }
    named
}

/// Whether there surely is no such process (any more). Only Linux says so in a file.
fn is_gone(pid: u32) -> bool {
    Path::new("/proc/self").exists() && !Path::new("/proc").join(pid.to_string()).exists()
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
    use super::{Holder, LockError, StateLock};
    use crate::model::Instant;

    fn me() -> Holder {
        Holder::this("run", Instant::parse("2026-11-01T06:00:00Z").unwrap())
    }

    #[test]
    fn a_second_holder_is_told_who_the_first_is_and_the_lock_is_free_afterwards() {
        let state = tempfile::tempdir().unwrap();
        let first = StateLock::acquire(state.path(), &me()).unwrap();
        let error = StateLock::acquire(state.path(), &me()).unwrap_err();
        assert!(matches!(error, LockError::Held { .. }));
        let said = error.to_string();
        assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
        assert!(said.contains("(`run`, since 2026-11-01T06:00:00Z)"), "{said}");
        drop(first);
        StateLock::acquire(state.path(), &me()).unwrap();
    }

    #[test]
    fn a_holder_that_was_killed_is_not_taken_for_the_one_that_came_after() {
        let state = tempfile::tempdir().unwrap();
        // Longer than what follows: nothing of it may stay.
        let dead = Holder { pid: u32::MAX, command: "x".repeat(1000), ..me() };
        std::fs::write(state.path().join("lock"), serde_json::to_vec(&dead).unwrap()).unwrap();
        let _held = StateLock::acquire(state.path(), &me()).unwrap();
        let Err(LockError::Held { holder, .. }) = StateLock::acquire(state.path(), &me()) else {
            panic!("two holders")
        };
        assert_eq!(holder, Some(me()));
    }
}
