//! The validated configuration: no text left to interpret, no `Option` that means "default".

use super::filter::{Filter, FilterColumn, FilterSource};
use super::pace::{KeyPace, Pace};
use super::reading::{Reading, TextEncoding};
use crate::model::{Currency, Field, Instant, Place};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Everything a run needs to know. Paths are absolute; globs are not yet expanded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The folder of the configuration file: paths in reports and manifests are shown relative to it.
    #[serde(skip)]
    pub base: PathBuf,
    /// `[run]`
    pub run: RunSettings,
    /// `[stripe]`
    pub stripe: StripeSettings,
    /// `[[crm]]`, in order of precedence.
    pub crms: Vec<CrmSettings>,
    /// `[fields]`: for each field the places it may come from, first hit wins. Every field has an entry.
    pub fields: BTreeMap<Field, Vec<Place>>,
    /// `[link]`
    pub link: LinkSettings,
    /// `[identity]`
    pub identity: IdentitySettings,
    /// `[mrr]`
    pub mrr: MrrSettings,
    /// `[fx]`
    pub fx: Fx,
    /// `[limits]`
    pub limits: Limits,
    /// `[guards]`
    pub guards: Guards,
    /// `[tether]`
    pub tether: TetherSettings,
    /// `[notify]`
    #[serde(skip)]
    pub notify: NotifySettings,
    /// `[[product]]`, at least one.
    pub products: Vec<ProductSettings>,
    /// The file, where the text came from one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Line and column, from 1, at which each pattern stands in it.
    #[serde(skip)]
    pub places: BTreeMap<String, (usize, usize)>,
    /// Everything above as JSON, paths relative to their folder: secrets' sources included, secrets not.
    #[serde(skip)]
    pub portable: String,
    /// SHA-256 of that: lower-case hexadecimal.
    #[serde(skip)]
    pub hash: String,
}

impl Settings {
    /// Digits after the point of an amount in the account's currency.
    pub fn digits(&self) -> u8 {
        self.run.currency.digits(&self.mrr.currency_digits)
    }

    /// Where a pattern stands: `books.toml:12:13`; `None`: it comes from no file.
    pub fn place_of(&self, pattern: &str) -> Option<String> {
        let (line, column) = self.places.get(pattern)?;
        Some(format!("{}:{line}:{column}", self.file.as_ref()?.display()))
    }

    /// The headings of a CRM's files that filters name, each once, in an order of its own.
    pub fn headings_of_filters(&self, crm: usize) -> Vec<String> {
        Self::headings_of(&self.products, crm)
    }

    pub(super) fn headings_of(products: &[ProductSettings], crm: usize) -> Vec<String> {
        let mut headings = BTreeSet::new();
        let filters = products.iter().filter_map(|product| product.filter.as_ref());
        for condition in filters.flat_map(|filter| filter.about(FilterSource::Crm(crm))) {
            condition.columns(&mut |column| {
                if let FilterColumn::Heading(heading) = column {
                    headings.insert(heading.clone());
                }
            });
        }
        headings.into_iter().collect()
    }

    /// A pattern as the configuration wrote it: relative to its folder where it stands below it.
    pub fn shown_pattern<'p>(&self, pattern: &'p str) -> &'p str {
        let folder = glob::Pattern::escape(&self.base.to_string_lossy());
        pattern.strip_prefix(folder.as_str()).map_or(pattern, |rest| rest.trim_start_matches(std::path::MAIN_SEPARATOR))
    }
}

/// `[run]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSettings {
    /// Where runs, journals and the baseline live.
    pub state: PathBuf,
    /// The Tether account's currency.
    pub currency: Currency,
    /// Whether `creation_disabled` rows need a person (exit 3): `exit_on_creation_disabled`, default false.
    pub exit_on_creation_disabled: bool,
    /// Whether reports, log lines and errors hold hashes where names and addresses stood: `redact`, default false. It says
    /// nothing of what a run does, so that it is no part of the configuration's hash.
    #[serde(skip)]
    pub redact: bool,
}

