//! Why a comparison cannot go on: a bug, never bad data.

/// The comparison cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A query failed.
    #[error("comparing with Tether's customers failed: {0}")]
    Polars(#[from] polars::prelude::PolarsError),
}
