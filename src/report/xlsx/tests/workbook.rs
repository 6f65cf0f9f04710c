//! A workbook read back: its archive unpacked, its cells by address, and what its formulas come to.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read, Write};
use zip::ZipArchive;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Text(String),
    YesNo(bool),
}

#[derive(Debug, Clone)]
pub struct Cell {
    pub value: Value,
    pub formula: Option<String>,
}

/// Line from 1, column from 0.
pub type Address = (u32, u32);

#[derive(Debug, Default)]
pub struct Sheet {
    pub cells: BTreeMap<Address, Cell>,
    pub xml: String,
}

#[derive(Debug)]
pub struct Workbook {
    pub names: Vec<String>,
    pub sheets: HashMap<String, Sheet>,
    pub members: BTreeMap<String, String>,
}

/// What stands between `open` and `close`, and what follows.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    text.split_once(open)?.1.split_once(close)
}

/// The texts of all elements `name`, escapes undone, joined.
fn texts(xml: &str) -> String {
    let mut out = String::new();
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once("<t") {
        if after.starts_with("/>") {
            rest = after;
            continue;
        }
        let (text, after) = between(after, ">", "</t>").unwrap();
        out.push_str(text);
        rest = after;
    }
    unescape(&out)
}

/// Undoes XML's escapes, then the format's own: `_x000D_`.
fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest[at + 6..].starts_with('_'));
        let character = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        if let Some(character) = character {
            out.push_str(&rest[..at]);
            out.push(character);
            rest = &rest[at + 7..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    out + rest
}

pub fn address(text: &str) -> Address {
    let text = text.replace('$', "");
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let column = letters.bytes().fold(0, |column, letter| column * 26 + u32::from(letter - b'A') + 1);
    (text[letters.len()..].parse().unwrap(), column - 1)
}

impl Workbook {
    pub fn read(file: &[u8]) -> Self {
        let mut archive = ZipArchive::new(Cursor::new(file)).unwrap();
        let mut members = BTreeMap::new();
        for index in 0..archive.len() {
            let mut member = archive.by_index(index).unwrap();
            let mut text = String::new();
            member.read_to_string(&mut text).unwrap();
            members.insert(member.name().unwrap().into_owned(), text);
        }
        let shared: Vec<String> = members
            .get("xl/sharedStrings.xml")
            .map(|xml| xml.split("<si>").skip(1).map(texts).collect())
            .unwrap_or_default();
        let names: Vec<String> = members["xl/workbook.xml"]
            .split("<sheet ")
            .skip(1)
            .map(|sheet| unescape(between(sheet, "name=\"", "\"").unwrap().0))
            .collect();
        let sheets = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let xml = members[&format!("xl/worksheets/sheet{}.xml", index + 1)].clone();
                (name.clone(), Sheet { cells: cells(&xml, &shared), xml })
            })
            .collect();
        Self { names, sheets, members }
    }

    pub fn sheet(&self, name: &str) -> &Sheet {
        &self.sheets[name]
    }

    /// What the formula at `at` of `sheet` comes to when it is computed from the cells' values.
    pub fn compute(&self, sheet: &str, at: Address) -> Value {
        let cell = self.sheets[sheet].cells.get(&at);
        match cell {
            None => Value::Number(0.0),
            Some(Cell { formula: Some(formula), .. }) => {
                let mut formula = Formula { book: self, sheet, rest: formula };
                let value = formula.sum();
                assert_eq!(formula.rest, "", "the whole formula is understood");
                value
            }
            Some(cell) => cell.value.clone(),
        }
    }

    /// Every formula of the summary: its cell and what it comes to.
    pub fn computed(&self) -> Vec<(Address, Value, Value)> {
        let summary = self.sheet("summary");
        let formulas = summary.cells.iter().filter(|(_, cell)| cell.formula.is_some());
        formulas.map(|(at, cell)| (*at, cell.value.clone(), self.compute("summary", *at))).collect()
    }

    /// The line of the summary whose first cell holds `label`, the `nth` of them from 0.
    pub fn line(&self, label: &str, nth: usize) -> u32 {
        let lines = self
            .sheet("summary")
            .cells
            .iter()
            .filter(|((_, column), cell)| *column == 0 && cell.value == Value::Text(label.to_owned()));
        lines.map(|((line, _), _)| *line).nth(nth).unwrap_or_else(|| panic!("the summary has a line {label}"))
    }
}

/// The file with a text of one of its members replaced.
pub fn replaced(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut places = 0;
    for (name, text) in Workbook::read(file).members {
        places += text.matches(from).count();
        out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(text.replace(from, to).as_bytes()).unwrap();
    }
    assert_eq!(places, 1, "one cell is meant");
    out.finish().unwrap().into_inner()
}

