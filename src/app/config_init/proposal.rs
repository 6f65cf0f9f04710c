//! What a survey proposes: every value that goes into the configuration, with the reason that stands above it there.

use super::columns::{self, Known, Proposed};
use super::patterns::patterns;
use crate::config::CrmPreset;
use crate::load::{Rows, Survey, Surveyed, What};
use crate::model::Currency;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A configuration before it is written.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub currency: String,
    /// How the currency is known.
    pub currency_why: String,
    /// Further currencies that occur, the most frequent first.
    pub other_currencies: Vec<String>,
    pub customers: Vec<String>,
    pub subscriptions: Vec<String>,
    /// There are subscriptions of the dashboard.
    pub dashboard: bool,
    /// Coupons whose worth no file says.
    pub coupons: Vec<String>,
    pub files: Vec<String>,
    pub metadata: Option<Proposed>,
    /// Every key of customers' metadata.
    pub metadata_keys: Vec<String>,
    pub crms: Vec<Crm>,
    pub overrides: Vec<String>,
    pub products: Vec<Product>,
    /// Customers in Stripe's files; 0: not counted.
    pub customer_rows: u64,
    /// What Tether holds by its exports, over all products.
    pub existing_rows: u64,
}

/// One `[[crm]]`.
#[derive(Debug, Clone)]
pub(super) struct Crm {
    pub name: String,
    pub preset: CrmPreset,
    /// The CRMs whose exports look the same.
    pub or: Vec<CrmPreset>,
    pub contacts: Vec<String>,
    pub companies: Vec<String>,
    pub columns: Vec<Proposed>,
    /// Why the order of day and month is not known.
    pub undecided_dates: Option<String>,
    /// The order that a person stated.
    pub dates: Option<&'static str>,
}

/// One `[[product]]`.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub name: String,
    pub key: String,
    pub existing: Vec<String>,
    /// The gate, as a person stated it.
    pub creation: Option<&'static str>,
}

impl Proposal {
    /// What the files of `survey`, made of `folder`, propose for a configuration in `base`.
    pub(super) fn of(survey: &Survey, folder: &Path, base: &Path) -> Self {
        let of =
            |wanted: &dyn Fn(&Surveyed) -> bool| survey.files.iter().filter(|file| wanted(file)).collect::<Vec<_>>();
        let written = |files: &[&Surveyed]| {
            let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
            patterns(&paths, folder, base)
        };
        let rows = |files: &[&Surveyed]| files.iter().map(|file| file.rows.count()).sum::<u64>();
        let (currency, currency_why, other_currencies) = currencies(survey);

        let customers = of(&|file| file.what == What::Customers);
        let masked = of(&|file| file.what == What::Customers && file.facts.foreign_ids);
        let subscriptions = of(&|file| file.what == What::Subscriptions);
        let others = of(&|file| file.what == What::Stripe);
        let apart = others.is_empty() && !customers.is_empty();
        let stripe = if apart {
            (written(&customers), written(&subscriptions), vec![])
        } else {
            let all = of(&|file| {
                matches!(file.what, What::Customers | What::Subscriptions | What::Stripe) && !file.facts.foreign_ids
            });
            (written(&masked), vec![], written(&all))
        };
        let customer_rows = match (rows(&customers), rows(&others)) {
            (0, mixed) => mixed,
            (rows, _) => rows,
        };

        let existing = of(&|file| file.what == What::Existing);
        let tether: BTreeSet<&str> =
            existing.iter().flat_map(|file| &file.facts.external_ids).map(String::as_str).collect();
        let mut metadata: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, values) in survey.files.iter().flat_map(|file| &file.facts.metadata) {
            metadata.entry(key).or_default().extend(values.iter().map(String::as_str));
        }
        let known = Known { tether: &tether, metadata: &metadata };
        let crms = crms(survey, &written, &known);
        let held = crms.iter().flat_map(|crm| &crm.columns).find(|column| column.field == "external_id");
        let overlapping = columns::values_of(survey, held.map(|column| column.heading.as_str()));
        Self {
            currency,
            currency_why,
            other_currencies,
            customers: stripe.0,
            subscriptions: stripe.1,
            files: stripe.2,
            dashboard: subscriptions.iter().any(|file| file.facts.dashboard),
            coupons: if others.is_empty() { coupons(&subscriptions) } else { vec![] },
            metadata: columns::metadata_key(&metadata, &tether, &overlapping),
            metadata_keys: metadata.keys().map(|key| (*key).to_owned()).collect(),
            crms,
            overrides: written(&of(&|file| file.what == What::Overrides)),
            products: products(&existing, &written),
            customer_rows,
            existing_rows: rows(&existing),
        }
    }

    /// Customers that the plan may create before its guard refuses it.
    pub(super) fn max_created(&self) -> u64 {
        const UNCOUNTED: u64 = 500;
        if self.customer_rows == 0 {
            return UNCOUNTED;
        }
        let products = self.products.len() as u64;
        let unknown = (self.customer_rows * products).saturating_sub(self.existing_rows);
        // A tenth more, in tens: what a good month brings.
        (unknown + self.customer_rows / 10 + 1).next_multiple_of(10)
    }
}

/// The coupons that subscriptions of the dashboard name.
fn coupons(subscriptions: &[&Surveyed]) -> Vec<String> {
    let named: BTreeSet<&String> = subscriptions.iter().flat_map(|file| &file.facts.coupons).collect();
    named.into_iter().cloned().collect()
}

