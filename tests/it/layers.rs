//! The shape of the code: which room uses which, and what is named in one place only. Reads the sources.

use crate::site::{contents, repository};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each room and the rooms that it may use. The order is that of the data: a line may name only lines above it, but for
/// `cli`, which is read before anything else and names no rule.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("table", &["model"]),
    ("monitor", &["model"]),
    ("config", &["model"]),
    ("redact", &["model"]),
    ("runs", &["model", "redact"]),
    ("load", &["config", "model", "monitor", "table"]),
    ("filter", &["config", "model", "table"]),
    ("billing", &["config", "model", "runs", "table"]),
    ("link", &["billing", "config", "filter", "model", "table"]),
    ("baseline", &["model", "runs", "table"]),
    ("diff", &["config", "link", "model", "table"]),
    ("plan", &["baseline", "billing", "config", "diff", "filter", "link", "load", "model", "runs", "table"]),
    ("journal", &["model", "runs"]),
    ("send", &["config", "journal", "model", "monitor", "runs"]),
    ("report", &["model", "redact", "runs", "table"]),
    ("notify", &["config", "model", "monitor", "report", "runs"]),
    ("sandbox", &["model", "runs"]),
    (
        "app",
        &[
            "baseline", "billing", "config", "diff", "filter", "journal", "link", "load", "model", "monitor", "notify",
            "plan", "redact", "report", "runs", "sandbox", "send", "table",
        ],
    ),
    ("cli", &["app", "config", "load", "model", "monitor"]),
    ("commands", &["app", "cli", "config", "load", "model", "monitor", "runs"]),
];

/// What may be named in some places only: the words, the files or rooms that may name them, and why those.
const NAMED_ONLY_IN: &[(u8, &[&str], &[&str], &str)] = &[
    (
        1,
        &["polars"],
        &["app", "baseline", "billing", "diff", "filter", "link", "load", "plan", "report", "table"],
        "tables end where the network begins",
    ),
    (1, &["reqwest"], &["send/client.rs", "notify/client.rs"], "one room talks to Tether, one tells of it"),
    (1, &["axum"], &["sandbox"], "the local Tether shares nothing with what talks to it"),
    (2, &["Utc::now", "Local::now", "SystemTime::now"], &["send/clock.rs"], "the wall clock, passed on as `Clock`"),
    (2, &["std::time::Instant"], &[], "durations are measured with tokio's clock, which tests can pause"),
    (
        2,
        &["Instant::now()", "Moment::now()"],
        &["send", "sandbox/server.rs", "sandbox/connection.rs", "journal/writer.rs"],
        "tokio's clock: pacing and the deadline; how long the disk takes; the sandbox's log, limit and door",
    ),
    (
        2,
        &["env::var", "env::vars", "env::current_dir", "env::current_exe"],
        &["main.rs"],
        "the environment, passed on as `Context::env`",
    ),
    (2, &["rand::random", "rand::rng(", "thread_rng", "OsRng", "getrandom", "new_v4"], &["main.rs"], "the seed"),
    (2, &["rand::"], &["main.rs", "send/backoff.rs"], "the seed, and the jitter that grows from it"),
    (2, &["Command::new("], &["load/parquet/trial.rs"], "no process is started but the one that Parquet is tried in"),
    (
        9,
        &["File::create", "fs::write", "File::options", "OpenOptions"],
        &["runs", "journal/writer.rs", "sandbox/calls.rs"],
        "files appear whole; only logs grow, and the lock is empty",
    ),
];

/// A source file: its path below `src`, and its code without comments and without tests.
type Sources = BTreeMap<PathBuf, String>;

#[test]
fn invariant_01_dependencies_point_along_the_data() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut used = BTreeSet::new();
    for (path, code) in sources() {
        let room = room(&path);
        if matches!(room.as_str(), "main" | "lib") {
            continue;
        }
        let may = allowed.get(room.as_str()).unwrap_or_else(|| panic!("{} is in no room of the table", path.display()));
        for other in rooms_named_in(&code).into_iter().filter(|other| *other != room) {
            assert!(may.contains(&other.as_str()), "{}: `{room}` must not use `{other}`", path.display());
            used.insert((room.clone(), other));
        }
    }
    assert!(used.len() > 30, "only {} edges were found: the sources are not read rightly", used.len());
    assert!(used.contains(&("billing".to_owned(), "table".to_owned())), "imports in braces are not read");
    for (place, (room, others)) in ROOMS.iter().enumerate() {
        for other in *others {
            let above = ROOMS.iter().position(|(name, _)| name == other).expect(other);
            assert!(above < place, "{room} may use {other}, which comes after it");
        }
    }
}

