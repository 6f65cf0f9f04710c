//! What the rules decide by themselves, tried on the accounts that overrides name.

use super::answer::Verdicts;
use super::{Fate, Resolved, Row, decide};
use crate::link::LinkError;
use crate::link::claims::claim;
use crate::link::customers::group_unowned;
use crate::link::decisions::Decisions;
use crate::link::standing::ContactRows;
use crate::model::OverrideDecision;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the accounts that overrides name, under given decisions.
struct Trial {
    /// Who claims it, and whether that contact gets it.
    claims: BTreeMap<u32, BTreeSet<(u32, bool)>>,
    /// Where nobody claims it: its group.
    groups: BTreeMap<u32, String>,
}

/// Those of `named` whose external id another contact of their CRM carries too: an account that is given to one of them
/// decides whose the id is.
fn sharing_ids(named: &BTreeSet<u32>, standing: &DataFrame) -> Result<BTreeSet<u32>, LinkError> {
    let is_named =
        col("ord").is_in(lit(Series::new("".into(), named.iter().copied().collect::<Vec<_>>())).implode(false), false);
    let theirs = standing.clone().lazy().filter(is_named.clone().and(col("external_id").is_not_null()));
    let by_id = || [col("crm"), col("external_id")];
    let shared = standing
        .clone()
        .lazy()
        .select([col("ord"), col("crm"), col("external_id")])
        .join(theirs.select(by_id()), by_id(), by_id(), JoinArgs::new(JoinType::Semi))
        .filter(len().over(by_id())?.gt(lit(1)))
        .filter(is_named)
        .collect()?;
    Ok(shared.column("ord")?.u32()?.iter().flatten().collect())
}

impl Trial {
    fn of(
        named: &BTreeSet<u32>,
        accounts: &DataFrame,
        contacts: &ContactRows,
        decisions: &Decisions,
    ) -> Result<Self, LinkError> {
        let named = Series::new("ord".into(), named.iter().copied().collect::<Vec<_>>());
        let own = accounts.clone().lazy().filter(col("ord").is_in(lit(named).implode(false), false));
        let addresses = own.clone().filter(col("email").is_not_null()).select([col("email")]);
        // A group depends on nobody but those of the same address.
        let around = accounts.clone().lazy().semi_join(addresses, col("email"), col("email")).anti_join(
            own.clone(),
            col("ord"),
            col("ord"),
        );
        let subset = concat([own, around], UnionArgs::default())?.collect()?;
        let claims = claim(&subset, &contacts.claimants, decisions)?;
        let groups = group_unowned(&decisions.one_id_per_unit(&subset)?, &claims, decisions)?;
        let mut found: BTreeMap<u32, BTreeSet<(u32, bool)>> = BTreeMap::new();
        for (frame, gets_it) in [(&claims.owned, true), (&claims.contested, false)] {
            for (account, contact) in frame.column("account")?.u32()?.iter().zip(frame.column("contact")?.u32()?.iter())
            {
                if let (Some(account), Some(contact)) = (account, contact) {
                    found.entry(account).or_default().insert((contact, gets_it));
                }
            }
        }
        let group = groups.column("group")?.str()?;
        let groups = groups.column("account")?.u32()?.iter().zip(group.iter());
        let groups = groups.filter_map(|(account, group)| Some((account?, group?.to_owned()))).collect();
        Ok(Self { claims: found, groups })
    }

    /// Whether both trials make the same customers of the accounts `named`.
    fn agrees(&self, other: &Self, named: &BTreeSet<u32>) -> bool {
        let together = |trial: &Self| {
            let mut groups: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
            for (account, group) in trial.groups.iter().filter(|(account, _)| named.contains(account)) {
                groups.entry(group).or_default().insert(*account);
            }
            groups.into_values().collect::<BTreeSet<_>>()
        };
        self.claims == other.claims && together(self) == together(other)
    }

    fn owner(&self, account: u32) -> Option<u32> {
        self.claims.get(&account)?.iter().find(|(_, gets_it)| *gets_it).map(|(contact, _)| *contact)
    }

    fn claims(&self, account: u32, contact: u32) -> bool {
        self.claims.get(&account).into_iter().flatten().any(|(claimant, _)| *claimant == contact)
    }

