//! Sending what a run folder's plan says, and learning from the replies.

use super::calls::Calls;
use super::exit::AppError;
use super::prepare::Prepared;
use super::{Context, embedded};
use crate::baseline::Baseline;
use crate::config::{Settings, TetherUrl};
use crate::journal::{self, JournalWriter, Resumed};
use crate::model::Instant;
use crate::monitor::{Event, Monitor};
use crate::runs::{Manifest, RunFolder};
use crate::send::{self, ApiKey, Client, Lane, SendContext, SendLimits};
use crate::table::PlanRows;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What sending needs besides the plan.
pub struct Delivery<'a> {
    /// The world.
    pub context: &'a Context<'a>,
    /// The configuration.
    pub settings: &'a Settings,
    /// The key of each product, in the order of the configuration.
    pub keys: Vec<SecretString>,
    /// Where progress goes.
    pub monitor: Arc<dyn Monitor>,
    /// Becomes true when the run is to stop.
    pub stop: watch::Receiver<bool>,
}

/// The key of every product, before anything else is done.
pub fn keys(context: &Context<'_>, settings: &Settings) -> Result<Vec<SecretString>, AppError> {
    settings.products.iter().map(|product| embedded::key(context, settings, product)).collect()
}

impl Delivery<'_> {
    /// Sends the rows that have no outcome yet: all of a new run (`resumed` is `None`), or the rest of an interrupted one.
    /// Then takes what the replies showed into the baseline.
    pub async fn send(&self, prepared: &Prepared, resumed: Option<(Resumed, u64)>) -> Result<(), AppError> {
        let (context, settings) = (self.context, self.settings);
        let sandbox = match &settings.tether.url {
            TetherUrl::Sandbox => Some(embedded::start(context, settings, &self.keys, &prepared.existing).await?),
            TetherUrl::Remote(_) => None,
        };
        let url = match (&settings.tether.url, &sandbox) {
            (TetherUrl::Remote(url), _) => url.clone(),
            (TetherUrl::Sandbox, Some(sandbox)) => sandbox.url(),
            (TetherUrl::Sandbox, None) => return Err(AppError::Internal("the sandbox did not start".into())),
        };
        let keys = self.keys.iter().map(ApiKey::new).collect::<Result<Vec<_>, _>>()?;
        let tether = &settings.tether;
        let in_flight = usize::try_from(tether.in_flight.get()).unwrap_or(usize::MAX);
        let transport = Client::new(&url, &keys, tether.request_timeout, in_flight, context.clock.clone())?;
        let path = prepared.folder.journal_path();
        let header = journal::Header {
            format: journal::JOURNAL_FORMAT,
            run_id: prepared.manifest.run_id.clone(),
            plan_hash: prepared.manifest.plan_hash.clone(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let (journal, resumed) = match resumed {
            None => (JournalWriter::create(&path, &header)?, Resumed::default()),
            Some((resumed, good)) => {
                let writer = JournalWriter::resume(&path, &resumed, good, context.now(), &header.tool_version)?;
                (writer, resumed)
            }
        };
        let mut lanes = vec![];
        let mut total = 0;
        for (product, key) in settings.products.iter().zip(keys) {
            let calls = Calls::new(&prepared.rows, &product.name, prepared.manifest.currency_digits)?;
            self.announce(&product.name, calls.total());
            total += calls.total() as u64;
            lanes.push(Lane { product: product.name.clone(), key, calls: Box::new(calls) });
        }
        let ended = send::send(
            lanes,
            SendContext {
                transport,
                journal: Arc::new(journal),
                clock: context.clock.clone(),
                monitor: self.monitor.clone(),
                stop: self.stop.clone(),
                rows: Some(total.saturating_sub(resumed.decided.len() as u64)),
                limits: SendLimits::from(tether),
                seed: context.random,
                pacing: settings.run.state.join("pacing"),
                resumed,
            },
        )
        .await;
        // The sandbox keeps what it took, also when sending failed.
        let stopped = match sandbox {
            Some(sandbox) => sandbox.stop().await,
            None => Ok(()),
        };
        ended?;
        stopped?;
        learn(settings, &prepared.folder, &prepared.manifest, &prepared.rows, context.now())
    }

    fn announce(&self, product: &str, calls: usize) {
        let rate = self.settings.tether.rate;
        let periods = u32::try_from(calls).unwrap_or(u32::MAX).div_ceil(rate.calls.get());
        self.monitor.event(Event::Note {
            message: format!(
                "{product}: {calls} calls, at least {} at the configured rate",
                forecast(rate.per.saturating_mul(periods))
            ),
        });
    }
}

/// `90 s` → `1 min 30 s`.
fn forecast(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Takes every reply that the run's journal proves into the baseline. Taking them twice changes nothing.
pub fn learn(
    settings: &Settings,
    folder: &RunFolder,
    manifest: &Manifest,
    rows: &PlanRows,
    at: Instant,
) -> Result<(), AppError> {
    if !folder.journal_path().exists() {
        return Ok(());
    }
    let product_of = products_by_row(rows, manifest)?;
    let baseline = Baseline::open(&settings.run.state);
    for (index, product) in manifest.products.iter().enumerate() {
        let mut failure = None;
        let replies = journal::outcomes(journal::read(&folder.journal_path())?)
            .map_while(|outcome| outcome.map_err(|error| failure = Some(error)).ok())
            .filter(|outcome| product_of.get(outcome.row as usize) == Some(&Some(index)))
            .filter_map(|outcome| outcome.customer);
        // Collected first: a journal that turns out damaged must not half-change the baseline.
        let replies: Vec<_> = replies.collect();
        if let Some(error) = failure {
            return Err(error.into());
        }
        if !replies.is_empty() {
            baseline.update(&product.name, replies.into_iter(), manifest.currency_digits, at)?;
        }
    }
    Ok(())
}

/// Which product, by its place in `manifest`, each row of the plan belongs to.
fn products_by_row(rows: &PlanRows, manifest: &Manifest) -> Result<Vec<Option<usize>>, AppError> {
    let frame = rows.frame();
    let (row, product) = (frame.column("row")?.u32()?, frame.column("product")?.str()?);
    let mut by_row = vec![None; rows.len()];
    for at in 0..rows.len() {
        let (Some(row), Some(name)) = (row.get(at), product.get(at)) else { continue };
        if let Some(place) = by_row.get_mut(row as usize) {
            *place = manifest.products.iter().position(|product| product.name == name);
        }
    }
    Ok(by_row)
}
