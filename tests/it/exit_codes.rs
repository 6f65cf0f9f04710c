//! Each exit code of the contract, reached for real.

use crate::server::Server;
use crate::site::{AS_OF, Site};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// A server that gives every request the same answer: what no Tether says.
fn always(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
                // A client that has left already has seen enough.
                let _ = (&stream).write_all(reply.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                while lines.next().is_some_and(|line| line.is_ok()) {}
            });
        }
    });
    url
}

#[test]
fn code_0_when_nothing_needs_a_person() {
    let site = Site::new(9);
    let ran = site.expect("run", 0);
    assert!(ran.stdout.contains("report.html"), "{}", ran.stdout);
    assert_eq!(site.report().summary["exit_code"], 0);
    assert_eq!(site.expect("resume", 0).stdout, "nothing to resume: no run was interrupted\n");
}

#[test]
fn code_2_for_usage_and_configuration_with_every_problem_at_once() {
    let site = Site::new(1);
    assert!(site.expect("run --as-of soon", 2).stderr.contains("--as-of"));
    assert!(site.expect("report 20200101T000000Z-0000", 2).stderr.contains("no run"));
    site.configure("http://tether.example.com", "[guard]\nmax_created = 1\n");
    let said = site.expect("run", 2).stderr;
    for part in ["tether.url", "guard"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(site.runs().is_empty(), "a bad configuration leaves no run behind");
}

#[test]
fn code_2_when_the_server_is_not_what_the_configuration_says_with_a_partial_report() {
    for (status, number) in [("404 Not Found", "404"), ("405 Method Not Allowed", "405"), ("302 Found", "302")] {
        let site = Site::new(6);
        site.configure(&always(status), "");
        site.expect("run", 2);
        let report = site.report();
        assert_eq!(report.outcomes()["not_attempted"], 4, "{status}");
        let stopped: Vec<_> = report.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
        assert!(stopped.iter().all(|row| row["reason"] == "configuration"), "{status}");
        assert!(stopped.iter().any(|row| row["http_status"] == number), "{status}");
        assert_eq!(report.summary["exit_code"], 2);
    }
}

#[test]
fn code_3_when_rows_need_a_person() {
    let site = Site::new(3);
    site.append("in/customers.csv", "cus_x,,Nobody,2025-01-01 00:00\n");
    site.expect("run", 3);
    assert_eq!(site.report().outcomes()["invalid"], 1);
}

#[test]
fn code_3_for_a_closed_gate_only_where_configured() {
    let site = Site::new(3);
    let server = Server::with_gate(&site, "", false);
    site.configure(&server.url, "");
    site.expect("run", 0);
    let report = site.report();
    assert_eq!(report.outcomes()["creation_disabled"], 1);
    assert_eq!(report.summary["break_counts"]["prediction_missed"], 1, "the configuration said that the gate is open");
    let asked = site.read("recon.toml").replace("[run]", "[run]\nexit_on_creation_disabled = true");
    site.write("recon.toml", asked);
    site.expect("run", 3);
}

#[test]
fn code_4_when_a_guard_refuses_and_nothing_was_sent() {
    let site = Site::new(9);
    let server = Server::start(&site, "");
    site.configure(&server.url, "[guards]\nmax_created = 2\n");
    let ran = site.expect("run", 4);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("--allow max_created"), "{}", ran.stdout);
    let report = site.report();
    let reasons: Vec<_> = report.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
    assert_eq!(reasons.len(), 6);
    assert!(reasons.iter().all(|row| row["reason"] == "guard" && row["sent"] == "false"));
    assert!(!report.folder.join("journal.jsonl").exists());
    site.expect("run --allow max_created", 0);
    assert_eq!(server.stop(&site).0.len(), 6, "the refused run made no call");
}

#[test]
fn code_6_for_a_missing_a_malformed_and_a_refused_key() {
    let mut site = Site::new(6);
    let server = Server::start(&site, "unauthorized_after = 1\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    site.set_key(None);
    assert!(site.expect("run", 6).stderr.contains("TETHER_CORE_KEY is not set"));
    site.set_key(Some("two words"));
    let said = site.expect("run", 6).stderr;
    assert!(said.contains("white space") && !said.contains("two words"), "{said}");
    assert!(site.runs().is_empty(), "without a key nothing is begun");

    site.set_key(Some(crate::site::KEY));
    site.expect("run", 6);
    let report = site.report();
    let left: Vec<_> = report.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
    assert_eq!(left.len(), 3, "one row of four got through");
    assert!(left.iter().all(|row| row["reason"] == "auth"));
    assert_eq!(left.iter().filter(|row| row["sent"] == "true").count(), 1, "the row that met the 401 was sent");
    assert_eq!(server.stop(&site).0.len(), 2, "after a 401 no further call leaves");
}

#[test]
fn code_6_also_when_the_only_row_meets_the_401() {
    let site = Site::new(3);
    let server = Server::start(&site, "unauthorized_after = 0\n");
    // The customer that Tether lacks is the only one left.
    let lines = site.read("in/customers.csv");
    let kept: Vec<&str> = lines.lines().filter(|line| !line.contains("c0@") && !line.contains("c1@")).collect();
    site.write("in/customers.csv", kept.join("\n") + "\n");
    site.configure(&server.url, "");
    let said = site.expect("run", 6);
    let report = site.report();
    let row = report.customer("core", "c2@example.com");
    assert_eq!(
        (row["outcome"].as_str(), row["reason"].as_str(), row["sent"].as_str()),
        ("not_attempted", "auth", "true")
    );
    assert_eq!(report.summary["status"], "incomplete", "{}", said.stdout);
}

#[test]
fn code_8_for_an_input_that_is_not_there() {
    let site = Site::new(3);
    std::fs::remove_file(site.path("in/contacts.csv")).unwrap();
    for command in ["run", "plan", "config check"] {
        let said = site.expect(command, 8).stderr;
        assert!(said.contains("in/contacts.csv"), "{command}: {said}");
    }
}

#[test]
fn code_10_only_when_asked_for_and_only_with_changes_to_send() {
    let site = Site::new(9);
    site.expect(&format!("plan --as-of {AS_OF}"), 0);
    site.expect(&format!("plan --as-of {AS_OF} --detailed-exitcode"), 10);
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    site.expect(&format!("plan --as-of {AS_OF} --detailed-exitcode"), 0);
}
