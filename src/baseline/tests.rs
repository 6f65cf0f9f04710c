//! What a reviewer relies on: the later state stands, nothing is counted twice, nothing is lost.

use super::{Baseline, BaselineError, hash, merge, replies};
use crate::model::{Instant, TetherCustomer};
use crate::table::Existing;
use proptest::prelude::*;

const DAY: &str = "2026-11-01T00:00:00Z";

fn day() -> Instant {
    Instant::parse(DAY).unwrap()
}

/// `tether/external/email@day`, `-` for absent: `t1/u1/a@example.com@3`.
fn one(text: &str) -> TetherCustomer {
    let (identity, day) = text.rsplit_once('@').unwrap();
    let mut parts = identity.split('/').map(|part| (part != "-").then(|| part.to_owned()));
    TetherCustomer {
        tether_id: parts.next().unwrap(),
        external_id: parts.next().unwrap(),
        email: parts.next().unwrap(),
        updated_at: (day != "-").then(|| format!("2026-10-{day:0>2}T00:00:00Z")),
        ..TetherCustomer::default()
    }
}

fn named(text: &str, name: &str) -> TetherCustomer {
    TetherCustomer { name: Some(name.to_owned()), ..one(text) }
}

/// A table of rows that were not folded, as an export would give them.
fn export(rows: &[&str]) -> Existing {
    let mut frame = Existing::empty().into_frame();
    for (index, text) in rows.iter().enumerate() {
        let mut row = replies::table(std::iter::once(named(text, "export")), 2, day()).unwrap().into_frame();
        row.with_column(polars::prelude::Column::new("ord".into(), [u32::try_from(index).unwrap()])).unwrap();
        frame.vstack_mut(&row).unwrap();
    }
    Existing::new(frame).unwrap()
}

/// Every row as `who tether/external/email`.
fn shown(rows: &Existing) -> Vec<String> {
    let frame = rows.frame();
    let column = |name: &str| frame.column(name).unwrap().str().unwrap();
    (0..frame.height())
        .map(|row| {
            let cell = |name| column(name).get(row).unwrap_or("-").to_owned();
            format!("{} {}/{}/{}", cell("name"), cell("tether_id"), cell("external_id"), cell("email"))
        })
        .collect()
}

#[test]
fn the_later_of_export_and_reply_stands_and_on_a_tie_the_reply() {
    for (exported, replied, known, lost) in [
        // by Tether id; the older e-mail is gone
        (&["t1/u1/a@x.co@3"][..], &["t1/u1/b@x.co@4"][..], &["reply t1/u1/b@x.co"][..], &[0][..]),
        (&["t1/u1/a@x.co@3"], &["t1/u1/b@x.co@3"], &["reply t1/u1/b@x.co"], &[0]),
        (&["t1/u1/a@x.co@4"], &["t1/u1/b@x.co@3"], &["export t1/u1/a@x.co"], &[]),
        // one side without a Tether id: by external id, then by e-mail; the id is not lost
        (&["t1/u1/a@x.co@3"], &["-/u1/b@x.co@4"], &["reply t1/u1/b@x.co"], &[0]),
        (&["-/-/a@x.co@3"], &["t1/u1/a@x.co@4"], &["reply t1/u1/a@x.co"], &[0]),
        // Tether ids that differ are two customers, whatever else is equal
        (&["t1/u1/a@x.co@3"], &["t2/u1/a@x.co@4"], &["export t1/u1/a@x.co", "reply t2/u1/a@x.co"], &[]),
        // external ids that differ are two customers, though the e-mail is equal
        (&["-/u1/a@x.co@3"], &["-/u2/a@x.co@4"], &["export -/u1/a@x.co", "reply -/u2/a@x.co"], &[]),
        // null keys match nothing
        (&["t1/-/-@3"], &["t2/-/-@4"], &["export t1/-/-", "reply t2/-/-"], &[]),
        // rows of one side only, in the order of export, then baseline
        (
            &["t3/-/-@3", "t1/-/-@3"],
            &["t2/-/-@1", "t1/-/-@9"],
            &["export t3/-/-", "reply t2/-/-", "reply t1/-/-"],
            &[1],
        ),
        // an export that holds a customer twice: one newer row suffices to keep the export's
        (&["t1/-/-@3", "t1/-/-@5"], &["t1/-/-@4"], &["export t1/-/-", "export t1/-/-"], &[]),
        (&["t1/-/-@3", "t1/-/-@5"], &["t1/-/-@6"], &["reply t1/-/-"], &[0, 1]),
    ] {
        let rows = replied.iter().map(|text| named(text, "reply"));
        let baseline = replies::table(rows, 2, day()).unwrap();
        let merged = merge(Some(export(exported)), Some(baseline)).unwrap();
        let found = merged.known.unwrap();
        assert_eq!(shown(&found), known, "{exported:?} {replied:?}");
        let ords: Vec<u32> =
            merged.superseded_by_reply.column("ord").unwrap().u32().unwrap().iter().flatten().collect();
        assert_eq!(ords, lost, "{exported:?} {replied:?}");
        let mut ords: Vec<_> = found.frame().column("ord").unwrap().u32().unwrap().iter().flatten().collect();
        ords.dedup();
        assert_eq!(ords.len(), found.len(), "an ord stands twice");
    }
}

