//! One run at a time.

use crate::server::Server;
use crate::site::{Site, ended, wait_until};

#[test]
fn code_7_names_the_process_that_holds_the_lock_and_the_lock_dies_with_it() {
    let site = Site::new(60);
    let server = Server::start(&site, "slow = { every = 1, millis = 200 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    let mut first = site.start("run");
    wait_until("the first run sends", || site.runs().first().is_some_and(|run| run.join("journal.jsonl").exists()));
    for command in ["run", "resume"] {
        let said = site.expect(command, 7).stderr;
        assert!(said.contains(&format!("process {}", first.id())), "{command}: {said}");
    }
    assert_eq!(site.runs().len(), 1, "who is turned away leaves nothing behind");
    // What reads only does not wait for the lock.
    site.expect("plan", 0);
    first.kill().unwrap();
    ended(&mut first);
    site.configure(&server.url, "[tether]\nin_flight = 16\n");
    site.expect("run", 0);
}
