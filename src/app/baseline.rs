//! `baseline rebuild`: the baseline again, from what the kept runs' journals show.
//!
//! Each run's manifest holds the hash of the baseline that it was planned against: run by run this proves that what was made
//! again is what was there.

use super::Context;
use super::deliver::{products_by_row, replies};
use super::exit::{AppError, ExitCode};
use crate::baseline::{Baseline, BaselineError, Difference, difference, hash, taught};
use crate::config;
use crate::journal::{self, Record};
use crate::plan::read_plan;
use crate::runs::{Chain, Fingerprint, Holder, Manifest, RunFolder, StateLock, chain};
use crate::table::Existing;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

/// Customers and runs that a page names; more are counted.
const NAMED: usize = 5;

/// How the baseline is to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Only say what it would come to.
    pub dry_run: bool,
    /// Although runs are missing.
    pub allow_incomplete: bool,
}

/// One product as it was made again.
#[derive(Default)]
struct Product {
    rows: Option<Existing>,
    runs: u64,
    replies: u64,
}

/// What the kept runs tell, product by product, and what speaks against it.
#[derive(Default)]
struct Rebuilt {
    products: BTreeMap<String, Product>,
    runs: Vec<String>,
    /// Runs that were planned against just what the ones before them had left.
    proven: usize,
    /// Those that were not.
    otherwise: Vec<String>,
    /// Runs that have not ended.
    unfinished: Vec<String>,
    /// Why it is less than there was.
    missing: Vec<String>,
}

/// Makes the baseline again and returns what a person reads.
///
/// # Errors
/// [`AppError::Input`] where no kept run has sent, and where runs are missing unless that is allowed; [`AppError::Lock`];
/// those of the configuration and the disk. Then the present baseline stands as it was.
pub fn rebuild(context: &Context<'_>, options: Options) -> Result<(ExitCode, String), AppError> {
    let state = config::load(&context.config)?.run.state;
    let _lock = if options.dry_run {
        None
    } else {
        Some(StateLock::acquire(&state, &Holder::this("baseline rebuild", context.now()))?)
    };
    let mut rebuilt = Rebuilt::of(chain(&state)?)?;
    if rebuilt.runs.is_empty() {
        let why = rebuilt.missing.first().map_or_else(String::new, |missing| format!(" ({missing})"));
        let said =
            format!("no kept run of {} tells what Tether replied{why}: the baseline stands as it was", state.display());
        return Err(AppError::Input(said.into()));
    }
    let present = Baseline::open(&state);
    let mut lines = vec![];
    let mut changed = vec![];
    for (name, product) in &rebuilt.products {
        let beside = beside(&present, name, product.rows.as_ref())?;
        if !beside.gone.is_empty() {
            rebuilt.missing.push(format!(
                "{name}: the present baseline holds {} that no kept run shows",
                named(&beside.gone, "customer")
            ));
        }
        if !beside.newer.is_empty() {
            rebuilt.missing.push(format!(
                "{name}: the present baseline holds a later reply of {} than any kept run shows",
                named(&beside.newer, "customer")
            ));
        }
        if !beside.same {
            changed.push(name.clone());
        }
        let customers = product.rows.as_ref().map_or(0, Existing::len);
        let words = beside.words;
        lines.push(format!("  {name:<18}{:>6}{:>12}{customers:>12}   {words}", product.runs, product.replies));
    }
    if !rebuilt.missing.is_empty() && !options.allow_incomplete && !options.dry_run {
        return Err(AppError::Input(rebuilt.refusal().into()));
    }
    let page = rebuilt.page(&lines, changed.len(), options);
    if !options.dry_run {
        for name in changed {
            if let Some(rows) = rebuilt.products.remove(&name).and_then(|product| product.rows) {
                present.put(&name, rows)?;
            }
        }
    }
    Ok((ExitCode::Done, page))
}

