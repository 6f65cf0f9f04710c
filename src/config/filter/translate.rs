//! From SQL's grammar to conditions, by a list of what is allowed.

use super::columns::Sources;
use super::operand::{Fault, Operands, alike, begin, called, shown};
use super::place::Places;
use super::{Comparison, Condition, Filter, Kind, Operand, Term, Test};
use crate::config::document::{Value, kind};
use crate::config::problem::Problems;
use crate::config::settings::CrmSettings;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, ValueWithSpan};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token};
use toml::de::DeValue;

/// The longest filter, in bytes: a list of ids, not a table of them.
const LONGEST: usize = 100_000;
/// How deep brackets may stand in one another.
const DEEPEST: usize = 64;

/// Reads the `filter` at `key`; `None` after problems, which are then noted: all that it has, but behind what is no SQL.
pub(in crate::config) fn read(
    value: &Value<'_>,
    key: &str,
    crms: &[CrmSettings],
    problems: &mut Problems<'_>,
) -> Option<Filter> {
    let (span, example) = (value.span(), "write a condition like \"stripe_subscriptions.product = 'prod_core'\"");
    let text = match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => Err("is empty".to_owned()),
        DeValue::String(text) if text.len() > LONGEST => Err(format!("is longer than {LONGEST} bytes")),
        DeValue::String(text) => Ok(text),
        other => Err(format!("found {}", kind(other))),
    };
    let text = match text {
        Ok(text) => text,
        Err(why) => {
            problems.at(span.start, key, format!("{why}; {example}"));
            return None;
        }
    };
    let places = Places::of(problems.text(), span);
    match parse(text, Sources(crms)) {
        Ok(filter) => Some(filter),
        Err(faults) => {
            for (at, message) in faults {
                problems.at(places.offset(at), key, message);
            }
            None
        }
    }
}

/// Reads a condition; all its problems with their places in the text.
pub(super) fn parse(text: &str, sources: Sources<'_>) -> Result<Filter, Vec<Fault>> {
    let expr = grammar(text).map_err(|fault| vec![fault])?;
    let mut faults = vec![];
    let mut terms = vec![];
    for part in chain(&expr, &BinaryOperator::And) {
        let mut reader = Reader { operands: Operands { sources, named: vec![] }, faults: &mut faults };
        let condition = reader.condition(part, 0);
        let named = std::mem::take(&mut reader.operands.named);
        let Some((source, at)) = named.first().copied() else {
            // Without a condition there was a problem, which says more.
            if condition.is_some() {
                let why = format!("`{}` names no column; each term says something of a source's rows", shown(part));
                faults.push((begin(part), why));
            }
            continue;
        };
        if let Some((other, there)) = named.iter().find(|(other, _)| *other != source) {
            let (one, two) = (sources.name(source), sources.name(*other));
            let why = format!(
                "this term speaks of {one} and of {two}; a term speaks of one source: join terms with AND, and where \
                 either may hold, write two [[product]]s or choose one source"
            );
            faults.push((at.max(*there), why));
            continue;
        }
        terms.extend(condition.map(|condition| Term { source, condition }));
    }
    if faults.is_empty() { Ok(Filter { text: expr.to_string(), terms }) } else { Err(faults) }
}

fn grammar(text: &str) -> Result<Expr, Fault> {
    let dialect = GenericDialect {};
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(DEEPEST).try_with_sql(text).map_err(|error| no_sql(&error))?;
    let expr = parser.parse_expr().map_err(|error| no_sql(&error))?;
    let next = parser.peek_token();
    match next.token {
        Token::EOF => Ok(expr),
        found => {
            Err((next.span.start, format!("`{found}` does not go on with the condition; join terms with AND or OR")))
        }
    }
}

/// What the parser says, with the place that stands at the end of its words.
fn no_sql(error: &ParserError) -> Fault {
    let said = match error {
        ParserError::TokenizerError(said) | ParserError::ParserError(said) => said.as_str(),
        ParserError::RecursionLimitExceeded => "brackets stand too deep in one another",
    };
    let nowhere = Location { line: 0, column: 0 };
    let (words, at) = match said.rsplit_once(" at Line: ") {
        Some((words, place)) => {
            let mut numbers = place.split(", Column: ").map(|number| number.trim().parse().unwrap_or(0));
            (words, Location { line: numbers.next().unwrap_or(0), column: numbers.next().unwrap_or(0) })
        }
        // The end has no place of its own.
        None if said.ends_with("found: EOF") => (said, Location { line: u64::MAX, column: u64::MAX }),
        None => (said, nowhere),
    };
    (at, format!("is no SQL condition: {words}"))
}

