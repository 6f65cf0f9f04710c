//! Encodings and dialects of CSV: the same table from every way to write it.

use super::{Case, CrmPreset, Reason, rejected, rows};
use proptest::prelude::*;

const ROWS: [&str; 2] = ["1|ada@example.com|Łukasz, \"Acme\"\nLtd", "2|bo@example.com|-"];

/// The columns `id`, `email` and `company_name`, with the line, of a HubSpot file.
fn read(content: impl AsRef<[u8]>) -> (Vec<String>, super::Loaded) {
    // Contacts that nothing links are refused.
    let links = [("external_id", "Record ID")];
    let loaded = Case::new().file("h.csv", content).crm(CrmPreset::Hubspot, "h.csv", &links).load();
    (rows(loaded.contacts.frame(), &["id", "email", "company_name"]), loaded)
}

fn lines(loaded: &super::Loaded) -> Vec<String> {
    rows(loaded.contacts.frame(), &["line"])
}

/// Text, what its separator, line ends and heading line are, and on which lines its rows begin.
#[test]
fn every_dialect_gives_the_same_rows_with_their_physical_lines() {
    let plain = "Record ID,Email,Company name\n1,ada@example.com,\"Łukasz, \"\"Acme\"\"\nLtd\"\n2,bo@example.com,\n";
    let semicolons =
        "Record ID;Email;Company name\n1;ada@example.com;\"Łukasz, \"\"Acme\"\"\nLtd\"\n2;bo@example.com;\n";
    for (text, expected) in [
        (plain.to_owned(), ("comma", "LF", 1, ["2", "4"])),
        (plain.replace('\n', "\r\n"), ("comma", "CRLF", 1, ["2", "4"])),
        (plain.replace('\n', "\r"), ("comma", "CR", 1, ["2", "4"])),
        (plain.replacen('\n', "\r\n", 1), ("comma", "mixed", 1, ["2", "4"])),
        // Carriage returns behind a heading with a line feed.
        (plain.replace("\n2", "\r2").replace("\n1", "\r\n1"), ("comma", "mixed", 1, ["2", "4"])),
        (semicolons.to_owned(), ("semicolon", "LF", 1, ["2", "4"])),
        (semicolons.replace(';', "\t"), ("tab", "LF", 1, ["2", "4"])),
        (semicolons.replace(';', "|"), ("pipe", "LF", 1, ["2", "4"])),
        (format!("sep=;\r\n{semicolons}"), ("semicolon", "LF", 2, ["3", "5"])),
        (format!("\"sep=;\"\n{semicolons}"), ("semicolon", "LF", 2, ["3", "5"])),
        (format!("SEP=\t\n{}", semicolons.replace(';', "\t")), ("tab", "LF", 2, ["3", "5"])),
        (format!("sep=^\n{}", semicolons.replace(';', "^")), ("^", "LF", 2, ["3", "5"])),
        (format!("\u{feff}sep=;\n{semicolons}"), ("semicolon", "LF", 2, ["3", "5"])),
        // Titles: with commas, in quotes over two lines, padded with separators.
        (format!("All contacts, 2026, by Ada, for Bo\n\n{semicolons}"), ("semicolon", "LF", 3, ["4", "6"])),
        (format!("\"Contacts\nof 2026\",,\n,,\nBy: Ada,,\n{plain}"), ("comma", "LF", 5, ["6", "8"])),
        // Commas in headings, quoted and not.
        (
            semicolons
                .replacen("Company name", "Company name;\"Name, full, of all\"", 1)
                .replace(";\n", ";;\n")
                .replace("Ltd\"\n", "Ltd\";\n"),
            ("semicolon", "LF", 1, ["2", "4"]),
        ),
        (
            semicolons
                .replacen("Company name", "Company name;Name, full, of, all", 1)
                .replace(";\n", ";;\n")
                .replace("Ltd\"\n", "Ltd\";\n"),
            ("semicolon", "LF", 1, ["2", "4"]),
        ),
        // A separator behind every row, behind all lines, behind the headings alone.
        (plain.replace("Ltd\"\n", "Ltd\",\n").replace("com,\n", "com,,\n"), ("comma", "LF", 1, ["2", "4"])),
        (
            plain.replace("name\n", "name,\n").replace("Ltd\"\n", "Ltd\",\n").replace("com,\n", "com,,\n"),
            ("comma", "LF", 1, ["2", "4"]),
        ),
        (plain.replace("name\n", "name,\n"), ("comma", "LF", 1, ["2", "4"])),
        // Headings: quoted, with marks and no-break spaces, and namesakes of no interest.
        (
            plain.replacen("Record ID,Email", "\u{feff}\"Record\u{a0}ID\",\" Email \"", 1),
            ("comma", "LF", 1, ["2", "4"]),
        ),
        (
            plain
                .replacen("name\n", "name,Owner,Owner,,\n", 1)
                .replace("Ltd\"\n", "Ltd\",a,b,c,d\n")
                .replace("com,\n", "com,,a,b,c,d\n"),
            ("comma", "LF", 1, ["2", "4"]),
        ),
        // Quotes hidden by backslashes.
        (plain.replace("\"\"", "\\\""), ("comma", "LF", 1, ["2", "4"])),
        (plain.trim_end().to_owned(), ("comma", "LF", 1, ["2", "4"])),
        (plain.replace("\n2", "\n\n,,\n2"), ("comma", "LF", 1, ["2", "6"])),
    ] {
        let (separator, line_ends, heading_line, on) = expected;
        let (found, loaded) = read(&text);
        assert_eq!(found, ROWS.map(str::to_owned), "{text:?} {:?}", rejected(&loaded));
        assert_eq!(lines(&loaded), on, "{text:?}");
        let dialect = loaded.files[0].dialect.clone().unwrap();
        let told = (dialect.separator.as_str(), dialect.line_ends.as_str(), dialect.heading_line);
        assert_eq!(told, (separator, line_ends, heading_line), "{text:?}");
        // The same in every encoding.
        let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
        let wide = |order: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| order(u32::from(c))).collect::<Vec<u8>>();
        for (encoding, bytes) in [
            ("UTF-16LE", units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
            ("UTF-16BE", units().skip(1).flat_map(u16::to_be_bytes).collect()),
            ("UTF-32LE", wide(u32::to_le_bytes)),
            ("UTF-32BE", wide(u32::to_be_bytes)),
        ] {
            let (found, loaded) = read(&bytes);
            assert_eq!(found, ROWS.map(str::to_owned), "{encoding} {text:?}");
            assert_eq!(loaded.files[0].encoding.as_deref(), Some(encoding), "{text:?}");
        }
    }
}

