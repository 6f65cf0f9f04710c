//! The plan: what each call will do, in which order, and where every input row went.
//!
//! In: loaded tables, the baseline, the settings, the run's clock. Out: [`Planned`]: the plan table, the accounting of every
//! row, control totals, breaks and what the guards found. Never: the network, the clock, files (but for writing its table).

mod accounting;
mod division;
mod error;
mod existing;
mod file;
mod guards;
mod idle;
mod mix;
mod only;
mod order;
mod together;
mod totals;

#[cfg(test)]
mod tests;

pub use error::PlanError;
pub use existing::{Held, existing};
pub use file::{find_accounting_rows, find_plan_rows, read_accounting, read_plan, write_accounting, write_plan};
pub use guards::{Asked, judge, limits};
pub use only::{OnlyError, only};
pub use order::rows_to_send;

use crate::billing;
use crate::config::Settings;
use crate::filter;
use crate::link::{self, Sources};
use crate::load::Loaded;
use crate::model::{Break, Instant, OverrideUse};
use crate::runs::{Division, Mix, RunProduct, SourceTotals};
use crate::table::{Accounting, Existing, PlanRows};
use polars::prelude::*;
use together::Together;

/// What a run will do, before the guards are asked.
#[derive(Debug, Clone)]
pub struct Planned {
    /// One row per desired customer and product, and per orphan; numbered in the order of sending.
    pub rows: PlanRows,
    /// One row per input row.
    pub accounting: Accounting,
    /// What a reviewer must see, found so far.
    pub breaks: Vec<Break>,
    /// Control totals per source.
    pub sources: Vec<SourceTotals>,
    /// The products with their sums.
    pub products: Vec<RunProduct>,
    /// Of what customers and subscriptions are made up.
    pub mix: Mix,
    /// How the rows are divided among the products' filters; empty: no product has one.
    pub division: Vec<Division>,
    /// What became of each override.
    pub overrides: Vec<OverrideUse>,
    /// The definition of MRR in force.
    pub mrr_definition: Vec<String>,
}

/// Plans a run: same files, same settings, same `as_of` and baseline give the same plan.
///
/// `baselines`: what each product's own replies last showed, in the order of the configuration.
pub fn build(
    loaded: Loaded,
    baselines: Vec<Option<Existing>>,
    settings: &Settings,
    as_of: Instant,
) -> Result<Planned, PlanError> {
    let currency = settings.run.currency;
    let Loaded {
        files,
        rows: rows_read,
        stripe,
        settled,
        contacts,
        overrides,
        existing: exports,
        rejections,
        mut breaks,
    } = loaded;
    let billed = billing::bill(&stripe, &settings.mrr, &settings.fx, currency, as_of)?;
    let shares = filter::shares(settings, &stripe, &contacts, &rejections)?;
    let linked = shares
        .iter()
        .map(|share| {
            link::link(Sources {
                files: &files,
                stripe: &stripe,
                contacts: &contacts,
                overrides: &overrides,
                billed: &billed,
                rejections: &rejections,
                settings,
                taken: share.taken.as_ref(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    breaks.extend(idle::taking_nothing(&shares, &stripe, &contacts, settings)?);
    // A million customers are gigabytes: what is not needed any more goes before Tether's side comes.
    drop((stripe, contacts));
    let together = Together::of(&linked)?;
    // That a row is replaced by another is the same whoever asks.
    let nothing_replaced = DataFrame::default();
    let replaced = linked.first().map_or(&nothing_replaced, |linked| &linked.replaced_subscriptions);
    let sums = totals::Sums::of(&billed, together.subscriptions.clone().lazy(), replaced)?;
    let division = division::divide(&shares, &linked, &billed, settings)?;
    breaks.extend(division::taken_by_several(&shares, &linked, settings, &files)?);
    let currencies = mix::currencies(&billed, replaced)?;
    let scale = billed.scale;
    let share_totals = division::share_totals(&shares, &linked, &billed, settings)?;
    breaks.extend(billed.breaks);
    drop(billed.subscriptions);
    breaks.extend(together.breaks.iter().cloned());

    let mut rows = vec![];
    let mut products = vec![];
    let mut existing_rows = vec![];
    for (index, ((product, export), baseline)) in settings.products.iter().zip(exports).zip(baselines).enumerate() {
        // Every product has a share.
        let share = shares.iter().position(|share| share.products.contains(&index)).unwrap_or(0);
        let desired = &linked[share].desired;
        let held = existing::existing(export, baseline, &files)?;
        let compared = crate::diff::compare(desired, held.known.as_ref(), product, settings.link, &files)?;
        existing_rows.push(held.dispose(&compared.existing)?);
        breaks.extend(held.breaks);
        breaks.extend(compared.breaks);
        products.push(RunProduct {
            name: product.name.clone(),
            creation: product.creation,
            existing_known: held.known.is_some(),
            existing_customers: compared.existing.height() as u64,
            totals: totals::product_totals(desired, scale)?,
            filter: product.filter.as_ref().map(|filter| filter.text.clone()),
            taken: share_totals[share].clone(),
        });
        rows.push(compared.rows.lazy());
    }
    let rows = order::number(concat(rows, UnionArgs::default())?)?;
    let accounting = accounting::accounting(&files, &rejections, &together, &settled, &existing_rows, settings)?;
    let went = totals::Went { together: &together, settled: &settled, existing: &existing_rows, rejected: &rejections };
    let sources = totals::source_totals(&rows_read, sums, &went, settings)?;
    breaks.sort_by(|a, b| {
        (a.kind, &a.scope, &a.key, a.line, &a.field).cmp(&(b.kind, &b.scope, &b.key, b.line, &b.field))
    });
    // What linking found for one product it mostly found for the others too.
    breaks.dedup();
    Ok(Planned {
        mix: mix::mix(&rows, currencies)?,
        rows,
        accounting,
        breaks,
        sources,
        products,
        overrides: together.uses,
        division,
        mrr_definition: billing::definition(&settings.mrr, &settings.fx, currency, settings.stripe.amount),
    })
}
