//! A strict reader of the text format of Prometheus, as the textfile collector of its `node_exporter` takes it.

use std::collections::{BTreeMap, BTreeSet};

/// Samples: metric and labels → value.
pub type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Reads `text`; panics with the line that is not as the format has it.
pub fn read(text: &str) -> Samples {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut samples = Samples::new();
    let (mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new());
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(name) && !help.is_empty() && helped.insert(name.to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert!(kind == "gauge" && helped.contains(name) && typed.insert(name.to_owned()), "{line}");
            name.clone_into(&mut current);
        } else {
            let (name, labels, value) = sample(line);
            assert_eq!(name, current, "{line}: the samples of a metric stand together, below its type");
            // A time stamp would make the collector refuse the file.
            assert!(!value.contains(' '), "{line}");
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(value.is_finite(), "{line}");
            assert_eq!(samples.insert((name, labels), value), None, "{line} stands twice");
        }
    }
    samples
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("{line}"));
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    let mut rest = rest;
    loop {
        let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(label) && !label.contains(':') && !label.starts_with("__"), "{line}");
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().unwrap_or_else(|| panic!("{line}")) {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match chars.next().unwrap_or_else(|| panic!("{line}")).1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    _ => panic!("{line}"),
                }),
                (_, c) => value.push(c),
            }
        };
        assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
        rest = match after[end..].strip_prefix(',') {
            Some(more) => more,
            None => {
                break (
                    name.to_owned(),
                    labels,
                    after[end..].strip_prefix("} ").unwrap_or_else(|| panic!("{line}")).to_owned(),
                );
            }
        };
    }
}
