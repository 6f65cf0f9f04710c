//! The sandbox through real HTTP, by a client of twenty lines: what a caller would see.

mod faults;
mod keeping;
mod rules;

use super::{Clock, Faults, Sandbox, SandboxProduct, SandboxSettings};
use crate::model::{Instant, TetherCustomer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const NOW: &str = "2026-11-01T08:00:00Z";
const KEY: &str = "Bearer key-of-core";

/// Status, head and body; or how the connection ended without a reply.
type Answer = Result<(u16, String, String), String>;

/// Sends raw bytes and reads until the connection ends.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that answers early may close before everything is written.
    let _ = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply).await;
    let reply = String::from_utf8(reply).unwrap();
    let Some((head, body)) = reply.split_once("\r\n\r\n") else {
        return Err(format!("{:?} after {reply:?}", read.map_err(|error| error.kind())));
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok((status, head.to_ascii_lowercase(), body.to_owned()))
}

/// One request with the given headers and body.
async fn call(sandbox: &Sandbox, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers: String = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
    let length = body.len();
    let text =
        format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    exchange(sandbox.address(), text.as_bytes()).await
}

/// An upsert into the product `core`; status and JSON body.
async fn upsert(sandbox: &Sandbox, id_type: &str, body: &str) -> (u16, Value) {
    let headers = [("Authorization", KEY), ("X-Customer-Id-Type", id_type)];
    let (status, _, body) = call(sandbox, "POST /api/v1/customers", &headers, body).await.unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

fn product(name: &str, creation: bool) -> SandboxProduct {
    SandboxProduct { name: name.to_owned(), key: format!("key-of-{name}").into(), creation }
}

fn settings(creation: bool, faults: &str) -> SandboxSettings {
    let now: Clock = Arc::new(|| Instant::parse(NOW).unwrap());
    SandboxSettings {
        products: vec![product("core", creation), product("side", true)],
        state_file: None,
        log_file: None,
        faults: Faults::from_toml(faults).unwrap(),
        now,
    }
}

async fn start(settings: SandboxSettings, core: Vec<TetherCustomer>) -> Sandbox {
    let seed = BTreeMap::from([("core".to_owned(), core)]);
    Sandbox::start("127.0.0.1:0".parse().unwrap(), settings, seed).await.unwrap()
}

fn customer(external_id: Option<&str>, email: &str) -> TetherCustomer {
    TetherCustomer {
        tether_id: Some(format!("t-{email}")),
        external_id: external_id.map(str::to_owned),
        email: Some(email.to_owned()),
        stripe_customer_id: Some("cus_1".to_owned()),
        created_at: Some("2025-01-15T10:00:00Z".to_owned()),
        updated_at: Some("2025-01-15T10:00:00Z".to_owned()),
        ..TetherCustomer::default()
    }
}

fn export(sandbox: &Sandbox) -> Vec<Value> {
    let mut bytes = Vec::new();
    sandbox.export("core", &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
