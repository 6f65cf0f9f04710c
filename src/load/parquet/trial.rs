//! The trial: a process of its own reads the same bytes before the run does. What polars does not refuse, it may panic on,
//! and it may abort the process, overflow its stack, or take all memory: that must not happen to the run.

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

/// Where a reader that a damaged file can take down is tried first.
#[derive(Debug, Clone)]
pub enum Trials {
    /// In a process of its own: this program, by its path.
    Process(PathBuf),
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
    /// The columns to read; `None`: the bytes are the footer alone, and are looked at only.
    pub columns: Option<Vec<Wanted>>,
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
}

/// Seconds of computing for a file of `bytes`: far more than a slow machine needs.
fn seconds(bytes: usize) -> u64 {
    15 + (bytes as u64 >> 20)
}

/// Has a process of its own look at the footer of `bytes` or read `columns`.
pub(super) fn ask(
    program: &Path,
    bytes: &[u8],
    columns: Option<Vec<Wanted>>,
    limits: &Limits,
    file: &str,
) -> Result<Answer, LoadError> {
    let broken = |detail: String| LoadError::Broken { file: file.to_owned(), detail };
    let task = Task { memory: limits.parquet_memory, seconds: seconds(bytes.len()), columns };
    let request = serde_json::to_string(&task).map_err(|error| LoadError::internal(file, error))?;
    // Nothing of the environment: a key has no business there.
    let mut child = Command::new(program)
        .arg(ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let program = program.display();
            broken(format!(
                "Parquet is tried in a process of its own first, and `{program}` could not be started for it ({error}); check \
                 that the program is still there, and that this user may start processes"
            ))
        })?;
    // A machine may be busy: what computes for long is ended by its own limit, this ends what waits for ever.
    let patience = Duration::from_secs(2 * task.seconds);
    let (answer, last_words, status) = converse(&mut child, &request, bytes, patience);
    let Some(status) = status else {
        let seconds = patience.as_secs();
        return Err(broken(format!("damaged Parquet: its reader came to no end in {seconds} s; export it again")));
    };
    serde_json::from_slice(&answer).map_err(|_| broken(ended(status, &last_words, limits)))
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

/// How a trial without an answer ended, in words.
fn ended(status: ExitStatus, last_words: &[u8], limits: &Limits) -> String {
    let said = String::from_utf8_lossy(last_words);
    if said.contains("memory allocation") || said.contains("unable to allocate") {
        return format!(
            "damaged Parquet, or a file that unpacks to more than {} MB of memory; export it again, or raise \
             [limits] parquet_memory if it is right",
            limits.parquet_memory / 1_000_000
        );
    }
    let how =
        if said.contains("overflowed its stack") { "overflowed its stack".to_owned() } else { status.to_string() };
    format!("damaged Parquet: its reader was taken down by it ({how}); export it again, or export CSV")
}
