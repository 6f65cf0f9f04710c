//! Plans from a few lines of text, so that a rule's test reads like the rule.
//!
//! `account ID [email= name= ext= created= deleted=yes test=yes]` (`-` as ID: a guest), `sub ID ACCOUNT STATUS AMOUNT
//! [currency= interval= quantity= cancel=yes end= product=]`, `contact ID [crm= email= also= ext= stripe= name= company= seen=
//! merged= into= deleted=yes]`, `tether ID [ext= email= name= company= stripe= mrr= status= renew= end= seen= updated=]`,
//! `reply …` (the same, in the baseline), `nothing-known`, `link ACCOUNT WITH` and `never ACCOUNT WITH` (overrides). Every row's line is its place in the text.

use crate::config::{self, Settings};
use crate::load::Loaded;
use crate::model::{InputFile, Instant, Money};
use crate::plan::{self, Planned};
use crate::table::{Accounts, Contacts, Existing, Items, Overrides, StripeTables, Subscriptions};
use polars::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const FILES: [&str; 5] = ["stripe_customers", "stripe_subscriptions", "hubspot", "existing", "overrides"];

/// The clock of every scenario.
pub const AS_OF: &str = "2026-11-01T00:00:00Z";

const CONFIGURATION: &str = r#"
[run]
currency = "usd"
[stripe]
customers = "customers.csv"
subscriptions = "subscriptions.csv"
external_id_metadata = "user_id"
[[crm]]
name = "hubspot"
preset = "hubspot"
contacts = "contacts.csv"
[[crm]]
name = "second"
preset = "hubspot"
contacts = "second.csv"
[existing]
customers = "tether.jsonl"
[tether]
url = "sandbox"
[[product]]
name = "core"
key = { env = "KEY" }
"#;

/// The settings of every scenario.
pub fn settings() -> Settings {
    config::parse(CONFIGURATION, Path::new("/")).expect("the scenario's configuration is sound")
}

/// Plans the sources that `text` describes.
pub fn plan(text: &str, settings: &Settings) -> Planned {
    let (mut loaded, baseline) = load(text, settings);
    let as_of = Instant::parse(AS_OF).unwrap();
    // What Tether holds is the first product's.
    let mut baselines = vec![baseline];
    loaded.existing.resize(settings.products.len(), None);
    baselines.resize(settings.products.len(), None);
    plan::build(loaded, baselines, settings, as_of).expect("a scenario can be planned")
}

/// The settings with one product per filter, in their order; an empty one: none.
pub fn settings_with(products: &[(&str, &str)]) -> Settings {
    let key = |filter: &str| if filter.is_empty() { String::new() } else { format!("filter = \"\"\"{filter}\"\"\"\n") };
    let product = |(name, filter): &(&str, &str)| {
        format!("[[product]]\nname = \"{name}\"\nkey = {{ env = \"KEY\" }}\n{}", key(filter))
    };
    let products: String = products.iter().map(product).collect();
    let (above, _) = CONFIGURATION.split_once("[[product]]").unwrap();
    let text = above.replace("[existing]\ncustomers = \"tether.jsonl\"\n", "") + &products;
    config::parse(&text, Path::new("/")).unwrap_or_else(|errors| panic!("{errors}"))
}

struct Line<'a> {
    number: u32,
    words: Vec<&'a str>,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Line<'a> {
    fn text(&self, key: &str) -> Option<String> {
        self.values.get(key).map(|value| value.replace('_', " "))
    }
    fn id(&self, key: &str) -> Option<String> {
        self.values.get(key).map(|value| (*value).to_owned())
    }
    fn word(&self, index: usize) -> &'a str {
        self.words[index]
    }
    fn instant(&self, key: &str) -> Option<i64> {
        self.values.get(key).map(|value| Instant::parse(value).expect("an instant").epoch_millis())
    }
    fn yes(&self, key: &str) -> bool {
        self.values.get(key) == Some(&"yes")
    }
}

