//! Existing customers as CSV: one column per member of the vendor's customer object.

use super::{MEMBERS, RawExisting};
use crate::load::LoadError;
use crate::load::csv_check::Checked;
use crate::load::csv_read;
use crate::load::fault::truncated;
use crate::load::fault::{Origin, structural};
use crate::load::headings::{missing, sample};
use crate::load::text::Decoded;

/// The column of `member`: `External ID` is as good as `external_id`.
pub(super) fn find(headings: &[String], member: &str) -> Option<usize> {
    headings.iter().position(|heading| heading.to_lowercase().replace([' ', '-'], "_") == member)
}

/// Whether a line of headings is one of existing customers.
pub(in crate::load) fn recognised(headings: &[String]) -> bool {
    ["tether_id", "external_id", "email"].iter().any(|member| find(headings, member).is_some())
        // Contacts and accounts have addresses too.
        && ["tether_id", "mrr", "subscription_status", "updated_at", "external_id"]
            .iter()
            .any(|member| find(headings, member).is_some())
}

/// Whether they are so beyond doubt, where nobody says what the file is: addresses and dates are in many tables.
pub(in crate::load) fn unmistakable(headings: &[String]) -> bool {
    recognised(headings)
        && ["tether_id", "mrr", "subscription_status"].iter().any(|member| find(headings, member).is_some())
}

/// A member by which customers are found that the file seems to have under a misspelt heading: the member, twice.
fn slip(headings: &[String]) -> Option<(&'static str, &'static str)> {
    const FOUND_BY: [&str; 4] = ["tether_id", "external_id", "email", "mrr"];
    const ALIKE: f64 = 0.9;
    let unknown = headings
        .iter()
        .filter(|heading| !MEMBERS.iter().any(|member| find(std::slice::from_ref(*heading), member).is_some()));
    let unknown: Vec<String> = unknown.map(|heading| heading.to_lowercase()).collect();
    FOUND_BY
        .into_iter()
        .filter(|member| find(headings, member).is_none())
        .find(|member| unknown.iter().any(|heading| strsim::jaro_winkler(heading, member) > ALIKE))
        .map(|member| (member, member))
}

/// Where each member stands in the file.
///
/// # Errors
/// Its headings are not those of existing customers, or one of them is misspelt.
pub(super) fn columns(
    checked: &Checked<'_>,
    origin: &Origin<'_>,
) -> Result<Vec<(&'static str, Option<usize>)>, LoadError> {
    if !recognised(&checked.headings) {
        let detail = format!(
            "line {} is headed {}; expected are the members of Tether's customer: {}",
            checked.heading_line,
            sample(&checked.headings),
            MEMBERS.join(", ")
        );
        return Err(LoadError::Unrecognised { file: origin.file.to_owned(), detail });
    }
    if let Some((member, heading)) = slip(&checked.headings) {
        let advice = "give the column its name back: without it these customers could not be found again";
        return Err(missing(&checked.headings, checked.heading_line, origin.file, member, heading, advice));
    }
    Ok(MEMBERS.iter().map(|member| (*member, find(&checked.headings, member))).collect())
}

pub(super) fn read(decoded: &Decoded<'_>, origin: &Origin<'_>) -> Result<RawExisting, LoadError> {
    let mut checked = csv_read::open(decoded, origin, &recognised)?;
    let wanted = columns(&checked, origin)?;
    let rows = checked.rows();
    let id = find(&checked.headings, "tether_id");
    let rejections = structural(&mut checked, origin, id, None, "");
    let frame = csv_read::read(&checked, &wanted, origin.file, origin.index)?;
    let breaks = if checked.truncated { vec![truncated(origin.source, origin.file)] } else { Vec::new() };
    let encoding = Some(decoded.encoding);
    let dialect = Some(checked.dialect);
    Ok(RawExisting { frame, rejections, breaks, rows, shape: "existing Tether customers (CSV)", encoding, dialect })
}
