//! `explain KEY`: one customer's MRR taken apart, from the exports alone.
//!
//! In: a key, the configured exports, the clock. Out: text that reads like the working of an accountant, or the same as
//! JSON. Never: the network, the lock, the state folder, a sum that differs from the plan's.

mod explanation;
mod gather;
mod item;
mod key;
mod lines;
#[cfg(test)]
mod tests;
mod text;

use super::Context;
use super::exit::{AppError, ExitCode};
use crate::billing;
use crate::config::{self, Settings};
use crate::link::{self, Sources};
use crate::load::{self, Loaded};
use crate::model::Instant;
use explanation::{Explanation, FORMAT};
use gather::Known;
use key::Identities;
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

/// Explains the customers that `key` means: a Stripe customer id, a subscription id, an e-mail, an external id, or a
/// key of `customers.csv`.
///
/// # Errors
/// [`AppError::Usage`] when nobody is called so; those of loading.
pub fn explain(
    context: &Context<'_>,
    key: &str,
    as_of: Option<Instant>,
    format: Format,
) -> Result<(ExitCode, String), AppError> {
    let settings = config::load(&context.config)?;
    let as_of = as_of.unwrap_or_else(|| context.now());
    let loaded = load::load(&settings, &context.trials, &*context.monitor("explain"))?;
    let explanation = explanation(&loaded, &settings, key, as_of)?;
    let text = match format {
        Format::Text => text::page(&explanation, &settings, context.config.parent().unwrap_or(Path::new(""))),
        Format::Json => {
            let json = serde_json::to_string_pretty(&explanation);
            json.map_err(|error| AppError::Internal(Box::new(error)))? + "\n"
        }
    };
    Ok((ExitCode::Done, text))
}

fn explanation(loaded: &Loaded, settings: &Settings, key: &str, as_of: Instant) -> Result<Explanation, AppError> {
    let currency = settings.run.currency;
    let internal = |error: link::LinkError| AppError::Internal(Box::new(error));
    let billed = billing::bill(&loaded.stripe, &settings.mrr, &settings.fx, currency, as_of)
        .map_err(gather::GatherError::from)?;
    let linked = link::link(Sources {
        files: &loaded.files,
        stripe: &loaded.stripe,
        contacts: &loaded.contacts,
        overrides: &loaded.overrides,
        billed: &billed,
        rejections: &loaded.rejections,
        settings,
    })
    .map_err(internal)?;
    let identities = Identities::new(loaded, &linked)?;
    let key = key.trim();
    let (found_as, hits) = identities.find(key)?;
    let Some(found_as) = found_as else { return Err(identities.unknown(key, loaded, &hits.idle_contacts)?) };
    let known = Known { loaded, linked: &linked, scale: billed.scale, settings, as_of };
    Ok(Explanation {
        format: FORMAT,
        as_of,
        currency,
        key: key.to_owned(),
        found_as,
        mrr_definition: billing::definition(&settings.mrr, &settings.fx, currency, settings.stripe.amount),
        customers: known.customers(&identities, &hits)?,
    })
}
