//! `explain KEY`: one customer in full: who it is, where each value came from, what was linked, how its MRR comes about, what
//! Tether holds, and what happened in every kept run.
//!
//! In: a key, the configured exports, the baseline, the kept runs, the clock. Out: one explanation, as text that reads like
//! the working of an accountant, or as JSON. Never: the network, the lock, a write, a sum that differs from the plan's.

mod ask;
mod explanation;
mod fields;
mod gather;
mod history;
mod item;
mod key;
mod lines;
mod links;
mod page;
mod past;
mod planned;
mod records;
mod row;
#[cfg(test)]
mod tests;
mod tether;
mod text;
mod today;

use super::Context;
use super::exit::{AppError, ExitCode};
use super::output::json;
use crate::config;
use crate::model::Instant;
use std::path::Path;

/// How an explanation is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl From<bool> for Format {
    /// Whether JSON was asked for.
    fn from(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Explains the customers that `key` means: a Stripe customer id, a subscription id, an e-mail, an external id, a contact's id,
/// a Tether id, or a key of `customers.csv`. Where the exports cannot be read, or do not know it, the kept runs are asked.
///
/// # Errors
/// [`AppError::Usage`] when nobody is called so; those of loading, where no kept run knows the key either.
pub fn explain(
    context: &Context<'_>,
    key: &str,
    as_of: Option<Instant>,
    format: Format,
) -> Result<(ExitCode, String), AppError> {
    let settings = config::load(&context.config)?;
    let as_of = as_of.unwrap_or_else(|| context.now());
    let explanation = ask::ask(context, &settings, key.trim(), as_of)?;
    let text = match format {
        Format::Text => page::page(&explanation, &settings, context.config.parent().unwrap_or(Path::new(""))),
        Format::Json => json(&explanation)?,
    };
    Ok((ExitCode::Done, text))
}
