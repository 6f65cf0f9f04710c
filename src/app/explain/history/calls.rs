//! The requests of one row, and the reply, out of the journal's records.

use super::{Call, CallEnd, Reply, ReplyField};
use crate::app::explain::planned::PlanRow;
use crate::journal::Record;
use crate::model::{Field, RowOutcome, TetherCustomer};

/// Every request of `row`, in order. `records`: of a journal, those of other rows left out or not.
pub fn calls(records: &[Record], row: u32) -> Vec<Call> {
    let mut calls: Vec<Call> = vec![];
    for record in records {
        match record {
            Record::Intent { row: of, attempt, at } if *of == row => calls.push(Call {
                attempt: *attempt,
                at: *at,
                ended_at: None,
                end: CallEnd::Open,
                status: None,
                // Until something is known of it, it may have been carried out.
                ambiguous: true,
                detail: None,
            }),
            Record::Withdrawn { row: of } if *of == row => {
                if let Some(call) = calls.last_mut() {
                    call.end = CallEnd::Withdrawn;
                    call.ambiguous = false;
                }
            }
            Record::Undecided { row: of, at, status, ambiguous, detail } if *of == row => {
                if let Some(call) = calls.last_mut() {
                    call.end = CallEnd::Undecided;
                    call.ended_at = Some(*at);
                    call.status = *status;
                    call.ambiguous = *ambiguous;
                    call.detail = Some(detail.clone());
                }
            }
            Record::Outcome { at, outcome } if outcome.row == row => {
                // An outcome may also come after the last request was given up: then it decides nothing of that one.
                if let Some(call) = calls.last_mut().filter(|call| call.end == CallEnd::Open) {
                    call.end = CallEnd::Decided;
                    call.ended_at = Some(*at);
                    call.status = outcome.http_status;
                    call.ambiguous = false;
                    call.detail.clone_from(&outcome.detail);
                }
            }
            _ => {}
        }
    }
    calls
}

/// What the reply that decided shows, beside what was sent.
pub fn reply(outcome: &RowOutcome, plan: &PlanRow) -> Option<Reply> {
    let customer = outcome.customer.as_ref()?;
    let fields = Field::ALL.iter().map(|field| {
        let missed = outcome.not_applied.iter().find(|missed| missed.field == *field);
        let sent = plan.desired.get(field).filter(|_| !plan.held_back.contains(field)).cloned();
        ReplyField {
            field: *field,
            applied: sent.is_some().then_some(missed.is_none()),
            sent,
            shown: shown(customer, *field),
        }
    });
    Some(Reply {
        tether_id: customer.tether_id.clone(),
        updated_at: customer.updated_at.clone(),
        health_score: outcome.health_score.as_ref().map(ToString::to_string),
        fields: fields.filter(|field| field.sent.is_some() || field.shown.is_some()).collect(),
    })
}

fn shown(customer: &TetherCustomer, field: Field) -> Option<String> {
    match field {
        Field::Email => customer.email.clone(),
        Field::ExternalId => customer.external_id.clone(),
        Field::Name => customer.name.clone(),
        Field::CompanyName => customer.company_name.clone(),
        Field::Mrr => customer.mrr.clone(),
        Field::SubscriptionStatus => customer.subscription_status.clone(),
        Field::AutoRenew => customer.auto_renew.map(|yes| yes.to_string()),
        Field::PeriodEnd => customer.period_end.clone(),
        Field::LastActivity => customer.last_activity.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CallEnd, calls};
    use crate::journal::Record;
    use crate::model::{Instant, Outcome, RowOutcome};

    fn at(second: i64) -> Instant {
        Instant::from_epoch_seconds(1_793_491_200 + second).unwrap()
    }

    #[test]
    fn every_request_is_told_with_how_it_ended_and_other_rows_are_not() {
        let intent = |row, attempt, second| Record::Intent { row, attempt, at: at(second) };
        let undecided = |ambiguous, status, second| Record::Undecided {
            row: 7,
            at: at(second),
            status,
            ambiguous,
            detail: "said".to_owned(),
        };
        let outcome = RowOutcome {
            row: 7,
            outcome: Outcome::Applied,
            reason: None,
            http_status: Some(200),
            attempts: 4,
            sent: true,
            customer: None,
            health_score: None,
            not_applied: vec![],
            detail: None,
        };
        let records = [
            intent(7, 1, 0),
            intent(8, 1, 0),
            undecided(false, Some(429), 1),
            intent(7, 2, 2),
            undecided(true, None, 3),
            intent(7, 3, 4),
            Record::Resumed { at: at(60), tool_version: String::new() },
            intent(7, 4, 61),
            Record::Withdrawn { row: 7 },
            intent(7, 4, 62),
            Record::Outcome { at: at(63), outcome: Box::new(outcome) },
        ];
        let told: Vec<_> =
            calls(&records, 7).iter().map(|call| (call.attempt, call.end, call.status, call.ambiguous)).collect();
        assert_eq!(
            told,
            [
                (1, CallEnd::Undecided, Some(429), false),
                (2, CallEnd::Undecided, None, true),
                (3, CallEnd::Open, None, true),
                (4, CallEnd::Withdrawn, None, false),
                (4, CallEnd::Decided, Some(200), false),
            ]
        );
    }
}
