//! A redacted report, with names and addresses wherever a run may hold some.

use super::super::{Outcomes, ReportModel, RunData, SentRows, terminal_summary, write_report};
use super::DONE;
use super::given::{Given, Row, reply};
use crate::model::{
    Break, BreakKind, Field, NotApplied, Outcome, OverrideDecision, OverrideState, OverrideUse, Prediction, Reason,
    Selection,
};
use crate::redact::{SALT_BYTES, Salt};
use crate::runs::GuardFinding;
use crate::table::{Accounting, PlanRows};
use polars::prelude::*;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// What no reader may find, in any case.
const MARKERS: [&str; 3] = ["zorblax", "quibnix", "vantongeren"];

/// As names, addresses and ids are written.
const VALUES: [&str; 6] = [
    "Zorblax",
    "zorblax@quibnix.example.com",
    "Zorblax Vantongeren",
    "quibnix-gmbh",
    "Quibnix, \"Zorblax\"; & <Sons>",
    "hubspot:Zorblax.V@Quibnix.example.com",
];

/// Columns of the plan that hold this program's own words.
const WORDS: [&str; 13] = [
    "product",
    "predicted",
    "reason",
    "link_rule",
    "match_rule",
    "changed_fields",
    "held_back",
    "from_external_id",
    "from_email",
    "from_name",
    "from_company_name",
    "from_last_activity",
    "stripe_customer_ids",
];

const SENTENCE: &str = "hubspot:Zorblax Vantongeren (in/contacts.csv:3) and hubspot:zorblax, e-mail zorblax@quibnix.example.com; \
                        Tether's t-1 (external id quibnix-gmbh, e-mail Zorblax, known by an earlier reply); external id Quibnix \
                        stands on the contacts; decide it, as by `link,cus_1,hubspot:zorblax@quibnix.example.com,`";

const QUOTATION: &str = "bad_number: Amount: `Zorblax` of Quibnix; the row stands without it";

fn value(at: usize) -> &'static str {
    VALUES[at % VALUES.len()]
}

fn quotes(reason: Option<Reason>) -> bool {
    !reason.is_some_and(|reason| super::super::redacted::QUOTE_IDS.contains(&reason))
}

