//! Filters that take no row of a source which they speak of: a slip, or an id that changed in the source.

use super::PlanError;
use crate::config::{FilterColumn, FilterSource, Settings};
use crate::filter::Share;
use crate::model::{Break, BreakKind, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::table::{Contacts, StripeTables};
use polars::prelude::*;

/// So many values of a column are named.
const NAMED: usize = 5;

/// Columns of subscriptions whose values name nobody, so that a person may be told them.
const TOLD: [&str; 5] = ["product", "price", "currency", "interval", "status"];

/// One break per product and source that its filter speaks of, holds rows of, and takes none of.
pub fn taking_nothing(
    shares: &[Share],
    stripe: &StripeTables,
    contacts: &Contacts,
    settings: &Settings,
) -> Result<Vec<Break>, PlanError> {
    let mut breaks = vec![];
    for share in shares {
        let (Some(filter), Some(taken)) = (&share.filter, &share.taken) else { continue };
        let mut sources: Vec<FilterSource> = vec![];
        for term in &filter.terms {
            if !sources.contains(&term.source) {
                sources.push(term.source);
            }
        }
        for source in sources {
            let (name, rows, of_it) = match source {
                FilterSource::Customers => {
                    (STRIPE_CUSTOMERS, stripe.accounts.frame().height(), taken.accounts.height())
                }
                FilterSource::Subscriptions => {
                    (STRIPE_SUBSCRIPTIONS, stripe.subscriptions.frame().height(), taken.subscriptions.height())
                }
                FilterSource::Crm(index) => {
                    let Some(crm) = settings.crms.get(index) else { continue };
                    let number = u32::try_from(index).unwrap_or(u32::MAX);
                    let rows = contacts.lazy().filter(col("crm").eq(lit(number))).select([col("ord")]).collect()?;
                    let of_it = rows.clone().lazy().semi_join(taken.contacts.clone().lazy(), col("ord"), col("ord"));
                    (crm.name.as_str(), rows.height(), of_it.collect()?.height())
                }
            };
            // An export without a row is told of itself.
            if rows == 0 || of_it > 0 {
                continue;
            }
            let mut held = String::new();
            for condition in filter.about(source) {
                let mut columns = vec![];
                condition.columns(&mut |column| columns.push(column));
                for column in columns {
                    held += &values_of(column, source, stripe)?;
                }
            }
            breaks.extend(share.products.iter().filter_map(|index| settings.products.get(*index)).map(|product| {
                let detail = format!(
                    "the filter of {} takes none of the {rows} rows of {name}{held}; correct the filter, or the source",
                    product.name
                );
                Break::new(BreakKind::FilterTakesNothing, &product.name, name, detail)
            }));
        }
    }
    Ok(breaks)
}

/// What a column that a person may be told holds, the commonest first; else nothing.
fn values_of(column: &FilterColumn, source: FilterSource, stripe: &StripeTables) -> Result<String, PlanError> {
    let (FilterColumn::OfItems(name) | FilterColumn::Canonical(name)) = column else { return Ok(String::new()) };
    if source != FilterSource::Subscriptions || !TOLD.contains(name) {
        return Ok(String::new());
    }
    let rows = match column {
        FilterColumn::OfItems(_) => stripe.items.lazy(),
        _ => stripe.subscriptions.lazy(),
    };
    let found = rows
        .select([col(*name).cast(DataType::String).alias("value")])
        .filter(col("value").is_not_null())
        .group_by([col("value")])
        .agg([len().alias("rows")])
        .sort(["rows", "value"], SortMultipleOptions::default().with_order_descending_multi([true, false]))
        .collect()?;
    let values: Vec<String> =
        found.column("value")?.str()?.iter().flatten().take(NAMED).map(|value| format!("`{value}`")).collect();
    let more = if found.height() > NAMED { ", …" } else { "" };
    Ok(match values.as_slice() {
        [] => format!("; no `{name}` is known"),
        _ => format!("; `{name}` holds {}{more}", values.join(", ")),
    })
}