impl Rebuilt {
    /// Takes every run of the chain, the oldest first. One that cannot be read is missing.
    fn of(chain: Chain) -> Result<Self, AppError> {
        let missing = chain.missing.iter().map(ToString::to_string).collect();
        let mut all = Self { missing, ..Self::default() };
        for (folder, manifest) in chain.runs {
            let id = folder.id().to_owned();
            match all.take(&folder, &manifest) {
                Ok(()) => all.runs.push(id),
                Err(AppError::Input(why)) => all.missing.push(format!("run {id} cannot be read: {why}")),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn take(&mut self, folder: &RunFolder, manifest: &Manifest) -> Result<(), AppError> {
        let product_of = products(folder, manifest)?;
        let held = |name: &str| self.products.get(name).and_then(|product| product.rows.clone());
        let before: Vec<_> = manifest.products.iter().map(|product| (&product.name, held(&product.name))).collect();
        let is_proven =
            hash(before.iter().map(|(name, rows)| (name.as_str(), rows.as_ref())))? == manifest.baseline_hash;
        // All of a run or nothing of it: a damaged line is found at its end.
        let mut taken = vec![];
        for (place, (name, rows)) in before.into_iter().enumerate() {
            let count = Cell::new(0);
            let replies = replies(folder, &product_of, place)?.inspect(|_| count.set(count.get() + 1));
            let seen_at = manifest.finished_at.unwrap_or(manifest.started_at);
            let (rows, _) = taught::<AppError>(rows, replies, manifest.currency_digits, seen_at)?;
            taken.push((name, rows, count.get()));
        }
        for (name, rows, replies) in taken {
            let product = self.products.entry(name.clone()).or_default();
            product.rows = rows;
            product.replies += replies;
            product.runs += u64::from(replies > 0);
        }
        if is_proven {
            self.proven += 1;
        } else if self.runs.is_empty() {
            self.missing
                .push(format!("run {} is the oldest that is kept, and a baseline stood before it", folder.id()));
        } else {
            self.otherwise.push(folder.id().to_owned());
        }
        if !manifest.is_final() {
            self.unfinished.push(folder.id().to_owned());
        }
        Ok(())
    }

    fn refusal(&self) -> String {
        let first = self.missing.first().map_or("", String::as_str);
        let more = match self.missing.len() {
            0 | 1 => String::new(),
            many => format!(" (and {} more)", many - 1),
        };
        format!(
            "the kept runs do not tell the whole baseline: {first}{more}. Whom only they knew would look unknown; put them \
             back, or take what is known with --allow-incomplete. Nothing was changed"
        )
    }

    fn page(&self, lines: &[String], changed: usize, options: Options) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.compose(lines, changed, options, &mut out);
        out
    }

    fn compose(&self, lines: &[String], changed: usize, options: Options, out: &mut String) -> std::fmt::Result {
        let did = match (options.dry_run, changed) {
            (_, 0) => "the baseline is as the kept runs left it; nothing is changed",
            (true, _) => "the baseline would be made again",
            (false, _) => "the baseline was made again",
        };
        let (oldest, newest) = (self.runs.first(), self.runs.last());
        let [oldest, newest] = [oldest, newest].map(|run| run.map_or("", String::as_str));
        writeln!(out, "{did}, from {}: {oldest} to {newest}\n", runs(self.runs.len()))?;
        writeln!(out, "  {:<18}{:>6}{:>12}{:>12}   beside the present one", "product", "runs", "replies", "customers")?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        let of = runs(self.runs.len());
        writeln!(out, "\nplanned against just what those before had left: {} of {of}", self.proven)?;
        if !self.otherwise.is_empty() {
            writeln!(
                out,
                "planned against another baseline, so that one was deleted, or a run is missing, before: {}",
                named(&self.otherwise, "run")
            )?;
        }
        for run in &self.unfinished {
            writeln!(
                out,
                "{run} has not ended: what it proves so far is taken; `resume` it, or let the next `run` close it"
            )?;
        }
        if !self.missing.is_empty() {
            writeln!(out, "what the kept runs cannot tell:")?;
            for missing in &self.missing {
                writeln!(out, "  {missing}")?;
            }
            let but = if options.allow_incomplete { "" } else { "; without --allow-incomplete it is refused" };
            writeln!(out, "whom only they knew will look unknown to the next plan, unless an export holds them{but}")?;
        }
        Ok(())
    }
}

/// The product of each row of the run's plan, once the plan is proved to be its own.
fn products(folder: &RunFolder, manifest: &Manifest) -> Result<Vec<Option<usize>>, AppError> {
    let path = folder.plan_path();
    let input = |error: &dyn std::fmt::Display| damaged(&path, error);
    if crate::load::sha256(&path).map_err(|error| input(&error))? != manifest.plan_hash {
        return Err(input(&"its SHA-256 is not the one that the manifest names"));
    }
    let journal = folder.journal_path();
    // It is named as soon as it does not grow any more: one that was cut at a line's end is sound by itself.
    if let Some(named) = manifest.proof.files.get("journal.jsonl") {
        let found = Fingerprint::of(&journal).map_err(|error| damaged(&journal, &error))?;
        if found != *named {
            return Err(damaged(&journal, &format!("the manifest names {named}, and found is {found}")));
        }
    }
    if let Some(Record::Header(header)) = journal::read(&journal)?.next().transpose()?
        && (header.run_id != manifest.run_id || header.plan_hash != manifest.plan_hash)
    {
        return Err(damaged(&journal, &"it is the journal of another run"));
    }
    let file = File::open(&path).map_err(|error| input(&error))?;
    products_by_row(&read_plan(file).map_err(|error| input(&error))?, manifest)
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> AppError {
    AppError::Input(format!("{}: {error}", path.display()).into())
}

/// A product's present baseline beside the new one.
struct Beside {
    same: bool,
    words: String,
    /// Customers that only the present one holds.
    gone: Vec<String>,
    /// Customers of whom the present one holds a later reply.
    newer: Vec<String>,
}

/// `rows`: what the kept runs tell; `None`: no reply of theirs shows a customer, so that nothing is put there.
fn beside(present: &Baseline, name: &str, rows: Option<&Existing>) -> Result<Beside, AppError> {
    let same = rows.is_none();
    let other = |words: String| Beside { same, words, gone: vec![], newer: vec![] };
    let old = match present.load(name) {
        Ok(Some(old)) => old,
        Ok(None) => return Ok(other("there is none".to_owned())),
        Err(BaselineError::Damaged { detail, .. }) => {
            return Ok(other(format!("it cannot be read ({detail})")));
        }
        Err(error) => return Err(error.into()),
    };
    if hash([(name, Some(&old))])? == hash([(name, rows)])? {
        return Ok(Beside { same: true, ..other("the same".to_owned()) });
    }
    let nobody = Existing::empty();
    let Difference { gone, newer, joined, changed } = difference(&old, rows.unwrap_or(&nobody))?;
    let words = match rows {
        Some(_) => format!("{joined} more, {} fewer, {changed} otherwise, of {}", gone.len(), old.len()),
        None => format!("left as it is, with {}", old.len()),
    };
    Ok(Beside { same, words, gone, newer })
}

/// `1 run`, `2 runs`.
fn runs(count: usize) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

/// How many there are, and the first of them by name.
fn named(all: &[String], what: &str) -> String {
    let s = if all.len() == 1 { "" } else { "s" };
    let dots = if all.len() > NAMED { ", …" } else { "" };
    let first: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    format!("{} {what}{s} ({}{dots})", all.len(), first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Options, rebuild};
    use crate::app::exit::{AppError, ExitCode};
    use crate::app::run::{self, Wanted};
    use crate::app::tests::{context, site};
    use crate::runs::{Holder, StateLock};

    #[tokio::test(flavor = "multi_thread")]
    async fn it_waits_for_the_lock_but_to_say_what_it_would_do() {
        let site = site();
        let context = context(site.path());
        run::run(&context, None, &[], &Wanted::All).await.unwrap();
        let baseline = site.path().join("state/baseline/core.parquet");
        let left = std::fs::read(&baseline).unwrap();
        std::fs::remove_file(&baseline).unwrap();
        let lock = StateLock::acquire(&site.path().join("state"), &Holder::this("run", context.now())).unwrap();
        let error = rebuild(&context, Options::default()).unwrap_err();
        assert!(matches!(error, AppError::Lock(_)), "{error}");
        let (code, page) = rebuild(&context, Options { dry_run: true, ..Options::default() }).unwrap();
        assert_eq!(code, ExitCode::Done);
        assert!(page.starts_with("the baseline would be made again, from 1 run: ") && !baseline.exists(), "{page}");
        drop(lock);
        rebuild(&context, Options::default()).unwrap();
        assert!(std::fs::read(&baseline).unwrap() == left);
    }
}
