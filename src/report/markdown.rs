//! `summary.md`: what a person pastes into a chat or a pull request.

use super::ReportError;
use super::amount::{count, grouped, grouped_exact, signed};
use super::model::{ProductReport, ReportModel};
use super::needs;
use super::tally::Tally;
use super::verdict::Ending;
use super::words;
use crate::model::{Outcome, is_obeyed};
use num_traits::Zero;
use std::fmt::Write as _;
use std::io::Write;

/// Writes `summary.md`.
pub(super) fn write(model: &ReportModel, ending: Ending, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut text = String::new();
    compose(model, ending, &mut text)
        .map_err(|error| ReportError::Render { file: "summary.md", detail: error.to_string() })?;
    out.write_all(text.as_bytes()).map_err(|source| ReportError::Write { path: "summary.md".into(), source })
}

fn compose(model: &ReportModel, ending: Ending, out: &mut String) -> std::fmt::Result {
    let manifest = &model.manifest;
    let currency = manifest.currency.as_str().to_uppercase();
    let (_, headline, sentence) = words::verdict(model, ending);
    writeln!(out, "# {headline}: {}\n", plain(&manifest.run_id))?;
    writeln!(out, "{}\n", plain(&sentence))?;
    writeln!(
        out,
        "As of {}, exit code {} ({}). All amounts are {currency} a month.\n",
        manifest.as_of,
        ending.exit_code,
        ending.meaning()
    )?;
    compose_needs(model, out)?;
    compose_division(model, out)?;
    for product in &model.products {
        compose_product(model, product, out)?;
    }
    writeln!(out, "## Sources\n\n| source | rows read | where they went |\n| --- | ---: | --- |")?;
    for source in &manifest.sources {
        let went: Vec<String> =
            source.dispositions.iter().map(|(word, rows)| format!("{word} {}", count(*rows))).collect();
        writeln!(out, "| {} | {} | {} |", plain(&source.name), count(source.rows_read), went.join(", "))?;
    }
    let tying = model.tie_outs.iter().filter(|tie| tie.ties()).count();
    writeln!(out, "\n{tying} of {} control totals tie.\n", model.tie_outs.len())?;
    for tie in model.tie_outs.iter().filter(|tie| !tie.ties()) {
        writeln!(out, "- {}", plain(&tie.sentence()))?;
    }
    for guard in &manifest.guards {
        let state = if guard.refused || guard.overridden { format!(" **{}**", guard.state()) } else { String::new() };
        writeln!(out, "- Guard {}{state}: {}", plain(&guard.guard), plain(&guard.detail))?;
    }
    if !model.breaks.is_empty() {
        let kinds = model.breaks_by_kind();
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, all)| format!("{kind} {}", count(all.len() as u64))).collect();
        writeln!(out, "\nBreaks: {}.", kinds.join(", "))?;
    }
    if let Some(command) = words::approve(model) {
        writeln!(out, "\nApprove it by its hash: `{command}`")?;
    }
    writeln!(out, "\nProve it again, before you sign: `tether-recon verify {}`", manifest.run_id)?;
    Ok(())
}

fn compose_needs(model: &ReportModel, out: &mut String) -> std::fmt::Result {
    let needs = needs::needs(model);
    if needs.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## What needs a person\n\n| product | what | how many | MRR in Tether | MRR per sources | not known | what to do |\n\
         | --- | --- | ---: | ---: | ---: | ---: | --- |"
    )?;
    let digits = model.manifest.currency_digits;
    let worth = |tally: Tally| {
        let unknown = if tally.unknown == 0 { String::new() } else { count(tally.unknown) };
        format!("{} | {} | {unknown}", grouped(tally.after, digits), grouped(tally.desired, digits))
    };
    for need in needs {
        let (what, number) = (need.of.what(), count(need.number));
        let worth = need.worth.map_or_else(|| " | | ".to_owned(), worth);
        writeln!(out, "| {} | {what} | {number} | {worth} | {} |", plain(&need.product), need.todo)?;
    }
    let all = needs::total(model);
    writeln!(out, "| | **all rows** | **{}** | {} | |\n", count(all.customers), worth(all))
}

fn compose_division(model: &ReportModel, out: &mut String) -> std::fmt::Result {
    let Some(divided) = &model.divided else { return Ok(()) };
    let digits = model.manifest.currency_digits;
    let sources: Vec<String> = divided.sources.iter().map(|name| plain(name)).collect();
    let sources = sources.join(" | ");
    let right = " ---: |".repeat(divided.sources.len() + 1);
    writeln!(out, "## Whose rows\n\n| product | filter | {sources} | MRR |\n| --- | --- |{right}")?;
    for line in &divided.lines {
        let bold = if line.is_total { "**" } else { "" };
        let rows: Vec<String> = line.rows.iter().map(|rows| format!("{bold}{}{bold}", grouped(*rows, 0))).collect();
        let rows = rows.join(" | ");
        let mrr = grouped_exact(&line.mrr, digits);
        writeln!(out, "| {bold}{}{bold} | {} | {rows} | {bold}{mrr}{bold} |", plain(&line.label), plain(&line.filter))?;
    }
    writeln!(out)
}