/// `[stripe]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StripeSettings {
    /// Glob patterns of Stripe files; each file is recognised by its content.
    pub files: Vec<String>,
    /// Glob patterns of customers files.
    pub customers: Vec<String>,
    /// Glob patterns of subscriptions files.
    pub subscriptions: Vec<String>,
    /// The metadata key that carries your own id.
    pub external_id_metadata: Option<String>,
    /// What a dashboard file's `Amount` means.
    pub amount: AmountMeaning,
    /// Take rows of Stripe's test mode: `test_mode`, default false.
    pub test_mode: bool,
    /// Take customers without an id: `guests`, default false.
    pub guests: bool,
    /// The encoding of files that do not say theirs: `encoding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TextEncoding>,
}

/// Whether a dashboard file's `Amount` is per unit or already multiplied by the quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum AmountMeaning {
    /// Per unit (default).
    #[default]
    Unit,
    /// Already multiplied.
    Total,
}

/// One `[[crm]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrmSettings {
    /// The source's name in reports.
    pub name: String,
    /// Which columns to expect.
    pub preset: CrmPreset,
    /// Glob patterns of contact files.
    pub contacts: Vec<String>,
    /// Glob patterns of company files: they name the companies of contacts that only carry a company's id.
    pub companies: Vec<String>,
    /// Column names that override the preset, by field (the keys of `[crm.columns]`); several only for `emails`.
    pub columns: BTreeMap<String, Vec<String>>,
    /// How its files are to be read: `encoding`, `dates`, `time_zone`.
    #[serde(flatten, skip_serializing_if = "Reading::is_silent")]
    pub reading: Reading,
}

impl CrmSettings {
    /// The source of its companies, as reports name it.
    pub fn companies_source(&self) -> String {
        format!("{}_companies", self.name)
    }
}

/// A CRM whose exports are known; what they look like stands in `src/load/crm/preset.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum CrmPreset {
    /// HubSpot.
    Hubspot,
    /// Salesforce.
    Salesforce,
    /// Pipedrive.
    Pipedrive,
    /// Close.
    Close,
    /// Attio.
    Attio,
    /// Nothing is known: `columns` says all.
    Custom,
}

impl CrmPreset {
    /// Every preset, with its name in the configuration.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("hubspot", Self::Hubspot),
        ("salesforce", Self::Salesforce),
        ("pipedrive", Self::Pipedrive),
        ("close", Self::Close),
        ("attio", Self::Attio),
        ("custom", Self::Custom),
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, preset)| *preset == self).map_or("custom", |(name, _)| name)
    }
}

/// `[link]`: what linking and matching may do beyond the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LinkSettings {
    /// Send contacts that own no billing account: `contacts_without_account`, default false.
    pub contacts_without_account: bool,
    /// Let a desired external id replace another one that Tether holds: `relink_external_id`, default false.
    pub relink_external_id: bool,
}

/// `[identity]`: what a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct IdentitySettings {
    /// Glob patterns of overrides files; empty: none.
    pub overrides: Vec<String>,
}

/// `[mrr]`: every option of `design/mrr.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MrrSettings {
    /// Count trialing subscriptions: default false.
    pub count_trialing: bool,
    /// Days after the period's end for which a `past_due` subscription still counts; `None`: without end (default).
    pub past_due_grace_days: Option<u32>,
    /// What `pause_collection` takes out: default `void`.
    pub pause_collection: PausedCollection,
    /// Stop counting when cancellation is asked for, not at the period's end: default false.
    pub cancel_at_request: bool,
    /// Which coupons count: default `recurring`.
    pub coupons: CountedCoupons,
    /// What an undefined coupon does: default `invalid`.
    pub unknown_coupon: UnknownCoupon,
    /// Months in a week, as weeks per month: default 52/12.
    pub week_factor: (u64, u64),
    /// Days per month: default 365/12.
    pub day_factor: (u64, u64),
    /// How the one rounding is done: default half-even.
    pub rounding: Rounding,
    /// The status of a customer without any subscription; `None`: absent (default).
    pub no_subscription_status: Option<String>,
    /// Digits that differ from the table of minor units.
    pub currency_digits: BTreeMap<Currency, u8>,
    /// `[mrr.coupons]`: coupons that the exports do not define, by id.
    pub defined_coupons: BTreeMap<String, DefinedCoupon>,
}

