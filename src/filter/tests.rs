//! Expressions × rows: what each filter takes.

use super::shares;
use crate::config::{Settings, parse};
use crate::model::{Reason, Rejection};
use crate::table::{Accounts, Contacts, INSTANT, Items, StripeTables, Subscriptions};
use polars::prelude::*;
use std::path::Path;

fn settings(filter: &str) -> Settings {
    let text = format!(
        "[run]\ncurrency = \"usd\"\n[stripe]\ncustomers = \"c.csv\"\n[[crm]]\npreset = \"hubspot\"\ncontacts = \"h.csv\"\n\
         [[crm]]\npreset = \"pipedrive\"\ncontacts = \"p.csv\"\n\
         [[product]]\nname = \"core\"\nkey = {{ env = \"A\" }}\nfilter = '''{filter}'''\n"
    );
    parse(&text, Path::new("/recon")).unwrap_or_else(|errors| panic!("{filter}: {errors}"))
}

/// The columns of a table: those given, nulls for the rest.
fn table(schema: Vec<(&'static str, DataType)>, given: &[Column]) -> DataFrame {
    let height = given[0].len();
    let ords: Vec<u32> = (0..).take(height).collect();
    let columns = schema
        .into_iter()
        .map(|(name, dtype)| match given.iter().find(|column| column.name() == name) {
            Some(column) => column.cast(&dtype).unwrap(),
            None if name == "ord" => Column::new("ord".into(), &ords),
            None => Column::full_null(name.into(), height, &dtype),
        })
        .collect();
    DataFrame::new(height, columns).unwrap()
}

fn text(name: &str, cells: &[Option<&str>]) -> Column {
    Column::new(name.into(), cells)
}

fn days(name: &str, cells: &[Option<&str>]) -> Column {
    let millis: Vec<Option<i64>> =
        cells.iter().map(|cell| cell.map(|day| crate::model::Instant::parse(day).unwrap().epoch_millis())).collect();
    Column::new(name.into(), millis).cast(&INSTANT).unwrap()
}

/// Customers a, b, c and a guest; subscriptions s0 (of a, two items), s1 (of b), s2 (of a, no item known), s3 (of nobody),
/// and s1 again as it was before.
fn tables() -> StripeTables {
    let accounts = vec![
        text("id", &[Some("a"), Some("b"), Some("c"), None]),
        text("email", &[Some("ann@example.com"), Some("bob@example.org"), None, Some("guest@example.com")]),
        text("name", &[Some("Ann <x>"), Some("bob_1"), Some("100%"), None]),
        days("created", &[Some("2026-01-01"), Some("2026-02-01"), Some("2026-03-01T12:00:00Z"), None]),
        Column::new("livemode".into(), [Some(true), Some(false), None, None]),
    ];
    let subscriptions = vec![
        text("id", &[Some("s1"), Some("s0"), Some("s1"), Some("s2"), Some("s3")]),
        text("customer", &[Some("b"), Some("a"), Some("b"), Some("a"), Some("x")]),
        text("status", &[Some("trialing"), Some("active"), Some("canceled"), Some("active"), Some("active")]),
    ];
    let items = vec![
        Column::new("subscription".into(), [0_u32, 1, 1, 2, 4]),
        text("product", &[Some("core"), Some("core"), Some("extra"), Some("academy"), None]),
        text("interval", &[Some("month"), Some("month"), Some("year"), Some("year"), Some("month")]),
    ];
    StripeTables {
        accounts: Accounts::new(table(Accounts::schema(), &accounts)).unwrap(),
        subscriptions: Subscriptions::new(table(Subscriptions::schema(), &subscriptions)).unwrap(),
        items: Items::new(table(Items::schema(), &items)).unwrap(),
        ..StripeTables::empty()
    }
}

/// Contacts 0 to 3 of HubSpot and 4 of Pipedrive, with the cells of the one heading that a filter names.
fn contacts() -> Contacts {
    let mut named = ListStringChunkedBuilder::new("named".into(), 5, 5);
    for cell in [Some("Core"), Some("12.50"), Some("2026-05-01"), None, None] {
        named.append_trusted_len_iter(std::iter::once(cell));
    }
    let given = vec![
        text("id", &[Some("0"), Some("1"), Some("2"), Some("3"), Some("0")]),
        text("email", &[Some("ann@example.com"), None, None, None, None]),
        Column::new("crm".into(), [0_u32, 0, 0, 0, 1]),
        named.finish().into_column(),
    ];
    Contacts::new(table(Contacts::schema(), &given)).unwrap()
}

fn listed(frame: &DataFrame) -> Vec<u32> {
    let mut ords: Vec<u32> = frame.column("ord").unwrap().u32().unwrap().iter().flatten().collect();
    ords.sort_unstable();
    ords
}

/// The `ord`s of customers, subscriptions and contacts that a filter takes.
fn taken(filter: &str) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let shares =
        shares(&settings(filter), &tables(), &contacts(), &[]).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let taken = shares[0].taken.as_ref().unwrap();
    (listed(&taken.accounts), listed(&taken.subscriptions), listed(&taken.contacts))
}

