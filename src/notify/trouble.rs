//! What a run's end asks of a person, so that the same is told once.

use super::{Ended, Notice};
use crate::config::When;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An exit code, and what needs a person: each by its kind, with how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Trouble {
    pub exit_code: u8,
    /// `core conflict`: 12; `guard max_created of all`: 1; the error without what differs from night to night: 1.
    pub needs: BTreeMap<String, u64>,
}

impl Trouble {
    pub fn of(ended: &Ended) -> Self {
        let mut needs = BTreeMap::new();
        if let Some(figures) = &ended.figures {
            for product in &figures.products {
                for (outcome, of) in product.outcomes.iter().filter(|(_, of)| of.needs_a_person) {
                    needs.insert(format!("{} {outcome}", product.name), of.customers);
                }
            }
            needs.extend(figures.breaks.iter().map(|(kind, number)| (kind.as_str().to_owned(), *number)));
            for guard in figures.refused() {
                let scope = guard.scope.as_deref().unwrap_or("all");
                needs.insert(format!("guard {} of {scope}", guard.guard), 1);
            }
        }
        // A refusal is known by its guards, whatever their figures and whomever they name.
        let refused = ended.figures.as_ref().is_some_and(|figures| figures.refused().next().is_some());
        if let Some(error) = ended.error.as_ref().filter(|_| !refused) {
            needs.insert(without_figures(error), 1);
        }
        Self { exit_code: ended.exit_code, needs }
    }

    fn is_none(&self) -> bool {
        self.exit_code == 0
    }

    /// Whether a person has to hear of this who was told `before`: another exit code, something new, or more of it. Less of the
    /// same is what they are working on.
    fn is_news_after(&self, before: &Self) -> bool {
        self.exit_code != before.exit_code
            || self.needs.iter().any(|(need, number)| before.needs.get(need).is_none_or(|told| number > told))
    }
}

/// Which notice is due, where `told` is what stands since the last notice; `None`: nobody was ever told.
pub(super) fn due(when: When, told: Option<&Trouble>, now: &Trouble) -> Option<Notice> {
    let before = told.filter(|told| !told.is_none());
    match (now.is_none(), before) {
        (true, Some(_)) => Some(Notice::Recovery),
        (true, None) => (when == When::Always).then_some(Notice::Done),
        (false, Some(before)) if when == When::Change && !now.is_news_after(before) => None,
        (false, _) => Some(Notice::Trouble),
    }
}

/// A message without its numbers, dates and ids: words that hold a digit. The status of a refusal stays, since it is the
/// cause; that of an outage is another from call to call.
fn without_figures(message: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in message.chars().chain([' ']) {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | ',') {
            word.push(c);
        } else {
            let is_refusal = out.ends_with("HTTP ") && word.starts_with(['3', '4']);
            let is_figure = !is_refusal && word.contains(|c: char| c.is_ascii_digit());
            out.push_str(if is_figure { "#" } else { &word });
            out.push(c);
            word.clear();
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Trouble, due, without_figures};
    use crate::config::When;
    use crate::notify::Notice;

    fn trouble(exit_code: u8, needs: &[(&str, u64)]) -> Trouble {
        Trouble { exit_code, needs: needs.iter().map(|(need, number)| ((*need).to_owned(), *number)).collect() }
    }

    /// What is told of ends that follow each other: `T`rouble, `R`ecovery, `D`one, or nothing.
    fn told(when: When, ends: &[Trouble]) -> String {
        let mut memory: Option<Trouble> = None;
        let tell = |now: &Trouble| {
            let notice = due(when, memory.as_ref(), now);
            memory = (notice.is_some() || memory.is_some()).then(|| now.clone());
            match notice {
                None => '-',
                Some(Notice::Trouble) => 'T',
                Some(Notice::Recovery) => 'R',
                Some(Notice::Done | Notice::Test) => 'D',
            }
        };
        ends.iter().map(tell).collect()
    }

    #[test]
    fn one_notice_per_change_and_one_on_recovery() {
        let ends = [0, 3, 3, 0, 0, 5, 5, 3, 0, 0].map(|code| trouble(code, &[]));
        for (when, expected) in
            [(When::Change, "-T-R-T-TR-"), (When::Problem, "-TTR-TTTR-"), (When::Always, "DTTRDTTTRD")]
        {
            assert_eq!(told(when, &ends), expected, "{when:?}");
        }
    }

    #[test]
    fn more_of_it_or_something_else_is_news_and_less_of_it_is_not() {
        let ends = [
            trouble(3, &[("core conflict", 12)]),
            trouble(3, &[("core conflict", 12)]),
            trouble(3, &[("core conflict", 3)]),
            trouble(3, &[("core conflict", 10)]),
            trouble(3, &[("core conflict", 10), ("rejected_row", 1)]),
            trouble(3, &[("rejected_row", 1)]),
        ];
        assert_eq!(told(When::Change, &ends), "T--TT-");
        let ends = [("a.csv is empty", 8), ("b.csv is empty", 8)].map(|(error, code)| trouble(code, &[(error, 1)]));
        assert_eq!(told(When::Change, &ends), "TT");
    }

    #[test]
    fn the_same_error_on_another_night_is_the_same() {
        for (one, other) in [
            (
                "failed to sync `state/runs/20261101T060000Z-9f3c/plan.parquet`",
                "failed to sync `state/runs/20261102T060000Z-0a1b/plan.parquet`",
            ),
            ("in/contacts_2026-11-01.csv is 3 days old", "in/contacts_2026-11-02.csv is 4 days old"),
        ] {
            assert_eq!(without_figures(one), without_figures(other));
        }
        assert_ne!(without_figures("core: HTTP 404 at x"), without_figures("core: HTTP 405 at x"));
        assert_eq!(without_figures("at last: HTTP 502"), without_figures("at last: HTTP 503"));
        assert_ne!(without_figures("in/contacts.csv is empty"), without_figures("in/customers.csv is empty"));
    }
}
