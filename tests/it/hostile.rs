//! Hostile input: what is too large, damaged on purpose or written to break a reader ends as a refused file or a rejected
//! row. Never as a panic, an abort, an endless wait, or rows that are silently not there.

use crate::server::Server;
use crate::site::{AS_OF, Site, contents, repository, wait_until};
use polars::prelude::{DataType, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter, Series, df};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

/// What a file of the site's came to: the exit code, and its rows by disposition and reason.
fn ended(site: &Site, file: &str) -> (i32, BTreeMap<(String, String), usize>, String) {
    let ran = site.ran(&format!("plan --as-of {AS_OF}"));
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let mut rows = BTreeMap::new();
    if [0, 3].contains(&ran.code) {
        for row in site.report().accounting.into_iter().filter(|row| row["file"] == file) {
            *rows.entry((row["disposition"].clone(), row["reason"].clone())).or_default() += 1;
        }
    }
    (ran.code, rows, ran.stderr)
}

fn rejected(reason: &str, rows: usize) -> BTreeMap<(String, String), usize> {
    BTreeMap::from([(("rejected".to_owned(), reason.to_owned()), rows)])
}

#[test]
fn a_file_beyond_a_limit_is_refused_with_the_limit_and_its_key() {
    let million = (0..1_000_000).fold("id,Email".to_owned(), |mut line, column| {
        write!(line, ",c{column}").unwrap();
        line
    });
    let cases: &[(&str, &str, &str)] = &[
        ("", &million, "in/customers.csv holds more than 4096 columns, the limit"),
        ("columns = 2", "id,Email,Name\ncus_1,a@example.com,A\n", "more than 2 columns"),
        ("rows = 2", "id,Email\ncus_1,a@example.com\ncus_2\ncus_3,c@example.com\n", "more than 2 rows"),
        ("file_bytes = 1000", &"id,Email\n".repeat(200), "more than 1000 bytes"),
        (
            "field_bytes = \"1kB\"",
            &format!("id,{}\ncus_1,x\n", "x".repeat(1001)),
            "more than 1000 bytes in one heading",
        ),
    ];
    for (limits, content, said) in cases {
        let site = Site::new(1);
        site.configure("sandbox", &format!("[limits]\n{limits}\n"));
        site.write("in/customers.csv", content);
        let (code, _, stderr) = ended(&site, "in/customers.csv");
        let first = stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default();
        assert_eq!(code, 8, "{limits}: {stderr}");
        assert!(first.contains(said) && first.contains("[limits]") && first.len() < 300, "{limits}: {first}");
    }
}

#[test]
fn a_field_beyond_the_limit_costs_its_row_in_every_format() {
    let long = "x".repeat(2000);
    let mut frame = df!("tether_id" => ["t-1", "t-2"], "name" => [long.as_str(), "B"]).unwrap();
    let mut parquet = Vec::new();
    ParquetWriter::new(&mut parquet).finish(&mut frame).unwrap();
    let files: &[(&str, Vec<u8>, usize)] = &[
        ("in/customers.csv", format!("id,Email,Name\ncus_0,a@example.com,{long}\n").into_bytes(), 1),
        (
            "in/customers.csv",
            format!("{{\"id\":\"cus_0\",\"object\":\"customer\",\"name\":\"{long}\"}}").into_bytes(),
            1,
        ),
        (
            "in/contacts.csv",
            format!("Record ID,Customer ID,Stripe Customer ID,Email\n1,E,cus_0,{long}\n").into_bytes(),
            1,
        ),
        ("in/core.jsonl", format!("{{\"tether_id\":\"t-1\",\"name\":\"{long}\"}}\n").into_bytes(), 1),
        ("in/core.jsonl", parquet, 1),
    ];
    for (file, content, rows) in files {
        let site = Site::new(1);
        site.configure("sandbox", "[limits]\nfield_bytes = \"1kB\"\n");
        site.write(file, content);
        let (_, mut found, stderr) = ended(&site, file);
        found.retain(|(disposition, _), _| disposition == "rejected");
        assert_eq!(found, rejected("field_too_long", *rows), "{file}: {stderr}");
    }
}

