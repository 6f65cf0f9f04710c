//! API keys: never printed, and taken out of everything that is.

use crate::model::{RowOutcome, TetherCustomer};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// A product's API key, plausible as a header's value.
#[derive(Debug, Clone)]
pub struct ApiKey {
    secret: SecretString,
    fingerprint: String,
}

/// The text can be no key (exit 6). The message never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing is there.
    #[error("the key is empty; set it to the key from Settings → Products → [product] → API")]
    Empty,
    /// It holds something that no key holds.
    #[error(
        "the key holds a space, a quote, a backslash, a line break or a character outside ASCII at position {0}; give \
         the key alone, without `Bearer`"
    )]
    Character(usize),
    /// It is too short to be told apart from ordinary text when replies are scrubbed, or absurdly long.
    #[error("the key is {0} characters long; a key has 4 to 1024")]
    Length(usize),
}

impl ApiKey {
    /// Checks `secret`; white space around it (a file's last newline) is not part of it.
    pub fn new(secret: &SecretString) -> Result<Self, KeyError> {
        let text = secret.expose_secret().trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        // Quotes and backslashes are refused so that the key reads the same inside JSON, where it is scrubbed.
        if let Some(at) = text.bytes().position(|b| !b.is_ascii_graphic() || matches!(b, b'"' | b'\'' | b'\\')) {
            return Err(KeyError::Character(at + 1));
        }
        if !(4..=1024).contains(&text.len()) {
            return Err(KeyError::Length(text.len()));
        }
        let digest = Sha256::digest(text.as_bytes());
        let fingerprint = format!("{digest:x}")[..12].to_owned();
        Ok(Self { secret: SecretString::from(text), fingerprint })
    }

    /// The first twelve hexadecimal digits of the key's SHA-256: names it in files without telling it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// Replaces keys by `***` in texts that came from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    keys: Vec<ApiKey>,
}

impl Scrubber {
    /// Takes out every one of `keys`.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a ApiKey>) -> Self {
        let mut keys: Vec<ApiKey> = keys.into_iter().cloned().collect();
        // A key that begins with another one is taken out first, whole.
        keys.sort_by_key(|key| std::cmp::Reverse(key.expose().len()));
        Self { keys }
    }

    /// Scrubs `text` in place; does nothing, quickly, where no key stands.
    pub fn scrub(&self, text: &mut String) {
        for key in &self.keys {
            if text.contains(key.expose()) {
                *text = text.replace(key.expose(), "***");
            }
        }
    }

    /// `text`, scrubbed.
    #[must_use]
    pub fn scrubbed(&self, mut text: String) -> String {
        self.scrub(&mut text);
        text
    }

    /// Scrubs a reply's body before anything is made of it: what is shortened later must not keep a part of a key.
    pub fn scrub_body(&self, body: &mut Vec<u8>) {
        for key in &self.keys {
            let key = key.expose().as_bytes();
            if memchr::memmem::find(body, key).is_some() {
                let mut rest = body.as_slice();
                let mut scrubbed = Vec::with_capacity(body.len());
                while let Some(at) = memchr::memmem::find(rest, key) {
                    scrubbed.extend_from_slice(&rest[..at]);
                    scrubbed.extend_from_slice(b"***");
                    rest = &rest[at + key.len()..];
                }
                scrubbed.extend_from_slice(rest);
                *body = scrubbed;
            }
        }
    }

    /// Scrubs every text of `outcome`.
    pub fn scrub_outcome(&self, outcome: &mut RowOutcome) {
        if let Some(customer) = &mut outcome.customer {
            self.scrub_customer(customer);
        }
        for field in &mut outcome.not_applied {
            self.scrub(&mut field.sent);
            field.shown.iter_mut().for_each(|text| self.scrub(text));
        }
        outcome.detail.iter_mut().for_each(|text| self.scrub(text));
    }

    fn scrub_customer(&self, customer: &mut TetherCustomer) {
        let TetherCustomer {
            tether_id,
            external_id,
            email,
            name,
            company_name,
            stripe_customer_id,
            mrr,
            subscription_status,
            auto_renew: _,
            period_end,
            last_activity,
            created_at,
            updated_at,
        } = customer;
        let texts = [
            tether_id,
            external_id,
            email,
            name,
            company_name,
            stripe_customer_id,
            mrr,
            subscription_status,
            period_end,
            last_activity,
            created_at,
            updated_at,
        ];
        for text in texts.into_iter().flatten() {
            self.scrub(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiKey, KeyError, Scrubber};
    use secrecy::SecretString;

    #[test]
    fn what_can_be_no_key_is_refused_without_being_shown() {
        for (text, expected) in [
            ("tk_live_0123456789\n", Ok(())),
            ("  \n", Err(KeyError::Empty)),
            ("Bearer tk_live_0123456789", Err(KeyError::Character(7))),
            ("tk_live_\u{e9}23456789", Err(KeyError::Character(9))),
            ("tk_live\r\n0123456789", Err(KeyError::Character(8))),
            ("tk", Err(KeyError::Length(2))),
        ] {
            let key = ApiKey::new(&SecretString::from(text));
            assert_eq!(key.as_ref().map(|_| ()).map_err(|e| *e), expected);
            assert!(!format!("{key:?}").contains("tk_live"));
        }
    }

    #[test]
    fn keys_are_taken_out_whole_even_when_one_begins_with_another() {
        let keys = ["tk_live_01", "tk_live_0123456789"].map(|k| ApiKey::new(&SecretString::from(k)).unwrap());
        let scrubber = Scrubber::new(&keys);
        assert_eq!(scrubber.scrubbed("a tk_live_0123456789 b tk_live_01".into()), "a *** b ***");
        let mut body = b"tk_live_01tk_live_0123456789, tk_live_0".to_vec();
        scrubber.scrub_body(&mut body);
        assert_eq!(body, b"******, tk_live_0");
        assert_eq!(keys[0].fingerprint().len(), 12);
    }
}
