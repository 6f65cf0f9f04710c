//! Every guard at its limit, just below and just above it, and where there is nothing to compare with.

use super::scenario::{AS_OF, plan, settings, settings_with};
use crate::config::{self, Guards};
use crate::model::{InputFile, Instant, Selection};
use crate::plan::{Asked, Planned, judge, limits};
use crate::runs::{GuardFinding, Manifest};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// `[guards]` with one line.
fn guards(line: &str) -> Guards {
    let text = format!(
        "[run]\ncurrency = \"usd\"\n[stripe]\nfiles = \"in/*\"\n[guards]\n{line}\n[tether]\nurl = \"sandbox\"\n[[product]]\nname = \"core\"\nkey = {{ env = \"KEY\" }}"
    );
    config::parse(&text, Path::new("/")).unwrap_or_else(|error| panic!("{line}: {error}")).guards
}

/// A run and the one before it.
#[derive(Default)]
struct Nights<'a> {
    /// The sources tonight.
    now: &'a str,
    /// Those of the last completed run, if there was one.
    before: Option<&'a str>,
    /// Tonight's files.
    files: Vec<InputFile>,
    /// Those of the last completed run.
    files_before: Vec<InputFile>,
    /// What tonight's run is limited to, and what the last one was.
    selection: [Option<Selection>; 2],
}

impl Nights<'_> {
    fn judged(&self, line: &str, allowed: &[&str]) -> Vec<GuardFinding> {
        let settings = config::Settings { guards: guards(line), ..settings() };
        let tonight = plan(self.now, &settings);
        let previous = self.before.map(|sources| {
            let planned = plan(sources, &settings);
            serde_json::from_value::<Manifest>(manifest(&planned, &self.files_before, self.selection[1].as_ref()))
                .unwrap()
        });
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let asked = Asked {
            rows: &tonight.rows,
            selection: self.selection[0].as_ref(),
            products: &tonight.products,
            sources: &tonight.sources,
            inputs: &self.files,
            mix: Some(&tonight.mix),
            settings: &settings,
            started_at: Instant::parse("2026-11-05T12:00:00Z").unwrap(),
            previous: previous.as_ref(),
            allowed: &allowed,
            approved: &[],
        };
        judge(asked).unwrap()
    }

    /// The finding about `scope`, of the one guard that stands.
    fn finding(&self, line: &str, scope: Option<&str>) -> GuardFinding {
        let found = self.judged(line, &[]);
        let of = found.iter().find(|finding| finding.scope.as_deref() == scope);
        of.unwrap_or_else(|| panic!("{line}: nothing is said of {scope:?}: {found:#?}")).clone()
    }
}

/// The manifest of a completed run, as its file has it.
fn manifest(planned: &Planned, inputs: &[InputFile], selection: Option<&Selection>) -> Value {
    let mut manifest = json!({
        "format": 1, "run_id": "20261104T120000Z-0001", "tool_version": "0.1.0", "mode": "run", "status": "complete",
        "exit_code": 0, "as_of": AS_OF, "started_at": AS_OF, "finished_at": AS_OF, "config_hash": "", "plan_hash": "",
        "baseline_hash": "", "currency": "usd", "currency_digits": 2, "mrr_definition": [],
        "products": planned.products, "inputs": inputs, "sources": planned.sources, "mix": planned.mix, "guards": [],
    });
    if let Some(selection) = selection {
        manifest["selection"] = serde_json::to_value(selection).unwrap();
    }
    manifest
}

fn file(source: &str, content: &str, written: &str) -> InputFile {
    InputFile {
        source: source.to_owned(),
        path: format!("in/{source}-{content}.csv"),
        sha256: content.to_owned(),
        bytes: 1,
        rows: 1,
        shape: "CSV".to_owned(),
        encoding: None,
        dialect: None,
        modified: Instant::parse(written).ok(),
    }
}

