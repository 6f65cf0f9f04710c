//! Where identity cannot be told: nobody wins, every candidate is named with its place, and what a person can do is said.

mod candidates;

use super::LinkError;
use super::claims::Claims;
use super::customers::Customers;
use crate::model::{Break, BreakKind, InputFile, Reason};
use candidates::Sources;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Candidates named in one message; more are counted there, and each has a break of its own.
const NAMED: usize = 12;

/// Customers that cannot be told apart, and what a reviewer sees of it.
pub struct Ambiguities {
    /// `customer` u32, `ambiguity` str (a reason), `ambiguity_detail` str, `contested` bool (an account that may be its own is
    /// not counted in its sums). One row per customer.
    pub customers: DataFrame,
    /// The candidates of every ambiguity, for whoever asks about one customer.
    pub candidates: Candidates,
    /// One break per candidate.
    pub breaks: Vec<Break>,
}

/// Who is claimed to be one, and by which line of an overrides file a person decides it.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// `group` u32, `reason` str, `what` str (what they share, as a sentence's beginning), `advice` str, `key`, `source`,
    /// `file` str, `line` u32, `about` str, `decision` str (the line to paste; null where no override can decide).
    pub rows: DataFrame,
    /// `group`, `customer` u32: the desired customers of each group.
    pub customers: DataFrame,
    /// `group` u32, `account` str: the accounts that the group's customers claim, each part of none of them.
    pub accounts: DataFrame,
}

/// Finds the desired customers that cannot be told apart.
///
/// `desired`: as [`super::fields::desired_fields`] gives it; `accounts`: `ord`, `label`, `file`, `line`, `external_id`;
/// `contacts`: `ord`, `crm_name`, `id`, `file`, `line`.
pub fn ambiguities(
    customers: &Customers,
    claims: &Claims,
    desired: &DataFrame,
    accounts: &DataFrame,
    contacts: &DataFrame,
    files: &[InputFile],
) -> Result<Ambiguities, LinkError> {
    let sources = Sources::of(customers, claims, desired, accounts, contacts, files);
    explain(&sources.all()?.collect()?, files)
}

/// One candidate of an ambiguity.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    key: &'a str,
    source: &'a str,
    file: &'a str,
    line: u32,
    about: Option<&'a str>,
    link: Option<&'a str>,
    to: Option<&'a str>,
}

impl Candidate<'_> {
    /// `hubspot:7 (contacts.csv:3)`
    fn named(&self) -> String {
        let Self { key, file, line, .. } = self;
        match self.about {
            Some(about) => format!("{key} ({about}, {file}:{line})"),
            None => format!("{key} ({file}:{line})"),
        }
    }

    /// The line of an overrides file that decides for this candidate, where there can be one.
    fn line_to_paste(&self, others: &BTreeSet<Self>) -> Option<String> {
        let account = self.link.filter(|account| account.starts_with("cus_"))?;
        let to = self.to.or_else(|| others.iter().map(|other| other.key).find(|key| *key != self.key))?;
        let can_be_named = !to.starts_with("guest:") && (to.contains(':') || to.starts_with("cus_"));
        can_be_named.then(|| format!("link,{},{},", cell(account), cell(to)))
    }
}

/// `text` as a cell of CSV.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// The candidates of one ambiguity.
#[derive(Default)]
struct Group<'a> {
    candidates: BTreeSet<Candidate<'a>>,
    customers: BTreeSet<u32>,
    claimed: BTreeSet<&'a str>,
}

/// The columns of [`Candidates`], under way.
#[derive(Default)]
struct Listed {
    groups: Vec<u32>,
    texts: [Vec<Option<String>>; 8],
    lines: Vec<u32>,
    of: (Vec<u32>, Vec<u32>),
    claimed: (Vec<u32>, Vec<String>),
}

impl Listed {
    fn push(
        &mut self,
        group: u32,
        reason: &str,
        what: &str,
        advice: &str,
        candidate: &Candidate<'_>,
        decision: Option<String>,
    ) {
        self.groups.push(group);
        self.lines.push(candidate.line);
        let own = |text: &str| Some(text.to_owned());
        let Candidate { key, source, file, about, .. } = candidate;
        let texts =
            [own(reason), own(what), own(advice), own(key), own(source), own(file), about.and_then(own), decision];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text);
        }
    }

    fn frames(self) -> Result<Candidates, LinkError> {
        let names = ["reason", "what", "advice", "key", "source", "file", "about", "decision"];
        let texts = names.into_iter().zip(self.texts).map(|(name, texts)| Column::new(name.into(), texts));
        let numbers = [Column::new("group".into(), self.groups), Column::new("line".into(), self.lines)];
        Ok(Candidates {
            rows: DataFrame::new_infer_height(numbers.into_iter().chain(texts).collect())?,
            customers: df!("group" => self.of.0, "customer" => self.of.1)?,
            accounts: df!("group" => self.claimed.0, "account" => self.claimed.1)?,
        })
    }
}

