//! The other side of a trial: this program, started by itself to read one file and tell how it went.

use super::trial::{Answer, Task};
use super::{footer, frame};
use std::io::{BufRead, Write};

/// Reads a task and a file from `input` within the task's limits, and writes to `output` how it went. What takes the
/// process down is meant to: the one that asked is told by how it ends.
///
/// # Errors
/// `input` or `output` fails, or `input` is no task.
pub fn answer_trial(mut input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    confine(&task)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let answer = match &task.columns {
        None => footer(&bytes).map(Answer::Footer),
        Some(wanted) => frame(&bytes, wanted).map(|_| Answer::Sound),
    };
    serde_json::to_writer(&mut output, &answer.unwrap_or_else(Answer::Refused))?;
    output.flush()
}

/// Bounds what this process may take, and has it leave nothing behind.
#[cfg(unix)]
fn confine(task: &Task) -> std::io::Result<()> {
    use rlimit::Resource;
    for (resource, limit) in [(Resource::CORE, 0), (Resource::AS, task.memory), (Resource::CPU, task.seconds)] {
        // The system may allow less already; more than it allows cannot be asked for.
        let (_, hard) = resource.get()?;
        let limit = limit.min(hard);
        resource.set(limit, limit)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn confine(_: &Task) -> std::io::Result<()> {
    Ok(())
}
