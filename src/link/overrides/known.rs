//! The records that the overrides name, by id.

use super::{Fate, Row};
use crate::link::LinkError;
use crate::link::standing::{AccountRows, ContactRows};
use crate::model::OverrideDecision;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The records that the overrides name, by id.
pub(super) struct Known {
    accounts: BTreeMap<String, u32>,
    contacts: BTreeMap<(u32, String), u32>,
    /// The survivors of those that do not stand themselves.
    survivors: BTreeMap<u32, Vec<u32>>,
    /// Of records of later CRMs those that go before and are the same person.
    firsts: BTreeMap<u32, Vec<u32>>,
    /// Those that were merged into others, whether one of these stands or not.
    merged_away: BTreeSet<u32>,
    /// Why others do not stand.
    absent_accounts: BTreeMap<String, String>,
    absent_contacts: BTreeMap<(u32, String), String>,
}

impl Known {
    pub fn of(rows: &[Row], accounts: &AccountRows, contacts: &ContactRows) -> Result<Self, LinkError> {
        let stripe_ids =
            rows.iter().flat_map(|row| [Some(&row.account), row.crm.is_none().then_some(&row.other)]).flatten();
        let contact_ids = rows.iter().filter(|row| row.crm.is_some()).map(|row| &row.other);
        let stripe_ids = named("id", stripe_ids);
        let contact_ids = named("id", contact_ids);
        let standing = accounts.standing.clone().lazy().filter(stripe_ids.clone()).collect()?;
        let absent = accounts
            .all
            .clone()
            .lazy()
            .filter(stripe_ids)
            .inner_join(accounts.excluded.clone().lazy(), col("ord"), col("ord"))
            .collect()?;
        let rows_of = |frame: &DataFrame| -> Result<Vec<(u32, String, u32)>, LinkError> {
            let (crm, id, ord) = (frame.column("crm")?.u32()?, frame.column("id")?.str()?, frame.column("ord")?.u32()?);
            let row = |row| Some((crm.get(row)?, id.get(row)?.to_owned(), ord.get(row)?));
            Ok((0..frame.height()).filter_map(row).collect())
        };
        let all_contacts = contacts
            .all
            .clone()
            .lazy()
            .filter(contact_ids)
            .anti_join(contacts.losers.clone().lazy(), col("ord"), col("ord"))
            .collect()?;
        let excluded = all_contacts
            .clone()
            .lazy()
            .anti_join(contacts.merged.clone().lazy(), col("ord"), col("ord"))
            .inner_join(contacts.excluded.clone().lazy(), col("ord"), col("ord"))
            .collect()?;
        let stands = contacts.standing.clone().lazy().select([col("ord").alias("survivor")]).semi_join(
            contacts.merged.clone().lazy(),
            col("survivor"),
            col("survivor"),
        );
        let heirs = contacts
            .merged
            .clone()
            .lazy()
            .semi_join(all_contacts.clone().lazy(), col("ord"), col("ord"))
            .semi_join(stands, col("survivor"), col("survivor"))
            .collect()?;
        let mut survivors: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (ord, survivor) in heirs.column("ord")?.u32()?.iter().zip(heirs.column("survivor")?.u32()?.iter()) {
            if let (Some(ord), Some(survivor)) = (ord, survivor) {
                survivors.entry(ord).or_default().push(survivor);
            }
        }
        let merged = contacts.merged.clone().lazy().semi_join(all_contacts.clone().lazy(), col("ord"), col("ord"));
        let merged_away = merged.collect()?.column("ord")?.u32()?.iter().flatten().collect();
        let named_ords = all_contacts.column("ord")?.u32()?.clone();
        let mut firsts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let same = contacts
            .same_persons
            .clone()
            .lazy()
            .filter(col("later").is_in(lit(named_ords.into_series()).implode(false), false))
            .collect()?;
        for (first, later) in same.column("first")?.u32()?.iter().zip(same.column("later")?.u32()?.iter()) {
            if let (Some(first), Some(later)) = (first, later) {
                firsts.entry(later).or_default().push(first);
            }
        }
        let reasons = |frame: &DataFrame| -> Result<Vec<String>, LinkError> {
            let reason = frame.column("reason")?.str()?;
            Ok(reason.iter().map(|reason| reason.unwrap_or_default().to_owned()).collect())
        };
        let ids = |frame: &DataFrame| -> Result<Vec<String>, LinkError> {
            Ok(frame.column("id")?.str()?.iter().map(|id| id.unwrap_or_default().to_owned()).collect())
        };
        let ords = standing.column("ord")?.u32()?;
        Ok(Self {
            accounts: ids(&standing)?.into_iter().zip(ords.iter().flatten()).collect(),
            contacts: rows_of(&all_contacts)?.into_iter().map(|(crm, id, ord)| ((crm, id), ord)).collect(),
            survivors,
            firsts,
            merged_away,
            absent_accounts: ids(&absent)?.into_iter().zip(reasons(&absent)?).collect(),
            absent_contacts: rows_of(&excluded)?
                .into_iter()
                .zip(reasons(&excluded)?)
                .map(|((crm, id, _), reason)| ((crm, id), reason))
                .collect(),
        })
    }

    pub fn fate(&self, row: &Row) -> Fate {
        let account = |id: &String| {
            self.accounts.get(id).copied().ok_or_else(|| match self.absent_accounts.get(id) {
                Some(reason) => Fate::Void(format!("{id} is left out ({reason})")),
                None => Fate::Unknown(id.clone()),
            })
        };
        let found = account(&row.account).and_then(|one| match row.crm {
            None => Ok(Fate::Accounts(one, account(&row.other)?)),
            Some(crm) => {
                let key = (crm, row.other.clone());
                if let Some(reason) = self.absent_contacts.get(&key) {
                    return Err(Fate::Void(format!("{} is left out ({reason})", row.with)));
                }
                let ord = *self.contacts.get(&key).ok_or_else(|| Fate::Unknown(row.with.clone()))?;
                match self.survivors.get(&ord) {
                    Some(survivors) => Ok(Fate::Contacts(one, survivors.clone())),
                    None if self.merged_away.contains(&ord) => {
                        Err(Fate::Void(format!("{} was merged into a record that is left out itself", row.with)))
                    }
                    None => Ok(Fate::Contacts(one, vec![ord])),
                }
            }
        });
        match found.unwrap_or_else(|fate| fate) {
            // What is never one record's is never that person's.
            Fate::Contacts(one, mut contacts) if row.decision == OverrideDecision::Never => {
                let firsts = contacts.iter().filter_map(|contact| self.firsts.get(contact)).flatten().copied();
                contacts.extend(firsts.collect::<Vec<_>>());
                Fate::Contacts(one, contacts)
            }
            fate => fate,
        }
    }
}

/// Rows whose `column` is one of `ids`.
fn named<'a>(column: &str, ids: impl Iterator<Item = &'a String>) -> Expr {
    let ids: BTreeSet<&str> = ids.map(String::as_str).collect();
    col(column)
        .is_in(lit(Series::new("".into(), ids.into_iter().collect::<Vec<_>>())).implode(false), false)
        .fill_null(lit(false))
}
