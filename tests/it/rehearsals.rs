//! Every fault that the sandbox can play, through the real binary: what the report says of it, against the sandbox's own
//! log and what it then holds. Each case is a product of one run, with faults of its own.

mod page;

use crate::files::{Report, Row, json_lines};
use crate::server::Server;
use crate::site::Site;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;

/// Accounts of each product: a third stands in Tether already, a third is updated, a third created. Creates come first,
/// since they move the most money.
const ACCOUNTS: usize = 9;

/// A product's faults, each as the inside of an inline table, and the outcomes that its six calls end in.
type Case<'a> = (Vec<&'a str>, &'a str);

/// The same, as it stands in a table.
type Fixed = (&'static [&'static str], &'static str);

fn cases(fixed: &[Fixed]) -> Vec<Case<'static>> {
    fixed.iter().map(|(faults, outcomes)| (faults.to_vec(), *outcomes)).collect()
}

/// A run against a sandbox with faults, and what both say of it.
struct Rehearsed {
    site: Site,
    report: Report,
    calls: Vec<Value>,
    code: i32,
    said: String,
}

fn product(index: usize) -> String {
    format!("p{index:02}")
}

/// The name of a site's products, with their keys in files, sent to `url`.
fn configure(site: &Site, products: usize, url: &str, tether: &str) {
    site.configure(url, &format!("[tether]\n{tether}"));
    let text = site.read("recon.toml");
    let mut text = text.split_once("[[product]]").unwrap().0.to_owned();
    for index in 0..products {
        let name = product(index);
        let key = format!("{name}.key");
        site.write(&key, format!("tk_live_of_{name}_do_not_print"));
        std::fs::set_permissions(site.path(&key), std::fs::Permissions::from_mode(0o600)).unwrap();
        writeln!(
            text,
            "[[product]]\nname = \"{name}\"\nkey = {{ file = \"{name}.key\" }}\nexisting = \"in/core.jsonl\"\ncreation = \"on\""
        )
        .unwrap();
    }
    site.write("recon.toml", text);
}

