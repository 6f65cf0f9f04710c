//! Plan, approval, apply: what was approved by its hash is sent exactly, or refused with what changed since.

use crate::files::Report;
use crate::json_schema::Schema;
use crate::resume::outcomes_in_journal;
use crate::server::Server;
use crate::site::{AS_OF, Ran, Site, contents, ended, repository, signal};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;

const GUARD: &str = "[guards]\nmax_created = 10\n";

/// A site with a Tether, and a plan of it: the id of its run, and its hash as the plan printed it.
fn planned(accounts: usize, further: &str, faults: &str) -> (Site, Server, String, String) {
    let site = Site::new(accounts);
    let server = Server::start(&site, faults);
    site.configure(&server.url, further);
    let (run, hash) = plan(&site, 0);
    (site, server, run, hash)
}

/// The run and the hash in what a plan says of its approval; flags may follow.
fn approved(line: &str) -> (&str, &str) {
    let mut words = line.split(' ');
    let run = words.next().unwrap();
    assert_eq!(words.next(), Some("--approve"));
    (run, words.next().unwrap())
}

/// Plans, and reads from the plan's output what is to be approved.
fn plan(site: &Site, code: i32) -> (String, String) {
    let text = site.expect(&format!("plan --as-of {AS_OF}"), code).stdout;
    let line = text.lines().find_map(|line| line.strip_prefix("approve it: tether-recon apply ")).expect(&text);
    let (run, hash) = approved(line);
    (run.to_owned(), hash.to_owned())
}

fn folder(site: &Site, run: &str) -> PathBuf {
    site.path("state/runs").join(run)
}

/// Applies the plan and finds the refusal in the first line; nothing was written by it.
fn refused(site: &Site, line: &str, code: i32, because: &str) -> Ran {
    let before = site.runs().len();
    let ran = site.expect(line, code);
    let error = ran.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.contains(because), "{because} is not in: {}", ran.stderr);
    assert_eq!(site.runs().len(), before, "a refused plan leaves no run");
    ran
}

#[test]
fn an_approved_plan_is_sent_exactly_and_both_folders_prove_it() {
    let (site, server, run, hash) = planned(6, "", "");
    let reviewed = contents(&folder(&site, &run));
    for file in ["summary.md", "report.html"] {
        assert!(site.read(&format!("state/runs/{run}/report/{file}")).contains(&hash), "{file} does not show the hash");
    }
    let ran = site.expect(&format!("apply {run} --approve {hash} --approved-by Ada<Lovelace>"), 0);
    assert!(ran.stdout.contains(&format!("The plan {run} was applied as it stood, approved by Ada<Lovelace>")));

    assert_eq!(contents(&folder(&site, &run)), reviewed, "the plan's folder stays as it was");
    let own = site.runs().into_iter().find(|found| *found != folder(&site, &run)).unwrap();
    let report = Report::read(&own);
    assert_eq!(report.outcomes(), BTreeMap::from([("created", 2), ("unchanged", 2), ("updated", 2)]));
    let plan_of = |folder: &PathBuf| std::fs::read(folder.join("plan.parquet")).unwrap();
    assert!(plan_of(&own) == plan_of(&folder(&site, &run)), "another plan was sent");
    let manifest = report.manifest();
    assert_eq!((&manifest["mode"], &manifest["as_of"]), (&"apply".into(), &AS_OF.into()));
    assert_ne!(manifest["plan_hash"], hash.as_str(), "who approves has seen more than the rows");
    assert_eq!(manifest["approval"]["plan"]["run_id"], run.as_str());
    for said in [&manifest, &report.summary] {
        assert_eq!(said["approval"]["approved_by"], "Ada<Lovelace>");
    }
    let schema = Schema::read(&repository().join("docs/summary.schema.json"));
    assert_eq!(schema.problems(&report.summary), Vec::<String>::new());
    let page = std::fs::read_to_string(own.join("report/report.html")).unwrap();
    assert!(page.contains("Ada&#60;Lovelace&#62;") && !page.contains("Ada<Lovelace>"), "who approved stands as text");
    let id = own.file_name().unwrap().to_string_lossy().into_owned();
    site.expect(&format!("verify {run}"), 0);
    let proof = site.expect(&format!("verify {id}"), 0).stdout;
    assert!(proof.contains("is kept and is the one that was approved"), "{proof}");

    // Once.
    refused(&site, &format!("apply {run} --approve {hash}"), 8, &format!("was applied already, by run {id}"));
    let (calls, held) = server.stop(&site);
    assert_eq!((calls.len(), held.len()), (4, 6));

    // A plan that was written anew under its own name is found out by the run that applied it.
    site.append(&format!("state/runs/{run}/manifest.json"), "\n");
    site.expect(&format!("verify {id}"), 8);
    std::fs::remove_dir_all(folder(&site, &run)).unwrap();
    site.expect(&format!("verify {id}"), 0);
}

