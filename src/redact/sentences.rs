//! Sentences of this program: their words stay, the values in them are found by where they stand.

use super::ours::is_ours;
use super::{Kind, Redactor};
use crate::model::OverrideDecision;
use std::borrow::Cow;

/// What becomes of what stands between backticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// Ids, flags and lines for the overrides file stay.
    Ids,
    /// As [`Self::Ids`]; words in lower case stay too, such as a status.
    Words,
    /// Nothing stays.
    Hidden,
}

/// What stands around an external id or an address in parentheses: `Tether's t-9 (external id E-1, e-mail …, file:3)`.
const IN_PARENTHESES: &[(&str, &[&str])] = &[("(external id ", &[", ", ")"]), (", e-mail ", &[", "])];

/// What stands before and behind one outside of them: `external id E-1 stands on the contacts …`.
const BETWEEN: &[(&[&str], &str)] = &[
    (&["external id "], " stands on the contacts"),
    (&["external id ", "e-mail "], " would stand on several customers"),
];

/// What ids of Stripe's begin with that a person types.
const OWN: &[&str] = &["cus_", "sub_"];

/// What parts words, beside blanks.
const PARTS: &[char] = &[',', ';', '(', ')', '<', '>', '"', '=', '|', '[', ']', '{', '}'];

impl Redactor {
    /// A sentence of this program.
    pub fn sentence(&self, text: &str, quoted: Quoted) -> String {
        let text = self.without_known_ids(text);
        let ticks = text.matches('`').count();
        if ticks < 2 {
            return self.unquoted(&text);
        }
        // A backtick inside of what is quoted hides where that ends.
        if quoted == Quoted::Hidden || ticks % 2 == 1 {
            return self.hidden(&text);
        }
        let parts: Vec<String> = text
            .split('`')
            .enumerate()
            .map(|(number, part)| if number % 2 == 0 { self.unquoted(part) } else { self.quoted(part, quoted) })
            .collect();
        parts.join("`")
    }

    /// As [`Self::quotation`], where the last of `ends` that is found begins our own words again, which hold no value.
    pub fn quotation_until(&self, text: &str, ends: &[&str]) -> String {
        match ends.iter().filter_map(|end| text.rfind(end)).max() {
            Some(end) => self.quotation(&text[..end]) + &text[end..],
            None => self.quotation(text),
        }
    }

    /// A sentence about a row that could not be read: it may end in any text out of the file, quoted in some way.
    pub fn quotation(&self, text: &str) -> String {
        let begins = |(at, character): (usize, char)| match character {
            '\'' => !text[..at].ends_with(char::is_alphanumeric),
            '`' | '"' | '{' | '[' | '“' | '‘' | '«' => true,
            _ => false,
        };
        match text.char_indices().find(|found| begins(*found)) {
            Some((at, _)) => self.unquoted(&text[..at]) + &self.value(Kind::Text, &text[at..]),
            None => self.unquoted(text),
        }
    }

    fn hidden(&self, text: &str) -> String {
        let (Some(first), Some(last)) = (text.find('`'), text.rfind('`')) else { return self.unquoted(text) };
        let inside = self.value(Kind::Text, &text[first + 1..last]);
        format!("{}`{inside}`{}", self.unquoted(&text[..first]), self.unquoted(&text[last + 1..]))
    }

    fn quoted(&self, text: &str, quoted: Quoted) -> String {
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let decides = text.split_once(',').is_some_and(|(first, _)| first.parse::<OverrideDecision>().is_ok());
        if decides {
            let cells: Vec<Cow<'_, str>> = text
                .split(',')
                .enumerate()
                .map(|(at, cell)| if at == 0 { cell.into() } else { self.id(cell) })
                .collect();
            return cells.join(",");
        }
        if is_ours(text) || self.ours.contains(text) {
            return text.to_owned();
        }
        if text.starts_with("--") || (quoted == Quoted::Words && is_word(text)) {
            return self.unquoted(text);
        }
        match self.id(text) {
            Cow::Borrowed(id) => id.to_owned(),
            Cow::Owned(_) if text.contains(char::is_whitespace) => self.value(Kind::Text, text),
            Cow::Owned(id) => id,
        }
    }

