//! One kept run, as its manifest and its summary tell it.

use super::or_dash;
use crate::app::config_check::size;
use crate::model::{Instant, Outcome, one_line};
use crate::runs::{Fingerprint, Manifest, Mode, Need, RunFolder, RunStatus, Shelved};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

/// One kept run.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) run_id: String,
    pub(super) mode: Option<Mode>,
    pub(super) as_of: Option<Instant>,
    pub(super) started_at: Option<Instant>,
    pub(super) finished_at: Option<Instant>,
    pub(super) status: Option<RunStatus>,
    pub(super) exit_code: Option<u8>,
    /// Of the whole folder.
    pub(super) bytes: u64,
    /// Customers, by outcome; `None`: no call was made, or no report tells.
    pub(super) created: Option<u64>,
    pub(super) updated: Option<u64>,
    pub(super) needs_a_person: Option<u64>,
    pub(super) chain_end: bool,
    /// Why it is not pruned whatever its age.
    pub(super) needed_for: Option<&'static str>,
    pub(super) problem: Option<String>,
    #[serde(skip)]
    pub(super) need: Option<Need>,
}

/// What `summary.json` says that a list shows.
#[derive(Deserialize)]
struct Told {
    needs_a_person: u64,
    products: Vec<ToldProduct>,
}

#[derive(Deserialize)]
struct ToldProduct {
    outcomes: BTreeMap<String, u64>,
}

impl Listed {
    pub(super) fn of(shelved: &Shelved) -> Self {
        let manifest = shelved.manifest.as_ref();
        let told = manifest.and_then(|manifest| told(&shelved.folder, manifest));
        let sent = told.as_ref().filter(|_| manifest.is_some_and(|manifest| manifest.mode.sends()));
        let count = |outcome: Outcome| {
            let of = |product: &ToldProduct| product.outcomes.get(outcome.as_str()).copied();
            sent.map(|told| told.products.iter().filter_map(of).sum())
        };
        Self {
            run_id: shelved.folder.id().to_owned(),
            mode: manifest.map(|manifest| manifest.mode),
            as_of: manifest.map(|manifest| manifest.as_of),
            started_at: manifest.map(|manifest| manifest.started_at).or_else(|| shelved.folder.started_at()),
            finished_at: manifest.and_then(|manifest| manifest.finished_at),
            status: manifest.map(|manifest| manifest.status),
            exit_code: manifest.and_then(|manifest| manifest.exit_code),
            bytes: shelved.folder.bytes(),
            created: count(Outcome::Created),
            updated: count(Outcome::Updated),
            needs_a_person: told.as_ref().map(|told| told.needs_a_person),
            chain_end: shelved.need == Some(Need::ChainEnd),
            needed_for: shelved.need.map(Need::as_str),
            problem: shelved.problem.clone(),
            need: shelved.need,
        }
    }

    /// The cells under [`Self::HEADINGS`].
    pub(super) fn cells(&self) -> [String; 10] {
        let note = match (&self.problem, self.need) {
            (Some(problem), _) => one_line(problem).into_owned(),
            (None, Some(Need::ChainEnd)) => "end of the chain".to_owned(),
            (None, Some(Need::Unfinished)) => "to be resumed".to_owned(),
            (None, _) => String::new(),
        };
        [
            self.run_id.clone(),
            or_dash(self.mode),
            or_dash(self.as_of),
            or_dash(self.status),
            or_dash(self.exit_code),
            or_dash(self.created),
            or_dash(self.updated),
            or_dash(self.needs_a_person),
            size(self.bytes),
            note,
        ]
    }

    pub(super) const HEADINGS: [&'static str; 10] =
        ["run", "mode", "as of", "status", "exit", "created", "updated", "needs a person", "size", ""];

    /// Which of them are figures.
    pub(super) const FIGURES: [usize; 5] = [4, 5, 6, 7, 8];
}

/// The run's summary, if it is the one that the manifest names: one that is older than the journal tells less than was done.
fn told(folder: &RunFolder, manifest: &Manifest) -> Option<Told> {
    let path = folder.report_path().join("summary.json");
    let named = manifest.proof.files.get("report/summary.json")?;
    if Fingerprint::of(&path).ok()? != *named {
        return None;
    }
    serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()
}
