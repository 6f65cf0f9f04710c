//! The log of calls: what came in, in the order in which it took effect, and what was answered.

use super::SandboxError;
use crate::model::Instant;
use axum::body::Bytes;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How many of the last calls stay in memory.
pub(super) const CALLS_IN_MEMORY: usize = 100_000;

/// One call, as the sandbox saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// From 1, in the order in which the calls took effect.
    pub number: u64,
    /// When, by the wall clock.
    pub at: Instant,
    /// When, since the sandbox started.
    pub elapsed: Duration,
    /// The product whose key it carried; `None`: no product's.
    pub product: Option<Arc<str>>,
    /// `email`, `external`; `None`: refused before it was read, or unknown.
    pub id_type: Option<&'static str>,
    /// The body's bytes, as they came; empty where it was not read.
    pub body: Bytes,
    /// The reply's status; `None`: the connection was cut without a reply.
    pub status: Option<u16>,
    /// What was really done, whatever the reply said: `created`, `updated`; `None`: nothing.
    pub action: Option<&'static str>,
    /// The fault that fell on it, by its kind.
    pub fault: Option<&'static str>,
}

/// A line of the log: the body as JSON where it is JSON on one line, else as text.
impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let one_line = !self.body.contains(&b'\n') && !self.body.contains(&b'\r');
        let json =
            Some(&self.body).filter(|_| one_line).and_then(|body| serde_json::from_slice::<&RawValue>(body).ok());
        let mut line = serializer.serialize_struct("Call", 9)?;
        line.serialize_field("number", &self.number)?;
        line.serialize_field("at", &self.at)?;
        line.serialize_field("elapsed_micros", &u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX))?;
        line.serialize_field("product", &self.product.as_deref())?;
        line.serialize_field("id_type", &self.id_type)?;
        match json {
            Some(json) => line.serialize_field("body", json)?,
            None => line.serialize_field("body", &String::from_utf8_lossy(&self.body))?,
        }
        line.serialize_field("status", &self.status)?;
        line.serialize_field("action", &self.action)?;
        line.serialize_field("fault", &self.fault)?;
        line.end()
    }
}

/// The last calls in memory, all of them in a file where one is wanted.
pub(super) struct CallLog {
    total: u64,
    last: VecDeque<Call>,
    file: Option<(PathBuf, BufWriter<File>)>,
    failed: Option<std::io::Error>,
}

impl CallLog {
    /// A log that appends to `path`.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, SandboxError> {
        let file = path
            .map(|path| {
                let mut options = OpenOptions::new();
                options.create(true).append(true);
                // It holds what was sent of customers.
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(path);
                let file =
                    file.map_err(|source| SandboxError::File { verb: "write", path: path.to_owned(), source })?;
                Ok((path.to_owned(), BufWriter::with_capacity(1 << 18, file)))
            })
            .transpose()?;
        Ok(Self { total: 0, last: VecDeque::new(), file, failed: None })
    }

    /// Numbers the call and takes it. A write that fails is told by the next [`CallLog::flush`].
    pub(super) fn push(&mut self, mut call: Call) {
        self.total += 1;
        call.number = self.total;
        if let Some((_, file)) = &mut self.file {
            let written = serde_json::to_writer(&mut *file, &call).map_err(std::io::Error::from);
            if let Err(error) = written.and_then(|()| file.write_all(b"\n")) {
                self.failed.get_or_insert(error);
            }
        }
        if self.last.len() == CALLS_IN_MEMORY {
            self.last.pop_front();
        }
        self.last.push_back(call);
    }

    /// The last calls, the earliest first.
    pub(super) fn last(&self) -> Vec<Call> {
        self.last.iter().cloned().collect()
    }

    /// How many calls came in all.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Hands everything to the system.
    pub(super) fn flush(&mut self) -> Result<(), SandboxError> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        let flushed = match self.failed.take() {
            Some(error) => Err(error),
            None => file.flush(),
        };
        flushed.map_err(|source| SandboxError::File { verb: "write", path: path.clone(), source })
    }
}
