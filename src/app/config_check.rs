//! `config check`: what a run would do, told without a key, without the network, from the configuration and the beginnings of
//! the files that it names.

mod pace;
mod sources;

pub use sources::WouldBeRefused;

use super::Context;
use super::exit::{AppError, ExitCode};
use super::notices;
use super::output::write_text;
use crate::billing::definition;
use crate::config::{FilterSource, KeyPace, Settings, TetherUrl, key_is_present, load, open_mode, place};
use crate::load::{LoadError, Look, look};
use crate::plan::limits;
use std::fmt::{self, Write as _};
use std::io::Write;
use std::time::Duration;

/// Loads the configuration, looks at the files its patterns name, and prints what a run would do.
///
/// # Errors
/// [`AppError::Configuration`] with every problem; [`AppError::Input`] with every file and pattern that a run would refuse,
/// after printing.
pub fn run(context: &Context<'_>, out: &mut dyn Write) -> Result<ExitCode, AppError> {
    let settings = load(&context.config)?;
    if let Some(file) = &settings.tether.sandbox_faults {
        super::embedded::faults(file).map_err(|error| match settings.place_of(&file.to_string_lossy()) {
            Some(place) => AppError::Configuration(format!("{place}: tether.sandbox_faults: {error}").into()),
            None => error,
        })?;
    }
    let look = look(&settings, &context.trials);
    let there = |source| match open_mode(source) {
        Some(mode) => format!("REFUSED: open to others (mode {mode:03o}), run chmod 600 on it"),
        None if key_is_present(source, context.env) => "present".to_owned(),
        None => "NOT THERE".to_owned(),
    };
    let keys: Vec<String> = settings.products.iter().map(|product| there(&product.key)).collect();
    let text = describe(&settings, &look, &keys).map_err(|error| AppError::Internal(Box::new(error)))?;
    let told = notices::describe(&settings, context.env).map_err(|error| AppError::Internal(Box::new(error)))?;
    write_text(out, &(text + &told))?;
    match WouldBeRefused::of(&settings, &look) {
        None => Ok(ExitCode::Done),
        // Of a file whose reader was stopped from outside nothing is known.
        Some(error) if look.refused.iter().all(|refused| matches!(refused.error, LoadError::Stopped { .. })) => {
            Err(AppError::Incomplete(Box::new(error)))
        }
        Some(error) => Err(AppError::Input(Box::new(error))),
    }
}

