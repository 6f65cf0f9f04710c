//! Discounts to the items, subscriptions and customers that carry them.

use super::super::related::{DiscountLists, RelatedDiscounts, RelatedItems};
use super::DISCOUNTS;
use crate::load::assemble::stacked;
use crate::load::error::TableError;
use crate::load::ordered;
use crate::load::settle::{Settled, dispositions};
use crate::model::{Disposition, Reason};
use crate::table::{Discounts, StripeTables, in_order, look_up};
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
    let rows = taken_away(ordered(discounts.frame().clone())?.lazy());
    let rows = rows.with_columns([col("id").alias("discount"), key.alias("id")]);
    let standing = settled.standing(DISCOUNTS, &rows.collect()?, &["discount", "coupon", "start", "end"])?;
    let shown = said_in_full(shown, &standing)?;
    let found = owned(tables, &standing)?;
    let listing = concat([lists.lazy(), of_items.owners], UnionArgs::default())?;
    let found = beside_shown(found, &shown, listing)?;
    settled.add(DISCOUNTS, settlement(&standing, &found))?;

    let new = found.lazy().filter(col("lists").is_null().and(col("shown").is_null()));
    // A coupon that stands on its owner without a discount's id is the discount that the table holds.
    let open_or_last = [col("end").is_null().any(true).alias("open"), col("end").max().alias("last_end")];
    let same = new.clone().group_by(by_coupon()).agg(open_or_last);
    // Unless the table's was over before this one began: then it is an earlier one.
    let overlaps = col("open").or(col("start").is_null()).or(col("last_end").gt(col("start")));
    let again = col("open").is_not_null().and(overlaps).fill_null(lit(false));
    let shown = shown
        .lazy()
        .join(same, by_coupon(), by_coupon(), in_order())
        .filter(again.not().or(col("id").is_not_null()))
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

/// Discounts of which an event says that they were taken away are so from every earlier event on, in whatever file.
fn taken_away(rows: LazyFrame) -> LazyFrame {
    let deleted = || lit(Reason::Deleted.as_str());
    let gone = rows
        .clone()
        .filter(col("left_out").eq(deleted()).and(col("id").is_not_null()).and(col("event_created").is_not_null()))
        .group_by([col("id").alias("gone_id")])
        .agg([col("event_created").max().alias("gone")]);
    let over = col("event_created").lt_eq(col("gone")).fill_null(lit(false));
    look_up(rows, gone, "id", "gone_id")
        .with_column(when(over).then(deleted()).otherwise(col("left_out")).alias("left_out"))
}

fn by_owner() -> [Expr; 2] {
    ["level", "owner"].map(col)
}

fn by_coupon() -> [Expr; 3] {
    ["level", "owner", "coupon"].map(col)
}

/// The discounts that owners show, those shown by id only with what the table says of them: best a row that is not of a
/// single invoice.
fn said_in_full(shown: DataFrame, standing: &DataFrame) -> Result<DataFrame, TableError> {
    let best_first = [col("left_out").is_not_null(), col("ord")];
    let said = standing
        .clone()
        .lazy()
        .filter(col("discount").is_not_null().and(col("coupon").is_not_null()))
        .sort_by_exprs(best_first, SortMultipleOptions::default().with_maintain_order(true))
        .select([
            col("discount"),
            col("coupon").alias("said_coupon"),
            col("start").alias("said_start"),
            col("end").alias("said_end"),
        ])
        .unique_stable(Some(cols(["discount"])), UniqueKeepStrategy::First);
    let bare = || col("coupon").is_null();
    Ok(look_up(shown.lazy(), said, "id", "discount")
        .with_columns([
            when(bare()).then(col("said_coupon")).otherwise(col("coupon")).alias("coupon"),
            when(bare()).then(col("said_start")).otherwise(col("start")).alias("start"),
            // The end may stand in the table alone.
            coalesce(&[col("end"), col("said_end")]).alias("end"),
        ])
        .collect()?)
}

/// The rows of `standing` that may count, with `level` and `owner`: once per row of their owner, the narrowest they name.
fn owned(tables: &StripeTables, standing: &DataFrame) -> Result<DataFrame, TableError> {
    let mut found = Vec::with_capacity(LEVELS.len());
    let mut rest = standing.clone().lazy().filter(col("left_out").is_null());
    for (level, column) in LEVELS {
        let owners = match level {
            "item" => tables.items.lazy(),
            "subscription" => tables.subscriptions.lazy(),
            _ => tables.accounts.lazy(),
        };
        let owners = owners.select([col("ord").alias("owner"), col("id").alias("owner_id")]);
        let named = rest.clone().filter(col(column).is_not_null());
        let owned = named.inner_join(owners.filter(col("owner_id").is_not_null()), col(column), col("owner_id"));
        found.push(owned.with_column(lit(level).alias("level")).collect()?.lazy());
        rest = rest.filter(col(column).is_null());
    }
    Ok(concat(found, UnionArgs::default())?.collect()?)
}

/// `found` with `lists` (its owner lists its discounts, so it has no others) and `shown` (its owner shows it).
fn beside_shown(found: DataFrame, shown: &DataFrame, listing: LazyFrame) -> Result<DataFrame, TableError> {
    let listing = listing.select([col("level"), col("owner"), lit(true).alias("lists")]);
    let by_id = |id: &str| [col("level"), col("owner"), col(id)];
    let ids = shown.clone().lazy().filter(col("id").is_not_null()).select(by_id("id"));
    // Shown by its coupon, without an id: the same one where the owner lists all that it has.
    let coupons = shown.clone().lazy().filter(col("id").is_null().and(col("coupon").is_not_null())).select(by_coupon());
    let once =
        |rows: LazyFrame, name: &str| rows.unique(None, UniqueKeepStrategy::Any).with_column(lit(true).alias(name));
    Ok(found
        .lazy()
        .join(listing.unique(None, UniqueKeepStrategy::Any), by_owner(), by_owner(), in_order())
        .join(once(ids, "shown"), by_id("discount"), by_id("id"), in_order())
        .join(once(coupons, "shown_coupon"), by_coupon(), by_coupon(), in_order())
        .with_column(
            when(col("lists").is_not_null())
                .then(coalesce(&[col("shown"), col("shown_coupon")]))
                .otherwise(col("shown"))
                .alias("shown"),
        )
        .collect()?)
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
    /// `level`, `owner`: the items that list theirs.
    owners: LazyFrame,
}

fn listed_on_items(tables: &StripeTables, items: &RelatedItems) -> Result<OfItems, TableError> {
    let listing = items
        .lazy()
        .filter(col("discounts").is_not_null().and(col("id").is_not_null()))
        // The latest event's list, and before any event's the last one read.
        .sort(["event_created"], SortMultipleOptions::default().with_maintain_order(true))
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
    let owners = listing.lazy().select([lit("item").alias("level"), col("owner")]);
    Ok(OfItems { listed, owners })
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
