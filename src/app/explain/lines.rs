//! The page that an explanation is printed on: sentences and amounts in columns, at most 100 characters wide.

use super::explanation::Line;
use crate::billing::explain::Amount;
use crate::config::Settings;
use crate::model::{Currency, is_obeyed};
use crate::report::{fixed, group};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed};
use std::path::{Component, Path, PathBuf};

/// No line is longer, but where one word is.
const WIDTH: usize = 100;
/// Where the labels of amounts end.
const LABEL: usize = 60;
/// How much room the whole part of an amount has.
const WHOLE: usize = 12;
/// Decimals beyond the currency's that are written out where an amount ends after them.
const MORE_DECIMALS: usize = 5;

/// A page of text under way.
pub(super) struct Page<'a> {
    text: String,
    settings: &'a Settings,
    folder: &'a Path,
}

impl<'a> Page<'a> {
    /// An empty page; `folder` is the configuration's as it was named.
    pub fn new(settings: &'a Settings, folder: &'a Path) -> Self {
        Self { text: String::new(), settings, folder }
    }

    /// Where a line stands: a path that opens where the reader is, if the configuration was named from there.
    pub fn place(&self, line: &Line) -> String {
        format!("{}:{}", seen_from_here(self.folder, &line.file), line.line)
    }

    pub fn finish(self) -> String {
        self.text
    }

    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Words, `indent` from the left; further lines stand two further in.
    pub fn say(&mut self, indent: usize, words: &str) {
        let mut line = " ".repeat(indent);
        let mut empty = true;
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                // What separates two parts says nothing where a line ends or begins.
                self.push(line.trim_end_matches(" ·"));
                line = " ".repeat(indent + 2);
                empty = true;
                if word == "·" {
                    continue;
                }
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.push(&line);
    }

    /// What a part of the page is about.
    pub fn heading(&mut self, words: &str) {
        let line = format!("\u{2500}\u{2500} {words} ");
        let rest = WIDTH.saturating_sub(line.chars().count());
        self.blank();
        self.push(&format!("{line}{}", "\u{2500}".repeat(rest)));
    }

    /// A label with words beside it, which begin `room` behind the label's beginning; further lines stand below them.
    pub fn entry(&mut self, indent: usize, label: &str, room: usize, words: &str) {
        let start = indent + room;
        let mut line = format!("{:indent$}{label}", "");
        if label.chars().count() + 1 > room {
            self.push(&line);
            line.clear();
        }
        let pad = |line: &mut String| line.push_str(&" ".repeat(start.saturating_sub(line.chars().count())));
        pad(&mut line);
        let mut empty = true;
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.push(line.trim_end_matches(" ·"));
                line.clear();
                pad(&mut line);
                empty = true;
                if word == "·" {
                    continue;
                }
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.push(&line);
    }

    /// A label, and an amount whose decimal point stands below those of others.
    pub fn amount(&mut self, indent: usize, label: &str, amount: &Amount) {
        self.labelled(indent, label, &self.money(amount));
    }

    /// The same, taken away.
    pub fn taken(&mut self, indent: usize, label: &str, amount: &Amount) {
        let mut money = self.money(amount);
        money.whole.insert(0, '\u{2212}');
        self.labelled(indent, label, &money);
    }

    /// A line that closes a column of amounts.
    pub fn rule(&mut self) {
        let line = format!("{}{}", " ".repeat(LABEL), "\u{2500}".repeat(WHOLE + 3));
        self.push(&line);
    }

    fn labelled(&mut self, indent: usize, label: &str, money: &Money) {
        let room = LABEL - indent - 1;
        let mut label = label;
        if label.chars().count() > room {
            self.say(indent, label);
            label = "";
        }
        let Money { whole, rest, currency, fraction } = money;
        let gap = if currency.is_empty() { "" } else { " " };
        let start = format!("{:indent$}{label:<width$}{whole:>WHOLE$}{rest}", "", width = LABEL - indent);
        let end = fraction.as_ref().map_or_else(String::new, |fraction| format!(" = {fraction}"));
        let line = format!("{start}{end}{gap}{currency}");
        if line.chars().count() <= WIDTH {
            self.push(&line);
        } else {
            self.push(&format!("{start}{gap}{currency}"));
            self.push(&format!("{:>1$}", format!("={end}").replace("= =", "="), LABEL + WHOLE));
        }
    }

    fn push(&mut self, line: &str) {
        for character in line.trim_end().chars() {
            if is_obeyed(character) {
                self.text.extend(character.escape_unicode());
            } else {
                self.text.push(character);
            }
        }
        self.text.push('\n');
    }

    /// An amount in one piece, for sentences: `8.333… = 25/3 usd`.
    pub fn inline(&self, amount: &Amount) -> String {
        let Money { whole, rest, currency, fraction } = self.money(amount);
        let fraction = fraction.map_or_else(String::new, |fraction| format!(" = {fraction}"));
        let gap = if currency.is_empty() { "" } else { " " };
        format!("{whole}{rest}{fraction}{gap}{currency}")
    }

