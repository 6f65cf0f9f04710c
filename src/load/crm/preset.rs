//! What each CRM calls its columns, and how it writes ids and lists: one table. A new CRM is a row of [`PRESETS`] and a
//! name in `CrmPreset::ALL`; a heading that an export turns out to use is one more text in a list.

use super::ids::IdForm;
use crate::config::CrmPreset;

/// One CRM.
pub(super) struct Preset {
    pub crm: CrmPreset,
    /// How the ids of its records are written.
    pub ids: IdForm,
    /// What separates several ids in one cell: nothing that stands in one.
    pub between_ids: &'static [char],
    /// What separates several names in one cell.
    pub lists: &'static [char],
    /// How the lines begin that its exports put below the rows, lower-case. The title above the first of them and the
    /// lines after it belong to them; `super::footer` says when.
    pub footer: &'static [&'static str],
    /// What its exports look like. Of several that fit, the one with the most columns is meant, then the first.
    pub shapes: &'static [Shape],
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    People,
    Companies,
}

/// One way in which a CRM exports.
pub(super) struct Shape {
    /// As reports name it.
    pub label: &'static str,
    pub object: Object,
    /// Each field once, with its headings, whatever the case, in order of preference: the first that the file has is read,
    /// of the fields in [`EVERY`] all of them. `id` is required.
    pub fields: &'static [(&'static str, &'static [&'static str])],
}

impl Shape {
    /// The headings of `field`.
    pub fn headings(&self, field: &str) -> &'static [&'static str] {
        self.fields.iter().find(|(known, _)| *known == field).map_or(&[], |(_, headings)| headings)
    }
}

/// Every field, as the tables below name it.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "email",
    "emails",
    "merged_ids",
    "merged_into",
    "deleted",
    "current",
    "external_id",
    "stripe_customer_id",
    "name",
    "first_name",
    "last_name",
    "company_name",
    "associated_names",
    "company_id",
    "company_ids",
    "last_activity",
];

/// Fields of which every column is read: the addresses of the first columns go before those of the later ones.
pub(super) const EVERY: &[&str] = &["email", "emails", "merged_ids"];

/// A file of people has one of these, or it may as well hold companies.
pub(super) const OF_PEOPLE: &[&str] = &["email", "emails", "first_name", "last_name", "company_id", "company_ids"];

/// The preset of a CRM.
pub(super) fn preset(crm: CrmPreset) -> &'static Preset {
    // A test holds that every CRM has its row; the last one knows no headings at all.
    PRESETS.iter().find(|known| known.crm == crm).unwrap_or(&PRESETS[PRESETS.len() - 1])
}

/// Headings that people give the column of their own making for Stripe's id.
const STRIPE: &[&str] = &["Stripe Customer ID", "Stripe Customer", "Stripe ID", "stripe_customer_id", "stripe_id"];

/// Between ids of a CRM's own making, which are letters, digits and `_`.
const ANY: &[char] = &[';', ',', ' ', '\t', '\n', '\r'];

/// Between ids of any text: what `docs/FORMAT.md` says, and line ends.
const STATED: &[char] = &[';', '\n', '\r'];

