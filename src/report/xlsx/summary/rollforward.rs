//! One product's MRR from what Tether held to what it holds, by outcome and movement: each row and each column adds up.

use super::super::columns::{Table, outcomes};
use super::page::{Checks, Page, Subtotal, address};
use super::{Given, WIDTH, gap};
use crate::model::Outcome;
use crate::report::bridge::Movement;
use crate::report::model::ProductReport;
use crate::report::tally::Cell;
use rust_xlsxwriter::XlsxError;

const HEADINGS: [&str; WIDTH as usize] = [
    "outcome",
    "customers",
    "opening",
    "new",
    "reactivation",
    "expansion",
    "contraction",
    "churn",
    "closing",
    "check",
    "desired",
    "desired − closing",
];

/// The columns of the figures.
pub(super) const CUSTOMERS: u16 = 1;
const OPENING: u16 = 2;
const CHURN: u16 = 7;
pub(super) const CLOSING: u16 = 8;
const CHECK: u16 = 9;
const DESIRED: u16 = 10;
pub(super) const MISSING: u16 = 11;

/// Where an outcome's figures stand.
pub(super) struct Placed {
    pub(super) outcome: Outcome,
    pub(super) row: u32,
}

/// One line of figures: customers, then minor units in the order of the columns.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    customers: u64,
    opening: i128,
    moved: [i128; 5],
    closing: i128,
    desired: i128,
}

impl Figures {
    fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut sum = Self::default();
        for cell in cells {
            sum.customers += cell.tally.customers;
            sum.opening += cell.tally.before;
            sum.closing += cell.tally.after;
            sum.desired += cell.tally.desired;
            if let Some(moved) = (cell.movement as usize).checked_sub(1).and_then(|at| sum.moved.get_mut(at)) {
                *moved += cell.tally.after - cell.tally.before;
            }
        }
        sum
    }

    /// Opening, movements and closing: the columns from [`OPENING`] to [`CLOSING`].
    fn amounts(&self) -> impl Iterator<Item = (u16, i128)> {
        (OPENING..).zip([self.opening].into_iter().chain(self.moved).chain([self.closing]))
    }

    fn residual(&self) -> i128 {
        self.opening + self.moved.iter().sum::<i128>() - self.closing
    }
}

/// Writes the product's block and its gap to Stripe; returns the cell over its checks.
pub(super) fn write(
    page: &mut Page<'_>,
    given: &Given<'_>,
    at: usize,
    product: &ProductReport,
) -> Result<Subtotal, XlsxError> {
    let formats = page.formats;
    let mut checks = Checks::default();
    page.section("MRR in Tether, from opening to closing", WIDTH)?;
    // Every criterion of the formulas below is this cell.
    let name = format!("$A${}", page.row() + 1);
    page.text(0, &product.name, &formats.headline)?;
    page.text(1, "product", &formats.note)?;
    let title = page.row();
    page.next();
    page.headings(&HEADINGS, 1..HEADINGS.len())?;

    let cells = || given.model.cells.iter().filter(|cell| cell.product == product.name);
    let first = page.row();
    let mut placed = Vec::new();
    for outcome in outcomes() {
        let table = Table::Customers(outcome);
        let figures = Figures::of(cells().filter(|cell| cell.outcome == outcome));
        let condition = ("product", name.as_str());
        let sum = |column, more: &[(&str, &str)]| given.book.sum_if(table, column, &[&[condition], more].concat());
        page.link(0, table.name(), table)?;
        page.formula(
            CUSTOMERS,
            &given.book.count_if(table, &[condition]),
            figures.customers.to_string(),
            &formats.count,
        )?;
        for (column, minor) in figures.amounts() {
            let formula = match column {
                OPENING => sum("mrr_before", &[]),
                CLOSING => sum("mrr_after", &[]),
                _ => {
                    let word = format!("\"{}\"", Movement::ALL[usize::from(column - OPENING)].as_str());
                    sum("mrr_delta", &[("movement", &word)])
                }
            };
            page.sum(column, &formula, minor, &formats.money)?;
        }
        let (opening, churn, closing) = (page.here(OPENING), page.here(CHURN), page.here(CLOSING));
        page.zero_money(CHECK, &format!("SUM({opening}:{churn})-{closing}"), figures.residual(), &mut checks)?;
        page.sum(DESIRED, &sum("mrr_desired", &[]), figures.desired, &formats.money)?;
        let missing = format!("{}-{closing}", page.here(DESIRED));
        page.sum(MISSING, &missing, figures.desired - figures.closing, &formats.money)?;
        placed.push(Placed { outcome, row: page.row() });
        page.next();
    }

    let sums = Figures::of(cells());
    let total = page.row();
    let of_column = |column| format!("SUM({}:{})", address(first, column), address(total - 1, column));
    page.text(0, "total", &formats.total_label)?;
    page.formula(CUSTOMERS, &of_column(CUSTOMERS), sums.customers.to_string(), &formats.total_count)?;
    for (column, minor) in sums.amounts() {
        page.sum(column, &of_column(column), minor, &formats.total_money)?;
    }
    let row = format!("SUM({}:{})-{}", page.here(OPENING), page.here(CHURN), page.here(CLOSING));
    page.zero_money(CHECK, &row, sums.residual(), &mut checks)?;
    page.sum(DESIRED, &of_column(DESIRED), sums.desired, &formats.total_money)?;
    page.sum(MISSING, &of_column(MISSING), sums.desired - sums.closing, &formats.total_money)?;
    page.next();

    let told = told(given, at, product);
    page.text(0, "as the run says", &formats.given_label)?;
    page.number(CUSTOMERS, told.customers.to_string(), &formats.given_count)?;
    for (column, minor) in told.amounts().chain([(DESIRED, told.desired)]) {
        page.money(column, minor, &formats.given_money)?;
    }
    page.next();
    page.text(0, "difference", &formats.label)?;
    let difference = |column| format!("{}-{}", address(total, column), address(total + 1, column));
    let off = i128::from(sums.customers) - i128::from(told.customers);
    page.zero_count(CUSTOMERS, &difference(CUSTOMERS), off, &mut checks)?;
    for ((column, found), (_, expected)) in
        sums.amounts().chain([(DESIRED, sums.desired)]).zip(told.amounts().chain([(DESIRED, told.desired)]))
    {
        page.zero_money(column, &difference(column), found - expected, &mut checks)?;
    }
    page.next();
    page.blank();
    gap::write(page, given, product, &name, &placed, total, &mut checks)?;
    page.at(title, |page| {
        page.text(MISSING - 2, "checks of this product", &formats.note)?;
        page.subtotal(MISSING, &checks)
    })
}

/// What the run itself says: customers by outcome, the bridge, and the plan's own sum of what is desired.
fn told(given: &Given<'_>, at: usize, product: &ProductReport) -> Figures {
    let bridge = &product.bridge;
    let planned = given.model.manifest.products.get(at);
    Figures {
        customers: product.outcomes.values().map(|tally| tally.customers).sum(),
        opening: bridge.opening,
        moved: bridge.steps().map(|(_, amount, _)| amount),
        closing: bridge.closing,
        desired: planned.map(|planned| planned.totals.desired_rounded.into()).unwrap_or_default(),
    }
}
