//! A disk that refuses one call: every one of those that a small run makes, by `strace`.

use super::{ACCOUNTS, claims_only, ends_well, run, site_of, stopped_cleanly, wrapped};
use crate::server::Server;
use crate::site::{Ran, Site, contents};

/// What is refused: the system calls, with which error, and of which file (of the state folder; `RUN` is the run's folder)
/// if not of all.
struct Fault {
    calls: &'static str,
    error: &'static str,
    file: Option<&'static str>,
}

const fn fault(calls: &'static str, error: &'static str, file: Option<&'static str>) -> Fault {
    Fault { calls, error, file }
}

/// What a run refused by the `nth` call of each thread ended with, and what the trace says of the calls.
fn struck(site: &Site, command: &str, fault: &Fault, nth: usize) -> (Ran, String) {
    let Fault { calls, error, file } = fault;
    // A file for each thread: what one does is then told in one piece.
    let traces = site.path("traces");
    let _ = std::fs::remove_dir_all(&traces);
    std::fs::create_dir(&traces).unwrap();
    let injected = format!("inject={calls}:error={error}:when={nth}");
    let calls_told = format!("trace={calls},write,fdatasync");
    let mut wrapper: Vec<String> = ["strace", "-ff", "--seccomp-bpf", "-qq", "-y", "-s0"].map(str::to_owned).to_vec();
    wrapper.extend(["-o".to_owned(), traces.join("of").display().to_string(), "-e".to_owned(), calls_told]);
    wrapper.extend(["-e".to_owned(), injected]);
    if let Some(file) = file {
        let run = site.runs().pop().unwrap_or_default();
        let path = file.strip_prefix("RUN/").map_or_else(|| site.path("state").join(file), |name| run.join(name));
        wrapper.extend(["-P".to_owned(), path.display().to_string()]);
    }
    let words: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let ran = wrapped(site, &words, command);
    let trace = contents(&traces).into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
    (ran, trace)
}

/// How many bytes of the journal were durable before the first refusal, by the trace.
fn durable_bytes(trace: &str) -> usize {
    let (mut written, mut durable) = (0, 0);
    for line in trace.lines().filter(|line| line.contains("journal.jsonl>")) {
        if line.contains("(INJECTED)") {
            break;
        }
        let result = line.rsplit_once("= ").and_then(|(_, result)| result.trim().parse::<usize>().ok());
        match result {
            Some(bytes) if line.starts_with("write(") => written += bytes,
            Some(0) if line.starts_with("fdatasync(") => durable = written,
            _ => {}
        }
    }
    durable
}

/// Strikes each occurrence in turn until a run is not struck any more; `first` makes ready and names the command.
/// Returns how many were struck.
fn every_occurrence(fault: &Fault, first: impl Fn(&Site) -> String) -> usize {
    for nth in 1.. {
        let (site, server) = site_of(ACCOUNTS);
        let command = first(&site);
        let at = format!("{} {} of {:?}, {nth}", fault.error, fault.calls, fault.file);
        let (ran, trace) = struck(&site, &command, fault, nth);
        if !trace.contains("(INJECTED)") {
            assert_eq!(ran.code, 0, "{at}: {ran:?}");
            return nth - 1;
        }
        judge(&site, server, &ran, &trace, &at);
    }
    unreachable!("a run ends")
}

fn judge(site: &Site, server: Server, ran: &Ran, trace: &str, at: &str) {
    let next = if ran.code == 0 {
        // What the next start paces itself by may be lost, and a folder that is there need not be made.
        let said = ran.stderr.contains("the next start will pace itself cautiously");
        assert!(
            said || trace.lines().all(|line| !line.contains("INJECTED") || line.contains("mkdir")),
            "{at}: {ran:?}"
        );
        "resume".to_owned()
    } else {
        stopped_cleanly(site, ran, at)
    };
    // Of the journal's own calls the trace says how far it was durable.
    let of_sync = trace.lines().any(|line| line.contains("INJECTED") && line.starts_with("fdatasync("));
    if of_sync {
        assert!(ran.stderr.contains("what is known so far"), "{at}: {}", ran.stderr);
        // A resumed run writes its journal's end again, here all of it; a new one begins behind the header.
        let durable = if site.path("before").exists() {
            let before = site.read("before");
            let again = |line: &str| line.starts_with("write(") && line.ends_with(&format!(", {before}) = {before}"));
            assert!(trace.lines().any(again), "{at}: a sync failed before, and the journal's end is not written again");
            durable_bytes(trace).max(before.parse().unwrap())
        } else {
            header_bytes(site) + durable_bytes(trace)
        };
        claims_only(&site.runs().pop().unwrap(), durable, at);
    }
    ends_well(site, server, &next, at);
}

