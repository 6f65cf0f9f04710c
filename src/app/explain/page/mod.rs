//! An explanation as a page for people, in the order in which a finance person asks: who is this, where does each value come
//! from, what was linked, how does the MRR come about, what does Tether hold, what happened.

mod fields;
mod history;
mod links;
mod tether;

use super::explanation::{CustomerWorking, Explanation, KnownFrom, Runs};
use super::key::FoundAs;
use super::lines::Page;
use super::text;
use crate::config::Settings;
use crate::model::BreakKind;
use std::path::Path;

/// The whole text; `folder` is the configuration's as it was named.
pub(super) fn page(explanation: &Explanation, settings: &Settings, folder: &Path) -> String {
    let mut page = Page::new(settings, folder);
    let Explanation { key, found_as, as_of, currency, notes, runs, customers, customers_more, .. } = explanation;
    let found: Vec<&str> = found_as.iter().copied().map(FoundAs::words).collect();
    page.say(0, &format!("{key} ({}), as of {as_of}, in {currency}", found.join(", ")));
    for note in notes {
        page.entry(0, "Note:", 6, note);
    }
    if customers.len() > 1 || !customers_more.is_empty() {
        let all = customers.len() + customers_more.len();
        page.say(0, &format!("{all} customers go by it; none is guessed, each is told by itself:"));
        for customer in customers {
            page.entry(2, "·", 2, &name(customer));
        }
        if !customers_more.is_empty() {
            page.entry(2, "·", 2, &format!("not told here, ask for one of them: {}", customers_more.join(", ")));
        }
    }
    for customer in customers {
        page.blank();
        one(customer, *runs, &mut page);
    }
    page.finish()
}

/// How a customer is called in one line.
fn name(customer: &CustomerWorking) -> String {
    let Some(identity) = &customer.customer else {
        let accounts = customer.accounts.iter().filter_map(|account| account.id.as_deref());
        let contacts = customer.links.contacts.iter().map(|contact| contact.key.as_str());
        let records: Vec<&str> = accounts.chain(contacts).collect();
        let records = if records.is_empty() { "a guest".to_owned() } else { records.join(", ") };
        return format!("{records}: part of no customer, nothing is sent for it");
    };
    let external = identity.external_id.as_ref().map(|id| format!("external id {id}"));
    let known = [Some(identity.key.clone()), external, identity.name.clone(), identity.company_name.clone()];
    let known = known.into_iter().chain([identity.email.clone()]).flatten();
    known.collect::<Vec<_>>().join(" · ")
}

fn one(customer: &CustomerWorking, runs: Runs, page: &mut Page<'_>) {
    match (&customer.customer, customer.known_from) {
        (None, _) if customer.conflict.is_some() => {
            page.say(0, "Part of no customer: several claim it, and nothing is sent for it until one of them has it");
        }
        (None, _) => page.say(0, "Part of no customer: nothing is sent for it"),
        (Some(identity), from) => {
            page.say(0, &format!("Customer {}", identity.external_id.as_ref().unwrap_or(&identity.key)));
            let known = [&identity.name, &identity.company_name, &identity.email];
            let known: Vec<&str> = known.into_iter().filter_map(Option::as_deref).collect();
            if !known.is_empty() {
                page.say(2, &known.join(" · "));
            }
            let from = match from {
                KnownFrom::Exports => "",
                KnownFrom::Tether => " · Tether holds it, and no source row of its product does",
                KnownFrom::Runs => " · known from kept runs alone",
            };
            page.say(2, &format!("in reports {}{from}", identity.key));
        }
    }
    if !customer.fields.is_empty() {
        page.heading("Where each value comes from");
        fields::write(&customer.fields, page);
    }
    if customer.known_from == KnownFrom::Exports {
        page.heading("What was linked");
        links::write(customer, page);
        page.heading("MRR");
        if customer.accounts.is_empty() && customer.customer.is_none() {
            page.say(2, "No Stripe customer, so no MRR.");
        }
        text::mrr(customer, page);
    }
    if !customer.sources.is_empty() {
        page.heading("Where its rows stood in the newest run that knows it");
        for row in &customer.sources {
            let reason = row.reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            let id = row.id.as_deref().unwrap_or("without an id");
            let words = format!("{id} · {} · {}{reason}", page.place(&row.place), row.disposition);
            page.entry(2, &row.source, 22, &words);
        }
    }
    for side in &customer.tether {
        page.heading(&format!("Against Tether: product {}", side.plan.product));
        let told = customer.problem.as_ref().or(customer.conflict.as_ref()).map(|why| why.reason);
        tether::write(side, told, page);
    }
    // The candidates of a conflict stand among the links, or on Tether's side.
    let breaks = || customer.breaks.iter().filter(|found| found.kind != BreakKind::Ambiguous);
    if breaks().next().is_some() {
        page.heading("What a reviewer must see");
        for found in breaks() {
            let at = match (&found.file, found.line) {
                (Some(file), Some(line)) => {
                    let place = super::explanation::Line { file: file.clone(), line };
                    format!("{}: ", page.place(&place))
                }
                _ => String::new(),
            };
            page.entry(2, found.kind.as_str(), 24, &format!("{at}{}", found.detail));
        }
    }
    page.heading("What happened");
    history::write(customer, runs, page);
}
