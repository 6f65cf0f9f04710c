use super::schema::{KEYS, SECTIONS, Shape};
use super::{
    AmountMeaning, ConfigErrors, CountedCoupons, CrmPreset, KeySource, Pace, PausedCollection, Rate, Rounding,
    Settings, TetherUrl, parse,
};
use crate::model::{Currency, Field, Instant, Place};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The sample of the documentation, word for word.
const SAMPLE: &str = r#"
[run]
state = "state"                      # runs, journals, baseline
currency = "usd"                     # the Tether account's currency

[stripe]
customers = "exports/stripe/customers*.csv"
subscriptions = "exports/stripe/subscriptions*.csv"
# files = "exports/stripe/**/*"      # instead: every file recognised by its content, any mix of shapes
external_id_metadata = "user_id"     # metadata key that carries your own id
amount = "unit"                      # dashboard files: is Amount per unit or a total

[[crm]]
name = "hubspot"
preset = "hubspot"                   # or salesforce, pipedrive, close, attio, custom
contacts = "exports/hubspot/*.csv"
columns = { external_id = "Customer ID", stripe_customer_id = "Stripe Customer ID" }

[existing]
customers = "exports/tether/customers*.jsonl"   # optional: the baseline does without

[fields]                             # where each field may come from, first hit wins
external_id = ["crm", "metadata"]    # "stripe_id" is the third place
name = ["crm", "stripe"]

[mrr]                                # every option of mrr.md
[fx]                                 # eur = { rate = "1.0842", date = "2026-10-31" }

[guards]                             # refused before the first call
max_created = 500
max_changed_percent = 30
max_mrr_change_percent = 10
min_rows_percent = 80                # of the last completed run, per source

[tether]
url = "https://usetether.io"         # or "sandbox": a local Tether inside the process
rate = "10/s"                        # also "600/min"
burst = 1                            # in any window never more than rate × window + burst calls
in_flight = 16
deadline = "2h"

[[product]]
name = "core"
key = { env = "TETHER_API_KEY" }     # or { file = "…" }, { credential = "…" }
# existing = "exports/tether/core*.jsonl"   # instead of [existing] when there are several products
# filter = "…"                         # which source rows are this product's
"#;

/// The least that is a configuration.
const LEAST: &str = r#"
[run]
currency = "eur"
[stripe]
files = "in/**/*"
[[product]]
name = "core"
key = { env = "TETHER_API_KEY" }
"#;

fn read(text: &str) -> Result<Settings, ConfigErrors> {
    parse(text, Path::new("/books"))
}

/// [`LEAST`] with further text must be refused, and the first problem must say `expected`.
fn check_refused(more: &str, expected: &str) {
    let errors = read(&format!("{LEAST}{more}")).map(|_| ()).unwrap_err().to_string();
    assert!(errors.contains(expected), "{more}\n→ {errors}\nlacks: {expected}");
}

fn accepted(more: &str) -> Settings {
    read(&format!("{LEAST}{more}")).unwrap_or_else(|errors| panic!("{more}\n{errors}"))
}

#[test]
fn the_sample_of_the_documentation_is_read_as_it_is_written() {
    let settings = read(SAMPLE).unwrap();
    assert_eq!(settings.run.state, PathBuf::from("/books/state"));
    assert_eq!(settings.stripe.customers, ["/books/exports/stripe/customers*.csv"]);
    assert_eq!(settings.stripe.external_id_metadata.as_deref(), Some("user_id"));
    assert_eq!(settings.stripe.amount, AmountMeaning::Unit);
    assert_eq!(settings.crms[0].preset, CrmPreset::Hubspot);
    assert_eq!(settings.crms[0].columns["stripe_customer_id"], ["Stripe Customer ID"]);
    assert_eq!(settings.fields[&Field::ExternalId], [Place::Crm, Place::Metadata]);
    assert_eq!(settings.guards.max_created, Some(500));
    assert_eq!(settings.guards.min_rows_percent, Some(Decimal::from(80)));
    assert_eq!(settings.tether.deadline, Duration::from_hours(2));
    assert!(matches!(&settings.tether.url, TetherUrl::Remote(url) if url.as_str() == "https://usetether.io/"));
    assert_eq!(settings.products[0].key, KeySource::Env("TETHER_API_KEY".to_owned()));
    assert_eq!(
        settings.products[0].existing,
        ["/books/exports/tether/customers*.jsonl"],
        "[existing] is the product's"
    );
}

