//! `verify`: every kind of run is proven for what it has, and its summary is what the schema promises.

use crate::files::json;
use crate::json_schema::Schema;
use crate::resume::slow_site;
use crate::site::{AS_OF, Site, contents, ended, repository, signal, wait_until};
use serde_json::{Value, json};
use std::path::Path;

/// What `verify --json` says of a folder, held to its exit code.
fn verified(site: &Site, folder: &Path, code: i32) -> Value {
    let line = format!("verify {} --json", folder.display());
    let said: Value = serde_json::from_str(&site.expect(&line, code).stdout).unwrap();
    assert_eq!(said["verified"], code == 0);
    said
}

fn state_of<'a>(said: &'a Value, check: &str) -> &'a str {
    let checks = said["checks"].as_array().unwrap();
    checks.iter().find(|one| one["name"] == check).unwrap()["state"].as_str().unwrap()
}

/// The newest run's summary, which must be as the schema says.
fn summary(site: &Site) -> Value {
    let summary = json(&site.runs().pop().unwrap().join("report/summary.json"));
    assert_eq!(schema().problems(&summary), Vec::<String>::new());
    summary
}

fn schema() -> Schema {
    Schema::read(&repository().join("docs/summary.schema.json"))
}

#[test]
fn a_run_a_plan_and_a_refused_run_are_proven_and_so_is_the_chain_between_them() {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    assert_eq!(summary(&site)["status"], "complete");
    site.expect(&format!("plan --as-of {AS_OF}"), 3);
    assert_eq!((&summary(&site)["mode"], &summary(&site)["status"]), (&json!("plan"), &json!("planned")));
    site.write("recon.toml", site.read("recon.toml").replace("max_created = 500", "max_created = 0"));
    site.expect(&format!("run --as-of {AS_OF}"), 4);
    assert_eq!(summary(&site)["status"], "refused");

    let runs = site.runs();
    for run in &runs {
        let said = verified(&site, run, 0);
        for check in ["manifest", "files", "journal", "plan", "totals", "report", "chain"] {
            assert_eq!(state_of(&said, check), "proven", "{check}: {said:#}");
        }
    }
    // The plan in between names the run before it, and nobody names the plan.
    let refused = runs[2].file_name().unwrap().to_str().unwrap();
    assert_eq!(verified(&site, &runs[0], 0)["held_by"], refused);
    assert_eq!(verified(&site, &runs[1], 0)["held_by"], Value::Null);

    let page = site.expect(&format!("verify {refused}"), 0).stdout;
    assert!(page.starts_with(&format!("VERIFIED: run {refused} ")), "{page}");
    assert!(page.contains(verified(&site, &runs[2], 0)["manifest_sha256"].as_str().unwrap()), "{page}");
}

#[test]
fn without_configuration_key_exports_and_state_a_copy_is_proven_and_a_changed_figure_is_named() {
    let mut site = Site::new(9);
    site.expect("run", 0);
    let copy = site.path("an auditor's copy/october");
    for (name, bytes) in contents(&site.runs()[0]) {
        std::fs::create_dir_all(copy.join(&name).parent().unwrap()).unwrap();
        std::fs::write(copy.join(name), bytes).unwrap();
    }
    for gone in ["state", "in"] {
        std::fs::remove_dir_all(site.path(gone)).unwrap();
    }
    std::fs::remove_file(site.path("recon.toml")).unwrap();
    site.set_key(None);
    let verify = || site.command(["verify", "an auditor's copy/october"]).output().unwrap();
    let page = verify();
    assert_eq!(page.status.code(), Some(0), "{}", String::from_utf8_lossy(&page.stdout));

    let path = copy.join("report/customers.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("102.00", "902.00", 1)).unwrap();
    let page = verify();
    assert_eq!(page.status.code(), Some(8));
    let page = String::from_utf8(page.stdout).unwrap();
    let first = page.lines().next().unwrap();
    assert!(first.starts_with("NOT VERIFIED") && first.contains("report/customers.csv"), "{page}");
    assert!(page.contains("`902.00") || page.contains("`9"), "where it differs: {page}");
    assert!(page.contains("expected  SHA-256") && page.contains("found     SHA-256"), "{page}");

    assert!(site.expect("verify 20200101T000000Z-0000", 2).stderr.contains("recon.toml"));
    assert!(site.expect("verify no/such/folder", 2).stderr.contains("no/such/folder"));
}

/// A copy may hold anything: what would be read for ever is named instead.
#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_named_and_not_read_for_ever() {
    let site = Site::new(2);
    site.expect("run", 0);
    let run = site.runs().pop().unwrap();
    for name in ["report/report.html", "journal.jsonl", "manifest.json"] {
        std::fs::remove_file(run.join(name)).unwrap();
        let made = std::process::Command::new("mkfifo").arg(run.join(name)).status().unwrap();
        assert!(made.success());
        let said = verified(&site, &run, 8);
        let named = said["findings"].as_array().unwrap().iter().any(|finding| finding["file"] == name);
        assert!(named, "{name}: {said:#}");
    }
}