#[test]
fn a_stale_plan_is_refused_and_names_the_input_the_setting_or_the_baseline() {
    let (site, server, run, hash) = planned(3, GUARD, "");
    let apply = format!("apply {run} --approve {hash}");
    let (customers, contacts) = (site.read("in/customers.csv"), site.read("in/contacts.csv"));

    site.write("in/customers.csv", customers.replace("Customer 1", "Customer I"));
    refused(&site, &apply, 8, &format!("plan {run} is stale: in/customers.csv changed"));
    site.write("in/customers.csv", customers);

    let settings = site.read("recon.toml");
    site.write("recon.toml", settings.replace("max_created = 10", "max_created = 11"));
    refused(&site, &apply, 8, "`guards.max_created` is 11, was 10");
    // A further file is an input too, once the pattern finds it.
    site.write("recon.toml", settings.replace("in/contacts.csv", "in/contacts*.csv"));
    let (wide, wide_hash) = plan(&site, 0);
    site.write("in/contacts_2.csv", &contacts);
    refused(&site, &format!("apply {wide} --approve {wide_hash}"), 8, "in/contacts_2.csv was added");
    std::fs::remove_file(site.path("in/contacts_2.csv")).unwrap();
    site.write("recon.toml", settings);

    refused(&site, &format!("{apply} --max-age 1ms"), 8, "--max-age allows less");
    site.expect(&format!("run --as-of {AS_OF} --only cus_1"), 0);
    let ran = refused(&site, &apply, 8, "the baseline changed: run ");
    assert!(ran.stderr.contains("sent since"), "{}", ran.stderr);
    assert_eq!(server.stop(&site).0.len(), 1, "a refused plan makes no call");
}

#[test]
fn what_was_not_approved_is_not_applied() {
    let (site, server, run, hash) = planned(3, "", "");
    let other = format!("{}0", &hash[..63]);
    let other = if other == hash { format!("{}1", &hash[..63]) } else { other };
    refused(&site, &format!("apply {run} --approve {other}"), 2, "the approved hash is not that of plan");
    refused(&site, &format!("apply {run} --approve {}", &hash[..12]), 2, "the approved hash is not that of plan");
    site.expect(&format!("apply {run}"), 2);
    // What was reviewed is the report: one that was touched up is not what was approved.
    let page = format!("state/runs/{run}/report/report.html");
    let whole = site.read(&page);
    site.write(&page, whole.replace("Customer 1", "Customer 7"));
    refused(&site, &format!("apply {run} --approve {hash}"), 8, "report/report.html is not what the manifest names");
    site.write(&page, whole);
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    let id = site.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let its_own = site.report().manifest()["plan_hash"].as_str().unwrap().to_owned();
    refused(&site, &format!("apply {id} --approve {its_own}"), 2, "is no plan");
    assert_eq!(server.stop(&site).0.len(), 2);
}

#[test]
fn the_guards_are_asked_again_and_can_be_overridden_once() {
    let site = Site::new(6);
    let server = Server::start(&site, "");
    site.configure(&server.url, "[guards]\nmax_created = 1\n");
    let (run, hash) = plan(&site, 4);
    let refusing = site.expect(&format!("apply {run} --approve {hash}"), 4);
    assert!(refusing.stdout.contains("--allow max_created"), "{}", refusing.stdout);
    // The rows that were let pass, and the same for another server, are other things to approve.
    let let_pass = site.expect(&format!("plan --as-of {AS_OF} --allow max_created"), 0).stdout;
    assert!(!let_pass.contains(&hash) && let_pass.contains(" --approve "), "{let_pass}");
    let settings = site.read("recon.toml");
    site.write("recon.toml", settings.replace(&server.url, "http://127.0.0.1:1"));
    let (_, elsewhere) = plan(&site, 4);
    assert_ne!(elsewhere, hash);
    site.write("recon.toml", settings);
    // A refused one has not applied it.
    site.expect(&format!("apply {run} --approve {hash} --allow max_created"), 0);
    assert_eq!(server.stop(&site).0.len(), 4);
}

