//! The exports themselves: how many rows, how old, the same files again.

use super::table::hours;
use super::{Figure, Look, percent};
use crate::link::OVERRIDES;
use crate::model::{InputFile, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use crate::runs::{Manifest, RunProduct};
use std::collections::BTreeSet;
use std::time::Duration;

/// Stripe's tables that a working business changes from night to night. Prices, plans, tiers, coupons and products may stay as
/// they are for years; so may what a person writes by hand, and an export of Tether's customers, which the baseline outlives.
const LIVE: [&str; 4] = [STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS, "stripe_subscription_items", "stripe_discounts"];

/// Rows of each source in percent of the last completed run's, also of one that is not read any more; then per product
/// what its filter takes.
pub(super) fn rows(look: &Look<'_>) -> Vec<Figure> {
    let Some(previous) = look.asked.previous else { return vec![Figure::first_run()] };
    let now = look.asked.sources.iter().map(|source| (source.name.as_str(), Some(source.rows_read)));
    let named: BTreeSet<&str> = look.asked.sources.iter().map(|source| source.name.as_str()).collect();
    let gone = previous.sources.iter().filter(|source| !named.contains(source.name.as_str()));
    let all = now.chain(gone.map(|source| (source.name.as_str(), None)));
    let mut figures = vec![];
    // What a person writes by hand is no export: it may shrink.
    for (source, rows) in all.filter(|(name, _)| *name != OVERRIDES) {
        let before =
            previous.sources.iter().find(|earlier| earlier.name == source).map_or(0, |earlier| earlier.rows_read);
        let figure = match (rows, before) {
            (None | Some(0), 0) => continue,
            (Some(rows), 0) => Figure::none(Some(source), &format!("{rows} rows, and none in the last completed run")),
            (rows, before) => {
                let Some(percent) = percent(rows.unwrap_or(0).into(), before.into()) else { continue };
                let shown = look.shown(percent);
                let what = match rows {
                    None => format!("{source}: not read any more, of {before} rows in the last completed run"),
                    Some(rows) => {
                        format!("{source}: {rows} rows, {shown} % of the {before} that the last completed run read")
                    }
                };
                Figure::new(Some(source), percent, what)
            }
        };
        figures.push(figure);
    }
    figures.extend(look.asked.products.iter().filter_map(|product| taken(look, product, previous)));
    figures
}

/// Rows of Stripe's subscriptions that one product's filter takes, in percent of those that it took in the last completed
/// run. `None`: no filter was in force at either, or it took and takes nothing.
fn taken(look: &Look<'_>, product: &RunProduct, previous: &Manifest) -> Option<Figure> {
    let rows =
        |product: &RunProduct| product.taken.iter().find(|of| of.name == STRIPE_SUBSCRIPTIONS).map(|of| of.rows_read);
    let name = &product.name;
    let earlier = previous.products.iter().find(|earlier| earlier.name == *name);
    let (rows, before) = match (rows(product)?, earlier.map(rows)) {
        (_, None) => return Some(Figure::none(Some(name), "the last completed run did not have this product")),
        (_, Some(None)) => return Some(Figure::none(Some(name), "no filter stood in the last completed run")),
        (0, Some(Some(0))) => return None,
        (rows, Some(Some(before))) => (rows, before),
    };
    let Some(percent) = percent(rows.into(), before.into()) else {
        let why = format!("its filter takes {rows} rows of {STRIPE_SUBSCRIPTIONS}, and none in the last completed run");
        return Some(Figure::none(Some(name), &why));
    };
    let shown = look.shown(percent);
    let what = format!(
        "{name}: its filter takes {rows} rows of {STRIPE_SUBSCRIPTIONS}, {shown} % of the {before} that it took in the last completed run"
    );
    Some(Figure::new(Some(name), percent, what))
}

/// The live sources that files were read for, with those files.
fn live<'a>(look: &'a Look<'_>) -> impl Iterator<Item = (&'a str, Vec<&'a InputFile>)> {
    let crms = look.asked.settings.crms.iter().map(|crm| crm.name.as_str());
    LIVE.into_iter().chain(crms).filter_map(|source| {
        let files: Vec<&InputFile> = look.asked.inputs.iter().filter(|file| file.source == source).collect();
        (!files.is_empty()).then_some((source, files))
    })
}

/// How long before the run's start the oldest file of each live source was written.
pub(super) fn ages(look: &Look<'_>) -> Vec<Figure> {
    let figure = |(source, files): (&str, Vec<&InputFile>)| {
        // One that cannot say when it was written may be of any age.
        let oldest =
            files.iter().map(|file| Some((file.modified?, file))).min_by_key(|oldest| oldest.map(|(at, _)| at));
        let Some((written, file)) = oldest.flatten() else {
            return Figure::none(Some(source), "nothing says when a file of it was written");
        };
        let age = look.asked.started_at.epoch_seconds() - written.epoch_seconds();
        let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
        let (whole, minutes) = (age.as_secs() / 3600, age.as_secs() / 60 % 60);
        let what =
            format!("{source}: {} was written at {written}, {whole} h {minutes} min before the run began", file.path);
        Figure::new(Some(source), hours(age), what)
    };
    live(look).map(figure).collect()
}

/// Files of each live source that the last completed run did not read.
pub(super) fn new_files(look: &Look<'_>) -> Vec<Figure> {
    let Some(previous) = look.asked.previous else { return vec![Figure::first_run()] };
    if let Some(selection) = &previous.selection {
        // What it left is to be sent from the same exports.
        let why = format!("the last completed run was limited by {selection}, so that its files may be taken up again");
        return vec![Figure::none(None, &why)];
    }
    let figure = |(source, files): (&str, Vec<&InputFile>)| {
        let before: BTreeSet<&str> =
            previous.inputs.iter().filter(|file| file.source == source).map(|file| file.sha256.as_str()).collect();
        if before.is_empty() {
            return Figure::none(Some(source), "the last completed run read no file of it");
        }
        let new = files.iter().filter(|file| !before.contains(file.sha256.as_str())).count();
        let what = match (new, files.as_slice()) {
            (0, [file]) => format!("{source}: {} is the same file as in run {}", file.path, previous.run_id),
            (0, files) => {
                format!("{source}: all {} files are the same as in run {}", files.len(), previous.run_id)
            }
            (new, files) => format!("{source}: {new} of {} files are new since run {}", files.len(), previous.run_id),
        };
        Figure::new(Some(source), new as u64, what)
    };
    live(look).map(figure).collect()
}
