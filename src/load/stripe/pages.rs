//! Exports that come in pages: whether the last page of each source is there.
//!
//! A page says that it is not the last one (`has_more`). Pages may lie in one file or in several, in any order of names, so
//! that only all files of a source together tell whether the last page is among them.

use super::{StripePart, relate};
use crate::model::{Break, BreakKind, STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};
use std::collections::{BTreeMap, BTreeSet};

/// How many objects a page holds unless the request says otherwise.
const DEFAULT: u64 = 10;

/// How many it holds at most.
const MOST: u64 = 100;

/// A list of API objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The kind of its first object; empty: the list is.
    pub of: String,
    /// What was asked for, without the page: pages of one list say the same.
    pub url: Option<String>,
    /// The line on which it begins.
    pub line: u64,
    /// Whether it says that it goes on; `None`: it says nothing.
    pub more: Option<bool>,
    /// Customers and subscriptions in it.
    pub counts: [u64; 2],
}

impl Page {
    /// A file that is no list of Stripe's. Lines are mostly written by a program that asks for all pages, so that only the
    /// largest page is a sign there.
    pub fn whole_file(counts: [u64; 2], lines: bool) -> Self {
        let counts = counts.map(|count| if lines && count != MOST { 0 } else { count });
        Self { of: String::new(), url: None, line: 1, more: None, counts }
    }

    /// The sources whose rows it holds.
    fn sources(&self) -> impl Iterator<Item = &'static str> {
        let named = match self.of.as_str() {
            "customer" => Some(STRIPE_CUSTOMERS),
            "subscription" => Some(STRIPE_SUBSCRIPTIONS),
            "coupon" => Some(relate::COUPONS),
            "discount" => Some(relate::DISCOUNTS),
            "price" => Some(relate::PRICES),
            "plan" => Some(relate::PLANS),
            "subscription_item" => Some(relate::ITEMS),
            _ => None,
        };
        // Of events and the like, what they carry tells.
        let carried = [(STRIPE_CUSTOMERS, self.counts[0]), (STRIPE_SUBSCRIPTIONS, self.counts[1])];
        let carried = carried.into_iter().filter(move |(_, count)| named.is_none() && *count > 0);
        named.into_iter().chain(carried.map(|(source, _)| source))
    }
}

/// What the pages of one list say together.
#[derive(Default)]
struct Chain<'a> {
    /// Lists that are the last of their kind.
    last: u64,
    /// Lists that go on.
    further: u64,
    /// The file and line of the one read last of those.
    place: Option<(&'a str, u64)>,
}

/// The breaks of the sources of which the last page is missing, or may be. `parts` in the order of reading, each with its
/// file's path.
pub(in crate::load) fn breaks<'a>(parts: &(impl Iterator<Item = (&'a str, &'a StripePart)> + Clone)) -> Vec<Break> {
    let pages = || parts.clone().flat_map(|(path, part)| part.pages.iter().map(move |page| (path, page)));
    // Where a list does not say what it was asked for, all lists of its source are taken for one.
    let unnamed: BTreeSet<&str> =
        pages().filter(|(_, page)| page.url.is_none()).flat_map(|(_, page)| page.sources()).collect();
    let mut chains: BTreeMap<(&str, &str), Chain<'a>> = BTreeMap::new();
    for (path, page) in pages() {
        for source in page.sources() {
            let url = page.url.as_deref().filter(|_| !unnamed.contains(source)).unwrap_or_default();
            let chain = chains.entry((source, url)).or_default();
            match page.more {
                Some(true) => {
                    chain.further += 1;
                    chain.place = Some((path, page.line));
                }
                Some(false) => chain.last += 1,
                None => {}
            }
        }
    }
    let mut found = Vec::new();
    let mut in_pages = BTreeSet::new();
    for ((source, url), chain) in chains {
        if chain.last + chain.further > 0 {
            in_pages.insert(source);
        }
        let Some((path, line)) = chain.place.filter(|_| chain.last == 0) else { continue };
        let lists = if chain.further == 1 { "the list says" } else { "all lists say" };
        let of = if url.is_empty() { String::new() } else { format!(" of {url}") };
        let detail = format!("{lists} has_more: the last page{of} is in no file; export all pages");
        found.push(Break::new(BreakKind::TruncatedExport, source, path, detail).at(path, line));
    }
    for (source, column) in [(STRIPE_CUSTOMERS, 0), (STRIPE_SUBSCRIPTIONS, 1)] {
        if !in_pages.contains(source) {
            found.extend(exactly_a_page(source, column, parts.clone()));
        }
    }
    found
}

/// The break of a source of which every file holds exactly as many rows as a page can.
fn exactly_a_page<'a>(
    source: &str,
    column: usize,
    parts: impl Iterator<Item = (&'a str, &'a StripePart)>,
) -> Option<Break> {
    let mut place = None;
    for (path, part) in parts {
        let rows = [part.customer_rows, part.subscription_rows][column];
        if rows == 0 {
            continue;
        }
        let listed: u64 = part.pages.iter().map(|page| page.counts[column]).sum();
        if ![DEFAULT, MOST].contains(&rows) || listed != rows {
            return None;
        }
        place = Some((path, rows));
    }
    let (path, rows) = place?;
    let detail = format!("exactly {rows} rows, as many as a page of the API holds; check that the export is complete");
    Some(Break::new(BreakKind::ExactlyOnePage, source, path, detail).at(path, 1))
}
