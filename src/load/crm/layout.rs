//! Where each field stands in a file: the shape it has, and the columns that the configuration names instead.

use super::footer::START;
use super::preset::{EVERY, FIELDS, OF_PEOPLE, Object, Preset, Shape};
use crate::config::{CrmPreset, CrmSettings, MOST_HEADINGS};
use crate::load::LoadError;
use crate::load::headings::{find, folded, missing, sample};
use crate::load::sheet::Opened;

/// The names of as many columns as a field may have.
macro_rules! numbered {
    ($($field:literal: $name:ident,)+) => {
        $( numbered!(
            $name, $field,
            "_0", "_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "_10", "_11", "_12", "_13", "_14", "_15"
        ); )+

        /// The names of a field's columns in the frame, for the fields in [`EVERY`].
        fn names(field: &str) -> &'static [&'static str] {
            match field {
                $( $field => $name, )+
                _ => &[],
            }
        }
    };
    ($name:ident, $field:literal, $($place:literal),+) => {
        const $name: &[&str; MOST_HEADINGS] = &[$(concat!($field, $place)),+];
    };
}

numbered! {
    "email": EMAIL,
    "emails": EMAILS,
    "merged_ids": MERGED_IDS,
    "named": NAMED,
}

/// What is read of companies that name the contacts'.
const OF_COMPANIES: &[&str] = &["id", "merged_ids", "deleted", "current", "company_name"];

/// The layout of one file.
pub(super) struct Layout {
    pub shape: &'static Shape,
    /// The columns to read: name in the frame, heading.
    pub wanted: Vec<(&'static str, Option<String>)>,
    /// The column of the id, from 0.
    pub id: Option<usize>,
}

impl Layout {
    /// Finds the columns of a file of contacts, or of companies that name the contacts' (`companies`). `named`: the headings
    /// that filters name.
    pub fn new(
        opened: &Opened<'_>,
        file: &str,
        preset: &Preset,
        settings: &CrmSettings,
        companies: bool,
        named: &[String],
    ) -> Result<Self, LoadError> {
        let headings = opened.headings();
        let shape = choose(headings, preset, settings, companies);
        let mut layout = Self { shape, wanted: Vec::new(), id: None };
        for field in FIELDS {
            // What a company is not asked for cannot be wrong with it either.
            if companies && !OF_COMPANIES.contains(field) {
                if !EVERY.contains(field) {
                    layout.wanted.push((field, None));
                }
                continue;
            }
            let configured = settings.columns.get(*field).filter(|_| !companies);
            let found: Vec<String> = match configured {
                Some(wanted) => {
                    let place = |heading: &String| {
                        find(headings, &[heading]).map(|place| headings[place].clone()).ok_or_else(|| {
                            let advice = format!("correct columns.{field} of the CRM `{}`", settings.name);
                            missing(headings, opened.heading_line(), file, field, heading, &advice)
                        })
                    };
                    wanted.iter().map(place).collect::<Result<_, _>>()?
                }
                None => shape
                    .headings(field)
                    .iter()
                    .filter_map(|heading| find(headings, &[heading]))
                    .map(|place| headings[place].clone())
                    .collect(),
            };
            if EVERY.contains(field) {
                layout.wanted.extend(names(field).iter().copied().zip(found.into_iter().map(Some)));
                continue;
            }
            if *field == "id" && found.is_empty() {
                let wanted = shape.headings("id").first().copied().unwrap_or("id");
                let advice = if companies {
                    format!("correct companies of the CRM `{}`", settings.name)
                } else {
                    format!("name the column in columns.id of the CRM `{}`", settings.name)
                };
                return Err(missing(headings, opened.heading_line(), file, field, wanted, &advice));
            }
            if *field == "id" {
                layout.id = find(headings, &found);
            }
            layout.wanted.push((field, found.into_iter().next()));
        }
        for (name, heading) in names("named").iter().zip(named) {
            let Some(place) = find(headings, &[heading]) else {
                let advice = format!("correct the filter, or export the column; the file has {}", sample(headings));
                return Err(missing(headings, opened.heading_line(), file, "a product's filter", heading, &advice));
            };
            layout.wanted.push((name, Some(headings[place].clone())));
        }
        if !companies && shape.object == Object::People {
            layout.links(opened, file, settings)?;
        }
        if !preset.footer.is_empty() && matches!(opened, Opened::Csv(_)) {
            // A heading that stands twice names no column.
            let namesake = |first: &&String| headings.iter().filter(|other| folded(other) == folded(first)).count() > 1;
            layout.wanted.push((START, headings.first().filter(|first| !namesake(first)).cloned()));
        }
        Ok(layout)
    }

