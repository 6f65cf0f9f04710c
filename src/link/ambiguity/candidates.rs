//! Every candidate of every ambiguity as a row.

use crate::link::LinkError;
use crate::link::claims::Claims;
use crate::link::customers::Customers;
use crate::model::{InputFile, Reason, STRIPE_CUSTOMERS};
use polars::prelude::*;

/// What is ambiguous, and what a person can do about it beside an override.
const CONTESTED: &str = "correct the claim of all but one of them in the CRM";
const APART: &str = "an override keeps accounts apart that this contact claims alike: say which of them is its own";
const SHARED: &str = "give each its own external id in the CRM, or merge them there";
const MIXED: &str = "correct the metadata or the e-mail in Stripe; kept apart they would be one e-mail on several external ids, \
                     which is a conflict too";
const SEVERAL: &str = "give the contact its external id in the CRM, or correct the metadata in Stripe (of accounts that an \
                       override makes one customer, the oldest one's id counts)";
const REPEATED: &str = "correct it on all but one of them, in the CRM or in Stripe";
const CIRCLE: &str = "correct the merge in the CRM, and export again";

/// What the candidates are found in. Small frames of candidates come first and what is said of them after: nothing here is
/// done for rows that are in order.
pub(super) struct Sources<'a> {
    customers: &'a Customers,
    claims: &'a Claims,
    /// `account`, `label`, `file`, `line`, `account_id`
    accounts: LazyFrame,
    /// `contact`, `crm_name`, `id`, `file`, `line`
    contacts: LazyFrame,
    /// `customer`, `contact`, `customer_key`, `stripe_customer_ids`, `external_id`, `email`, `several_ids`
    keys: LazyFrame,
    paths: Series,
}

/// What is said of the candidates of one kind: `link` and `to` are the sides of an override that decides for this candidate
/// (`to` null: whichever other candidate comes first).
struct Says {
    /// The account that several claim, and that is therefore part of no customer.
    claimed: Expr,
    reason: Reason,
    advice: Expr,
    group: Expr,
    about: Expr,
    link: Expr,
    to: Expr,
}

fn none() -> Expr {
    lit(NULL).cast(DataType::String)
}

fn with_id(id: Expr) -> Expr {
    lit("external id ") + id.fill_null(lit("none"))
}

/// `claimed`, `reason`, `advice`, `group`, `about`, `link`, `to` str; `customer` u32, `source`, `key` str, `file`, `line` u32.
fn rows(candidates: LazyFrame, says: Says) -> LazyFrame {
    candidates.select([
        says.claimed.alias("claimed"),
        lit(says.reason.as_str()).alias("reason"),
        says.advice.alias("advice"),
        says.group.alias("group"),
        says.about.alias("about"),
        says.link.alias("link"),
        says.to.alias("to"),
        col("customer"),
        col("source"),
        col("key"),
        col("file"),
        col("line"),
    ])
}

impl<'a> Sources<'a> {
    pub fn of(
        customers: &'a Customers,
        claims: &'a Claims,
        desired: &DataFrame,
        accounts: &DataFrame,
        contacts: &DataFrame,
        files: &[InputFile],
    ) -> Self {
        Self {
            customers,
            claims,
            accounts: accounts.clone().lazy().select([
                col("ord").alias("account"),
                col("label"),
                col("file"),
                col("line"),
                col("external_id").alias("account_id"),
            ]),
            contacts: contacts.clone().lazy().select([
                col("ord").alias("contact"),
                col("crm_name"),
                col("id"),
                col("file"),
                col("line"),
            ]),
            keys: desired.clone().lazy().select([
                col("customer"),
                col("contact"),
                col("key").alias("customer_key"),
                col("stripe_customer_ids"),
                col("external_id"),
                col("email"),
                col("several_ids"),
            ]),
            paths: Series::new("path".into(), files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>()),
        }
    }

    pub fn all(&self) -> Result<LazyFrame, LinkError> {
        let parts = [
            self.contested(),
            self.shared_ids()?,
            self.circles()?,
            self.mixed(),
            self.several_ids(),
            self.repeated("external_id", Reason::AmbiguousExternalId, "external id "),
            self.repeated("email", Reason::AmbiguousEmail, "e-mail "),
        ];
        Ok(concat(parts, UnionArgs::default())?)
    }

    /// `candidates` (with `contact`) as rows of their contacts.
    fn of_contacts(&self, candidates: LazyFrame) -> LazyFrame {
        let list = self.customers.list.clone().lazy().filter(col("contact").is_not_null());
        candidates
            .inner_join(self.contacts.clone(), col("contact"), col("contact"))
            .inner_join(list, col("contact"), col("contact"))
            .with_columns([col("crm_name").alias("source"), (col("crm_name") + lit(":") + col("id")).alias("key")])
    }

    /// `candidates` (with `account`) as rows of their accounts.
    fn of_accounts(&self, candidates: LazyFrame) -> LazyFrame {
        candidates
            .inner_join(self.accounts.clone(), col("account"), col("account"))
            .with_columns([lit(STRIPE_CUSTOMERS).alias("source"), col("label").alias("key")])
    }

