//! The lines that some CRMs put below the rows of a report: title, copyright, who made it.
//!
//! They are no rows, and yet polars and people see them as such. They are told from rows that lost their fields by where
//! they stand: behind the last row that holds more than one value or an id, from the first line on that begins as the
//! preset says, with at most a title above that, behind a blank line. What fits nothing of this stays a row.

use super::preset::Preset;
use crate::load::csv_check::RowFault;
use crate::model::Reason;
use polars::prelude::*;

/// The name of a file's first column, whatever field it gives.
pub(super) const START: &str = "start";

/// A line that may be one of a footer.
struct Candidate {
    line: u64,
    /// Its place in the frame; `None`: it is the last of the faults.
    row: Option<usize>,
    /// It begins as one of the preset's footer lines does.
    known: bool,
}

/// Takes the footer out of `frame` (with [`START`], the text of the first column; Parquet has no footer) and out of `faults`, both in the order of
/// lines, and gives the number of its lines. `after_blank`: the lines of rows that stand behind a blank one, ascending.
pub(super) fn take(
    frame: &mut DataFrame,
    faults: &mut Vec<RowFault>,
    after_blank: &[u32],
    preset: &Preset,
) -> PolarsResult<usize> {
    if preset.footer.is_empty() || frame.column(START).is_err() {
        return Ok(0);
    }
    let mut block = tail(frame, faults, preset)?;
    let Some(first) = block.iter().rposition(|candidate| candidate.known) else { return Ok(0) };
    let title = block
        .get(first + 1)
        .filter(|title| u32::try_from(title.line).is_ok_and(|line| after_blank.binary_search(&line).is_ok()));
    let lines = first + 1 + usize::from(title.is_some());
    block.truncate(lines);
    let from_faults = block.iter().filter(|candidate| candidate.row.is_none()).count();
    faults.truncate(faults.len() - from_faults);
    if from_faults < lines {
        *frame = frame.head(Some(frame.height() - (lines - from_faults)));
    }
    Ok(lines)
}

/// The lines at the end that could be a footer's, the last one first.
fn tail(frame: &DataFrame, faults: &[RowFault], preset: &Preset) -> PolarsResult<Vec<Candidate>> {
    let lines = frame.column("line")?.u32()?;
    let (mut rows, mut left) = (frame.height(), faults.len());
    let mut block = Vec::new();
    // From the end, row by row, only as far as the footer reaches.
    loop {
        let row = rows.checked_sub(1).map(|row| (row, lines.get(row).map_or(0, u64::from)));
        let fault = left.checked_sub(1).and_then(|place| faults.get(place));
        let candidate = match (row, fault) {
            (row, Some(fault)) if row.is_none_or(|(_, line)| line < fault.line) => {
                left -= 1;
                of_fault(fault, preset)
            }
            (Some((row, line)), _) => {
                rows -= 1;
                of_row(frame, row, line, preset)?
            }
            _ => return Ok(block),
        };
        match candidate {
            Some(candidate) => block.push(candidate),
            None => return Ok(block),
        }
    }
}

fn of_fault(fault: &RowFault, preset: &Preset) -> Option<Candidate> {
    let mut fields = fault.fields.iter().map(|field| field.trim()).filter(|field| !field.is_empty());
    let first = fields.next()?;
    let known = known(first, preset);
    // The copyright's own comma separates it where its line is not quoted.
    let fits = matches!(fault.reason, Reason::ShortRow | Reason::LongRow) && (known || fields.next().is_none());
    (fits && !preset.ids.is_form_of(first)).then_some(Candidate { line: fault.line, row: None, known })
}

/// A row as wide as the others that holds one value, in its first column: what a spreadsheet makes of a footer.
fn of_row(frame: &DataFrame, row: usize, line: u64, preset: &Preset) -> PolarsResult<Option<Candidate>> {
    let Some(start) = frame.column(START)?.str()?.get(row) else { return Ok(None) };
    for column in frame.columns() {
        if let Ok(text) = column.str()
            && text.get(row).is_some_and(|cell| cell != start)
        {
            return Ok(None);
        }
    }
    let known = known(start, preset);
    Ok((!preset.ids.is_form_of(start)).then_some(Candidate { line, row: Some(row), known }))
}

fn known(text: &str, preset: &Preset) -> bool {
    let text = text.trim_start_matches('"').trim_start().to_lowercase();
    preset.footer.iter().any(|start| text.starts_with(start))
}
