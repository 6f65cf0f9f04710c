//! What each desired customer should hold, and where each value came from.

use super::LinkError;
use super::customers::{Customers, UNLINKED};
use crate::config::Settings;
use crate::model::{Email, Field, LinkRule, Place, Reason};
use crate::table::{beside, look_up};
use polars::prelude::*;

/// One row per desired customer: `customer`, `key`, `contact`, the desired fields, `from_*`, `stripe_customer_ids`,
/// `link_rule`, `several_ids` (the external id was taken from accounts that disagree), `first_ord`.
///
/// `accounts`: `ord`, `id`, `email`, `name`, `created`, `external_id`, `label` (the id, or how a guest is called).
/// `contacts`: `ord`, `crm_name`, `id`, `email`, `external_id`, `name`, `company_name`, `last_activity`.
pub fn desired_fields(
    customers: &Customers,
    accounts: &DataFrame,
    contacts: &DataFrame,
    settings: &Settings,
) -> Result<LazyFrame, LinkError> {
    let of_contacts = contacts.clone().lazy().select([
        col("ord").alias("contact"),
        (col("crm_name") + lit(":") + col("id")).alias("contact_key"),
        col("crm_name"),
        col("email").alias("crm_email"),
        col("external_id").alias("crm_external_id"),
        col("name").alias("crm_name_value"),
        col("company_name").alias("crm_company_name"),
        col("last_activity").alias("crm_last_activity"),
    ]);
    let by_contact = look_up(customers.list.clone().lazy(), of_contacts, "contact", "contact").collect()?;
    let by_account = look_up(
        customers.list.clone().lazy().select([col("customer")]),
        of_accounts(customers, accounts)?,
        "customer",
        "customer",
    )
    .collect()?;
    let joined = beside(&by_contact, by_account)?.lazy();

    let source = |place: Place, crm: &str, stripe: &str| match place {
        Place::Crm => (col(crm), col("crm_name")),
        Place::Stripe => (col(stripe), lit("stripe")),
        Place::Metadata => (col("metadata_id"), lit("metadata")),
        Place::StripeId => (col("oldest_id"), lit("stripe_id")),
    };
    let mut columns = vec![
        col("customer"),
        col("contact"),
        coalesce(&[col("contact_key"), col("oldest_label")]).alias("key"),
        col("stripe_customer_ids"),
        rule_name(),
    ];
    for (field, crm, stripe) in [
        (Field::ExternalId, "crm_external_id", "metadata_id"),
        (Field::Email, "crm_email", "stripe_email"),
        (Field::Name, "crm_name_value", "stripe_name"),
        (Field::CompanyName, "crm_company_name", "no_text"),
        (Field::LastActivity, "crm_last_activity", "no_instant"),
    ] {
        let places: Vec<(Expr, Expr)> =
            settings.fields.get(&field).into_iter().flatten().map(|place| source(*place, crm, stripe)).collect();
        let values: Vec<Expr> = places.iter().map(|(value, _)| value.clone()).collect();
        let none = if field == Field::LastActivity { col("no_instant") } else { col("no_text") };
        columns.push(coalesce(&[values, vec![none]].concat()).alias(field.as_str()));
        let from = places
            .into_iter()
            .rev()
            .fold(col("no_text"), |otherwise, (value, name)| when(value.is_not_null()).then(name).otherwise(otherwise));
        columns.push(from.alias(format!("from_{field}")));
    }
    columns.push(col("metadata_ids"));
    Ok(joined
        .with_columns([
            lit(NULL).cast(DataType::String).alias("no_text"),
            lit(NULL).cast(crate::table::INSTANT).alias("no_instant"),
        ])
        .select(columns)
        .with_columns([
            col("from_external_id")
                .eq(lit("metadata"))
                .and(col("metadata_ids").gt(lit(1)))
                .fill_null(lit(false))
                .alias("several_ids"),
            when(col("email").is_not_null().and(col("email").str().contains(lit(Email::PATTERN), true).not()))
                .then(lit(Reason::EmailInvalid.as_str()))
                .otherwise(lit(NULL))
                .alias("email_problem"),
        ]))
}

