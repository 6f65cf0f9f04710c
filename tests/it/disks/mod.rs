//! Disks that fill up and disks that fail, under the real binary: it stops with 5, says which file, what was tried and what
//! to do, leaves whole files, and what it was told to do then ends every row once.

mod failing;
mod limits;
mod small;

use crate::files::{Report, json};
use crate::resume::{asked_twice, holds_what_was_planned};
use crate::server::Server;
use crate::site::{AS_OF, Ran, Site, contents};
use std::path::Path;
use std::process::Command;

/// Few, so that every write of a run can be tried; a third of each kind.
const ACCOUNTS: usize = 9;

fn run() -> String {
    format!("run --as-of {AS_OF}")
}

/// A site and its Tether; one call at a time, so that each record of the journal is a sync of its own.
fn site_of(accounts: usize) -> (Site, Server) {
    let site = Site::new(accounts);
    let server = Server::start(&site, "");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    (site, server)
}

/// The site's binary with `words`, run by `wrapper`, a command that ends with what it runs.
fn wrapped(site: &Site, wrapper: &[&str], words: &str) -> Ran {
    let own = site.command(words.split_whitespace());
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(own.get_program()).args(own.get_args()).env_clear().current_dir(site.path(""));
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", wrapper[0]));
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The line that a pager shows.
fn first_line(ran: &Ran) -> &str {
    let lines = || ran.stderr.lines();
    lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("no error is told: {ran:?}"))
}

/// A run that a disk cut short ended as it should: with 5, a line that names file, operation and remedy, and whole files.
/// Returns the command that the line names.
fn stopped_cleanly(site: &Site, ran: &Ran, at: &str) -> String {
    assert_eq!(ran.code, 5, "{at}: {ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{at}: {}", ran.stderr);
    let line = first_line(ran);
    assert!(line.starts_with("error: failed to ") && line.contains("state"), "{at}: {line}");
    assert!(line.matches('`').count() >= 4, "{at}: a file and a command: {line}");
    whole_files(site, at);
    if line.contains("`tether-recon resume`") {
        return "resume".to_owned();
    }
    assert!(line.contains("`tether-recon run` again: nothing was sent"), "{at}: {line}");
    let calls = site.path("calls.jsonl");
    assert!(!calls.exists() || site.read("calls.jsonl").is_empty(), "{at}: something was sent: {line}");
    run()
}

/// Every file of the state folder is whole, and none was left aside.
fn whole_files(site: &Site, at: &str) {
    let state = site.path("state");
    if !state.exists() {
        return;
    }
    for (name, bytes) in contents(&state) {
        let shown = name.display();
        let file_name = name.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!file_name.starts_with('.'), "{at}: {shown} was left");
        match name.extension().and_then(|extension| extension.to_str()) {
            Some("json") => drop(json(&state.join(&name))),
            Some("parquet") => {
                assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{at}: {shown} is a part");
            }
            Some("html") => assert!(bytes.trim_ascii_end().ends_with(b"</html>"), "{at}: {shown} is a part"),
            _ => {}
        }
    }
    for folder in site.runs() {
        if folder.join("report/summary.json").exists() {
            Report::read(&folder);
        }
        // What a manifest says of the files beside it is true at every moment.
        if folder.join("manifest.json").exists() {
            let ran = site.ran(&format!("verify {}", folder.display()));
            assert_eq!(ran.code, 0, "{at}: {}", ran.stdout);
        }
    }
}

/// Carries out what was advised, now that the disk is sound, and holds the end against Tether's own log.
fn ends_well(site: &Site, server: Server, command: &str, at: &str) {
    let ran = site.ran(command);
    assert_eq!(ran.code, 0, "{at}: {command}: {ran:?}");
    let report = site.report();
    assert_eq!(report.summary["status"], "complete", "{at}");
    assert_eq!(report.manifest()["status"], "complete", "{at}");
    let (calls, held) = server.stop(site);
    holds_what_was_planned(&report, &calls, &held);
    for email in asked_twice(&calls) {
        let outcome = report.customer("core", email)["outcome"].as_str();
        let possible: &[&str] = if created_first(&calls, email) { &["applied", "created"] } else { &["applied"] };
        assert!(possible.contains(&outcome), "{at}: {email} was asked about twice and is {outcome}");
    }
}

/// Whether the first call about `email` created it, so that its journal may already say so when it is asked again.
fn created_first(calls: &[serde_json::Value], email: &str) -> bool {
    calls.iter().find(|call| call["body"]["email"] == email).is_some_and(|call| call["action"] == "created")
}

/// What the partial report claims is what the first `durable` bytes of the journal prove.
fn claims_only(folder: &Path, durable: usize, at: &str) {
    let journal = std::fs::read(folder.join("journal.jsonl")).unwrap();
    let proven = String::from_utf8(journal[..durable].to_vec()).unwrap().matches("{\"outcome\":").count();
    let report = Report::read(folder);
    let claimed = report.customers.iter().filter(|row| !row["http_status"].is_empty()).count();
    assert_eq!(claimed, proven, "{at}: the report claims what no sync has made durable");
}
