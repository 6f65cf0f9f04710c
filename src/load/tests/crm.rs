//! What each CRM exports, in the shapes it really has, with invented people.

use super::{BreakKind, Case, CrmPreset, Loaded, Reason, rejected, rows};
use polars::prelude::*;

/// Contacts as `id|emails|merged_ids|merged_into|deleted|stripe|name|company|last activity`.
fn contacts(loaded: &Loaded) -> Vec<String> {
    let columns = [
        "id",
        "emails",
        "merged_ids",
        "merged_into",
        "deleted",
        "stripe_customer_id",
        "name",
        "company_name",
        "last_activity",
    ];
    rows(loaded.contacts.frame(), &columns)
}

fn settled(loaded: &Loaded) -> Vec<String> {
    rows(loaded.settled.frame(), &["source", "line", "id", "disposition", "reason"])
}

/// Every row that was counted is a contact, rejected or settled.
fn nothing_is_lost(loaded: &Loaded) {
    let counted: u64 = loaded.files.iter().map(|file| file.rows).sum();
    let found = loaded.contacts.len() + loaded.rejections.len() + loaded.settled.len();
    assert_eq!(counted, found as u64);
    assert_eq!(
        counted,
        loaded.rows.iter().filter(|(source, _)| source.starts_with("crm")).map(|(_, rows)| rows).sum::<u64>()
    );
}

/// One file as one preset reads it: shape, contacts.
fn check(preset: CrmPreset, text: &str, shape: &str, expected: &[&str]) {
    let loaded = Case::new().file("c.csv", text).crm(preset, "c.csv", &[]).load();
    assert_eq!(loaded.files[0].shape, shape, "{text}");
    assert_eq!(contacts(&loaded), expected, "{text}");
    assert_eq!(rejected(&loaded), [], "{text}");
    nothing_is_lost(&loaded);
}