#[test]
fn nothing_known_is_not_the_same_as_nobody_there() {
    assert!(merge(None, None).unwrap().known.is_none());
    assert_eq!(merge(Some(Existing::empty()), None).unwrap().known.unwrap().len(), 0);
    assert_eq!(merge(None, Some(export(&["t1/-/-@1"]))).unwrap().known.unwrap().len(), 1);
    assert_eq!(merge(None, None).unwrap().superseded_by_reply.height(), 0);
}

#[test]
fn replies_come_back_as_they_were_shown() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = Baseline::open(folder.path());
    let product = "Größe/..\\a:b";
    assert!(baseline.load(product).unwrap().is_none());
    let reply: TetherCustomer = serde_json::from_str(
        r#"{"tether_id":"t1","external_id":"u1","email":"Jane@Example.com","name":" Jane ","company_name":"","mrr":12.3,
            "subscription_status":"active","auto_renew":true,"period_end":"2026-12-31T00:00:00Z","last_activity":null,
            "created_at":"2025-01-15T10:00:00Z"}"#,
    )
    .unwrap();
    assert_eq!(baseline.update(product, std::iter::once(Ok::<_, BaselineError>(reply)), 2, day()).unwrap(), 1);
    let rows = baseline.load(product).unwrap().unwrap();
    assert_eq!(shown(&rows), ["Jane t1/u1/jane@example.com"]);
    let frame = rows.frame();
    assert_eq!(frame.column("mrr").unwrap().i64().unwrap().get(0), Some(1230));
    assert_eq!(frame.column("company_name").unwrap().null_count(), 1);
    assert_eq!(frame.column("last_activity").unwrap().null_count(), 1);
    assert_eq!((frame.column("file").unwrap().null_count(), frame.column("line").unwrap().null_count()), (1, 1));
    let updated = frame.column("updated_at").unwrap().datetime().unwrap().physical().get(0);
    assert_eq!(updated, Some(day().epoch_millis()), "without `updated_at` the moment it was seen stands in");
    assert!(baseline.path(product).ends_with("baseline/Gr%C3%B6%C3%9Fe%2F%2E%2E%5Ca%3Ab.parquet"));
    assert!(baseline.load("another").unwrap().is_none(), "products do not see one another");
}

#[test]
fn an_identifier_belongs_to_the_customer_that_showed_it_last() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = Baseline::open(folder.path());
    for (replies, expected) in [
        (&["t1/u1/a@x.co@1", "t2/u2/b@x.co@1"][..], &["t1/u1/a@x.co", "t2/u2/b@x.co"][..]),
        // an e-mail changes: the old one is gone and free for another
        (&["t1/u1/c@x.co@2"], &["t1/u1/c@x.co", "t2/u2/b@x.co"]),
        (&["t2/u2/a@x.co@3"], &["t1/u1/c@x.co", "t2/u2/a@x.co"]),
        // what a later reply shows on another customer is no longer the first one's
        (&["t3/u1/c@x.co@4"], &["t1/-/-", "t2/u2/a@x.co", "t3/u1/c@x.co"]),
        // an older reply changes nothing
        (&["t3/u3/d@x.co@1"], &["t1/-/-", "t2/u2/a@x.co", "t3/u1/c@x.co"]),
        // two replies about one customer, the second without a Tether id
        (&["t4/u4/e@x.co@5", "-/u4/f@x.co@6"], &["t1/-/-", "t2/u2/a@x.co", "t3/u1/c@x.co", "t4/u4/f@x.co"]),
        (&["-/-/-@9"], &["t1/-/-", "t2/u2/a@x.co", "t3/u1/c@x.co", "t4/u4/f@x.co"]),
    ] {
        let count =
            baseline.update("core", replies.iter().map(|text| Ok::<_, BaselineError>(one(text))), 2, day()).unwrap();
        let rows = shown(&baseline.load("core").unwrap().unwrap());
        let expected: Vec<_> = expected.iter().map(|text| format!("- {text}")).collect();
        assert_eq!((rows, count), (expected.clone(), expected.len() as u64), "{replies:?}");
    }
}

