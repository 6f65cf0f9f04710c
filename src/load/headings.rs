//! Finding a column by its heading.

use super::LoadError;

/// The column headed by the first of `names` that the file has, whatever the case.
pub(super) fn find<N: AsRef<str>>(headings: &[String], names: &[N]) -> Option<usize> {
    names.iter().find_map(|name| {
        let wanted = folded(name.as_ref());
        // Folding shortens a text by little: what is far longer is not folded to be compared.
        let near = |heading: &str| heading.len() <= 16 * wanted.len();
        headings.iter().position(|heading| near(heading) && folded(heading) == wanted)
    })
}

/// A heading as it is compared: lower-case, NFC, every run of blanks (no-break ones too) one space.
pub(super) fn folded(heading: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let mut folded = String::with_capacity(heading.len());
    for word in heading.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.nfc());
    }
    folded.to_lowercase()
}

/// The error for a `field` whose column, headed `wanted`, the file with `headings` on `line` lacks.
pub(super) fn missing(
    headings: &[String],
    line: u64,
    file: &str,
    field: &str,
    wanted: &str,
    advice: &str,
) -> LoadError {
    let nearest = headings
        .iter()
        .filter(|heading| !heading.is_empty() && heading.len() <= LONGEST)
        .map(|heading| (strsim::jaro_winkler(&folded(heading), &folded(wanted)), heading))
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map_or(String::new(), |(_, heading)| format!("the nearest heading is `{heading}`; "));
    LoadError::MissingColumn {
        file: file.to_owned(),
        line,
        field: field.to_owned(),
        heading: wanted.to_owned(),
        advice: format!("{nearest}{advice}"),
    }
}

/// Bytes of a heading that may be what somebody meant: to compare longer ones takes the square of their length.
const LONGEST: usize = 200;

/// A heading for a person to see, cut where it is long.
pub(super) fn cut(heading: &str) -> String {
    const SHOWN: usize = 40;
    if heading.chars().nth(SHOWN).is_none() {
        return heading.to_owned();
    }
    heading.chars().take(SHOWN).chain(['…']).collect()
}

/// The first headings, for a person to see what a file holds.
pub(super) fn sample(headings: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = headings.iter().take(SHOWN).map(|heading| cut(heading)).collect::<Vec<_>>().join(", ");
    if headings.len() > SHOWN {
        text.push_str(", …");
    }
    text
}
