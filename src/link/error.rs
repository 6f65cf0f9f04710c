//! Why linking cannot go on. Bad rows are data, not errors: what is here is a bug or a limit.

/// Linking cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A query failed.
    #[error("linking the sources failed: {0}")]
    Polars(#[from] polars::prelude::PolarsError),
    /// A word of the tables is none of its vocabulary.
    #[error("linking the sources failed: {0}")]
    Word(#[from] crate::model::UnknownWord),
    /// More customers than a table can number.
    #[error("there are more than four thousand million customers; split the run by product or source")]
    TooMany,
}
