//! The other side of a trial: this program, started by itself to read one file and tell how it went.

use super::trial::{Answer, Reply, Task, VERSION};
use super::{footer, frame};
use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};

/// Reads a task and a file from `input` within the task's limits, and writes to `output` how it went, its own errors
/// included. What takes the process down is meant to: the one that asked is told by how it ends.
///
/// # Errors
/// `output` fails.
pub fn answer_trial(input: impl BufRead, mut output: impl Write) -> Result<()> {
    let answer = answer(input).unwrap_or_else(|error| match error.kind() {
        ErrorKind::OutOfMemory => Answer::OutOfMemory,
        _ => Answer::Failed(error.to_string()),
    });
    serde_json::to_writer(&mut output, &Reply { version: VERSION.to_owned(), answer })?;
    output.flush()
}

fn answer(mut input: impl BufRead) -> Result<Answer> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    confine(&task).map_err(|error| Error::new(error.kind(), format!("its limits could not be set: {error}")))?;
    let mut bytes = Vec::new();
    // All at once: a vector that grows takes up to three times the file.
    bytes.try_reserve_exact(task.bytes).map_err(|_| ErrorKind::OutOfMemory)?;
    input.take(task.bytes as u64).read_to_end(&mut bytes)?;
    if bytes.len() < task.bytes {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let answer = match &task.columns {
        None => footer(&bytes).map(Answer::Footer),
        Some(wanted) => frame(&bytes, wanted).map(|_| Answer::Sound),
    };
    Ok(answer.unwrap_or_else(Answer::Refused))
}

/// Bounds what this process may take, and has it leave nothing behind.
#[cfg(unix)]
fn confine(task: &Task) -> Result<()> {
    use rlimit::Resource;
    // Between its two limits of computing a process is told which one it ran into; at the second it is killed without a word.
    const GRACE: u64 = 5;
    for (resource, soft, hard) in [
        (Resource::CORE, 0, 0),
        (Resource::AS, task.memory, task.memory),
        (Resource::CPU, task.seconds, task.seconds + GRACE),
    ] {
        // The system may allow less already; more than it allows cannot be asked for.
        let (_, most) = resource.get()?;
        resource.set(soft.min(most), hard.min(most))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn confine(_: &Task) -> Result<()> {
    Ok(())
}
