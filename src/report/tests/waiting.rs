//! Who waits for creation, from run to run.

use super::super::{Outcomes, ReportModel, SentRows, waiting_after};
use super::given::{Given, Row, reply};
use crate::model::{Instant, Outcome, Prediction};
use crate::table::Waiting;
use std::collections::BTreeMap;

/// A run of these customers, refused when they were foretold to be, on that day of October.
fn run(day: u8, rows: &[(&str, Prediction)]) -> Given {
    let rows = rows.iter().map(|(key, predicted)| Row::new(*predicted, key).desired(1_000));
    let mut given = Given::new(rows.collect());
    given.manifest.run_id = format!("202610{day:02}T060000Z-0000");
    given.manifest.as_of = Instant::parse(&format!("2026-10-{day:02}")).unwrap();
    given
}

fn after(given: &Given, answers: &[(u32, Outcome)], before: Option<&Waiting>) -> Waiting {
    waiting_after(&given.manifest, &given.plan(), answers, before).unwrap()
}

/// `key since-day refusals` of each.
fn told(waiting: &Waiting) -> Vec<String> {
    let frame = waiting.frame();
    let (key, run) = (frame.column("key").unwrap().str().unwrap(), frame.column("since_run").unwrap().str().unwrap());
    let refusals = frame.column("refusals").unwrap().u32().unwrap();
    (0..frame.height())
        .map(|at| format!("{} {} {}", key.get(at).unwrap(), &run.get(at).unwrap()[6..8], refusals.get(at).unwrap()))
        .collect()
}

#[test]
fn waiting_begins_with_a_refusal_and_ends_when_tether_holds_the_customer_or_nobody_wants_it() {
    use Outcome as O;
    use Prediction::{Conflict, Create, CreationDisabled as Gate, Unchanged};
    let first = run(1, &[("a", Gate), ("b", Gate), ("c", Create), ("d", Gate), ("e", Gate), ("f", Gate)]);
    let refused = |rows: &[u32]| rows.iter().map(|row| (*row, O::CreationDisabled)).collect::<Vec<_>>();
    let mut answers = refused(&[0, 1, 3, 4, 5]);
    answers.push((2, O::Created));
    let one = after(&first, &answers, None);
    assert_eq!(told(&one), ["a 01 1", "b 01 1", "d 01 1", "e 01 1", "f 01 1"]);

    // a is refused again, b is in no plan, d is made, e is in Tether by another way, f is a conflict, g is new.
    let second = run(2, &[("a", Gate), ("d", Gate), ("e", Unchanged), ("f", Conflict), ("g", Gate)]);
    let two = after(&second, &[(0, O::CreationDisabled), (1, O::Updated), (4, O::CreationDisabled)], Some(&one));
    assert_eq!(told(&two), ["a 01 2", "f 01 1", "g 02 1"]);

    // A run that stopped, or could not tell, ends nobody's waiting and refuses nobody.
    let third = run(3, &[("a", Gate), ("f", Gate), ("g", Gate), ("h", Gate)]);
    let three = after(&third, &[(0, O::Failed), (1, O::Unknown)], Some(&two));
    assert_eq!(told(&three), ["a 01 2", "f 01 1", "g 02 1"]);
}

#[test]
fn the_report_says_since_when_and_how_often_and_the_request_names_the_longest() {
    let first = run(1, &[("a", Prediction::CreationDisabled)]);
    let before = after(&first, &[(0, Outcome::CreationDisabled)], None);
    let second = run(31, &[("a", Prediction::CreationDisabled), ("b", Prediction::CreationDisabled)]);
    let mut rows = SentRows::new(2);
    for row in 0..2 {
        rows.push(reply(row, Outcome::CreationDisabled).status(422).into());
    }
    let outcomes = Outcomes::Sent { rows, stopped: BTreeMap::new() };
    let model: ReportModel = second.model_after(outcomes, Some(&before));
    let waiting: Vec<_> = model.products[0]
        .waiting
        .iter()
        .map(|since| (since.since.to_string(), since.refusals, since.customers, since.mrr))
        .collect();
    assert_eq!(
        waiting,
        [("2026-10-01T00:00:00Z".to_owned(), 2, 1, 1_000), ("2026-10-31T00:00:00Z".to_owned(), 1, 1, 1_000)]
    );
    let request = super::super::words::creation_request(&model, "core", " ").unwrap();
    assert!(request.contains("2 customers are waiting, with 20.00 USD"), "{request}");
    assert!(request.contains("1 of them has been waiting since 2026-10-01T00:00:00Z (30 days; first"), "{request}");
}
