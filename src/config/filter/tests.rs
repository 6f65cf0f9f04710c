use super::columns::Sources;
use super::translate::parse;
use super::{FilterColumn, FilterSource};
use crate::config::{CrmSettings, Settings, parse as configuration};
use std::path::Path;

fn crms() -> Vec<CrmSettings> {
    read("").unwrap().crms
}

/// A configuration whose product has the key `filter`, written as TOML.
fn read(filter: &str) -> Result<Settings, String> {
    let text = format!(
        "[run]\ncurrency = \"usd\"\n[stripe]\ncustomers = \"c.csv\"\n[[crm]]\npreset = \"hubspot\"\ncontacts = \"h.csv\"\n\
         [[product]]\nname = \"core\"\nkey = {{ env = \"A\" }}\n{filter}\n"
    );
    configuration(&text, Path::new("/recon")).map_err(|errors| errors.to_string())
}

#[test]
fn a_filter_has_a_term_for_each_source_and_one_spelling() {
    let sources = crms();
    let text = "stripe_subscriptions.product='p' and (hubspot.\"Business Unit\" = 'Core' AND Hubspot.email LIKE '%@example.com')";
    let filter = parse(text, Sources(&sources)).unwrap();
    let of: Vec<FilterSource> = filter.terms.iter().map(|term| term.source).collect();
    assert_eq!(of, [FilterSource::Subscriptions, FilterSource::Crm(0), FilterSource::Crm(0)]);
    let mut columns = vec![];
    filter.terms.iter().for_each(|term| term.condition.columns(&mut |column| columns.push(column.clone())));
    let heading = FilterColumn::Heading("Business Unit".to_owned());
    assert_eq!(columns, [FilterColumn::OfItems("product"), heading, FilterColumn::Canonical("email")]);
    let spaced = parse("stripe_customers.id   in ( 'a','b' )", Sources(&sources)).unwrap();
    assert_eq!(spaced, parse("stripe_customers.id IN ('a', 'b')", Sources(&sources)).unwrap());
}

#[test]
fn what_is_on_the_list_is_accepted() {
    let sources = crms();
    for text in [
        "stripe_subscriptions.status = 'active'",
        "'active' = stripe_subscriptions.status",
        "stripe_subscriptions.status <> 'canceled' AND stripe_subscriptions.status != 'unpaid'",
        "stripe_subscriptions.product IN ('a', 'b') OR stripe_subscriptions.price NOT LIKE 'old\\_%' ESCAPE '\\'",
        "stripe_subscriptions.created >= DATE '2026-01-01'",
        "stripe_subscriptions.created BETWEEN '2026-01-01' AND TIMESTAMP '2026-02-01 12:00:00'",
        "stripe_customers.livemode",
        "stripe_customers.livemode = true AND NOT stripe_customers.livemode IS NOT TRUE",
        "(stripe_customers.livemode OR stripe_customers.name IS NULL) IS TRUE",
        "(stripe_customers.name IS NOT DISTINCT FROM 'x') AND stripe_customers.name IS DISTINCT FROM stripe_customers.email",
        "LOWER(TRIM(hubspot.\"Tier\")) = 'gold' AND UPPER(COALESCE(hubspot.name, hubspot.email, '')) ILIKE '%x%'",
        "CAST(hubspot.\"Seats\" AS DECIMAL) > 5 AND CAST(hubspot.\"Seats\" AS INTEGER) < -1.5",
        "CAST(hubspot.\"Since\" AS DATE) < '2026-01-01'",
        "(((stripe_customers.id = 'a')))",
    ] {
        if let Err(faults) = parse(text, Sources(&sources)) {
            panic!("{text}: {faults:?}");
        }
    }
}

