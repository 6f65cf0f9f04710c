//! Of what customers and subscriptions are made up: what the next run's guards compare with.

use super::PlanError;
use crate::billing::Billed;
use crate::model::Prediction;
use crate::runs::Mix;
use crate::table::PlanRows;
use polars::prelude::*;
use std::collections::BTreeMap;

/// What stands for a customer without a status.
const NO_STATUS: &str = "none";

/// Subscriptions by currency, without the `replaced` rows (`ord`): each is another row's subscription again.
pub fn currencies(billed: &Billed, replaced: &DataFrame) -> Result<BTreeMap<String, u64>, PlanError> {
    let counts = billed
        .subscriptions
        .clone()
        .lazy()
        .filter(col("currency").is_not_null())
        .anti_join(replaced.clone().lazy(), col("ord"), col("ord"))
        .group_by([col("currency").cast(DataType::String)])
        .agg([len().cast(DataType::UInt64).alias("count")])
        .collect()?;
    let (code, count) = (counts.column("currency")?.str()?, counts.column("count")?.u64()?);
    Ok(code.iter().zip(count.iter()).filter_map(|(code, count)| Some((code?.to_owned(), count?))).collect())
}

/// The plan's desired customers by status, beside the subscriptions' `currencies`.
pub fn mix(rows: &PlanRows, currencies: BTreeMap<String, u64>) -> Result<Mix, PlanError> {
    let counts = rows
        .lazy()
        .filter(col("predicted").neq(lit(Prediction::Orphan.as_str())))
        .group_by([col("product"), col("subscription_status").fill_null(lit(NO_STATUS))])
        .agg([len().cast(DataType::UInt64).alias("count")])
        .collect()?;
    let (product, status, count) = (
        counts.column("product")?.str()?,
        counts.column("subscription_status")?.str()?,
        counts.column("count")?.u64()?,
    );
    let mut statuses: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in 0..counts.height() {
        let (Some(product), Some(status), Some(count)) = (product.get(row), status.get(row), count.get(row)) else {
            continue;
        };
        statuses.entry(product.to_owned()).or_default().insert(status.to_owned(), count);
    }
    Ok(Mix { statuses, currencies })
}