#[test]
fn hubspot_and_salesforce_are_read_in_every_shape_that_they_export() {
    use CrmPreset::{Hubspot, Salesforce};
    for (preset, text, shape, expected) in [
        (
            Hubspot,
            "Record ID,First Name,Last Name,Email,Additional email addresses,Associated Company,Associated Company IDs,\
             Merged vids with timestamps of a contact,Last Activity Date\n\
             101,Ana,Ruiz,Ana@Example.com,a.ruiz@example.org; ana@example.com,Acme; Beta,77;78,90:1617212567000;91:1617212567001,2026-10-01 09:30\n",
            "HubSpot contacts (CSV)",
            &["101|ana@example.com;a.ruiz@example.org|90;91|-|false|-|Ana Ruiz|-|2026-10-01T09:30:00Z"][..],
        ),
        (
            Hubspot,
            "hs_object_id,email,firstname,lastname,hs_additional_emails,hs_merged_object_ids,associatedcompanyid,company,\
             lastmodifieddate,notes_last_updated,archived\n\
             101,ana@example.com,Ana,Ruiz,,76;46,77,Acme,2026-10-30T00:00:00Z,2026-10-01T09:30:00.123Z,false\n\
             102,bo@example.com,Bo,,,,,,,1790845860000,TRUE\n",
            "HubSpot contacts by API names (CSV)",
            &[
                "101|ana@example.com|76;46|-|false|-|Ana Ruiz|Acme|2026-10-01T09:30:00Z",
                "102|bo@example.com||-|true|-|Bo|-|2026-10-01T09:11:00Z",
            ],
        ),
        (
            Hubspot,
            "_fivetran_deleted,_fivetran_synced,id,property_email,property_firstname,property_company,\
             property_hs_merged_object_ids\n\
             FALSE,2026-10-02 11:16:05,78,ana@example.com,Ana,Acme,76;46\ntrue,2026-10-02 11:16:05,79,bo@example.com,Bo,,\n",
            "HubSpot contacts of Fivetran (CSV)",
            &["78|ana@example.com|76;46|-|false|-|Ana|Acme|-", "79|bo@example.com||-|true|-|Bo|-|-"],
        ),
        (
            Hubspot,
            "Record ID,Company name,Company Domain Name,Stripe Customer ID\n77,\"Acme, Inc.\",example.com,cus_1\n",
            "HubSpot companies (CSV)",
            &["77|||-|false|cus_1|Acme, Inc.|Acme, Inc.|-"],
        ),
        (
            Salesforce,
            "\"ID\",\"ISDELETED\",\"MASTERRECORDID\",\"ACCOUNTID\",\"LASTNAME\",\"FIRSTNAME\",\"EMAIL\",\"ACCOUNT.NAME\",\
             \"LASTACTIVITYDATE\",\"STRIPE_CUSTOMER_ID__C\"\n\
             \"0031G00000qAfq1QAC\",\"false\",\"\",\"0011G00000eM9wvQAC\",\"Ruiz\",\"Ana\",\"ana@example.com\",\"Acme\",\"2026-10-31\",\"cus_1\"\n\
             \"0031G00000qAfq2QAC\",\"true\",\"0031G00000qAfq1\",\"\",\"Ruiz\",\"A.\",\"a@example.com\",\"\",\"2026-10-31T00:00:00.000Z\",\"\"\n",
            "Salesforce contacts (CSV)",
            &[
                "0031G00000qAfq1QAC|ana@example.com||-|false|cus_1|Ana Ruiz|Acme|2026-10-31T00:00:00Z",
                "0031G00000qAfq2QAC|a@example.com||0031G00000qAfq1QAC|true|-|A. Ruiz|-|2026-10-31T00:00:00Z",
            ],
        ),
        (
            Salesforce,
            "\"ID\",\"ISDELETED\",\"MASTERRECORDID\",\"NAME\",\"WEBSITE\",\"STRIPE_CUSTOMER_ID__C\"\n\
             \"001x0000002xLCVAA2\",\"false\",\"\",\"Gravity\",\"\",\"cus_1\"\n",
            "Salesforce accounts (CSV)",
            &["001x0000002xLCVAA2|||-|false|cus_1|Gravity|Gravity|-"],
        ),
    ] {
        check(preset, text, shape, expected);
    }
}

#[test]
fn pipedrive_close_and_attio_are_read_in_every_shape_that_they_export() {
    use CrmPreset::{Attio, Close, Pipedrive};
    for (preset, text, shape, expected) in [
        (
            Pipedrive,
            "Person - ID,Person - Name,Person - Email - Work,Person - Email - Home,Person - Email - Other,Person - Organization,\
             Person - Last activity date\n\
             1,Ana Ruiz,\"ana@example.com, a.ruiz@example.org\",home@example.net,,Acme,2026-01-12 09:30:00\n\
             2,Bo,,bo@example.net,,,\n",
            "Pipedrive people (CSV)",
            &[
                "1|ana@example.com;a.ruiz@example.org;home@example.net||-|false|-|Ana Ruiz|Acme|2026-01-12T09:30:00Z",
                "2|bo@example.net||-|false|-|Bo|-|-",
            ][..],
        ),
        (
            Pipedrive,
            "ID,Name,Email,Organization\n1.0,Ana Ruiz,ana+x@example.com,Acme\n",
            "Pipedrive people (CSV)",
            &["1|ana+x@example.com||-|false|-|Ana Ruiz|Acme|-"],
        ),
        (
            Close,
            "id,display_name,primary_contact_name,primary_contact_first_name,primary_contact_last_name,\
             primary_contact_primary_email,primary_contact_other_emails,custom.Stripe Customer ID,date_updated\n\
             lead_x1,Acme,Ana Ruiz,Ana,Ruiz,ana@example.com,\"b@example.com, c@example.com\",cus_1,2026-10-31T09:12:00+00:00\n",
            "Close leads (CSV)",
            &["lead_x1|ana@example.com;b@example.com;c@example.com||-|false|cus_1|Ana Ruiz|Acme|-"],
        ),
        (
            Close,
            "id,lead_id,lead_name,name,title,primary_email,other_emails\ncont_x1,lead_x1,Acme,Ana Ruiz,,ana@example.com,\n",
            "Close contacts (CSV)",
            &["cont_x1|ana@example.com||-|false|-|Ana Ruiz|Acme|-"],
        ),
        (
            Attio,
            "Record ID,Record,Name > First,Name > Last,Email addresses,Company,Last interaction > When\n\
             0190a1b2-0000-7000-8000-000000000001,Ana Ruiz,Ana,Ruiz,\"ana@example.com,b@example.com\",Acme,2024-11-01T01:02:03.456789234Z\n",
            "Attio people (CSV)",
            &[
                "0190a1b2-0000-7000-8000-000000000001|ana@example.com;b@example.com||-|false|-|Ana Ruiz|Acme|2024-11-01T01:02:03Z",
            ],
        ),
        (
            Attio,
            "Record ID,Record,Domains\n0190a1b2-0000-7000-8000-000000000002,Acme,example.com\n",
            "Attio companies (CSV)",
            &["0190a1b2-0000-7000-8000-000000000002|||-|false|-|Acme|Acme|-"],
        ),
    ] {
        check(preset, text, shape, expected);
    }
}

