//! How a trial without an answer ended, and whose fault that is: the file's, the machine's, or somebody's who stopped it.

use crate::config::Limits;
use std::process::ExitStatus;

/// What an end without an answer means.
pub(super) enum Ending {
    /// Somebody stopped it, by this signal: it says nothing of the file.
    Stopped(&'static str),
    /// It could not go on: why, and what to do.
    Broken(String),
}

/// Why a signal was sent.
#[derive(Clone, Copy)]
enum Sent {
    /// To have the program stop.
    Stop,
    /// Since its limit of computing was reached.
    TooLong,
    /// By the system, which had no memory left, or by somebody who could not wait.
    Kill,
}

/// Number, name, why it is sent. Every other signal is raised by what the reader did. The numbers are those of Linux and
/// macOS; where one differs the end is called damage, with its number.
const SIGNALS: &[(i32, &str, Sent)] = &[
    (1, "SIGHUP", Sent::Stop),
    (2, "SIGINT", Sent::Stop),
    (3, "SIGQUIT", Sent::Stop),
    (9, "SIGKILL", Sent::Kill),
    (15, "SIGTERM", Sent::Stop),
    (24, "SIGXCPU", Sent::TooLong),
];

/// What allocators say when there is no more memory.
const NO_MEMORY: [&str; 2] = ["memory allocation", "unable to allocate"];

/// How a trial of `seconds` of computing ended, by its status and its last words.
pub(super) fn of(status: ExitStatus, last_words: &[u8], seconds: u64, limits: &Limits) -> Ending {
    let said = String::from_utf8_lossy(last_words);
    let known = SIGNALS.iter().find(|(number, ..)| signal(status) == Some(*number));
    Ending::Broken(match known {
        Some((_, name, Sent::Stop)) => return Ending::Stopped(name),
        Some((_, _, Sent::TooLong)) => too_long(seconds, "of computing"),
        Some((_, name, Sent::Kill)) => format!(
            "its reader was ended by the system ({name}): the machine had no memory left, or it took too long; start the run \
             again when more memory is free, or export CSV"
        ),
        None if NO_MEMORY.iter().any(|words| said.contains(words)) => too_large(limits),
        None if signal(status).is_none() => {
            let last = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            format!(
                "the process that tries Parquet first ended without an answer ({status}): {last}; nothing is known of the \
                 file yet: start the run again, and report it if it stays"
            )
        }
        None => {
            let how = if said.contains("overflowed its stack") {
                "overflowed its stack".to_owned()
            } else {
                status.to_string()
            };
            format!("damaged Parquet: its reader was taken down by it ({how}); export it again, or export CSV")
        }
    })
}

/// The file needs more memory than a trial may take.
pub(super) fn too_large(limits: &Limits) -> String {
    format!(
        "damaged Parquet, or a file that unpacks to more than {} MB of memory; export it again, or raise [limits] \
         parquet_memory if it is right",
        limits.parquet_memory / 1_000_000
    )
}

/// The trial was given up after `seconds`, measured as `how` says.
pub(super) fn too_long(seconds: u64, how: &str) -> String {
    format!("its reader took too long: more than {seconds} s {how}; export it again in smaller files, or export CSV")
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}
