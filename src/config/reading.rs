//! How a source's files are to be read where they do not say so themselves.

use super::document::Section;
use super::problem::Problems;
use super::schema::nearest;
use super::value;
use crate::model::{DateOrder, TimeZone};
use serde::{Serialize, Serializer};
use toml::de::DeValue;

/// What the configuration says about the files of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Reading {
    /// The encoding of files that carry no byte order mark: `encoding`; else it is recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TextEncoding>,
    /// The order of numeric dates: `dates`; else what the values of the source's files prove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// Where times without an offset are of: `time_zone`, else UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
}

/// A text encoding that was stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// UTF-16; its byte order is recognised, else little endian.
    Utf16,
    /// UTF-32; its byte order is recognised, else little endian.
    Utf32,
    /// One of the encodings of the WHATWG's standard.
    Label(&'static encoding_rs::Encoding),
}

impl Reading {
    /// Nothing is said.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

impl TextEncoding {
    /// The encoding that `label` means: a label of the WHATWG's standard in any case, `utf-16` or `utf-32`.
    pub fn named(label: &str) -> Option<Self> {
        match label.trim().to_ascii_lowercase().as_str() {
            "utf-16" | "utf16" => Some(Self::Utf16),
            "utf-32" | "utf32" => Some(Self::Utf32),
            other => encoding_rs::Encoding::for_label_no_replacement(other.as_bytes()).map(Self::Label),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf16 => "UTF-16",
            Self::Utf32 => "UTF-32",
            Self::Label(encoding) => encoding.name(),
        }
    }
}

impl Serialize for TextEncoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The key `key` of a section, an encoding.
pub(super) fn encoding(section: &Section<'_>, key: &'static str, problems: &mut Problems<'_>) -> Option<TextEncoding> {
    section.read(key, problems, |value| {
        let label = value::text(value)?;
        TextEncoding::named(&label).ok_or_else(|| format!("`{label}` is no encoding"))
    })
}

/// `encoding`, `dates` and `time_zone` of a section.
pub(super) fn reading(section: &Section<'_>, problems: &mut Problems<'_>) -> Reading {
    let orders = [("iso", DateOrder::Iso), ("us", DateOrder::Us), ("eu", DateOrder::Eu)];
    Reading {
        encoding: encoding(section, "encoding", problems),
        dates: section.read("dates", problems, |value| value::one_of(&orders, value)),
        time_zone: section.read("time_zone", problems, time_zone),
    }
}

fn time_zone(value: &DeValue<'_>) -> Result<TimeZone, String> {
    let name = value::text(value)?;
    // Names are compared without regard to case, which they hold as the database writes it.
    let near = || {
        let lower: Vec<String> = TimeZone::names().map(str::to_lowercase).collect();
        nearest(&name, lower.iter().map(String::as_str)).and_then(TimeZone::named)
    };
    TimeZone::named(&name).ok_or_else(|| match near() {
        Some(near) => format!("`{name}` is no time zone, did you mean \"{near}\"?"),
        None => format!("`{name}` is no time zone of the IANA database"),
    })
}
