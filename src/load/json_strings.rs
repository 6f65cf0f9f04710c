//! How long the strings of JSON text are, before anything is made of them.

use crate::model::Reason;
use memchr::{memchr, memchr2};

/// Why `object` cannot be a row: a string of more than `most` bytes, as it is written. Only what is longer than that itself
/// is looked through.
pub(super) fn too_long(object: &str, most: u64) -> Option<(Reason, String)> {
    if object.len() as u64 <= most {
        return None;
    }
    let length = longest(object.as_bytes());
    (length as u64 > most).then(|| {
        (Reason::FieldTooLong, format!("a string of {length} bytes, more than the {most} of [limits] field_bytes"))
    })
}

/// Bytes of the longest string, without its quotes.
fn longest(mut rest: &[u8]) -> usize {
    let mut longest = 0;
    while let Some(open) = memchr(b'"', rest) {
        rest = &rest[open + 1..];
        let mut at = 0;
        let end = loop {
            match rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
                Some(found) if rest[at + found] == b'"' => break at + found,
                Some(found) => at += found + 2,
                None => break rest.len(),
            }
        };
        longest = longest.max(end);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::{longest, too_long};

    #[test]
    fn the_longest_string_is_found_whatever_is_escaped_in_it() {
        for (text, length) in [
            (r#"{"a":"bcd","ef":1}"#, 3),
            (r#"{"a\"bc":"\\","d":""}"#, 5),
            (r#"["x", "cut off"#, 7),
            (r#"["x", "cut off\"#, 8),
            ("[1,2]", 0),
        ] {
            assert_eq!(longest(text.as_bytes()), length, "{text}");
        }
        assert!(too_long(r#"{"a":"bcd"}"#, 3).is_none());
        assert!(too_long(r#"{"a":"bcd"}"#, 2).is_some());
    }
}