/// The journal is born with its header, under another name.
fn header_bytes(site: &Site) -> usize {
    let journal = site.runs().pop().unwrap().join("journal.jsonl");
    let bytes = std::fs::read(journal).unwrap();
    bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1
}

#[test]
#[ignore = "needs strace, and every sync of the journal is a run"]
fn strace_every_sync_of_the_journal_may_fail() {
    for (error, in_flight) in [("EIO", 1), ("ENOSPC", 1), ("EIO", 4)] {
        let ready = |site: &Site| {
            site.write(
                "recon.toml",
                site.read("recon.toml").replace("in_flight = 1", &format!("in_flight = {in_flight}")),
            );
            run()
        };
        let struck = every_occurrence(&fault("fdatasync", error, None), ready);
        eprintln!("{error} on fdatasync, {in_flight} in flight: {struck} points");
        assert!(struck >= 4, "{struck}: no batch holds more than the records of a few calls");
    }
}

/// A run whose journal was cut short in the middle: what a resumed one does with its file can be named.
fn interrupted(site: &Site) -> String {
    let (ran, _) = struck(site, &run(), &fault("fdatasync", "EIO", None), 6);
    assert_eq!(ran.code, 5, "{ran:?}");
    let journal = site.runs().pop().unwrap().join("journal.jsonl");
    site.write("before", std::fs::metadata(journal).unwrap().len().to_string());
    "resume".to_owned()
}

#[test]
#[ignore = "needs strace, and every call on the journal is a run"]
fn strace_every_call_of_a_resumed_run_on_its_journal_may_fail() {
    for (calls, error, least) in [
        ("write,writev,pwrite64", "ENOSPC", 3),
        ("write,writev,pwrite64", "EIO", 3),
        ("fdatasync", "EIO", 2),
        ("fsync", "EIO", 1),
        ("ftruncate", "EIO", 1),
        ("lseek", "EIO", 1),
    ] {
        let struck = every_occurrence(&fault(calls, error, Some("RUN/journal.jsonl")), interrupted);
        eprintln!("{error} on {calls} of the journal: {struck} points");
        assert!(struck >= least, "{error} on {calls}: {struck}");
    }
}

#[test]
#[ignore = "needs strace, and every file of a run is a run"]
fn strace_every_file_of_a_run_may_not_appear() {
    for (calls, error, least) in [
        // Each file, its folder, and the folders themselves.
        ("fsync", "EIO", 20),
        ("fsync", "ENOSPC", 20),
        ("rename,renameat,renameat2", "ENOSPC", 10),
        ("rename,renameat,renameat2", "EIO", 10),
        ("mkdir", "ENOSPC", 4),
    ] {
        let struck = every_occurrence(&fault(calls, error, None), |_| run());
        eprintln!("{error} on {calls}: {struck} points");
        assert!(struck >= least, "{error} on {calls}: {struck}");
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_the_lock_may_not_be_written() {
    for (calls, error) in [("openat", "EIO"), ("openat", "ENOSPC"), ("write", "ENOSPC"), ("flock", "EIO")] {
        let ready = |site: &Site| {
            std::fs::create_dir(site.path("state")).unwrap();
            site.write("state/lock", "");
            run()
        };
        let struck = every_occurrence(&fault(calls, error, Some("lock")), ready);
        assert_eq!(struck, 1, "{error} on {calls}");
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_no_process_that_a_run_starts_inherits_the_lock() {
    let (site, _server) = site_of(ACCOUNTS);
    std::fs::create_dir(site.path("state")).unwrap();
    let nothing = fault("openat", "EIO", Some("lock"));
    let (ran, trace) = struck(&site, &run(), &nothing, 99);
    assert_eq!(ran.code, 0, "{ran:?}");
    let opened: Vec<&str> =
        trace.lines().filter(|line| line.starts_with("openat(") && line.contains("/lock")).collect();
    assert!(!opened.is_empty() && opened.iter().all(|line| line.contains("O_CLOEXEC")), "{opened:?}");
}

#[test]
#[ignore = "needs strace"]
fn strace_code_8_when_the_journal_or_the_baseline_cannot_be_read() {
    for (file, command, error) in [("RUN/journal.jsonl", "resume", "EIO"), ("baseline/core.parquet", "run", "EIO")] {
        let (site, server) = site_of(ACCOUNTS);
        let first = if command == "resume" { interrupted(&site) } else { run() };
        if command == "run" {
            site.expect(&first, 0);
        }
        let (ran, _) = struck(&site, command, &fault("openat", error, Some(file)), 1);
        let line = super::first_line(&ran);
        assert_eq!(ran.code, 8, "{ran:?}");
        assert!(line.contains("failed to read the ") && line.contains(file.rsplit('/').next().unwrap()), "{line}");
        super::whole_files(&site, file);
        ends_well(&site, server, "resume", file);
    }
}