/// Plays every case in one run.
fn rehearse(cases: &[Case<'_>], tether: &str) -> Rehearsed {
    let site = Site::new(ACCOUNTS);
    configure(&site, cases.len(), "sandbox", "");
    let mut faults = "fault = [\n".to_owned();
    for (index, (inside, _)) in cases.iter().enumerate() {
        for inside in inside {
            writeln!(faults, "  {{ product = \"{}\", {inside} }},", product(index)).unwrap();
        }
    }
    let server = Server::of_configuration(&site, &(faults + "]\n"), cases.len());
    configure(&site, cases.len(), &server.url, tether);
    let ran = site.ran("run");
    let calls = server.end(&site);
    Rehearsed { report: site.report(), site, calls, code: ran.code, said: ran.stderr + &ran.stdout }
}

impl Rehearsed {
    fn rows(&self, index: usize) -> Vec<&Row> {
        self.report.customers.iter().filter(|row| row["product"] == product(index)).collect()
    }

    /// Outcomes (with the reason, where there is one) and how many, but for what was unchanged.
    fn outcomes(&self, index: usize) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.rows(index).into_iter().filter(|row| row["outcome"] != "unchanged") {
            let reason = if row["reason"].is_empty() { String::new() } else { format!(":{}", row["reason"]) };
            *counts.entry(format!("{}{reason}", row["outcome"])).or_default() += 1;
        }
        counts.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// Holds every case to its outcomes, and every claim to the log.
    fn hold(&self, cases: &[Case<'_>]) {
        let found: Vec<String> = (0..cases.len()).map(|index| self.outcomes(index)).collect();
        let wrong: Vec<_> = cases.iter().zip(&found).filter(|((_, expected), found)| expected != found).collect();
        assert!(wrong.is_empty(), "{wrong:#?}\n{}", self.said);
        for (index, (faults, _)) in cases.iter().enumerate() {
            for row in self.rows(index) {
                self.is_true(row, faults);
            }
        }
        self.no_key_is_told();
    }

    /// The calls about a row, and what they really did.
    fn done(&self, row: &Row) -> (usize, Vec<&str>) {
        let about = |call: &&Value| call["product"] == row["product"] && call["body"]["email"] == row["email"];
        let calls: Vec<&Value> = self.calls.iter().filter(about).collect();
        (calls.len(), calls.iter().filter_map(|call| call["action"].as_str()).collect())
    }

    /// No claim that the server's own log contradicts.
    fn is_true(&self, row: &Row, faults: &[&str]) {
        let (calls, done) = self.done(row);
        let say = format!("{faults:?}: {} is {}, {done:?}", row["email"], row["outcome"]);
        assert!(done.iter().filter(|action| **action == "created").count() <= 1, "{say}: created twice");
        // A connection that was refused is an attempt that no server has seen.
        let attempts: usize = row["attempts"].parse().unwrap();
        let unseen = faults.iter().any(|fault| fault.contains("refused"));
        assert!(attempts == calls || unseen && attempts > calls, "{say}: {attempts} attempts, {calls} calls");
        assert_eq!(row["sent"], (attempts > 0).to_string(), "{say}");
        match row["outcome"].as_str() {
            "created" => assert_eq!(done, ["created"], "{say}"),
            "updated" => assert_eq!(done, ["updated"], "{say}"),
            "applied" => assert!(!done.is_empty(), "{say}"),
            "failed" | "rejected" | "creation_disabled" | "unchanged" => assert!(done.is_empty(), "{say}"),
            "unknown" | "not_attempted" => {}
            other => panic!("{say}: {other}"),
        }
    }

    /// No file of the run and nothing that was said holds a key.
    fn no_key_is_told(&self) {
        assert!(!self.said.contains("tk_live_of_"), "{}", self.said);
        for (name, bytes) in crate::site::contents(&self.site.path("state")) {
            let told = bytes.windows(11).any(|bytes| bytes == b"tk_live_of_");
            assert!(!told, "{} tells a key", name.display());
        }
    }

    /// `resume`, once the server is well again, ends with the server as the plan wants it, and nobody is left.
    fn resumes(self, cases: &[Case<'_>]) {
        std::fs::remove_file(self.site.path("calls.jsonl")).unwrap();
        let server = Server::of_configuration(&self.site, "", cases.len());
        configure(&self.site, cases.len(), &server.url, "");
        self.site.expect("resume", 0);
        let mut calls = self.calls;
        calls.extend(server.end(&self.site));
        let after = Rehearsed { report: self.site.report(), site: self.site, calls, code: 0, said: String::new() };
        for (index, (faults, _)) in cases.iter().enumerate() {
            for row in after.rows(index) {
                assert_ne!(row["outcome"], "not_attempted", "{faults:?}");
                after.is_true(row, faults);
            }
            after.holds_the_plan(index, faults);
        }
    }

    /// What the server holds of a product is what its exports want it to hold.
    fn holds_the_plan(&self, index: usize, faults: &[&str]) {
        let held: Vec<Value> = json_lines(&self.site.read("tether.jsonl"))
            .into_iter()
            .filter(|line| line["product"] == product(index))
            .map(|mut line| line["customer"].take())
            .collect();
        assert_eq!(held.len(), ACCOUNTS, "{faults:?}");
        for n in 0..ACCOUNTS {
            let email = format!("c{n}@example.com");
            let customer = held.iter().find(|customer| customer["email"] == email).unwrap();
            let shown = ["external_id", "name", "mrr", "subscription_status", "auto_renew", "period_end"];
            let expected = serde_json::json!([
                format!("E-{n}"),
                format!("Customer {n}"),
                f64::from(100 + u8::try_from(n).unwrap()),
                "active",
                true,
                "2026-11-20T00:00:00Z"
            ]);
            let mut shown: Vec<Value> = shown.iter().map(|member| customer[member].clone()).collect();
            // 100 and 100.0 are the same money.
            shown[2] = shown[2].as_f64().into();
            assert_eq!(Value::from(shown), expected, "{faults:?}: {email}");
        }
    }
}

const HEALTHY: &str = "created 3, updated 3";
/// The first call of a product creates a customer, the fourth updates one.
const ONE_APPLIED_CREATE: &str = "applied 1, created 2, updated 3";
const ONE_APPLIED_UPDATE: &str = "applied 1, created 3, updated 2";

/// One call goes wrong, the run gets over it, and nobody is needed: exit 0.
const OVERCOME: &[Fixed] = &[
    (&[], HEALTHY),
    (&["kind = 'slow', millis = 5"], HEALTHY),
    // Nothing was done, and the reply says so.
    (&["kind = 'status', status = 408, to = 1"], HEALTHY),
    (&["kind = 'status', status = 425, to = 1"], HEALTHY),
    (&["kind = 'server_error', status = 503, to = 1"], HEALTHY),
    (&["kind = 'server_error', status = 503, from = 4, to = 4"], HEALTHY),
    // Carried out or not, nobody can know: a create that is answered 201 in the end is one all the same.
    (&["kind = 'reset', to = 1"], HEALTHY),
    (&["kind = 'reset', from = 4, to = 4"], ONE_APPLIED_UPDATE),
    (&["kind = 'reset', applied = true, to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'reset', applied = true, from = 4, to = 4"], ONE_APPLIED_UPDATE),
    (&["kind = 'lost_reply', to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'lost_reply', to = 1, applied = false"], HEALTHY),
    (&["kind = 'half_reply', to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'half_reply', from = 4, to = 4"], ONE_APPLIED_UPDATE),
    (&["kind = 'garbage', to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'garbage', to = 1, applied = false"], HEALTHY),
    (&["kind = 'empty', to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'huge_reply', to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'other_action', to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'other_action', from = 4, to = 4"], ONE_APPLIED_UPDATE),
    (&["kind = 'status', status = 202, applied = true, to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'server_error', applied = true, to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'server_error', to = 1"], HEALTHY),
    (&["kind = 'server_error', status = 502, applied = true, to = 1"], ONE_APPLIED_CREATE),
    (&["kind = 'server_error', status = 504, from = 4, to = 4"], ONE_APPLIED_UPDATE),
    // Replies that say more than the vendor's page.
    (&["kind = 'unknown_field'"], HEALTHY),
    (&["kind = 'mrr_as_text'"], HEALTHY),
    (&["kind = 'other_customer', to = 1"], HEALTHY),
    // The last writer wins, and that is us.
    (&["kind = 'second_writer', field = 'mrr', from = 4"], HEALTHY),
    (&["kind = 'second_writer', field = 'email', from = 4"], HEALTHY),
    (&["kind = 'second_writer', field = 'external_id', from = 4"], HEALTHY),
    (&["kind = 'rate_limit', status = 503, wait_seconds = 0.05, in = 'header', to = 1"], HEALTHY),
    // A real limit.
    (&["kind = 'limit', rate = '4/s'"], HEALTHY),
    // Several at once.
    (
        &[
            "kind = 'server_error', status = 503, from = 2, to = 3",
            "kind = 'lost_reply', from = 5, times = 1",
            "kind = 'slow', millis = 1, every = 2",
        ],
        ONE_APPLIED_CREATE,
    ),
];

#[test]
fn what_passes_is_overcome_and_nothing_is_claimed_that_did_not_happen() {
    let cases = cases(OVERCOME);
    let rehearsed = rehearse(&cases, "in_flight = 1");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 0);
    for (index, (faults, _)) in cases.iter().enumerate() {
        rehearsed.holds_the_plan(index, faults);
    }
}

/// The first request of each is a 429; how long the key is paused, in seconds. No try is used up.
const WAITS: &[(&str, &str)] = &[
    ("wait_seconds = 0.05", "0.05"),
    ("wait_seconds = 0.05, in = 'header'", "0.05"),
    ("wait_seconds = 1, in = 'date'", "1.0"),
    ("wait_seconds = 1, in = 'date', skew_seconds = -86400", "1.0"),
    ("wait_seconds = 1, in = 'date', skew_seconds = 864000", "1.0"),
    ("wait_seconds = 0.05, in = 'ratelimit_reset'", "0.05"),
    ("wait_seconds = 0.05, in = 'ratelimit'", "0.05"),
    ("wait_seconds = 0.05, in = 'x_ratelimit_reset'", "0.05"),
    ("wait_seconds = 1, in = 'x_ratelimit_reset_epoch'", "1.0"),
    ("wait_seconds = 1, in = 'x_ratelimit_reset_epoch', skew_seconds = -86400", "1.0"),
    // What names no wait, or nonsense, pauses as if nothing had been named.
    ("in = 'none'", "0.2"),
    ("wait_seconds = -5", "0.2"),
    ("value = 'in a while'", "0.2"),
    ("wait_seconds = 3153600000", "0.2"),
    ("wait_seconds = -5, in = 'header'", "0.2"),
    ("value = 'soon', in = 'header'", "0.2"),
    ("wait_seconds = -5, in = 'date'", "0.2"),
    ("wait_seconds = 3153600000, in = 'date'", "0.2"),
    ("value = 'tomorrow', in = 'ratelimit'", "0.2"),
    ("wait_seconds = 3153600000, in = 'x_ratelimit_reset'", "0.2"),
    ("wait_seconds = 3153600000, in = 'x_ratelimit_reset_epoch'", "0.2"),
];

#[test]
fn a_429_pauses_as_long_as_it_says_in_whatever_form_and_nonsense_is_ignored() {
    let faults: Vec<String> = WAITS.iter().map(|(wait, _)| format!("kind = 'rate_limit', {wait}, to = 1")).collect();
    let cases: Vec<_> = faults.iter().map(|fault| (vec![fault.as_str()], HEALTHY)).collect();
    let rehearsed = rehearse(&cases, "in_flight = 1\nmax_tries = 1");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 0);
    for (index, (wait, expected)) in WAITS.iter().enumerate() {
        let event = format!("product=\"{}\" wait_seconds=", product(index));
        let paused = rehearsed.said.lines().find_map(|line| line.split(&event).nth(1));
        assert_eq!(paused, Some(*expected), "{wait}");
        let at = |call: &&Value| call["elapsed_micros"].as_f64().unwrap() / 1e6;
        let calls: Vec<f64> = rehearsed
            .calls
            .iter()
            .filter(|call| call["product"] == product(index))
            .take(2)
            .map(|call| at(&call))
            .collect();
        // The pause is counted from the reply, which comes after the call: a hundredth is for the clocks.
        assert!(calls[1] - calls[0] > expected.parse::<f64>().unwrap() - 0.01, "{wait}: {calls:?}");
    }
}

/// What does not pass needs a person: exit 3.
const FOR_A_PERSON: &[Fixed] = &[
    (&["kind = 'status', status = 400, to = 1"], "created 2, rejected 1, updated 3"),
    (&["kind = 'status', status = 409, from = 4, to = 4"], "created 3, rejected 1, updated 2"),
    (&["kind = 'status', status = 413, to = 1"], "created 2, rejected 1, updated 3"),
    (&["kind = 'status', status = 422, code = 'NO_SEATS', to = 1"], "created 2, rejected 1, updated 3"),
    (&["kind = 'echo_key', to = 1"], "created 2, rejected 1, updated 3"),
    (&["kind = 'echo_key', status = 503, email = 'c8@example.com'"], "created 2, failed 1, updated 3"),
    (&["kind = 'status', status = 501, to = 1"], "created 2, failed 1, updated 3"),
    (&["kind = 'server_error', status = 503, email = 'c8@example.com'"], "created 2, failed 1, updated 3"),
    (&["kind = 'status', status = 408, email = 'c1@example.com'"], "created 3, failed 1, updated 2"),
    (&["kind = 'server_error', email = 'c8@example.com'"], "created 2, unknown 1, updated 3"),
    (&["kind = 'reset', email = 'c8@example.com'"], "created 2, unknown 1, updated 3"),
    (&["kind = 'lost_reply', email = 'c8@example.com'"], "created 2, unknown 1, updated 3"),
    (&["kind = 'half_reply', email = 'c1@example.com'"], "created 3, unknown 1, updated 2"),
    (&["kind = 'garbage', email = 'c1@example.com'"], "created 3, unknown 1, updated 2"),
    (&["kind = 'other_action', email = 'c1@example.com'"], "created 3, unknown 1, updated 2"),
    // Refused after a try that may have taken effect.
    (
        &["kind = 'lost_reply', to = 1", "kind = 'status', status = 400, from = 2, to = 2"],
        "created 2, unknown 1, updated 3",
    ),
    // Taken, but for a field.
    (&["kind = 'not_applied', field = 'mrr', from = 4, to = 4"], HEALTHY),
    (&["kind = 'not_applied', field = 'name', to = 1"], HEALTHY),
];

#[test]
fn what_does_not_pass_needs_a_person_and_says_what_is_known() {
    let cases = cases(FOR_A_PERSON);
    let rehearsed = rehearse(&cases, "in_flight = 1\nmax_tries = 2");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 3);
    let breaks = rehearsed.report.summary["breaks"].as_array().unwrap();
    let lost: Vec<_> =
        breaks.iter().filter(|found| found["kind"] == "not_applied").map(|found| &found["field"]).collect();
    assert_eq!(lost, ["name", "mrr"]);
}

