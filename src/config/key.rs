//! Reading a product's key. The value passes from its source into a type that cannot be printed, and into nothing else.

use super::notify::proxy_address;
use super::settings::{KeySource, Proxy};
use secrecy::{ExposeSecret, SecretString};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The longest key that is believed, in bytes: a longer file is not a key.
const LONGEST_KEY: usize = 4096;

/// Why a key cannot be used. Names its source, never its value.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The source does not exist.
    #[error("the key is missing: {place} {what}")]
    Missing {
        /// The source in words: `environment variable TETHER_API_KEY`.
        place: String,
        /// What to do about it, as the end of a sentence.
        what: &'static str,
    },
    /// The source holds something that is no key.
    #[error("the key in {place} is malformed: {why}")]
    Malformed {
        /// The source in words.
        place: String,
        /// Why, without the value.
        why: &'static str,
    },
    /// The source exists and cannot be read.
    #[error("the key in {place} cannot be read: {source}")]
    Unreadable {
        /// The source in words.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner may read or change the file.
    #[error("the key in {place} is open to others (mode {mode:03o}): run chmod 600 on it")]
    OpenToOthers {
        /// The source in words.
        place: String,
        /// The file's permissions.
        mode: u32,
    },
}

impl KeyError {
    /// The same of a secret that is no key: an address.
    pub fn of_an_address(&self) -> String {
        match self {
            Self::Missing { place, what } => format!("{place} {what}"),
            Self::Malformed { place, why } => format!("what stands in {place} is malformed: {why}"),
            Self::Unreadable { place, source } => format!("{place} cannot be read: {source}"),
            Self::OpenToOthers { place, mode } => {
                format!("{place} is open to others (mode {mode:03o}): run chmod 600 on it")
            }
        }
    }
}

/// Reads the key from its source; `env` looks up an environment variable. One newline at the end is taken off.
pub fn read_key(source: &KeySource, env: &dyn Fn(&str) -> Option<OsString>) -> Result<SecretString, KeyError> {
    let place = place(source);
    let text = match source {
        KeySource::Env(name) => {
            let Some(value) = env(name) else { return Err(KeyError::Missing { place, what: "is not set" }) };
            let Ok(value) = value.into_string() else { return Err(KeyError::Malformed { place, why: NOT_TEXT }) };
            value
        }
        KeySource::File(path) => read_file(path, place.clone(), true)?,
        KeySource::Credential(name) => {
            let Some(path) = credential_path(name, env) else {
                let what = "cannot be found, since $CREDENTIALS_DIRECTORY is not set; run this as a systemd service";
                return Err(KeyError::Missing { place, what });
            };
            // The service manager decides who may read its credentials, and some modes it uses look open.
            read_file(&path, place.clone(), false)?
        }
    };
    let key = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    match malformed(key) {
        Some(why) => Err(KeyError::Malformed { place, why }),
        None => Ok(SecretString::from(key.to_owned())),
    }
}

/// The address of a proxy, which may hold a password.
pub fn read_proxy(proxy: &Proxy, env: &dyn Fn(&str) -> Option<OsString>) -> Result<SecretString, KeyError> {
    let source = match proxy {
        Proxy::Open(url) => return Ok(SecretString::from(url.as_str())),
        Proxy::Secret(source) => source,
    };
    let address = read_key(source, env)?;
    match proxy_address(address.expose_secret()) {
        Ok(_) => Ok(address),
        Err(why) => Err(KeyError::Malformed { place: place(source), why }),
    }
}

/// Whether the source holds anything, without a look at the value.
pub fn key_is_present(source: &KeySource, env: &dyn Fn(&str) -> Option<OsString>) -> bool {
    match source {
        KeySource::Env(name) => env(name).is_some(),
        KeySource::File(path) => path.is_file(),
        KeySource::Credential(name) => credential_path(name, env).is_some_and(|path| path.is_file()),
    }
}

/// The permissions of a key's file that a run would refuse, since others than its owner may read or change it.
pub fn open_mode(source: &KeySource) -> Option<u32> {
    let KeySource::File(path) = source else { return None };
    open_to_others(&std::fs::metadata(path).ok()?)
}

/// The source in words, for messages.
pub fn place(source: &KeySource) -> String {
    match source {
        KeySource::Env(name) => format!("environment variable {name}"),
        KeySource::File(path) => format!("file {}", path.display()),
        KeySource::Credential(name) => format!("systemd credential {name}"),
    }
}

