//! `runs list`, `runs prune`: what is kept, and what may go.
//!
//! In: the runs' folders of the state. Out: a table of them, or what was removed. Never: exports, network, keys, the baseline; a
//! change to what stays.

mod list;
mod listed;
mod prune;
#[cfg(test)]
mod tests;

pub use list::list;
pub use prune::{Keep, prune};

use crate::model::Instant;

/// The format of `runs list --json` and `runs prune --json` that this version writes.
const FORMAT: u32 = 1;

/// A cell of a table: the value, or a dash.
fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `rows` under `headings`, two blanks between columns; those in `right` end where their heading ends.
fn table<const N: usize>(headings: [&str; N], right: &[usize], rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default().max(headings[column].len())
    });
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = (0..N)
            .map(|column| {
                let (cell, width) = (cells[column], widths[column]);
                if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let mut out = line(headings);
    out.extend(rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str()))));
    out
}

/// `count` runs and plans.
fn counted(count: usize) -> String {
    if count == 1 { "1 run or plan".to_owned() } else { format!("{count} runs and plans") }
}

/// The instant `days` before `now`; `None` where that is before all time.
fn days_before(now: Instant, days: u32) -> Option<Instant> {
    Instant::from_epoch_seconds(now.epoch_seconds() - i64::from(days) * 86_400)
}
