//! Who is told, and how: each address once, all at the same time, whatever becomes of the others.

use super::client::{Client, Content};
use super::memory::{Memory, Telling};
use super::trouble::{Trouble, due};
use super::{Address, AddressError, Ended, Notice, json, metrics, slack};
use crate::config::{KeySource, NotifySettings, read_proxy};
use crate::monitor::{Event, Monitor};
use crate::runs::write_atomic_readable;
use std::ffi::OsString;
use std::path::Path;

/// What is told to whom.
pub struct Notifier {
    settings: NotifySettings,
    client: Result<Client, String>,
    slack: Place,
    webhook: Place,
    start: Place,
    success: Place,
    failure: Place,
}

/// An address that the configuration names, if it does: or why it cannot be used.
type Place = Option<Result<Address, AddressError>>;

/// What became of one notice.
#[derive(Debug)]
pub struct Told {
    /// Who: `slack`, `webhook`, `ping_start`.
    pub who: &'static str,
    /// The host; `None`: the address cannot be used.
    pub host: Option<String>,
    /// Why it was not told, in one line without the address.
    pub result: Result<(), String>,
}

/// A notice of which memory is kept.
const REMEMBERED: [&str; 2] = ["slack", "webhook"];

impl Notifier {
    /// Reads the addresses; `None` where nobody is to be told. One that cannot be read is a warning when its turn comes.
    pub fn new(settings: &NotifySettings, env: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        if !settings.tells_anybody() {
            return None;
        }
        let read = |source: &Option<KeySource>| source.as_ref().map(|source| Address::read(source, env));
        let ping = |own: &Option<KeySource>, part| match (own, &settings.ping) {
            (Some(own), _) => Some(Address::read(own, env)),
            (None, Some(all)) => Some(Address::read_below(all, part, env)),
            (None, None) => None,
        };
        let proxy = settings.proxy.as_ref().map(|proxy| read_proxy(proxy, env)).transpose();
        let client = proxy
            .map_err(|error| format!("the proxy: {}", error.of_an_address()))
            .and_then(|proxy| Client::new(settings.timeout, proxy.as_ref()));
        Some(Self {
            client,
            slack: read(&settings.slack),
            webhook: read(&settings.webhook),
            start: ping(&settings.ping_start, Some("start")),
            success: ping(&settings.ping_success, None),
            failure: ping(&settings.ping_failure, Some("fail")),
            settings: settings.clone(),
        })
    }

