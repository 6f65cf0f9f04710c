//! What Tether holds, what differs, and what a plan would do.

use crate::app::explain::lines::Page;
use crate::app::explain::tether::{AgainstTether, Difference, Held};
use crate::model::{Field, MatchRule, Prediction, Reason};

/// Where the values of fields begin.
const ROOM: usize = 21;

/// `told`: why nothing can be sent, where the page says it already.
pub fn write(side: &AgainstTether, told: Option<Reason>, page: &mut Page<'_>) {
    let plan = &side.plan;
    if !side.existing_known {
        page.say(2, "Nothing at all is known of what Tether holds: no export, no earlier reply.");
    } else if side.held.is_empty() {
        page.say(2, "Tether holds nobody with its external id or its e-mail.");
    }
    for held in &side.held {
        one_held(held, page);
    }
    let reason = plan.reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let matched = plan.match_rule.filter(|_| side.is_sent || plan.predicted == Prediction::Unchanged);
    let matched = matched.map_or_else(String::new, |rule| match rule {
        MatchRule::None => ", matched by nothing".to_owned(),
        rule => format!(", matched by {rule}"),
    });
    page.entry(2, "Prediction", ROOM, &format!("{}{reason}{matched}: {}", plan.predicted, follows(plan.predicted)));
    if let Some(detail) = plan.detail.as_ref().filter(|_| plan.reason.is_none() || plan.reason != told) {
        page.entry(ROOM + 2, "·", 2, detail);
    }
    if side.fields.iter().all(|field| field.held.is_none()) {
        // Nobody, or nobody alone, to compare with: its values stand above.
        let present = side.fields.iter().filter(|field| field.desired.is_some()).map(|field| field.field.as_str());
        let present: Vec<&str> = present.collect();
        page.entry(2, if side.is_sent { "sends" } else { "not sent" }, ROOM, &present.join(", "));
        return;
    }
    for field in side.fields.iter().filter(|field| field.verdict != Difference::Same) {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        let words = match field.verdict {
            Difference::Changes => format!("{} → {}", value(&field.held), value(&field.desired)),
            Difference::NotKnown => format!("{}: {}", value(&field.held), field.verdict.words()),
            _ => format!("{} | {}: {}", value(&field.held), value(&field.desired), field.verdict.words()),
        };
        page.entry(2, field.field.as_str(), ROOM, &words);
    }
    let same: Vec<&str> = side
        .fields
        .iter()
        .filter(|field| field.verdict == Difference::Same)
        .map(|field| field.field.as_str())
        .collect();
    if !same.is_empty() {
        page.entry(2, "the same", ROOM, &same.join(", "));
    }
}

fn one_held(held: &Held, page: &mut Page<'_>) {
    let id = held.tether_id.as_deref().unwrap_or("a customer without a Tether id");
    let by: Vec<&str> = held.by.iter().map(|field| field.as_str()).collect();
    let by = if by.is_empty() { String::new() } else { format!(", found by {}", by.join(" and ")) };
    let place = match &held.place {
        Some(place) => format!("in {}", page.place(place)),
        None => "as an earlier reply showed it (the baseline)".to_owned(),
    };
    let state = held.updated_at.as_ref().map_or_else(String::new, |at| format!(", state of {at}"));
    page.entry(2, "Tether holds", ROOM, &format!("{id}{by}, {place}{state}"));
    let shown = [Field::ExternalId, Field::Email, Field::Name, Field::Mrr].into_iter();
    let shown = shown.map(|field| format!("{field} {}", held.fields.get(&field).map_or("(none)", String::as_str)));
    let stripe = held.stripe_customer_id.iter().map(|id| format!("stripe_customer_id {id}"));
    page.entry(ROOM + 2, "·", 2, &shown.chain(stripe).collect::<Vec<_>>().join(" · "));
}

/// What a run does about a prediction.
const fn follows(predicted: Prediction) -> &'static str {
    match predicted {
        Prediction::Create => "a run sends it, and Tether creates it",
        Prediction::Update => "a run sends it, and Tether updates what differs",
        Prediction::Unchanged => "nothing is sent, since nothing differs",
        Prediction::CreationDisabled => {
            "a run sends it all the same, and Tether refuses while its creation gate is closed"
        }
        Prediction::Conflict => "nothing is sent until a person decides",
        Prediction::Invalid => "nothing is sent until it is mended at its source",
        Prediction::Unknown => "a run sends it, and the reply tells",
        Prediction::Orphan => "it is listed, and never touched",
    }
}
