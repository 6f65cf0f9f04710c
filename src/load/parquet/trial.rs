//! The trial: a process of its own reads the same bytes before the run does. What polars does not refuse, it may panic on,
//! and it may abort the process, overflow its stack, or take all memory: that must not happen to the run.

use super::ending::{self, Ending};
use super::{Footer, Wanted};
use crate::config::Limits;
use crate::load::LoadError;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The argument that makes this program read one Parquet file for another process of it.
pub const ARGUMENT: &str = "try-parquet";

/// The version that asks, and the one that must answer.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a reader that a damaged file can take down is tried first.
#[derive(Debug, Clone)]
pub enum Trials {
    /// In a process of its own: this program, by its path; or why that is not known.
    Process(Result<PathBuf, String>),
    /// Nowhere: tests of sound files.
    #[cfg(test)]
    Nowhere,
}

/// What a trial is asked for; the file's bytes follow in the next line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    /// Bytes of memory that it may take.
    pub memory: u64,
    /// Seconds of computing that it may take.
    pub seconds: u64,
    /// Bytes that follow: fewer, and the one that asks is gone.
    pub bytes: usize,
    /// The columns to read; `None`: the bytes are the footer alone, and are looked at only.
    pub columns: Option<Vec<Wanted>>,
}

/// What comes back: an answer, and who gave it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    /// The version of the program that answers.
    pub version: String,
    pub answer: Answer,
}

/// What a trial answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Footer(Footer),
    /// The file can be read.
    Sound,
    /// It cannot: why, and what to do.
    Refused(String),
    /// The memory that it may take is not enough.
    OutOfMemory,
    /// The trial could not be made, whatever the file is: why.
    Failed(String),
}

/// Seconds of computing for a file of `bytes`: far more than a slow machine needs.
fn seconds(bytes: usize) -> u64 {
    15 + (bytes as u64 >> 20)
}

/// Has a process of its own look at the footer of `bytes` (and give it), or read `columns` (and give nothing).
pub(super) fn ask(
    program: &Result<PathBuf, String>,
    bytes: &[u8],
    columns: Option<Vec<Wanted>>,
    limits: &Limits,
    file: &str,
) -> Result<Option<Footer>, LoadError> {
    let broken = |detail: String| LoadError::Broken { file: file.to_owned(), detail };
    let task = Task { memory: limits.parquet_memory, seconds: seconds(bytes.len()), bytes: bytes.len(), columns };
    let request = serde_json::to_string(&task).map_err(|error| LoadError::internal(file, error))?;
    let mut child = start(program).map_err(broken)?;
    // A machine may be busy: what computes for long is ended by its own limit, this ends what waits for ever.
    let patience = Duration::from_secs(2 * task.seconds);
    let (said, last_words, status) = converse(&mut child, &request, bytes, patience);
    let Some(status) = status else {
        return Err(broken(ending::too_long(patience.as_secs(), "without an answer")));
    };
    match answer(&said).map_err(broken)? {
        Some(Answer::Footer(footer)) => Ok(Some(footer)),
        Some(Answer::Sound) => Ok(None),
        Some(Answer::Refused(detail)) => Err(broken(detail)),
        Some(Answer::OutOfMemory) => Err(broken(ending::too_large(limits))),
        Some(Answer::Failed(detail)) => Err(broken(format!(
            "the process that tries Parquet first could not do its work ({detail}); nothing is known of the file yet: \
             start the run again, and report it if it stays"
        ))),
        None => Err(match ending::of(status, &last_words, task.seconds, limits) {
            Ending::Stopped(signal) => LoadError::Stopped { file: file.to_owned(), signal },
            Ending::Broken(detail) => broken(detail),
        }),
    }
}

/// Starts the process that is to answer.
fn start(program: &Result<PathBuf, String>) -> Result<Child, String> {
    let failed = |program: &Path, error: &dyn std::fmt::Display| {
        format!(
            "Parquet is tried in a process of its own first, and `{}` could not be started for it ({error}); check that the \
             program is still there, and that this user may start processes",
            program.display()
        )
    };
    let program = program.as_ref().map_err(|error| failed(Path::new("this program"), error))?;
    let mut command = Command::new(program);
    // Nothing of the environment: a key has no business there.
    command.arg(ARGUMENT).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: Ctrl-C at a terminal is for the run, which ends in its own way.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| failed(program, &error))
}

