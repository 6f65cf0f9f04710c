//! Which CRMs know a file by its headings, before any configuration says whose it is.

use super::layout;
use super::preset::{self, EVERY, FIELDS, Object, PRESETS, Shape};
use crate::config::{CrmPreset, CrmSettings, Reading};
use crate::load::headings::find;
use crate::load::survey::{Claim, What};
use std::collections::{BTreeMap, BTreeSet};

/// Fields by which a contact is linked.
const LINKING: &[&str] = &["email", "emails", "external_id", "stripe_customer_id"];

/// A heading of this name says nothing by itself.
const ANYBODYS: &str = "id";

/// Fewer fields than these are anybody's, unless the id's heading is the CRM's own.
const LEAST_FIELDS: usize = 3;

/// Settings of a CRM of which nothing but its preset is said.
pub(super) fn plain(preset: CrmPreset) -> CrmSettings {
    CrmSettings {
        name: "crm".to_owned(),
        preset,
        contacts: vec![],
        companies: vec![],
        columns: BTreeMap::new(),
        reading: Reading::default(),
    }
}

/// The shape that the preset finds in the headings, if they have its id.
fn shape(headings: &[String], crm: CrmPreset) -> Option<&'static Shape> {
    let (preset, settings) = (preset::preset(crm), plain(crm));
    layout::known(headings, preset, &settings, false).then(|| layout::choose(headings, preset, &settings, false))
}

/// The claim of every CRM that knows the headings; `custom` claims nothing.
pub(in crate::load) fn claims(headings: &[String]) -> Vec<Claim> {
    let presets = PRESETS.iter().map(|preset| preset.crm).filter(|crm| *crm != CrmPreset::Custom);
    presets
        .filter_map(|crm| {
            let shape = shape(headings, crm)?;
            let has = |field: &str| find(headings, shape.headings(field)).is_some();
            let fields = FIELDS.iter().filter(|field| has(field)).count();
            let id = find(headings, shape.headings("id"))?;
            if fields < 2 || (fields < LEAST_FIELDS && headings[id].eq_ignore_ascii_case(ANYBODYS)) {
                return None;
            }
            let what = match shape.object {
                Object::People if LINKING.iter().any(|field| has(field)) => What::Contacts(crm),
                Object::Companies if has("company_name") => What::Companies(crm),
                _ => return None,
            };
            // Every heading that one of its exports may have, whatever the field.
            let names = shape.fields.iter().flat_map(|(_, names)| names.iter());
            let columns = names.filter_map(|name| find(headings, &[name])).collect();
            Some(Claim { what, shape: shape.label.to_owned(), columns, unused: false })
        })
        .collect()
}

/// The fields that the preset finds by itself.
pub(in crate::load) fn known_fields(headings: &[String], crm: CrmPreset) -> Vec<&'static str> {
    let Some(shape) = shape(headings, crm) else { return vec![] };
    FIELDS.iter().copied().filter(|field| find(headings, shape.headings(field)).is_some()).collect()
}

/// The column of the id.
pub(in crate::load) fn id_column(headings: &[String], crm: CrmPreset) -> Option<usize> {
    find(headings, shape(headings, crm)?.headings("id"))
}

/// Whether an id looks as the CRM makes them.
pub(in crate::load) fn shows(crm: CrmPreset, id: &str) -> bool {
    const LENGTH_OF_UUID: usize = 36;
    match crm {
        CrmPreset::Hubspot | CrmPreset::Pipedrive => id.bytes().all(|byte| byte.is_ascii_digit()),
        CrmPreset::Salesforce => preset::preset(crm).ids.is_form_of(id),
        CrmPreset::Close => id.starts_with("lead_") || id.starts_with("cont_"),
        CrmPreset::Attio => id.len() == LENGTH_OF_UUID && id.matches('-').count() == 4,
        CrmPreset::Custom => false,
    }
}

/// What the columns of contacts of an unknown CRM are, by what any CRM calls them: field and heading, each column once.
pub(in crate::load) fn custom_columns(headings: &[String]) -> Vec<(&'static str, String)> {
    let people = || PRESETS.iter().flat_map(|preset| preset.shapes).filter(|shape| shape.object == Object::People);
    let mut taken = BTreeSet::new();
    let mut columns = Vec::new();
    for field in FIELDS.iter().filter(|field| !NOT_NAMEABLE.contains(field) && !EVERY[1..].contains(field)) {
        let found = people().filter_map(|shape| find(headings, shape.headings(field))).min();
        if let Some(column) = found.filter(|column| taken.insert(*column)) {
            columns.push((*field, headings[column].clone()));
        }
    }
    columns
}

/// Fields that `columns` does not know.
const NOT_NAMEABLE: &[&str] = &["merged_into", "current", "associated_names", "company_ids"];

#[cfg(test)]
mod tests {
    use super::{claims, custom_columns};
    use crate::config::CrmPreset;
    use crate::load::survey::What;

    /// Who claims these headings most.
    fn best(headings: &str) -> Option<What> {
        let headings: Vec<String> = headings.split(',').map(str::to_owned).collect();
        claims(&headings).into_iter().rev().max_by_key(|claim| claim.columns.len()).map(|claim| claim.what)
    }

    #[test]
    fn a_file_is_claimed_by_the_crm_that_knows_its_headings() {
        use CrmPreset::{Attio, Close, Hubspot, Pipedrive, Salesforce};
        for (headings, expected) in [
            ("Record ID,First Name,Last Name,Email,Company Name", Some(What::Contacts(Hubspot))),
            ("id,property_email,property_firstname,_fivetran_deleted", Some(What::Contacts(Hubspot))),
            ("Contact ID,First Name,Last Name,Email,Account Name", Some(What::Contacts(Salesforce))),
            ("Id,IsDeleted,MasterRecordId,AccountId,LastName,FirstName,Email", Some(What::Contacts(Salesforce))),
            ("ID,ISDELETED,MASTERRECORDID,NAME,LASTACTIVITYDATE", Some(What::Companies(Salesforce))),
            ("Person - ID,Person - Name,Person - Email - Work", Some(What::Contacts(Pipedrive))),
            ("id,display_name,primary_contact_name,primary_contact_primary_email", Some(What::Contacts(Close))),
            ("Record ID,Name > First,Name > Last,Email addresses,Company", Some(What::Contacts(Attio))),
            ("contact_id,first_name,last_name,timestamp", None),
            ("id,email", None),
            ("id,name", None),
            ("a,b", None),
        ] {
            assert_eq!(best(headings), expected, "{headings}");
        }
    }

    #[test]
    fn of_an_unknown_crm_the_columns_are_named_by_what_any_calls_them() {
        let headings = ["id", "email", "name", "plan"].map(str::to_owned);
        let expected = [("id", "id"), ("email", "email"), ("name", "name")];
        assert_eq!(custom_columns(&headings), expected.map(|(field, heading)| (field, heading.to_owned())));
    }
}