/// A report of two people, and what follows them.
fn report(below: &str) -> Loaded {
    let text = format!(
        "\"Contact ID\",\"First Name\",\"Last Name\",\"Email\",\"Account Name\",\"Last Activity\"\n\
         \"0031G00000qAfq1\",\"Ana\",\"Ruiz\",\"ana@example.com\",\"Acme\",\"2026-10-31\"\n\
         \"0031G00000qAfq2\",\"Bo\",\"Confidential Information - Do Not Distribute\",\"bo@example.com\",\"\",\"\"\n{below}"
    );
    let loaded = Case::new().file("r.csv", text).crm(CrmPreset::Salesforce, "r.csv", &[]).load();
    nothing_is_lost(&loaded);
    loaded
}

const COPYRIGHT: &str = "\"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\"\n";
const CONFIDENTIAL: &str = "\"Confidential Information - Do Not Distribute\"\n";

#[test]
fn the_footer_of_a_report_is_no_row_and_a_row_that_lost_its_fields_is_no_footer() {
    let by = "\"Generated By:  Ana Ruiz  10/31/2026 9:12 AM\"\n";
    let classic = format!("\n\n\"Contacts with Stripe\"\n{COPYRIGHT}{CONFIDENTIAL}{by}\"Example Inc.\"");
    let lightning = format!("\n\n\"Grand Totals (2 records)\"\n\n{CONFIDENTIAL}{COPYRIGHT}");
    let resaved =
        ",,,,,\nContacts with Stripe,,,,,\n\"Copyright © 2000-2026 salesforce.com, inc. All rights reserved.\",,,,,\n";
    let bare = "\nContacts\nCopyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\n";
    let short = Reason::ShortRow;
    for (below, lines, lost) in [
        (String::new(), 0, vec![]),
        (classic.clone(), 5, vec![]),
        (classic.replace('\n', "\r\n"), 5, vec![]),
        (lightning, 3, vec![]),
        (resaved.to_owned(), 2, vec![]),
        (bare.to_owned(), 2, vec![]),
        // Without its blank line a title may as well be what is left of a row.
        (format!("\"Cut\"\n{COPYRIGHT}"), 1, vec![(4, short)]),
        (format!("\"0031G00000qAfq3\"\n{classic}"), 5, vec![(4, short)]),
        (format!("\n\"0031G00000qAfq3\"\n{COPYRIGHT}"), 1, vec![(5, short)]),
        (format!("\"Cy\",\"Short\"\n{classic}"), 5, vec![(4, short)]),
        ("\n\"Contacts with Stripe\"\n".to_owned(), 0, vec![(5, short)]),
        // Not at the end: what it belongs to cannot be known.
        (format!("{COPYRIGHT}\"0031G00000qAfq3\",\"Cy\",\"\",\"\",\"\",\"\"\n"), 0, vec![(4, short)]),
    ] {
        let loaded = report(&below);
        let shape = if lines == 1 { ", 1 line of footer".to_owned() } else { format!(", {lines} lines of footer") };
        let shape = if lines == 0 { String::new() } else { shape };
        assert_eq!(loaded.files[0].shape, format!("Salesforce report (CSV){shape}"), "{below}");
        assert_eq!(loaded.rejections.iter().map(|row| (row.line, row.reason)).collect::<Vec<_>>(), lost, "{below}");
        let cut = loaded.breaks.iter().filter(|found| found.kind == BreakKind::TruncatedExport).count();
        assert_eq!(cut, 0, "{below}");
        assert_eq!(
            contacts(&loaded)[..2],
            [
                "0031G00000qAfq1QAC|ana@example.com||-|false|-|Ana Ruiz|Acme|2026-10-31T00:00:00Z",
                "0031G00000qAfq2QAC|bo@example.com||-|false|-|Bo Confidential Information - Do Not Distribute|-|-",
            ]
        );
    }
    // Copyright with a mark of another encoding, and a narrower report.
    let narrow = format!("\"Contact ID\",\"Email\"\n\"0031G00000qAfq1\",\"a@example.com\"\n\n\"T\"\n{COPYRIGHT}");
    let windows: Vec<u8> = narrow.replace("(c)", "©").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let loaded = Case::new().file("r.csv", windows).crm(CrmPreset::Salesforce, "r.csv", &[]).load();
    assert_eq!((loaded.files[0].rows, loaded.rejections.len()), (1, 0));
}

