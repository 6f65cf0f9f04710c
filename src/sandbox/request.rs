//! The body of an upsert, checked member by member.

use super::reply::Refusal;
use crate::model::{Email, Field, Instant};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How the customer is looked up: the header `X-Customer-Id-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdType {
    /// By e-mail only.
    Email,
    /// By external id, then by e-mail.
    External,
}

impl IdType {
    /// Reads the header's value; absent means e-mail.
    pub(super) fn parse(value: Option<&[u8]>) -> Result<Self, Refusal> {
        match value {
            None | Some(b"email") => Ok(Self::Email),
            Some(b"external") => Ok(Self::External),
            Some(_) => Err(Refusal::UnknownIdType),
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::External => "external",
        }
    }
}

/// An upsert whose members are all readable. Absent and null members are `None`: they leave the value alone.
#[derive(Debug, Default)]
pub(super) struct Upsert {
    pub(super) email: Option<Box<str>>,
    pub(super) external_id: Option<Box<str>>,
    pub(super) name: Option<Box<str>>,
    pub(super) company_name: Option<Box<str>>,
    pub(super) mrr: Option<Box<RawValue>>,
    pub(super) subscription_status: Option<Box<str>>,
    pub(super) auto_renew: Option<bool>,
    pub(super) period_end: Option<Instant>,
    pub(super) last_activity: Option<Instant>,
}

/// The members that the endpoint takes; all others (`stripe_customer_id`, `tether_id`, …) are read-only and ignored.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    email: Option<&'a RawValue>,
    #[serde(borrow, default)]
    external_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    company_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    mrr: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subscription_status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    auto_renew: Option<&'a RawValue>,
    #[serde(borrow, default)]
    period_end: Option<&'a RawValue>,
    #[serde(borrow, default)]
    last_activity: Option<&'a RawValue>,
}

impl Upsert {
    /// Reads a request's body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        // A JSON array would fill the members by position.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal::NotAnObject);
        }
        let members: Members = serde_json::from_slice(body).map_err(|_| Refusal::NotAnObject)?;
        let upsert = Self {
            email: email(members.email)?,
            external_id: text(Field::ExternalId, members.external_id)?,
            name: text(Field::Name, members.name)?,
            company_name: text(Field::CompanyName, members.company_name)?,
            mrr: number(members.mrr)?,
            subscription_status: text(Field::SubscriptionStatus, members.subscription_status)?,
            auto_renew: boolean(members.auto_renew)?,
            period_end: instant(Field::PeriodEnd, members.period_end)?,
            last_activity: instant(Field::LastActivity, members.last_activity)?,
        };
        if upsert.email.is_none() && upsert.external_id.is_none() {
            return Err(Refusal::NoIdentifier);
        }
        Ok(upsert)
    }

    /// What somebody else writes into `field` of the customer at `index`: nothing that a test or a rehearsal would send.
    pub(super) fn of_somebody_else(field: Field, index: usize) -> Self {
        let text = || Some("Somebody Else".into());
        let long_ago = || Instant::from_epoch_seconds(946_684_800);
        let mut upsert = Self::default();
        match field {
            Field::Email => upsert.email = Some(format!("somebody-else-{index}@example.net").into()),
            Field::ExternalId => upsert.external_id = Some(format!("somebody-else-{index}").into()),
            Field::Name => upsert.name = text(),
            Field::CompanyName => upsert.company_name = text(),
            Field::Mrr => upsert.mrr = RawValue::from_string("1".to_owned()).ok(),
            Field::SubscriptionStatus => upsert.subscription_status = Some("paused".into()),
            Field::AutoRenew => upsert.auto_renew = Some(false),
            Field::PeriodEnd => upsert.period_end = long_ago(),
            Field::LastActivity => upsert.last_activity = long_ago(),
        }
        upsert
    }

    /// The same upsert as if `field` had not been sent.
    pub(super) fn without(mut self, field: Field) -> Self {
        match field {
            Field::Email => self.email = None,
            Field::ExternalId => self.external_id = None,
            Field::Name => self.name = None,
            Field::CompanyName => self.company_name = None,
            Field::Mrr => self.mrr = None,
            Field::SubscriptionStatus => self.subscription_status = None,
            Field::AutoRenew => self.auto_renew = None,
            Field::PeriodEnd => self.period_end = None,
            Field::LastActivity => self.last_activity = None,
        }
        self
    }
}

fn text(field: Field, value: Option<&RawValue>) -> Result<Option<Box<str>>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let text: Box<str> =
        serde_json::from_str(value.get()).map_err(|_| Refusal::Member { field, expected: "a string" })?;
    if text.trim().is_empty() {
        return Err(Refusal::Member { field, expected: "a string that is not empty" });
    }
    Ok(Some(text))
}

fn email(value: Option<&RawValue>) -> Result<Option<Box<str>>, Refusal> {
    let Some(text) = text(Field::Email, value)? else { return Ok(None) };
    let email =
        Email::parse(&text).map_err(|_| Refusal::Member { field: Field::Email, expected: "an e-mail address" })?;
    Ok(Some(email.as_str().into()))
}

/// Keeps the number's text. `1e400` is grammatical JSON but no finite number.
fn number(value: Option<&RawValue>) -> Result<Option<Box<RawValue>>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let is_number = value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let is_finite = value.get().parse::<f64>().is_ok_and(f64::is_finite);
    if is_number && is_finite {
        Ok(Some(value.to_owned()))
    } else {
        Err(Refusal::Member { field: Field::Mrr, expected: "a finite number" })
    }
}

fn boolean(value: Option<&RawValue>) -> Result<Option<bool>, Refusal> {
    match value.map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::Member { field: Field::AutoRenew, expected: "a boolean" }),
    }
}

/// ISO 8601 only: a date, or a date and a time with `T`.
fn instant(field: Field, value: Option<&RawValue>) -> Result<Option<Instant>, Refusal> {
    let Some(text) = text(field, value)? else { return Ok(None) };
    let refuse = || Refusal::Member { field, expected: "an ISO 8601 date or time" };
    if text.len() != "2026-11-01".len() && !text.contains('T') {
        return Err(refuse());
    }
    Instant::parse(&text).map(Some).map_err(|_| refuse())
}
