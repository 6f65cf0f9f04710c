//! The configured files as `config check` shows them: what each was recognised as, which columns a run reads, what a missing
//! one costs, and what a run would refuse.

use super::size;
use crate::config::{AmountMeaning, Settings};
use crate::load::{FileKind, LoadError, Look, Looked, Refused};
use crate::model::{Field, Place};
use std::fmt::{self, Write};
use std::path::Path;

/// What a run would refuse of the files.
#[derive(Debug, thiserror::Error)]
#[error("{}", describe(.0))]
pub struct WouldBeRefused(Vec<String>);

fn describe(refusals: &[String]) -> String {
    match refusals {
        [only] => only.clone(),
        [first, ..] => {
            let all = refusals.join("\n  ");
            format!("a run would refuse {} inputs, the first: {first}\n  {all}", refusals.len())
        }
        [] => "nothing would be refused".to_owned(),
    }
}

impl WouldBeRefused {
    /// Everything that `look` refused, each with the place in the configuration that names it; `None`: nothing was.
    pub fn of(settings: &Settings, look: &Look) -> Option<Self> {
        let refusals: Vec<String> = look.refused.iter().map(|refused| told(settings, refused)).collect();
        (!refusals.is_empty()).then_some(Self(refusals))
    }
}

fn told(settings: &Settings, refused: &Refused) -> String {
    let place = refused.pattern.as_ref().and_then(|pattern| settings.place_of(pattern));
    place.map_or_else(|| refused.error.to_string(), |place| format!("{} (named at {place})", refused.error))
}

/// Every pattern of the settings under its source: `stripe customers`, `crm hubspot`, `existing core`.
fn patterns(settings: &Settings) -> Vec<(String, &String)> {
    let stripe = &settings.stripe;
    let mut sources = vec![
        ("stripe files".to_owned(), &stripe.files),
        ("stripe customers".to_owned(), &stripe.customers),
        ("stripe subscriptions".to_owned(), &stripe.subscriptions),
    ];
    for crm in &settings.crms {
        sources.push((format!("crm {}", crm.name), &crm.contacts));
        sources.push((format!("crm {} companies", crm.name), &crm.companies));
    }
    sources.push(("overrides".to_owned(), &settings.identity.overrides));
    sources.extend(settings.products.iter().map(|product| (format!("existing {}", product.name), &product.existing)));
    sources.into_iter().flat_map(|(source, patterns)| patterns.iter().map(move |one| (source.clone(), one))).collect()
}

/// Writes the section: every pattern, below it its files.
pub(super) fn write(text: &mut String, settings: &Settings, look: &Look) -> fmt::Result {
    let patterns = patterns(settings);
    let width = patterns.iter().map(|(source, _)| source.chars().count()).max().unwrap_or_default();
    for (source, pattern) in patterns {
        let files: Vec<&Looked> = look.files.iter().filter(|file| file.pattern == *pattern).collect();
        let refused: Vec<&LoadError> = look
            .refused
            .iter()
            .filter(|refused| refused.pattern.as_ref() == Some(pattern))
            .map(|refused| &refused.error)
            .collect();
        let bytes = files.iter().map(|file| file.bytes).sum();
        let found = match (files.len(), refused.len()) {
            (0, 0) if matches_nothing(pattern) => "NO FILE MATCHES".to_owned(),
            (0, 0) => "its files are named above already".to_owned(),
            (1, 0) => format!("1 file, {}", size(bytes)),
            (several, 0) => format!("{several} files, {}", size(bytes)),
            (sound, several) => format!("{several} of {} files REFUSED", sound + several),
        };
        writeln!(text, "  {source:width$}  {}: {found}", settings.shown_pattern(pattern))?;
        for file in files {
            write_file(text, settings, file)?;
        }
        for error in refused {
            writeln!(text, "    REFUSED: {error}")?;
        }
    }
    let all = |refused: &&Refused| refused.pattern.is_none() && !matches!(refused.error, LoadError::NoMatch { .. });
    for refused in look.refused.iter().filter(all) {
        writeln!(text, "  REFUSED: {}", refused.error)?;
    }
    Ok(())
}

fn matches_nothing(pattern: &str) -> bool {
    !glob::glob(pattern).into_iter().flatten().flatten().any(|path| path.is_file())
}

