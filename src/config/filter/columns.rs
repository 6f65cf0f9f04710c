//! What a filter can name: the sources, and the columns of each that every shape of export has.

use super::{FilterColumn, FilterSource, Kind};
use crate::config::schema::nearest;
use crate::config::settings::CrmSettings;
use crate::model::{STRIPE_CUSTOMERS, STRIPE_SUBSCRIPTIONS};

/// A column of a canonical table.
struct Known {
    name: &'static str,
    kind: Kind,
    /// Whether it stands on a subscription's items.
    of_items: bool,
}

const fn own(name: &'static str, kind: Kind) -> Known {
    Known { name, kind, of_items: false }
}

const fn of_items(name: &'static str) -> Known {
    Known { name, kind: Kind::Text, of_items: true }
}

/// Of Stripe customers.
const CUSTOMERS: &[Known] = &[
    own("id", Kind::Text),
    own("email", Kind::Text),
    own("name", Kind::Text),
    own("created", Kind::Instant),
    own("livemode", Kind::Boolean),
    own("external_id", Kind::Text),
];

/// Of subscriptions.
const SUBSCRIPTIONS: &[Known] = &[
    own("id", Kind::Text),
    own("customer", Kind::Text),
    own("status", Kind::Text),
    own("created", Kind::Instant),
    own("livemode", Kind::Boolean),
    of_items("price"),
    of_items("product"),
    of_items("currency"),
    of_items("interval"),
];

/// Of a CRM's contacts. Any heading of its files may be named besides, in double quotes.
const CONTACTS: &[Known] = &[
    own("id", Kind::Text),
    own("email", Kind::Text),
    own("external_id", Kind::Text),
    own("stripe_customer_id", Kind::Text),
    own("name", Kind::Text),
    own("company_name", Kind::Text),
    own("last_activity", Kind::Instant),
];

/// The sources of a configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a>(pub &'a [CrmSettings]);

impl<'a> Sources<'a> {
    fn known(source: FilterSource) -> &'static [Known] {
        match source {
            FilterSource::Customers => CUSTOMERS,
            FilterSource::Subscriptions => SUBSCRIPTIONS,
            FilterSource::Crm(_) => CONTACTS,
        }
    }

    fn names(self) -> impl Iterator<Item = (FilterSource, &'a str)> {
        let stripe = [(FilterSource::Customers, STRIPE_CUSTOMERS), (FilterSource::Subscriptions, STRIPE_SUBSCRIPTIONS)];
        let crms = self.0.iter().enumerate().map(|(index, crm)| (FilterSource::Crm(index), crm.name.as_str()));
        stripe.into_iter().chain(crms.filter(|(_, name)| !name.is_empty()))
    }

    /// The name of a source.
    pub fn name(self, source: FilterSource) -> &'a str {
        self.names().find(|(known, _)| *known == source).map_or("", |(_, name)| name)
    }

    /// The source of that name, whatever the case; or what is wrong with it.
    pub fn source(self, name: &str) -> Result<FilterSource, String> {
        if let Some((source, _)) = self.names().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            return Ok(source);
        }
        let known: Vec<&str> = self.names().map(|(_, name)| name).collect();
        Err(match nearest(name, known.iter().copied()) {
            Some(near) => format!("`{name}` is no source, did you mean `{near}`? There are {}", known.join(", ")),
            None => format!("`{name}` is no source; there are {}", known.join(", ")),
        })
    }

    /// The column `name` of `source` and its kind; `quoted`: it stood in double quotes, as a CRM's headings do.
    pub fn column(self, source: FilterSource, name: &str, quoted: bool) -> Result<(FilterColumn, Kind), String> {
        if quoted && matches!(source, FilterSource::Crm(_)) {
            return Ok((FilterColumn::Heading(name.to_owned()), Kind::Text));
        }
        let known = Self::known(source);
        if let Some(found) = known.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
            let column =
                if found.of_items { FilterColumn::OfItems(found.name) } else { FilterColumn::Canonical(found.name) };
            return Ok((column, found.kind));
        }
        let names: Vec<&str> = known.iter().map(|column| column.name).collect();
        let source_name = self.name(source);
        let near = match nearest(name, names.iter().copied()) {
            Some(near) => format!(", did you mean `{source_name}.{near}`? It has"),
            None => "; it has".to_owned(),
        };
        let heading = match source {
            FilterSource::Crm(_) => {
                format!("; a heading of its files stands in double quotes: {source_name}.\"{name}\"")
            }
            FilterSource::Customers | FilterSource::Subscriptions => String::new(),
        };
        Err(format!("`{source_name}` has no column `{name}`{near} {}{heading}", names.join(", ")))
    }

    /// How a column without its source is written in full: the sources that have it.
    pub fn qualified(self, name: &str) -> String {
        let having: Vec<String> = self
            .names()
            .filter(|(source, _)| Self::known(*source).iter().any(|column| column.name.eq_ignore_ascii_case(name)))
            .map(|(_, source)| format!("{source}.{name}"))
            .collect();
        if having.is_empty() {
            "it before the name, like stripe_subscriptions.status".to_owned()
        } else {
            having.join(" or ")
        }
    }
}