/// One row per customer, and one break per candidate. Row by row, because each becomes a message naming the others, and
/// only ambiguous customers come here.
fn explain(found: &DataFrame, files: &[InputFile]) -> Result<Ambiguities, LinkError> {
    let text = |name: &str| found.column(name).and_then(Column::str);
    let (reasons, groups, advice, claimed) = (text("reason")?, text("group")?, text("advice")?, text("claimed")?);
    let (keys, sources, about, accounts, to) =
        (text("key")?, text("source")?, text("about")?, text("link")?, text("to")?);
    let (files_of, lines_of) = (found.column("file")?.u32()?, found.column("line")?.u32()?);
    let customers = found.column("customer")?.u32()?;
    let mut by_group: BTreeMap<(&str, &str, &str), Group<'_>> = BTreeMap::new();
    for row in 0..found.height() {
        let (Some(reason), Some(group), Some(advice)) = (reasons.get(row), groups.get(row), advice.get(row)) else {
            continue;
        };
        let entry = by_group.entry((reason, group, advice)).or_default();
        entry.candidates.insert(Candidate {
            key: keys.get(row).unwrap_or("?"),
            source: sources.get(row).unwrap_or("?"),
            file: crate::link::path(files, files_of.get(row)),
            line: lines_of.get(row).unwrap_or_default(),
            about: about.get(row),
            link: accounts.get(row),
            to: to.get(row),
        });
        entry.customers.extend(customers.get(row));
        entry.claimed.extend(claimed.get(row));
    }
    let mut by_customer: BTreeMap<u32, Vec<(Reason, Rc<str>)>> = BTreeMap::new();
    let mut breaks = vec![];
    let mut listed = Listed::default();
    for (number, ((word, group, advice), Group { candidates, customers, claimed })) in (0_u32..).zip(by_group) {
        let reason: Reason = word.parse().map_err(LinkError::Word)?;
        let more = candidates.len().saturating_sub(NAMED);
        let named = candidates.iter().take(NAMED).map(Candidate::named).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more, all among the breaks") } else { String::new() };
        let with_line = |pasted: Option<String>| match pasted {
            Some(pasted) => format!("{advice}; or decide it in the overrides file, as by `{pasted}`"),
            None => advice.to_owned(),
        };
        let what = format!("{group} {named}{more}");
        let example = candidates.iter().find_map(|candidate| candidate.line_to_paste(&candidates));
        let message: Rc<str> = format!("{what}; {}", with_line(example)).into();
        let all = candidates.len();
        for (candidate, place) in candidates.iter().zip(1..) {
            let own = candidate.line_to_paste(&candidates);
            listed.push(number, word, group, advice, candidate, own.clone());
            let detail = format!("{} is {place} of {all}: {what}; {}", candidate.named(), with_line(own));
            let mut found = Break::new(BreakKind::Ambiguous, candidate.source, candidate.key, detail)
                .at(candidate.file, candidate.line.into());
            found.after = Some(reason.as_str().to_owned());
            breaks.push(found);
        }
        for account in claimed {
            listed.claimed.0.push(number);
            listed.claimed.1.push(account.to_owned());
        }
        for customer in customers {
            listed.of.0.push(number);
            listed.of.1.push(customer);
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
        let mut said: Vec<&str> = found.iter().take(NAMED).map(|(_, message)| &**message).collect();
        let more = format!("{} more like these, all among the breaks", found.len().saturating_sub(NAMED));
        said.extend((found.len() > NAMED).then_some(more.as_str()));
        out.2.push(said.join("; "));
        out.3.push(found.iter().any(|(reason, _)| *reason == Reason::AmbiguousAccount));
    }
    let customers = df!("customer" => out.0, "ambiguity" => out.1, "ambiguity_detail" => out.2, "contested" => out.3)?;
    Ok(Ambiguities { customers, candidates: listed.frames()?, breaks })
}
