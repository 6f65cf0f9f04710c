//! Existing customers in every shape.

use super::{Case, Reason, rejected, rows};
use polars::prelude::*;

const COLUMNS: &[&str] = &[
    "ord",
    "tether_id",
    "external_id",
    "email",
    "name",
    "company_name",
    "stripe_customer_id",
    "mrr",
    "subscription_status",
    "auto_renew",
    "period_end",
    "last_activity",
    "created_at",
    "updated_at",
];
const EXPECTED: &[&str] = &[
    "0|t-1|u-1|jane@example.com|Jane \"J\" Doe|Acme|cus_1|9999|active|true|2026-12-31T00:00:00Z|2026-04-01T09:00:00Z|2025-01-15T10:00:00Z|2026-04-01T08:30:00Z",
    "1|t-2|-|li@example.com|-|-|-|-|-|-|-|-|2025-01-15T10:00:00Z|2026-04-01T08:30:00Z",
];
const JANE: &str = r#"{"tether_id":"t-1","external_id":"u-1","email":"Jane@example.com","name":"Jane \"J\" Doe","company_name":"Acme","stripe_customer_id":"cus_1","mrr":99.99,"subscription_status":"active","auto_renew":true,"period_end":"2026-12-31T00:00:00Z","last_activity":"2026-04-01T09:00:00Z","created_at":"2025-01-15T10:00:00Z","updated_at":"2026-04-01T08:30:00Z"}"#;
const LI: &str = r#"{"tether_id":"t-2","external_id":null,"email":"li@example.com","name":"","mrr":null,"created_at":"2025-01-15T10:00:00Z","updated_at":"2026-04-01T08:30:00.000Z","other":[1]}"#;

#[test]
fn json_in_every_wrapping_csv_and_parquet_give_the_same_table() {
    let csv = "tether_id,External ID,email,name,company_name,stripe_customer_id,mrr,subscription_status,auto_renew,period_end,last_activity,created_at,updated_at\n\
        t-1,u-1,Jane@example.com,\"Jane \"\"J\"\" Doe\",Acme,cus_1,99.99,active,true,2026-12-31T00:00:00Z,2026-04-01T09:00:00Z,2025-01-15T10:00:00Z,2026-04-01T08:30:00Z\n\
        t-2,,li@example.com,,,,,,,,,2025-01-15T10:00:00Z,2026-04-01T08:30:00Z\n";
    for (name, content, shape) in [
        ("e.csv", csv.to_owned(), "CSV"),
        ("e.json", format!("[\n{JANE},\n{LI}\n]"), "JSON"),
        ("e.json", format!("[{JANE},{LI}]"), "JSON"),
        ("e.json", format!("{{\"data\":[{JANE},{LI}],\"has_more\":false}}"), "JSON"),
        ("e.json", format!("{{\n\"customers\":\n[{JANE},{LI}]}}"), "JSON"),
        ("e.jsonl", format!("{JANE}\n\n{LI}\n"), "JSON Lines"),
        ("e.jsonl", format!("{{\"action\":\"updated\",\"customer\":{JANE}}}\r\n{{\"customer\":{LI}}}"), "JSON Lines"),
    ] {
        let loaded = Case::new().file(name, &content).existing(name).load();
        let existing = loaded.existing[0].as_ref().unwrap();
        assert_eq!(rows(existing.frame(), COLUMNS), EXPECTED, "{content}");
        assert_eq!(loaded.files[0].shape, format!("existing Tether customers ({shape})"));
        assert_eq!((loaded.files[0].rows, loaded.rejections.len()), (2, 0));
    }
    let mut frame = df!(
        "tether_id" => ["t-1", "t-2"],
        "external_id" => [Some("u-1"), None],
        "email" => ["Jane@example.com", "li@example.com"],
        "name" => [Some("Jane \"J\" Doe"), Some("")],
        "company_name" => [Some("Acme"), None],
        "stripe_customer_id" => [Some("cus_1"), None],
        "mrr" => [Some(99.99), None],
        "subscription_status" => [Some("active"), None],
        "auto_renew" => [Some(true), None],
        "period_end" => [Some("2026-12-31"), None],
        "last_activity" => [Some("2026-04-01T09:00:00Z"), None],
        "created_at" => ["2025-01-15 10:00", "2025-01-15 10:00"],
        "updated_at" => [1_775_032_200_500_i64, 1_775_032_200_000]
    )
    .unwrap();
    let updated = frame.column("updated_at").unwrap().cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    frame.with_column(updated).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    let loaded = Case::new().file("e.parquet", &bytes).existing("e.parquet").load();
    assert_eq!(rows(loaded.existing[0].as_ref().unwrap().frame(), COLUMNS), EXPECTED);
    assert_eq!(loaded.files[0].encoding, None);
    for damage in [bytes.len() / 2, 8, 4] {
        let mut cut = bytes[..damage].to_vec();
        cut.extend_from_slice(&bytes[bytes.len() - 8..]);
        let error = Case::new().file("e.parquet", &cut).existing("e.parquet").error().to_string();
        assert!(error.contains("e.parquet cannot be read: damaged Parquet"), "{error}");
    }
}

