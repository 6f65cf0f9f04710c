//! The run folders that are kept, and the rows in them that are about somebody.

use crate::app::explain::explanation::Line;
use crate::app::explain::planned::{PlanRow, RowError};
use crate::app::explain::row::{is_text, rows};
use crate::plan::{self, PlanError};
use crate::runs::{Manifest, RunFolder, RunsError};
use polars::prelude::*;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

/// So many runs are read, the newest first.
pub const READ: usize = 30;
/// So many rows of one run are read; a key that means more is no key.
const MOST: usize = 40;
/// The columns of a plan that say who a row is about.
const WHO: [&str; 5] = ["key", "external_id", "email", "tether_id", "stripe_customer_ids"];

/// By what a customer is known in earlier runs.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub keys: BTreeSet<String>,
    pub external_ids: BTreeSet<String>,
    pub emails: BTreeSet<String>,
    pub tether_ids: BTreeSet<String>,
    pub stripe_ids: BTreeSet<String>,
}

impl Known {
    /// Rows that may be about it; what is an id inside a longer one is told apart by [`Known::is`].
    fn condition(&self) -> Expr {
        let is = |column: &str, texts: &BTreeSet<String>| is_text(column, texts.iter().map(String::as_str));
        let holds = |column: &'static str, texts: &BTreeSet<String>| {
            texts.iter().fold(lit(false), |any, text| {
                any.or(col(column).str().contains_literal(lit(text.as_str())).fill_null(lit(false)))
            })
        };
        is("key", &self.keys)
            .or(is("external_id", &self.external_ids))
            .or(is("email", &self.emails))
            .or(holds("tether_id", &self.tether_ids))
            .or(holds("stripe_customer_ids", &self.stripe_ids))
    }

    /// Whether a row is about it.
    pub fn is(&self, plan: &PlanRow) -> bool {
        use crate::model::Field;
        let has =
            |field: Field, texts: &BTreeSet<String>| plan.desired.get(&field).is_some_and(|text| texts.contains(text));
        self.keys.contains(&plan.key)
            || has(Field::ExternalId, &self.external_ids)
            || has(Field::Email, &self.emails)
            // The candidates of a conflict are not who it is about.
            || plan.tether_id.as_ref().is_some_and(|id| self.tether_ids.contains(id))
            || PlanRow::ids(plan.stripe_customer_ids.as_ref()).any(|id| self.stripe_ids.contains(id))
    }
}

/// A kept run whose files were found to be its own.
pub struct Kept {
    pub folder: RunFolder,
    pub manifest: Manifest,
    plan: File,
}

/// Why a folder is passed over.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error("failed to read `{path}`: {source}")]
    File { path: String, source: std::io::Error },
    #[error("`{0}` is not the plan that its manifest names: its SHA-256 is another")]
    Foreign(String),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Row(#[from] RowError),
}

impl Kept {
    /// The newest runs of a state folder, newest first, and how many are kept in all. What cannot be used is said in `notes`.
    pub fn newest(state: &Path, notes: &mut Vec<String>) -> (Vec<Self>, usize) {
        let folders = RunFolder::list(state).unwrap_or_else(|error| {
            notes.push(format!("the kept runs could not be listed: {error}"));
            vec![]
        });
        // A folder without a manifest is what a crash left while the plan was being written.
        let folders: Vec<RunFolder> = folders.into_iter().filter(|folder| folder.manifest_path().exists()).collect();
        let count = folders.len();
        let mut kept = vec![];
        for folder in folders.into_iter().rev().take(READ) {
            let id = folder.id().to_owned();
            match Self::open(folder) {
                Ok(run) => kept.push(run),
                Err(error) => notes.push(format!("run {id} was passed over: {error}")),
            }
        }
        (kept, count)
    }

    fn open(folder: RunFolder) -> Result<Self, KeptError> {
        let manifest = folder.read_manifest()?;
        let path = folder.plan_path();
        let failed = |source| KeptError::File { path: path.display().to_string(), source };
        crate::runs::open_regular(&path).map_err(failed)?;
        // Before polars sees it: on damaged bytes it may do worse than fail.
        if crate::load::sha256(&path).map_err(failed)? != manifest.plan_hash {
            return Err(KeptError::Foreign(path.display().to_string()));
        }
        let plan = crate::runs::open_regular(&path).map_err(failed)?;
        Ok(Self { folder, manifest, plan })
    }

    /// The rows that are about any of `known`, with their numbers.
    pub fn rows(&self, known: &[Known]) -> Result<Vec<(u32, PlanRow)>, KeptError> {
        let wanted = known.iter().fold(lit(false), |any, one| any.or(one.condition()));
        let found = plan::find_plan_rows(&self.plan, &WHO, &wanted, MOST)?;
        let mut read = vec![];
        for row in rows(found.frame()) {
            let number = row.number("row").map_err(RowError::from)?.unwrap_or_default();
            let row = PlanRow::read(row, self.manifest.currency_digits)?;
            if known.iter().any(|one| one.is(&row)) {
                read.push((number, row));
            }
        }
        Ok(read)
    }

    /// The input rows that became part of the customer `key`: source, place, id, disposition, reason.
    pub fn sources(&self, key: &str) -> Result<Vec<super::super::explanation::SourceRow>, KeptError> {
        let path = self.folder.accounting_path();
        let failed = |source| KeptError::File { path: path.display().to_string(), source };
        let file = crate::runs::open_regular(&path).map_err(failed)?;
        let found = plan::find_accounting_rows(&file, &["customer"], &is_text("customer", [key]), MOST)?;
        let read = |row: super::super::row::Row<'_>| -> Result<_, RowError> {
            Ok(super::super::explanation::SourceRow {
                source: row.word("source")?,
                place: Line { file: row.word("file")?, line: row.number("line")?.unwrap_or_default().into() },
                id: row.text("id")?,
                disposition: row.word("disposition")?.parse()?,
                reason: row.text("reason")?.as_deref().map(str::parse).transpose()?,
            })
        };
        Ok(rows(found.frame()).map(read).collect::<Result<_, _>>()?)
    }
}
