//! Sending what a run folder's plan says, and learning from the replies.

use super::calls::Calls;
use super::exit::{AppError, ExitCode, Next};
use super::prepare::Prepared;
use super::why::Stops;
use super::{Context, embedded, finish};
use crate::baseline::Baseline;
use crate::config::{self, KeyPace, ProductSettings, Settings, TetherUrl};
use crate::journal::{self, JournalError, JournalWriter, Record, Resumed};
use crate::model::{Instant, TetherCustomer};
use crate::monitor::{Event, Monitor};
use crate::runs::{Manifest, RunFolder, RunStatus};
use crate::send::{self, ApiKey, Client, Lane, SendContext, SendLimits};
use crate::table::PlanRows;
use secrecy::SecretString;
use std::sync::Arc;
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

/// The key of every product, before anything else is done. One key with two paces is refused: whichever of them held, one
/// product would be sent otherwise than its section says.
pub fn keys(context: &Context<'_>, settings: &Settings) -> Result<Vec<SecretString>, AppError> {
    let mut keys = vec![];
    let mut seen: Vec<(String, &ProductSettings)> = vec![];
    for product in &settings.products {
        let key = embedded::key(context, settings, product)?;
        let fingerprint = ApiKey::new(&key)?.fingerprint().to_owned();
        let pace = |product: &ProductSettings| product.pace(&settings.tether);
        if let Some((_, other)) = seen.iter().find(|(other, _)| *other == fingerprint)
            && !pace(product).is_that_of(pace(other))
        {
            let message = config::two_paces_of_one_key((&product.name, pace(product)), (&other.name, pace(other)));
            return Err(AppError::Configuration(message.into()));
        }
        seen.push((fingerprint, product));
        keys.push(key);
    }
    proxy(context, settings)?;
    Ok(keys)
}

/// The proxy before Tether; `None`: there is none.
fn proxy(context: &Context<'_>, settings: &Settings) -> Result<Option<SecretString>, AppError> {
    let proxy = settings.tether.proxy.as_ref().map(|proxy| config::read_proxy(proxy, context.env)).transpose();
    proxy.map_err(|error| AppError::Credentials(format!("[tether] proxy: {}", error.of_an_address()).into()))
}

