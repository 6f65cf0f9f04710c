//! One account in every shape that an export of Stripe comes in: a total that ties to the last minor unit, and the same
//! answer for every customer. `fixtures/one_account/README.md` says who the customers are and how their answers come
//! about.

use crate::files::Report;
use crate::site::{AS_OF, Site, repository};
use serde_json::Value;
use std::path::PathBuf;

/// What a customer's row must say, in whichever shape it came.
struct Answer {
    customer: &'static str,
    /// `mrr_desired`; of a customer that cannot be priced the reason.
    mrr: Result<&'static str, &'static str>,
    status: &'static str,
    auto_renew: &'static str,
    period_end: &'static str,
}

const fn answer(
    customer: &'static str,
    mrr: Result<&'static str, &'static str>,
    status: &'static str,
    auto_renew: &'static str,
    period_end: &'static str,
) -> Answer {
    Answer { customer, mrr, status, auto_renew, period_end }
}

const SOON: &str = "2026-11-11T00:00:00Z";
const LATER: &str = "2026-11-21T00:00:00Z";

/// `everything`: what tables and the API can say.
const EVERYTHING: &[Answer] = &[
    answer("cus_seats", Ok("120.00"), "active", "true", SOON),
    answer("cus_yearly", Ok("8.33"), "active", "true", LATER),
    answer("cus_mixed", Ok("73.75"), "active", "true", SOON),
    answer("cus_quarterly", Ok("216.84"), "active", "true", SOON),
    answer("cus_yen", Ok("1.73"), "active", "true", SOON),
    answer("cus_tiers", Ok("120.00"), "active", "true", SOON),
    answer("cus_packs", Ok("29.00"), "active", "true", SOON),
    answer("cus_coupons", Ok("80.00"), "active", "true", SOON),
    answer("cus_loyal", Ok("29.00"), "active", "true", SOON),
    answer("cus_states", Ok("99.00"), "active", "true", SOON),
    answer("cus_leaving", Ok("40.00"), "active", "false", SOON),
    answer("cus_pound", Err("currency_without_rate"), "active", "true", SOON),
    answer("cus_free", Ok("0.00"), "", "false", ""),
];
/// Exact minor units of all priced customers; the fraction of a cent is that of 8.33…, 1.72641, 29.005 and 29.001.
const EVERYTHING_TOTAL: (&str, &str) = ("245296723", "3000");

/// `plain`: what a dashboard file can say.
const PLAIN: &[Answer] = &[
    answer("cus_seats", Ok("120.00"), "active", "true", SOON),
    answer("cus_yearly", Ok("25.00"), "active", "true", LATER),
    answer("cus_weekly", Ok("43.33"), "active", "true", SOON),
    answer("cus_yen", Ok("1.00"), "active", "true", SOON),
    answer("cus_late", Ok("99.00"), "past_due", "true", SOON),
    answer("cus_free", Ok("0.00"), "", "false", ""),
];
const PLAIN_TOTAL: (&str, &str) = ("86498623", "3000");

#[test]
fn a_stripe_total_ties_to_the_last_minor_unit_whichever_shape_the_same_data_came_in() {
    assert_shapes("everything", EVERYTHING, EVERYTHING_TOTAL, 3);
}

#[test]
fn a_dashboard_file_says_what_the_api_and_the_tables_say_of_the_same_plain_account() {
    assert_shapes("plain", PLAIN, PLAIN_TOTAL, 0);
}