/// Accounts with one subscription each, of these statuses and currencies.
fn paying(subscriptions: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (n, (status, currency)) in subscriptions.iter().enumerate() {
        writeln!(text, "account cus_{n} email=c{n}@example.com").unwrap();
        writeln!(text, "sub s{n} cus_{n} {status} 10.00 currency={currency}").unwrap();
    }
    text
}

const USD: (&str, &str) = ("active", "usd");
const EUR: (&str, &str) = ("active", "eur");
const ENDED: (&str, &str) = ("canceled", "usd");

/// A guard, its figure, a limit inside it and one beyond, the scope, the nights.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, Option<&'a str>, Nights<'a>);

#[test]
fn each_guard_passes_at_its_limit_and_refuses_just_beyond_it() {
    let two_of_three =
        "account cus_1 email=a@example.com\naccount cus_2 email=b@example.com\ntether t9 email=z@example.com";
    let raised = "account cus_1 email=a@example.com\nsub s cus_1 active 110.00\n\
        account cus_2 email=b@example.com\nsub u cus_2 active 90.00\n\
        tether t1 email=a@example.com mrr=100\ntether t2 email=b@example.com mrr=100";
    let (three, four) = (paying(&[USD, USD, USD, ENDED]), paying(&[USD, USD, USD, USD, ENDED]));
    let (mixed, foreign) = (paying(&[USD, USD, USD, EUR]), paying(&[USD, USD, EUR, EUR]));
    let ended = paying(&[USD, USD, ENDED, ENDED]);
    let core = Some("core");
    let subscriptions = Some("stripe_subscriptions");
    let at_noon = vec![
        file("stripe_customers", "a", "2026-11-04T00:00:00Z"),
        file("stripe_customers", "b", "2026-11-05T11:00:00Z"),
    ];
    let night = |now, before| Nights { now, before, ..Nights::default() };
    let cases: Vec<(Case<'_>, &str)> = vec![
        (("max_created", "2", "3", "1", None, night(two_of_three, None)), "the plan would create 2 customers"),
        (
            ("max_changed_percent", "100", "100.01", "99.99", core, night(raised, None)),
            "core: 2 of 2 existing customers (100 %) would change",
        ),
        (
            (
                "max_mrr_change_percent",
                "10",
                "10.01",
                "9.99",
                core,
                night(
                    "account cus_1 email=a@example.com\nsub s cus_1 active 90.00\ntether t1 email=a@example.com mrr=100",
                    None,
                ),
            ),
            "core: Tether's MRR would move by 10 % net",
        ),
        (
            ("max_gross_mrr_change_percent", "10", "10.01", "9.99", core, night(raised, None)),
            "core: Tether's MRR would move by 10 % gross",
        ),
        (
            ("max_customer_mrr_change", "10.00", "\"10.01\"", "\"9.99\"", core, night(raised, None)),
            "core: the MRR of one customer would move by up to 10.00: cus_1 +10.00, cus_2 -10.00 USD",
        ),
        (
            ("max_status_shift_percent", "25", "25.01", "24.99", core, night(&ended, Some(&three))),
            "core: active is 50 % of 4 customers, and was 75 % of 4 in the last completed run: 25 points",
        ),
        (
            ("max_currency_shift_percent", "25", "25.01", "24.99", subscriptions, night(&foreign, Some(&mixed))),
            "stripe_subscriptions: eur is 50 % of 4 subscriptions, and was 25 % of 4 in the last completed run: 25 points",
        ),
        (
            ("min_rows_percent", "80", "79.99", "80.01", subscriptions, night(&three, Some(&four))),
            "stripe_subscriptions: 4 rows, 80 % of the 5 that the last completed run read",
        ),
        (
            ("max_rows_percent", "125", "125.01", "124.99", subscriptions, night(&four, Some(&three))),
            "stripe_subscriptions: 5 rows, 125 % of the 4 that the last completed run read",
        ),
        (
            // The oldest file counts: a fresh one beside it proves nothing of it.
            (
                "max_export_age",
                "36",
                "\"36h1s\"",
                "\"35h59m59s\"",
                Some("stripe_customers"),
                Nights { files: at_noon, ..Nights::default() },
            ),
            "stripe_customers: in/stripe_customers-a.csv was written at 2026-11-04T00:00:00Z, 36 h 0 min before the run began",
        ),
    ];
    let written = |guard: &str, figure: &str| match guard {
        "max_customer_mrr_change" => format!("\"{figure}\""),
        "max_export_age" => format!("\"{figure}h\""),
        _ => figure.to_owned(),
    };
    for ((guard, figure, inside, beyond, scope, nights), what) in cases {
        let at = written(guard, figure);
        for (limit, refused) in [(inside, false), (at.as_str(), false), (beyond, true)] {
            let found = nights.finding(&format!("{guard} = {limit}"), scope);
            assert_eq!((found.refused, found.guard.as_str()), (refused, guard), "{guard} = {limit}: {}", found.detail);
            let (value, expected): (Decimal, Decimal) =
                (found.figure.unwrap().parse().unwrap(), figure.parse().unwrap());
            assert_eq!(value, expected, "{}", found.detail);
            assert!(found.detail.starts_with(what), "{guard}: {}", found.detail);
            let flag = format!(". If that is right, allow it once with --allow {guard}");
            assert_eq!(found.detail.ends_with(&flag), refused, "{}", found.detail);
            if refused {
                // Once, and said so.
                let once = nights.judged(&format!("{guard} = {limit}"), &["max_else", guard]);
                assert!(once.iter().all(|finding| !finding.refused), "{once:#?}");
                let found = once.iter().find(|finding| finding.overridden).unwrap();
                assert!(
                    found.detail.ends_with(&format!(", overridden this once by --allow {guard}")),
                    "{}",
                    found.detail
                );
            }
        }
    }
}

