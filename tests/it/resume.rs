//! A run that is cut short, however it is cut, is finished without a loss and without a second creation.

use crate::files::{Report, json};
use crate::server::Server;
use crate::site::{AS_OF, Site, ended, signal, wait_until};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub const ACCOUNTS: usize = 90;

/// A site whose Tether takes its time, so that a run can be met in the middle of sending.
pub fn slow_site() -> (Site, Server) {
    let site = Site::new(ACCOUNTS);
    let server = Server::start(&site, "slow = { every = 1, millis = 100 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 4\n");
    (site, server)
}

/// Waits until the journal of the run in `folder` holds `count` outcomes.
pub fn outcomes_in_journal(folder: impl Fn() -> Option<PathBuf>, count: usize) {
    wait_until("rows have their outcome", || {
        let journal = folder().map(|run| run.join("journal.jsonl"));
        let text = journal.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        text.matches("{\"outcome\":").count() >= count
    });
}

/// Every row has one outcome, Tether holds what was planned, and nobody was created twice.
pub fn holds_what_was_planned(report: &Report, calls: &[Value], held: &[Value]) {
    let accounts = report.outcome_of().len();
    assert_eq!(held.len(), accounts, "a customer is missing, or stands twice");
    let mut created: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| call["action"] == "created") {
        *created.entry(call["body"]["email"].as_str().unwrap()).or_default() += 1;
    }
    assert!(created.values().all(|times| *times == 1), "created twice: {created:?}");
    assert_eq!(created.len(), accounts / 3);
    for row in &report.customers {
        let shown = held.iter().find(|customer| customer["email"] == row["email"].as_str()).unwrap();
        assert_eq!(shown["external_id"], row["external_id"].as_str());
        assert_eq!(format!("{:.2}", shown["mrr"].as_f64().unwrap()), row["mrr_desired"], "{}", row["email"]);
        let outcome = row["outcome"].as_str();
        let possible: &[&str] = match row["predicted"].as_str() {
            "create" => &["created", "applied"],
            "update" => &["updated", "applied"],
            _ => &["unchanged"],
        };
        assert!(possible.contains(&outcome), "{} was foretold as {}", outcome, row["predicted"]);
    }
}

#[test]
fn invariant_06_after_kill_9_resume_ends_every_row_once_and_creates_nobody_twice() {
    let (site, server) = slow_site();
    let mut run = site.start(&format!("run --as-of {AS_OF}"));
    outcomes_in_journal(|| site.runs().first().cloned(), 5);
    run.kill().unwrap();
    assert_eq!(ended(&mut run), -1, "it had ended before it was killed");

    let folder = site.runs().pop().unwrap();
    let begun = json(&folder.join("manifest.json"));
    assert_eq!(begun["status"], "sending");
    let before = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    // What left without an outcome may have been applied: that is what the resumed run must say.
    let whole = before.rsplit_once('\n').unwrap().0;
    let open = whole.matches("{\"intent\":").count() - whole.matches("{\"outcome\":").count();
    site.expect("report latest", 0);
    let found = site.report();
    let unknown: Vec<_> = found.customers.iter().filter(|row| row["outcome"] == "unknown").collect();
    assert_eq!(unknown.len(), open, "what left and was not answered may have been applied");
    assert!(unknown.iter().all(|row| row["reason"] == "interrupted" && row["sent"] == "true"));
    // As much as a crash may leave at the end.
    site.append(&relative(&site, &folder.join("journal.jsonl")), "{\"seq\":99");

    let ran = site.expect("resume", 0);
    assert!(ran.stderr.contains("torn"), "{}", ran.stderr);
    assert_eq!(site.runs().len(), 1, "the same run's folder");
    let report = site.report();
    assert_eq!(report.summary["status"], "complete");
    assert_eq!(report.manifest()["plan_hash"], begun["plan_hash"]);
    let (calls, held) = server.stop(&site);
    holds_what_was_planned(&report, &calls, &held);
    assert_eq!(held.len(), ACCOUNTS);
    let ambiguous = report.outcomes().get("applied").copied().unwrap_or(0);
    assert!(ambiguous <= open, "{ambiguous} rows are called ambiguous, {open} were under way");
    // A call that took effect and whose outcome was not durable is never claimed as a clean update.
    let twice: BTreeSet<_> = asked_twice(&calls);
    for email in twice {
        assert_eq!(report.customer("core", email)["outcome"], "applied", "{email} was asked about twice");
    }
    assert_eq!(site.expect("resume", 0).stdout, "nothing to resume: no run was interrupted\n");
    site.expect("run", 0);
    assert_eq!(site.report().outcomes(), BTreeMap::from([("unchanged", ACCOUNTS)]));
}

pub fn asked_twice(calls: &[Value]) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    calls.iter().filter_map(|call| call["body"]["email"].as_str()).filter(|email| !seen.insert(*email)).collect()
}

#[test]
fn invariant_09_after_kill_9_every_file_under_its_name_is_whole() {
    let site = Site::new(300);
    // Killed at another moment each time; whatever stands there then, stands there whole.
    for moment in ["accounting.parquet", "plan.parquet", "manifest.json", "journal.jsonl", "report/summary.json"] {
        let known = site.runs();
        let mut run = site.start(&format!("run --as-of {AS_OF}"));
        wait_until("the run has come that far, or has ended", || {
            let own = site.runs().into_iter().find(|run| !known.contains(run));
            own.is_some_and(|own| own.join(moment).exists()) || run.try_wait().unwrap().is_some()
        });
        // It may have ended in this very moment.
        let _ = run.kill();
        ended(&mut run);
        for folder in site.runs() {
            let Some(manifest) = folder.join("manifest.json").exists().then(|| json(&folder.join("manifest.json")))
            else {
                continue;
            };
            let plan = std::fs::read(folder.join("plan.parquet")).unwrap();
            let hash = Sha256::digest(&plan).iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            });
            assert_eq!(manifest["plan_hash"], hash.as_str(), "{moment}");
            if folder.join("report/summary.json").exists() {
                Report::read(&folder);
            }
        }
    }
    // And the next run finds its way through what they left.
    site.expect(&format!("run --as-of {AS_OF}"), 0);
}

