//! A file of rows and columns, CSV or Parquet, as named columns of text.

use crate::load::columns::{self, Epoch, normalise};
use crate::load::csv_check::Checked;
use crate::load::fault::{Faults, Origin, structural};
use crate::load::headings::find;
use crate::load::{LoadError, csv_read, parquet};
use crate::model::{Dialect, Rejection};
use polars::prelude::*;

/// A field, and the headings it goes by, lower-case, in order of preference.
pub(super) type FieldHeadings = (&'static str, &'static [&'static str]);

/// A file whose headings are known.
pub(super) enum Opened<'t> {
    Csv(Box<Checked<'t>>),
    Parquet { bytes: &'t [u8], headings: Vec<String> },
}

impl Opened<'_> {
    pub fn headings(&self) -> &[String] {
        match self {
            Self::Csv(checked) => &checked.headings,
            Self::Parquet { headings, .. } => headings,
        }
    }

    /// In words, for the shape of the file.
    pub fn format(&self) -> &'static str {
        match self {
            Self::Csv(_) => "CSV",
            Self::Parquet { .. } => "Parquet",
        }
    }

    /// The last row breaks off: the export was cut short.
    pub fn truncated(&self) -> bool {
        matches!(self, Self::Csv(checked) if checked.truncated)
    }

    /// The line of the headings.
    pub fn heading_line(&self) -> u64 {
        match self {
            Self::Csv(checked) => checked.heading_line,
            Self::Parquet { .. } => 0,
        }
    }
}

/// Where each field stands: the columns to read, and the file's own heading of a field for messages.
struct Layout {
    wanted: Vec<(&'static str, Option<usize>)>,
    headings: Vec<String>,
}

impl Layout {
    fn column(&self, field: &str) -> Option<usize> {
        self.wanted.iter().find(|(known, _)| *known == field).and_then(|(_, column)| *column)
    }
}

/// The file's wanted columns, with what its structural pass took out. It no longer needs the file's bytes.
pub(super) struct Sheet {
    layout: Layout,
    /// One column per field, `line` and `file`.
    pub frame: DataFrame,
    pub rejections: Vec<Rejection>,
    /// Rows of the file, those taken out included.
    pub rows: u64,
    pub separator: u8,
    /// How its text was written, where it is text.
    pub dialect: Option<Dialect>,
}

impl Sheet {
    /// Reads the columns of `fields`, and of `more`, fields with headings of their own (`None`: the file has no
    /// such field). `id` and `owner` are the fields that name the row and what it belongs to in rejections.
    pub fn read(
        opened: Opened<'_>,
        fields: &[FieldHeadings],
        more: &[(&'static str, Option<String>)],
        (id, owner): (&str, &str),
        origin: &Origin<'_>,
    ) -> Result<Self, LoadError> {
        let headings = opened.headings().to_vec();
        let named = fields.iter().map(|(field, names)| (*field, find(&headings, names)));
        let own = more.iter().map(|(field, heading)| (*field, find(&headings, heading.as_slice())));
        let layout = Layout { wanted: named.chain(own).collect(), headings };
        match opened {
            Opened::Csv(mut checked) => {
                let (rows, separator) = (checked.rows(), checked.separator);
                let rejections =
                    structural(&mut checked, origin, layout.column(id), layout.column(owner), prefix(owner));
                let frame = csv_read::read(&checked, &layout.wanted, origin.file, origin.index)?;
                let dialect = Some(checked.dialect);
                Ok(Self { layout, frame, rejections, rows, separator, dialect })
            }
            Opened::Parquet { bytes, .. } => {
                let of_row = (id, fields.iter().find(|(field, _)| *field == owner).map(|(field, _)| *field));
                let (frame, rejections) = parquet::read(bytes, &layout.headings, &layout.wanted, of_row, origin)?;
                let rows = (frame.height() + rejections.len()) as u64;
                Ok(Self { layout, frame, rejections, rows, separator: b',', dialect: None })
            }
        }
    }

    /// Whether the file has a column for `field`.
    pub fn has(&self, field: &str) -> bool {
        self.layout.column(field).is_some()
    }

    /// The file's own heading of `field`.
    pub fn heading(&self, field: &'static str) -> &str {
        self.layout.column(field).map_or(field, |column| self.layout.headings[column].as_str())
    }

    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// The column as text; an instant as it prints.
    pub fn text(&self, field: &str) -> PolarsResult<StringChunked> {
        let column = self.frame.column(field)?;
        match column.str() {
            Ok(text) => Ok(text.clone()),
            Err(_) => Ok(normalise(column.cast(&DataType::String)?.str()?)),
        }
    }

    /// Instants; whole numbers are seconds since 1970.
    pub fn instants(&self, field: &'static str, faults: &mut Faults) -> PolarsResult<Column> {
        let column = self.frame.column(field)?;
        match column.str() {
            Ok(text) => columns::instants(&without_zeros(text), self.heading(field), Epoch::Seconds, faults),
            Err(_) => Ok(column.clone()),
        }
    }

    pub fn booleans(&self, field: &'static str, faults: &mut Faults) -> PolarsResult<Column> {
        Ok(columns::booleans(&self.text(field)?, self.heading(field), faults))
    }

    /// Whole numbers, at least `least`; a spreadsheet's `3.0` is one.
    pub fn integers(&self, field: &'static str, least: i64, faults: &mut Faults) -> PolarsResult<Int64Chunked> {
        Ok(columns::integers(&without_zeros(&self.text(field)?), self.heading(field), least, faults))
    }

    /// Lower-cased text.
    pub fn lower(&self, field: &str) -> PolarsResult<StringChunked> {
        Ok(columns::lower(&self.text(field)?))
    }
}

/// How Stripe's ids of an owner begin.
fn prefix(owner: &str) -> &'static str {
    match owner {
        "subscription" => "sub_",
        "price" => "price_",
        _ => "cus_",
    }
}

/// What a spreadsheet or a data frame made of whole numbers in a column that also holds blanks is undone: `3.0` is 3.
fn without_zeros(text: &StringChunked) -> StringChunked {
    if text.iter().flatten().any(|value| whole(value).len() < value.len()) {
        columns::map(text, |value| Some(whole(value).into()))
    } else {
        text.clone()
    }
}

/// `3` for `3.0`, `3.00`; everything else as it is.
fn whole(value: &str) -> &str {
    match value.split_once('.') {
        Some((whole, zeros))
            if !zeros.is_empty()
                && zeros.bytes().all(|byte| byte == b'0')
                && whole.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            whole
        }
        _ => value,
    }
}
