//! Values as queries.

use crate::config::{FilterColumn, Kind, Operand};
use crate::model::Instant;
use crate::table::INSTANT;
use polars::prelude::*;
use rust_decimal::Decimal;

/// Numbers are compared as counts of this part of one, exactly.
const SCALE: u32 = 10;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// The value of every row. `headings`: what the list in the column `named` goes by.
pub(super) fn value(operand: &Operand, headings: &[String]) -> Expr {
    let of = |operand| value(operand, headings);
    match operand {
        Operand::Column(FilterColumn::Canonical(name) | FilterColumn::OfItems(name)) => col(*name),
        Operand::Column(FilterColumn::Heading(heading)) => {
            let place = headings.iter().position(|known| known == heading);
            let place = place.and_then(|place| i64::try_from(place).ok());
            match place {
                Some(place) => col("named").list().get(lit(place), true),
                None => lit(NULL).cast(DataType::String),
            }
        }
        Operand::Text(text) => lit(text.as_str()),
        Operand::Number(number) => match scaled(*number) {
            Some(number) => lit(Scalar::from(number)),
            None => lit(NULL).cast(DataType::Int128),
        },
        Operand::Boolean(yes) => lit(*yes),
        Operand::Instant(instant) => lit(instant.epoch_millis()).cast(INSTANT),
        Operand::Lower(inner) => of(inner).str().to_lowercase(),
        Operand::Upper(inner) => of(inner).str().to_uppercase(),
        Operand::Trim(inner) => of(inner).str().strip_chars(lit(NULL)),
        Operand::First(parts) => coalesce(&parts.iter().map(of).collect::<Vec<_>>()),
        Operand::Read(inner, Kind::Number) => read(of(inner), DataType::Int128, numbers),
        Operand::Read(inner, Kind::Instant) => read(of(inner), INSTANT, instants),
        Operand::Day(inner) => {
            let day = || lit(MILLIS_PER_DAY);
            let millis = of(inner).cast(DataType::Int64);
            // Days before 1970 begin before their instants too.
            let since = ((millis.clone() % day()) + day()) % day();
            (millis - since).cast(INSTANT)
        }
        Operand::Read(inner, Kind::Text | Kind::Boolean) => of(inner),
    }
}

/// The values of a list of texts.
pub(super) fn values(list: &[Operand]) -> Option<Series> {
    let texts: Option<Vec<&str>> = list
        .iter()
        .map(|one| match one {
            Operand::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.map(|texts| Series::new("list".into(), texts))
}

fn read(text: Expr, into: DataType, by: fn(&StringChunked) -> Column) -> Expr {
    let kind = into.clone();
    text.map(
        move |column| by(column.str()?).cast(&into),
        move |_, field| Ok(Field::new(field.name().clone(), kind.clone())),
    )
}

// Value by value, since no query reads a decimal without a float, or an instant as the rest of the program does.
fn numbers(text: &StringChunked) -> Column {
    let numbers: Int128Chunked = text.iter().map(|cell| scaled(cell?.trim().parse().ok()?)).collect();
    numbers.with_name(text.name().clone()).into_column()
}

fn instants(text: &StringChunked) -> Column {
    let instants: Int64Chunked = text.iter().map(|cell| Some(Instant::parse(cell?).ok()?.epoch_millis())).collect();
    instants.with_name(text.name().clone()).into_column()
}

fn scaled(number: Decimal) -> Option<i128> {
    let number = number.round_dp(SCALE).normalize();
    number.mantissa().checked_mul(10_i128.checked_pow(SCALE.checked_sub(number.scale())?)?)
}
