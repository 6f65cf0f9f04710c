//! What is typed is what is meant, and what the help shows can be typed.

use super::{CONFIG_VARIABLE, Cli, Command, ConfigCommand, completions, man};
use crate::config::schema::keys_of;
use crate::load::TRIAL_ARGUMENT;
use crate::monitor::LogLevel;
use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind};
use clap_complete::Shell;
use std::path::Path;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_consistent_and_every_flag_is_explained() {
    fn explained(command: &clap::Command) {
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
        command.get_subcommands().for_each(explained);
    }
    Cli::command().debug_assert();
    explained(&Cli::command());
}

#[test]
fn the_help_teaches() {
    let help = Cli::command().term_width(100).render_long_help().to_string();
    insta::assert_snapshot!("help", help);
}

#[test]
fn what_is_typed_is_what_is_meant() {
    let run = parse("tether-recon run --as-of 2026-11-01 --allow max_created --allow min_rows_percent").unwrap();
    let Command::Run(run) = run.command else { panic!("not run") };
    assert_eq!(run.as_of.unwrap().to_string(), "2026-11-01T00:00:00Z");
    assert_eq!(run.allow, ["max_created", "min_rows_percent"]);

    let check = parse("tether-recon config check --config books.toml -q").unwrap();
    assert!(matches!(check.command, Command::Config(ConfigCommand::Check)));
    assert_eq!(check.global.config.as_deref(), Some("books.toml".as_ref()));
    assert_eq!(check.global.level(&check.command), LogLevel::Warn);

    for (line, level) in [
        ("plan", LogLevel::Info),
        ("explain cus_1", LogLevel::Warn),
        ("explain cus_1 -q", LogLevel::Warn),
        ("explain cus_1 -qq", LogLevel::Error),
        ("explain cus_1 -v", LogLevel::Debug),
        ("explain cus_1 --log-level info", LogLevel::Info),
    ] {
        let said = parse(&format!("tether-recon {line}")).unwrap();
        assert_eq!(said.global.level(&said.command), level, "{line}");
    }

    let sandbox = parse("tether-recon sandbox --product core=KEY,creation=on --product academy=KEY_2").unwrap();
    let Command::Sandbox(sandbox) = sandbox.command else { panic!("not sandbox") };
    let gates: Vec<_> = sandbox.products.iter().map(|product| (product.name.as_str(), product.creation)).collect();
    assert_eq!(gates, [("core", true), ("academy", false)]);
    assert_eq!(sandbox.listen.to_string(), "127.0.0.1:8787");
}

#[test]
fn the_flag_goes_before_the_variable_and_the_variable_before_the_default() {
    for (line, variable, expected) in [
        ("tether-recon plan", "", "tether-recon.toml"),
        ("tether-recon plan", "/etc/recon.toml", "/etc/recon.toml"),
        ("tether-recon plan --config books.toml", "/etc/recon.toml", "books.toml"),
    ] {
        let env = |name: &str| (name == CONFIG_VARIABLE).then(|| variable.into());
        assert_eq!(parse(line).unwrap().global.config_path(&env), Path::new(expected));
    }
}

#[test]
fn what_is_mistyped_is_a_usage_error_with_code_2() {
    for line in [
        "tether-recon run --as-of soon",
        "tether-recon run --allow everything",
        "tether-recon run -v -q",
        "tether-recon report",
        "tether-recon sandbox --product core",
        "tether-recon sandbox --product core=KEY,creation=maybe",
        "tether-recon sandbox --export core=out.jsonl",
        "tether-recon pan",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
    assert_eq!(parse("tether-recon --help").unwrap_err().kind(), ErrorKind::DisplayHelp);
    assert_eq!(parse("tether-recon --version").unwrap_err().exit_code(), 0);
}

#[test]
fn allow_knows_every_guard_of_the_configuration() {
    for guard in keys_of("guards") {
        for line in ["run", "plan", "apply latest --approve abc"] {
            parse(&format!("tether-recon {line} --allow {guard}")).unwrap();
        }
    }
    assert_eq!(parse("tether-recon run --allow max_everything").unwrap_err().exit_code(), 2);
}

/// Every example of a command's help and of those below it: the line as it is typed.
fn examples(command: &clap::Command, found: &mut Vec<(String, String)>) {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for line in help.lines().filter_map(|line| line.strip_prefix("  tether-recon")) {
        let typed = line.split("  ").next().unwrap().split(" > ").next().unwrap();
        found.push((command.get_name().to_owned(), format!("tether-recon{typed}")));
    }
    command.get_subcommands().for_each(|below| examples(below, found));
}

/// Holds every command that has none below it to an example of its own.
fn shows(command: &clap::Command, found: &[(String, String)]) {
    let mut below = command.get_subcommands().peekable();
    if below.peek().is_none() && !command.is_hide_set() {
        assert!(found.iter().any(|(of, _)| of == command.get_name()), "{} shows no example", command.get_name());
    }
    below.for_each(|below| shows(below, found));
}

#[test]
fn every_command_shows_examples_and_every_example_can_be_typed() {
    let mut found = vec![];
    examples(&Cli::command(), &mut found);
    for (command, line) in &found {
        assert!(parse(line).is_ok(), "{command}: {line}: {}", parse(line).unwrap_err());
    }
    shows(&Cli::command(), &found);
}

#[test]
fn every_shell_is_completed_with_every_command_and_without_the_hidden_one() {
    for shell in Shell::value_variants() {
        let script = String::from_utf8(completions(*shell)).unwrap();
        for word in ["explain", "prune", "dry-run", "as-of", "config"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains(TRIAL_ARGUMENT), "{shell}");
    }
}

#[test]
fn every_command_has_its_manual_page_and_an_unknown_one_is_named() {
    let page = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        man(&words).map(|page| String::from_utf8(page).unwrap())
    };
    let whole = page(&[]).unwrap();
    assert!(whole.contains("tether\\-recon\\-explain(1)"), "{whole}");
    assert!(whole.contains(".SH EXIT CODES") && !whole.contains("parquet"), "{whole}");
    let prune = page(&["runs", "prune"]).unwrap();
    assert!(prune.contains("\\-\\-dry\\-run") && prune.contains(".SH EXAMPLES"), "{prune}");
    assert!(prune.contains("tether\\-recon runs prune"), "{prune}");
    let error = page(&["runs", "purge"]).unwrap_err();
    assert_eq!(error.exit_code().code(), 2);
    assert!(error.to_string().contains("`purge`, only list, prune"), "{error}");
    assert!(page(&["run", "now"]).is_err());
}
