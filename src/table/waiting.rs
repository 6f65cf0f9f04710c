//! Customers that Tether refused to create in an earlier run, and still did not hold when this one began.

use super::{INSTANT, SchemaError, table};
use polars::prelude::*;

table! {
    /// One row per waiting customer and product: `waiting.parquet`.
    Waiting {
        /// the product's name
        "product": DataType::String,
        /// the plan's key of the customer
        "key": DataType::String,
        /// the run that met the first refusal
        "since_run": DataType::String,
        /// that run's as-of
        "since": INSTANT,
        /// in how many runs it was refused
        "refusals": DataType::UInt32,
    }
}

#[cfg(test)]
mod tests {
    use super::Waiting;

    #[test]
    fn the_page_of_formats_describes_every_column_in_order() {
        let names: Vec<&str> = Waiting::schema().into_iter().map(|(name, _)| name).collect();
        assert_eq!(crate::model::format_page::words_under("`waiting.parquet`"), names);
    }
}