    fn money(&self, amount: &Amount) -> Money {
        let digits = Currency::parse(&amount.currency)
            .map_or(2, |code| usize::from(code.digits(&self.settings.mrr.currency_digits)));
        let number = |text: &str| text.parse().unwrap_or_else(|_| BigInt::from(0));
        let unit = BigInt::from(10).pow(u32::try_from(digits).unwrap_or(2));
        let major = BigRational::new(number(&amount.minor.num), number(&amount.minor.den) * unit);
        let (text, fraction) = if let Some(places) = decimals(&major).filter(|places| *places <= digits + MORE_DECIMALS)
        {
            (group(&fixed(&major, places.max(digits))), None)
        } else {
            let places = digits + 1;
            let scale = BigRational::from_integer(BigInt::from(10).pow(u32::try_from(places).unwrap_or(3)));
            let cut = (&major * &scale).trunc() / scale;
            (format!("{}\u{2026}", group(&fixed(&cut, places))), Some(format!("{}/{}", major.numer(), major.denom())))
        };
        let (whole, rest) = match text.find('.') {
            Some(point) => text.split_at(point),
            None => (text.as_str(), ""),
        };
        Money { whole: whole.to_owned(), rest: rest.to_owned(), currency: amount.currency.clone(), fraction }
    }
}

/// `file`, a path relative to `folder`, from where `folder` is relative to. Below an absolute folder it stays as it is, and
/// so does an absolute path.
fn seen_from_here(folder: &Path, file: &str) -> String {
    if folder.is_absolute() || Path::new(file).is_absolute() {
        return file.to_owned();
    }
    let mut found = PathBuf::new();
    for component in folder.join(file).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(found.components().next_back(), Some(Component::Normal(_))) => {
                found.pop();
            }
            other => found.push(other),
        }
    }
    found.display().to_string()
}

/// An amount in major units, cut at its decimal point.
struct Money {
    whole: String,
    rest: String,
    currency: String,
    /// Where the decimals never end, or end late.
    fraction: Option<String>,
}

/// How many decimals `value` has; `None`: they never end.
fn decimals(value: &BigRational) -> Option<usize> {
    let mut rest = value.denom().abs();
    let mut places = 0;
    for factor in [2, 5] {
        let mut times = 0;
        while (&rest % factor) == BigInt::from(0) {
            rest /= factor;
            times += 1;
        }
        places = places.max(times);
    }
    rest.is_one().then_some(places)
}

/// A fraction as a plain number where it is one, for percentages: `12.5`, `1/3`.
pub(super) fn number(exact: &crate::runs::Exact) -> String {
    let part = |text: &str| text.parse().unwrap_or_else(|_| BigInt::one());
    let value = BigRational::new(part(&exact.num), part(&exact.den));
    match decimals(&value) {
        Some(places) => fixed(&value, places),
        None => format!("{}/{}", exact.num, exact.den),
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, seen_from_here};
    use crate::config::Settings;
    use std::path::Path;

    #[test]
    fn a_path_opens_where_the_configuration_was_named_from() {
        for (folder, file, shown) in [
            ("", "in/customers.csv", "in/customers.csv"),
            ("config", "../sample_data/customers.csv", "sample_data/customers.csv"),
            ("./config", "in/customers.csv", "config/in/customers.csv"),
            ("", "../exports/customers.csv", "../exports/customers.csv"),
            ("..", "../exports/customers.csv", "../../exports/customers.csv"),
            ("config", "/exports/customers.csv", "/exports/customers.csv"),
            ("/etc/recon", "../exports/customers.csv", "../exports/customers.csv"),
        ] {
            assert_eq!(seen_from_here(Path::new(folder), file), shown, "{folder} {file}");
        }
    }

    #[test]
    fn a_line_that_wraps_ends_without_what_separates_its_parts() {
        let settings: Settings = crate::config::parse(SETTINGS, Path::new("/recon")).unwrap();
        let mut page = Page::new(&settings, Path::new(""));
        for length in [33, 34] {
            page.say(2, &format!("{} · {} · c@example.com", "a".repeat(60), "b".repeat(length)));
        }
        let shown = |length| format!("  {} · {}\n    c@example.com\n", "a".repeat(60), "b".repeat(length));
        assert_eq!(page.finish(), shown(33) + &shown(34));
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        let settings: Settings = crate::config::parse(SETTINGS, Path::new("/recon")).unwrap();
        let mut page = Page::new(&settings, Path::new(""));
        page.entry(2, "name", 8, "A\u{1b}[2Jda\nVale \u{202e}x");
        assert_eq!(page.finish(), "  name    A\\u{1b}[2Jda\\u{a}Vale \\u{202e}x\n");
    }

    const SETTINGS: &str = r#"
[run]
state = "state"
currency = "usd"
[stripe]
files = "in/*"
[[product]]
name = "core"
key = { env = "TETHER_API_KEY" }
"#;
}