fn write_file(text: &mut String, settings: &Settings, file: &Looked) -> fmt::Result {
    let name = Path::new(&file.path);
    let mut about = vec![file.shape.clone()];
    about.extend(file.encoding.clone());
    about.extend(file.dialect.as_ref().map(ToString::to_string));
    about.push(file.rows.to_string());
    if let Some(rejected) = file.rejected.filter(|rejected| *rejected > 0) {
        about.push(format!("{rejected} of them cannot be read"));
    }
    writeln!(text, "    {}: {}", name.display(), about.join(", "))?;
    let read: Vec<String> = file
        .fields
        .iter()
        .filter(|(_, headings)| !headings.is_empty())
        .map(|(field, headings)| match headings.as_slice() {
            [heading] if heading == field => heading.clone(),
            _ => format!("{field} ← {}", headings.join(" + ")),
        })
        .collect();
    if !read.is_empty() {
        listed(text, "read", &read, usize::MAX)?;
    }
    for cost in costs(settings, file) {
        writeln!(text, "      missing   {cost}")?;
    }
    if !file.unused.is_empty() {
        listed(text, "not read", &file.unused, UNUSED_SHOWN)?;
    }
    if let Some(open) = &file.open {
        writeln!(text, "      open      {open}")?;
    }
    Ok(())
}

/// So many headings that nothing is read from are named.
const UNUSED_SHOWN: usize = 12;

/// Writes `what` and its parts, broken into lines.
fn listed(text: &mut String, what: &str, parts: &[String], most: usize) -> fmt::Result {
    const WIDTH: usize = 104;
    let mut parts: Vec<String> = match parts.len().checked_sub(most) {
        Some(further) if further > 0 => parts[..most].iter().cloned().chain([format!("and {further} more")]).collect(),
        _ => parts.to_vec(),
    };
    let last = parts.len().saturating_sub(1);
    parts[..last].iter_mut().for_each(|part| part.push(','));
    let mut line = format!("      {what:8} ");
    let begin = line.chars().count();
    for part in parts {
        if line.chars().count() + part.chars().count() >= WIDTH && line.chars().count() > begin {
            writeln!(text, "{line}")?;
            line = " ".repeat(begin);
        }
        line.push(' ');
        line.push_str(&part);
    }
    writeln!(text, "{line}")
}

/// What it costs that a file of some kind has none of some fields.
const COSTS: &[(FileKind, &[&str], &str)] = &[
    (FileKind::Customers, &["email"], "email: Stripe gives no address to link or create by"),
    (FileKind::Customers, &["name"], "name: Stripe gives no name"),
    (FileKind::Customers, &["created"], "created: which of a customer's accounts is the oldest is not known"),
    (FileKind::PricedSubscriptions, &["coupon"], "coupon: MRR is too high where there is one"),
    (
        FileKind::PricedSubscriptions,
        &["cancel_at_period_end", "cancel_at"],
        "cancel_at_period_end: who has cancelled still renews (auto_renew)",
    ),
    (FileKind::PricedSubscriptions, &["current_period_end"], "current_period_end: there is no period_end"),
    (FileKind::Contacts, &["email", "emails"], "email: nothing is linked by address"),
    (
        FileKind::Contacts,
        &["external_id"],
        "external_id: the CRM gives no id of your own; if a column has it, name it in columns.external_id",
    ),
    (
        FileKind::Contacts,
        &["stripe_customer_id"],
        "stripe_customer_id: links rest on your own ids and addresses; if a column has it, name it in columns.stripe_customer_id",
    ),
    (FileKind::Contacts, &["name", "first_name", "last_name"], "name: the CRM gives no name"),
    (
        FileKind::Contacts,
        &["company_name", "associated_names", "company_id", "company_ids"],
        "company_name: there is no company",
    ),
    (FileKind::Contacts, &["last_activity"], "last_activity: it is not sent"),
    (FileKind::Existing, &["external_id"], "external_id: Tether's customers are known by address alone"),
    (FileKind::Existing, &["email"], "email: Tether's customers are known by external id alone"),
    (FileKind::Existing, &["mrr"], "mrr: every customer with an MRR counts as changed"),
    (FileKind::Existing, &["subscription_status"], "subscription_status: every customer with one counts as changed"),
];

fn costs(settings: &Settings, file: &Looked) -> Vec<String> {
    let lacks = |names: &[&str]| {
        // Objects have members, not columns.
        !file.fields.is_empty()
            && !file.fields.iter().any(|(field, headings)| names.contains(field) && !headings.is_empty())
    };
    let known = COSTS.iter().filter(|(kind, names, _)| *kind == file.kind && lacks(names));
    let mut costs: Vec<String> = known.map(|(.., cost)| (*cost).to_owned()).collect();
    if file.kind == FileKind::PricedSubscriptions
        && settings.stripe.amount == AmountMeaning::Unit
        && lacks(&["quantity"])
    {
        let cost = "quantity: with amount = \"unit\" every customer who pays is invalid (quantity_missing)";
        costs.push(cost.to_owned());
    }
    let wanted = settings.fields.get(&Field::ExternalId).is_some_and(|places| places.contains(&Place::Metadata));
    if let Some(key) = settings.stripe.external_id_metadata.as_ref().filter(|_| wanted)
        && file.kind == FileKind::Customers
        && lacks(&["external_id", "metadata"])
    {
        costs
            .push(format!("{key} (metadata): this file gives no id of your own, though external_id_metadata names it"));
    }
    costs
}
