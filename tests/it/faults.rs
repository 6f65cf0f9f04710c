//! A server that misbehaves: what the report claims of each customer, against the server's own log.

use crate::files::{Report, json_lines};
use crate::server::Server;
use crate::site::Site;
use serde_json::Value;
use std::collections::BTreeMap;

/// The calls about each customer, in order.
fn by_customer(calls: &[Value]) -> BTreeMap<&str, Vec<&Value>> {
    let mut by: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for call in calls {
        by.entry(call["body"]["email"].as_str().expect("an e-mail")).or_default().push(call);
    }
    by
}

/// A try after which nobody can know whether it took effect.
fn is_ambiguous(call: &Value) -> bool {
    matches!(call["status"].as_u64(), None | Some(500 | 502 | 504)) || call["fault"] == "garbage"
}

/// Holds every claim of the report against the server's log.
fn claims_are_true(report: &Report, calls: &[Value]) {
    let calls = by_customer(calls);
    for row in &report.customers {
        let email = row["email"].as_str();
        let calls = calls.get(email).map_or(&[][..], Vec::as_slice);
        assert_eq!(row["attempts"], calls.len().to_string(), "{email}: attempts");
        assert_eq!(row["sent"], (!calls.is_empty()).to_string(), "{email}: sent");
        let outcome = row["outcome"].as_str();
        let Some((last, earlier)) = calls.split_last() else {
            assert_eq!(outcome, "unchanged", "{email}");
            continue;
        };
        let status = last["status"].as_u64().map(|status| status.to_string()).unwrap_or_default();
        let ambiguous_before = earlier.iter().any(|call| is_ambiguous(call));
        let done: Vec<&str> = calls.iter().filter_map(|call| call["action"].as_str()).collect();
        match outcome {
            "created" => assert_eq!((done.as_slice(), status.as_str()), (&["created"][..], "201"), "{email}"),
            "updated" => {
                assert_eq!((status.as_str(), ambiguous_before), ("200", false), "{email}");
                assert_eq!(done, ["updated"], "{email}");
            }
            "applied" => {
                assert_eq!((status.as_str(), ambiguous_before), ("200", true), "{email}");
                assert!(!done.is_empty(), "{email}");
            }
            "failed" => assert!(!ambiguous_before && done.is_empty() && status == "503", "{email}: {calls:?}"),
            "unknown" => assert!(is_ambiguous(last) || ambiguous_before, "{email}: {calls:?}"),
            "rejected" => assert!(done.is_empty() && status.starts_with('4'), "{email}"),
            other => panic!("{email} ended as {other}"),
        }
        if last["status"].is_u64() && !row["http_status"].is_empty() {
            assert_eq!(row["http_status"], status, "{email}");
        }
    }
}

fn run_against(faults: &str, accounts: usize, further: &str) -> (Site, Report, Vec<Value>, i32) {
    let site = Site::new(accounts);
    let server = Server::start(&site, faults);
    site.configure(&server.url, further);
    let code = site.ran("run").code;
    let report = site.report();
    let (calls, _) = server.stop(&site);
    (site, report, calls, code)
}

#[test]
fn every_claim_holds_against_the_servers_log() {
    let (_site, report, calls, code) = run_against(
        "lost_reply = { every = 11 }\nserver_error = { every = 17, status = 502, applied = true }\n\
         garbage = { every = 19 }\nreset = { every = 23 }\n",
        120,
        "[tether]\nmax_tries = 20\n",
    );
    claims_are_true(&report, &calls);
    let outcomes = report.outcomes();
    assert_eq!(code, 0, "{outcomes:?}");
    for word in ["created", "updated", "applied", "unchanged"] {
        assert!(outcomes.contains_key(word), "{word} never happened: {outcomes:?}");
    }
    assert!(calls.len() > 80, "no call was lost");
}

#[test]
fn a_customer_that_always_fails_ends_as_what_is_known_of_it() {
    let (_site, report, calls, code) = run_against(
        "[customers]\n\"c1@example.com\" = \"rejected\"\n\"c2@example.com\" = \"unavailable\"\n\
         \"c4@example.com\" = \"server_error\"\n\"c5@example.com\" = \"lost_reply_once\"\n",
        9,
        "[tether]\nmax_tries = 2\n",
    );
    assert_eq!(code, 3);
    claims_are_true(&report, &calls);
    for (email, outcome, attempts) in [
        ("c1@example.com", "rejected", "1"),
        ("c2@example.com", "failed", "2"),
        ("c4@example.com", "unknown", "2"),
        ("c5@example.com", "applied", "2"),
        ("c7@example.com", "updated", "1"),
        ("c8@example.com", "created", "1"),
    ] {
        let row = report.customer("core", email);
        assert_eq!((row["outcome"].as_str(), row["attempts"].as_str()), (outcome, attempts), "{email}");
    }
}