#[test]
fn what_is_no_dialect_is_a_rejected_row_and_never_another_column() {
    for (text, expected) in [
        // One row alone may have won its field anywhere.
        ("Record ID,Email\n1,a@example.com,\n", vec![(2, Reason::LongRow, Some("1"))]),
        // One row with an empty field more than the others.
        ("Record ID,Email\n1,a@example.com\n2,Acme, \n3,c@example.com\n", vec![(3, Reason::LongRow, Some("2"))]),
        // Where all have one, a row that holds something there has shifted.
        (
            "Record ID,Email\n1,a@example.com,\n2,Acme, Inc\n3,b@example.com,\n",
            vec![(2, Reason::LongRow, Some("1")), (3, Reason::LongRow, Some("2")), (4, Reason::LongRow, Some("3"))],
        ),
        // A carriage return inside a field without quotes is no line end where its parts are no rows.
        ("Record ID,Email,Name\n1,a@example.com,A\n2,b@exa\rmple.com,x,B\n", vec![(3, Reason::LongRow, Some("2"))]),
        ("Record ID,Email\n1,a\0\n2,b@example.com\n", vec![(2, Reason::NulByte, Some("1"))]),
    ] {
        let (_, loaded) = read(text);
        let found: Vec<_> = rejected(&loaded).into_iter().map(|(_, line, reason, id, _)| (line, reason, id)).collect();
        assert_eq!(found, expected, "{text:?}");
        assert_eq!(loaded.rows["crm"], (loaded.contacts.len() + found.len()) as u64, "{text:?}");
    }
}

