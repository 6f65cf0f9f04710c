//! The summary: the verdict, what moved and why, what needs a person, and cells that must be 0, as formulas over the
//! other sheets. Every formula carries its result, for viewers that do not compute.

mod gap;
mod page;
mod proof;
mod rollforward;

use super::book::Book;
use super::columns::Table;
use super::facts::Facts;
use super::styles::{Formats, TAB_SUMMARY};
use super::{skeleton, text};
use crate::model::Outcome;
use crate::report::amount::count;
use crate::report::model::ReportModel;
use crate::report::needs::{self, Of};
use crate::report::tally::Tally;
use crate::report::verdict::Ending;
use crate::report::words;
use page::Page;
use rust_xlsxwriter::{Worksheet, XlsxError};

/// The columns of the widest block, the roll-forward.
const WIDTH: u16 = 12;

/// What the summary is written from.
struct Given<'a> {
    model: &'a ReportModel,
    ending: Ending,
    book: &'a Book,
    facts: &'a Facts,
}

/// Writes the summary.
pub(super) fn write(
    sheet: &mut Worksheet,
    formats: &Formats,
    model: &ReportModel,
    ending: Ending,
    book: &Book,
    facts: &Facts,
) -> Result<(), XlsxError> {
    sheet.set_name("summary")?.set_tab_color(TAB_SUMMARY);
    sheet.set_screen_gridlines(false);
    sheet.set_column_width(0, 36)?;
    // The second holds the run's instants too.
    sheet.set_column_width(1, 20)?;
    for column in 2..WIDTH {
        sheet.set_column_width(column, 15)?;
    }
    skeleton::footer(sheet, &model.manifest.run_id);
    let given = Given { model, ending, book, facts };
    let mut page = Page::new(sheet, formats, model.manifest.currency_digits, facts.provable);
    let master = head(&mut page, &given)?;
    let mut subtotals = Vec::new();
    division(&mut page, &given)?;
    for (at, product) in model.products.iter().enumerate() {
        page.blank();
        subtotals.push(rollforward::write(&mut page, &given, at, product)?);
    }
    page.blank();
    needs_a_person(&mut page, &given)?;
    page.blank();
    subtotals.push(proof::write(&mut page, &given)?);
    page.blank();
    notes(&mut page, &given)?;
    page.master(master, &subtotals)?;
    let last = page.row();
    sheet.set_print_area(0, 0, last, WIDTH - 1)?;
    Ok(())
}

/// May this be signed, and which run is it. Returns the row of the cell over all checks.
fn head(page: &mut Page<'_>, given: &Given<'_>) -> Result<u32, XlsxError> {
    let formats = page.formats;
    let manifest = &given.model.manifest;
    let (_, headline, sentence) = words::verdict(given.model, given.ending);
    page.line(&format!("Reconciliation {}", manifest.run_id), &formats.title)?;
    page.line(&format!("{headline}. {sentence}"), &formats.headline)?;
    let currency = manifest.currency.as_str().to_uppercase();
    page.line(
        &format!("Amounts are {currency} a month, instants are UTC. Every shaded cell must be 0."),
        &formats.note,
    )?;
    page.blank();
    let master = page.row();
    page.text(0, "All checks", &formats.headline)?;
    page.next();
    page.blank();
    let exit = format!("{} ({})", given.ending.exit_code, given.ending.meaning());
    let status = text::spelled(&given.ending.status);
    let mode = text::spelled(&manifest.mode);
    for (label, value) in [
        ("run", manifest.run_id.as_str()),
        ("mode", mode.as_str()),
        ("status", status.as_str()),
        ("exit code", exit.as_str()),
    ] {
        page.pair(label, value)?;
    }
    for (label, instant) in [("as of", manifest.as_of), ("started", manifest.started_at)] {
        page.text(0, label, &formats.label)?;
        page.instant(1, instant)?;
        page.next();
    }
    for (label, value) in [
        ("version", &manifest.tool_version),
        ("configuration (SHA-256)", &manifest.config_hash),
        ("plan (SHA-256)", &manifest.plan_hash),
        ("baseline (SHA-256)", &manifest.baseline_hash),
    ] {
        page.pair(label, value)?;
    }
    if let Some(approval) = &manifest.approval {
        page.pair("approved by", approval.approved_by.as_deref().unwrap_or("nobody was named"))?;
        page.pair("plan applied", &approval.plan.run_id)?;
    }
    if let Some(selection) = &manifest.selection {
        page.pair("limited by", &selection.to_string())?;
    }
    Ok(master)
}