impl Default for MrrSettings {
    fn default() -> Self {
        Self {
            count_trialing: false,
            past_due_grace_days: None,
            pause_collection: PausedCollection::Void,
            cancel_at_request: false,
            coupons: CountedCoupons::Recurring,
            unknown_coupon: UnknownCoupon::Invalid,
            week_factor: (52, 12),
            day_factor: (365, 12),
            rounding: Rounding::HalfEven,
            no_subscription_status: None,
            currency_digits: BTreeMap::new(),
            defined_coupons: BTreeMap::new(),
        }
    }
}

/// `[mrr] pause_collection`: which paused subscriptions count 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PausedCollection {
    /// Only behaviour `void`.
    Void,
    /// All.
    All,
    /// None.
    None,
}

/// `[mrr] coupons`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CountedCoupons {
    /// `forever`, and `repeating` not yet expired.
    Recurring,
    /// Those and `once`.
    All,
    /// Only `forever`.
    Forever,
    /// None.
    None,
}

/// `[mrr] unknown_coupon`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum UnknownCoupon {
    /// The customer is invalid.
    Invalid,
    /// As if it were not there.
    Ignore,
}

/// `[mrr] rounding`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Rounding {
    /// Ties to the even neighbour.
    HalfEven,
    /// Ties upwards.
    HalfUp,
}

/// A coupon from `[mrr.coupons]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinedCoupon {
    /// Percentage; exactly one of this and `amount_off` is set.
    pub percent_off: Option<Decimal>,
    /// Amount in major units of `currency`.
    pub amount_off: Option<(Decimal, Currency)>,
    /// `forever`, `repeating` or `once`.
    pub duration: String,
}

/// `[fx]`: account currency per unit, by currency.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Fx {
    /// The dated rates.
    pub rates: BTreeMap<Currency, FxRate>,
}

/// One dated rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FxRate {
    /// Account currency per unit of the foreign currency, major units; positive.
    pub rate: Decimal,
    /// The day the rate is of.
    pub date: Instant,
}

/// `[guards]`: refused before the first call when a figure is above (for what is called `min_`: below) the limit. `None`, and
/// `false`: no guard. A guard that is not written is in no hash of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Guards {
    /// Customers that the plan would create, over all products.
    pub max_created: Option<u64>,
    /// Updates as a percentage of existing customers, per product.
    pub max_changed_percent: Option<Decimal>,
    /// Absolute net change of Tether's MRR as a percentage of the opening MRR, per product.
    pub max_mrr_change_percent: Option<Decimal>,
    /// Absolute changes of MRR added up, as a percentage of the opening MRR, per product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gross_mrr_change_percent: Option<Decimal>,
    /// Absolute change of one customer's MRR, in major units of the account's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_customer_mrr_change: Option<Decimal>,
    /// How far the share of a status may move since the last completed run, in percentage points, per product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_status_shift_percent: Option<Decimal>,
    /// How far the share of a currency among Stripe's subscriptions may move since the last completed run, in percentage points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_currency_shift_percent: Option<Decimal>,
    /// Refuse a currency of which the last completed run had no subscription.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refuse_new_currency: bool,
    /// Rows of each source as a percentage of the last completed run's, at least.
    pub min_rows_percent: Option<Decimal>,
    /// The same, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows_percent: Option<Decimal>,
    /// How long before the run's start an export may have been written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_export_age: Option<Duration>,
    /// Refuse a source all of whose files are those of the last completed run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refuse_repeated_files: bool,
}

/// `[limits]`: beyond these a file is refused, or a row rejected, instead of taking the machine down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Bytes of one input file, unpacked.
    pub file_bytes: u64,
    /// Rows of one input file.
    pub rows: u32,
    /// Columns of one input file.
    pub columns: u32,
    /// Bytes of one field.
    pub field_bytes: u64,
    /// Bytes of memory that the trial reading of one Parquet file may take.
    pub parquet_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 16_000_000_000,
            rows: 50_000_000,
            columns: 4096,
            field_bytes: 1_000_000,
            parquet_memory: 8_000_000_000,
        }
    }
}

