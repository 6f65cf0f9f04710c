//! The real transport: HTTPS, one request per attempt, nothing done behind the caller's back.

use super::wait::{WAIT_HEADERS, named_wait};
use super::{ApiKey, Clock, IdType, MAX_REPLY_BYTES, Reply, Transport, TransportError};
use crate::config::is_loopback;
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

const ID_TYPE: HeaderName = HeaderName::from_static("x-customer-id-type");
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Sends to `POST /api/v1/customers` of one Tether.
pub struct Client {
    http: RwLock<reqwest::Client>,
    proxy: Option<reqwest::Proxy>,
    timeout: Duration,
    in_flight: usize,
    endpoint: url::Url,
    keys: Vec<HeaderValue>,
    clock: Arc<dyn Clock>,
}

/// The client could not be made (exit 2).
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address would send the key in the clear.
    #[error(
        "`{0}` is neither https nor http on this machine: the key would cross the network in the clear; set `[tether] url` to an https address"
    )]
    Insecure(String),
    /// The address cannot be posted to.
    #[error("`{0}` is not an address to send to; set `[tether] url` as in `https://usetether.io`")]
    Address(String),
    /// The key is no header's value.
    #[error("the key of a product cannot stand in a header; give the key alone, without `Bearer`")]
    Key,
    /// The address of the proxy is none.
    #[error("the address of the proxy is none; write it like http://proxy.example.com:3128")]
    Proxy,
    /// Certificates or the system's resolver could not be set up.
    #[error("failed to set up HTTPS: {0}")]
    Setup(String),
}

impl Client {
    /// A client for the Tether at `url`; `keys` by lane, `timeout` for a whole attempt, `in_flight` connections kept.
    pub fn new(
        url: &url::Url,
        keys: &[ApiKey],
        timeout: Duration,
        in_flight: usize,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        if url.host().is_none() {
            return Err(ClientError::Address(url.to_string()));
        }
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
            return Err(ClientError::Insecure(url.to_string()));
        }
        let mut endpoint = url.clone();
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        endpoint.set_path(&format!("{}/api/v1/customers", url.path().trim_end_matches('/')));
        // Fails only when one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = connections(timeout, in_flight, None).map_err(|e| ClientError::Setup(chain(&e)))?;
        let header = |key: &ApiKey| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|_| ClientError::Key)?;
            value.set_sensitive(true);
            Ok(value)
        };
        let keys = keys.iter().map(header).collect::<Result<_, _>>()?;
        Ok(Self { http: RwLock::new(http), proxy: None, timeout, in_flight, endpoint, keys, clock })
    }

    /// The same through `proxy`, an address that may hold a password. What is on this machine is reached without it: a key
    /// that needs no https there would cross the network in the clear.
    pub fn through(self, proxy: &SecretString) -> Result<Self, ClientError> {
        if is_loopback(&self.endpoint) {
            return Ok(self);
        }
        let proxy = reqwest::Proxy::all(proxy.expose_secret()).map_err(|_| ClientError::Proxy)?;
        let http = connections(self.timeout, self.in_flight, Some(&proxy));
        let http = RwLock::new(http.map_err(|e| ClientError::Setup(chain(&e)))?);
        Ok(Self { http, proxy: Some(proxy), ..self })
    }

    fn http(&self) -> reqwest::Client {
        // It is only ever replaced as a whole.
        self.http.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A pool of connections that does nothing behind the caller's back: no proxy but `proxy`, whatever the environment says.
fn connections(
    timeout: Duration,
    in_flight: usize,
    proxy: Option<&reqwest::Proxy>,
) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        // Below the time for all of it: a connection that was never had must not look like a reply that was lost.
        .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
        .timeout(timeout)
        .pool_max_idle_per_host(in_flight)
        // Shorter than servers keep an idle connection: a request sent into one that is being closed is ambiguous.
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("tether-recon/", env!("CARGO_PKG_VERSION")));
    match proxy {
        Some(proxy) => builder.proxy(proxy.clone()).build(),
        None => builder.build(),
    }
}

impl Transport for Client {
    async fn attempt(&self, lane: usize, id_type: IdType, body: &[u8]) -> Result<Reply, TransportError> {
        let Some(key) = self.keys.get(lane) else {
            let text = format!("lane {lane} has no key");
            return Err(TransportError { left: false, status: None, wait: None, text });
        };
        let request = self
            .http()
            .post(self.endpoint.clone())
            .header(AUTHORIZATION, key.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ID_TYPE, HeaderValue::from_static(id_type.as_str()))
            .body(body.to_vec());
        let mut response = request.send().await.map_err(|e| lost(None, None, &e))?;
        let status = response.status().as_u16();
        let date = header_date(response.headers());
        let wait = header_wait(status, response.headers(), date, self.clock.now());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| lost(Some(status), wait, &e))? {
            if bytes.len() + chunk.len() > MAX_REPLY_BYTES {
                let text = format!("HTTP {status} with more than {MAX_REPLY_BYTES} bytes, which is no reply");
                return Err(TransportError { left: true, status: Some(status), wait, text });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Reply { status, body: bytes, wait, date })
    }

    fn start_afresh(&self) {
        // Where that cannot be, the connections that stand are still better than none.
        if let Ok(fresh) = connections(self.timeout, self.in_flight, self.proxy.as_ref()) {
            *self.http.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

fn header_wait(status: u16, headers: &HeaderMap, date: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Duration> {
    let waits: Vec<_> = WAIT_HEADERS
        .iter()
        .flat_map(|name| headers.get_all(*name).iter().filter_map(move |v| Some((*name, v.to_str().ok()?))))
        .collect();
    named_wait(status, &waits, date, now)
}

fn header_date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok().map(DateTime::from)
}

/// Only when no connection was had is it certain that nothing left.
fn lost(status: Option<u16>, wait: Option<Duration>, error: &reqwest::Error) -> TransportError {
    let left = !(error.is_connect() || error.is_builder());
    let what = match (left, status) {
        (false, _) => "no connection: nothing was sent".to_owned(),
        (true, None) => "the reply was lost".to_owned(),
        (true, Some(status)) => format!("the reply (HTTP {status}) was cut off"),
    };
    TransportError { left, status, wait, text: format!("{what} ({})", chain(error)) }
}

/// The innermost causes say what happened; the outermost names the address, which says nothing.
fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    if error.is_timeout() {
        texts.insert(0, "timed out".into());
    }
    texts.dedup();
    if texts.is_empty() { "no cause given".into() } else { texts.join(": ") }
}
