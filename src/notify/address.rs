//! Where a notice goes: an address that is a secret, since whoever knows it can write there.

use crate::config::{KeyError, KeySource, is_loopback, place, read_key};
use secrecy::{ExposeSecret, SecretString};
use std::ffi::OsString;
use url::Url;

/// Stands in an address for the exit code.
const EXIT_CODE: &str = "{exit_code}";

/// An address that was found to be one. Cannot be printed but for its host.
#[derive(Debug, Clone)]
pub struct Address {
    secret: SecretString,
    host: String,
    is_loopback: bool,
}

/// An address cannot be used. Names its place, never the address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is not where the configuration says.
    #[error("{}", .0.of_an_address())]
    Source(KeyError),
    /// What stands there is no address that is safe to use.
    #[error("what stands in {place} {why}")]
    Unfit {
        /// Where it stands, in words.
        place: String,
        /// Why, without the address.
        why: &'static str,
    },
}

impl Address {
    /// Reads the address from where it stands; `env` looks up an environment variable.
    pub fn read(source: &KeySource, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, AddressError> {
        let secret = read_key(source, env).map_err(AddressError::Source)?;
        Self::new(secret).map_err(|why| AddressError::Unfit { place: place(source), why })
    }

    /// As [`Address::read`], with one more part of the path: `/fail`.
    pub(super) fn read_below(
        source: &KeySource,
        part: Option<&str>,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, AddressError> {
        let address = Self::read(source, env)?;
        let Some(part) = part else { return Ok(address) };
        address.below(part).ok_or_else(|| AddressError::Unfit { place: place(source), why: "has no path" })
    }

    pub(super) fn new(secret: SecretString) -> Result<Self, &'static str> {
        let url = parse(secret.expose_secret())?;
        let host = url.host().ok_or("names no host")?;
        let is_loopback = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err("is http, and would cross the network in the clear; write https"),
            _ => return Err("is no https address"),
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{host}{port}");
        Ok(Self { secret, host, is_loopback })
    }

    /// Host, and port where it is written: all of it that may be shown.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is on this machine, which no proxy stands before.
    pub(super) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    fn below(&self, part: &str) -> Option<Self> {
        let mut url = parse(self.secret.expose_secret()).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(part);
        Some(Self { secret: SecretString::from(String::from(url)), ..self.clone() })
    }

    /// The address after a run that ended so.
    pub(super) fn after(&self, exit_code: u8) -> Self {
        let text = self.secret.expose_secret().replace(EXIT_CODE, &exit_code.to_string());
        Self { secret: SecretString::from(text), ..self.clone() }
    }

    /// For the one request that needs it.
    pub(super) fn url(&self) -> Option<Url> {
        parse(self.secret.expose_secret()).ok()
    }

    /// Takes the address, and what makes it a secret, out of a text that came from elsewhere.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        let mut scrubbed = text.replace(self.secret.expose_secret(), "***");
        for part in self.url().iter().flat_map(|url| [url.as_str(), url.path(), url.query().unwrap_or_default()]) {
            // A path of `/` is in every text.
            if part.len() > 3 {
                scrubbed = scrubbed.replace(part, "***");
            }
        }
        scrubbed
    }
}

fn parse(text: &str) -> Result<Url, &'static str> {
    Url::parse(text).map_err(|_| "is no address")
}

#[cfg(test)]
mod tests {
    use super::Address;
    use secrecy::SecretString;

    fn address(text: &str) -> Result<Address, &'static str> {
        Address::new(SecretString::from(text))
    }

    #[test]
    fn only_https_and_this_machine_are_told_and_nothing_shows_more_than_the_host() {
        for (text, host) in [
            ("https://hooks.example.com/services/T0/B0/s3cret", Some("hooks.example.com")),
            ("https://ping.example.com:8443/s3cret?token=s3cret", Some("ping.example.com:8443")),
            ("https://user:s3cret@example.com/", Some("example.com")),
            ("http://127.0.0.1:9/s3cret", Some("127.0.0.1:9")),
            ("http://[::1]:9/s3cret", Some("[::1]:9")),
            ("http://hooks.example.com/s3cret", None),
            ("ftp://hooks.example.com/s3cret", None),
            ("s3cret", None),
        ] {
            let read = address(text);
            assert_eq!(read.as_ref().ok().map(Address::host), host, "{text}");
            assert!(!format!("{read:?}").contains("s3cret"), "{read:?}");
        }
    }

    #[test]
    fn the_parts_of_a_ping_are_below_its_address_and_the_exit_code_has_its_place() {
        let shown = |address: &Address| address.url().unwrap().to_string();
        for (text, expected) in [
            ("https://example.com/abc", "https://example.com/abc/fail"),
            ("https://example.com/abc/", "https://example.com/abc/fail"),
            ("https://example.com/abc?x=1", "https://example.com/abc/fail?x=1"),
        ] {
            assert_eq!(shown(&address(text).unwrap().below("fail").unwrap()), expected);
        }
        let with_code = address("https://example.com/abc/{exit_code}").unwrap().after(5);
        assert_eq!(shown(&with_code), "https://example.com/abc/5");
    }

    #[test]
    fn what_a_server_repeats_is_scrubbed() {
        let address = address("https://example.com/services/s3cret?k=t0ken").unwrap();
        for text in ["at https://example.com/services/s3cret?k=t0ken", "no /services/s3cret here", "bad k=t0ken"] {
            let scrubbed = address.scrubbed(text);
            assert!(!scrubbed.contains("s3cret") && !scrubbed.contains("t0ken"), "{scrubbed}");
        }
    }
}
