//! `report`: written again, the same bytes.

use crate::site::{AS_OF, Site, contents};

#[test]
fn report_latest_writes_the_same_bytes_again() {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let report = site.runs()[0].join("report");
    let before = contents(&report);
    assert_eq!(before.len(), 7);
    for name in
        ["report.xlsx", "customers.csv", "report.html", "summary.json", "summary.md", "changes.csv", "accounting.csv"]
    {
        std::fs::write(report.join(name), "spoilt").unwrap();
    }
    let said = site.expect("report latest", 0).stdout;
    assert!(said.contains("report.html"), "{said}");
    for ((name, before), (_, after)) in before.iter().zip(contents(&report)) {
        assert!(*before == after, "{} differs", name.display());
    }
    let run = site.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(site.expect(&format!("report {run}"), 0).stdout, said);
}

#[test]
fn a_plan_that_is_not_the_manifests_is_refused() {
    let site = Site::new(3);
    site.expect("run", 0);
    let plan = site.runs()[0].join("plan.parquet");
    let mut bytes = std::fs::read(&plan).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&plan, bytes).unwrap();
    let said = site.expect("report latest", 8).stderr;
    assert!(said.contains("plan.parquet") && said.contains("SHA-256"), "{said}");
}

#[test]
fn without_a_run_there_is_nothing_to_report() {
    let site = Site::new(3);
    assert!(site.expect("report latest", 2).stderr.contains("start one with `run`"));
}

#[test]
fn the_page_stands_alone_and_forbids_everything_from_elsewhere() {
    let site = Site::new(3);
    site.append("in/customers.csv", "cus_x,x@example.com,<script>alert(1)</script>,2025-01-01 00:00\n");
    site.expect("run", 0);
    let page = std::fs::read_to_string(site.runs()[0].join("report/report.html")).unwrap();
    assert!(page.contains("Content-Security-Policy"));
    assert!(!page.contains("<script>alert(1)"), "a name is text, never markup");
    for foreign in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}
