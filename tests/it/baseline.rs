//! `baseline rebuild`: what the runs left is what their journals tell, however the nights went.

use crate::resume::{outcomes_in_journal, slow_site};
use crate::server::Server;
use crate::site::{AS_OF, Site, ended, signal};
use std::path::PathBuf;

const FILE: &str = "state/baseline/core.parquet";

/// The run that is not among `known`.
fn new_run(site: &Site, known: &[PathBuf]) -> Option<PathBuf> {
    site.runs().into_iter().find(|run| !known.contains(run))
}

/// Everybody pays another amount.
fn raise(site: &Site, from: u32, to: u32) {
    let amounts = site.read("in/subscriptions.csv");
    site.write("in/subscriptions.csv", amounts.replace(&format!(",month,{from}"), &format!(",month,{to}")));
}

/// Starts a run, waits until five rows have their outcome, and ends it by `how`; -1 is a process that was killed.
fn cut(site: &Site, how: &str, code: i32) {
    let known = site.runs();
    let mut run = site.start(&format!("run --as-of {AS_OF}"));
    outcomes_in_journal(|| new_run(site, &known), 5);
    signal(&run, how);
    assert_eq!(ended(&mut run), code, "{}", site.read("stderr"));
}

/// Six runs that sent: one interrupted and resumed, one killed and closed by the next, one of a single customer, one applied;
/// and a plan and a refused night between them.
fn nights() -> (Site, Server) {
    let (site, server) = slow_site();
    cut(&site, "TERM", 5);
    site.expect("resume", 0);
    raise(&site, 1, 21);
    cut(&site, "KILL", -1);
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    raise(&site, 21, 31);
    site.expect(&format!("plan --as-of {AS_OF}"), 0);
    site.expect(&format!("run --as-of {AS_OF} --only cus_7"), 0);
    let settings = site.read("recon.toml");
    site.write("recon.toml", format!("{settings}\n[guards]\nmax_changed_percent = 1\n"));
    site.expect(&format!("run --as-of {AS_OF}"), 4);
    let planned = site.expect(&format!("plan --as-of {AS_OF} --limit 9 --allow max_changed_percent"), 0).stdout;
    let line = planned.lines().find_map(|line| line.strip_prefix("approve it: tether-recon ")).unwrap();
    site.expect(line, 0);
    (site, server)
}

