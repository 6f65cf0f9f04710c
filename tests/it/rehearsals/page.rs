//! The page of rehearsals: every file of faults that it shows is played, and ends as it says there.

use crate::files::{Row, json_lines};
use crate::site::{AS_OF, Site, repository};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A file of faults that the page shows: its name, itself, how `run` ends, and how `resume` does, where the page says so.
type FileOfFaults = (String, String, i32, Option<i32>);

fn files_of_the_page() -> Vec<FileOfFaults> {
    let page = std::fs::read_to_string(repository().join("docs/REHEARSALS.md")).unwrap();
    let mut files = vec![];
    for (at, _) in page.match_indices("\n    # ") {
        let lines: Vec<&str> =
            page[at + 1..].lines().take_while(|line| line.is_empty() || line.starts_with("    ")).collect();
        let Some((name, _)) = lines[0].trim_start_matches([' ', '#']).split_once(".toml: ") else { continue };
        let code = |command: &str| {
            let (_, rest) = lines[1].split_once(&format!("{command} ends with "))?;
            rest.chars().next()?.to_digit(10)?.try_into().ok()
        };
        files.push((name.to_owned(), lines.join("\n"), code("run").expect(name), code("resume")));
    }
    files
}

/// What the demo's sandbox holds: what each customer is, whatever its id and whenever it came.
fn held_by_the_demo(site: &Site) -> BTreeMap<String, Value> {
    let own = ["tether_id", "created_at", "updated_at"];
    let lines = json_lines(&site.read("state/sandbox.jsonl"));
    let strip = |mut line: Value| {
        line["customer"].as_object_mut().unwrap().retain(|member, _| !own.contains(&member.as_str()));
        (format!("{} {} {}", line["product"], line["customer"]["external_id"], line["customer"]["email"]), line)
    };
    lines.into_iter().map(strip).collect()
}

/// The demo, with this file of faults or without any.
fn demo(faults: Option<&str>) -> Site {
    let site = Site::demo();
    play(&site, faults);
    site
}

fn play(site: &Site, faults: Option<&str>) {
    site.write("faults.toml", faults.unwrap_or_default());
    let text = site.read("recon.toml").replace("config/demo_faults.toml", "faults.toml");
    site.write("recon.toml", text);
}

#[test]
fn every_file_of_the_page_ends_as_the_page_says() {
    let well = demo(None);
    well.expect(&format!("run --as-of {AS_OF}"), 3);
    let wanted = held_by_the_demo(&well);
    let files = files_of_the_page();
    assert_eq!(files.len(), 6, "the page says how many");
    // At once: each waits for what goes wrong.
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| ends_as_the_page_says(file, &wanted));
        }
    });
}

fn ends_as_the_page_says((name, faults, code, resumed): &FileOfFaults, wanted: &BTreeMap<String, Value>) {
    let site = demo(Some(faults));
    site.expect(&format!("run --as-of {AS_OF}"), *code);
    let report = site.report();
    let left: Vec<&Row> = report.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
    let reasons: BTreeSet<&str> = left.iter().map(|row| row["reason"].as_str()).collect();
    let expected: &[&str] = match name.as_str() {
        "outage" | "restart" => &["unavailable"],
        "key" => &["auth"],
        "moved" => &["configuration"],
        _ => &[],
    };
    assert!(reasons.into_iter().eq(expected.iter().copied()), "{name}: {left:?}");
    match name.as_str() {
        "hiccups" => assert!(report.outcomes().contains_key("applied"), "{name}"),
        "liar" => assert!(report.summary["break_counts"]["not_applied"].as_u64().unwrap() > 0, "{name}"),
        "outage" | "key" => assert!(left.iter().all(|row| row["product"] == "academy"), "{name}"),
        _ => {}
    }
    if let Some(resumed) = resumed {
        play(&site, None);
        site.expect("resume", *resumed);
    }
    // What is not taken is missing there, as the page says.
    if name != "liar" {
        assert_eq!(held_by_the_demo(&site), *wanted, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_played_is_refused_with_its_lines_before_anything_is_sent() {
    let site = demo(Some("[[fault]]\nkind = \"status\"\nstaus = 503\n"));
    for command in ["run", "config check"] {
        let refused = site.expect(command, 2);
        let told = "faults.toml:3:1: fault[1].staus: is no key of `status`; did you mean `status`?";
        assert!(refused.stderr.contains(told), "{command}: {}", refused.stderr);
    }
    play(&site, Some("reset = { every = 2, product = \"acadmy\" }\n"));
    let refused = site.expect("run", 2);
    assert!(refused.stderr.contains("line 1 of the faults is about `acadmy`"), "{}", refused.stderr);
}