#[test]
fn a_row_that_is_no_text_is_rejected_with_its_line_and_the_others_stand() {
    let utf8 = b"Record ID,Company name\n1,Zo\xc3\xab\n2,Zo\xeb\n3,\xc5\x81ukasz\n".to_vec();
    let windows = b"Record ID,Company name\n1,Zo\xeb\n2,Zo\x81\n3,\x8aimon\n".to_vec();
    let mut utf16: Vec<u8> = "Record ID,Company name\n1,Zoë\n2,".encode_utf16().flat_map(u16::to_le_bytes).collect();
    utf16.extend([0x3d, 0xd8]);
    utf16.extend("\n3,Łukasz\n".encode_utf16().flat_map(u16::to_le_bytes));
    for (bytes, encoding, third) in
        [(utf8, "UTF-8", "Łukasz"), (windows, "windows-1252", "Šimon"), (utf16, "UTF-16LE", "Łukasz")]
    {
        let (_, loaded) = read(&bytes);
        assert_eq!(rejected(&loaded), [("h.csv", 3, Reason::BadEncoding, Some("2"), None)], "{encoding}");
        let expected = ["1|Zoë".to_owned(), format!("3|{third}")];
        assert_eq!(rows(loaded.contacts.frame(), &["id", "company_name"]), expected);
        assert_eq!(loaded.files[0].encoding.as_deref(), Some(encoding));
    }
}

#[test]
fn two_columns_of_one_heading_are_refused_only_where_a_wanted_field_is_meant_by_both() {
    let case = |headings: &str| {
        Case::new().file("h.csv", format!("{headings}\n1,a@example.com,x\n")).crm(CrmPreset::Hubspot, "h.csv", &[])
    };
    let message = case("Record ID,Email,e-mail").load().files[0].rows;
    assert_eq!(message, 1);
    let error = case("Record ID,Email,EMAIL").error().to_string();
    assert!(error.contains("h.csv, line 1: columns 2 and 3 are both headed `EMAIL`"), "{error}");
}

#[test]
fn a_file_of_one_column_is_a_file() {
    let (found, loaded) = read("Record ID\r1\r\n2\n");
    assert_eq!(found, ["1|-|-", "2|-|-"]);
    assert_eq!(loaded.files[0].dialect.as_ref().unwrap().line_ends, "mixed");
    let (found, _) = read("Record ID\n1\r2\r3\n");
    assert_eq!(found, ["1|-|-", "2|-|-", "3|-|-"]);
}

#[test]
fn dialects_are_recognised_for_every_kind_of_input() {
    let titled =
        |text: &str| format!("sep=;\r\nExport of 2026\r\n{}\r\n", text.replace(',', ";").replace('\n', ";\r\n"));
    let loaded = Case::new()
        .file("c.csv", titled("id,Email\ncus_1,a@example.com\ncus_2,b@example.com\n"))
        .file("s.csv", titled("id,Customer ID,Status,Amount,Currency,Interval,Quantity\nsub_1,cus_1,active,10.00,usd,month,1\nsub_2,cus_2,active,10.00,usd,month,1\n"))
        .file("e.csv", titled("external_id,email,mrr\n7,a@example.com,10.00\n8,b@example.com,10.00\n"))
        .customers("c.csv")
        .subscriptions("s.csv")
        .existing("e.csv")
        .load();
    assert_eq!(rejected(&loaded), []);
    for file in &loaded.files {
        assert_eq!(file.rows, 2, "{}", file.path);
        assert_eq!(file.dialect.as_ref().unwrap().to_string(), "semicolon, CRLF, headings on line 3", "{}", file.path);
    }
}