#[test]
fn a_report_is_not_written_over_that_of_another_run() {
    let site = Site::new(2);
    site.expect("run", 0);
    site.expect("run", 0);
    let (first, last) = (site.runs().remove(0), site.runs().pop().unwrap());
    let id = first.file_name().unwrap().to_str().unwrap().to_owned();
    let refused = site.expect(&format!("report {id} --format md --output {}", last.join("report").display()), 2);
    assert!(refused.stderr.contains("another run"), "{}", refused.stderr);
    site.expect(&format!("report {id} --format md --output {}", first.join("report").display()), 0);
    verified(&site, &first, 0);
    verified(&site, &last, 0);
}

/// A run of the site that a signal ends in the middle of sending.
fn interrupt(site: &Site) {
    let mut run = site.start(&format!("run --as-of {AS_OF}"));
    wait_until("rows have their outcome", || {
        let journal = site.runs().first().map(|run| run.join("journal.jsonl"));
        journal.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default().contains("{\"outcome\":")
    });
    signal(&run, "TERM");
    assert_eq!(ended(&mut run), 5);
}

#[test]
fn an_interrupted_a_killed_and_a_resumed_run_are_proven_for_what_they_have() {
    let (site, server) = slow_site();
    interrupt(&site);
    let folder = site.runs().pop().unwrap();
    assert_eq!(summary(&site)["status"], "incomplete");
    let said = verified(&site, &folder, 0);
    assert_eq!((&said["status"], state_of(&said, "report")), (&json!("incomplete"), "proven"), "{said:#}");
    let interrupted = said["manifest_sha256"].clone();

    let mut resumed = site.start("resume");
    wait_until("the run goes on", || {
        json(&folder.join("manifest.json"))["status"] == "sending"
            && std::fs::read_to_string(folder.join("journal.jsonl")).unwrap().contains("\"resumed\"")
    });
    resumed.kill().unwrap();
    ended(&mut resumed);
    let said = verified(&site, &folder, 0);
    assert_eq!(said["status"], "sending");
    assert!(said["notes"].to_string().contains("journal.jsonl is not sealed"), "{said:#}");
    assert!(said["notes"].to_string().contains("report/summary.json is not named"), "an older report: {said:#}");

    site.expect("resume", 0);
    assert_eq!(summary(&site)["status"], "complete");
    let said = verified(&site, &folder, 0);
    assert_eq!((&said["status"], state_of(&said, "report")), (&json!("complete"), "proven"), "{said:#}");
    assert_ne!(said["manifest_sha256"], interrupted);
    server.end(&site);
}

#[test]
fn a_run_that_the_next_one_closed_keeps_the_report_of_its_interruption() {
    let (site, server) = slow_site();
    interrupt(&site);
    let closed = site.runs().pop().unwrap();
    let report = contents(&closed.join("report"));
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let said = verified(&site, &closed, 0);
    assert_eq!((&said["status"], state_of(&said, "report")), (&json!("closed"), "proven"), "{said:#}");
    assert_eq!(said["held_by"], site.runs().pop().unwrap().file_name().unwrap().to_str().unwrap());
    let id = closed.file_name().unwrap().to_str().unwrap();
    site.expect(&format!("report {id}"), 0);
    assert!(contents(&closed.join("report")) == report, "written again, it is the same");
    server.end(&site);
}

#[test]
fn a_summary_that_lost_renamed_or_mistyped_a_member_is_not_what_the_schema_says() {
    let site = Site::demo();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let sound = summary(&site);
    let schema = schema();
    assert_eq!(schema.unknown_keywords(), Vec::<String>::new(), "the validator of these tests knows them all");
    let mut pointers = vec![];
    members(&sound, "", &mut pointers);
    assert!(pointers.len() > 200, "{}", pointers.len());
    for pointer in &pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut renamed = sound.clone();
        let object = renamed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        let value = object.remove(name).unwrap();
        object.insert(format!("{name}_"), value);
        assert!(!schema.problems(&renamed).is_empty(), "{pointer} renamed");
        let mut mistyped = sound.clone();
        *mistyped.pointer_mut(pointer).unwrap() = json!([[]]);
        assert!(!schema.problems(&mistyped).is_empty(), "{pointer} of another type");
    }
}

/// The pointers of all members of all objects in `value`; of a list, those of its first element.
fn members(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let pointer = format!("{at}/{name}");
                members(value, &pointer, pointers);
                // Names of currencies are anybody's.
                if !at.contains("without_rate") {
                    pointers.push(pointer);
                }
            }
        }
        Value::Array(list) => list.iter().take(1).for_each(|first| members(first, &format!("{at}/0"), pointers)),
        _ => {}
    }
}
