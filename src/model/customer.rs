//! A customer as it crosses the wire, and what became of one row of the plan.

use super::{Field, Instant, Money, Outcome, Reason};
use serde::{Deserialize, Serialize, Serializer};

/// The body of `POST /api/v1/customers`: every desired field that is present. Absent fields are left out, never null.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UpsertBody {
    /// Lower-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Your own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// Sent as a JSON number in major units.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_json_number")]
    pub mrr: Option<Money>,
    /// Status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_status: Option<String>,
    /// Renews.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_renew: Option<bool>,
    /// End of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_end: Option<Instant>,
    /// Last activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity: Option<Instant>,
}

/// Writes the decimal text as a JSON number, digit by digit: `99`, `12.3`, `0.05`.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn as_json_number<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(money) = money else { return serializer.serialize_none() };
    let text = money.to_string();
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let raw = serde_json::value::RawValue::from_string(text.to_owned()).map_err(serde::ser::Error::custom)?;
    raw.serialize(serializer)
}

/// The `customer` object of Tether's reply. Unknown members are ignored; every member may be absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TetherCustomer {
    /// Tether's own id.
    pub tether_id: Option<String>,
    /// Your own id.
    pub external_id: Option<String>,
    /// Lower-case.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Company.
    pub company_name: Option<String>,
    /// Read-only.
    pub stripe_customer_id: Option<String>,
    /// Major units of the account's currency.
    pub mrr: Option<serde_json::Number>,
    /// Any text.
    pub subscription_status: Option<String>,
    /// Renews.
    pub auto_renew: Option<bool>,
    /// End of the period, as Tether wrote it.
    pub period_end: Option<String>,
    /// Last activity, as Tether wrote it.
    pub last_activity: Option<String>,
    /// When Tether made it.
    pub created_at: Option<String>,
    /// When Tether last changed it.
    pub updated_at: Option<String>,
}

/// One field that Tether's reply does not show as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotApplied {
    /// Which field.
    pub field: Field,
    /// What was sent, as text.
    pub sent: String,
    /// What the reply shows, as text; `None`: null or absent.
    pub shown: Option<String>,
}

/// What became of one row of the plan that was to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowOutcome {
    /// `row` of the plan.
    pub row: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, where the outcome alone does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
    /// Status of the last reply that came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_status: Option<u16>,
    /// Requests sent for the row, 429s included.
    pub attempts: u32,
    /// Whether any request left.
    pub sent: bool,
    /// The `customer` of the reply that decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer: Option<TetherCustomer>,
    /// `health_score` of that reply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub health_score: Option<serde_json::Number>,
    /// Fields that the reply does not show as sent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_applied: Vec<NotApplied>,
    /// The reply's `code`, or what went wrong, for a person; secrets scrubbed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Money, UpsertBody};

    #[test]
    fn a_body_holds_only_what_is_present_and_money_as_an_exact_number() {
        for (minor, digits, expected) in [
            (9900, 2, "99"),
            (1230, 2, "12.3"),
            (5, 2, "0.05"),
            (0, 2, "0"),
            (100, 0, "100"),
            (9_007_199_254_740_993, 2, "90071992547409.93"),
        ] {
            let body = UpsertBody { mrr: Some(Money::new(minor, digits)), ..UpsertBody::default() };
            assert_eq!(serde_json::to_string(&body).unwrap(), format!("{{\"mrr\":{expected}}}"));
        }
        assert_eq!(serde_json::to_string(&UpsertBody::default()).unwrap(), "{}");
    }
}
