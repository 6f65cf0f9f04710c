//! Statuses: their precedence, and what a group of subscriptions shows.

use crate::model::SubscriptionStatus;
use polars::prelude::*;

/// The rank of a status that Stripe does not document.
pub(super) const UNKNOWN_RANK: u8 = 8;

/// The rank of the status in `column`: 0 for the highest in precedence, [`UNKNOWN_RANK`] for any other text and for null.
pub(super) fn rank(column: &str) -> Expr {
    let mut rank = lit(UNKNOWN_RANK);
    for (index, status) in (0_u8..).zip(SubscriptionStatus::ALL) {
        rank = when(col(column).eq(lit(status.as_str()))).then(lit(index)).otherwise(rank);
    }
    // polars reads a literal of any integer type as the same dynamic number.
    rank.cast(DataType::UInt8)
}

/// The status of the rank in `column`; null for [`UNKNOWN_RANK`].
pub(super) fn word(column: &str) -> Expr {
    let mut word = lit(NULL).cast(DataType::String);
    for (index, status) in (0_u8..).zip(SubscriptionStatus::ALL) {
        word = when(col(column).eq(lit(index))).then(lit(status.as_str())).otherwise(word);
    }
    word
}