fn load(text: &str, settings: &Settings) -> (Loaded, Option<Existing>) {
    let lines: Vec<Line<'_>> = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(line, number)| {
            let (values, words): (Vec<&str>, Vec<&str>) = line.split_whitespace().partition(|word| word.contains('='));
            Line { number, words, values: values.into_iter().filter_map(|word| word.split_once('=')).collect() }
        })
        .collect();
    let of = |kind: &str| lines.iter().filter(|line| line.word(0) == kind).collect::<Vec<_>>();
    let (subscriptions, items) = subscriptions(&of("sub"));
    let stripe = StripeTables { accounts: accounts(&of("account")), subscriptions, items, ..StripeTables::empty() };
    let known = of("nothing-known").is_empty();
    let count = |kind: &str| of(kind).len() as u64;
    let decided: Vec<_> = lines.iter().filter(|line| ["link", "never"].contains(&line.word(0))).collect();
    let rows = [count("account"), count("sub"), count("contact"), count("tether"), decided.len() as u64];
    let loaded = Loaded {
        files: FILES
            .iter()
            .zip(rows)
            .map(|(source, rows)| InputFile {
                source: (*source).to_owned(),
                path: (*source).to_owned(),
                sha256: String::new(),
                bytes: 0,
                rows,
                shape: String::new(),
                encoding: None,
                dialect: None,
                modified: None,
            })
            .collect(),
        rows: FILES.iter().map(|source| (*source).to_owned()).zip(rows).collect(),
        stripe,
        settled: crate::load::SettledRows::empty(),
        contacts: contacts(&of("contact"), settings),
        overrides: overrides(&decided, settings),
        existing: vec![known.then(|| existing(&of("tether"), true))],
        rejections: vec![],
        breaks: vec![],
    };
    let replies = of("reply");
    (loaded, (!replies.is_empty()).then(|| existing(&replies, false)))
}

/// Builds a frame with the columns of `schema`: those given, and nulls.
fn frame(schema: Vec<(&'static str, DataType)>, lines: &[&Line<'_>], file: u32, given: Vec<Column>) -> DataFrame {
    let height = lines.len();
    let ord: Vec<u32> = (0..).take(height).collect();
    let mut columns: BTreeMap<String, Column> =
        given.into_iter().map(|column| (column.name().to_string(), column)).collect();
    columns.insert("ord".into(), Column::new("ord".into(), ord));
    columns.insert("file".into(), Column::new("file".into(), vec![file; height]));
    columns.insert("line".into(), Column::new("line".into(), lines.iter().map(|line| line.number).collect::<Vec<_>>()));
    let columns = schema
        .into_iter()
        .map(|(name, dtype)| match columns.remove(name) {
            Some(column) => column.cast(&dtype).expect("a castable column"),
            None => Column::full_null(name.into(), height, &dtype),
        })
        .collect();
    DataFrame::new(height, columns).unwrap()
}

fn column<T>(name: &str, lines: &[&Line<'_>], value: impl Fn(&Line<'_>) -> T) -> Column
where
    Series: NamedFrom<Vec<T>, [T]>,
    Vec<T>: AsRef<[T]>,
{
    Series::new(name.into(), lines.iter().map(|line| value(line)).collect::<Vec<_>>()).into_column()
}