fn compose_product(model: &ReportModel, product: &ProductReport, out: &mut String) -> std::fmt::Result {
    let digits = model.manifest.currency_digits;
    writeln!(
        out,
        "## Product {}\n{}\n| outcome | customers | MRR before | MRR desired | MRR after |",
        plain(&product.name),
        product.filter.as_ref().map_or_else(String::new, |filter| format!("\nIts rows: {}.\n", plain(filter)))
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: |")?;
    for (outcome, tally) in product.outcomes.iter().filter(|(_, tally)| tally.customers > 0) {
        writeln!(
            out,
            "| {outcome} | {} | {} | {} | {} |",
            count(tally.customers),
            grouped(tally.before, digits),
            if *outcome == Outcome::Orphan { String::new() } else { grouped(tally.desired, digits) },
            grouped(tally.after, digits)
        )?;
    }
    if let Some(request) = words::creation_request(model, &product.name, " ") {
        writeln!(out, "\n> {}", plain(&request))?;
    }
    let bridge = &product.bridge;
    writeln!(out, "\n| MRR bridge | customers | MRR |\n| --- | ---: | ---: |")?;
    writeln!(out, "| opening | | {} |", grouped(bridge.opening, digits))?;
    for (movement, amount, customers) in bridge.steps() {
        writeln!(out, "| {} | {} | {} |", movement.as_str(), count(customers), signed(amount, digits))?;
    }
    writeln!(out, "| **closing** | | **{}** |", grouped(bridge.closing, digits))?;
    let gap = &product.gap;
    writeln!(out, "\n| gap to Stripe | customers | MRR |\n| --- | ---: | ---: |")?;
    writeln!(out, "| Stripe | | {} |", grouped_exact(&gap.stripe, digits))?;
    writeln!(out, "| Tether | | {} |", grouped(gap.tether, digits))?;
    writeln!(out, "| **gap** | | **{}** |", grouped_exact(&gap.gap(), digits))?;
    for part in gap.components.iter().filter(|part| !part.amount.is_zero()) {
        let customers = part.customers.map(count).unwrap_or_default();
        let amount = grouped_exact(&part.amount, digits);
        writeln!(out, "| {} | {customers} | {amount} |", words::component(part.name))?;
    }
    writeln!(out, "| residual | | {} |", grouped_exact(&gap.residual(), digits))?;
    for amount in gap.left_out(&model.manifest.configuration) {
        writeln!(out, "\n{amount} a month {}.", words::NO_RATE)?;
    }
    writeln!(out)
}

/// Between two characters that would make a mention, a reference or a link of what follows: seen by nobody.
const JOINER: char = '\u{2060}';

/// Text that Markdown shows as it is, and that no chat or forge makes a mention, a reference or a link of.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        match character {
            '\\' | '`' | '*' | '|' | '<' | '>' | '[' | ']' | '&' | '!' | '~' | '$' => {
                out.push('\\');
                out.push(character);
            }
            // Inside a word it is no emphasis, and a chat without Markdown shows the backslash.
            '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => out.push_str("\\_"),
            '#' => out.extend(['\\', '#', JOINER]),
            '@' => out.extend(['@', JOINER]),
            ':' if after == '/' => out.extend([':', JOINER]),
            '.' if out.len() >= 3
                && out.is_char_boundary(out.len() - 3)
                && out[out.len() - 3..].eq_ignore_ascii_case("www") =>
            {
                out.extend([JOINER, '.']);
            }
            _ if is_obeyed(character) => out.push(' '),
            _ => out.push(character),
        }
        before = character;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_name_is_text_and_never_markup_a_mention_or_a_link() {
        for (name, shown) in [
            ("Ada Ltd, 50% (UK)", "Ada Ltd, 50% (UK)"),
            ("stripe_customers", "stripe_customers"),
            ("_a_ b_", "\\_a\\_ b\\_"),
            ("a|b`c`*d*", "a\\|b\\`c\\`\\*d\\*"),
            ("<img src=x>", "\\<img src=x\\>"),
            ("[x](javascript:1)", "\\[x\\](javascript:1)"),
            ("![x](y) &amp; ~~z~~ $1$", "\\!\\[x\\](y) \\&amp; \\~\\~z\\~\\~ \\$1\\$"),
            ("@channel", "@\u{2060}channel"),
            ("#12", "\\#\u{2060}12"),
            ("https://x.example", "https:\u{2060}//x.example"),
            ("WWW.x.example", "WWW\u{2060}.x.example"),
            ("a\r\nb\u{202e}c", "a  b c"),
            ("\u{e9}\u{e9}.", "\u{e9}\u{e9}."),
        ] {
            assert_eq!(plain(name), shown);
        }
    }
}
