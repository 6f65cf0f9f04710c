//! Guards end to end: each refuses with 4 before any call, is overridden once, and refuses the next night again.

use crate::json_schema::Schema;
use crate::server::Server;
use crate::site::{AS_OF, Site, repository};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Six accounts: 2 are as they should be, 2 are to be updated, 2 (the largest) to be created.
fn site(guards: &str) -> (Site, Server) {
    let site = Site::new(6);
    let server = Server::start(&site, "");
    site.configure(&server.url, &format!("[guards]\n{guards}\n"));
    (site, server)
}

/// Lets the files of the exports have been written so long ago.
fn aged(site: &Site, age: Duration) {
    for name in ["customers", "subscriptions", "contacts"] {
        let file = std::fs::File::options().append(true).open(site.path(&format!("in/{name}.csv"))).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
}

/// What is done to a site before a night.
type Change = fn(&Site);

fn findings(site: &Site) -> Vec<Value> {
    site.report().summary["guards"].as_array().unwrap().clone()
}

/// Changes the exports by as much as a quiet night does, so that no file is the same.
fn a_night_passes(site: &Site) {
    for name in ["customers", "subscriptions", "contacts"] {
        let text = site.read(&format!("in/{name}.csv"));
        // The same rows from the last to the first.
        let mut lines: Vec<&str> = text.lines().collect();
        lines[1..].reverse();
        site.write(&format!("in/{name}.csv"), lines.join("\n") + "\n");
    }
}

#[test]
fn each_guard_refuses_before_the_first_call_is_overridden_once_and_refuses_a_later_night_again() {
    // The guard, its line, what is true before each night, the figure in the first line.
    let nothing: Change = |_| {};
    let cases: &[(&str, &str, Change, &str)] = &[
        ("max_created", "max_created = 1", nothing, "would create 2 customers; the limit is 1."),
        ("max_changed_percent", "max_changed_percent = 49.9", nothing, "(50 %) would change; the limit is 49.9 %."),
        ("max_mrr_change_percent", "max_mrr_change_percent = 5", nothing, "% net; the limit is 5 %."),
        ("max_gross_mrr_change_percent", "max_gross_mrr_change_percent = 5", nothing, "% gross; the limit is 5 %."),
        (
            "max_customer_mrr_change",
            "max_customer_mrr_change = \"104.99\"",
            nothing,
            "up to 105.00: hubspot:5 +105.00, hubspot:2 +102.00, hubspot:1 +7.00 USD, 1 customer beyond the limit; the \
             limit is 104.99 USD.",
        ),
        (
            "max_export_age",
            "max_export_age = \"36h\"",
            |site| aged(site, Duration::from_hours(40)),
            "the limit is 36 h.",
        ),
    ];
    for (guard, line, before, figure) in cases {
        let (site, server) = site(line);
        before(&site);
        let refused = site.expect(&format!("run --as-of {AS_OF}"), 4);
        let first = refused.stdout.lines().next().unwrap();
        assert!(first.starts_with(&format!("refused by {guard}: ")) && first.contains(figure), "{first}");
        assert!(first.contains(&format!("--allow {guard}")), "{first}");
        assert!(refused.stderr.contains(&format!("refused by {guard}: ")), "{}", refused.stderr);
        // A plan shows the same.
        let planned = site.expect(&format!("plan --as-of {AS_OF}"), 4);
        assert_eq!(planned.stdout.lines().next().unwrap(), first);
        assert!(!site.path("state/baseline").exists());
        let found = findings(&site);
        assert!(found.iter().any(|finding| finding["guard"] == *guard && finding["refused"] == true), "{found:?}");

        site.expect(&format!("run --as-of {AS_OF} --only cus_1 --allow {guard}"), 0);
        let overridden = findings(&site).iter().any(|finding| finding["overridden"] == true);
        // What one customer moves may be within the limit: then there was nothing to override.
        assert_eq!(overridden, *guard == "max_export_age", "{guard}");
        site.expect(&format!("run --as-of {AS_OF} --allow {guard}"), 0);
        // Two more customers, and everybody pays 3,000 more: the override was for the night before.
        site.append(
            "in/customers.csv",
            "cus_6,c6@example.com,Six,2025-01-01 00:00\ncus_7,c7@example.com,Seven,2025-01-01 00:00\n",
        );
        site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replace(",month,1", ",month,31"));
        before(&site);
        let again = site.expect(&format!("run --as-of {AS_OF}"), 4);
        assert!(again.stdout.starts_with(&format!("refused by {guard}: ")), "{}", again.stdout);
        assert_eq!(server.stop(&site).0.len(), 4, "{guard}: once");
    }
}

