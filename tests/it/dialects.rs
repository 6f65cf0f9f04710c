//! One account, its three sources written in every encoding and dialect: the same `customers.csv` to the last byte.

use crate::site::{AS_OF, Site};

const CUSTOMERS: &str = "id;Email;Name;Created (UTC)\n\
    cus_1;zoe@example.com;\"Zoë; \"\"Große\"\" Söhne\";2025-01-01 00:00\n\
    cus_2;bo@example.com;\"Bo\nÅs\";2025-01-01 00:00\n\
    cus_3;cy@example.com;Cy;2025-01-01 00:00\n";
const SUBSCRIPTIONS: &str = "id;Customer ID;Quantity;Currency;Interval;Amount;Status;Cancel At Period End;Created (UTC);Current Period End (UTC)\n\
    sub_1;cus_1;1;usd;month;100.00;active;false;2025-01-01 00:00;2026-11-20 00:00\n\
    sub_2;cus_2;2;usd;month;20.50;active;false;2025-01-01 00:00;2026-11-20 00:00\n\
    sub_3;cus_3;1;usd;month;7.00;active;true;2025-01-01 00:00;2026-11-20 00:00\n";
const CONTACTS: &str = "Record ID;First Name;Last Name;Email;Customer ID;Stripe Customer ID;Last Activity Date\n\
    11;Zoë;Große;zoe@example.com;E-1;cus_1;2026-10-14 09:05\n\
    12;Bo;\"Ås, \"\"the\n2nd\"\"\";bo@example.com;E-2;cus_2;2026-04-05 21:05\n\
    13;;Cy;cy@example.com;E-3;cus_3;\n";
const EXISTING: &str = "tether_id;external_id;email;name;mrr;subscription_status;auto_renew;period_end;last_activity\n\
    t-1;E-1;zoe@example.com;\"Große; Zoë\";90.00;active;true;2026-11-20T00:00:00Z;2026-10-01 09:00\n\
    t-2;E-2;bo@example.com;Ås;41.00;active;true;2026-11-20T00:00:00Z;\n";

type Rewrite = fn(&str) -> String;
type Encode = fn(&str) -> Vec<u8>;

/// The text as it stands: semicolons, LF.
fn same(text: &str) -> String {
    text.to_owned()
}

/// Rows with another separator; every field that holds a quote, a separator or a line end stands in quotes already.
fn separated(text: &str, separator: char) -> String {
    let mut inside = false;
    let change = |c: char| {
        inside ^= c == '"';
        if c == ';' && !inside { separator } else { c }
    };
    text.chars().map(change).collect()
}

/// Rows in commas, whose fields with commas stand in quotes already.
fn commas(text: &str) -> String {
    separated(text, ',')
}

/// `change` at the end of each line that ends a row.
fn ends(text: &str, change: impl Fn(usize) -> &'static str) -> String {
    let (mut inside, mut rows, mut changed) = (false, 0, String::new());
    for c in text.chars() {
        inside ^= c == '"';
        if c == '\n' && !inside {
            changed.push_str(change(rows));
            rows += 1;
        } else {
            changed.push(c);
        }
    }
    changed
}

fn units(text: &str) -> impl Iterator<Item = u16> + '_ {
    text.encode_utf16()
}

fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("the text is of Latin letters")).collect()
}

