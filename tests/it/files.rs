//! A run's folder, read as other programs read it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A row of a CSV file by its headings.
pub type Row = BTreeMap<String, String>;

/// A run's report.
pub struct Report {
    pub folder: PathBuf,
    pub customers: Vec<Row>,
    pub accounting: Vec<Row>,
    pub changes: Vec<Row>,
    pub summary: Value,
}

impl Report {
    /// Reads the report of the run in `folder`.
    pub fn read(folder: &Path) -> Self {
        let table = |name| table(&folder.join("report").join(name));
        Self {
            folder: folder.to_owned(),
            customers: table("customers.csv"),
            accounting: table("accounting.csv"),
            changes: table("changes.csv"),
            summary: json(&folder.join("report/summary.json")),
        }
    }

    /// How many customers ended in each outcome, over all products.
    pub fn outcomes(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for row in &self.customers {
            *counts.entry(row["outcome"].as_str()).or_default() += 1;
        }
        counts
    }

    /// Each customer's outcome by product and key: a customer that stands twice is a failure.
    pub fn outcome_of(&self) -> BTreeMap<(String, String), String> {
        let mut outcomes = BTreeMap::new();
        for row in &self.customers {
            let name = (row["product"].clone(), row["key"].clone());
            assert_eq!(outcomes.insert(name.clone(), row["outcome"].clone()), None, "{name:?} has two outcomes");
        }
        outcomes
    }

    /// The customer with this e-mail, external id or key, in `product`.
    pub fn customer(&self, product: &str, customer: &str) -> &Row {
        let known = |row: &&Row| ["email", "external_id", "key"].iter().any(|column| row[*column] == customer);
        self.customers
            .iter()
            .filter(|row| row["product"] == product)
            .find(known)
            .unwrap_or_else(|| panic!("{product} has no row for {customer}"))
    }

    /// The run's manifest.
    pub fn manifest(&self) -> Value {
        json(&self.folder.join("manifest.json"))
    }
}

/// Reads a CSV file with headings.
pub fn table(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// Reads a JSON file.
pub fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{} is not whole: {error}", path.display()))
}

/// Reads a file with one JSON object per line.
pub fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}