#[test]
fn the_hash_follows_the_content_and_tells_no_baseline_from_an_empty_one() {
    let rows = export(&["t1/u1/a@x.co@1"]);
    let mut moved = rows.clone().into_frame();
    moved.with_column(polars::prelude::Column::new("line".into(), [7_u32])).unwrap();
    let moved = Existing::new(moved).unwrap();
    let empty = Existing::empty();
    let of = |product, rows| hash([(product, rows)]).unwrap();
    assert_eq!(of("core", Some(&rows)), of("core", Some(&moved)));
    let all = [of("core", Some(&rows)), of("side", Some(&rows)), of("core", None), of("core", Some(&empty))];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert_eq!(all[0].len(), 64);
}

#[test]
fn a_damaged_baseline_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = Baseline::open(folder.path());
    std::fs::create_dir_all(folder.path().join("baseline")).unwrap();
    std::fs::write(baseline.path("core"), "PAR1 and then nothing").unwrap();
    let error =
        baseline.update("core", std::iter::once(Ok::<_, BaselineError>(one("t1/-/-@1"))), 2, day()).unwrap_err();
    assert!(matches!(&error, BaselineError::Damaged { path, .. } if *path == baseline.path("core")), "{error}");
    assert_eq!(std::fs::read(baseline.path("core")).unwrap(), b"PAR1 and then nothing");
}

#[test]
fn replies_taken_a_few_at_a_time_give_the_same_baseline_and_a_broken_stream_leaves_it_alone() {
    let replies = [
        "t1/u1/a@x.co@1",
        "t2/u2/b@x.co@1",
        "t1/u1/c@x.co@2",
        "t2/u2/a@x.co@3",
        "t3/u1/c@x.co@4",
        "t4/u4/-@5",
        "-/u4/f@x.co@6",
    ];
    let all = || replies.iter().map(|text| Ok::<_, BaselineError>(one(text)));
    let folder = tempfile::tempdir().unwrap();
    let baseline = Baseline::open(folder.path());
    for at_a_time in 1..=replies.len() {
        let product = format!("by {at_a_time}");
        baseline.update_by(at_a_time, &product, all(), 2, day()).unwrap();
        let rows = shown(&baseline.load(&product).unwrap().unwrap());
        assert_eq!(rows, ["- t1/-/-", "- t2/u2/a@x.co", "- t3/u1/c@x.co", "- t4/u4/f@x.co"], "{at_a_time} at a time");

        let before = std::fs::read(baseline.path(&product)).unwrap();
        let broken = BaselineError::Damaged { path: folder.path().into(), detail: "line 4".into() };
        let new = [Ok(one("t9/u9/z@x.co@9")), Ok(one("t8/u8/y@x.co@9")), Err(broken)];
        baseline.update_by(at_a_time, &product, new.into_iter(), 2, day()).unwrap_err();
        assert_eq!(std::fs::read(baseline.path(&product)).unwrap(), before);
    }
}

/// Replies that one Tether could have given: each names its customer's Tether id, then external ids and e-mails move as
/// they like; or only some do (`partial`), and the external id tells who it is.
fn replies_of(all: &[(u8, u8, u8, u8, bool)], partial: bool) -> Vec<TetherCustomer> {
    let cell = |letter: &str, number: u8| if number == 0 { "-".to_owned() } else { format!("{letter}{number}") };
    all.iter()
        .map(|(who, external_id, email, day, named)| {
            let tether_id = if partial && !named { 0 } else { *who };
            let external_id = if partial { *who } else { *external_id };
            one(&format!("{}/{}/{}@{day}", cell("t", tether_id), cell("u", external_id), cell("e", *email)))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_replies_twice_change_nothing(
        before in prop::collection::vec((1..5_u8, 0..4_u8, 0..4_u8, 1..5_u8, any::<bool>()), 0..8),
        replies in prop::collection::vec((1..5_u8, 0..4_u8, 0..4_u8, 1..5_u8, any::<bool>()), 1..8),
        partial in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let baseline = Baseline::open(folder.path());
        let apply = |all| baseline.update("core", replies_of(all, partial).into_iter().map(Ok::<_, BaselineError>), 2, day()).unwrap();
        apply(&before);
        apply(&replies);
        let once = baseline.load("core").unwrap().map(|rows| shown(&rows));
        let hash = baseline.hash(["core"]).unwrap();
        apply(&replies);
        prop_assert_eq!(baseline.load("core").unwrap().map(|rows| shown(&rows)), once);
        prop_assert_eq!(baseline.hash(["core"]).unwrap(), hash);
    }
}

#[test]
fn customers_of_whom_the_first_holds_a_later_state_are_named() {
    let old = export(&["t1/u1/a@x.co@5", "t2/u2/b@x.co@3", "-/u3/c@x.co@4", "t4/u4/d@x.co@9"]);
    let new = export(&["t2/u2/z@x.co@4", "t1/u1/a@x.co@3", "-/u3/c@x.co@4"]);
    let found = super::difference(&old, &new).unwrap();
    assert_eq!((found.newer, found.gone), (vec!["t1".to_owned()], vec!["t4".to_owned()]));
}