/// What the child answered; `None`: nothing that can be read.
fn answer(said: &[u8]) -> Result<Option<Answer>, String> {
    let Ok(reply) = serde_json::from_slice::<serde_json::Value>(said) else { return Ok(None) };
    // Other versions answer in their own way; this is all that is asked of them.
    let version = reply.get("version").and_then(serde_json::Value::as_str);
    if version != Some(VERSION) {
        let other = version.map_or_else(|| "of another version".to_owned(), |version| format!("version {version}"));
        return Err(format!(
            "Parquet is tried in a process of its own first, and tether-recon {other} answered there, not {VERSION}: the \
             program was replaced while it ran; start the run again"
        ));
    }
    Ok(serde_json::from_value(reply).ok().map(|reply: Reply| reply.answer))
}

/// Gives the child its task and takes its answer, its last words and how it ended; `None`: it did not in time.
fn converse(
    child: &mut Child,
    request: &str,
    bytes: &[u8],
    patience: Duration,
) -> (Vec<u8>, Vec<u8>, Option<ExitStatus>) {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let Some(mut stdin) = stdin else { return };
            // A child that is gone does not take its file: how it ended tells why.
            let _ = stdin.write_all(request.as_bytes()).and_then(|()| stdin.write_all(b"\n"));
            let _ = stdin.write_all(bytes);
        });
        let last_words = scope.spawn(move || all(stderr));
        let (send, receive) = mpsc::channel();
        scope.spawn(move || send.send(all(stdout)));
        let answer = receive.recv_timeout(patience).ok();
        if answer.is_none() {
            // One that ended by itself just now needs no end.
            let _ = child.kill();
        }
        let status = child.wait().ok().filter(|_| answer.is_some());
        (answer.unwrap_or_default(), last_words.join().unwrap_or_default(), status)
    })
}

fn all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read until then stands.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::ask;
    use crate::config::Limits;
    use crate::load::LoadError;
    use std::path::{Path, PathBuf};

    /// What asking `program` comes to.
    fn asked(program: &Result<PathBuf, String>) -> Result<bool, LoadError> {
        ask(program, b"PAR1", None, &Limits::default(), "in/contacts.parquet").map(|footer| footer.is_some())
    }

    #[test]
    fn what_is_not_the_files_fault_is_not_called_damage() {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/reader.sh");
        let own_group = concat!("own-group-", env!("CARGO_PKG_VERSION"));
        // The script does what it is called.
        for (name, said) in [
            ("stopped", "in/contacts.parquet was not read: its reader was stopped from outside (SIGTERM)"),
            ("other-version", "tether-recon version 0.0.1 answered there, not "),
            ("no-version", "tether-recon of another version answered there"),
            (own_group, "could not do its work (in a group of its own)"),
            ("silent", "ended without an answer (exit status: 0)"),
            ("usage", "ended without an answer (exit status: 2): error: unrecognized subcommand"),
            ("killed", "ended by the system (SIGKILL): the machine had no memory left"),
            ("slow", "took too long: more than 15 s of computing"),
            ("no-memory", "[limits] parquet_memory"),
        ] {
            let program = folder.path().join(name);
            std::os::unix::fs::symlink(&script, &program).unwrap();
            let error = asked(&Ok(program)).unwrap_err();
            assert!(error.to_string().contains(said), "{name}: {error}");
            assert_eq!(matches!(error, LoadError::Stopped { .. }), name == "stopped", "{error:?}");
            assert_eq!(error.to_string().contains("damaged"), name == "no-memory", "{error}");
        }
        let program = folder.path().join("crashed");
        std::os::unix::fs::symlink(&script, &program).unwrap();
        let error = asked(&Ok(program)).unwrap_err().to_string();
        assert!(error.contains("damaged Parquet: its reader was taken down by it (signal: 11"), "{error}");
    }

    #[test]
    fn a_program_that_cannot_be_started_is_named_with_what_the_system_said() {
        let missing = asked(&Ok("/nowhere/tether-recon".into())).unwrap_err().to_string();
        assert!(missing.contains("`/nowhere/tether-recon` could not be started for it (No such file"), "{missing}");
        let unknown = asked(&Err("permission denied".to_owned())).unwrap_err().to_string();
        assert!(unknown.contains("`this program` could not be started for it (permission denied)"), "{unknown}");
    }
}
