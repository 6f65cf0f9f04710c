//! The law of accounting over generated messes, from text to plan: whatever stands in the files, every row stands in the
//! accounting once, the sums tie, and neither the order of rows nor how they are shared out among files changes a result.

use crate::config::{self, Settings};
use crate::load::{self, Trials};
use crate::model::Instant;
use crate::monitor::Silent;
use crate::plan::{self, Planned};
use polars::prelude::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The sources: the name of the pattern's files, the heading, and rows by the number that names them.
const SOURCES: [(&str, &str); 5] = [
    ("customers", "id,Email,Name,Created (UTC),Deleted,Livemode,user_id (metadata)"),
    ("subscriptions", "id,Customer ID,Quantity,Currency,Interval,Amount,Status,Created (UTC)"),
    ("first", "Record ID,Email,Additional email addresses,First Name,Customer ID,Stripe Customer ID"),
    ("second", "Record ID,Email,Additional email addresses,First Name,Customer ID,Stripe Customer ID"),
    ("existing", "tether_id,external_id,email,name,mrr,subscription_status,updated_at"),
];

/// One row: its id (few, so that they repeat) and what fills its fields.
pub type Row = (usize, [usize; 5]);

/// Rows of each source.
pub type Mess = Vec<Vec<Row>>;

pub fn mess() -> impl Strategy<Value = Mess> {
    let row = (0..9_usize, prop::array::uniform5(0..30_usize));
    prop::collection::vec(prop::collection::vec(row, 0..14), SOURCES.len())
}

/// The text of a row. Of 30 fillings most are sound, a few are blank, shared, or nothing at all.
#[allow(clippy::many_single_char_names, reason = "five numbers without a meaning of their own")]
fn text(source: usize, &(id, [a, b, c, d, e]): &Row) -> String {
    let email = |n: usize| match n {
        0..4 => String::new(),
        4..16 => format!("p{}@example.com", n % 5),
        16..26 => format!("Q{n}@Example.com "),
        _ => format!("no address {n}"),
    };
    let of = |n: usize, values: &[&str]| values.get(n).map_or(String::new(), |value| (*value).to_owned());
    let external = |n: usize| if n < 8 { format!("E-{}", n % 4) } else { String::new() };
    let cus = |n: usize| if n < 12 { format!("cus_{}", n % 9) } else { String::new() };
    let name = ["", "Ann", "Bo \"the\" B", "Céd, Ric", "=1+1"][a % 5].replace('"', "\"\"");
    if e == 29 {
        return format!("x{id},short");
    }
    match source {
        0 => {
            let id = if id == 8 { String::new() } else { format!("cus_{id}") };
            let created = if b == 29 { "the other day".to_owned() } else { format!("2025-01-{:02} 00:00", 1 + b % 28) };
            let (deleted, live) = (of(c, &["true"]), of(d, &["false", "false"]));
            format!("{id},{},\"{name}\",{created},{deleted},{live},{}", email(a), external(e))
        }
        1 => {
            let currency = of(b, &["eur", "jpy", "xyz"]);
            let currency = if currency.is_empty() { "usd" } else { &currency };
            let interval = ["month", "year", "week", "day", "fortnight"][if c < 20 { c % 4 } else { c % 5 }];
            let amount = if d == 28 { "1e999".to_owned() } else { format!("{}.{:02}", d * 7, e) };
            let status = ["active", "past_due", "trialing", "canceled", "active", "odd"][e % 6];
            format!("sub_{id},cus_{},{},{currency},{interval},{amount},{status},2025-02-01 00:00", a % 10, b % 4)
        }
        2 | 3 => {
            format!("{id},{},\"{};{}\",\"{name}\",{},{}", email(a), email(b).trim(), email(c), external(d), cus(e))
        }
        _ => {
            let mrr = if d == 28 { "NaN".to_owned() } else { format!("{d}.50") };
            format!("t-{id},{},{},\"{name}\",{mrr},active,2026-01-{:02}T00:00:00Z", external(b), email(a), 1 + c % 28)
        }
    }
}

