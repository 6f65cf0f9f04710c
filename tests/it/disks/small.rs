//! Real small disks: a tmpfs as the state folder, of every size up to the one that a run fits in.

use super::{ends_well, first_line, run, site_of, stopped_cleanly};
use crate::site::{Ran, Site};
use std::collections::BTreeMap;
use std::process::Command;

/// Set where this test runs inside its own namespace, in which it may mount.
const INSIDE: &str = "TETHER_RECON_TEST_MAY_MOUNT";
/// Set where a machine that forbids namespaces is a failure, not a reason to skip.
const REQUIRED: &str = "TETHER_RECON_TEST_MUST_MOUNT";

/// Whether the test goes on here. If not, it was run inside a namespace of its own, or cannot be.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let unshare = |words: &[&str]| Command::new("unshare").arg("-rm").args(words).env(INSIDE, "1").status();
    if !unshare(&["true"]).is_ok_and(|status| status.success()) {
        assert!(std::env::var_os(REQUIRED).is_none(), "this machine forbids `unshare -rm`: no small disk can be made");
        eprintln!("skipped: this machine forbids `unshare -rm`, so that no small disk can be made");
        return false;
    }
    let own = std::env::current_exe().unwrap();
    let name = format!("disks::small::{test}");
    let status = unshare(&[own.to_str().unwrap(), "--exact", &name, "--include-ignored", "--nocapture"]).unwrap();
    assert!(status.success(), "{test} failed inside its namespace");
    false
}

fn mount(site: &Site, options: &str) {
    let state = site.path("state");
    std::fs::create_dir_all(&state).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&state).status().unwrap();
    assert!(mounted.success(), "{options}");
}

fn remount(site: &Site, options: &str) {
    let options = format!("remount,{options}");
    assert!(Command::new("mount").args(["-o", &options]).arg(site.path("state")).status().unwrap().success());
}

/// Runs on disks of growing room until one is large enough; what each smaller one failed at, and how often.
fn grow(rooms: impl Iterator<Item = String>, accounts: usize, more: &str) -> BTreeMap<String, usize> {
    let mut failed_at = BTreeMap::new();
    for room in rooms {
        let (site, server) = site_of(accounts);
        mount(&site, &room);
        let ran = site.ran(&run());
        let fits = ran.code == 0;
        let next = if fits { "resume".to_owned() } else { stopped_cleanly(&site, &ran, &room) };
        remount(&site, more);
        ends_well(&site, server, &next, &room);
        assert!(Command::new("umount").arg("-l").arg(site.path("state")).status().unwrap().success());
        if fits && !ran.stderr.contains("WARN") {
            return failed_at;
        }
        if !fits {
            *failed_at.entry(file_named(&ran)).or_default() += 1;
        }
    }
    panic!("no disk was large enough: {failed_at:?}")
}

/// The name of the file or folder in the error, without what differs between runs.
fn file_named(ran: &Ran) -> String {
    let path = first_line(ran).split('`').nth(1).unwrap().to_owned();
    let name = path.rsplit('/').next().unwrap();
    if name.contains("Z-") { "the run's folder".to_owned() } else { name.to_owned() }
}

#[test]
#[ignore = "mounts in a namespace of its own, and every size of disk is a run"]
fn mounts_a_disk_may_be_full_at_any_moment() {
    if !inside("mounts_a_disk_may_be_full_at_any_moment") {
        return;
    }
    let pages = (1..40).chain((40..200).step_by(4)).map(|pages| format!("size={}k", pages * 4));
    let failed_at = grow(pages, 60, "size=64m");
    eprintln!("a full disk was met at {failed_at:?}");
    for phase in ["plan.parquet", "journal.jsonl", "report.html"] {
        assert!(failed_at.contains_key(phase), "{phase}: {failed_at:?}");
    }
}

#[test]
#[ignore = "mounts in a namespace of its own, and every number of files is a run"]
fn mounts_a_disk_may_have_no_room_for_another_file() {
    if !inside("mounts_a_disk_may_have_no_room_for_another_file") {
        return;
    }
    let failed_at = grow((1..40).map(|files| format!("size=64m,nr_inodes={files}")), 9, "nr_inodes=1000");
    eprintln!("a disk without room for a file was met at {failed_at:?}");
    assert!(failed_at.contains_key("lock") && failed_at.len() > 5, "{failed_at:?}");
}

#[test]
#[ignore = "mounts in a namespace of its own"]
fn mounts_code_2_when_the_state_folder_is_read_only_from_the_start() {
    if !inside("mounts_code_2_when_the_state_folder_is_read_only_from_the_start") {
        return;
    }
    let (site, server) = site_of(9);
    mount(&site, "size=64m");
    remount(&site, "ro");
    for command in ["run", "resume"] {
        let ran = site.expect(command, 2);
        let line = first_line(&ran);
        assert!(line.contains("lock") && line.contains("make the disk writable"), "{line}");
    }
    remount(&site, "rw");
    ends_well(&site, server, &run(), "writable again");
    assert!(Command::new("umount").arg("-l").arg(site.path("state")).status().unwrap().success());
}