/// The parts of a chain of ANDs or of ORs, however it is bracketed; without recursion along the chain.
fn chain<'e>(expr: &'e Expr, joint: &BinaryOperator) -> Vec<&'e Expr> {
    let (mut waiting, mut parts) = (vec![expr], vec![]);
    while let Some(expr) = waiting.pop() {
        match expr {
            Expr::BinaryOp { left, op, right } if op == joint => waiting.extend([&**right, &**left]),
            Expr::Nested(inner) if is_joined(inner, joint) => waiting.push(inner),
            part => parts.push(part),
        }
    }
    parts
}

fn is_joined(expr: &Expr, joint: &BinaryOperator) -> bool {
    match expr {
        Expr::BinaryOp { op, .. } => op == joint,
        Expr::Nested(inner) => is_joined(inner, joint),
        _ => false,
    }
}

/// Reads one term, noting every fault.
struct Reader<'a, 'f> {
    operands: Operands<'a>,
    faults: &'f mut Vec<Fault>,
}

impl Reader<'_, '_> {
    /// The condition; `None` after a fault.
    fn condition(&mut self, expr: &Expr, depth: usize) -> Option<Condition> {
        if depth > DEEPEST {
            return self.fault(begin(expr), "brackets stand too deep in one another");
        }
        let deeper = depth + 1;
        match expr {
            Expr::Nested(inner) => self.condition(inner, deeper),
            Expr::BinaryOp { op: joint @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                // Every part is read, so that every fault is found.
                let parts: Vec<_> = chain(expr, joint).into_iter().map(|part| self.condition(part, deeper)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                Some(if *joint == BinaryOperator::And { Condition::All(parts) } else { Condition::Any(parts) })
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => Some(not(self.condition(inner, deeper)?)),
            Expr::IsTrue(inner) => self.is(inner, true, false, deeper),
            Expr::IsNotTrue(inner) => self.is(inner, true, true, deeper),
            Expr::IsFalse(inner) => self.is(inner, false, false, deeper),
            Expr::IsNotFalse(inner) => self.is(inner, false, true, deeper),
            _ => match self.test(expr) {
                Ok(condition) => Some(condition),
                Err((at, message)) => self.fault(at, message),
            },
        }
    }

    fn is(&mut self, inner: &Expr, value: bool, negated: bool, depth: usize) -> Option<Condition> {
        let condition = Condition::Is(Box::new(self.condition(inner, depth)?), value);
        Some(if negated { not(condition) } else { condition })
    }

    fn fault(&mut self, at: Location, message: impl Into<String>) -> Option<Condition> {
        self.faults.push((at, message.into()));
        None
    }

    fn test(&mut self, expr: &Expr) -> Result<Condition, Fault> {
        let operands = &mut self.operands;
        match expr {
            Expr::BinaryOp { left, op, right } => {
                let (comparison, negated) = comparison(op).ok_or_else(|| {
                    let why =
                        format!("`{op}` is no comparison of a filter; write =, <>, <, <=, >, >=, IN, BETWEEN or LIKE");
                    (begin(expr), why)
                })?;
                let (one, other, kind) = operands.pair(left, right)?;
                if kind == Kind::Boolean && comparison != Comparison::Equal {
                    return Err((begin(expr), format!("`{}`: true and false have no order", shown(expr))));
                }
                Ok(negate(negated, Test::Compare(one, comparison, other)))
            }
            Expr::InList { expr: value, list, negated } => {
                let (operand, kind) = operands.read(value)?;
                let mut literals = Vec::with_capacity(list.len());
                for item in list {
                    let found = operands.read(item)?;
                    if has_column(&found.0) {
                        return Err((
                            begin(item),
                            format!("`{}` is a column; IN takes a list of literals", shown(item)),
                        ));
                    }
                    literals.push(alike(found, kind, item)?);
                }
                if literals.is_empty() {
                    return Err((begin(expr), "the list is empty".to_owned()));
                }
                Ok(negate(*negated, Test::OneOf(operand, literals)))
            }
            Expr::Between { expr: value, negated, low, high } => {
                let (operand, least, kind) = operands.pair(value, low)?;
                let (_, most, _) = operands.pair(value, high)?;
                if kind == Kind::Boolean {
                    return Err((begin(expr), format!("`{}`: true and false have no order", shown(expr))));
                }
                // One item must lie between both ends, so that this is one test.
                let both = Test::Between(operand, least, most);
                Ok(negate(*negated, both))
            }
            Expr::Like { negated, any: false, expr: value, pattern, escape_char } => {
                like(operands, value, pattern, escape_char.as_ref(), "").map(|test| negate(*negated, test))
            }
            Expr::ILike { negated, any: false, expr: value, pattern, escape_char } => {
                like(operands, value, pattern, escape_char.as_ref(), "i").map(|test| negate(*negated, test))
            }
            Expr::IsNull(value) => Ok(Condition::Test(Test::Absent(operands.read(value)?.0))),
            Expr::IsNotNull(value) => Ok(negate(true, Test::Absent(operands.read(value)?.0))),
            Expr::IsNotDistinctFrom(_, right) | Expr::IsDistinctFrom(_, right)
                if matches!(&**right, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. }) =>
            {
                // The parser takes all that follows for the right side.
                Err((begin(expr), "put brackets around the whole of this IS [NOT] DISTINCT FROM".to_owned()))
            }
            Expr::IsNotDistinctFrom(left, right) => {
                let (one, other, _) = operands.pair(left, right)?;
                Ok(Condition::Test(Test::Same(one, other)))
            }
            Expr::IsDistinctFrom(left, right) => {
                let (one, other, _) = operands.pair(left, right)?;
                Ok(negate(true, Test::Same(one, other)))
            }
            _ => match operands.read(expr)? {
                (operand, Kind::Boolean) => Ok(Condition::Test(Test::Holds(operand))),
                (_, kind) => Err((begin(expr), format!("`{}` is {}, not a condition", shown(expr), called(kind)))),
            },
        }
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn negate(negated: bool, test: Test) -> Condition {
    let condition = Condition::Test(test);
    if negated { not(condition) } else { condition }
}

fn has_column(operand: &Operand) -> bool {
    let mut any = false;
    operand.columns(&mut |_| any = true);
    any
}

/// A comparison, and whether it is the opposite of it.
fn comparison(op: &BinaryOperator) -> Option<(Comparison, bool)> {
    Some(match op {
        BinaryOperator::Eq => (Comparison::Equal, false),
        BinaryOperator::NotEq => (Comparison::Equal, true),
        BinaryOperator::Lt => (Comparison::Less, false),
        BinaryOperator::LtEq => (Comparison::LessOrEqual, false),
        BinaryOperator::Gt => (Comparison::Greater, false),
        BinaryOperator::GtEq => (Comparison::GreaterOrEqual, false),
        _ => return None,
    })
}

/// `LIKE`: `%` is any text, `_` any one character.
fn like(
    operands: &mut Operands<'_>,
    value: &Expr,
    pattern: &Expr,
    escape: Option<&ValueWithSpan>,
    flags: &str,
) -> Result<Test, Fault> {
    let operand = match operands.read(value)? {
        (operand, Kind::Text) => operand,
        (_, kind) => {
            return Err((begin(value), format!("LIKE looks at a text, and `{}` is {}", shown(value), called(kind))));
        }
    };
    let (Operand::Text(pattern_text), _) = operands.read(pattern)? else {
        return Err((begin(pattern), "the pattern of LIKE is a text in single quotes".to_owned()));
    };
    let escape = match escape.map(|escape| escape.value.clone().into_string().unwrap_or_default()) {
        None => None,
        Some(text) if text.chars().count() == 1 => text.chars().next(),
        Some(_) => return Err((begin(pattern), "ESCAPE takes one character in single quotes".to_owned())),
    };
    let mut regex = format!("(?s{flags})\\A");
    let mut characters = pattern_text.chars();
    while let Some(c) = characters.next() {
        match c {
            c if Some(c) == escape => match characters.next() {
                Some(next) => literally(next, &mut regex),
                None => return Err((begin(pattern), "the pattern ends with its ESCAPE character".to_owned())),
            },
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            c => literally(c, &mut regex),
        }
    }
    regex.push_str("\\z");
    Ok(Test::Matches(operand, regex))
}

fn literally(c: char, regex: &mut String) {
    // An escaped angle bracket is the edge of a word.
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        regex.push('\\');
    }
    regex.push(c);
}
