//! The report's promises, on small runs made by hand and on many made at random.

pub(super) mod given;
mod page;
mod redacted;
mod waiting;

use super::{Bridge, Ending, Outcomes, ReportModel, SentRows, terminal_summary, write_report};
use crate::model::{BreakKind, Field, NotApplied, Outcome, Prediction, Reason};
use crate::runs::RunStatus;
use given::{Given, Row, reply};
use num_traits::Zero;
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(super) const DONE: Ending = Ending { status: RunStatus::Complete, exit_code: 3 };

fn file(given: &Given, outcomes: Outcomes, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    write_report(folder.path(), &given.model(outcomes), DONE).unwrap();
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

/// One customer of every outcome, and what Tether answered.
pub(super) fn every_outcome() -> (Given, Outcomes) {
    use Prediction as P;
    let given = Given::new(vec![
        Row::new(P::Create, "crm:1").desired(10_000).changing("email;mrr;name"),
        Row::new(P::Update, "crm:2").desired(5_000).before(7_500).changing("mrr;name"),
        Row::new(P::Update, "crm:3").desired(2_000).before(0).changing("mrr"),
        Row::new(P::Create, "crm:4").desired(3_300),
        Row::new(P::Update, "crm:5").desired(100).before(90).changing("email"),
        Row::new(P::Unknown, "crm:6").desired(4_200),
        Row::new(P::Update, "crm:7").desired(0).before(800).changing("mrr"),
        Row::new(P::Create, "crm:8").desired(1),
        Row::new(P::Unchanged, "crm:9").desired(900).before(900),
        Row::new(P::Conflict, "crm:10").desired(600).before(500).reason(Reason::IdentityConflict),
        Row::new(P::Invalid, "crm:11").unpriced().reason(Reason::CouponUnknown),
        Row::new(P::Orphan, "tether:t-1").unpriced().before(1_234),
    ])
    .with_fractions();
    let mut rows = SentRows::new(2);
    rows.push(reply(0, Outcome::Created).mrr("100").score(74).into());
    rows.push(reply(1, Outcome::Updated).mrr("50.00").into());
    let mut applied = reply(2, Outcome::Applied).mrr("19");
    applied.0.not_applied = vec![NotApplied { field: Field::Mrr, sent: "20.00".into(), shown: Some("19.00".into()) }];
    rows.push(applied.into());
    rows.push(reply(3, Outcome::CreationDisabled).status(422).into());
    rows.push(reply(4, Outcome::Rejected).status(400).detail("email is taken").into());
    rows.push(reply(5, Outcome::Failed).status(503).into());
    rows.push(reply(6, Outcome::Unknown).into());
    (given, Outcomes::Sent { rows, stopped: BTreeMap::from([("core".to_owned(), Reason::Deadline)]) })
}

#[test]
fn customers_csv_has_the_contracts_columns_and_one_row_per_outcome() {
    let (given, outcomes) = every_outcome();
    insta::assert_snapshot!(file(&given, outcomes, "customers.csv"));
}

#[test]
fn changes_csv_names_each_changed_field_with_both_sides_and_its_source() {
    let (given, outcomes) = every_outcome();
    insta::assert_snapshot!(file(&given, outcomes, "changes.csv"));
}

#[test]
fn summary_md_can_be_pasted() {
    let (given, outcomes) = every_outcome();
    insta::assert_snapshot!(file(&given, outcomes, "summary.md"));
}

#[test]
fn summary_json_holds_what_the_contract_names() {
    let (given, outcomes) = every_outcome();
    insta::assert_snapshot!(file(&given, outcomes, "summary.json"));
}

#[test]
fn the_terminal_summary_names_outcomes_money_and_the_report() {
    let (given, outcomes) = every_outcome();
    insta::assert_snapshot!(terminal_summary(&given.model(outcomes), DONE, "state/report.html".as_ref()));
}

#[test]
fn what_moved_is_classified_by_before_after_and_whether_tether_knew_the_customer() {
    use Outcome as O;
    use Prediction as P;
    let of = |pick: fn(&mut Bridge) -> &mut i128, amount: i128| {
        let mut bridge = Bridge::default();
        *pick(&mut bridge) = amount;
        bridge
    };
    for (row, outcome, shown, expected) in [
        (Row::new(P::Create, "a").desired(100), O::Created, "1", of(|b| &mut b.new, 100)),
        (Row::new(P::Create, "a").desired(100), O::Applied, "1", of(|b| &mut b.new, 100)),
        (Row::new(P::Create, "a").desired(100), O::Updated, "1", of(|b| &mut b.reactivation, 100)),
        (Row::new(P::Create, "a").desired(0), O::Created, "0", Bridge::default()),
        (Row::new(P::Update, "a").desired(100).before(0), O::Updated, "1", of(|b| &mut b.reactivation, 100)),
        (Row::new(P::Update, "a").desired(100).before(40), O::Updated, "1", of(|b| &mut b.expansion, 60)),
        (Row::new(P::Update, "a").desired(40).before(100), O::Updated, "0.4", of(|b| &mut b.contraction, 60)),
        (Row::new(P::Update, "a").desired(0).before(100), O::Updated, "0", of(|b| &mut b.churn, 100)),
        (Row::new(P::Update, "a").desired(0).before(100), O::Rejected, "0", Bridge::default()),
    ] {
        let given = Given::new(vec![row]);
        let mut rows = SentRows::new(2);
        rows.push(reply(0, outcome).mrr(shown).into());
        let model = given.model(Outcomes::Sent { rows, stopped: BTreeMap::new() });
        let found = model.products[0].bridge;
        let movements = |b: &Bridge| [b.new, b.reactivation, b.expansion, b.contraction, b.churn];
        assert_eq!(movements(&found), movements(&expected), "{outcome} showing {shown}");
        assert_eq!(found.residual(), 0);
    }
}

#[test]
fn a_plan_says_what_tether_would_hold_and_a_refused_run_what_it_holds() {
    use Prediction as P;
    let given = Given::new(vec![
        Row::new(P::Create, "a").desired(100),
        Row::new(P::CreationDisabled, "b").desired(30),
        Row::new(P::Update, "c").desired(5).before(7),
    ]);
    let planned = given.model(Outcomes::NotSent(Reason::PlanOnly));
    assert_eq!(planned.products[0].bridge.closing, 105);
    assert_eq!(planned.products[0].gap.component("creation_disabled"), super::amount::whole(30));
    assert_eq!(planned.products[0].outcomes[&Outcome::NotAttempted].customers, 3);
    assert!(!planned.verdict().refused() && !planned.verdict().incomplete());
    let refused = given.model(Outcomes::NotSent(Reason::Guard));
    assert_eq!(refused.products[0].bridge.closing, 7);
    assert!(refused.verdict().refused());
}

#[test]
fn a_field_that_the_reply_no_longer_shows_is_not_claimed_to_be_there() {
    let given = Given::new(vec![Row::new(Prediction::Update, "a").desired(100).before(40)]);
    let mut lost = reply(0, Outcome::Updated);
    lost.0.not_applied = vec![NotApplied { field: Field::Mrr, sent: "1.00".into(), shown: None }];
    let mut rows = SentRows::new(2);
    rows.push(lost.into());
    let model = given.model(Outcomes::Sent { rows, stopped: BTreeMap::new() });
    assert_eq!(model.products[0].bridge.churn, 40);
    assert_eq!(model.products[0].gap.component("not_applied"), super::amount::whole(100));
    assert_eq!(model.verdict().not_applied, 1);
    assert!(model.verdict().ties());
}

#[test]
fn a_missed_prediction_is_a_break_that_says_why() {
    let given = Given::new(vec![
        Row::new(Prediction::Create, "a").desired(100),
        Row::new(Prediction::Update, "b").desired(5).before(7),
        Row::new(Prediction::Create, "c").desired(1),
    ]);
    let mut rows = SentRows::new(2);
    for (row, outcome) in [(2, Outcome::CreationDisabled), (1, Outcome::Created), (0, Outcome::Updated)] {
        rows.push(reply(row, outcome).into());
    }
    let model = given.model(Outcomes::Sent { rows, stopped: BTreeMap::new() });
    let missed: Vec<_> = model.breaks.iter().map(|b| (b.kind, b.key.as_str(), b.after.as_deref())).collect();
    assert_eq!(
        missed,
        [(BreakKind::PredictionMissed, "a", Some("updated")), (BreakKind::PredictionMissed, "b", Some("created")),],
        "a gate that nobody described cannot surprise"
    );
    assert!(model.breaks[0].detail.contains("second writer"));
}

#[test]
fn what_does_not_tie_is_said_with_its_difference() {
    let sound = Given::new(vec![Row::new(Prediction::Unchanged, "a").desired(100).before(100)]);
    let nothing = || Outcomes::Sent { rows: SentRows::new(2), stopped: BTreeMap::new() };
    assert_eq!(sound.model(nothing()).verdict().difference, None);

    let mut lost_row = sound.clone();
    lost_row.manifest.sources[0].rows_read += 1;
    let mut lost_money = sound.clone();
    lost_money.manifest.sources[0].mrr_total = Some(given::exact(101, 1));
    let mut misrounded = sound.clone();
    misrounded.manifest.products[0].totals.desired_rounded += 5;
    let mut unlisted = sound.clone();
    unlisted.manifest.sources[0].dispositions.clear();
    for (given, said) in [
        (lost_row, "rows read = sum over dispositions does not tie: 2 expected, 1 found, difference -1"),
        (lost_money, "MRR of all rows = sum over dispositions does not tie: 101 expected, 100 found, difference -1"),
        (
            misrounded,
            "desired MRR of the plan = sum over customers does not tie: 105 expected, 100 found, difference -5",
        ),
        (unlisted, "rows read = sum over dispositions does not tie: 1 expected, 0 found, difference -1"),
    ] {
        let verdict = given.model(nothing()).verdict();
        let difference = verdict.difference.unwrap_or_default();
        assert!(difference.contains(said), "{difference}");
    }

    let mut rows = SentRows::new(2);
    rows.push(reply(0, Outcome::Updated).into());
    rows.push(reply(7, Outcome::Updated).into());
    let untold = sound.model(Outcomes::Sent { rows, stopped: BTreeMap::new() });
    let failing: Vec<_> = untold.tie_outs.iter().filter(|tie| !tie.ties()).map(|tie| tie.name.as_str()).collect();
    assert_eq!(
        failing,
        ["outcomes of rows that are not in the plan", "outcomes of rows that were not to be sent"],
        "outcomes that nobody asked for"
    );
}

#[test]
fn hostile_text_stays_text_in_every_format() {
    let hostile = "</td><script>alert(1)</script>\"'\r\n,;=1+1|`x`<b onload=x>";
    let mut row = Row::new(Prediction::Create, hostile).desired(100).changing("email;mrr;name");
    row.text = hostile.to_owned();
    let mut given = Given::new(vec![row]);
    given.manifest.inputs[0].path = hostile.to_owned();
    let outcomes = || {
        let mut rows = SentRows::new(2);
        rows.push(reply(0, Outcome::Rejected).detail(hostile).into());
        Outcomes::Sent { rows, stopped: BTreeMap::new() }
    };
    let page = file(&given, outcomes(), "report.html");
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own script");
    let read_as = "UTF-8, semicolon, CRLF, headings on line 3, month first (as configured), America/New_York</td>";
    assert!(page.contains(read_as), "the page says how each file was read");
    assert!(!page.contains("<b onload"));
    for (name, columns) in [("customers.csv", 28), ("changes.csv", 9)] {
        let text = file(&given, outcomes(), name);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert!(records.iter().all(|record| record.len() == columns), "{name}");
        assert!(records.iter().any(|record| record.iter().any(|cell| cell == hostile)), "{name}");
    }
}

#[test]
fn a_formula_is_text_in_every_csv_and_itself_in_its_twin() {
    let formula = "=HYPERLINK(\"http://x.example\",\"Sum\")";
    let mut row = Row::new(Prediction::Create, formula).desired(100).changing("email;mrr;name");
    row.text = formula.to_owned();
    let given = Given::new(vec![row]);
    let outcomes = || {
        let mut rows = SentRows::new(2);
        rows.push(reply(0, Outcome::Rejected).detail("\t+1").score(74).into());
        Outcomes::Sent { rows, stopped: BTreeMap::new() }
    };
    for (name, count) in [("customers", 3), ("changes", 4)] {
        let text = file(&given, outcomes(), &format!("{name}.csv"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let cells: Vec<String> =
            reader.records().flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect();
        assert!(cells.iter().all(|cell| !cell.starts_with(['=', '+', '@', '\t'])), "{name}: {cells:?}");
        assert_eq!(cells.iter().filter(|cell| cell.starts_with('\'')).count(), count, "{name}: {cells:?}");
        let twin = file(&given, outcomes(), &format!("{name}.jsonl"));
        let lines: Vec<serde_json::Value> = twin.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), text.lines().count() - 1);
        assert!(lines.iter().all(|line| line["key"] == formula), "{twin}");
    }
    let twin: serde_json::Value = serde_json::from_str(&file(&given, outcomes(), "customers.jsonl")).unwrap();
    assert_eq!((&twin["name"], &twin["detail"]), (&formula.into(), &"\t+1".into()));
    assert_eq!((&twin["mrr_desired"], &twin["health_score"]), (&100.into(), &74.into()));
    assert_eq!(twin["changed_fields"], serde_json::json!(["email", "mrr", "name"]));
}

#[test]
fn the_page_lets_in_only_its_own_style_and_script() {
    let (given, outcomes) = every_outcome();
    let page = file(&given, outcomes, "report.html");
    assert!(page.contains("content=\"default-src &#39;none&#39;; style-src &#39;sha256-"));
    for foreign in ["http://", "https://", " style=\"", " onclick", "<img", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn writing_a_report_again_gives_the_same_bytes_and_leaves_nothing_else_behind() {
    let folder = tempfile::tempdir().unwrap();
    let read = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let mut written = Vec::new();
    for _ in 0..2 {
        let (given, outcomes) = every_outcome();
        write_report(folder.path(), &given.model(outcomes), DONE).unwrap();
        written.push(read());
    }
    assert_eq!(written[0].len(), 10);
    assert!(written[0] == written[1]);
}

#[test]
fn a_run_without_any_customer_still_has_headings_and_ties() {
    let given = Given::new(Vec::new());
    let model = given.model(Outcomes::Sent { rows: SentRows::new(2), stopped: BTreeMap::new() });
    assert!(model.verdict().ties() && !model.verdict().needs_a_person());
    let text = file(&given, Outcomes::NotSent(Reason::PlanOnly), "customers.csv");
    assert!(text.starts_with("product,outcome,reason,predicted,") && text.lines().count() == 1);
}

pub(super) fn any_run() -> impl Strategy<Value = (Given, Outcomes)> {
    let amount = prop_oneof![Just(0_i64), 1..50_000_i64, Just(9_000_000_000_000_000_000)];
    let row = (
        prop::sample::select(Prediction::ALL),
        prop::option::of(amount.clone()),
        prop::option::of(amount.clone()),
        prop::option::of((prop::sample::select(Outcome::ALL), prop::option::of(0..50_000_i64), any::<bool>())),
    );
    (prop::collection::vec(row, 0..40), prop::sample::select(vec![None, Some(Reason::PlanOnly), Some(Reason::Guard)]))
        .prop_map(|(specs, not_sent)| {
            let mut given = Vec::new();
            let mut rows = SentRows::new(2);
            for (index, (predicted, desired, before, outcome)) in specs.into_iter().enumerate() {
                let mut row = Row::new(predicted, &format!("crm:{index}"));
                row.desired = desired.filter(|_| predicted != Prediction::Orphan);
                row.before = before;
                if let Some((outcome, shown, lost)) = outcome.filter(|_| predicted.is_sent()) {
                    let mut answer = reply(u32::try_from(index).unwrap(), outcome);
                    if let Some(shown) = shown {
                        answer = answer.mrr(&shown.to_string());
                    } else if lost {
                        answer.0.not_applied = vec![NotApplied { field: Field::Mrr, sent: "1".into(), shown: None }];
                    }
                    rows.push(answer.into());
                }
                given.push(row);
            }
            let outcomes =
                not_sent.map_or_else(|| Outcomes::Sent { rows, stopped: BTreeMap::new() }, Outcomes::NotSent);
            (Given::new(given).with_fractions(), outcomes)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_was_planned_and_whatever_came_of_it_bridge_and_gap_leave_nothing_unexplained(
        (given, outcomes) in any_run()
    ) {
        let model: ReportModel = given.model(outcomes);
        let product = &model.products[0];
        prop_assert_eq!(product.bridge.residual(), 0);
        prop_assert!(product.gap.residual().is_zero());
        prop_assert_eq!(product.bridge.closing, product.gap.tether);
        let customers: u64 = product.outcomes.values().map(|tally| tally.customers).sum();
        prop_assert_eq!(customers, given.rows.len() as u64);
    }
}
