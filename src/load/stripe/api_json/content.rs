//! What tells a repeated object from one that differs.

use memchr::{memchr2, memchr3};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A digest of an object's text without the whitespace between its parts.
pub(super) fn digest(object: &str) -> String {
    crate::model::hex(&Sha256::digest(compact(object.as_bytes()))[..16])
}

fn compact(object: &[u8]) -> Cow<'_, [u8]> {
    // Most exports are written without whitespace, or with it in names only.
    if memchr3(b' ', b'\n', b'\t', object).is_none() && !object.contains(&b'\r') {
        return Cow::Borrowed(object);
    }
    let mut kept = Vec::with_capacity(object.len());
    let mut rest = object;
    while let Some(&first) = rest.first() {
        let length = if first == b'"' { quoted(rest) } else { memchr::memchr(b'"', rest).unwrap_or(rest.len()) };
        let (part, further) = rest.split_at(length);
        if first == b'"' {
            kept.extend_from_slice(part);
        } else {
            kept.extend(part.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        rest = further;
    }
    Cow::Owned(kept)
}

/// The length of the string that `text` begins with, both quotes included.
fn quoted(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if text[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn only_whitespace_between_parts_is_left_out() {
        for (text, kept) in [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("{ \"a b\" :\r\n\t[ 1 , \"c d\" ] }", r#"{"a b":[1,"c d"]}"#),
            (r#"{ "a \" b" : " \\" , "c" : 1 }"#, r#"{"a \" b":" \\","c":1}"#),
            (r#"{ "cut off \"#, r#"{"cut off \"#),
        ] {
            assert_eq!(compact(text.as_bytes()), kept.as_bytes(), "{text}");
        }
    }
}