#[test]
fn shares_are_compared_exactly_and_shown_on_the_side_of_the_limit_where_they_lie() {
    let usd = |count: usize| paying(&vec![USD; count]);
    let (of_two, of_three, of_four) = (usd(2), usd(3), usd(4));
    let (two_thirds, a_sixth) = (paying(&[USD, USD, EUR]), paying(&[USD, EUR, EUR, EUR, EUR, EUR]));
    for (line, now, before, refused, shown) in [
        ("min_rows_percent = 66.67", &of_two, &of_three, true, "66.66 % of the 3"),
        ("min_rows_percent = 66.66", &of_two, &of_three, false, "66.66 % of the 3"),
        ("min_rows_percent = 66.6667", &of_two, &of_three, true, "66.6666 % of the 3"),
        ("max_rows_percent = 133.33", &of_four, &of_three, true, "133.34 % of the 3"),
        ("max_rows_percent = 133.34", &of_four, &of_three, false, "133.34 % of the 3"),
        ("max_rows_percent = 200", &of_four, &of_two, false, "200 % of the 2"),
        ("max_currency_shift_percent = 50", &a_sixth, &two_thirds, false, ": 50 points"),
        ("max_currency_shift_percent = 33.33", &two_thirds, &of_three, true, ": 33.34 points"),
    ] {
        let found = Nights { now, before: Some(before), ..Nights::default() };
        let found = found.finding(line, Some("stripe_subscriptions"));
        assert_eq!(found.refused, refused, "{line}: {}", found.detail);
        assert!(found.detail.contains(shown), "{line}: {}", found.detail);
    }
}

