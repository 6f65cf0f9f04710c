//! Overrides files: every dialect is read, and a decision that cannot be read refuses the run.

use super::{Case, rows};
use crate::config::CrmPreset;
use crate::load::LoadError;

fn case(overrides: impl AsRef<[u8]>) -> Case {
    let mut case = Case::new()
        .file("contacts.csv", "Record ID,Email\n1,a@example.com\n")
        .crm(CrmPreset::Hubspot, "contacts.csv", &[])
        .file("overrides.csv", overrides);
    let pattern = case.pattern("overrides.csv");
    case.settings.identity.overrides.push(pattern);
    case
}

#[test]
fn a_spreadsheet_of_decisions_is_read_in_any_dialect() {
    let expected = ["link|cus_1|0|7|crm:7|2", "never|cus_1|-|cus_2|cus_2|3"];
    for text in [
        "decision,account,with,note\nlink,cus_1,crm:7,said by Ada\nnever,cus_1,cus_2,\n".as_bytes().to_vec(),
        b"\xef\xbb\xbfDecision;Account;With\r\nLink;cus_1;crm:7\r\nNEVER; cus_1 ;cus_2\r\n".to_vec(),
        b"decision\taccount\twith\rlink\tcus_1\tcrm:7\rnever\tcus_1\tcus_2\r".to_vec(),
    ] {
        let loaded = case(text).load();
        let found = rows(loaded.overrides.frame(), &["decision", "account", "crm", "other", "with", "line"]);
        assert_eq!(found, expected);
        assert_eq!(loaded.rows["overrides"], 2);
        assert!(loaded.files.iter().any(|file| file.source == "overrides" && file.sha256.len() == 64));
    }
    assert!(case("decision,account,with\n").load().overrides.is_empty());
}

#[test]
fn a_decision_that_cannot_be_read_or_is_contradicted_refuses_the_run_with_its_line() {
    for (text, line, says) in [
        ("join,cus_1,crm:7", 2, "neither `link` nor `never`"),
        ("link,,crm:7", 2, "account is blank"),
        ("link,cus_1,", 2, "with is blank"),
        ("link,a@example.com,crm:7", 2, "no Stripe customer's id"),
        ("link,cus_1,crn:7", 2, "did you mean `crm:`?"),
        ("link,cus_1,crm:", 2, "names no contact"),
        ("link,cus_1,7", 2, "CRMs: crm"),
        ("link,cus_1,cus_1", 2, "stands on both sides"),
        ("link,cus_1", 2, "short_row"),
        ("link,cus_1,crm:7\nlink,cus_1,crm:8", 3, "several contacts"),
        ("link,cus_1,crm:7\nnever,cus_1,crm:7", 3, "yet linked by overrides.csv:2"),
        ("never,cus_2,cus_1\nlink,cus_1,cus_2", 2, "yet linked by overrides.csv:3"),
        ("link,cus_1,cus_2\nlink,cus_2,cus_3\nnever,cus_1,cus_3", 4, "overrides.csv:2, overrides.csv:3"),
        (
            "link,cus_1,crm:7\nlink,cus_1,cus_2\nlink,cus_2,crm:8",
            4,
            "several contacts: crm:8 and, by overrides.csv:2, crm:7",
        ),
        ("link,cus_1,crm:7\nlink,cus_2,crm:7\nnever,cus_1,cus_2", 4, "never to be linked"),
    ] {
        let error = case(format!("decision,account,with\n{text}\n")).error();
        assert!(matches!(&error, LoadError::Override { line: found, .. } if *found == line), "{text}: {error:?}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    // The line is that of the file, whatever stands above it.
    let cut = case("decision,account,with,note\n\nlink,cus_1,crm:7,\"two\nlines\"\nnever,cus_2,cr").error();
    assert!(matches!(&cut, LoadError::Override { line: 5, .. }), "{cut:?}");
    assert!(cut.to_string().contains("the file breaks off there"), "{cut}");
    let error = case("decision,account\nlink,cus_1\n").error();
    assert!(matches!(&error, LoadError::MissingColumn { field, .. } if field == "with"), "{error}");
}

#[test]
fn a_record_is_known_by_every_spelling_of_its_id() {
    let case = |text: &str| {
        let mut case = Case::new()
            .file("contacts.csv", "Id,Email\n0031G00000qAfq1QAC,a@example.com\n")
            .crm(CrmPreset::Salesforce, "contacts.csv", &[])
            .file("overrides.csv", format!("decision,account,with\n{text}\n"));
        let pattern = case.pattern("overrides.csv");
        case.settings.identity.overrides.push(pattern);
        case
    };
    let loaded = case("never,cus_1,crm:0031G00000qAfq1").load();
    assert_eq!(rows(loaded.overrides.frame(), &["other", "with"]), ["0031G00000qAfq1QAC|crm:0031G00000qAfq1"]);
    let contradiction = case("link,cus_1,crm:0031G00000qAfq1\nnever,cus_1,crm:0031G00000qAfq1QAC").error().to_string();
    assert!(contradiction.contains("never to be linked"), "{contradiction}");
}
