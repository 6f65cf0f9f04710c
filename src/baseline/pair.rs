//! Which rows of two tables are the same customer. Pure.

use polars::prelude::*;

/// The identities in order, each with those that must not stand on both sides: had they been equal, they would have
/// paired the rows already; so they differ, and the rows are two customers.
const RULES: &[(&str, &[&str])] =
    &[("tether_id", &[]), ("external_id", &["tether_id"]), ("email", &["tether_id", "external_id"])];

/// For each row of `left` the index of the row of `right` that is the same customer. Several rows of `left` may name one
/// of `right`; where several of `right` qualify, the last does.
pub(super) fn pair(left: &DataFrame, right: &DataFrame) -> PolarsResult<Vec<Option<u32>>> {
    let mut pairs: Vec<Option<u32>> = vec![None; left.height()];
    let keys = ["tether_id", "external_id", "email"];
    let left = left.select(keys)?.with_row_index("left".into(), None)?;
    let right = right.select(keys)?.with_row_index("right".into(), None)?;
    for (key, earlier) in RULES {
        let open: BooleanChunked = pairs.iter().map(|pair| Some(pair.is_none())).collect_ca("open".into());
        // A table of rows that all have been paired needs no further join.
        let rest = left.filter(&open)?;
        if rest.height() == 0 {
            break;
        }
        // Null keys match nothing: both sides drop them before the join.
        let mut candidates = rest.lazy().filter(col(*key).is_not_null()).join(
            right.clone().lazy().filter(col(*key).is_not_null()),
            [col(*key)],
            [col(*key)],
            JoinArgs::new(JoinType::Inner),
        );
        for other in *earlier {
            candidates = candidates.filter(col(*other).is_null().or(col(format!("{other}_right")).is_null()));
        }
        let found = candidates.select([col("left"), col("right")]).collect()?;
        for (from, to) in found.column("left")?.u32()?.iter().zip(found.column("right")?.u32()?.iter()) {
            if let (Some(from), Some(to)) = (from, to) {
                let slot = &mut pairs[from as usize];
                *slot = (*slot).max(Some(to));
            }
        }
    }
    Ok(pairs)
}
