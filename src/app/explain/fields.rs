//! Where each desired value came from: the row it stands in, and what lost against it.

use super::explanation::{AccountWorking, Line};
use super::records::{Account, Contact, Records};
use super::row::{Row, is_number, pick, rows};
use crate::config::Settings;
use crate::model::{Disposition, Field, Place, Reason};
use polars::prelude::*;
use serde::Serialize;

/// One desired field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldWorking {
    /// The field.
    pub field: Field,
    /// The desired value, as `customers.csv` writes it; `None`: nobody has one, so nothing is sent.
    pub value: Option<String>,
    /// A CRM's name, `metadata`, `stripe` or `stripe_id`.
    pub source: Option<String>,
    /// The row that gave it; `None`: several together.
    pub place: Option<Line>,
    /// Every place that was asked or holds a value, in the order of asking.
    pub candidates: Vec<FieldCandidate>,
}

/// One place that a field may come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldCandidate {
    /// As in [`FieldWorking::source`].
    pub source: String,
    /// The record: `hubspot:7`, `cus_…`, `sub_…`.
    pub record: String,
    /// Where it stands.
    pub place: Option<Line>,
    /// What it says.
    pub value: Option<String>,
    /// Whether it was taken.
    pub verdict: FieldVerdict,
}

/// Why a value was taken or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldVerdict {
    /// It is the desired value.
    Taken,
    /// It says the same.
    Same,
    /// It is empty.
    Empty,
    /// A place that `[fields]` names before it has a value.
    LaterPlace,
    /// An older Stripe customer has a value.
    YoungerAccount,
    /// `[fields]` does not name its place for this field.
    NotListed,
    /// Its record was merged into another.
    Merged,
    /// Another contact speaks for the customer.
    SpokenFor,
    /// Another subscription decides by the rules of billing.
    Outranked,
}

impl FieldVerdict {
    /// Why, to follow the value.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Same => "says the same",
            Self::Empty => "is empty",
            Self::LaterPlace => "[fields] names another place first",
            Self::YoungerAccount => "an older Stripe customer goes before",
            Self::NotListed => "[fields] does not name this place",
            Self::Merged => "the record was merged into another",
            Self::SpokenFor => "another contact speaks for the customer",
            Self::Outranked => "another subscription decides",
        }
    }
}

/// What the fields are found from.
pub(super) struct Sources<'a> {
    /// The customer's row of [`crate::link::Linked::desired`].
    pub desired: Row<'a>,
    pub records: &'a Records,
    /// [`crate::billing::Billed::subscriptions`]
    pub billed: &'a DataFrame,
    /// With their subscriptions.
    pub accounts: &'a [AccountWorking],
    pub settings: &'a Settings,
    pub digits: u8,
}

