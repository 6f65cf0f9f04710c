//! Billing: what each Stripe subscription brings a month, exactly, and what a customer's subscriptions show together.
//!
//! In: [`StripeTables`], the definition of MRR (`[mrr]`, `[fx]`), the account's currency, the run's clock. Out: one row per
//! subscription ([`Billed`]), one row per group of them ([`summarise`]), the working of single subscriptions
//! ([`explain::explain`]), and the definition in words ([`definition()`]).
//! Never: a floating-point number in money, a wrapped one, a rounding before the last step, a clock, a file.
//!
//! Every exact amount is a count of `1 / scale` minor units in an `Int128`, where `scale` is a common denominator of all
//! amounts: sums are plain additions, and the one rounding comes last. Where 128 bits cannot hold such a denominator, [`Rests`]
//! remembers the few amounts that were rounded, and that one rounding takes them exactly.
//!
//! Two ways lead there, with the same answers. `rows` is the definition: one subscription, its items, discounts and taxes,
//! in exact fractions. Columns price nearly all: `quote` says what each item costs per interval, `treatment` which part
//! of it discounts and tax leave, `price` multiplies. Each asks the rules of rows, once per distinct case.

mod counted;
mod coupons;
mod definition;
mod discount;
mod distinct;
mod exact;
pub mod explain;
mod interval;
mod item;
mod lookup;
mod price;
mod quote;
mod rates;
mod rest;
mod rows;
mod scale;
mod status;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod tiers;
mod treatment;

pub use definition::definition;
pub use exact::exact;
pub use rest::Rests;
pub use summary::summarise;

use crate::{
    config::{Fx, MrrSettings},
    model::{Break, Currency, Instant, Reason},
    table::{StripeTables, in_order},
};
use polars::prelude::*;

/// Billed subscriptions.
#[derive(Debug, Clone)]
pub struct Billed {
    /// All exact amounts are `Int128` counts of `1 / scale` minor units.
    pub scale: i128,
    /// Exactly one row per row of `tables.subscriptions`, in its order:
    ///
    /// | column | type | meaning |
    /// | --- | --- | --- |
    /// | `ord` | `UInt32` | the subscription's |
    /// | `customer` | `String` | the Stripe customer's id |
    /// | `mrr` | `Int128` | in the account's currency, 1/scale minor units; null when it cannot be known; 0 when not counted |
    /// | `mrr_native` | `Int128` | the same in `currency`; null when that cannot be known, or items are in several currencies |
    /// | `currency` | `String` | the items' currency, lower-case; null when there is none, or several |
    /// | `counted` | `Boolean` | whether it counts |
    /// | `status` | `String` | as read |
    /// | `rank` | `UInt8` | precedence of the status, 0 = active; unknown statuses after all others |
    /// | `live` | `Boolean` | active, trialing or past due |
    /// | `renews` | `Boolean` | live, and not set to end |
    /// | `period_end_ahead` | instant | of a live one the earliest period end after as-of |
    /// | `last_end` | instant | when it ended, else its latest period end |
    /// | `problem` | `String` | a [`Reason`] why `mrr` cannot be known; only where it counts |
    /// | `problem_detail` | `String` | what was found and what to do |
    pub subscriptions: DataFrame,
    /// What of `mrr` is rounded, because `scale` cannot hold it.
    pub rests: Rests,
    /// `status_unknown` and `paused_collection`, of the source `stripe_subscriptions`; each subscription id once.
    pub breaks: Vec<Break>,
}

/// The tables could not be computed with: a bug, not bad data.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// A query failed.
    #[error("failed to compute MRR: {0}")]
    Polars(#[from] PolarsError),
    /// A subscription's working leads to another sum than its MRR.
    #[error(
        "failed to explain subscription {subscription}: its MRR is {mrr} minor units, its working gives {working}; please report this with the export"
    )]
    Disagrees {
        /// The subscription's id.
        subscription: String,
        /// What the computation found.
        mrr: String,
        /// What the working leads to.
        working: String,
    },
}

/// Bills every subscription.
pub fn bill(
    tables: &StripeTables,
    mrr: &MrrSettings,
    fx: &Fx,
    currency: Currency,
    as_of: Instant,
) -> Result<Billed, BillingError> {
    bill_by(Path::Columns, tables, mrr, fx, currency, as_of)
}

/// By which way subscriptions are priced; the answers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// Columns, and rows where columns cannot.
    Columns,
    /// Rows only: the definition, for tests.
    #[cfg(test)]
    Rows,
}

