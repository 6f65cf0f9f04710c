//! A proposal as commented TOML: only the sections that apply, each with a sentence why.

use super::columns::Proposed;
use super::proposal::{Crm, Product, Proposal};
use crate::config::CrmPreset;
use crate::model::one_line;
use std::fmt::{self, Write};

/// The configuration's text.
pub(super) fn text(proposal: &Proposal, folder: &str) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "# Written by `tether-recon config init` from the files in {}. Correct it as you like:",
        comment(folder)
    )?;
    writeln!(
        text,
        "# `tether-recon config check` says what a run makes of it. Paths are relative to this file; a * stands for what"
    )?;
    writeln!(
        text,
        "# changes from export to export. All files that match are read together, so keep only the newest of each there."
    )?;
    writeln!(
        text,
        "# Every key there is: config/example.toml of the program, or `tether-recon config schema` for an editor.\n"
    )?;

    writeln!(text, "[run]")?;
    writeln!(text, "# Where runs, journals and the baseline live: on a local disk, kept from night to night.")?;
    writeln!(text, "state = \"state\"")?;
    writeln!(text, "# The Tether account's currency: {}.", comment(&proposal.currency_why))?;
    writeln!(text, "currency = {}\n", quoted(&proposal.currency))?;
    stripe(&mut text, proposal)?;
    for crm in &proposal.crms {
        self::crm(&mut text, crm)?;
    }
    if !proposal.overrides.is_empty() {
        writeln!(text, "# What a person decided about accounts and contacts.")?;
        writeln!(text, "[identity]\noverrides = {}\n", list(&proposal.overrides))?;
    }
    if !proposal.other_currencies.is_empty() {
        writeln!(
            text,
            "# Account currency per unit, with the day the rate is of. Customers in a currency without a rate are invalid, and are"
        )?;
        writeln!(text, "# not sent: fill in the rates of your books and take the # away.")?;
        writeln!(text, "[fx]")?;
        for currency in &proposal.other_currencies {
            writeln!(text, "# {currency} = {{ rate = \"1.2345\", date = \"2026-10-31\" }}")?;
        }
        writeln!(text)?;
    }
    coupons(&mut text, proposal)?;
    guards(&mut text, proposal)?;
    writeln!(text, "[tether]")?;
    writeln!(
        text,
        "# \"sandbox\" instead rehearses with a local Tether inside the process: nothing leaves this machine."
    )?;
    writeln!(text, "url = \"https://usetether.io\"")?;
    writeln!(text, "# Calls per time and product; \"auto\" finds what the server takes.")?;
    writeln!(text, "rate = \"10/s\"\n")?;
    writeln!(
        text,
        "# One [[product]] for each product in Tether: a key belongs to one. It is shown once, under Settings → Products →"
    )?;
    writeln!(text, "# [product] → API, and never stands here, only where it is found: env, file or credential.")?;
    for product in &proposal.products {
        self::product(&mut text, product, proposal.products.len() > 1)?;
    }
    Ok(text.trim_end().to_owned() + "\n")
}

fn stripe(text: &mut String, proposal: &Proposal) -> fmt::Result {
    writeln!(text, "[stripe]")?;
    for (key, patterns, why) in [
        ("customers", &proposal.customers, "Customers, and what they are subscribed to."),
        ("subscriptions", &proposal.subscriptions, ""),
        ("files", &proposal.files, "Stripe's tables or objects, each file recognised by its content."),
    ] {
        if !patterns.is_empty() {
            if !why.is_empty() {
                writeln!(text, "# {why}")?;
            }
            writeln!(text, "{key} = {}", list(patterns))?;
        }
    }
    if let Some(key) = &proposal.metadata {
        writeln!(text, "# The metadata key that carries your own id of a customer: {}.", comment(&key.why))?;
        let hidden = if key.active { "" } else { "# " };
        writeln!(text, "{hidden}external_id_metadata = {}", quoted(&key.heading))?;
    } else if !proposal.metadata_keys.is_empty() {
        const SHOWN: usize = 10;
        let keys: Vec<&str> = proposal.metadata_keys.iter().take(SHOWN).map(String::as_str).collect();
        writeln!(
            text,
            "# If one of the metadata keys ({}) carries your own id of a customer, name it:",
            comment(&keys.join(", "))
        )?;
        writeln!(text, "# external_id_metadata = {}", quoted(keys[0]))?;
    }
    if proposal.dashboard {
        writeln!(
            text,
            "# Amount in a file of the dashboard is the price of one unit; \"total\" if it is already times the quantity."
        )?;
        writeln!(text, "amount = \"unit\"")?;
    }
    writeln!(text)
}