#[test]
fn a_damaged_id_is_rejected_and_two_forms_of_one_id_are_one_record() {
    let text = "Id,Email\n0031G00000qAfq1,a@example.com\n0031g00000qafq1qac,b@example.com\n0031G00000qaFq1QAC,c@example.com\n\
        0031G00000qafq1,d@example.com\n3.1E+14,e@example.com\n";
    let loaded = Case::new().file("s.csv", text).crm(CrmPreset::Salesforce, "s.csv", &[]).load();
    assert_eq!(
        rows(loaded.contacts.frame(), &["id", "email"]),
        ["0031G00000qAfq1QAC|a@example.com", "0031G00000qAfq1QAC|b@example.com", "0031G00000qafq1QAA|d@example.com"]
    );
    assert_eq!(
        rejected(&loaded),
        [
            ("s.csv", 4, Reason::BadId, Some("0031G00000qaFq1QAC"), None),
            ("s.csv", 6, Reason::BadId, Some("3.1E+14"), None)
        ]
    );
    let hubspot = "Record ID,Email\n1.01E+11,a@example.com\n";
    let loaded = Case::new().file("h.csv", hubspot).crm(CrmPreset::Hubspot, "h.csv", &[]).load();
    assert!(loaded.rejections[0].detail.contains("its last digits are lost"), "{}", loaded.rejections[0].detail);
}

