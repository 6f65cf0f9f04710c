//! Several products in one run: each with its rows, its gate and its totals, and one report over all.

use crate::server::Server;
use crate::site::{AS_OF, Site};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// The products' sections, with the filter of the second.
fn configure(site: &Site, academy: &str) {
    site.configure("sandbox", "");
    let above = site.read("recon.toml");
    let (above, _) = above.split_once("[[product]]").unwrap();
    let products = format!(
        r#"
[[product]]
name = "core"
key = {{ env = "TETHER_CORE_KEY" }}
existing = "in/core.jsonl"
creation = "on"
filter = "stripe_subscriptions.product = 'Core'"
[[product]]
name = "academy"
key = {{ env = "TETHER_ACADEMY_KEY" }}
existing = "in/academy.jsonl"
creation = "off"
filter = '''
  stripe_subscriptions.product IN ({academy}) AND hubspot."Business Unit" IS DISTINCT FROM 'Nobody'
'''
"#
    );
    site.write("recon.toml", format!("{above}{products}"));
}

/// Three customers: the first pays for both products, the second for the first alone, the third for none that is configured.
fn site() -> Site {
    let mut site = Site::new(0);
    site.set_key(None);
    site.write(
        "in/customers.csv",
        "id,Email,Name,Created (UTC)\ncus_a,a@example.com,Ann,2025-01-01 00:00\ncus_b,b@example.com,Ben,2025-01-01 00:00\n\
         cus_n,n@example.com,Nan,2025-01-01 00:00\n",
    );
    site.write(
        "in/subscriptions.csv",
        "id,Customer ID,Product ID,Quantity,Currency,Interval,Amount,Status,Created (UTC),Current Period End (UTC)\n\
         sub_a,cus_a,Core,1,usd,month,10.00,active,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_a2,cus_a,Academy,1,usd,year,100.00,active,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_b,cus_b,Core,1,usd,month,20.00,active,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_n,cus_n,Legacy,1,usd,month,40.00,active,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_x,cus_gone,Core,1,usd,month,80.00,active,2025-01-01 00:00,2026-11-20 00:00\n",
    );
    site.write(
        "in/contacts.csv",
        "Record ID,First Name,Last Name,Email,Customer ID,Stripe Customer ID,Business Unit\n\
         1,Ann,A,a@example.com,E-1,cus_a,\n2,Ben,B,b@example.com,E-2,cus_b,Nobody\n",
    );
    let held = |id: &str, mrr: u32| {
        format!(r#"{{"tether_id":"t-{id}","external_id":"E-{id}","email":"x{id}@example.com","mrr":{mrr}}}"#) + "\n"
    };
    site.write("in/core.jsonl", held("1", 5) + &held("9", 7));
    site.write("in/academy.jsonl", held("8", 3));
    configure(&site, "'Academy'");
    site
}

fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn two_products_share_the_exports_and_every_row_and_cent_is_somebody_s_or_said_to_be_nobody_s() {
    let site = site();
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let report = site.report();
    let outcome = |product: &str, customer: &str| {
        let row = report.customer(product, customer);
        format!("{} {}", row["outcome"], row["mrr_desired"])
    };
    assert_eq!(outcome("core", "E-1"), "updated 10.00");
    assert_eq!(outcome("core", "E-2"), "created 20.00");
    assert_eq!(outcome("academy", "E-1"), "creation_disabled 8.33");
    assert_eq!(report.customers.len(), 5, "three customers and two orphans: {:?}", report.customers);

    let rows: Vec<String> = report
        .accounting
        .iter()
        .filter(|row| row["source"] != "existing")
        .map(|row| format!("{} {} {} {}", row["id"], row["disposition"], row["reason"], row["customer"]))
        .collect();
    for expected in [
        "cus_a contributed  hubspot:1",
        "cus_n excluded no_product ",
        "sub_a2 contributed  hubspot:1",
        "sub_n excluded no_product ",
        "sub_x unattached subscription_without_customer ",
        "2 contributed  hubspot:2",
    ] {
        assert!(rows.iter().any(|row| row == expected), "{expected}: {rows:#?}");
    }

    let summary = &report.summary;
    assert_eq!(summary["ties"], true);
    let (core, academy) = (named(&summary["products"], "core"), named(&summary["products"], "academy"));
    assert_eq!(core["filter"], "stripe_subscriptions.product = 'Core'");
    let mrr = |product: &Value| named(&product["taken"], "stripe_subscriptions")["mrr_minor_total"].clone();
    assert_eq!((mrr(core), &core["stripe_gap"]["stripe_mrr"]), (Value::from("11000"), &Value::from("11000")));
    assert_eq!(academy["stripe_gap"]["stripe_mrr"], "833.333333333333");
    for product in [core, academy] {
        assert_eq!(product["stripe_gap"]["residual"], "0", "{product}");
    }
    assert_eq!(core["stripe_gap"]["components"]["unattached"], "8000");
    let subscriptions = named(&summary["division"], "stripe_subscriptions");
    assert_eq!((&subscriptions["none"]["rows"], &subscriptions["none"]["mrr_minor"]), (&1.into(), &"4000".into()));
    assert_eq!(subscriptions["several"]["rows"], 0);
    assert!(named(&summary["division"], "hubspot")["one"]["rows"].as_u64() > Some(0));

    let page = std::fs::read_to_string(report.folder.join("report/report.html")).unwrap();
    assert!(page.contains("Whose rows") && page.contains("no product"), "the page has the consolidated table");
    let text = std::fs::read_to_string(report.folder.join("report/summary.md")).unwrap();
    assert!(text.contains("No product's filter takes 1 row of subscriptions (40.00 a month)."), "{text}");
    assert!(text.contains("| **all** |  | **3** | **5** | **2** | **158.33"), "{text}");

    let run = report.folder.file_name().unwrap().to_str().unwrap().to_owned();
    site.expect(&format!("verify {run}"), 0);
    site.expect(&format!("report {run}"), 0);
    let explained = site.expect(&format!("explain E-1 --as-of {AS_OF}"), 0).stdout;
    assert!(explained.contains("product core") && explained.contains("product academy"), "{explained}");
    let nobody = site.expect(&format!("explain cus_n --as-of {AS_OF}"), 0).stdout;
    assert!(nobody.contains("no_product"), "{nobody}");
}

#[test]
fn a_subscription_of_two_filters_is_a_break_and_a_changed_filter_makes_a_plan_stale() {
    let site = site();
    site.expect(&format!("plan --as-of {AS_OF}"), 0);
    let run = site.report().manifest()["run_id"].as_str().unwrap().to_owned();
    let hash = site.approval();
    configure(&site, "'Academy', 'Core'");
    let refused = site.expect(&format!("apply {run} --approve {hash}"), 8).stderr;
    assert!(refused.contains("`products 2.filter` is"), "{refused}");

    site.expect(&format!("plan --as-of {AS_OF}"), 0);
    let summary = site.report().summary;
    let breaks: Vec<&Value> =
        summary["breaks"].as_array().unwrap().iter().filter(|found| found["kind"] == "several_products").collect();
    let keys: Vec<&Value> = breaks.iter().map(|found| &found["key"]).collect();
    assert_eq!(keys, ["sub_a", "sub_b", "sub_x"]);
    assert!(breaks[0]["detail"].as_str().unwrap().contains("academy, core"), "{}", breaks[0]);
    let several = &named(&summary["division"], "stripe_subscriptions")["several"];
    assert_eq!((&several["rows"], &several["mrr_minor"]), (&3.into(), &"11000".into()));
    assert_eq!(summary["ties"], true);
}

#[test]
fn a_filter_that_cannot_hold_is_told_with_its_place_before_anything_is_read() {
    let site = site();
    configure(&site, "5");
    let told = site.expect("config check", 2).stderr;
    assert!(told.contains("recon.toml:32:36: product[2].filter: `5` is a number"), "{told}");

    // A heading is only known by the file.
    configure(&site, "'Academy'");
    let contacts = site.read("in/contacts.csv").replace("Business Unit", "Business Units");
    site.write("in/contacts.csv", contacts);
    let told = site.expect(&format!("plan --as-of {AS_OF}"), 8).stderr;
    assert!(
        told.contains("no column `Business Unit` for a product's filter; the nearest heading is `Business Units`"),
        "{told}"
    );
}

#[test]
fn products_on_one_key_with_two_paces_are_refused_before_anything_is_read() {
    let site = site();
    let paced = |core: &str, academy: &str| {
        let text = site.read("recon.toml");
        let text = text.replace("creation = \"on\"\n", &format!("creation = \"on\"\n{core}\n"));
        site.write("recon.toml", text.replace("creation = \"off\"\n", &format!("creation = \"off\"\n{academy}\n")));
    };
    paced("rate = \"50/s\"", "rate = \"3000/min\"\nburst = 2");
    let run = |core: &str, academy: &str| {
        site.command(["run", "--as-of", AS_OF])
            .env("TETHER_CORE_KEY", core)
            .env("TETHER_ACADEMY_KEY", academy)
            .output()
            .unwrap()
    };
    let refused = run("tk_live_one_and_the_same", "tk_live_one_and_the_same");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for part in
        ["`academy` and `core` have the same key", "rate = \"3000/min\", burst = 2", "rate = \"50/s\", burst = 1"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("tk_live_one"), "{said}");
    assert_eq!(site.runs().len(), 0, "nothing was planned");

    let sent = run("tk_live_the_first_key", "tk_live_the_second_key");
    let said = String::from_utf8_lossy(&sent.stderr).into_owned();
    assert_eq!(sent.status.code(), Some(0), "{said}");
    for product in ["core: ", "academy: "] {
        assert!(said.lines().any(|line| line.contains(product) && line.contains("at the configured rate")), "{said}");
    }
}

#[test]
fn a_server_never_gets_more_calls_of_a_product_than_its_own_rate_allows() {
    let site = Site::new(45);
    site.write("p01.key", "tk_live_of_another_product");
    std::fs::set_permissions(site.path("p01.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let configure = |url: &str| {
        site.configure(url, "");
        let text = site.read("recon.toml");
        let (above, product) = text.split_once("[[product]]").unwrap();
        let product = product.replace("\"core\"", "\"p00\"");
        let other = product.replace("p00", "p01").replace("env = \"TETHER_CORE_KEY\"", "file = \"p01.key\"");
        let text =
            format!("{above}[[product]]{product}rate = \"20/s\"\n[[product]]{other}rate = \"3600/min\"\nburst = 5\n");
        site.write("recon.toml", text);
    };
    configure("sandbox");
    let server = Server::of_configuration(&site, "", 2);
    configure(&server.url);
    let sent = site.expect("run", 0).stderr;
    for (product, least) in [("p00", "30 calls, at least 1 s"), ("p01", "30 calls, at least 0 s")] {
        let expected = format!("{product}: {least} at the configured rate");
        assert!(sent.contains(&expected), "{expected}: {sent}");
    }
    let calls = server.end(&site);
    for (product, per_second, burst) in [("p00", 20.0, 1.0), ("p01", 60.0, 5.0)] {
        let of_product = calls.iter().filter(|call| call["product"] == product);
        let mut at: Vec<f64> = of_product.map(|call| call["elapsed_micros"].as_f64().unwrap() / 1e6).collect();
        at.sort_by(f64::total_cmp);
        assert_eq!(at.len(), 30, "{product}");
        // Calls may come closer together than they left, by as long as one was held up on its way.
        let held_up = 0.25;
        for (n, from) in at.iter().enumerate() {
            for (count, to) in (1_u32..).zip(&at[n..]) {
                let most = per_second * (to - from + held_up) + burst;
                assert!(f64::from(count) <= most, "{product}: {count} calls in {} s", to - from);
            }
        }
        let took = at[at.len() - 1] - at[0];
        assert!(took > (30.0 - burst) / per_second - held_up, "{product}: 30 calls in {took} s");
    }
}
