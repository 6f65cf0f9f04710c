//! From a key to an explanation: the exports first, then Tether's side, then the kept runs.

use super::explanation::{Explanation, FORMAT, Runs};
use super::history::Kept;
use super::key::FoundAs;
use super::past::past;
use super::today::{Meant, Today};
use crate::app::Context;
use crate::app::exit::AppError;
use crate::billing;
use crate::config::Settings;
use crate::load;
use crate::model::{Email, Instant};

/// Everything about `key`.
pub(super) fn ask(
    context: &Context<'_>,
    settings: &Settings,
    key: &str,
    as_of: Instant,
) -> Result<Explanation, AppError> {
    let mut notes = vec![];
    let (kept, count) = Kept::newest(&settings.run.state, &mut notes);
    let runs = Runs { kept: count as u64, read: kept.len() as u64 };
    let currency = settings.run.currency;
    let explanation = |found_as, notes, customers, customers_more| Explanation {
        format: FORMAT,
        as_of,
        currency,
        key: key.to_owned(),
        found_as,
        notes,
        runs,
        mrr_definition: billing::definition(&settings.mrr, &settings.fx, currency, settings.stripe.amount),
        customers,
        customers_more,
    };

    let today = match load::load(settings, &context.trials, &*context.monitor("explain")) {
        Ok(loaded) => Ok(Today::of(loaded, settings, as_of, &mut notes)?),
        Err(error) => Err(error),
    };
    if let Ok(views) = &today {
        let crms: Vec<&str> = settings.crms.iter().map(|crm| crm.name.as_str()).collect();
        let (mut found_as, mut meant) = (vec![], Meant::default());
        for view in views {
            let (as_what, hits) = view.identities.find(key, &crms, &view.sides)?;
            if !as_what.is_empty() {
                meant.take(view.explain(&hits)?);
            }
            found_as.extend(as_what);
        }
        found_as.sort();
        found_as.dedup();
        if !found_as.is_empty() {
            if let ([known], true) = (meant.known.as_mut_slice(), found_as.contains(&FoundAs::Email)) {
                known.emails.extend(Email::parse(key).map(|email| email.as_str().to_owned()));
            }
            let meant = meant.tell(&kept, &mut notes);
            return Ok(explanation(found_as, notes, meant.customers, meant.more));
        }
    }
    let (found_as, meant) = past(&kept, key, settings, &mut notes);
    if meant.customers.is_empty() {
        return Err(match today {
            Ok(views) => match views.first() {
                Some(view) => view.identities.unknown(key, &view.loaded, kept.len())?,
                None => AppError::Internal("no product has a share of the rows".into()),
            },
            Err(error) => error.into(),
        });
    }
    match today {
        Ok(_) => notes.push("today's exports do not know it; it is told from the kept runs".to_owned()),
        Err(error) => {
            notes.push(format!("the exports could not be read, so that only the kept runs are told: {error}"));
        }
    }
    Ok(explanation(found_as, notes, meant.customers, vec![]))
}
