//! One run at a time.

use crate::server::Server;
use crate::site::{Site, ended, signal, wait_until};
use std::fs::File;
use std::process::Child;

/// A site whose Tether takes its time, so that whoever holds the lock holds it for long.
fn slow() -> (Site, Server) {
    let site = Site::new(60);
    let server = Server::start(&site, "slow = { every = 1, millis = 200 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    (site, server)
}

/// Waits until the site's first run sends.
fn sends(site: &Site) {
    wait_until("the run sends", || site.runs().first().is_some_and(|run| run.join("journal.jsonl").exists()));
}

#[test]
fn code_7_names_the_process_that_holds_the_lock_and_the_lock_dies_with_it() {
    let (site, server) = slow();
    let mut first = site.start("run");
    sends(&site);
    for command in ["run", "resume"] {
        let said = site.expect(command, 7).stderr;
        assert!(said.contains(&format!("process {}", first.id())), "{command}: {said}");
        assert!(said.contains("(`run`, since 20"), "{command}: {said}");
    }
    assert_eq!(site.runs().len(), 1, "who is turned away leaves nothing behind");
    // What reads only does not wait for the lock.
    site.expect("plan", 0);
    first.kill().unwrap();
    ended(&mut first);
    let left = site.read("state/lock");
    assert!(left.contains(&first.id().to_string()), "a killed holder leaves its name: {left:?}");
    site.configure(&server.url, "[tether]\nin_flight = 16\n");
    site.expect("run", 0);
    assert_eq!(site.read("state/lock"), "");
}

/// Starts each of `commands` at the same moment.
fn start_all(site: &Site, commands: &[&str]) -> Vec<Child> {
    let start = |(n, command): (usize, &&str)| {
        let file = |name: &str| File::create(site.path(&format!("{name}{n}"))).unwrap();
        site.command(command.split_whitespace()).stdout(file("out")).stderr(file("err")).spawn().unwrap()
    };
    commands.iter().enumerate().map(start).collect()
}

#[test]
fn of_twelve_starts_at_one_moment_one_runs_and_the_others_end_with_7_before_they_read_anything() {
    let (site, server) = slow();
    let mut all = start_all(&site, &["run"; 12]);
    // The one that runs takes 40 calls of 200 ms: the others are gone long before.
    let mut codes = vec![None; all.len()];
    wait_until("eleven have ended", || {
        for (code, child) in codes.iter_mut().zip(&mut all) {
            *code = child.try_wait().unwrap().map(|status| status.code());
        }
        codes.iter().flatten().count() >= 11
    });
    let winner = codes.iter().position(Option::is_none).expect("one still runs");
    for (n, code) in codes.iter().enumerate().filter(|(n, _)| *n != winner) {
        let said = site.read(&format!("err{n}"));
        assert_eq!(*code, Some(Some(7)), "{said}");
        assert!(said.contains(&format!("process {}", all[winner].id())), "{said}");
        assert!(!said.contains("reading exports"), "{said}");
    }
    assert_eq!(ended(&mut all[winner]), 0, "{}", site.read(&format!("err{winner}")));
    assert_eq!(site.runs().len(), 1);
    let (calls, held) = server.stop(&site);
    assert_eq!((calls.len(), held.len()), (40, 60), "each customer is asked about once");
}

#[test]
fn run_resume_and_plan_at_one_moment_never_send_side_by_side() {
    let site = Site::new(60);
    let server = Server::start(&site, "");
    site.configure(&server.url, "");
    let commands = ["run", "resume", "plan", "run", "resume", "plan", "run", "resume", "plan", "run", "run", "run"];
    let mut all = start_all(&site, &commands);
    for (n, child) in all.iter_mut().enumerate() {
        let code = ended(child);
        let possible: &[i32] = if commands[n] == "plan" { &[0] } else { &[0, 7] };
        assert!(possible.contains(&code), "{}: {code}: {}", commands[n], site.read(&format!("err{n}")));
    }
    // A `resume` may have held the lock in the moment that counted.
    site.expect("run", 0);
    let (calls, held) = server.stop(&site);
    assert_eq!((calls.len(), held.len()), (40, 60), "each customer is asked about once");
}

#[cfg(unix)]
#[test]
fn a_holder_that_is_stopped_still_holds() {
    let (site, server) = slow();
    let mut first = site.start("run");
    sends(&site);
    signal(&first, "STOP");
    let said = site.expect("resume", 7).stderr;
    assert!(said.contains(&format!("process {}", first.id())), "{said}");
    signal(&first, "CONT");
    assert_eq!(ended(&mut first), 0, "{}", site.read("stderr"));
    assert_eq!(server.stop(&site).0.len(), 40);
}
