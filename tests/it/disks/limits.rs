//! Other ways in which files are refused: limits, state folders that go away, output that nobody takes.

use super::{ends_well, run, site_of, stopped_cleanly, wrapped};
use crate::resume::slow_site;
use crate::site::{Site, ended, wait_until};
use std::fs::File;

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_the_size_of_files_is_told_and_not_a_silent_end() {
    // Units of 512 bytes: a plan that does not fit, a journal, a page of the report.
    for blocks in [1, 12, 24, 64] {
        let (site, server) = site_of(30);
        let limited = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let ran = wrapped(&site, &["sh", "-c", &limited], &run());
        let at = format!("{blocks} blocks");
        let next = stopped_cleanly(&site, &ran, &at);
        assert!(ran.stderr.contains("File too large") && ran.stderr.contains("ulimit -f"), "{at}: {}", ran.stderr);
        ends_well(&site, server, &next, &at);
    }
}

fn sends(site: &Site) {
    wait_until("the run sends", || {
        let journal = site.runs().first().map(|run| run.join("journal.jsonl"));
        journal.and_then(|path| std::fs::read_to_string(path).ok()).is_some_and(|text| text.contains("{\"outcome\":"))
    });
}

#[cfg(unix)]
#[test]
fn a_state_folder_that_is_removed_ends_the_run_and_no_report_says_that_nothing_was_sent() {
    let (site, _server) = slow_site();
    let mut running = site.start(&run());
    sends(&site);
    let calls_before = || site.read("calls.jsonl").lines().count();
    std::fs::remove_dir_all(site.path("state")).unwrap();
    assert_eq!(ended(&mut running), 5, "{}", site.read("stderr"));
    let said = site.read("stderr");
    assert!(said.contains("journal.jsonl") && said.contains("removed while it was being written"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(site.runs().is_empty(), "a report without a journal was written");
    assert!(calls_before() < 50, "it went on sending");
}

#[cfg(unix)]
#[test]
fn a_state_folder_that_is_moved_away_can_be_put_back_and_resumed() {
    let (site, server) = slow_site();
    let mut running = site.start(&run());
    sends(&site);
    std::fs::rename(site.path("state"), site.path("elsewhere")).unwrap();
    let code = ended(&mut running);
    let said = site.read("stderr");
    assert!([5, 8].contains(&code) && said.contains("put back what was removed"), "{code}: {said}");
    assert!(!said.contains("panicked") && site.runs().is_empty(), "{said}");
    // The program may have made folders of its own there since.
    let _ = std::fs::remove_dir_all(site.path("state"));
    std::fs::rename(site.path("elsewhere"), site.path("state")).unwrap();
    ends_well(&site, server, "resume", "moved away");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_nobody_takes_changes_neither_what_is_done_nor_the_exit_code() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let (site, server) = site_of(9);
    let status = site.command(run().split_whitespace()).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    ends_well(&site, server, "resume", "nobody listens");
    let output = site.command(["run", "--as-of", crate::site::AS_OF]).stdout(full()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    // Its Tether has gone since, and nothing was left to send.
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("standard output") && said.contains("`tether-recon report latest`"), "{said}");
    // The text of `plan` is its result.
    assert_eq!(site.command(["plan"]).stdout(full()).status().unwrap().code(), Some(5));
}

#[cfg(unix)]
#[test]
fn code_2_when_the_state_folder_can_never_be_written() {
    let (site, _server) = site_of(9);
    site.write("state", "a file");
    let said = site.expect("run", 2).stderr;
    assert!(said.contains("state") && said.starts_with("error: failed to "), "{said}");
}
