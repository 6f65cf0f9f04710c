//! The room as a whole: files in a folder, through [`load`], to tables and rejections.

mod conservation;
mod contacts;
mod crm;
mod dialects;
mod existing;
mod overrides;
mod stripe;
mod survey;
mod warehouse;

use super::{LoadError, Loaded, Trials, load};
use crate::config::{CrmPreset, CrmSettings, Settings};
use crate::model::{BreakKind, Reason};
use crate::monitor::Silent;
use polars::prelude::{AnyValue, DataFrame};
use tempfile::TempDir;

/// A folder of exports, and the settings that read them.
struct Case {
    folder: TempDir,
    settings: Settings,
}

impl Case {
    /// Settings that read nothing yet.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "[run]\nstate = \"state\"\ncurrency = \"usd\"\n[stripe]\nfiles = \"none\"\n\
            external_id_metadata = \"user_id\"\n[tether]\nurl = \"sandbox\"\n[[product]]\nname = \"core\"\n\
            key = { env = \"TETHER_API_KEY\" }\n";
        let mut settings = crate::config::parse(text, folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
        settings.stripe.files.clear();
        Self { folder, settings }
    }

    fn pattern(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    fn customers(mut self, pattern: &str) -> Self {
        self.settings.stripe.customers.push(self.pattern(pattern));
        self
    }

    fn subscriptions(mut self, pattern: &str) -> Self {
        self.settings.stripe.subscriptions.push(self.pattern(pattern));
        self
    }

    fn stripe_files(mut self, pattern: &str) -> Self {
        self.settings.stripe.files.push(self.pattern(pattern));
        self
    }

    fn existing(mut self, pattern: &str) -> Self {
        let pattern = self.pattern(pattern);
        self.settings.products[0].existing.push(pattern);
        self
    }

    fn crm(mut self, preset: CrmPreset, pattern: &str, columns: &[(&str, &str)]) -> Self {
        let contacts = vec![self.pattern(pattern)];
        let columns = columns.iter().map(|(field, heading)| ((*field).into(), vec![(*heading).into()])).collect();
        let companies = Vec::new();
        let name =
            if self.settings.crms.is_empty() { "crm".to_owned() } else { format!("crm{}", self.settings.crms.len()) };
        self.settings.crms.push(CrmSettings {
            name,
            preset,
            contacts,
            companies,
            columns,
            reading: crate::config::Reading::default(),
        });
        self
    }

    /// Companies of the CRM that was named last.
    fn companies(mut self, pattern: &str) -> Self {
        let pattern = self.pattern(pattern);
        self.settings.crms.last_mut().unwrap().companies.push(pattern);
        self
    }

    fn load(&self) -> Loaded {
        load(&self.settings, &Trials::Nowhere, &Silent).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self) -> LoadError {
        load(&self.settings, &Trials::Nowhere, &Silent).expect_err("the load should be refused")
    }
}

/// The cells of `columns`, row by row, joined by `|`; null is `-`.
fn rows(frame: &DataFrame, columns: &[&str]) -> Vec<String> {
    (0..frame.height())
        .map(|row| {
            columns
                .iter()
                .map(|column| match frame.column(column).unwrap().get(row).unwrap() {
                    AnyValue::Null => "-".to_owned(),
                    AnyValue::String(text) => text.to_owned(),
                    AnyValue::StringOwned(text) => text.to_string(),
                    AnyValue::Datetime(millis, ..) | AnyValue::DatetimeOwned(millis, ..) => {
                        crate::model::Instant::from_epoch_seconds(millis / 1000).unwrap().to_string()
                    }
                    AnyValue::List(list) => list.str().unwrap().iter().flatten().collect::<Vec<_>>().join(";"),
                    other => other.to_string(),
                })
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect()
}

/// File, line, reason, id and customer of a rejection.
type Rejected<'l> = (&'l str, u64, Reason, Option<&'l str>, Option<&'l str>);

fn rejected(loaded: &Loaded) -> Vec<Rejected<'_>> {
    loaded
        .rejections
        .iter()
        .map(|r| (r.file.as_str(), r.line, r.reason, r.id.as_deref(), r.customer.as_deref()))
        .collect()
}

#[test]
fn files_stand_in_order_of_source_and_path_and_are_read_once() {
    let case = Case::new()
        .file("b.csv", "id,Email\ncus_2,b@example.com\n")
        .file("a.csv", "id,Email\ncus_1,a@example.com\ncus_0,z@example.com\n")
        .file("subs.csv", "id,Customer ID,Status,Amount,Currency,Interval\nsub_1,cus_1,active,1.00,usd,month\n")
        .customers("[ab].csv")
        .customers("a*.csv")
        .subscriptions("subs.csv");
    let loaded = case.load();
    let files: Vec<_> = loaded.files.iter().map(|f| (f.path.as_str(), f.source.as_str(), f.rows)).collect();
    assert_eq!(
        files,
        [("a.csv", "stripe_customers", 2), ("b.csv", "stripe_customers", 1), ("subs.csv", "stripe_subscriptions", 1)]
    );
    assert_eq!(
        rows(loaded.stripe.accounts.frame(), &["ord", "file", "line", "id"]),
        ["0|0|2|cus_1", "1|0|3|cus_0", "2|1|2|cus_2"]
    );
    assert_eq!(loaded.files[0].sha256.len(), 64);
    assert_eq!(loaded.files[0].encoding.as_deref(), Some("UTF-8"));
    assert_eq!(loaded.files[0].shape, "Stripe dashboard customers (CSV)");
    assert!(loaded.existing[0].is_none());
}

#[test]
fn a_file_named_for_customers_and_subscriptions_by_any_path_is_read_once_for_what_it_holds() {
    let case =
        Case::new().file("c.csv", "id,Email\ncus_1,a@example.com\n").customers("c.csv").subscriptions("x/../c.csv");
    std::fs::create_dir(case.folder.path().join("x")).unwrap();
    let loaded = case.load();
    assert_eq!((loaded.files.len(), loaded.stripe.accounts.len()), (1, 1));
}

#[test]
fn a_whole_file_that_cannot_be_used_is_refused_with_its_name_and_what_to_do() {
    let customers = |content: &[u8]| Case::new().file("c.csv", content).customers("c.csv").error().to_string();
    for (content, expected) in [
        (&b""[..], "c.csv is empty"),
        (b" \r\n \n", "c.csv is empty"),
        (b"PK\x03\x04...", "save the sheet as CSV"),
        (b"id,Email,EMAIL\n1,2,3\n", "c.csv, line 1: columns 2 and 3 are both headed `EMAIL`"),
        (b"foo,bar\n1,2\n", "c.csv was not recognised: line 1 is headed foo, bar"),
        (
            b"id,Customer ID,Status,Amount,Currency,Interval\n",
            "expects Stripe customers, but this file was recognised as Stripe dashboard subscriptions (CSV)",
        ),
        (b"Record ID,Email\n1,a@example.com\n", "recognised as CRM contacts (CSV)"),
        (b"PAR1....", "damaged Parquet"),
    ] {
        let message = customers(content);
        assert!(message.contains(expected), "{message}\nshould say {expected}");
    }
    let swapped = Case::new().file("c.csv", "id,Email\n").subscriptions("c.csv").error().to_string();
    assert!(
        swapped.contains("expects Stripe subscriptions, but this file was recognised as Stripe dashboard customers")
    );
    let lacking = Case::new()
        .file("s.csv", "id,Customer ID,Status,Amounts,Currency,Interval\n")
        .subscriptions("s.csv")
        .error()
        .to_string();
    assert!(lacking.contains("no column `amount` for amount; the nearest heading is `Amounts`"), "{lacking}");
    // A slip in the one heading that tells subscriptions from other tables must not make every MRR 0.
    let damaged = Case::new()
        .file("s.csv", "id,Custmer ID,Status,Amount,Currency,Interval,Quantity\nsub_1,cus_1,active,1.00,usd,month,1\n")
        .subscriptions("s.csv")
        .error()
        .to_string();
    assert!(
        damaged.contains("no column `customer id` for customer id; the nearest heading is `Custmer ID`"),
        "{damaged}"
    );
    let only_tables = Case::new()
        .file("p.csv", "id,currency,interval,amount\nplan_1,usd,month,100\n")
        .subscriptions("p.csv")
        .error()
        .to_string();
    assert!(only_tables.contains("expects Stripe subscriptions, but this file was recognised as"), "{only_tables}");
    let none = Case::new().customers("none*.csv").error().to_string();
    assert!(none.contains("none*.csv` matches no file"), "{none}");
}

#[test]
fn encodings_and_line_ends_give_the_same_rows() {
    let text = "id,Email,Name\r\ncus_1,ZOE@example.com,Zoë\r\n";
    let utf16 = [0xfeff].into_iter().chain(text.encode_utf16());
    let little: Vec<u8> = utf16.clone().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = utf16.flat_map(u16::to_be_bytes).collect();
    let windows: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (content, encoding) in [
        (text.as_bytes().to_vec(), "UTF-8"),
        (text.replace("\r\n", "\r").into_bytes(), "UTF-8"),
        (text.replace("\r\n", "\n").into_bytes(), "UTF-8"),
        (text.replace(',', "\t").into_bytes(), "UTF-8"),
        (text.replace(',', ";").into_bytes(), "UTF-8"),
        (format!("\u{feff}{text}").into_bytes(), "UTF-8 with BOM"),
        (little, "UTF-16LE"),
        (big, "UTF-16BE"),
        (windows, "windows-1252"),
    ] {
        let loaded = Case::new().file("c.csv", &content).customers("c.csv").load();
        assert_eq!(
            rows(loaded.stripe.accounts.frame(), &["line", "id", "email", "name"]),
            ["2|cus_1|zoe@example.com|Zoë"]
        );
        assert_eq!(loaded.files[0].encoding.as_deref(), Some(encoding));
    }
}

#[test]
fn a_file_that_breaks_off_is_a_break_beside_its_rejected_row() {
    let loaded =
        Case::new().file("c.csv", "id,Email,Name\ncus_1,a@example.com,A\ncus_2,b@exa").customers("c.csv").load();
    assert_eq!(rejected(&loaded), [("c.csv", 3, Reason::ShortRow, Some("cus_2"), None)]);
    let kinds: Vec<_> = loaded.breaks.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [BreakKind::TruncatedExport, BreakKind::RejectedRow]);
    assert_eq!(loaded.breaks[1].line, Some(3));
}

