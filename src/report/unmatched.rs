//! Records of one side without the other: what the outcomes do not show at a glance.

use super::ReportError;
use super::model::ReportModel;
use crate::model::{Disposition, LinkRule, Outcome, Reason};
use polars::prelude::*;

/// Rows of the accounting that found no customer, by their reason, and what to call them.
const ROWS: [(Reason, &str); 3] = [
    (Reason::NoBillingAccount, "contact without account"),
    (Reason::SubscriptionWithoutCustomer, "subscription without customer"),
    (Reason::OwnerMissing, "owner in no file"),
];

/// Rows whose disposition alone says so.
const UNATTACHED: &str = "owner in no file";

const ACCOUNT: &str = "account without contact";
const CONTACT: &str = "contact without account";

/// `what, source, product, id, email, name, mrr_desired, reason, key, file, line`: customers that no contact and account
/// were linked for (where a CRM is read at all), in the order of the plan; then input rows, in theirs. Tether's side is
/// the orphans.
pub(super) fn unmatched(model: &ReportModel) -> Result<DataFrame, ReportError> {
    let null = |dtype: DataType| lit(NULL).cast(dtype);
    let text = || null(DataType::String);
    let with_account = || col("stripe_customer_ids").is_not_null();
    let mut customers = model
        .customers
        .clone()
        .lazy()
        .filter(
            col("link_rule")
                .eq(lit(LinkRule::None.as_str()))
                .fill_null(lit(false))
                .and(col("outcome").neq(lit(Outcome::Orphan.as_str()))),
        )
        .select([
            when(with_account()).then(lit(ACCOUNT)).otherwise(lit(CONTACT)).alias("what"),
            when(with_account()).then(lit("stripe")).otherwise(lit("crm")).alias("source"),
            col("product"),
            coalesce(&[col("stripe_customer_ids"), col("external_id")]).alias("id"),
            col("email"),
            col("name"),
            col("mrr_desired"),
            text().alias("reason"),
            col("key"),
            text().alias("file"),
            null(DataType::UInt32).alias("line"),
        ]);
    if !has_crm(model) {
        customers = customers.limit(0);
    }
    let of_reason = ROWS.iter().fold(lit(NULL).cast(DataType::String), |other, (reason, what)| {
        when(col("reason").eq(lit(reason.as_str()))).then(lit(*what)).otherwise(other)
    });
    let unattached = col("disposition").eq(lit(Disposition::Unattached.as_str()));
    let rows = model
        .accounting
        .lazy()
        .with_columns([coalesce(&[of_reason, when(unattached).then(lit(UNATTACHED)).otherwise(text())]).alias("what")])
        .filter(col("what").is_not_null())
        .select([
            col("what"),
            col("source"),
            text().alias("product"),
            col("id"),
            text().alias("email"),
            text().alias("name"),
            null(DataType::Int64).alias("mrr_desired"),
            coalesce(&[col("reason"), col("disposition")]).alias("reason"),
            col("customer").alias("key"),
            col("file"),
            col("line"),
        ]);
    Ok(concat([customers, rows], UnionArgs::default())?.collect()?)
}

/// Whether any source is a CRM: its name is none that the product gives.
fn has_crm(model: &ReportModel) -> bool {
    let own = |name: &str| name.starts_with("stripe_") || matches!(name, "existing" | "overrides");
    model.manifest.sources.iter().any(|source| !own(&source.name))
}