fn crm(text: &mut String, crm: &Crm) -> fmt::Result {
    match crm.preset {
        CrmPreset::Custom => {
            let or: Vec<&str> = crm.or.iter().map(|preset| preset.name()).collect();
            writeln!(
                text,
                "# Contacts of some CRM: their headings fit {} alike, so that `columns` says what is what. If it is",
                or.join(", ")
            )?;
            writeln!(text, "# one of these, write its name as the preset and take out what `columns` need not say.")?;
        }
        _ => writeln!(text, "# The CRM's contacts: who a customer is, and which Stripe customers are theirs.")?,
    }
    writeln!(text, "[[crm]]\nname = {}\npreset = {}", quoted(&crm.name), quoted(crm.preset.name()))?;
    writeln!(text, "contacts = {}", list(&crm.contacts))?;
    if !crm.companies.is_empty() {
        writeln!(text, "# They name the company of a contact that only carries its id.")?;
        writeln!(text, "companies = {}", list(&crm.companies))?;
    }
    if let Some(why) = &crm.undecided_dates {
        if let Some(order) = crm.dates {
            writeln!(text, "# \"us\" is 10/14/2026, \"eu\" 14/10/2026.\ndates = {}", quoted(order))?;
        } else {
            writeln!(text, "# NEEDED: {}.", comment(why))?;
            writeln!(text, "# dates = \"us\"")?;
        }
    }
    let named: Vec<&Proposed> = crm.columns.iter().filter(|column| column.active).collect();
    let perhaps: Vec<&Proposed> = crm.columns.iter().filter(|column| !column.active).collect();
    for column in named.iter().filter(|_| crm.preset != CrmPreset::Custom) {
        writeln!(text, "# {}: {}.", column.field, comment(&column.why))?;
    }
    if !named.is_empty() {
        let pairs: Vec<String> =
            named.iter().map(|column| format!("{} = {}", column.field, quoted(&column.heading))).collect();
        writeln!(text, "columns = {{ {} }}", pairs.join(", "))?;
    }
    for column in perhaps {
        writeln!(text, "# {}: {}.", column.field, comment(&column.why))?;
        writeln!(text, "# columns = {{ {} = {} }}", column.field, quoted(&column.heading))?;
    }
    writeln!(text)
}

fn guards(text: &mut String, proposal: &Proposal) -> fmt::Result {
    writeln!(
        text,
        "# A plan beyond these is refused before its first call (exit code 4); `run --allow GUARD` lets one pass once. They are"
    )?;
    writeln!(text, "# for a first night: tighten them after it, to what a usual night shows.")?;
    writeln!(text, "[guards]")?;
    let why = match (proposal.customer_rows, proposal.existing_rows) {
        (0, _) => "how many customers Stripe has could not be counted".to_owned(),
        (customers, 0) => format!("Stripe has {customers} customers, and nothing is known of what Tether holds"),
        (customers, held) => format!("Stripe has {customers} customers, Tether's exports {held}"),
    };
    writeln!(text, "# Customers that may be created: {why}.")?;
    writeln!(text, "max_created = {}", proposal.max_created())?;
    writeln!(
        text,
        "# Updates, and net change of MRR, as a percentage of what Tether holds. The first night may well change most of it:"
    )?;
    writeln!(text, "# take the # away after it.")?;
    writeln!(text, "# max_changed_percent = 30\n# max_mrr_change_percent = 10")?;
    writeln!(text, "# Rows of each source as a percentage of the last completed run's: an export that was cut short.")?;
    writeln!(text, "min_rows_percent = 80")?;
    writeln!(text, "# Once exports come every night: one that did not come.")?;
    writeln!(text, "# max_export_age = \"36h\"\n# refuse_repeated_files = true\n")
}

