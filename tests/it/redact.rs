//! `--redact`: what is written for others to read names nobody, is proved like any other, and can be joined.

use crate::files::{Report, table};
use crate::site::{AS_OF, Ran, Site, contents};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::path::Path;

/// Every text of a report, by file; of a workbook each part of its archive.
fn texts(report: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, bytes) in contents(report) {
        let name = name.display().to_string();
        if name != "report.xlsx" {
            texts.insert(name, String::from_utf8(bytes).unwrap());
            continue;
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for at in 0..archive.len() {
            let mut part = archive.by_index(at).unwrap();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            texts.insert(format!("{name}/{}", part.name().unwrap()), text);
        }
    }
    texts
}

/// Where `markers` stand, whatever the case: nowhere, it is hoped.
fn found(texts: &BTreeMap<String, String>, markers: &BTreeSet<String>) -> Vec<String> {
    let mut found = vec![];
    for (name, text) in texts {
        let lower = text.to_lowercase();
        for marker in markers {
            if let Some(at) = lower.find(&marker.to_lowercase()) {
                let from = lower.floor_char_boundary(at.saturating_sub(60));
                let to = lower.ceil_char_boundary((at + marker.len() + 40).min(lower.len()));
                found.push(format!("{name}: …{}…", &lower[from..to]));
            }
        }
    }
    found
}

fn names_nobody(report: &Path, said: &Ran, markers: &BTreeSet<String>) {
    let mut texts = texts(report);
    assert!(texts.len() > 20, "the workbook is unpacked");
    texts.insert("standard output".into(), said.stdout.clone());
    texts.insert("standard error".into(), said.stderr.clone());
    let found = found(&texts, markers);
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

/// Every name and address in the sample data that cannot be anything else.
fn sample_names() -> BTreeSet<String> {
    let site = Site::demo();
    let mut names: BTreeSet<String> =
        ["R. Okafor", "@example", ".example.com", ".example.org", ".example.net"].map(Into::into).into();
    let headings = [
        "Name",
        "Customer Name",
        "Card Name",
        "Company Name",
        "name",
        "company_name",
        "Email",
        "Customer Email",
        "email",
    ];
    for file in ["stripe_customers.csv", "stripe_subscriptions.csv", "hubspot_contacts.csv", "tether_academy.csv"] {
        // Some of its rows are short, on purpose.
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).from_path(site.path("sample_data").join(file)).unwrap();
        let rows: Vec<BTreeMap<String, String>> = reader.deserialize().filter_map(Result::ok).collect();
        assert!(rows.len() > 150);
        for row in rows {
            names.extend(headings.iter().filter_map(|heading| row.get(*heading)).cloned());
            if let (Some(first), Some(last)) = (row.get("First Name"), row.get("Last Name")) {
                names.extend([format!("{first} {last}"), last.clone()]);
            }
        }
    }
    for line in site.read("sample_data/tether_core.jsonl").lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        names
            .extend(["name", "company_name", "email"].iter().filter_map(|name| row[*name].as_str()).map(str::to_owned));
    }
    // Markup writes these characters in its own way, and short names are parts of words.
    names.retain(|name| name.trim().chars().count() > 5 && !name.contains(['&', '\'', '"', '<']));
    assert!(names.len() > 800, "{}", names.len());
    names.into_iter().map(|name| name.trim().to_owned()).collect()
}

