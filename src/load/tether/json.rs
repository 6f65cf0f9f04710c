//! Existing customers as JSON (a list, or an object that holds one) or as JSON Lines.
//!
//! Objects are read one by one, not as columns: that is the format. Text is borrowed from the file, numbers stay text, so
//! that no amount passes through a float.

use super::{MEMBERS, RawExisting};
use crate::load::LoadError;
use crate::load::fault::{Origin, quoted};
use crate::load::json_strings::too_long;
use crate::load::text::Decoded;
use crate::model::{Reason, Rejection};
use polars::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Text that is borrowed where the file holds it without escapes. Numbers count as their digits: some systems write ids
/// so.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> serde::de::Visitor<'de> for Reader {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// One customer; members that are not named are ignored, every one may be absent or null.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Customer<'a> {
    tether_id: Option<Text<'a>>,
    external_id: Option<Text<'a>>,
    email: Option<Text<'a>>,
    name: Option<Text<'a>>,
    company_name: Option<Text<'a>>,
    stripe_customer_id: Option<Text<'a>>,
    #[serde(borrow)]
    mrr: Option<&'a RawValue>,
    subscription_status: Option<Text<'a>>,
    #[serde(borrow)]
    auto_renew: Option<&'a RawValue>,
    period_end: Option<Text<'a>>,
    last_activity: Option<Text<'a>>,
    created_at: Option<Text<'a>>,
    updated_at: Option<Text<'a>>,
    /// A reply of the API holds the customer inside.
    #[serde(borrow, rename = "customer")]
    inner: Option<&'a RawValue>,
}

impl<'a> Customer<'a> {
    fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let outer: Self = serde_json::from_str(text)?;
        match outer.inner {
            Some(inner) => serde_json::from_str(inner.get()),
            None => Ok(outer),
        }
    }

    /// The values in the order of [`MEMBERS`].
    fn values(&self) -> [Option<&str>; MEMBERS.len()] {
        fn text<'b>(member: Option<&'b Text<'_>>) -> Option<&'b str> {
            member.map(|text| &*text.0)
        }
        // A number or a word as it stands; an amount may also come in quotes.
        let bare = |member: Option<&'a RawValue>| {
            member.map(|raw| {
                let raw = raw.get();
                raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw)
            })
        };
        [
            text(self.tether_id.as_ref()),
            text(self.external_id.as_ref()),
            text(self.email.as_ref()),
            text(self.name.as_ref()),
            text(self.company_name.as_ref()),
            text(self.stripe_customer_id.as_ref()),
            bare(self.mrr),
            text(self.subscription_status.as_ref()),
            bare(self.auto_renew),
            text(self.period_end.as_ref()),
            text(self.last_activity.as_ref()),
            text(self.created_at.as_ref()),
            text(self.updated_at.as_ref()),
        ]
    }
}

/// Lists under these members hold the customers.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    customers: Option<Vec<&'a RawValue>>,
}

/// The rows as they grow.
struct Rows<'o> {
    origin: &'o Origin<'o>,
    /// U+FFFD stands for bytes that were no text.
    lossy: bool,
    builders: Vec<StringChunkedBuilder>,
    lines: Vec<u32>,
    rejections: Vec<Rejection>,
}

impl<'o> Rows<'o> {
    fn new(origin: &'o Origin<'o>, capacity: usize, lossy: bool) -> Self {
        let builders = MEMBERS.iter().map(|member| StringChunkedBuilder::new((*member).into(), capacity)).collect();
        Self { origin, lossy, builders, lines: Vec::with_capacity(capacity), rejections: Vec::new() }
    }

    fn take(&mut self, text: &str, line: u64) {
        if self.lossy && text.contains('\u{fffd}') {
            let detail = "the row holds bytes that are no text in the file's own encoding".to_owned();
            self.rejections.push(self.origin.reject(line, Reason::BadEncoding, detail));
            return;
        }
        if let Some((reason, detail)) = too_long(text, self.origin.reading.limits.field_bytes) {
            self.rejections.push(self.origin.reject(line, reason, detail));
            return;
        }
        match Customer::parse(text) {
            Ok(customer) => {
                self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
                for (builder, value) in self.builders.iter_mut().zip(customer.values()) {
                    builder.append_option(value);
                }
            }
            Err(error) => {
                let detail = format!("column {}: {}: {}", error.column(), what(&error), quoted(text));
                self.rejections.push(self.origin.reject(line, Reason::BadJson, detail));
            }
        }
    }

    fn finish(self, decoded: &Decoded<'_>, shape: &'static str) -> Result<RawExisting, LoadError> {
        let height = self.lines.len();
        let mut columns: Vec<Column> =
            self.builders.into_iter().map(|builder| builder.finish().into_column()).collect();
        columns.push(Column::new("line".into(), self.lines));
        let frame = DataFrame::new(height, columns).map_err(|error| LoadError::internal(self.origin.file, error))?;
        let rows = (height + self.rejections.len()) as u64;
        let encoding = Some(decoded.encoding);
        Ok(RawExisting { frame, rejections: self.rejections, breaks: Vec::new(), rows, shape, encoding, dialect: None })
    }
}

/// What is wrong, without serde's own place: it counts from the beginning of the value, not of the file.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned()
}

/// Reads `decoded`, which begins with a brace or a bracket.
pub(super) fn read(decoded: &Decoded<'_>, origin: &Origin<'_>) -> Result<RawExisting, LoadError> {
    let text: &str = &decoded.text;
    // Only the first lines are looked at: a list may well stand on one line, and so may each customer of many.
    let mut filled = text.lines().filter(|line| !line.trim().is_empty());
    let whole = |line: Option<&str>| {
        line.is_some_and(|line| line.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(line).is_ok())
    };
    let (first, second) = (filled.next(), filled.next());
    let envelope = |line: &str| {
        serde_json::from_str::<Envelope<'_>>(line).is_ok_and(|found| found.data.is_some() || found.customers.is_some())
    };
    let lines = match (whole(first), whole(second)) {
        (true, _) => !(second.is_none() && first.is_some_and(envelope)),
        (false, second) => second && !text.trim_start().starts_with('['),
    };
    if lines {
        return read_lines(decoded, origin);
    }
    let broken = |error: serde_json::Error| LoadError::Broken {
        file: origin.file.to_owned(),
        detail: format!(
            "line {}, column {}: not JSON: {}; export it again",
            error.line(),
            error.column(),
            what(&error)
        ),
    };
    let values: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(broken)?
    } else {
        let found: Envelope<'_> = serde_json::from_str(text).map_err(broken)?;
        match found.data.or(found.customers) {
            Some(values) => values,
            None => vec![serde_json::from_str(text).map_err(broken)?],
        }
    };
    let mut rows = Rows::new(origin, values.len(), decoded.lossy);
    let (mut line, mut counted) = (1_u64, 0_usize);
    for value in values {
        // Where the value stands in the text; both point into the same buffer.
        let at = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize).clamp(counted, text.len());
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..at]).count() as u64;
        counted = at;
        rows.take(value.get(), line);
    }
    rows.finish(decoded, "existing Tether customers (JSON)")
}

fn read_lines(decoded: &Decoded<'_>, origin: &Origin<'_>) -> Result<RawExisting, LoadError> {
    let text: &str = &decoded.text;
    let mut rows = Rows::new(origin, memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1, decoded.lossy);
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.trim();
        if !line.is_empty() {
            rows.take(line, number);
        }
    }
    rows.finish(decoded, "existing Tether customers (JSON Lines)")
}
