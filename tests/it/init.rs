//! From nothing to a trusted night: `config init`, `config check` and `plan` over exports of every shape, and the page that
//! promises it in ten minutes.

use crate::site::{Site, repository};
use std::path::{Path, PathBuf};

/// A configuration is made of `exports`, checked, and planned with; `plan` may find rows that need a person.
fn from_nothing_to_a_plan(exports: &Path) -> (Site, String) {
    let site = Site::over(exports);
    let shown = exports.display();
    let initiated = site.ran("config init in");
    assert_eq!(initiated.code, 0, "{shown}\n{}{}", initiated.stdout, initiated.stderr);
    assert!(!initiated.stdout.contains("would refuse"), "{shown}\n{}", initiated.stdout);
    assert!(initiated.stdout.contains("--config recon.toml plan"), "{shown}\n{}", initiated.stdout);
    let checked = site.ran("config check");
    assert_eq!(checked.code, 0, "{shown}\n{}{}", checked.stdout, checked.stderr);
    let planned = site.ran("-q plan --as-of 2026-11-01");
    assert!([0, 3].contains(&planned.code), "{shown}\n{}{}", planned.stdout, planned.stderr);
    (site, initiated.stdout)
}

#[test]
fn every_shape_of_one_account_is_recognised_and_planned_with_at_once() {
    for account in ["everything", "plain"] {
        let folder = repository().join("tests/it/fixtures/one_account").join(account);
        let mut shapes: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        shapes.sort();
        for shape in shapes {
            let (site, _) = from_nothing_to_a_plan(&shape);
            // Coupons and rates that no file gives are left to a person, this customer needs neither.
            let report = site.report();
            let yearly = report.customers.iter().find(|row| row["stripe_customer_ids"] == "cus_yearly").unwrap();
            let expected = if account == "plain" { "25.00" } else { "8.33" };
            assert_eq!(yearly["mrr_desired"], expected, "{}", shape.display());
        }
    }
}

#[test]
fn the_sample_data_becomes_two_products_with_their_own_ids() {
    let (site, printed) = from_nothing_to_a_plan(&repository().join("sample_data"));
    let toml = site.read("recon.toml");
    for line in [
        "columns = { external_id = \"Customer ID\" }",
        "external_id_metadata = \"user_id\"",
        "overrides = \"in/overrides.csv\"",
        "name = \"academy\"\nkey = { env = \"TETHER_ACADEMY_KEY\" }",
        "# eur = { rate",
        "# \"SPRING20\" = { percent_off",
    ] {
        assert!(toml.contains(line), "{line}\n{toml}");
    }
    assert!(printed.contains("README.md: it is no table"), "{printed}");
    // A second look finds the same, and replaces nothing by itself.
    let again = site.expect("config init in --output -", 0);
    assert_eq!(again.stdout, toml);
    assert!(site.expect("config init in", 2).stderr.contains("--force"));
    site.expect("config init in --force", 0);
}

#[test]
fn the_first_night_of_the_page_is_ten_minutes_of_commands_that_work() {
    let page = std::fs::read_to_string(repository().join("docs/OPERATIONS.md")).unwrap();
    let section =
        page.split("\n## ").find(|section| section.starts_with("First night in ten minutes")).expect("the section");
    let commands: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("    tether-recon ")).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    let site = Site::over(&repository().join("sample_data"));
    std::fs::rename(site.path("in"), site.path("exports")).unwrap();
    for command in commands {
        let words: Vec<&str> = command.split("  ").next().unwrap().split_whitespace().collect();
        let expected = match words.as_slice() {
            // Rows of the sample data need a person.
            ["plan" | "run", ..] => 3,
            _ => 0,
        };
        site.expect(&words.join(" "), expected);
        if words.contains(&"init") {
            // As the page says: nothing leaves this machine.
            let toml = site.read("recon.toml").replace("url = \"https://usetether.io\"", "url = \"sandbox\"");
            site.write("recon.toml", toml.replace("\"10/s\"", "\"1000/s\""));
        }
    }
    assert!(site.runs().len() >= 3);
}

#[test]
#[ignore = "needs the shared exports beside the repository"]
fn real_exports_are_recognised_and_what_has_no_customers_is_refused() {
    let shared = repository().join("../shared/exports");
    for name in ["fivetran_dbt_stripe", "supabase_stripe-sync-engine", "stripe-openapi"] {
        from_nothing_to_a_plan(&shared.join(name));
    }
    for (name, found) in [
        ("fivetran_dbt_hubspot", "HubSpot contacts of Fivetran (CSV)"),
        ("forcedotcom_dataloader", "Salesforce accounts (CSV)"),
    ] {
        let refused = Site::over(&shared.join(name)).expect("config init in", 8);
        assert!(refused.stdout.contains(found), "{}", refused.stdout);
        assert!(!refused.stdout.contains("existing Tether customers"), "{}", refused.stdout);
    }
}
