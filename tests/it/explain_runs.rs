//! `explain` after runs: sources, links, Tether's side and what happened, as pages, as JSON, and where something is damaged.

use crate::site::{Site, contents, repository};
use serde_json::Value;
use std::collections::BTreeSet;

/// The second night.
const SECOND: &str = "2026-11-02T00:00:00Z";

/// The sample data after two nights.
fn two_nights() -> Site {
    let site = Site::demo();
    for night in ["2026-11-01", "2026-11-02"] {
        site.expect(&format!("-q run --as-of {night}"), 3);
    }
    site
}

fn page(site: &Site, key: &str) -> String {
    site.expect(&format!("explain {key} --as-of {SECOND}"), 0).stdout
}

fn json(site: &Site, key: &str) -> Value {
    serde_json::from_str(&site.expect(&format!("explain {key} --as-of {SECOND} --json"), 0).stdout).unwrap()
}

/// What differs from one night to another is not part of a snapshot.
fn filters() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(r"\d{8}T\d{6}Z-[0-9a-f]{4}", "[run]");
    // In the system's words.
    settings.add_filter(r"(?s)the reply was lost [^\n]*\n.*?call 2", "the reply was lost […]\n    call 2");
    settings.add_filter(r#"the reply was lost [^"]*""#, "the reply was lost […]\"");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[instant]");
    settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[tether id]");
    settings
}

#[test]
fn a_page_reads_from_who_it_is_to_what_happened() {
    let site = two_nights();
    filters().bind(|| {
        for (name, key) in [
            ("waiting_for_the_gate", "kenta.morikawa@hokuto-kobo.example.com"),
            ("applied_after_a_lost_reply", "NW-11512"),
            ("a_conflict_of_two_contacts", "hubspot:51109140189"),
            ("an_account_that_two_contacts_claim", "cus_t7Qf3AGvZM2xNH"),
            ("a_conflict_in_tether", "NW-11547"),
            ("decided_by_an_override", "hubspot:51109494978"),
            ("an_orphan", "tether:533a4ed0-0958-43cd-ac1e-979e65776c75"),
            ("a_contact_without_an_account", "hubspot:51109391766"),
        ] {
            let page = page(&site, key);
            assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
            insta::assert_snapshot!(name, page);
        }
        let mut json = json(&site, "NW-11512");
        // What the MRR's parts look like is another test's.
        json["customers"][0]["accounts"] = Value::Null;
        json["mrr_definition"] = Value::Null;
        insta::assert_snapshot!("applied_after_a_lost_reply_as_json", serde_json::to_string_pretty(&json).unwrap());
    });
}

#[test]
fn a_key_is_found_as_whatever_it_is() {
    let site = two_nights();
    let before = contents(&site.path(""));
    let steinhauer = "hubspot:51108869621";
    let orphan = "tether:533a4ed0-0958-43cd-ac1e-979e65776c75";
    for (key, found_as, customer) in [
        ("cus_SS0Lqjm9jf404Z", "stripe_customer", steinhauer),
        ("sub_1bncbwSIdx8KG0V7VFGxF71w", "subscription", steinhauer),
        ("ACCOUNTS@Grunau-Medien.example.net", "email", steinhauer),
        // A further address of the contact.
        ("buchhaltung@grunau-medien.example.com", "email", steinhauer),
        ("NW-11477", "external_id", steinhauer),
        (steinhauer, "key", steinhauer),
        ("51108869621", "contact", steinhauer),
        ("ca17c6bf-5117-447a-a51b-6ec40727db68", "tether_id", steinhauer),
        ("533a4ed0-0958-43cd-ac1e-979e65776c75", "tether_id", orphan),
        ("NW-11643", "external_id", orphan),
        ("alistair@oakham-physiotherapy.example.org", "email", orphan),
    ] {
        let found = json(&site, key);
        assert!(found["found_as"].as_array().unwrap().contains(&found_as.into()), "{key}: {}", found["found_as"]);
        let keys: Vec<&Value> =
            found["customers"].as_array().unwrap().iter().map(|one| &one["customer"]["key"]).collect();
        assert_eq!(keys, [customer], "{key}");
        assert_eq!(found["customers"][0]["history"]["runs"][0]["plan"]["key"], customer, "{key}");
    }
    let name = site.expect("explain steinhauer", 2);
    assert!(name.stderr.contains("nobody is called `steinhauer`") && name.stderr.contains("2 kept runs"));
    let mut named = site.command(["explain", "Jürgen Steinhauer"]);
    let said = String::from_utf8(named.output().unwrap().stderr).unwrap();
    assert!(said.contains("it is the name of `hubspot:51108869621`"), "{said}");
    assert!(contents(&site.path("")) == before, "explain wrote something");
}

