//! E-mail addresses as people keep them in CRMs: several in one cell, with names, with `mailto:`.

use super::once::Once;
use crate::model::Email;
use polars::prelude::*;

/// The addresses of every contact.
pub(super) struct Addresses {
    /// The primary one. A lone cell that holds no address stays as it is, so that its customer is told to be invalid.
    pub email: StringChunked,
    /// All, the primary one first, each once.
    pub emails: Column,
}

/// Reads the addresses of each row: those of the columns `primary`, then those of `further`, lower-case. What is no address
/// is told to `unreadable` with the row's place. A loop over rows, since a cell may hold a list and the result is one.
pub(super) fn read(
    rows: usize,
    primary: &[StringChunked],
    further: &[StringChunked],
    mut unreadable: impl FnMut(usize, &[&str]),
) -> Addresses {
    let mut email = StringChunkedBuilder::new("email".into(), rows);
    let mut emails = ListStringChunkedBuilder::new("emails".into(), rows, rows);
    let mut primary: Vec<_> = primary.iter().map(ChunkedArray::iter).collect();
    let mut further: Vec<_> = further.iter().map(ChunkedArray::iter).collect();
    let (mut found, mut refused): (Once<&str>, Vec<&str>) = (Once::new(), Vec::new());
    for row in 0..rows {
        found.clear();
        refused.clear();
        let mut first = None;
        for cell in primary.iter_mut().filter_map(|column| column.next().flatten()) {
            first = first.or(Some(cell));
            split(cell, &mut found, &mut refused);
        }
        if let (Some(cell), true) = (first, found.values().is_empty()) {
            found.push(cell);
        }
        email.append_option(first.and(found.values().first().copied()));
        for cell in further.iter_mut().filter_map(|column| column.next().flatten()) {
            split(cell, &mut found, &mut refused);
        }
        emails.append_values_iter(found.values().iter().copied());
        if !refused.is_empty() {
            unreadable(row, &refused);
        }
    }
    Addresses { email: email.finish(), emails: emails.finish().into_column() }
}

/// Sorts what stands in `cell` into addresses, each once, and parts that hold none.
fn split<'c>(cell: &'c str, found: &mut Once<&'c str>, refused: &mut Vec<&'c str>) {
    if is_plain(cell) {
        return found.push(cell);
    }
    for part in Parts(Some(cell)) {
        if let Some(address) = address(part) {
            found.push(address);
            continue;
        }
        // Blanks separate addresses only where every word is one: of `jane doe@example.com` nobody knows what it means.
        let words = || part.split_whitespace();
        if words().all(|word| address(word).is_some()) {
            words().filter_map(address).for_each(|address| found.push(address));
        } else {
            refused.push(part);
        }
    }
}

/// Whether `cell` is one address of nothing but ASCII, as nearly every cell is: known without a copy of it.
fn is_plain(cell: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte);
    let dotted = |domain: &str| domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
    cell.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.bytes().all(allowed) && domain.bytes().all(allowed) && dotted(domain)
    })
}

/// The address in `part`: alone, behind `mailto:`, or in angle brackets behind a name.
fn address(part: &str) -> Option<&str> {
    let inside = match part.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((_, inside)) => inside.trim(),
        None => part,
    };
    let bare = inside.strip_prefix("mailto:").unwrap_or(inside).trim();
    Email::parse(bare).is_ok().then_some(bare)
}

/// The parts of a cell between commas, semicolons and line ends, trimmed, none empty. What stands in quotes is one part,
/// as in `"doe, jane" <jane@example.com>`.
struct Parts<'c>(Option<&'c str>);

impl<'c> Iterator for Parts<'c> {
    type Item = &'c str;