#[test]
#[ignore = "needs the shared corpora beside the repository"]
fn the_files_of_the_data_loader_are_read_whole_in_every_encoding() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/exports/forcedotcom_dataloader"));
    for (name, id, encoding, count) in [
        ("accountData.csv", "ID", "windows-1252", 423),
        ("csvEscapedQuotes.csv", "column1", "UTF-8", 2),
        ("csvSeparator.csv", "column1", "UTF-8", 2),
        ("csvtext.csv", "column1", "UTF-8", 2),
        ("csvtext_BOM_UTF8.csv", "column1", "UTF-8 with BOM", 2),
        ("csvtext_BOM_UTF16BE.csv", "column1", "UTF-16BE", 2),
        ("csvtext_BOM_UTF16LE.csv", "column1", "UTF-16LE", 2),
        ("csvtext_BOM_UTF32BE.csv", "column1", "UTF-32BE", 2),
        ("csvtext_BOM_UTF32LE.csv", "column1", "UTF-32LE", 2),
        ("upsertAccountCsvTemplate.csv", "NAME", "UTF-8", 100),
    ] {
        let loaded = Case::new()
            .file("x.csv", std::fs::read(folder.join(name)).unwrap())
            .crm(CrmPreset::Custom, "x.csv", &[("id", id), ("external_id", id)])
            .load();
        assert_eq!(rejected(&loaded), [], "{name}");
        assert_eq!(loaded.contacts.len(), count, "{name}");
        assert_eq!(loaded.files[0].encoding.as_deref(), Some(encoding), "{name}");
    }
}

#[test]
#[ignore = "needs the shared corpora beside the repository"]
fn the_dates_of_the_data_loader_are_read_or_named() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/exports/forcedotcom_dataloader"));
    for (name, id, column, first, unreadable) in [
        ("dateEndingInZ.csv", "ORACLE_ID__C", "DATE", "2010-10-14T12:00:00Z", 0),
        ("dateWithTimeZone.csv", "ORACLE_ID__C", "DATE", "2010-10-14T15:00:00Z", 0),
        ("dateOnlyWithTimeZone.csv", "ORACLE_ID__C", "DATE_ONLY", "2010-10-14T00:00:00Z", 0),
        ("timeZoneFormatTesting.csv", "Name", "Date", "2009-07-14T18:14:45Z", 0),
    ] {
        let columns = [("id", id), ("external_id", id), ("last_activity", column)];
        let loaded = Case::new()
            .file("x.csv", std::fs::read(folder.join(name)).unwrap())
            .crm(CrmPreset::Custom, "x.csv", &columns)
            .load();
        assert_eq!(rows(loaded.contacts.frame(), &["last_activity"])[0], first, "{name}");
        assert_eq!(loaded.rejections.len(), unreadable, "{name}: {:?}", loaded.rejections);
    }
}

/// A cell, with everything that must be quoted.
fn cell() -> impl Strategy<Value = String> {
    "[a-zA-Zé€Ł ,;|\t\"\\n]{0,6}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_the_same_however_it_is_written(cells in prop::collection::vec((cell(), cell()), 1..8)) {
        let expected: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(row, (name, company))| {
                let shown = |text: &str| if text.trim().is_empty() { "-".to_owned() } else { text.trim().to_owned() };
                format!("r{row}|{}|{}", shown(name), shown(company))
            })
            .collect();
        for (separator, end) in [(",", "\n"), (";", "\r\n"), ("\t", "\n"), ("|", "\r"), (";", "\r")] {
            let mut text = format!("Record ID{separator}First Name{separator}Company name{end}");
            for (row, (name, company)) in cells.iter().enumerate() {
                let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\"").replace('\n', end));
                text.push_str(&[format!("r{row}"), quoted(name), quoted(company)].join(separator));
                text.push_str(end);
            }
            let sixteen = || text.encode_utf16();
            let thirty_two = || text.chars().map(u32::from);
            for bytes in [
                text.clone().into_bytes(),
                format!("\u{feff}{text}").into_bytes(),
                sixteen().flat_map(u16::to_le_bytes).collect(),
                sixteen().flat_map(u16::to_be_bytes).collect(),
                thirty_two().flat_map(u32::to_le_bytes).collect(),
                thirty_two().flat_map(u32::to_be_bytes).collect(),
            ] {
                let links = [("external_id", "Record ID")];
                let loaded = Case::new().file("h.csv", bytes).crm(CrmPreset::Hubspot, "h.csv", &links).load();
                prop_assert_eq!(&rows(loaded.contacts.frame(), &["id", "name", "company_name"]), &expected, "{:?}", text);
            }
        }
    }
}