#[test]
fn something_out_of_an_mrr_of_0_is_beyond_any_percentage() {
    let sources = |mrr: &str| {
        format!("account cus_1 email=a@example.com\nsub s cus_1 active 5.00\ntether t1 email=a@example.com{mrr}")
    };
    for line in ["max_mrr_change_percent = 1000", "max_gross_mrr_change_percent = 1000"] {
        let paying = sources(" mrr=0");
        let nights = Nights { now: &paying, ..Nights::default() };
        let found = nights.finding(line, Some("core"));
        assert!(found.refused && found.figure.is_none(), "{}", found.detail);
        assert!(
            found.detail.starts_with("core: Tether's MRR of 1 existing customers is 0, and would move by 5.00 USD ")
                && found.detail.contains("beyond any percentage; the limit is 1000 %. If that is right"),
            "{}",
            found.detail
        );
        let name = line.split(' ').next().unwrap();
        assert!(nights.judged(line, &[name]).iter().all(|one| !one.refused && one.overridden));
        // Nobody there, or nobody's MRR known, or nothing moves: nothing to compare with, and said.
        let nobody = "account cus_1 email=a@example.com\nsub s cus_1 active 5.00".to_owned();
        let still = "account cus_1 email=a@example.com\ntether t1 email=a@example.com mrr=0".to_owned();
        for sources in [nobody, sources(""), still] {
            let found = Nights { now: &sources, ..Nights::default() }.finding(line, Some("core"));
            assert_eq!((found.refused, found.state()), (false, "nothing to compare"), "{sources}: {}", found.detail);
        }
    }
}

/// Tonight's sources against a limit of 80 %, with a run before of other filters.
fn filtered(
    products: &[(&str, &str)],
    before: &[(&str, &str)],
    sources: &str,
    approved: &[GuardFinding],
) -> Vec<GuardFinding> {
    let settings = config::Settings { guards: guards("min_rows_percent = 80"), ..settings_with(products) };
    let (tonight, earlier) = (plan(sources, &settings), plan(sources, &settings_with(before)));
    let previous: Manifest = serde_json::from_value(manifest(&earlier, &[], None)).unwrap();
    judge(Asked {
        rows: &tonight.rows,
        selection: None,
        products: &tonight.products,
        sources: &tonight.sources,
        inputs: &[],
        mix: Some(&tonight.mix),
        settings: &settings,
        started_at: Instant::parse(AS_OF).unwrap(),
        previous: Some(&previous),
        allowed: &[],
        approved,
    })
    .unwrap()
}

#[test]
fn a_product_whose_filter_takes_less_is_refused_though_the_file_is_whole() {
    let sources = "account cus_a email=a@example.com\nsub s1 cus_a active 10 product=p_core\n\
        sub s2 cus_a active 10 product=p_other\nsub s3 cus_a active 10 product=p_other";
    let of = |product: &str| format!("stripe_subscriptions.product = '{product}'");
    let (core, other, typo) = (of("p_core"), of("p_other"), of("p_cor"));
    let before = [("core", core.as_str()), ("other", other.as_str())];
    let scoped = |found: &[GuardFinding], scope: &str| {
        found.iter().find(|one| one.scope.as_deref() == Some(scope)).map(|one| (one.refused, one.detail.clone()))
    };
    let found = filtered(&[("core", &typo), ("other", &other)], &before, sources, &[]);
    let (refused, detail) = scoped(&found, "core").unwrap();
    assert!(refused, "{detail}");
    assert!(
        detail.starts_with(
            "core: its filter takes 0 rows of stripe_subscriptions, 0 % of the 1 that it took in the last completed run"
        ),
        "{detail}"
    );
    assert!(!scoped(&found, "other").unwrap().0 && !scoped(&found, "stripe_subscriptions").unwrap().0);
    let found = filtered(&before, &before, sources, &[]);
    assert!(found.iter().all(|one| !one.refused), "{found:#?}");
    // A product that is new, and filters that are.
    let found = filtered(&before, &before[..1], sources, &[]);
    assert!(
        scoped(&found, "other").unwrap().1.contains("nothing to compare with: the last completed run did not have")
    );
    let found = filtered(&before, &[("core", ""), ("other", "")], sources, &[]);
    assert!(scoped(&found, "core").unwrap().1.contains("nothing to compare with: no filter stood"));
    assert!(scoped(&filtered(&[("core", "")], &[("core", "")], sources, &[]), "core").is_none());
}