/// The CRMs.
#[rustfmt::skip]
pub(super) const PRESETS: &[Preset] = &[
    Preset {
        crm: CrmPreset::Hubspot,
        ids: IdForm::Number,
        between_ids: ANY,
        lists: &[';'],
        footer: &[],
        shapes: &[
            Shape { label: "HubSpot contacts", object: Object::People, fields: &[
                ("id", &["Record ID", "Record ID - Contact", "Contact ID"]),
                ("email", &["Email"]),
                ("emails", &["Additional email addresses", "hs_additional_emails", "Work email"]),
                ("merged_ids", &["Merged contact IDs", "Merged record IDs", "Merged vids with timestamps of a contact", "Merged object IDs", "hs_merged_object_ids"]),
                ("first_name", &["First Name"]),
                ("last_name", &["Last Name"]),
                ("company_name", &["Company Name", "Company"]),
                ("associated_names", &["Associated Company (Primary)", "Associated Company Names (Primary)", "Primary Associated Company", "Associated Company"]),
                ("company_id", &["Primary Associated Company ID", "Associated Company IDs (Primary)"]),
                ("company_ids", &["Associated Company IDs", "Associated Company ID"]),
                ("last_activity", &["Last Activity Date"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "HubSpot contacts by API names", object: Object::People, fields: &[
                ("id", &["hs_object_id", "vid", "id"]),
                ("email", &["email"]),
                ("emails", &["hs_additional_emails", "work_email"]),
                ("merged_ids", &["hs_merged_object_ids", "hs_calculated_merged_vids"]),
                ("deleted", &["archived"]),
                ("first_name", &["firstname"]),
                ("last_name", &["lastname"]),
                ("company_name", &["company"]),
                ("company_id", &["associatedcompanyid"]),
                ("last_activity", &["notes_last_updated"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "HubSpot contacts of Fivetran", object: Object::People, fields: &[
                ("id", &["id"]),
                ("email", &["property_email"]),
                ("emails", &["property_hs_additional_emails", "property_work_email"]),
                ("merged_ids", &["property_hs_merged_object_ids", "property_hs_calculated_merged_vids"]),
                ("deleted", &["_fivetran_deleted"]),
                ("first_name", &["property_firstname"]),
                ("last_name", &["property_lastname"]),
                ("company_name", &["property_company"]),
                ("company_id", &["property_associatedcompanyid"]),
                ("last_activity", &["property_notes_last_updated"]),
                ("stripe_customer_id", &["property_stripe_customer_id", "property_stripe_id"]),
            ]},
            Shape { label: "HubSpot companies", object: Object::Companies, fields: &[
                ("id", &["Record ID", "Record ID - Company", "Company ID"]),
                ("merged_ids", &["Merged company IDs", "Merged record IDs", "Merged object IDs", "hs_merged_object_ids"]),
                ("company_name", &["Company name", "Name"]),
                ("last_activity", &["Last Activity Date"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "HubSpot companies by API names", object: Object::Companies, fields: &[
                ("id", &["hs_object_id", "companyId", "id"]),
                ("merged_ids", &["hs_merged_object_ids"]),
                ("deleted", &["archived"]),
                ("company_name", &["name"]),
                ("last_activity", &["notes_last_updated"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "HubSpot companies of Fivetran", object: Object::Companies, fields: &[
                ("id", &["id"]),
                ("merged_ids", &["property_hs_merged_object_ids"]),
                ("deleted", &["is_deleted", "_fivetran_deleted"]),
                ("company_name", &["property_name"]),
                ("last_activity", &["property_notes_last_updated"]),
                ("stripe_customer_id", &["property_stripe_customer_id", "property_stripe_id"]),
            ]},
        ],
    },
    Preset {
        crm: CrmPreset::Salesforce,
        ids: IdForm::Salesforce,
        between_ids: ANY,
        lists: &[';'],
        footer: &["copyright (c) 2000-", "copyright © 2000-", "confidential information - do not distribute", "generated by:", "grand total"],
        shapes: &[
            Shape { label: "Salesforce report", object: Object::People, fields: &[
                ("id", &["Case Safe Contact ID", "Case Safe ID", "CaseSafeID", "Contact ID", "Contact: Contact ID", "Contact ID 18", "Lead ID"]),
                ("email", &["Email", "Contact: Email", "Email Address"]),
                ("name", &["Full Name", "Contact Name", "Contact: Full Name", "Name"]),
                ("first_name", &["First Name", "Contact: First Name"]),
                ("last_name", &["Last Name", "Contact: Last Name"]),
                ("company_name", &["Account Name", "Account Name: Account Name", "Company / Account", "Company"]),
                ("company_id", &["Case Safe Account ID", "Account ID", "Account Name: Account ID"]),
                ("last_activity", &["Last Activity", "Last Activity Date"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "Salesforce contacts", object: Object::People, fields: &[
                ("id", &["Id"]),
                ("email", &["Email", "PersonEmail"]),
                ("merged_into", &["MasterRecordId"]),
                ("deleted", &["IsDeleted"]),
                ("name", &["Name"]),
                ("first_name", &["FirstName"]),
                ("last_name", &["LastName"]),
                ("company_name", &["Account.Name", "Company"]),
                ("company_id", &["AccountId"]),
                ("last_activity", &["LastActivityDate"]),
                ("stripe_customer_id", &["Stripe_Customer_ID__c", "StripeCustomerID__c", "Stripe_Customer__c", "Stripe_ID__c", "StripeID__c"]),
            ]},
            Shape { label: "Salesforce contacts of Fivetran", object: Object::People, fields: &[
                ("id", &["id"]),
                ("email", &["email", "person_email"]),
                ("merged_into", &["master_record_id"]),
                ("deleted", &["is_deleted", "_fivetran_deleted"]),
                ("current", &["_fivetran_active"]),
                ("name", &["name"]),
                ("first_name", &["first_name"]),
                ("last_name", &["last_name"]),
                ("company_name", &["company"]),
                ("company_id", &["account_id"]),
                ("last_activity", &["last_activity_date"]),
                ("stripe_customer_id", &["stripe_customer_id_c", "stripe_customer_c", "stripe_id_c"]),
            ]},
            Shape { label: "Salesforce report of accounts", object: Object::Companies, fields: &[
                ("id", &["Case Safe Account ID", "Account ID"]),
                ("company_name", &["Account Name"]),
                ("last_activity", &["Last Activity", "Last Activity Date"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "Salesforce accounts", object: Object::Companies, fields: &[
                ("id", &["Id"]),
                ("merged_into", &["MasterRecordId"]),
                ("deleted", &["IsDeleted"]),
                ("company_name", &["Name"]),
                ("last_activity", &["LastActivityDate"]),
                ("stripe_customer_id", &["Stripe_Customer_ID__c", "StripeCustomerID__c", "Stripe_Customer__c", "Stripe_ID__c", "StripeID__c"]),
            ]},
            Shape { label: "Salesforce accounts of Fivetran", object: Object::Companies, fields: &[
                ("id", &["id"]),
                ("merged_into", &["master_record_id"]),
                ("deleted", &["is_deleted", "_fivetran_deleted"]),
                ("current", &["_fivetran_active"]),
                ("company_name", &["name"]),
                ("last_activity", &["last_activity_date"]),
                ("stripe_customer_id", &["stripe_customer_id_c", "stripe_customer_c", "stripe_id_c"]),
            ]},
        ],
    },
    Preset {
        crm: CrmPreset::Pipedrive,
        ids: IdForm::Number,
        between_ids: ANY,
        lists: &[],
        footer: &[],
        shapes: &[
            Shape { label: "Pipedrive people", object: Object::People, fields: &[
                ("id", &["Person - ID", "ID"]),
                ("email", &["Person - Email", "Person - Email - Work", "Person - Email - Work (2)", "Person - Email - Home", "Person - Email - Home (2)", "Person - Email - Other", "Person - Email - Other (2)", "Email", "Email - Work", "Email - Home", "Email - Other"]),
                ("name", &["Person - Name", "Name"]),
                ("first_name", &["Person - First name", "First name"]),
                ("last_name", &["Person - Last name", "Last name"]),
                ("company_name", &["Person - Organization", "Organization - Name", "Organization"]),
                ("company_id", &["Person - Organization ID", "Organization - ID", "Organization ID"]),
                ("last_activity", &["Person - Last activity date", "Last activity date"]),
                ("stripe_customer_id", &["Person - Stripe Customer ID", "Person - Stripe ID", "Stripe Customer ID", "Stripe ID"]),
            ]},
            Shape { label: "Pipedrive organizations", object: Object::Companies, fields: &[
                ("id", &["Organization - ID", "ID"]),
                ("company_name", &["Organization - Name", "Name"]),
                ("last_activity", &["Organization - Last activity date", "Last activity date"]),
                ("stripe_customer_id", &["Organization - Stripe Customer ID", "Organization - Stripe ID", "Stripe Customer ID", "Stripe ID"]),
            ]},
        ],
    },
    Preset {
        crm: CrmPreset::Close,
        ids: IdForm::AsWritten,
        between_ids: ANY,
        lists: &[],
        footer: &[],
        shapes: &[
            // One row per lead, which is a company: the id is the lead's, name and addresses are its contacts'.
            Shape { label: "Close leads", object: Object::People, fields: &[
                ("id", &["id", "lead_id"]),
                ("email", &["primary_contact_primary_email", "contact_1_primary_email", "contact_1_email"]),
                ("emails", &["primary_contact_other_emails", "contact_1_other_emails", "contact_1_emails", "contact_2_primary_email", "contact_2_email", "contact_2_other_emails", "contact_3_primary_email", "contact_3_email", "contact_3_other_emails"]),
                ("name", &["primary_contact_name", "contact_1_name"]),
                ("first_name", &["primary_contact_first_name", "contact_1_first_name"]),
                ("last_name", &["primary_contact_last_name", "contact_1_last_name"]),
                ("company_name", &["display_name", "lead_name", "name"]),
                ("last_activity", &["last_activity_date", "last_communication_date"]),
                ("stripe_customer_id", &["custom.Stripe Customer ID", "custom.Stripe ID", "custom.stripe_customer_id", "custom.stripe_id"]),
            ]},
            Shape { label: "Close contacts", object: Object::People, fields: &[
                ("id", &["id", "contact_id"]),
                ("email", &["primary_email", "email"]),
                ("emails", &["other_emails", "emails"]),
                ("name", &["name", "display_name", "contact_name"]),
                ("first_name", &["first_name"]),
                ("last_name", &["last_name"]),
                ("company_name", &["lead_display_name", "lead_name"]),
                ("company_id", &["lead_id"]),
                ("last_activity", &["last_activity_date", "last_communication_date"]),
                ("stripe_customer_id", &["custom.Stripe Customer ID", "custom.Stripe ID", "custom.stripe_customer_id", "custom.stripe_id"]),
            ]},
            Shape { label: "Close leads without contacts", object: Object::Companies, fields: &[
                ("id", &["id", "lead_id"]),
                ("company_name", &["display_name", "lead_name", "name"]),
                ("last_activity", &["last_activity_date", "last_communication_date"]),
                ("stripe_customer_id", &["custom.Stripe Customer ID", "custom.Stripe ID", "custom.stripe_customer_id", "custom.stripe_id"]),
            ]},
        ],
    },
    Preset {
        crm: CrmPreset::Attio,
        ids: IdForm::AsWritten,
        between_ids: ANY,
        lists: &[','],
        footer: &[],
        shapes: &[
            Shape { label: "Attio people", object: Object::People, fields: &[
                ("id", &["Record ID", "Parent Record > Record ID", "Entry ID"]),
                ("email", &["Primary Email", "Primary email address", "Email addresses", "Email address", "Parent Record > Email addresses"]),
                ("name", &["Name", "Record", "Parent Record", "Parent Record > Name"]),
                ("first_name", &["Name > First", "Name > First name", "First name"]),
                ("last_name", &["Name > Last", "Name > Last name", "Last name"]),
                ("company_name", &["Company", "Company > Name", "Parent Record > Company"]),
                ("company_id", &["Company > Record ID", "Parent Record > Company > Record ID"]),
                ("last_activity", &["Last interaction > When", "Last interaction", "Parent Record > Last interaction > When"]),
                ("stripe_customer_id", STRIPE),
            ]},
            Shape { label: "Attio companies", object: Object::Companies, fields: &[
                ("id", &["Record ID", "Parent Record > Record ID", "Entry ID"]),
                ("company_name", &["Name", "Record", "Parent Record", "Parent Record > Name"]),
                ("last_activity", &["Last interaction > When", "Last interaction", "Parent Record > Last interaction > When"]),
                ("stripe_customer_id", STRIPE),
            ]},
        ],
    },
    // Of people nothing is known: `columns` says all.
    Preset {
        crm: CrmPreset::Custom,
        ids: IdForm::AsWritten,
        between_ids: STATED,
        lists: &[';'],
        footer: &[],
        shapes: &[
            Shape { label: "CRM contacts", object: Object::People, fields: &[("id", &[])] },
            Shape { label: "CRM companies", object: Object::Companies, fields: &[
                ("id", &["company_id", "id", "Company ID", "Record ID"]),
                ("deleted", &["deleted", "archived"]),
                ("company_name", &["company_name", "name", "Company name", "Company"]),
            ]},
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::{CrmPreset, FIELDS, Object, PRESETS};
    use std::collections::BTreeSet;

    #[test]
    fn every_preset_of_the_configuration_has_its_row_and_reads_people_and_companies() {
        for (name, crm) in CrmPreset::ALL {
            let rows: Vec<_> = PRESETS.iter().filter(|preset| preset.crm == *crm).collect();
            assert_eq!(rows.len(), 1, "{name}");
            for object in [Object::People, Object::Companies] {
                assert!(rows[0].shapes.iter().any(|shape| shape.object == object), "{name}: {object:?}");
            }
        }
        assert_eq!(PRESETS.len(), CrmPreset::ALL.len());
        assert!(PRESETS.last().is_some_and(|last| last.crm == CrmPreset::Custom));
    }

    #[test]
    fn every_field_is_known_and_no_heading_gives_two_fields_of_a_shape() {
        for shape in PRESETS.iter().flat_map(|preset| preset.shapes) {
            let mut fields = BTreeSet::new();
            let mut headings = BTreeSet::new();
            for (field, names) in shape.fields {
                assert!(FIELDS.contains(field) && fields.insert(field), "{}: {field}", shape.label);
                for name in *names {
                    assert!(headings.insert(name.to_lowercase()), "{}: {name}", shape.label);
                }
            }
            assert!(fields.contains(&"id"), "{}", shape.label);
        }
    }

    #[test]
    fn footers_are_compared_in_lower_case() {
        for line in PRESETS.iter().flat_map(|preset| preset.footer) {
            assert_eq!(*line, line.to_lowercase());
        }
    }
}