#[test]
fn damaged_parquet_is_refused_and_its_reader_may_die_of_it() {
    let site = Site::new(3);
    let mut frame = df!(
        "id" => (0..200).map(|n| format!("cus_{n}")).collect::<Vec<_>>(),
        "Email" => (0..200).map(|n| format!("c{n}@example.com")).collect::<Vec<_>>(),
    )
    .unwrap();
    let mut sound = Vec::new();
    ParquetWriter::new(&mut sound).with_compression(ParquetCompression::Uncompressed).finish(&mut frame).unwrap();
    site.write("in/customers.csv", &sound);
    let (code, rows, stderr) = ended(&site, "in/customers.csv");
    assert_eq!((code, rows.values().sum::<usize>()), (0, 200), "{stderr}");

    // By what is damaged: where, with what, and what the first line says; `None`: text that is only another text.
    let footer = sound.len() - 8 - u32::from_le_bytes(sound[sound.len() - 8..][..4].try_into().unwrap()) as usize;
    let page = 4;
    let text = sound.windows(7).position(|window| window == b"cus_100").unwrap();
    let cases: &[(&str, usize, &[u8], Option<&str>)] = &[
        ("a letter", text, b"k", None),
        ("the length of a text", text - 4, &[0xff; 4], Some("in/customers.csv cannot be read: damaged Parquet")),
        ("the head of a page", page, &[0xff; 9], Some("in/customers.csv cannot be read: damaged Parquet")),
        ("the footer", footer, &[0xff; 9], Some("in/customers.csv cannot be read: damaged Parquet")),
        ("the footer's length", sound.len() - 8, &[0xff; 4], Some("in/customers.csv cannot be read: damaged Parquet")),
    ];
    for (what, at, damage, said) in cases {
        let mut damaged = sound.clone();
        damaged[*at..][..damage.len()].copy_from_slice(damage);
        site.write("in/customers.csv", &damaged);
        let (code, rows, stderr) = ended(&site, "in/customers.csv");
        let first = stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default();
        assert_eq!(code, if said.is_some() { 8 } else { 0 }, "{what}: {stderr}");
        assert!(first.contains(said.unwrap_or_default()), "{what}: {first}");
        assert_eq!(rows.values().sum::<usize>(), if said.is_some() { 0 } else { 200 }, "{what}");
    }
}

/// Two bytes of a sound file were changed: polars asks for exabytes, and the process aborts.
#[test]
#[cfg(target_os = "linux")]
fn a_parquet_file_that_aborts_its_reader_does_not_take_the_run_with_it() {
    let site = Site::new(1);
    site.write("in/customers.csv", include_bytes!("fixtures/aborts-its-reader.parquet"));
    let (code, _, stderr) = ended(&site, "in/customers.csv");
    assert_eq!(code, 8, "{stderr}");
    assert!(stderr.contains("in/customers.csv cannot be read: damaged Parquet"), "{stderr}");
    assert!(stderr.contains("unpacks to more than 8000 MB of memory"), "{stderr}");
}

/// An update may put another program in the place of this one while a run is under way.
#[test]
#[cfg(target_os = "linux")]
fn parquet_is_tried_by_the_program_that_runs_also_once_it_was_replaced() {
    let site = Site::new(1);
    let mut frame = df!("id" => ["cus_0"], "Email" => ["c0@example.com"]).unwrap();
    let mut sound = Vec::new();
    ParquetWriter::new(&mut sound).finish(&mut frame).unwrap();
    site.write("in/customers.csv", &sound);
    let own = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = own.path().join("tether-recon");
    std::fs::hard_link(env!("CARGO_BIN_EXE_tether-recon"), &program).unwrap();
    let arguments = ["--config", "recon.toml", "plan", "--as-of", AS_OF];
    let mut command = std::process::Command::new(&program);
    let started =
        command.current_dir(site.path(".")).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, "another program").unwrap();
    let ran = started.unwrap().wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// Less than the program itself takes, less than the file takes, and what lies between: whatever gives up first.
#[test]
#[cfg(target_os = "linux")]
fn a_sound_parquet_file_that_needs_more_memory_names_the_limit() {
    let site = Site::new(1);
    let text = |n: u32| format!("{n:0>500}");
    let mut frame = df!(
        "id" => (0..40_000).map(|n| format!("cus_{n}")).collect::<Vec<_>>(),
        "Email" => (0..40_000).map(|n| format!("c{n}@example.com")).collect::<Vec<_>>(),
        "Name" => (0..40_000).map(text).collect::<Vec<_>>(),
    )
    .unwrap();
    let mut sound = Vec::new();
    ParquetWriter::new(&mut sound).with_compression(ParquetCompression::Uncompressed).finish(&mut frame).unwrap();
    site.write("in/customers.csv", &sound);
    for memory in
        ["1kB", "30MB", "60MB", "100MB", "140MB", "200MB", "300MB", "500MB", "1GB", "1200MB", "1400MB", "1600MB"]
    {
        site.configure("sandbox", &format!("[limits]\nparquet_memory = \"{memory}\"\n"));
        let (code, rows, stderr) = ended(&site, "in/customers.csv");
        let first = stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default();
        match code {
            0 => assert_eq!(rows.values().sum::<usize>(), 40_000),
            8 => assert!(first.contains("in/customers.csv") && first.contains("parquet_memory"), "{memory}: {first}"),
            _ => panic!("{memory}: {stderr}"),
        }
    }
}

