//! The words of the product as types.
//!
//! In: nothing. Out: money, instants, e-mails, identifiers and the closed vocabularies (outcomes, predictions,
//! dispositions, rules, reasons, breaks) that columns, pages and exit codes share. Never: tables, files, clocks, networks.

mod calendar;
mod customer;
mod email;
mod field;
#[cfg(test)]
pub(crate) mod format_page;
mod hex;
mod input;
mod instant;
mod money;
mod overriding;
mod printed;
mod reason;
mod selection;
mod vocabulary;
mod words;

pub use calendar::{DateOrder, TimeZone};
pub use customer::{NotApplied, RowOutcome, TetherCustomer, UpsertBody};
pub use email::{Email, EmailError};
pub use field::{Field, Place};
pub use hex::hex;
pub use input::{Dialect, InputFile, Rejection, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
pub use instant::{Instant, InstantError};
pub use money::{Currency, CurrencyError, DEFAULT_DIGITS, MOST_MINOR, Money, MoneyError, SENT_TIMES_100};
pub use overriding::OverrideUse;
pub use printed::{harmless, is_obeyed, one_line};
pub use reason::{Break, BreakKind, Reason};
pub use selection::Selection;
pub use vocabulary::UnknownWord;
pub(crate) use vocabulary::vocabulary;
pub use words::{
    Disposition, LinkRule, MatchRule, Outcome, OverrideDecision, OverrideState, Prediction, SubscriptionStatus,
};
