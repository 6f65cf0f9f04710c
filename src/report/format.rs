//! The formats that a report takes, and the files of each.

use super::files::SLICE;
use super::model::ReportModel;
use super::verdict::Ending;
use super::{ReportError, changes, csv, customers, html, json, json_lines, markdown, xlsx};
use std::io::Write;

/// A format that a report takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// `report.html`
    Html,
    /// `report.xlsx`
    Xlsx,
    /// `summary.md`
    Markdown,
    /// `summary.json`
    Json,
    /// `customers.csv`, `changes.csv`, `accounting.csv`
    Csv,
    /// `customers.jsonl`, `changes.jsonl`, `accounting.jsonl`
    JsonLines,
}

impl ReportFormat {
    /// Every format.
    pub const ALL: &'static [Self] = &[Self::Html, Self::Xlsx, Self::Markdown, Self::Json, Self::Csv, Self::JsonLines];

    /// The format as a command line names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// One file of the report.
pub(super) struct Rendering {
    /// Its name.
    pub(super) file: &'static str,
    /// Its format.
    pub(super) format: ReportFormat,
    /// What writes it. The same model gives the same bytes.
    pub(super) write: fn(&ReportModel, Ending, &mut dyn Write) -> Result<(), ReportError>,
}

/// Every file, those that take longest first.
pub(super) const RENDERINGS: [Rendering; 10] = [
    Rendering { file: "report.xlsx", format: ReportFormat::Xlsx, write: xlsx::write },
    Rendering {
        file: "customers.csv",
        format: ReportFormat::Csv,
        write: |model, _, out| {
            let digits = model.manifest.currency_digits;
            csv::write(&model.customers, SLICE, out, |part| customers::csv_rows(part, digits))
        },
    },
    Rendering {
        file: "customers.jsonl",
        format: ReportFormat::JsonLines,
        write: |model, _, out| json_lines::write(&model.customers, out, customers::rows),
    },
    Rendering {
        file: "changes.csv",
        format: ReportFormat::Csv,
        write: |model, _, out| {
            let digits = model.manifest.currency_digits;
            csv::write(&model.customers, SLICE, out, |part| Ok(changes::expand(part, digits)?.0))
        },
    },
    Rendering {
        file: "changes.jsonl",
        format: ReportFormat::JsonLines,
        write: |model, _, out| {
            let digits = model.manifest.currency_digits;
            json_lines::write(&model.customers, out, |part| Ok(changes::expand(part, digits)?.0))
        },
    },
    Rendering {
        file: "accounting.csv",
        format: ReportFormat::Csv,
        write: |model, _, out| csv::write(model.accounting.frame(), SLICE, out, |part| Ok(part.clone())),
    },
    Rendering {
        file: "accounting.jsonl",
        format: ReportFormat::JsonLines,
        write: |model, _, out| json_lines::write(model.accounting.frame(), out, |part| Ok(part.clone())),
    },
    Rendering { file: "report.html", format: ReportFormat::Html, write: html::write },
    Rendering { file: "summary.json", format: ReportFormat::Json, write: json::write },
    Rendering { file: "summary.md", format: ReportFormat::Markdown, write: markdown::write },
];