/// What stops a product: the outcomes, with the reason of those that were not attempted.
const UNAVAILABLE: &str = "not_attempted:unavailable 6";
const UNKNOWN: &str = "unknown:unavailable 6";
const AUTH: &str = "not_attempted:auth 6";
const CONFIGURATION: &str = "not_attempted:configuration 6";

#[test]
fn an_outage_stops_the_product_and_resume_finishes_it() {
    let cases = cases(&[
        (&["kind = 'server_error', status = 503"], UNAVAILABLE),
        // What may have been done is not said to have been left undone.
        (&["kind = 'server_error', status = 500, applied = true"], UNKNOWN),
        (&["kind = 'lost_reply'"], UNKNOWN),
        (&["kind = 'reset'"], UNKNOWN),
        (&["kind = 'half_reply'"], UNKNOWN),
        (&["kind = 'empty'"], UNKNOWN),
    ]);
    let rehearsed = rehearse(&cases, "max_tries = 20");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 5);
    rehearsed.resumes(&cases);
}

#[test]
fn a_refused_key_stops_its_product_alone_and_resume_finishes_it() {
    let cases = cases(&[
        (&["kind = 'status', status = 401"], AUTH),
        (&["kind = 'status', status = 403, from = 4"], "created 3, not_attempted:auth 3"),
        (&["kind = 'echo_key', status = 401"], AUTH),
        (
            &["kind = 'lost_reply', to = 1", "kind = 'status', status = 401, from = 2"],
            "not_attempted:auth 5, unknown:auth 1",
        ),
        (&[], HEALTHY),
    ]);
    let rehearsed = rehearse(&cases, "in_flight = 1");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 6);
    rehearsed.resumes(&cases);
}