#[test]
fn who_is_told_is_read_and_changes_nothing_in_what_a_run_does() {
    let silent = read(LEAST).unwrap();
    assert!(!silent.notify.tells_anybody());
    assert_eq!((silent.notify.success.as_slice(), silent.notify.timeout), ([0, 3].as_slice(), Duration::from_secs(5)));
    let told = accepted(
        "[notify]\nslack = { credential = \"slack\" }\nping = { file = \"ping\" }\nsuccess = [0]\nwhen = \"always\"\n\
         metrics = \"recon.prom\"\nproxy = \"http://proxy.example.com:3128\"\n",
    );
    assert!(told.notify.tells_anybody());
    assert_eq!(told.notify.slack, Some(KeySource::Credential("slack".into())));
    assert_eq!(told.notify.metrics.as_deref(), Some(Path::new("/books/recon.prom")));
    assert_eq!(told.hash, silent.hash, "a plan is not stale because somebody else is told");
    assert_ne!(accepted("[tether]\nproxy = { env = \"PROXY\" }").hash, silent.hash);
    check_refused("[notify]\nsuccess = [0, 7]", "`7` is no exit code that is told");
    check_refused("[notify]\nslack = \"https://hooks.example.com/T0\"", "notify.slack");
    check_refused("[notify]\nproxy = \"http://a:b@proxy.example.com\"", "holds a user name or a password");
}

#[test]
fn what_is_not_written_has_its_documented_default() {
    let settings = read(LEAST).unwrap();
    assert_eq!(settings.run.state, PathBuf::from("/books/state"));
    assert_eq!(settings.fields.len(), Field::ALL.len(), "every field has an entry");
    assert_eq!(settings.fields[&Field::Email], [Place::Crm, Place::Stripe]);
    assert_eq!(settings.fields[&Field::Mrr], [Place::Stripe]);
    assert_eq!((settings.mrr.week_factor, settings.mrr.day_factor), ((52, 12), (365, 12)));
    let ten_a_second = Rate { calls: NonZeroU32::new(10).unwrap(), per: Duration::from_secs(1) };
    assert_eq!(settings.tether.rate, Pace::Fixed(ten_a_second));
    assert_eq!(
        (settings.tether.burst.get(), settings.tether.in_flight.get(), settings.tether.max_tries.get()),
        (1, 16, 5)
    );
    assert_eq!(settings.tether.request_timeout, Duration::from_secs(30));
    assert_eq!(settings.guards, super::Guards::default(), "no guard unless one is written");
    assert_eq!(settings.products[0].creation, None);
}