fn accounts(lines: &[&Line<'_>]) -> Accounts {
    let given = vec![
        column("id", lines, |line| (line.word(1) != "-").then(|| line.word(1).to_owned())),
        column("email", lines, |line| line.id("email")),
        column("name", lines, |line| line.text("name")),
        column("created", lines, |line| line.instant("created")),
        column("deleted", lines, |line| line.yes("deleted")),
        column("livemode", lines, |line| line.yes("test").then_some(false)),
        column("external_id", lines, |line| line.id("ext")),
    ];
    Accounts::new(frame(Accounts::schema(), lines, 0, given)).unwrap()
}

fn subscriptions(lines: &[&Line<'_>]) -> (Subscriptions, Items) {
    let given = vec![
        column("id", lines, |line| Some(line.word(1).to_owned())),
        column("customer", lines, |line| Some(line.word(2).to_owned())),
        column("status", lines, |line| Some(line.word(3).to_owned())),
        column("cancel_at_period_end", lines, |line| line.yes("cancel")),
        column("current_period_end", lines, |line| line.instant("end").or_else(|| Some(period_end()))),
        column("content", lines, |line| Some(format!("{:?}", line.words))),
    ];
    let subscriptions = Subscriptions::new(frame(Subscriptions::schema(), lines, 1, given)).unwrap();
    let given = vec![
        column("subscription", lines, |line| {
            u32::try_from(lines.iter().position(|other| other.number == line.number).unwrap()).unwrap()
        }),
        column("product", lines, |line| line.id("product")),
        column("currency", lines, |line| Some(line.id("currency").unwrap_or_else(|| "usd".into()))),
        column("amount_num", lines, |line| Money::parse(line.word(4), 2).unwrap().minor),
        column("amount_den", lines, |_| 1_i64),
        column("amount_is_total", lines, |_| false),
        column("quantity", lines, |line| Some(line.id("quantity").map_or(1_i64, |text| text.parse().unwrap()))),
        column("quantity_required", lines, |_| true),
        column("interval", lines, |line| Some(line.id("interval").unwrap_or_else(|| "month".into()))),
        column("interval_count", lines, |_| 1_i64),
        column("tiered", lines, |_| false),
    ];
    (subscriptions, Items::new(frame(Items::schema(), lines, 1, given)).unwrap())
}

fn period_end() -> i64 {
    Instant::parse("2026-12-01T00:00:00Z").unwrap().epoch_millis()
}

fn contacts(lines: &[&Line<'_>], settings: &Settings) -> Contacts {
    let emails = lines.iter().map(|line| {
        let mut all: Vec<String> = line.id("email").into_iter().collect();
        all.extend(line.id("also").into_iter().flat_map(|also| also.split(';').map(str::to_owned).collect::<Vec<_>>()));
        all
    });
    let mut list = ListStringChunkedBuilder::new("emails".into(), lines.len(), lines.len());
    for all in emails {
        list.append_values_iter(all.iter().map(String::as_str));
    }
    let mut merged = ListStringChunkedBuilder::new("merged_ids".into(), lines.len(), lines.len());
    for line in lines {
        let ids = line.id("merged").unwrap_or_default();
        merged.append_values_iter(ids.split(';').filter(|id| !id.is_empty()));
    }
    let given = vec![
        column("crm", lines, |line| {
            let name = line.id("crm").unwrap_or_else(|| "hubspot".into());
            u32::try_from(settings.crms.iter().position(|crm| crm.name == name).unwrap()).unwrap()
        }),
        column("id", lines, |line| Some(line.word(1).to_owned())),
        column("email", lines, |line| line.id("email")),
        list.finish().into_series().into_column(),
        merged.finish().into_series().into_column(),
        column("merged_into", lines, |line| line.id("into")),
        column("deleted", lines, |line| line.yes("deleted")),
        column("external_id", lines, |line| line.id("ext")),
        column("stripe_customer_id", lines, |line| line.id("stripe")),
        column("name", lines, |line| line.text("name")),
        column("company_name", lines, |line| line.text("company")),
        column("last_activity", lines, |line| line.instant("seen")),
    ];
    Contacts::new(frame(Contacts::schema(), lines, 2, given)).unwrap()
}

fn overrides(lines: &[&Line<'_>], settings: &Settings) -> Overrides {
    let crm = |line: &Line<'_>| {
        let (name, id) = line.word(2).split_once(':')?;
        Some((u32::try_from(settings.crms.iter().position(|crm| crm.name == name).unwrap()).unwrap(), id.to_owned()))
    };
    let given = vec![
        column("decision", lines, |line| Some(line.word(0).to_owned())),
        column("account", lines, |line| Some(line.word(1).to_owned())),
        column("crm", lines, |line| crm(line).map(|(crm, _)| crm)),
        column("other", lines, |line| Some(crm(line).map_or_else(|| line.word(2).to_owned(), |(_, id)| id))),
        column("with", lines, |line| Some(line.word(2).to_owned())),
        column("note", lines, |line| line.text("note")),
    ];
    Overrides::new(frame(Overrides::schema(), lines, 4, given)).unwrap()
}

fn existing(lines: &[&Line<'_>], export: bool) -> Existing {
    let given = vec![
        column("tether_id", lines, |line| Some(line.word(1).to_owned())),
        column("external_id", lines, |line| line.id("ext")),
        column("email", lines, |line| line.id("email")),
        column("name", lines, |line| line.text("name")),
        column("company_name", lines, |line| line.text("company")),
        column("stripe_customer_id", lines, |line| line.id("stripe")),
        column("mrr", lines, |line| line.id("mrr").map(|mrr| Money::parse(&mrr, 2).unwrap().minor)),
        column("subscription_status", lines, |line| line.id("status")),
        column("auto_renew", lines, |line| line.id("renew").map(|text| text == "yes")),
        column("period_end", lines, |line| line.instant("end")),
        column("last_activity", lines, |line| line.instant("seen")),
        column("updated_at", lines, |line| {
            line.instant("updated").unwrap_or_else(|| Instant::parse("2026-01-01").unwrap().epoch_millis())
        }),
    ];
    let mut rows = frame(Existing::schema(), lines, 3, given);
    if !export {
        for name in ["file", "line"] {
            rows.with_column(Column::full_null(name.into(), lines.len(), &DataType::UInt32)).unwrap();
        }
    }
    Existing::new(rows).unwrap()
}
