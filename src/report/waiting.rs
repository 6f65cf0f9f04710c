//! How long CREATION_DISABLED has kept customers waiting: a run begins with what the one before it left, and adds its own.

use super::ReportError;
use super::customers::minor;
use crate::model::{Instant, Outcome, Prediction, Reason};
use crate::runs::Manifest;
use crate::table::{PlanRows, SchemaError, Waiting};
use polars::prelude::*;
use std::collections::BTreeMap;

/// The customers of one product that wait since one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingSince {
    /// The run that met the first refusal.
    pub run_id: String,
    /// That run's as-of.
    pub since: Instant,
    /// In how many runs they were refused, this one included; the most of them.
    pub refusals: u32,
    /// How many wait.
    pub customers: u64,
    /// What they would hold; minor units.
    pub mrr: i128,
}

/// Who waits when `run` has ended: who waited when it began (`before`) and whom it met, as far as its own `answers` (row
/// of the plan, outcome) do not say that Tether holds them. Who is in no plan any more waits for nothing.
pub fn waiting_after(
    run: &Manifest,
    plan: &PlanRows,
    answers: &[(u32, Outcome)],
    before: Option<&Waiting>,
) -> Result<Waiting, ReportError> {
    let rows: Vec<u32> = answers.iter().map(|(row, _)| *row).collect();
    let words: Vec<&str> = answers.iter().map(|(_, outcome)| outcome.as_str()).collect();
    let answers = DataFrame::new_infer_height(vec![
        Column::new("row".into(), rows),
        Column::new("answer".into(), words).cast(&DataType::String)?,
    ])?;
    let none = Waiting::empty();
    let is = |outcome: Outcome| col("answer").eq(lit(outcome.as_str())).fill_null(lit(false));
    let refused = is(Outcome::CreationDisabled);
    let known = [Prediction::Unchanged, Prediction::Orphan]
        .iter()
        .fold(lit(false), |any, known| any.or(col("predicted").eq(lit(known.as_str()))));
    let held = [Outcome::Created, Outcome::Updated, Outcome::Applied]
        .into_iter()
        .fold(known, |any, outcome| any.or(is(outcome)));
    let frame = plan
        .lazy()
        .select([col("row"), col("product"), col("key"), col("predicted")])
        .join(answers.lazy(), [col("row")], [col("row")], crate::table::in_order())
        .join(before.unwrap_or(&none).lazy(), key(), key(), crate::table::in_order())
        .filter(held.not().and(refused.clone().or(col("since_run").is_not_null())))
        .select([
            col("product"),
            col("key"),
            col("since_run").fill_null(lit(run.run_id.as_str())),
            col("since").fill_null(lit(run.as_of.epoch_millis()).cast(crate::table::INSTANT)),
            col("refusals").fill_null(lit(0_u32)) + refused.cast(DataType::UInt32),
        ])
        .collect()?;
    Ok(Waiting::new(frame)?)
}

fn key() -> [Expr; 2] {
    [col("product"), col("key")]
}

/// The assembled customers with `since_run`, `since` and `refusals`, null for those who do not wait, and each product's
/// sums, longest waiting first.
pub(super) fn join(
    customers: DataFrame,
    manifest: &Manifest,
    before: Option<&Waiting>,
) -> Result<(DataFrame, BTreeMap<String, Vec<WaitingSince>>), ReportError> {
    let none = Waiting::empty();
    let word = |column: &str, word: &str| col(column).eq(lit(word)).fill_null(lit(false));
    let refused = word("outcome", Outcome::CreationDisabled.as_str());
    let foretold = word("predicted", Prediction::CreationDisabled.as_str())
        .and(word("outcome", Outcome::NotAttempted.as_str()))
        .and(word("reason", Reason::PlanOnly.as_str()));
    let waits = refused.clone().or(foretold);
    let if_waiting = |value: Expr, dtype: DataType| when(waits.clone()).then(value).otherwise(lit(NULL).cast(dtype));
    let run = col("since_run").fill_null(lit(manifest.run_id.as_str()));
    let since = col("since").fill_null(lit(manifest.as_of.epoch_millis()).cast(crate::table::INSTANT));
    let refusals = col("refusals").fill_null(lit(0_u32)) + refused.cast(DataType::UInt32);
    let frame = customers
        .lazy()
        .join(before.unwrap_or(&none).lazy(), key(), key(), crate::table::in_order())
        .with_columns([
            if_waiting(run, DataType::String).alias("since_run"),
            if_waiting(since, crate::table::INSTANT).alias("since"),
            if_waiting(refusals, DataType::UInt32).alias("refusals"),
        ])
        .collect()?;
    let sums = sums(&frame)?;
    Ok((frame, sums))
}

fn sums(frame: &DataFrame) -> Result<BTreeMap<String, Vec<WaitingSince>>, ReportError> {
    let sums = frame
        .clone()
        .lazy()
        .filter(col("since_run").is_not_null())
        .group_by([col("product"), col("since"), col("since_run")])
        .agg([
            col("refusals").max().alias("most"),
            len().cast(DataType::UInt64).alias("customers"),
            (minor("mrr_desired") - minor("mrr_after")).sum().alias("mrr"),
        ])
        .sort(["product", "since", "since_run"], SortMultipleOptions::default())
        .collect()?;
    let (product, run) = (sums.column("product")?.str()?, sums.column("since_run")?.str()?);
    let since = sums.column("since")?.to_physical_repr();
    let since = since.i64()?;
    let (most, customers) = (sums.column("most")?.u32()?, sums.column("customers")?.u64()?);
    let mrr = sums.column("mrr")?.i128()?;
    let mut by_product: BTreeMap<String, Vec<WaitingSince>> = BTreeMap::new();
    for at in 0..sums.height() {
        let millis = since.get(at).unwrap_or_default();
        let Some(since) = Instant::from_epoch_seconds(millis.div_euclid(1000)) else { continue };
        by_product.entry(product.get(at).unwrap_or_default().to_owned()).or_default().push(WaitingSince {
            run_id: run.get(at).unwrap_or_default().to_owned(),
            since,
            refusals: most.get(at).unwrap_or_default(),
            customers: customers.get(at).unwrap_or_default(),
            mrr: mrr.get(at).unwrap_or_default(),
        });
    }
    Ok(by_product)
}

/// Writes `waiting.parquet`.
pub fn write_waiting(waiting: &Waiting, file: &mut dyn std::io::Write) -> Result<(), ReportError> {
    let mut frame = waiting.frame().clone();
    frame.rechunk_mut();
    ParquetWriter::new(file).with_compression(ParquetCompression::Lz4Raw).finish(&mut frame)?;
    Ok(())
}

/// Reads `waiting.parquet`.
pub fn read_waiting(file: std::fs::File) -> Result<Waiting, ReportError> {
    Ok(Waiting::new(ParquetReader::new(file).finish()?)?)
}

impl From<SchemaError> for ReportError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Polars(error) => Self::Table(error),
            error => Self::Table(PolarsError::SchemaMismatch(error.to_string().into())),
        }
    }
}
