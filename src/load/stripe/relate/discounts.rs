//! Discounts to the items, subscriptions and customers that carry them; and the coupons that nothing asks for.

use super::super::related::{DiscountLists, RelatedCoupons, RelatedDiscounts, RelatedItems};
use super::settle::{Settled, dispositions, marked, numbered};
use super::{COUPONS, DISCOUNTS};
use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::model::{Disposition, Reason};
use crate::table::{Discounts, StripeTables, look_up};
use polars::prelude::*;

/// A discount that came from a table of its own stands behind those that its owner shows; among themselves ids decide.
const POSITION: u32 = 1000;

/// What a discount is on, narrowest first: the level, the column that names the owner, and the column of its row's `ord`.
const LEVELS: [(&str, &str); 3] =
    [("item", "subscription_item"), ("subscription", "subscription"), ("customer", "customer")];

/// Gives every owner the discounts that name it, and fills in those that an owner shows by id only.
pub(super) fn attach(
    tables: &mut StripeTables,
    discounts: &RelatedDiscounts,
    items: &RelatedItems,
    lists: &DiscountLists,
    settled: &mut Settled<'_>,
) -> Result<(), TableError> {
    let of_items = listed_on_items(tables, items)?;
    let shown = std::mem::replace(&mut tables.discounts, Discounts::empty()).into_frame();
    let shown = stacked(vec![shown, of_items.listed], Discounts::empty().into_frame())?;
    if discounts.is_empty() {
        tables.discounts = Discounts::new(shown)?;
        return Ok(());
    }
    let text = |name: &str| col(name).fill_null(lit(""));
    // A warehouse repeats a discount for every thing that it touched.
    let key = concat_str(
        [text("id"), text("subscription_item"), text("subscription"), text("customer"), text("left_out")],
        "|",
        false,
    );
    let rows = numbered(discounts.frame())?.lazy().with_columns([col("id").alias("discount"), key.alias("id")]);
    let standing = settled.standing(DISCOUNTS, &rows.collect()?, &["discount", "coupon", "start", "end"])?;

    // What an owner shows by id only is said by the table: best by a row that is not of a single invoice.
    let said = standing
        .clone()
        .lazy()
        .filter(col("discount").is_not_null().and(col("coupon").is_not_null()))
        .sort_by_exprs(
            [col("left_out").is_not_null(), col("ord")],
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .select([
            col("discount"),
            col("coupon").alias("said_coupon"),
            col("start").alias("said_start"),
            col("end").alias("said_end"),
        ])
        .unique_stable(Some(cols(["discount"])), UniqueKeepStrategy::First);
    let shown = shown.lazy().with_row_index("at", None);
    let bare = || col("coupon").is_null();
    let shown = look_up(shown, said, "id", "discount")
        .with_columns([
            when(bare()).then(col("said_coupon")).otherwise(col("coupon")).alias("coupon"),
            when(bare()).then(col("said_start")).otherwise(col("start")).alias("start"),
            // The end may stand in the table alone.
            coalesce(&[col("end"), col("said_end")]).alias("end"),
        ])
        .collect()?;

    let mut found = Vec::with_capacity(LEVELS.len());
    let mut rest = standing.clone().lazy().filter(col("left_out").is_null()).collect()?;
    for (level, column) in LEVELS {
        let named = rest.clone().lazy().filter(col(column).is_not_null());
        let owners = match level {
            "item" => tables.items.lazy().select([col("ord").alias("owner"), col("id").alias("owner_id")]),
            "subscription" => {
                tables.subscriptions.lazy().select([col("ord").alias("owner"), col("id").alias("owner_id")])
            }
            _ => tables.accounts.lazy().select([col("ord").alias("owner"), col("id").alias("owner_id")]),
        };
        let owned = named.inner_join(owners.filter(col("owner_id").is_not_null()), col(column), col("owner_id"));
        found.push(owned.with_column(lit(level).alias("level")).collect()?.lazy());
        rest = rest.lazy().filter(col(column).is_null()).collect()?;
    }
    let found = concat(found, UnionArgs::default())?.collect()?;

    // An owner that lists its discounts has no others.
    let listing = concat(
        [
            lists.lazy().select([
                lit("subscription").alias("level"),
                col("subscription").alias("owner"),
                lit(true).alias("lists"),
            ]),
            of_items.owners.lazy().select([lit("item").alias("level"), col("owner"), lit(true).alias("lists")]),
        ],
        UnionArgs::default(),
    )?
    .unique(None, UniqueKeepStrategy::Any);
    let by_owner = || [col("level"), col("owner")];
    let left = || JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
    let shown_ids = shown.clone().lazy().filter(col("id").is_not_null()).select([
        col("level"),
        col("owner"),
        col("id"),
        lit(true).alias("shown"),
    ]);
    let shown_ids = shown_ids.unique(None, UniqueKeepStrategy::Any);
    let found = found
        .lazy()
        .join(listing, by_owner(), by_owner(), left())
        .join(shown_ids, [col("level"), col("owner"), col("discount")], [col("level"), col("owner"), col("id")], left())
        .collect()?;

    let new = found.clone().lazy().filter(col("lists").is_null().and(col("shown").is_null()));
    let ends = settlement(&standing, &found);
    settled.add(DISCOUNTS, ends)?;

    // A coupon that stands on its owner without a discount's id is the discount that the table holds.
    let same = new.clone().select([col("level"), col("owner"), col("coupon"), lit(true).alias("again")]);
    let same = same.unique(None, UniqueKeepStrategy::Any);
    let by_coupon = || [col("level"), col("owner"), col("coupon")];
    let shown = shown
        .lazy()
        .join(same, by_coupon(), by_coupon(), left())
        .filter(col("again").is_null().or(col("id").is_not_null()))
        .sort(["at"], SortMultipleOptions::default())
        .collect()?;
    let new = new
        .select([
            col("level"),
            col("owner"),
            when(col("level").eq(lit("customer"))).then(col("customer")).otherwise(lit(NULL)).alias("customer"),
            col("discount").alias("id"),
            col("coupon"),
            col("start"),
            col("end"),
            lit(POSITION).cast(DataType::UInt32).alias("position"),
        ])
        .sort(["level", "owner", "id", "coupon"], SortMultipleOptions::default())
        .collect()?;
    let frames = vec![Discounts::new(shown)?.into_frame(), Discounts::new(new)?.into_frame()];
    tables.discounts = Discounts::new(stacked(frames, Discounts::empty().into_frame())?)?;
    Ok(())
}

/// Where the `standing` discounts went, of which `found` have owners.
fn settlement(standing: &DataFrame, found: &DataFrame) -> LazyFrame {
    let owned = found.clone().lazy().group_by([col("ord")]).agg([col("lists")
        .is_null()
        .or(col("shown").is_not_null())
        .any(true)
        .alias("taken")]);
    look_up(standing.clone().lazy(), owned, "ord", "ord")
        .with_columns(dispositions(&[
            (col("left_out").is_not_null(), Disposition::Excluded, None),
            (col("taken").is_null(), Disposition::Unattached, Some(Reason::OwnerMissing)),
            (col("taken").not(), Disposition::Excluded, Some(Reason::NotUsed)),
        ]))
        .with_columns([coalesce(&[col("left_out"), col("reason")]).alias("reason"), col("discount").alias("id")])
}

/// Discounts that items list by id.
struct OfItems {
    listed: DataFrame,
    /// `owner`: the items that list theirs.
    owners: DataFrame,
}

fn listed_on_items(tables: &StripeTables, items: &RelatedItems) -> Result<OfItems, TableError> {
    let listing = items
        .lazy()
        .filter(col("discounts").is_not_null().and(col("id").is_not_null()))
        .select([col("id").alias("item"), col("discounts")])
        .unique_stable(Some(cols(["item"])), UniqueKeepStrategy::Last);
    let listing = tables
        .items
        .lazy()
        .select([col("ord").alias("owner"), col("id")])
        .inner_join(listing, col("id"), col("item"))
        .sort(["owner"], SortMultipleOptions::default())
        .collect()?;
    let listed = by_id("item", listing.column("owner")?.u32()?, listing.column("discounts")?.str()?)?;
    Ok(OfItems { listed, owners: listing.select(["owner"])? })
}

/// One discount, known by its id only, for each id in a cell. A loop over rows, since a cell may hold a list and few rows
/// hold any.
pub(in crate::load::stripe) fn by_id(
    level: &str,
    owners: &UInt32Chunked,
    cells: &StringChunked,
) -> Result<DataFrame, TableError> {
    let (mut of, mut ids, mut positions) = (Vec::<u32>::new(), Vec::<&str>::new(), Vec::<u32>::new());
    for (owner, cell) in owners.iter().zip(cells.iter()) {
        let (Some(owner), Some(cell)) = (owner, cell) else { continue };
        let listed = cell.split([',', ';']).map(|id| id.trim_matches(['[', ']', '"', ' '])).filter(|id| !id.is_empty());
        for (position, id) in (0_u32..).zip(listed) {
            of.push(owner);
            ids.push(id);
            positions.push(position);
        }
    }
    let rows = of.len();
    let mut frame = DataFrame::new(
        rows,
        vec![
            Column::new_scalar("level".into(), Scalar::from(PlSmallStr::from(level)), rows),
            Column::new("owner".into(), of),
            Column::new("id".into(), ids),
            Column::new("position".into(), positions),
        ],
    )?;
    for (column, dtype) in Discounts::schema() {
        if frame.column(column).is_err() {
            frame.with_column(Column::full_null(column.into(), rows, &dtype))?;
        }
    }
    Ok(Discounts::new(frame)?.into_frame())
}

/// Where the coupons went that are rows of their own: used by a discount or not.
pub(super) fn settle_coupons(
    tables: &StripeTables,
    coupons: &RelatedCoupons,
    settled: &mut Settled<'_>,
) -> Result<(), TableError> {
    if coupons.is_empty() {
        return Ok(());
    }
    let standing = settled.standing(COUPONS, &numbered(coupons.frame())?, &["content"])?;
    let used = marked(tables.discounts.lazy(), "coupon", "used");
    let ends = look_up(standing.lazy(), used, "id", "coupon").with_columns(dispositions(&[(
        col("used").is_null(),
        Disposition::Excluded,
        Some(Reason::NotUsed),
    )]));
    settled.add(COUPONS, ends)
}
