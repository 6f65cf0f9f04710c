//! The id of the run that a process carries out, for the log lines that do not name it themselves.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::fmt::MakeWriter;

/// The id, once it is known; copies share it.
#[derive(Debug, Clone, Default)]
pub struct RunName(Arc<Mutex<Option<String>>>);

impl RunName {
    /// From here on lines are of the run `id`.
    pub fn set(&self, id: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }

    /// The id; `None`: the process carries out no run.
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes JSON lines through `inner`, and names the run in those whose event does not: other libraries' and last words.
#[derive(Debug, Clone)]
pub(super) struct Stamped<W> {
    pub inner: W,
    pub run: RunName,
}

/// The writer of one line.
#[derive(Debug)]
pub(super) struct StampedLine<W> {
    inner: W,
    run: Option<String>,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Stamped<W> {
    type Writer = StampedLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        StampedLine { inner: self.inner.make_writer(), run: self.run.get() }
    }

    fn make_writer_for(&'w self, meta: &tracing::Metadata<'_>) -> Self::Writer {
        let names_itself = meta.fields().field("run").is_some();
        let run = if names_itself { None } else { self.run.get() };
        StampedLine { inner: self.inner.make_writer_for(meta), run }
    }
}

impl<W: Write> Write for StampedLine<W> {
    /// Takes a line, whole: that is how the subscriber writes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match (line.strip_suffix(b"}\n"), self.run.take()) {
            (Some(object), Some(run)) => {
                let mut stamped = object.to_vec();
                stamped.extend_from_slice(b",\"run\":");
                stamped.extend(serde_json::to_vec(&run)?);
                stamped.extend_from_slice(b"}\n");
                self.inner.write_all(&stamped)?;
                Ok(line.len())
            }
            _ => self.inner.write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
