//! What the page says at any size, and why things did not come as foretold.

use super::super::{Outcomes, SentRows};
use super::given::{Given, Row, reply};
use crate::model::{Outcome, Prediction};
use std::collections::BTreeMap;

fn page(rows: Vec<Row>, outcome: impl Fn(u32) -> Outcome) -> String {
    let mut answers = SentRows::new(2);
    for row in 0..u32::try_from(rows.len()).unwrap() {
        answers.push(reply(row, outcome(row)).mrr("1").detail("what Tether said about it").into());
    }
    super::file(&Given::new(rows), Outcomes::Sent { rows: answers, stopped: BTreeMap::new() }, "report.html")
}

#[test]
fn a_large_run_shows_the_largest_by_name_says_how_many_there_are_and_stays_small() {
    let row =
        |n: i64| Row::new(Prediction::CreationDisabled, &format!("crm:{n}")).desired(n).changing("email;mrr;name");
    let page =
        page(
            (0..3_000).map(row).collect(),
            |row| {
                if row % 3 == 0 { Outcome::Updated } else { Outcome::CreationDisabled }
            },
        );
    assert!(page.contains("The 500 largest of 2,000 are shown") && page.contains("The 200 largest of 1,000 are shown"));
    assert!(page.contains("Name of crm:2999") && !page.contains("Name of crm:1<"));
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

#[test]
fn every_part_off_the_matrix_diagonal_has_a_cause_and_names_somebody() {
    let cases = [
        (Prediction::Create, Outcome::Created, None),
        (Prediction::Create, Outcome::Updated, Some("stale export or second writer")),
        (Prediction::Update, Outcome::Created, Some("gone from Tether since the export")),
        (Prediction::Update, Outcome::Applied, Some("ambiguous retry")),
        (Prediction::Update, Outcome::Unknown, Some("ambiguous, never answered")),
        (Prediction::Create, Outcome::CreationDisabled, Some("gate closed")),
        (Prediction::CreationDisabled, Outcome::Created, Some("gate open")),
        (Prediction::Update, Outcome::Rejected, Some("refused by Tether")),
        (Prediction::Update, Outcome::Failed, Some("retries used up")),
    ];
    let rows =
        (0..).zip(&cases).map(|(n, (predicted, ..)): (i64, _)| Row::new(*predicted, &format!("crm:{n}")).desired(n));
    let page = page(rows.collect(), |row| cases[row as usize].1);
    let section = page.split("<section id=\"prediction\">").nth(1).unwrap().split("</section>").next().unwrap();
    for (n, (predicted, outcome, cause)) in cases.iter().enumerate() {
        let line = section
            .split("<tr>")
            .find(|line| line.contains(&format!("{predicted} → ")) && line.contains(&format!("#{outcome}\"")));
        assert_eq!(line.is_some(), cause.is_some(), "{predicted} → {outcome}");
        if let (Some(line), Some(cause)) = (line, cause) {
            assert!(line.contains(cause) && line.contains(&format!("Name of crm:{n}")), "{line}");
        }
    }
    assert!(section.contains("1 of 9 as foretold"));
}
