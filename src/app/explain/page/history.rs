//! What happened in the kept runs, newest first.

use crate::app::explain::explanation::{CustomerWorking, Runs};
use crate::app::explain::history::{Call, CallEnd, Reply, RunOfCustomer};
use crate::app::explain::lines::Page;
use crate::app::explain::planned::PlanChange;
use crate::model::Outcome;

/// Where what is said of a run begins.
const ROOM: usize = 15;

pub fn write(customer: &CustomerWorking, runs: Runs, page: &mut Page<'_>) {
    let history = &customer.history;
    // Part of no customer: the rows are those of whoever claims it.
    let claimed = customer.customer.is_none() && customer.conflict.is_some();
    let whose = if claimed { "a row of those who claim it" } else { "a row of it" };
    // One that was passed over is among the notes.
    let read = if runs.read == runs.kept {
        format!("{} kept runs were read", runs.read)
    } else {
        format!("The newest {} of {} kept runs were read", runs.read, runs.kept)
    };
    let named = history.runs.iter().map(|run| run.run_id.as_str()).collect::<std::collections::BTreeSet<_>>().len();
    page.say(2, &format!("{read}; {named} of them have {whose}. Newest first."));
    for waiting in &history.waiting {
        page.say(
            2,
            &format!(
                "Waiting for {}'s creation gate since run {} ({}): refused in {} kept runs in a row.",
                waiting.product, waiting.first_run, waiting.since, waiting.runs
            ),
        );
    }
    for run in &history.runs {
        page.blank();
        // What a later run says again need not be read twice.
        let again = |later: &RunOfCustomer| {
            later.plan.product == run.plan.product
                && later.plan.key == run.plan.key
                && later.since.as_ref().is_some_and(|since| since.run_id == run.run_id && since.changes.is_empty())
        };
        one(run, history.runs.iter().any(again), claimed, page);
    }
}

fn one(run: &RunOfCustomer, is_told: bool, claimed: bool, page: &mut Page<'_>) {
    let mode = run.mode;
    let outcome = run.outcome.map_or("not known: its journal cannot be read", Outcome::as_str);
    let reason = run.outcome_reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let plan = &run.plan;
    page.say(2, &format!("{mode} {} · as of {} · {} · {outcome}{reason}", run.run_id, run.as_of, plan.product));
    let named = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    if claimed {
        page.entry(4, "of", ROOM, &plan.key);
    }
    page.entry(4, "foretold", ROOM, &format!("{}, row {} of the plan", plan.predicted, run.row));
    page.entry(
        4,
        "MRR",
        ROOM,
        &format!(
            "{} → {}, desired {}",
            named(&plan.mrr_before),
            named(&run.mrr_after),
            named(&plan.desired.get(&crate::model::Field::Mrr).cloned())
        ),
    );
    if !is_told {
        differences(&plan.changes, page);
    }
    for field in &plan.held_back {
        page.entry(4, "kept back", ROOM, field.as_str());
    }
    for call in &run.calls {
        one_call(call, page);
    }
    if let Some(reply) = &run.reply {
        one_reply(reply, page);
    }
    let said = run.said.as_ref().filter(|said| !run.calls.iter().any(|call| call.detail.as_ref() == Some(*said)));
    for said in [said, plan.detail.as_ref().filter(|_| !is_told)].into_iter().flatten() {
        page.entry(4, "detail", ROOM, said);
    }
    if let Some(since) = &run.since {
        if since.changes.is_empty() {
            page.entry(4, "since before", ROOM, &format!("nothing is otherwise than in {}", since.run_id));
        }
        for change in &since.changes {
            let words = format!(
                "{}: {} → {} (from {})",
                change.what,
                named(&change.before),
                named(&change.after),
                since.run_id
            );
            page.entry(4, "since before", ROOM, &words);
        }
    }
}

fn differences(changes: &[PlanChange], page: &mut Page<'_>) {
    let named = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    if changes.len() > 1 && changes.iter().all(|change| change.before.is_none()) {
        let all: Vec<String> =
            changes.iter().map(|change| format!("{} {}", change.field, named(&change.after))).collect();
        page.entry(4, "new", ROOM, &all.join(" · "));
        return;
    }
    for change in changes {
        let source = change.source.as_ref().map_or_else(String::new, |source| format!(" ← {source}"));
        let words = format!("{}: {} → {}{source}", change.field, named(&change.before), named(&change.after));
        page.entry(4, "difference", ROOM, &words);
    }
}

fn one_call(call: &Call, page: &mut Page<'_>) {
    let end = match call.end {
        CallEnd::Decided => "decided",
        CallEnd::Undecided => "no decision",
        CallEnd::Withdrawn => "never left",
        CallEnd::Open => "the process ended before its end was known",
    };
    let status = match (call.status, call.end) {
        (Some(status), _) => format!("HTTP {status}, "),
        (None, CallEnd::Undecided) => "no reply, ".to_owned(),
        (None, _) => String::new(),
    };
    let ambiguous = if call.ambiguous { ", ambiguous: it may have taken effect" } else { "" };
    let detail = call.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
    page.entry(4, &format!("call {}", call.attempt), ROOM, &format!("{} · {status}{end}{ambiguous}{detail}", call.at));
}

fn one_reply(reply: &Reply, page: &mut Page<'_>) {
    let health = reply.health_score.as_ref().map_or_else(String::new, |score| format!(" · health score {score}"));
    let at = reply.updated_at.as_ref().map_or_else(String::new, |at| format!(" · updated {at}"));
    page.entry(4, "reply", ROOM, &format!("Tether's {}{health}{at}", reply.tether_id.as_deref().unwrap_or("customer")));
    let named = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let taken: Vec<String> = reply
        .fields
        .iter()
        .filter(|field| field.applied == Some(true))
        .map(|field| format!("{} {}", field.field, named(&field.shown)))
        .collect();
    if !taken.is_empty() {
        page.entry(4 + ROOM, "·", 2, &format!("taken as sent: {}", taken.join(" · ")));
    }
    for field in &reply.fields {
        let words = match field.applied {
            Some(true) => continue,
            Some(false) => {
                format!("NOT TAKEN {}: sent {}, shows {}", field.field, named(&field.sent), named(&field.shown))
            }
            None => format!("not sent {}: shows {}", field.field, named(&field.shown)),
        };
        page.entry(4 + ROOM, "·", 2, &words);
    }
}
