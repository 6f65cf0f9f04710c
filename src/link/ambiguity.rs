//! Where identity cannot be told: nobody wins, every candidate is named.

use super::LinkError;
use super::claims::Claims;
use super::customers::Customers;
use crate::model::{InputFile, Reason};
use polars::prelude::*;
use std::collections::BTreeMap;

/// Candidates named in one message; more are counted.
const NAMED: usize = 12;

/// The desired customers that cannot be told apart: `customer` u32, `ambiguity` str (a reason), `ambiguity_detail` str,
/// `contested` bool (an account that may be its own is not counted in its sums). One row per customer.
///
/// `desired`: as [`super::fields::desired_fields`] gives it; `accounts`: `ord`, `label`, `file`, `line`; `contacts`: `ord`,
/// `crm_name`, `id`, `file`, `line`.
pub fn ambiguities(
    customers: &Customers,
    claims: &Claims,
    desired: &DataFrame,
    accounts: &DataFrame,
    contacts: &DataFrame,
    files: &[InputFile],
) -> Result<DataFrame, LinkError> {
    let paths = Series::new("path".into(), files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>());
    let place = |frame: LazyFrame, name: Expr| {
        let path = lit(paths.clone()).gather(col("file"), true);
        frame.with_column(
            (name + lit(" (") + path + lit(":") + col("line").cast(DataType::String) + lit(")")).alias("candidate"),
        )
    };
    let contacts = place(contacts.clone().lazy(), col("crm_name") + lit(":") + col("id"))
        .select([col("ord").alias("contact"), col("candidate")])
        .inner_join(customers.list.clone().lazy().filter(col("contact").is_not_null()), col("contact"), col("contact"));
    let accounts = place(accounts.clone().lazy(), col("label"))
        .select([col("ord").alias("account"), col("candidate").alias("account_place")]);

    let found = |frame: LazyFrame, reason: Reason, group: Expr| {
        frame.select([lit(reason.as_str()).alias("reason"), group.alias("group"), col("customer"), col("candidate")])
    };
    let contested = found(
        claims.contested.clone().lazy().inner_join(accounts, col("account"), col("account")).inner_join(
            contacts.clone(),
            col("contact"),
            col("contact"),
        ),
        Reason::AmbiguousAccount,
        lit("billing account ") + col("account_place") + lit(" is claimed by ") + col("rule") + lit(" by"),
    );
    let shared_ids = found(
        customers.shared_ids.clone().lazy().inner_join(contacts, col("contact"), col("contact")),
        Reason::AmbiguousExternalId,
        lit("external id ") + col("external_id") + lit(" stands on the contacts"),
    );
    let keys = desired.clone().lazy().select([
        col("customer"),
        col("key"),
        col("stripe_customer_ids"),
        col("external_id"),
        col("email"),
        col("several_ids"),
    ]);
    let mixed = found(
        customers.mixed.clone().lazy().rename(["email"], ["group_email"], true).inner_join(
            keys.clone().with_column(
                (col("key") + lit(" (external id ") + col("external_id").fill_null(lit("none")) + lit(")"))
                    .alias("candidate"),
            ),
            col("customer"),
            col("customer"),
        ),
        Reason::AmbiguousExternalId,
        lit("billing accounts with different external ids share the e-mail ") + col("group_email") + lit(":"),
    );
    let several_ids = found(
        keys.clone().filter(col("several_ids")).with_column(col("stripe_customer_ids").alias("candidate")),
        Reason::AmbiguousExternalId,
        lit("billing accounts of ") + col("key") + lit(" carry different external ids:"),
    );
    let repeated = |field: &'static str, reason: Reason, says: &'static str| {
        found(
            keys.clone()
                .filter(col(field).is_not_null())
                .filter(col(field).is_duplicated())
                .with_column(col("key").alias("candidate")),
            reason,
            lit(says) + col(field) + lit(" would stand on several customers:"),
        )
    };
    let all = concat(
        [
            contested,
            shared_ids,
            mixed,
            several_ids,
            repeated("external_id", Reason::AmbiguousExternalId, "external id "),
            repeated("email", Reason::AmbiguousEmail, "e-mail "),
        ],
        UnionArgs::default(),
    )?
    .collect()?;
    explain(&all)
}

/// The candidates of one ambiguity.
#[derive(Default)]
struct Group<'a> {
    names: Vec<&'a str>,
    customers: Vec<u32>,
}

/// One row per customer from one row per candidate. Row by row, because each becomes a message naming the others, and
/// only ambiguous customers come here.
fn explain(candidates: &DataFrame) -> Result<DataFrame, LinkError> {
    let (reasons, groups) = (candidates.column("reason")?.str()?, candidates.column("group")?.str()?);
    let (customers, names) = (candidates.column("customer")?.u32()?, candidates.column("candidate")?.str()?);
    let mut by_group: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
    for row in 0..candidates.height() {
        let (Some(reason), Some(group), Some(customer)) = (reasons.get(row), groups.get(row), customers.get(row))
        else {
            continue;
        };
        let entry = by_group.entry((reason, group)).or_default();
        entry.names.push(names.get(row).unwrap_or("?"));
        entry.customers.push(customer);
    }
    let mut by_customer: BTreeMap<u32, Vec<(Reason, std::rc::Rc<str>)>> = BTreeMap::new();
    for ((reason, group), Group { mut names, customers }) in by_group {
        let reason: Reason = reason.parse().map_err(LinkError::Word)?;
        names.sort_unstable();
        names.dedup();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message: std::rc::Rc<str> = format!("{group} {}{more}", names.join(", ")).into();
        for customer in customers {
            by_customer.entry(customer).or_default().push((reason, message.clone()));
        }
    }
    let mut out = (vec![], vec![], vec![], vec![]);
    for (customer, mut found) in by_customer {
        // The order of the reasons' declaration: the account first, then the external id, then the e-mail.
        found.sort();
        found.dedup();
        out.0.push(customer);
        out.1.push(found[0].0.as_str());
        out.2.push(found.iter().map(|(_, message)| &**message).collect::<Vec<_>>().join("; "));
        out.3.push(found.iter().any(|(reason, _)| *reason == Reason::AmbiguousAccount));
    }
    Ok(df!("customer" => out.0, "ambiguity" => out.1, "ambiguity_detail" => out.2, "contested" => out.3)?)
}
