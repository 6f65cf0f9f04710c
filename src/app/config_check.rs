//! `config check`: what a run would do, told without a key, without the network, and without opening an export.

use super::exit::{AppError, ExitCode};
use super::notices;
use super::output::write_text;
use crate::billing::definition;
use crate::config::{Pace, Settings, TetherUrl, key_is_present, load, place};
use crate::plan::limits;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// What one glob pattern finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The source: `stripe customers`, `crm hubspot`, `existing core`.
    pub source: String,
    /// The pattern, relative to the configuration where it stands below it.
    pub pattern: String,
    /// Files that match.
    pub files: usize,
    /// Their sizes together, in bytes.
    pub bytes: u64,
}

/// A pattern of the configuration finds no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: `{pattern}` matches no file{}; export the files, or correct the pattern", others(*further))]
pub struct NothingMatches {
    /// The source.
    pub source_name: String,
    /// The first pattern without a file.
    pub pattern: String,
    /// How many further patterns find nothing either.
    pub further: usize,
}

fn others(further: usize) -> String {
    if further == 0 { String::new() } else { format!(", nor do {further} more") }
}

/// Loads `path`, looks for the files its patterns name, and prints what a run would do.
///
/// # Errors
/// [`AppError::Configuration`] with every problem; [`AppError::Input`] when a pattern finds nothing, after printing.
pub fn run(path: &Path, env: &dyn Fn(&str) -> Option<OsString>, out: &mut dyn Write) -> Result<ExitCode, AppError> {
    let settings = load(path)?;
    settings.tether.sandbox_faults.as_deref().map(super::embedded::faults).transpose()?;
    let matched = look(&settings);
    let keys: Vec<bool> = settings.products.iter().map(|product| key_is_present(&product.key, env)).collect();
    let text = describe(&settings, &matched, &keys).map_err(|error| AppError::Internal(Box::new(error)))?;
    let told = notices::describe(&settings, env).map_err(|error| AppError::Internal(Box::new(error)))?;
    write_text(out, &(text + &told))?;
    let mut empty = matched.into_iter().filter(|matched| matched.files == 0);
    match empty.next() {
        None => Ok(ExitCode::Done),
        Some(first) => {
            let further = empty.count();
            let error = NothingMatches { source_name: first.source, pattern: first.pattern, further };
            Err(AppError::Input(Box::new(error)))
        }
    }
}

/// Counts what every pattern finds. A file that cannot be looked at counts with 0 bytes: a run will say why.
fn look(settings: &Settings) -> Vec<Matched> {
    let stripe = &settings.stripe;
    let mut sources = vec![
        ("stripe files".to_owned(), &stripe.files),
        ("stripe customers".to_owned(), &stripe.customers),
        ("stripe subscriptions".to_owned(), &stripe.subscriptions),
    ];
    for crm in &settings.crms {
        sources.push((format!("crm {}", crm.name), &crm.contacts));
        sources.push((format!("crm {} companies", crm.name), &crm.companies));
    }
    sources.push(("overrides".to_owned(), &settings.identity.overrides));
    sources.extend(settings.products.iter().map(|product| (format!("existing {}", product.name), &product.existing)));
    let mut matched = Vec::new();
    for (source, patterns) in sources {
        for pattern in patterns {
            let paths = glob::glob(pattern).into_iter().flatten().flatten();
            let sizes: Vec<u64> =
                paths.filter(|path| path.is_file()).map(|path| path.metadata().map_or(0, |file| file.len())).collect();
            matched.push(Matched {
                source: source.clone(),
                pattern: settings.shown_pattern(pattern).to_owned(),
                files: sizes.len(),
                bytes: sizes.iter().sum(),
            });
        }
    }
    matched
}

