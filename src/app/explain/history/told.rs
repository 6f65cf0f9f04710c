//! The customer's rows in all kept runs, put together.

use super::kept::{Kept, Known};
use super::{History, RunOfCustomer, Waiting, calls, since};
use crate::app::explain::planned::PlanRow;
use crate::journal::{self, Record};
use crate::model::{Field, Money, Outcome, Prediction, Reason, RowOutcome};
use crate::runs::{Mode, RunStatus};
use std::collections::BTreeSet;

/// One history for each of `known`. Runs that cannot be read are said in `notes`.
pub fn history(kept: &[Kept], known: &[Known], notes: &mut Vec<String>) -> Vec<History> {
    let mut found = vec![History::default(); known.len()];
    for run in kept {
        let rows = run.rows(known).unwrap_or_else(|error| {
            notes.push(format!("run {} was passed over: {error}", run.folder.id()));
            vec![]
        });
        if rows.is_empty() {
            continue;
        }
        let records = records(run, &rows, notes);
        let told: Vec<RunOfCustomer> =
            rows.into_iter().map(|(row, plan)| one(run, row, plan, records.as_deref())).collect();
        let told = revealed(told);
        for (history, known) in found.iter_mut().zip(known) {
            history.runs.extend(told.iter().filter(|row| known.is(&row.plan)).cloned());
        }
    }
    for history in &mut found {
        compare(&mut history.runs);
        history.waiting = waiting(&history.runs);
    }
    found
}

/// What the journal says of these rows; `None`: there should be one and it cannot be read.
fn records(run: &Kept, rows: &[(u32, PlanRow)], notes: &mut Vec<String>) -> Option<Vec<Record>> {
    let sent: BTreeSet<u32> = rows.iter().filter(|(_, plan)| plan.predicted.is_sent()).map(|(row, _)| *row).collect();
    let path = run.folder.journal_path();
    let none_yet = run.manifest.mode == Mode::Plan
        || run.manifest.status == RunStatus::Refused
        || (run.manifest.status == RunStatus::Planned && !path.exists());
    if sent.is_empty() || none_yet {
        return Some(vec![]);
    }
    match journal::about(&path, &sent) {
        Ok(records) => {
            let own = matches!(records.first(), Some(Record::Header(header))
                if header.run_id == run.manifest.run_id && header.plan_hash == run.manifest.plan_hash);
            if !own {
                notes.push(format!("the journal of run {} is another run's: its calls are not told", run.folder.id()));
            }
            own.then_some(records)
        }
        Err(error) => {
            notes.push(format!("the calls of run {} are not told: {error}", run.folder.id()));
            None
        }
    }
}

fn one(run: &Kept, row: u32, plan: PlanRow, records: Option<&[Record]>) -> RunOfCustomer {
    let manifest = &run.manifest;
    let digits = manifest.currency_digits;
    let sent = plan.predicted.is_sent();
    let concluded = records.filter(|_| sent).and_then(|records| {
        let mut outcomes = journal::outcomes(records.iter().cloned().map(Ok));
        let found: Vec<(RowOutcome, bool)> = std::iter::from_fn(|| {
            let next = outcomes.next()?.ok()?;
            Some((next, outcomes.is_undecided()))
        })
        .collect();
        let stop = outcomes.closed().map_or(Reason::Interrupted, |closing| closing.reason(&plan.product));
        let (mut outcome, undecided) = found.into_iter().find(|(outcome, _)| outcome.row == row)?;
        if undecided {
            outcome.reason = Some(stop);
        }
        Some(outcome)
    });
    let stopped = || {
        records.into_iter().flatten().rev().find_map(|record| match record {
            Record::Closed(closing) => Some(closing.reason(&plan.product)),
            _ => None,
        })
    };
    let (outcome, reason) = match (&concluded, sent) {
        (Some(concluded), _) => (Some(concluded.outcome), concluded.reason.or(plan.reason)),
        (None, false) => {
            (Outcome::ALL.iter().copied().find(|word| word.as_str() == plan.predicted.as_str()), plan.reason)
        }
        (None, true) if manifest.mode == Mode::Plan => (Some(Outcome::NotAttempted), Some(Reason::PlanOnly)),
        (None, true) if manifest.status == RunStatus::Refused => (Some(Outcome::NotAttempted), Some(Reason::Guard)),
        (None, true) if manifest.selection.as_ref().is_some_and(|selection| !selection.takes(row)) => {
            (Some(Outcome::NotAttempted), Some(Reason::Limit))
        }
        (None, true) if records.is_none() => (None, None),
        (None, true) => (Some(Outcome::NotAttempted), Some(stopped().unwrap_or(Reason::Interrupted))),
    };
    let desired = plan.desired.get(&Field::Mrr).cloned();
    let before = plan.mrr_before.clone();
    let after = match (&concluded, outcome) {
        (Some(concluded), Some(Outcome::Created | Outcome::Updated | Outcome::Applied)) => {
            let shown = concluded.customer.as_ref().and_then(|customer| customer.mrr.as_deref());
            let shown = shown.and_then(|mrr| Money::parse(mrr, digits).ok()).map(|money| money.to_string());
            let lost = shown.is_none() && concluded.not_applied.iter().any(|missed| missed.field == Field::Mrr);
            if lost { None } else { shown.or(desired).or(before) }
        }
        (_, Some(Outcome::NotAttempted)) if manifest.mode == Mode::Plan && would_hold(plan.predicted) => {
            desired.or(before)
        }
        _ => before,
    };
    RunOfCustomer {
        run_id: manifest.run_id.clone(),
        mode: manifest.mode,
        status: manifest.status,
        as_of: manifest.as_of,
        started_at: manifest.started_at,
        row,
        outcome,
        outcome_reason: reason,
        mrr_after: after,
        calls: records.map(|records| calls::calls(records, row)).unwrap_or_default(),
        reply: concluded.as_ref().and_then(|concluded| calls::reply(concluded, &plan)),
        said: concluded.and_then(|concluded| concluded.detail),
        since: None,
        plan,
    }
}

