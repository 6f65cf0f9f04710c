//! `[notify]`, and proxies: addresses that may hold a secret, and so stand elsewhere.

use super::document::Section;
use super::problem::Problems;
use super::sections::key_source;
use super::settings::{KeySource, NotifySettings, Proxy, When};
use super::value;
use std::path::Path;
use std::time::Duration;
use toml::de::DeValue;

/// Exit codes that a run can end with and that are told; 7 is told nobody, since another run is under way.
const TOLD_CODES: &[u8] = &[0, 1, 2, 3, 4, 5, 6, 8];

/// `[notify]`
pub(super) fn notify(section: &Section<'_>, base: &Path, problems: &mut Problems<'_>) -> NotifySettings {
    let whens = [("change", When::Change), ("problem", When::Problem), ("always", When::Always)];
    let mut secret = |key| key_source(section, key, base, problems);
    let (slack, webhook): (Option<KeySource>, _) = (secret("slack"), secret("webhook"));
    let (ping, ping_start) = (secret("ping"), secret("ping_start"));
    let (ping_success, ping_failure) = (secret("ping_success"), secret("ping_failure"));
    NotifySettings {
        name: section.read("name", problems, value::name),
        when: section.read("when", problems, |value| value::one_of(&whens, value)).unwrap_or(When::Change),
        slack,
        webhook,
        ping,
        ping_start,
        ping_success,
        ping_failure,
        success: section.read("success", problems, codes).unwrap_or_else(|| vec![0, 3]),
        metrics: section.read("metrics", problems, value::text).map(|path| base.join(path)),
        timeout: section.read("timeout", problems, value::duration).unwrap_or(Duration::from_secs(5)),
        proxy: proxy(section, base, problems),
    }
}

fn codes(value: &DeValue<'_>) -> Result<Vec<u8>, String> {
    let DeValue::Array(items) = value else { return Err("is no list".to_owned()) };
    let code = |value: &DeValue<'_>| {
        let number = value::whole(value)?;
        let known = u8::try_from(number).ok().filter(|code| TOLD_CODES.contains(code));
        known.ok_or_else(|| format!("`{number}` is no exit code that is told"))
    };
    items.iter().map(|item| code(item.get_ref())).collect()
}

/// `proxy`: an address, or where it stands. No message shows it: it may hold a password.
pub(super) fn proxy(section: &Section<'_>, base: &Path, problems: &mut Problems<'_>) -> Option<Proxy> {
    match section.value("proxy")?.get_ref() {
        DeValue::Table(_) => key_source(section, "proxy", base, problems).map(Proxy::Secret),
        _ => section.read("proxy", problems, open_proxy).map(Proxy::Open),
    }
}

fn open_proxy(value: &DeValue<'_>) -> Result<url::Url, String> {
    let url = proxy_address(&value::text(value)?).map_err(str::to_owned)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or a password".to_owned());
    }
    Ok(url)
}

/// Reads the address of a proxy: scheme, host and port. The error does not show it.
pub(super) fn proxy_address(text: &str) -> Result<url::Url, &'static str> {
    let url = url::Url::parse(text).map_err(|_| "is not an address such as http://proxy.example.com:3128")?;
    match url.scheme() {
        _ if url.host().is_none() => Err("names no host"),
        "http" | "https" if url.path() == "/" && url.query().is_none() && url.fragment().is_none() => Ok(url),
        "http" | "https" => Err("holds more than scheme, host and port"),
        _ => Err("is neither http nor https"),
    }
}

#[cfg(test)]
mod tests {
    use super::proxy_address;

    #[test]
    fn a_proxy_is_scheme_host_and_port() {
        for (text, fits) in [
            ("http://proxy.example.com:3128", true),
            ("https://user:pa55@proxy.example.com", true),
            ("proxy.example.com:3128", false),
            ("socks5://proxy.example.com", false),
            ("http://proxy.example.com/pa55", false),
            ("http://", false),
        ] {
            assert_eq!(proxy_address(text).is_ok(), fits, "{text}");
            assert!(!format!("{:?}", proxy_address(text).err()).contains("pa55"));
        }
    }
}