/// The settings, `products` being the text of their sections.
fn settings(folder: &std::path::Path, products: &str) -> Settings {
    let crm = |name| {
        format!(
            "[[crm]]\nname = \"{name}\"\npreset = \"hubspot\"\ncontacts = \"{name}*.csv\"\ncolumns = {{ external_id = \
             \"Customer ID\", stripe_customer_id = \"Stripe Customer ID\" }}\n"
        )
    };
    let text = format!(
        "[run]\ncurrency = \"usd\"\n[stripe]\ncustomers = \"customers*.csv\"\nsubscriptions = \"subscriptions*.csv\"\n\
         guests = true\nexternal_id_metadata = \"user_id\"\n{}{}[fx]\neur = {{ rate = \"1.0842\", date = \"2026-10-31\" }}\n\
         [tether]\nurl = \"sandbox\"\n{products}",
        crm("first"),
        crm("second")
    );
    config::parse(&text, folder).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Plans `mess` for one product, each source's rows dealt out to `files` files.
fn planned(mess: &Mess, files: usize) -> Planned {
    planned_for(
        mess,
        files,
        "[existing]\ncustomers = \"existing*.csv\"\n[[product]]\nname = \"core\"\nkey = { env = \"K\" }\n",
    )
    .0
}

/// Plans `mess` for `products`, the text of their sections.
pub fn planned_for(mess: &Mess, files: usize, products: &str) -> (Planned, Settings) {
    let folder = tempfile::tempdir().unwrap();
    for (source, (name, heading)) in SOURCES.iter().enumerate() {
        for file in 0..files {
            let rows = mess[source].iter().skip(file).step_by(files).map(|row| text(source, row) + "\n");
            let content = format!("{heading}\n{}", rows.collect::<String>());
            std::fs::write(folder.path().join(format!("{name}{file}.csv")), content).unwrap();
        }
    }
    let settings = settings(folder.path(), products);
    let loaded = load::load(&settings, &Trials::Nowhere, &Silent).unwrap_or_else(|error| panic!("{error}"));
    let as_of = Instant::parse("2026-11-01").unwrap();
    let nothing = vec![None; settings.products.len()];
    let plan = plan::build(loaded, nothing, &settings, as_of).unwrap_or_else(|error| panic!("{error}"));
    (plan, settings)
}

/// The rows of `frame` as text, without the columns that tell where a row stood.
pub fn told(frame: &DataFrame, without: &[&str]) -> Vec<String> {
    let columns: Vec<_> = frame.columns().iter().filter(|column| !without.contains(&column.name().as_str())).collect();
    let mut rows: Vec<String> = (0..frame.height())
        .map(|row| {
            let cells = columns.iter().map(|column| format!("{}={}", column.name(), column.get(row).unwrap()));
            cells.collect::<Vec<_>>().join(" ")
        })
        .collect();
    rows.sort();
    rows
}

pub fn the_law_holds(mess: &Mess, plan: &Planned) -> Result<(), TestCaseError> {
    let accounting = plan.accounting.frame();
    let (source, file, line) = (
        accounting.column("source").unwrap().str().unwrap(),
        accounting.column("file").unwrap().str().unwrap(),
        accounting.column("line").unwrap().u32().unwrap(),
    );
    let mut places = BTreeSet::new();
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for row in 0..accounting.height() {
        prop_assert!(places.insert((file.get(row), line.get(row))), "a row stands twice");
        *rows.entry(source.get(row).unwrap()).or_default() += 1;
    }
    for (given, name) in mess.iter().zip(["stripe_customers", "stripe_subscriptions", "first", "second", "existing"]) {
        let totals = plan.sources.iter().find(|source| source.name == name);
        let (read, disposed) = totals.map_or((0, 0), |source| (source.rows_read, source.dispositions.values().sum()));
        let given = given.len() as u64;
        prop_assert_eq!((read, disposed, rows.get(name).copied().unwrap_or(0)), (given, given, given), "{}", name);
    }
    for source in &plan.sources {
        let Some(total) = &source.mrr_total else { continue };
        let fraction = |amount: &crate::runs::Exact| {
            let number = |text: &str| text.parse::<num_bigint::BigInt>().unwrap();
            num_rational::BigRational::new(number(&amount.num), number(&amount.den))
        };
        let sum: num_rational::BigRational = source.mrr.values().map(fraction).sum();
        prop_assert_eq!(fraction(total), sum, "{}", source.name);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_row_of_a_mess_stands_in_the_accounting_once_and_the_sums_tie(mess in mess(), files in 1..4_usize) {
        the_law_holds(&mess, &planned(&mess, files))?;
    }

    #[test]
    fn invariant_05_the_order_of_rows_and_files_changes_nothing(
        mess in mess(),
        keys in prop::collection::vec(prop::collection::vec(any::<u32>(), 14), SOURCES.len()),
        files in 1..4_usize,
    ) {
        // Which of two differing rows of one id was read last does matter: here they never differ.
        let same: Mess = mess
            .iter()
            .map(|rows| {
                let mut known = BTreeMap::new();
                rows.iter().map(|(id, fields)| (*id, *known.entry(*id).or_insert(*fields))).collect()
            })
            .collect();
        let mut moved = same.clone();
        for (rows, keys) in moved.iter_mut().zip(&keys) {
            let mut order: Vec<_> = rows.iter().copied().zip(keys).collect();
            order.sort_by_key(|(_, key)| **key);
            *rows = order.into_iter().map(|(row, _)| row).collect();
        }
        let (one, other) = (planned(&same, 1), planned(&moved, files));
        the_law_holds(&same, &one)?;
        prop_assert_eq!(told(one.rows.frame(), &["detail"]), told(other.rows.frame(), &["detail"]));
        let placed = ["file", "line"];
        prop_assert_eq!(told(one.accounting.frame(), &placed), told(other.accounting.frame(), &placed));
        prop_assert_eq!(format!("{:?}", one.sources), format!("{:?}", other.sources));
    }
}