    /// Whether the two accounts are one customer by the rules.
    fn one(&self, account: u32, other: u32) -> bool {
        let group = |account| self.groups.get(&account);
        match (self.owner(account), self.owner(other)) {
            (Some(one), Some(other)) => one == other,
            (None, None) => group(account).is_some() && group(account) == group(other),
            _ => false,
        }
    }

    /// Whether the rules do without being told what `row` says.
    fn knows(&self, row: &Row, sharing: &BTreeSet<u32>) -> bool {
        match (&row.fate, row.decision) {
            (Fate::Contacts(account, contacts), OverrideDecision::Link) => {
                self.owner(*account).is_some_and(|owner| contacts.contains(&owner) && !sharing.contains(&owner))
            }
            (Fate::Contacts(account, contacts), OverrideDecision::Never) => {
                !contacts.iter().any(|contact| self.claims(*account, *contact))
            }
            (Fate::Accounts(one, other), OverrideDecision::Link) => self.one(*one, *other),
            (Fate::Accounts(one, other), OverrideDecision::Never) => {
                // Rules that give both to claimants who contest them have not told them apart yet.
                let shared = |(contact, _): &(u32, bool)| self.claims(*other, *contact);
                !self.one(*one, *other) && !self.claims.get(one).into_iter().flatten().any(shared)
            }
            (Fate::Repeats(_) | Fate::Void(_) | Fate::Unknown(_), _) => true,
        }
    }
}

impl Resolved {
    /// Takes out what the rules decide by themselves, so that what is said to be used is what decided.
    ///
    /// Decisions hang together through the accounts that they name: of several about the same accounts none is taken out
    /// unless all can be.
    pub fn without_needless(
        self,
        accounts: &DataFrame,
        contacts: &ContactRows,
    ) -> Result<(Decisions, Verdicts), LinkError> {
        let of_row = |row: &Row| match row.fate {
            Fate::Contacts(account, _) => vec![account],
            Fate::Accounts(one, other) => vec![one, other],
            Fate::Repeats(_) | Fate::Void(_) | Fate::Unknown(_) => vec![],
        };
        let named: BTreeSet<u32> = self.rows.iter().flat_map(of_row).collect();
        if named.is_empty() {
            return Ok((self.decisions, Verdicts { rows: self.rows, needless: BTreeSet::new() }));
        }
        let alone = Trial::of(&named, accounts, contacts, &Decisions::none()?)?;
        let contacts_of = |row: &Row| match &row.fate {
            Fate::Contacts(_, contacts) => contacts.clone(),
            _ => vec![],
        };
        let sharing = sharing_ids(&self.rows.iter().flat_map(contacts_of).collect(), &contacts.standing)?;
        // Accounts that decisions bring together, and whether any of those decisions is needed.
        let mut parts: Vec<(BTreeSet<u32>, bool)> = vec![];
        for row in self.rows.iter().filter(|row| !of_row(row).is_empty()) {
            let own: BTreeSet<u32> = of_row(row).into_iter().collect();
            let (touched, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(part, _)| !part.is_disjoint(&own));
            parts = rest;
            let needed = !alone.knows(row, &sharing) || touched.iter().any(|(_, needed)| *needed);
            parts.push((touched.into_iter().flat_map(|(part, _)| part).chain(own).collect(), needed));
        }
        let idle: BTreeSet<u32> = parts.into_iter().filter(|(_, needed)| !needed).flat_map(|(part, _)| part).collect();
        let needless: BTreeSet<u32> = self
            .rows
            .iter()
            .filter(|row| of_row(row).first().is_some_and(|account| idle.contains(account)))
            .map(|row| row.ord)
            .collect();
        if needless.is_empty() {
            return Ok((self.decisions, Verdicts { rows: self.rows, needless }));
        }
        let mut needed: Vec<Row> = self.rows.iter().filter(|row| !needless.contains(&row.ord)).cloned().collect();
        let decisions = decide(&mut needed)?;
        // Another decision may have changed what the rules make of these: then they are needed after all.
        let all = Trial::of(&named, accounts, contacts, &self.decisions)?;
        if !all.agrees(&Trial::of(&named, accounts, contacts, &decisions)?, &named) {
            return Ok((self.decisions, Verdicts { rows: self.rows, needless: BTreeSet::new() }));
        }
        Ok((decisions, Verdicts { rows: self.rows, needless }))
    }
}