#[test]
fn an_overridden_guard_stands_in_the_verdict_and_the_next_night_is_refused_again() {
    let (site, server) = site("max_created = 1");
    site.expect(&format!("run --as-of {AS_OF}"), 4);
    let ran = site.expect(&format!("run --as-of {AS_OF} --allow max_created"), 0);
    assert!(ran.stderr.contains("overridden by max_created: "), "{}", ran.stderr);
    let said = "What a guard would have refused was let pass by whoever started this at ";
    let which = ": max_created (2, limit 1 customers).";
    let report = site.report();
    let page = |name: &str| std::fs::read_to_string(report.folder.join("report").join(name)).unwrap();
    for text in [ran.stdout.as_str(), &page("summary.md"), &page("report.html")] {
        assert!(text.contains("Sign after review") && text.contains(said) && text.contains(which), "{text}");
    }
    assert!(page("report.html").contains("1 looked, 0 refused, 1 overridden"));
    assert!(page("summary.md").contains("- Guard max_created **overridden**: the plan would create 2 customers"));
    let finding = &report.summary["guards"][0];
    assert_eq!(
        finding["detail"],
        "the plan would create 2 customers; the limit is 1, overridden this once by --allow max_created"
    );
    assert_eq!((&finding["refused"], &finding["overridden"]), (&false.into(), &true.into()));
    let schema = Schema::read(&repository().join("docs/summary.schema.json"));
    assert_eq!(schema.problems(&report.summary), Vec::<String>::new());
    site.expect("verify latest", 0);

    // Two more customers the next night: the override was for the one before.
    for n in [6, 7] {
        site.append("in/customers.csv", format!("cus_{n},c{n}@example.com,Customer {n},2025-01-01 00:00\n"));
    }
    site.expect(&format!("run --as-of {AS_OF}"), 4);
    assert_eq!(server.stop(&site).0.len(), 4);
}

#[test]
fn what_is_compared_with_the_last_run_passes_the_first_night_and_refuses_a_later_one() {
    let guards = "max_status_shift_percent = 10\nmax_currency_shift_percent = 10\nrefuse_new_currency = true\n\
                  min_rows_percent = 80\nmax_rows_percent = 150\nrefuse_repeated_files = true";
    let cases: &[(&str, Change)] = &[
        ("max_status_shift_percent", |site| {
            site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replacen(",active,", ",canceled,", 2));
        }),
        ("max_currency_shift_percent", |site| {
            site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replacen(",usd,", ",eur,", 1));
        }),
        ("refuse_new_currency", |site| {
            site.write("in/subscriptions.csv", site.read("in/subscriptions.csv").replacen(",usd,", ",eur,", 1));
        }),
        ("min_rows_percent", |site| {
            let text = site.read("in/contacts.csv");
            site.write("in/contacts.csv", text.lines().take(4).collect::<Vec<_>>().join("\n") + "\n");
        }),
        ("max_rows_percent", |site| {
            for n in 6..10 {
                site.append("in/customers.csv", format!("cus_{n},c{n}@example.com,Customer {n},2025-01-01 00:00\n"));
            }
        }),
        ("refuse_repeated_files", |site| {
            a_night_passes(site);
        }),
    ];
    let others = |guard: &str| -> String {
        let all = guards.lines().map(|line| line.split_once(' ').unwrap().0).filter(|other| *other != guard);
        all.fold(String::new(), |line, other| format!("{line} --allow {other}"))
    };
    let (site, server) = site(guards);
    let first = site.expect(&format!("run --as-of {AS_OF}"), 0);
    assert!(!first.stdout.contains("refused by"));
    let found = findings(&site);
    assert!(found.len() >= 6 && found.iter().all(|finding| finding["figure"].is_null()), "{found:?}");
    let schema = Schema::read(&repository().join("docs/summary.schema.json"));
    assert_eq!(schema.problems(&site.report().summary), Vec::<String>::new());
    let sent = || {
        let folder = site.report().folder;
        std::fs::read_to_string(folder.join("journal.jsonl")).map_or(0, |journal| journal.matches("\"intent\"").count())
    };
    let exports = ["customers", "subscriptions", "contacts"].map(|name| (name, site.read(&format!("in/{name}.csv"))));
    for (guard, change) in cases {
        // A quiet night to compare with.
        for (name, content) in &exports {
            site.write(&format!("in/{name}.csv"), content);
        }
        let all: String = others("");
        site.expect(&format!("run --as-of {AS_OF}{all}"), 0);
        if *guard != "refuse_repeated_files" {
            a_night_passes(&site);
            change(&site);
        }
        let run = format!("run --as-of {AS_OF}{}", others(guard));
        let refused = site.expect(&run, 4);
        assert!(refused.stdout.starts_with(&format!("refused by {guard}: ")), "{}", refused.stdout);
        assert_eq!(sent(), 0, "{guard}");
        // The limit that is beyond names its flag, which lets it pass.
        let passed = site.ran(&format!("run --as-of {AS_OF}{all}"));
        assert!([0, 3].contains(&passed.code), "{guard}: {}{}", passed.stdout, passed.stderr);
        site.expect("verify latest", 0);
    }
    server.stop(&site);
}

#[test]
fn a_limited_night_is_followed_by_the_rest_from_the_same_exports() {
    let (site, server) = site("refuse_repeated_files = true");
    site.expect(&format!("run --as-of {AS_OF} --limit 1"), 0);
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let refused = site.expect(&format!("run --as-of {AS_OF}"), 4);
    assert!(refused.stdout.starts_with(
        "refused by refuse_repeated_files: stripe_customers: in/customers.csv is the same file as in run "
    ));
    assert_eq!(server.stop(&site).0.len(), 4);
}

#[test]
fn a_run_of_an_earlier_version_is_compared_with_as_far_as_it_tells() {
    let (site, server) = site("max_status_shift_percent = 10\nmin_rows_percent = 80");
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    // Its manifest without what this version added; nobody seals it anew, since the guards do not ask for that.
    let path = site.report().folder.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("mix");
    manifest["guards"] = serde_json::json!([]);
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let found = findings(&site);
    let of = |guard: &str| found.iter().find(|finding| finding["guard"] == guard).unwrap();
    assert!(of("max_status_shift_percent")["detail"].as_str().unwrap().contains("earlier version"), "{found:?}");
    assert_eq!(of("min_rows_percent")["figure"], "100");
    server.stop(&site);
}
