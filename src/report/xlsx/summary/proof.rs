//! The proof: every input row stands in one place, every list is as long as the run says, every control total ties.

use super::super::columns::Table;
use super::page::{Checks, Page, Subtotal, address};
use super::{Given, WIDTH};
use crate::model::Disposition;
use crate::report::amount::rational;
use crate::runs::{Exact, SourceTotals};
use num_rational::BigRational;
use num_traits::Zero;
use rust_xlsxwriter::XlsxError;

const READ: u16 = 1;
const FIRST: u16 = 2;

/// Writes the block; returns the cell over its checks.
pub(super) fn write(page: &mut Page<'_>, given: &Given<'_>) -> Result<Subtotal, XlsxError> {
    let formats = page.formats;
    let mut checks = Checks::default();
    page.section("Proof: where every input row went", WIDTH)?;
    let title = page.row();
    page.text(0, "lines of the accounting by source and disposition", &formats.note)?;
    page.next();
    let headings: Vec<&str> = ["source", "rows read"]
        .into_iter()
        .chain(Disposition::ALL.iter().map(|disposition| disposition.as_str()))
        .chain(["sum", "check"])
        .collect();
    let heading = page.row();
    page.headings(&headings, 1..headings.len())?;
    for source in &given.model.manifest.sources {
        rows_of(page, given, source, heading, &mut checks)?;
    }
    for source in &given.model.manifest.sources {
        if let Some(total) = &source.mrr_total {
            mrr_of(page, source, total, &mut checks)?;
        }
    }
    page.blank();
    page.section("Proof: how long every list is", WIDTH)?;
    page.headings(&["list", "rows on its sheets", "as the run says", "difference"], 1..4)?;
    lists(page, given, &mut checks)?;
    page.at(title, |page| {
        page.text(WIDTH - 3, "checks of the proofs", &formats.note)?;
        page.subtotal(WIDTH - 1, &checks)
    })
}

/// One source's rows by disposition.
fn rows_of(
    page: &mut Page<'_>,
    given: &Given<'_>,
    source: &SourceTotals,
    heading: u32,
    checks: &mut Checks,
) -> Result<(), XlsxError> {
    let formats = page.formats;
    let name = format!("$A${}", page.row() + 1);
    page.text(0, &source.name, &formats.text)?;
    page.number(READ, source.rows_read.to_string(), &formats.count)?;
    let mut sum = 0;
    let mut column = FIRST;
    for disposition in Disposition::ALL {
        let rows = source.dispositions.get(disposition).copied().unwrap_or_default();
        let word = address(heading, column);
        let formula =
            given.book.count_if(Table::Accounting, &[("source", name.as_str()), ("disposition", word.as_str())]);
        page.formula(column, &formula, rows.to_string(), &formats.count)?;
        sum += rows;
        column += 1;
    }
    let formula = format!("SUM({}:{})", page.here(FIRST), page.here(column - 1));
    page.formula(column, &formula, sum.to_string(), &formats.count)?;
    let formula = format!("{}-{}", page.here(column), page.here(READ));
    page.zero_count(column + 1, &formula, i128::from(sum) - i128::from(source.rows_read), checks)?;
    page.next();
    Ok(())
}

/// One source's MRR by disposition. What a fraction of the manifest does not say is left empty.
fn mrr_of(page: &mut Page<'_>, source: &SourceTotals, total: &Exact, checks: &mut Checks) -> Result<(), XlsxError> {
    let formats = page.formats;
    page.text(0, &format!("MRR of {}", source.name), &formats.label)?;
    let total = rational(total).unwrap_or_else(|_| BigRational::zero());
    page.exact(READ, &total)?;
    let mut sum = BigRational::zero();
    let mut column = FIRST;
    for disposition in Disposition::ALL {
        let of_disposition = source.mrr.get(disposition).and_then(|exact| rational(exact).ok());
        let minor = of_disposition.unwrap_or_else(BigRational::zero);
        page.exact(column, &minor)?;
        sum += minor;
        column += 1;
    }
    let formula = format!("SUM({}:{})", page.here(FIRST), page.here(column - 1));
    page.formula(column, &formula, page.exact_text(&sum), &formats.exact)?;
    let off = (sum - total).round().to_integer();
    let formula = format!("{}-{}", page.here(column), page.here(READ));
    page.zero_money(column + 1, &formula, i128::try_from(off).unwrap_or(i128::MAX), checks)?;
    page.next();
    Ok(())
}

/// How long the lists are, and whether the run's own control totals tie.
fn lists(page: &mut Page<'_>, given: &Given<'_>, checks: &mut Checks) -> Result<(), XlsxError> {
    let formats = page.formats;
    let (model, facts, book) = (given.model, given.facts, given.book);
    let read: u64 = model.manifest.sources.iter().map(|source| source.rows_read).sum();
    for (table, column, told) in [
        (Table::Unmatched, "what", facts.unmatched.height() as u64),
        (Table::Changes, "key", facts.changes.rows),
        (Table::Accounting, "source", read),
        (Table::Breaks, "kind", model.breaks.len() as u64),
        (Table::ControlTotals, "scope", model.tie_outs.len() as u64),
        (Table::Inputs, "source", model.manifest.inputs.len() as u64),
    ] {
        page.link(0, table.name(), table)?;
        line(page, &book.count(table, column), book.rows(table), told, checks)?;
    }
    let missed = model.tie_outs.iter().filter(|tie| !tie.ties()).count() as u64;
    page.text(0, "control totals that do not tie", &formats.label)?;
    line(page, &book.count_if(Table::ControlTotals, &[("ties", "FALSE")]), missed, 0, checks)?;
    for (kind, found) in model.breaks_by_kind() {
        let name = format!("$A${}", page.row() + 1);
        page.text(0, kind.as_str(), &formats.text)?;
        let rows = found.len() as u64;
        line(page, &book.count_if(Table::Breaks, &[("kind", name.as_str())]), rows, rows, checks)?;
    }
    Ok(())
}

fn line(page: &mut Page<'_>, formula: &str, found: u64, told: u64, checks: &mut Checks) -> Result<(), XlsxError> {
    let formats = page.formats;
    page.formula(1, formula, found.to_string(), &formats.count)?;
    page.number(2, told.to_string(), &formats.given_count)?;
    let difference = format!("{}-{}", page.here(1), page.here(2));
    page.zero_count(3, &difference, i128::from(found) - i128::from(told), checks)?;
    page.next();
    Ok(())
}
