//! From a folder of files to a configuration that a run can work with.

use super::{Dialogue, Wanted, init};
use crate::app::exit::ExitCode;
use crate::app::tests::context;
use crate::app::{Context, config_check, plan};
use std::path::Path;

const CUSTOMERS: &str = "id,Email,Name,Created (UTC),user_id (metadata)\ncus_1,ada@example.com,Ada,2026-01-01 00:00,NW-1\n\
    cus_2,bob@example.com,Bob,2026-01-02 00:00,NW-2\ncus_3,eve@example.com,Eve,2026-01-02 00:00,NW-3\n";
const SUBSCRIPTIONS: &str = "id,Customer ID,Status,Amount,Currency,Interval,Quantity\nsub_1,cus_1,active,10.00,usd,month,1\n\
    sub_2,cus_2,active,20.00,usd,month,1\nsub_3,cus_3,active,20.00,eur,month,1\n";
const CONTACTS: &str = "Record ID,First Name,Last Name,Email,Customer ID,Billing,Last Activity Date\n\
    7,Ada,L,ada@example.com,NW-1,cus_1,2026-10-01\n8,Bob,B,bob@example.com,NW-2,cus_2,2026-10-01\n";
const CORE: &str = "{\"tether_id\":\"t-1\",\"external_id\":\"NW-1\",\"email\":\"ada@example.com\",\"mrr\":10}\n\
    {\"tether_id\":\"t-2\",\"external_id\":\"NW-2\",\"email\":\"bob@example.com\",\"mrr\":20}\n";

const ALL: &[(&str, &str)] = &[
    ("exports/customers_2026-10-31.csv", CUSTOMERS),
    ("exports/subscriptions_2026-10-31.csv", SUBSCRIPTIONS),
    ("exports/hubspot/contacts.csv", CONTACTS),
    ("exports/core.jsonl", CORE),
    ("exports/README.md", "# Where these come from\n"),
];

fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = site.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    site
}

/// What came of `config init` in a folder: code, what was printed, the configuration.
fn initiated(site: &Path, typed: Option<&str>) -> (u8, String, String) {
    let (mut out, mut talk, mut asked) = (vec![], vec![], vec![]);
    let wanted = Wanted { folder: Some(site.to_owned()), ..Wanted::default() };
    let mut answers = typed.unwrap_or_default().as_bytes();
    let mut dialogue = Dialogue { answers: &mut answers, questions: &mut asked };
    let dialogue = typed.map(|_| &mut dialogue);
    let (code, error) = match init(&context(site), &wanted, dialogue, &mut out, &mut talk) {
        Ok(code) => (code.code(), String::new()),
        Err(error) => (error.exit_code().code(), error.to_string()),
    };
    let printed = [out, asked].concat();
    let text = String::from_utf8(printed).unwrap() + &error;
    (
        code,
        text.replace(site.to_str().unwrap(), "<site>"),
        std::fs::read_to_string(site.join("tether-recon.toml")).unwrap_or_default(),
    )
}

#[test]
fn a_folder_of_exports_becomes_a_configuration_that_is_checked_and_planned_at_once() {
    let site = site(ALL);
    let (code, printed, toml) = initiated(site.path(), None);
    assert_eq!(code, 0, "{printed}");
    let toml = toml.replace(site.path().to_str().unwrap(), "<site>");
    insta::assert_snapshot!("config_init", format!("{printed}\n=====\n{toml}"));
    let mut out = Vec::new();
    let checked = config_check::run(&context(site.path()), &mut out).map(ExitCode::code);
    assert!(matches!(checked, Ok(0)), "{checked:?} {}", String::from_utf8_lossy(&out));
    let (code, text) = plan::plan(&context(site.path()), &plan::Options::default()).unwrap();
    // The customer in euro has no rate yet.
    assert_eq!(code.code(), 3, "{text}");
}