#[test]
fn a_limited_plan_is_approved_with_its_limit_and_applied_to_just_those() {
    let site = Site::new(6);
    let server = Server::start(&site, "");
    site.configure(&server.url, "[guards]\nmax_created = 0\n");
    let (whole, whole_hash) = plan(&site, 4);
    let whole_manifest = site.report().manifest();
    let planned = site.expect(&format!("plan --as-of {AS_OF} --limit 1 --allow max_created"), 0);
    assert!(planned.stdout.contains("The plan is limited by --limit 1: 3 customers are left to a later run."));
    let report = site.report();
    let reasons = |report: &Report, reason: &str| report.customers.iter().filter(|row| row["reason"] == reason).count();
    assert_eq!((reasons(&report, "plan_only"), reasons(&report, "limit")), (1, 3));
    // What Tether would hold is what those bring: 105 of the largest.
    let bridge = &report.summary["products"][0]["mrr_bridge"];
    assert_eq!((&bridge["opening"], &bridge["closing"]), (&39_400.into(), &49_900.into()));
    site.expect("verify latest", 0);
    let line = planned.stdout.lines().find_map(|line| line.strip_prefix("approve it: tether-recon apply ")).unwrap();
    let (run, hash) = approved(line);
    for file in ["summary.md", "report.html"] {
        assert!(site.read(&format!("state/runs/{run}/report/{file}")).contains(hash), "{file} does not show the hash");
    }
    // The same rows without the limit are another thing to approve, and the other way round.
    assert_eq!(report.manifest()["plan_hash"], whole_manifest["plan_hash"]);
    refused(&site, &format!("apply {run} --approve {whole_hash}"), 2, "the approved hash is not that of plan");
    refused(&site, &format!("apply {whole} --approve {hash}"), 2, "the approved hash is not that of plan");

    // The override stood in the report that was approved.
    let ran = site.expect(&format!("apply {run} --approve {hash} --approved-by Ada"), 0);
    assert!(ran.stdout.contains("max_created (1, limit 0 customers)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("The run was limited by --limit 1: 3 customers are left"), "{}", ran.stdout);
    let report = site.report();
    assert_eq!(report.outcomes(), BTreeMap::from([("created", 1), ("not_attempted", 3), ("unchanged", 2)]));
    assert_eq!(report.customer("core", "c5@example.com")["outcome"], "created");
    assert_eq!((&report.manifest()["selection"]["limit"], &report.summary["status"]), (&1.into(), &"complete".into()));
    site.expect("verify latest", 0);

    // The rest, one customer of it by name.
    let planned = site.expect(&format!("plan --as-of {AS_OF} --only c1@example.com --detailed-exitcode"), 10).stdout;
    let line = planned.lines().find_map(|line| line.strip_prefix("approve it: tether-recon ")).unwrap();
    site.expect(line, 0);
    assert_eq!(site.report().outcomes(), BTreeMap::from([("not_attempted", 2), ("unchanged", 3), ("updated", 1)]));
    site.expect(&format!("plan --as-of {AS_OF} --only nobody@example.com"), 2);
    assert_eq!(server.stop(&site).0.len(), 2);
}

#[test]
fn a_plan_of_several_products_is_applied_to_each_with_its_own_key() {
    let site = Site::new(6);
    // The local Tether inside the process, with two products of which one may not create.
    let further = r#"
[[product]]
name = "academy"
key = { env = "TETHER_ACADEMY_KEY" }
existing = "in/core.jsonl"
creation = "off"
"#;
    site.configure("sandbox", "");
    site.append("recon.toml", further);
    let (run, hash) = plan(&site, 0);
    site.expect(&format!("apply {run} --approve {hash}"), 0);
    let applied = site.report();
    let of = |report: &Report, product: &str| {
        let mut counts = BTreeMap::new();
        for row in report.customers.iter().filter(|row| row["product"] == product) {
            *counts.entry(row["outcome"].clone()).or_insert(0) += 1;
        }
        counts
    };
    let words = |pairs: &[(&str, i32)]| {
        pairs.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(of(&applied, "core"), words(&[("created", 2), ("unchanged", 2), ("updated", 2)]));
    assert_eq!(of(&applied, "academy"), words(&[("creation_disabled", 2), ("unchanged", 2), ("updated", 2)]));
    site.expect("verify latest", 0);

    // A limit counts over all products; one customer is sent in each.
    let (run, hash) = {
        site.append("in/customers.csv", "cus_6,c6@example.com,Six,2025-01-01 00:00\n");
        let text = site.expect(&format!("plan --as-of {AS_OF} --only cus_6"), 0).stdout;
        let line = text.lines().find_map(|line| line.strip_prefix("approve it: tether-recon apply ")).unwrap();
        let (run, hash) = approved(line);
        (run.to_owned(), hash.to_owned())
    };
    site.expect(&format!("apply {run} --approve {hash}"), 0);
    let applied = site.report();
    for (product, outcome) in [("core", "created"), ("academy", "creation_disabled")] {
        assert_eq!(applied.customer(product, "c6@example.com")["outcome"], outcome, "{product}");
    }
    let left: Vec<_> = applied.customers.iter().filter(|row| row["reason"] == "limit").collect();
    assert!(!left.is_empty() && left.iter().all(|row| row["product"] == "academy"), "{left:?}");
    // Nobody who is left out was asked about.
    assert!(left.iter().all(|row| row["sent"] == "false"), "{left:?}");
    site.expect("verify latest", 0);
}

#[test]
fn an_interrupted_apply_is_finished_by_resume_and_stands_before_another() {
    let (site, server, run, hash) = planned(90, "[tether]\nin_flight = 4\n", "slow = { every = 1, millis = 100 }\n");
    let mut applying = site.start(&format!("apply {run} --approve {hash} --approved-by Ada"));
    let own = || site.runs().into_iter().find(|found| *found != folder(&site, &run));
    outcomes_in_journal(own, 5);
    signal(&applying, "TERM");
    assert_eq!(ended(&mut applying), 5, "{}", site.read("stderr"));
    refused(
        &site,
        &format!("apply {run} --approve {hash}"),
        8,
        "which applies this plan, was interrupted; `resume` it",
    );
    site.expect("resume", 0);
    let report = Report::read(&own().unwrap());
    assert_eq!(report.outcomes(), BTreeMap::from([("created", 30), ("unchanged", 30), ("updated", 30)]));
    assert_eq!(report.summary["approval"]["approved_by"], "Ada");
    site.expect(&format!("verify {}", own().unwrap().file_name().unwrap().to_string_lossy()), 0);
    assert_eq!(server.stop(&site).0.len(), 60);
}

#[test]
fn a_plan_of_the_embedded_sandbox_is_applied_there() {
    let site = Site::new(6);
    let (run, hash) = plan(&site, 0);
    site.expect(&format!("apply latest --approve {}", hash.to_uppercase()), 0);
    let applied = site.runs().into_iter().find(|found| *found != folder(&site, &run)).unwrap();
    assert_eq!(Report::read(&applied).outcomes(), BTreeMap::from([("created", 2), ("unchanged", 2), ("updated", 2)]));
    // The next run finds that all is done, and names it in its chain.
    site.expect(&format!("run --as-of {AS_OF}"), 0);
    assert_eq!(site.report().outcomes(), BTreeMap::from([("unchanged", 6)]));
    let previous = site.report().manifest()["proof"]["previous"]["run_id"].clone();
    assert_eq!(previous, applied.file_name().unwrap().to_string_lossy().as_ref());
}

#[test]
fn plan_makes_no_connection_and_writes_nothing_but_its_own_folder() {
    let site = Site::new(9);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    site.configure(&format!("http://{}", listener.local_addr().unwrap()), "");
    let before = contents(&site.path(""));
    let (run, _) = plan(&site, 0);
    let after = contents(&site.path("")).into_iter();
    let own = PathBuf::from("state/runs").join(run);
    let after: Vec<_> = after.filter(|(path, _)| !path.starts_with(&own)).collect();
    assert_eq!(after, before, "something beside the plan's own folder was written");
    // Whoever had connected would stand in the queue of the listener.
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
