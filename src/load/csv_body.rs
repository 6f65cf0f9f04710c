//! The clean rows of CSV text: the file's own bytes wherever they can stay.

use std::borrow::Cow;
use std::ops::Range;

/// A stretch of clean rows: of the file's bytes, or one row written anew.
enum Piece {
    Run(Range<usize>),
    Rewritten(Vec<u8>),
}

/// The stretches found so far, in the text's order.
#[derive(Default)]
pub(super) struct Body(Vec<Piece>);

impl Body {
    /// A row stays as it is.
    pub fn keep(&mut self, row: Range<usize>) {
        match self.0.last_mut() {
            Some(Piece::Run(run)) if run.end == row.start => run.end = row.end,
            _ => self.0.push(Piece::Run(row)),
        }
    }

    /// A row is written anew.
    pub fn rewrite(&mut self, fields: &[String], separator: u8) {
        self.0.push(Piece::Rewritten(write_row(fields, separator)));
    }

    /// The rows of `bytes`, each with a line end: a copy only where there is something between them.
    pub fn of(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self.0.as_slice() {
            [] => Cow::Borrowed(&[]),
            [Piece::Run(run)] => Cow::Borrowed(&bytes[run.clone()]),
            pieces => {
                let mut body = Vec::with_capacity(bytes.len());
                for piece in pieces {
                    body.extend_from_slice(match piece {
                        Piece::Run(run) => &bytes[run.clone()],
                        Piece::Rewritten(row) => row,
                    });
                    if body.last() != Some(&b'\n') {
                        body.push(b'\n');
                    }
                }
                Cow::Owned(body)
            }
        }
    }
}

/// One row in a form that every reader reads alike: every field quoted.
pub(super) fn write_row<F: AsRef<[u8]>>(fields: &[F], separator: u8) -> Vec<u8> {
    let mut row = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            row.push(separator);
        }
        row.push(b'"');
        for &byte in field.as_ref() {
            if byte == b'"' {
                row.push(b'"');
            }
            row.push(byte);
        }
        row.push(b'"');
    }
    row.push(b'\n');
    row
}