#[test]
fn what_is_typed_stands_in_the_configuration() {
    let site = site(ALL);
    let (code, printed, toml) = initiated(site.path(), Some("EUR\nno\n\nacademy\ntk_live_1234\nACADEMY_KEY\non\n"));
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("never the key itself") && !printed.contains("tk_live"), "{printed}");
    for line in [
        "currency = \"eur\"",
        "# usd = { rate",
        "# columns = { external_id = \"Customer ID\" }",
        "external_id_metadata = \"user_id\"",
        "name = \"academy\"\nkey = { env = \"ACADEMY_KEY\" }",
        "\ncreation = \"on\"",
    ] {
        assert!(toml.contains(line), "{line}: {toml}");
    }
}

#[test]
fn a_configuration_that_is_there_is_kept_and_a_folder_without_stripe_is_refused() {
    let site_with = site(&[ALL, &[("tether-recon.toml", "mine")]].concat());
    let (code, printed, toml) = initiated(site_with.path(), None);
    assert_eq!((code, toml.as_str()), (2, "mine"));
    assert!(printed.contains("--force"), "{printed}");

    let without = site(&[("exports/contacts.csv", CONTACTS), ("notes.txt", "x")]);
    let (code, printed, toml) = initiated(without.path(), None);
    assert_eq!((code, toml.as_str()), (8, ""), "{printed}");
    assert!(printed.contains("HubSpot contacts (CSV)") && printed.contains("no Stripe customers"), "{printed}");

    let gone = Wanted { folder: Some("nowhere".into()), ..Wanted::default() };
    let refused = init(&context(without.path()), &gone, None, &mut vec![], &mut vec![]).unwrap_err();
    assert_eq!(refused.exit_code().code(), 2);
}

#[test]
fn two_exports_of_the_same_people_are_two_products() {
    let other = CORE.replace("t-", "x-");
    let site = site(&[ALL, &[("exports/academy.jsonl", other.as_str())]].concat());
    let (code, printed, toml) = initiated(site.path(), None);
    assert_eq!(code, 0, "{printed}");
    for line in [
        "key = { env = \"TETHER_ACADEMY_KEY\" }",
        "existing = \"exports/academy.jsonl\"",
        "existing = \"exports/core.jsonl\"",
        "# filter = \"stripe_subscriptions.product IN ('prod_1', 'prod_2')\"",
    ] {
        assert!(toml.contains(line), "{line}: {toml}");
    }
}

#[test]
fn dates_of_which_nothing_tells_the_order_are_left_to_a_person() {
    let contacts = CONTACTS.replace("2026-10-01", "03/04/2026");
    let site_of = || site(&[ALL[0], ALL[1], ("exports/contacts.csv", contacts.as_str())]);
    let silent = site_of();
    let (code, printed, toml) = initiated(silent.path(), None);
    assert_eq!(code, 0, "{printed}");
    assert!(toml.contains("# NEEDED: ") && toml.contains("# dates = \"us\""), "{toml}");
    assert!(printed.contains("a run would refuse what is there: exports/contacts.csv, line 2"), "{printed}");
    let asked = site_of();
    let (code, printed, toml) = initiated(asked.path(), Some("\n\neu\n"));
    assert_eq!(code, 0, "{printed}");
    assert!(toml.contains("\ndates = \"eu\"") && !printed.contains("would refuse"), "{toml}{printed}");
}

#[test]
fn the_configuration_can_go_to_standard_output_and_the_talk_elsewhere() {
    let site = site(ALL);
    let wanted = Wanted { folder: Some(site.path().to_owned()), output: Some("-".into()), force: false };
    let (mut out, mut talk) = (vec![], vec![]);
    let context = Context { ..context(site.path()) };
    init(&context, &wanted, None, &mut out, &mut talk).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("# Written by") && text.contains("[stripe]"), "{text}");
    assert!(String::from_utf8(talk).unwrap().contains("recognised as"));
    assert!(!site.path().join("tether-recon.toml").exists());
}
