//! What each notice looks like.

use super::ended::{Ended, Figures, OutcomeFigures, ProductFigures, SourceFigures};
use super::{Notice, json, metrics, slack};
use crate::model::{BreakKind, Instant, Outcome};
use crate::runs::GuardFinding;
use std::collections::BTreeMap;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// A run that ended without a report.
fn failed() -> Ended {
    Ended {
        name: "books".into(),
        run_id: "20261101T060000Z-9f3c".into(),
        command: "run",
        exit_code: 8,
        meaning: "an input was refused",
        started_at: at("2026-11-01T06:00:00Z"),
        ended_at: at("2026-11-01T06:00:02Z"),
        error: Some("in/<contacts>.csv is empty; ask ada@example.com & export it again".into()),
        todo: None,
        figures: None,
    }
}

fn outcome(customers: u64, worth: i128, needs_a_person: bool) -> OutcomeFigures {
    OutcomeFigures { customers, before: worth - 100, desired: worth, after: worth + 100, needs_a_person }
}

/// A run that came to its end, with two products.
fn ended() -> Ended {
    let product = |name: &str, outcomes: &[(Outcome, OutcomeFigures)]| ProductFigures {
        name: name.into(),
        calls: 81,
        mrr: (4_510_700, 4_725_034),
        outcomes: outcomes.iter().copied().collect(),
    };
    let figures = Figures {
        report: "/srv/recon/state/runs/20261101T060000Z-9f3c/report/report.html".into(),
        mode: "run".into(),
        status: "complete".into(),
        limited: false,
        currency: "usd".into(),
        currency_digits: 2,
        needs_a_person: 13,
        products: vec![
            product(
                "core",
                &[
                    (Outcome::Created, outcome(1100, 117_716, false)),
                    (Outcome::Conflict, outcome(12, 45_598, true)),
                    (Outcome::Orphan, outcome(4, 12_800, false)),
                ],
            ),
            product("academy", &[(Outcome::Invalid, outcome(1, -6500, true))]),
        ],
        sources: vec![SourceFigures { name: "stripe_customers".into(), rows_read: 441 }],
        guards: vec![],
        breaks: BTreeMap::from([(BreakKind::RejectedRow, 2)]),
    };
    Ended {
        exit_code: 3,
        meaning: "done; some rows need a person",
        ended_at: at("2026-11-01T06:01:12Z"),
        error: None,
        figures: Some(figures),
        ..failed()
    }
}

/// A run that a guard refused.
fn refused() -> Ended {
    let mut ended = Ended { exit_code: 4, meaning: "a guard refused; nothing was sent", ..ended() };
    if let Some(figures) = &mut ended.figures {
        let finding = |guard: &str, refused| GuardFinding {
            guard: guard.into(),
            scope: (guard != "max_created").then(|| "core".to_owned()),
            figure: Some("512".into()),
            limit: "500".into(),
            unit: "customers".into(),
            refused,
            overridden: false,
            detail: "the plan would create 512 customers, ada@example.com too; the limit is 500".into(),
        };
        figures.guards = vec![
            finding("max_created", true),
            finding("max_changed_percent", false),
            finding("max_changed_percent", false),
        ];
        figures.products.clear();
        figures.breaks.clear();
    }
    ended
}

#[test]
fn the_texts_for_people() {
    let done = Ended { exit_code: 0, meaning: "done; nothing needs a person", ..ended() };
    let texts = [
        (Notice::Trouble, failed()),
        (Notice::Trouble, ended()),
        (Notice::Trouble, refused()),
        (Notice::Recovery, Ended { figures: None, ..done }),
        (Notice::Test, failed()),
    ]
    .map(|(notice, ended)| {
        let body: serde_json::Value = serde_json::from_str(&slack::body(notice, &ended)).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        body["text"].as_str().unwrap().to_owned()
    });
    insta::assert_snapshot!("slack", texts.join("\n\n----\n\n"));
}

#[test]
fn a_text_stays_short_whatever_the_number_of_products() {
    let mut ended = ended();
    let figures = ended.figures.as_mut().unwrap();
    figures.products =
        (0..200).map(|n| ProductFigures { name: format!("p{n}"), ..figures.products[0].clone() }).collect();
    let text = slack::body(Notice::Trouble, &ended);
    assert!(text.contains("and 192 more") && text.len() < 8000, "{}", text.len());
}

#[test]
fn the_notices_for_programs() {
    let pretty = |notice, ended: &Ended| {
        let body: serde_json::Value = serde_json::from_str(&json::body(notice, ended).unwrap()).unwrap();
        let mut body = body;
        body["tool_version"] = "<version>".into();
        serde_json::to_string_pretty(&body).unwrap()
    };
    let all = [(Notice::Trouble, failed()), (Notice::Trouble, ended()), (Notice::Trouble, refused())];
    insta::assert_snapshot!("json", all.map(|(notice, ended)| pretty(notice, &ended)).join("\n"));
}

#[test]
fn the_metrics() {
    let text = metrics::text(&ended(), Some(at("2026-10-31T06:01:12Z"))) + "\n" + &metrics::text(&failed(), None);
    insta::assert_snapshot!("metrics", text.replace(env!("CARGO_PKG_VERSION"), "<version>"));
    let refused = metrics::text(&refused(), None);
    for line in [
        "tether_recon_guard_refused{config=\"books\",guard=\"max_created\",scope=\"\"} 1\n",
        "tether_recon_guard_refused{config=\"books\",guard=\"max_changed_percent\",scope=\"core\"} 0\n",
    ] {
        assert!(refused.contains(line), "{refused}");
    }
    assert!(!refused.contains("last_success"), "{refused}");
}

#[test]
fn the_page_of_formats_names_every_member_of_a_notice_and_every_metric() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FORMAT.md")).unwrap();
    let (_, page) = page.split_once("\n## Notices").unwrap();
    let body: serde_json::Value = serde_json::from_str(&json::body(Notice::Trouble, &ended()).unwrap()).unwrap();
    let product = &body["products"][0];
    let members = [&body, product, &product["outcomes"]["created"]];
    for name in members.iter().flat_map(|object| object.as_object().unwrap().keys()) {
        assert!(page.contains(&format!("`{name}`")), "docs/FORMAT.md, Notices: `{name}`");
    }
    let text = metrics::text(&refused(), Some(at("2026-10-31"))) + &metrics::text(&ended(), None);
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(page.contains(&format!("`{name}`")), "docs/FORMAT.md, Notices: `{name}`");
    }
}
