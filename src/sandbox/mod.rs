//! A local Tether: the documented customers endpoint, in full, with faults on demand.
//!
//! In: products with their keys and creation gates, customers to begin with, a script of faults. Out: a server on a
//! local address that answers `POST /api/v1/customers` as the vendor's page says, an ordered log of every call, its
//! customers as an export. Never: TLS, another endpoint, a read of the wall clock (the caller passes it in).
//!
//! Where the vendor's page is silent, the sandbox is strict, so that a rehearsal shows what must not be relied upon:
//! `null` leaves a value alone, an empty text is refused, and so is an e-mail or an external id that another customer
//! of the product has (409).

mod calls;
mod connection;
mod customer;
mod endpoint;
mod faults;
mod reply;
mod request;
mod server;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use calls::Call;
pub use faults::{Faults, FaultsError};
pub use server::Sandbox;

use crate::model::Instant;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;

/// The path of the only endpoint.
pub const CUSTOMERS_PATH: &str = "/api/v1/customers";

/// The wall clock, as the sandbox asks for it.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// What a sandbox is made of.
#[derive(Clone)]
pub struct SandboxSettings {
    /// The products, each with its own customers and its own key; names and keys must differ.
    pub products: Vec<SandboxProduct>,
    /// Where the customers are kept between starts (JSON Lines); `None`: in memory only.
    pub state_file: Option<PathBuf>,
    /// Where every call is appended (JSON Lines); `None`: the last calls stay in memory.
    pub log_file: Option<PathBuf>,
    /// What goes wrong, and when.
    pub faults: Faults,
    /// The wall clock: `created_at`, `updated_at`, the log.
    pub now: Clock,
}

/// One product of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxProduct {
    /// Its name.
    pub name: String,
    /// The key that opens it.
    pub key: SecretString,
    /// Whether customers may be created via the API (Tether's default: no).
    pub creation: bool,
}

/// The sandbox cannot start, save or export.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Two products share a name, two share a key, or a customer or a fault was given for a product that is not there.
    #[error("the sandbox's products are contradictory: {0}")]
    Products(String),
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen on {address}: {source}; choose another address or port 0")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be read or written.
    #[error("the sandbox cannot {verb} {}: {source}", path.display())]
    File {
        /// `read`, `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of the state file is not what the sandbox wrote.
    #[error("line {line} of {} is no customer of the sandbox ({detail}); repair or remove the file", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// A customer to begin with cannot be read.
    #[error("customer {key} of product {product} cannot be taken into the sandbox: {detail}")]
    Seed {
        /// The product.
        product: String,
        /// The customer: Tether id, external id or e-mail.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An export's destination cannot be written.
    #[error("the export of the sandbox's customers cannot be written: {0}")]
    Export(std::io::Error),
    /// The server's task ended by itself.
    #[error("the sandbox's server ended unexpectedly: {0}")]
    Server(String),
}
