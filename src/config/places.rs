//! Where each file and pattern stands in the configuration, for errors that only show once files are looked for.

use super::problem::position;
use super::schema::{self, KEYS};
use super::value::absolute_pattern;
use std::collections::BTreeMap;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Line and column, from 1, of every file and pattern in `text`, which was parsed to `root`; a pattern that stands twice has its first
/// place.
pub(super) fn places(text: &str, root: &DeTable<'_>, base: &Path) -> BTreeMap<String, (usize, usize)> {
    let mut places = BTreeMap::new();
    let mut note = |value: &super::document::Value<'_>, absolute: &dyn Fn(&str) -> String| {
        if let DeValue::String(written) = value.get_ref() {
            places.entry(absolute(written)).or_insert_with(|| position(text, value.span().start));
        }
    };
    let pattern = |written: &str| absolute_pattern(base, written);
    let path = |written: &str| base.join(written).to_string_lossy().into_owned();
    let sections = root.iter().flat_map(|(section, value)| match value.get_ref() {
        DeValue::Array(items) => items.iter().map(|item| (section.get_ref(), item)).collect(),
        _ => vec![(section.get_ref(), value)],
    });
    for (section, value) in sections {
        let DeValue::Table(keys) = value.get_ref() else { continue };
        for key in KEYS.iter().filter(|key| key.section == section) {
            let Some(value) = keys.get(key.name) else { continue };
            match (key.expects, value.get_ref()) {
                (schema::PATTERNS, DeValue::Array(items)) => items.iter().for_each(|item| note(item, &pattern)),
                (schema::PATTERNS, _) => note(value, &pattern),
                (schema::PATH, _) => note(value, &path),
                _ => {}
            }
        }
    }
    places
}
