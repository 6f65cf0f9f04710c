//! Metrics in the text format of Prometheus, for the textfile collector of its `node_exporter`.

use super::Ended;
use super::ended::Figures;
use crate::model::Instant;
use crate::report::plain_amount;
use std::collections::BTreeMap;
use std::fmt::Write;

/// One metric: its name, what it is, and its samples, labels first.
struct Metric {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, String)>,
}

/// The whole file. A metric without a sample is left out: of a run without a report nothing is claimed.
pub(super) fn text(ended: &Ended, last_success: Option<Instant>) -> String {
    let mut out = String::new();
    for metric in metrics(ended, last_success).iter().filter(|metric| !metric.samples.is_empty()) {
        // Writing into a String cannot fail.
        let _ = write_metric(&mut out, metric, &ended.name);
    }
    out
}

fn write_metric(out: &mut String, metric: &Metric, name: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {} {}", metric.name, metric.help)?;
    writeln!(out, "# TYPE {} gauge", metric.name)?;
    for (labels, value) in &metric.samples {
        write!(out, "{}{{config=\"{}\"", metric.name, escaped(name))?;
        for (label, value) in labels {
            write!(out, ",{label}=\"{}\"", escaped(value))?;
        }
        writeln!(out, "}} {value}")?;
    }
    Ok(())
}

/// A label's value as the format has it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn metrics(ended: &Ended, last_success: Option<Instant>) -> Vec<Metric> {
    let single = |name, help, value: Option<String>| Metric {
        name,
        help,
        samples: value.into_iter().map(|value| (vec![], value)).collect(),
    };
    let seconds = |at: Instant| at.epoch_seconds().to_string();
    let took = ended.ended_at.epoch_seconds() - ended.started_at.epoch_seconds();
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    let mut all = vec![
        Metric {
            name: "tether_recon_info",
            help: "The version that ran last.",
            samples: vec![(version, "1".to_owned())],
        },
        single(
            "tether_recon_last_run_exit_code",
            "The exit code of the run that ended last.",
            Some(ended.exit_code.to_string()),
        ),
        single(
            "tether_recon_last_run_start_timestamp_seconds",
            "When the run that ended last was started.",
            Some(seconds(ended.started_at)),
        ),
        single(
            "tether_recon_last_run_end_timestamp_seconds",
            "When the run that ended last ended.",
            Some(seconds(ended.ended_at)),
        ),
        single(
            "tether_recon_last_run_duration_seconds",
            "How long the run that ended last took.",
            Some(took.max(0).to_string()),
        ),
        single(
            "tether_recon_last_success_timestamp_seconds",
            "When a run last ended with an exit code that counts as success.",
            last_success.map(seconds),
        ),
    ];
    if let Some(figures) = &ended.figures {
        all.extend(of_figures(figures));
    }
    all
}

fn of_figures(figures: &Figures) -> Vec<Metric> {
    let product = |name: &str| ("product", name.to_owned());
    let amount = |minor| plain_amount(minor, figures.currency_digits);
    let mrr = |name, help, of: fn(&(i128, i128)) -> i128| Metric {
        name,
        help,
        samples: figures
            .products
            .iter()
            .map(|one| (vec![product(&one.name), ("currency", figures.currency.clone())], amount(of(&one.mrr))))
            .collect(),
    };
    vec![
        Metric {
            name: "tether_recon_needs_a_person",
            help: "Customers of the last run that need a person.",
            samples: vec![(vec![], figures.needs_a_person.to_string())],
        },
        Metric {
            name: "tether_recon_customers",
            help: "Customers of the last run by product and outcome.",
            samples: figures
                .products
                .iter()
                .flat_map(|one| {
                    crate::model::Outcome::ALL.iter().map(|outcome| {
                        let customers = one.outcomes.get(outcome).map_or(0, |of| of.customers);
                        (vec![product(&one.name), ("outcome", outcome.to_string())], customers.to_string())
                    })
                })
                .collect(),
        },
        mrr("tether_recon_mrr_before", "Tether's MRR before the last run, in units of the currency.", |mrr| mrr.0),
        mrr("tether_recon_mrr_after", "Tether's MRR after the last run, in units of the currency.", |mrr| mrr.1),
        Metric {
            name: "tether_recon_calls",
            help: "Requests that the last run sent.",
            samples: figures.products.iter().map(|one| (vec![product(&one.name)], one.calls.to_string())).collect(),
        },
        Metric {
            name: "tether_recon_guard_refused",
            help: "Whether a guard refused the last run (1) or not (0).",
            samples: guards(figures)
                .into_iter()
                .map(|((guard, scope), refused)| {
                    let labels = vec![("guard", guard.to_owned()), ("scope", scope.to_owned())];
                    (labels, u8::from(refused).to_string())
                })
                .collect(),
        },
        Metric {
            name: "tether_recon_source_rows",
            help: "Rows that the last run read, by source.",
            samples: figures
                .sources
                .iter()
                .map(|source| (vec![("source", source.name.clone())], source.rows_read.to_string()))
                .collect(),
        },
    ]
}

/// Whether each guard refused, by its name and what it looked at: a guard may find several things there, a sample stands once.
fn guards(figures: &Figures) -> BTreeMap<(&str, &str), bool> {
    let mut refused = BTreeMap::new();
    for found in &figures.guards {
        let scope = found.scope.as_deref().unwrap_or_default();
        *refused.entry((found.guard.as_str(), scope)).or_default() |= found.refused;
    }
    refused
}