impl Sources<'_> {
    /// Every field, in the order of the vendor's page.
    pub fn fields(&self) -> PolarsResult<Vec<FieldWorking>> {
        Field::ALL.iter().map(|field| self.field(*field)).collect()
    }

    fn field(&self, field: Field) -> PolarsResult<FieldWorking> {
        let value = self.desired.shown(field.as_str(), self.digits)?;
        let of_billing = matches!(field, Field::Mrr | Field::SubscriptionStatus | Field::AutoRenew | Field::PeriodEnd);
        let (source, candidates) = if of_billing {
            (value.is_some().then(|| "stripe".to_owned()), self.of_subscriptions(field, value.as_deref())?)
        } else {
            (self.desired.text(&format!("from_{field}"))?, self.of_records(field))
        };
        let taken: Vec<&FieldCandidate> =
            candidates.iter().filter(|candidate| candidate.verdict == FieldVerdict::Taken).collect();
        let place = if let [one] = taken.as_slice() { one.place.clone() } else { None };
        Ok(FieldWorking { field, value, source, place, candidates })
    }

    /// The contact whose fields stand.
    fn owner(&self) -> Option<&Contact> {
        let key = self.desired.text("key").ok().flatten();
        self.records.contacts.iter().find(|contact| Some(&contact.key) == key.as_ref())
    }

    fn of_records(&self, field: Field) -> Vec<FieldCandidate> {
        let listed: &[Place] = self.settings.fields.get(&field).map_or(&[], Vec::as_slice);
        // The Stripe id itself is no rival of an external id until `[fields]` names it.
        let unlisted = Place::ALL.iter().filter(|place| !listed.contains(place) && **place != Place::StripeId);
        let mut candidates = vec![];
        let mut taken: Option<String> = None;
        for place in listed.iter().chain(unlisted) {
            let is_listed = listed.contains(place);
            let earlier = taken.clone();
            for (at, mut candidate) in self.at(*place, field).into_iter().enumerate() {
                candidate.verdict = match (&candidate.value, candidate.verdict) {
                    (None, _) if is_listed && earlier.is_none() && at == 0 => FieldVerdict::Empty,
                    // What a place does not say is no news, but where it was asked first.
                    (None, _) => continue,
                    (Some(_), FieldVerdict::Taken) if is_listed && taken.is_none() => {
                        taken.clone_from(&candidate.value);
                        FieldVerdict::Taken
                    }
                    (value, _) if *value == taken => FieldVerdict::Same,
                    (_, FieldVerdict::Taken) if !is_listed => FieldVerdict::NotListed,
                    (_, FieldVerdict::Taken) if earlier.is_some() => FieldVerdict::LaterPlace,
                    (_, FieldVerdict::Taken) => FieldVerdict::YoungerAccount,
                    (_, other) => other,
                };
                candidates.push(candidate);
            }
        }
        candidates
    }

    /// What `place` says of `field`, the record that goes first foremost. The verdict is `taken` where nothing about the record
    /// itself is against it.
    fn at(&self, place: Place, field: Field) -> Vec<FieldCandidate> {
        let of_account = |source: Place, account: &Account, value: &Option<String>| FieldCandidate {
            source: source.as_str().to_owned(),
            record: account.label.clone(),
            place: account.place.clone(),
            value: value.clone(),
            verdict: FieldVerdict::Taken,
        };
        let accounts = &self.records.accounts;
        match (place, field) {
            (Place::Crm, _) => {
                let owner = self.owner().map(|owner| owner.ord);
                let mut contacts: Vec<&Contact> = self.records.contacts.iter().collect();
                contacts.sort_by_key(|contact| Some(contact.ord) != owner);
                contacts
                    .into_iter()
                    .filter_map(|contact| of_contact(contact, field, Some(contact.ord) == owner))
                    .collect()
            }
            (Place::Metadata, Field::ExternalId) => {
                accounts.iter().map(|account| of_account(place, account, &account.external_id)).collect()
            }
            (Place::StripeId, Field::ExternalId) => {
                accounts.iter().map(|account| of_account(place, account, &account.id)).collect()
            }
            (Place::Stripe, Field::Email) => {
                accounts.iter().map(|account| of_account(place, account, &account.email)).collect()
            }
            (Place::Stripe, Field::Name) => {
                accounts.iter().map(|account| of_account(place, account, &account.name)).collect()
            }
            _ => vec![],
        }
    }

    /// What each subscription says; of MRR the working says more.
    fn of_subscriptions(&self, field: Field, value: Option<&str>) -> PolarsResult<Vec<FieldCandidate>> {
        if field == Field::Mrr {
            return Ok(vec![]);
        }
        let own: Vec<_> = self.accounts.iter().flat_map(|account| &account.subscriptions).collect();
        let ords = own.iter().filter(|placed| placed.stands).map(|placed| placed.working.ord);
        let billed = pick(self.billed, is_number("ord", ords))?;
        let mut candidates = vec![];
        for row in rows(&billed) {
            let ord = row.number("ord")?;
            let Some(placed) = own.iter().find(|placed| Some(placed.working.ord) == ord) else { continue };
            let says = match field {
                Field::SubscriptionStatus => row.text("status")?,
                Field::AutoRenew => row.shown("renews", self.digits)?,
                _ => match row.shown("period_end_ahead", self.digits)? {
                    Some(ahead) => Some(ahead),
                    None => row.shown("last_end", self.digits)?,
                },
            };
            let verdict = if says.as_deref() == value { FieldVerdict::Taken } else { FieldVerdict::Outranked };
            candidates.push(FieldCandidate {
                source: Place::Stripe.as_str().to_owned(),
                record: placed.working.id.clone(),
                place: Some(Line { file: placed.place.file.clone(), line: placed.place.line }),
                value: says,
                verdict,
            });
        }
        Ok(candidates)
    }
}

fn of_contact(contact: &Contact, field: Field, is_owner: bool) -> Option<FieldCandidate> {
    let value = match field {
        Field::ExternalId => &contact.external_id,
        Field::Email => &contact.email,
        Field::Name => &contact.name,
        Field::CompanyName => &contact.company_name,
        Field::LastActivity => &contact.last_activity,
        _ => return None,
    };
    let verdict = match (is_owner, contact.disposition, contact.reason) {
        (true, ..) => FieldVerdict::Taken,
        (false, Disposition::Superseded, Some(Reason::MergedRecord)) => FieldVerdict::Merged,
        (false, ..) => FieldVerdict::SpokenFor,
    };
    Some(FieldCandidate {
        source: contact.crm.clone(),
        record: contact.key.clone(),
        place: contact.place.clone(),
        value: value.clone(),
        verdict,
    })
}
