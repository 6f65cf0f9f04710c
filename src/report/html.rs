//! `report.html`: the page that a reviewer signs. Self-contained; the policy lets nothing in but its own style and
//! script, by their hashes.

mod breaks;
mod configuration;
mod customers;
mod decision;
mod division;
mod page;
mod prediction;
mod product;
mod scale;
mod sources;
mod unmatched;
mod verdict;
mod waterfall;

use super::ReportError;
use super::model::ReportModel;
use super::verdict::Ending;
use askama::Template;
use sha2::{Digest, Sha256};
use std::io::Write;

const STYLE: &str = include_str!("templates/report.css");
const SCRIPT: &str = include_str!("templates/report.js");

/// Writes `report.html`.
pub(super) fn write(model: &ReportModel, ending: Ending, out: &mut dyn Write) -> Result<(), ReportError> {
    page::Page::of(model, ending)?
        .write_into(&mut *out)
        .map_err(|source| ReportError::Write { path: "report.html".into(), source })
}

/// A content policy source for an inline text: `'sha256-…'`.
fn policy_hash(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (word >> (18 - 6 * place)) & 63;
            out.push(if place > chunk.len() { '=' } else { char::from(ALPHABET[sextet as usize]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_what_browsers_compute() {
        for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(super::base64(text.as_bytes()), expected);
        }
    }
}
