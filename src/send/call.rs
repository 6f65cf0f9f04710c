//! One call that is to be made.

use crate::model::{Prediction, UpsertBody};

/// What `X-Customer-Id-Type` says: by which identifier Tether looks the customer up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdType {
    /// By external id first, then by e-mail.
    External,
    /// By e-mail.
    Email,
}

impl IdType {
    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Email => "email",
        }
    }
}

/// One customer to be upserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `row` of the plan; at most one call per row.
    pub row: u32,
    /// What is sent: every desired field that is present.
    pub body: UpsertBody,
    /// What the plan foretells.
    pub predicted: Prediction,
}

impl Call {
    /// `external` when the customer has an external id, else `email`.
    pub fn id_type(&self) -> IdType {
        if self.body.external_id.is_some() { IdType::External } else { IdType::Email }
    }
}