#[test]
fn invariant_01_polars_ends_before_the_network_and_reqwest_is_only_there() {
    named_only_in(1);
}

#[test]
fn invariant_02_the_clock_the_environment_and_randomness_are_read_in_one_place() {
    named_only_in(2);
}

#[test]
fn invariant_09_nothing_writes_files_but_what_makes_them_whole() {
    named_only_in(9);
}

fn named_only_in(invariant: u8) {
    let sources = sources();
    for (_, words, places, why) in NAMED_ONLY_IN.iter().filter(|(number, ..)| *number == invariant) {
        let mut met: BTreeSet<&str> = BTreeSet::new();
        for (path, code) in &sources {
            let Some(word) = words.iter().find(|word| names(code, word)) else { continue };
            let place = places.iter().find(|place| path.starts_with(place));
            assert!(place.is_some(), "{} names `{word}`; allowed in {places:?}: {why}", path.display());
            met.extend(place);
        }
        let unmet: Vec<_> = places.iter().filter(|place| !met.contains(**place)).collect();
        assert!(unmet.is_empty(), "{unmet:?} no longer name any of {words:?}: take them out of the table");
    }
}

#[test]
fn every_invariant_of_the_page_is_held_where_the_page_says() {
    let page = std::fs::read_to_string(repository().join("docs/ARCHITECTURE.md")).unwrap();
    let lines = page.lines().skip_while(|line| !line.starts_with("| # |")).skip(2);
    let mut number = 0;
    for line in lines.take_while(|line| line.starts_with('|')) {
        number += 1;
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells[0], number.to_string(), "the invariants are numbered in order");
        // Files stand between backticks: every one must exist, and one must hold a test of this number.
        let files: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        let test = format!("fn invariant_{number:02}_");
        let held = files.iter().filter(|file| {
            let path = repository().join(file);
            assert!(path.exists(), "invariant {number}: there is no {file}");
            path.is_file() && std::fs::read_to_string(path).unwrap().contains(&test)
        });
        assert!(held.count() > 0, "invariant {number}: no `{test}…` in {files:?}");
    }
    assert!(number >= 10, "the table of docs/ARCHITECTURE.md was not found");
}

/// Whether `word` stands in `code`, not as the end of a longer name.
fn names(code: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(inside))
}

fn room(path: &Path) -> String {
    let first = path.components().next().expect("a path").as_os_str();
    Path::new(first).file_stem().expect("a name").to_string_lossy().into_owned()
}

/// The names that follow `crate::`, alone or in braces.
fn rooms_named_in(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut begins = true;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => begins = true,
                    c if begins && c.is_alphanumeric() => {
                        rooms.insert(name(&group[at..]));
                        begins = false;
                    }
                    _ => {}
                }
            }
        } else {
            rooms.insert(name(rest));
        }
    }
    rooms
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn sources() -> Sources {
    let mut sources = Sources::new();
    let mut only_tests: Vec<PathBuf> = vec![];
    for (path, bytes) in contents(&repository().join("src")) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let (code, modules) = without_tests(&String::from_utf8(bytes).unwrap());
            let folder = match path.file_name().and_then(|name| name.to_str()) {
                Some("mod.rs" | "lib.rs" | "main.rs") => path.parent().unwrap().to_owned(),
                _ => path.with_extension(""),
            };
            only_tests.extend(modules.iter().map(|module| folder.join(module)));
            sources.insert(path, code);
        }
    }
    sources.retain(|path, _| {
        !only_tests.iter().any(|module| path.starts_with(module) || path.with_extension("") == *module)
    });
    sources
}

/// The code without comments and without what stands under `#[cfg(test)]`; and the test modules that have their own file.
fn without_tests(text: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut modules = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let indent = line.len() - line.trim_start().len();
            let item = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
            if let Some((_, module)) = item.split_once("mod ").filter(|_| item.ends_with(';')) {
                modules.push(module.trim_end_matches(';').to_owned());
            } else if item.ends_with('{') {
                // rustfmt closes an item at the indent at which it opened it.
                let close = format!("{}}}", " ".repeat(indent));
                lines.by_ref().find(|line| *line == close);
            }
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    (code, modules)
}