#[test]
fn a_merged_contact_ties_its_account_through_the_survivor() {
    let site = Site::new(2);
    site.write(
        "in/contacts.csv",
        "Record ID,First Name,Last Name,Email,Customer ID,Stripe Customer ID,Merged object IDs\n\
         0,Ada,Vale,ada@example.com,E-0,cus_0,9\n9,A.,Vale,c1@example.com,E-0,cus_1,\n",
    );
    let found: Value =
        serde_json::from_str(&site.expect(&format!("explain hubspot:9 --as-of {SECOND} --json"), 0).stdout).unwrap();
    let customer = &found["customers"][0];
    assert_eq!(customer["customer"]["key"], "hubspot:0");
    let tied = customer["links"]["tied"].as_array().unwrap();
    let tie = tied.iter().find(|tie| tie["account"] == "cus_1").unwrap();
    assert_eq!((&tie["with"], &tie["through"]), (&"hubspot:0".into(), &"hubspot:9".into()), "{tie}");
    assert_eq!(tie["rule"], "stripe_customer_id");
    let merged = &customer["links"]["contacts"][1];
    assert_eq!((&merged["key"], &merged["reason"]), (&"hubspot:9".into(), &"merged_record".into()));
    let email = customer["fields"].as_array().unwrap().iter().find(|field| field["field"] == "email").unwrap();
    let lost = |candidate: &&Value| candidate["record"] == "hubspot:9";
    assert_eq!(email["candidates"].as_array().unwrap().iter().find(lost).unwrap()["verdict"], "merged");
    assert_eq!((&email["value"], &email["place"]["line"]), (&"ada@example.com".into(), &2.into()));
}

