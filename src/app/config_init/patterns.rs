//! Patterns that mean the files of today and, where their names carry dates or numbers, those of next month.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// More single names than these are tried as one pattern.
const MANY: usize = 3;

/// Endings of exports, which stay as they are.
const ENDINGS: &[&str] = &[".gz", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".snappy"];

/// Patterns that together match `files`, all below `folder`, and nothing else; relative to `base` where that can be written.
pub(super) fn patterns(files: &[&Path], folder: &Path, base: &Path) -> Vec<String> {
    let prefix = glob::Pattern::escape(&relative(folder, base).to_string_lossy());
    let mut groups: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for file in files {
        let below = file.strip_prefix(folder).unwrap_or(file);
        groups.entry(generalised(below)).or_default().insert((*file).to_owned());
    }
    let all: BTreeSet<PathBuf> = files.iter().map(|file| (*file).to_owned()).collect();
    if groups.len() > MANY
        && let Some(pattern) = one_for_all(&all, folder, base.starts_with(folder))
    {
        return vec![joined(&prefix, &pattern)];
    }
    let mut patterns = Vec::new();
    for (pattern, group) in groups {
        if matched(folder, &pattern) == group {
            patterns.push(joined(&prefix, &pattern));
        } else {
            // The pattern would take in a file that is something else.
            patterns.extend(group.iter().map(|file| {
                let below = file.strip_prefix(folder).unwrap_or(file);
                joined(&prefix, &glob::Pattern::escape(&below.to_string_lossy()))
            }));
        }
    }
    patterns
}

fn joined(prefix: &str, pattern: &str) -> String {
    if prefix.is_empty() { pattern.to_owned() } else { format!("{}/{pattern}", prefix.trim_end_matches('/')) }
}

/// The files below `folder` that a pattern means, as a run finds them.
fn matched(folder: &Path, pattern: &str) -> BTreeSet<PathBuf> {
    let absolute = joined(&glob::Pattern::escape(&folder.to_string_lossy()), pattern);
    glob::glob(&absolute).into_iter().flatten().flatten().filter(|path| !path.is_dir()).collect()
}

/// Every file of one ending, in one folder or below, if these are all. `beside`: the configuration lies in or below `folder`.
fn one_for_all(files: &BTreeSet<PathBuf>, folder: &Path, beside: bool) -> Option<String> {
    let first = files.first()?.strip_prefix(folder).ok()?;
    let name = first.file_name()?.to_str()?;
    let ending = name.find('.').map_or("", |dot| &name[dot..]);
    let ending = split_ending(name).1.len().max(ending.len().min(1));
    let ending = glob::Pattern::escape(&name[name.len() - ending..]);
    let parent = glob::Pattern::escape(&first.parent()?.to_string_lossy());
    // What lies below the configuration's own folder includes the state, with tables of every run.
    let below = (!beside).then(|| format!("**/*{ending}"));
    let candidates = std::iter::once(joined(&parent, &format!("*{ending}"))).chain(below);
    candidates.into_iter().find(|pattern| matched(folder, pattern) == *files)
}

/// A path as a pattern: `*` for what is a date, a number or a stamp.
fn generalised(path: &Path) -> String {
    let parts: Vec<String> =
        path.components().map(|part| generalised_name(&part.as_os_str().to_string_lossy())).collect();
    parts.join("/")
}

/// The name without its endings, and those.
fn split_ending(name: &str) -> (&str, &str) {
    let mut stem = name;
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(ending)) {
        stem = shorter;
    }
    name.split_at(stem.len())
}

fn generalised_name(name: &str) -> String {
    let (stem, ending) = split_ending(name);
    let mut pattern = String::new();
    let mut rest = stem;
    // What stands between two stars that only numbers and separators part.
    let mut since_star: Option<String> = None;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_alphanumeric();
        let end = rest.find(|c: char| c.is_alphanumeric() != is_word).unwrap_or(rest.len());
        let (piece, further) = rest.split_at(end);
        rest = further;
        if !is_word {
            match &mut since_star {
                Some(held) => held.push_str(piece),
                None => pattern.push_str(&glob::Pattern::escape(piece)),
            }
            continue;
        }
        for part in parts(piece) {
            if let Some(word) = part {
                pattern.push_str(&glob::Pattern::escape(&since_star.take().unwrap_or_default()));
                pattern.push_str(word);
            } else {
                if since_star.is_none() {
                    pattern.push('*');
                }
                since_star = Some(String::new());
            }
        }
    }
    pattern.push_str(&glob::Pattern::escape(&since_star.unwrap_or_default()));
    pattern + &glob::Pattern::escape(ending)
}