#[test]
fn code_5_on_sigterm_with_a_partial_report_and_resume_finishes() {
    let (site, server) = slow_site();
    let mut run = site.start(&format!("run --as-of {AS_OF}"));
    outcomes_in_journal(|| site.runs().first().cloned(), 5);
    signal(&run, "TERM");
    assert_eq!(ended(&mut run), 5, "{}", site.read("stderr"));

    let partial = site.report();
    assert_eq!(partial.outcome_of().len(), ACCOUNTS, "the partial report has every row");
    let left: Vec<_> = partial.customers.iter().filter(|row| row["outcome"] == "not_attempted").collect();
    assert!(!left.is_empty() && left.iter().all(|row| row["reason"] == "interrupted"));
    assert!(partial.outcomes().keys().all(|outcome| *outcome != "unknown"), "what was under way was seen to its end");
    assert_eq!((&partial.summary["status"], &partial.summary["exit_code"]), (&"incomplete".into(), &5.into()));
    assert!(site.read("stdout").contains("resume"), "{}", site.read("stdout"));

    site.expect("resume", 0);
    assert_eq!(site.runs().len(), 1);
    let report = site.report();
    let (calls, held) = server.stop(&site);
    holds_what_was_planned(&report, &calls, &held);
    assert_eq!(held.len(), ACCOUNTS);
    assert!(asked_twice(&calls).is_empty(), "a clean stop leaves nothing to ask again");
    assert_eq!(report.outcomes().get("applied"), None);
}

#[test]
fn a_second_signal_leaves_at_once_with_code_5_and_nothing_is_lost() {
    let site = Site::new(ACCOUNTS);
    // A server that answers only after the test has lost its patience with it.
    let server = Server::start(&site, "slow = { every = 1, millis = 20000 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 2\n");
    let began = std::time::Instant::now();
    let mut run = site.start(&format!("run --as-of {AS_OF}"));
    wait_until("calls are under way", || {
        let journal = site.runs().first().map(|run| run.join("journal.jsonl"));
        journal.and_then(|path| std::fs::read_to_string(path).ok()).is_some_and(|text| text.contains("{\"intent\":"))
    });
    signal(&run, "INT");
    wait_until("the first signal was heard", || site.read("stderr").contains("interrupted"));
    signal(&run, "TERM");
    assert_eq!(ended(&mut run), 5, "{}", site.read("stderr"));
    assert!(began.elapsed().as_secs() < 15, "it waited for what was under way");
    assert_eq!(json(&site.runs()[0].join("manifest.json"))["status"], "sending");
    drop(server);
    let server = Server::start(&site, "");
    site.configure(&server.url, "");
    site.expect("resume", 0);
    let report = site.report();
    let (_, held) = server.stop(&site);
    assert_eq!((report.outcome_of().len(), held.len()), (ACCOUNTS, ACCOUNTS));
}

#[test]
fn a_new_run_takes_what_the_interrupted_one_proved_and_plans_anew() {
    let (site, server) = slow_site();
    let mut run = site.start("run");
    outcomes_in_journal(|| site.runs().first().cloned(), 5);
    run.kill().unwrap();
    ended(&mut run);
    site.expect("run", 0);
    let [first, second] = &site.runs()[..] else { panic!("two runs") };
    assert_eq!(json(&first.join("manifest.json"))["status"], "closed");
    let report = Report::read(second);
    assert!(report.outcomes()["unchanged"] >= ACCOUNTS / 3 + 5, "{:?}", report.outcomes());
    let (calls, held) = server.stop(&site);
    let created = calls.iter().filter(|call| call["action"] == "created").count();
    assert_eq!((created, held.len()), (ACCOUNTS / 3, ACCOUNTS));
    site.expect("resume", 0);
}

#[test]
fn code_8_when_an_input_changed_or_the_journal_is_damaged_and_both_are_named() {
    let (site, server) = slow_site();
    let mut run = site.start("run");
    outcomes_in_journal(|| site.runs().first().cloned(), 3);
    run.kill().unwrap();
    ended(&mut run);

    let contacts = site.read("in/contacts.csv");
    site.append("in/contacts.csv", "4711,Some,Body,somebody@example.com,,\n");
    let said = site.expect("resume", 8).stderr;
    assert!(said.contains("in/contacts.csv") && said.contains("changed"), "{said}");
    site.write("in/contacts.csv", contacts);

    let journal = relative(&site, &site.runs()[0].join("journal.jsonl"));
    let sound = site.read(&journal);
    site.write(&journal, sound.replacen("\"attempt\":1", "\"attempt\":2", 1));
    for command in ["resume", "run", "report latest"] {
        let said = site.expect(command, 8).stderr;
        assert!(said.contains("journal.jsonl") && said.contains("line 2"), "{command}: {said}");
    }
    site.write(&journal, sound);
    site.expect("resume", 0);
    assert_eq!(server.stop(&site).1.len(), ACCOUNTS);
}

fn relative(site: &Site, path: &Path) -> String {
    path.strip_prefix(site.path("")).unwrap().to_string_lossy().into_owned()
}
