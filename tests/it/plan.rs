//! `plan`: offline, harmless, and the same every time.

use crate::files::{Report, Row};
use crate::site::{AS_OF, Site, contents};
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn plan_needs_no_key_and_no_network_and_touches_only_its_own_run_folder() {
    let mut site = Site::new(9);
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    site.append("in/customers.csv", "cus_new,new@example.com,Newly There,2026-10-30 00:00\n");
    let before = contents(&site.path(""));
    // Nobody listens there, and there is no key.
    site.configure("http://127.0.0.1:9", "");
    site.set_key(None);
    let configured = site.read("recon.toml");
    site.expect(&format!("plan --as-of {AS_OF}"), 0);

    let own = site.runs().pop().unwrap().strip_prefix(site.path("")).unwrap().to_owned();
    let after: Vec<_> = contents(&site.path("")).into_iter().filter(|(path, _)| !path.starts_with(&own)).collect();
    let names =
        |files: &[(std::path::PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    for ((path, before), (_, after)) in before.iter().zip(&after) {
        assert!(
            before == after || path == Path::new("recon.toml") && after == configured.as_bytes(),
            "{path:?} changed"
        );
    }
    let report = site.report();
    assert_eq!(report.customer("core", "new@example.com")["reason"], "plan_only");
    assert_eq!(report.summary["mode"], "plan");
    assert!(!report.folder.join("journal.jsonl").exists());
}

#[test]
fn invariant_05_the_same_inputs_make_a_byte_identical_plan() {
    let plan = || {
        let site = Site::demo();
        site.expect(&format!("plan --as-of {AS_OF}"), 3);
        let plan = std::fs::read(site.runs()[0].join("plan.parquet")).unwrap();
        (plan, site.report().manifest()["plan_hash"].clone())
    };
    let (first, second) = (plan(), plan());
    assert_eq!(first.1, second.1);
    assert!(first.0 == second.0, "two plans of the same inputs differ");
}

#[test]
fn invariant_05_the_order_of_input_rows_changes_no_outcome() {
    let site = Site::demo();
    site.expect(&format!("plan --as-of {AS_OF}"), 3);
    for name in ["stripe_customers.csv", "stripe_subscriptions.csv", "hubspot_contacts.csv", "tether_academy.csv"] {
        permute_csv(&site.path("sample_data").join(name));
    }
    let mut lines: Vec<String> = site.read("sample_data/tether_core.jsonl").lines().map(str::to_owned).collect();
    lines.sort_by_key(|line| scrambled(line));
    site.write("sample_data/tether_core.jsonl", lines.join("\n") + "\n");
    site.expect(&format!("plan --as-of {AS_OF}"), 3);

    let [one, other] = &site.runs()[..] else { panic!("two runs") };
    let (one, other) = (Report::read(one), Report::read(other));
    let (one_by_key, other_by_key) = (by_key(&one), by_key(&other));
    assert_eq!(one_by_key.len(), other_by_key.len());
    for (key, row) in &one_by_key {
        assert_eq!(row, &other_by_key[key], "{key:?}");
    }
    let dispositions = |report: &Report| {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in &report.accounting {
            *counts.entry((row["source"].clone(), row["disposition"].clone())).or_default() += 1;
        }
        counts
    };
    assert_eq!(dispositions(&one), dispositions(&other));
}

#[test]
fn invariant_10_blank_keys_never_match_and_an_absurd_amount_is_no_null() {
    let site = Site::new(3);
    // Neither the accounts nor the contacts have an address or an id in common: blank is not equal to blank.
    site.append("in/customers.csv", "cus_blank1,,First,2025-01-01 00:00\ncus_blank2,,Second,2025-01-01 00:00\n");
    site.append("in/contacts.csv", "901,No,Address,,,\n902,Nor,This,,,\n");
    site.append(
        "in/subscriptions.csv",
        "sub_huge,cus_1,1,usd,month,99999999999999999999.00,active,false,2025-01-01 00:00,2026-11-20 00:00\n",
    );
    site.append("in/core.jsonl", "{\"tether_id\":\"t-blank\",\"name\":\"Nobody\"}\n");
    site.expect("plan", 3);
    let report = site.report();
    let of = |name: &str| report.customers.iter().find(|row| row["name"] == name).unwrap();
    for name in ["First", "Second"] {
        assert_eq!((of(name)["outcome"].as_str(), of(name)["link_rule"].as_str()), ("invalid", "none"), "{name}");
        assert_eq!(of(name)["match_rule"], "none", "{name} must not match the customer without keys");
    }
    assert_eq!(of("Nobody")["outcome"], "orphan");
    let contacts: Vec<_> = report.accounting.iter().filter(|row| row["source"] == "hubspot").collect();
    assert_eq!(contacts.iter().filter(|row| row["reason"] == "no_billing_account").count(), 2);
    let huge = report.accounting.iter().find(|row| row["id"] == "sub_huge").unwrap();
    assert_eq!(huge["disposition"], "rejected");
    assert_eq!(report.customer("core", "E-1")["outcome"], "invalid", "an MRR without that subscription would be a lie");
}

fn by_key(report: &Report) -> BTreeMap<(String, String), Row> {
    let rows = report.customers.iter().map(|row| {
        let mut row = row.clone();
        row.insert("detail".to_owned(), without_lines(&row["detail"]));
        ((row["product"].clone(), row["key"].clone()), row)
    });
    rows.collect()
}

/// `detail` without the lines of input files that it names: these do change with the order.
fn without_lines(detail: &str) -> String {
    let mut parts = detail.split("csv:").flat_map(|part| part.split("jsonl:"));
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Something that has nothing to do with the order of a file.
fn scrambled(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Puts the rows into another order, but for rows of one id: which of those was read last is a difference by contract.
fn permute_csv(path: &Path) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let heading = reader.byte_headers().unwrap().clone();
    let mut rows: Vec<csv::ByteRecord> = reader.into_byte_records().map(|row| row.unwrap()).collect();
    let before = rows.clone();
    rows.sort_by_key(|row| scrambled(&String::from_utf8_lossy(&row[0])));
    assert_ne!(rows, before);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_path(path).unwrap();
    writer.write_byte_record(&heading).unwrap();
    for row in &rows {
        writer.write_byte_record(row).unwrap();
    }
    writer.flush().unwrap();
}