#[test]
fn a_redacted_run_of_the_sample_names_nobody_is_proved_and_joins_its_files_and_nights() {
    let site = Site::demo();
    let said = site.expect(&format!("run --redact --as-of {AS_OF} -v"), 3);
    let names = sample_names();
    let run = site.runs().pop().unwrap();
    names_nobody(&run.join("report"), &said, &names);
    assert!(said.stdout.contains("The report is redacted"), "{}", said.stdout);

    // It is proved from its folder alone, wherever that is, and written again byte for byte.
    let before = contents(&run.join("report"));
    assert!(site.expect("verify latest", 0).stdout.contains("byte for byte"));
    let copy = site.path("copy");
    for (name, bytes) in contents(&run) {
        std::fs::create_dir_all(copy.join(&name).parent().unwrap()).unwrap();
        std::fs::write(copy.join(name), bytes).unwrap();
    }
    site.expect("verify copy/.", 0);
    site.expect("report latest", 0);
    assert!(before == contents(&run.join("report")));

    // The salt is its owner's alone, and in nothing that is handed out.
    let salt = site.read("state/redaction.salt");
    assert_eq!(salt, std::fs::read_to_string(run.join("redaction.salt")).unwrap());
    assert!(found(&texts(&run.join("report")), &[salt.trim().to_owned()].into()).is_empty());
    #[cfg(unix)]
    for file in [site.path("state/redaction.salt"), run.join("redaction.salt")] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }

    // A plan without the flag beside it: everything else is as it is there.
    let first = site.report();
    assert_eq!(first.manifest()["redacted"], true);
    assert_eq!(first.summary["redacted"], true);
    let joined = first.changes.iter().filter(|change| {
        first.customers.iter().any(|row| row["product"] == change["product"] && row["email"] == change["email"])
    });
    assert_eq!(joined.count(), first.changes.len());
    let renamed =
        first.changes.iter().find(|change| change["field"] == "email" && !change["before"].is_empty()).unwrap();
    assert!(renamed["after"].starts_with("email:") && renamed["before"].starts_with("email:"));
    assert_eq!(renamed["after"], renamed["email"]);

    site.expect("run --redact --as-of 2026-11-02T00:00:00Z", 3);
    let second = site.report();
    site.expect("plan --redact --as-of 2026-11-03T00:00:00Z", 3);
    let planned = site.report();
    site.expect("plan --as-of 2026-11-03T00:00:00Z", 3);
    let open = site.report();
    assert!(!open.folder.join("redaction.salt").exists());
    assert!(open.manifest().get("redacted").is_none() && open.summary.get("redacted").is_none());
    let by_key = |report: &Report, column: &str| -> BTreeMap<(String, String), String> {
        report.customers.iter().map(|row| ((row["product"].clone(), row["key"].clone()), row[column].clone())).collect()
    };
    let (nights, open_emails) = ([by_key(&first, "email"), by_key(&second, "email")], by_key(&open, "email"));
    let mut hashes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for night in &nights {
        for (key, hash) in night.iter().filter(|(_, hash)| !hash.is_empty()) {
            if let Some(email) = open_emails.get(key) {
                hashes.entry(email).or_default().insert(hash);
            }
        }
    }
    assert!(hashes.len() > 200 && hashes.values().all(|of_one| of_one.len() == 1), "one address, one hash");
    let distinct: BTreeSet<_> = hashes.values().flatten().collect();
    assert_eq!(distinct.len(), hashes.len(), "one hash, one address");
    let shown = |report: &Report| -> Vec<_> {
        report.customers.iter().map(|row| (row["mrr_desired"].clone(), row["stripe_customer_ids"].clone())).collect()
    };
    assert_eq!(shown(&planned), shown(&open));
}

