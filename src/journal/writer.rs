//! Appends to a journal: one thread, one write and one sync for all that wait, and no way on after an error.

use super::line::encode;
use super::{Header, JournalError, Record, Resumed};
use crate::model;
use crate::runs::write_atomic;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Where records go. Order is kept: when a record is durable, so is every one appended before it.
pub trait JournalSink: Send + Sync {
    /// Queues `record`. The result resolves when it is durable; it may be dropped by who need not wait.
    fn append(&self, record: &Record) -> Durable;

    /// How long it lately took until a record was durable: the longest of the last few times.
    fn sync_time(&self) -> Duration {
        Duration::ZERO
    }
}

/// Resolves when a record is durable, or when it never will be.
#[derive(Debug)]
pub struct Durable(oneshot::Receiver<Result<(), JournalError>>);

impl Durable {
    /// A promise, and the end that keeps it.
    pub fn pending() -> (oneshot::Sender<Result<(), JournalError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }
}

impl Future for Durable {
    type Output = Result<(), JournalError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).unwrap_or_else(|_| Err(gone())))
    }
}

fn gone() -> JournalError {
    JournalError::Write { doing: "write", path: None, detail: "its writer has ended".into(), durable: None }
}

/// A file that can be made durable; a seam for tests of failing disks.
pub trait LogFile: Write + Send + 'static {
    /// Makes everything written so far durable.
    fn sync(&mut self) -> io::Result<()>;
}

impl LogFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()?;
        // A file that was removed takes every byte and keeps none: nobody could read again what was sent.
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&self.metadata()?) == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it was removed while it was being written"));
        }
        Ok(())
    }
}

/// The journal of a run under way. Dropping it waits until everything queued is durable.
#[derive(Debug)]
pub struct JournalWriter {
    queue: Option<mpsc::Sender<Entry>>,
    sync_micros: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Entry {
    json: Vec<u8>,
    done: oneshot::Sender<Result<(), JournalError>>,
}

impl JournalWriter {
    /// Makes the journal of a new run: a file with `header` in it, whole or not at all.
    pub fn create(path: &Path, header: &Header) -> Result<Self, JournalError> {
        let failed = |doing| move |e: io::Error| JournalError::write(doing, Some(path), &e, None);
        let json = serde_json::to_vec(&Record::Header(header.clone())).map_err(|e| failed("write")(e.into()))?;
        let mut line = Vec::new();
        encode(0, &json, &mut line);
        write_atomic(path, |file| file.write_all(&line))?;
        let file = File::options().append(true).open(path).map_err(failed("open"))?;
        Self::start(file, Some(path.to_owned()), 1)
    }

    /// Goes on with the journal at `path`: cuts off what follows its first `good` bytes and says that `version` resumed
    /// it at `at`. Both arguments before are what [`super::load`] returned.
    ///
    /// What an earlier process wrote last may be in memory only, if its sync failed: the system says so once, and takes
    /// the pages for clean from then on. So the end of the file is written again, with the same bytes, before it is synced.
    pub fn resume(
        path: &Path,
        resumed: &Resumed,
        good: u64,
        at: model::Instant,
        version: &str,
    ) -> Result<Self, JournalError> {
        let failed = |doing| move |e: io::Error| JournalError::write(doing, Some(path), &e, None);
        let file = File::options().append(true).open(path).map_err(failed("open"))?;
        file.set_len(good).map_err(failed("cut the torn end off"))?;
        write_end_again(path, good).map_err(failed("write the end again of"))?;
        file.sync_all().map_err(failed("sync"))?;
        let writer = Self::start(file, Some(path.to_owned()), resumed.records())?;
        // Nobody has to wait: whatever is durable later, this is before it.
        drop(writer.append(&Record::Resumed { at, tool_version: version.to_owned() }));
        Ok(writer)
    }

    /// Appends to `file`, whose next line bears the number `next`; `path` is for messages.
    pub fn start(file: impl LogFile, path: Option<PathBuf>, next: u64) -> Result<Self, JournalError> {
        let (queue, entries) = mpsc::channel();
        let in_message = path.clone();
        let sync_micros = Arc::new(AtomicU64::new(0));
        let measured = Arc::clone(&sync_micros);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_all(file, path.as_deref(), next, &entries, &measured))
            .map_err(|e| JournalError::write("start the writer of", in_message.as_deref(), &e, None))?;
        Ok(Self { queue: Some(queue), sync_micros, thread: Some(thread) })
    }
}

impl JournalSink for JournalWriter {
    fn append(&self, record: &Record) -> Durable {
        let (done, durable) = Durable::pending();
        let json = match serde_json::to_vec(record) {
            Ok(json) => json,
            Err(e) => {
                let _ = done.send(Err(JournalError::write("write", None, &e.into(), None)));
                return durable;
            }
        };
        // When the thread has ended, `done` is dropped and the waiter told so.
        if let Some(queue) = &self.queue {
            let _ = queue.send(Entry { json, done });
        }
        durable
    }