#[test]
fn every_option_of_mrr_and_every_rate_is_read() {
    let settings = accepted(
        r#"
        [mrr]
        count_trialing = true
        past_due_grace_days = 14
        pause_collection = "all"
        cancel_at_request = true
        count_coupons = "forever"
        unknown_coupon = "ignore"
        week_factor = "4.33"
        day_factor = "30/1"
        rounding = "half_up"
        no_subscription_status = "canceled"
        currency_digits = { isk = 0 }
        [mrr.coupons]
        SPRING20 = { percent_off = "20", duration = "forever" }
        FIVER = { amount_off = "5.00", currency = "USD", duration = "repeating" }
        [fx]
        usd = { rate = "0.9223", date = "2026-10-31" }
        gbp = { rate = 1, date = 2026-10-31 }
        "#,
    );
    let mrr = &settings.mrr;
    assert_eq!((mrr.count_trialing, mrr.past_due_grace_days, mrr.cancel_at_request), (true, Some(14), true));
    assert_eq!((mrr.pause_collection, mrr.coupons), (PausedCollection::All, CountedCoupons::Forever));
    assert_eq!((mrr.week_factor, mrr.day_factor, mrr.rounding), ((433, 100), (30, 1), Rounding::HalfUp));
    let usd = Currency::parse("usd").unwrap();
    assert_eq!(mrr.defined_coupons["SPRING20"].percent_off, Some(Decimal::from(20)));
    assert_eq!(mrr.defined_coupons["FIVER"].amount_off, Some((Decimal::from(5), usd)));
    assert_eq!(settings.fx.rates[&usd].rate.to_string(), "0.9223");
    assert_eq!(settings.fx.rates[&usd].date, Instant::parse("2026-10-31").unwrap());
    assert_eq!(settings.fx.rates.len(), 2, "a whole number and a bare date are exact too");
    assert_eq!(accepted("[mrr]\ncoupons = \"none\"").mrr.coupons, CountedCoupons::None);
}