    /// Every address that may be told something, in the order of the configuration.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &Result<Address, AddressError>)> {
        [
            ("slack", &self.slack),
            ("webhook", &self.webhook),
            ("ping_start", &self.start),
            ("ping_success", &self.success),
            ("ping_failure", &self.failure),
        ]
        .into_iter()
        .filter_map(|(who, place)| Some((who, place.as_ref()?)))
    }

    /// Why metrics cannot be written, where their folder does not exist: it is another's, and is not made here.
    pub fn metrics_have_no_folder(&self) -> Option<String> {
        let folder = self.settings.metrics.as_ref()?.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        let said = || format!("the folder {} is not there; create it, or correct [notify] metrics", folder.display());
        (!folder.is_dir()).then(said)
    }

    /// Says that a run has begun.
    pub async fn begun(&self, run_id: &str, monitor: &dyn Monitor) {
        let told = self.tell("ping_start", &self.start, 0, Content::Text, format!("run {run_id} began")).await;
        if let Some(told) = told {
            say(told, monitor);
        }
    }

    /// Says how a run ended, to everybody who is to hear of it: metrics first, which need no network. What fails is a warning.
    pub async fn ended(&self, ended: &Ended, state: &Path, monitor: &dyn Monitor) {
        let warn = |message: String| monitor.event(Event::Warning { message });
        let (mut memory, damage) = Memory::read(state);
        if let Some(damage) = damage {
            warn(format!("{damage}; what was told is forgotten, and told again"));
        }
        let is_success = self.settings.success.contains(&ended.exit_code);
        if is_success {
            memory.last_success = Some(ended.ended_at);
        }
        if let Some(path) = &self.settings.metrics {
            let text = metrics::text(ended, memory.last_success);
            if let Some(why) = self.metrics_have_no_folder() {
                warn(format!("metrics: {why}"));
            } else if let Err(error) = write_atomic_readable(path, |file| file.write_all(text.as_bytes())) {
                warn(format!("metrics: {error}"));
            }
        }
        let now = Trouble::of(ended);
        let is_due = |who| due(self.settings.when, memory.told.get(who).map(|telling: &Telling| &telling.stands), &now);
        let [to_slack, to_webhook] = REMEMBERED.map(is_due);
        let (who, place) = if is_success { ("ping_success", &self.success) } else { ("ping_failure", &self.failure) };
        let said = format!("run {}: exit {}: {}", ended.run_id, ended.exit_code, ended.meaning);
        let (slack, webhook, ping) = tokio::join!(
            self.notify("slack", &self.slack, to_slack, ended),
            self.notify("webhook", &self.webhook, to_webhook, ended),
            self.tell(who, place, ended.exit_code, Content::Text, said)
        );
        for (who, told) in REMEMBERED.into_iter().zip([&slack, &webhook]) {
            match told {
                Some(Told { result: Ok(()), .. }) => {
                    let (at, run_id) = (ended.ended_at, ended.run_id.clone());
                    memory.told.insert(who.to_owned(), Telling { at, run_id, stands: now.clone() });
                }
                // Who was not reached is told on the next occasion.
                Some(_) => {}
                // Nothing new: that some of it has gone is remembered, so that it is news when it comes back.
                None => {
                    if let Some(telling) = memory.told.get_mut(who) {
                        telling.stands = now.clone();
                    }
                }
            }
        }
        for told in [slack, webhook, ping].into_iter().flatten() {
            say(told, monitor);
        }
        if let Err(error) = memory.write(state) {
            warn(format!("{error}; what was told now is told again next time"));
        }
    }

    /// Tells everybody that this is a test: both webhooks, then the dead man's switch that a run began and succeeded.
    pub async fn test(&self, ended: &Ended) -> Vec<Told> {
        let (slack, webhook) = tokio::join!(
            self.notify("slack", &self.slack, Some(Notice::Test), ended),
            self.notify("webhook", &self.webhook, Some(Notice::Test), ended)
        );
        let text = || "a test of tether-recon".to_owned();
        let start = self.tell("ping_start", &self.start, 0, Content::Text, text()).await;
        let success = self.tell("ping_success", &self.success, 0, Content::Text, text()).await;
        [slack, webhook, start, success].into_iter().flatten().collect()
    }

    async fn notify(&self, who: &'static str, place: &Place, notice: Option<Notice>, ended: &Ended) -> Option<Told> {
        let notice = notice?;
        let body = match who {
            "slack" => slack::body(notice, ended),
            _ => json::body(notice, ended).unwrap_or_default(),
        };
        self.tell(who, place, ended.exit_code, Content::Json, body).await
    }

    /// One request; `None` where the configuration names no address.
    async fn tell(
        &self,
        who: &'static str,
        place: &Place,
        exit_code: u8,
        content: Content,
        body: String,
    ) -> Option<Told> {
        let address = match place.as_ref()? {
            Ok(address) => address,
            Err(error) => return Some(Told { who, host: None, result: Err(error.to_string()) }),
        };
        let result = match &self.client {
            Ok(client) => client.post(&address.after(exit_code), content, body).await,
            Err(error) => Err(error.clone()),
        };
        Some(Told { who, host: Some(address.host().to_owned()), result })
    }
}

fn say(told: Told, monitor: &dyn Monitor) {
    let Told { who, host, result } = told;
    let at = host.map(|host| format!(" at {host}")).unwrap_or_default();
    monitor.event(match result {
        Ok(()) => Event::Note { message: format!("{who}{at} was told") },
        Err(why) => Event::Warning { message: format!("{who}{at} was not told: {why}") },
    });
}