#[test]
fn companies_name_those_of_contacts_that_only_carry_their_id() {
    let people = "Record ID,Email,Company name,Primary Associated Company ID,Associated Company IDs\n\
        1,a@example.com,,,77\n2,b@example.com,Own,,77\n3,c@example.com,,78,77;78\n4,d@example.com,,,77;79\n\
        5,e@example.com,,,80\n6,f@example.com,,,99\n7,g@example.com,,,70\n";
    let companies = "Record ID,Company name,Merged company IDs,Company Domain Name\n77,Acme,,\n78,Beta,70,\n79,Gamma,,\n80,,,\n\
        78,Beta,70,\n79,Gamma Two,,\n,Nobody,,\n";
    let loaded = Case::new()
        .file("people.csv", people)
        .file("companies.csv", companies)
        .crm(CrmPreset::Hubspot, "people.csv", &[])
        .companies("companies.csv")
        .load();
    nothing_is_lost(&loaded);
    assert_eq!(
        rows(loaded.contacts.frame(), &["id", "company_name"]),
        ["1|Acme", "2|Own", "3|Beta", "4|-", "5|-", "6|-", "7|Beta"]
    );
    assert_eq!(
        settled(&loaded),
        [
            "crm_companies|2|77|contributed|-",
            "crm_companies|3|78|merged_duplicate|-",
            "crm_companies|4|79|superseded|-",
            "crm_companies|5|80|excluded|not_used",
            "crm_companies|6|78|contributed|-",
            "crm_companies|7|79|excluded|not_used",
        ]
    );
    assert_eq!(loaded.rows["crm_companies"], 7);
    assert_eq!(loaded.rejections[0].source, "crm_companies");
    assert_eq!(loaded.files[1].shape, "HubSpot companies (CSV)");
    assert!(loaded.breaks.iter().any(|found| found.kind == BreakKind::Superseded && found.scope == "crm_companies"));

    // Salesforce: the account's id in either form; deleted accounts name nobody.
    let people = "ID,EMAIL,ACCOUNTID\n0031G00000qAfq1QAC,a@example.com,001x0000002xLCV\n\
        0031G00000qAfq2QAC,b@example.com,001x0000002xLCWAA2\n0031G00000qAfq3QAC,c@example.com,001x0000002xLcVAA2\n";
    let accounts = "ID,NAME,ISDELETED\n001x0000002xLCVAA2,Gravity,false\n001x0000002xLCW,Gone,true\n";
    let loaded = Case::new()
        .file("p.csv", people)
        .file("a.csv", accounts)
        .crm(CrmPreset::Salesforce, "p.csv", &[])
        .companies("a.csv")
        .load();
    nothing_is_lost(&loaded);
    assert_eq!(rows(loaded.contacts.frame(), &["company_name"]), ["Gravity", "-", "-"]);
    assert_eq!(
        settled(&loaded),
        ["crm_companies|2|001x0000002xLCVAA2|contributed|-", "crm_companies|3|001x0000002xLCWAA2|excluded|deleted"]
    );
    let unreadable = loaded.breaks.iter().find(|found| found.kind == BreakKind::UnreadableValue).unwrap();
    assert!(unreadable.line == Some(4) && unreadable.detail.starts_with("ACCOUNTID: "), "{}", unreadable.detail);
}

#[test]
fn addresses_in_one_cell_are_told_apart_and_what_is_none_is_seen() {
    let text = "Record ID,Email,Additional email addresses\n\
        1,\"Ana Ruiz <ANA@example.com>; mailto:a@example.org\",\n2,not an address,x@example.com\n3,a@example.com;oops,nobody\n\
        4,\"a@example.com\nb@example.com\",\n";
    let loaded = Case::new().file("h.csv", text).crm(CrmPreset::Hubspot, "h.csv", &[]).load();
    assert_eq!(
        rows(loaded.contacts.frame(), &["id", "email", "emails"]),
        [
            "1|ana@example.com|ana@example.com;a@example.org",
            "2|not an address|not an address;x@example.com",
            "3|a@example.com|a@example.com",
            "4|a@example.com|a@example.com;b@example.com",
        ]
    );
    let breaks: Vec<_> = loaded.breaks.iter().map(|found| (found.kind, found.line, found.detail.as_str())).collect();
    assert_eq!(
        breaks,
        [
            (BreakKind::UnreadableValue, Some(3), "no e-mail address: `not an address`; the row stands without it"),
            (BreakKind::UnreadableValue, Some(4), "no e-mail address: `oops`, `nobody`; the row stands without it"),
        ]
    );
}

