//! The order of day and month is one per CRM: what the values of one of its files prove holds for all of them, and two files
//! that prove different orders are refused. Which row stands in which file then changes nothing.

use super::{Job, LoadError, Part, ReadFile, Use};
use crate::config::Settings;
use crate::model::DateOrder;

/// Lets the files of each CRM decide together. `read_again` reads a job's file with other settings; only files that prove
/// nothing themselves are read twice.
///
/// # Errors
/// Two files of one CRM prove different orders.
pub(super) fn agree(
    jobs: &[Job],
    results: &mut [ReadFile],
    settings: &Settings,
    read_again: &dyn Fn(usize, &Settings) -> ReadFile,
) -> Result<(), LoadError> {
    for (index, crm) in settings.crms.iter().enumerate().filter(|(_, crm)| crm.reading.dates.is_none()) {
        let Some(order) = proved(jobs, results, index, &crm.name)? else { continue };
        let mut stated = None;
        for (place, _) in jobs.iter().enumerate().filter(|(_, job)| job.purpose == Use::Contacts(index)) {
            if !matches!(&results[place], Err(LoadError::UndecidedDates { contradicts: false, .. })) {
                continue;
            }
            let stated = stated.get_or_insert_with(|| {
                let mut settings = settings.clone();
                settings.crms[index].reading.dates = Some(order);
                settings
            });
            let mut again = read_again(place, stated);
            if let Ok((file, _)) = &mut again
                && let Some(dialect) = &mut file.dialect
            {
                dialect.dates = Some(format!("{} (another file of {} proves it)", order.words(), crm.name));
            }
            results[place] = again;
        }
    }
    Ok(())
}

/// The order that the files of the CRM at `index` prove.
fn proved(jobs: &[Job], results: &[ReadFile], index: usize, name: &str) -> Result<Option<DateOrder>, LoadError> {
    let mut known: Option<(DateOrder, &str)> = None;
    for (job, result) in jobs.iter().zip(results) {
        let (Use::Contacts(of), Ok((file, Part::Table(part)))) = (job.purpose, result) else { continue };
        let Some(order) = part.dates.filter(|_| of == index) else { continue };
        match known {
            Some((before, other)) if before != order => {
                return Err(LoadError::ContradictingDates {
                    file: file.path.clone(),
                    order: order.words(),
                    other: other.to_owned(),
                    others: before.words(),
                    source_name: name.to_owned(),
                });
            }
            _ => known = Some((order, &file.path)),
        }
    }
    Ok(known.map(|(order, _)| order))
}