#[test]
fn gzip_is_unpacked_and_its_fingerprint_is_of_the_file_as_it_lies_there() {
    let packed = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let customers = [packed("id,Email\ncus_1,a@example.com\n"), packed("cus_2,b@example.com\n")].concat();
    let subscription = r#"{"id":"sub_1","object":"subscription","customer":"cus_1","status":"active","items":[]}"#;
    let case = Case::new()
        .file("c.csv.gz", &customers)
        .file("s.jsonl.gz", packed(subscription))
        .customers("c.csv.gz")
        .subscriptions("s.jsonl.gz");
    let loaded = case.load();
    assert_eq!(rows(loaded.stripe.accounts.frame(), &["line", "id"]), ["2|cus_1", "3|cus_2"]);
    assert_eq!(loaded.stripe.subscriptions.len(), 1);
    let file = &loaded.files[0];
    assert_eq!((file.bytes, file.shape.as_str()), (customers.len() as u64, "Stripe dashboard customers (CSV), gzip"));
    assert_eq!(file.sha256, super::sha256(&case.folder.path().join("c.csv.gz")).unwrap());
    assert!(super::unchanged(&loaded.files, case.folder.path()).is_ok());

    let cut = Case::new().file("c.csv.gz", &customers[..customers.len() - 9]).customers("c.csv.gz").error();
    let message = cut.to_string();
    assert!(message.starts_with("c.csv.gz cannot be read: its gzip data breaks off"), "{message}");
    let empty = Case::new().file("c.csv.gz", packed("")).customers("c.csv.gz").error().to_string();
    assert!(empty.starts_with("c.csv.gz is empty"), "{empty}");
}

#[test]
fn a_source_without_a_row_is_not_passed_over() {
    let empty = |customers: &str, contacts: &str| {
        let loaded = Case::new()
            .file("c.csv", format!("id,Email\n{customers}"))
            .file("h.csv", format!("Record ID,Email\n{contacts}"))
            .customers("c.csv")
            .crm(CrmPreset::Hubspot, "h.csv", &[])
            .load();
        let found = loaded.breaks.iter().filter(|found| found.kind == BreakKind::EmptyExport);
        found.map(|found| (found.scope.clone(), found.file.clone().unwrap())).collect::<Vec<_>>()
    };
    let (account, contact) = ("cus_1,a@example.com\n", "1,a@example.com\n");
    assert_eq!(empty(account, contact), []);
    assert_eq!(empty("", contact), [("stripe_customers".to_owned(), "c.csv".to_owned())]);
    assert_eq!(empty(account, ""), [("crm".to_owned(), "h.csv".to_owned())]);
}