    /// Words without quotation marks around them.
    fn unquoted(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for (before, ends) in IN_PARENTHESES {
            text = self.each_behind(text, before, ends);
        }
        for (befores, behind) in BETWEEN {
            text = self.between(text, befores, behind);
        }
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || PARTS.contains(&c)) {
            let word = piece.trim_end_matches(|c: char| c.is_whitespace() || PARTS.contains(&c) || ".:'".contains(c));
            let bare = word.trim_start_matches('\'');
            out.push_str(&word[..word.len() - bare.len()]);
            out.push_str(&self.word(bare));
            out.push_str(&piece[word.len()..]);
        }
        out
    }

    /// A word that is an address, a key with its source, or an id of Stripe's.
    fn word<'t>(&self, word: &'t str) -> Cow<'t, str> {
        let source = self.source_of(word).or_else(|| word.strip_prefix("mailto:").map(|rest| ("mailto", rest)));
        if let Some((source, id)) = source {
            return match self.id(id) {
                Cow::Borrowed(_) => Cow::Borrowed(word),
                Cow::Owned(hash) => Cow::Owned(format!("{source}:{hash}")),
            };
        }
        if OWN.iter().any(|start| word.starts_with(start)) {
            return self.id(word);
        }
        let holds_one = word.len() > 1 && (word.contains('@') || word.contains("%40"));
        if holds_one { Cow::Owned(self.value(Kind::Email, word)) } else { Cow::Borrowed(word) }
    }

    /// A value where `none` says that there is none.
    fn named(&self, value: &str, before: &str) -> String {
        if value == "none" {
            value.to_owned()
        } else if before.ends_with("e-mail ") {
            self.value(Kind::Email, value)
        } else {
            self.id(value).into_owned()
        }
    }

    fn each_behind<'t>(&self, text: Cow<'t, str>, before: &str, ends: &[&str]) -> Cow<'t, str> {
        if !text.contains(before) {
            return text;
        }
        let mut parts = text.split(before);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = ends.iter().filter_map(|end| part.find(end)).min().unwrap_or(part.len());
            out.push_str(before);
            out.push_str(&self.named(&part[..end], before));
            out.push_str(&part[end..]);
        }
        Cow::Owned(out)
    }

    /// The value between `behind` and the nearest of `befores`.
    fn between<'t>(&self, text: Cow<'t, str>, befores: &[&str], behind: &str) -> Cow<'t, str> {
        if !text.contains(behind) {
            return text;
        }
        let parts: Vec<&str> = text.split(behind).collect();
        let last = parts.len() - 1;
        let named = parts.iter().enumerate().map(|(number, part)| {
            let nearest = befores.iter().filter_map(|before| Some((part.rfind(before)? + before.len(), *before))).max();
            match nearest {
                Some((start, before)) if number < last => {
                    format!("{}{}", &part[..start], self.named(&part[start..], before))
                }
                _ => (*part).to_owned(),
            }
        });
        Cow::Owned(named.collect::<Vec<_>>().join(behind))
    }

    /// The ids with blanks that this run is known to hold, replaced wherever they stand.
    pub fn without_known_ids<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.known.has_ids() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut from, mut before) = (String::new(), 0, ' ');
        for (at, character) in text.char_indices() {
            let begins = !before.is_alphanumeric() && character.is_alphanumeric();
            before = character;
            if at < from || !begins {
                continue;
            }
            let Some(id) = self.known.id_at(&text[at..]) else { continue };
            let end = at + id.len();
            if text[end..].starts_with(char::is_alphanumeric) {
                continue;
            }
            out.push_str(&text[from..at]);
            out.push_str(&self.id(id));
            from = end;
        }
        if from == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[from..]) }
    }
}
