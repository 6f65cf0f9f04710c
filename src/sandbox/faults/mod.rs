//! Faults on demand: which of a product's requests goes wrong, and how.
//!
//! In: a file of faults, and each request as it comes. Out: what happens to that request. Never: chance, or the wall
//! clock. Every choice follows from the product's counter of requests (a real limit also from the time since the start),
//! so that a rehearsal can be repeated.

mod fault;
mod kinds;
mod limit;
mod options;
mod read;
#[cfg(test)]
mod tests;

pub(super) use fault::{Alteration, Body, End, Fault, Place, TooMany, Wait};

use limit::{Limit, Period};
use std::num::NonZeroU64;
use std::time::Duration;

/// The script of a rehearsal: faults in the order of the file. Of those that fall on one request the first happens alone;
/// only `slow` joins any other. The default is a server without faults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    rules: Vec<Rule>,
}

/// The faults cannot be played: every problem on a line of its own, each with line, column, key, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct FaultsError(Vec<String>);

/// One fault of the file.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    /// The line that it stands in, from 1.
    line: usize,
    /// Its word in the log.
    kind: &'static str,
    when: When,
    what: What,
}

/// Which requests a fault falls on: all that meet every condition that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct When {
    /// Requests whose number this divides.
    every: Option<NonZeroU64>,
    /// From this request of the product on.
    from: Option<u64>,
    /// Up to and with this one.
    to: Option<u64>,
    /// At most so many of each product.
    times: Option<u64>,
    /// Of this product alone.
    product: Option<String>,
    /// Only requests that carry this e-mail, lower-case.
    email: Option<String>,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq)]
enum What {
    /// The request waits, whatever else happens to it.
    Slow(Duration),
    /// Only calls above the limit go wrong; `place` says where the wait stands.
    Limit(Limit, Place),
    /// It goes wrong.
    Fault(Fault),
}

/// A request as the faults see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The product whose key it carries.
    pub(super) product: &'a str,
    /// The e-mail in its body, lower-case; only needed where [`Faults::ask_for_email`] says so.
    pub(super) email: Option<&'a str>,
    /// The time since the sandbox started.
    pub(super) elapsed: Duration,
}

/// What happens to one request.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Due {
    /// How long it waits first.
    pub(super) slow: Option<Duration>,
    /// What goes wrong then.
    pub(super) fault: Option<Fault>,
    /// The word in the log.
    pub(super) word: Option<&'static str>,
}

/// One product's counter of requests, and what each fault did so far.
#[derive(Debug, Default)]
pub(super) struct FaultCounter {
    requests: u64,
    rules: Vec<Played>,
}

/// What one fault did to one product so far.
#[derive(Debug, Default, Clone)]
struct Played {
    times: u64,
    period: Option<Period>,
}

impl When {
    fn applies(&self, number: u64, asked: Asked<'_>) -> bool {
        self.every.is_none_or(|every| number.is_multiple_of(every.get()))
            && self.from.is_none_or(|from| number >= from)
            && self.to.is_none_or(|to| number <= to)
            && self.product.as_deref().is_none_or(|product| product == asked.product)
            && self.email.as_deref().is_none_or(|email| Some(email) == asked.email)
    }
}

impl Faults {
    /// Reads a file of faults; docs/FORMAT.md describes it.
    ///
    /// # Errors
    /// All problems of the file: TOML that is broken, a key or a kind that nobody knows, a value out of range.
    pub fn from_toml(text: &str) -> Result<Self, FaultsError> {
        read::rules(text).map(|rules| Self { rules }).map_err(FaultsError)
    }

    /// Whether a fault depends on the customer that a request is about.
    pub(super) fn ask_for_email(&self) -> bool {
        self.rules.iter().any(|rule| rule.when.email.is_some())
    }

    /// The first product that a fault is for and that is not among `products`, with the line that names it.
    pub(super) fn stranger<'a>(&'a self, products: &[&str]) -> Option<(usize, &'a str)> {
        let named = self.rules.iter().filter_map(|rule| Some((rule.line, rule.when.product.as_deref()?)));
        named.into_iter().find(|(_, product)| !products.contains(product))
    }

    /// What happens to a product's next request.
    pub(super) fn next(&self, counter: &mut FaultCounter, asked: Asked<'_>) -> Due {
        counter.requests += 1;
        counter.rules.resize(self.rules.len(), Played::default());
        let mut due = Due::default();
        for (rule, played) in self.rules.iter().zip(&mut counter.rules) {
            let spent = rule.when.times.is_some_and(|times| played.times >= times);
            if spent || !rule.when.applies(counter.requests, asked) {
                continue;
            }
            match &rule.what {
                What::Slow(wait) if due.slow.is_none() => due.slow = Some(*wait),
                What::Fault(fault) if due.fault.is_none() => due.fault = Some(fault.clone()),
                What::Limit(limit, place) if due.fault.is_none() => {
                    let Some(wait) = limit.wait_seconds(&mut played.period, asked.elapsed) else { continue };
                    due.fault = Some(Fault::limited(wait, *place));
                }
                _ => continue,
            }
            played.times += 1;
            // Of a slow request that goes wrong the log says what went wrong.
            if due.word.is_none() || due.fault.is_some() && !matches!(rule.what, What::Slow(_)) {
                due.word = Some(rule.kind);
            }
        }
        due
    }
}
