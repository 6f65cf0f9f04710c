//! What `docs/scheduling` gives to schedulers: its commands are commands, what it retries is what passes by itself, and its
//! shell does with every exit code what it says.

use crate::site::{contents, repository};
use clap::Parser;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tether_recon::cli::Cli;

/// Ends that another start may mend.
const PASSES_BY_ITSELF: u8 = 5;
/// Done, and some rows need a person: the scheduler's work is done.
const NEEDS_A_PERSON: u8 = 3;
/// Every code that `run` may end with and that no other start mends.
const NEEDS_SOMEBODY: [u8; 6] = [1, 2, 4, 6, 7, 8];

fn folder() -> PathBuf {
    repository().join("docs/scheduling")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// The values of a unit's keys, by unit and key.
fn units() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut units = BTreeMap::new();
    for (name, bytes) in contents(&folder().join("systemd")) {
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in lines {
            keys.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        units.insert(name.display().to_string(), keys);
    }
    units
}

/// The crontab's commands, each as a shell would get it.
fn crontab() -> Vec<String> {
    let lines = read("crontab");
    let commands = lines.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    commands.map(|line| line.splitn(6, ' ').last().unwrap().trim().to_owned()).collect()
}

/// The script that `cronjob.yaml` gives to its shell.
fn script() -> String {
    let job = read("cronjob.yaml");
    let (_, after) = job.split_once("args:\n                - |\n").unwrap();
    let lines = after.lines().take_while(|line| line.starts_with(&" ".repeat(18)));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The words of every command of this program in `text`, up to what belongs to the shell.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let starts = words.iter().enumerate().filter(|(_, word)| word.rsplit('/').next() == Some("tether-recon"));
    let shell = ["&", "||", "&&", ";", "|", ">", ">>", "2>>"];
    starts
        .map(|(start, _)| words[start..].iter().copied().take_while(|word| !shell.contains(word)).collect())
        .filter(|words: &Vec<&str>| words.len() > 1)
        .collect()
}

#[test]
fn every_command_of_the_schedulers_can_be_typed() {
    let mut texts = crontab();
    texts.push(script());
    for (unit, keys) in units() {
        if unit.ends_with(".service") {
            texts.extend(keys["ExecStart"].clone());
        }
    }
    let all: Vec<Vec<&str>> = texts.iter().flat_map(|text| commands(text)).collect();
    assert_eq!(all.len(), 7, "{all:?}");
    for words in all {
        if let Err(error) = Cli::try_parse_from(&words) {
            panic!("{words:?}: {error}");
        }
    }
}

#[test]
fn only_what_passes_by_itself_is_tried_again() {
    let numbers = |text: &str| -> BTreeSet<u8> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    let needs_somebody = BTreeSet::from(NEEDS_SOMEBODY);
    let units = units();
    let run = &units["tether-recon-run.service"];
    assert_eq!(numbers(&run["RestartPreventExitStatus"][0]), needs_somebody);
    assert_eq!(numbers(&run["SuccessExitStatus"][0]), BTreeSet::from([NEEDS_A_PERSON]));
    assert_eq!(run["Restart"], ["on-failure"]);
    let job = read("cronjob.yaml");
    let line = job.lines().find(|line| line.trim().starts_with("values:")).unwrap();
    assert_eq!(numbers(line), needs_somebody);
    let told: BTreeSet<u8> = NEEDS_SOMEBODY.into_iter().chain([0, NEEDS_A_PERSON, PASSES_BY_ITSELF]).collect();
    let page = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, table) = page.split_once("| code | meaning |").unwrap();
    let rows = table.lines().take_while(|line| line.is_empty() || line.starts_with('|'));
    let every: BTreeSet<u8> = rows.filter_map(|row| row.split('|').nth(1)?.trim().parse().ok()).collect();
    assert_eq!(&every - &told, BTreeSet::from([10]), "a code that no scheduler knows what to do with");
}

/// Runs `script` in a shell that finds, as `tether-recon`, a program that ends with `code`.
fn in_a_shell(script: &str, code: u8, run: impl FnOnce(Command) -> Output) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let stand_in = bin.join("tether-recon");
    // Waits for a signal where the code is 5: as a run does that is told to stop.
    let waits = "trap 'echo stopped in good order; exit 5' TERM; echo started; while :; do sleep 0.05; done";
    let body =
        if code == PASSES_BY_ITSELF { waits.to_owned() } else { format!("echo done; echo why >&2; exit {code}") };
    std::fs::write(&stand_in, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&stand_in, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new("/bin/sh");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = script.replace("/srv/tether-recon", folder.path().to_str().unwrap());
    command.args(["-c", &script]).env("PATH", path).stdin(Stdio::null());
    run(command)
}

#[test]
fn a_cron_mails_a_line_only_when_somebody_is_needed() {
    let night = &crontab()[0];
    for code in [0, NEEDS_A_PERSON].into_iter().chain(NEEDS_SOMEBODY) {
        let output = in_a_shell(night, code, |mut command| command.output().unwrap());
        let mail = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let expected = if [0, NEEDS_A_PERSON].contains(&code) { "" } else { "why\n" };
        assert_eq!(mail, expected, "code {code}");
    }
}

#[test]
fn a_pod_ends_as_its_run_and_well_where_only_rows_need_a_person() {
    for code in [0, NEEDS_A_PERSON].into_iter().chain(NEEDS_SOMEBODY) {
        let output = in_a_shell(&script(), code, |mut command| command.output().unwrap());
        let expected = if code == NEEDS_A_PERSON { 0 } else { code };
        assert_eq!(output.status.code(), Some(i32::from(expected)));
    }
}

#[test]
fn a_pod_that_is_told_to_stop_waits_for_its_run() {
    let output = in_a_shell(&script(), PASSES_BY_ITSELF, |mut command| {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut started = [0; 8];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut started).unwrap();
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        child.wait_with_output().unwrap()
    });
    assert_eq!(output.status.code(), Some(i32::from(PASSES_BY_ITSELF)));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "stopped in good order\n");
}

/// The units with the binary under test in place of the installed one.
fn installed(to: &Path) -> Vec<PathBuf> {
    let mut units = vec![];
    for (name, bytes) in contents(&folder().join("systemd")) {
        let path = to.join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        std::fs::write(&path, text.replace("/usr/local/bin/tether-recon", env!("CARGO_BIN_EXE_tether-recon"))).unwrap();
        if name.components().count() == 1 {
            units.push(path);
        }
    }
    units
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_accepts_every_unit_and_finds_the_services_confined() {
    let folder = tempfile::tempdir().unwrap();
    let units = installed(folder.path());
    let analyze = |words: &[&str]| {
        let ran = Command::new("systemd-analyze").args(words).args(&units).output().unwrap();
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        (ran.status.success(), said)
    };
    let (accepted, said) = analyze(&["verify", "--recursive-errors=no", "--man=no"]);
    assert!(accepted && !said.contains("tether-recon"), "{said}");
    for unit in units.iter().filter(|unit| unit.extension().is_some_and(|extension| extension == "service")) {
        // 2.0 of 10, where 10 may do anything.
        let words = ["security", "--offline=true", "--threshold=20", "--no-pager"];
        let ran = Command::new("systemd-analyze").args(words).arg(unit).output().unwrap();
        assert!(ran.status.success(), "{}: {}", unit.display(), String::from_utf8_lossy(&ran.stdout));
    }
}
