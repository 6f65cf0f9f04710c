//! Values: columns, literals, and the few functions of them.

use super::columns::Sources;
use super::{FilterSource, Kind, Operand};
use crate::model::Instant;
use rust_decimal::Decimal;
use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned, UnaryOperator, Value,
};
use sqlparser::tokenizer::Location;
use unicode_normalization::UnicodeNormalization;

/// What is wrong, and where in the SQL.
pub(super) type Fault = (Location, String);

/// The values of one term, and the sources that they name.
#[derive(Debug)]
pub(super) struct Operands<'a> {
    pub sources: Sources<'a>,
    /// The sources named so far, with the place of each name.
    pub named: Vec<(FilterSource, Location)>,
}

/// Where an expression begins.
pub(super) fn begin(expr: &Expr) -> Location {
    expr.span().start
}

/// An expression for a person, cut where it is long.
pub(super) fn shown(expr: &impl std::fmt::Display) -> String {
    const SHOWN: usize = 60;
    let text = expr.to_string();
    if text.chars().nth(SHOWN).is_none() { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// What a kind is called.
pub(super) fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Instant => "a date or time",
    }
}

const FUNCTIONS: &str = "a value is a column, a literal, or LOWER, UPPER, TRIM, COALESCE or CAST of one";

impl Operands<'_> {
    /// A value and its kind.
    pub fn read(&mut self, expr: &Expr) -> Result<(Operand, Kind), Fault> {
        let wrong = |message: String| Err((begin(expr), message));
        match expr {
            Expr::Nested(inner) => self.read(inner),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [source, column] => self.column(source, column),
                _ => wrong(format!("`{}` has too many parts; write the source, a point and the column", shown(expr))),
            },
            Expr::Identifier(name) => {
                let written = self.sources.qualified(&name.value);
                wrong(format!("`{}` lacks its source; write {written} (a text stands in single quotes)", name.value))
            }
            Expr::Value(value) => literal(&value.value).map_err(|message| (begin(expr), message)),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => match self.read(inner)? {
                (Operand::Number(number), kind) => Ok((Operand::Number(-number), kind)),
                _ => wrong("only a number can be negative".to_owned()),
            },
            Expr::TypedString(typed) if is_instant(&typed.data_type) => match &typed.value.value {
                Value::SingleQuotedString(text) => {
                    Ok((instant(text).map_err(|why| (begin(expr), why))?, Kind::Instant))
                }
                _ => wrong("write the date in single quotes: DATE '2026-01-01'".to_owned()),
            },
            Expr::Trim { trim_where: None, trim_what: None, expr: inner, trim_characters: None } => {
                Ok((Operand::Trim(Box::new(self.text(inner, "TRIM")?)), Kind::Text))
            }
            Expr::Function(function) => self.function(function, begin(expr)),
            Expr::Cast { expr: inner, data_type, format: None, array: false, .. } => {
                let Some(kind) = cast_kind(data_type) else {
                    let advice = "CAST makes DECIMAL, INTEGER, DATE or TIMESTAMP of a text";
                    return wrong(format!("`{data_type}` is no type of a filter; {advice}"));
                };
                let operand = match self.read(inner)? {
                    (operand, Kind::Text) => Operand::Read(Box::new(operand), kind),
                    (operand, found) if found == kind => operand,
                    (_, found) => {
                        return wrong(format!("CAST reads a text, and `{}` is {}", shown(&**inner), called(found)));
                    }
                };
                let is_day = matches!(data_type, DataType::Date);
                Ok((if is_day { Operand::Day(Box::new(operand)) } else { operand }, kind))
            }
            _ => wrong(format!("`{}` is nothing that a filter can compare; {FUNCTIONS}", shown(expr))),
        }
    }

    fn column(&mut self, source: &Ident, column: &Ident) -> Result<(Operand, Kind), Fault> {
        let found = self.sources.source(&source.value).map_err(|why| (source.span.start, why))?;
        self.named.push((found, source.span.start));
        let (column, kind) = self
            .sources
            .column(found, &column.value, column.quote_style.is_some())
            .map_err(|why| (column.span.start, why))?;
        Ok((Operand::Column(column), kind))
    }

    /// A value that must be a text, for `what`.
    fn text(&mut self, expr: &Expr, what: &str) -> Result<Operand, Fault> {
        match self.read(expr)? {
            (operand, Kind::Text) => Ok(operand),
            (_, kind) => Err((begin(expr), format!("{what} takes a text, and `{}` is {}", shown(expr), called(kind)))),
        }
    }

    fn function(&mut self, function: &Function, at: Location) -> Result<(Operand, Kind), Fault> {
        let name = function.name.to_string().to_uppercase();
        let unknown = || (at, format!("`{name}` is no function of a filter; {FUNCTIONS}"));
        let FunctionArguments::List(list) = &function.args else { return Err(unknown()) };
        let plain = function.over.is_none()
            && function.filter.is_none()
            && function.within_group.is_empty()
            && list.duplicate_treatment.is_none()
            && list.clauses.is_empty();
        let arguments: Option<Vec<&Expr>> = list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect();
        let Some(arguments) = arguments.filter(|_| plain) else { return Err(unknown()) };
        match (name.as_str(), arguments.as_slice()) {
            ("LOWER", [one]) => Ok((Operand::Lower(Box::new(self.text(one, "LOWER")?)), Kind::Text)),
            ("UPPER", [one]) => Ok((Operand::Upper(Box::new(self.text(one, "UPPER")?)), Kind::Text)),
            ("TRIM", [one]) => Ok((Operand::Trim(Box::new(self.text(one, "TRIM")?)), Kind::Text)),
            ("COALESCE", [first, rest @ ..]) => {
                let (first, kind) = self.read(first)?;
                let mut parts = vec![first];
                for expr in rest {
                    let (part, found) = self.read(expr)?;
                    let part = alike((part, found), kind, expr)?;
                    parts.push(part);
                }
                Ok((Operand::First(parts), kind))
            }
            ("LOWER" | "UPPER" | "TRIM", _) => Err((at, format!("{name} takes one value"))),
            _ => Err(unknown()),
        }
    }

    /// Two values that can be compared.
    pub fn pair(&mut self, left: &Expr, right: &Expr) -> Result<(Operand, Operand, Kind), Fault> {
        let (one, other) = (self.read(left)?, self.read(right)?);
        let is_literal = |operand: &Operand| matches!(operand, Operand::Text(_));
        // A date may be written as a text: it is read as the other side is.
        if is_literal(&one.0) && !is_literal(&other.0) {
            let kind = other.1;
            return Ok((alike(one, kind, left)?, other.0, kind));
        }
        let kind = one.1;
        Ok((one.0, alike(other, kind, right)?, kind))
    }
}

