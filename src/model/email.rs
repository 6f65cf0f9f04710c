//! E-mail addresses, compared as Tether compares them: lower-case, nothing stripped.

use serde::{Deserialize, Serialize};

/// Characters that nobody sees, as part of a class in a pattern.
macro_rules! invisible {
    () => {
        r"\x{ad}\x{200b}-\x{200f}\x{2060}\x{feff}"
    };
}

/// Characters that stand nowhere in an address, as part of a class in a pattern.
macro_rules! forbidden {
    () => {
        concat!(r#"\s@,;<>"\x00-\x1f\x7f-\x9f"#, invisible!())
    };
}

/// Whether `c` is one of `forbidden!`: where a pattern would have to be run, text is checked character by character.
fn is_forbidden(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    c.is_whitespace() || c.is_control() || invisible || matches!(c, '@' | ',' | ';' | '<' | '>' | '"')
}

/// A plausible e-mail address, trimmed, NFC and lower-cased; `+tag` and dots are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an e-mail address")]
pub struct EmailError(pub String);

impl Email {
    /// The pattern that a normalised address fits: one `@`, something before it, a dotted name after it, no space,
    /// comma, semicolon, angle bracket, quote, control or invisible character anywhere. For tables; [`Email::parse`] agrees.
    pub const PATTERN: &'static str =
        concat!(concat!("^[^", forbidden!(), "]+@[^", forbidden!(), ".]+"), concat!(r"(\.[^", forbidden!(), ".]+)+$"),);

    /// The pattern of a text that holds a character which nobody sees: soft hyphen, zero-width space and their kin.
    pub const INVISIBLE: &'static str = concat!("[", invisible!(), "]");

    /// Normalises and checks `text`.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        use unicode_normalization::UnicodeNormalization;
        let normal: String = text.trim().nfc().collect::<String>().to_lowercase();
        let refuse = || EmailError(text.to_owned());
        let (local, domain) = normal.split_once('@').ok_or_else(refuse)?;
        let dotted = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
        if local.is_empty() || !dotted || local.contains(is_forbidden) || domain.contains(is_forbidden) {
            return Err(refuse());
        }
        Ok(Self(normal))
    }

    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn addresses_are_normalised_and_nothing_is_stripped() {
        for (text, expected) in [
            (" Jane.Doe+Billing@Example.COM ", Some("jane.doe+billing@example.com")),
            ("o'neil@example.co.uk", Some("o'neil@example.co.uk")),
            ("jane", None),
            ("jane@example", None),
            ("@example.com", None),
            ("a@b@example.com", None),
            ("jane@exa mple.com", None),
            ("a@example.com;b@example.com", None),
            ("jane@.com", None),
            ("ja\u{200b}ne@example.com", None),
            ("\u{a0}jane@example.com\u{a0}", Some("jane@example.com")),
            ("", None),
        ] {
            assert_eq!(Email::parse(text).ok().as_ref().map(Email::as_str), expected, "{text:?}");
        }
    }
}
