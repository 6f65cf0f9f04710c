//! Files of rows and columns: who knows their headings, and who knows most of them.

use super::facts::{CUSTOMER_ID, Facts, FreeColumn, values};
use super::{Found, What};
use crate::config::CrmPreset;
use crate::load::headings::{find, sample as first_headings};
use crate::load::sheet::Opened;
use crate::load::{crm, overrides, stripe, tether};
use std::collections::BTreeSet;

/// A warehouse's table of customers whose ids were masked is known by so many headings.
const BEYOND_DOUBT: usize = 6;

/// One room's claim to a file.
pub(in crate::load) struct Claim {
    pub what: What,
    /// In words, without the format.
    pub shape: String,
    /// The columns that it knows.
    pub columns: BTreeSet<usize>,
    /// It is Stripe's, and nothing is taken from it.
    pub unused: bool,
}

/// Whether a line of headings is one that somebody reads.
pub(super) fn is_known(headings: &[String]) -> bool {
    stripe::is_known(headings)
        || tether::unmistakable(headings)
        || overrides::is_complete(headings)
        || !crm::claims(headings).is_empty()
}

/// What a file with these headings is.
///
/// # Errors
/// Why it is nothing that is read.
pub(super) fn recognise(opened: &Opened<'_>, sample: &[Vec<String>]) -> Result<Found, String> {
    let headings = opened.headings();
    if overrides::is_complete(headings) {
        let shape = format!("overrides ({})", opened.format());
        return Ok(Found { what: What::Overrides, shape, or: vec![], facts: Facts::default() });
    }
    let ids: Vec<&str> = find(headings, &["id"]).map(|id| values(sample, id).collect()).unwrap_or_default();
    let of_stripe = ids.iter().any(|id| id.starts_with(CUSTOMER_ID));
    let foreign_ids = !ids.is_empty() && !of_stripe;
    let mut claims = crm::claims(headings);
    claims.retain(|_| !of_stripe);
    if let Some(claim) = stripe::claim(headings) {
        let doubtful = claim.what == What::Customers && foreign_ids && claim.columns.len() < BEYOND_DOUBT;
        if !doubtful {
            claims.push(claim);
        }
    }
    if tether::unmistakable(headings) {
        let columns = tether::known_columns(headings);
        claims.push(Claim {
            what: What::Existing,
            shape: "existing Tether customers".to_owned(),
            columns,
            unused: false,
        });
    }
    // Its own id is Tether's alone.
    if find(headings, &["tether_id"]).is_some() {
        claims.retain(|claim| claim.what == What::Existing);
    }
    // What nothing is taken from may be anybody's file that came by the same loader.
    if claims.iter().any(|claim| !claim.unused && claim.columns.len() > 2) {
        claims.retain(|claim| !claim.unused || claim.columns.len() > 2);
    }
    let most = claims.iter().map(|claim| claim.columns.len()).max().unwrap_or_default();
    claims.retain(|claim| claim.columns.len() == most);
    if claims.len() > 1 {
        by_ids(&mut claims, headings, sample);
    }
    let format = opened.format();
    let rivals: Vec<CrmPreset> = claims
        .iter()
        .filter_map(|claim| match claim.what {
            What::Contacts(preset) | What::Companies(preset) => Some(preset),
            _ => None,
        })
        .collect();
    match claims.into_iter().next() {
        Some(claim) if claim.unused => Err(format!("nothing is taken from {}", claim.shape)),
        Some(claim) if rivals.len() < 2 => {
            let facts = facts(&claim, opened, sample, foreign_ids);
            Ok(Found { what: claim.what, shape: format!("{} ({format})", claim.shape), or: vec![], facts })
        }
        Some(Claim { what: What::Contacts(_), .. }) => {
            // Whose they are cannot be known, but that they are people's can.
            let claim = Claim {
                what: What::Contacts(CrmPreset::Custom),
                shape: "contacts of some CRM".to_owned(),
                columns: BTreeSet::new(),
                unused: false,
            };
            let facts = facts(&claim, opened, sample, foreign_ids);
            Ok(Found { what: claim.what, shape: format!("{} ({format})", claim.shape), or: rivals, facts })
        }
        _ => Err(unknown(headings)),
    }
}

/// Of claims that know as much, keeps those whose ids look as they do in that CRM.
fn by_ids(claims: &mut Vec<Claim>, headings: &[String], sample: &[Vec<String>]) {
    let fits = |claim: &Claim| match claim.what {
        What::Contacts(preset) | What::Companies(preset) => {
            let id = crm::id_column(headings, preset);
            let mut ids = id.into_iter().flat_map(|id| values(sample, id)).peekable();
            ids.peek().is_some() && ids.all(|id| crm::shows(preset, id))
        }
        _ => true,
    };
    if claims.iter().any(fits) {
        claims.retain(fits);
    }
}

fn unknown(headings: &[String]) -> String {
    if headings.len() < 2 {
        return "it is no table".to_owned();
    }
    let mails = headings.iter().any(|heading| heading.to_lowercase().contains("mail"));
    let advice = if mails { "; if they are contacts, `columns` of a [[crm]] say what is what" } else { "" };
    format!("its headings ({}) are of no export that is known{advice}", first_headings(headings))
}

fn facts(claim: &Claim, opened: &Opened<'_>, sample: &[Vec<String>], foreign_ids: bool) -> Facts {
    let headings = opened.headings();
    let mut facts = Facts { foreign_ids: foreign_ids && claim.what == What::Customers, ..Facts::default() };
    let column = |names: &[&str]| find(headings, names).map(|column| values(sample, column));
    match claim.what {
        What::Customers | What::Subscriptions | What::Stripe => {
            facts.count_currencies(column(&["currency"]).into_iter().flatten());
            if claim.what == What::Subscriptions {
                facts.coupons = column(&["coupon"]).into_iter().flatten().map(str::to_owned).collect();
                facts.dashboard = find(headings, &["customer id"]).is_some();
            }
            if claim.what == What::Customers {
                facts.take_metadata(headings, sample);
            }
            if let (Some(keys), Some(_)) = (find(headings, &["key"]), find(headings, &["customer_id"])) {
                let value = find(headings, &["value"]);
                for row in sample {
                    let cell = |column: usize| row.get(column).filter(|cell| !cell.is_empty()).cloned();
                    if let Some(key) = cell(keys) {
                        facts.metadata.entry(key).or_default().extend(value.and_then(cell));
                    }
                }
            }
        }
        What::Contacts(preset) | What::Companies(preset) => {
            let free = headings
                .iter()
                .enumerate()
                .filter(|(column, name)| !claim.columns.contains(column) && !name.is_empty());
            facts.free = free
                .map(|(column, heading)| {
                    let values: BTreeSet<String> = values(sample, column).map(str::to_owned).collect();
                    let stripe_ids = !values.is_empty() && values.iter().all(|value| value.starts_with(CUSTOMER_ID));
                    FreeColumn { heading: heading.clone(), values, stripe_ids }
                })
                .collect();
            facts.known = crm::known_fields(headings, preset);
            if preset == CrmPreset::Custom {
                facts.custom = crm::custom_columns(headings);
            }
        }
        What::Existing => {
            facts.external_ids = column(&["external_id"]).into_iter().flatten().map(str::to_owned).collect();
            facts.emails = column(&["email"]).into_iter().flatten().map(str::to_lowercase).collect();
        }
        What::Overrides => {}
    }
    facts
}