/// The page that `config check` prints. `keys` says for each product whether its key is there.
pub fn describe(settings: &Settings, matched: &[Matched], keys: &[bool]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(text, "The configuration is valid (hash {}).", settings.hash.get(..12).unwrap_or_default())?;
    writeln!(text, "Account currency {}, state in {}", settings.run.currency, settings.run.state.display())?;

    writeln!(text, "\nSources")?;
    let width = matched.iter().map(|matched| matched.source.len()).max().unwrap_or_default();
    for found in matched {
        let files = match found.files {
            0 => "NO FILE MATCHES".to_owned(),
            1 => format!("1 file, {}", size(found.bytes)),
            several => format!("{several} files, {}", size(found.bytes)),
        };
        writeln!(text, "  {:width$}  {}: {files}", found.source, found.pattern)?;
    }

    writeln!(text, "\nProducts")?;
    for (product, present) in settings.products.iter().zip(keys) {
        let there = if *present { "present" } else { "NOT THERE" };
        let gate = match product.creation {
            Some(true) => "expected on",
            Some(false) => "expected off",
            None => "not said",
        };
        let existing = if product.existing.is_empty() { "baseline only" } else { "export and baseline" };
        writeln!(
            text,
            "  {}: key in {}, {there}; creation {gate}; existing customers: {existing}",
            product.name,
            place(&product.key)
        )?;
    }

    let tether = &settings.tether;
    let url = match &tether.url {
        TetherUrl::Sandbox => "the sandbox inside the process; nothing leaves this machine",
        TetherUrl::Remote(url) => url.as_str(),
    };
    writeln!(text, "\nTether: {url}")?;
    writeln!(
        text,
        "  {}, burst {}, {} in flight, {} tries; a call may take {}, a run {}",
        match tether.rate {
            Pace::Fixed(rate) => format!("{} calls in {}", rate.calls, span(rate.per)),
            Pace::Auto => "as many calls as the server takes".to_owned(),
        },
        tether.burst,
        tether.in_flight,
        tether.max_tries,
        span(tether.request_timeout),
        span(tether.deadline)
    )?;

    writeln!(text, "\nGuards, refused before the first call")?;
    for (guard, limit) in limits(settings) {
        writeln!(text, "  {guard}: {}", limit.as_deref().unwrap_or("no guard"))?;
    }

    writeln!(text, "\nDefinition of MRR")?;
    for line in definition(&settings.mrr, &settings.fx, settings.run.currency, settings.stripe.amount) {
        writeln!(text, "  {line}")?;
    }
    Ok(text)
}

/// A duration as the configuration writes it: `1h30m`.
fn span(duration: Duration) -> String {
    let (seconds, milliseconds) = (duration.as_secs(), duration.subsec_millis());
    [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (u64::from(milliseconds), "ms")]
        .iter()
        .filter(|(number, _)| *number > 0)
        .fold(String::new(), |text, (number, unit)| format!("{text}{number}{unit}"))
}

/// Bytes for a person, in decimal units.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    UNITS.iter().find(|(_, unit)| bytes >= *unit).map_or_else(
        || format!("{bytes} B"),
        |(name, unit)| format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::run;
    use std::ffi::OsString;

    const TEXT: &str = r#"
        [run]
        currency = "usd"
        [stripe]
        customers = "in/customers*.csv"
        subscriptions = ["in/subscriptions.csv"]
        [fx]
        eur = { rate = "1.0842", date = "2026-10-31" }
        [guards]
        max_created = 500
        [tether]
        url = "sandbox"
        [[product]]
        name = "core"
        key = { env = "TETHER_CORE_KEY" }
        creation = "on"
        [[product]]
        name = "academy"
        key = { env = "TETHER_ACADEMY_KEY" }
        existing = "in/academy.jsonl"
    "#;

    /// Runs the check over a folder with `files`; answers with what was printed and the exit code.
    fn check(files: &[(&str, &str)]) -> (String, u8, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let env = |name: &str| (name == "TETHER_CORE_KEY").then(|| OsString::from("tk_live_1234"));
        let mut out = Vec::new();
        let result = run(&folder.path().join("recon.toml"), &env, &mut out);
        let text = String::from_utf8(out).unwrap().replace(folder.path().to_str().unwrap(), "<folder>");
        match result {
            Ok(code) => (text, code.code(), String::new()),
            Err(error) => (text, error.exit_code().code(), error.to_string()),
        }
    }

    #[test]
    fn it_tells_what_a_run_would_do_and_never_the_key() {
        let (text, code, _) = check(&[
            ("recon.toml", TEXT),
            ("in/customers_1.csv", "id\ncus_1\n"),
            ("in/customers_2.csv", "id\n"),
            ("in/subscriptions.csv", "id\n"),
            ("in/academy.jsonl", "{}\n"),
        ]);
        assert_eq!(code, 0);
        assert!(!text.contains("tk_live_1234"));
        insta::with_settings!({filters => vec![("hash [0-9a-f]{12}", "hash <hash>")]}, {
            insta::assert_snapshot!("config_check", text);
        });
    }

    #[test]
    fn a_pattern_without_a_file_is_told_and_ends_with_8() {
        let (text, code, error) = check(&[("recon.toml", TEXT), ("in/customers_1.csv", "id\n")]);
        assert_eq!(code, 8);
        assert!(text.contains("in/subscriptions.csv: NO FILE MATCHES"), "{text}");
        assert!(error.contains("`in/subscriptions.csv` matches no file, nor do 1 more"), "{error}");
    }

    #[test]
    fn a_bad_configuration_ends_with_2_and_a_missing_one_too() {
        let (text, code, error) = check(&[("recon.toml", "[run]\n")]);
        assert_eq!((text.as_str(), code), ("", 2));
        assert!(error.contains("run.currency"), "{error}");
        assert_eq!(check(&[]).1, 2);
    }
}
