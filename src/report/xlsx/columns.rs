//! The tables of the workbook and their columns.

use crate::model::Outcome;

/// What a cell of a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, ids and words.
    Text,
    /// An amount in the account's currency.
    Money,
    /// A whole number.
    Count,
    /// A date and time, UTC.
    Instant,
    /// Yes or no.
    YesNo,
    /// A number as its writer wrote it.
    Number,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 6] = [Self::Text, Self::Money, Self::Count, Self::Instant, Self::YesNo, Self::Number];
}

/// One column: its heading, width in characters and kind.
pub(super) type Column = (&'static str, u8, Kind);

/// What stands on one sheet, or on several where one is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// The customers of one outcome.
    Customers(Outcome),
    /// Records of one side without the other.
    Unmatched,
    /// One row per changed field.
    Changes,
    /// One row per input row.
    Accounting,
    /// The differences.
    Breaks,
    /// What the run itself held against each other.
    ControlTotals,
    /// The files that were read.
    Inputs,
}

/// Every table in the order of the sheets.
pub(super) const TABLES: [Table; 18] = [
    Table::Customers(Outcome::Created),
    Table::Customers(Outcome::Updated),
    Table::Customers(Outcome::CreationDisabled),
    Table::Customers(Outcome::Applied),
    Table::Customers(Outcome::Rejected),
    Table::Customers(Outcome::Conflict),
    Table::Customers(Outcome::Invalid),
    Table::Customers(Outcome::Failed),
    Table::Customers(Outcome::Unknown),
    Table::Customers(Outcome::NotAttempted),
    Table::Customers(Outcome::Orphan),
    Table::Customers(Outcome::Unchanged),
    Table::Unmatched,
    Table::Changes,
    Table::Accounting,
    Table::Breaks,
    Table::ControlTotals,
    Table::Inputs,
];

/// The outcomes in the order of the sheets.
pub(super) fn outcomes() -> impl Iterator<Item = Outcome> {
    TABLES.into_iter().filter_map(|table| match table {
        Table::Customers(outcome) => Some(outcome),
        _ => None,
    })
}

/// The columns of `customers.csv` without `outcome`, what a reviewer reads first, and `movement`.
const CUSTOMERS: [Column; 28] = [
    ("product", 12, Kind::Text),
    ("external_id", 16, Kind::Text),
    ("email", 36, Kind::Text),
    ("name", 24, Kind::Text),
    ("company_name", 24, Kind::Text),
    ("mrr_before", 14, Kind::Money),
    ("mrr_desired", 14, Kind::Money),
    ("mrr_after", 14, Kind::Money),
    ("mrr_delta", 14, Kind::Money),
    ("movement", 13, Kind::Text),
    ("reason", 22, Kind::Text),
    ("detail", 48, Kind::Text),
    ("subscription_status", 19, Kind::Text),
    ("auto_renew", 12, Kind::YesNo),
    ("period_end", 19, Kind::Instant),
    ("last_activity", 19, Kind::Instant),
    ("predicted", 17, Kind::Text),
    ("changed_fields", 30, Kind::Text),
    ("link_rule", 18, Kind::Text),
    ("match_rule", 15, Kind::Text),
    ("stripe_customer_ids", 22, Kind::Text),
    ("tether_id", 18, Kind::Text),
    ("http_status", 12, Kind::Count),
    ("attempts", 10, Kind::Count),
    ("sent", 8, Kind::YesNo),
    ("health_score", 13, Kind::Number),
    ("held_back", 18, Kind::Text),
    ("key", 22, Kind::Text),
];

const UNMATCHED: [Column; 11] = [
    ("what", 30, Kind::Text),
    ("source", 20, Kind::Text),
    ("product", 12, Kind::Text),
    ("id", 24, Kind::Text),
    ("email", 36, Kind::Text),
    ("name", 24, Kind::Text),
    ("mrr_desired", 14, Kind::Money),
    ("reason", 28, Kind::Text),
    ("key", 22, Kind::Text),
    ("file", 34, Kind::Text),
    ("line", 10, Kind::Count),
];

const CHANGES: [Column; 9] = [
    ("product", 12, Kind::Text),
    ("key", 22, Kind::Text),
    ("external_id", 16, Kind::Text),
    ("email", 36, Kind::Text),
    ("field", 20, Kind::Text),
    ("before", 26, Kind::Text),
    ("after", 26, Kind::Text),
    ("source", 14, Kind::Text),
    ("outcome", 18, Kind::Text),
];