/// `[tether]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TetherSettings {
    /// Where Tether is.
    pub url: TetherUrl,
    /// Calls per time, where a product does not say its own.
    pub rate: Pace,
    /// In any window never more than rate × window + burst calls; likewise.
    pub burst: NonZeroU32,
    /// Concurrent calls.
    pub in_flight: NonZeroU32,
    /// How long a run may take.
    pub deadline: Duration,
    /// How long one call may take: default 30 s.
    pub request_timeout: Duration,
    /// Tries per row that may end in a transient failure: `max_tries`, default 5.
    pub max_tries: NonZeroU32,
    /// Do not send further rows predicted `create` after a product's first `CREATION_DISABLED`: default false.
    pub stop_after_creation_disabled: bool,
    /// What goes wrong in the embedded sandbox: a file of faults; `None`: nothing.
    pub sandbox_faults: Option<PathBuf>,
    /// The proxy through which Tether is reached; `None`: none, whatever the environment says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
}

/// `[tether] url`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum TetherUrl {
    /// `"sandbox"`: a local Tether inside the process.
    Sandbox,
    /// `https`, or `http` on a loopback address.
    Remote(#[serde(serialize_with = "as_text")] url::Url),
}

/// `proxy`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Proxy {
    /// An address without a password.
    Open(#[serde(serialize_with = "as_text")] url::Url),
    /// Where the address stands that holds one.
    Secret(KeySource),
}

/// `[notify]`: who is told how a run ended. Changes nothing in what a run does, and is no part of the settings' hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifySettings {
    /// What notices call this configuration; `None`: as its file.
    pub name: Option<String>,
    /// Which ends the webhooks are told.
    pub when: When,
    /// Where the address of a Slack webhook stands.
    pub slack: Option<KeySource>,
    /// Where the address stands that takes plain JSON.
    pub webhook: Option<KeySource>,
    /// Where the address of a dead man's switch stands; the other three are made from it.
    pub ping: Option<KeySource>,
    /// The address that is pinged when a run begins.
    pub ping_start: Option<KeySource>,
    /// The address that is pinged after success.
    pub ping_success: Option<KeySource>,
    /// The address that is pinged after failure.
    pub ping_failure: Option<KeySource>,
    /// The exit codes that count as success.
    pub success: Vec<u8>,
    /// The file of Prometheus' metrics.
    pub metrics: Option<PathBuf>,
    /// How long one notice may take.
    pub timeout: Duration,
    /// The proxy through which notices go.
    pub proxy: Option<Proxy>,
}

impl NotifySettings {
    /// Whether there is anybody, or a file, to be told.
    pub fn tells_anybody(&self) -> bool {
        self.metrics.is_some()
            || [&self.slack, &self.webhook, &self.ping, &self.ping_start, &self.ping_success, &self.ping_failure]
                .iter()
                .any(|place| place.is_some())
    }
}

/// `[notify] when`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// What differs from the last that was told, and recovery (default).
    Change,
    /// Every end that is not 0, and recovery.
    Problem,
    /// Every end.
    Always,
}

/// One `[[product]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductSettings {
    /// The product's name in reports.
    pub name: String,
    /// Where its key stands.
    pub key: KeySource,
    /// Glob patterns of its existing customers' export; empty: the baseline does without.
    pub existing: Vec<String>,
    /// The encoding of those files where they do not say theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_encoding: Option<TextEncoding>,
    /// The creation gate as expected: `creation = "on"` or `"off"`; `None`: not said. In the embedded sandbox it is the
    /// gate itself (`None` meaning off, as Tether's default).
    pub creation: Option<bool>,
    /// Which source rows are its; `None`: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Calls per time of its key; `None`: as `[tether]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Pace>,
    /// In any window never more than rate × window + burst calls; `None`: as `[tether]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
}

impl ProductSettings {
    /// How fast the calls with its key may leave.
    pub fn pace(&self, tether: &TetherSettings) -> KeyPace {
        KeyPace { rate: self.rate.unwrap_or(tether.rate), burst: self.burst.unwrap_or(tether.burst) }
    }
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum KeySource {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// A systemd credential.
    Credential(String),
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

fn as_text<S: Serializer>(url: &url::Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}
