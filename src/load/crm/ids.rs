//! Ids of records, in the one form in which they are compared.

use crate::load::columns::map;
use crate::load::fault::quoted;
use polars::prelude::StringChunked;
use std::borrow::Cow;

/// How a CRM writes its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdForm {
    /// Any text.
    AsWritten,
    /// Mostly whole numbers, which spreadsheets turn into others.
    Number,
    /// 15 characters that differ by case, or the same with three more that say which of them are upper-case.
    Salesforce,
}

impl IdForm {
    /// The id in its one form, or what is wrong with it.
    pub fn read(self, id: &str) -> Result<Cow<'_, str>, String> {
        // A column of fractions in Parquet has cells that are no number.
        if NO_NUMBERS.iter().any(|none| none.eq_ignore_ascii_case(id.trim_start_matches(['-', '+']))) {
            return Err(format!("{} is no id but what stands for no number; export again", quoted(id)));
        }
        match self {
            Self::AsWritten => Ok(Cow::Borrowed(id)),
            Self::Number => number(id),
            Self::Salesforce => salesforce(id),
        }
    }

    /// The id in an entry of a list: of numbers HubSpot writes some as `id:timestamp`. In any text a `:` is part of the id.
    pub fn entry(self, entry: &str) -> &str {
        match self {
            Self::Number => entry.split_once(':').map_or(entry, |(id, _)| id).trim_end(),
            Self::AsWritten | Self::Salesforce => entry,
        }
    }

    /// Whether `text` by itself shows that it is an id of this form.
    pub fn is_form_of(self, text: &str) -> bool {
        self == Self::Salesforce
            && matches!(text.len(), 15 | 18)
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// A column of ids in their one form; what cannot be one is told to `fault` with its place, and null.
    pub fn column(self, ids: &StringChunked, mut fault: impl FnMut(usize, String)) -> StringChunked {
        // A null is not passed to the function, so that places are counted over all cells beforehand.
        let places: Vec<usize> = if ids.null_count() == 0 {
            Vec::new()
        } else {
            ids.iter().enumerate().filter(|(_, id)| id.is_some()).map(|(place, _)| place).collect()
        };
        let mut seen = 0;
        map(ids, |id| {
            let place = places.get(seen).copied().unwrap_or(seen);
            seen += 1;
            self.read(id).map_err(|why| fault(place, why)).ok()
        })
    }
}

/// How fractions that are no numbers are written.
const NO_NUMBERS: [&str; 3] = ["nan", "inf", "infinity"];

/// `12` for a spreadsheet's `12.0`; `1.2E+11` has lost digits and is nobody's id.
fn number(id: &str) -> Result<Cow<'_, str>, String> {
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Cow::Borrowed(id));
    }
    lost_digits(id, true)?;
    match id.split_once('.') {
        Some((whole, zeros))
            if !whole.is_empty()
                && whole.bytes().all(|byte| byte.is_ascii_digit())
                && zeros.bytes().all(|byte| byte == b'0') =>
        {
            Ok(Cow::Borrowed(whole))
        }
        _ => Ok(Cow::Borrowed(id)),
    }
}

/// Refuses `1.2E+11`, and `1.2e11` where ids are `numbers`.
fn lost_digits(id: &str, numbers: bool) -> Result<(), String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let scientific = id.split_once(['E', 'e']).is_some_and(|(number, exponent)| {
        digits(&number.replacen(['.', ','], "", 1))
            && exponent.strip_prefix('+').or(numbers.then_some(exponent)).is_some_and(digits)
    });
    if scientific {
        return Err(format!(
            "{} is a number that a spreadsheet has rounded, its last digits are lost; export again, and do not save the file \
             in a spreadsheet",
            quoted(id)
        ));
    }
    Ok(())
}

/// What a spreadsheet leaves where a formula failed.
const FAILED_FORMULAS: [&str; 7] = ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"];

/// Ids of other systems (your own, Stripe's), any text; what a spreadsheet has spoilt is told to `fault` with its place,
/// and null: sent, it would become somebody's id.
pub(super) fn foreign(ids: &StringChunked, mut fault: impl FnMut(usize, String)) -> StringChunked {
    let spoilt = |id: &str| match FAILED_FORMULAS.iter().find(|failed| failed.eq_ignore_ascii_case(id)) {
        Some(failed) => Some(format!("{failed} is no id but a formula that failed in a spreadsheet; export again")),
        None => lost_digits(id, false).err(),
    };
    let mut sound = true;
    for (place, id) in ids.iter().enumerate() {
        if let Some(why) = id.and_then(spoilt) {
            sound = false;
            fault(place, why);
        }
    }
    if sound {
        return ids.clone();
    }
    map(ids, |id| spoilt(id).is_none().then_some(Cow::Borrowed(id)))
}

/// What the three last characters of an id of 18 are taken from.
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18 characters of a Salesforce id. What is neither 15 nor 18 letters and digits is no id of Salesforce's own making,
/// and stays as it is.
fn salesforce(id: &str) -> Result<Cow<'_, str>, String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        lost_digits(id, false)?;
        return Ok(Cow::Borrowed(id));
    }
    match id.len() {
        15 => Ok(Cow::Owned(format!("{id}{}", check_of(id)))),
        18 => {
            let (core, check) = id.split_at(15);
            let expected = check_of(core);
            if expected == check {
                return Ok(Cow::Borrowed(id));
            }
            let one_case = !core.bytes().any(|byte| byte.is_ascii_uppercase())
                || !core.bytes().any(|byte| byte.is_ascii_lowercase());
            let check = check.to_ascii_uppercase();
            let restored = restore(core, &check).filter(|restored| one_case || restored == core);
            restored.map(|core| Cow::Owned(core + &check)).ok_or_else(|| {
                format!(
                    "{} is no id of Salesforce's: its last three characters do not fit the upper and lower case of the others, \
                     which was changed on the way; export again",
                    quoted(id)
                )
            })
        }
        _ => Ok(Cow::Borrowed(id)),
    }
}