#[test]
fn what_no_table_of_text_can_hold_in_parquet_is_refused_or_rejected() {
    let extreme = |values: &[f64]| Series::new("mrr".into(), values).into_column();
    let whole = Series::new("mrr".into(), [i64::MIN, i64::MAX, 5]).into_column();
    let unsigned = Series::new("mrr".into(), [u64::MAX, 0, 5]).into_column();
    let wide = Series::new("mrr".into(), ["1".repeat(36), "-1".to_owned(), "5".to_owned()]);
    let wide = wide.cast(&DataType::Decimal(38, 0)).unwrap().into_column();
    for (column, bad) in
        [(extreme(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), 3), (whole, 2), (unsigned, 1), (wide, 1)]
    {
        let site = Site::new(1);
        let mut frame = df!("tether_id" => ["t-1", "t-2", "t-3"], "external_id" => ["1", "2", "3"]).unwrap();
        frame.with_column(column.clone()).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        site.write("in/core.jsonl", &bytes);
        let (code, rows, stderr) = ended(&site, "in/core.jsonl");
        assert!([0, 3].contains(&code), "{column:?}: {stderr}");
        assert_eq!(rows.values().sum::<usize>(), 3, "{column:?}");
        let rejected: usize = rows.iter().filter(|((how, _), _)| how == "rejected").map(|(_, rows)| rows).sum();
        assert_eq!(rejected, bad, "{column:?}: {rows:?}");
    }
}

#[test]
fn json_nested_without_end_is_a_rejected_row_or_a_refused_file() {
    for depth in [10_000, 100_000] {
        let lists = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        for deep in [lists, objects] {
            let site = Site::new(1);
            for (file, content, rows) in [
                ("in/customers.csv", deep.clone(), None),
                (
                    "in/customers.csv",
                    format!(
                        "{{\"object\":\"customer\",\"id\":\"cus_9\",\"name\":{deep}}}\n{{\"object\":\"customer\",\"id\":\"cus_0\"}}\n"
                    ),
                    Some(2),
                ),
                (
                    "in/core.jsonl",
                    format!("{{\"tether_id\":\"t\",\"mrr\":{deep}}}\n{{\"tether_id\":\"u\"}}\n"),
                    Some(2),
                ),
                ("in/core.jsonl", "[".repeat(depth), None),
            ] {
                let kept = site.read(file);
                site.write(file, &content);
                let (code, found, stderr) = ended(&site, file);
                let told = code == 8 || found.keys().any(|(how, _)| how == "rejected");
                assert!(told, "{file} with {}…: {code} {found:?} {stderr}", &content[..60]);
                if let Some(rows) = rows {
                    assert_eq!(found.values().sum::<usize>(), rows, "{file} with {}…", &content[..60]);
                }
                site.write(file, kept);
            }
        }
    }
}

#[test]
fn values_that_no_field_can_hold_never_lose_their_row() {
    let values = [
        &"9".repeat(40),
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "1e18",
        "-1",
        "253402300800",
        "\"9999-12-31T23:59:59Z\"",
        "\"0000-00-00\"",
        "\"-0001-01-01T00:00:00Z\"",
        "{}",
        "[]",
        "true",
        "\"",
    ];
    let members = ["tether_id", "email", "name", "mrr", "auto_renew", "period_end", "last_activity", "updated_at"];
    let mut lines = String::new();
    for value in values {
        for member in members {
            writeln!(lines, "{{\"tether_id\":\"t\",\"external_id\":\"e\",\"{member}\":{value}}}").unwrap();
        }
    }
    let site = Site::new(1);
    site.write("in/core.jsonl", &lines);
    let (code, rows, stderr) = ended(&site, "in/core.jsonl");
    assert_eq!(code, 3, "{stderr}");
    assert_eq!(rows.values().sum::<usize>(), values.len() * members.len(), "{rows:?}");
}