fn baseline_hash(site: &Site) -> String {
    site.ran(&format!("plan --as-of {AS_OF}"));
    site.report().manifest()["baseline_hash"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_rebuilt_is_what_the_runs_left_to_the_byte() {
    let (site, server) = nights();
    server.end(&site);
    let (left, hash) = (std::fs::read(site.path(FILE)).unwrap(), baseline_hash(&site));

    let same = site.expect("baseline rebuild", 0).stdout;
    assert!(same.starts_with("the baseline is as the kept runs left it; nothing is changed, from 5 runs: "), "{same}");
    assert!(same.contains("planned against just what those before had left: 5 of 5 runs"), "{same}");
    let line = same.lines().find(|line| line.starts_with("  core")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    // Those that Tether held as they should be were never asked about.
    assert_eq!((cells[1], cells[3], cells[4..].join(" ")), ("5", "90", "the same".to_owned()), "{same}");

    for (name, damage) in [("there is none", None), ("it cannot be read (", Some("PAR1 and then nothing"))] {
        std::fs::remove_file(site.path(FILE)).unwrap();
        if let Some(damage) = damage {
            site.write(FILE, damage);
            let refused = site.expect(&format!("plan --as-of {AS_OF}"), 8);
            assert!(refused.stderr.contains("baseline rebuild"), "{}", refused.stderr);
        }
        let dry = site.expect("baseline rebuild --dry-run", 0).stdout;
        assert!(dry.starts_with("the baseline would be made again, from 5 runs") && dry.contains(name), "{dry}");
        assert_eq!(site.path(FILE).exists(), damage.is_some(), "a dry run makes nothing");
        let made = site.expect("baseline rebuild", 0).stdout;
        assert!(made.starts_with("the baseline was made again, from 5 runs") && made.contains(name), "{made}");
        assert!(std::fs::read(site.path(FILE)).unwrap() == left, "{name}: other bytes");
        assert_eq!(baseline_hash(&site), hash, "{name}");
    }
}

#[test]
fn what_the_kept_runs_cannot_tell_is_refused_and_said() {
    let (site, server) = nights();
    server.end(&site);
    let left = std::fs::read(site.path(FILE)).unwrap();
    // The oldest run is the one that created most.
    let mut runs = site.runs();
    let oldest = runs.remove(0);
    let id = oldest.file_name().unwrap().to_string_lossy().into_owned();
    std::fs::rename(&oldest, site.path("aside")).unwrap();

    let refused = site.expect("baseline rebuild", 8);
    let first = refused.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(
        first.contains(&format!("run {id}, which came before ")) && first.contains("--allow-incomplete"),
        "{first}"
    );
    let dry = site.expect("baseline rebuild --dry-run", 0).stdout;
    assert!(dry.contains("without --allow-incomplete it is refused"), "{dry}");
    assert!(std::fs::read(site.path(FILE)).unwrap() == left, "a refusal changes nothing");

    // A journal that was touched tells nothing at all; neither does one that is gone.
    std::fs::rename(site.path("aside"), &oldest).unwrap();
    let journal = oldest.join("journal.jsonl");
    let whole = std::fs::read(&journal).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&journal, damaged).unwrap();
    let refused = site.expect("baseline rebuild", 8).stderr;
    assert!(refused.contains(&format!("run {id} cannot be read: ")), "{refused}");
    // Cut at a line's end it is sound by itself, and not what the manifest names.
    let end = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    std::fs::write(&journal, &whole[..end]).unwrap();
    let refused = site.expect("baseline rebuild", 8).stderr;
    assert!(
        refused.contains(&format!("run {id} cannot be read: ")) && refused.contains("the manifest names"),
        "{refused}"
    );
    std::fs::remove_file(&journal).unwrap();
    let refused = site.expect("baseline rebuild", 8).stderr;
    assert!(refused.contains(&format!("run {id} cannot be read: its journal is missing")), "{refused}");

    // All that the others tell, on somebody's word.
    let made = site.expect("baseline rebuild --allow-incomplete", 0).stdout;
    assert!(made.contains("what the kept runs cannot tell:"), "{made}");
    std::fs::write(&journal, whole).unwrap();
    // With all runs back there is nothing to allow.
    site.expect("baseline rebuild", 0);
    assert!(std::fs::read(site.path(FILE)).unwrap() == left);
}

#[test]
fn runs_whose_replies_show_nobody_leave_nothing_to_put_there() {
    let site = Site::new(3);
    let server = Server::with_gate(&site, "", false);
    site.configure(&server.url, "");
    // Its gate is closed: the one reply says that and no more.
    site.expect(&format!("run --as-of {AS_OF} --only cus_2"), 0);
    let made = site.expect("baseline rebuild", 0).stdout;
    let line = made.lines().find(|line| line.starts_with("  core")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), "core 0 0 0 there is none", "{made}");
    assert!(!site.path(FILE).exists());
    server.end(&site);
}

#[test]
fn without_the_runs_that_taught_it_a_baseline_is_not_replaced_by_less() {
    let site = Site::new(6);
    let server = Server::start(&site, "");
    site.configure(&server.url, "");
    let refused = site.expect("baseline rebuild", 8).stderr;
    assert!(refused.contains("no kept run of ") && !site.path("state/baseline").exists(), "{refused}");
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let left = std::fs::read(site.path(FILE)).unwrap();
    // Every run is gone; the next one names none, and was planned against a baseline all the same.
    std::fs::remove_dir_all(site.path("state/runs")).unwrap();
    raise(&site, 1, 21);
    site.expect(&format!("run --as-of {AS_OF} --only cus_1"), 0);
    let refused = site.expect("baseline rebuild", 8).stderr;
    assert!(refused.contains("is the oldest that is kept, and a baseline stood before it (and 1 more)"), "{refused}");
    let dry = site.expect("baseline rebuild --dry-run", 0).stdout;
    assert!(dry.contains("0 more, 3 fewer, 0 otherwise, of 4"), "{dry}");
    assert!(dry.contains("core: the present baseline holds 3 customers ("), "{dry}");
    assert!(std::fs::read(site.path(FILE)).unwrap() != left, "the second night taught it");
    server.stop(&site);
}

#[test]
fn without_the_newest_run_what_it_taught_is_not_rolled_back_unsaid() {
    let site = Site::new(6);
    let server = Server::start(&site, "");
    site.configure(&server.url, "");
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    for (from, to) in [(1, 21), (21, 31)] {
        raise(&site, from, to);
        site.expect(&format!("run --as-of {AS_OF}"), 0);
    }
    server.end(&site);
    let left = std::fs::read(site.path(FILE)).unwrap();
    let newest = site.runs().pop().unwrap();
    std::fs::rename(&newest, site.path("aside")).unwrap();
    // Nothing that is kept names the run that is gone: only what it left shows that it was there.
    let refused = site.expect("baseline rebuild", 8).stderr;
    assert!(refused.contains("core: the present baseline holds a later reply of "), "{refused}");
    assert!(refused.contains("--allow-incomplete"), "{refused}");
    assert!(std::fs::read(site.path(FILE)).unwrap() == left, "a refusal changes nothing");
    std::fs::rename(site.path("aside"), &newest).unwrap();
    site.expect("baseline rebuild", 0);
    std::fs::rename(&newest, site.path("aside")).unwrap();
    site.expect("baseline rebuild --allow-incomplete", 0);
    assert!(std::fs::read(site.path(FILE)).unwrap() != left);
}