/// What the accounts of each customer say together; the oldest account that has a value gives it.
fn of_accounts(customers: &Customers, accounts: &DataFrame) -> Result<LazyFrame, LinkError> {
    let members = customers
        .members
        .clone()
        .lazy()
        .inner_join(
            accounts.clone().lazy().select([
                col("ord"),
                col("id"),
                col("label"),
                col("email"),
                col("name"),
                col("created"),
                col("external_id"),
            ]),
            col("account"),
            col("ord"),
        )
        .with_column(col("customer").is_duplicated().alias("several"))
        .collect()?;
    // Nearly every customer has one account; only the others pay for a group.
    let one = members.clone().lazy().filter(col("several").not()).select([
        col("customer"),
        col("rank"),
        col("id").alias("stripe_customer_ids"),
        col("id").alias("oldest_id"),
        col("label").alias("oldest_label"),
        col("email").alias("stripe_email"),
        col("name").alias("stripe_name"),
        col("external_id").alias("metadata_id"),
        col("external_id").is_not_null().cast(DataType::UInt32).alias("metadata_ids"),
    ]);
    let several = members
        .lazy()
        .filter(col("several"))
        .sort(
            ["customer", "created", "label"],
            SortMultipleOptions::default().with_nulls_last(true).with_maintain_order(true),
        )
        .group_by_stable([col("customer")])
        .agg([
            col("rank").min(),
            col("id").drop_nulls().sort(SortOptions::default()).alias("stripe_customer_ids"),
            col("id").first_non_null().alias("oldest_id"),
            col("label").first().alias("oldest_label"),
            col("email").first_non_null().alias("stripe_email"),
            col("name").first_non_null().alias("stripe_name"),
            col("external_id").first_non_null().alias("metadata_id"),
            col("external_id").drop_nulls().n_unique().cast(DataType::UInt32).alias("metadata_ids"),
        ])
        .with_column(col("stripe_customer_ids").list().join(lit(";"), true));
    Ok(concat([one, several], UnionArgs::default())?)
}

/// The strongest rule that linked one of the customer's accounts.
fn rule_name() -> Expr {
    let rules = [LinkRule::Override, LinkRule::StripeCustomerId, LinkRule::Metadata, LinkRule::Email];
    debug_assert_eq!(rules.len(), usize::from(UNLINKED));
    (0_u32..)
        .zip(rules)
        .fold(lit(LinkRule::None.as_str()), |otherwise, (rank, rule)| {
            when(col("rank").cast(DataType::UInt32).eq(lit(rank))).then(lit(rule.as_str())).otherwise(otherwise)
        })
        .alias("link_rule")
}

#[cfg(test)]
mod tests {
    use crate::model::Email;
    use polars::prelude::*;

    #[test]
    fn a_table_finds_the_same_addresses_invalid_as_a_single_look_does() {
        // Every character of the first planes of writing, before and behind the `@`, and some shapes.
        let shapes = ["", "a", "@", "a@b", "a@b.", "a@.b", "@a.b", "a@b.c", "a@b..c", "a@b@c.d", "a@b.c.d"];
        let placed = |c: char| [format!("a{c}b@example.com"), format!("ab@exa{c}mple.com")];
        let texts = ('\0'..='\u{ffff}').flat_map(placed).chain(shapes.map(str::to_owned));
        // What stands in a table is normal.
        let (texts, valid): (Vec<String>, Vec<bool>) = texts
            .filter_map(|text| match Email::parse(&text) {
                Ok(normal) => Some((normal.as_str().to_owned(), true)),
                Err(_) => is_normal(&text).then_some((text, false)),
            })
            .unzip();
        assert!(valid.iter().filter(|valid| !**valid).count() > 150);
        let frame = df!("email" => &texts).unwrap();
        let found = frame.lazy().select([col("email").str().contains(lit(Email::PATTERN), true)]).collect().unwrap();
        let found = found.column("email").unwrap().bool().unwrap();
        for ((text, valid), found) in texts.iter().zip(valid).zip(found.iter()) {
            assert_eq!(found, Some(valid), "{text:?}");
        }
    }

    fn is_normal(text: &str) -> bool {
        use unicode_normalization::UnicodeNormalization;
        text.nfc().eq(text.chars())
    }
}