    fn sync_time(&self) -> Duration {
        Duration::from_micros(self.sync_micros.load(Ordering::Relaxed))
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// At most this much is written before a sync.
const BATCH_BYTES: usize = 1 << 20;

/// As much of a journal's end as one batch can have been, the record that ended it included.
const END_BYTES: u64 = 4 << 20;

/// Writes the last bytes of the first `length` of the file at `path` as they are, so that the next sync writes them out.
fn write_end_again(path: &Path, length: u64) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let from = io::SeekFrom::Start(length.saturating_sub(END_BYTES));
    file.seek(from)?;
    let mut end = Vec::new();
    (&file).take(length.min(END_BYTES)).read_to_end(&mut end)?;
    file.seek(from)?;
    file.write_all(&end)
}

fn write_all(
    mut file: impl LogFile,
    path: Option<&Path>,
    mut next: u64,
    entries: &mpsc::Receiver<Entry>,
    sync_micros: &AtomicU64,
) {
    let mut bytes = Vec::with_capacity(BATCH_BYTES);
    let mut waiting = Vec::new();
    // After an error nothing is known of what the file holds: every later record fails the same way.
    let mut poison: Option<JournalError> = None;
    while let Ok(first) = entries.recv() {
        let durable = Some(next);
        bytes.clear();
        let mut entry = Some(first);
        while let Some(Entry { json, done }) = entry {
            encode(next, &json, &mut bytes);
            next += 1;
            waiting.push(done);
            entry = if bytes.len() < BATCH_BYTES { entries.try_recv().ok() } else { None };
        }
        let began = Instant::now();
        if poison.is_none()
            && let Err((doing, e)) =
                file.write_all(&bytes).map_err(|e| ("write", e)).and_then(|()| file.sync().map_err(|e| ("sync", e)))
        {
            poison = Some(JournalError::write(doing, path, &e, durable));
        }
        // A slow sync is remembered for about twenty quick ones.
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        sync_micros.store(took.max(sync_micros.load(Ordering::Relaxed) / 20 * 19), Ordering::Relaxed);
        for done in waiting.drain(..) {
            // Who does not wait has dropped the other end.
            let _ = done.send(poison.clone().map_or(Ok(()), Err));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{header_content, intent, outcome};
    use super::{JournalSink, JournalWriter, LogFile};
    use crate::journal::{JournalError, load};
    use crate::model::{Instant, Outcome};
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn what_was_durable_is_read_again_and_a_torn_end_is_cut_before_going_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let writer = JournalWriter::create(&path, &header_content()).unwrap();
        writer.append(&intent(1, 1)).await.unwrap();
        writer.append(&outcome(1, Outcome::Created)).await.unwrap();
        drop(writer.append(&intent(2, 1)));
        drop(writer);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"seq\":4,\"rec").unwrap();

        let (resumed, good, torn) = load(&path).unwrap();
        assert_eq!(torn.map(|t| t.line), Some(5));
        let at = Instant::from_epoch_seconds(0).unwrap();
        let writer = JournalWriter::resume(&path, &resumed, good, at, "0.1.0").unwrap();
        writer.append(&intent(2, 2)).await.unwrap();
        drop(writer);
        let (resumed, _, torn) = load(&path).unwrap();
        assert_eq!(torn, None);
        assert!(resumed.decided.contains(1));
        assert!(resumed.undecided[&2].ambiguous);
        assert_eq!(resumed.header, header_content());
    }

    /// Fails after so many syncs, and counts them.
    #[derive(Clone)]
    struct Disk {
        syncs: Arc<Mutex<usize>>,
        bytes: Arc<Mutex<Vec<u8>>>,
        fails_after: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.bytes.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LogFile for Disk {
        fn sync(&mut self) -> io::Result<()> {
            let mut syncs = self.syncs.lock().unwrap();
            *syncs += 1;
            if *syncs > self.fails_after { Err(io::Error::other("No space left on device")) } else { Ok(()) }
        }
    }

    fn disk(fails_after: usize) -> Disk {
        Disk { syncs: Arc::default(), bytes: Arc::default(), fails_after }
    }

    #[tokio::test]
    async fn after_a_failed_sync_nothing_more_is_written_and_every_append_fails() {
        let disk = disk(1);
        let writer = JournalWriter::start(disk.clone(), None, 0).unwrap();
        writer.append(&intent(1, 1)).await.unwrap();
        let error = writer.append(&intent(2, 1)).await.unwrap_err();
        assert!(error.to_string().contains("No space left") && !error.is_damage(), "{error}");
        let JournalError::Write { doing: "sync", durable: Some(1), .. } = error else { panic!("{error:?}") };
        let written = disk.bytes.lock().unwrap().len();
        for row in 3..6 {
            writer.append(&intent(row, 1)).await.unwrap_err();
        }
        assert_eq!(disk.bytes.lock().unwrap().len(), written);
        assert_eq!(*disk.syncs.lock().unwrap(), 2);
    }

    #[tokio::test]
    async fn records_queued_together_share_a_sync() {
        let disk = disk(usize::MAX);
        let gate = disk.bytes.lock().unwrap();
        let writer = JournalWriter::start(disk.clone(), None, 0).unwrap();
        let waiting: Vec<_> = (0..1000).map(|row| writer.append(&intent(row, 1))).collect();
        drop(gate);
        for durable in waiting {
            durable.await.unwrap();
        }
        let syncs = *disk.syncs.lock().unwrap();
        assert!(syncs <= 3, "{syncs} syncs for 1000 records");
    }
}