/// The page that `config check` prints. `keys` says for each product whether a run would find its key.
pub fn describe(settings: &Settings, look: &Look, keys: &[String]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(text, "The configuration is valid (hash {}).", settings.hash.get(..12).unwrap_or_default())?;
    writeln!(text, "Account currency {}, state in {}", settings.run.currency, settings.run.state.display())?;

    writeln!(text, "\nSources")?;
    sources::write(&mut text, settings, look)?;

    writeln!(text, "\nProducts")?;
    for (product, there) in settings.products.iter().zip(keys) {
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
        if let Some(filter) = &product.filter {
            writeln!(text, "    filter: {}", filter.text)?;
            if filter.terms.iter().all(|term| matches!(term.source, FilterSource::Crm(_))) {
                writeln!(
                    text,
                    "    LOOK: it speaks of CRMs alone: every Stripe customer is taken, and only contacts are chosen"
                )?;
            }
        }
    }
    let takes_all: Vec<&str> = settings
        .products
        .iter()
        .filter(|product| product.filter.is_none())
        .map(|product| product.name.as_str())
        .collect();
    if settings.products.len() > 1 && !takes_all.is_empty() {
        writeln!(text, "  LOOK: without a filter a product takes every Stripe customer: {}", takes_all.join(", "))?;
    }

    let tether = &settings.tether;
    let url = match &tether.url {
        TetherUrl::Sandbox => "the sandbox inside the process; nothing leaves this machine",
        TetherUrl::Remote(url) => url.as_str(),
    };
    writeln!(text, "\nTether: {url}")?;
    writeln!(
        text,
        "  {}, {} in flight, {} tries; a call may take {}, a run {}",
        pace::words(KeyPace { rate: tether.rate, burst: tether.burst }),
        tether.in_flight,
        tether.max_tries,
        span(tether.request_timeout),
        span(tether.deadline)
    )?;
    for line in pace::lines(settings, look) {
        writeln!(text, "  {line}")?;
    }

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
    use crate::app::{Context, tests::context};
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
        let context = Context { config: folder.path().join("recon.toml"), env: &env, ..context(folder.path()) };
        let result = run(&context, &mut out);
        let text = String::from_utf8(out).unwrap().replace(folder.path().to_str().unwrap(), "<folder>");
        match result {
            Ok(code) => (text, code.code(), String::new()),
            Err(error) => {
                let folder = format!("{}/recon.toml", folder.path().display());
                (text, error.exit_code().code(), error.to_string().replace(&folder, "recon.toml"))
            }
        }
    }

    const CUSTOMERS: &str = "id,Email,Delinquent,Plan\ncus_1,ada@example.com,,\n";
    const SUBSCRIPTIONS: &str = "id;Customer ID;Status;Amount;Currency;Interval\nsub_1;cus_1;active;1,00;usd;month\n";
    const EXISTING: &str = "{\"tether_id\":\"t-1\",\"email\":\"ada@example.com\"}\n";

    #[test]
    fn it_tells_what_a_run_would_do_and_never_the_key() {
        let (text, code, error) = check(&[
            ("recon.toml", TEXT),
            ("in/customers_1.csv", CUSTOMERS),
            ("in/customers_2.csv", "id,Email,Name,Created (UTC)\n"),
            ("in/subscriptions.csv", SUBSCRIPTIONS),
            ("in/academy.jsonl", EXISTING),
        ]);
        assert_eq!((code, error.as_str()), (0, ""));
        assert!(!text.contains("tk_live_1234"));
        insta::with_settings!({filters => vec![("hash [0-9a-f]{12}", "hash <hash>")]}, {
            insta::assert_snapshot!("config_check", text);
        });
    }

    #[test]
    fn a_product_with_a_pace_of_its_own_is_told_with_its_own_forecast() {
        let text = TEXT
            .replace("creation = \"on\"\n", "creation = \"on\"\n        rate = \"1/min\"\n        burst = 2\n")
            + "rate = \"auto\"\n[[product]]\nname = \"lite\"\nkey = { env = \"TETHER_LITE_KEY\" }\n";
        let customers = CUSTOMERS.replace("cus_1,ada@example.com,,\n", &"cus_1,ada@example.com,,\n".repeat(121));
        let (text, code, error) = check(&[
            ("recon.toml", &text),
            ("in/customers_1.csv", &customers),
            ("in/subscriptions.csv", SUBSCRIPTIONS),
            ("in/academy.jsonl", EXISTING),
        ]);
        assert_eq!((code, error.as_str()), (0, ""), "{text}");
        let at = text.find("  10 calls in 1s, burst 1, 16 in flight").unwrap();
        let lines: Vec<&str> = text[at..].lines().skip(1).take(3).collect();
        assert_eq!(
            lines,
            [
                "  core: 1 calls in 1m, burst 2; one call for each of 121 Stripe customers would take 2h1m, longer than a \
                 run may",
                "  academy: as many calls as the server takes",
                "  lite: one call for each of 121 Stripe customers would take 13s",
            ]
        );
    }

    #[test]
    fn every_file_and_pattern_that_a_run_would_refuse_is_told_with_its_place_and_ends_with_8() {
        let (text, code, error) = check(&[
            ("recon.toml", TEXT),
            ("in/customers_1.csv", "id,Customer,Status\n"),
            ("in/customers_2.csv", CUSTOMERS),
            ("in/academy.jsonl", "\n"),
        ]);
        assert_eq!(code, 8);
        assert!(text.contains("in/subscriptions.csv: NO FILE MATCHES"), "{text}");
        assert!(text.contains("in/customers*.csv: 1 of 2 files REFUSED"), "{text}");
        let lines: Vec<&str> = error.lines().collect();
        assert!(lines[0].starts_with("a run would refuse 3 inputs, the first: recon.toml:6:26: [stripe]"), "{error}");
        assert!(lines[1].contains("in/subscriptions.csv` matches no file"), "{error}");
        for (start, place) in [
            ("in/customers_1.csv, line 1: no column `email` for email; the nearest heading is", "recon.toml:5:21"),
            ("in/academy.jsonl is empty", "recon.toml:20:20"),
        ] {
            let told = |line: &&str| line.trim().starts_with(start) && line.ends_with(&format!("(named at {place})"));
            assert!(lines.iter().any(told), "{start}: {error}");
        }
    }

    #[test]
    fn a_bad_configuration_ends_with_2_and_a_missing_one_too() {
        let (text, code, error) = check(&[("recon.toml", "[run]\n")]);
        assert_eq!((text.as_str(), code), ("", 2));
        assert!(error.contains("run.currency"), "{error}");
        assert_eq!(check(&[]).1, 2);
    }
}