#[test]
fn a_condition_on_customers_takes_those_for_whom_it_is_true() {
    for (condition, expected) in [
        ("id = 'a'", &[0][..]),
        ("id <> 'a'", &[1, 2]),
        ("NOT (id = 'a')", &[1, 2]),
        ("id IN ('a', 'c')", &[0, 2]),
        ("id NOT IN ('a', 'c')", &[1]),
        ("id > 'a'", &[1, 2]),
        ("id BETWEEN 'a' AND 'b'", &[0, 1]),
        ("id NOT BETWEEN 'a' AND 'b'", &[2]),
        ("id IS NULL", &[3]),
        ("id IS NOT NULL", &[0, 1, 2]),
        ("email LIKE '%@example.com'", &[0, 3]),
        ("email NOT LIKE '%@example.com'", &[1]),
        ("email LIKE '@example.com'", &[]),
        ("email LIKE 'ann@example_com'", &[0]),
        ("name LIKE 'bob__'", &[1]),
        ("name LIKE 'BOB%'", &[]),
        ("name ILIKE 'BOB%'", &[1]),
        ("name LIKE 'bob!_%' ESCAPE '!'", &[1]),
        ("name LIKE '100\\%' ESCAPE '\\'", &[2]),
        ("name LIKE '%<x>'", &[0]),
        ("LOWER(name) = 'ann <x>'", &[0]),
        ("UPPER(TRIM(name)) = 'BOB_1'", &[1]),
        ("COALESCE(email, 'none') = 'none'", &[2]),
        ("COALESCE(name, email) LIKE '%guest%'", &[3]),
        ("livemode", &[0]),
        ("NOT livemode", &[1]),
        ("livemode = false", &[1]),
        ("livemode IS NOT TRUE", &[1, 2, 3]),
        ("(livemode = false) IS FALSE", &[0]),
        ("livemode IS NULL", &[2, 3]),
        ("CAST(created AS DATE) = '2026-03-01'", &[2]),
        ("CAST(created AS TIMESTAMP) = '2026-03-01'", &[]),
        ("created < DATE '2026-02-01'", &[0]),
        ("created >= '2026-02-01'", &[1, 2]),
        ("created = TIMESTAMP '2026-03-01 12:00:00'", &[2]),
        ("created BETWEEN '2026-01-01' AND '2026-02-01'", &[0, 1]),
        ("email IS DISTINCT FROM 'ann@example.com'", &[1, 2, 3]),
        ("email IS NOT DISTINCT FROM 'ann@example.com'", &[0]),
        // Unknown or true is true; unknown or false is unknown, and not taken; not unknown is unknown.
        ("(email = 'z' OR name = '100%')", &[2]),
        ("NOT (email = 'z' OR id = 'z')", &[0, 1]),
        ("NOT (email = 'z' AND id = 'z')", &[0, 1, 2, 3]),
        ("NOT (email = 'z' AND id = 'c')", &[0, 1, 3]),
    ] {
        let mut qualified = String::new();
        let mut inside = false;
        for word in condition.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if !inside && ["id", "email", "name", "livemode", "created"].contains(&name) {
                qualified.push_str("stripe_customers.");
            }
            inside ^= word.ends_with('\'');
            qualified.push_str(word);
        }
        assert_eq!(taken(&qualified).0, expected, "{qualified}");
    }
}

#[test]
fn a_condition_on_items_is_true_if_it_is_for_any_and_its_opposite_if_it_is_for_none() {
    for (condition, expected) in [
        ("stripe_subscriptions.product = 'core'", &[1][..]),
        ("stripe_subscriptions.product = 'extra'", &[1]),
        // s1 as it stands; s2 and s3, of which no product is known, are nobody's.
        ("stripe_subscriptions.product <> 'core'", &[0, 2]),
        ("stripe_subscriptions.product NOT IN ('core', 'academy')", &[]),
        ("stripe_subscriptions.product IS NULL", &[3, 4]),
        ("stripe_subscriptions.product IS NOT NULL", &[0, 1, 2]),
        ("stripe_subscriptions.product = 'core' AND stripe_subscriptions.interval = 'year'", &[1]),
        ("stripe_subscriptions.product = 'core' OR stripe_subscriptions.status = 'canceled'", &[0, 1, 2]),
        ("COALESCE(stripe_subscriptions.product, 'core') = 'core'", &[1, 3, 4]),
        ("stripe_subscriptions.status = 'trialing'", &[]),
        ("stripe_subscriptions.status = 'active'", &[1, 3, 4]),
    ] {
        assert_eq!(taken(condition).1, expected, "{condition}");
    }
}

