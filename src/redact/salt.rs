//! The salt: without it nobody can try a list of addresses against the hashes.

use crate::model::hex;

/// A salt's length.
pub const SALT_BYTES: usize = 32;

/// Random bytes that only this machine has. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; SALT_BYTES]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(…)")
    }
}

impl Salt {
    /// A salt of these bytes.
    pub const fn new(bytes: [u8; SALT_BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; SALT_BYTES] {
        &self.0
    }

    /// As its file holds it: 64 hexadecimal digits and an end of line.
    pub fn to_file(&self) -> String {
        hex(&self.0) + "\n"
    }

    /// Reads what [`Self::to_file`] wrote; `None` where it is anything else.
    pub fn from_file(text: &str) -> Option<Self> {
        let digits = text.trim_end().as_bytes();
        if digits.len() != 2 * SALT_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; SALT_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::{SALT_BYTES, Salt};

    #[test]
    fn a_salt_is_read_as_it_was_written_and_is_not_printed() {
        let salt = Salt::new(std::array::from_fn(|at| u8::try_from(at).unwrap() * 7));
        let text = salt.to_file();
        assert_eq!((Salt::from_file(&text).as_ref(), text.len()), (Some(&salt), 2 * SALT_BYTES + 1));
        for bad in ["", "00", &text[..63], &text.replace('0', "g"), &format!("{text}00")] {
            assert_eq!(Salt::from_file(bad), None, "{bad:?}");
        }
        assert_eq!(format!("{salt:?}"), "Salt(…)");
    }
}