/// The value where `kind` is wanted: a text that is a literal may be a date; all else must be of that kind.
pub(super) fn alike((operand, found): (Operand, Kind), kind: Kind, expr: &Expr) -> Result<Operand, Fault> {
    let at = begin(expr);
    if found == kind {
        return Ok(operand);
    }
    let differ = |advice: &str| {
        Err((
            at,
            format!("`{}` is {}, what it is compared with is {}{advice}", shown(expr), called(found), called(kind)),
        ))
    };
    match (&operand, found, kind) {
        (Operand::Text(text), Kind::Text, Kind::Instant) => instant(text).map_err(|why| (at, why)),
        (Operand::Text(_), Kind::Text, Kind::Number) => differ("; write the number without quotes"),
        (Operand::Text(_), Kind::Text, Kind::Boolean) => differ("; write true or false without quotes"),
        (_, Kind::Number, Kind::Text) => {
            differ("; write CAST(column AS DECIMAL) on the other side, or the number in single quotes")
        }
        (_, Kind::Text, Kind::Number) => differ("; write CAST(… AS DECIMAL) around it"),
        (_, Kind::Text, Kind::Instant) => differ("; write CAST(… AS TIMESTAMP) around it"),
        _ => differ(""),
    }
}

fn literal(value: &Value) -> Result<(Operand, Kind), String> {
    match value {
        // As the sources' texts are.
        Value::SingleQuotedString(text) => Ok((Operand::Text(text.nfc().collect()), Kind::Text)),
        Value::Number(number, _) => {
            let read = number.parse::<Decimal>().or_else(|_| Decimal::from_scientific(number));
            let fits = |number: &Decimal| number.scale() <= DIGITS && number.abs() < Decimal::from(MOST);
            match read.map(|number| number.normalize()) {
                Ok(number) if fits(&number) => Ok((Operand::Number(number), Kind::Number)),
                _ => Err(format!("`{number}` is no number with up to 18 digits before and {DIGITS} behind the point")),
            }
        }
        Value::Boolean(yes) => Ok((Operand::Boolean(*yes), Kind::Boolean)),
        Value::Null => Err("nothing equals NULL; write IS NULL or IS NOT NULL".to_owned()),
        other => Err(format!("`{}` is no literal of a filter; a text stands in single quotes", shown(other))),
    }
}

/// Digits behind the point of a number.
pub(super) const DIGITS: u32 = 10;
/// The first number that is too large.
const MOST: i64 = 1_000_000_000_000_000_000;

fn instant(text: &str) -> Result<Operand, String> {
    Instant::parse(text).map(Operand::Instant).map_err(|error| error.to_string())
}

fn is_instant(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date | DataType::Timestamp(..) | DataType::Datetime(_))
}

fn cast_kind(data_type: &DataType) -> Option<Kind> {
    match data_type {
        DataType::Decimal(_)
        | DataType::Numeric(_)
        | DataType::Int(_)
        | DataType::Integer(_)
        | DataType::BigInt(_)
        | DataType::Float(_)
        | DataType::Double(_)
        | DataType::DoublePrecision
        | DataType::Real => Some(Kind::Number),
        other => is_instant(other).then_some(Kind::Instant),
    }
}