#[test]
fn customers_go_with_their_subscriptions_and_subscriptions_with_their_customer() {
    for (filter, accounts, subscriptions) in [
        ("stripe_subscriptions.product = 'core'", &[0][..], &[1][..]),
        ("stripe_subscriptions.status IN ('active', 'canceled')", &[0, 1], &[0, 1, 2, 3, 4]),
        ("stripe_customers.id = 'b'", &[1], &[0, 2]),
        ("stripe_customers.id IS NOT NULL", &[0, 1, 2], &[0, 1, 2, 3]),
        ("stripe_customers.id = 'a' AND stripe_subscriptions.product = 'academy'", &[], &[]),
        ("stripe_customers.id = 'a' AND stripe_subscriptions.product = 'core'", &[0], &[1]),
    ] {
        let found = taken(filter);
        assert_eq!((found.0.as_slice(), found.1.as_slice()), (accounts, subscriptions), "{filter}");
    }
}

#[test]
fn a_customer_of_whom_a_subscription_could_not_be_read_is_everybody_s() {
    let rejection = |customer: Option<&str>| Rejection {
        source: "stripe_subscriptions".into(),
        file: "s.csv".into(),
        line: 2,
        id: None,
        customer: customer.map(str::to_owned),
        reason: Reason::BadNumber,
        detail: String::new(),
    };
    let rejections = [rejection(Some("c")), rejection(Some("c")), rejection(Some("gone")), rejection(None)];
    for (filter, accounts, subscriptions) in [
        ("stripe_subscriptions.product = 'core'", &[0, 2][..], &[1][..]),
        ("stripe_subscriptions.product = 'typo'", &[2], &[]),
        ("stripe_subscriptions.product = 'core' AND stripe_customers.id <> 'c'", &[0], &[1]),
    ] {
        let shares = shares(&settings(filter), &tables(), &contacts(), &rejections).unwrap();
        let taken = shares[0].taken.as_ref().unwrap();
        assert_eq!(listed(&taken.accounts), accounts, "{filter}");
        assert_eq!(listed(&taken.subscriptions), subscriptions, "{filter}");
    }
}

#[test]
fn a_literal_is_compared_in_the_form_that_the_sources_texts_have() {
    // e and a combining acute, as some editors save it; the sources hold it as one character.
    let composed = settings("hubspot.company_name = 'Caf\u{e9}'").products[0].filter.clone().unwrap().terms;
    let decomposed = settings("hubspot.company_name = 'Cafe\u{301}'").products[0].filter.clone().unwrap().terms;
    assert_eq!(composed, decomposed);
}

#[test]
fn a_crm_s_own_column_is_read_as_text_and_the_other_crm_is_everybody_s() {
    for (condition, expected) in [
        ("hubspot.\"Unit\" = 'Core'", &[0, 4][..]),
        ("hubspot.\"Unit\" <> 'Core'", &[1, 2, 4]),
        ("hubspot.\"Unit\" IS NULL", &[3, 4]),
        ("CAST(hubspot.\"Unit\" AS DECIMAL) = 12.5", &[1, 4]),
        ("CAST(hubspot.\"Unit\" AS DECIMAL) > 12.4999999999", &[1, 4]),
        ("CAST(hubspot.\"Unit\" AS INTEGER) < -1", &[4]),
        ("CAST(hubspot.\"Unit\" AS DATE) >= '2026-05-01'", &[2, 4]),
        ("hubspot.email LIKE 'ann%'", &[0, 4]),
        ("pipedrive.\"Unit\" = 'x'", &[0, 1, 2, 3]),
        ("stripe_customers.id = 'a'", &[0, 1, 2, 3, 4]),
    ] {
        assert_eq!(taken(condition).2, expected, "{condition}");
    }
}

#[test]
fn products_with_one_filter_share_what_it_takes() {
    let mut settings = settings("stripe_customers.id = 'a'");
    for filter in [None, settings.products[0].filter.clone(), None] {
        settings.products.push(crate::config::ProductSettings { filter, ..settings.products[0].clone() });
    }
    let shares = shares(&settings, &tables(), &contacts(), &[]).unwrap();
    let products: Vec<_> = shares.iter().map(|share| share.products.as_slice()).collect();
    assert_eq!(products, [&[0, 2][..], &[1, 3]]);
    assert!(shares[0].taken.is_some() && shares[1].taken.is_none());
}