/// The currency of most rows, how it is known, and the others.
fn currencies(survey: &Survey) -> (String, String, Vec<String>) {
    let of = |wanted: &dyn Fn(What) -> bool| {
        let mut counts: BTreeMap<Currency, u64> = BTreeMap::new();
        let files = survey.files.iter().filter(|file| wanted(file.what));
        for (code, rows) in files.flat_map(|file| &file.facts.currencies) {
            if let Ok(currency) = Currency::parse(code) {
                *counts.entry(currency).or_default() += rows;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        counts
    };
    let billed = of(&|what| matches!(what, What::Subscriptions | What::Stripe));
    let counts = if billed.is_empty() { of(&|what| what == What::Customers) } else { billed };
    let all: u64 = counts.iter().map(|(_, rows)| rows).sum();
    match counts.as_slice() {
        [] => ("usd".to_owned(), "no file shows one: correct it if it is another".to_owned(), vec![]),
        [(currency, _)] => (currency.to_string(), "the only one in Stripe's files".to_owned(), vec![]),
        [(currency, rows), others @ ..] => {
            let why = format!("{rows} of {all} rows that were looked at are in it");
            (currency.to_string(), why, others.iter().map(|(currency, _)| currency.to_string()).collect())
        }
    }
}

type Written<'w> = dyn Fn(&[&Surveyed]) -> Vec<String> + 'w;

/// A CRM's preset, and of an unknown one its columns.
type Group<'s> = (CrmPreset, Vec<(&'static str, &'s str)>);

fn crms(survey: &Survey, written: &Written<'_>, known: &Known<'_>) -> Vec<Crm> {
    // Of an unknown CRM the columns tell whether two files are of one.
    let mut groups: BTreeMap<Group<'_>, Vec<&Surveyed>> = BTreeMap::new();
    for file in &survey.files {
        if let What::Contacts(preset) = file.what {
            let custom = file.facts.custom.iter().map(|(field, heading)| (*field, heading.as_str())).collect();
            groups.entry((preset, custom)).or_default().push(file);
        }
    }
    let companies = |preset: CrmPreset| -> Vec<&Surveyed> {
        survey.files.iter().filter(|file| file.what == What::Companies(preset)).collect()
    };
    let mut crms: Vec<Crm> = Vec::new();
    for ((preset, custom), files) in groups {
        let same = crms.iter().filter(|crm| crm.preset == preset).count();
        let base = if preset == CrmPreset::Custom { "crm" } else { preset.name() };
        let name = if same == 0 { base.to_owned() } else { format!("{base}{}", same + 1) };
        let mut columns: Vec<Proposed> =
            custom.iter().map(|(field, heading)| Proposed::certain(field, heading, "named as CRMs name it")).collect();
        columns.extend(columns::proposed(&files, known));
        crms.push(Crm {
            name,
            preset,
            or: files.first().map(|file| file.or.clone()).unwrap_or_default(),
            contacts: written(&files),
            companies: written(&companies(preset)),
            columns,
            undecided_dates: undecided(&files),
            dates: None,
        });
    }
    crms
}

/// Why the order of day and month is not known, where no file of the CRM shows it.
fn undecided(files: &[&Surveyed]) -> Option<String> {
    files.iter().find_map(|file| file.facts.undecided_dates.clone())
}

/// The companies of CRMs without contacts: there is nobody whose company they name.
pub(super) fn companies_alone(survey: &Survey) -> Vec<&Surveyed> {
    let has_contacts = |preset| survey.files.iter().any(|file| file.what == What::Contacts(preset));
    let alone = |file: &&Surveyed| matches!(file.what, What::Companies(preset) if !has_contacts(preset));
    survey.files.iter().filter(alone).collect()
}

/// One product, or one for each export where they show the same people: a Tether product holds an address once.
fn products(existing: &[&Surveyed], written: &Written<'_>) -> Vec<Product> {
    let shared = |one: &Surveyed, other: &Surveyed| !one.facts.emails.is_disjoint(&other.facts.emails);
    let several =
        existing.iter().enumerate().any(|(place, one)| existing[..place].iter().any(|other| shared(one, other)));
    if !several {
        let key = "TETHER_API_KEY".to_owned();
        return vec![Product { name: "core".to_owned(), key, existing: written(existing), creation: None }];
    }
    let stems: Vec<String> = existing.iter().map(|file| stem(&file.path)).collect();
    existing
        .iter()
        .zip(names(&stems))
        .map(|(file, name)| {
            let key = format!("TETHER_{}_KEY", name.to_uppercase().replace(['-', '.'], "_"));
            Product { name, key, existing: written(&[file]), creation: None }
        })
        .collect()
}

/// A file's name without its endings.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// What tells the names apart: `core` and `academy` of `tether_core` and `tether_academy`.
fn names(stems: &[String]) -> Vec<String> {
    let words: Vec<Vec<&str>> =
        stems.iter().map(|stem| stem.split(|c: char| !c.is_ascii_alphanumeric()).collect()).collect();
    let own = |words_of: &[&str]| {
        let shared = |word: &&&str| words.iter().all(|others| others.contains(*word));
        let own: Vec<&str> = words_of.iter().filter(|word| !shared(word) && !word.is_empty()).copied().collect();
        own.join("-").to_lowercase()
    };
    let mut names: Vec<String> = words.iter().map(|words| own(words)).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    if names.iter().any(String::is_empty) || distinct.len() < names.len() {
        names = (1..=stems.len()).map(|number| format!("product-{number}")).collect();
    }
    names
}

/// How many rows a file has, for a table.
pub(super) fn rows(file: &Surveyed) -> String {
    match file.rows {
        Rows::Unknown => "?".to_owned(),
        Rows::Exactly(rows) => rows.to_string(),
        about @ Rows::About(_) => about.to_string().replace("about ", "~").replace(" rows", ""),
    }
}