#[test]
fn what_an_approved_plan_was_let_pass_passes_again_but_nothing_new_and_nothing_worse() {
    let sources = "account cus_a email=a@example.com\nsub s1 cus_a active 10 product=p_core\n\
        sub s2 cus_a active 10 product=p_other";
    let typo = "stripe_subscriptions.product = 'p_cor'";
    let (now, before) = ([("core", typo)], [("core", "stripe_subscriptions.product = 'p_core'")]);
    let found = filtered(&now, &before, sources, &[]);
    let refused = found.into_iter().find(|one| one.refused).unwrap();
    let approved = GuardFinding { refused: false, overridden: true, figure: Some("0".into()), ..refused.clone() };
    for (approved, passes) in [
        (approved.clone(), true),
        (GuardFinding { figure: Some("0.01".into()), ..approved.clone() }, false),
        (GuardFinding { figure: None, ..approved.clone() }, false),
        (GuardFinding { scope: Some("academy".into()), ..approved.clone() }, false),
        (GuardFinding { guard: "max_rows_percent".into(), ..approved.clone() }, false),
        (GuardFinding { overridden: false, ..approved.clone() }, false),
        (refused, false),
    ] {
        let found = filtered(&now, &before, sources, std::slice::from_ref(&approved));
        assert_eq!(found.iter().all(|one| !one.refused), passes, "{approved:#?}");
    }
}

#[test]
fn a_limit_is_written_with_its_unit() {
    let raised = "account cus_1 email=a@example.com\nsub s cus_1 active 110.00\ntether t1 email=a@example.com mrr=100";
    let usd = paying(&[USD]);
    let files = vec![file("hubspot", "a", "2026-11-05T11:00:00Z")];
    let nights = Nights { now: raised, before: Some(&usd), files, ..Nights::default() };
    for (line, unit, bound) in [
        ("max_created = 5", "customers", "; the limit is 5"),
        ("max_mrr_change_percent = 12.5", "percent", "; the limit is 12.5 %"),
        ("max_customer_mrr_change = \"5000\"", "usd", "; the limit is 5000.00 USD"),
        ("max_status_shift_percent = 10", "points", "; the limit is 10 points"),
        ("max_export_age = \"36h30m\"", "hours", "; the limit is 36.5 h"),
        ("min_rows_percent = 80", "percent", "; at least 80 % is wanted"),
    ] {
        let found = nights.judged(line, &[]);
        assert_eq!(found[0].unit, unit, "{line}");
        assert!(found[0].detail.ends_with(bound), "{}", found[0].detail);
    }
}

#[test]
fn a_currency_never_seen_before_is_refused_however_few_it_is_of() {
    let (all_usd, foreign) = (paying(&[USD, USD]), paying(&[USD, USD, EUR]));
    for (now, before, refused, what) in [
        (&foreign, &all_usd, true, "stripe_subscriptions: the last completed run had no subscription in EUR (1)"),
        (&foreign, &foreign, false, "stripe_subscriptions: every currency was there in the last completed run"),
        // One that is gone is the other guard's.
        (&all_usd, &foreign, false, "stripe_subscriptions: every currency was there in the last completed run"),
    ] {
        let nights = Nights { now, before: Some(before), ..Nights::default() };
        let found = nights.finding("refuse_new_currency = true", Some("stripe_subscriptions"));
        assert_eq!(found.refused, refused);
        assert!(found.detail.starts_with(what), "{}", found.detail);
        assert!(nights.judged("refuse_new_currency = false", &[]).is_empty());
    }
}