/// Name, dialect, encoding, and what `[[crm]]` says beside.
const WAYS: &[(&str, Rewrite, Encode, &str)] = &[
    ("semicolons", same, |t| t.into(), ""),
    ("commas", commas, |t| t.into(), ""),
    ("tabs", |t| separated(t, '\t'), |t| t.into(), ""),
    ("pipes", |t| separated(t, '|'), |t| t.into(), ""),
    ("a stated separator", |t| format!("sep=;\n{t}"), |t| t.into(), ""),
    ("another stated separator", |t| format!("sep=^\n{}", separated(t, '^')), |t| t.into(), ""),
    ("CRLF", |t| commas(t).replace('\n', "\r\n"), |t| t.into(), ""),
    ("CR", |t| commas(t).replace('\n', "\r"), |t| t.into(), ""),
    ("mixed ends", |t| ends(t, |row| ["\n", "\r\n", "\r"][row % 3]), |t| t.into(), ""),
    ("no end of the last line", |t| t.trim_end().to_owned(), |t| t.into(), ""),
    ("blank lines", |t| ends(t, |_| "\n\n;;;\n"), |t| t.into(), ""),
    ("titles", |t| format!("Export of all, by Ada\n\nFiltered by: x, y, z\n{t}"), |t| t.into(), ""),
    ("a separator behind every row", |t| ends(t, |row| if row == 0 { "\n" } else { ";\n" }), |t| t.into(), ""),
    ("a separator behind every line", |t| ends(t, |_| ";\n"), |t| t.into(), ""),
    ("hidden quotes", |t| t.replace("\"\"", "\\\""), |t| t.into(), ""),
    ("UTF-8 with a mark", commas, |t| format!("\u{feff}{t}").into_bytes(), ""),
    (
        "UTF-16LE with a mark",
        |t| separated(t, '\t'),
        |t| units(&format!("\u{feff}{t}")).flat_map(u16::to_le_bytes).collect(),
        "",
    ),
    ("UTF-16BE with a mark", same, |t| units(&format!("\u{feff}{t}")).flat_map(u16::to_be_bytes).collect(), ""),
    ("UTF-16LE", |t| t.replace('\n', "\r\n"), |t| units(t).flat_map(u16::to_le_bytes).collect(), ""),
    ("UTF-16BE", |t| commas(t).replace('\n', "\r"), |t| units(t).flat_map(u16::to_be_bytes).collect(), ""),
    (
        "UTF-32LE with a mark",
        same,
        |t| format!("\u{feff}{t}").chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        "",
    ),
    ("UTF-32BE", commas, |t| t.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(), ""),
    ("Windows-1252", commas, windows_1252, ""),
    ("Windows-1252, stated", same, windows_1252, "encoding = \"windows-1252\""),
    ("dates of the US", |t| dated(t, "10/14/2026 9:05 AM", "4/5/2026 9:05 PM"), |t| t.into(), ""),
    ("dates of the EU", |t| dated(t, "14.10.2026 09:05", "05.04.2026 21:05"), |t| t.into(), ""),
    ("dates of the EU, stated", |t| dated(t, "2026-10-14T09:05Z", "5/4/2026, 21:05"), |t| t.into(), "dates = \"eu\""),
    ("dates in words", |t| dated(t, "\"Oct 14, 2026 9:05 am\"", "5 April 2026 21:05"), |t| t.into(), ""),
    (
        "dates of New York",
        |t| dated(t, "2026-10-14 05:05", "2026-04-05 17:05"),
        |t| t.into(),
        "time_zone = \"America/New_York\"",
    ),
];

/// The contacts' dates written otherwise.
fn dated(text: &str, first: &str, second: &str) -> String {
    text.replace("2026-10-14 09:05", first).replace("2026-04-05 21:05", second)
}

/// The customers of the account in a way of writing it.
fn planned((name, rewrite, encode, crm): &(&str, Rewrite, Encode, &str)) -> String {
    let site = Site::new(0);
    for (file, text) in [
        ("in/customers.csv", CUSTOMERS),
        ("in/subscriptions.csv", SUBSCRIPTIONS),
        ("in/contacts.csv", CONTACTS),
        ("in/core.csv", EXISTING),
    ] {
        site.write(file, encode(&rewrite(text)));
    }
    site.configure("sandbox", "");
    let configured = site.read("recon.toml").replace("in/core.jsonl", "in/core.csv");
    site.write("recon.toml", configured.replace("preset = \"hubspot\"\n", &format!("preset = \"hubspot\"\n{crm}\n")));
    let ran = site.ran(&format!("plan --as-of {AS_OF}"));
    assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
    let report = site.report();
    assert_eq!(report.summary["ties"], true, "{name}");
    std::fs::read_to_string(site.runs().last().unwrap().join("report/customers.csv")).unwrap()
}

#[test]
fn one_account_in_every_encoding_and_dialect_gives_the_same_customers() {
    let expected = planned(&WAYS[0]);
    assert_eq!(expected.lines().filter(|line| line.starts_with("core,")).count(), 3, "{expected}");
    assert!(expected.contains("\"Zoë Große\"") || expected.contains("Zoë Große"), "{expected}");
    assert!(expected.contains("2026-10-14T09:05:00Z"), "{expected}");
    for way in &WAYS[1..] {
        assert_eq!(planned(way), expected, "{}", way.0);
    }
}

#[test]
fn dates_that_nothing_decides_refuse_the_file_with_what_to_state() {
    let site = Site::new(0);
    site.write("in/contacts.csv", commas(&dated(CONTACTS, "10/11/2026", "4/5/2026")));
    let ran = site.ran(&format!("plan --as-of {AS_OF}"));
    assert_eq!(ran.code, 8, "{}", ran.stderr);
    let expected = "in/contacts.csv, line 2: Last Activity Date: `10/11/2026` may have the day first or the month";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("dates = \"us\" (10/14/2026) or \"eu\" (14/10/2026) under the CRM `hubspot`"),
        "{}",
        ran.stderr
    );
}