fn bill_by(
    path: Path,
    tables: &StripeTables,
    mrr: &MrrSettings,
    fx: &Fx,
    currency: Currency,
    as_of: Instant,
) -> Result<Billed, BillingError> {
    let rates = rates::Rates { fx, mrr, account: currency };
    let subscriptions = counted::counted(tables, mrr, as_of)?.collect()?;
    let to_price = subscriptions
        .clone()
        .lazy()
        .filter(col("counted").and(col("problem").is_null()))
        .select([col("ord"), col("id"), col("customer")])
        .collect()?;
    let sources = lookup::Sources::new(tables, &to_price, mrr, as_of)?;
    let lookup = sources.lookup()?;
    let coupons = coupons::read(&tables.coupons, mrr, |currency| rates.digits(currency))?;
    let rules = discount::Rules {
        coupons: &coupons,
        by_id: &lookup.by_id,
        counted: mrr.coupons,
        unknown: mrr.unknown_coupon,
        as_of,
    };
    let mut all = tables
        .items
        .lazy()
        .drop(cols(["current_period_end"]))
        .semi_join(to_price.clone().lazy(), col("subscription"), col("ord"))
        .collect()?;
    let treatments = match path {
        Path::Columns => treatment::Treatments::judge(&all, &sources, &lookup, &rules)?,
        #[cfg(test)]
        Path::Rows => treatment::Treatments::none(&all),
    };
    all.with_column(Column::new("treatment".into(), treatments.of_items))?;
    let licensed = col("usage_type").eq(lit("metered")).fill_null(false).not();
    let left = col("treatment").eq(lit(treatment::BY_ROWS));
    let mut items = all.clone().lazy().filter(licensed.and(left.clone().not())).collect()?;
    quote::quote(&mut items, &lookup)?;
    let too_fine = items.clone().lazy().filter(col("unit").gt(exact::number(quote::FINEST)));
    let too_fine = too_fine.select([col("subscription")]).collect()?;
    if too_fine.height() > 0 {
        let these = too_fine.clone().lazy();
        items = items.lazy().anti_join(these, col("subscription"), col("subscription")).collect()?;
    }
    let exceptional = all.clone().lazy().filter(left).select([col("subscription")]);
    let exceptional = concat([exceptional, too_fine.lazy()], UnionArgs::default())?
        .unique(None, UniqueKeepStrategy::Any)
        .collect()?;
    let by_rows = {
        let these = || exceptional.clone().lazy();
        let subscriptions = to_price
            .clone()
            .lazy()
            .semi_join(these(), col("ord"), col("subscription"))
            .sort(["ord"], SortMultipleOptions::default())
            .collect()?;
        let items = all
            .lazy()
            .semi_join(these(), col("subscription"), col("subscription"))
            .sort(["subscription", "id", "ord"], SortMultipleOptions::default())
            .collect()?;
        rows::price(&subscriptions, &items, &lookup, &rules, mrr, &rates, false)?
    };
    let ordinary = price::Ordinary::new(items, &treatments.stays, mrr, &rates)?;

    let mut denominators = scale::Denominators::default();
    ordinary.see(&mut denominators)?;
    rows::see(&by_rows, &mut denominators);
    let scale = denominators.scale();

    let mut rests = Rests::default();
    let by_columns = ordinary.priced(scale, &mut rests, &rates, to_price.lazy())?;
    let by_rows = rows::frame(&by_rows, scale, &mut rests)?;
    let priced = concat([by_columns.lazy(), by_rows.lazy()], UnionArgs::default())?;
    let breaks = counted::breaks(&subscriptions)?;
    Ok(Billed { scale, subscriptions: assemble(subscriptions, priced)?, rests, breaks })
}

/// Puts amounts and problems beside every subscription.
fn assemble(subscriptions: DataFrame, priced: LazyFrame) -> PolarsResult<DataFrame> {
    let priced = priced.select([
        col("subscription"),
        col("native"),
        col("account"),
        col("problem").alias("found"),
        col("problem_detail").alias("found_detail"),
    ]);
    let zero = || lit(0).cast(DataType::Int128);
    let counts = |expression: Expr| when(col("counted")).then(expression).otherwise(lit(NULL));
    let (without_items, without_items_detail) = if subscriptions.column("items")?.null_count() == 0 {
        // A sentence would be made for every row, whether or not it is used.
        (lit(NULL), lit(NULL))
    } else {
        let sentence =
            [lit("subscription "), col("id"), lit(": its items are in no file; export subscription items too")];
        (lit(Reason::ItemsMissing.as_str()), concat_str(sentence, "", false))
    };
    let lacks_items = col("items").is_null();
    // What is known in its own currency stays known without a rate.
    let native_known = col("problem").is_null().or(col("problem").eq(lit(Reason::CurrencyWithoutRate.as_str())));
    subscriptions
        .lazy()
        .join(priced, [col("ord")], [col("subscription")], in_order())
        .with_columns([
            counts(
                when(col("problem").is_not_null())
                    .then(col("problem"))
                    .when(lacks_items.clone())
                    .then(without_items)
                    .otherwise(col("found")),
            )
            .alias("problem"),
            counts(
                when(col("problem").is_not_null())
                    .then(col("problem_detail"))
                    .when(lacks_items)
                    .then(without_items_detail)
                    .otherwise(col("found_detail")),
            )
            .alias("problem_detail"),
        ])
        .select([
            col("ord"),
            col("customer"),
            when(col("counted").not())
                .then(zero())
                .when(col("problem").is_null())
                .then(coalesce(&[col("account"), zero()]))
                .otherwise(lit(NULL))
                .alias("mrr"),
            when(col("counted").not())
                .then(zero())
                .when(native_known.and(col("one_currency")))
                .then(coalesce(&[col("native"), zero()]))
                .otherwise(lit(NULL))
                .alias("mrr_native"),
            when(col("one_currency")).then(col("currency")).otherwise(lit(NULL)).alias("currency"),
            col("counted"),
            col("status"),
            col("rank"),
            col("live"),
            col("renews"),
            col("period_end_ahead"),
            col("last_end"),
            col("problem"),
            col("problem_detail"),
        ])
        .collect()
}
