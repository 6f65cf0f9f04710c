//! Stripe's API JSON: customers, subscriptions, coupons and discounts, of every API version and in every wrapping.
//!
//! In: a file's text. Out: a [`StripePart`]; an object that cannot be read is a rejection, the rest of the file is kept.
//! Never: a rule about money beyond "minor units", another file.
//!
//! A large file is read in stretches, on two threads; where a stretch ends depends on the text alone, and so does what comes
//! of it.

mod content;
mod gathered;
mod lines;
mod lone;
mod object;
mod price;
mod read;
mod rows;
mod stretch;
#[cfg(test)]
mod tests;
mod torn;
mod value;
mod walk;

pub(in crate::load) use value::sent_per_minor;

use super::part::StripePart;
use crate::{config::StripeSettings, model::Currency};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use stretch::{Parts, Place};
use walk::Walk;

/// How an object without a kind is called.
const UNNAMED: &str = "unnamed";

/// What a file is read with.
#[derive(Debug, Clone, Copy)]
pub struct JsonContext<'a> {
    /// The file's index.
    pub file: u32,
    /// Its path, as reports show it.
    pub path: &'a str,
    /// `[stripe]`
    pub settings: &'a StripeSettings,
    /// `[mrr] currency_digits`
    pub digits: &'a BTreeMap<Currency, u8>,
    /// `[limits] field_bytes`
    pub longest: u64,
}

/// Reads a file: a `list` object, an array, one object per line, a single object or events, mixed as they come.
///
/// # Errors
/// The file as a whole is no JSON, or holds nothing of Stripe: what is wrong, with its line.
pub fn read(text: &str, context: &JsonContext<'_>) -> Result<StripePart, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut walk = Walk::new(context, Place::start(text));
    if text.trim().is_empty() {
        return walk.finish()?.part("nothing", context);
    }
    let object = text.trim_start();
    let wrapping = if object.starts_with('[')
        && let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(object)
    {
        walk.all(elements, 0)?;
        walk.unpaged(false);
        "an array"
    } else if let Ok(one) = serde_json::from_str::<object::Found<'_>>(object) {
        walk.object(object, &one, 0)?;
        "one object"
    } else if has_lines(text) {
        walk.stretches(vec![Parts::Lines(text)])?;
        walk.unpaged(true);
        "one object per line"
    } else {
        let objects = || serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        if let Some(error) = objects().find_map(Result::err) {
            return Err(format!(
                "{}, line {}, column {}: not JSON: {error}; export the file again",
                context.path,
                error.line(),
                error.column()
            ));
        }
        walk.all(objects().flatten().collect(), 0)?;
        "objects one after the other"
    };
    walk.finish()?.part(wrapping, context)
}

/// Whether the lines of `text` are objects. One bad line, even the first, leaves the others readable.
fn has_lines(text: &str) -> bool {
    let is_json = |text: &str| serde_json::from_str::<&RawValue>(text).is_ok();
    // A line that is a brace alone begins an object over several lines.
    let is_object = |line: &str| line.trim().len() > 2 && line.trim_start().starts_with('{');
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    is_json(first) || is_object(first) && text.lines().skip(1).any(|line| is_object(line) && is_json(line))
}
