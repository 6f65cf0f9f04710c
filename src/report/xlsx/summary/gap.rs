//! One product's gap to Stripe: what the outcomes leave unsent comes from the sheets, the rest from the run.

use super::super::columns::Table;
use super::page::{Checks, Page, address};
use super::rollforward::{CLOSING, CUSTOMERS, MISSING, Placed};
use super::{Given, WIDTH};
use crate::model::{Outcome, Prediction, Reason};
use crate::report::gap::Component;
use crate::report::model::ProductReport;
use crate::report::words;
use num_rational::BigRational;
use num_traits::Zero;
use rust_xlsxwriter::XlsxError;

const AMOUNT: u16 = 2;
const TOLD: u16 = 3;
const DIFFERENCE: u16 = 4;

/// Writes the block; `placed` and `total` are the rows of the roll-forward, `name` the cell of the product's name.
pub(super) fn write(
    page: &mut Page<'_>,
    given: &Given<'_>,
    product: &ProductReport,
    name: &str,
    placed: &[Placed],
    total: u32,
    checks: &mut Checks,
) -> Result<(), XlsxError> {
    let formats = page.formats;
    let gap = &product.gap;
    page.section("Gap to Stripe: what Stripe's MRR exceeds Tether's by, and why", WIDTH)?;
    page.headings(&[&product.name, "customers", "MRR", "as the run says", "difference"], 1..5)?;

    let stripe = page.row();
    page.text(0, "Stripe", &formats.label)?;
    page.exact(AMOUNT, &gap.stripe)?;
    page.next();
    page.text(0, "Tether, closing", &formats.label)?;
    page.sum(AMOUNT, &address(total, CLOSING), gap.tether, &formats.exact)?;
    page.next();
    page.text(0, "gap", &formats.total_label)?;
    page.text(CUSTOMERS, "", &formats.total_label)?;
    let gap_cell = page.here(AMOUNT);
    let formula = format!("{}-{}", address(stripe, AMOUNT), address(stripe + 1, AMOUNT));
    page.formula(AMOUNT, &formula, page.exact_text(&gap.gap()), &formats.total_exact)?;
    against(page, &gap.gap(), checks)?;
    page.next();

    let first = page.row();
    for component in &gap.components {
        page.text(0, words::component(component.name), &formats.label)?;
        write_component(page, given, component, name, placed, checks)?;
        page.next();
    }
    let explained = gap.gap() - gap.residual();
    page.text(0, "explained", &formats.total_label)?;
    page.text(CUSTOMERS, "", &formats.total_label)?;
    let formula = format!("SUM({}:{})", address(first, AMOUNT), address(page.row() - 1, AMOUNT));
    let explained_cell = page.here(AMOUNT);
    page.formula(AMOUNT, &formula, page.exact_text(&explained), &formats.total_exact)?;
    page.next();
    page.text(0, "residual", &formats.label)?;
    let off = rounded(&gap.residual());
    page.zero_money(AMOUNT, &format!("{gap_cell}-{explained_cell}"), off, checks)?;
    page.next();
    for amount in gap.left_out(&given.model.manifest.configuration) {
        page.line(&format!("{amount} a month {}.", words::NO_RATE), &formats.note)?;
    }
    Ok(())
}

fn write_component(
    page: &mut Page<'_>,
    given: &Given<'_>,
    component: &Component,
    name: &str,
    placed: &[Placed],
    checks: &mut Checks,
) -> Result<(), XlsxError> {
    let formats = page.formats;
    let outcomes = of_sheets(component.name);
    if let Some(customers) = component.customers {
        page.number(CUSTOMERS, customers.to_string(), &formats.count)?;
    }
    if outcomes.is_empty() {
        return page.exact(AMOUNT, &component.amount);
    }
    let rows = placed.iter().filter(|placed| outcomes.contains(&placed.outcome));
    let mut formula = rows.map(|placed| address(placed.row, MISSING)).collect::<Vec<_>>().join("+");
    // A plan's rows that a closed gate would stop are not attempted, and explained by the gate.
    if given.model.planned_only
        && let [outcome @ (Outcome::CreationDisabled | Outcome::NotAttempted)] = outcomes
    {
        let sign = if *outcome == Outcome::CreationDisabled { '+' } else { '-' };
        formula = format!("{formula}{sign}({})", foreseen(given, name));
    }
    page.formula(AMOUNT, &formula, page.exact_text(&component.amount), &formats.exact)?;
    against(page, &component.amount, checks)
}

/// The run's own figure beside a computed one, and their difference.
fn against(page: &mut Page<'_>, told: &BigRational, checks: &mut Checks) -> Result<(), XlsxError> {
    let formats = page.formats;
    page.number(TOLD, page.exact_text(told), &formats.given_exact)?;
    let formula = format!("{}-{}", page.here(AMOUNT), page.here(TOLD));
    page.zero_money(DIFFERENCE, &formula, 0, checks)
}

/// What the rows that a closed gate would stop leave unsent.
fn foreseen(given: &Given<'_>, name: &str) -> String {
    let table = Table::Customers(Outcome::NotAttempted);
    let predicted = format!("\"{}\"", Prediction::CreationDisabled);
    let reason = format!("\"{}\"", Reason::PlanOnly);
    let conditions = [("product", name), ("predicted", predicted.as_str()), ("reason", reason.as_str())];
    let sum = |column| given.book.sum_if(table, column, &conditions);
    format!("{}-({})", sum("mrr_desired"), sum("mrr_after"))
}

/// The outcomes whose sheets a component is computed from; none for one that is no outcome's.
fn of_sheets(component: &str) -> &'static [Outcome] {
    match component {
        "creation_disabled" => &[Outcome::CreationDisabled],
        "conflict" => &[Outcome::Conflict],
        "invalid" => &[Outcome::Invalid],
        "rejected" => &[Outcome::Rejected],
        "failed" => &[Outcome::Failed],
        "unknown" => &[Outcome::Unknown],
        "not_attempted" => &[Outcome::NotAttempted],
        "not_applied" => &[Outcome::Created, Outcome::Updated, Outcome::Applied, Outcome::Unchanged],
        "orphans" => &[Outcome::Orphan],
        _ => &[],
    }
}

/// To whole minor units, away from 0: what is not 0 stays so.
fn rounded(minor: &BigRational) -> i128 {
    let whole = if *minor < BigRational::zero() { minor.floor() } else { minor.ceil() };
    i128::try_from(whole.to_integer()).unwrap_or(i128::MAX)
}