#[test]
fn invariant_07_a_429_pauses_the_key_uses_up_no_try_and_the_rate_holds() {
    let (_site, report, calls, code) =
        run_against("rate_limit = { every = 9, wait_seconds = 1 }\n", 30, "[tether]\nmax_tries = 1\nin_flight = 8\n");
    assert_eq!(code, 0, "with one try per row every row still got through");
    claims_are_true(&report, &calls);
    let at = |call: &Value| call["elapsed_micros"].as_u64().unwrap();
    let limited: Vec<&Value> = calls.iter().filter(|call| call["status"] == 429).collect();
    assert!(limited.len() >= 2);
    for refused in limited {
        // What was on its way when the 429 was given may still arrive; what left after it waits.
        let soon = calls.iter().filter(|call| at(call) > at(refused) && at(call) < at(refused) + 900_000).count();
        assert!(soon < 8, "{soon} calls came within the second that the server asked for");
    }
    for calls in by_customer(&calls).values() {
        assert!(calls.is_sorted_by_key(|call| at(call)));
    }
}

#[test]
fn a_field_that_tether_did_not_take_is_a_break_and_needs_a_person() {
    let (_site, report, _, code) = run_against("not_applied = { every = 1, field = \"name\" }\n", 9, "");
    // The names stand in Tether already; only a new customer's can be lost.
    assert_eq!(report.summary["break_counts"]["not_applied"].as_u64().unwrap_or(0) > 0, code == 3, "{code}");
    let lost: Vec<_> = report.summary["breaks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["kind"] == "not_applied")
        .map(|found| found["field"].as_str().unwrap())
        .collect();
    assert!(!lost.is_empty() && lost.iter().all(|field| *field == "name"), "{lost:?}");
}

#[test]
fn code_5_when_the_service_is_down_and_resume_finishes_when_it_is_back() {
    let site = Site::new(60);
    let server = Server::start(&site, "server_error = { every = 1, status = 503 }\n");
    site.configure(&server.url, "[tether]\nmax_tries = 1\nin_flight = 1\n");
    site.expect("run", 5);
    let left: Vec<_> = site.report().customers.into_iter().filter(|row| row["outcome"] == "not_attempted").collect();
    assert!(!left.is_empty() && left.iter().all(|row| row["reason"] == "unavailable"));
    let (calls, _) = server.stop(&site);
    assert!(calls.len() < 20, "{} calls to a service that is down", calls.len());

    let server = Server::start(&site, "");
    site.configure(&server.url, "");
    let ran = site.ran("resume");
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    assert_eq!(site.report().outcomes().get("not_attempted"), None);
}

#[test]
fn invariant_07_retries_count_against_the_rate() {
    let site = Site::new(30);
    let server = Server::start(&site, "server_error = { every = 4, status = 503 }\n");
    site.configure(&server.url, "[tether]\nmax_tries = 20\n");
    let slower = site.read("recon.toml").replace("1000/s", "20/s");
    site.write("recon.toml", slower);
    site.expect("run", 0);
    let report = site.report();
    let (calls, _) = server.stop(&site);
    assert!(calls.len() > 20, "nothing was tried again");
    claims_are_true(&report, &calls);
    let times: Vec<u64> = calls.iter().map(|call| call["elapsed_micros"].as_u64().unwrap()).collect();
    let took = times[times.len() - 1] - times[0];
    let least = (times.len() as u64 - 1) * 50_000;
    // The server's clock sees when a call arrives, not when it left: a tenth of a second is for the way.
    assert!(took + 100_000 >= least, "{} calls in {took} µs: more than 20 a second", times.len());
}

#[test]
fn code_5_when_the_server_asks_for_a_wait_beyond_the_deadline_which_binds_the_next_start_too() {
    let site = Site::new(9);
    let server = Server::start(&site, "rate_limit = { every = 3, wait_seconds = 3540 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    let began = std::time::Instant::now();
    site.expect("run", 5);
    let report = site.report();
    let left: Vec<_> = report.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
    assert_eq!(left.len(), 4, "two of six got through");
    assert!(left.iter().all(|row| row["reason"] == "deadline"), "{left:?}");
    site.expect("resume", 5);
    site.expect("run", 5);
    assert!(began.elapsed().as_secs() < 60, "nobody waits for what cannot be waited for");
    assert_eq!(server.stop(&site).0.len(), 3, "no call leaves while the server's wait is in force");
}

#[test]
fn after_the_first_creation_disabled_no_further_create_is_sent_if_so_configured() {
    let site = Site::new(9);
    let server = Server::with_gate(&site, "", false);
    site.configure(&server.url, "[tether]\nstop_after_creation_disabled = true\nin_flight = 1\n");
    site.expect("run", 0);
    let report = site.report();
    let refused: Vec<_> = report.customers.iter().filter(|row| row["outcome"] == "creation_disabled").collect();
    let sent = refused.iter().filter(|row| row["sent"] == "true").count();
    assert_eq!((refused.len(), sent), (3, 1));
    assert_eq!(report.outcomes()["updated"], 3, "updates are none of the gate's business");
    assert_eq!(server.stop(&site).0.len(), 4);
}

/// Somebody changed a customer's e-mail in Tether after the export: the plan takes it for an orphan and the row for new.
#[test]
fn an_orphan_that_a_reply_reveals_as_a_rows_customer_is_counted_once() {
    let export = Site::new(3).read("in/core.jsonl");
    let held = |email: &str, external_id: &str| {
        format!(r#"{{"tether_id":"t-2","email":"{email}","external_id":{external_id},"name":"Customer 2","mrr":50}}"#)
    };
    let matched = |n: u32| format!(r#"{{"tether_id":"t-{n}","email":"c2@example.com","name":"Customer 2","mrr":{n}}}"#);
    for (in_export, in_tether, before, orphan_before) in [
        // The row was foretold as a create.
        (vec![held("old@example.com", "null")], vec![held("c2@example.com", "null")], "50.00", ""),
        // The row was matched with another customer by its e-mail, whose e-mail has gone to the orphan since.
        (
            vec![held("old@example.com", "null"), matched(7)],
            vec![held("c2@example.com", "null"), matched(7).replace("c2@", "moved@")],
            "50.00",
            "7.00",
        ),
    ] {
        let site = Site::new(3);
        site.write("in/core.jsonl", format!("{export}{}\n", in_tether.join("\n")));
        let server = Server::start(&site, "");
        site.write("in/core.jsonl", format!("{export}{}\n", in_export.join("\n")));
        site.configure(&server.url, "");
        site.expect("run", 0);
        let report = site.report();
        let (_, held_now) = server.stop(&site);

        let row = report.customer("core", "c2@example.com");
        assert_eq!((row["outcome"].as_str(), row["tether_id"].as_str()), ("updated", "t-2"));
        assert_eq!((row["mrr_before"].as_str(), row["mrr_after"].as_str()), (before, "102.00"));
        let orphan = report.customer("core", "tether:t-2");
        assert_eq!((orphan["outcome"].as_str(), orphan["reason"].as_str()), ("orphan", "matched_by_reply"));
        assert_eq!((orphan["mrr_before"].as_str(), orphan["mrr_after"].as_str()), (orphan_before, orphan_before));
        assert!(orphan["detail"].contains(&row["key"]) && row["detail"].contains("tether:t-2"), "{orphan:?} {row:?}");

        let product = &report.summary["products"][0];
        let bridge = &product["mrr_bridge"];
        let sum = |customers: &[Value]| {
            let major: f64 = customers.iter().filter_map(|held| held["mrr"].as_f64()).sum();
            format!("{:.0}", major * 100.0)
        };
        assert_eq!((bridge["churn"].to_string(), bridge["closing"].to_string()), ("0".into(), sum(&held_now)));
        assert_eq!(bridge["opening"].to_string(), sum(&json_lines(&site.read("in/core.jsonl"))));
        let missed: Vec<&Value> =
            report.summary["breaks"].as_array().unwrap().iter().filter(|b| b["kind"] == "prediction_missed").collect();
        assert_eq!(missed.len(), 1, "{missed:?}");
        assert!(missed[0]["detail"].as_str().unwrap().contains("which the plan lists as an orphan"), "{missed:?}");
    }
}
