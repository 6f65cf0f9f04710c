//! CRM files.

use super::{BreakKind, Case, CrmPreset, Reason, rejected, rows};

#[test]
fn hubspot_is_read_by_its_headings_in_any_case() {
    let text = "record id,First Name,Last Name,Email,Work email,Additional email addresses,Associated Company,Last Activity Date\n\
        101,Jane,Doe,Jane@Example.com,jane@example.org,JANE@example.com; j.doe@example.net ,Acme,2026-04-01 09:00\n\
        102,,Solo,,,,,1775034000123\n\
        ,No,Id,x@example.com,,,,\n\
        104,Bad,Date,y@example.com,,,,yesterday\n";
    let loaded = Case::new().file("h.csv", text).crm(CrmPreset::Hubspot, "h.csv", &[]).load();
    assert_eq!(
        rows(
            loaded.contacts.frame(),
            &["ord", "file", "line", "crm", "id", "email", "emails", "external_id", "name", "company_name", "last_activity"]
        ),
        [
            "0|0|2|0|101|jane@example.com|jane@example.com;jane@example.com;j.doe@example.net;jane@example.org|-|Jane Doe|Acme|2026-04-01T09:00:00Z"
                .replace("jane@example.com;jane@example.com;", "jane@example.com;"),
            "1|0|3|0|102|-||-|Solo|-|2026-04-01T09:00:00Z".to_owned(),
            // A date that cannot be read does not cost the contact.
            "2|0|5|0|104|y@example.com|y@example.com|-|Bad Date|-|-".to_owned(),
        ]
    );
    assert_eq!(rejected(&loaded), [("h.csv", 4, Reason::MissingId, None, None)]);
    assert_eq!(loaded.rejections[0].source, "crm");
    let unreadable = loaded.breaks.iter().find(|found| found.kind == BreakKind::UnreadableValue).unwrap();
    assert_eq!((unreadable.line, unreadable.key.as_str()), (Some(5), "104"));
    assert_eq!(
        unreadable.detail,
        "Last Activity Date: `yesterday`: it is no date that can be read; the row stands without it"
    );
}

#[test]
fn configured_columns_override_the_preset_and_a_missing_one_names_the_nearest_heading() {
    let text = "Record ID;Customer ID;Stripe Customer ID;Full name;E-mail\n7; u-7 ;cus_7;Ada L;ADA@example.com\n";
    let columns = [
        ("external_id", "customer id"),
        ("stripe_customer_id", "Stripe Customer ID"),
        ("name", "Full Name"),
        ("email", "E-Mail"),
    ];
    let loaded = Case::new().file("h.csv", text).crm(CrmPreset::Hubspot, "h.csv", &columns).load();
    assert_eq!(
        rows(loaded.contacts.frame(), &["id", "external_id", "stripe_customer_id", "name", "email", "emails"]),
        ["7|u-7|cus_7|Ada L|ada@example.com|ada@example.com"]
    );
    for (preset, columns, expected) in [
        (
            CrmPreset::Hubspot,
            vec![("external_id", "Customer Id Number")],
            "h.csv, line 1: no column `Customer Id Number` for external_id; the nearest heading is `Customer ID`; correct \
             columns.external_id of the CRM `crm`",
        ),
        (CrmPreset::Custom, vec![], "no column `id` for id; the nearest heading is"),
    ] {
        let error = Case::new().file("h.csv", text).crm(preset, "h.csv", &columns).error().to_string();
        assert!(error.contains(expected), "{error}");
    }
    // One column may give two fields.
    let both = [("id", "Customer ID"), ("external_id", "Customer ID")];
    let loaded = Case::new().file("h.csv", text).crm(CrmPreset::Custom, "h.csv", &both).load();
    assert_eq!(rows(loaded.contacts.frame(), &["id", "external_id", "name", "emails"]), ["u-7|u-7|-|"]);
}

/// What stands between ids is the preset's matter: an own CRM's ids may hold blanks, commas and colons.
#[test]
fn ids_of_any_text_stay_whole_in_lists_and_a_time_behind_one_is_cut_from_numbers_alone() {
    let text = "key,mail,merged,org\n\
                org:1,a@example.com,org:2; org 3 ,acme 1\n\
                org,b@example.com,\"x,y;org:2\",\"a,b\"\n";
    let columns = [("id", "key"), ("email", "mail"), ("merged_ids", "merged"), ("company_id", "org")];
    let loaded = Case::new().file("c.csv", text).crm(CrmPreset::Custom, "c.csv", &columns);
    let loaded = loaded.file("o.csv", "company_id,name\nacme 1,Acme\n\"a,b\",Beta\n").companies("o.csv").load();
    let found = rows(loaded.contacts.frame(), &["id", "merged_ids", "company_name"]);
    assert_eq!(found, ["org:1|org:2;org 3|Acme", "org|x,y;org:2|Beta"]);
    let text = "Record ID,Email,Merged contact IDs\n1,a@example.com,\"2:1617212567000, 3 4\"\n";
    let loaded = Case::new().file("c.csv", text).crm(CrmPreset::Hubspot, "c.csv", &[]).load();
    assert_eq!(rows(loaded.contacts.frame(), &["merged_ids"]), ["2;3;4"]);
}

#[test]
fn long_lists_name_each_entry_once_in_their_order() {
    let numbers: Vec<String> = (10..110).map(|number| number.to_string()).collect();
    let twice =
        |suffix: &str| numbers.iter().chain(&numbers).map(|n| format!("{n}{suffix}")).collect::<Vec<_>>().join(";");
    let text = format!("Record ID,Email,Merged contact IDs\n1,{},{}\n", twice("@example.com"), twice(".0"));
    let loaded = Case::new().file("c.csv", text).crm(CrmPreset::Hubspot, "c.csv", &[]).load();
    let addresses = numbers.iter().map(|n| format!("{n}@example.com")).collect::<Vec<_>>().join(";");
    let expected = format!("{addresses}|{}", numbers.join(";"));
    assert_eq!(rows(loaded.contacts.frame(), &["emails", "merged_ids"]), [expected]);
}
