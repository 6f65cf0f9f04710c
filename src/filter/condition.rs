//! Conditions as queries: three-valued, column by column.

use super::value::{value, values};
use crate::config::{Comparison, Condition, FilterColumn, Test};
use crate::table::{Items, look_up};
use polars::prelude::*;

/// What the tests about items are called, by their number.
fn name_of(test: usize) -> PlSmallStr {
    format!("item_test_{test}").into()
}

/// `taken` of `rows`: whether all of `conditions` are true; never null. `items` are those of the rows, where these are
/// subscriptions; `headings` those that the list in the column `named` goes by, where these are contacts.
pub(super) fn holds(
    conditions: &[&Condition],
    rows: &DataFrame,
    items: Option<&Items>,
    headings: &[String],
) -> PolarsResult<Column> {
    if conditions.is_empty() {
        return Ok(Column::new_scalar("taken".into(), Scalar::from(true), rows.height()));
    }
    let mut tests = vec![];
    let whole = joined(conditions.iter().map(|one| query(one, headings, &mut tests)).collect(), Expr::and);
    let mut rows = rows.clone().lazy();
    if let Some(items) = items.filter(|_| !tests.is_empty()) {
        let found = of_items(rows.clone(), items, tests);
        rows = look_up(rows, found, "ord", "item_owner");
    }
    let taken = rows.select([whole.fill_null(lit(false)).alias("taken")]).collect()?;
    Ok(taken.columns()[0].clone())
}

/// `item_owner` and every test: true where it is for any item, else unknown where it is for any, else false. Of a
/// subscription without items nothing is known.
fn of_items(rows: LazyFrame, items: &Items, tests: Vec<Expr>) -> LazyFrame {
    let count = tests.len();
    let named = items.lazy().select([
        col("subscription").alias("item_owner"),
        col("price"),
        col("product"),
        col("currency"),
        col("interval"),
    ]);
    let tests = tests.into_iter().enumerate().map(|(number, test)| test.alias(name_of(number)));
    let tested = rows
        .join(named, [col("ord")], [col("item_owner")], JoinArgs::new(JoinType::Left))
        .select([col("ord")].into_iter().chain(tests).collect::<Vec<_>>());
    let any = (0..count).flat_map(|number| {
        let name = name_of(number);
        [
            col(name.clone()).any(true).alias(name.clone()),
            col(name.clone()).is_null().any(true).alias(format!("{name}_unknown")),
        ]
    });
    let settled = (0..count).map(|number| {
        let name = name_of(number);
        let unknown = col(format!("{name}_unknown")).and(col(name.clone()).not());
        when(unknown).then(lit(NULL)).otherwise(col(name.clone())).alias(name)
    });
    tested
        .group_by([col("ord").alias("item_owner")])
        .agg(any.collect::<Vec<_>>())
        .select([col("item_owner")].into_iter().chain(settled).collect::<Vec<_>>())
}

/// A condition over columns; its tests about items are put into `tests`, and stand as columns of that number.
fn query(condition: &Condition, headings: &[String], tests: &mut Vec<Expr>) -> Expr {
    match condition {
        Condition::All(parts) => joined(parts.iter().map(|part| query(part, headings, tests)).collect(), Expr::and),
        Condition::Any(parts) => joined(parts.iter().map(|part| query(part, headings, tests)).collect(), Expr::or),
        Condition::Not(inner) => query(inner, headings, tests).not(),
        Condition::Is(inner, wanted) => query(inner, headings, tests).eq_missing(lit(*wanted)),
        Condition::Test(test) => {
            let mut about_items = false;
            condition.columns(&mut |column| about_items |= matches!(column, FilterColumn::OfItems(_)));
            let asked = tested(test, headings);
            if about_items {
                tests.push(asked);
                col(name_of(tests.len() - 1))
            } else {
                asked
            }
        }
    }
}

/// Joins in halves, so that a long chain is no deep query.
fn joined(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Expr {
    match parts.len() {
        0 => lit(true),
        1 => parts.remove(0),
        several => {
            let rest = parts.split_off(several / 2);
            join(joined(parts, join), joined(rest, join))
        }
    }
}

fn tested(test: &Test, headings: &[String]) -> Expr {
    let of = |operand| value(operand, headings);
    match test {
        Test::Compare(left, comparison, right) => {
            let (left, right) = (of(left), of(right));
            match comparison {
                Comparison::Equal => left.eq(right),
                Comparison::Less => left.lt(right),
                Comparison::LessOrEqual => left.lt_eq(right),
                Comparison::Greater => left.gt(right),
                Comparison::GreaterOrEqual => left.gt_eq(right),
            }
        }
        Test::Between(operand, least, most) => of(operand).gt_eq(of(least)).and(of(operand).lt_eq(of(most))),
        Test::OneOf(operand, list) => match values(list) {
            Some(texts) => of(operand).is_in(lit(texts).implode(false), false),
            None => joined(list.iter().map(|one| of(operand).eq(of(one))).collect(), Expr::or),
        },
        Test::Matches(operand, regex) => of(operand).str().contains(lit(regex.as_str()), true),
        Test::Absent(operand) => of(operand).is_null(),
        Test::Same(left, right) => of(left).eq_missing(of(right)),
        Test::Holds(operand) => of(operand),
    }
}