#[test]
fn what_is_damaged_or_foreign_is_named_and_the_rest_is_told() {
    let site = Site::new(3);
    for _ in 0..3 {
        site.expect(&format!("-q run --as-of {SECOND} --allow max_changed_percent --allow max_mrr_change_percent"), 0);
    }
    let runs = site.runs();
    let id = |run: usize| runs[run].file_name().unwrap().to_str().unwrap().to_owned();
    // A plan was cut; a folder that is no run's lies beside.
    let plan = std::fs::read(runs[0].join("plan.parquet")).unwrap();
    std::fs::write(runs[0].join("plan.parquet"), &plan[..plan.len() / 2]).unwrap();
    std::fs::create_dir(site.path("state/runs/notes")).unwrap();
    let ask = format!("explain E-1 --as-of {SECOND} --json");
    let found: Value = serde_json::from_str(&site.expect(&ask, 0).stdout).unwrap();
    let notes = found["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].as_str().unwrap().contains(&id(0)), "{notes:?}");
    let told = |found: &Value| -> Vec<String> {
        let runs = found["customers"][0]["history"]["runs"].as_array().unwrap();
        let mut ids: Vec<String> = runs.iter().map(|run| run["run_id"].as_str().unwrap().to_owned()).collect();
        // Runs of one second are in the order of their ids, which chance gave.
        ids.sort();
        ids
    };
    let mut whole = [id(1), id(2)];
    whole.sort();
    assert_eq!(told(&found), whole);

    // Without exports the runs still tell, and say where the rows stood.
    std::fs::rename(site.path("in"), site.path("gone")).unwrap();
    let found: Value = serde_json::from_str(&site.expect(&ask, 0).stdout).unwrap();
    assert_eq!((&found["customers"][0]["known_from"], told(&found).len()), (&"runs".into(), 2));
    assert!(found["notes"].to_string().contains("could not be read"), "{}", found["notes"]);
    let sources: Vec<_> = found["customers"][0]["sources"].as_array().unwrap().iter().map(|row| &row["file"]).collect();
    assert!(
        sources.contains(&&"in/contacts.csv".into()) && sources.contains(&&"in/customers.csv".into()),
        "{sources:?}"
    );
    assert!(site.expect("explain E-77", 8).stderr.contains("in/"));
}

#[test]
fn calls_are_told_only_from_a_journal_that_can_be_believed() {
    for (what, said) in [("another run's", "another run's"), ("a changed byte", "checksum"), ("none", "journal.jsonl")]
    {
        let (site, other) = (Site::new(3), Site::new(3));
        for site in [&site, &other] {
            site.expect(
                &format!("-q run --as-of {SECOND} --allow max_changed_percent --allow max_mrr_change_percent"),
                0,
            );
        }
        let journal = site.runs()[0].join("journal.jsonl");
        match what {
            "another run's" => drop(std::fs::copy(other.runs()[0].join("journal.jsonl"), &journal).unwrap()),
            "a changed byte" => {
                let text = std::fs::read_to_string(&journal).unwrap();
                std::fs::write(&journal, text.replace("\"mrr\":101", "\"mrr\":109")).unwrap();
            }
            _ => std::fs::remove_file(&journal).unwrap(),
        }
        let found = json(&site, "E-1");
        assert!(found["notes"].to_string().contains(said), "{what}: {}", found["notes"]);
        let run = &found["customers"][0]["history"]["runs"][0];
        assert_eq!((&run["outcome"], run["calls"].as_array().unwrap().len()), (&Value::Null, 0), "{what}: {run}");
    }
}

/// The names of an object's members, of those inside it too, by the path to the object.
fn members(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                found.insert(format!("{path}{name}"));
                members(inner, &format!("{path}{name}."), found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| members(inner, path, found)),
        _ => {}
    }
}

/// The members that the table under `heading` of the page of formats describes.
fn described(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split("\n### ").find(|section| section.lines().next() == Some(heading)).expect(heading);
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    cells.flat_map(|(cell, _)| cell.split("`, `")).map(str::to_owned).collect()
}

#[test]
fn the_page_of_formats_describes_every_member_of_what_happened() {
    let site = two_nights();
    let mut found = BTreeSet::new();
    for key in ["NW-11512", "NW-11577", "NW-11355", "hubspot:51109494978", "NW-11606"] {
        members(&json(&site, key)["customers"], "", &mut found);
    }
    let below = |prefix: &str| -> BTreeSet<String> {
        let inside = found.iter().filter_map(|name| name.strip_prefix(prefix));
        // Places, and maps of fields.
        let leaf = |name: &&str| {
            let above = name.rsplit_once('.').map_or("", |(above, _)| above);
            !(above.ends_with("place") || above.ends_with("desired") || above == "held.fields")
        };
        inside.filter(leaf).map(str::to_owned).collect()
    };
    let page = std::fs::read_to_string(repository().join("docs/FORMAT.md")).unwrap();
    let of_plan = described(&page, "Explained rows of a plan");
    let planned = |prefix: &str| -> BTreeSet<String> { of_plan.iter().map(|name| format!("{prefix}{name}")).collect() };
    for (prefix, heading, also) in [
        ("fields.", "Explained fields", BTreeSet::new()),
        ("links.", "Explained links", BTreeSet::new()),
        ("tether.", "Explained against Tether", of_plan.clone()),
        ("history.", "Explained history", planned("runs.plan.")),
    ] {
        let said: BTreeSet<String> = described(&page, heading).union(&also).cloned().collect();
        let here = below(prefix);
        assert_eq!(
            said.difference(&here).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{heading}: described, never met"
        );
        assert_eq!(here.difference(&said).collect::<Vec<_>>(), Vec::<&String>::new(), "{heading}: not described");
    }
}
