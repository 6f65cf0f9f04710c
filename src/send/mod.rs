//! Sends the planned calls: paced, retried, each reply judged by what it says and no more.
//!
//! In: calls in the order in which they are to leave, one lane per product. Out: outcomes in the journal, and how sending
//! ended. Never: polars, plans, reports; a claim that a reply does not carry; a key in any text.

mod backoff;
mod bucket;
mod budget;
mod call;
mod classify;
mod client;
mod clock;
mod compare;
mod conclude;
mod dispatch;
mod feeder;
mod forecast;
mod key;
mod lane;
mod pacing;
mod pacing_file;
mod row;
mod shared;
mod streak;
mod transport;
mod tuner;
mod wait;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod dispatch_tests;
#[cfg(test)]
mod reply_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;

pub use call::{Call, IdType};
pub use classify::{Verdict, judge};
pub use client::{Client, ClientError};
pub use clock::{Clock, SystemClock};
pub use compare::compare;
pub use dispatch::{Lane, SendContext, SendEnd, SendError, SendLimits, begins_with, send};
pub use forecast::before as forecast;
pub use key::{ApiKey, KeyError, Scrubber};
pub use transport::{MAX_REPLY_BYTES, Reply, Transport, TransportError};
pub use wait::{LONGEST_WAIT, named_wait};
