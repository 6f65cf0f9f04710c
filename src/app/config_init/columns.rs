//! Columns and metadata that may hold your own ids or Stripe's: proposed by their name, and by whether their values stand
//! elsewhere as such ids.

use crate::load::{FreeColumn, Survey, Surveyed};
use std::collections::{BTreeMap, BTreeSet};

/// A heading or key that may stand in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposed {
    /// The field, as `columns` names it.
    pub field: &'static str,
    /// The heading, or the metadata key.
    pub heading: String,
    /// Why, or why only perhaps.
    pub why: String,
    /// It goes into the configuration; else it stands there as a comment.
    pub active: bool,
}

impl Proposed {
    /// One that is beyond doubt.
    pub(super) fn certain(field: &'static str, heading: &str, why: &str) -> Self {
        Self { field, heading: heading.to_owned(), why: why.to_owned(), active: true }
    }
}

/// The ids that other files show.
pub(super) struct Known<'k> {
    /// External ids of Tether's customers.
    pub tether: &'k BTreeSet<&'k str>,
    /// Values of Stripe customers' metadata by key.
    pub metadata: &'k BTreeMap<&'k str, BTreeSet<&'k str>>,
}

/// How people call the column of their own ids, in words without separators.
const OWN_ID: &[&str] = &[
    "external id",
    "customer id",
    "customer number",
    "customer no",
    "account number",
    "account no",
    "user id",
    "client id",
    "client number",
    "member id",
    "tenant id",
    "workspace id",
    "organization id",
    "organisation id",
    "org id",
    "customer reference",
];

/// The name in words: `Customer ID`, `property_customer_id` and `Customer_ID__c` are one.
fn words(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    if words.len() > 2 && matches!(words.first(), Some(&("property" | "custom" | "person" | "contact"))) {
        words.remove(0);
    }
    if words.len() > 2 && words.last() == Some(&"c") {
        words.pop();
    }
    words.join(" ")
}

fn is_own_id(name: &str) -> bool {
    OWN_ID.contains(&words(name).as_str())
}

/// How many of `values` stand among `ids`.
fn shared<'v>(values: impl Iterator<Item = &'v str>, ids: &BTreeSet<&str>) -> usize {
    values.filter(|value| ids.contains(value)).count()
}

/// The columns that the preset does not know, and that may hold Stripe's id or your own.
pub(super) fn proposed(files: &[&Surveyed], known: &Known<'_>) -> Vec<Proposed> {
    let mut found = Vec::new();
    // A column that `columns` names must be in every file.
    let everywhere = |column: &&FreeColumn| {
        files.iter().all(|file| file.facts.free.iter().any(|other| other.heading == column.heading))
    };
    let Some(first) = files.first() else { return found };
    let free: Vec<&FreeColumn> = first.facts.free.iter().filter(everywhere).collect();
    let presets = files.iter().all(|file| file.facts.known.contains(&"stripe_customer_id"));
    if let Some(column) = free.iter().find(|column| column.stripe_ids && !presets) {
        let why = "its values are ids of Stripe customers";
        found.push(Proposed::certain("stripe_customer_id", &column.heading, why));
    }
    found.extend(own_id(&free, known));
    found
}

fn own_id(free: &[&FreeColumn], known: &Known<'_>) -> Option<Proposed> {
    let elsewhere: BTreeSet<&str> = known.metadata.values().flatten().copied().collect();
    let among = |column: &FreeColumn, ids: &BTreeSet<&str>| shared(column.values.iter().map(String::as_str), ids);
    let candidates = free.iter().filter(|column| !column.stripe_ids).filter_map(|column| {
        let named = is_own_id(&column.heading);
        let in_tether = among(column, known.tether);
        let in_stripe = among(column, &elsewhere);
        // A few values that stand elsewhere by chance (yes, 1) make no column of ids.
        let mostly = (in_tether.max(in_stripe)) * 2 > column.values.len() && column.values.len() > 2;
        (named || mostly).then_some(((in_tether, in_stripe, named), *column))
    });
    let ((in_tether, in_stripe, _), column) = candidates.max_by_key(|(rank, _)| *rank)?;
    let (why, active) = match (in_tether, in_stripe) {
        (0, _) if !known.tether.is_empty() => {
            ("none of its values is an external id in Tether's export: take it only if it is yours".to_owned(), false)
        }
        (0, 0) => ("by its name; check that it holds your own ids".to_owned(), true),
        (0, shared) => (format!("{shared} of its values stand in Stripe's metadata"), true),
        (shared, _) => (format!("{shared} of its values are external ids in Tether's export"), true),
    };
    Some(Proposed { field: "external_id", heading: column.heading.clone(), why, active })
}