#[test]
fn a_wrong_address_stops_the_product_as_a_matter_of_configuration_and_resume_finishes_it() {
    let cases = cases(&[
        (&["kind = 'status', status = 301, location = '/api/v2/customers'"], CONFIGURATION),
        (&["kind = 'status', status = 302, location = 'https://example.com/'"], CONFIGURATION),
        (&["kind = 'status', status = 307, location = 'http://127.0.0.1:1/'"], CONFIGURATION),
        (&["kind = 'status', status = 308, from = 3, location = '/'"], "created 2, not_attempted:configuration 4"),
        (&["kind = 'status', status = 304"], CONFIGURATION),
        (&["kind = 'status', status = 404"], CONFIGURATION),
        (&["kind = 'status', status = 405"], CONFIGURATION),
        (&[], HEALTHY),
    ]);
    let rehearsed = rehearse(&cases, "in_flight = 1");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 2);
    rehearsed.resumes(&cases);
}

#[test]
fn a_reply_that_never_comes_is_waited_for_as_long_as_configured_and_is_ambiguous() {
    let cases = cases(&[(&["kind = 'no_reply', to = 1"], ONE_APPLIED_CREATE)]);
    let rehearsed = rehearse(&cases, "in_flight = 1\nrequest_timeout = \"2s\"");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 0);
}

#[test]
fn while_nobody_can_connect_nothing_is_sent_and_nothing_is_ambiguous() {
    let cases = cases(&[(&["kind = 'refused', millis = 600, from = 2, to = 2"], HEALTHY)]);
    let rehearsed = rehearse(&cases, "in_flight = 1\nmax_tries = 20");
    rehearsed.hold(&cases);
    assert_eq!(rehearsed.code, 0);
}
