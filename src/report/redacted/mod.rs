//! A report for others: the model's parts with hashes where names and addresses stood. Before any format sees them, and in
//! one place, so that no format can forget.
//!
//! What is new is hidden until somebody decides otherwise: a column of text that no table here names is hashed whole, and a
//! new member of the manifest or a new kind of break does not compile before it has a line here.

mod breaks;
mod columns;
mod manifest;

use super::ReportError;
use super::outcomes::RunData;
use crate::model::{Break, Reason};
use crate::redact::{Known, Quoted, Redactor};
use crate::runs::Manifest;
use crate::table::Accounting;
use polars::prelude::*;
use std::collections::HashMap;

/// Replaces the names and addresses of one run's report; without a salt everything stays as it is.
#[derive(Debug)]
pub(super) struct Redacted(Option<Redactor>);

/// Columns of the plan whose values are names of persons or companies.
const NAMES: [&str; 4] = ["name", "before_name", "company_name", "before_company_name"];

/// Columns of the plan whose values are ids.
const IDS: [&str; 4] = ["key", "external_id", "before_external_id", "tether_id"];

impl Redacted {
    /// What replaces the names of the run that `data` is of.
    pub(super) fn of(data: &RunData<'_>) -> Result<Self, ReportError> {
        let salt = match data.salt {
            Some(salt) => salt,
            None if data.manifest.redacted => return Err(ReportError::Unsalted),
            None => return Ok(Self(None)),
        };
        let texts = |frame: &DataFrame, names: &[&str]| -> PolarsResult<Vec<StringChunked>> {
            names.iter().map(|name| frame.column(name)?.str().cloned()).collect()
        };
        let names = texts(data.plan.frame(), &NAMES)?;
        let mut ids = texts(data.plan.frame(), &IDS)?;
        ids.extend(texts(data.accounting.frame(), &["id", "customer"])?);
        let known =
            Known::new(names.iter().flat_map(|c| c.iter().flatten()), ids.iter().flat_map(|c| c.iter().flatten()));
        let manifest = data.manifest;
        let sources = manifest.sources.iter().map(|source| source.name.as_str());
        let sources = sources.chain(manifest.inputs.iter().map(|input| input.source.as_str()));
        Ok(Self(Some(Redactor::new(salt).with_sources(sources).with_known(known))))
    }

    /// The plan beside its outcomes, before its sentences are joined: `detail` and `reply_detail`.
    pub(super) fn sentences(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        let Some(redactor) = &self.0 else { return Ok(frame) };
        columns::sentences(redactor, frame)
    }

    /// The assembled customers.
    pub(super) fn customers(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        let Some(redactor) = &self.0 else { return Ok(frame) };
        columns::replaced(redactor, &frame, columns::CUSTOMERS)
    }

    /// Where every input row went.
    pub(super) fn accounting(&self, accounting: &Accounting) -> Result<Accounting, ReportError> {
        let Some(redactor) = &self.0 else { return Ok(accounting.clone()) };
        Ok(Accounting::new(columns::replaced(redactor, accounting.frame(), columns::ACCOUNTING)?)?)
    }

    /// What a reviewer must see.
    pub(super) fn breaks(&self, breaks: Vec<Break>, manifest: &Manifest) -> Vec<Break> {
        let Some(redactor) = &self.0 else { return breaks };
        breaks.into_iter().map(|found| breaks::replaced(redactor, found, manifest)).collect()
    }

    /// What the run was given. Says itself that the report is redacted.
    pub(super) fn manifest(&self, manifest: &Manifest) -> Manifest {
        let Some(redactor) = &self.0 else { return manifest.clone() };
        manifest::replaced(redactor, manifest.clone())
    }
}

/// Reasons whose sentences hold nothing in quotes but ids, words of Stripe's and lines for the overrides file.
pub(super) const QUOTE_IDS: &[Reason] = &[
    Reason::AmbiguousAccount,
    Reason::AmbiguousMerge,
    Reason::AmbiguousExternalId,
    Reason::AmbiguousEmail,
    Reason::AmbiguousExisting,
    Reason::IdentityConflict,
    Reason::ExternalIdMismatch,
    Reason::EmailRequiredToCreate,
    Reason::CouponUnknown,
    Reason::CurrencyWithoutRate,
    Reason::TiersMissing,
    Reason::PriceMissing,
    Reason::ItemsMissing,
    Reason::QuantityMissing,
    Reason::IntervalUnknown,
];

/// The plan's sentence about a customer of this reason; any other reason's may hold text out of a file.
fn plan_sentence(redactor: &Redactor, reason: Option<&str>, text: &str) -> String {
    match reason.and_then(|word| word.parse::<Reason>().ok()) {
        Some(reason) if QUOTE_IDS.contains(&reason) => redactor.sentence(text, Quoted::Ids),
        _ => redactor.quotation(text),
    }
}

/// Replies repeat themselves: each text is looked at once.
#[derive(Default)]
struct Replies<'t>(HashMap<&'t str, String>);

impl<'t> Replies<'t> {
    fn replaced(&mut self, redactor: &Redactor, text: &'t str) -> &str {
        self.0.entry(text).or_insert_with(|| redactor.reply(text))
    }
}
