//! From sections to settings: one function per section, each with its rules.

use super::document::{Document, Section};
use super::pace::{Pace, Rate, two_paces_of_one_key};
use super::problem::Problems;
use super::settings::{
    AmountMeaning, CrmPreset, CrmSettings, Guards, IdentitySettings, KeySource, Limits, LinkSettings, ProductSettings,
    RunSettings, Settings, StripeSettings, TetherSettings, TetherUrl,
};
use super::{filter, notify, reading, schema, value};
use crate::model::{Field, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use toml::de::DeValue;

/// What Tether's customers page names as its address.
const TETHER_URL: &str = "https://usetether.io";

/// Where each field may come from: the default order, then the further places that `[fields]` may name.
const FIELD_PLACES: &[(Field, &[Place], &[Place])] = &[
    (Field::Email, &[Place::Crm, Place::Stripe], &[]),
    (Field::ExternalId, &[Place::Crm, Place::Metadata], &[Place::StripeId]),
    (Field::Name, &[Place::Crm, Place::Stripe], &[]),
    (Field::CompanyName, &[Place::Crm], &[]),
    (Field::Mrr, &[Place::Stripe], &[]),
    (Field::SubscriptionStatus, &[Place::Stripe], &[]),
    (Field::AutoRenew, &[Place::Stripe], &[]),
    (Field::PeriodEnd, &[Place::Stripe], &[]),
    (Field::LastActivity, &[Place::Crm], &[]),
];

/// Most headings of one field: more than any export spreads its addresses over.
pub const MOST_HEADINGS: usize = 16;

/// Columns by which a contact can be linked or found: a custom CRM must name one of them.
const LINKING_COLUMNS: &[&str] = &["email", "emails", "external_id", "stripe_customer_id"];

/// Names of sources that are not a CRM's.
const RESERVED_SOURCES: &[&str] = &["existing", "overrides", "stripe"];

/// `[run]`; `None` after a problem.
pub(super) fn run(section: &Section<'_>, base: &Path, problems: &mut Problems<'_>) -> Option<RunSettings> {
    let state = section.read("state", problems, value::text).unwrap_or_else(|| "state".to_owned());
    let exit_on_creation_disabled =
        section.read("exit_on_creation_disabled", problems, value::yes_no).unwrap_or_default();
    let redact = section.read("redact", problems, value::yes_no).unwrap_or_default();
    let currency = section.require("currency", problems, value::currency)?;
    Some(RunSettings { state: base.join(state), currency, exit_on_creation_disabled, redact })
}

/// `[stripe]`
pub(super) fn stripe(section: &Section<'_>, base: &Path, problems: &mut Problems<'_>) -> StripeSettings {
    let mut patterns = |key| section.read(key, problems, |value| value::patterns(base, value)).unwrap_or_default();
    let (files, customers, subscriptions) = (patterns("files"), patterns("customers"), patterns("subscriptions"));
    let amounts = [("unit", AmountMeaning::Unit), ("total", AmountMeaning::Total)];
    if section.value("files").is_none() && section.value("customers").is_none() {
        let message = "names no customers; write customers = \"exports/stripe/customers*.csv\", or files = \
                       \"exports/stripe/**/*\" to have every file recognised by its content";
        problems.at(section.offset, "stripe", message);
    }
    StripeSettings {
        files,
        customers,
        subscriptions,
        external_id_metadata: section.read("external_id_metadata", problems, value::text),
        amount: section.read("amount", problems, |value| value::one_of(&amounts, value)).unwrap_or(AmountMeaning::Unit),
        test_mode: section.read("test_mode", problems, value::yes_no).unwrap_or_default(),
        guests: section.read("guests", problems, value::yes_no).unwrap_or_default(),
        encoding: reading::encoding(section, "encoding", problems),
    }
}

/// Every `[[crm]]`.
pub(super) fn crms(sections: &[Section<'_>], base: &Path, problems: &mut Problems<'_>) -> Vec<CrmSettings> {
    let mut seen = BTreeSet::new();
    let mut crms = Vec::with_capacity(sections.len());
    for section in sections {
        let preset =
            section.read("preset", problems, |value| value::one_of(CrmPreset::ALL, value)).unwrap_or(CrmPreset::Custom);
        let contacts = section.require("contacts", problems, |value| value::patterns(base, value)).unwrap_or_default();
        let companies = section.read("companies", problems, |value| value::patterns(base, value)).unwrap_or_default();
        let columns = columns(section, problems);
        let nameable = section.value("name").is_some() || section.value("preset").is_none();
        let name = if nameable {
            section.require("name", problems, value::name).unwrap_or_default()
        } else {
            section.read("preset", problems, value::name).unwrap_or_default()
        };
        let at = section.offset_of("name");
        if RESERVED_SOURCES.iter().any(|reserved| name == *reserved) || name.starts_with("stripe_") {
            problems.at(
                at,
                section.path("name"),
                format!("`{name}` is the name of another source; choose another name"),
            );
        }
        let reading = reading::reading(section, problems);
        let crm = CrmSettings { name, preset, contacts, companies, columns, reading };
        let sources = if crm.companies.is_empty() {
            vec![crm.name.clone()]
        } else {
            vec![crm.name.clone(), crm.companies_source()]
        };
        for source in sources.into_iter().filter(|_| !crm.name.is_empty()) {
            if !seen.insert(source.to_lowercase()) {
                let message =
                    format!("`{source}` stands twice as the name of a source; give each [[crm]] a name of its own");
                problems.at(at, section.path("name"), message);
            }
        }
        if preset == CrmPreset::Custom
            && section
                .value("preset")
                .is_none_or(|value| matches!(value.get_ref(), DeValue::String(word) if word == "custom"))
            && !LINKING_COLUMNS.iter().any(|column| crm.columns.contains_key(*column))
        {
            let message = format!("a custom CRM needs columns with at least one of {}", LINKING_COLUMNS.join(", "));
            problems.at(section.offset_of("columns"), section.path("columns"), message);
        }
        crms.push(crm);
    }
    crms
}

fn columns(section: &Section<'_>, problems: &mut Problems<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(columns) = section.subsection("columns", "crm.columns", problems) else { return BTreeMap::new() };
    let several = |value: &DeValue<'_>| value::texts(MOST_HEADINGS, value);
    let one = |value: &DeValue<'_>| value::text(value).map(|heading| vec![heading]);
    schema::keys_of("crm.columns")
        .filter_map(|key| {
            let headings = match key {
                "emails" => columns.read(key, problems, several),
                _ => columns.read(key, problems, one),
            };
            Some((key.to_owned(), headings?))
        })
        .collect()
}

/// `[fields]`: the defaults, and what the file says instead.
pub(super) fn fields(
    section: &Section<'_>,
    metadata_configured: bool,
    problems: &mut Problems<'_>,
) -> BTreeMap<Field, Vec<Place>> {
    let mut fields = BTreeMap::new();
    for (field, default, further) in FIELD_PLACES {
        let places = section
            .read(field.as_str(), problems, |value| places(value, &[*default, *further].concat()))
            .unwrap_or_else(|| default.to_vec());
        // The default names metadata too, for those who have it.
        if places != *default && places.contains(&Place::Metadata) && !metadata_configured {
            let message =
                "names \"metadata\", but no key of it; write external_id_metadata = \"user_id\" under [stripe]";
            problems.at(section.offset_of(field.as_str()), section.path(field.as_str()), message);
        }
        fields.insert(*field, places);
    }
    fields
}

fn places(value: &DeValue<'_>, allowed: &[Place]) -> Result<Vec<Place>, String> {
    let words: Vec<(&str, Place)> = allowed.iter().map(|place| (place.as_str(), *place)).collect();
    let DeValue::Array(items) = value else { return Ok(vec![value::one_of(&words, value)?]) };
    let mut places = Vec::with_capacity(items.len());
    for item in items {
        let place = value::one_of(&words, item.get_ref()).map_err(|why| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("{why}; this field may come from {}", known.join(", "))
        })?;
        if places.contains(&place) {
            return Err(format!("`{place}` stands twice"));
        }
        places.push(place);
    }
    if places.is_empty() { Err("the list is empty".to_owned()) } else { Ok(places) }
}

/// `[link]`
pub(super) fn link(section: &Section<'_>, problems: &mut Problems<'_>) -> LinkSettings {
    LinkSettings {
        contacts_without_account: section.read("contacts_without_account", problems, value::yes_no).unwrap_or_default(),
        relink_external_id: section.read("relink_external_id", problems, value::yes_no).unwrap_or_default(),
    }
}

/// `[identity]`
pub(super) fn identity(section: &Section<'_>, base: &Path, problems: &mut Problems<'_>) -> IdentitySettings {
    let overrides = section.read("overrides", problems, |value| value::patterns(base, value)).unwrap_or_default();
    IdentitySettings { overrides }
}

/// `[limits]`
pub(super) fn limits(section: &Section<'_>, problems: &mut Problems<'_>) -> Limits {
    let default = Limits::default();
    let count = |most: u32| move |value: &DeValue<'_>| value::positive_up_to(most, value).map(NonZeroU32::get);
    Limits {
        file_bytes: section.read("file_bytes", problems, value::bytes).unwrap_or(default.file_bytes),
        // Row numbers are 32 bits wide.
        rows: section.read("rows", problems, count(4_000_000_000)).unwrap_or(default.rows),
        columns: section.read("columns", problems, count(1_000_000)).unwrap_or(default.columns),
        field_bytes: section.read("field_bytes", problems, value::bytes).unwrap_or(default.field_bytes),
        parquet_memory: section.read("parquet_memory", problems, value::bytes).unwrap_or(default.parquet_memory),
    }
}

/// `[guards]`
pub(super) fn guards(section: &Section<'_>, problems: &mut Problems<'_>) -> Guards {
    let any = |value: &DeValue<'_>| value::percent_up_to(None, value);
    let share = |value: &DeValue<'_>| value::percent_up_to(Some(100), value);
    Guards {
        max_created: section.read("max_created", problems, value::whole),
        max_changed_percent: section.read("max_changed_percent", problems, any),
        max_mrr_change_percent: section.read("max_mrr_change_percent", problems, any),
        max_gross_mrr_change_percent: section.read("max_gross_mrr_change_percent", problems, any),
        max_customer_mrr_change: section.read("max_customer_mrr_change", problems, value::positive_decimal),
        max_status_shift_percent: section.read("max_status_shift_percent", problems, share),
        max_currency_shift_percent: section.read("max_currency_shift_percent", problems, share),
        refuse_new_currency: section.read("refuse_new_currency", problems, value::yes_no).unwrap_or_default(),
        min_rows_percent: section.read("min_rows_percent", problems, share),
        max_rows_percent: section.read("max_rows_percent", problems, value::percent_from_100),
        max_export_age: section.read("max_export_age", problems, value::duration),
        refuse_repeated_files: section.read("refuse_repeated_files", problems, value::yes_no).unwrap_or_default(),
    }
}

/// `[tether]`
pub(super) fn tether(section: &Section<'_>, base: &Path, problems: &mut Problems<'_>) -> Option<TetherSettings> {
    let url = match section.value("url") {
        Some(_) => section.read("url", problems, value::tether_url),
        None => url::Url::parse(TETHER_URL).ok().map(TetherUrl::Remote),
    };
    let ten_a_second = || Pace::Fixed(Rate { calls: at_least(10), per: Duration::from_secs(1) });
    let settings = TetherSettings {
        url: TetherUrl::Sandbox,
        rate: section.read("rate", problems, value::pace).unwrap_or_else(ten_a_second),
        burst: section.read("burst", problems, at_least_one).unwrap_or(NonZeroU32::MIN),
        in_flight: section
            .read("in_flight", problems, |value| value::positive_up_to(1024, value))
            .unwrap_or_else(|| at_least(16)),
        deadline: section.read("deadline", problems, value::duration).unwrap_or(Duration::from_hours(2)),
        request_timeout: section.read("request_timeout", problems, value::duration).unwrap_or(Duration::from_secs(30)),
        max_tries: section.read("max_tries", problems, at_least_one).unwrap_or_else(|| at_least(5)),
        stop_after_creation_disabled: section
            .read("stop_after_creation_disabled", problems, value::yes_no)
            .unwrap_or_default(),
        sandbox_faults: section.read("sandbox_faults", problems, value::text).map(|path| base.join(path)),
        proxy: notify::proxy(section, base, problems),
    };
    Some(TetherSettings { url: url?, ..settings })
}

fn at_least_one(value: &DeValue<'_>) -> Result<NonZeroU32, String> {
    value::positive_up_to(u32::MAX, value)
}

fn at_least(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// Every `[[product]]`, and `[existing]`, which belongs to the only one.
pub(super) fn products(
    document: &Document<'_>,
    base: &Path,
    crms: &[CrmSettings],
    tether: Option<&TetherSettings>,
    problems: &mut Problems<'_>,
) -> Vec<ProductSettings> {
    let sections = document.repeated("product", problems);
    if !document.has("product") {
        let message = "is missing; write [[product]] with name = \"core\" and key = { env = \"TETHER_API_KEY\" }";
        problems.at(0, "product", message);
    }
    let mut seen = BTreeSet::new();
    let mut products = Vec::with_capacity(sections.len());
    for section in &sections {
        let name = section.require("name", problems, value::name).unwrap_or_default();
        if !name.is_empty() && !seen.insert(name.to_lowercase()) {
            let message = format!("`{name}` stands twice; give each [[product]] a name of its own");
            problems.at(section.offset_of("name"), section.path("name"), message);
        }
        let filter =
            section.value("filter").and_then(|value| filter::read(value, &section.path("filter"), crms, problems));
        let key =
            section.require("key", problems, |_| Ok(())).and_then(|()| key_source(section, "key", base, problems));
        let existing = section.read("existing", problems, |value| value::patterns(base, value)).unwrap_or_default();
        let existing_encoding = reading::encoding(section, "existing_encoding", problems);
        let creation = section.read("creation", problems, creation);
        // Without a key there was a problem, and these products are never used.
        let key = key.unwrap_or(KeySource::Env(String::new()));
        let rate = section.read("rate", problems, value::pace);
        let burst = section.read("burst", problems, at_least_one);
        products.push(ProductSettings { name, key, existing, existing_encoding, creation, filter, rate, burst });
    }
    for (index, crm) in crms.iter().enumerate() {
        let headings = Settings::headings_of(&products, index).len();
        if headings > MOST_HEADINGS {
            let message =
                format!("filters name {headings} headings of the CRM `{}`; they may name {MOST_HEADINGS}", crm.name);
            problems.at(sections.first().map_or(0, |section| section.offset_of("filter")), "product.filter", message);
        }
    }
    if let Some(tether) = tether {
        one_pace_per_key(&sections, &products, tether, problems);
    }
    existing(document, &sections, base, &mut products, problems);
    products
}

/// Of products whose keys stand in the same place; whether two places hold the same key is seen when they are read.
fn one_pace_per_key(
    sections: &[Section<'_>],
    products: &[ProductSettings],
    tether: &TetherSettings,
    problems: &mut Problems<'_>,
) {
    for (later, product) in products.iter().enumerate() {
        let pace = product.pace(tether);
        let other = products[..later].iter().find(|other| other.key == product.key);
        if let (Some(other), Some(section)) = (other, sections.get(later))
            && !pace.is_that_of(other.pace(tether))
        {
            // The key that made the difference, where it stands here.
            let key =
                if section.value("rate").is_none() && section.value("burst").is_some() { "burst" } else { "rate" };
            let message = two_paces_of_one_key((&product.name, pace), (&other.name, other.pace(tether)));
            problems.at(section.offset_of(key), section.path(key), message);
        }
    }
}

fn creation(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(open) => Ok(*open),
        other => value::one_of(&[("on", true), ("off", false)], other),
    }
}

fn existing(
    document: &Document<'_>,
    sections: &[Section<'_>],
    base: &Path,
    products: &mut [ProductSettings],
    problems: &mut Problems<'_>,
) {
    if !document.has("existing") {
        return;
    }
    let section = document.section("existing", problems);
    let customers = section.require("customers", problems, |value| value::patterns(base, value)).unwrap_or_default();
    let encoding = reading::encoding(&section, "encoding", problems);
    match (products, sections) {
        ([only], [product]) if product.value("existing").is_none() => {
            only.existing = customers;
            only.existing_encoding = encoding.or(only.existing_encoding);
        }
        ([_], _) => {
            let message = "says the same as `existing` under [[product]]; remove one of them";
            problems.at(section.offset, section.path("customers"), message);
        }
        ([], _) => {}
        (several, _) => {
            let message = format!(
                "cannot say which of the {} products these customers are of; remove [existing] and write existing = \
                 \"exports/tether/core*.jsonl\" under each [[product]]",
                several.len()
            );
            problems.at(section.offset, "existing", message);
        }
    }
}

/// `key = { … }`, a table with the keys of `product.key`. No message shows a value: someone may have pasted the secret itself.
pub(super) fn key_source(
    outer: &Section<'_>,
    key: &'static str,
    base: &Path,
    problems: &mut Problems<'_>,
) -> Option<KeySource> {
    let section = outer.subsection(key, "product.key", problems)?;
    let sources = ["env", "file", "credential"].into_iter().filter(|key| section.value(key).is_some()).count();
    if sources != 1 {
        let message = format!("names {sources} places; write exactly one of env, file and credential");
        problems.at(section.offset, outer.path(key), message);
        return None;
    }
    let plain = |value: &DeValue<'_>, fits: fn(char) -> bool, what: &str| {
        value::text(value)
            .and_then(|name| if name.chars().all(fits) { Ok(name) } else { Err(format!("is not {what}")) })
    };
    let variable = |value: &DeValue<'_>| {
        plain(value, |c| c.is_ascii_alphanumeric() || c == '_', "the name of an environment variable")
    };
    let credential = |value: &DeValue<'_>| {
        plain(value, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'), "the name of a credential")
    };
    None.or_else(|| section.read("env", problems, variable).map(KeySource::Env))
        .or_else(|| section.read("file", problems, value::text).map(|file| KeySource::File(base.join(file))))
        .or_else(|| section.read("credential", problems, credential).map(KeySource::Credential))
}
