//! What was tied together by which rule, and which links were tried and refused.

use super::explanation::Line;
use super::key::numbers;
use super::records::{Account, Contact, Records};
use super::row::{is_number, is_text, pick, rows};
use crate::link::Linked;
use crate::model::{Disposition, LinkRule, OverrideDecision, OverrideState, OverrideUse, Reason};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Refused links shown; more are counted.
const SHOWN: usize = 40;
/// Candidates of a conflict shown; more are counted.
const CANDIDATES: usize = 40;

/// What ties a customer's records together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Links {
    /// The strongest rule that linked contact and Stripe customer; `None`: the records are part of no customer.
    pub rule: Option<LinkRule>,
    /// The contacts that are part of it, were merged into one that is, or that it speaks for.
    pub contacts: Vec<ContactRecord>,
    /// Its Stripe customers, each with what ties it to the rest.
    pub tied: Vec<Tie>,
    /// Pairs that share a key and are not linked.
    pub refused: Vec<Refused>,
    /// Such pairs beyond those.
    pub refused_more: u64,
    /// Rows of the overrides file that name one of the records.
    pub overrides: Vec<OverrideUse>,
    /// Where it is a conflict of the sources: everybody it could be.
    pub candidates: Vec<ConflictCandidate>,
    /// Such candidates beyond those.
    pub candidates_more: u64,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactRecord {
    /// `hubspot:7`
    pub key: String,
    /// Where it stands.
    pub place: Option<Line>,
    /// Where its row went.
    pub disposition: Disposition,
    /// Why it went there.
    pub reason: Option<Reason>,
    /// As its CRM holds it.
    pub name: Option<String>,
    /// As its CRM holds it.
    pub company_name: Option<String>,
    /// Every address.
    pub emails: Vec<String>,
    /// Your own id.
    pub external_id: Option<String>,
    /// The Stripe customer it names.
    pub stripe_customer_id: Option<String>,
}

/// A Stripe customer and what ties it to the rest of its customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tie {
    /// `cus_…`, or `guest`.
    pub account: String,
    /// Where it stands.
    pub place: Option<Line>,
    /// A contact, or another Stripe customer; `None`: nothing else belongs to the customer.
    pub with: Option<String>,
    /// By which rule.
    pub rule: LinkRule,
    /// What the two share; `None`: an override decided.
    pub value: Option<String>,
    /// The record that has it, where that is not `with` itself: one merged into it, or the same person's of another CRM.
    pub through: Option<String>,
}

/// A link that was tried and refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// `cus_…`, or `guest`.
    pub account: String,
    /// Where it stands.
    pub account_place: Option<Line>,
    /// The contact: `hubspot:7`.
    pub contact: String,
    /// Where it stands.
    pub contact_place: Option<Line>,
    /// The strongest rule that would link them.
    pub rule: LinkRule,
    /// What they share.
    pub value: String,
    /// Why they are not linked.
    pub why: Refusal,
    /// The same in a sentence.
    pub detail: String,
}

/// Why a pair that shares a key is not linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// An override says `never`.
    Never,
    /// The Stripe customer is left out.
    AccountLeftOut,
    /// The contact is left out.
    ContactLeftOut,
    /// The contact was merged into another one.
    Merged,
    /// Several contacts claim the Stripe customer by one rule.
    ClaimedBySeveral,
    /// An override gives it to another contact.
    GivenByOverride,
    /// Another contact claims it by a stronger rule, or of a CRM that goes before.
    OwnedByOther,
    /// None of these: a decision about another record keeps them apart.
    KeptApart,
}

/// One of those that a conflict is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictCandidate {
    /// What the conflict is.
    pub reason: Reason,
    /// What they share, as a sentence's beginning.
    pub what: String,
    /// `hubspot:7`, `cus_…`
    pub key: String,
    /// Where it stands.
    pub place: Line,
    /// What tells it apart.
    pub about: Option<String>,
    /// The line of an overrides file that decides for it; `None`: no override can.
    pub decision: Option<String>,
    /// What else a person can do.
    pub advice: String,
}

