//! Where rows begin: the plan's rows of one product as calls, read from the table a slice at a time.

use crate::journal::RowSet;
use crate::model::{Field, Instant, Money, Prediction, Selection, UpsertBody};
use crate::send::Call;
use crate::table::{PlanRows, is_selected};
use polars::prelude::*;
use std::collections::VecDeque;

/// Rows turned into calls at a time.
const SLICE: usize = 4096;

/// The calls of one product, in the order of the plan.
pub struct Calls {
    rows: DataFrame,
    digits: u8,
    offset: usize,
    ready: VecDeque<Call>,
}

impl Calls {
    /// The rows of `product` that are to be sent, of those that are selected; `digits` are those of the account's currency.
    pub fn new(plan: &PlanRows, product: &str, digits: u8, selection: Option<&Selection>) -> PolarsResult<Self> {
        let sent: Vec<&str> = Prediction::ALL.iter().filter(|word| word.is_sent()).map(|word| word.as_str()).collect();
        let rows = plan
            .lazy()
            .filter(
                col("product")
                    .eq(lit(product))
                    .and(col("predicted").is_in(lit(Series::new("".into(), sent)).implode(false), false))
                    .and(is_selected(selection)),
            )
            .select([
                col("row"),
                col("predicted"),
                col("email"),
                col("external_id"),
                col("name"),
                col("company_name"),
                col("mrr"),
                col("subscription_status"),
                col("auto_renew"),
                col("period_end"),
                col("last_activity"),
                col("held_back"),
            ])
            .sort(["row"], SortMultipleOptions::default())
            .collect()?;
        Ok(Self { rows, digits, offset: 0, ready: VecDeque::new() })
    }

    /// How many rows are to be sent that are not among `decided`.
    pub fn left(&self, decided: &RowSet) -> PolarsResult<usize> {
        let rows = self.rows.column("row")?.u32()?;
        Ok(rows.iter().flatten().filter(|row| !decided.contains(*row)).count())
    }

    fn fill(&mut self) -> PolarsResult<()> {
        let slice = self.rows.slice(i64::try_from(self.offset).unwrap_or(i64::MAX), SLICE);
        self.offset += slice.height();
        let text = |name: &str| -> PolarsResult<StringChunked> { Ok(slice.column(name)?.str()?.clone()) };
        let instant = |name: &str| -> PolarsResult<Int64Chunked> {
            Ok(slice.column(name)?.cast(&DataType::Int64)?.i64()?.clone())
        };
        let (email, external_id) = (text("email")?, text("external_id")?);
        let (name, company_name) = (text("name")?, text("company_name")?);
        let (status, predicted, held_back) = (text("subscription_status")?, text("predicted")?, text("held_back")?);
        let (period_end, last_activity) = (instant("period_end")?, instant("last_activity")?);
        let (row, mrr) = (slice.column("row")?.u32()?, slice.column("mrr")?.i64()?);
        let auto_renew = slice.column("auto_renew")?.bool()?;
        let owned = |column: &StringChunked, at: usize| column.get(at).map(str::to_owned);
        let at_second = |column: &Int64Chunked, at: usize| {
            column.get(at).and_then(|millis| Instant::from_epoch_seconds(millis.div_euclid(1000)))
        };
        for at in 0..slice.height() {
            let Some(row) = row.get(at) else { continue };
            let holds_back = |field: Field| {
                held_back.get(at).is_some_and(|fields| fields.split(';').any(|name| name == field.as_str()))
            };
            let predicted = predicted.get(at).and_then(|word| word.parse().ok()).unwrap_or(Prediction::Unknown);
            self.ready.push_back(Call {
                row,
                predicted,
                body: UpsertBody {
                    email: owned(&email, at),
                    external_id: owned(&external_id, at),
                    name: owned(&name, at),
                    company_name: owned(&company_name, at),
                    mrr: mrr.get(at).map(|minor| Money::new(minor, self.digits)),
                    subscription_status: owned(&status, at),
                    auto_renew: auto_renew.get(at),
                    period_end: at_second(&period_end, at),
                    last_activity: at_second(&last_activity, at).filter(|_| !holds_back(Field::LastActivity)),
                },
            });
        }
        Ok(())
    }
}

impl Iterator for Calls {
    type Item = Call;

    #[expect(clippy::expect_used, reason = "the columns were selected with their types in `new`")]
    fn next(&mut self) -> Option<Call> {
        if self.ready.is_empty() && self.offset < self.rows.height() {
            self.fill().expect("the plan's columns have the types that `new` selected");
        }
        self.ready.pop_front()
    }
}
