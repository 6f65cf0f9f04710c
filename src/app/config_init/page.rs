//! What `config init` prints: what it recognised, what it did not, what is left for a person, and what to type next.

use super::columns::Proposed;
use super::proposal::{Proposal, companies_alone, rows};
use crate::load::{Survey, What};
use std::fmt::{self, Write};
use std::path::Path;

/// So many files that are no exports are named.
const OTHERS_SHOWN: usize = 20;

/// The table of the files in `folder`.
pub(super) fn table(survey: &Survey, folder: &Path) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let shown = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let alone: Vec<&Path> = companies_alone(survey).iter().map(|file| file.path.as_path()).collect();
    let lines: Vec<(String, String, String)> = survey
        .files
        .iter()
        .map(|file| {
            let note = if alone.contains(&file.path.as_path()) {
                " (not taken: no contacts of that CRM are here)"
            } else if file.what == What::Customers && file.facts.foreign_ids {
                " (its ids are not Stripe's: taken at its headings' word)"
            } else {
                ""
            };
            (shown(&file.path), rows(file), format!("{}{note}", file.shape))
        })
        .collect();
    let width = |cells: &mut dyn Iterator<Item = &String>| cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
    let files = width(&mut lines.iter().map(|(file, ..)| file)).max("file".len());
    let counts = width(&mut lines.iter().map(|(_, rows, _)| rows)).max("rows".len());
    writeln!(text, "{:files$}  {:>counts$}  recognised as", "file", "rows")?;
    for (file, rows, what) in lines {
        writeln!(text, "{file:files$}  {rows:>counts$}  {what}")?;
    }
    if !survey.others.is_empty() {
        writeln!(text, "\nNot taken")?;
        for (path, why) in survey.others.iter().take(OTHERS_SHOWN) {
            writeln!(text, "  {}: {why}", shown(path))?;
        }
        if let Some(further) = survey.others.len().checked_sub(OTHERS_SHOWN).filter(|further| *further > 0) {
            writeln!(text, "  and {further} more files that are no exports")?;
        }
    }
    if survey.cut_short {
        writeln!(text, "\nThere are more files below this folder than are looked at: name the folder of the exports.")?;
    }
    Ok(text)
}

/// What only a person can say, as far as the configuration leaves it open and it was not `asked`.
pub(super) fn left_open(proposal: &Proposal, asked: bool) -> Vec<String> {
    let mut open = Vec::new();
    for crm in &proposal.crms {
        if crm.undecided_dates.is_some() && crm.dates.is_none() {
            open.push(format!("dates of {}: whether day or month comes first; until then a run is refused", crm.name));
        }
        for column in crm.columns.iter().filter(|column| column.field == "external_id" && !asked) {
            open.push(own_id(column, &format!("`{}` of {}", column.heading, crm.name)));
        }
        if !crm.or.is_empty() {
            let or: Vec<&str> = crm.or.iter().map(|preset| preset.name()).collect();
            open.push(format!("which CRM {} is of ({}): its columns are named one by one", crm.name, or.join(", ")));
        }
    }
    if let Some(key) = proposal.metadata.as_ref().filter(|_| !asked) {
        open.push(own_id(key, &format!("the metadata `{}`", key.heading)));
    }
    if !proposal.other_currencies.is_empty() {
        let others = proposal.other_currencies.join(", ");
        open.push(format!("rates for {others} under [fx]: customers in them are not sent without"));
    }
    if !proposal.coupons.is_empty() {
        const SHOWN: usize = 5;
        let mut named = proposal.coupons.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        if proposal.coupons.len() > SHOWN {
            named.push_str(", …");
        }
        open.push(format!(
            "the worth of the coupons {named} under [mrr.coupons]: customers with them are not sent without"
        ));
    }
    if proposal.products.iter().any(|product| product.creation.is_none()) {
        open.push(
            "creation = \"on\" or \"off\" under [[product]], if you know whether the API may create customers"
                .to_owned(),
        );
    }
    if proposal.products.len() > 1 {
        open.push("a filter under each [[product]]: without one every Stripe customer is sent to it".to_owned());
    }
    open.push("the guards on changes under [guards], once the first night is through".to_owned());
    open
}

/// What a person must know of a column or key that may hold your own ids.
fn own_id(proposed: &Proposed, named: &str) -> String {
    let why = &proposed.why;
    if proposed.active {
        format!("is {named} your own customer id? It is taken: {why}")
    } else {
        format!("{named} is not taken as your own customer id: {why}")
    }
}
