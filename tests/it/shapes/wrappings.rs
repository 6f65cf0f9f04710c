//! The same objects in every wrapping, in pages, and in the public fixtures.

use super::{Seen, customer, event, lines, list, seen, subscription, with};
use crate::site::repository;
use serde_json::{Value, json};
use std::io::Write as _;

#[test]
fn every_wrapping_has_the_same_rows() {
    let objects = [customer("cus_1"), subscription("sub_1"), subscription("sub_2")];
    let expected = Seen {
        subscriptions: vec!["sub_1 active 15000".into(), "sub_2 active 15000".into()],
        customers: vec!["cus_1 cus_1@example.com".into()],
        breaks: vec![],
    };
    let [c, s1, s2] = &objects;
    let text = |value: &Value| value.to_string().into_bytes();
    let pretty = |value: &Value| serde_json::to_vec_pretty(value).unwrap();
    let windows = |bytes: Vec<u8>| {
        [b"\xef\xbb\xbf".to_vec(), String::from_utf8(bytes).unwrap().replace('\n', "\r\n").into()].concat()
    };
    let gzip = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let embedded = with(c.clone(), [("/subscriptions", list(&[s1.clone(), s2.clone()], Some(false)))]);
    let search =
        json!({"object": "search_result", "url": "/v1/x", "has_more": false, "next_page": null, "data": objects});
    let pages = [list(&objects[..1], Some(false)), list(&objects[1..2], Some(true)), list(&objects[2..], Some(false))];
    for (name, file) in [
        ("one object per line", lines(&objects)),
        ("BOM and CRLF", windows(lines(&objects))),
        ("a list", text(&list(&objects, Some(false)))),
        ("a list, pretty-printed", pretty(&list(&objects, Some(false)))),
        ("the same with BOM and CRLF", windows(pretty(&list(&objects, Some(false))))),
        ("an array", pretty(&json!(objects))),
        ("a search result", text(&search)),
        ("pages, one per line", lines(&pages)),
        (
            "pages, pretty-printed one after the other",
            pages.iter().flat_map(|page| [pretty(page), b"\n".to_vec()].concat()).collect(),
        ),
        ("an array of pages", pretty(&json!(pages))),
        ("an object of lists", pretty(&json!({"customers": [c], "subscriptions": list(&objects[1..], Some(false))}))),
        ("subscriptions inside the customer", text(&embedded)),
        (
            "events",
            lines(&[
                event("customer.created", 1, c),
                event("customer.subscription.created", 2, s1),
                event("customer.subscription.updated", 3, s2),
            ]),
        ),
        (
            "a list of events",
            pretty(&list(&[event("customer.created", 1, c), event("x", 2, s1), event("x", 3, s2)], Some(false))),
        ),
        (
            "events in a bus's envelope",
            lines(&[
                json!({"version": "0", "id": "6f", "detail-type": "customer.created", "detail": event("x", 1, c)}),
                event("x", 2, s1),
                event("x", 3, s2),
            ]),
        ),
        (
            "events of which some carry nothing",
            lines(&[
                event("x", 1, c),
                json!({"id": "evt_9", "object": "v2.core.event", "created": "2026-01-01T00:00:00Z", "related_object": {"id": "sub_9", "type": "subscription"}}),
                json!({"id": "evt_8", "object": "event", "type": "ping", "created": 4}),
                event("x", 2, s1),
                event("x", 3, s2),
            ]),
        ),
        (
            "stubs of what was deleted",
            lines(&[
                c.clone(),
                json!({"id": "P20", "object": "coupon", "deleted": true}),
                json!({"id": "si_1", "object": "subscription_item", "deleted": true}),
                s1.clone(),
                s2.clone(),
            ]),
        ),
        ("gzip", gzip(&lines(&objects))),
        (
            "gzip, a member per object",
            objects.iter().flat_map(|object| gzip(&lines(std::slice::from_ref(object)))).collect(),
        ),
    ] {
        assert_eq!(seen(&[("x", file)]), expected, "{name}");
    }
    let apart = [("a.json", text(c)), ("b.json.gz", gzip(&text(s1))), ("c.jsonl", lines(&objects[2..]))];
    assert_eq!(seen(&apart), expected, "three files");
}

