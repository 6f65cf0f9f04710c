//! One request per notice: no second try, no redirect, an end after a few seconds.

use super::Address;
use crate::model::one_line;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::time::Duration;

/// What a notice is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Json,
    Text,
}

/// Sends notices, through the configured proxy or none.
#[derive(Debug, Clone)]
pub(super) struct Client {
    direct: reqwest::Client,
    outside: reqwest::Client,
}

impl Client {
    /// A client that gives each notice `timeout`. The error says why there is none.
    pub fn new(timeout: Duration, proxy: Option<&SecretString>) -> Result<Self, String> {
        // Fails only when one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let setup = |error: reqwest::Error| format!("failed to set up HTTPS: {}", causes(&error));
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .http1_only()
                .connect_timeout(timeout)
                .timeout(timeout)
                .pool_max_idle_per_host(0)
                .user_agent(concat!("tether-recon/", env!("CARGO_PKG_VERSION")))
        };
        let direct = builder().build().map_err(setup)?;
        let outside = match proxy {
            None => direct.clone(),
            Some(proxy) => {
                let proxy = reqwest::Proxy::all(proxy.expose_secret())
                    .map_err(|_| "the address of the proxy is none".to_owned())?;
                builder().proxy(proxy).build().map_err(setup)?
            }
        };
        Ok(Self { direct, outside })
    }

    /// Sends `body` to `address`; anything but 2xx is a failure. The error is one line without the address.
    pub async fn post(&self, address: &Address, content: Content, body: String) -> Result<(), String> {
        let Some(url) = address.url() else { return Err("the address is none".to_owned()) };
        let client = if address.is_loopback() { &self.direct } else { &self.outside };
        let content = match content {
            Content::Json => HeaderValue::from_static("application/json"),
            Content::Text => HeaderValue::from_static("text/plain; charset=utf-8"),
        };
        let reply = client.post(url).header(CONTENT_TYPE, content).body(body).send().await;
        match reply {
            Ok(reply) if reply.status().is_success() => Ok(()),
            Ok(reply) if reply.status().is_redirection() => {
                Err(format!("HTTP {}: redirects are not followed", reply.status().as_u16()))
            }
            Ok(reply) => Err(format!("HTTP {}", reply.status().as_u16())),
            Err(error) => Err(address.scrubbed(&causes(&error))),
        }
    }
}

/// The causes of an error; the outermost names the address, and is left out.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = vec![];
    if error.is_timeout() {
        texts.push("timed out".into());
    }
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(one_line(&cause.to_string()).into_owned());
        source = cause.source();
    }
    texts.dedup();
    if texts.is_empty() { "no cause given".into() } else { texts.join(": ") }
}