/// What the links are found from.
pub(super) struct Sources<'a> {
    pub linked: &'a Linked,
    pub customer: Option<u32>,
    pub records: &'a Records,
}

/// Who has a Stripe customer: the contact's `ord`, and the rule.
type Owners = BTreeMap<u32, (u32, LinkRule)>;

impl Sources<'_> {
    /// All of it.
    pub fn links(&self) -> Result<Links, super::records::RecordError> {
        let Records { contacts, accounts, other_contacts, other_accounts } = self.records;
        let all_accounts: BTreeMap<u32, &Account> =
            accounts.iter().chain(other_accounts).map(|account| (account.ord, account)).collect();
        let (owners, contested) = self.claims(all_accounts.keys().copied())?;
        let tied = accounts.iter().map(|account| self.tie(account, &owners)).collect();
        let own_pairs =
            accounts.iter().flat_map(|account| other_contacts.iter().map(move |contact| (account, contact)));
        let their_pairs =
            other_accounts.iter().flat_map(|account| contacts.iter().map(move |contact| (account, contact)));
        let inner = accounts.iter().flat_map(|account| contacts.iter().map(move |contact| (account, contact)));
        let mut refused = vec![];
        let mut refused_more = 0;
        for (account, contact) in own_pairs.chain(their_pairs).chain(inner) {
            let Some((rule, value)) = shared(account, contact) else { continue };
            let one =
                self.customer.is_some() && account.customer == contact.customer && account.customer == self.customer;
            let never = self.never(account, contact);
            if one && never.is_none() {
                continue;
            }
            if refused.len() == SHOWN {
                refused_more += 1;
                continue;
            }
            let (why, detail) = self.refusal(account, contact, rule, never, &owners, &contested);
            refused.push(Refused {
                account: account.label.clone(),
                account_place: account.place.clone(),
                contact: contact.key.clone(),
                contact_place: contact.place.clone(),
                rule,
                value,
                why,
                detail,
            });
        }
        let (candidates, candidates_more) = self.candidates()?;
        let desired = pick(&self.linked.desired, is_number("customer", self.customer))?;
        let rule = rows(&desired).next().map(|row| row.word("link_rule")).transpose()?;
        Ok(Links {
            rule: rule.as_deref().map(str::parse).transpose()?,
            contacts: contacts.iter().map(record).collect(),
            tied,
            refused,
            refused_more,
            overrides: self.overrides(),
            candidates,
            candidates_more,
        })
    }

    /// Who has which of `accounts`, and by which rule several contacts claim which.
    fn claims(
        &self,
        accounts: impl Iterator<Item = u32>,
    ) -> Result<(Owners, BTreeMap<u32, LinkRule>), super::records::RecordError> {
        let is_asked = is_number("account", accounts);
        let mut owners = Owners::new();
        for row in rows(&pick(&self.linked.claims.owned, is_asked.clone())?) {
            if let (Some(account), Some(contact)) = (row.number("account")?, row.number("contact")?) {
                owners.insert(account, (contact, row.word("rule")?.parse()?));
            }
        }
        let mut contested = BTreeMap::new();
        for row in rows(&pick(&self.linked.claims.contested, is_asked)?) {
            if let Some(account) = row.number("account")? {
                contested.insert(account, row.word("rule")?.parse()?);
            }
        }
        Ok((owners, contested))
    }

    fn tie(&self, account: &Account, owners: &Owners) -> Tie {
        let tie = |with: Option<String>, rule, value, through| Tie {
            account: account.label.clone(),
            place: account.place.clone(),
            with,
            rule,
            value,
            through,
        };
        if let Some((contact, rule)) = owners.get(&account.ord) {
            let owner = self.records.contacts.iter().find(|known| known.ord == *contact);
            let with = owner.map(|owner| owner.key.clone());
            let by_rule = |contact: &Contact| keys(account, contact).into_iter().find(|(by, _)| by == rule);
            let (value, through) = match owner.and_then(by_rule) {
                Some((_, value)) => (Some(value), None),
                None => match self.records.contacts.iter().find_map(|contact| Some((by_rule(contact)?.1, contact))) {
                    Some((value, contact)) => (Some(value), Some(contact.key.clone())),
                    None => (None, None),
                },
            };
            return tie(with, *rule, value, through);
        }
        let others = || self.records.accounts.iter().filter(|other| other.ord != account.ord);
        let same = |of: fn(&Account) -> Option<&String>| {
            let own = of(account)?;
            others().find(|other| of(other) == Some(own)).map(|other| (other.label.clone(), own.clone()))
        };
        if let Some(used) = self.overrides().iter().find(|row| {
            row.state == OverrideState::Used
                && row.decision == OverrideDecision::Link
                && (row.account == account.label || row.with == account.label)
        }) {
            let other = if used.account == account.label { &used.with } else { &used.account };
            return tie(Some(other.clone()), LinkRule::Override, None, None);
        }
        match (same(|other| other.external_id.as_ref()), same(|other| other.email.as_ref())) {
            (Some((with, value)), _) => tie(Some(with), LinkRule::Metadata, Some(value), None),
            (None, Some((with, value))) => tie(Some(with), LinkRule::Email, Some(value), None),
            (None, None) => tie(None, LinkRule::None, None, None),
        }
    }

    /// The override that keeps the two apart.
    fn never(&self, account: &Account, contact: &Contact) -> Option<&OverrideUse> {
        self.linked.override_uses.iter().find(|row| {
            row.decision == OverrideDecision::Never && row.account == account.label && row.with == contact.key
        })
    }

    fn refusal(
        &self,
        account: &Account,
        contact: &Contact,
        rule: LinkRule,
        never: Option<&OverrideUse>,
        owners: &Owners,
        contested: &BTreeMap<u32, LinkRule>,
    ) -> (Refusal, String) {
        let (label, key) = (&account.label, &contact.key);
        if let Some(row) = never {
            let note = row.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
            return (Refusal::Never, format!("{}:{} says `never`{note}", row.file, row.line));
        }
        if let (Disposition::Excluded, Some(reason)) = (account.disposition, account.reason) {
            return (Refusal::AccountLeftOut, format!("{label} is left out ({reason})"));
        }
        if let (Disposition::Superseded, Some(reason)) = (contact.disposition, contact.reason) {
            return (Refusal::Merged, format!("{key} was merged into another record, which claims for it ({reason})"));
        }
        if let (Disposition::Excluded, Some(reason @ Reason::Deleted)) = (contact.disposition, contact.reason) {
            return (Refusal::ContactLeftOut, format!("{key} is left out ({reason})"));
        }
        if let Some(by) = contested.get(&account.ord) {
            let how = if *by == rule { String::new() } else { format!(" by {by}, and {rule} is asked after it") };
            return (
                Refusal::ClaimedBySeveral,
                format!("several contacts claim {label}{how}: nobody wins (ambiguous_account)"),
            );
        }
        let Some((owner, by)) = owners.get(&account.ord) else {
            return (Refusal::KeptApart, "what was decided about another of their records keeps them apart".to_owned());
        };
        let everybody = self.records.contacts.iter().chain(&self.records.other_contacts);
        let owner = everybody.into_iter().find(|known| known.ord == *owner);
        let named = owner.map_or("another contact", |owner| &owner.key);
        if *by == LinkRule::Override {
            return (Refusal::GivenByOverride, format!("an override gives {label} to {named}"));
        }
        let how = if *by == rule {
            format!("{named} has it by {by} too, and its CRM goes before, or it is the same person")
        } else {
            format!("{named} has it by {by}, which goes before {rule}")
        };
        (Refusal::OwnedByOther, how)
    }

    /// The rows of the overrides file that name one of the customer's records.
    fn overrides(&self) -> Vec<OverrideUse> {
        let records = self.records;
        let accounts = records.accounts.iter().map(|account| account.label.as_str());
        let names: BTreeSet<&str> =
            accounts.chain(records.contacts.iter().map(|contact| contact.key.as_str())).collect();
        let is_named = |row: &&OverrideUse| names.contains(row.account.as_str()) || names.contains(row.with.as_str());
        self.linked.override_uses.iter().filter(is_named).cloned().collect()
    }

    /// The conflicts of the customer, or of the Stripe customers that several claim.
    fn groups(&self) -> polars::prelude::PolarsResult<BTreeSet<u32>> {
        let candidates = &self.linked.candidates;
        let labels = self.records.accounts.iter().map(|account| account.label.as_str());
        let groups = match self.customer {
            Some(customer) => pick(&candidates.customers, is_number("customer", [customer]))?,
            None => pick(&candidates.accounts, is_text("account", labels))?,
        };
        numbers(&groups, "group")
    }

    /// By what those who claim the Stripe customers are known; nobody, where these are part of a customer.
    pub fn claimants(&self) -> Result<Vec<String>, super::records::RecordError> {
        if self.customer.is_some() {
            return Ok(vec![]);
        }
        let claiming = pick(&self.linked.candidates.customers, is_number("group", self.groups()?))?;
        let desired = pick(&self.linked.desired, is_number("customer", numbers(&claiming, "customer")?))?;
        Ok(rows(&desired.head(Some(CANDIDATES))).map(|row| row.word("key")).collect::<Result<_, _>>()?)
    }

    fn candidates(&self) -> Result<(Vec<ConflictCandidate>, u64), super::records::RecordError> {
        let found = pick(&self.linked.candidates.rows, is_number("group", self.groups()?))?;
        let one = |row: super::row::Row<'_>| {
            Ok(ConflictCandidate {
                reason: row.word("reason")?.parse()?,
                what: row.word("what")?,
                key: row.word("key")?,
                place: Line { file: row.word("file")?, line: row.number("line")?.unwrap_or_default().into() },
                about: row.text("about")?,
                decision: row.text("decision")?,
                advice: row.word("advice")?,
            })
        };
        let listed = rows(&found).take(CANDIDATES).map(one).collect::<Result<_, super::records::RecordError>>()?;
        Ok((listed, found.height().saturating_sub(CANDIDATES) as u64))
    }
}