    fn next(&mut self) -> Option<&'c str> {
        loop {
            let rest = self.0?;
            let mut quoted = false;
            let end = rest.find(|c| {
                quoted ^= c == '"';
                !quoted && matches!(c, ',' | ';' | '\n' | '\r')
            });
            // A quote that nothing closes is no quote.
            let end = end.or_else(|| if quoted { rest.find([',', ';', '\n', '\r']) } else { None });
            let part = end.map_or(rest, |end| &rest[..end]);
            self.0 = end.map(|end| &rest[end + 1..]);
            if !part.trim().is_empty() {
                return Some(part.trim());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Once, read, split};
    use polars::prelude::*;

    #[test]
    fn a_cell_is_taken_apart_into_addresses_and_what_is_none() {
        for (cell, addresses, others) in [
            ("a@example.com", vec!["a@example.com"], vec![]),
            ("a@example.com;b@example.com", vec!["a@example.com", "b@example.com"], vec![]),
            ("a@example.com, b@example.com ,", vec!["a@example.com", "b@example.com"], vec![]),
            ("a@example.com\r\nb@example.com", vec!["a@example.com", "b@example.com"], vec![]),
            ("a@example.com b@example.com", vec!["a@example.com", "b@example.com"], vec![]),
            ("a@example.com;a@example.com", vec!["a@example.com"], vec![]),
            ("mailto:a@example.com", vec!["a@example.com"], vec![]),
            ("jane <a@example.com>", vec!["a@example.com"], vec![]),
            ("\"doe, jane\" <a@example.com>, <b@example.com>", vec!["a@example.com", "b@example.com"], vec![]),
            ("<mailto:a+tag@example.com>", vec!["a+tag@example.com"], vec![]),
            ("n/a; a@example.com", vec!["a@example.com"], vec!["n/a"]),
            // No word of these may be taken for the address that was meant.
            ("jane doe@example.com", vec![], vec!["jane doe@example.com"]),
            ("a@example.com (work)", vec![], vec!["a@example.com (work)"]),
            ("a@example", vec![], vec!["a@example"]),
            ("@example.com", vec![], vec!["@example.com"]),
            ("a@example..com", vec![], vec!["a@example..com"]),
            ("a@b@example.com", vec![], vec!["a@b@example.com"]),
            ("o'neil@example.com", vec!["o'neil@example.com"], vec![]),
            ("say \"x, a@example.com", vec!["a@example.com"], vec!["say \"x"]),
            (" ; , ", vec![], vec![]),
        ] {
            let (mut found, mut refused) = (Once::new(), vec![]);
            split(cell, &mut found, &mut refused);
            assert_eq!((found.values(), refused), (addresses.as_slice(), others), "{cell:?}");
        }
    }

    #[test]
    fn the_first_address_is_the_primary_one_and_a_lone_text_that_is_none_stays() {
        let column = |cells: [Option<&str>; 5]| StringChunked::from_iter(cells);
        let primary = [
            column([Some("a@x.org; b@x.org"), Some("nonsense"), None, Some("?;!"), None]),
            column([Some("c@x.org"), None, Some("d@x.org"), None, None]),
        ];
        let further = [column([Some("b@x.org;e@x.org"), Some("f@x.org"), Some("none"), None, Some("g@x.org")])];
        let mut told = vec![];
        let found = read(5, &primary, &further, |row, parts| told.push((row, parts.join(" "))));
        let email: Vec<_> = found.email.iter().collect();
        assert_eq!(email, [Some("a@x.org"), Some("nonsense"), Some("d@x.org"), Some("?;!"), None]);
        let emails: Vec<String> = found
            .emails
            .list()
            .unwrap()
            .amortized_iter()
            .map(|list| list.unwrap().as_ref().str().unwrap().iter().flatten().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(emails, ["a@x.org b@x.org c@x.org e@x.org", "nonsense f@x.org", "d@x.org", "?;!", "g@x.org"]);
        assert_eq!(told, [(1, "nonsense".to_owned()), (2, "none".to_owned()), (3, "? !".to_owned())]);
    }
}
