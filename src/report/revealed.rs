//! Orphans that a reply revealed as another row's customer: what Tether held of them is counted where they were met.

use crate::model::{Prediction, Reason};
use polars::prelude::*;

/// Beside each row of the plan: `revealed` str, the key of the orphan that the row's reply showed (null: none).
pub(super) const REVEALED: &str = "revealed";

/// Gives each row whose reply showed an orphan (by Tether's id, within its product) what Tether held of that orphan, and the
/// orphan what the plan had matched with the row, if anything: then that is the customer whom nobody matches. So every
/// existing customer stands in one place, and opening and closing count it once. Adds [`REVEALED`].
///
/// `frame`: the plan beside its outcomes. Of several rows that show one orphan, the first in the plan has it.
pub(super) fn exchange(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let keys = [col("product"), col("shown")];
    let sides = |prefix: &str| {
        ["row", "key", "tether_id", "mrr_before"].map(|name| col(name).alias(format!("{prefix}_{name}")))
    };
    let mut orphan = sides("orphan").to_vec();
    orphan.extend([col("product"), col("tether_id").alias("shown")]);
    let mut shower = sides("shower").to_vec();
    shower.extend([col("product"), col("reply_tether_id").alias("shown")]);
    let is_orphan = || col("predicted").eq(lit(Prediction::Orphan.as_str()));
    let showers = frame.clone().lazy().filter(col("reply_tether_id").is_not_null()).select(shower);
    let pairs = frame
        .clone()
        .lazy()
        .filter(is_orphan().and(col("tether_id").is_not_null()))
        .select(orphan)
        .join(showers, &keys, &keys, JoinArgs::new(JoinType::Inner))
        .sort(["shower_row"], SortMultipleOptions::default())
        .unique_stable(Some(by_name(["orphan_row"], true, false)), UniqueKeepStrategy::First)
        .collect()?;
    if pairs.height() == 0 {
        let nobody = Column::full_null(REVEALED.into(), frame.height(), &DataType::String);
        return frame.hstack(&[nobody]);
    }
    let quoted = |name: &str| lit("`") + col(name) + lit("`");
    let at_shower = pairs.clone().lazy().select([
        col("shower_row").alias("row"),
        col("orphan_key").alias(REVEALED),
        col("orphan_mrr_before").alias("other_before"),
        lit(NULL).cast(DataType::String).alias("other_tether_id"),
        lit(NULL).cast(DataType::String).alias("other_reason"),
        (lit("the reply shows ")
            + quoted("orphan_key")
            + lit(", which the plan lists as an orphan: what Tether held of it is counted here"))
        .alias("other_detail"),
    ]);
    let here = when(col("shower_tether_id").is_null()).then(lit("")).otherwise(
        lit("; what stands here is ") + quoted("shower_tether_id") + lit(", which the plan had matched with that row"),
    );
    let at_orphan = pairs.lazy().select([
        col("orphan_row").alias("row"),
        lit(NULL).cast(DataType::String).alias(REVEALED),
        col("shower_mrr_before").alias("other_before"),
        col("shower_tether_id").alias("other_tether_id"),
        lit(Reason::MatchedByReply.as_str()).alias("other_reason"),
        (lit("a reply showed that ")
            + quoted("shower_key")
            + lit(" is this customer: its MRR is counted there")
            + here)
            .alias("other_detail"),
    ]);
    let met = concat([at_shower, at_orphan], UnionArgs::default())?.with_column(lit(true).alias("met"));
    let in_order = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    let is_met = || col("met").fill_null(lit(false));
    frame
        .clone()
        .lazy()
        .join(met, [col("row")], [col("row")], in_order)
        .with_columns([
            when(is_met()).then(col("other_before")).otherwise(col("mrr_before")).alias("mrr_before"),
            coalesce(&[col("other_tether_id"), col("tether_id")]).alias("tether_id"),
            coalesce(&[col("other_reason"), col("reason")]).alias("reason"),
            when(is_met())
                .then(concat_str([col("detail"), col("other_detail")], "; ", true))
                .otherwise(col("detail"))
                .alias("detail"),
        ])
        .drop(by_name(["other_before", "other_tether_id", "other_reason", "other_detail", "met"], true, false))
        .collect()
}