    fn contested(&self) -> LazyFrame {
        let places = self.accounts.clone().select([
            col("account"),
            col("label").alias("claimed"),
            col("file").alias("claimed_file"),
            col("line").alias("claimed_line"),
        ]);
        let place = col("claimed")
            + lit(" (")
            + lit(self.paths.clone()).gather(col("claimed_file"), true)
            + lit(":")
            + col("claimed_line").cast(DataType::String)
            + lit(")");
        let claims = self.claims.contested.clone().lazy();
        rows(
            self.of_contacts(claims.inner_join(places, col("account"), col("account"))),
            Says {
                claimed: col("claimed"),
                reason: Reason::AmbiguousAccount,
                advice: when(col("apart")).then(lit(APART)).otherwise(lit(CONTESTED)),
                group: coalesce(&[
                    col("crowd"),
                    lit("billing account ") + place + lit(" is claimed by ") + col("rule") + lit(" by"),
                ]),
                about: none(),
                link: when(col("crowd").is_null()).then(col("claimed")).otherwise(none()),
                to: col("key"),
            },
        )
    }

    fn shared_ids(&self) -> Result<LazyFrame, LinkError> {
        let by_id = || [col("crm"), col("external_id")];
        let shared = || self.customers.shared_ids.clone().lazy();
        let claims = |frame: &DataFrame| frame.clone().lazy().select([col("account"), col("contact")]);
        let labels = self.accounts.clone().select([col("account"), col("label").alias("owned")]);
        let first_account = concat([claims(&self.claims.owned), claims(&self.claims.contested)], UnionArgs::default())?
            .inner_join(shared(), col("contact"), col("contact"))
            .inner_join(labels, col("account"), col("account"))
            .group_by(by_id())
            .agg([col("owned").min()]);
        Ok(rows(
            self.of_contacts(shared().join(first_account, by_id(), by_id(), JoinArgs::new(JoinType::Left))),
            Says {
                claimed: none(),
                reason: Reason::AmbiguousExternalId,
                advice: lit(SHARED),
                group: lit("external id ") + col("external_id") + lit(" stands on the contacts"),
                about: none(),
                link: col("owned"),
                to: col("key"),
            },
        ))
    }

    fn circles(&self) -> Result<LazyFrame, LinkError> {
        let least = col("key").min().over([col("group")])?;
        Ok(rows(
            self.of_contacts(self.customers.circles.clone().lazy()),
            Says {
                claimed: none(),
                reason: Reason::AmbiguousMerge,
                advice: lit(CIRCLE),
                group: lit("merged into one another are ") + least + lit(" and others:"),
                about: none(),
                link: none(),
                to: none(),
            },
        ))
    }

    fn mixed(&self) -> LazyFrame {
        rows(
            self.of_accounts(self.customers.mixed.clone().lazy()),
            Says {
                claimed: none(),
                reason: Reason::AmbiguousExternalId,
                advice: lit(MIXED),
                group: lit("billing accounts with different external ids share the e-mail ") + col("email") + lit(":"),
                about: with_id(col("account_id")),
                link: col("key"),
                to: none(),
            },
        )
    }

    fn several_ids(&self) -> LazyFrame {
        let members = self.customers.members.clone().lazy();
        let several = self.keys.clone().filter(col("several_ids"));
        rows(
            self.of_accounts(several.inner_join(members, col("customer"), col("customer"))),
            Says {
                claimed: none(),
                reason: Reason::AmbiguousExternalId,
                advice: lit(SEVERAL),
                group: lit("billing accounts of ") + col("customer_key") + lit(" carry different external ids:"),
                about: with_id(col("account_id")),
                link: col("key"),
                to: none(),
            },
        )
    }

    fn repeated(&self, field: &'static str, reason: Reason, says: &'static str) -> LazyFrame {
        let own = self.accounts.clone().select([
            col("label"),
            col("file").alias("account_file"),
            col("line").alias("account_line"),
        ]);
        let candidates = self
            .keys
            .clone()
            .filter(col(field).is_not_null())
            .filter(col(field).is_duplicated())
            .left_join(self.contacts.clone(), col("contact"), col("contact"))
            .left_join(own, col("customer_key"), col("label"))
            .with_columns([
                coalesce(&[col("crm_name"), lit(STRIPE_CUSTOMERS)]).alias("source"),
                col("customer_key").alias("key"),
                coalesce(&[col("file"), col("account_file")]).alias("file"),
                coalesce(&[col("line"), col("account_line")]).alias("line"),
                col("stripe_customer_ids").str().extract(lit("^([^;]+)"), 1).alias("first_account"),
            ]);
        rows(
            candidates,
            Says {
                claimed: none(),
                reason,
                advice: lit(REPEATED),
                group: lit(says) + col(field) + lit(" would stand on several customers:"),
                about: if field == "email" { with_id(col("external_id")) } else { none() },
                link: col("first_account"),
                to: none(),
            },
        )
    }
}
