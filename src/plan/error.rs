//! Why a plan cannot be made. Bad rows are data; what is here is a bug, or a limit of the machine.

/// The plan cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A query failed.
    #[error("planning failed: {0}")]
    Polars(#[from] polars::prelude::PolarsError),
    /// Billing failed.
    #[error(transparent)]
    Billing(#[from] crate::billing::BillingError),
    /// Linking failed.
    #[error(transparent)]
    Link(#[from] crate::link::LinkError),
    /// Comparing failed.
    #[error(transparent)]
    Diff(#[from] crate::diff::DiffError),
    /// The baseline could not be merged.
    #[error(transparent)]
    Baseline(#[from] crate::baseline::BaselineError),
    /// A table lacks a column.
    #[error(transparent)]
    Schema(#[from] crate::table::SchemaError),
    /// A word of the tables is none of its vocabulary.
    #[error(transparent)]
    Word(#[from] crate::model::UnknownWord),
}
