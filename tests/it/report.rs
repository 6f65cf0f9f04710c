//! `report`: written again, the same bytes.

use crate::site::{AS_OF, Site, contents};

#[test]
fn report_latest_writes_the_same_bytes_again() {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let report = site.runs()[0].join("report");
    let before = contents(&report);
    assert_eq!(before.len(), 10);
    for (name, _) in &before {
        std::fs::write(report.join(name), "spoilt").unwrap();
    }
    let said = site.expect("report latest", 0).stdout;
    assert!(said.contains("report.html"), "{said}");
    for ((name, before), (_, after)) in before.iter().zip(contents(&report)) {
        assert!(*before == after, "{} differs", name.display());
    }
    let run = site.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(site.expect(&format!("report {run}"), 0).stdout, said);

    // Each format by itself, elsewhere, from a copy of the folder, without a configuration.
    let copy = site.path("copy/of the run");
    for (name, bytes) in contents(&site.runs()[0]) {
        let path = copy.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::remove_file(site.path("recon.toml")).unwrap();
    for (format, files) in [
        ("html", vec!["report.html"]),
        ("xlsx", vec!["report.xlsx"]),
        ("md", vec!["summary.md"]),
        ("json", vec!["summary.json"]),
        ("csv", vec!["accounting.csv", "changes.csv", "customers.csv"]),
        ("jsonl,md", vec!["accounting.jsonl", "changes.jsonl", "customers.jsonl", "summary.md"]),
    ] {
        let target = site.path("again").join(format);
        let arguments = ["report", "copy/of the run", "--format", format, "--output", target.to_str().unwrap()];
        let ran = site.command(arguments).output().unwrap();
        assert!(ran.status.success(), "{format}: {}", String::from_utf8_lossy(&ran.stderr));
        let written = contents(&target);
        let names: Vec<_> = written.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(names, files);
        for (name, bytes) in &written {
            assert!(before.iter().any(|(known, same)| known == name && same == bytes), "{} differs", name.display());
        }
    }
}

#[test]
fn the_bytes_of_another_version_are_not_overwritten() {
    let site = Site::new(3);
    site.expect("run", 0);
    let path = site.runs()[0].join("manifest.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    // As if another version had written another page.
    let (before, page) = manifest.split_once("\"report/report.html\": {\n        \"sha256\": \"").unwrap();
    let page = page.replacen(&page[..64], &"0".repeat(64), 1);
    let other = format!("{before}\"report/report.html\": {{\n        \"sha256\": \"{page}");
    std::fs::write(&path, other.replace("\"reported_by\": \"", "\"reported_by\": \"0.0.9-")).unwrap();
    let report = site.runs()[0].join("report");
    std::fs::write(report.join("summary.md"), "as it was").unwrap();
    let said = site.expect("report latest", 2).stderr;
    assert!(said.contains("report.html") && said.contains("0.0.9-") && said.contains("--output"), "{said}");
    assert_eq!(std::fs::read_to_string(report.join("summary.md")).unwrap(), "as it was", "none is written");
    assert_eq!(contents(&report).len(), 10, "and none left aside");
    site.expect("report latest --format md", 0);
    site.expect("report latest --output elsewhere", 0);
    assert!(site.path("elsewhere/report.html").exists());
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
fn a_second_run_says_since_which_run_customers_wait_for_creation_and_says_it_again() {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let first = site.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(!site.runs()[0].join("waiting.parquet").exists());
    site.expect("run --as-of 2026-11-08T00:00:00Z", 3);
    let report = site.runs()[1].join("report");
    let page = std::fs::read_to_string(report.join("report.html")).unwrap();
    assert!(page.contains(&format!("have been waiting since {AS_OF} (7 days; first refused in run {first})")));

    let before = contents(&report);
    site.expect("report latest", 0);
    assert!(before == contents(&report));
    let waiting = site.runs()[1].join("waiting.parquet");
    let mut bytes = std::fs::read(&waiting).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&waiting, bytes).unwrap();
    let said = site.expect("report latest", 8).stderr;
    assert!(said.contains("waiting.parquet"), "{said}");
    // A run goes on all the same: the waiting is counted anew.
    std::fs::write(&waiting, "spoilt").unwrap();
    let said = site.expect("run --as-of 2026-11-09T00:00:00Z", 3).stderr;
    assert!(said.contains("who has been waiting"), "{said}");
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