const ACCOUNTING: [Column; 7] = [
    ("source", 22, Kind::Text),
    ("file", 38, Kind::Text),
    ("line", 10, Kind::Count),
    ("id", 26, Kind::Text),
    ("disposition", 18, Kind::Text),
    ("reason", 28, Kind::Text),
    ("customer", 26, Kind::Text),
];

const BREAKS: [Column; 9] = [
    ("kind", 26, Kind::Text),
    ("source_or_product", 20, Kind::Text),
    ("key", 24, Kind::Text),
    ("field", 18, Kind::Text),
    ("before", 24, Kind::Text),
    ("after", 24, Kind::Text),
    ("detail", 70, Kind::Text),
    ("file", 34, Kind::Text),
    ("line", 10, Kind::Count),
];

const CONTROL_TOTALS: [Column; 6] = [
    ("scope", 24, Kind::Text),
    ("name", 56, Kind::Text),
    ("expected", 22, Kind::Number),
    ("found", 22, Kind::Number),
    ("difference", 16, Kind::Number),
    ("ties", 8, Kind::YesNo),
];

const INPUTS: [Column; 7] = [
    ("source", 22, Kind::Text),
    ("file", 40, Kind::Text),
    ("rows", 12, Kind::Count),
    ("bytes", 14, Kind::Count),
    ("sha256", 66, Kind::Text),
    ("shape", 40, Kind::Text),
    ("read_as", 48, Kind::Text),
];

impl Table {
    /// The name of its first sheet.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Customers(Outcome::Orphan) => "orphans",
            Self::Customers(outcome) => outcome.as_str(),
            Self::Unmatched => "unmatched",
            Self::Changes => "changes",
            Self::Accounting => "accounting",
            Self::Breaks => "breaks",
            Self::ControlTotals => "control_totals",
            Self::Inputs => "inputs",
        }
    }

    /// Its columns.
    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Customers(_) => &CUSTOMERS,
            Self::Unmatched => &UNMATCHED,
            Self::Changes => &CHANGES,
            Self::Accounting => &ACCOUNTING,
            Self::Breaks => &BREAKS,
            Self::ControlTotals => &CONTROL_TOTALS,
            Self::Inputs => &INPUTS,
        }
    }

    /// How many of its columns stay in sight when the sheet is moved sideways.
    pub(super) const fn frozen(self) -> u16 {
        match self {
            Self::Customers(_) | Self::Changes => 4,
            _ => 0,
        }
    }

    /// How many of its columns are printed: what a reviewer reads, on the width of a page.
    pub(super) fn printed(self) -> usize {
        match self {
            Self::Customers(_) => 12,
            other => other.columns().len(),
        }
    }

    /// The letters of a column; of a name that is none, those of the first.
    pub(super) fn letters(self, column: &str) -> String {
        letters(self.columns().iter().position(|(name, ..)| *name == column).unwrap_or_default())
    }
}

/// The letters of the column at `index`, from 0: `A`, `Z`, `AA`.
pub(super) fn letters(index: usize) -> String {
    let last = char::from(b'A' + u8::try_from(index % 26).unwrap_or_default());
    if index < 26 { last.to_string() } else { format!("{}{last}", letters(index / 26 - 1)) }
}

#[cfg(test)]
mod tests {
    use super::{TABLES, Table, letters, outcomes};
    use crate::model::Outcome;
    use crate::model::format_page::words_under;
    use crate::report::customers::COLUMNS;

    #[test]
    fn every_outcome_has_a_sheet_and_every_column_of_customers_csv_stands_on_it() {
        assert_eq!(outcomes().count(), Outcome::ALL.len());
        let mut ours: Vec<_> = TABLES[0].columns().iter().map(|(name, ..)| *name).collect();
        let mut theirs: Vec<_> = COLUMNS.into_iter().filter(|name| *name != "outcome").chain(["movement"]).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn the_page_of_formats_describes_every_sheet_in_order() {
        let sheets: Vec<_> = std::iter::once("summary").chain(TABLES.iter().map(|table| table.name())).collect();
        assert_eq!(words_under("`report.xlsx`"), sheets);
        assert!(sheets.iter().all(|name| name.len() < 26), "there is room for ` (99)` in the 31 characters of a name");
    }

    #[test]
    fn columns_are_lettered_as_spreadsheets_letter_them() {
        assert_eq!([0, 25, 26, 27, 701, 702].map(letters), ["A", "Z", "AA", "AB", "ZZ", "AAA"]);
        assert_eq!(Table::Changes.letters("field"), "E");
    }
}