#[test]
fn a_bad_value_says_what_to_write_instead() {
    for (more, expected) in [
        ("[[crm]]\ncontacts = \"c.csv\"\nencoding = \"utf-9\"", "`utf-9` is no encoding; write an encoding in quotes"),
        ("[[crm]]\ncontacts = \"c.csv\"\ndates = \"uk\"", "write \"iso\", \"us\" or \"eu\""),
        ("[[crm]]\ncontacts = \"c.csv\"\ntime_zone = \"America/NewYork\"", "did you mean \"America/New_York\"?"),
        ("[tether]\nrate = 10", "write calls per s, min, h or d, or \"auto\", like rate = \"10/s\""),
        ("[tether]\ndeadline = 30", "`30` has no unit"),
        ("[tether]\nburst = 0", "`0` is too small"),
        ("[tether]\nin_flight = 4096", "above 1024"),
        ("[tether]\nurl = \"http://usetether.io\"", "unencrypted"),
        ("[fx]\nusd = { rate = 0.92, date = \"2026-10-31\" }", "0.92 stands without quotes, put it in quotes"),
        ("[fx]\nusd = 0.92", "write { rate = \"0.92\", date = \"2026-10-31\" }"),
        ("[fx]\nusd = { rate = \"0.92\" }", "fx.usd.date: is missing"),
        ("[fx]\nusd = { rate = \"-1\", date = \"2026-10-31\" }", "not above 0"),
        ("[fx]\neuro = { rate = \"1\", date = \"2026-10-31\" }", "three-letter"),
        ("[fx]\neur = { rate = \"1\", date = \"2026-10-31\" }", "own currency"),
        (
            "[fx]\nusd = { rate = \"1\", date = \"2026-10-31\" }\nUSD = { rate = \"1\", date = \"2026-10-31\" }",
            "stands twice",
        ),
        ("[mrr]\nweek_factor = 4.33", "4.33 stands without quotes"),
        ("[mrr]\ncoupons = \"forver\"", "did you mean \"forever\"?"),
        ("[mrr.coupons]\nA = { duration = \"once\" }", "takes nothing off"),
        ("[mrr.coupons]\nA = { percent_off = 20 }", "mrr.coupons.A.duration: is missing"),
        ("[mrr.coupons]\nA = { percent_off = 120, duration = \"once\" }", "above 100"),
        ("[mrr.coupons]\nA = { amount_off = \"5\", duration = \"once\" }", "without its currency"),
        ("[mrr.coupons]\nA = { amount_off = 5.5, currency = \"usd\", duration = \"once\" }", "put it in quotes"),
        ("[mrr]\ncurrency_digits = { jpy = 7 }", "above 4"),
        ("[guards]\nmin_rows_percent = 180", "above 100"),
        ("[guards]\nmax_changed_percent = -1", "negative"),
        ("[guards]\nmax_rows_percent = 99.9", "below 100"),
        ("[guards]\nmax_customer_mrr_change = 5000.50", "put it in quotes"),
        ("[guards]\nmax_customer_mrr_change = \"0\"", "not above 0"),
        ("[guards]\nmax_export_age = 36", "has no unit"),
        ("[guards]\nrefuse_repeated_files = \"yes\"", "write true or false"),
        ("[fields]\nmrr = [\"crm\"]", "this field may come from stripe"),
        ("[fields]\nexternal_id = [\"metadata\"]", "external_id_metadata"),
        ("[fields]\nname = []", "the list is empty"),
        ("[[crm]]\npreset = \"salesfroce\"\ncontacts = \"c.csv\"", "did you mean \"salesforce\"?"),
        (
            "[[crm]]\npreset = \"hubspot\"\ncontacts = \"c.csv\"\ncolumns = { emails = [\"a\", \"a\"] }",
            "`a` stands twice",
        ),
        (
            "[[crm]]\npreset = \"hubspot\"\ncontacts = \"c\"\ncompanies = \"d\"\n[[crm]]\nname = \"hubspot_companies\"\npreset = \"hubspot\"\ncontacts = \"c\"",
            "`hubspot_companies` stands twice as the name of a source",
        ),
        ("[[crm]]\nname = \"own\"\ncontacts = \"c.csv\"", "needs columns with at least one of email"),
        ("[[crm]]\nname = \"existing\"\npreset = \"hubspot\"\ncontacts = \"c.csv\"", "name of another source"),
        ("[crm]\nname = \"own\"", "write [[crm]] with two brackets"),
        ("[[tether]]\nrate = \"10/s\"", "write [tether] once"),
        ("[existing]\n", "existing.customers: is missing"),
        ("filter = \"plan = 'core'\"", "`plan` lacks its source; write it before the name"),
        ("filter = 5", "write a condition like"),
        ("creation = \"maybe\"", "write \"on\" or \"off\""),
        ("[[product]]\nname = \"CORE\"\nkey = { env = \"B\" }", "stands twice"),
        ("[[product]]\nname = \"../core\"\nkey = { env = \"B\" }", "letters, digits"),
        (
            "[[product]]\nname = \"b\"\nkey = { env = \"B\" }\n[existing]\ncustomers = \"c.csv\"",
            "under each [[product]]",
        ),
        ("existing = \"a.csv\"\n[existing]\ncustomers = \"c.csv\"", "remove one of them"),
        ("[[product]]\nname = \"b\"\nkey = { env = \"B\", file = \"f\" }", "names 2 places"),
        ("[[product]]\nname = \"b\"\nkey = { }", "names 0 places"),
        ("[[product]]\nname = \"b\"", "product[2].key: is missing"),
        ("[tehter]\nrate = \"10/s\"", "did you mean [tether]?"),
        ("[tether]\ncurrency = \"usd\"", "it stands under [run]"),
        ("[tether]\nrte = \"10/s\"", "did you mean `rate`?"),
    ] {
        check_refused(more, expected);
    }
    let errors = read("currency = \"usd\"").unwrap_err().to_string();
    for expected in ["belongs under [run]", "run.currency: is missing", "names no customers", "[[product]]"] {
        assert!(errors.contains(expected), "{errors}");
    }
}

#[test]
fn a_key_that_was_pasted_into_the_file_is_never_shown() {
    for key in [
        "tk_live_1234",
        "\"tk_live_1234",
        "\"tk_live_1234\"",
        "{ env = \"tk-live-1234\" }",
        "{ credential = \"tk/live/1234\" }",
        "[\"tk_live_1234\"]",
    ] {
        let errors = read(&LEAST.replace("{ env = \"TETHER_API_KEY\" }", key)).unwrap_err();
        assert!(!format!("{errors} {errors:?}").contains("1234"), "{errors}");
    }
}

