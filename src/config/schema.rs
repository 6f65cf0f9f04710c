//! Every key that a configuration may hold, as data: what it expects, an example, its default, what it means.
//!
//! The reader looks its error messages up here, unknown keys are compared with it, and `config/example.toml` is tested
//! against it. A key is added by one row here and one line where its section is read.

/// One key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The section it stands in: `tether`, `product.key`; `*` stands for a name of the user's own.
    pub section: &'static str,
    /// The key.
    pub name: &'static str,
    /// What a value has to be, in words that fit after "write".
    pub expects: &'static str,
    /// A value as TOML writes it.
    pub example: &'static str,
    /// The value that holds when the key is absent, in words or as TOML writes it.
    pub default: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

/// How often a section may stand in the file, and what its keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[name]`, once.
    Table,
    /// `[[name]]`, once per thing.
    Repeated,
    /// `[name]`, once; its keys are the user's own names.
    Named,
}

/// The sections, in the order of the documentation.
pub const SECTIONS: &[(&str, Shape)] = &[
    ("run", Shape::Table),
    ("stripe", Shape::Table),
    ("crm", Shape::Repeated),
    ("existing", Shape::Table),
    ("fields", Shape::Table),
    ("link", Shape::Table),
    ("identity", Shape::Table),
    ("mrr", Shape::Table),
    ("fx", Shape::Named),
    ("limits", Shape::Table),
    ("guards", Shape::Table),
    ("tether", Shape::Table),
    ("notify", Shape::Table),
    ("product", Shape::Repeated),
];

/// What a key of file patterns expects.
pub(super) const PATTERNS: &str = "a path or glob pattern in quotes, or a list of them";
/// What a key of one file expects.
pub(super) const PATH: &str = "the path of a file in quotes";
const YES_NO: &str = "true or false, without quotes";
const COLUMN: &str = "a column name in quotes";
const PLACES: &str = "a list of places, first hit wins";
const ENCODING: &str =
    r#"an encoding in quotes: "utf-8", "utf-16", "windows-1252" or another label of the WHATWG's standard"#;
const RECOGNISED: &str = "recognised in each file";
const SIZE: &str = "a size such as \"16GB\", or a whole number of bytes";
const PERCENT: &str = "a percentage that is not negative";
/// Such a key is a table with the keys of `product.key`.
pub const SECRET: &str = "a table that says where the address stands";
/// Such a key is that table, or a text.
pub const PROXY: &str =
    "an address in quotes, or, where it holds a password, a table that says where the address stands";
const SHARE: &str = "a percentage from 0 to 100";

