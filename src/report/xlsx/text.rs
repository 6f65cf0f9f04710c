//! Texts of the summary, which are short: what a cell there may hold.

use super::cells;
use crate::model::one_line;

/// `text` without control characters and no longer than a cell.
pub(super) fn plain(text: &str) -> String {
    cells::cut(&one_line(text)).into_owned()
}

/// A word as the files spell it.
pub(super) fn spelled(word: &impl serde::Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