/// Plans every shape of `account`; all that differs is told at once.
fn assert_shapes(account: &str, answers: &[Answer], total: (&str, &str), code: i32) {
    let folder = repository().join("tests/it/fixtures/one_account").join(account);
    let mut shapes: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    shapes.sort();
    assert!(shapes.len() >= 8, "{} has lost shapes", folder.display());
    let mut differences = vec![];
    for exports in shapes {
        let shape = exports.file_name().unwrap().to_string_lossy().into_owned();
        let site = Site::over(&exports);
        site.write("recon.toml", CONFIGURATION);
        let ran = site.ran(&format!("plan --as-of {AS_OF}"));
        if ran.code == code {
            let found = differing(&site.report(), answers, total);
            differences.extend(found.into_iter().map(|difference| format!("{account}/{shape}: {difference}")));
        } else {
            differences.push(format!("{account}/{shape}: exit {}\n{}{}", ran.code, ran.stdout, ran.stderr));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Where a report departs from the answers.
fn differing(report: &Report, answers: &[Answer], (num, den): (&str, &str)) -> Vec<String> {
    let mut differences = vec![];
    let mut differ = |what: String, want: &str, got: &str| {
        if want != got {
            differences.push(format!("{what} is {got:?} instead of {want:?}"));
        }
    };
    differ("customers.csv's length".into(), &answers.len().to_string(), &report.customers.len().to_string());
    for Answer { customer, mrr, status, auto_renew, period_end } in answers {
        let Some(row) = report.customers.iter().find(|row| row["stripe_customer_ids"] == *customer) else {
            differ((*customer).into(), "there", "missing");
            continue;
        };
        match mrr {
            Ok(mrr) => differ(format!("{customer}'s mrr_desired ({})", row["reason"]), mrr, &row["mrr_desired"]),
            Err(reason) => differ(format!("{customer}'s reason"), reason, &row["reason"]),
        }
        for (column, want) in [("subscription_status", status), ("auto_renew", auto_renew), ("period_end", period_end)]
        {
            differ(format!("{customer}'s {column}"), want, &row[column]);
        }
        differ(format!("{customer}'s external_id"), external_id(customer), &row["external_id"]);
    }

    let summary = &report.summary;
    differ("ties".into(), "true", &summary["ties"].to_string());
    let subscriptions = source(summary, "stripe_subscriptions");
    for (disposition, exact) in subscriptions["mrr_exact"].as_object().unwrap() {
        let want = if disposition == "contributed" { format!("{num}/{den}") } else { "0/1".into() };
        let got = format!("{}/{}", exact["num"].as_str().unwrap(), exact["den"].as_str().unwrap());
        differ(format!("the exact MRR {disposition}"), &want, &got);
    }
    let stripe = &summary["products"][0]["stripe_gap"]["stripe_mrr"];
    differ("Stripe's MRR".into(), &decimal(num, den), stripe.as_str().unwrap());
    for row in summary["sources"].as_array().unwrap() {
        let counted: u64 = row["dispositions"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum();
        differ(format!("rows of {}", row["name"]), &row["rows_read"].to_string(), &counted.to_string());
    }
    let warned = |kind: &str| summary["breaks"].as_array().unwrap().iter().any(|row| row["kind"] == kind);
    differ("a warning of a truncated export".into(), "false", &warned("truncated_export").to_string());
    differences
}

/// A fraction as the report writes it: twelve digits after the point.
fn decimal(num: &str, den: &str) -> String {
    let (num, den): (u128, u128) = (num.parse().unwrap(), den.parse().unwrap());
    let scaled = (num * 1_000_000_000_000 * 2 + den) / (den * 2);
    format!("{}.{:012}", scaled / 1_000_000_000_000, scaled % 1_000_000_000_000)
}

fn source<'a>(summary: &'a Value, name: &str) -> &'a Value {
    summary["sources"].as_array().unwrap().iter().find(|source| source["name"] == name).unwrap()
}

/// The metadata key `user_id` of the customers that have one.
fn external_id(customer: &str) -> &'static str {
    match customer {
        "cus_seats" => "u-1",
        "cus_yearly" => "u-2",
        "cus_leaving" => "u-11",
        _ => "",
    }
}

/// The coupons stand here for dashboard files, which only name them; where an export defines them, it says the same.
const CONFIGURATION: &str = r#"
[run]
state = "state"
currency = "usd"

[stripe]
files = "in/**/*"
external_id_metadata = "user_id"

[fields]
external_id = ["metadata"]

[mrr.coupons]
OLD20 = { percent_off = "20", duration = "forever" }
WELCOME = { percent_off = "50", duration = "once" }

[fx]
eur = { rate = "1.0842", date = "2026-10-31" }
isk = { rate = "0.00731", date = "2026-10-31" }
jpy = { rate = "0.0067", date = "2026-10-31" }
kwd = { rate = "3.2541", date = "2026-10-31" }

[tether]
url = "sandbox"

[[product]]
name = "core"
key = { env = "TETHER_CORE_KEY" }
"#;