/// A word in its parts: text that stays, `None` for what changes from export to export.
fn parts(word: &str) -> Vec<Option<&str>> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const LETTERS_OF_A_NAME: usize = 4;
    let Some(digit) = word.find(|c: char| c.is_ascii_digit()) else { return vec![Some(word)] };
    let letters = &word[..digit];
    let is_month = MONTHS.iter().any(|month| letters.to_ascii_lowercase().starts_with(month));
    if letters.chars().count() < LETTERS_OF_A_NAME || is_month {
        return vec![None];
    }
    // `customers2` is a name and a number, `31T0600Z` a stamp.
    let behind = word[digit..].trim_start_matches(|c: char| c.is_ascii_digit());
    let mut parts = vec![Some(letters), None];
    if behind.chars().count() >= LETTERS_OF_A_NAME && !behind.contains(|c: char| c.is_ascii_digit()) {
        parts.push(Some(behind));
    }
    parts
}

/// `path` as it is written in a file in the folder `base`; both absolute.
pub(super) fn relative(path: &Path, base: &Path) -> PathBuf {
    if let Ok(below) = path.strip_prefix(base) {
        return below.to_owned();
    }
    let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir));
    let up = base.ancestors().position(|above| path.starts_with(above) && above.parent().is_some());
    match up {
        Some(up) if plain(path) && plain(base) => {
            let shared = base.ancestors().nth(up).unwrap_or(base);
            let below = path.strip_prefix(shared).unwrap_or(path);
            std::iter::repeat_n(Path::new(".."), up).collect::<PathBuf>().join(below)
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{generalised_name, patterns, relative};
    use std::path::Path;

    #[test]
    fn dates_numbers_and_stamps_become_stars_and_names_stay() {
        for (name, pattern) in [
            ("customers.csv", "customers.csv"),
            ("unified_customers_2026-10-31.csv", "unified_customers_*.csv"),
            ("customers-2026-10-31T06:00:00Z.csv.gz", "customers-*.csv.gz"),
            ("subscriptions (1).csv", "subscriptions (*).csv"),
            ("hubspot-crm-exports-all-contacts-2026-10-31-1.csv", "hubspot-crm-exports-all-contacts-*.csv"),
            ("contacts2.csv", "contacts*.csv"),
            ("20261031_contacts.csv", "*_contacts.csv"),
            ("customers_31oct2026.csv", "customers_*.csv"),
            ("part-00000.snappy.parquet", "part-*.snappy.parquet"),
            ("a[1].csv", "a[[]*[]].csv"),
            ("tether_core.jsonl", "tether_core.jsonl"),
        ] {
            assert_eq!(generalised_name(name), pattern, "{name}");
            assert!(glob::Pattern::new(pattern).unwrap().matches(name), "{name}");
        }
    }

    /// The patterns of some of the files of a folder.
    fn of(all: &[&str], wanted: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in all {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let wanted: Vec<_> = wanted.iter().map(|name| folder.path().join(name)).collect();
        let wanted: Vec<&Path> = wanted.iter().map(std::path::PathBuf::as_path).collect();
        patterns(&wanted, &folder.path().join("in"), folder.path())
    }

    #[test]
    fn a_pattern_means_the_files_of_today_and_no_other() {
        let both = ["in/customers_1.csv", "in/customers_2.csv"];
        assert_eq!(of(&both, &both), ["in/customers_*.csv"]);
        assert_eq!(of(&both, &both[..1]), ["in/customers_1.csv"], "the second is something else");
        let several = ["in/a.csv", "in/b.csv", "in/c.csv", "in/d.csv"];
        assert_eq!(of(&several, &several), ["in/*.csv"]);
        assert_eq!(of(&[&several[..], &["in/e.csv"]].concat(), &several), several);
        let deep = ["a", "b", "c", "d"].map(|folder| format!("in/{folder}/part-0.parquet"));
        let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
        assert_eq!(of(&deep, &deep), ["in/**/*.parquet"]);
    }

    #[test]
    fn no_pattern_reaches_into_the_state_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b", "c", "d"].map(|name| folder.path().join(format!("{name}/{name}.csv")));
        for file in &files {
            std::fs::create_dir(file.parent().unwrap()).unwrap();
            std::fs::write(file, "x").unwrap();
        }
        let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
        let found = patterns(&files, folder.path(), folder.path());
        assert_eq!(found, ["a/a.csv", "b/b.csv", "c/c.csv", "d/d.csv"]);
    }

    #[test]
    fn a_path_is_written_from_the_configurations_folder() {
        for (path, base, expected) in [
            ("/srv/books/in", "/srv/books", "in"),
            ("/srv/books", "/srv/books", ""),
            ("/srv/exports", "/srv/books/config", "../../exports"),
            ("/exports", "/srv/books", "/exports"),
        ] {
            assert_eq!(relative(Path::new(path), Path::new(base)), Path::new(expected));
        }
    }
}
