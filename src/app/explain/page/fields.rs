//! Each desired value with its source, and what lost against it.

use crate::app::explain::fields::{FieldCandidate, FieldVerdict, FieldWorking};
use crate::app::explain::lines::Page;
use crate::model::Field;

/// Where values begin.
const ROOM: usize = 21;

pub fn write(fields: &[FieldWorking], page: &mut Page<'_>) {
    for field in fields {
        one(field, page);
    }
}

fn one(field: &FieldWorking, page: &mut Page<'_>) {
    let with = |verdict: FieldVerdict| -> Vec<&FieldCandidate> {
        field.candidates.iter().filter(|candidate| candidate.verdict == verdict).collect()
    };
    let from = match (with(FieldVerdict::Taken).as_slice(), &field.source) {
        ([], Some(source)) if field.field == Field::Mrr => format!(" ← {source}, as worked out below"),
        ([], Some(source)) => format!(" ← {source}"),
        ([], None) => String::new(),
        (taken, _) => format!(" ← {}", origins(taken, page)),
    };
    let value = field.value.as_deref().unwrap_or("(none: nothing is sent)");
    page.entry(2, field.field.as_str(), ROOM, &format!("{value}{from}"));
    let same = with(FieldVerdict::Same);
    if !same.is_empty() {
        page.entry(2 + ROOM, "·", 2, &format!("the same says {}", origins(&same, page)));
    }
    let decided = |candidate: &&FieldCandidate| matches!(candidate.verdict, FieldVerdict::Taken | FieldVerdict::Same);
    for candidate in field.candidates.iter().filter(|candidate| !decided(candidate)) {
        let value = candidate.value.as_ref().map_or_else(String::new, |value| format!("not {value} ← "));
        let words = format!("{value}{}: {}", origin(candidate, page), candidate.verdict.words());
        page.entry(2 + ROOM, "·", 2, &words);
    }
}

fn origins(candidates: &[&FieldCandidate], page: &Page<'_>) -> String {
    candidates.iter().map(|candidate| origin(candidate, page)).collect::<Vec<_>>().join(", ")
}

fn origin(candidate: &FieldCandidate, page: &Page<'_>) -> String {
    let place = candidate.place.as_ref().map_or_else(String::new, |place| format!(" ({})", page.place(place)));
    // A contact's name holds its CRM's.
    let source = if candidate.record.starts_with(&format!("{}:", candidate.source)) {
        String::new()
    } else {
        match candidate.source.as_str() {
            // A Stripe id says where it is from.
            "stripe" if !candidate.record.starts_with("guest") => String::new(),
            source => format!("{source} of "),
        }
    };
    format!("{source}{}{place}", candidate.record)
}
