//! One customer as the sandbox holds it and shows it: the vendor's members, all of them, null when absent.

use crate::model::{Email, Instant, TetherCustomer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A customer. Its JSON form is the documented customer object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Customer {
    pub(super) tether_id: Box<str>,
    pub(super) external_id: Option<Box<str>>,
    pub(super) email: Option<Box<str>>,
    pub(super) name: Option<Box<str>>,
    pub(super) company_name: Option<Box<str>>,
    pub(super) stripe_customer_id: Option<Box<str>>,
    /// The number's text exactly as it was sent.
    pub(super) mrr: Option<Box<RawValue>>,
    pub(super) subscription_status: Option<Box<str>>,
    pub(super) auto_renew: Option<bool>,
    pub(super) period_end: Option<Instant>,
    pub(super) last_activity: Option<Instant>,
    pub(super) created_at: Option<Instant>,
    pub(super) updated_at: Option<Instant>,
}

impl Customer {
    /// Takes a customer of an export; `tether_id` and `now` stand in where the export names none.
    ///
    /// # Errors
    /// A sentence saying which member cannot be read.
    pub(super) fn from_export(
        customer: TetherCustomer,
        tether_id: impl FnOnce() -> String,
        now: Instant,
    ) -> Result<Self, String> {
        let instant = |member: &str, text: Option<String>| {
            text.map(|text| Instant::parse(&text).map_err(|error| format!("{member}: {error}"))).transpose()
        };
        let email = customer
            .email
            .map(|text| Email::parse(&text).map_err(|error| format!("email: {error}")))
            .transpose()?
            .map(|email| email.as_str().into());
        let mrr = customer
            .mrr
            .map(|number| RawValue::from_string(number.clone()).map_err(|error| format!("mrr: {error}")))
            .transpose()?;
        let created_at = instant("created_at", customer.created_at)?.unwrap_or(now);
        Ok(Self {
            tether_id: customer.tether_id.unwrap_or_else(tether_id).into(),
            external_id: customer.external_id.map(Into::into),
            email,
            name: customer.name.map(Into::into),
            company_name: customer.company_name.map(Into::into),
            stripe_customer_id: customer.stripe_customer_id.map(Into::into),
            mrr,
            subscription_status: customer.subscription_status.map(Into::into),
            auto_renew: customer.auto_renew,
            period_end: instant("period_end", customer.period_end)?,
            last_activity: instant("last_activity", customer.last_activity)?,
            created_at: Some(created_at),
            updated_at: Some(instant("updated_at", customer.updated_at)?.unwrap_or(now)),
        })
    }

    /// A whole number from 0 to 100 that follows from the customer alone: an active one without a word about renewal
    /// has 74, as in the vendor's example.
    pub(super) fn health_score(&self) -> i32 {
        let status = match self.subscription_status.as_deref() {
            Some("active") => 24,
            Some("trialing") => 10,
            Some("past_due") => -20,
            Some("canceled") => -40,
            _ => 0,
        };
        let renews = match self.auto_renew {
            Some(true) => 10,
            Some(false) => -10,
            None => 0,
        };
        (50 + status + renews).clamp(0, 100)
    }
}
