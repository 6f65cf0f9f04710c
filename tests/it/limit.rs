//! A small first night: `run --limit` and `run --only` send what they name, and account for the rest.

use crate::json_schema::Schema;
use crate::server::Server;
use crate::site::{AS_OF, Site, repository};
use std::collections::BTreeMap;

/// Six accounts: 2 are as they should be, 2 are to be updated, 2 (the largest) to be created.
fn site(further: &str) -> (Site, Server) {
    let site = Site::new(6);
    let server = Server::start(&site, "");
    site.configure(&server.url, further);
    (site, server)
}

#[test]
fn limit_sends_the_largest_and_accounts_for_the_rest() {
    let (site, server) = site("");
    let ran = site.expect(&format!("run --as-of {AS_OF} --limit 1"), 0);
    assert!(ran.stdout.contains("limited by --limit 1: 3 customers are left to a later run"), "{}", ran.stdout);
    let report = site.report();
    assert_eq!(report.outcomes(), BTreeMap::from([("created", 1), ("not_attempted", 3), ("unchanged", 2)]));
    // 105 a month is the most that any of them would move.
    assert_eq!(report.customer("core", "c5@example.com")["outcome"], "created");
    let left: Vec<_> = report.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
    assert!(left.iter().all(|row| row["reason"] == "limit" && row["sent"] == "false" && row["attempts"] == "0"));
    assert_eq!(report.summary["status"], "complete");
    assert_eq!(report.manifest()["selection"]["limit"], 1);
    assert_eq!(report.summary["products"][0]["stripe_gap"]["residual"], "0");
    let schema = Schema::read(&repository().join("docs/summary.schema.json"));
    assert_eq!(schema.problems(&report.summary), Vec::<String>::new());
    site.expect("verify latest", 0);
    let told = site.expect(&format!("explain c2@example.com --as-of {AS_OF}"), 0).stdout;
    assert!(told.contains("limit"), "{told}");
    assert_eq!(site.expect("resume", 0).stdout, "nothing to resume: no run was interrupted\n");

    // The next night takes up what was left, and only that.
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    assert_eq!(site.report().outcomes(), BTreeMap::from([("created", 1), ("unchanged", 3), ("updated", 2)]));
    let (calls, held) = server.stop(&site);
    assert_eq!((calls.len(), held.len()), (4, 6));
}

#[test]
fn only_sends_one_customer_by_any_of_its_names() {
    for (name, key) in [("id", "cus_4"), ("e-mail", "C4@example.com"), ("external id", "E-4"), ("key", "hubspot:4")] {
        let (site, server) = site("");
        site.expect(&format!("run --as-of {AS_OF} --only {key}"), 0);
        let report = site.report();
        assert_eq!(
            report.outcomes(),
            BTreeMap::from([("not_attempted", 3), ("unchanged", 2), ("updated", 1)]),
            "{name}"
        );
        assert_eq!(report.customer("core", "c4@example.com")["outcome"], "updated", "{name}");
        site.expect("verify latest", 0);
        assert_eq!(server.stop(&site).0.len(), 1, "{name}");
    }
}

#[test]
fn only_refuses_what_means_nobody_or_several_before_anything_is_written() {
    let (site, server) = site("");
    // One address on two contacts with accounts of their own.
    site.append("in/customers.csv", "cus_9,c0@example.com,Other,2025-01-01 00:00\n");
    site.append("in/contacts.csv", "9,Other,One,c0@example.com,E-9,cus_9\n");
    for (key, refusal) in [
        ("cus_nobody", "the plan holds no customer `cus_nobody`"),
        ("c0@example.com", "`c0@example.com` means several customers (hubspot:0, hubspot:9)"),
    ] {
        let ran = site.expect(&format!("run --as-of {AS_OF} --only {key}"), 2);
        assert!(ran.stderr.contains(refusal), "{}", ran.stderr);
    }
    for wrong in ["--limit 0", "--limit 2 --only cus_1"] {
        site.expect(&format!("run {wrong}"), 2);
    }
    assert!(site.runs().is_empty());
    assert!(server.stop(&site).0.is_empty());
}

#[test]
fn guards_judge_what_is_sent_and_not_what_is_left() {
    let (site, server) = site("[guards]\nmax_created = 1\n");
    site.expect(&format!("run --as-of {AS_OF}"), 4);
    let ran = site.expect(&format!("run --as-of {AS_OF} --limit 1"), 0);
    assert!(!ran.stdout.contains("Refused"), "{}", ran.stdout);
    let detail = site.report().summary["guards"][0]["detail"].clone();
    assert_eq!(detail, "the plan, with --limit 1, would create 1 customers; the limit is 1");
    assert_eq!(server.stop(&site).0.len(), 1);
}