fn given() -> Given {
    let all_fields = "company_name;email;external_id;name;subscription_status";
    let mut rows: Vec<Row> = Outcome::ALL
        .iter()
        .map(|outcome| Row::new(Prediction::Update, &format!("hubspot:Zorblax Vantongeren {outcome}")))
        .map(|row| row.desired(500).before(300).changing(all_fields))
        .collect();
    rows.extend(Reason::ALL.iter().map(|reason| {
        Row::new(Prediction::Conflict, &format!("hubspot:Quibnix of {reason}")).desired(100).reason(*reason)
    }));
    rows.push(Row::new(Prediction::Orphan, "tether:Zorblax").unpriced().before(700));
    let mut given = Given::new(rows);
    let manifest = &mut given.manifest;
    manifest.selection = Some(Selection::Only { key: VALUES[1].into(), rows: vec![0] });
    manifest.configuration = serde_json::json!({
        "product": [{"name": "core", "filter": "company = 'Quibnix' AND owner = 'Zorblax''s'"}],
        "notify": {"to": "zorblax@quibnix.example.com"},
    });
    manifest.products[0].filter =
        Some(r#"hubspot."The client's unit" = 'Quibnix' AND hubspot.owner <> 'Zorblax''s, "Vantongeren"'"#.into());
    manifest.overrides = VALUES
        .map(|value| OverrideUse {
            file: "overrides.csv".into(),
            line: 2,
            decision: OverrideDecision::Link,
            account: value.into(),
            with: format!("hubspot:{value}"),
            note: Some("as Zorblax of Quibnix said".into()),
            state: OverrideState::Used,
            detail: "cus_Zorblax belongs to hubspot:quibnix".into(),
        })
        .into();
    manifest.guards = vec![GuardFinding {
        guard: "max_created".into(),
        scope: None,
        figure: Some("1".into()),
        limit: "0".into(),
        unit: "customers".into(),
        refused: true,
        overridden: false,
        detail: "hubspot:zorblax@quibnix.example.com and hubspot:quibnix would move".into(),
    }];
    let dialect = manifest.inputs[0].dialect.as_mut().unwrap();
    dialect.notes = vec!["cut after `Zorblax` by zorblax@quibnix.example.com".into()];
    manifest.inputs[0].source = "hubspot".into();
    given
}

fn plan(given: &Given) -> PlanRows {
    let frame = given.plan().into_frame();
    let reasons: Vec<Option<Reason>> = given.rows.iter().map(|row| row.reason).collect();
    let columns = frame.columns().iter().map(|column| {
        let name = column.name().as_str();
        if column.dtype() != &DataType::String || WORDS.contains(&name) || name == "key" {
            return column.clone();
        }
        let texts: Vec<&str> = (0..frame.height())
            .map(|at| match name {
                "detail" if quotes(reasons[at]) => QUOTATION,
                "detail" => SENTENCE,
                _ => value(at),
            })
            .collect();
        Column::new(name.into(), texts)
    });
    let columns = columns.collect();
    PlanRows::new(DataFrame::new(frame.height(), columns).unwrap()).unwrap()
}

fn accounting() -> Accounting {
    let rows = VALUES.len();
    let columns = Accounting::schema().into_iter().map(|(name, _)| match name {
        "source" => Column::new(name.into(), vec!["hubspot"; rows]),
        "file" => Column::new(name.into(), vec!["in/contacts.csv"; rows]),
        "line" => Column::new(name.into(), (0..u32::try_from(rows).unwrap()).collect::<Vec<_>>()),
        "disposition" => Column::new(name.into(), vec!["excluded"; rows]),
        "reason" => Column::new(name.into(), vec![Reason::NoBillingAccount.as_str(); rows]),
        _ => Column::new(name.into(), VALUES),
    });
    Accounting::new(DataFrame::new(rows, columns.collect()).unwrap()).unwrap()
}

fn breaks() -> Vec<Break> {
    let mut breaks = vec![];
    for (at, kind) in BreakKind::ALL.iter().enumerate() {
        let quotes = matches!(kind, BreakKind::RejectedRow | BreakKind::UnreadableValue);
        for field in [None, Some("a heading")].into_iter().chain(Field::ALL.iter().map(|field| Some(field.as_str()))) {
            let detail = if quotes { QUOTATION } else { SENTENCE };
            let mut found = Break::new(*kind, "hubspot", value(at), detail).at("in/contacts.csv", 3);
            found.field = field.map(str::to_owned);
            (found.before, found.after) = (Some(value(at + 1).to_owned()), Some(value(at + 2).to_owned()));
            breaks.push(found);
        }
    }
    breaks
}

fn outcomes() -> Outcomes {
    let mut rows = SentRows::new(2);
    for (row, outcome) in (0..).zip(Outcome::ALL) {
        let mut answer = reply(row, *outcome).mrr("5");
        answer = answer
            .detail("HTTP 400 REFUSED: Zorblax of Quibnix (zorblax@quibnix.example.com) is taken by Quibnix GmbH");
        let customer = answer.0.customer.as_mut().unwrap();
        customer.tether_id = Some(value(row as usize).to_owned());
        answer.0.not_applied = Field::ALL
            .iter()
            .map(|field| NotApplied { field: *field, sent: VALUES[0].into(), shown: Some(VALUES[2].into()) })
            .collect();
        rows.push(answer.into());
    }
    Outcomes::Sent { rows, stopped: BTreeMap::new() }
}

/// Every text of the report by its file, and of the workbook every part.
fn texts(salt: Option<&Salt>) -> BTreeMap<String, String> {
    let given = given();
    let (plan, accounting, breaks) = (plan(&given), accounting(), breaks());
    let data = RunData {
        manifest: &given.manifest,
        plan: &plan,
        accounting: &accounting,
        breaks: &breaks,
        outcomes: outcomes(),
        waiting: None,
        salt,
    };
    let model = ReportModel::build(data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_report(folder.path(), &model, DONE).unwrap();
    let mut texts = BTreeMap::from([("terminal".to_owned(), terminal_summary(&model, DONE, "report.html".as_ref()))]);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name().to_str().unwrap().to_owned();
        let bytes = std::fs::read(folder.path().join(&name)).unwrap();
        if name != "report.xlsx" {
            texts.insert(name, String::from_utf8(bytes).unwrap());
            continue;
        }
        let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for at in 0..archive.len() {
            let mut part = archive.by_index(at).unwrap();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            texts.insert(format!("{name} {at}"), text);
        }
    }
    texts
}

fn places(texts: &BTreeMap<String, String>) -> BTreeMap<&str, Vec<String>> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, text) in texts {
        let text = text.to_lowercase();
        for marker in MARKERS {
            for (at, _) in text.match_indices(marker).take(5) {
                let from = text.floor_char_boundary(at.saturating_sub(80));
                let to = text.ceil_char_boundary((at + 40).min(text.len()));
                places.entry(name).or_default().push(text[from..to].to_owned());
            }
        }
    }
    places
}

#[test]
fn no_format_names_anybody_wherever_a_name_may_stand() {
    let open = texts(None);
    let open = places(&open);
    // What is looked for stands there without the salt: in every file, and in every sheet but the last.
    for name in
        ["terminal", "report.html", "summary.json", "summary.md", "customers.csv", "changes.jsonl", "accounting.csv"]
    {
        assert!(open.contains_key(name), "{name}: {:?}", open.keys());
    }
    assert!(open.keys().filter(|name| name.starts_with("report.xlsx")).count() > 10, "{:?}", open.keys());

    let salt = Salt::new([3; SALT_BYTES]);
    let redacted = texts(Some(&salt));
    let places = places(&redacted);
    assert!(places.is_empty(), "{places:#?}");
    assert!(
        redacted["summary.md"].contains("The report is redacted") && redacted["report.html"].contains("is redacted")
    );
    assert!(redacted["terminal"].contains("is redacted"));
    assert!(redacted["summary.json"].contains("\"redacted\": true"));
    for text in redacted.values() {
        assert!(!text.contains(&salt.to_file()[..16]));
    }
}

#[test]
fn without_its_salt_a_redacted_run_has_no_report_rather_than_one_with_names() {
    let mut given = given();
    given.manifest.redacted = true;
    let (plan, accounting) = (plan(&given), accounting());
    let data = RunData {
        manifest: &given.manifest,
        plan: &plan,
        accounting: &accounting,
        breaks: &[],
        outcomes: outcomes(),
        waiting: None,
        salt: None,
    };
    assert!(ReportModel::build(data).is_err());
}