#[test]
fn every_problem_is_reported_at_once_with_its_place() {
    let text = r#"
[run]
curency = "usd"

[stripe]
customers = 7
amount = "totl"

[[crm]]
name = "sales"
preset = "pipedrve"
contacts = []
columns = { emial = "E-mail" }

[fx]
eur = { rate = 1.0842, date = "last october" }

[guards]
max_created = "many"

[tether]
url = "http://usetether.io"
rate = "fast"
deadline = "2 fortnights"

[[product]]
name = "core"
key = "tk_live_1234"
filter = "all"

[[product]]
name = "core"
key = { env = "TETHER_CORE_KEY" }

[existing]
customers = "tether.jsonl"
"#;
    insta::assert_snapshot!("every_problem_at_once", read(text).unwrap_err().to_string());
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_place() {
    let errors = read("[run]\ncurrency = usd\n[stripe\nfiles = 'x'\n").unwrap_err();
    assert_eq!(errors.problems()[0].line, 2, "{errors}");
    assert!(errors.problems().len() > 1, "both lines are named: {errors}");
}

#[test]
fn a_column_counts_characters_not_bytes() {
    let errors = read(&LEAST.replace("name = \"core\"", "\"größe\" = 1\nname = \"core\"")).unwrap_err();
    assert_eq!((errors.problems()[0].line, errors.problems()[0].column), (7, 1), "{errors}");
    let errors = read(&LEAST.replace("{ env = \"TETHER_API_KEY\" }", "{ \"ü\" = 1, env = 2 }")).unwrap_err();
    assert!(errors.problems().iter().any(|problem| (problem.line, problem.column) == (8, 24)), "{errors}");
}

#[test]
fn the_hash_follows_the_meaning_not_the_text_nor_the_folder() {
    let hash = |text: &str, base: &str| parse(text, Path::new(base)).unwrap().hash;
    let plain = hash(LEAST, "/books");
    assert_eq!(plain.len(), 64);
    assert_eq!(plain, hash(LEAST, "/moved/[2026]"), "the folder is no part of it");
    assert_eq!(plain, hash(&format!("# a comment\n{LEAST}\n[tether]\nrate = \"10 / s\""), "/books"));
    assert_ne!(plain, hash(&format!("{LEAST}\n[tether]\nrate = \"11/s\""), "/books"));
    let companies = format!("{LEAST}\n[[crm]]\npreset = \"hubspot\"\ncontacts = \"c\"\ncompanies = \"d\"");
    assert_eq!(hash(&companies, "/books"), hash(&companies, "/moved"));
    assert_ne!(plain, hash(&LEAST.replace("TETHER_API_KEY", "OTHER_KEY"), "/books"));
    assert_ne!(plain, hash(&LEAST.replace("in/**/*", "out/**/*"), "/books"));
}

#[test]
fn a_product_s_rate_and_burst_stand_before_those_of_tether_and_only_they_change_the_hash() {
    let with = |tether: &str, product: &str| {
        let text = format!("[tether]\n{tether}\n{LEAST}\n{product}");
        let settings = parse(&text, Path::new("/books")).unwrap_or_else(|error| panic!("{text}: {error}"));
        (settings.products[0].pace(&settings.tether).to_string(), settings.hash)
    };
    for (tether, product, expected) in [
        ("", "", "rate = \"10/s\", burst = 1"),
        ("rate = \"2/s\"\nburst = 3", "", "rate = \"2/s\", burst = 3"),
        ("rate = \"2/s\"\nburst = 3", "rate = \"5/min\"", "rate = \"5/min\", burst = 3"),
        ("rate = \"auto\"", "rate = \"7 / h\"\nburst = 2", "rate = \"7/h\", burst = 2"),
        ("", "rate = \"auto\"", "rate = \"auto\""),
        ("", "burst = 4", "rate = \"10/s\", burst = 4"),
    ] {
        assert_eq!(with(tether, product).0, expected, "{tether} {product}");
        assert_eq!(with(tether, product).1 == with(tether, "").1, product.is_empty(), "{tether} {product}");
    }
    let portable = parse(LEAST, Path::new("/books")).unwrap().portable;
    assert!(!portable.contains(r#""filter""#) && portable.matches("\"rate\"").count() == 1, "{portable}");
    for (product, expected) in [
        ("rate = 5", "product.rate: `5` does not say per what time; write calls per s, min, h or d, or \"auto\""),
        ("burst = 0", "product.burst: `0` is too small"),
    ] {
        let error = read(&format!("{LEAST}\n{product}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn products_whose_key_stands_in_one_place_have_one_pace() {
    let two = |core: &str, lite: &str, key: &str| {
        read(&format!("{LEAST}\n{core}\n[[product]]\nname = \"lite\"\nkey = {{ env = \"{key}\" }}\n{lite}"))
    };
    for (core, lite, key, refused) in [
        ("", "", "TETHER_API_KEY", None),
        ("rate = \"5/s\"", "rate = \"300/min\"", "TETHER_API_KEY", None),
        ("rate = \"5/s\"", "rate = \"6/s\"", "TETHER_LITE_KEY", None),
        ("rate = \"5/s\"", "", "TETHER_API_KEY", Some("product[2].rate: `lite` and `core` have the same key")),
        ("", "burst = 2", "TETHER_API_KEY", Some("product[2].burst: `lite` and `core` have the same key")),
        (
            "rate = \"auto\"",
            "rate = \"5/s\"",
            "TETHER_API_KEY",
            Some("`lite` has rate = \"5/s\", burst = 1, `core` has rate = \"auto\""),
        ),
    ] {
        let said = two(core, lite, key).map(|_| ()).map_err(|error| error.to_string());
        match refused {
            None => assert_eq!(said, Ok(()), "{core} | {lite}"),
            Some(part) => assert!(said.clone().unwrap_err().contains(part), "{core} | {lite}: {said:?}"),
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tether-recon.toml");
    assert!(super::load(&path).unwrap_err().to_string().contains("tether-recon.toml"));
    std::fs::write(&path, b"[run]\ncurrency = \"\xff\"\n").unwrap();
    assert!(matches!(super::load(&path), Err(ConfigErrors::Unreadable { .. })));
    std::fs::write(&path, "[run]\n").unwrap();
    let shown = super::load(&path).unwrap_err().to_string();
    assert!(shown.lines().next().unwrap().contains("tether-recon.toml"), "{shown}");
    std::fs::write(&path, LEAST).unwrap();
    assert_eq!(super::load(&path).unwrap().base, folder.path());
}

#[test]
fn every_preset_is_known_by_its_name_and_named_where_the_key_is_explained() {
    let expects = super::schema::find("crm", "preset").unwrap().expects;
    for (name, preset) in CrmPreset::ALL {
        assert!(expects.contains(&format!("\"{name}\"")), "{name}");
        let columns = "columns = { id = \"n\", email = \"m\", emails = [\"o\", \"p\"] }";
        let settings = accepted(&format!("[[crm]]\nname = \"x\"\npreset = \"{name}\"\ncontacts = \"c\"\n{columns}"));
        assert_eq!((settings.crms[0].preset, settings.crms[0].columns["emails"].len()), (*preset, 2));
    }
}

/// A value of the wrong type under every known key: a key that is listed but never read would pass unnoticed.
#[test]
fn every_listed_key_is_read() {
    for key in KEYS {
        let bad = "[[1]]";
        let (top, rest) = key.section.split_once('.').unwrap_or((key.section, ""));
        let brackets = SECTIONS.iter().find(|(name, _)| *name == top).map(|(_, shape)| *shape);
        let header = if brackets == Some(Shape::Repeated) { format!("[[{top}]]") } else { format!("[{top}]") };
        let line = match rest.trim_end_matches(".*") {
            "" => format!("{} = {bad}", key.name),
            "*" => format!("usd = {{ {} = {bad} }}", key.name),
            inner if rest.ends_with('*') => format!("{inner} = {{ X = {{ {} = {bad} }} }}", key.name),
            inner => format!("{inner} = {{ {} = {bad} }}", key.name),
        };
        let errors = read(&format!("{header}\n{line}\n")).unwrap_err();
        let path = key.section.replace("coupons.*", "coupons.X").replace("fx.*", "fx.usd") + "." + key.name;
        let told = errors.problems().iter().any(|problem| problem.key == path && problem.line == 2);
        assert!(told, "{path} is not read:\n{errors}");
    }
}

/// The files that ship with the program.
fn shipped(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).unwrap()
}

#[test]
fn the_example_names_every_key_and_each_of_its_alternatives_is_accepted() {
    let text = shipped("example.toml");
    read(&text).unwrap();
    let lines: Vec<&str> = text.lines().map(|line| line.trim_start_matches("# ")).collect();
    for key in KEYS {
        let words = [format!("{} = ", key.name), format!("{{ {} = ", key.name), format!(", {} = ", key.name)];
        let shown = lines
            .iter()
            .any(|line| line.starts_with(&words[0]) || line.contains(&words[1]) || line.contains(&words[2]))
            || lines.contains(&format!("[{}.{}]", key.section, key.name).as_str());
        assert!(shown, "config/example.toml lacks [{}] {}", key.section, key.name);
    }
    for (index, line) in text.lines().enumerate() {
        let Some((key, _)) = line.strip_prefix("# ").and_then(|rest| rest.split_once(" = ")) else { continue };
        if key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let changed = with_alternative(&text, index, key);
            read(&changed).unwrap_or_else(|errors| panic!("config/example.toml: {line}\n{errors}"));
        }
    }
}

/// The example with the commented line `index` in force, instead of what its section says about `key`.
fn with_alternative(text: &str, index: usize, key: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_header = |line: &&str| line.starts_with('[');
    let start = lines[..index].iter().rposition(is_header).unwrap_or(0);
    let end = lines[index..].iter().position(is_header).map_or(lines.len(), |after| index + after);
    let mut changed = String::new();
    for (at, line) in lines.iter().enumerate() {
        let replaced = (start..end).contains(&at) && line.starts_with(&format!("{key} = "));
        if !replaced {
            changed.push_str(if at == index { line.trim_start_matches("# ") } else { line });
            changed.push('\n');
        }
    }
    // What one product holds is said in one of two places.
    let elsewhere = "[existing]\ncustomers = \"exports/tether/customers*.jsonl\"\n";
    if key == "existing" { changed.replace(elsewhere, "") } else { changed }
}

#[test]
fn the_demo_says_sandbox_and_has_an_open_and_a_closed_product() {
    let settings = read(&shipped("demo.toml")).unwrap();
    assert_eq!(settings.tether.url, TetherUrl::Sandbox);
    let gates: Vec<_> = settings.products.iter().map(|product| (product.name.as_str(), product.creation)).collect();
    assert_eq!(gates, [("core", Some(true)), ("academy", Some(false))]);
}

proptest! {
    #[test]
    fn any_text_is_accepted_or_refused_with_a_place(text in r#"(\[{1,2}(run|stripe|fx|product|mrr.coupons)\]{1,2}|[a-z]{1,8} ?= ?|"[^"]{0,6}"|[0-9.]{1,5}|\{|\}|\n|\PC){0,30}"#) {
        if let Err(errors) = read(&text) {
            let lines = text.lines().count().max(1);
            prop_assert!(!errors.problems().is_empty());
            for problem in errors.problems() {
                prop_assert!((1..=lines + 1).contains(&problem.line) && problem.column >= 1, "{problem}");
                prop_assert!(!problem.message.is_empty());
            }
        }
    }
}
