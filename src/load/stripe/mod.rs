//! Stripe exports: a file is recognised by its content and read by the reader of its shape.
//!
//! In: one file's bytes. Out: a [`StripePart`]. Never: sizes of numbers to guess a format from, names of files.

mod api_json;
mod dashboard;
mod part;
pub(super) mod relate;
pub(super) mod related;

pub use part::StripePart;

use super::csv_read;
use super::fault::Origin;
use super::headings::{find, sample};
use super::{LoadError, text};
use crate::config::Settings;
use crate::model::Break;
use crate::model::BreakKind;

/// The source of Stripe customers, as reports name it.
pub(super) const CUSTOMERS: &str = "stripe_customers";
/// The source of Stripe subscriptions, as reports name it.
pub(super) const SUBSCRIPTIONS: &str = "stripe_subscriptions";

/// What the configuration says that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Whatever it is.
    Anything,
    /// Customers.
    Customers,
    /// Subscriptions.
    Subscriptions,
}

/// A kind of CSV file that is known by its headings.
#[derive(Debug)]
struct KnownCsv {
    /// In words.
    name: &'static str,
    /// `None`: known, but of no use here.
    kind: Option<Expected>,
    /// Headings that must all be there, lower-case.
    all: &'static [&'static str],
    /// Headings of which one must be there; empty: no matter.
    any: &'static [&'static str],
}

/// First hit wins.
const KNOWN_CSV: &[KnownCsv] = &[
    KnownCsv {
        name: "Stripe dashboard payments (CSV)",
        kind: None,
        all: &["id", "amount"],
        any: &["captured", "amount refunded", "converted amount"],
    },
    KnownCsv {
        name: "Stripe dashboard subscriptions (CSV)",
        kind: Some(Expected::Subscriptions),
        all: &["id", "customer id"],
        any: &["interval", "plan", "product", "cancel at period end", "current period end (utc)", "current period end"],
    },
    KnownCsv { name: "CRM contacts (CSV)", kind: None, all: &["record id"], any: &[] },
    KnownCsv { name: "existing Tether customers (CSV)", kind: None, all: &["tether_id"], any: &[] },
    KnownCsv {
        name: "a Stripe warehouse table (Sigma, Data Pipeline or Fivetran CSV), which this version does not read",
        kind: None,
        all: &["id"],
        any: &["_fivetran_synced", "batch_timestamp", "customer_id", "subscription_id", "merchant_id", "price_id"],
    },
    KnownCsv {
        name: "Stripe dashboard customers (CSV)",
        kind: Some(Expected::Customers),
        all: &["id"],
        any: &["email", "delinquent", "card id", "total spend"],
    },
];

fn recognise(headings: &[String]) -> Option<&'static KnownCsv> {
    KNOWN_CSV.iter().find(|known| {
        known.all.iter().all(|heading| find(headings, &[heading]).is_some())
            && (known.any.is_empty() || find(headings, known.any).is_some())
    })
}

/// Reads one Stripe file. `key` names the configuration key it was found by. Also gives the text's encoding in words.
pub(super) fn read(
    bytes: Vec<u8>,
    origin: &Origin<'_>,
    settings: &Settings,
    expected: Expected,
    key: &str,
) -> Result<(StripePart, &'static str), LoadError> {
    let file = origin.file.to_owned();
    if bytes.starts_with(b"PAR1") {
        let detail =
            "it is Parquet, which this version reads for existing customers only; export Stripe as CSV or JSON";
        return Err(LoadError::Unrecognised { file, detail: detail.to_owned() });
    }
    let decoded = text::decode(&bytes);
    let wrong = |expected, found: String| LoadError::WrongShape {
        file: origin.file.to_owned(),
        key: key.to_owned(),
        expected,
        found,
    };
    if matches!(decoded.text.trim_start().as_bytes().first(), Some(b'{' | b'[')) {
        if decoded.lossy {
            let detail = "it holds bytes that are no text in its own encoding; export it again".to_owned();
            return Err(LoadError::Broken { file, detail });
        }
        let context = api_json::JsonContext {
            file: origin.index,
            path: origin.file,
            settings: &settings.stripe,
            digits: &settings.mrr.currency_digits,
        };
        let part = api_json::read(&decoded.text, &context)
            .map_err(|detail| LoadError::Broken { file: file.clone(), detail })?;
        match expected {
            Expected::Customers if part.customer_rows == 0 && part.subscription_rows + part.other_objects > 0 => {
                return Err(wrong("Stripe customers", part.shape));
            }
            Expected::Subscriptions if part.subscription_rows == 0 && part.customer_rows + part.other_objects > 0 => {
                return Err(wrong("Stripe subscriptions", part.shape));
            }
            _ => return Ok((part, decoded.encoding)),
        }
    }
    let checked = csv_read::open(&decoded, origin.file, &|headings| recognise(headings).is_some())?;
    let Some(known) = recognise(&checked.headings) else {
        let detail = format!(
            "line {} is headed {}; expected are Stripe's customers (id, Email, …), its subscriptions (id, Customer ID, \
             …), or API JSON",
            checked.heading_line,
            sample(&checked.headings)
        );
        return Err(LoadError::Unrecognised { file, detail });
    };
    let kind = match (expected, known.kind) {
        (Expected::Anything, Some(kind)) => kind,
        (expected, Some(kind)) if expected == kind => kind,
        (Expected::Customers, _) => return Err(wrong("Stripe customers", known.name.to_owned())),
        (Expected::Subscriptions, _) => return Err(wrong("Stripe subscriptions", known.name.to_owned())),
        (Expected::Anything, None) => return Err(wrong("Stripe customers or subscriptions", known.name.to_owned())),
    };
    let source = if kind == Expected::Subscriptions { SUBSCRIPTIONS } else { CUSTOMERS };
    let origin = Origin { source, ..*origin };
    let cut_short = checked.truncated;
    let raw = match kind {
        Expected::Subscriptions => dashboard::raw_subscriptions(checked, &origin)?,
        _ => dashboard::raw_customers(checked, &origin, settings)?,
    };
    let encoding = decoded.encoding;
    drop(decoded);
    // The tables hold copies: the file must not stand beside them in memory.
    drop(bytes);
    let mut part = match kind {
        Expected::Subscriptions => dashboard::subscriptions(raw, &origin, settings)?,
        _ => dashboard::customers(raw, &origin)?,
    };
    known.name.clone_into(&mut part.shape);
    if cut_short {
        part.breaks.push(truncated(source, origin.file));
    }
    Ok((part, encoding))
}

/// The break of a file whose last row breaks off.
pub(super) fn truncated(source: &str, file: &str) -> Break {
    let detail = "the last row breaks off in the middle: the export was probably cut short; export it again";
    let mut found = Break::new(BreakKind::TruncatedExport, source, file, detail);
    found.file = Some(file.to_owned());
    found
}