#[test]
fn a_figure_that_does_not_tie_ends_with_1_and_the_difference() {
    let site = Site::new(30);
    let server = Server::start(&site, "slow = { every = 1, millis = 100 }\n");
    site.configure(&server.url, "[tether]\nin_flight = 1\n");
    let mut run = site.start(&format!("run --as-of {AS_OF}"));
    let journal = || site.runs().first().map(|run| run.join("journal.jsonl"));
    let begun = || {
        journal().and_then(|path| std::fs::read_to_string(path).ok()).is_some_and(|text| text.contains("{\"outcome\":"))
    };
    wait_until("the first row has its outcome", begun);
    run.kill().unwrap();
    run.wait().unwrap();
    let run = site.runs().pop().unwrap().join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&run).unwrap()).unwrap();
    let read = manifest["sources"][0]["rows_read"].as_u64().unwrap();
    manifest["sources"][0]["rows_read"] = (read + 1).into();
    std::fs::write(&run, manifest.to_string()).unwrap();
    let ran = site.expect("resume", 1);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("does not tie: 31 expected, 30 found, difference -1"), "{said}");
}

/// Each string in every field of every kind of input.
#[test]
#[ignore = "needs the shared corpora beside the repository"]
fn naughty_strings_stand_in_every_field_and_nothing_is_lost() {
    use unicode_normalization::UnicodeNormalization;
    let path = repository().join("../shared/corpora/naughty-strings/blns.json");
    let all: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let site = Site::new(0);
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut customers = "id,Email,Name,Created (UTC)\n".to_owned();
    let mut contacts = "Record ID,First Name,Last Name,Email,Customer ID,Stripe Customer ID\n".to_owned();
    let mut existing = String::new();
    for (n, text) in all.iter().enumerate() {
        let cell = quoted(text);
        // By turns in the name alone, and in every field.
        writeln!(customers, "cus_{n},c{n}@example.com,{cell},2025-01-01 00:00").unwrap();
        writeln!(contacts, "{n},{cell},,c{n}@example.com,E-{n},cus_{n}").unwrap();
        writeln!(customers, "{cell},{cell},{cell},{cell}").unwrap();
        writeln!(contacts, "{cell},{cell},{cell},{cell},{cell},{cell}").unwrap();
        let json = serde_json::to_string(text).unwrap();
        writeln!(existing, "{{\"tether_id\":\"t-{n}\",\"external_id\":\"E-{n}\",\"name\":{json}}}").unwrap();
        writeln!(existing, "{{\"tether_id\":{json},\"external_id\":{json},\"email\":{json},\"mrr\":{json}}}").unwrap();
    }
    site.write("in/customers.csv", customers);
    site.write("in/contacts.csv", contacts);
    site.write("in/core.jsonl", existing);
    let (code, _, stderr) = ended(&site, "");
    assert_eq!(code, 3, "{stderr}");
    let report = site.report();
    for file in ["in/customers.csv", "in/contacts.csv", "in/core.jsonl"] {
        let rows = report.accounting.iter().filter(|row| row["file"] == file).count();
        // A row of nothing but blanks and quotes says nothing.
        let hollow = |text: &&String| text.chars().all(|c| c.is_ascii_whitespace() || "\",".contains(c));
        let expected = 2 * all.len() - if file.ends_with("csv") { all.iter().filter(hollow).count() } else { 0 };
        assert_eq!(rows, expected, "{file}");
    }
    // The lossless twin: in the CSV an apostrophe stands before what a spreadsheet would take for a formula.
    let twin = std::fs::read_to_string(report.folder.join("report/customers.jsonl")).unwrap();
    let told: std::collections::BTreeMap<String, String> = crate::files::json_lines(&twin)
        .iter()
        .filter_map(|row| Some((row["external_id"].as_str()?.to_owned(), row["name"].as_str()?.to_owned())))
        .collect();
    for (n, text) in all.iter().enumerate() {
        let wanted: String = text.trim().nfc().collect();
        let name = told.get(&format!("E-{n}")).map_or("", String::as_str);
        assert_eq!(name, wanted, "{text:?}");
    }
}

#[test]
#[ignore = "needs the shared corpora beside the repository"]
fn parquet_that_crashed_readers_is_refused_or_read_as_every_kind_of_input() {
    let files = contents(Path::new(&repository().join("../shared/corpora/parquet-bad-data/bad_data")));
    assert_eq!(files.len(), 8);
    for (name, bytes) in files {
        for file in ["in/customers.csv", "in/subscriptions.csv", "in/contacts.csv", "in/core.jsonl"] {
            let site = Site::new(1);
            site.write(file, &bytes);
            let (code, _, stderr) = ended(&site, file);
            assert_eq!(code, 8, "{} as {file}: {stderr}", name.display());
        }
    }
}
