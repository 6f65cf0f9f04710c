//! What a person decided about accounts and contacts.

use super::{SchemaError, table};
use polars::prelude::*;

table! {
    /// Rows of the overrides files. They do not contradict one another: the reader saw to that.
    Overrides {
        /// order of reading
        "ord": DataType::UInt32,
        /// index of the file
        "file": DataType::UInt32,
        /// line in it
        "line": DataType::UInt32,
        /// a [`crate::model::OverrideDecision`]; never null
        "decision": DataType::String,
        /// `cus_…`; never null
        "account": DataType::String,
        /// index of the contact's CRM in the configuration; null: `with` is an account
        "crm": DataType::UInt32,
        /// the contact's id in its CRM, or the other account's; never null
        "other": DataType::String,
        /// the other record as the file spells it: `<crm>:<contact id>` or `cus_…`; never null
        "with": DataType::String,
        /// the person's own words
        "note": DataType::String,
    }
}