/// What the filter of each product took.
fn division(page: &mut Page<'_>, given: &Given<'_>) -> Result<(), XlsxError> {
    let Some(divided) = &given.model.divided else { return Ok(()) };
    let formats = page.formats;
    page.blank();
    page.section("Whose rows", WIDTH)?;
    // A filter is long: it stands last, where nothing follows it.
    let shown = &divided.sources[..divided.sources.len().min(usize::from(WIDTH) - 3)];
    let names: Vec<&str> =
        ["product", "MRR"].into_iter().chain(shown.iter().map(String::as_str)).chain(["filter"]).collect();
    page.headings(&names, 1..names.len() - 1)?;
    for line in &divided.lines {
        page.text(0, &line.label, &formats.label)?;
        page.exact(1, &line.mrr)?;
        let mut column = 2;
        for rows in &line.rows[..shown.len()] {
            page.number(column, rows.to_string(), &formats.count)?;
            column += 1;
        }
        page.text(column, &line.filter, &formats.beside)?;
        page.next();
    }
    Ok(())
}

/// Who has to do what about whom.
fn needs_a_person(page: &mut Page<'_>, given: &Given<'_>) -> Result<(), XlsxError> {
    let formats = page.formats;
    page.section("What needs a person", WIDTH)?;
    let needing = needs::needs(given.model);
    let requests: Vec<String> = given
        .model
        .products
        .iter()
        .filter_map(|product| words::creation_request(given.model, &product.name, " "))
        .collect();
    if needing.is_empty() && requests.is_empty() {
        return page.line("Nobody.", &formats.label);
    }
    if !needing.is_empty() {
        let names = ["product", "how many", "MRR in Tether", "MRR per sources", "not known", "what", "what to do"];
        page.headings(&names, 1..5)?;
        for need in needing {
            page.text(0, &need.product, &formats.label)?;
            page.number(1, need.number.to_string(), &formats.count)?;
            if let Some(tally) = need.worth {
                worth(page, tally)?;
            }
            let table = match need.of {
                Of::Outcome(outcome) => Table::Customers(outcome),
                Of::Break(..) => Table::Breaks,
            };
            page.link(5, need.of.what(), table)?;
            page.text(6, need.todo, &formats.beside)?;
            page.next();
        }
        let all = needs::total(given.model);
        page.text(0, "all rows", &formats.label)?;
        page.number(1, all.customers.to_string(), &formats.count)?;
        worth(page, all)?;
        page.next();
    }
    for request in requests {
        page.line(&request, &formats.label)?;
    }
    Ok(())
}

/// What customers are worth, in the three columns of it.
fn worth(page: &mut Page<'_>, tally: Tally) -> Result<(), XlsxError> {
    let formats = page.formats;
    page.money(2, tally.after, &formats.money)?;
    page.money(3, tally.desired, &formats.money)?;
    page.number(4, tally.unknown.to_string(), &formats.count)
}

/// The definition in force, and what a reader of this workbook has to know about it.
fn notes(page: &mut Page<'_>, given: &Given<'_>) -> Result<(), XlsxError> {
    let formats = page.formats;
    page.section("The definition of MRR in force", WIDTH)?;
    for sentence in &given.model.manifest.mrr_definition {
        page.line(sentence, &formats.label)?;
    }
    page.blank();
    if !given.model.manifest.guards.is_empty() {
        page.section("Guards", WIDTH)?;
    }
    for guard in &given.model.manifest.guards {
        page.line(&format!("{} {}: {}", guard.guard, guard.state(), guard.detail), &formats.label)?;
    }
    if !given.model.manifest.guards.is_empty() {
        page.blank();
    }
    page.section("About this workbook", WIDTH)?;
    let mut about = vec![
        "Ids, e-mails and names are text, amounts and dates are numbers. Customers stand in the order of the plan: the largest movement first.".to_owned(),
    ];
    for table in super::columns::TABLES {
        let sheets: Vec<_> = given.book.of_table(table).map(|part| part.name.as_str()).collect();
        if let [first, others @ ..] = sheets.as_slice()
            && !others.is_empty()
        {
            let rows = count(given.book.rows(table));
            about.push(format!(
                "{first} has {rows} rows, more than one sheet holds; it goes on in {}.",
                others.join(", ")
            ));
        }
    }
    if given.facts.cut > 0 {
        let texts = count(given.facts.cut);
        about.push(format!(
            "Texts longer than the 32,767 characters of a cell: {texts}. They are cut and say so at their end; the CSV files hold them whole."
        ));
    }
    if given.facts.wide > 0 {
        let customers = count(given.facts.wide);
        about.push(format!(
            "Customers with an amount of more than the 15 digits that a cell's number keeps: {customers}. It stands as text, digit by digit, and is in no sum here."
        ));
    }
    if !given.facts.provable {
        about.push("Sums of money have more than the 15 digits that a cell's number keeps: their checks are left empty. The sheet control_totals holds the run's own, which are exact.".to_owned());
    }
    if given.model.planned_only {
        about.push(format!("This is a plan: what would be sent stands under {}.", Outcome::NotAttempted));
    }
    for sentence in about {
        page.line(&sentence, &formats.label)?;
    }
    Ok(())
}
