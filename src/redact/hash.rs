//! HMAC-SHA-256 (RFC 2104), cut to what a person can compare.

use super::salt::SALT_BYTES;
use crate::model::hex;
use sha2::{Digest, Sha256};

/// Bytes of a hash that are shown: 48 bits, so that among a million values two share one in a run of five hundred.
const SHOWN: usize = 6;

/// SHA-256's block.
const BLOCK: usize = 64;

/// The two halves of HMAC after their key: what a value costs is then two blocks.
#[derive(Clone)]
pub(super) struct Keyed {
    inner: Sha256,
    outer: Sha256,
}

impl Keyed {
    pub(super) fn new(key: &[u8; SALT_BYTES]) -> Self {
        let half = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            Sha256::new_with_prefix(block)
        };
        Self { inner: half(0x36), outer: half(0x5c) }
    }

    /// Twelve hexadecimal digits. Addresses differ in case without being others.
    pub(super) fn digest(&self, value: &str) -> String {
        let value = value.trim();
        let lower = value.contains('@').then(|| value.to_lowercase());
        let mut inner = self.inner.clone();
        inner.update(lower.as_deref().unwrap_or(value).as_bytes());
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        hex(&outer.finalize()[..SHOWN])
    }
}
