//! The local Tether of `url = "sandbox"`, inside the process.

use super::Context;
use super::exit::AppError;
use crate::config::{ProductSettings, Settings, read_key};
use crate::model::{Instant, Money, TetherCustomer};
use crate::sandbox::{Faults, Sandbox, SandboxProduct, SandboxSettings};
use crate::table::Existing;
use polars::prelude::*;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;

/// The key of `product`: where the configuration says it stands, or in the sandbox, which needs none, one of its own.
pub fn key(context: &Context<'_>, settings: &Settings, product: &ProductSettings) -> Result<SecretString, AppError> {
    use crate::config::{KeyError, TetherUrl};
    match read_key(&product.key, context.env) {
        Err(KeyError::Missing { .. }) if settings.tether.url == TetherUrl::Sandbox => {
            Ok(SecretString::from(format!("sandbox-{}", product.name)))
        }
        other => Ok(other?),
    }
}

/// Starts the sandbox that belongs to `settings`: it keeps its customers in the state folder, and begins with `seed`, what
/// each product's export holds.
pub async fn start(
    context: &Context<'_>,
    settings: &Settings,
    keys: &[SecretString],
    seed: &[Option<Existing>],
) -> Result<Sandbox, AppError> {
    let products = settings
        .products
        .iter()
        .zip(keys)
        .map(|(product, key)| SandboxProduct {
            name: product.name.clone(),
            key: key.clone(),
            creation: product.creation == Some(true),
        })
        .collect();
    let clock = context.clock.clone();
    let sandbox = SandboxSettings {
        products,
        state_file: Some(settings.run.state.join("sandbox.jsonl")),
        log_file: None,
        faults: settings.tether.sandbox_faults.as_deref().map(faults).transpose()?.unwrap_or_default(),
        now: Arc::new(move || Instant::from_utc(clock.now())),
    };
    let digits = settings.digits();
    let mut seeds = vec![];
    for (product, held) in settings.products.iter().zip(seed) {
        if let Some(held) = held {
            seeds.push((product.name.clone(), customers(held, digits)?));
        }
    }
    Ok(Sandbox::start(([127, 0, 0, 1], 0).into(), sandbox, seeds).await?)
}

/// Reads a file of faults; each of its problems is told with the file and its place there.
pub fn faults(path: &Path) -> Result<Faults, AppError> {
    let refuse = |text: String| AppError::Configuration(text.into());
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| refuse(format!("{file}: {error}")))?;
    Faults::from_toml(&text).map_err(|error| {
        let problems: Vec<String> = error.to_string().lines().map(|problem| format!("{file}:{problem}")).collect();
        refuse(problems.join("\n"))
    })
}

/// Existing customers one by one, as the sandbox takes them. Rows, because here the network begins.
pub fn customers(held: &Existing, digits: u8) -> PolarsResult<impl Iterator<Item = TetherCustomer> + use<>> {
    let rows = held.frame();
    let text = |name: &str| -> PolarsResult<StringChunked> { Ok(rows.column(name)?.str()?.clone()) };
    let instant =
        |name: &str| -> PolarsResult<Int64Chunked> { Ok(rows.column(name)?.cast(&DataType::Int64)?.i64()?.clone()) };
    let (tether_id, external_id, email) = (text("tether_id")?, text("external_id")?, text("email")?);
    let (name, company_name) = (text("name")?, text("company_name")?);
    let (stripe_customer_id, subscription_status) = (text("stripe_customer_id")?, text("subscription_status")?);
    let (period_end, last_activity) = (instant("period_end")?, instant("last_activity")?);
    let (created_at, updated_at) = (instant("created_at")?, instant("updated_at")?);
    let mrr = rows.column("mrr")?.i64()?.clone();
    let auto_renew = rows.column("auto_renew")?.bool()?.clone();
    let height = rows.height();
    Ok((0..height).map(move |row| {
        let text = |column: &StringChunked| column.get(row).map(str::to_owned);
        let instant = |column: &Int64Chunked| {
            let seconds = column.get(row)?.div_euclid(1000);
            Instant::from_epoch_seconds(seconds).map(|instant| instant.to_string())
        };
        TetherCustomer {
            tether_id: text(&tether_id),
            external_id: text(&external_id),
            email: text(&email),
            name: text(&name),
            company_name: text(&company_name),
            stripe_customer_id: text(&stripe_customer_id),
            mrr: mrr.get(row).and_then(|minor| Money::new(minor, digits).to_string().parse().ok()),
            subscription_status: text(&subscription_status),
            auto_renew: auto_renew.get(row),
            period_end: instant(&period_end),
            last_activity: instant(&last_activity),
            created_at: instant(&created_at),
            updated_at: instant(&updated_at),
        }
    }))
}
