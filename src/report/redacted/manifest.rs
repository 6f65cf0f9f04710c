//! What the report shows of the manifest. Taken apart by name, so that a new member asks for a decision here.

use crate::model::{Dialect, InputFile, OverrideUse, Selection};
use crate::redact::{Kind, Quoted, Redactor};
use crate::runs::{GuardFinding, Manifest, RunProduct};
use serde_json::Value;

/// `manifest` without names, saying that it is.
pub(super) fn replaced(redactor: &Redactor, manifest: Manifest) -> Manifest {
    let Manifest {
        format,
        run_id,
        tool_version,
        mode,
        status,
        exit_code,
        as_of,
        started_at,
        finished_at,
        config_hash,
        configuration,
        plan_hash,
        baseline_hash,
        selection,
        waiting_hash,
        currency,
        currency_digits,
        mrr_definition,
        products,
        inputs,
        sources,
        division,
        mix,
        overrides,
        guards,
        exit_on_creation_disabled,
        // A colleague, who signs with it.
        approval,
        redacted: _,
        proof,
    } = manifest;
    let sentence = |text: String| redactor.sentence(&text, Quoted::Words);
    Manifest {
        format,
        run_id,
        tool_version,
        mode,
        status,
        exit_code,
        as_of,
        started_at,
        finished_at,
        config_hash,
        configuration: configured(redactor, configuration),
        plan_hash,
        baseline_hash,
        selection: selection.map(|selection| match selection {
            Selection::Limit(most) => Selection::Limit(most),
            Selection::Only { key, rows } => Selection::Only { key: redactor.id(&key).into_owned(), rows },
        }),
        waiting_hash,
        currency,
        currency_digits,
        mrr_definition: mrr_definition.into_iter().map(sentence).collect(),
        products: products.into_iter().map(|product| filtered(redactor, product)).collect(),
        inputs: inputs.into_iter().map(|file| input(redactor, file)).collect(),
        sources,
        division,
        mix,
        overrides: overrides.into_iter().map(|one| decided(redactor, one)).collect(),
        guards: guards.into_iter().map(|finding| guard(redactor, finding)).collect(),
        exit_on_creation_disabled,
        approval,
        redacted: true,
        proof,
    }
}

fn guard(redactor: &Redactor, finding: GuardFinding) -> GuardFinding {
    GuardFinding { detail: redactor.sentence(&finding.detail, Quoted::Words), ..finding }
}

/// The file's path stays: a person gave it its name, and finds it by that.
fn input(redactor: &Redactor, file: InputFile) -> InputFile {
    let dialect = file.dialect.map(|dialect| Dialect {
        notes: dialect.notes.iter().map(|note| redactor.sentence(note, Quoted::Hidden)).collect(),
        ..dialect
    });
    InputFile { dialect, ..file }
}

fn decided(redactor: &Redactor, one: OverrideUse) -> OverrideUse {
    let OverrideUse { file, line, decision, account, with, note, state, detail } = one;
    OverrideUse {
        file,
        line,
        decision,
        account: redactor.id(&account).into_owned(),
        with: redactor.id(&with).into_owned(),
        // A person's own words, mostly about persons.
        note: note.map(|note| redactor.value(Kind::Text, &note)),
        state,
        detail: redactor.sentence(&detail, Quoted::Ids),
    }
}

/// A filter compares with names and addresses too.
fn filtered(redactor: &Redactor, product: RunProduct) -> RunProduct {
    RunProduct { filter: product.filter.map(|filter| expression(redactor, &filter)), ..product }
}

/// Addresses in `text`, and what an expression compares with (`company = 'Acme'`). A heading in double quotes may hold an
/// apostrophe, which begins no text.
fn expression(redactor: &Redactor, text: &str) -> String {
    let (mut out, mut rest, mut in_heading) = (String::new(), text, false);
    while let Some(at) = rest.find(['"', '\'']) {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        out.push_str(&redactor.sentence(before, Quoted::Words));
        if rest[at..].starts_with('"') {
            in_heading = !in_heading;
            out.push('"');
            rest = behind;
            continue;
        }
        out.push('\'');
        rest = behind;
        if !in_heading {
            // Doubled apostrophes are part of the text.
            let end = closing(behind);
            out.push_str(&redactor.value(Kind::Text, &behind[..end]));
            out.push_str(&behind[end..behind.len().min(end + 1)]);
            rest = &behind[behind.len().min(end + 1)..];
        }
    }
    out + &redactor.sentence(rest, Quoted::Words)
}

/// Where a text in apostrophes ends: at one that is not doubled, or never.
fn closing(text: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find('\'') {
        if !text[from + at + 1..].starts_with('\'') {
            return from + at;
        }
        from += at + 2;
    }
    text.len()
}

/// The configuration: every text in it.
fn configured(redactor: &Redactor, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(expression(redactor, &text)),
        Value::Array(values) => values.into_iter().map(|value| configured(redactor, value)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, configured(redactor, value))).collect()
        }
        other => other,
    }
}