#[test]
fn parquet_gzip_several_files_and_several_crms_are_read_in_order() {
    let mut frame = df!(
        "id" => [1_i64, 2],
        "property_email" => ["a@example.com", "b@example.com"],
        "property_hs_merged_object_ids" => [Some("7;8"), None],
        "_fivetran_deleted" => [false, true],
    )
    .unwrap();
    let mut parquet = Vec::new();
    ParquetWriter::new(&mut parquet).finish(&mut frame).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, b"id,lead_id,primary_email\ncont_1,lead_1,c@example.com\n").unwrap();
    let loaded = Case::new()
        .file("h1.parquet", parquet)
        .file("h2.csv", "Record ID,Email\n3,d@example.com\n")
        .file("close.csv.gz", gzip.finish().unwrap())
        .crm(CrmPreset::Close, "close.csv.gz", &[])
        .crm(CrmPreset::Hubspot, "h*", &[])
        .load();
    nothing_is_lost(&loaded);
    assert_eq!(
        rows(loaded.contacts.frame(), &["ord", "file", "line", "crm", "id", "emails", "merged_ids", "deleted"]),
        [
            "0|0|2|0|cont_1|c@example.com||false",
            "1|1|1|1|1|a@example.com|7;8|false",
            "2|1|2|1|2|b@example.com||true",
            "3|2|2|1|3|d@example.com||false",
        ]
    );
    let shapes: Vec<_> = loaded.files.iter().map(|file| file.shape.as_str()).collect();
    assert_eq!(
        shapes,
        ["Close contacts (CSV), gzip", "HubSpot contacts of Fivetran (Parquet)", "HubSpot contacts (CSV)"]
    );
}

#[test]
fn parquet_has_no_footer_and_what_is_no_number_is_no_id() {
    let parquet = |mut frame: DataFrame| {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        bytes
    };
    let salesforce = df!("id" => ["0031G00000qAfq1QAC"], "email" => ["a@example.com"]).unwrap();
    let hubspot = df!("id" => [1.0, f64::NAN, 1e20, f64::INFINITY], "property_email" => ["a@x.org", "b@x.org", "c@x.org", "d@x.org"]);
    let loaded = Case::new()
        .file("s.parquet", parquet(salesforce))
        .file("h.parquet", parquet(hubspot.unwrap()))
        .crm(CrmPreset::Salesforce, "s.parquet", &[])
        .crm(CrmPreset::Hubspot, "h.parquet", &[])
        .load();
    nothing_is_lost(&loaded);
    assert_eq!(rows(loaded.contacts.frame(), &["id", "email"]), ["0031G00000qAfq1QAC|a@example.com", "1|a@x.org"]);
    assert!(loaded.rejections.iter().all(|row| row.reason == Reason::BadId), "{:?}", rejected(&loaded));
}

#[test]
fn people_whom_no_column_could_link_are_refused() {
    let text = "Record ID,First Name,Last Name,Emial,Company Name\n1,Ana,Ruiz,a@example.com,Acme\n";
    let error = Case::new().file("h.csv", text).crm(CrmPreset::Hubspot, "h.csv", &[]).error().to_string();
    assert!(error.contains("no column `Email` for email; the nearest heading is `Emial`"), "{error}");
}

#[test]
fn earlier_versions_of_a_record_are_history() {
    let text = "id,email,last_name,_fivetran_active,_fivetran_start\n\
        0031G00000qAfq1QAC,old@example.com,Ruiz,false,2026-01-01\n0031G00000qAfq1QAC,new@example.com,Ruiz,true,2026-02-01\n";
    let loaded = Case::new().file("s.csv", text).crm(CrmPreset::Salesforce, "s.csv", &[]).load();
    nothing_is_lost(&loaded);
    assert_eq!(rows(loaded.contacts.frame(), &["ord", "email"]), ["0|new@example.com"]);
    assert_eq!(settled(&loaded), ["crm|2|0031G00000qAfq1QAC|excluded|old_version"]);
}