#[test]
fn rows_above_the_headings_or_swallowed_by_them_are_never_taken_for_titles() {
    let refused = |text: &str| Case::new().file("c.csv", text).customers("c.csv").error().to_string();
    for (text, expected) in [
        (
            "cus_1,a@example.com,Ann\nid,Email,Name\ncus_2,b@example.com,Bo\n",
            "line 1 looks like a row, and the headings stand below it on line 2",
        ),
        ("Customers\n\ncus_1,a@example.com\nid,Email,Name\n", "line 3 looks like a row"),
        ("cus_1,a@example.com,,,,,,\nid,Email,Name,a,b,c,d,e\n", "line 1 looks like a row"),
        ("id,Email,\"Name\ncus_1,a@example.com,\"\ncus_2,b@example.com,Bo\n", "a quote in the headings is not closed"),
    ] {
        let message = refused(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn the_files_of_one_crm_decide_together_whether_the_day_or_the_month_comes_first() {
    let contacts = |dates: &[&str]| {
        let rows = dates.iter().map(|date| format!("{},{date}\n", date.replace('/', ""))).collect::<Vec<_>>().concat();
        format!("Record ID,Email,Last Activity Date\n{}", rows.replace(',', ",x@example.com,"))
    };
    let case = |first: &[&str], second: &[&str]| {
        Case::new().file("h1.csv", contacts(first)).file("h2.csv", contacts(second)).crm(
            CrmPreset::Hubspot,
            "h?.csv",
            &[],
        )
    };
    let activity = |loaded: &super::Loaded| rows(loaded.contacts.frame(), &["last_activity"]);
    // A proof in one file holds for the other, wherever a row stands.
    let together = case(&["13/04/2026", "02/04/2026"], &["03/04/2026"]).load();
    let apart = case(&["13/04/2026"], &["02/04/2026", "03/04/2026"]).load();
    assert_eq!(activity(&together), ["2026-04-13T00:00:00Z", "2026-04-02T00:00:00Z", "2026-04-03T00:00:00Z"]);
    assert_eq!(activity(&apart), activity(&together));
    let dates = |file: usize| apart.files[file].dialect.as_ref().unwrap().dates.clone().unwrap();
    assert!(dates(0).contains("its values prove it") && dates(1).contains("another file of crm proves it"));
    let refused = case(&["13/04/2026"], &["04/13/2026"]).error().to_string();
    assert!(refused.contains("h2.csv has the month first, h1.csv the day first"), "{refused}");
    assert!(case(&["03/04/2026"], &["02/04/2026"]).error().to_string().contains("h1.csv, line 2"));
}

#[test]
fn a_misspelt_heading_of_existing_customers_is_not_passed_over() {
    for (heading, member) in
        [("tether_i,email", "tether_id"), ("tether_id,emial", "email"), ("email,externalid", "external_id")]
    {
        let text = format!("{heading},name,updated_at\na,b,c,\n");
        let refused = Case::new().file("e.csv", text).existing("e.csv").error().to_string();
        assert!(refused.contains(&format!("no column `{member}`")), "{heading}: {refused}");
    }
}
