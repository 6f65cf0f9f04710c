//! The overrides file against what stands: which decisions hold, and which of them the rules would have taken themselves.
//!
//! In: the file's rows, accounts and contacts. Out: [`Decisions`] for the rules, and an answer to every row ([`answer::Answers`]).
//! Row by row throughout: a person wrote each of these rows. Never: a row that is dropped.

mod answer;
mod known;
mod trial;

use super::LinkError;
use super::decisions::Decisions;
use super::standing::{AccountRows, ContactRows};
use crate::model::OverrideDecision;
use crate::table::Overrides;
use known::Known;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The source of overrides, as accounting and report name it.
pub const SOURCE: &str = "overrides";

/// One row of the file.
#[derive(Debug, Clone)]
struct Row {
    ord: u32,
    file: Option<u32>,
    line: u32,
    decision: OverrideDecision,
    account: String,
    crm: Option<u32>,
    other: String,
    with: String,
    note: Option<String>,
    fate: Fate,
}

/// What is known of a row before the rules are asked.
#[derive(Debug, Clone)]
enum Fate {
    /// It says the same as an earlier row, on this line.
    Repeats(u32),
    /// It names what does not stand.
    Void(String),
    /// It names what is in no file.
    Unknown(String),
    /// Account and contacts (a merged contact may have several survivors).
    Contacts(u32, Vec<u32>),
    /// Two accounts.
    Accounts(u32, u32),
}

/// The decisions that hold, and the rows that they came from.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What the rules look up.
    pub decisions: Decisions,
    rows: Vec<Row>,
}

/// Finds the records that the overrides name.
pub fn resolve(overrides: &Overrides, accounts: &AccountRows, contacts: &ContactRows) -> Result<Resolved, LinkError> {
    let mut rows = read(overrides)?;
    if rows.is_empty() {
        return Ok(Resolved { decisions: Decisions::none()?, rows });
    }
    let known = Known::of(&rows, accounts, contacts)?;
    let mut seen: BTreeMap<(OverrideDecision, String, Option<u32>, String), u32> = BTreeMap::new();
    for row in &mut rows {
        let (mut one, mut other) = (row.account.clone(), row.other.clone());
        if row.crm.is_none() && other < one {
            std::mem::swap(&mut one, &mut other);
        }
        match seen.entry((row.decision, one, row.crm, other)) {
            std::collections::btree_map::Entry::Occupied(first) => row.fate = Fate::Repeats(*first.get()),
            std::collections::btree_map::Entry::Vacant(first) => {
                first.insert(row.line);
                row.fate = known.fate(row);
            }
        }
    }
    let decisions = decide(&mut rows)?;
    Ok(Resolved { decisions, rows })
}

/// The decisions of the rows that name what stands. What is said of one account of a unit is said of all of it; where
/// merged records bring `link` and `never` together, `never` holds.
fn decide(rows: &mut [Row]) -> Result<Decisions, LinkError> {
    let mut unions: Vec<BTreeSet<u32>> = vec![];
    for row in rows.iter().filter(|row| row.decision == OverrideDecision::Link) {
        if let Fate::Accounts(one, other) = row.fate {
            let pair = BTreeSet::from([one, other]);
            let (touched, rest): (Vec<_>, Vec<_>) = unions.into_iter().partition(|known| !known.is_disjoint(&pair));
            unions = rest;
            unions.push(touched.into_iter().flatten().chain(pair).collect());
        }
    }
    let units: BTreeMap<u32, u32> = unions
        .iter()
        .flat_map(|union| union.iter().map(|account| (*account, union.first().copied().unwrap_or(*account))))
        .collect();
    let whole = |account: u32| -> Vec<u32> {
        let union = unions.iter().find(|union| union.contains(&account));
        union.map_or_else(|| vec![account], |union| union.iter().copied().collect())
    };
    let (mut never, mut apart) = (BTreeSet::new(), BTreeSet::new());
    for row in rows.iter().filter(|row| row.decision == OverrideDecision::Never) {
        match &row.fate {
            Fate::Contacts(account, contacts) => {
                never.extend(whole(*account).into_iter().flat_map(|one| contacts.iter().map(move |c| (one, *c))));
            }
            Fate::Accounts(one, other) => {
                let others = whole(*other);
                apart.extend(whole(*one).into_iter().flat_map(|one| others.iter().map(move |other| (one, *other))));
            }
            Fate::Repeats(_) | Fate::Void(_) | Fate::Unknown(_) => {}
        }
    }
    let mut linked: BTreeMap<u32, u32> = BTreeMap::new();
    for row in rows.iter_mut().filter(|row| row.decision == OverrideDecision::Link) {
        let Fate::Contacts(account, contacts) = &row.fate else { continue };
        let [contact] = contacts[..] else {
            row.fate = Fate::Void(format!("{} was merged into several records; name one of them", row.with));
            continue;
        };
        let accounts = whole(*account);
        let kept_apart = |one: &u32| {
            linked.iter().any(|(other, owner)| {
                *owner == contact && (apart.contains(&(*one, *other)) || apart.contains(&(*other, *one)))
            })
        };
        if accounts.iter().any(|one| never.contains(&(*one, contact)) || kept_apart(one)) {
            row.fate =
                Fate::Void("since records were merged, another line says never of the same two; remove one".into());
        } else if accounts.iter().any(|one| linked.get(one).is_some_and(|owner| *owner != contact)) {
            row.fate = Fate::Void("another line links the account to another contact; remove one".into());
        } else {
            linked.extend(accounts.into_iter().map(|one| (one, contact)));
        }
    }
    Decisions::of(&linked, &units, &never, &apart)
}

fn read(overrides: &Overrides) -> Result<Vec<Row>, LinkError> {
    let frame = overrides.frame();
    let text = |name: &str| frame.column(name).and_then(Column::str);
    let number = |name: &str| frame.column(name).and_then(Column::u32);
    let (decision, account, other, with, note) =
        (text("decision")?, text("account")?, text("other")?, text("with")?, text("note")?);
    let (ord, file, line, crm) = (number("ord")?, number("file")?, number("line")?, number("crm")?);
    let owned = |column: &StringChunked, row: usize| column.get(row).unwrap_or_default().to_owned();
    (0..frame.height())
        .map(|row| {
            Ok(Row {
                ord: ord.get(row).unwrap_or_default(),
                file: file.get(row),
                line: line.get(row).unwrap_or_default(),
                decision: decision.get(row).unwrap_or_default().parse()?,
                account: owned(account, row),
                crm: crm.get(row),
                other: owned(other, row),
                with: owned(with, row),
                note: note.get(row).map(str::to_owned),
                fate: Fate::Void(String::new()),
            })
        })
        .collect()
}
