//! The demo, held to `sample_data/README.md`: every row of its table is looked up in what a run and a plan say.

use crate::files::{Report, Row};
use crate::site::{AS_OF, Site, repository};
use std::collections::{BTreeMap, BTreeSet};
use tether_recon::model::{Disposition, LinkRule, MatchRule, Outcome};

/// A line of the README's table.
struct Shown {
    product: String,
    customer: String,
    column: String,
    value: String,
}

const PRODUCTS: [&str; 2] = ["academy", "core"];

#[test]
fn every_line_of_the_readmes_table_is_true_and_the_second_night_is_quiet() {
    let site = Site::demo();
    site.expect(&format!("plan --as-of {AS_OF}"), 3);
    let plan = site.report();
    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let first = site.report();

    let mut wrong = vec![];
    for shown in table() {
        let (report, column) = match shown.column.strip_suffix(" (plan)") {
            Some(column) => (&plan, column),
            None => (&first, shown.column.as_str()),
        };
        let found = look_up(report, &shown, column);
        if !found.contains(shown.value.as_str()) {
            wrong.push(format!("{} {} {}: not {} but {found:?}", shown.product, shown.customer, column, shown.value));
        }
    }
    assert!(wrong.is_empty(), "{} lines are wrong:\n{}", wrong.len(), wrong.join("\n"));
    for (product, said) in outcomes_said() {
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for row in first.customers.iter().filter(|row| row["product"] == product) {
            *counted.entry(row["outcome"].clone()).or_default() += 1;
        }
        assert_eq!(said, counted, "{product}");
    }

    site.expect(&format!("run --as-of {AS_OF}"), 3);
    let second = site.report().outcome_of();
    let in_tether: Vec<_> = first
        .outcome_of()
        .into_iter()
        .filter(|(_, outcome)| outcome.parse::<Outcome>().unwrap().is_in_tether())
        .map(|(customer, _)| customer)
        .collect();
    let quiet = in_tether.iter().filter(|customer| second[*customer] == "unchanged").count();
    assert!(in_tether.len() > 400, "only {} rows are in Tether after the first night", in_tether.len());
    assert!(quiet * 10 >= in_tether.len() * 9, "only {quiet} of {} are unchanged", in_tether.len());
}

#[test]
fn the_table_shows_every_outcome_disposition_and_rule_of_the_product() {
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in table() {
        let column = line.column.trim_end_matches(" (plan)").to_owned();
        shown.entry(column).or_default().insert(line.value);
    }
    let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    for (column, words) in [
        ("outcome", all(&Outcome::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())),
        ("disposition", all(&Disposition::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())),
        ("link_rule", all(&LinkRule::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())),
        ("match_rule", all(&MatchRule::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>())),
    ] {
        let missing: Vec<_> = words.difference(&shown[column]).collect();
        assert!(missing.is_empty(), "the table has no line for {column} {missing:?}");
    }
}

#[test]
fn the_sample_is_as_large_and_as_fictitious_as_it_says() {
    let rows = |name: &str| {
        csv::Reader::from_path(repository().join("sample_data").join(name)).unwrap().into_byte_records().count()
    };
    assert!(rows("stripe_customers.csv") >= 250);
    for entry in std::fs::read_dir(repository().join("sample_data")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices('@') {
            let domain: String =
                text[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect();
            let reserved = ["example.com", "example.org", "example.net"]
                .iter()
                .any(|name| domain.to_lowercase().trim_end_matches('.').ends_with(name) || domain.is_empty());
            assert!(reserved || !domain.contains('.'), "{}: {domain} may be somebody's", path.display());
        }
    }
}

/// What `report` has where the line of the table points to.
fn look_up<'a>(report: &'a Report, shown: &Shown, column: &str) -> BTreeSet<&'a str> {
    if column == "break" {
        return breaks(report, shown);
    }
    if shown.product == "-" {
        let place = shown.customer.split_once(':');
        return values(&report.accounting, column, |row| match place {
            Some((file, line)) => row["file"].ends_with(file) && row["line"] == line,
            None => row["id"] == shown.customer,
        });
    }
    let products: Vec<&str> =
        PRODUCTS.into_iter().filter(|name| ["both", name].contains(&shown.product.as_str())).collect();
    let of = |product: &str| {
        values(&report.customers, column, |row| {
            row["product"] == product && ["email", "external_id", "key"].iter().any(|name| row[*name] == shown.customer)
        })
    };
    // `both` means each of them.
    products.iter().map(|product| of(product)).reduce(|left, right| &left & &right).unwrap_or_default()
}

fn values<'a>(rows: &'a [Row], column: &str, wanted: impl Fn(&Row) -> bool) -> BTreeSet<&'a str> {
    rows.iter().filter(|row| wanted(row)).map(|row| row[column].as_str()).collect()
}

fn breaks<'a>(report: &'a Report, shown: &Shown) -> BTreeSet<&'a str> {
    let all = report.summary["breaks"].as_array().unwrap();
    let kinds = all.iter().filter(|found| found["key"] == shown.customer.as_str());
    kinds
        .filter(|found| shown.product == "-" || found["product"] == shown.product.as_str())
        .filter_map(|found| found["kind"].as_str())
        .collect()
}

fn readme() -> String {
    std::fs::read_to_string(repository().join("sample_data/README.md")).unwrap()
}

/// The lines of the README's table.
fn table() -> Vec<Shown> {
    let readme = readme();
    let rows = readme.lines().skip_while(|line| !line.starts_with("| --- ")).skip(1);
    let lines: Vec<Shown> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<String> =
                line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
            let [_, product, customer, column, value] = cells.try_into().expect("five cells");
            Shown { product, customer, column, value }
        })
        .collect();
    assert!(lines.len() > 100, "the table of sample_data/README.md was not found");
    lines
}

/// ``- core: 2 `applied`, 12 `conflict` …`` as counts.
fn outcomes_said() -> BTreeMap<String, BTreeMap<String, usize>> {
    let readme = readme();
    PRODUCTS
        .iter()
        .map(|product| {
            let line = readme.lines().find_map(|line| line.strip_prefix(&format!("- {product}: "))).expect(product);
            let counts = line.split(", ").map(|part| {
                let (count, word) = part.split_once(' ').expect(part);
                (word.trim_matches('`').to_owned(), count.parse().unwrap())
            });
            ((*product).to_owned(), counts.collect())
        })
        .collect()
}
