//! The keys of one fault, each read with its place and with what is allowed there.

use super::When;
use crate::model::Field;
use std::num::NonZeroU64;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys that every fault may have.
pub(super) const WHEN_KEYS: [&str; 6] = ["every", "from", "to", "times", "product", "email"];

/// The problems found so far, by their place in the text.
pub(super) struct Problems<'a> {
    text: &'a str,
    found: Vec<(usize, String)>,
}

impl<'a> Problems<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, found: vec![] }
    }

    /// Adds one about `key`; empty: about the file.
    pub(super) fn add(&mut self, at: &Range<usize>, key: &str, message: &str) {
        let before = &self.text[..at.start.min(self.text.len())];
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let colon = if key.is_empty() { "" } else { ": " };
        self.found.push((at.start, format!("{}:{column}: {key}{colon}{message}", line_of(self.text, at))));
    }

    /// All of them in the order of the file.
    pub(super) fn in_order(mut self) -> Vec<String> {
        self.found.sort();
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// The line, from 1, that a place in the text is in.
pub(super) fn line_of(text: &str, at: &Range<usize>) -> usize {
    text[..at.start.min(text.len())].matches('\n').count() + 1
}

/// One fault's keys as they stand in the file.
pub(super) struct Options<'t, 'p, 'text> {
    /// The fault in words: `fault[2]`, `reset`.
    pub(super) name: String,
    pub(super) at: Range<usize>,
    pub(super) table: &'t DeTable<'text>,
    pub(super) problems: &'p mut Problems<'text>,
}

impl Options<'_, '_, '_> {
    /// The value of `key` as `read` takes it; one that it refuses is a problem, which says what is `allowed`.
    fn read<T>(&mut self, key: &str, allowed: &str, read: impl FnOnce(&DeValue<'_>) -> Option<T>) -> Option<T> {
        let value = self.table.get(key)?;
        let found = read(value.get_ref());
        if found.is_none() {
            let shown = shown(value.get_ref());
            let key = format!("{}.{key}", self.name);
            self.problems.add(&value.span(), &key, &format!("{shown} is not {allowed}"));
        }
        found
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A key that must be there.
    pub(super) fn missing(&mut self, key: &str, allowed: &str) {
        let key = format!("{}.{key}", self.name);
        self.problems.add(&self.at.clone(), &key, &format!("is missing; write {allowed}"));
    }

    /// A whole number of this range.
    pub(super) fn whole(&mut self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let allowed = match (*range.start(), *range.end()) {
            (0.., i64::MAX) => format!("a whole number from {}", range.start()),
            _ => format!("a whole number from {} to {}", range.start(), range.end()),
        };
        self.read(key, &allowed, |value| integer(value).filter(|number| range.contains(number)))
    }

    /// A count, from 1.
    pub(super) fn count(&mut self, key: &str) -> Option<u64> {
        self.whole(key, 1..=i64::MAX).and_then(|number| u64::try_from(number).ok())
    }

    /// Milliseconds, at most an hour.
    pub(super) fn millis(&mut self, key: &str) -> Option<std::time::Duration> {
        let millis = self.whole(key, 0..=3_600_000)?;
        Some(std::time::Duration::from_millis(u64::try_from(millis).ok()?))
    }

    /// A finite number as it was written, and its value.
    pub(super) fn number(&mut self, key: &str) -> Option<(Box<str>, f64)> {
        self.read(key, "a number of seconds", |value| {
            let text = match value {
                DeValue::Integer(_) => integer(value)?.to_string(),
                DeValue::Float(number) => number.as_str().trim_start_matches('+').to_owned(),
                _ => return None,
            };
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
            Some((text.into(), number))
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.read(key, "true or false", |value| match value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => None,
        })
    }

    /// A text that can stand in a header.
    pub(super) fn text(&mut self, key: &str) -> Option<Box<str>> {
        self.read(key, "a text of visible ASCII characters and spaces", |value| {
            let text = value.as_str()?;
            text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()).then(|| text.into())
        })
    }

    /// A word that `known` holds.
    pub(super) fn word<T: Copy>(&mut self, key: &str, known: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let allowed = format!("one of {}", words.join(", "));
        self.read(key, &allowed, |value| {
            let word = value.as_str()?;
            known.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
        })
    }

    /// A field of the customer, which must be there.
    pub(super) fn field(&mut self) -> Option<Field> {
        let known: Vec<(&str, Field)> = Field::ALL.iter().map(|field| (field.as_str(), *field)).collect();
        if !self.has("field") {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.missing("field", &format!("one of {}", words.join(", ")));
        }
        self.word("field", &known)
    }

    /// A value of any kind that `parse` reads from a text.
    pub(super) fn parsed<T>(&mut self, key: &str, allowed: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.read(key, allowed, |value| parse(value.as_str()?))
    }

    /// Which requests it falls on.
    pub(super) fn when(&mut self) -> When {
        let when = When {
            every: self.count("every").and_then(NonZeroU64::new),
            from: self.count("from"),
            to: self.count("to"),
            times: self.count("times"),
            product: self.parsed("product", "a product's name", |text| Some(text.to_owned())),
            email: self.parsed("email", "an e-mail address", |text| text.contains('@').then(|| text.to_lowercase())),
        };
        if let (Some(from), Some(to)) = (when.from, when.to)
            && from > to
            && let Some(value) = self.table.get("to")
        {
            let key = format!("{}.to", self.name);
            self.problems.add(&value.span(), &key, &format!("{to} comes before `from`, which is {from}"));
        }
        when
    }

    /// Refuses every key that is neither among `known` nor common to all faults.
    pub(super) fn only(&mut self, kind: &str, known: &[&str]) {
        let known: Vec<&str> = ["kind"].iter().chain(&WHEN_KEYS).chain(known).copied().collect();
        let strangers: Vec<&Spanned<std::borrow::Cow<'_, str>>> =
            self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).collect();
        for key in strangers {
            let message = match nearest(key.get_ref(), known.iter().copied()) {
                Some(near) => format!("is no key of `{kind}`; did you mean `{near}`?"),
                None => format!("is no key of `{kind}`; it knows {}", known[1..].join(", ")),
            };
            let name = format!("{}.{}", self.name, key.get_ref());
            self.problems.add(&key.span(), &name, &message);
        }
    }
}

/// The candidate that a person who typed `word` most likely meant.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (candidate, strsim::jaro_winkler(word, candidate)))
        .filter(|(_, likeness)| *likeness > 0.8)
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(candidate, _)| candidate)
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A value as an error shows it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`{text}`"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
