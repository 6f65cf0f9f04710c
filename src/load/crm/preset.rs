//! What each CRM calls its columns. A new CRM is a new table here.

use crate::config::CrmPreset;

/// One field of a contact in a preset.
pub(super) struct PresetField {
    /// The field, as `columns` names it in the configuration.
    pub field: &'static str,
    /// Its headings, whatever the case; the first that the file has is read (for `emails`, all of them).
    pub headings: &'static [&'static str],
    /// Whether a file without it is refused.
    pub required: bool,
}

const fn optional(field: &'static str, headings: &'static [&'static str]) -> PresetField {
    PresetField { field, headings, required: false }
}

const HUBSPOT: &[PresetField] = &[
    PresetField { field: "id", headings: &["Record ID", "Record ID - Contact", "Contact ID"], required: true },
    optional("email", &["Email"]),
    optional("emails", &["Additional email addresses", "Work email"]),
    optional("merged_ids", &["Merged contact IDs", "Merged record IDs"]),
    optional("external_id", &[]),
    optional("stripe_customer_id", &[]),
    optional("name", &[]),
    optional("first_name", &["First Name"]),
    optional("last_name", &["Last Name"]),
    optional("company_name", &["Company Name", "Associated Company", "Company"]),
    optional("last_activity", &["Last Activity Date"]),
];

/// Nothing is known: the configuration's `columns` say all.
const CUSTOM: &[PresetField] = &[
    PresetField { field: "id", headings: &[], required: true },
    optional("email", &[]),
    optional("emails", &[]),
    optional("merged_ids", &[]),
    optional("external_id", &[]),
    optional("stripe_customer_id", &[]),
    optional("name", &[]),
    optional("first_name", &[]),
    optional("last_name", &[]),
    optional("company_name", &[]),
    optional("last_activity", &[]),
];

/// The preset's fields, each once.
pub(super) fn fields(preset: CrmPreset) -> &'static [PresetField] {
    match preset {
        CrmPreset::Hubspot => HUBSPOT,
        CrmPreset::Custom => CUSTOM,
    }
}
