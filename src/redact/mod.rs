//! Names and addresses replaced by keyed hashes, in what is written for others to read.
//!
//! In: values, ids and sentences, and a salt that only this machine has. Out: the same with `email:3f9a2c71d0b4` where an
//! address stood; one value gives one hash, so that a reader can still join files and nights. Never: files, tables,
//! decisions about which column holds what, which are the report's (`report/redacted/`).
//!
//! A sentence is read by who wrote it. Our own hold values at known places; of a reply's words only those that no person is
//! called by are kept; of what was quoted out of an input file nothing is.

mod hash;
mod ids;
mod known;
mod ours;
mod replies;
mod salt;
mod sentences;

pub use known::Known;
pub use salt::{SALT_BYTES, Salt};
pub use sentences::Quoted;

use hash::Keyed;
use std::collections::BTreeSet;

/// What a hash stands for; its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An e-mail address, or what stands in its place.
    Email,
    /// A person's name.
    Name,
    /// A company's name.
    Company,
    /// An id that does not look like one, so that it may be a name.
    Id,
    /// Any other text.
    Text,
}

impl Kind {
    /// What stands before the hash.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::Company => "company",
            Self::Id => "id",
            Self::Text => "text",
        }
    }
}

/// Replaces what names somebody. Two of one salt agree.
#[derive(Clone)]
pub struct Redactor {
    /// `None`: nothing stands for a value, so that nothing can be joined by it.
    keyed: Option<Keyed>,
    /// What stands before the colon of a key, and is no name: `hubspot`, `tether`.
    scopes: BTreeSet<String>,
    known: Known,
    /// What stays between backticks, since it is out of no file: headings that are expected, patterns of the configuration.
    ours: BTreeSet<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    /// One that knows no sources and no names yet.
    pub fn new(salt: &Salt) -> Self {
        Self { keyed: Some(Keyed::new(salt.bytes())), ..Self::cutting() }
    }

    /// One that puts `***` in the place of each value: for what leaves the machine and is joined with nothing.
    pub fn cutting() -> Self {
        let scopes = ["guest", "tether"].map(str::to_owned).into();
        Self { keyed: None, scopes, known: Known::default(), ours: BTreeSet::new() }
    }

    /// Also lets these stay where they stand between backticks.
    #[must_use]
    pub fn with_ours(mut self, ours: impl Iterator<Item = String>) -> Self {
        self.ours.extend(ours);
        self
    }

