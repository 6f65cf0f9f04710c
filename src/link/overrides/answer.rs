//! What becomes of every override: accounting, report and break.

use super::{Fate, Row, SOURCE};
use crate::link::LinkError;
use crate::model::{Break, BreakKind, Disposition, InputFile, OverrideDecision, OverrideState, OverrideUse, Reason};
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of every row of the overrides file.
#[derive(Debug, Clone)]
pub struct Verdicts {
    pub(super) rows: Vec<Row>,
    /// `ord`s of rows that the rules do without.
    pub(super) needless: BTreeSet<u32>,
}

/// Where the rows of the overrides files went, and what the report says of each.
pub struct Answers {
    /// [`crate::link::Dispositions`] of the overrides.
    pub dispositions: DataFrame,
    /// One per row.
    pub uses: Vec<OverrideUse>,
    /// One per row that did not decide.
    pub breaks: Vec<Break>,
}

impl Verdicts {
    /// Answers every row. `members`: `account`, `customer`, `rank`.
    pub fn answer(self, members: &DataFrame, files: &[InputFile]) -> Result<Answers, LinkError> {
        let named = self.rows.iter().filter_map(Row::account_ord).collect::<Vec<_>>();
        let of_named = members
            .clone()
            .lazy()
            .filter(col("account").is_in(lit(Series::new("account".into(), named)).implode(false), false))
            .collect()?;
        let customers: BTreeMap<u32, u32> = of_named
            .column("account")?
            .u32()?
            .iter()
            .zip(of_named.column("customer")?.u32()?.iter())
            .filter_map(|(account, customer)| Some((account?, customer?)))
            .collect();
        let mut uses = vec![];
        let mut breaks = vec![];
        let mut out = (vec![], vec![], vec![], vec![], vec![], vec![], vec![]);
        for row in self.rows {
            let (state, detail) = row.state(self.needless.contains(&row.ord));
            let path = crate::link::path(files, row.file).to_owned();
            let (disposition, reason) = match (&row.fate, state) {
                (Fate::Repeats(_), _) => (Disposition::MergedDuplicate, None),
                (_, OverrideState::Used) => (Disposition::Contributed, None),
                (_, OverrideState::NotNeeded) => (Disposition::Excluded, Some(Reason::NotNeeded.as_str())),
                _ => (Disposition::Excluded, Some(Reason::NoLongerApplies.as_str())),
            };
            if state != OverrideState::Used {
                let unknown = matches!(&row.fate, Fate::Unknown(_));
                let kind = if unknown { BreakKind::OverrideUnknown } else { BreakKind::OverrideNotUsed };
                let mut found = Break::new(kind, SOURCE, row.key(), detail.clone()).at(&path, row.line.into());
                found.before = Some(row.decision.as_str().to_owned());
                found.after = Some(state.as_str().to_owned());
                breaks.push(found);
            }
            out.0.push(row.ord);
            out.1.push(row.file);
            out.2.push(row.line);
            out.3.push(row.key());
            out.4.push(disposition.as_str());
            out.5.push(reason);
            out.6.push(
                row.account_ord().filter(|_| state == OverrideState::Used).and_then(|one| customers.get(&one)).copied(),
            );
            uses.push(OverrideUse {
                file: path,
                line: row.line.into(),
                decision: row.decision,
                account: row.account,
                with: row.with,
                note: row.note,
                state,
                detail,
            });
        }
        let dispositions = df!(
            "ord" => out.0, "file" => out.1, "line" => out.2, "id" => out.3, "disposition" => out.4, "reason" => out.5,
            "customer" => out.6,
        )?;
        Ok(Answers { dispositions, uses, breaks })
    }
}

impl Row {
    /// How accounting and breaks call it.
    fn key(&self) -> String {
        format!("{},{}", self.account, self.with)
    }

    fn account_ord(&self) -> Option<u32> {
        match self.fate {
            Fate::Contacts(account, _) | Fate::Accounts(account, _) => Some(account),
            Fate::Repeats(_) | Fate::Void(_) | Fate::Unknown(_) => None,
        }
    }

    fn state(&self, needless: bool) -> (OverrideState, String) {
        let (account, with) = (&self.account, &self.with);
        match (&self.fate, self.decision) {
            (Fate::Repeats(line), _) => {
                (OverrideState::NotNeeded, format!("line {line} says the same; remove one of them"))
            }
            (Fate::Unknown(what), _) => (
                OverrideState::NoLongerApplies,
                format!("{what} is in no file; correct the id, or remove the line if the record is gone for good"),
            ),
            (Fate::Void(why), _) => (OverrideState::NoLongerApplies, format!("{why}; remove the line, or correct it")),
            (_, OverrideDecision::Link) if needless => {
                (OverrideState::NotNeeded, format!("the rules link {account} and {with} by themselves"))
            }
            (_, OverrideDecision::Never) if needless => {
                (OverrideState::NotNeeded, format!("no rule would link {account} and {with}"))
            }
            (Fate::Contacts(..), OverrideDecision::Link) => {
                (OverrideState::Used, format!("{account} belongs to {with}"))
            }
            (Fate::Accounts(..), OverrideDecision::Link) => {
                (OverrideState::Used, format!("{account} and {with} are one customer"))
            }
            (_, OverrideDecision::Never) => (OverrideState::Used, format!("{account} and {with} are never linked")),
        }
    }
}
