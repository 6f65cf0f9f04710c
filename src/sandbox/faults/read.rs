//! A file of faults: `[[fault]]` tables, and short forms of them.

use super::fault::Fault;
use super::kinds::{KINDS, Kind, names};
use super::limit::Limit;
use super::options::{Options, Problems, line_of, nearest};
use super::{End, Place, Rule, What, When};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What `[customers]` knows: the words of the short form, and what each is short for.
const CUSTOMER_WORDS: [&str; 4] = ["lost_reply_once", "rejected", "server_error", "unavailable"];

/// The rules of a file in its order, or all its problems.
pub(super) fn rules(text: &str) -> Result<Vec<Rule>, Vec<String>> {
    let mut problems = Problems::of(text);
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            problems.add(&error.span().unwrap_or_default(), "", error.message());
            return Err(problems.in_order());
        }
    };
    let mut reader = Reader { text, problems, rules: vec![] };
    for (key, value) in table.get_ref() {
        reader.entry(key.get_ref(), &key.span(), value);
    }
    let problems = reader.problems.in_order();
    if !problems.is_empty() {
        return Err(problems);
    }
    // TOML's tables keep no order; the text does.
    reader.rules.sort_by_key(|(at, _)| *at);
    Ok(reader.rules.into_iter().map(|(_, rule)| rule).collect())
}

struct Reader<'text> {
    text: &'text str,
    problems: Problems<'text>,
    /// With their places in the text.
    rules: Vec<(usize, Rule)>,
}

impl<'text> Reader<'text> {
    /// A key of the file itself.
    fn entry(&mut self, key: &str, at: &Range<usize>, value: &Spanned<DeValue<'text>>) {
        match (key, value.get_ref()) {
            ("fault", DeValue::Array(list)) => {
                for (index, one) in list.iter().enumerate() {
                    self.table(&format!("fault[{}]", index + 1), None, one);
                }
            }
            ("fault", _) => self.problems.add(at, key, "write every fault as a table under `[[fault]]`"),
            ("customers", DeValue::Table(customers)) => {
                for (email, word) in customers {
                    self.customer(email, word);
                }
            }
            ("customers", _) => {
                self.problems.add(at, key, "write a table: `[customers]`, then \"e-mail\" = \"fault\" on each line");
            }
            ("unauthorized_after", DeValue::Integer(number)) => {
                match number.as_str().parse::<u64>().ok().and_then(|number| number.checked_add(1)) {
                    Some(from) => {
                        let when = When { from: Some(from), ..When::default() };
                        self.rule(at, "status", when, What::Fault(status(401, None)));
                    }
                    None => self.problems.add(at, key, &format!("{number} is no whole number from 0")),
                }
            }
            ("unauthorized_after", _) => self.problems.add(at, key, "write a whole number of requests"),
            ("limit", DeValue::String(rate)) => {
                if let Some(limit) = Limit::parse(rate) {
                    return self.rule(at, "limit", When::default(), What::Limit(limit, Place::Body));
                }
                self.problems.add(&value.span(), key, &format!("`{rate}` is not {}", Limit::ALLOWED));
            }
            _ => self.short_form(key, at, value),
        }
    }

    /// `KIND = { … }`, or a list of such.
    fn short_form(&mut self, key: &str, at: &Range<usize>, value: &Spanned<DeValue<'text>>) {
        let Some(kind) = KINDS.iter().find(|kind| kind.name == key) else {
            let known = || ["fault", "customers", "unauthorized_after"].into_iter().chain(names());
            let message = match nearest(key, known()) {
                Some(near) => format!("is no fault; did you mean `{near}`?"),
                None => format!("is no fault; there are {}", known().collect::<Vec<_>>().join(", ")),
            };
            return self.problems.add(at, key, &message);
        };
        match value.get_ref() {
            DeValue::Array(list) => {
                for (index, one) in list.iter().enumerate() {
                    self.table(&format!("{key}[{}]", index + 1), Some(kind), one);
                }
            }
            DeValue::Table(_) => self.table(key, Some(kind), value),
            _ => self.problems.add(at, key, "write a table, such as { every = 10 }"),
        }
    }

    /// One fault. `kind`: known already; else its key `kind` says.
    fn table(&mut self, name: &str, kind: Option<&'static Kind>, value: &Spanned<DeValue<'text>>) {
        let at = value.span();
        let Some(table) = value.get_ref().as_table() else {
            return self.problems.add(&at, name, "write a table, such as { every = 10 }");
        };
        let mut options = Options { name: name.to_owned(), at: at.clone(), table, problems: &mut self.problems };
        let kind = kind.or_else(|| {
            let known: Vec<(&str, &'static Kind)> = KINDS.iter().map(|kind| (kind.name, kind)).collect();
            if !options.has("kind") {
                options.missing("kind", &format!("one of {}", names().collect::<Vec<_>>().join(", ")));
            }
            options.word("kind", &known)
        });
        let Some(kind) = kind else { return };
        options.only(kind.name, kind.keys);
        let when = options.when();
        if let Some(what) = (kind.read)(&mut options) {
            self.rule(&at, kind.name, when, what);
        }
    }

    /// A line of `[customers]`.
    fn customer(&mut self, email: &Spanned<std::borrow::Cow<'text, str>>, word: &Spanned<DeValue<'text>>) {
        let (kind, fault, times) = match word.get_ref().as_str() {
            Some("lost_reply_once") => ("lost_reply", Fault::NoReply { end: End::Closed, applied: true }, Some(1)),
            Some("rejected") => ("status", status(422, Some("CUSTOMER_ARCHIVED")), None),
            Some("server_error") => ("server_error", status(500, None), None),
            Some("unavailable") => ("server_error", status(503, None), None),
            _ => {
                let key = format!("customers.\"{}\"", email.get_ref());
                let message = format!("write one of {}", CUSTOMER_WORDS.join(", "));
                return self.problems.add(&word.span(), &key, &message);
            }
        };
        let when = When { email: Some(email.get_ref().to_lowercase()), times, ..When::default() };
        self.rule(&email.span(), kind, when, What::Fault(fault));
    }

    fn rule(&mut self, at: &Range<usize>, kind: &'static str, when: When, what: What) {
        self.rules.push((at.start, Rule { line: line_of(self.text, at), kind, when, what }));
    }
}

fn status(status: u16, code: Option<&str>) -> Fault {
    Fault::Status { status, code: code.map(Into::into), location: None, echo_key: false, applied: false }
}
