//! Billing intervals as dashboards and spreadsheets spell them.

use crate::load::columns::map;
use polars::prelude::*;
use std::borrow::Cow;

/// The words for an interval: the unit that Stripe's API knows, and how many of it.
const WORDS: &[(&str, &str, i64)] = &[
    ("day", "day", 1),
    ("daily", "day", 1),
    ("week", "week", 1),
    ("weekly", "week", 1),
    ("month", "month", 1),
    ("monthly", "month", 1),
    ("quarter", "month", 3),
    ("quarterly", "month", 3),
    ("year", "year", 1),
    ("yearly", "year", 1),
    ("annual", "year", 1),
    ("annually", "year", 1),
];

/// Reads `month`, `monthly`, `1 month`, `every 3 months`, `3-month`: unit and count. `None`: none of these.
fn read(text: &str) -> Option<(&'static str, i64)> {
    let text = ["every ", "per ", "/"].iter().find_map(|start| text.strip_prefix(start)).unwrap_or(text).trim();
    let (number, word) = match text.find(|letter: char| !letter.is_ascii_digit()) {
        Some(end) if end > 0 => (text[..end].parse().ok().filter(|number| *number > 0)?, &text[end..]),
        _ => (1_i64, text),
    };
    let word = word.trim_start_matches([' ', '-']);
    let (_, unit, count) = WORDS
        .iter()
        .find(|(known, ..)| word.strip_prefix(known).is_some_and(|rest| matches!(rest, "" | "s" | "(s)")))?;
    Some((unit, count.checked_mul(number)?))
}

/// Columns `interval` and `interval_count` from the cells of both: lower-case words, and counts where the file has any. A
/// word that nobody knows, or that contradicts its count, stays as it is.
pub(super) fn columns(words: &StringChunked, counts: &Int64Chunked) -> PolarsResult<[Column; 2]> {
    let known = |word: &str| matches!(word, "day" | "week" | "month" | "year");
    if words.iter().flatten().all(known) {
        return Ok([words.clone().into_column(), counts.fill_null_with_values(1)?.into_column()]);
    }
    let mut found = Vec::with_capacity(words.len());
    for (word, count) in words.iter().zip(counts.iter()) {
        let read = word.and_then(read).and_then(|(unit, number)| match count {
            None | Some(1) => Some((unit, number)),
            // The count beside a bare word counts it; beside one with a number it repeats that.
            Some(count) if number == 1 => Some((unit, count)),
            Some(count) => (count == number).then_some((unit, number)),
        });
        found.push(read.map_or((None, count.unwrap_or(1)), |(unit, number)| (Some(unit), number)));
    }
    let mut units = found.iter().zip(words.iter()).filter(|(_, word)| word.is_some()).map(|((unit, _), _)| *unit);
    let words = map(words, |word| Some(Cow::Borrowed(units.next().flatten().unwrap_or(word))));
    let counts = Int64Chunked::from_iter_values(counts.name().clone(), found.iter().map(|(_, count)| *count));
    Ok([words.into_column(), counts.into_column()])
}

#[cfg(test)]
mod tests {
    use super::{columns, read};
    use polars::prelude::*;

    #[test]
    fn an_interval_is_read_however_it_is_spelt() {
        for (text, expected) in [
            ("month", Some(("month", 1))),
            ("monthly", Some(("month", 1))),
            ("1 month", Some(("month", 1))),
            ("3 months", Some(("month", 3))),
            ("every 3 months", Some(("month", 3))),
            ("6-month", Some(("month", 6))),
            ("per year", Some(("year", 1))),
            ("/week", Some(("week", 1))),
            ("quarterly", Some(("month", 3))),
            ("2 quarters", Some(("month", 6))),
            ("annually", Some(("year", 1))),
            ("0 months", None),
            ("fortnight", None),
            ("monthlyish", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_count_beside_the_word_is_taken_once() {
        let words = ["month", "3 months", "3 months", "3 months", "quarterly", "sometimes"].map(Some);
        let words = [&words[..], &[None]].concat();
        let counts = [Some(6), None, Some(3), Some(2), Some(1), Some(4), None];
        let words = StringChunked::from_slice_options("interval".into(), &words);
        let counts = Int64Chunked::from_slice_options("interval_count".into(), &counts);
        let [words, counts] = columns(&words, &counts).unwrap();
        let words: Vec<_> = words.str().unwrap().iter().collect();
        let expected = ["month", "month", "month", "3 months", "month", "sometimes"].map(Some);
        assert_eq!(words, [&expected[..], &[None]].concat());
        assert_eq!(counts.i64().unwrap().to_vec(), [6, 3, 3, 2, 3, 4, 1].map(Some));
    }
}