const NOT_TEXT: &str = "it is not ASCII text";

fn malformed(key: &str) -> Option<&'static str> {
    match key {
        "" => Some("it is empty"),
        _ if key.len() > LONGEST_KEY => Some("it is longer than any key"),
        _ if key.contains(char::is_whitespace) => Some("it holds white space"),
        _ if key.contains(char::is_control) => Some("it holds a control character"),
        _ if !key.is_ascii() => Some(NOT_TEXT),
        _ => None,
    }
}

fn credential_path(name: &str, env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    env("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name))
}

fn read_file(path: &Path, place: String, private: bool) -> Result<String, KeyError> {
    use std::io::{ErrorKind, Read};
    let result = (|| {
        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        let mut bytes = Vec::new();
        // One byte more than a key and its line ending may have tells a longer file apart.
        file.take(LONGEST_KEY as u64 + 3).read_to_end(&mut bytes)?;
        Ok((metadata, bytes))
    })();
    let (metadata, bytes) = match result {
        Ok(read) => read,
        Err(error) if ErrorKind::NotFound == std::io::Error::kind(&error) => {
            return Err(KeyError::Missing { place, what: "does not exist" });
        }
        Err(source) => return Err(KeyError::Unreadable { place, source }),
    };
    if let (true, Some(mode)) = (private, open_to_others(&metadata)) {
        return Err(KeyError::OpenToOthers { place, mode });
    }
    String::from_utf8(bytes).map_err(|_| KeyError::Malformed { place, why: NOT_TEXT })
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_metadata: &std::fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::{KeyError, key_is_present, read_key};
    use crate::config::KeySource;
    use secrecy::ExposeSecret;
    use std::ffi::OsString;

    fn check(value: &str, expected: Result<&str, &str>) {
        let read = read_key(&KeySource::Env("TETHER_KEY".into()), &|name| {
            (name == "TETHER_KEY").then(|| OsString::from(value))
        });
        match (read, expected) {
            (Ok(key), Ok(expected)) => {
                assert_eq!(key.expose_secret(), expected);
                assert!(!format!("{key:?}").contains(expected), "the key can be printed");
            }
            (Err(error), Err(why)) => {
                let (shown, debug) = (error.to_string(), format!("{error:?}"));
                assert!(shown.contains(why) && shown.contains("TETHER_KEY"), "{shown}");
                assert!(value.len() < 3 || !shown.contains(value) && !debug.contains(value), "{shown} shows the value");
            }
            (read, _) => panic!("{value:?}: {:?}", read.map(|_| "a key")),
        }
    }

    #[test]
    fn a_key_is_taken_whole_or_refused_by_the_name_of_its_source() {
        check("tk_live_1", Ok("tk_live_1"));
        check("tk_live_1\n", Ok("tk_live_1"));
        check("tk_live_1\r\n", Ok("tk_live_1"));
        check("tk_live_1\n\n", Err("white space"));
        check(" tk_live_1", Err("white space"));
        check("tk_li\tve_1", Err("white space"));
        check("tk_li\u{7}ve_1", Err("control character"));
        check("tk_live_ü", Err("not ASCII"));
        check("", Err("empty"));
        check("\n", Err("empty"));
        check(&"k".repeat(5000), Err("longer"));
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let nothing = |_: &str| None;
        for source in [
            KeySource::Env("TETHER_KEY".into()),
            KeySource::File("/nonexistent/key".into()),
            KeySource::Credential("tether".into()),
        ] {
            assert!(matches!(read_key(&source, &nothing), Err(KeyError::Missing { .. })), "{source:?}");
            assert!(!key_is_present(&source, &nothing));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_and_a_credential_is_found_in_its_folder() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tether");
        std::fs::write(&path, "tk_live_1\n").unwrap();
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let nothing = |_: &str| None;
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            set(mode);
            let read = read_key(&KeySource::File(path.clone()), &nothing);
            assert_eq!(read.is_ok(), fits, "{mode:o}");
            assert!(fits || matches!(read, Err(KeyError::OpenToOthers { .. })));
        }
        let env = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| folder.path().as_os_str().to_owned());
        assert!(read_key(&KeySource::Credential("tether".into()), &env).is_ok());
    }
}
