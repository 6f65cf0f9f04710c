//! Filters against the loaded tables: which source rows are which product's.
//!
//! In: the products' filters, canonical tables. Out: one [`Share`] per filter that differs, with the rows it takes. Never:
//! the grammar of filters, what a row is worth, whom it belongs to, a row that is left out (that a row is not taken is for
//! `link` to say).
//!
//! Rows with one id stand or fall together, by the one that stands; a subscription goes with its customer, and a customer
//! with its subscriptions: both must fulfil what the filter says of them. A row that a filter is silent about is taken.

mod condition;
#[cfg(test)]
mod tests;
mod value;

use crate::config::{Filter, FilterSource, Settings};
use crate::model::Rejection;
use crate::table::{Contacts, INSTANT, StripeTables, look_up, standing};
use condition::holds;
use polars::prelude::*;

/// What the products of one filter have in common.
#[derive(Debug, Clone)]
pub struct Share {
    /// The filter; `None`: they take every row.
    pub filter: Option<Filter>,
    /// The products, by their place in the configuration.
    pub products: Vec<usize>,
    /// The rows it takes; `None`: all.
    pub taken: Option<Taken>,
}

/// The rows that a filter takes, each frame with the column `ord` u32; replaced rows go with the one that stands for them.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Stripe customers.
    pub accounts: DataFrame,
    /// Subscriptions.
    pub subscriptions: DataFrame,
    /// Contacts of all CRMs.
    pub contacts: DataFrame,
}

/// The shares of the products, in the order of the first product of each. `rejections`: rows that no filter can judge.
///
/// # Errors
/// A query failed: a bug.
pub fn shares(
    settings: &Settings,
    stripe: &StripeTables,
    contacts: &Contacts,
    rejections: &[Rejection],
) -> PolarsResult<Vec<Share>> {
    let mut shares: Vec<Share> = vec![];
    for (index, product) in settings.products.iter().enumerate() {
        if let Some(share) = shares.iter_mut().find(|share| share.filter == product.filter) {
            share.products.push(index);
            continue;
        }
        let taken = product.filter.as_ref();
        let taken = taken.map(|filter| taken_by(filter, settings, stripe, contacts, rejections)).transpose()?;
        shares.push(Share { filter: product.filter.clone(), products: vec![index], taken });
    }
    Ok(shares)
}

/// The rows that `filter` takes.
fn taken_by(
    filter: &Filter,
    settings: &Settings,
    stripe: &StripeTables,
    contacts: &Contacts,
    rejections: &[Rejection],
) -> PolarsResult<Taken> {
    let of_customers = filter.about(FilterSource::Customers).collect::<Vec<_>>();
    let of_subscriptions = filter.about(FilterSource::Subscriptions).collect::<Vec<_>>();
    let narrow = |frame: &DataFrame, columns: &[&str]| frame.select(columns.iter().copied());

    let accounts = holds(&of_customers, stripe.accounts.frame(), None, &[])?;
    let accounts = with(narrow(stripe.accounts.frame(), &["ord", "id", "event_created"])?, accounts)?;
    let accounts = by_standing_row(accounts)?;
    let subscriptions = holds(&of_subscriptions, stripe.subscriptions.frame(), Some(&stripe.items), &[])?;
    let columns = ["ord", "id", "event_created", "customer", "livemode"];
    let subscriptions = with(narrow(stripe.subscriptions.frame(), &columns)?, subscriptions)?;
    let mut subscriptions = by_standing_row(subscriptions)?;

    if !of_customers.is_empty() {
        // A customer that is in no file fulfils nothing.
        let owners = one_per_id(&accounts).select([col("id").alias("owner"), col("taken").alias("owner_taken")]);
        subscriptions = look_up(subscriptions.lazy(), owners, "customer", "owner")
            .with_column(col("taken").and(col("owner_taken").fill_null(lit(false))))
            .collect()?;
    }
    let accounts = if of_subscriptions.is_empty() {
        accounts
    } else {
        let test_mode = col("livemode").eq(lit(false)).fill_null(lit(false)).and(lit(!settings.stripe.test_mode));
        let owners = subscriptions
            .clone()
            .lazy()
            .filter(col("taken").and(test_mode.not()))
            .select([col("customer").alias("owner")]);
        // A row that could not be read may be anybody's: its customer would otherwise be nobody's, and an orphan.
        let unread: Vec<&str> = rejections.iter().filter_map(|row| row.customer.as_deref()).collect();
        let owners = concat([owners, df!("owner" => unread)?.lazy()], UnionArgs::default())?
            .unique(None, UniqueKeepStrategy::Any)
            .with_column(lit(true).alias("has_one"));
        look_up(accounts.lazy(), owners, "id", "owner")
            .with_column(col("taken").and(col("has_one").fill_null(lit(false))))
            .collect()?
    };
    Ok(Taken {
        accounts: ords(accounts)?,
        subscriptions: ords(subscriptions)?,
        contacts: taken_contacts(filter, settings, contacts)?,
    })
}

/// The contacts of CRMs that the filter is silent about, and of the others those that fulfil it.
fn taken_contacts(filter: &Filter, settings: &Settings, contacts: &Contacts) -> PolarsResult<DataFrame> {
    let all = contacts.frame();
    let mut parts = vec![];
    for (index, number) in (0_u32..).enumerate().take(settings.crms.len()) {
        let rows = contacts.lazy().filter(col("crm").eq(lit(number))).collect()?;
        let conditions = filter.about(FilterSource::Crm(index)).collect::<Vec<_>>();
        let found = holds(&conditions, &rows, None, &settings.headings_of_filters(index))?;
        let rows = rows.lazy().select([col("ord"), col("id"), lit(NULL).cast(INSTANT).alias("event_created")]);
        parts.push(by_standing_row(with(rows.collect()?, found)?)?.lazy());
    }
    if parts.is_empty() { all.select(["ord"]) } else { ords(concat(parts, UnionArgs::default())?.collect()?) }
}

fn with(mut rows: DataFrame, taken: Column) -> PolarsResult<DataFrame> {
    rows.with_column(taken)?;
    Ok(rows)
}

/// The rows with `taken` as the row that stands for their id has it; one without an id stands for itself.
fn by_standing_row(rows: DataFrame) -> PolarsResult<DataFrame> {
    if rows.column("id")?.n_unique()? == rows.height() {
        return Ok(rows);
    }
    let decided = standing(rows.clone().lazy()).select([col("id").alias("its_id"), col("taken").alias("decided")]);
    look_up(rows.lazy(), decided, "id", "its_id")
        .with_column(coalesce(&[col("decided"), col("taken")]).alias("taken"))
        .drop(by_name(["decided"], true, false))
        .collect()
}

/// One row per id.
fn one_per_id(rows: &DataFrame) -> LazyFrame {
    let known = rows.clone().lazy().filter(col("id").is_not_null());
    known.unique(Some(by_name(["id"], true, false)), UniqueKeepStrategy::Any)
}

fn ords(rows: DataFrame) -> PolarsResult<DataFrame> {
    rows.lazy().filter(col("taken")).select([col("ord")]).collect()
}
