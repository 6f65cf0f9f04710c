//! `run`: every row accounted for, money to the minor unit, secrets nowhere.

use crate::files::{Report, json_lines};
use crate::server::Server;
use crate::site::{AS_OF, KEY, Site, contents, ended, signal, wait_until};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn invariant_04_every_input_row_has_one_disposition_and_the_sums_tie() {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let report = site.report();
    let manifest = report.manifest();

    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut places: Vec<_> = vec![];
    for row in &report.accounting {
        *lines.entry(row["source"].as_str()).or_default() += 1;
        places.push((&row["file"], &row["line"]));
    }
    places.sort();
    assert!(places.windows(2).all(|pair| pair[0] != pair[1]), "a row stands twice in accounting.csv");
    for source in report.summary["sources"].as_array().unwrap() {
        let name = source["name"].as_str().unwrap();
        let read = source["rows_read"].as_u64().unwrap();
        let disposed: u64 =
            source["dispositions"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum();
        assert_eq!(read, disposed, "{name}");
        assert_eq!(read, lines[name] as u64, "{name}: rows read, and lines of accounting.csv");
        // Counted by somebody else: the lines of the files themselves.
        let in_files: usize = manifest["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|input| input["source"] == name)
            .map(|input| rows_of(&site, input["path"].as_str().unwrap()))
            .sum();
        assert_eq!(read, in_files as u64, "{name}: rows read, and rows of the files");
    }
    money(&report);
    report.outcome_of();
}

/// The data rows of an input file.
fn rows_of(site: &Site, path: &str) -> usize {
    if path.ends_with("jsonl") {
        return site.read(path).lines().count();
    }
    csv::ReaderBuilder::new().flexible(true).from_path(site.path(path)).unwrap().into_byte_records().count()
}

/// An exact decimal text, in millionths of a minor unit.
fn millionths(text: &serde_json::Value) -> i128 {
    let text = text.as_str().unwrap_or_else(|| panic!("{text} is no decimal text"));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<6.6}");
    digits.parse().unwrap_or_else(|_| panic!("{text} is no decimal text"))
}

fn money(report: &Report) {
    let subscriptions = &report.summary["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|source| source["name"] == "stripe_subscriptions")
        .unwrap();
    let parts = subscriptions["mrr_minor"].as_object().unwrap();
    let sum: i128 = parts.values().map(millionths).sum();
    let off = (sum - millionths(&subscriptions["mrr_minor_total"])).abs();
    // Each part is written to so many digits; a minor unit is a million of these.
    assert!(off <= parts.len() as i128, "the MRR of the dispositions is off by {off} millionths of a cent");

    for product in report.summary["products"].as_array().unwrap() {
        let name = product["name"].as_str().unwrap();
        let rows = || report.customers.iter().filter(|row| row["product"] == name);
        let minor = |column: &'static str| -> i64 { rows().map(|row| cents(&row[column])).sum() };
        let bridge = |part: &str| product["mrr_bridge"][part].as_i64().unwrap();
        assert_eq!(minor("mrr_before"), bridge("opening"), "{name}");
        assert_eq!(minor("mrr_after"), bridge("closing"), "{name}");
        assert_eq!(minor("mrr_delta"), bridge("closing") - bridge("opening"), "{name}");
        let moves = ["new", "reactivation", "expansion"].map(bridge).iter().sum::<i64>()
            - ["contraction", "churn"].map(bridge).iter().map(|part| part.abs()).sum::<i64>();
        assert_eq!(bridge("opening") + moves, bridge("closing"), "{name}");
        assert_eq!(bridge("residual"), 0);
        assert_eq!(millionths(&product["stripe_gap"]["residual"]), 0, "{name}");
        let counted: u64 = product["outcomes"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(counted, rows().count() as u64, "{name}");
    }
    assert_eq!(report.summary["ties"], true);
}

/// `12.34` → 1234; blank → 0.
fn cents(text: &str) -> i64 {
    match text {
        "" => 0,
        _ => text.replace('.', "").parse().unwrap_or_else(|_| panic!("{text} is no amount with two digits")),
    }
}

#[test]
fn invariant_08_no_output_of_a_run_holds_the_key() {
    let site = Site::new(9);
    let server = Server::start(&site, "server_error = { every = 3, status = 503 }\nunauthorized_after = 8\n");
    site.configure(&server.url, "");
    let mut said = String::new();
    for line in ["-vv run", "-vv --log-format json run", "-vv resume", "config check", "report latest", "-vv plan"] {
        let ran = site.ran(line);
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    }
    server.stop(&site);
    assert!(!said.contains(KEY), "the key was printed");
    for (path, bytes) in contents(&site.path("")) {
        let found = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert!(!found, "{} holds the key", path.display());
    }
}

#[test]
fn json_log_lines_carry_the_run_and_results_go_to_standard_output() {
    let site = Site::new(9);
    let ran = site.expect("--log-format json run", 0);
    let run = site.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    let lines = json_lines(&ran.stderr);
    assert!(lines.len() > 4);
    for line in &lines {
        assert_eq!(line["run"], run.as_str(), "{line}");
        assert!(line["event"].is_string() && line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(ran.stdout.contains(&run) && !ran.stdout.contains("\"level\""), "{}", ran.stdout);
    assert!(site.expect("-qq run", 0).stderr.is_empty());
    site.write("in/contacts.csv", "");
    let last = json_lines(&site.expect("--log-format json run", 8).stderr).pop().unwrap();
    assert_eq!((&last["event"], &last["exit_code"], &last["level"]), (&"failed".into(), &8.into(), &"ERROR".into()));
    assert!(last["message"].as_str().unwrap().contains("in/contacts.csv is empty"), "{last}");
}

#[test]
fn every_json_line_of_every_end_carries_a_run() {
    let site = Site::new(60);
    let hold = |line: &str, code: i32| {
        let said = site.expect(&format!("--log-format json {line}"), code).stderr;
        let lines = json_lines(&said);
        assert!(!lines.is_empty(), "{line}");
        let runs: BTreeSet<&str> =
            lines.iter().map(|line| line["run"].as_str().unwrap_or_else(|| panic!("{line}"))).collect();
        assert_eq!(runs.len(), 1, "{line}: {runs:?}");
        let twice = said.lines().find(|line| line.matches("\"run\":").count() > 1);
        assert_eq!(twice, None, "{line}");
        runs.into_iter().next().unwrap().to_owned()
    };
    let newest = || site.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(hold("plan", 0), newest());
    let hash = site.approval();
    hold(&format!("apply latest --approve {}", "0".repeat(64)), 2);
    assert_eq!(hold(&format!("apply latest --approve {hash}"), 0), newest());
    hold("resume --output nowhere", 2);
    hold("run --as-of soon", 2);
    hold("run --only nobody@example.com", 2);
    site.configure("sandbox", "[guards]\nmax_changed_percent = 1\n");
    site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replace(".00,", ".50,"));
    assert_eq!(hold("run", 4), newest());
    site.configure("http://127.0.0.1:1", "[tether]\nmax_tries = 1\n");
    assert_eq!(hold("run", 5), newest());
    // The resumed run's own id, though another process began it.
    assert_eq!(hold("resume", 5), newest());

    let server = Server::start(&site, "slow = { every = 1, millis = 100 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    let begun = site.runs().len();
    let mut child = site.start("--log-format json run");
    wait_until("the run sends", || {
        site.runs().len() > begun && site.runs().pop().is_some_and(|run| run.join("journal.jsonl").exists())
    });
    hold("run", 7);
    hold("resume", 7);
    signal(&child, "TERM");
    assert_eq!(ended(&mut child), 5);
    let interrupted = newest();
    assert!(json_lines(&site.read("stderr")).iter().all(|line| line["run"] == interrupted.as_str()));

    site.write("in/contacts.csv", "");
    hold("plan", 8);
    hold("resume", 8);
    site.write("recon.toml", "[run]\n");
    for command in ["run", "plan", "resume", "apply latest --approve x"] {
        hold(command, 2);
    }
    let said = site.expect("--log-format json config check", 2).stderr;
    assert!(json_lines(&said).iter().all(|line| line.get("run").is_none()), "no run is made: {said}");
}

#[test]
fn the_second_night_is_quiet_and_learns_from_replies_without_an_export() {
    let site = Site::new(9);
    let server = Server::start(&site, "");
    site.configure(&server.url, "");
    let alone = site.read("recon.toml").replace("existing = \"in/core.jsonl\"\n", "");
    site.write("recon.toml", alone);
    site.expect("run", 0);
    let first = site.report();
    assert!(first.customers.iter().all(|row| row["predicted"] == "unknown" && row["sent"] == "true"));
    assert_eq!(first.outcomes(), BTreeMap::from([("created", 3), ("updated", 6)]));
    site.expect("run", 0);
    assert_eq!(site.report().outcomes(), BTreeMap::from([("unchanged", 9)]));
    let (calls, held) = server.stop(&site);
    assert_eq!((calls.len(), held.len()), (9, 9));
}

#[test]
fn what_is_sent_is_the_whole_customer_under_the_right_header_largest_change_first() {
    let site = Site::new(9);
    // Without an external id the e-mail is what Tether looks for.
    site.append("in/customers.csv", "cus_mail,Only.Mail@Example.com,Only Mail,2025-01-01 00:00\n");
    site.append(
        "in/subscriptions.csv",
        "sub_mail,cus_mail,2,usd,year,600.00,active,true,2025-01-01 00:00,2027-01-20 00:00\n",
    );
    let server = Server::start(&site, "");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    site.expect("run", 0);
    let report = site.report();
    let (calls, held) = server.stop(&site);

    let mail = calls.iter().find(|call| call["body"]["email"] == "only.mail@example.com").unwrap();
    assert_eq!(mail["id_type"], "email");
    assert_eq!(
        mail["body"],
        serde_json::json!({"email": "only.mail@example.com", "name": "Only Mail", "mrr": 100,
            "subscription_status": "active", "auto_renew": false, "period_end": "2027-01-20T00:00:00Z"})
    );
    assert!(calls.iter().filter(|call| *call != mail).all(|call| call["id_type"] == "external"));
    let moved: Vec<i64> = calls
        .iter()
        .map(|call| cents(&report.customer("core", call["body"]["email"].as_str().unwrap())["mrr_delta"]).abs())
        .collect();
    assert!(moved.is_sorted_by(|left, right| left >= right), "{moved:?}");
    for row in report.customers.iter().filter(|row| row["outcome"] != "unchanged") {
        let shown = held.iter().find(|customer| customer["email"] == row["email"].as_str()).unwrap();
        assert_eq!(shown["tether_id"], row["tether_id"].as_str(), "the report names Tether's id");
    }
    for change in report.changes.iter().filter(|change| change["field"] == "mrr") {
        assert_eq!(change["after"], report.customer("core", &change["key"])["mrr_desired"]);
    }
}