    /// Also takes what stands before a colon for the name of a source, where it is one of `sources`.
    #[must_use]
    pub fn with_sources<'s>(mut self, sources: impl Iterator<Item = &'s str>) -> Self {
        self.scopes.extend(sources.map(str::to_owned));
        self
    }

    /// Also hashes the ids that are one of these names, and finds these ids in sentences.
    #[must_use]
    pub fn with_known(mut self, known: Known) -> Self {
        self.known = known;
        self
    }

    /// The hash of a value that is a name or an address, whatever it looks like: `name:3f9a2c71d0b4`. Addresses count in
    /// lower case; nothing stays nothing.
    pub fn value(&self, kind: Kind, value: &str) -> String {
        match &self.keyed {
            _ if value.is_empty() => String::new(),
            Some(keyed) => format!("{}:{}", kind.label(), keyed.digest(value)),
            None => "***".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Known, Quoted, Redactor, SALT_BYTES, Salt};

    pub(super) fn redactor() -> Redactor {
        let known = Known::new(["Studio 54", "Studio54"].into_iter(), ["crm:Jane van Roe", "E-1"].into_iter());
        Redactor::new(&Salt::new([7; SALT_BYTES]))
            .with_sources(["crm", "hubspot"].into_iter())
            .with_known(known)
            .with_ours(std::iter::once("Record ID".to_owned()))
    }

    #[test]
    fn one_value_has_one_hash_and_another_salt_gives_another() {
        let (one, same, other) =
            (Redactor::new(&Salt::new([7; SALT_BYTES])), redactor(), Redactor::new(&Salt::new([8; SALT_BYTES])));
        let hash = one.value(Kind::Email, "jane@example.com");
        assert_eq!(hash.len(), "email:".len() + 12);
        assert_eq!(hash, same.value(Kind::Email, "Jane@Example.com"));
        assert_eq!(hash[6..], same.value(Kind::Text, "jane@example.com")[5..]);
        assert_ne!(hash, other.value(Kind::Email, "jane@example.com"));
        assert_ne!(one.value(Kind::Name, "Jane Roe"), one.value(Kind::Name, "Jane Row"));
        assert_eq!(one.value(Kind::Name, ""), "");
        assert!(!format!("{one:?}").contains('7'));
    }

    #[test]
    fn the_hash_is_hmac_sha256_cut_to_twelve_digits() {
        // RFC 4231's second case has a shorter key, which HMAC fills up with zeros.
        let mut key = [0; SALT_BYTES];
        key[..4].copy_from_slice(b"Jefe");
        let redactor = Redactor::new(&Salt::new(key));
        assert_eq!(redactor.value(Kind::Text, "what do ya want for nothing?"), "text:5bdcc146bf60");
    }

    /// `kept` with `⟨kind:value⟩` for each hash.
    fn filled(redactor: &Redactor, kept: &str) -> String {
        let mut out = String::new();
        for part in kept.split('⟨') {
            let Some((hashed, rest)) = part.split_once('⟩') else {
                out.push_str(part);
                continue;
            };
            let (label, value) = hashed.split_once(':').unwrap();
            let kind = [Kind::Email, Kind::Name, Kind::Company, Kind::Id, Kind::Text];
            let kind = kind.into_iter().find(|kind| kind.label() == label).unwrap();
            out.push_str(&redactor.value(kind, value));
            out.push_str(rest);
        }
        out
    }

    #[test]
    fn an_id_stays_only_where_it_looks_like_one() {
        let redactor = redactor();
        for (id, expected) in [
            ("", ""),
            ("cus_NffrFeUfNV2Hib", "cus_NffrFeUfNV2Hib"),
            ("cus_NffrFeUfNVkHib", "cus_NffrFeUfNVkHib"),
            ("cus_jane", "⟨id:cus_jane⟩"),
            ("cus_1;cus_2", "cus_1;cus_2"),
            ("NW-10405", "NW-10405"),
            ("0038d00000AbCdE", "0038d00000AbCdE"),
            ("7", "7"),
            ("hubspot:7", "hubspot:7"),
            ("tether:t-9", "tether:t-9"),
            ("guest:0badc0de", "guest:0badc0de"),
            ("cus_1,hubspot:7", "cus_1,hubspot:7"),
            ("jane@example.com", "⟨email:jane@example.com⟩"),
            ("hubspot:Jane@example.com", "hubspot:⟨email:jane@example.com⟩"),
            ("tether:jane2@example.com", "tether:⟨email:jane2@example.com⟩"),
            ("jane.roe", "⟨id:jane.roe⟩"),
            ("Jane Roe 2", "⟨id:Jane Roe 2⟩"),
            ("acme-corp", "⟨id:acme-corp⟩"),
            ("Zoë7", "⟨id:Zoë7⟩"),
            ("Studio54", "⟨name:Studio54⟩"),
            ("crm:Studio54", "crm:⟨name:Studio54⟩"),
            ("cus_1;Jane Roe", "cus_1;⟨id:Jane Roe⟩"),
            ("elsewhere:7", "elsewhere:7"),
        ] {
            assert_eq!(redactor.id(id), filled(&redactor, expected), "{id}");
        }
    }

    #[test]
    fn a_sentence_of_ours_keeps_its_words_and_loses_addresses_and_names() {
        let redactor = redactor();
        for (quoted, sentence, expected) in [
            (
                Quoted::Ids,
                "billing accounts share the e-mail o'neil+x@example.com: cus_1 (external id acme, in/a.csv:3)",
                "billing accounts share the e-mail ⟨email:o'neil+x@example.com⟩: cus_1 (external id ⟨id:acme⟩, in/a.csv:3)",
            ),
            (
                Quoted::Ids,
                "Tether's t-1 (external id none, e-mail Jane Roe, known by an earlier reply) has the e-mail",
                "Tether's t-1 (external id none, e-mail ⟨email:Jane Roe⟩, known by an earlier reply) has the e-mail",
            ),
            (
                Quoted::Ids,
                "external id acme corp stands on the contacts crm:1 (a.csv:2), crm:Jane (a.csv:3); correct it",
                "external id ⟨id:acme corp⟩ stands on the contacts crm:1 (a.csv:2), crm:⟨id:Jane⟩ (a.csv:3); correct it",
            ),
            (
                Quoted::Ids,
                "crm:Jane van Roe was merged; decide it, as by `link,cus_1,crm:Jane van Roe,` or `link,cus_1,crm:7,`",
                "crm:⟨id:Jane van Roe⟩ was merged; decide it, as by `link,cus_1,crm:⟨id:Jane van Roe⟩,` or `link,cus_1,crm:7,`",
            ),
            (
                Quoted::Ids,
                "merge the two in Tether, or correct the e-mail or external id at the source",
                "merge the two in Tether, or correct the e-mail or external id at the source",
            ),
            (Quoted::Ids, "cus_Jane is in no file, cus_1 is", "⟨id:cus_Jane⟩ is in no file, cus_1 is"),
            (Quoted::Ids, "allow it with `--allow max_created`", "allow it with `--allow max_created`"),
            (Quoted::Words, "has the status `incomplete`, which", "has the status `incomplete`, which"),
            (Quoted::Words, "then `tether-recon run` again: nothing", "then `tether-recon run` again: nothing"),
            (Quoted::Ids, "with `tether-recon baseline rebuild`, or", "with `tether-recon baseline rebuild`, or"),
            (Quoted::Words, "see `apply … --allow max_created`", "see `apply … --allow max_created`"),
            (Quoted::Words, "then `tether-recon Jane` again", "then `⟨text:tether-recon Jane⟩` again"),
            (Quoted::Words, "`run jane`", "`⟨text:run jane⟩`"),
            (Quoted::Words, "no column `Record ID` for id", "no column `Record ID` for id"),
            (Quoted::Words, "id, `cus_…`", "id, `cus_…`"),
            (Quoted::Words, "has the status `Jane Roe`, which", "has the status `⟨text:Jane Roe⟩`, which"),
            (Quoted::Hidden, "it is `Jane `X` Roe` of it", "it is `⟨text:Jane `X` Roe⟩` of it"),
            (Quoted::Ids, "an odd ` one", "an odd ` one"),
            (Quoted::Ids, "a `Jane` and an odd ` one", "a `⟨text:Jane` and an odd⟩` one"),
            (Quoted::Ids, "(mailto:jane@localhost).", "(mailto:⟨email:jane@localhost⟩)."),
            (Quoted::Ids, "jane%40example.com", "⟨email:jane%40example.com⟩"),
        ] {
            assert_eq!(redactor.sentence(sentence, quoted), filled(&redactor, expected), "{sentence}");
        }
    }

    #[test]
    fn of_a_reply_the_words_stay_that_nobody_is_called_by() {
        let redactor = redactor();
        for (said, expected) in [
            ("HTTP 422 CREATION_DISABLED: Customer creation is disabled for this product.", None),
            ("HTTP 503", None),
            ("not sent: the product's creation gate answered CREATION_DISABLED earlier in this run", None),
            (
                "HTTP 400 INVALID_EMAIL: jane@example.com is no e-mail",
                Some("HTTP 400 INVALID_EMAIL: ⟨text:jane@example.com⟩ is no e-mail"),
            ),
            (
                "HTTP 400 INVALID: name 'Jane Roe' is not allowed",
                Some("HTTP 400 INVALID: name '⟨text:Jane Roe⟩' is not allowed"),
            ),
            (
                "HTTP 409 email is taken by Customer Field Ltd.",
                Some("HTTP 409 email is taken by ⟨text:Customer Field Ltd⟩."),
            ),
            ("HTTP 400 Jane", Some("HTTP 400 ⟨text:Jane⟩")),
        ] {
            assert_eq!(redactor.reply(said), filled(&redactor, expected.unwrap_or(said)), "{said}");
        }
    }

    #[test]
    fn what_leaves_the_machine_has_stars_in_place_of_values() {
        let cutting = Redactor::cutting();
        assert_eq!(cutting.quotation("with: `Jane Roe` is"), "with: ***");
        assert_eq!(cutting.reply("HTTP 404 NOT_FOUND: nothing for Jane"), "HTTP 404 NOT_FOUND: nothing for ***");
    }

    #[test]
    fn what_follows_a_value_is_ours_behind_the_words_that_we_end_with() {
        let redactor = redactor();
        for (said, ends, expected) in [
            (
                "decision: `Jane` is neither `link` nor `never`; write one of them",
                " is neither ",
                "decision: ⟨text:`Jane`⟩ is neither `link` nor `never`; write one of them",
            ),
            ("with: `Jane is neither ` is neither a", " is neither ", "with: ⟨text:`Jane is neither `⟩ is neither a"),
            ("with: `Jane` is odd", " is neither ", "with: ⟨text:`Jane` is odd⟩"),
        ] {
            assert_eq!(redactor.quotation_until(said, &[ends]), filled(&redactor, expected), "{said}");
        }
    }

    #[test]
    fn what_was_quoted_out_of_a_file_is_gone_with_all_that_follows() {
        let redactor = redactor();
        for (said, expected) in [
            (
                "bad_number: Amount: `Jane`; the row stands without it",
                "bad_number: Amount: ⟨text:`Jane`; the row stands without it⟩",
            ),
            ("short_row: name is \"Jane Ro, not text", "short_row: name is ⟨text:\"Jane Ro, not text⟩"),
            ("bad_json: customer is {name:Jane", "bad_json: customer is ⟨text:{name:Jane⟩"),
            ("missing_id: the object has no id", "missing_id: the object has no id"),
        ] {
            assert_eq!(redactor.quotation(said), filled(&redactor, expected), "{said}");
        }
    }
}
