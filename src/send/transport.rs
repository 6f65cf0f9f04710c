//! One attempt: a request goes out, a reply comes back whole, or it does not.

use super::IdType;
use chrono::{DateTime, Utc};
use std::future::Future;
use std::time::Duration;

/// A reply's body longer than this cannot be read.
pub const MAX_REPLY_BYTES: usize = 1 << 20;

/// A reply that came whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// At most [`MAX_REPLY_BYTES`].
    pub body: Vec<u8>,
    /// How long its headers say to wait; see [`super::named_wait`].
    pub wait: Option<Duration>,
    /// Its `Date`.
    pub date: Option<DateTime<Utc>>,
}

/// No whole reply came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// Whether the request had begun to leave: it may have taken effect, unless the status says that it did not.
    pub left: bool,
    /// Status, where at least the head of a reply came.
    pub status: Option<u16>,
    /// How long that head says to wait.
    pub wait: Option<Duration>,
    /// What happened, for a person.
    pub text: String,
}

/// Sends one request, once; a seam for tests. Never retries, never follows, never waits.
pub trait Transport: Send + Sync + 'static {
    /// Sends `body` for the product of `lane` (the lane's place in the list given to [`super::send`]).
    fn attempt(
        &self,
        lane: usize,
        id_type: IdType,
        body: &[u8],
    ) -> impl Future<Output = Result<Reply, TransportError>> + Send;

    /// A reply came that belongs to another request: no connection that stands is used again.
    fn start_afresh(&self) {}
}
