//! A product's `filter`: an SQL condition on source rows, read and checked without opening an export.
//!
//! In: the text, and the names of the sources. Out: [`Filter`]: terms of one source each, in words of this page alone, so
//! that no other room knows SQL's grammar; or every problem with its place. Never: a construct that is not on the list, a
//! value from an export.
//!
//! The logic is SQL's, of three values: a row is taken only where the whole is true, and what is compared with an absent
//! value is neither true nor false.

mod columns;
mod operand;
mod place;
#[cfg(test)]
mod tests;
mod translate;

pub(super) use translate::read;

use crate::model::Instant;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// Which source rows are a product's: all terms must hold, each for the rows of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The condition in one spelling: two filters with the same text are the same.
    pub text: String,
    /// The conditions that `AND` joins, in the order of the text.
    pub terms: Vec<Term>,
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Filter {
    /// The terms about one source.
    pub fn about(&self, source: FilterSource) -> impl Iterator<Item = &Condition> {
        self.terms.iter().filter(move |term| term.source == source).map(|term| &term.condition)
    }
}

/// A condition on the rows of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The source.
    pub source: FilterSource,
    /// What its rows must fulfil.
    pub condition: Condition,
}

/// A source that a filter can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilterSource {
    /// `stripe_customers`
    Customers,
    /// `stripe_subscriptions`
    Subscriptions,
    /// A CRM, by its place in the configuration.
    Crm(usize),
}

/// True, false, or neither (SQL's unknown).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
    /// The opposite; of unknown: unknown.
    Not(Box<Condition>),
    /// Whether the inner one is exactly this; never unknown.
    Is(Box<Condition>, bool),
    /// A test of values. One that names a column of a subscription's items holds where it does for any of them.
    Test(Test),
}

/// A test of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A comparison of two values of one kind.
    Compare(Operand, Comparison, Operand),
    /// `BETWEEN`: from the one to the other, both included.
    Between(Operand, Operand, Operand),
    /// `IN`: equal to one of the literals, all of the operand's kind.
    OneOf(Operand, Vec<Operand>),
    /// `LIKE`: the text as a whole fits the pattern, given as a regular expression.
    Matches(Operand, String),
    /// `IS NULL`
    Absent(Operand),
    /// `IS NOT DISTINCT FROM`: equal, or both absent.
    Same(Operand, Operand),
    /// A value that is itself true or false.
    Holds(Operand),
}

/// How two values are compared. What is not equal is written as the opposite of what is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A column of the term's source.
    Column(FilterColumn),
    /// A text.
    Text(String),
    /// A number.
    Number(Decimal),
    /// True or false.
    Boolean(bool),
    /// A point in time.
    Instant(Instant),
    /// `LOWER`
    Lower(Box<Operand>),
    /// `UPPER`
    Upper(Box<Operand>),
    /// `TRIM`: without blanks around it.
    Trim(Box<Operand>),
    /// `COALESCE`: the first that is there.
    First(Vec<Operand>),
    /// `CAST`: the text read as that kind; absent where it is none.
    Read(Box<Operand>, Kind),
    /// `CAST … AS DATE`: the beginning of the instant's day, in UTC.
    Day(Box<Operand>),
}

/// A column that a filter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterColumn {
    /// A column of the source's canonical table.
    Canonical(&'static str),
    /// A column of the subscriptions' items.
    OfItems(&'static str),
    /// A column of a CRM's file, by its heading.
    Heading(String),
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A point in time.
    Instant,
}

impl Condition {
    /// Shows every column that it names to `see`.
    pub fn columns<'c>(&'c self, see: &mut impl FnMut(&'c FilterColumn)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.columns(see)),
            Self::Not(inner) | Self::Is(inner, _) => inner.columns(see),
            Self::Test(test) => test.operands().into_iter().for_each(|operand| operand.columns(see)),
        }
    }
}

impl Test {
    /// The values that it looks at, but for the literals of a list.
    pub fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Compare(left, _, right) | Self::Same(left, right) => vec![left, right],
            Self::Between(operand, least, most) => vec![operand, least, most],
            Self::OneOf(operand, _) | Self::Matches(operand, _) | Self::Absent(operand) | Self::Holds(operand) => {
                vec![operand]
            }
        }
    }
}

impl Operand {
    /// Shows every column that it names to `see`.
    pub fn columns<'c>(&'c self, see: &mut impl FnMut(&'c FilterColumn)) {
        match self {
            Self::Column(column) => see(column),
            Self::Lower(inner) | Self::Upper(inner) | Self::Trim(inner) | Self::Read(inner, _) | Self::Day(inner) => {
                inner.columns(see);
            }
            Self::First(parts) => parts.iter().for_each(|part| part.columns(see)),
            Self::Text(_) | Self::Number(_) | Self::Boolean(_) | Self::Instant(_) => {}
        }
    }
}