fn cells(xml: &str, shared: &[String]) -> BTreeMap<Address, Cell> {
    let (data, _) = between(xml, "<sheetData", "</sheetData>").unwrap_or_default();
    let mut cells = BTreeMap::new();
    for cell in data.split("<c r=\"").skip(1) {
        let (place, rest) = cell.split_once('"').unwrap();
        let (head, body) = rest.split_once('>').unwrap();
        let formula = between(body, "<f>", "</f>").map(|(formula, _)| unescape(formula));
        let raw = between(body, "<v>", "</v>").map(|(value, _)| value);
        let value = if head.contains("t=\"inlineStr\"") {
            Value::Text(texts(body))
        } else if head.contains("t=\"s\"") {
            Value::Text(shared[raw.unwrap().parse::<usize>().unwrap()].clone())
        } else if head.contains("t=\"str\"") {
            Value::Text(unescape(raw.unwrap()))
        } else if head.contains("t=\"b\"") {
            Value::YesNo(raw == Some("1"))
        } else if let Some(raw) = raw {
            Value::Number(raw.parse().unwrap())
        } else {
            continue;
        };
        cells.insert(address(place), Cell { value, formula });
    }
    cells
}

/// As much of a spreadsheet's language as the summary uses.
struct Formula<'a> {
    book: &'a Workbook,
    sheet: &'a str,
    rest: &'a str,
}

/// What a range names: a value per line, where a cell holds one.
type Range = Vec<Option<Value>>;

impl<'a> Formula<'a> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(end).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn sum(&mut self) -> Value {
        let mut value = self.term();
        loop {
            let sign = if self.take("+") {
                1.0
            } else if self.take("-") {
                -1.0
            } else {
                return value;
            };
            value = Value::Number(number(&value) + sign * number(&self.term()));
        }
    }

    fn term(&mut self) -> Value {
        if self.take("(") {
            let value = self.sum();
            assert!(self.take(")"));
            return value;
        }
        if self.take("\"") {
            let text = self.until(|c| c == '"').to_owned();
            assert!(self.take("\""));
            return Value::Text(text);
        }
        if self.take("FALSE") {
            return Value::YesNo(false);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Value::Number(self.until(|c| !c.is_ascii_digit() && c != '.').parse().unwrap());
        }
        match self.rest.find(['(', '!', ')', ',', '+', '-', '=']).map(|at| self.rest.as_bytes()[at]) {
            Some(b'(') if self.rest.starts_with(|c: char| c.is_ascii_uppercase()) => self.call(),
            _ => {
                let at = address(self.until(|c| !c.is_ascii_alphanumeric() && c != '$'));
                self.book.compute(self.sheet, at)
            }
        }
    }

    fn call(&mut self) -> Value {
        let name = self.until(|c| c == '(');
        assert!(self.take("("));
        let value = match name {
            "ROUND" => {
                let (value, places) = (number(&self.sum()), self.comma());
                let scale = 10_f64.powf(number(&places));
                Value::Number((value * scale).round() / scale + 0.0)
            }
            "ABS" => Value::Number(number(&self.sum()).abs()),
            "IF" => {
                let left = number(&self.sum());
                assert!(self.take("="));
                #[expect(clippy::float_cmp, reason = "a spreadsheet compares so")]
                let holds = left == number(&self.sum());
                let (yes, no) = (self.comma(), self.comma());
                if holds { yes } else { no }
            }
            "SUM" => Value::Number(self.range().iter().flatten().map(number_or_0).sum()),
            #[expect(clippy::cast_precision_loss, reason = "few rows")]
            "COUNTA" => Value::Number(self.range().iter().flatten().count() as f64),
            "COUNTIFS" => {
                let rows = self.rows();
                #[expect(clippy::cast_precision_loss, reason = "few rows")]
                Value::Number(rows.iter().filter(|meets| **meets).count() as f64)
            }
            "SUMIFS" => {
                let values = self.range();
                assert!(self.take(","));
                let rows = self.rows();
                let met = values.iter().zip(rows).filter(|(_, meets)| *meets);
                Value::Number(met.filter_map(|(value, _)| value.as_ref()).map(number_or_0).sum())
            }
            other => panic!("{other} is no function that is used"),
        };
        assert!(self.take(")"), "{name} ends before {}", self.rest);
        value
    }

    fn comma(&mut self) -> Value {
        assert!(self.take(","));
        self.sum()
    }

    fn range(&mut self) -> Range {
        let sheet = if self.take("'") {
            let sheet = self.until(|c| c == '\'');
            assert!(self.take("'!"));
            sheet
        } else {
            self.sheet
        };
        let range = self.until(|c| !c.is_ascii_alphanumeric() && !matches!(c, '$' | ':'));
        let (from, to) = range.split_once(':').unwrap();
        let (from, to) = (address(from), address(to));
        let book = self.book;
        let value = |at| book.sheets[sheet].cells.contains_key(&at).then(|| book.compute(sheet, at));
        (from.0..=to.0).flat_map(|line| (from.1..=to.1).map(move |column| (line, column))).map(value).collect()
    }

    /// Which rows meet every pair of range and criterion up to the closing parenthesis.
    fn rows(&mut self) -> Vec<bool> {
        let mut meets: Option<Vec<bool>> = None;
        loop {
            let range = self.range();
            let criterion = self.comma();
            let holds = range.iter().map(|value| value.as_ref() == Some(&criterion));
            meets = Some(match meets {
                None => holds.collect(),
                Some(before) => before.into_iter().zip(holds).map(|(a, b)| a && b).collect(),
            });
            if !self.take(",") {
                return meets.unwrap_or_default();
            }
        }
    }
}

pub fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// Texts count 0 in a sum, as in a spreadsheet.
fn number_or_0(value: &Value) -> f64 {
    if let Value::Number(number) = value { *number } else { 0.0 }
}
