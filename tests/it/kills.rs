//! The real binary, killed again and again at moments of chance, and resumed each time.

use crate::files::json;
use crate::resume::{ACCOUNTS, asked_twice, holds_what_was_planned, slow_site};
use crate::site::{AS_OF, ended};
use std::time::Duration;

const KILLS: usize = 200;

/// A number below `most` that follows from `state`: the same moments in every run of this test.
fn chance(state: &mut u64, most: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % most
}

#[test]
#[ignore = "two hundred kills take minutes"]
fn two_hundred_kills_lose_nothing_and_claim_nothing_wrong() {
    let mut state = 4711;
    let (mut kills, mut sites) = (0, 0);
    while kills < KILLS {
        let (site, server) = slow_site();
        let mut command = format!("run --as-of {AS_OF}");
        loop {
            let mut run = site.start(&command);
            // A moment of chance, from before the journal to behind the last call.
            std::thread::sleep(Duration::from_millis(50 + chance(&mut state, 900)));
            run.kill().unwrap();
            let code = ended(&mut run);
            assert!([-1, 0].contains(&code), "exit {code}: {}", site.read("stderr"));
            if code == 0 {
                break;
            }
            kills += 1;
            // Before it says that it sends, nothing was sent: then there is nothing to resume.
            let manifest = site.runs().last().map(|run| run.join("manifest.json")).filter(|path| path.exists());
            let begun = manifest.is_some_and(|path| json(&path)["status"] == "sending");
            command = if begun { "resume".to_owned() } else { format!("run --as-of {AS_OF}") };
            // The last start of each site is left alone.
            if kills % 12 == 0 && begun {
                site.expect(&command, 0);
                break;
            }
        }
        sites += 1;
        let report = site.report();
        assert_eq!(report.summary["status"], "complete", "site {sites}");
        let (calls, held) = server.stop(&site);
        holds_what_was_planned(&report, &calls, &held);
        for email in asked_twice(&calls) {
            let outcome = report.customer("core", email)["outcome"].clone();
            assert!(
                ["applied", "created"].contains(&outcome.as_str()),
                "{email} was asked about twice and is {outcome}"
            );
        }
        assert_eq!(report.outcome_of().len(), ACCOUNTS);
    }
}