fn would_hold(predicted: Prediction) -> bool {
    matches!(predicted, Prediction::Create | Prediction::Update | Prediction::Unknown)
}

/// Where a reply showed that a row is an orphan of the same run: what Tether held stands on the row, as in the report.
fn revealed(mut told: Vec<RunOfCustomer>) -> Vec<RunOfCustomer> {
    let mut held = vec![];
    for run in &told {
        let Some(id) = run.reply.as_ref().and_then(|reply| reply.tether_id.as_ref()) else { continue };
        let orphan = told.iter().position(|other| {
            other.plan.predicted == Prediction::Orphan
                && other.plan.product == run.plan.product
                && other.plan.tether_id.as_ref() == Some(id)
        });
        held.extend(orphan.map(|orphan| (run.row, orphan)));
    }
    for (row, orphan) in held {
        let before = told[orphan].plan.mrr_before.take();
        told[orphan].mrr_after = None;
        told[orphan].outcome_reason = Some(Reason::MatchedByReply);
        if let Some(run) = told.iter_mut().find(|run| run.row == row) {
            run.plan.mrr_before = before;
        }
    }
    told
}

/// Says of each row what is otherwise than in the run before; `runs`: newest first.
fn compare(runs: &mut [RunOfCustomer]) {
    for at in 0..runs.len() {
        let (later, earlier) = runs.split_at(at + 1);
        let Some(later) = later.last() else { continue };
        let orphan = |run: &RunOfCustomer| run.plan.predicted == Prediction::Orphan;
        let same = |run: &&RunOfCustomer| {
            run.plan.product == later.plan.product && run.run_id != later.run_id && orphan(run) == orphan(later)
        };
        let newest = earlier.iter().find(same);
        // Those who claim one Stripe customer have a row each: like is held against like.
        let named = newest.and_then(|newest| {
            let of_key = |run: &&RunOfCustomer| run.run_id == newest.run_id && run.plan.key == later.plan.key;
            earlier.iter().filter(same).find(of_key)
        });
        let since = named.or(newest).map(|earlier| since::since(later, earlier));
        runs[at].since = since;
    }
}

/// The products that have refused to create it ever since.
fn waiting(runs: &[RunOfCustomer]) -> Vec<Waiting> {
    let products: BTreeSet<&str> = runs.iter().map(|run| run.plan.product.as_str()).collect();
    let mut found = vec![];
    for product in products {
        let of_product = runs.iter().filter(|run| run.plan.product == product && run.mode.sends());
        let streak: Vec<&RunOfCustomer> =
            of_product.take_while(|run| run.outcome == Some(Outcome::CreationDisabled)).collect();
        if let Some(first) = streak.last() {
            found.push(Waiting {
                product: product.to_owned(),
                runs: streak.len() as u64,
                first_run: first.run_id.clone(),
                since: first.as_of,
            });
        }
    }
    found
}
