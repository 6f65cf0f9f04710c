//! From a place in the SQL to the place in the configuration: a TOML text may hold escapes, and several lines.

use sqlparser::tokenizer::Location;
use std::ops::Range;

/// Where each character of a TOML text stands in the file.
#[derive(Debug)]
pub(super) struct Places {
    /// The offset of each line's characters, and of what follows the last.
    lines: Vec<Vec<usize>>,
}

impl Places {
    /// `file` is the configuration, `value` the bytes of a text in it, quotes included.
    pub fn of(file: &str, value: Range<usize>) -> Self {
        let raw = file.get(value.clone()).unwrap_or_default();
        let long = [r#"""""#, "'''"].iter().any(|quotes| raw.starts_with(quotes));
        let escapes = raw.starts_with('"');
        let quotes = if long { 3 } else { 1 };
        let mut rest = raw.get(quotes..raw.len().saturating_sub(quotes)).unwrap_or_default();
        let mut offset = value.start + quotes;
        if long {
            let first = ["\r\n", "\n"].iter().find(|end| rest.starts_with(**end)).map_or(0, |end| end.len());
            (rest, offset) = (&rest[first..], offset + first);
        }
        let mut places = Self { lines: vec![vec![]] };
        while let Some(c) = rest.chars().next() {
            let (length, decoded) = if c == '\\' && escapes { escape(rest) } else { (c.len_utf8(), Some(c)) };
            match decoded {
                Some('\n') => {
                    places.add(offset);
                    places.lines.push(vec![]);
                }
                Some(_) => places.add(offset),
                None => {}
            }
            (rest, offset) = (&rest[length..], offset + length);
        }
        places.add(offset);
        places
    }

    fn add(&mut self, offset: usize) {
        if let Some(line) = self.lines.last_mut() {
            line.push(offset);
        }
    }

    /// The offset of a place in the SQL; of none that is known (0): where the text begins; of one behind it: its end.
    pub fn offset(&self, at: Location) -> usize {
        let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let begin = || self.lines.iter().flatten().next().copied().unwrap_or_default();
        let Some(line) = self.lines.get(index(at.line)).or(self.lines.last()).filter(|_| at.line > 0) else {
            return begin();
        };
        line.get(index(at.column)).or(line.last()).copied().unwrap_or_else(begin)
    }
}

/// The length of the escape that `rest` begins with, and its character; none where a line is carried on.
fn escape(rest: &str) -> (usize, Option<char>) {
    let hex = |digits: usize| {
        let code = rest.get(2..2 + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (2 + digits, code.and_then(char::from_u32))
    };
    match rest[1..].chars().next() {
        Some('n') => (2, Some('\n')),
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        Some(c) if c.is_whitespace() => {
            let carried = &rest[1..];
            (1 + carried.len() - carried.trim_start().len(), None)
        }
        Some(c) => (1 + c.len_utf8(), Some(c)),
        None => (1, None),
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use sqlparser::tokenizer::Location;

    #[test]
    fn a_place_in_the_sql_is_found_in_the_file_whatever_the_quotes() {
        for (file, value) in [
            (r"x = 'ab = Q'", 4..12),
            (r#"x = "ab = Q""#, 4..12),
            ("x = \"\"\"\nab = Q\"\"\"", 4..17),
            ("x = '''\r\nab = Q'''", 4..18),
            ("x = \"\"\"\\\n   ab = Q\"\"\"", 4..21),
            (r#"x = "\u0061b \u003D Q""#, 4..22),
            (r#"x = "\"b = Q""#, 4..13),
        ] {
            let places = Places::of(file, value);
            let found = places.offset(Location { line: 1, column: 6 });
            assert_eq!(file[found..].chars().next(), Some('Q'), "{file:?}");
        }
        let file = "x = '''a\nb Q'''";
        let places = Places::of(file, 4..15);
        assert_eq!(file[places.offset(Location { line: 2, column: 3 })..].chars().next(), Some('Q'));
        assert_eq!(places.offset(Location { line: 0, column: 0 }), 7);
    }
}