#[test]
fn rows_that_cannot_be_read_are_named_and_the_rest_stands() {
    let lines = [
        r#"{"tether_id":"t-1","email":"a@example.com","mrr":1}"#,
        r#"{"tether_id":"t-2","email":"#,
        r#"{"tether_id":"t-3","email":"c@example.com","mrr":"lots"}"#,
        r#"{"tether_id":"t-4","email":"d@example.com","period_end":"soon"}"#,
        r#"{"tether_id":"t-5","email":"e@example.com","auto_renew":"maybe"}"#,
        r#"{"name":"nobody"}"#,
        r#"{"tether_id":"t-7","email":"g@example.com","mrr":1e99}"#,
        r#"{"tether_id":7,"email":"h@example.com","mrr":"12.5"}"#,
    ];
    let loaded = Case::new().file("e.jsonl", lines.join("\n")).existing("e.jsonl").load();
    let existing = loaded.existing[0].as_ref().unwrap().frame();
    assert_eq!(rows(existing, &["ord", "line", "tether_id", "mrr"]), ["0|1|t-1|100", "1|8|7|1250"]);
    assert_eq!(
        rejected(&loaded),
        [
            ("e.jsonl", 2, Reason::BadJson, None, None),
            ("e.jsonl", 3, Reason::BadNumber, Some("t-3"), None),
            ("e.jsonl", 4, Reason::BadInstant, Some("t-4"), None),
            ("e.jsonl", 5, Reason::BadBoolean, Some("t-5"), None),
            ("e.jsonl", 6, Reason::MissingId, None, None),
            ("e.jsonl", 7, Reason::AmountOutOfRange, Some("t-7"), None),
        ]
    );
    assert_eq!(loaded.files[0].rows, 8);
    // Where the export says nothing, the customer was last known as the file was written.
    let written = loaded.files[0].modified.unwrap().to_string();
    assert_eq!(rows(existing, &["updated_at"]), [written.clone(), written]);
}

#[test]
fn bytes_that_are_no_text_cost_their_row_and_are_never_sent_as_something_else() {
    let mut bytes = b"\xef\xbb\xbf{\"tether_id\":\"t-1\",\"name\":\"Zo\xeb\"}\n".to_vec();
    bytes.extend_from_slice(LI.as_bytes());
    let loaded = Case::new().file("e.jsonl", &bytes).existing("e.jsonl").load();
    assert_eq!(rows(loaded.existing[0].as_ref().unwrap().frame(), &["tether_id"]), ["t-2"]);
    assert_eq!(rejected(&loaded), [("e.jsonl", 1, Reason::BadEncoding, None, None)]);
    bytes.splice(.., b"\xef\xbb\xbftether_id,name\nt-1,Zo\xeb\nt-2,Li\n".iter().copied());
    let loaded = Case::new().file("e.csv", &bytes).existing("e.csv").load();
    assert_eq!(rejected(&loaded), [("e.csv", 2, Reason::BadEncoding, Some("t-1"), None)]);
}

#[test]
fn a_list_names_the_line_of_each_of_its_rows() {
    let text = format!("[\n  {JANE},\n  17,\n  {LI}\n]\n");
    let loaded = Case::new().file("e.json", text).existing("e.json").load();
    assert_eq!(rows(loaded.existing[0].as_ref().unwrap().frame(), &["line"]), ["2", "4"]);
    assert_eq!(rejected(&loaded), [("e.json", 3, Reason::BadJson, None, None)]);
}

#[test]
fn a_file_that_is_no_json_at_all_is_refused_with_line_and_column() {
    for text in ["[\n{\"tether_id\":\"t-1\"},\n{", "{\"data\": [", "{ }{"] {
        let error = Case::new().file("e.json", text).existing("e.json").error().to_string();
        assert!(error.contains("e.json cannot be read: line "), "{error}");
    }
    let error = Case::new().file("e.csv", "a,b\n1,2\n").existing("e.csv").error().to_string();
    assert!(error.contains("expected are the members of Tether's customer"), "{error}");
}

#[test]
#[ignore = "needs the shared corpora beside the repository"]
fn broken_parquet_files_are_refused_or_read_but_never_end_the_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora/parquet-bad-data/bad_data");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let case = Case::new().file("e.parquet", &bytes).existing("e.parquet");
        assert!(super::load(&case.settings, &super::Trials::Nowhere, &super::Silent).is_err());
        seen += 1;
    }
    assert!(seen > 0);
}
