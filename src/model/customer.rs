//! A customer as it crosses the wire, and what became of one row of the plan.

use super::{Field, Instant, Money, Outcome, Reason};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

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

/// The `customer` object of Tether's reply. Unknown members are ignored; every member may be absent. A value of another type
/// than documented is read for what it says, so that one of them is that field's trouble and not the whole reply's: text
/// takes any value as its JSON text, `mrr` a number in quotes, `auto_renew` a quoted `true` or `false`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TetherCustomer {
    /// Tether's own id.
    #[serde(deserialize_with = "as_text")]
    pub tether_id: Option<String>,
    /// Your own id.
    #[serde(deserialize_with = "as_text")]
    pub external_id: Option<String>,
    /// Lower-case.
    #[serde(deserialize_with = "as_text")]
    pub email: Option<String>,
    /// Name.
    #[serde(deserialize_with = "as_text")]
    pub name: Option<String>,
    /// Company.
    #[serde(deserialize_with = "as_text")]
    pub company_name: Option<String>,
    /// Read-only.
    #[serde(deserialize_with = "as_text")]
    pub stripe_customer_id: Option<String>,
    /// Major units of the account's currency, in the digits of the reply; whatever else it says there, where that is no number.
    #[serde(deserialize_with = "as_text", serialize_with = "number_again")]
    pub mrr: Option<String>,
    /// Any text.
    #[serde(deserialize_with = "as_text")]
    pub subscription_status: Option<String>,
    /// Renews.
    #[serde(deserialize_with = "as_flag")]
    pub auto_renew: Option<bool>,
    /// End of the period, as Tether wrote it.
    #[serde(deserialize_with = "as_text")]
    pub period_end: Option<String>,
    /// Last activity, as Tether wrote it.
    #[serde(deserialize_with = "as_text")]
    pub last_activity: Option<String>,
    /// When Tether made it.
    #[serde(deserialize_with = "as_text")]
    pub created_at: Option<String>,
    /// When Tether last changed it.
    #[serde(deserialize_with = "as_text")]
    pub updated_at: Option<String>,
}

/// Whatever a member holds, as text; `None`: null.
fn as_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

/// True or false, in quotes or not; anything else says neither.
fn as_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.trim().to_lowercase().parse().ok(),
        _ => None,
    })
}

/// Writes a number as a JSON number, other text as text.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn number_again<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match text.as_deref().map(|text| serde_json::from_str::<serde_json::Number>(text).map_err(|_| text)) {
        None => serializer.serialize_none(),
        Some(Ok(number)) => number.serialize(serializer),
        Some(Err(text)) => serializer.serialize_str(text),
    }
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