    /// Refuses a file of people without any column by which they could be linked: its contacts would all be left out.
    fn links(&self, opened: &Opened<'_>, file: &str, settings: &CrmSettings) -> Result<(), LoadError> {
        let found = |field: &str| self.wanted.iter().any(|(name, heading)| *name == field && heading.is_some());
        let addresses = self.columns("email").chain(self.columns("emails")).next().is_some();
        if addresses || found("external_id") || found("stripe_customer_id") {
            return Ok(());
        }
        let wanted = self.shape.headings("email").first().copied().unwrap_or("email");
        let advice = format!(
            "nothing links these contacts: name the column in columns.email, columns.external_id or \
             columns.stripe_customer_id of the CRM `{}`",
            settings.name
        );
        Err(missing(opened.headings(), opened.heading_line(), file, "email", wanted, &advice))
    }

    /// Every field that is asked for, with the headings it is read from.
    pub fn fields(&self, companies: bool) -> impl Iterator<Item = (&'static str, Vec<Option<String>>)> {
        FIELDS.iter().filter(move |field| !companies || OF_COMPANIES.contains(field)).map(|field| {
            let is_its = |name: &str| name == *field || names(field).contains(&name);
            let of_field = self.wanted.iter().filter(|(name, _)| is_its(name));
            (*field, of_field.map(|(_, heading)| heading.clone()).collect())
        })
    }

    /// The columns of a field in [`EVERY`], or of `named`.
    pub fn columns(&self, field: &str) -> impl Iterator<Item = &'static str> {
        let names = names(field);
        self.wanted.iter().map(|(name, _)| *name).filter(|name| names.contains(name))
    }
}

/// Whether a line of headings is one: it has the id's column.
pub(super) fn known(headings: &[String], preset: &Preset, settings: &CrmSettings, companies: bool) -> bool {
    fitting(preset, settings, companies).any(|shape| has(headings, settings, companies, shape, "id"))
}

/// The shapes that a file may have. Of a CRM of their own people say themselves which column is what.
fn fitting<'p>(
    preset: &'p Preset,
    settings: &CrmSettings,
    companies: bool,
) -> impl Iterator<Item = &'static Shape> + use<'p> {
    let only_people = !companies && settings.preset == CrmPreset::Custom;
    preset.shapes.iter().filter(move |shape| match shape.object {
        Object::People => !companies,
        Object::Companies => !only_people,
    })
}

fn has(headings: &[String], settings: &CrmSettings, companies: bool, shape: &Shape, field: &str) -> bool {
    match settings.columns.get(field).filter(|_| !companies) {
        Some(configured) => find(headings, configured).is_some(),
        None => find(headings, shape.headings(field)).is_some(),
    }
}

/// The shape that `headings` show: of those whose id is there, the one with the most fields, then the first. People have
/// addresses, parts of a name or a company; what has none of these and a company's name is a company.
pub(super) fn choose(headings: &[String], preset: &Preset, settings: &CrmSettings, companies: bool) -> &'static Shape {
    let has = |shape: &Shape, field: &str| has(headings, settings, companies, shape, field);
    let people = |shape: &&Shape| OF_PEOPLE.iter().any(|field| has(shape, field));
    let candidate = |shape: &&Shape| {
        has(shape, "id")
            && match shape.object {
                Object::People => people(shape),
                Object::Companies => {
                    has(shape, "company_name") && (companies || !preset.shapes.iter().any(|other| people(&other)))
                }
            }
    };
    let fields = |shape: &&Shape| FIELDS.iter().filter(|field| has(shape, field)).count();
    let best = |shapes: Vec<&'static Shape>| shapes.into_iter().rev().max_by_key(|shape| fields(shape));
    best(fitting(preset, settings, companies).filter(candidate).collect())
        .or_else(|| best(fitting(preset, settings, companies).filter(|shape| has(shape, "id")).collect()))
        .or_else(|| fitting(preset, settings, companies).next())
        .unwrap_or(&preset.shapes[0])
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::load::crm::preset::{EVERY, PRESETS};

    #[test]
    fn every_heading_of_a_field_that_is_read_in_whole_has_a_column() {
        for shape in PRESETS.iter().flat_map(|preset| preset.shapes) {
            for field in EVERY {
                assert!(shape.headings(field).len() <= names(field).len(), "{}: {field}", shape.label);
            }
        }
    }
}