#[test]
fn only_pages_of_which_the_last_is_missing_are_warned_of() {
    let subscriptions =
        |from: usize, count: usize| (from..from + count).map(|n| subscription(&format!("sub_{n}"))).collect::<Vec<_>>();
    let page = |from: usize, count: usize, more: Option<bool>| {
        list(&subscriptions(from, count), more).to_string().into_bytes()
    };
    let array = |from: usize, count: usize| json!(subscriptions(from, count)).to_string().into_bytes();
    let (cut, full) = ("truncated_export", "exactly_one_page");
    let of_customer = |id: &str, from: usize, more: bool| {
        let url = format!("/v1/customers/{id}/subscriptions");
        with(list(&subscriptions(from, 1), Some(more)), [("/url", json!(url))]).to_string().into_bytes()
    };
    for (name, files, expected) in [
        (
            "all pages in files",
            vec![("1", page(0, 2, Some(true))), ("2", page(2, 2, Some(true))), ("3", page(4, 1, Some(false)))],
            vec![],
        ),
        (
            "all pages, the last one's name first",
            vec![("a", page(4, 1, Some(false))), ("b", page(0, 2, Some(true)))],
            vec![],
        ),
        ("all pages in one file", vec![("1", [page(0, 2, Some(true)), page(2, 1, Some(false))].join(&b'\n'))], vec![]),
        (
            "the last page is missing",
            vec![("1", page(0, 2, Some(true))), ("2", page(2, 2, Some(true)))],
            vec![(cut, "2")],
        ),
        ("one page of several", vec![("1", page(0, 3, Some(true)))], vec![(cut, "1")]),
        (
            "another source's last page",
            vec![
                ("1", page(0, 2, Some(true))),
                ("2", list(&[customer("cus_1")], Some(false)).to_string().into_bytes()),
            ],
            vec![(cut, "1")],
        ),
        (
            "one customer's list has its last page, another's does not",
            vec![("1", of_customer("cus_1", 0, false)), ("2", of_customer("cus_2", 1, true))],
            vec![(cut, "2")],
        ),
        ("a hundred in an array", vec![("1", array(0, 100))], vec![(full, "1")]),
        ("a hundred and one", vec![("1", array(0, 101))], vec![]),
        ("ten in a list without has_more", vec![("1", page(0, 10, None))], vec![(full, "1")]),
        ("ten in a list that is the last", vec![("1", page(0, 10, Some(false)))], vec![]),
        ("ten lines", vec![("1", lines(&subscriptions(0, 10)))], vec![]),
        ("a hundred lines", vec![("1", lines(&subscriptions(0, 100)))], vec![(full, "1")]),
        ("two arrays of a hundred", vec![("1", array(0, 100)), ("2", array(100, 100))], vec![(full, "2")]),
        ("arrays, the last one shorter", vec![("1", array(0, 100)), ("2", array(100, 7))], vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|(kind, key)| format!("{kind} {key}")).collect();
        assert_eq!(seen(&files).breaks, expected, "{name}");
    }
}

#[test]
#[ignore = "needs the shared exports beside the repository"]
fn public_events_and_fixtures_come_to_what_they_say() {
    let folder = repository().join("../shared/exports");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join("supabase_stripe-sync-engine")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push((path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()));
        }
    }
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    let events = seen(&files);
    assert_eq!(events.customers, ["cus_IhGfebO16cMIGN deleted", "cus_IhGfebO16cMIGN billz@supabase.io"]);
    assert_eq!(
        events.subscriptions,
        ["sub_JdIzvfy6o5GZRd active 0", "sub_JdIzvfy6o5GZRd canceled 0", "sub_JLEPMp81LApOJl active 0"]
    );
    let fixtures = std::fs::read(folder.join("stripe-openapi/fixtures3.json")).unwrap();
    let fixtures = seen(&[("fixtures3.json", fixtures)]);
    assert_eq!(fixtures.subscriptions.len(), 1, "{fixtures:?}");
    assert_eq!(fixtures.customers.len(), 2, "{fixtures:?}");
}