#[test]
fn a_repeated_file_is_refused_where_all_of_a_live_source_is_as_it_was() {
    let of = |files: &[(&str, &str)]| -> Vec<InputFile> {
        files.iter().map(|(source, content)| file(source, content, "2026-11-05")).collect()
    };
    let usd = paying(&[USD]);
    let (customers, prices) = ("stripe_customers", "stripe_prices");
    for (now, before, refused) in [
        // All of it.
        (of(&[(customers, "a")]), of(&[(customers, "a")]), true),
        (of(&[(customers, "a"), (customers, "b")]), of(&[(customers, "b"), (customers, "a")]), true),
        // One file is new, or the same file under another source.
        (of(&[(customers, "a"), (customers, "c")]), of(&[(customers, "b"), (customers, "a")]), false),
        (of(&[(customers, "a")]), of(&[("hubspot", "a"), (customers, "b")]), false),
        // What is constant by nature, and what a person writes.
        (of(&[(prices, "a"), (customers, "b")]), of(&[(prices, "a"), (customers, "a")]), false),
        (of(&[("overrides", "a"), ("existing", "a")]), of(&[("overrides", "a"), ("existing", "a")]), false),
        (of(&[("hubspot", "a")]), of(&[("hubspot", "a")]), true),
    ] {
        let nights = Nights { now: &usd, before: Some(&usd), files: now, files_before: before, ..Nights::default() };
        let found = nights.judged("refuse_repeated_files = true", &[]);
        assert_eq!(found.iter().any(|finding| finding.refused), refused, "{found:#?}");
    }
    // What a limited run left is sent from the same exports.
    let files = || of(&[(customers, "a")]);
    let limited = [None, Some(Selection::Limit(5))];
    let nights = Nights { now: &usd, before: Some(&usd), files: files(), files_before: files(), selection: limited };
    let found = nights.finding("refuse_repeated_files = true", None);
    assert!(!found.refused && found.detail.contains("was limited by --limit 5"), "{}", found.detail);
}

#[test]
fn a_source_that_vanished_is_refused_and_a_new_one_has_nothing_to_compare_with() {
    let (with, without) =
        ("account cus_1 email=a@example.com\ncontact 1 email=a@example.com", "account cus_1 email=a@example.com");
    let gone = Nights { now: without, before: Some(with), ..Nights::default() };
    let found = gone.finding("min_rows_percent = 1", Some("hubspot"));
    assert_eq!((found.refused, found.figure.as_deref()), (true, Some("0")), "{}", found.detail);
    let new = Nights { now: with, before: Some(without), ..Nights::default() };
    let found = new.finding("max_rows_percent = 150", Some("hubspot"));
    assert_eq!((found.refused, found.figure), (false, None));
    assert_eq!(found.detail, "hubspot: nothing to compare with: 1 rows, and none in the last completed run");
    // A configuration that reads one source less.
    let settings = config::Settings { guards: guards("min_rows_percent = 1"), ..settings() };
    let (planned, mut tonight) = (plan(with, &settings), plan(with, &settings));
    tonight.sources.retain(|source| source.name != "hubspot");
    let previous = serde_json::from_value::<Manifest>(manifest(&planned, &[], None)).unwrap();
    let found = judge(Asked {
        rows: &tonight.rows,
        selection: None,
        products: &tonight.products,
        sources: &tonight.sources,
        inputs: &[],
        mix: Some(&tonight.mix),
        settings: &settings,
        started_at: Instant::parse(AS_OF).unwrap(),
        previous: Some(&previous),
        allowed: &[],
        approved: &[],
    });
    let found = found.unwrap().into_iter().find(|finding| finding.refused).unwrap();
    assert!(
        found.detail.starts_with("hubspot: not read any more, of 1 rows in the last completed run"),
        "{}",
        found.detail
    );
}