fn coupons(text: &mut String, proposal: &Proposal) -> fmt::Result {
    const SHOWN: usize = 50;
    if proposal.coupons.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "# What these coupons are worth stands in no file. A customer with one that nothing defines is invalid, and is not sent:"
    )?;
    writeln!(text, "# say it here, or add Stripe's coupons (API JSON, or a warehouse's table) to the files.")?;
    writeln!(text, "[mrr.coupons]")?;
    for coupon in proposal.coupons.iter().take(SHOWN) {
        writeln!(text, "# {} = {{ percent_off = \"20\", duration = \"forever\" }}", quoted(coupon))?;
    }
    if let Some(further) = proposal.coupons.len().checked_sub(SHOWN).filter(|further| *further > 0) {
        writeln!(text, "# and {further} more")?;
    }
    writeln!(text)
}

fn product(text: &mut String, product: &Product, one_of_several: bool) -> fmt::Result {
    writeln!(text, "[[product]]\nname = {}\nkey = {{ env = {} }}", quoted(&product.name), quoted(&product.key))?;
    if product.existing.is_empty() {
        writeln!(
            text,
            "# What Tether holds, if you have an export of it. Without one, the first run sends every customer."
        )?;
        writeln!(text, "# existing = \"exports/tether/customers*.jsonl\"")?;
    } else {
        writeln!(text, "# What Tether holds, as exported; what its replies show goes before it from night to night.")?;
        writeln!(text, "existing = {}", list(&product.existing))?;
    }
    if one_of_several {
        writeln!(text, "# Whose Stripe rows are its: without a filter every customer of Stripe is sent to it.")?;
        writeln!(text, "# filter = \"stripe_subscriptions.product IN ('prod_1', 'prod_2')\"")?;
    }
    writeln!(
        text,
        "# Whether the API may create customers in it, as you expect: \"on\" or \"off\". Tether's own default is off."
    )?;
    match product.creation {
        Some(gate) => writeln!(text, "creation = {}\n", quoted(gate)),
        None => writeln!(text, "# creation = \"on\"\n"),
    }
}

/// One pattern, or a list of them.
fn list(patterns: &[String]) -> String {
    match patterns {
        [only] => quoted(only),
        [..] if patterns.iter().map(String::len).sum::<usize>() < 80 => {
            format!("[{}]", patterns.iter().map(|pattern| quoted(pattern)).collect::<Vec<_>>().join(", "))
        }
        several => {
            let lines: Vec<String> = several.iter().map(|pattern| format!("    {},", quoted(pattern))).collect();
            format!("[\n{}\n]", lines.join("\n"))
        }
    }
}

/// A text as a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A text inside a comment: on its line.
fn comment(text: &str) -> String {
    one_line(text).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{comment, list, quoted};

    #[test]
    fn hostile_names_stay_in_their_quotes_and_on_their_line() {
        for text in ["a\"b\\c\nd\u{7f}", "ë*", "'''"] {
            let toml = format!("x = {}", quoted(text));
            let read: toml::Table = toml.parse().unwrap();
            assert_eq!(read["x"].as_str(), Some(text));
        }
        assert!(!comment("a\nb").contains('\n'));
        let many: Vec<String> = (0..9).map(|n| format!("a long name of a file {n}.csv")).collect();
        let read: toml::Table = format!("x = {}", list(&many)).parse().unwrap();
        assert_eq!(read["x"].as_array().map(Vec::len), Some(9));
    }
}
