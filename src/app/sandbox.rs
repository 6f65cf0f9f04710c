//! `sandbox`: a local Tether that listens until it is told to stop, or writes an export of what it keeps.

use super::embedded::{customers, faults};
use super::exit::{AppError, ExitCode};
use super::output::write_text;
use super::{Context, signals};
use crate::config::{self, KeySource, read_key};
use crate::load;
use crate::model::Instant;
use crate::sandbox::{Sandbox, SandboxProduct, SandboxSettings};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What the command line asks of a sandbox.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Name, environment variable of the key, creation gate; empty: those of the configuration.
    pub products: Vec<(String, String, bool)>,
    /// Where the customers are kept.
    pub state: Option<PathBuf>,
    /// A file of faults.
    pub faults: Option<PathBuf>,
    /// Where every call is logged.
    pub log: Option<PathBuf>,
    /// Product and file of existing customers to begin with.
    pub seed: Vec<(String, PathBuf)>,
    /// Product and file to write an export to, instead of listening.
    pub export: Vec<(String, PathBuf)>,
}

/// Serves until SIGTERM or SIGINT, or exports and returns. Must be called inside a tokio runtime.
pub async fn sandbox(context: &Context<'_>, wanted: Wanted, out: &mut dyn Write) -> Result<ExitCode, AppError> {
    let mut digits = 2;
    let products = if wanted.products.is_empty() {
        let settings = config::load(&context.config)?;
        digits = settings.digits();
        let mut products = vec![];
        for product in &settings.products {
            let key = super::embedded::key(context, &settings, product)?;
            products.push(SandboxProduct { name: product.name.clone(), key, creation: product.creation == Some(true) });
        }
        products
    } else {
        let mut products = vec![];
        for (name, variable, creation) in &wanted.products {
            let key = read_key(&KeySource::Env(variable.clone()), context.env)?;
            products.push(SandboxProduct { name: name.clone(), key, creation: *creation });
        }
        products
    };
    let mut seeds = vec![];
    for (product, file) in &wanted.seed {
        let held = load::existing_file(file, digits, &context.trials)?;
        seeds.push((product.clone(), customers(&held, digits)?));
    }
    let clock = context.clock.clone();
    let names: Vec<String> = products.iter().map(|product| product.name.clone()).collect();
    let settings = SandboxSettings {
        products,
        state_file: wanted.state,
        log_file: wanted.log,
        faults: wanted.faults.as_deref().map(faults).transpose()?.unwrap_or_default(),
        now: Arc::new(move || Instant::from_utc(clock.now())),
    };
    if !wanted.export.is_empty() {
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), settings, seeds).await?;
        for (product, file) in &wanted.export {
            let mut text = vec![];
            let count = sandbox.export(product, &mut text)?;
            crate::runs::write_atomic(file, |target| target.write_all(&text))?;
            write_text(out, &format!("{count} customers of {product} in {}\n", file.display()))?;
        }
        return Ok(ExitCode::Done);
    }
    let mut stop = signals::listen().map_err(|error| AppError::Internal(Box::new(error)))?;
    let sandbox = Sandbox::start(wanted.listen, settings, seeds).await?;
    write_text(out, &format!("sandbox at {} for {}; stop it with Ctrl-C\n", sandbox.url(), names.join(", ")))?;
    // The sender lives as long as the process.
    let _ = stop.changed().await;
    let calls = sandbox.calls_total();
    sandbox.stop().await?;
    write_text(out, &format!("{calls} calls served\n"))?;
    Ok(ExitCode::Done)
}