/// Exports in which the two names stand wherever a report might show them.
fn hostile() -> (Site, BTreeSet<String>) {
    let site = Site::new(6);
    site.append(
        "in/customers.csv",
        "cus_20,zorblax.one@quibnix.example.com,Zorblax Vantongeren,2025-01-01 00:00\n\
         Zorblax Vantongeren,zorblax\n\
         cus_21,zorblax.two@quibnix.example.com,Quibnix GmbH,2025-01-01 00:00,Zorblax,Zorblax\n\
         cus_22,zorblax.two@quibnix.example.com,Quibnix GmbH,the day of Zorblax\n\
         cus_23,Zorblax `at` Quibnix,Zorblax,2025-01-01 00:00\n\
         cus_24,zorblax.four@quibnix.example.com,Zorblax,2025-01-01 00:00\n\
         cus_24,zorblax.four@quibnix.example.com,Quibnix,2025-01-01 00:00\n\
         cus_25,zorblax.five@quibnix.example.com,Zorblax,2025-01-01 00:00\n\
         cus_26,zorblax.six@quibnix.example.com,Zorblax,2025-01-01 00:00\n\
         cus_27,,Zorblax Vantongeren,2025-01-01 00:00\n",
    );
    site.append(
        "in/subscriptions.csv",
        "sub_20,cus_20,1,usd,month,Zorblax,active,false,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_23,cus_23,1,usd,month,10.00,active,false,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_24,cus_24,1,usd,Zorblax,10.00,active,false,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_25,cus_25,1,usd,month,10.00,zorblax's,false,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_26,cus_26,1,usd,month,10.00,active,false,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_27,cus_27,1,usd,month,10.00,active,false,2025-01-01 00:00,2026-11-20 00:00\n\
         Quibnix,Zorblax Vantongeren,1,usd,month,10.00,active,false,2025-01-01 00:00,2026-11-20 00:00\n\
         sub_29,cus_0,1,usd,month,10.00,Quibnix,Zorblax,2025-01-01 00:00,2026-11-20 00:00\n",
    );
    // Claims of one account, one external id on two, one address on two; ids that are names.
    site.append(
        "in/contacts.csv",
        "Zorblax Vantongeren,Zorblax,Vantongeren,zorblax.five@quibnix.example.com,quibnix,cus_25\n\
         zorblax,Zorblax,V.,zorblax.v@quibnix.example.com,Quibnix GmbH,cus_25\n\
         31,Zorblax,Second,zorblax.six@quibnix.example.com,zorblax-vantongeren,cus_26\n\
         32,Zorblax,Third,zorblax.third@quibnix.example.com,zorblax-vantongeren,\n\
         33,Zorblax,Fourth,not an address of zorblax,E-33,\n\
         34,Zorblax,Fifth,c1@example.com,zorblax@quibnix.example.com,cus_20\n\
         zorblax.key@quibnix.example.com,Zorblax,Sixth,zorblax.key@quibnix.example.com,Zorblax Vantongeren,\n\
         Quibnix,GmbH\n",
    );
    site.append(
        "in/core.jsonl",
        r#"{"tether_id":"zorblax","external_id":"Quibnix GmbH","email":"zorblax.old@quibnix.example.com","name":"Zorblax Old","mrr":5,"subscription_status":"Zorblax"}
{"tether_id":"t-91","external_id":"zorblax-again","email":"zorblax.one@quibnix.example.com","name":"Zorblax","company_name":"Quibnix","mrr":5}
{"external_id":"quibnix-two","email":"zorblax.six@quibnix.example.com","name":"Zorblax","mrr":5}
{"tether_id":"t-93","email":"zorblax.lost@quibnix.example.com","name":"Zorblax","mrr":"Quibnix"}
{"tether_id":"t-94","email":{"zorblax":"quibnix"}}
{"tether_id":"t-95","name":"Zorblax
"#,
    );
    site.write(
        "in/overrides.csv",
        "decision,account,with,note\nlink,cus_0,hubspot:0,as Zorblax of Quibnix said\nnever,cus_0,hubspot:Zorblax Vantongeren,\n\
         never,cus_Zorblax,hubspot:zorblax@quibnix.example.com,\n",
    );
    site.configure("sandbox", "[identity]\noverrides = \"in/overrides.csv\"\n");
    (site, ["zorblax", "quibnix", "vantongeren"].map(str::to_owned).into())
}

#[test]
fn what_an_export_spells_wrong_or_where_it_does_not_belong_names_nobody_either() {
    let (site, markers) = hostile();
    let said = site.expect(&format!("run --redact --as-of {AS_OF} -v"), 3);
    let report = site.report();
    let open = site.expect(&format!("plan --as-of {AS_OF}"), 3);
    assert!(!found(&texts(&site.report().folder.join("report")), &markers).is_empty(), "{}", open.stdout);
    names_nobody(&report.folder.join("report"), &said, &markers);
    let kinds: BTreeSet<&str> =
        report.summary["breaks"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap()).collect();
    for kind in ["rejected_row", "unreadable_value", "ambiguous", "superseded", "status_unknown", "override_unknown"] {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }
    let outcomes = report.outcomes();
    assert!(outcomes["conflict"] > 2 && outcomes["invalid"] > 1 && outcomes["orphan"] > 0, "{outcomes:?}");
    // What a key is called in one file it is called in the others.
    let keys: BTreeSet<&str> = report.customers.iter().map(|row| row["key"].as_str()).collect();
    for row in report.accounting.iter().filter(|row| !row["customer"].is_empty()) {
        assert!(keys.contains(row["customer"].as_str()), "{row:?}");
    }
    for label in ["hubspot:name:", "hubspot:id:"] {
        assert!(keys.iter().any(|key| key.starts_with(label)), "{keys:?}");
    }
    assert!(report.accounting.iter().any(|row| row["id"].starts_with("email:")));
    site.expect(&format!("verify {}", report.folder.file_name().unwrap().display()), 0);
}

#[test]
fn an_error_names_nobody() {
    let (site, markers) = hostile();
    let silent = |line: &str, code: i32| {
        let ran = site.expect(line, code);
        let texts = [("out".to_owned(), ran.stdout), ("err".to_owned(), ran.stderr)].into();
        assert_eq!(found(&texts, &markers), Vec::<String>::new(), "{line}");
        texts["err"].clone()
    };
    assert!(silent("run --redact --only zorblax.nobody@quibnix.example.com", 2).contains("holds no customer `email:"));
    silent("run --redact --only Quibnix", 2);
    site.write("in/overrides.csv", "decision,account,with\nZorblax,cus_0,Quibnix\n");
    let said = silent("plan --redact", 8);
    assert!(said.contains("in/overrides.csv, line 2"), "{said}");
    assert!(said.contains(" is neither `link` nor `never`; write one of them"), "{said}");
    site.configure("sandbox", "");
    site.write("in/core.jsonl", "Zorblax Vantongeren\nQuibnix\n");
    silent("plan --redact", 8);
    site.write("in/contacts.csv", "Zorblax,Zorblax,Quibnix\n1,2,3\n");
    silent("plan --redact", 8);
}

#[test]
fn the_configuration_asks_for_every_night_and_a_copy_can_be_made_of_any() {
    let site = Site::new(3);
    let names: BTreeSet<String> = ["@example.com".to_owned(), "Customer 0".to_owned(), "Customer 1".to_owned()].into();
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let open = site.runs().pop().unwrap();
    let own = contents(&open);
    let said = site.expect("report latest --redact", 2).stderr;
    assert!(said.contains("--output FOLDER"), "{said}");
    let said = site.expect("report latest --redact --output for-others", 0);
    names_nobody(&site.path("for-others"), &said, &names);
    assert!(own == contents(&open), "the run's own folder stays");
    site.expect("verify latest", 0);

    let configured = site.read("recon.toml").replace("[run]\n", "[run]\nredact = true\n");
    site.write("recon.toml", configured);
    let said = site.expect(&format!("plan --as-of {AS_OF}"), 0);
    let plan = site.runs().pop().unwrap();
    names_nobody(&plan.join("report"), &said, &names);
    let copied = table(&site.path("for-others/customers.csv"));
    let planned = table(&plan.join("report/customers.csv"));
    let email =
        |rows: &[BTreeMap<String, String>]| rows.iter().map(|row| row["email"].clone()).collect::<BTreeSet<_>>();
    assert_eq!(email(&copied), email(&planned));

    // What was reviewed without names is sent without them, whatever the configuration says by then.
    let hash = site.approval();
    let configured = site.read("recon.toml").replace("redact = true\n", "");
    site.write("recon.toml", configured);
    let said = site.expect(&format!("apply {} --approve {hash} --approved-by Ada", plan.display()), 0);
    let applied = site.runs().pop().unwrap();
    names_nobody(&applied.join("report"), &said, &names);
    assert!(std::fs::read_to_string(applied.join("report/summary.md")).unwrap().contains("approved by Ada"));
    let applied_id = applied.file_name().unwrap().to_str().unwrap();
    site.expect(&format!("verify {applied_id}"), 0);

    std::fs::remove_file(applied.join("redaction.salt")).unwrap();
    assert!(site.expect(&format!("report {applied_id}"), 8).stderr.contains("redaction.salt"));
    assert!(site.expect(&format!("verify {applied_id}"), 8).stdout.contains("redaction.salt"));
}
