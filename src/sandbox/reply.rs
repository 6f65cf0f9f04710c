//! Every reply that is not an accepted upsert: one table of status, code and text.

use super::customer::Customer;
use crate::model::Field;
use serde::Serialize;

/// Why a request was not carried out, or why it was answered as if it had not been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnknownIdType,
    NotAnObject,
    NoIdentifier,
    Member { field: Field, expected: &'static str },
    EmailRequired,
    Taken { field: Field },
    CreationDisabled,
    Rejected,
    RateLimited { wait_seconds: u64, in_body: bool },
    ServerError { status: u16 },
}

/// A reply, ready to leave.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<u64>,
}

/// The vendor's error object; `field` and `retry_after_seconds` only where they say something.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

/// The vendor's reply to an upsert that was carried out.
#[derive(Serialize)]
struct Accepted<'a> {
    action: &'static str,
    customer: &'a Customer,
    health_score: i32,
}

impl Reply {
    /// 201 or 200 with the customer as it now is.
    pub(super) fn accepted(created: bool, customer: &Customer) -> Self {
        let (status, action) = if created { (201, "created") } else { (200, "updated") };
        let accepted = Accepted { action, customer, health_score: customer.health_score() };
        Self { status, body: json(&accepted), retry_after: None }
    }

    /// 200 with a body that nobody can read.
    pub(super) fn garbage() -> Self {
        Self { status: 200, body: b"<html><body>upstream con".to_vec(), retry_after: None }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let text;
        let (status, code, error) = match &refusal {
            Refusal::Unauthorized => (401, "UNAUTHORIZED", "Unauthorized"),
            Refusal::NotFound => (404, "NOT_FOUND", "Not found"),
            Refusal::MethodNotAllowed => (405, "METHOD_NOT_ALLOWED", "Method not allowed"),
            Refusal::TooLarge => (413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB."),
            Refusal::UnknownIdType => (400, "INVALID_ID_TYPE", "X-Customer-Id-Type must be \"email\" or \"external\"."),
            Refusal::NotAnObject => (400, "INVALID_JSON", "The body must be a JSON object."),
            Refusal::NoIdentifier => {
                (400, "VALIDATION_ERROR", "At least one of \"email\" or \"external_id\" is required.")
            }
            Refusal::Member { field, expected } => {
                text = format!("\"{field}\" must be {expected}.");
                (400, "VALIDATION_ERROR", text.as_str())
            }
            Refusal::EmailRequired => (400, "VALIDATION_ERROR", "\"email\" is required when creating a customer."),
            Refusal::Taken { field } => {
                text = format!("Another customer of this product has this \"{field}\".");
                (409, "CONFLICT", text.as_str())
            }
            Refusal::CreationDisabled => (
                422,
                "CREATION_DISABLED",
                "Customer not found and customer creation via API is disabled for this product. Enable it in Settings → \
                 Products → [product] → API.",
            ),
            Refusal::Rejected => (422, "CUSTOMER_ARCHIVED", "This customer is archived and cannot be changed."),
            Refusal::RateLimited { .. } => (429, "RATE_LIMITED", "Rate limit exceeded. Try again later."),
            Refusal::ServerError { status } => (*status, "INTERNAL_ERROR", "Something went wrong."),
        };
        let field = match &refusal {
            Refusal::Member { field, .. } | Refusal::Taken { field } => Some(field.as_str()),
            Refusal::EmailRequired => Some(Field::Email.as_str()),
            _ => None,
        };
        let (in_header, in_body) = match refusal {
            Refusal::RateLimited { wait_seconds, in_body: true } => (None, Some(wait_seconds)),
            Refusal::RateLimited { wait_seconds, in_body: false } => (Some(wait_seconds), None),
            _ => (None, None),
        };
        let body = json(&ErrorBody { error, code, field, retry_after_seconds: in_body });
        Self { status, body, retry_after: in_header }
    }
}

/// Text, numbers and options always have a JSON form.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