impl Delivery<'_> {
    /// Sends, learns and reports. When sending or learning fails, a report of what the journal proves is tried all the
    /// same, and the run stays resumable.
    pub async fn carry_out(
        &self,
        mut prepared: Prepared,
        resumed: Option<(Resumed, u64)>,
    ) -> Result<(ExitCode, String), AppError> {
        let sent = self.send(&mut prepared, resumed).await;
        let stopped = match sent {
            Ok(stopped) => stopped,
            Err(error) => return Err(self.cut_short(prepared, error)),
        };
        self.monitor.event(Event::StageStarted { stage: "writing the report", total: None });
        let (code, summary) =
            self.context.finish(self.settings, prepared, &stopped).map_err(|e| e.then(Next::Resume))?;
        let result = format!("exit code {}", code.code());
        self.monitor.event(Event::StageFinished { stage: "writing the report", result });
        Ok((code, summary))
    }

    /// Sending or learning failed: a report of what the journal proves is tried. Returns `error` with how to go on.
    fn cut_short(&self, prepared: Prepared, error: AppError) -> AppError {
        // The manifest on the disk is what the next command goes by.
        let is_planned = prepared.folder.read_manifest().is_ok_and(|found| found.status == RunStatus::Planned);
        let error = error.then(if is_planned { Next::Run } else { Next::Resume });
        if is_planned {
            return error;
        }
        let report = prepared.folder.report_path().join("report.html");
        // A full disk may refuse this too: then there is no report, and the error says enough.
        if prepared.manifest.status == RunStatus::Sending
            && finish::cut_short(prepared, self.context.now(), error.exit_code(), certain_lines(&error)).is_ok()
        {
            let message = format!("what is known so far: {}", report.display());
            self.monitor.event(Event::Warning { message });
        }
        error
    }

    /// Sends the rows that have no outcome yet: all of a new run (`resumed` is `None`), or the rest of an interrupted one.
    /// Then takes what the replies showed into the baseline, and returns the products that stopped early.
    async fn send(&self, prepared: &mut Prepared, resumed: Option<(Resumed, u64)>) -> Result<Stops, AppError> {
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
        let transport = match proxy(context, settings)? {
            Some(proxy) => transport.through(&proxy)?,
            None => transport,
        };
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
        // Only now: a run that may have sent has a journal, so that one without is known to have lost it.
        prepared.manifest.status = RunStatus::Sending;
        prepared.manifest.exit_code = None;
        prepared.manifest.finished_at = None;
        prepared.manifest.proof.reopen();
        prepared.folder.write_manifest(&prepared.manifest)?;
        let mut lanes = vec![];
        for (product, key) in settings.products.iter().zip(keys) {
            let manifest = &prepared.manifest;
            let (digits, selection) = (manifest.currency_digits, manifest.selection.as_ref());
            let calls = Calls::new(&prepared.rows, &product.name, digits, selection)?;
            let left = calls.left(&resumed.decided)?;
            let pace = product.pace(tether);
            self.announce(&product.name, &key, pace, left);
            let (name, key_source, rows) = (product.name.clone(), product.key.clone(), Some(left as u64));
            lanes.push(Lane { product: name, key, pace, key_source, calls: Box::new(calls), rows });
        }
        let ended = send::send(
            lanes,
            SendContext {
                transport,
                journal: Arc::new(journal),
                clock: context.clock.clone(),
                monitor: self.monitor.clone(),
                stop: self.stop.clone(),
                limits: SendLimits::from(tether),
                seed: context.random,
                pacing: settings.run.state.join("pacing"),
                resumed,
            },
        )
        .await;
        // The sandbox keeps what it took, also when sending failed.
        if let Some(sandbox) = sandbox
            && let Err(error) = sandbox.stop().await
        {
            // Its replies were given all the same: what they say is learned and reported.
            self.monitor.event(Event::Warning { message: format!("{error}; the sandbox forgets what it took last") });
        }
        let ended = ended?;
        learn(settings, &prepared.folder, &prepared.manifest, &prepared.rows, context.now())?;
        Ok(ended.stopped)
    }

    fn announce(&self, product: &str, key: &ApiKey, pace: KeyPace, calls: usize) {
        let begins = send::begins_with(&self.settings.run.state.join("pacing"), key);
        let forecast = send::forecast(calls, pace, begins, self.context.clock.now());
        self.monitor.event(Event::Note { message: format!("{product}: {forecast}") });
    }
}

/// How many lines of the journal are durable for certain, where `error` says that the others may not be.
fn certain_lines(error: &AppError) -> Option<u64> {
    let AppError::Disk { error, .. } = error else { return None };
    match error.downcast_ref() {
        Some(JournalError::Write { durable, .. }) => *durable,
        _ => None,
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
    let product_of = products_by_row(rows, manifest)?;
    let baseline = Baseline::open(&settings.run.state);
    for (index, product) in manifest.products.iter().enumerate() {
        let replies = replies(folder, &product_of, index)?;
        baseline.update(&product.name, replies, manifest.currency_digits, at)?;
    }
    Ok(())
}

/// What the run's journal shows of the customers of the product at this place, reply by reply; `product_of` as
/// [`products_by_row`] tells it.
pub fn replies<'a>(
    folder: &RunFolder,
    product_of: &'a [Option<usize>],
    place: usize,
) -> Result<impl Iterator<Item = Result<TetherCustomer, AppError>> + use<'a>, AppError> {
    Ok(journal::read(&folder.journal_path())?.filter_map(move |record| match record {
        Err(error) => Some(Err(AppError::from(error))),
        Ok(Record::Outcome { at, outcome }) if product_of.get(outcome.row as usize) == Some(&Some(place)) => {
            let mut customer = outcome.customer?;
            // The reply's own time: a reply that is taken again hours or months later is no newer for that.
            if customer.updated_at.as_deref().is_none_or(|text| Instant::parse(text).is_err()) {
                customer.updated_at = Some(at.to_string());
            }
            Some(Ok(customer))
        }
        Ok(_) => None,
    }))
}

/// Which product, by its place in `manifest`, each row of the plan belongs to.
pub fn products_by_row(rows: &PlanRows, manifest: &Manifest) -> Result<Vec<Option<usize>>, AppError> {
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