/// The key of customers' metadata that carries your own id, if one seems to.
pub(super) fn metadata_key(
    keys: &BTreeMap<&str, BTreeSet<&str>>,
    tether: &BTreeSet<&str>,
    in_crm: &BTreeSet<&str>,
) -> Option<Proposed> {
    let candidates = keys.iter().filter_map(|(key, values)| {
        let in_tether = shared(values.iter().copied(), tether);
        let elsewhere = shared(values.iter().copied(), in_crm);
        let named = is_own_id(key);
        let mostly = in_tether.max(elsewhere) * 2 > values.len() && values.len() > 2;
        (named || mostly).then_some(((in_tether, elsewhere, named), *key))
    });
    let ((in_tether, elsewhere, _), key) = candidates.max_by_key(|(rank, _)| *rank)?;
    let (why, active) = match (in_tether, elsewhere) {
        (0, 0) if !tether.is_empty() => {
            ("none of its values is an external id in Tether's export: take it only if it is yours".to_owned(), false)
        }
        (0, 0) => ("by its name; check that it holds your own ids".to_owned(), true),
        (0, shared) => (format!("{shared} of its values stand in the CRM as your own ids"), true),
        (shared, _) => (format!("{shared} of its values are external ids in Tether's export"), true),
    };
    Some(Proposed { field: "external_id_metadata", heading: key.to_owned(), why, active })
}

/// The values of the column of this heading, in all files of contacts.
pub(super) fn values_of<'s>(survey: &'s Survey, heading: Option<&str>) -> BTreeSet<&'s str> {
    let columns = survey.files.iter().flat_map(|file| &file.facts.free);
    columns
        .filter(|column| Some(column.heading.as_str()) == heading)
        .flat_map(|column| &column.values)
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{is_own_id, metadata_key};
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn headings_of_own_ids_are_known_in_every_spelling() {
        for name in
            ["Customer ID", "property_customer_id", "Customer_ID__c", "custom.External ID", "Account Number", "user_id"]
        {
            assert!(is_own_id(name), "{name}");
        }
        for name in ["Stripe Customer ID", "Phone Number", "id", "Customer", "Owner ID"] {
            assert!(!is_own_id(name), "{name}");
        }
    }

    #[test]
    fn a_metadata_key_is_taken_by_its_values_before_its_name() {
        let keys = BTreeMap::from([
            ("user_id", BTreeSet::from(["u1", "u2", "u3"])),
            ("ref", BTreeSet::from(["NW-1", "NW-2", "NW-3"])),
            ("plan", BTreeSet::from(["a", "b", "c"])),
        ]);
        let tether = BTreeSet::from(["NW-1", "NW-3"]);
        let key = metadata_key(&keys, &tether, &BTreeSet::new()).unwrap();
        assert_eq!((key.heading.as_str(), key.active), ("ref", true));
        let key = metadata_key(&keys, &BTreeSet::new(), &BTreeSet::new()).unwrap();
        assert_eq!((key.heading.as_str(), key.active), ("user_id", true));
        let key = metadata_key(&keys, &BTreeSet::from(["else"]), &BTreeSet::new()).unwrap();
        assert!(!key.active, "{}", key.why);
    }
}