/// What `account` and `contact` share, by the strongest rule.
fn shared(account: &Account, contact: &Contact) -> Option<(LinkRule, String)> {
    keys(account, contact).into_iter().next()
}

/// Everything that the two share, the strongest rule first.
fn keys(account: &Account, contact: &Contact) -> Vec<(LinkRule, String)> {
    let same = |left: &Option<String>, right: &Option<String>| left.clone().filter(|left| Some(left) == right.as_ref());
    let email = account.email.clone().filter(|email| contact.emails.contains(email));
    let found = [
        (LinkRule::StripeCustomerId, same(&account.id, &contact.stripe_customer_id)),
        (LinkRule::Metadata, same(&account.external_id, &contact.external_id)),
        (LinkRule::Email, email),
    ];
    found.into_iter().filter_map(|(rule, value)| Some((rule, value?))).collect()
}

fn record(contact: &Contact) -> ContactRecord {
    ContactRecord {
        key: contact.key.clone(),
        place: contact.place.clone(),
        disposition: contact.disposition,
        reason: contact.reason,
        name: contact.name.clone(),
        company_name: contact.company_name.clone(),
        emails: contact.emails.clone(),
        external_id: contact.external_id.clone(),
        stripe_customer_id: contact.stripe_customer_id.clone(),
    }
}