#[test]
fn a_first_run_and_one_after_an_earlier_version_are_told_so_and_not_refused() {
    let usd = paying(&[USD, EUR]);
    let files = || vec![file("stripe_customers", "a", "2026-11-05")];
    let first = Nights { now: &usd, files: files(), ..Nights::default() };
    let settings = settings();
    let compare = [
        "max_status_shift_percent = 0",
        "max_currency_shift_percent = 0",
        "refuse_new_currency = true",
        "min_rows_percent = 100",
        "max_rows_percent = 100",
        "refuse_repeated_files = true",
    ];
    for line in compare {
        let found = first.finding(line, None);
        assert_eq!((found.refused, found.figure), (false, None), "{line}");
        assert_eq!(found.detail, "nothing to compare with: no run has been completed yet", "{line}");
    }
    for line in ["max_changed_percent = 0", "max_mrr_change_percent = 0", "max_gross_mrr_change_percent = 0"] {
        let found = first.finding(line, Some("core"));
        assert!(!found.refused && found.detail.starts_with("core: nothing to compare with: no "), "{}", found.detail);
    }
    // A file of which nobody knows when it was written.
    let ageless = Nights { now: &usd, files: vec![file("hubspot", "a", "-")], ..Nights::default() };
    assert_eq!(ageless.finding("max_export_age = \"1h\"", Some("hubspot")).figure, None);

    let planned = plan(&usd, &settings);
    let mut earlier = manifest(&planned, &files(), None);
    earlier.as_object_mut().unwrap().remove("mix");
    earlier["guards"] = json!([
        {"guard": "max_created", "scope": null, "figure": "3", "limit": "5", "refused": false, "detail": "…"}
    ]);
    let earlier: Manifest = serde_json::from_value(earlier).unwrap();
    assert_eq!((earlier.guards[0].figure.as_deref(), earlier.guards[0].overridden), (Some("3"), false));
    for line in &compare[..3] {
        let settings = config::Settings { guards: guards(line), ..settings.clone() };
        let found = judge(Asked {
            rows: &planned.rows,
            selection: None,
            products: &planned.products,
            sources: &planned.sources,
            inputs: &[],
            mix: Some(&planned.mix),
            settings: &settings,
            started_at: Instant::parse(AS_OF).unwrap(),
            previous: Some(&earlier),
            allowed: &[],
            approved: &[],
        });
        let found = found.unwrap();
        assert!(!found[0].refused && found[0].detail.contains("is of an earlier version"), "{}", found[0].detail);
    }
}

#[test]
fn what_is_left_to_a_later_run_moves_nothing() {
    let sources = "account cus_1 email=a@example.com\nsub s cus_1 active 500.00\naccount cus_2 email=b@example.com\n\
        sub u cus_2 active 10.00\ntether t2 email=b@example.com mrr=5\ntether t9 email=z@example.com mrr=100";
    for (selection, created, most) in
        [(None, "1", "500.00"), (Some(Selection::Only { key: "cus_2".into(), rows: vec![1] }), "0", "5.00")]
    {
        let nights = Nights { now: sources, selection: [selection, None], ..Nights::default() };
        assert_eq!(nights.finding("max_created = 9", None).figure.as_deref(), Some(created));
        let found = nights.finding("max_customer_mrr_change = \"9999\"", Some("core"));
        assert_eq!(found.figure.as_deref(), Some(most), "{}", found.detail);
    }
}

#[test]
fn the_largest_moves_of_mrr_are_named_and_those_beyond_the_limit_counted() {
    let mut sources = "tether t9 email=z@example.com\n".to_owned();
    for n in 1..=5 {
        writeln!(sources, "account cus_{n} email=c{n}@example.com\nsub s{n} cus_{n} active {n}000.00").unwrap();
    }
    let nights = Nights { now: &sources, ..Nights::default() };
    let found = nights.finding("max_customer_mrr_change = \"1000.00\"", Some("core"));
    assert!(
        found.detail.starts_with(
            "core: the MRR of one customer would move by up to 5000.00: cus_5 +5000.00, cus_4 +4000.00, cus_3 +3000.00 \
             USD, 4 customers beyond the limit; the limit is 1000.00 USD. If"
        ),
        "{}",
        found.detail
    );
}

#[test]
fn the_table_of_guards_is_the_section_of_the_configuration() {
    let table: Vec<&str> = limits(&settings()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(table, config::schema::keys_of("guards").collect::<Vec<_>>());
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md")).unwrap();
    for guard in table {
        assert!(page.contains(&format!("\n| `{guard}` |")), "the table of guards in OPERATIONS.md lacks {guard}");
    }
}
