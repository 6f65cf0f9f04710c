//! The journal of a run: what was about to be sent, and what came of it, durable before it counts.
//!
//! In: records, in the order of their happening. Out: a file that a crash cannot falsify, and what it proves when read
//! again. Never: the network, a decision about a row.
//!
//! # Format of `journal.jsonl` (format 1)
//!
//! UTF-8, one JSON object per line, each line ended by `\n`:
//!
//! ```text
//! {"seq":0,"record":{"header":{"format":1,"run_id":"…","plan_hash":"…","tool_version":"…"}},"crc":"5d41402a"}
//! {"seq":1,"record":{"intent":{"row":7,"attempt":1,"at":"2026-11-01T06:00:00Z"}},"crc":"…"}
//! ```
//!
//! `seq` counts lines from 0 without a gap. `crc` is the CRC-32 (IEEE) of every byte of the line before `,"crc":`, as
//! eight lower-case hexadecimal digits. `record` has one member, which names its kind:
//!
//! | kind | says |
//! | --- | --- |
//! | `header` | the first line: format, run, hash of the plan's rows, version that began it |
//! | `resumed` | another process goes on from here: every intent still open is an ambiguous try |
//! | `intent` | row `row` is about to be sent for the `attempt`th time; durable before the request leaves |
//! | `withdrawn` | that request never left |
//! | `undecided` | that request got no decision: its status if a reply came, and whether it may have taken effect |
//! | `wait` | the server told the key (by fingerprint) to wait until then |
//! | `outcome` | what became of the row; final |
//! | `closed` | the run ended here: whether complete, and why each product stopped that did not end |
//!
//! A line is synced before anything that depends on it happens. So a last line that is not whole was never relied upon:
//! it is cut off, and said so. Anything else that does not fit (a checksum, a gap in `seq`, a line that is not of this
//! shape, an outcome without an intent) is damage, and the journal is refused with file and line.
//!
//! Rows of the plan that no line names were never sent. A row with an intent and no outcome is `unknown` when a try of it
//! was ambiguous, else `not_attempted`; either way for the reason for which its product stopped (`closed`; without that
//! line the run was `interrupted`).

mod about;
mod error;
mod line;
mod outcomes;
mod reader;
mod record;
mod resume;
mod rows;
mod writer;

#[cfg(test)]
pub(crate) mod testing;

pub use about::about;
pub use error::JournalError;
pub use outcomes::{Outcomes, outcomes};
pub use reader::{JournalReader, TornTail, load, read};
pub use record::{Closing, Header, JOURNAL_FORMAT, ProductStop, Record};
pub use resume::{Contradiction, History, Resumed};
pub use rows::RowSet;
pub use writer::{Durable, JournalSink, JournalWriter, LogFile};