/// What a refusal must say, and the text that begins where it points.
#[test]
fn everything_else_is_refused_with_its_place_and_what_to_write() {
    for (text, at, said) in [
        ("status = 'active'", "status", "`status` lacks its source; write stripe_subscriptions.status"),
        ("email = 'a'", "email", "write stripe_customers.email or hubspot.email"),
        (
            "stripe_subscriptions.statsu = 'a'",
            "statsu",
            "did you mean `stripe_subscriptions.status`? It has id, customer",
        ),
        ("stripe_customers.zzz = 'a'", "zzz", "`stripe_customers` has no column `zzz`; it has id, email, name"),
        ("hubspot.Tier = 'a'", "Tier", "stands in double quotes: hubspot.\"Tier\""),
        ("stripe_subscription.status = 'a'", "stripe_subscription.", "did you mean `stripe_subscriptions`?"),
        ("zoho.status = 'a'", "zoho", "is no source; there are stripe_customers, stripe_subscriptions, hubspot"),
        ("stripe_customers.id = 'a' OR hubspot.id = 'b'", "hubspot", "speaks of stripe_customers and of hubspot"),
        ("1 = 1", "1 = 1", "names no column"),
        ("stripe_customers.id = 5", "5", "or the number in single quotes"),
        ("hubspot.\"Seats\" > 5", "5", "write CAST(column AS DECIMAL)"),
        ("CAST(hubspot.\"Seats\" AS INT) > '5'", "'5'", "write the number without quotes"),
        ("stripe_customers.livemode = 'true'", "'true'", "write true or false without quotes"),
        ("stripe_customers.livemode > true", "stripe_customers.livemode", "have no order"),
        ("stripe_customers.created > 'soon'", "'soon'", "`soon` is not a date or time"),
        ("stripe_customers.name = NULL", "NULL", "write IS NULL"),
        ("stripe_customers.id IN (SELECT id FROM t)", "stripe_customers.id", "is nothing that a filter can compare"),
        ("stripe_customers.id IN (stripe_customers.name)", "stripe_customers.name", "IN takes a list of literals"),
        ("stripe_customers.id || 'x' = 'ax'", "stripe_customers.id", "is nothing that a filter can compare"),
        ("stripe_customers.id ~ 'x'", "stripe_customers.id", "is no comparison of a filter"),
        ("SUBSTR(stripe_customers.id, 1) = 'x'", "stripe_customers", "is nothing that a filter can compare"),
        ("MD5(stripe_customers.id) = 'x'", "MD5", "`MD5` is no function of a filter"),
        ("stripe_customers.id IS DISTINCT FROM 'a' AND 1 = 1", "stripe_customers", "put brackets around"),
        ("RANDOM() = 0.5", "RANDOM", "`RANDOM` is no function of a filter"),
        ("stripe_customers.id", "stripe_customers.id", "is a text, not a condition"),
        ("CAST(hubspot.\"Seats\" AS JSON) = 'x'", "hubspot", "`JSON` is no type of a filter"),
        ("stripe_customers.id LIKE stripe_customers.name", "stripe_customers.name", "the pattern of LIKE is a text"),
        ("stripe_customers.id = 'a' stripe_customers.id = 'b'", "stripe_customers.id = 'b'", "does not go on"),
        ("stripe_customers.id = ", "", "is no SQL condition"),
        ("stripe_customers.id = 'a", "'a", "is no SQL condition: Unterminated string literal"),
    ] {
        let error = read(&format!("filter = '''\n{text}'''")).expect_err(text);
        assert!(error.contains(said), "{text}: {error}");
        assert!(error.contains("product.filter: "), "{text}: {error}");
        let column = if at.is_empty() { text.len() } else { text.rfind(at).unwrap() } + 1;
        assert!(error.contains(&format!("configuration:12:{column}: ")), "{text}: {column} expected: {error}");
    }
}

#[test]
fn every_problem_of_a_filter_is_told_at_once_with_the_others() {
    let error = read(
        "filter = \"stripe_customers.idd = 'a' AND status = 'b' AND (hubspot.id = 1 OR foo.x = 2)\"\ncreation = 5",
    )
    .unwrap_err();
    for said in [
        "5 problems",
        "11:28: product.filter",
        "11:42: ",
        "11:73: ",
        "11:78: ",
        "12:12: product.creation",
        "`foo` is no source",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_filter_is_part_of_the_configuration_s_hash_and_its_layout_is_not() {
    let hash = |filter: &str| read(filter).unwrap().hash;
    let plain = hash("filter = \"stripe_customers.id = 'a'\"");
    assert_eq!(plain, hash("filter = '''\n  stripe_customers.id\n  = 'a' '''"));
    assert_ne!(plain, hash("filter = \"stripe_customers.id = 'b'\""));
    assert_ne!(plain, hash(""));
}

#[test]
fn brackets_without_end_and_chains_without_end_do_not_take_the_program_down() {
    let sources = crms();
    let deep = format!("{}stripe_customers.id = 'a'{}", "(".repeat(5000), ")".repeat(5000));
    assert!(parse(&deep, Sources(&sources)).is_err());
    let nots = format!("{}stripe_customers.livemode", "NOT ".repeat(5000));
    assert!(parse(&nots, Sources(&sources)).is_err());
    let long = vec!["stripe_customers.id = 'a'"; 3000].join(" OR ");
    assert!(parse(&long, Sources(&sources)).is_ok());
}
