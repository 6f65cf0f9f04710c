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

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;

    const SOUND: &str = "[run]\ncurrency = \"usd\"\n[stripe]\ncustomers = \"c.csv\"\n[[product]]\nname = \"core\"\n\
        key = { env = \"KEY\" }\n";

    #[test]
    fn every_pattern_has_its_place() {
        let text = SOUND.to_owned()
            + "existing = [\"a.csv\",\n  \"ë\", \"b.csv\"]\n[[crm]]\nname = \"x\"\ncolumns = { email = \"E\" }\ncontacts = \"d/*\"\n\
               companies = \"/e\"\n[identity]\noverrides = \"o.csv\"\n";
        let mut settings = parse(&text, Path::new("/books")).unwrap();
        assert_eq!(settings.place_of("/books/c.csv"), None, "the text came from no file");
        settings.file = Some("books.toml".into());
        for (pattern, place) in [
            ("/books/c.csv", "4:13"),
            ("/books/a.csv", "8:13"),
            ("/books/b.csv", "9:8"),
            ("/books/d/*", "13:12"),
            ("/e", "14:13"),
            ("/books/o.csv", "16:13"),
        ] {
            assert_eq!(settings.place_of(pattern), Some(format!("books.toml:{place}")), "{pattern}");
        }
    }

    #[test]
    fn every_problem_has_the_line_and_column_at_which_it_stands() {
        for (from, to, place) in [
            ("", "[guards\n", "8:8"),
            ("\"usd\"", "\"usd", "2:16"),
            ("", "[run]\n", "8:2"),
            ("currency = \"usd\"", "currency = \"usd\"\ncurrency = \"eur\"", "3:1"),
            ("", "[guards]\nmax_created = \"many\"\n", "9:15"),
            ("\"KEY\" }", "\"KEY\", envv = \"x\" }", "7:22"),
            ("", "[[crm]]\nname = \"x\"\ncontacts = \"c\"\ncolumns = { idd = \"a\", email = \"e\" }\n", "11:13"),
            ("", "[crm]\nname = \"x\"\n", "8:1"),
            ("[[product]]", "[product]", "5:1"),
            ("", "[gards]\n", "8:2"),
            ("[run]\n", "state = \"s\"\n[run]\n", "1:1"),
            ("", "[fx]\neur = { rate = 1.08, date = \"2026-10-31\" }\n", "9:16"),
            ("", "[mrr.coupons]\nX = { percent_off = \"20\" }\n", "9:5"),
            ("", "[mrr]\ncurrency_digits = { isk = 9 }\n", "9:27"),
            ("\"c.csv\"", "[\"c.csv\", 3]", "4:13"),
            ("currency = \"usd\"\n", "", "1:1"),
        ] {
            let text = if from.is_empty() { SOUND.to_owned() + to } else { SOUND.replacen(from, to, 1) };
            let errors = parse(&text, Path::new("/books")).unwrap_err();
            let first = &errors.problems()[0];
            assert_eq!(format!("{}:{}", first.line, first.column), place, "{text}\n{errors}");
        }
    }
}
