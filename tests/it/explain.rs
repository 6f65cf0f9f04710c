//! `explain`: the plan's figures taken apart, without touching anything.

use crate::site::{AS_OF, Site, contents};
use serde_json::Value;

fn json(site: &Site, key: &str) -> Value {
    let ran = site.expect(&format!("-q explain {key} --as-of {AS_OF} --json"), 0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Minor units as the report writes them.
fn decimal(mrr: &Value) -> String {
    let Some(minor) = mrr["num"].as_str() else { return String::new() };
    assert_eq!(mrr["den"], "1", "what is sent is rounded");
    format!(
        "{}.{:0>2}",
        &format!("{minor:0>3}")[..minor.len().max(3) - 2],
        &format!("{minor:0>3}")[minor.len().max(3) - 2..]
    )
}

#[test]
fn what_is_explained_is_what_the_plan_would_send_and_nothing_is_touched() {
    let site = Site::demo();
    site.expect(&format!("plan --as-of {AS_OF}"), 3);
    let report = site.report();
    let before = contents(&site.path(""));
    // Somebody else may hold the lock, and nobody needs a key.
    for customer in [
        "NW-11477", // three accounts, one subscription canceled, another past due
        "NW-11401", // a week
        "NW-11383", // a coupon that the configuration defines
        "NW-11338", // two subscriptions in pounds
        "NW-11624", // a coupon that nobody defines
        "NW-10528", // a trial
        "NW-11641", // a subscription that could not be read
        "NW-11577", // claims an account that another contact claims too
    ] {
        let row = report.customer("core", customer);
        let explained = json(&site, customer);
        let [found] = explained["customers"].as_array().unwrap().as_slice() else { panic!("{customer}") };
        assert_eq!(decimal(&found["mrr"]), row["mrr_desired"], "{customer}");
        let ids: Vec<&str> =
            found["accounts"].as_array().unwrap().iter().filter_map(|account| account["id"].as_str()).collect();
        let mut ids = ids;
        ids.sort_unstable();
        assert_eq!(ids.join(";"), row["stripe_customer_ids"], "{customer}");
        let blocked = [&found["problem"]["reason"], &found["conflict"]["reason"]].into_iter().find_map(Value::as_str);
        if matches!(row["outcome"].as_str(), "invalid" | "conflict") {
            assert_eq!(blocked, Some(row["reason"].as_str()), "{customer}");
        } else {
            assert_eq!(blocked, None, "{customer}");
        }
    }
    assert!(contents(&site.path("")) == before, "explain wrote something");
}

#[test]
fn a_page_for_people_shows_the_working_line_by_line() {
    let site = Site::demo();
    let page = site.expect(&format!("-q explain cus_Gz4zbe97F1OcY4 --as-of {AS_OF}"), 0).stdout;
    for line in [
        "Customer NW-10635",
        "sample_data/stripe_customers.csv:275",
        "Subscription sub_1zkZJknFtx306H8X1wBn1EPJ · active · sample_data/stripe_subscriptions.csv:294",
        "Counted: it is active.",
        "Unit amount a year",
        "× quantity 22",
        "210.833… = 1265/6 eur",
        "× 1.0842 usd per eur (rate of 2026-10-31)",
        "228.5855 usd",
        "228.59 usd",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
}

#[test]
fn the_page_stands_alone_unless_more_is_asked_for() {
    let site = Site::demo();
    let ask = format!("explain cus_Gz4zbe97F1OcY4 --as-of {AS_OF}");
    assert!(!site.expect(&ask, 0).stderr.contains(" INFO "));
    assert!(site.expect(&format!("-v {ask}"), 0).stderr.contains(" INFO "));
}

#[test]
fn nobody_of_that_name_is_a_usage_error_with_the_nearest() {
    let site = Site::demo();
    let ran = site.expect(&format!("-q explain cus_Gz4zbe97F1OcX4 --as-of {AS_OF}"), 2);
    assert_eq!(ran.stdout, "");
    let first = ran.stderr.lines().next().unwrap();
    assert!(first.contains("`cus_Gz4zbe97F1OcX4`") && first.contains("`cus_Gz4zbe97F1OcY4`"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("searched the ids, e-mails and external ids of 275 Stripe customers"),
        "{}",
        ran.stderr
    );
}
