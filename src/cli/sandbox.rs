//! The arguments of `sandbox`.

use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// `sandbox`
#[derive(Debug, Clone, Args)]
pub struct SandboxArgs {
    /// Address and port to listen on; port 0 takes a free one and prints it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// A product, the environment variable with its key, and its creation gate (off unless said); repeat for several
    #[arg(long = "product", value_name = "NAME=ENVVAR[,creation=on]")]
    pub products: Vec<SandboxProduct>,
    /// Keep customers in this file between starts
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Faults to play, as described in docs/REHEARSALS.md
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Append every call to this file: its body, the status answered, what was really done; keys are left out
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Begin with the customers of this export, unless --state already holds some; repeat for several
    #[arg(long, value_name = "PRODUCT=FILE")]
    pub seed: Vec<ProductFile>,
    /// Write what --state holds of a product as an export, and end; repeat for several
    #[arg(long, value_name = "PRODUCT=FILE", requires = "state")]
    pub export: Vec<ProductFile>,
}

/// `NAME=ENVVAR[,creation=on]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxProduct {
    /// The product's name.
    pub name: String,
    /// The environment variable that holds its key.
    pub variable: String,
    /// Whether the sandbox may create customers.
    pub creation: bool,
}

impl From<SandboxArgs> for crate::app::sandbox::Wanted {
    fn from(args: SandboxArgs) -> Self {
        let files = |given: Vec<ProductFile>| given.into_iter().map(|one| (one.product, one.file)).collect();
        Self {
            listen: args.listen,
            products: args.products.into_iter().map(|one| (one.name, one.variable, one.creation)).collect(),
            state: args.state,
            faults: args.faults,
            log: args.log,
            seed: files(args.seed),
            export: files(args.export),
        }
    }
}

impl FromStr for SandboxProduct {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || "write it like core=TETHER_CORE_KEY or core=TETHER_CORE_KEY,creation=on".to_owned();
        let (product, creation) = match text.split_once(',') {
            None => (text, false),
            Some((product, "creation=on")) => (product, true),
            Some((product, "creation=off")) => (product, false),
            Some(_) => return Err(refuse()),
        };
        match product.split_once('=') {
            Some((name, variable)) if !name.is_empty() && !variable.is_empty() => {
                Ok(Self { name: name.to_owned(), variable: variable.to_owned(), creation })
            }
            _ => Err(refuse()),
        }
    }
}

/// `PRODUCT=FILE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFile {
    /// The product's name.
    pub product: String,
    /// The file.
    pub file: PathBuf,
}

impl FromStr for ProductFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((product, file)) if !product.is_empty() && !file.is_empty() => {
                Ok(Self { product: product.to_owned(), file: file.into() })
            }
            _ => Err("write it like core=customers.jsonl".to_owned()),
        }
    }
}