#[test]
fn columns_may_name_several_headings_of_addresses_and_what_a_preset_does_not_know() {
    let mut case = Case::new()
        .file("c.csv", "Nr,Mail,Mail 2,Firma-Nr,Weg\n1,a@example.com,b@example.com,5,ja\n2,,c@example.com,,no\n");
    case = case.crm(CrmPreset::Hubspot, "c.csv", &[("id", "Nr"), ("company_id", "Firma-Nr"), ("deleted", "Weg")]);
    case.settings.crms[0].columns.insert("emails".into(), vec!["Mail".into(), "mail 2".into()]);
    let loaded = case.load();
    // Of a record that may be deleted nothing is guessed.
    assert_eq!(rejected(&loaded), [("c.csv", 2, Reason::BadBoolean, Some("1"), None)]);
    assert_eq!(rows(loaded.contacts.frame(), &["id", "email", "emails", "deleted"]), ["2|-|c@example.com|false"]);
    case.settings.crms[0].columns.insert("emails".into(), vec!["Mail".into(), "Mail 3".into()]);
    let error = case.error().to_string();
    assert!(error.contains("no column `Mail 3` for emails; the nearest heading is `Mail 2`"), "{error}");
    let other = Case::new()
        .file("c.csv", "Record ID,Email\n1,a@example.com\n")
        .file("d.csv", "Nummer,Firma\n1,x\n")
        .crm(CrmPreset::Hubspot, "c.csv", &[])
        .companies("d.csv");
    let error = other.error().to_string();
    assert!(
        error.contains("no column `Record ID` for id") && error.contains("correct companies of the CRM `crm`"),
        "{error}"
    );
}

#[test]
#[ignore = "needs the shared exports beside the repository"]
fn every_real_export_is_read_without_a_loss() {
    let shared = |path: &str| {
        let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/exports")).join(path);
        std::fs::read(path).unwrap()
    };
    for (preset, people, companies, counts) in [
        (
            CrmPreset::Hubspot,
            "fivetran_dbt_hubspot/contact_data.csv",
            Some("fivetran_dbt_hubspot/company_data.csv"),
            (22, 24),
        ),
        (CrmPreset::Hubspot, "fivetran_dbt_hubspot/company_data.csv", None, (24, 0)),
        (CrmPreset::Salesforce, "forcedotcom_dataloader/accountData.csv", None, (423, 0)),
    ] {
        let mut case = Case::new().file("p.csv", shared(people)).crm(preset, "p.csv", &[]);
        if let Some(companies) = companies {
            case = case.file("c.csv", shared(companies)).companies("c.csv");
        }
        let loaded = case.load();
        nothing_is_lost(&loaded);
        assert_eq!(
            (loaded.rejections.len(), loaded.contacts.len(), loaded.settled.len()),
            (0, counts.0, counts.1),
            "{people}"
        );
        println!("{people}: {}, {:?}", loaded.files[0].shape, contacts(&loaded).first());
    }
}

#[test]
fn what_a_spreadsheet_has_spoilt_is_nobodys_external_id_and_an_address_that_is_none_is_told() {
    let text = "id,mail,own,stripe\n1,a@example.com,1.2E+11,cus_1\n2,b@example.com,#REF!,#N/A\n3,bob@b,E-3,cus_3\n4,d@example.com,1.5,\n";
    let columns = [("id", "id"), ("email", "mail"), ("external_id", "own"), ("stripe_customer_id", "stripe")];
    let loaded = Case::new().file("c.csv", text).crm(CrmPreset::Custom, "c.csv", &columns).load();
    let found = rows(loaded.contacts.frame(), &["id", "email", "external_id", "stripe_customer_id"]);
    assert_eq!(found, ["1|a@example.com|-|cus_1", "2|b@example.com|-|-", "3|bob@b|E-3|cus_3", "4|d@example.com|1.5|-"]);
    let told: Vec<_> = loaded.breaks.iter().map(|found| (found.line.unwrap(), found.kind)).collect();
    let unreadable = BreakKind::UnreadableValue;
    assert_eq!(told, [(4, unreadable), (2, unreadable), (3, unreadable), (3, unreadable)], "{:?}", loaded.breaks);
}