/// One row per key: section, key, what it expects, example, default, meaning.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("run", "state", "a folder in quotes", r#""state""#, r#""state""#, "where runs, journals and the baseline live"),
    key("run", "currency", "a three-letter currency code in quotes", r#""usd""#, "", "the Tether account's currency"),
    key("run", "redact", YES_NO, "true", "false", "whether reports, log lines and errors hold hashes where names and e-mail addresses would stand"),
    key("run", "exit_on_creation_disabled", YES_NO, "true", "false", "whether rows refused with CREATION_DISABLED need a person (exit code 3)"),

    key("stripe", "customers", PATTERNS, r#""exports/stripe/customers*.csv""#, "", "customers files"),
    key("stripe", "subscriptions", PATTERNS, r#""exports/stripe/subscriptions*.csv""#, "", "subscriptions files"),
    key("stripe", "files", PATTERNS, r#""exports/stripe/**/*""#, "", "instead of both: every file recognised by its content, any mix of shapes"),
    key("stripe", "external_id_metadata", "a metadata key in quotes", r#""user_id""#, "", "the metadata key that carries your own id"),
    key("stripe", "amount", r#""unit" or "total""#, r#""unit""#, r#""unit""#, "whether Amount in a dashboard file is per unit or a total"),
    key("stripe", "test_mode", YES_NO, "true", "false", "take rows of Stripe's test mode"),
    key("stripe", "guests", YES_NO, "true", "false", "take customers without an id"),
    key("stripe", "encoding", ENCODING, r#""windows-1252""#, RECOGNISED, "the encoding of files without a byte order mark"),

    key("crm", "name", "a short name in quotes", r#""hubspot""#, "the preset's name", "the source's name in reports"),
    key("crm", "preset", r#""hubspot", "salesforce", "pipedrive", "close", "attio" or "custom""#, r#""hubspot""#, r#""custom""#, "which columns to expect"),
    key("crm", "contacts", PATTERNS, r#""exports/hubspot/*.csv""#, "", "files of contacts, or of companies where those are billed"),
    key("crm", "companies", PATTERNS, r#""exports/hubspot-companies/*.csv""#, "none", "files of companies, which name the company of a contact that only carries its id"),
    key("crm", "columns", "a table of column names", r#"{ external_id = "Customer ID" }"#, "the preset's columns", "columns that differ from the preset"),
    key("crm", "encoding", ENCODING, r#""windows-1252""#, RECOGNISED, "the encoding of files without a byte order mark"),
    key("crm", "dates", r#""iso", "us" or "eu""#, r#""us""#, "what the values of the CRM's files prove", "the order of numeric dates: 2026-10-14 only, 10/14/2026 or 14/10/2026"),
    key("crm", "time_zone", "the name of a time zone in quotes", r#""America/New_York""#, r#""UTC""#, "where times without an offset are of"),
    key("crm.columns", "id", COLUMN, r#""Record ID""#, "the preset's", "the contact's id in the CRM"),
    key("crm.columns", "email", COLUMN, r#""Email""#, "the preset's", "the main address"),
    key("crm.columns", "emails", "a column name in quotes, or a list of them", r#"["Additional email addresses", "Work email"]"#, "the preset's", "further addresses, one or several in a cell"),
    key("crm.columns", "merged_ids", COLUMN, r#""Merged contact IDs""#, "the preset's", "ids of records merged into this one, joined by `;`"),
    key("crm.columns", "deleted", COLUMN, r#""Archived""#, "the preset's", "whether the record is deleted or archived"),
    key("crm.columns", "external_id", COLUMN, r#""Customer ID""#, "the preset's", "your own id"),
    key("crm.columns", "stripe_customer_id", COLUMN, r#""Stripe Customer ID""#, "the preset's", "the Stripe customer"),
    key("crm.columns", "name", COLUMN, r#""Full name""#, "the preset's", "the whole name"),
    key("crm.columns", "first_name", COLUMN, r#""First Name""#, "the preset's", "the first name"),
    key("crm.columns", "last_name", COLUMN, r#""Last Name""#, "the preset's", "the last name"),
    key("crm.columns", "company_name", COLUMN, r#""Company name""#, "the preset's", "the company"),
    key("crm.columns", "company_id", COLUMN, r#""Primary Associated Company ID""#, "the preset's", "the company's id in the CRM, to find its name in the files of companies"),
    key("crm.columns", "last_activity", COLUMN, r#""Last Activity Date""#, "the preset's", "when the contact was last active"),

    key("existing", "customers", PATTERNS, r#""exports/tether/customers*.jsonl""#, "the baseline alone", "what Tether holds, as exported; only with a single product"),
    key("existing", "encoding", ENCODING, r#""windows-1252""#, RECOGNISED, "the encoding of files without a byte order mark"),

    key("fields", "email", PLACES, r#"["crm", "stripe"]"#, r#"["crm", "stripe"]"#, "where the e-mail comes from"),
    key("fields", "external_id", PLACES, r#"["crm", "metadata"]"#, r#"["crm", "metadata"]"#, r#"where the external id comes from; "stripe_id" is the third place"#),
    key("fields", "name", PLACES, r#"["crm", "stripe"]"#, r#"["crm", "stripe"]"#, "where the name comes from"),
    key("fields", "company_name", PLACES, r#"["crm"]"#, r#"["crm"]"#, "where the company's name comes from"),
    key("fields", "mrr", PLACES, r#"["stripe"]"#, r#"["stripe"]"#, "where MRR comes from"),
    key("fields", "subscription_status", PLACES, r#"["stripe"]"#, r#"["stripe"]"#, "where the subscription's status comes from"),
    key("fields", "auto_renew", PLACES, r#"["stripe"]"#, r#"["stripe"]"#, "where auto_renew comes from"),
    key("fields", "period_end", PLACES, r#"["stripe"]"#, r#"["stripe"]"#, "where the period's end comes from"),
    key("fields", "last_activity", PLACES, r#"["crm"]"#, r#"["crm"]"#, "where the last activity comes from"),

    key("link", "contacts_without_account", YES_NO, "true", "false", "send contacts that own no billing account"),
    key("link", "relink_external_id", YES_NO, "true", "false", "let a desired external id replace another one that Tether holds"),

    key("identity", "overrides", PATTERNS, r#""overrides.csv""#, "none", "what a person decided about accounts and contacts, once; the columns stand in docs/FORMAT.md"),

    key("mrr", "count_trialing", YES_NO, "true", "false", "count trialing subscriptions"),
    key("mrr", "past_due_grace_days", "a whole number of days", "14", "without end", "days after the period's end for which a past_due subscription still counts"),
    key("mrr", "pause_collection", r#""void", "all" or "none""#, r#""void""#, r#""void""#, "which subscriptions with paused collection count 0"),
    key("mrr", "cancel_at_request", YES_NO, "true", "false", "stop counting when cancellation is asked for, not at the period's end"),
    key("mrr", "coupons", r#""recurring", "all", "forever" or "none", or the table [mrr.coupons]"#, r#""recurring""#, r#""recurring""#, "which coupons reduce MRR"),
    key("mrr", "count_coupons", r#""recurring", "all", "forever" or "none""#, r#""recurring""#, r#""recurring""#, "the same as coupons, for use beside [mrr.coupons], since TOML allows a name only once"),
    key("mrr", "unknown_coupon", r#""invalid" or "ignore""#, r#""invalid""#, r#""invalid""#, "what a coupon that nothing defines does to its customer"),
    key("mrr", "week_factor", "weeks per month as a fraction or a decimal, in quotes", r#""52/12""#, r#""52/12""#, "weeks per month"),
    key("mrr", "day_factor", "days per month as a fraction or a decimal, in quotes", r#""365/12""#, r#""365/12""#, "days per month"),
    key("mrr", "rounding", r#""half_even" or "half_up""#, r#""half_even""#, r#""half_even""#, "how the one rounding per customer is done"),
    key("mrr", "no_subscription_status", "a status in quotes", r#""canceled""#, "absent", "the status of a customer without any subscription"),
    key("mrr", "currency_digits", "a table of digits after the point, 0 to 4, by currency", "{ isk = 0 }", "Stripe's table", "currencies whose minor unit differs from Stripe's table"),
    key("mrr.coupons.*", "percent_off", "a percentage above 0 and up to 100", r#""20""#, "", "the percentage; this or amount_off"),
    key("mrr.coupons.*", "amount_off", "a positive amount in quotes, in whole currency units", r#""5.00""#, "", "the amount; this or percent_off"),
    key("mrr.coupons.*", "currency", "a three-letter currency code in quotes", r#""usd""#, "", "the currency of amount_off"),
    key("mrr.coupons.*", "duration", r#""forever", "repeating" or "once""#, r#""forever""#, "", "how long it lasts"),

    key("fx.*", "rate", "a positive decimal in quotes, so that it stays exact", r#""1.0842""#, "", "account currency per unit of this currency"),
    key("fx.*", "date", "the day the rate is of", r#""2026-10-31""#, "", "the day the rate is of; shown in the report"),

    key("limits", "file_bytes", SIZE, r#""16GB""#, r#""16GB""#, "bytes of one input file, unpacked; a larger one is refused"),
    key("limits", "rows", "a whole number of rows, 1 to 4000000000", "50000000", "50000000", "rows of one input file; one with more is refused"),
    key("limits", "columns", "a whole number of columns, 1 to 1000000", "4096", "4096", "columns of one input file; one with more is refused"),
    key("limits", "field_bytes", SIZE, r#""1MB""#, r#""1MB""#, "bytes of one field; a row with a longer one is rejected"),
    key("limits", "parquet_memory", SIZE, r#""8GB""#, r#""8GB""#, "memory that the trial reading of one Parquet file may take, which goes before the run's own; a file that needs more is refused"),

    key("guards", "max_created", "a whole number of customers", "500", "no guard", "customers that the plan would or may create, over all products"),
    key("guards", "max_changed_percent", PERCENT, "30", "no guard", "updates as a percentage of existing customers, per product"),
    key("guards", "max_mrr_change_percent", PERCENT, "10", "no guard", "net change of MRR as a percentage of the opening MRR, per product"),
    key("guards", "max_gross_mrr_change_percent", PERCENT, "20", "no guard", "changes of MRR up and down added up, as a percentage of the opening MRR, per product"),
    key("guards", "max_customer_mrr_change", "a positive decimal in quotes, in whole units of the account's currency", r#""5000.00""#, "no guard", "change of one customer's MRR, up or down"),
    key("guards", "max_status_shift_percent", SHARE, "10", "no guard", "percentage points by which the share of a status may move since the last completed run, per product"),
    key("guards", "max_currency_shift_percent", SHARE, "10", "no guard", "percentage points by which a currency's share of Stripe's subscriptions may move since the last completed run"),
    key("guards", "refuse_new_currency", YES_NO, "true", "false", "refuse a currency of which the last completed run had no subscription"),
    key("guards", "min_rows_percent", SHARE, "80", "no guard", "rows of each source as a percentage of the last completed run's, at least"),
    key("guards", "max_rows_percent", "a percentage of at least 100", "150", "no guard", "rows of each source as a percentage of the last completed run's, at most"),
    key("guards", "max_export_age", "a duration in quotes", r#""36h""#, "no guard", "how long before the run's start an export of Stripe or a CRM may have been written"),
    key("guards", "refuse_repeated_files", YES_NO, "true", "false", "refuse a source of Stripe or a CRM all of whose files are those of the last completed run"),

    key("tether", "url", r#"an https address, or "sandbox" for a local Tether inside the process"#, r#""https://usetether.io""#, r#""https://usetether.io""#, "where Tether is"),
    key("tether", "rate", "calls per s, min, h or d, or \"auto\"", r#""10/s""#, r#""10/s""#, "calls per time, for each product's key; a product may have its own"),
    key("tether", "burst", "a whole number of calls, at least 1", "1", "1", "in any window never more than rate × window + burst calls"),
    key("tether", "in_flight", "a whole number of calls, 1 to 1024", "16", "16", "calls under way at a time"),
    key("tether", "deadline", "a duration in quotes", r#""2h""#, r#""2h""#, "how long a run may take before it ends as incomplete, resumable"),
    key("tether", "request_timeout", "a duration in quotes", r#""30s""#, r#""30s""#, "how long one call may take"),
    key("tether", "max_tries", "a whole number of tries, at least 1", "5", "5", "tries per row"),
    key("tether", "stop_after_creation_disabled", YES_NO, "true", "false", "send no further rows predicted create after a product's first CREATION_DISABLED"),
    key("tether", "sandbox_faults", PATH, r#""faults.toml""#, "none", "what goes wrong in the local Tether of url = \"sandbox\", for rehearsals; docs/REHEARSALS.md shows how"),

    key("tether", "proxy", PROXY, r#""http://proxy.example.com:3128""#, "no proxy; variables of the environment are not heeded", "the proxy through which Tether is reached"),

    key("notify", "name", "a short name in quotes", r#""books""#, "the name of the configuration's file", "what notices and metrics call this configuration"),
    key("notify", "when", r#""change", "problem" or "always""#, r#""change""#, r#""change""#, "which ends slack and webhook are told: those that differ from the last that was told, every one that is not 0, or every one"),
    key("notify", "slack", SECRET, r#"{ env = "SLACK_WEBHOOK" }"#, "nobody", "an incoming webhook of Slack, or of what understands its text"),
    key("notify", "webhook", SECRET, r#"{ env = "RECON_WEBHOOK" }"#, "nobody", "an address that takes JSON; docs/FORMAT.md describes it"),
    key("notify", "ping", SECRET, r#"{ env = "PING_URL" }"#, "nobody", "a dead man's switch: pinged with /start, as it is after success, with /fail after failure"),
    key("notify", "ping_start", SECRET, r#"{ env = "PING_START_URL" }"#, "that of ping, with /start", "the address that is pinged when a run begins"),
    key("notify", "ping_success", SECRET, r#"{ env = "PING_SUCCESS_URL" }"#, "that of ping", "the address that is pinged after success"),
    key("notify", "ping_failure", SECRET, r#"{ env = "PING_FAILURE_URL" }"#, "that of ping, with /fail", "the address that is pinged after failure; {exit_code} in it is replaced"),
    key("notify", "success", "a list of exit codes", "[0, 3]", "[0, 3]", "the exit codes that count as success for ping and metrics"),
    key("notify", "metrics", "the path of a file in quotes", r#""/var/lib/node_exporter/tether_recon.prom""#, "none", "a file for the textfile collector of Prometheus' node_exporter"),
    key("notify", "timeout", "a duration in quotes", r#""5s""#, r#""5s""#, "how long one notice may take"),
    key("notify", "proxy", PROXY, r#""http://proxy.example.com:3128""#, "no proxy", "the proxy through which notices go"),

    key("product", "name", "a short name in quotes", r#""core""#, "", "the product's name in reports"),
    key("product", "key", "a table that says where the key stands", r#"{ env = "TETHER_API_KEY" }"#, "", "where the product's API key stands; never the key itself"),
    key("product", "existing", PATTERNS, r#""exports/tether/core*.jsonl""#, "the baseline alone", "what Tether holds for this product, as exported"),
    key("product", "existing_encoding", ENCODING, r#""windows-1252""#, RECOGNISED, "the encoding of those files where they have no byte order mark"),
    key("product", "creation", r#""on" or "off""#, r#""on""#, "not said", "the product's creation gate as you expect it; in the sandbox it is the gate"),
    key("product", "filter", "an SQL condition on source rows, in quotes", r#""stripe_subscriptions.product = 'prod_core'""#, "every source row", "which source rows are this product's; docs/OPERATIONS.md shows how, docs/FORMAT.md holds the language"),
    key("product", "rate", "calls per s, min, h or d, or \"auto\"", r#""5/s""#, "that of [tether]", "calls per time with this product's key; products on one key have the same"),
    key("product", "burst", "a whole number of calls, at least 1", "1", "that of [tether]", "in any window never more than rate × window + burst calls with this product's key"),
    key("product.key", "env", "the name of an environment variable in quotes", r#""TETHER_API_KEY""#, "", "an environment variable"),
    key("product.key", "file", PATH, r#""secrets/tether.key""#, "", "a file that only its owner can read"),
    key("product.key", "credential", "the name of a systemd credential in quotes", r#""tether-key""#, "", "a file in $CREDENTIALS_DIRECTORY"),
];

const fn key(
    section: &'static str,
    name: &'static str,
    expects: &'static str,
    example: &'static str,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key { section, name, expects, example, default, doc }
}

/// The row of a key, if there is one.
pub fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The keys of a section, in the order of the documentation.
pub fn keys_of(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(move |key| key.section == section).map(|key| key.name)
}

/// The candidate that a person who typed `word` most likely meant.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (candidate, strsim::jaro_winkler(&word, candidate)))
        .filter(|(_, likeness)| *likeness > 0.8)
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{KEYS, nearest};
    use std::collections::BTreeSet;

    #[test]
    fn no_key_is_listed_twice_and_every_key_is_explained() {
        let mut seen = BTreeSet::new();
        for key in KEYS {
            assert!(seen.insert((key.section, key.name)), "{key:?} stands twice");
            assert!(!key.doc.is_empty() && !key.expects.is_empty(), "{key:?}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_key_and_nonsense_finds_none() {
        for (word, expected) in
            [("custommers", Some("customers")), ("Subscription", Some("subscriptions")), ("zzz", None), ("", None)]
        {
            assert_eq!(nearest(word, ["customers", "subscriptions", "amount"]), expected, "{word}");
        }
    }
}
