//! Ids: kept where they look like one, since most files can only be joined by them; hashed where they may be a name.

use super::{Kind, Redactor};
use std::borrow::Cow;

/// What Stripe's ids begin with, and how many random characters follow at least; some hold no digit, which others need.
const STRIPE: &[&str] = &["cus_", "gcus_", "sub_", "si_", "price_", "plan_", "prod_", "di_", "txr_"];
const RANDOM: usize = 14;

impl Redactor {
    /// An id, or several joined by `;` or `,`: each as it is where it looks like one, behind its source where that is known
    /// (`hubspot:7`); else its hash.
    pub fn id<'t>(&self, id: &'t str) -> Cow<'t, str> {
        if self.stays(id) {
            return Cow::Borrowed(id);
        }
        for separator in [';', ','] {
            // Lists are of ids; a name with a comma in it is one name.
            if id.split(separator).nth(1).is_some() && id.split(separator).any(|part| self.stays(part)) {
                let parts: Vec<Cow<'_, str>> = id.split(separator).map(|part| self.id(part)).collect();
                return Cow::Owned(parts.join(&separator.to_string()));
            }
        }
        if let Some((source, bare)) = self.source_of(id) {
            return Cow::Owned(format!("{source}:{}", self.id(bare)));
        }
        let kind = if id.contains('@') || id.contains("%40") {
            Kind::Email
        } else if self.known.is_name(id) {
            Kind::Name
        } else {
            Kind::Id
        };
        Cow::Owned(self.value(kind, id))
    }

    /// The source that `key` begins with, and the id behind it.
    pub(super) fn source_of<'t>(&self, key: &'t str) -> Option<(&'t str, &'t str)> {
        key.split_once(':').filter(|(source, _)| self.scopes.contains(*source))
    }

    fn stays(&self, id: &str) -> bool {
        let bare = self.source_of(id).map_or(id, |(_, bare)| bare);
        bare.is_empty() || is_hash(bare) || (looks_like_one(bare) && !self.known.is_name(bare))
    }
}

/// Whether it is what stands for a value already.
fn is_hash(text: &str) -> bool {
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let labels = [Kind::Email, Kind::Name, Kind::Company, Kind::Id, Kind::Text];
    text.split_once(':').is_some_and(|(label, rest)| digits(rest) && labels.iter().any(|kind| kind.label() == label))
}

/// ASCII without blanks, with a digit or Stripe's beginning, and nothing that stands in addresses.
fn looks_like_one(id: &str) -> bool {
    let begins_so = || STRIPE.iter().any(|start| id.strip_prefix(start).is_some_and(|rest| rest.len() >= RANDOM));
    let in_place = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/+=|#".contains(&byte);
    id.bytes().all(in_place) && (id.bytes().any(|byte| byte.is_ascii_digit()) || begins_so())
}
