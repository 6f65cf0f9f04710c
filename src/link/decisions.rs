//! What a person decided about accounts and contacts, as tables that the rules look up.

use super::LinkError;
use super::claims::{OVERRIDE, nothing};
use crate::model::LinkRule;
use crate::table::look_up;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Decisions about accounts and contacts that stand, by their `ord`s. What is said of one account of a unit is said of all.
#[derive(Debug, Clone)]
pub struct Decisions {
    /// `account`, `contact`: this account belongs to that contact; each account once.
    pub linked: DataFrame,
    /// `account`, `unit`: accounts that are one customer, each once.
    pub units: DataFrame,
    /// `account`, `contact`: never linked.
    pub never: DataFrame,
    /// `account`, `other`: never one customer; each pair both ways.
    pub apart: DataFrame,
}

impl Decisions {
    /// Nothing was decided.
    pub fn none() -> Result<Self, LinkError> {
        Self::of(&BTreeMap::new(), &BTreeMap::new(), &BTreeSet::new(), &BTreeSet::new())
    }

    /// The tables of what was decided: contacts by account, units by account, pairs that are never linked.
    pub fn of(
        linked: &BTreeMap<u32, u32>,
        units: &BTreeMap<u32, u32>,
        never: &BTreeSet<(u32, u32)>,
        apart: &BTreeSet<(u32, u32)>,
    ) -> Result<Self, LinkError> {
        let pairs = |left: &str, right: &str, pairs: Vec<(u32, u32)>| {
            let (ones, others): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
            df!(left => ones, right => others)
        };
        let map = |of: &BTreeMap<u32, u32>| of.iter().map(|(one, other)| (*one, *other)).collect();
        Ok(Self {
            linked: pairs("account", "contact", map(linked))?,
            units: pairs("account", "unit", map(units))?,
            never: pairs("account", "contact", never.iter().copied().collect())?,
            apart: pairs("account", "other", apart.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect())?,
        })
    }

    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        [&self.linked, &self.units, &self.never, &self.apart].iter().all(|frame| frame.height() == 0)
    }

    /// The accounts that go to a contact before any rule is asked: `account`, `contact`, `rule`, `rank`.
    pub fn given(&self) -> Result<DataFrame, LinkError> {
        if self.linked.height() == 0 {
            return Ok(nothing());
        }
        Ok(by_override(self.linked.clone().lazy().select([col("account"), col("contact")])).collect()?)
    }

    /// Takes out of one rule's `claims` (`account`, `contact`, `rule`, `rank`) what was decided against, and lets a claim on
    /// one account of a unit be a claim on all of it. Adds `several` (nobody wins) and `apart` (because of a decision).
    /// `owned`: what the rules before gave.
    pub fn judge(&self, claims: LazyFrame, owned: &DataFrame) -> Result<LazyFrame, LinkError> {
        let pair = || [col("account"), col("contact")];
        let without =
            |claims: LazyFrame, pairs: LazyFrame| claims.join(pairs, pair(), pair(), JoinArgs::new(JoinType::Anti));
        let claims = without(claims, self.never.clone().lazy());
        let owned_by_other = self
            .apart
            .clone()
            .lazy()
            .inner_join(
                owned.clone().lazy().select([col("account").alias("other"), col("contact")]),
                col("other"),
                col("other"),
            )
            .select(pair());
        let claims = without(claims, owned_by_other).collect()?;

        let pulled = claims
            .clone()
            .lazy()
            .inner_join(self.units.clone().lazy(), col("account"), col("account"))
            .select([col("unit"), col("contact")])
            .unique(None, UniqueKeepStrategy::Any)
            .inner_join(self.units.clone().lazy(), col("unit"), col("unit"))
            .select(pair());
        let pulled = by_override(without(pulled, claims.clone().lazy()));
        let claims = concat([claims.lazy(), pulled], UnionArgs::default())?.collect()?;

        let both = self
            .apart
            .clone()
            .lazy()
            .inner_join(claims.clone().lazy().select(pair()), col("account"), col("account"))
            .join(
                claims.clone().lazy().select([col("account").alias("other"), col("contact")]),
                [col("other"), col("contact")],
                [col("other"), col("contact")],
                JoinArgs::new(JoinType::Semi),
            )
            .select([col("account"), col("contact"), lit(true).alias("apart")])
            .unique(None, UniqueKeepStrategy::Any);
        Ok(claims
            .lazy()
            .join(both, pair(), pair(), JoinArgs::new(JoinType::Left))
            .with_column(col("apart").fill_null(lit(false)))
            .with_column(col("account").is_duplicated().or(col("apart")).alias("several"))
            .select([col("account"), col("contact"), col("rule"), col("rank"), col("several"), col("apart")]))
    }

    /// `accounts` (`ord`, `created`, `label`, `external_id`) with one external id per unit: its oldest account's.
    pub fn one_id_per_unit(&self, accounts: &DataFrame) -> Result<DataFrame, LinkError> {
        if self.units.height() == 0 {
            return Ok(accounts.clone());
        }
        let of_units = accounts
            .clone()
            .lazy()
            .select([col("ord"), col("created"), col("label"), col("external_id")])
            .inner_join(self.units.clone().lazy(), col("ord"), col("account"))
            .sort(["created", "label"], SortMultipleOptions::default().with_nulls_last(true).with_maintain_order(true))
            .with_column(col("external_id").first_non_null().over([col("unit")])?.alias("unit_id"))
            .select([col("ord"), col("unit_id"), lit(true).alias("in_unit")]);
        let found = look_up(accounts.clone().lazy().select([col("ord"), col("external_id")]), of_units, "ord", "ord")
            .select([when(col("in_unit").is_not_null())
                .then(col("unit_id"))
                .otherwise(col("external_id"))
                .alias("external_id")])
            .collect()?;
        Ok(crate::table::beside(accounts, found)?)
    }

    /// Changes the groups of accounts that no contact owns (`account`, `group` and others): units stand in one group, and
    /// what is to be kept apart is taken out of a common group. `mine`: adds `by_override` bool.
    pub fn regroup(&self, groups: DataFrame) -> Result<DataFrame, LinkError> {
        if self.is_empty() {
            return Ok(groups.lazy().with_column(lit(false).alias("by_override")).collect()?);
        }
        let named = groups
            .clone()
            .lazy()
            .inner_join(self.units.clone().lazy(), col("account"), col("account"))
            .select([col("group"), col("unit")])
            .collect()?;
        // Rows, because groups hang together through units; only those that overrides name come here.
        let (group, unit) = (named.column("group")?.str()?, named.column("unit")?.u32()?);
        let mut of_unit: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for (group, unit) in group.iter().zip(unit.iter()) {
            if let (Some(group), Some(unit)) = (group, unit) {
                of_unit.entry(unit).or_default().insert(group);
            }
        }
        let mut together: Vec<BTreeSet<&str>> = vec![];
        for groups in of_unit.into_values() {
            let (touched, rest): (Vec<_>, Vec<_>) = together.into_iter().partition(|known| !known.is_disjoint(&groups));
            together = rest;
            together.push(touched.into_iter().flatten().chain(groups).collect());
        }
        let (mut from, mut to) = (vec![], vec![]);
        for groups in together.iter().filter(|groups| groups.len() > 1) {
            let first = groups.first().copied().unwrap_or_default();
            from.extend(groups.iter().copied());
            to.extend(groups.iter().map(|_| first));
        }
        let renamed = df!("group" => from, "merged_group" => to)?.lazy();
        let groups = groups
            .lazy()
            .left_join(renamed, col("group"), col("group"))
            .with_column(coalesce(&[col("merged_group"), col("group")]).alias("group"))
            .left_join(self.units.clone().lazy(), col("account"), col("account"))
            .collect()?;
        let group_of = |account: &str, name: &str| {
            groups.clone().lazy().select([col("account").alias(account), col("group").alias(name)])
        };
        let split = self
            .apart
            .clone()
            .lazy()
            .inner_join(group_of("account", "group"), col("account"), col("account"))
            .inner_join(group_of("other", "other_group"), col("other"), col("other"))
            .filter(col("group").eq(col("other_group")))
            .select([col("account"), lit(true).alias("split")])
            .unique(None, UniqueKeepStrategy::Any);
        let unit = coalesce(&[col("unit"), col("account")]).cast(DataType::String);
        Ok(groups
            .clone()
            .lazy()
            .left_join(split, col("account"), col("account"))
            .with_columns([
                when(col("split").is_not_null())
                    .then(col("group") + lit("\u{0}") + unit)
                    .otherwise(col("group"))
                    .alias("group"),
                col("unit").is_not_null().alias("by_override"),
            ])
            .drop(by_name(["split", "unit", "merged_group"], true, false))
            .collect()?)
    }
}

/// `pairs` (`account`, `contact`) as claims that an override made.
fn by_override(pairs: LazyFrame) -> LazyFrame {
    pairs.select([
        col("account"),
        col("contact"),
        lit(LinkRule::Override.as_str()).alias("rule"),
        lit(u32::from(OVERRIDE)).cast(DataType::UInt8).alias("rank"),
    ])
}