/// The three characters that tell the case of the 15 of `core`: one for five of them, a bit for each, set for upper case.
fn check_of(core: &str) -> String {
    let bits =
        |five: &[u8]| five.iter().rev().fold(0_usize, |bits, byte| bits << 1 | usize::from(byte.is_ascii_uppercase()));
    core.as_bytes().chunks(5).map(|five| char::from(CHECK[bits(five)])).collect()
}

/// `core` in the case that `check` tells; `None` if it marks a digit as upper-case, or is no such text.
fn restore(core: &str, check: &str) -> Option<String> {
    let mut restored = String::with_capacity(18);
    for (five, mark) in core.as_bytes().chunks(5).zip(check.bytes()) {
        let bits = CHECK.iter().position(|known| *known == mark)?;
        for (place, byte) in five.iter().enumerate() {
            let upper = bits >> place & 1 == 1;
            if upper && !byte.is_ascii_alphabetic() {
                return None;
            }
            restored.push(char::from(if upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }));
        }
    }
    Some(restored)
}

#[cfg(test)]
mod tests {
    use super::IdForm;
    use polars::prelude::*;

    #[test]
    fn ids_have_one_form_and_damaged_ones_are_refused() {
        use IdForm::{AsWritten, Number, Salesforce};
        for (form, id, expected) in [
            (AsWritten, "lead_x 1", Ok("lead_x 1")),
            (Number, "123456789012", Ok("123456789012")),
            (Number, "123.0", Ok("123")),
            (Number, "123.", Ok("123")),
            (Number, "123.5", Ok("123.5")),
            (Number, "u-12", Ok("u-12")),
            (Number, "1.2345E+11", Err("its last digits are lost")),
            (Number, "1,2345e+11", Err("its last digits are lost")),
            (Number, "12E4", Err("its last digits are lost")),
            (Number, "1e20", Err("its last digits are lost")),
            (Number, "NaN", Err("no number")),
            (AsWritten, "-inf", Err("no number")),
            (AsWritten, "12e4", Ok("12e4")),
            (Salesforce, "001x0000002xLCV", Ok("001x0000002xLCVAA2")),
            (Salesforce, "001x0000002xLCVAA2", Ok("001x0000002xLCVAA2")),
            (Salesforce, "005x0000000fNSi", Ok("005x0000000fNSiAAM")),
            (Salesforce, "0031G00000qAfq1", Ok("0031G00000qAfq1QAC")),
            (Salesforce, "0011G00000eM9wv", Ok("0011G00000eM9wvQAC")),
            // Only the case differs: two records.
            (Salesforce, "001x0000002xLcV", Ok("001x0000002xLcVAAU")),
            // A spreadsheet's lower and upper case.
            (Salesforce, "001x0000002xlcvaa2", Ok("001x0000002xLCVAA2")),
            (Salesforce, "001X0000002XLCVAA2", Ok("001x0000002xLCVAA2")),
            (Salesforce, "001x0000002xLCVaa2", Ok("001x0000002xLCVAA2")),
            (Salesforce, "0031g00000qafq1qac", Ok("0031G00000qAfq1QAC")),
            (Salesforce, "001x0000002xLcVAA2", Err("export again")),
            (Salesforce, "001x0000002xlcv999", Err("export again")),
            (Salesforce, "001x0000002xlcvb00", Err("export again")),
            (Salesforce, "3.00E+14", Err("its last digits are lost")),
            (Salesforce, "C-0001", Ok("C-0001")),
            (Salesforce, "C0001", Ok("C0001")),
        ] {
            match (form.read(id), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{id}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{id}: {why}"),
                (found, _) => panic!("{id}: {found:?}"),
            }
        }
    }

    #[test]
    fn faults_name_their_place_among_all_cells() {
        let ids = StringChunked::from_iter([None, Some("1"), None, Some("1E+9"), Some("2.0")]);
        let mut faults = Vec::new();
        let column = IdForm::Number.column(&ids, |place, _| faults.push(place));
        assert_eq!(column.iter().collect::<Vec<_>>(), [None, Some("1"), None, None, Some("2")]);
        assert_eq!(faults, [3]);
    }

    #[test]
    #[ignore = "needs the shared exports beside the repository"]
    fn every_id_of_a_real_export_has_the_form_that_is_computed_from_its_first_characters() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/exports/forcedotcom_dataloader/accountData.csv");
        let mut seen = 0;
        for record in csv::Reader::from_path(path).unwrap().byte_records().map(Result::unwrap) {
            let cells = record.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
            for id in cells.filter(|cell| cell.len() == 18 && cell.starts_with("00") && !cell.contains(' ')) {
                assert_eq!(IdForm::Salesforce.read(&id[..15]).unwrap(), id);
                assert_eq!(IdForm::Salesforce.read(&id.to_lowercase()).unwrap(), id);
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }
}
