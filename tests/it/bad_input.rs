//! Bad input: what is wrong with a row is told with its file and line and the rest goes on; what is wrong with a file stops
//! the run before anything is sent.

use crate::site::Site;
use std::collections::BTreeMap;

#[test]
fn invariant_03_a_bad_row_is_rejected_with_its_line_and_the_rest_is_processed() {
    let site = Site::new(6);
    // Six customers stand on lines 2 to 7.
    site.append(
        "in/customers.csv",
        b"cus_short,short@example.com\n\
          cus_long,long@example.com,Long,2025-01-01 00:00,and,more\n\
          cus_nul,nul\0@example.com,Nul,2025-01-01 00:00\n\
          cus_date,date@example.com,Date,the other day\n\
          cus_fine,fine@example.com,\"Fine,\nin two lines\",2025-01-01 00:00\n\
          cus_after,after@example.com,After,2025-01-01 00:00\n\
          cus_open,open@example.com,\"never closed,2025-01-01 00:00\n",
    );
    site.append("in/core.jsonl", "{\"tether_id\":\"t-cut\",\"email\":\n");
    let ran = site.expect("run", 3);
    let report = site.report();
    let rejected: BTreeMap<(&str, &str), &str> = report
        .accounting
        .iter()
        .filter(|row| row["disposition"] == "rejected")
        .map(|row| ((row["file"].as_str(), row["line"].as_str()), row["reason"].as_str()))
        .collect();
    assert_eq!(
        rejected,
        BTreeMap::from([
            (("in/customers.csv", "8"), "short_row"),
            (("in/customers.csv", "9"), "long_row"),
            (("in/customers.csv", "10"), "nul_byte"),
            (("in/customers.csv", "15"), "unclosed_quote"),
            (("in/core.jsonl", "5"), "bad_json"),
        ]),
        "{}",
        ran.stdout
    );
    let breaks = report.summary["breaks"].as_array().unwrap();
    for (file, line) in rejected.keys() {
        let shown = breaks.iter().any(|found| {
            found["kind"] == "rejected_row" && found["file"] == *file && found["line"].as_u64() == line.parse().ok()
        });
        assert!(shown, "{file}:{line} is no break that a reviewer sees");
    }
    let stands = breaks.iter().find(|found| found["kind"] == "unreadable_value").expect("a break for the bad date");
    assert_eq!(
        (&stands["file"], &stands["line"]),
        (&"in/customers.csv".into(), &11.into()),
        "it stands, without the date"
    );
    for name in ["E-0", "fine@example.com", "after@example.com"] {
        let outcome = &report.customer("core", name)["outcome"];
        assert!(["created", "unchanged"].contains(&outcome.as_str()), "{name} ended as {outcome}");
    }
}

#[test]
fn code_8_for_a_file_that_cannot_be_believed_before_anything_is_sent() {
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("in/customers.csv", b"", &["in/customers.csv", "empty"]),
        ("in/contacts.csv", b"\n\n", &["in/contacts.csv", "empty"]),
        ("in/customers.csv", b"id,Email,email\ncus_1,a@example.com,b@example.com\n", &["line 1", "columns 2 and 3"]),
        (
            "in/subscriptions.csv",
            b"id,Customer ID,Plan,Interval,Status\nsub_1,cus_1,p,month,active\n",
            &["in/subscriptions.csv", "`amount`"],
        ),
        ("in/subscriptions.csv", b"PK\x03\x04\x14\0\0\0", &["in/subscriptions.csv"]),
        ("in/core.jsonl", b"nothing,of,use\n1,2,3\n", &["in/core.jsonl"]),
        ("in/contacts.csv", b"First Name,Last Name\nA,B\n", &["in/contacts.csv"]),
        ("in/subscriptions.csv", b"[{\"object\":\"invoice\"}]", &["in/subscriptions.csv", "1 × invoice"]),
        ("in/subscriptions.csv", b"{\"error\":{\"message\":\"Invalid API Key\"}}", &["holds no Stripe customers"]),
    ];
    for (file, content, said) in cases {
        let site = Site::new(3);
        site.write(file, content);
        for command in ["plan", "run"] {
            let ran = site.expect(command, 8);
            for part in *said {
                let found = ran.stderr.to_lowercase().contains(&part.to_lowercase());
                assert!(found, "{file} with {content:?} is answered without `{part}`:\n{}", ran.stderr);
            }
            assert!(site.runs().is_empty(), "{command} left a run behind for {file}");
        }
    }
}

#[test]
fn one_file_in_two_pieces_is_the_same_as_one() {
    let site = Site::new(9);
    let whole = site.read("in/customers.csv");
    let (heading, rows) = whole.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    site.write("in/customers_1.csv", format!("{heading}\n{}\n", rows[..4].join("\n")));
    site.write("in/customers_2.csv", format!("{heading}\r\n{}\r\n", rows[3..].join("\r\n")));
    site.expect("plan", 0);
    let one = site.report().outcome_of();
    let pieces = site.read("recon.toml").replace("in/customers.csv", "in/customers_*.csv");
    site.write("recon.toml", pieces);
    site.expect("plan", 0);
    let report = site.report();
    assert_eq!(report.outcome_of(), one);
    let merged: Vec<_> = report.accounting.iter().filter(|row| row["disposition"] == "merged_duplicate").collect();
    assert_eq!(merged.len(), 1, "the row on both pages");
}
