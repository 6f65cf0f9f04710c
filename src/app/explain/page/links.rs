//! What was tied together, what was refused, and what a person decided or can decide.

use crate::app::explain::explanation::CustomerWorking;
use crate::app::explain::lines::Page;
use crate::app::explain::links::{ConflictCandidate, Links};
use crate::model::{Disposition, LinkRule, Reason};

pub fn write(customer: &CustomerWorking, page: &mut Page<'_>) {
    let links = &customer.links;
    contacts(links, page);
    for tie in &links.tied {
        let place = tie.place.as_ref().map_or_else(String::new, |place| format!(" ({})", page.place(place)));
        let value = tie.value.as_ref().map_or_else(String::new, |value| format!(", {value}"));
        let through = tie.through.as_ref().map_or_else(String::new, |through| format!(", which {through} has"));
        let words = match (&tie.with, tie.rule) {
            (None, LinkRule::None) if customer.customer.is_some() => {
                "no contact claims it, and no other Stripe customer shares its id or e-mail".to_owned()
            }
            (None, LinkRule::None) => {
                let account = customer.accounts.iter().find(|account| account.id.as_ref() == Some(&tie.account));
                let why = account.and_then(|account| account.reason);
                format!("part of no customer{}", why.map_or_else(String::new, |why| format!(" ({why})")))
            }
            (with, rule) => format!("tied to {} by {rule}{value}{through}", with.as_deref().unwrap_or("its contact")),
        };
        page.say(2, &format!("{}{place}", tie.account));
        page.entry(4, "·", 2, &words);
    }
    for used in &links.overrides {
        let note = used.note.as_ref().map_or_else(String::new, |note| format!(" “{note}”"));
        let place = crate::app::explain::explanation::Line { file: used.file.clone(), line: used.line };
        let at = page.place(&place);
        let words =
            format!("{at}: {} {} {}{note}: {} ({})", used.decision, used.account, used.with, used.state, used.detail);
        page.entry(2, "Override", 11, &words);
    }
    for refused in &links.refused {
        let place =
            |place: &Option<_>| place.as_ref().map_or_else(String::new, |place| format!(" ({})", page.place(place)));
        let account = format!("{}{}", refused.account, place(&refused.account_place));
        let contact = format!("{}{}", refused.contact, place(&refused.contact_place));
        let shared = match refused.rule {
            LinkRule::StripeCustomerId => format!("{contact} names {account}"),
            rule => format!("{account} and {contact} share {} by {rule}", refused.value),
        };
        let words = format!("{shared}: {}", refused.detail);
        page.entry(2, "Refused", 11, &words);
    }
    if links.refused_more > 0 {
        page.entry(2, "Refused", 11, &format!("and {} pairs more that share such a key", links.refused_more));
    }
    candidates(links, page);
    if let Some(conflict) = customer.conflict.as_ref().filter(|_| links.candidates.is_empty()) {
        page.entry(2, "Conflict", 11, &format!("({}) {}", conflict.reason, conflict.detail));
    }
    if links.contacts.is_empty() && links.tied.is_empty() {
        page.say(2, "No record of a source is part of it.");
    }
}

fn contacts(links: &Links, page: &mut Page<'_>) {
    for contact in &links.contacts {
        let place = contact.place.as_ref().map_or_else(String::new, |place| format!(" ({})", page.place(place)));
        page.say(2, &format!("{}{place}", contact.key));
        let emails = if contact.emails.is_empty() { "no e-mail".to_owned() } else { contact.emails.join(", ") };
        let says = [
            contact.name.clone(),
            contact.company_name.clone(),
            Some(emails),
            contact.external_id.as_ref().map(|id| format!("external id {id}")),
            contact.stripe_customer_id.as_ref().map(|id| format!("names {id}")),
        ];
        page.entry(4, "·", 2, &says.into_iter().flatten().collect::<Vec<_>>().join(" · "));
        let went = match (contact.disposition, contact.reason) {
            (Disposition::Contributed, _) => continue,
            (_, Some(Reason::MergedRecord)) => "was merged into the record that stands".to_owned(),
            (disposition, Some(reason)) => format!("{disposition} ({reason}: {})", reason_words(reason)),
            (disposition, None) => disposition.to_string(),
        };
        page.entry(4, "·", 2, &went);
    }
}

/// What the commonest reasons of contacts mean; the page of formats has them all.
fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::NoBillingAccount => "it owns no Stripe customer",
        Reason::OwnedByOtherCrm => "a contact of another CRM speaks for it",
        Reason::DecidedByOverride => "an override gives what it claims to another record",
        Reason::Deleted => "it was deleted in its CRM",
        _ => "see the conflict",
    }
}

fn candidates(links: &Links, page: &mut Page<'_>) {
    let mut what: Option<&str> = None;
    for candidate in &links.candidates {
        let ConflictCandidate { reason, key, place, about, decision, advice, .. } = candidate;
        if what != Some(&candidate.what) {
            page.entry(2, "Conflict", 11, &format!("({reason}) {}:", candidate.what.trim_end_matches(':')));
            page.entry(13, "·", 2, &format!("what to do: {advice}; or decide it by one of the lines below"));
            what = Some(&candidate.what);
        }
        let about = about.as_ref().map_or_else(String::new, |about| format!(", {about}"));
        page.entry(13, "·", 2, &format!("{key} ({}{about})", page.place(place)));
        if let Some(decision) = decision {
            page.entry(17, "overrides file:", 16, &format!("`{decision}`"));
        }
    }
    if links.candidates_more > 0 {
        page.entry(13, "·", 2, &format!("and {} candidates more, all among the breaks", links.candidates_more));
    }
}
